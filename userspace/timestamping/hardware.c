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
	struct phc_device device;
	struct phc phc;
	struct phc_track track;
};

struct hardware_table {
	const struct counter *counter;
	int fd;
	struct hardware *first;
};

int hardware_table_new(struct hardware_table **ret, const struct counter *counter)
{
	struct hardware_table *table = calloc(1, sizeof(*table));
	int r;

	if (!table)
		return -ENOMEM;
	table->counter = counter;
	table->fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (table->fd < 0 || fcntl(table->fd, F_SETFD, FD_CLOEXEC) < 0) {
		r = -errno;
		if (table->fd >= 0)
			close(table->fd);
		free(table);
		return r;
	}
	*ret = table;
	return 0;
}

void hardware_table_free(struct hardware_table *table)
{
	if (!table)
		return;
	close(table->fd);
	free(table);
}

void hardware_table_restart(struct hardware_table *table)
{
	struct hardware *hardware;

	for (hardware = table ? table->first : NULL; hardware; hardware = hardware->next)
		phc_track_init(&hardware->track, table->counter);
}

static void device_close(struct hardware *hardware)
{
	if (hardware->device.fd >= 0)
		close(hardware->device.fd);
	hardware->device.fd = -1;
	nic_close(&hardware->nic);
}

/* Set up the interface as it is now, and open its clock. */
static int device_open(struct hardware *hardware, const char *name)
{
	const struct nic_io io = nic_system_io(&hardware->table->fd);
	struct phc_io phc_io;
	char path[32];
	int r;

	hardware->device = (struct phc_device){-1, hardware->table->counter};
	phc_track_init(&hardware->track, hardware->table->counter);
	r = nic_open(&hardware->nic, &io, name, hardware->needs);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/dev/ptp%d", hardware->nic.has.phc);
	hardware->device.fd = phc_device_open(path);
	if (hardware->device.fd < 0) {
		r = hardware->device.fd;
		snprintf(hardware->nic.why, sizeof(hardware->nic.why), "%s, its clock: %s", path,
			 strerror(-r));
		nic_close(&hardware->nic);
		return r;
	}
	phc_io = phc_device_io(&hardware->device);
	phc_init(&hardware->phc, &phc_io, hardware->table->counter);
	(void)hardware_read(hardware);
	return 0;
}

/* More is needed of an interface that is in use: what was set at first is what is put back. */
static int widen(struct hardware *hardware, unsigned int needs, char *why)
{
	const struct nic_io io = nic_system_io(&hardware->table->fd);
	struct nic wider;
	int r;

	if ((hardware->needs & needs) == needs)
		return 0;
	r = nic_open(&wider, &io, hardware->nic.name, hardware->needs | needs);
	if (r < 0) {
		snprintf(why, NIC_TEXT_SIZE, "%s", wider.why);
		return r;
	}
	if (hardware->nic.changed) {
		wider.before = hardware->nic.before;
		if (!wider.changed)
			wider.set = hardware->nic.set;
		wider.changed = true;
	}
	hardware->nic = wider;
	hardware->needs |= needs;
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
		r = widen(hardware, needs, why);
		if (r < 0)
			return r;
		hardware->users++;
		*ret = hardware;
		return 0;
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
	char name[IF_NAMESIZE];
	int r;

	if (hardware->device.fd < 0 || nic_moved(&hardware->nic)) {
		memcpy(name, hardware->nic.name, sizeof(name));
		device_close(hardware);
		r = device_open(hardware, name);
		return r < 0 ? r : -ESTALE;
	}
	r = phc_read(&hardware->phc, &reading);
	if (r < 0)
		return r;
	phc_track_add(&hardware->track, &reading);
	return 0;
}

int hardware_counter(const struct hardware *hardware, int64_t stamp_ns, uint64_t sent,
		     uint64_t *counter, int64_t *error_ns)
{
	return phc_track_stamp(&hardware->track, stamp_ns, sent, counter, error_ns);
}

void hardware_describe(const struct hardware *hardware, char *ret, size_t size)
{
	if (hardware->device.fd < 0)
		snprintf(ret, size, "none: %s", hardware->nic.why);
	else
		snprintf(ret, size, "%s, /dev/ptp%d, %s", hardware->nic.real, hardware->nic.has.phc,
			 phc_method_name(hardware->phc.method));
}
