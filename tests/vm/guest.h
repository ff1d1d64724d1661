/* SPDX-License-Identifier: MIT */
/* What the programs that run in the virtual machine share: checks, and a writer of /dev/chronotick. */
#ifndef VM_GUEST_H
#define VM_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "chronotick_ioctl.h"
#include "timestamping/counter.h"

#define SECOND 1000000000LL

/* One line of TAP: is it as it should be, and which check is this? Returns `ok`. */
bool check(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for a call's result: >= 0 or a negative errno. Says both where they differ. */
bool check_result(int got, int wanted, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The exit status: 0 if all was well. */
int checks_end(void);

/* ioctl(2) with a negative errno. */
int command(int fd, unsigned long request, void *argument);

/* open(2) of the device with a negative errno. flags: O_CLOEXEC is added. */
int device_open(int flags);

/* Map its page for reading; ends the program where that can't be done. */
const struct chronotick_page *page_map(int fd);

/* A writer: a descriptor, the page and what it publishes */
struct writer_rig {
	int fd;
	const struct chronotick_page *page;
	struct counter counter;
};

/* A claim that is good. */
void claim_make(struct chronotick_claim *ret, const struct counter *counter);

/* Open the device, get the counter ready and claim: 0 or a negative errno, nothing being open then. */
int rig_open(struct writer_rig *rig);
void rig_close(struct writer_rig *rig);

/*
 * An update that is good now: a line to be trusted that goes on where the page's stands (or begins
 * at CLOCK_REALTIME), and a record.
 */
void update_make(const struct writer_rig *rig, struct chronotick_update *ret);

/* The standing line's UTC at a counter value, 2^-64 ns modulo 2^128. */
unsigned __int128 standing_utc(const struct chronotick_clock *line, uint64_t counter);

/* Make and publish one; another, where a busy machine came too late with it. */
int rig_publish(const struct writer_rig *rig);

/* Run that in a child, which has a table of descriptors of its own; its result, or -EIO. */
int in_child(int (*run)(void *data), void *data);

/* Become a user without capabilities, for good. */
void privileges_drop(void);

/* Write a text to a file, as into sysfs: 0 or a negative errno. */
int file_write(const char *path, const char *text);

/* The first line of a file, without its end; "" if there is none. */
const char *file_line(const char *path);

/* CLOCK_MONOTONIC, ns */
int64_t monotonic_ns(void);

void sleep_ms(unsigned int ms);

#endif /* VM_GUEST_H */
