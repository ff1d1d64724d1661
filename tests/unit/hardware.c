/* SPDX-License-Identifier: MIT */
/*
 * Interfaces that several sources use, under several names, while devices come and go: each stamp is
 * brought to the counter by the clock of the device that made it, and in the end all is as it was.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>
#include <linux/ptp_clock.h>

#include "chronotick_page.h"
#include "timestamping/hardware.h"

#define BIT(value) (1U << (value))
#define S 1000000000LL

static const struct counter counter = {
	.kind = CHRONOTICK_COUNTER_MONOTONIC_RAW,
	.step = 1,
	.hz = 1000000000,
	.mult = 1ULL << CHRONOTICK_MULT_SHIFT,
};

/* A NIC, whose clock is so far ahead of the counter */
struct card {
	int index; /* 0: it is not there */
	struct hwtstamp_config now;
	unsigned int sets;
	int phc;
	int64_t ahead_ns;
};

/* eth0, eth1; vlan5 upon eth0, and bond0 upon one of them */
struct machine {
	struct card cards[2];
	unsigned int active;
	int open_result;
	int clocks; /* that are open */
	struct fake_clock {
		struct machine *machine;
		struct card *card;
		int phc; /* the card has another one now: it is gone */
	} clock[8];
	unsigned int opened;
};

static struct card *card_of(void *data, const char *name)
{
	struct machine *machine = data;
	struct card *card = strcmp(name, "eth0") == 0   ? &machine->cards[0]
			    : strcmp(name, "eth1") == 0 ? &machine->cards[1]
							: NULL;

	return card && card->index ? card : NULL;
}

static int fake_capabilities(void *data, const char *name, struct nic_capabilities *ret)
{
	const struct card *card = card_of(data, name);

	if (!card)
		return -ENODEV;
	*ret = (struct nic_capabilities){
		SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE |
			SOF_TIMESTAMPING_RAW_HARDWARE,
		BIT(HWTSTAMP_TX_OFF) | BIT(HWTSTAMP_TX_ON),
		BIT(HWTSTAMP_FILTER_ALL) | BIT(HWTSTAMP_FILTER_PTP_V2_L2_EVENT) |
			BIT(HWTSTAMP_FILTER_PTP_V2_EVENT),
		card->phc};
	return 0;
}

static int fake_get(void *data, const char *name, struct hwtstamp_config *ret)
{
	const struct card *card = card_of(data, name);

	if (!card)
		return -ENODEV;
	*ret = card->now;
	return 0;
}

static int fake_set(void *data, const char *name, struct hwtstamp_config *config)
{
	struct card *card = card_of(data, name);

	if (!card)
		return -ENODEV;
	card->now = *config;
	card->sets++;
	return 0;
}

static int fake_lower(void *data, const char *name, char ret[IF_NAMESIZE])
{
	const struct machine *machine = data;

	if (strcmp(name, "vlan5") == 0)
		strcpy(ret, "eth0");
	else if (strcmp(name, "bond0") == 0)
		snprintf(ret, IF_NAMESIZE, "eth%u", machine->active);
	else
		return -ENOENT;
	return 0;
}

static int fake_index(void *data, const char *name)
{
	const struct card *card = card_of(data, name);

	return card ? card->index : -ENODEV;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return now.tv_sec * S + now.tv_nsec;
}

static struct ptp_clock_time as_time(int64_t ns)
{
	return (struct ptp_clock_time){.sec = ns / S, .nsec = (uint32_t)(ns % S)};
}

static int fake_control(void *data, unsigned long request, void *argument)
{
	const struct fake_clock *clock = data;
	struct ptp_sys_offset_precise *precise = argument;
	int64_t ns = now_ns();

	if (!clock->card->index || clock->card->phc != clock->phc)
		return -ENODEV;
	if (request != PTP_SYS_OFFSET_PRECISE)
		return -EOPNOTSUPP;
	precise->sys_monoraw = as_time(ns);
	precise->device = as_time(ns + clock->card->ahead_ns);
	return 0;
}

static int fake_cross(void *data, clockid_t clock, struct cross *ret)
{
	(void)data;
	return cross_read(ret, &counter, clock);
}

static int fake_frequency(void *data, int64_t *ret)
{
	(void)data;
	*ret = 0;
	return 0;
}

static int fake_open(void *data, int phc, struct phc_io *ret)
{
	struct machine *machine = data;
	struct fake_clock *clock = &machine->clock[machine->opened % 8];
	unsigned int i;

	if (machine->open_result)
		return machine->open_result;
	for (i = 0; i < 2; i++)
		if (machine->cards[i].index && machine->cards[i].phc == phc)
			*clock = (struct fake_clock){machine, &machine->cards[i], phc};
	machine->opened++;
	machine->clocks++;
	*ret = (struct phc_io){clock, fake_control, fake_cross, fake_frequency};
	return 0;
}

static void fake_close(void *data, struct phc_io *io)
{
	struct machine *machine = data;

	(void)io;
	machine->clocks--;
}

static struct machine machine_make(void)
{
	return (struct machine){.cards = {{.index = 2, .phc = 0, .ahead_ns = 100 * S},
					  {.index = 3, .phc = 1, .ahead_ns = 100 * S + 50000000}}};
}

static struct hardware_table *table_of(struct machine *machine)
{
	const struct hardware_io io = {
		{machine, fake_capabilities, fake_get, fake_set, fake_lower, fake_index},
		machine,
		fake_open,
		fake_close};
	struct hardware_table *table;

	cr_assert_eq(hardware_table_new(&table, &counter, &io), 0);
	return table;
}

static struct hardware *get(struct hardware_table *table, const char *name, unsigned int needs)
{
	char why[NIC_TEXT_SIZE];
	struct hardware *ret = NULL;

	cr_assert_eq(hardware_get(&ret, table, name, needs, why), 0);
	return ret;
}

/* A stamp of that card, of just now: it is brought to where it was. */
static void assert_stamped(struct hardware *hardware, const struct card *card)
{
	int64_t before_ns, error_ns;
	uint64_t at;

	cr_assert_eq(hardware_read(hardware), 0);
	before_ns = now_ns();
	cr_assert_eq(hardware_read(hardware), 0);
	cr_assert_eq(hardware_counter(hardware, before_ns + card->ahead_ns, (uint64_t)before_ns,
				      &at, &error_ns),
		     0);
	cr_assert_leq(at > (uint64_t)before_ns ? (int64_t)at - before_ns : before_ns - (int64_t)at,
		      error_ns);
}

static void finish(struct hardware_table *table, const struct machine *machine, int filter)
{
	hardware_table_free(table);
	cr_assert_eq(machine->clocks, 0);
	cr_assert_eq(machine->cards[0].now.rx_filter, filter);
}

Test(hardware, two_users_of_one_name)
{
	struct machine machine = machine_make();
	struct hardware_table *table = table_of(&machine);
	struct hardware *ptp = get(table, "eth0", NIC_PTP_L2), *ntp;

	cr_assert_eq(machine.cards[0].now.rx_filter, HWTSTAMP_FILTER_PTP_V2_L2_EVENT);
	ntp = get(table, "eth0", NIC_NTP);
	cr_assert_eq(ntp, ptp);
	cr_assert_eq(machine.cards[0].now.rx_filter, HWTSTAMP_FILTER_ALL);
	hardware_put(ptp);
	assert_stamped(ntp, &machine.cards[0]);
	hardware_put(ntp);
	finish(table, &machine, HWTSTAMP_FILTER_NONE);
}

/* Whoever goes first leaves to the other what he needs, and what is to be put back. */
Test(hardware, two_names_of_one_device)
{
	static const unsigned int needs[] = {NIC_NTP, NIC_PTP_L2, NIC_PTP_UDP};
	unsigned int i;

	for (i = 0; i < 3 * 3 * 2; i++) {
		struct machine machine = machine_make();
		struct hardware_table *table = table_of(&machine);
		struct hardware *first = get(table, "eth0", needs[i % 3]);
		struct hardware *second = get(table, "vlan5", needs[i / 3 % 3]);
		struct hwtstamp_config both = machine.cards[0].now;

		cr_assert_neq(first, second);
		hardware_put(i < 9 ? first : second);
		cr_assert_eq(machine.cards[0].now.rx_filter, both.rx_filter, "case %u", i);
		assert_stamped(i < 9 ? second : first, &machine.cards[0]);
		hardware_put(i < 9 ? second : first);
		finish(table, &machine, HWTSTAMP_FILTER_NONE);
	}
}

Test(hardware, a_bond_changes_over)
{
	struct machine machine = machine_make();
	struct hardware_table *table = table_of(&machine);
	struct hardware *hardware = get(table, "bond0", NIC_NTP);

	assert_stamped(hardware, &machine.cards[0]);
	machine.active = 1;
	cr_assert_eq(hardware_read(hardware), -ESTALE);
	cr_assert_eq(machine.cards[0].now.rx_filter, HWTSTAMP_FILTER_NONE);
	assert_stamped(hardware, &machine.cards[1]);
	/* Just as another source joins */
	machine.active = 0;
	cr_assert_eq(get(table, "bond0", NIC_PTP_L2), hardware);
	assert_stamped(hardware, &machine.cards[0]);
	cr_assert_eq(machine.cards[1].now.rx_filter, HWTSTAMP_FILTER_NONE);
	hardware_put(hardware);
	hardware_put(hardware);
	finish(table, &machine, HWTSTAMP_FILTER_NONE);
}

/* The clock may come back with another number, and the interface with another index. */
Test(hardware, a_device_that_is_taken_away)
{
	struct machine machine = machine_make();
	struct hardware_table *table = table_of(&machine);
	struct hardware *hardware = get(table, "eth0", NIC_NTP);
	char text[NIC_TEXT_SIZE];
	unsigned int i;

	machine.cards[0].phc = 4;
	cr_assert_lt(hardware_read(hardware), 0);
	cr_assert_eq(hardware_read(hardware), -ESTALE);
	assert_stamped(hardware, &machine.cards[0]);
	machine.cards[0].index = 0;
	for (i = 0; i < 5; i++)
		cr_assert_lt(hardware_read(hardware), 0);
	hardware_describe(hardware, text, sizeof(text));
	cr_assert(strstr(text, "no interface eth0"), "%s", text);
	machine.cards[0] = (struct card){.index = 9, .phc = 0, .ahead_ns = 7 * S};
	cr_assert_eq(hardware_read(hardware), -ESTALE);
	assert_stamped(hardware, &machine.cards[0]);
	hardware_put(hardware);
	finish(table, &machine, HWTSTAMP_FILTER_NONE);
}

Test(hardware, another_card_takes_the_name)
{
	struct machine machine = machine_make();
	struct hardware_table *table = table_of(&machine);
	struct hardware *hardware = get(table, "eth0", NIC_NTP);
	struct card gone = machine.cards[0];

	machine.cards[0] = machine.cards[1];
	machine.cards[1] = gone;
	cr_assert_eq(hardware_read(hardware), -ESTALE);
	assert_stamped(hardware, &machine.cards[0]);
	hardware_put(hardware);
	finish(table, &machine, HWTSTAMP_FILTER_NONE);
}

Test(hardware, somebody_turns_the_stamps_off)
{
	struct machine machine = machine_make();
	struct hardware_table *table = table_of(&machine);
	struct hardware *hardware = get(table, "eth0", NIC_NTP);

	machine.cards[0].now = (struct hwtstamp_config){0};
	hardware_unstamped(hardware);
	cr_assert_eq(machine.cards[0].now.rx_filter, HWTSTAMP_FILTER_ALL);
	machine.cards[0].now = (struct hwtstamp_config){0};
	hardware_unstamped(hardware);
	cr_assert_eq(machine.cards[0].now.rx_filter, HWTSTAMP_FILTER_NONE, "not at once again");
	hardware_put(hardware);
	finish(table, &machine, HWTSTAMP_FILTER_NONE);
}

Test(hardware, a_clock_that_cannot_be_opened)
{
	struct machine machine = machine_make();
	struct hardware_table *table = table_of(&machine);
	struct hardware *hardware;
	char why[NIC_TEXT_SIZE];

	machine.open_result = -EACCES;
	cr_assert_eq(hardware_get(&hardware, table, "eth0", NIC_NTP, why), -EACCES);
	cr_assert(strstr(why, "/dev/ptp0"), "%s", why);
	cr_assert_eq(machine.cards[0].now.rx_filter, HWTSTAMP_FILTER_NONE);
	machine.open_result = 0;
	hardware = get(table, "eth0", NIC_NTP);
	hardware_put(hardware);
	hardware_put(NULL);
	finish(table, &machine, HWTSTAMP_FILTER_NONE);
}

Test(hardware, this_machine)
{
	struct hardware_table *table;
	struct hardware *hardware;
	char why[NIC_TEXT_SIZE];

	cr_assert_eq(hardware_table_new(&table, &counter, NULL), 0);
	cr_assert_lt(hardware_get(&hardware, table, "there-is-none", NIC_NTP, why), 0);
	hardware_table_free(table);
}
