/* SPDX-License-Identifier: MIT */
/*
 * Publication: corrections become clock lines and records in a page. Nothing else writes a page.
 *
 *	line.h     a correction and the line before it -> the next line (pure)
 *	page.h     the stores into a mapped page, in their order
 *	segment.h  the shared-memory file: creation, take-over, the writer's lock
 */
#ifndef PUBLISH_PUBLISH_H
#define PUBLISH_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "chronotick_page.h"
#include "engine/engine.h"
#include "timestamping/counter.h"

struct publish_config {
	const char *shm_name;  /* file name under /dev/shm/ */
	uint32_t record_order; /* enum chronotick_record_order, of the record at offset 0 */
	uint32_t frequency_hz; /* 1 to 1000 */
	uint32_t writer_timeout_ms;
	int64_t max_bound_ns;
	uint32_t max_slew_ppb;     /* how far the published slope may leave the best rate */
	int64_t step_threshold_ns; /* a correction beyond it jumps, with a new generation; at most
				    * PUBLISH_STEP_THRESHOLD_MAX_NS */
};

/* However far a slew still has to go, a leap second is more than this: it always jumps. */
#define PUBLISH_STEP_THRESHOLD_MAX_NS 250000000LL

/* What the record tells beside the correction */
struct publish_facts {
	double daemon_uptime_s;
	double average_latency_ms; /* of one read, measured; 0: not yet */
	uint32_t warmup_percent;
	bool warmup_complete;
	bool models_ready;
};

struct publisher;

/*
 * Create the page or take over a dead writer's. `counter` must outlive the publisher.
 *
 * Returns 0; -EBUSY if another writer holds it: *owner is then its pid (0 if it can't be told);
 * or another negative errno, with a sentence in `why` (may be NULL) that names file and remedy.
 */
int publisher_open(struct publisher **ret, const struct publish_config *config,
		   const struct counter *counter, int32_t *owner, char *why, unsigned int why_size);

/*
 * Publish a correction. A status below SYNCHRONIZED leaves a line that may still be trusted alone
 * (a dead predecessor's promise holds) and publishes an untrusted line otherwise.
 * Returns 0, or -ETIMEDOUT if every build came too late for its join: the line before it stands.
 */
int publisher_publish(struct publisher *publisher, const struct correction *correction,
		      const struct publish_facts *facts);

/*
 * The counter jumped: no line that was published holds any more. Readers learn it from both lines
 * and the record at once, and the next trusted line is of a new generation.
 */
void publisher_invalidate(struct publisher *publisher);

/*
 * Go on with another counter (or with one whose steps or CPUs are farther apart than was known),
 * after invalidating what was published on the one before. For another kind a new page is linked
 * under the name; those who have the old one mapped find it expired, and can open the name again.
 *
 * Returns 0, or a negative errno with a sentence in `why`, as publisher_open(): nothing is published
 * then, and it may be tried again.
 */
int publisher_counter_set(struct publisher *publisher, const struct counter *counter, char *why,
			  unsigned int why_size);

/* The counter's values on two CPUs may differ by so many counts: in the bound from now on. */
void publisher_apart_set(struct publisher *publisher, uint32_t apart);

/*
 * Figures and sources as they are now; count <= CHRONOTICK_SOURCES_MAX. The publisher fills in the
 * publication figures itself.
 */
void publisher_statistics(struct publisher *publisher,
			  const struct chronotick_statistics *statistics,
			  const struct chronotick_source *sources, unsigned int count);

/* The line that stands, and what its bound is made of: all 0 if it is not this publisher's. */
void publisher_line(const struct publisher *publisher, struct chronotick_clock *ret,
		    struct bound_terms *terms);

/*
 * Once a second: see to it that clients find the page, see segment_keep() in segment.h. A page that
 * has lost all its names is signed off as at an orderly end, and a new one continues its line.
 *
 * Returns 0: all was well; 1: something was put right; PUBLISHER_RENEWED: there is a new page, to be
 * opened anew; -EBUSY: this publisher is superseded by another writer, and should end; or another
 * negative errno: something cannot be put right now. `why` has a sentence for all but 0.
 */
#define PUBLISHER_RENEWED 2
int publisher_keep(struct publisher *publisher, char *why, unsigned int why_size);

/* The page, for the daemon's own canary reads. */
const struct chronotick_page *publisher_page(const struct publisher *publisher);

/*
 * An orderly end: the record's flags and confidence are cleared, the status of the line becomes
 * WRITER_GONE, and it stays valid until its span is over. NULL is allowed.
 */
void publisher_close(struct publisher *publisher);

#endif /* PUBLISH_PUBLISH_H */
