/* SPDX-License-Identifier: MIT */
/* Notes of ELF files, of which this program is one. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "notes.h"

Test(trace_notes, own)
{
	/* That it has the slow path in it, which nobody here runs: */
	int (*volatile slow)(const struct chronotick *, enum chronotick_read_mode, uint64_t,
			     struct chronotick_interval *) = chronotick_read_slow;
	struct notes notes;

	cr_assert(slow);
	cr_assert_eq(notes_read(&notes, "/proc/self/exe"), 0);
#ifdef CHRONOTICK_PROBES
	cr_assert_eq(notes.probes >> NOTES_TORN & 1, 1);
#else
	cr_assert_eq(notes.probes, 0);
#endif
}

static int read_now(const struct chronotick *ct, struct chronotick_interval *ret)
{
	return chronotick_now(ct, ret);
}

/* Where this program has its inline read, which nobody runs either. */
Test(trace_notes, ranges)
{
	int (*volatile read)(const struct chronotick *, struct chronotick_interval *) = read_now;
	struct notes notes;
	unsigned int i;

	cr_assert(read);
	cr_assert_eq(notes_read(&notes, "/proc/self/exe"), 0);
	cr_assert_geq(notes.range_count, 1);
	for (i = 0; i < notes.range_count; i++) {
		cr_assert_lt(notes.ranges[i].begin, notes.ranges[i].end);
		cr_assert_lt(notes.ranges[i].end - notes.ranges[i].begin, 1024);
	}
}

Test(trace_notes, none_of_ours)
{
	struct notes notes;

	cr_assert_eq(notes_read(&notes, "/bin/true"), 0);
	cr_assert_eq(notes.probes, 0);
}

Test(trace_notes, refused)
{
	char path[] = "/tmp/chronotick-notes-XXXXXX";
	struct notes notes;
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(notes_read(&notes, path), -ENOEXEC, "an empty file");
	cr_assert_eq(write(fd, "\177ELF", 4), 4);
	cr_assert_eq(notes_read(&notes, path), -ENOEXEC, "nothing but the magic");
	unlink(path);
	close(fd);
	cr_assert_eq(notes_read(&notes, path), -ENOENT);
	cr_assert_eq(notes_read(&notes, "/proc"), -ENOEXEC, "a directory");
	cr_assert_eq(notes_read(&notes, "/dev/null"), -ENOEXEC, "a device");
}
