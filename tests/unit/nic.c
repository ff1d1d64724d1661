/* SPDX-License-Identifier: MIT */
/* Having a NIC stamp: the narrowest filter that serves, and nobody who was served before is hurt. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include <criterion/criterion.h>
#include <linux/sockios.h>

#include "timestamping/nic.h"

#define BIT(value) (1U << (value))
#define FLAGS                                                                                      \
	(SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE |                             \
	 SOF_TIMESTAMPING_RAW_HARDWARE)
#define PTP_FILTERS                                                                                \
	(BIT(HWTSTAMP_FILTER_PTP_V2_L2_EVENT) | BIT(HWTSTAMP_FILTER_PTP_V2_L4_EVENT) |             \
	 BIT(HWTSTAMP_FILTER_PTP_V2_EVENT))

/* A machine with one NIC, and what lies upon it */
struct machine {
	struct nic_capabilities has;
	struct hwtstamp_config now;
	unsigned int sets;
	int get_result, set_result;
	int takes;          /* the filter that it takes instead; 0: the one it is told */
	const char *active; /* of bond0 */
	int index;          /* of all of them */
};

static int fake_capabilities(void *data, const char *name, struct nic_capabilities *ret)
{
	const struct machine *machine = data;

	if (strcmp(name, "eth0") != 0 && strcmp(name, "eth1") != 0)
		return -ENODEV;
	*ret = machine->has;
	return 0;
}

static int fake_get(void *data, const char *name, struct hwtstamp_config *ret)
{
	const struct machine *machine = data;

	(void)name;
	*ret = machine->now;
	return machine->get_result;
}

static int fake_set(void *data, const char *name, struct hwtstamp_config *config)
{
	struct machine *machine = data;

	(void)name;
	machine->sets++;
	if (machine->set_result)
		return machine->set_result;
	if (machine->takes)
		config->rx_filter = machine->takes;
	machine->now = *config;
	return 0;
}

static int fake_lower(void *data, const char *name, char ret[IF_NAMESIZE])
{
	const struct machine *machine = data;

	if (strcmp(name, "vlan5") == 0)
		strcpy(ret, "bond0");
	else if (strcmp(name, "bond0") == 0)
		strcpy(ret, machine->active);
	else if (strcmp(name, "loop0") == 0)
		strcpy(ret, "loop0");
	else
		return -ENOENT;
	return 0;
}

static int fake_index(void *data, const char *name)
{
	const struct machine *machine = data;

	(void)name;
	return machine->index;
}

static struct machine machine_make(uint32_t filters)
{
	return (struct machine){
		.has = {FLAGS, BIT(HWTSTAMP_TX_OFF) | BIT(HWTSTAMP_TX_ON), filters | 1, 0},
		.active = "eth0",
		.index = 3,
	};
}

static struct nic_io io_of(struct machine *machine)
{
	return (struct nic_io){machine,  fake_capabilities, fake_get,
			       fake_set, fake_lower,        fake_index};
}

static int open_on(struct nic *nic, struct machine *machine, unsigned int needs)
{
	const struct nic_io io = io_of(machine);

	return nic_open(nic, &io, "eth0", needs);
}

/* Which filter is set for whom, by what is offered and what somebody else has set */
static const struct {
	uint32_t offered;
	int now;
	unsigned int needs;
	int result;
	int filter;
	bool untouched;
} cases[] = {
	{PTP_FILTERS | BIT(HWTSTAMP_FILTER_ALL), HWTSTAMP_FILTER_NONE, NIC_PTP_L2, 0,
	 HWTSTAMP_FILTER_PTP_V2_L2_EVENT, false},
	{PTP_FILTERS | BIT(HWTSTAMP_FILTER_ALL), HWTSTAMP_FILTER_NONE, NIC_PTP_UDP, 0,
	 HWTSTAMP_FILTER_PTP_V2_L4_EVENT, false},
	{BIT(HWTSTAMP_FILTER_PTP_V2_EVENT), HWTSTAMP_FILTER_NONE, NIC_PTP_UDP, 0,
	 HWTSTAMP_FILTER_PTP_V2_EVENT, false},
	{BIT(HWTSTAMP_FILTER_ALL), HWTSTAMP_FILTER_NONE, NIC_PTP_L2, 0, HWTSTAMP_FILTER_ALL, false},
	{BIT(HWTSTAMP_FILTER_ALL) | BIT(HWTSTAMP_FILTER_NTP_ALL), HWTSTAMP_FILTER_NONE, NIC_NTP, 0,
	 HWTSTAMP_FILTER_NTP_ALL, false},
	{PTP_FILTERS, HWTSTAMP_FILTER_NONE, NIC_NTP, -EOPNOTSUPP, HWTSTAMP_FILTER_NONE, true},
	{0, HWTSTAMP_FILTER_NONE, NIC_PTP_L2, -EOPNOTSUPP, HWTSTAMP_FILTER_NONE, true},
	/* It serves as it is, even if it is wider. */
	{PTP_FILTERS | BIT(HWTSTAMP_FILTER_ALL), HWTSTAMP_FILTER_ALL, NIC_PTP_L2, 0,
	 HWTSTAMP_FILTER_ALL, true},
	{PTP_FILTERS, HWTSTAMP_FILTER_PTP_V2_EVENT, NIC_PTP_L2, 0, HWTSTAMP_FILTER_PTP_V2_EVENT,
	 true},
	/* ptp4l has it stamp these: it goes on to. */
	{PTP_FILTERS, HWTSTAMP_FILTER_PTP_V2_L4_EVENT, NIC_PTP_L2, 0, HWTSTAMP_FILTER_PTP_V2_EVENT,
	 false},
	{PTP_FILTERS | BIT(HWTSTAMP_FILTER_NTP_ALL) | BIT(HWTSTAMP_FILTER_ALL),
	 HWTSTAMP_FILTER_PTP_V2_L2_EVENT, NIC_NTP, 0, HWTSTAMP_FILTER_ALL, false},
	{PTP_FILTERS | BIT(HWTSTAMP_FILTER_NTP_ALL), HWTSTAMP_FILTER_PTP_V2_EVENT, NIC_NTP, -EBUSY,
	 HWTSTAMP_FILTER_PTP_V2_EVENT, true},
	{PTP_FILTERS, HWTSTAMP_FILTER_PTP_V1_L4_EVENT, NIC_PTP_L2, -EBUSY,
	 HWTSTAMP_FILTER_PTP_V1_L4_EVENT, true},
	{PTP_FILTERS | BIT(HWTSTAMP_FILTER_ALL), HWTSTAMP_FILTER_PTP_V1_L4_EVENT, NIC_PTP_L2, 0,
	 HWTSTAMP_FILTER_ALL, false},
	{PTP_FILTERS, HWTSTAMP_FILTER_PTP_V2_L2_SYNC, NIC_PTP_L2, 0,
	 HWTSTAMP_FILTER_PTP_V2_L2_EVENT, false},
};

Test(nic, filters)
{
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct machine machine = machine_make(cases[i].offered);
		struct hwtstamp_config before;
		struct nic nic;

		machine.now.rx_filter = cases[i].now;
		machine.now.tx_type = cases[i].now ? HWTSTAMP_TX_ON : HWTSTAMP_TX_OFF;
		before = machine.now;
		cr_assert_eq(open_on(&nic, &machine, cases[i].needs), cases[i].result, "case %zu",
			     i);
		cr_assert_eq(machine.now.rx_filter, cases[i].filter, "case %zu", i);
		cr_assert_eq(machine.sets == 0, cases[i].untouched, "case %zu", i);
		cr_assert_eq(cases[i].result < 0, *nic.why != '\0', "case %zu", i);
		if (!cases[i].result)
			cr_assert_eq(machine.now.tx_type, HWTSTAMP_TX_ON);
		nic_close(&nic);
		cr_assert_eq(memcmp(&before, &machine.now, sizeof(before)), 0, "case %zu", i);
	}
}

Test(nic, one_step_stays)
{
	struct machine machine = machine_make(BIT(HWTSTAMP_FILTER_ALL) | PTP_FILTERS);
	struct nic nic;

	machine.now.tx_type = HWTSTAMP_TX_ONESTEP_SYNC;
	machine.now.rx_filter = HWTSTAMP_FILTER_PTP_V2_EVENT;
	cr_assert_eq(open_on(&nic, &machine, NIC_NTP), 0);
	cr_assert_eq(machine.now.tx_type, HWTSTAMP_TX_ONESTEP_SYNC);
	cr_assert_eq(machine.now.rx_filter, HWTSTAMP_FILTER_ALL);
}

Test(nic, another_has_changed_it_since)
{
	struct machine machine = machine_make(BIT(HWTSTAMP_FILTER_ALL) | PTP_FILTERS);
	struct nic nic;

	cr_assert_eq(open_on(&nic, &machine, NIC_PTP_L2), 0);
	machine.now.rx_filter = HWTSTAMP_FILTER_ALL;
	nic_close(&nic);
	cr_assert_eq(machine.now.rx_filter, HWTSTAMP_FILTER_ALL, "it is his now");
	cr_assert_eq(machine.sets, 1);
	nic_close(&nic);
	cr_assert_eq(machine.sets, 1, "once");
}

Test(nic, drivers_that_do_as_they_like)
{
	struct machine machine = machine_make(BIT(HWTSTAMP_FILTER_ALL) | PTP_FILTERS);
	struct nic nic;

	machine.takes = HWTSTAMP_FILTER_ALL;
	cr_assert_eq(open_on(&nic, &machine, NIC_PTP_L2), 0, "a wider one serves");
	nic_close(&nic);
	machine.takes = HWTSTAMP_FILTER_PTP_V2_L4_EVENT;
	machine.now.rx_filter = HWTSTAMP_FILTER_NONE;
	cr_assert_eq(open_on(&nic, &machine, NIC_PTP_L2), -EOPNOTSUPP, "another one does not");
	machine.takes = 0;
	machine.set_result = -EPERM;
	cr_assert_eq(open_on(&nic, &machine, NIC_PTP_UDP), -EPERM);
	cr_assert(strstr(nic.why, "cannot be told"));
	machine.get_result = -EOPNOTSUPP;
	machine.set_result = 0;
	cr_assert_eq(open_on(&nic, &machine, NIC_PTP_UDP), 0, "an old driver, that tells nothing");
	machine.get_result = -EIO;
	cr_assert_eq(open_on(&nic, &machine, NIC_PTP_UDP), -EIO);
}

/* What it was cannot be put back, nor made narrower. */
Test(nic, a_driver_that_does_not_tell_its_setting)
{
	static const int silences[] = {-EOPNOTSUPP, -EINVAL, -ENOTTY};
	unsigned int i;

	for (i = 0; i < sizeof(silences) / sizeof(silences[0]); i++) {
		struct machine machine = machine_make(BIT(HWTSTAMP_FILTER_ALL) | PTP_FILTERS);
		struct nic nic;

		machine.get_result = silences[i];
		machine.now.rx_filter = HWTSTAMP_FILTER_PTP_V2_EVENT;
		cr_assert_eq(open_on(&nic, &machine, NIC_PTP_L2), 0);
		cr_assert_eq(machine.now.rx_filter, HWTSTAMP_FILTER_ALL);
		cr_assert_eq(nic_again(&nic, NIC_NTP), 0);
		nic_close(&nic);
		cr_assert_eq(machine.now.rx_filter, HWTSTAMP_FILTER_ALL, "nobody is hurt");
		cr_assert_eq(machine.sets, 1);
	}
}

Test(nic, somebody_makes_it_narrower)
{
	struct machine machine = machine_make(BIT(HWTSTAMP_FILTER_ALL) | PTP_FILTERS);
	struct nic nic;

	cr_assert_eq(open_on(&nic, &machine, NIC_NTP), 0);
	cr_assert_eq(nic_again(&nic, NIC_NTP), 0);
	cr_assert_eq(machine.sets, 1, "it serves");
	machine.now.rx_filter = HWTSTAMP_FILTER_NONE;
	machine.now.tx_type = HWTSTAMP_TX_OFF;
	cr_assert_eq(nic_again(&nic, NIC_NTP), 0);
	cr_assert_eq(machine.now.rx_filter, HWTSTAMP_FILTER_ALL);
	/* As ptp4l does when it starts */
	machine.now.rx_filter = HWTSTAMP_FILTER_PTP_V2_L2_EVENT;
	cr_assert_eq(nic_again(&nic, NIC_NTP), 0);
	cr_assert_eq(machine.now.rx_filter, HWTSTAMP_FILTER_ALL);
	nic_close(&nic);
	cr_assert_eq(machine.now.rx_filter, HWTSTAMP_FILTER_PTP_V2_L2_EVENT, "he goes on");
}

Test(nic, more_is_needed)
{
	struct machine machine = machine_make(BIT(HWTSTAMP_FILTER_ALL) | PTP_FILTERS);
	struct nic nic;

	cr_assert_eq(open_on(&nic, &machine, NIC_PTP_L2), 0);
	cr_assert_eq(nic_again(&nic, NIC_PTP_L2 | NIC_NTP), 0);
	cr_assert_eq(machine.now.rx_filter, HWTSTAMP_FILTER_ALL);
	nic_close(&nic);
	cr_assert_eq(machine.now.rx_filter, HWTSTAMP_FILTER_NONE, "as it was before both");
	cr_assert_eq(open_on(&nic, &machine, NIC_PTP_L2), 0);
	machine.now.rx_filter = HWTSTAMP_FILTER_PTP_V2_EVENT;
	cr_assert_eq(nic_again(&nic, NIC_PTP_L2 | NIC_NTP), 0);
	nic_close(&nic);
	cr_assert_eq(machine.now.rx_filter, HWTSTAMP_FILTER_PTP_V2_EVENT,
		     "somebody had changed it in between");
}

Test(nic, another_device_of_the_name)
{
	struct machine machine = machine_make(BIT(HWTSTAMP_FILTER_ALL) | PTP_FILTERS);
	struct nic nic;

	cr_assert_eq(open_on(&nic, &machine, NIC_PTP_L2), 0);
	cr_assert_not(nic_moved(&nic));
	machine.index++;
	cr_assert(nic_moved(&nic));
	cr_assert_eq(nic_again(&nic, NIC_NTP), -ESTALE);
	nic_close(&nic);
	cr_assert_eq(machine.sets, 1, "its setting is none of ours");
}

Test(nic, what_is_missing_is_named)
{
	struct machine machine = machine_make(BIT(HWTSTAMP_FILTER_ALL));
	const struct nic_io io = io_of(&machine);
	struct nic nic;

	cr_assert_eq(nic_open(&nic, &io, "wlan7", NIC_NTP), -ENODEV);
	cr_assert(strstr(nic.why, "no interface wlan7"));
	machine.has.phc = -1;
	cr_assert_eq(open_on(&nic, &machine, NIC_NTP), -EOPNOTSUPP);
	cr_assert(strstr(nic.why, "no clock"));
	machine.has.flags = SOF_TIMESTAMPING_RX_HARDWARE;
	cr_assert_eq(open_on(&nic, &machine, NIC_NTP), -EOPNOTSUPP);
	cr_assert(strstr(nic.why, "no hardware stamps"));
}

Test(nic, down_to_the_device_that_stamps)
{
	struct machine machine = machine_make(BIT(HWTSTAMP_FILTER_ALL));
	const struct nic_io io = io_of(&machine);
	struct nic nic;

	cr_assert_eq(nic_open(&nic, &io, "vlan5", NIC_NTP), 0);
	cr_assert_str_eq(nic.real, "eth0");
	cr_assert_not(nic_moved(&nic));
	machine.active = "eth1";
	cr_assert(nic_moved(&nic), "the bond has changed over");
	cr_assert_eq(nic_open(&nic, &io, "loop0", NIC_NTP), -ENODEV, "no end is an end too");
}

Test(nic, this_machine)
{
	int fd = -1;
	const struct nic_io io = nic_system_io(&fd);
	struct nic nic;
	char below[IF_NAMESIZE];

	if (ioctl(-1, SIOCETHTOOL, NULL) < 0 && errno != EBADF)
		cr_skip_test("this emulator knows nothing of network interfaces");
	cr_assert_eq(nic_open(&nic, &io, "lo", NIC_NTP), -EBADF, "without a socket");
	cr_assert_eq(io.lower(io.data, "../../etc", below), -ENOENT);
	cr_assert_lt(io.lower(io.data, "lo", below), 0);
}
