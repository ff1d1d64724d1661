/* SPDX-License-Identifier: MIT */
/*
 * A PTP hardware clock as the reference: one that the host of a virtual machine keeps (ptp_kvm), that
 * ptp4l disciplines, or that is part of a GNSS card. What it is believed to is said by whoever
 * configures it, as such a clock says nothing of itself.
 */
#ifndef SOURCES_PHC_SOURCE_H
#define SOURCES_PHC_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sources/source.h"

#define PHC_SOURCE_POLL_MIN (-3)
#define PHC_SOURCE_POLL_MAX 10

struct phc_source_config {
	const char *path;     /* /dev/ptpN */
	uint32_t accuracy_ns; /* how wrong it may be */
	bool is_tai;          /* its timescale; else UTC */
	int16_t utc_offset_s; /* TAI - UTC if the leap seconds file does not know it; 0: neither do we */
	int8_t poll;          /* log2 s, PHC_SOURCE_POLL_MIN to PHC_SOURCE_POLL_MAX */
};

struct phc_source;

/*
 * The device need not be there yet: it is tried at each poll. Events beside samples: UNREACHABLE when it
 * cannot be read, UNSYNCHRONIZED while its time can't be UTC. Returns 0, -EINVAL or -ENOMEM.
 */
int phc_source_new(struct phc_source **ret, const struct source_context *context,
		   unsigned int index, const struct phc_source_config *config);
void phc_source_free(struct phc_source *source); /* NULL is allowed */

/* Offline the device is closed. */
void phc_source_online(struct phc_source *source, bool online);

/* Is it the source that this configuration asks for, so that it can go on? */
bool phc_source_is_configured(const struct phc_source *source,
			      const struct phc_source_config *config);

/* As ptp_describe() */
void phc_source_describe(const struct phc_source *source, struct chronotick_source *ret);

/* How it is read, or why it is of no use: one line */
void phc_source_note(const struct phc_source *source, char *ret, size_t size);

/*
 * UTC of a time of such a clock. leaps may be NULL. Returns 0; -ENODATA: TAI - UTC is not known;
 * -ERANGE: no time of these decades, as of a clock that nobody has set. Pure.
 */
int phc_source_utc(const struct phc_source_config *config, const struct leap_table *leaps,
		   int64_t phc_ns, int64_t *utc_ns);

#endif /* SOURCES_PHC_SOURCE_H */
