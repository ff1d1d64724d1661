/* SPDX-License-Identifier: MIT */
#include "timestamping/hardware.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct hardware {
	struct hardware *next;
	struct hardware_table *table;
	unsigned int users;
	unsigned int needs;
	struct nic nic;
	bool has_clock; /* it is open */
	struct phc phc;
	struct phc_track track;
	uint64_t looked; /* at its setting: a counter value */
};

struct hardware_table {
	const struct counter *counter;
	struct hardware_io io;
	int fd; /* for ioctl(2) on interfaces; -1: they are a test's */
	struct hardware *first;
};

static int system_clock_open(void *data, int phc, struct phc_io *ret)
{
	const struct hardware_table *table = data;
	struct phc_device *device = malloc(sizeof(*device));
	char path[32];
	int r;

	if (!device)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/dev/ptp%d", phc);
	*device = (struct phc_device){phc_device_open(path), table->counter};
	if (device->fd < 0) {
		r = device->fd;
		free(device);
		return r;
	}
	*ret = phc_device_io(device);
	return 0;
}

static void system_clock_close(void *data, struct phc_io *io)
{
	struct phc_device *device = io->data;

	(void)data;
	close(device->fd);
	free(device);
}

static int system_open(struct hardware_table *table)
{
	table->fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (table->fd < 0)
		return -errno;
	if (fcntl(table->fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	table->io = (struct hardware_io){nic_system_io(&table->fd), table, system_clock_open,
					 system_clock_close};
	return 0;
}

int hardware_table_new(struct hardware_table **ret, const struct counter *counter,
		       const struct hardware_io *io)
{
	struct hardware_table *table = calloc(1, sizeof(*table));
	int r = 0;

	if (!table)
		return -ENOMEM;
	table->counter = counter;
	table->fd = -1;
	if (io)
		table->io = *io;
	else
		r = system_open(table);
	if (r < 0) {
		hardware_table_free(table);
		return r;
	}
	*ret = table;
	return 0;
}

void hardware_table_free(struct hardware_table *table)
{
	if (!table)
		return;
	if (table->fd >= 0)
		close(table->fd);
	free(table);
}

void hardware_table_restart(struct hardware_table *table)
{
	struct hardware *hardware;

	for (hardware = table ? table->first : NULL; hardware; hardware = hardware->next)
		phc_track_init(&hardware->track, table->counter);
}

/* Another name, as of a VLAN, for the device that it stamps by; NULL: there is none. */
static struct hardware *twin_of(const struct hardware *hardware)
{
	struct hardware *other;

	for (other = hardware->table->first; other; other = other->next)
		if (other != hardware && other->has_clock &&
		    other->nic.index == hardware->nic.index &&
		    strcmp(other->nic.real, hardware->nic.real) == 0)
			return other;
	return NULL;
}

static void device_close(struct hardware *hardware)
{
	struct hardware_io *io = &hardware->table->io;
	struct hardware *twin = twin_of(hardware);

	if (hardware->has_clock)
		io->clock_close(io->data, &hardware->phc.io);
	hardware->has_clock = false;
	if (twin)
		nic_inherit(&twin->nic, &hardware->nic);
	nic_close(&hardware->nic);
}

/* Set up the interface as it is now, and open its clock. */
static int device_open(struct hardware *hardware, const char *name)
{
	struct hardware_io *io = &hardware->table->io;
	struct phc_io clock;
	int r;

	phc_track_init(&hardware->track, hardware->table->counter);
	r = nic_open(&hardware->nic, &io->nic, name, hardware->needs);
	if (r < 0)
		return r;
	r = io->clock_open(io->data, hardware->nic.has.phc, &clock);
	if (r < 0) {
		snprintf(hardware->nic.why, sizeof(hardware->nic.why), "/dev/ptp%d, its clock: %s",
			 hardware->nic.has.phc, strerror(-r));
		device_close(hardware);
		return r;
	}
	hardware->has_clock = true;
	phc_init(&hardware->phc, &clock, hardware->table->counter);
	(void)hardware_read(hardware);
	return 0;
}

/* As it is now, which may be another device than it was */
static int device_renew(struct hardware *hardware)
{
	char name[IF_NAMESIZE];

	memcpy(name, hardware->nic.name, sizeof(name));
	device_close(hardware);
	return device_open(hardware, name);
}

/* One more user of an interface that is in use */
static int join(struct hardware *hardware, unsigned int needs, char *why)
{
	unsigned int before = hardware->needs;
	int r = 0;

	hardware->needs |= needs;
	if (!hardware->has_clock || nic_moved(&hardware->nic))
		r = device_renew(hardware);
	else if (hardware->needs != before)
		r = nic_again(&hardware->nic, hardware->needs);
	if (r == -ESTALE) /* just now */
		r = device_renew(hardware);
	if (r < 0) {
		snprintf(why, NIC_TEXT_SIZE, "%s", hardware->nic.why);
		hardware->needs = before;
		return r;
	}
	hardware->users++;
	return 0;
}

int hardware_get(struct hardware **ret, struct hardware_table *table, const char *name,
		 unsigned int needs, char *why)
{
	struct hardware *hardware;
	int r;

	for (hardware = table->first; hardware; hardware = hardware->next) {
		if (strcmp(hardware->nic.name, name) != 0)
			continue;
		r = join(hardware, needs, why);
		if (r == 0)
			*ret = hardware;
		return r;
	}
	hardware = calloc(1, sizeof(*hardware));
	if (!hardware)
		return -ENOMEM;
	hardware->table = table;
	hardware->needs = needs;
	hardware->users = 1;
	r = device_open(hardware, name);
	if (r < 0) {
		snprintf(why, NIC_TEXT_SIZE, "%s", hardware->nic.why);
		free(hardware);
		return r;
	}
	hardware->next = table->first;
	table->first = hardware;
	*ret = hardware;
	return 0;
}

void hardware_put(struct hardware *hardware)
{
	struct hardware **at;

	if (!hardware || --hardware->users)
		return;
	device_close(hardware);
	for (at = &hardware->table->first; *at != hardware; at = &(*at)->next)
		;
	*at = hardware->next;
	free(hardware);
}

int hardware_read(struct hardware *hardware)
{
	struct phc_reading reading;
	int r;

	if (!hardware->has_clock || nic_moved(&hardware->nic)) {
		r = device_renew(hardware);
		return r < 0 ? r : -ESTALE;
	}
	r = phc_read(&hardware->phc, &reading);
	/* The next reading finds out what there is in its place. */
	if (r == -ENODEV || r == -EBADF || r == -ENOTSUP)
		device_close(hardware);
	if (r < 0)
		return r;
	phc_track_add(&hardware->track, &reading);
	return 0;
}

void hardware_unstamped(struct hardware *hardware)
{
	const struct counter *counter = hardware->table->counter;
	uint64_t now = counter_read(counter);

	if (!hardware->has_clock || now - hardware->looked < counter->hz)
		return;
	hardware->looked = now;
	(void)nic_again(&hardware->nic, hardware->needs);
}

int hardware_counter(const struct hardware *hardware, int64_t stamp_ns, uint64_t sent,
		     uint64_t *counter, int64_t *error_ns)
{
	return phc_track_stamp(&hardware->track, stamp_ns, sent, counter, error_ns);
}

void hardware_describe(const struct hardware *hardware, char *ret, size_t size)
{
	if (!hardware->has_clock)
		snprintf(ret, size, "none: %s", hardware->nic.why);
	else
		snprintf(ret, size, "%s, /dev/ptp%d, %s", hardware->nic.real, hardware->nic.has.phc,
			 phc_method_name(hardware->phc.method));
}
