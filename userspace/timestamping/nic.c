/* SPDX-License-Identifier: MIT */
#include "timestamping/nic.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Beyond NIC_*: somebody else's, that only the filter for all packets has in it */
#define NEEDS_ALL 8U

#define REQUIRED                                                                                   \
	(SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE |                             \
	 SOF_TIMESTAMPING_RAW_HARDWARE)

/* What a filter stamps, the narrower ones first */
static const struct {
	int filter;
	unsigned int serves;
} filters[] = {
	{HWTSTAMP_FILTER_NTP_ALL, NIC_NTP},
	{HWTSTAMP_FILTER_PTP_V2_L2_EVENT, NIC_PTP_L2},
	{HWTSTAMP_FILTER_PTP_V2_L4_EVENT, NIC_PTP_UDP},
	{HWTSTAMP_FILTER_PTP_V2_EVENT, NIC_PTP_L2 | NIC_PTP_UDP},
	{HWTSTAMP_FILTER_ALL, NIC_NTP | NIC_PTP_L2 | NIC_PTP_UDP | NEEDS_ALL},
};

#define FILTERS (sizeof(filters) / sizeof(filters[0]))

static unsigned int served_by(int filter)
{
	size_t i;

	for (i = 0; i < FILTERS; i++)
		if (filters[i].filter == filter)
			return filters[i].serves;
	return 0;
}

/* Whom a filter serves that somebody has set, told by what it takes to serve him further */
static unsigned int used_by(int filter)
{
	switch (filter) {
	case HWTSTAMP_FILTER_NONE:
		return 0;
	case HWTSTAMP_FILTER_PTP_V2_L2_SYNC:
	case HWTSTAMP_FILTER_PTP_V2_L2_DELAY_REQ:
		return NIC_PTP_L2;
	case HWTSTAMP_FILTER_PTP_V2_L4_SYNC:
	case HWTSTAMP_FILTER_PTP_V2_L4_DELAY_REQ:
		return NIC_PTP_UDP;
	case HWTSTAMP_FILTER_PTP_V2_SYNC:
	case HWTSTAMP_FILTER_PTP_V2_DELAY_REQ:
		return NIC_PTP_L2 | NIC_PTP_UDP;
	default:
		return served_by(filter) ? served_by(filter) : NEEDS_ALL;
	}
}

/* The narrowest filter on offer that serves; -1: none does */
static int filter_for(uint32_t offered, unsigned int needs)
{
	size_t i;

	for (i = 0; i < FILTERS; i++)
		if (offered & 1U << filters[i].filter && (filters[i].serves & needs) == needs)
			return filters[i].filter;
	return -1;
}

__attribute__((format(printf, 3, 4))) static int refuse(struct nic *nic, int r, const char *format,
							...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(nic->why, sizeof(nic->why), format, arguments);
	va_end(arguments);
	return r;
}

/* Down to the device that stamps */
static void real_find(const struct nic_io *io, const char *name, char ret[IF_NAMESIZE])
{
	char next[IF_NAMESIZE];
	unsigned int i;

	snprintf(ret, IF_NAMESIZE, "%s", name);
	for (i = 0; i < NIC_LEVELS && io->lower(io->data, ret, next) == 0; i++)
		memcpy(ret, next, IF_NAMESIZE);
}

static int check(struct nic *nic, unsigned int needs)
{
	int r = nic->io.capabilities(nic->io.data, nic->real, &nic->has);

	if (r == -ENODEV)
		return refuse(nic, r, "there is no interface %s", nic->real);
	if (r < 0)
		return refuse(nic, r, "%s does not tell its capabilities: %s", nic->real,
			      strerror(-r));
	if ((nic->has.flags & REQUIRED) != REQUIRED || !(nic->has.tx_types & 1U << HWTSTAMP_TX_ON))
		return refuse(nic, -EOPNOTSUPP, "%s has no hardware stamps", nic->real);
	if (nic->has.phc < 0)
		return refuse(nic, -EOPNOTSUPP, "%s has no clock that can be read", nic->real);
	if (filter_for(nic->has.rx_filters, needs) < 0)
		return refuse(nic, -EOPNOTSUPP, "%s cannot stamp %s packets that come", nic->real,
			      needs & NIC_NTP ? "NTP" : "these PTP");
	return 0;
}

static bool is_same(const struct hwtstamp_config *a, const struct hwtstamp_config *b)
{
	return a->tx_type == b->tx_type && a->rx_filter == b->rx_filter;
}

/* As drivers say that do not tell their setting */
static bool is_silence(int r)
{
	return r == -EOPNOTSUPP || r == -EINVAL || r == -ENOTTY;
}

static int change(struct nic *nic, int filter, unsigned int needs)
{
	struct hwtstamp_config config = nic->before;
	int r;

	config.rx_filter = filter;
	if (config.tx_type == HWTSTAMP_TX_OFF)
		config.tx_type = HWTSTAMP_TX_ON;
	r = nic->io.set(nic->io.data, nic->real, &config);
	if (r < 0)
		return refuse(nic, r, "%s cannot be told to stamp: %s", nic->real, strerror(-r));
	nic->changed = nic->told;
	nic->set = config;
	/* Drivers may take a wider one, and say so; some take a narrower one. */
	if ((served_by(config.rx_filter) & needs) != needs || config.tx_type == HWTSTAMP_TX_OFF) {
		nic_close(nic);
		return refuse(nic, -EOPNOTSUPP, "%s does not stamp as it was told", nic->real);
	}
	return 0;
}

int nic_open(struct nic *nic, const struct nic_io *io, const char *name, unsigned int needs)
{
	struct hwtstamp_config now = {0};
	unsigned int used;
	int filter = -1, r;

	memset(nic, 0, sizeof(*nic));
	nic->io = *io;
	snprintf(nic->name, sizeof(nic->name), "%s", name);
	real_find(io, name, nic->real);
	r = check(nic, needs);
	if (r < 0)
		return r;
	nic->index = io->index(io->data, nic->real);
	r = io->get(io->data, nic->real, &now);
	if (r < 0 && !is_silence(r))
		return refuse(nic, r, "%s does not tell its setting: %s", nic->real, strerror(-r));
	nic->told = r == 0;
	if (nic->told && (served_by(now.rx_filter) & needs) == needs &&
	    now.tx_type != HWTSTAMP_TX_OFF)
		return 0;
	if (!nic->told) {
		/* Nobody knows whom another one hurts: that for all packets hurts none. */
		now = (struct hwtstamp_config){0};
		filter = filter_for(nic->has.rx_filters, needs | NEEDS_ALL);
	}
	used = nic->told ? used_by(now.rx_filter) : 0;
	if (filter < 0)
		filter = filter_for(nic->has.rx_filters, needs | used);
	if (filter < 0)
		return refuse(nic, -EBUSY,
			      "somebody else has %s stamp other packets, and it "
			      "cannot stamp both",
			      nic->real);
	nic->before = now;
	return change(nic, filter, needs | used);
}

void nic_inherit(struct nic *heir, struct nic *nic)
{
	if (!nic->changed)
		return;
	nic->changed = false;
	if (!heir->changed) {
		heir->before = nic->before;
		heir->set = nic->set;
		heir->changed = true;
	} else if (is_same(&heir->before, &nic->set)) {
		heir->before = nic->before;
	} else if (is_same(&nic->before, &heir->set)) {
		heir->set = nic->set;
	}
	/* Else somebody else has changed it between the two: what he made is what counts. */
}

int nic_again(struct nic *nic, unsigned int needs)
{
	struct nic again;
	int r;

	if (nic_moved(nic))
		return -ESTALE;
	/* Again and again would do no good. */
	if (!nic->told && (served_by(nic->set.rx_filter) & needs) == needs)
		return 0;
	r = nic_open(&again, &nic->io, nic->name, needs);

	if (r < 0) {
		memcpy(nic->why, again.why, sizeof(nic->why));
		return r;
	}
	if (again.index != nic->index || again.has.phc != nic->has.phc) {
		nic_close(&again);
		return -ESTALE;
	}
	nic_inherit(&again, nic);
	*nic = again;
	return 0;
}

void nic_close(struct nic *nic)
{
	struct hwtstamp_config now;

	if (!nic->changed)
		return;
	nic->changed = false;
	if (nic->io.index(nic->io.data, nic->real) != nic->index ||
	    nic->io.get(nic->io.data, nic->real, &now) < 0 || !is_same(&now, &nic->set))
		return;
	(void)nic->io.set(nic->io.data, nic->real, &nic->before);
}

bool nic_moved(const struct nic *nic)
{
	char real[IF_NAMESIZE];

	if (nic->io.index(nic->io.data, nic->real) != nic->index)
		return true;
	/* What lies on no other device never does. */
	if (strcmp(nic->name, nic->real) == 0)
		return false;
	real_find(&nic->io, nic->name, real);
	return strcmp(real, nic->real) != 0;
}
