/* SPDX-License-Identifier: MIT */
/*
 * Publication: corrections become clock lines and records in a page. Nothing else writes a page.
 *
 *	line.h     a correction and the line before it -> the next line (pure)
 *	backend.h  one page that is published in
 *	shm.h      ... in shared memory: its file (segment.h), and the stores (writer.h, page.h)
 *	module.h   ... the kernel module's
 *
 * There is one page or two: the module's, which clients look for first, and one in shared memory.
 * Each has a line of its own that goes on where it stood. They need not agree to the nanosecond,
 * only to their bounds.
 */
#ifndef PUBLISH_PUBLISH_H
#define PUBLISH_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "chronotick_page.h"
#include "engine/engine.h"
#include "timestamping/counter.h"

enum publish_backend {
	PUBLISH_SHM,    /* shared memory alone */
	PUBLISH_AUTO,   /* the module's page too, where it is there */
	PUBLISH_MODULE, /* the module's page, or none */
};

/* What a publisher is to one page. */
enum publish_role {
	PUBLISH_STANDBY, /* another process writes it, and this one waits for its end */
	PUBLISH_ACTIVE,
	PUBLISH_OUT, /* nobody can write it on this counter */
};

struct module_io;

struct publish_config {
	uint8_t backend;       /* enum publish_backend */
	bool standby;          /* wait for a page that another process writes */
	const char *shm_name;  /* file name under /dev/shm/; PUBLISH_NO_SHM: no such page */
	uint32_t record_order; /* enum chronotick_record_order, of the record at offset 0 */
	uint32_t frequency_hz; /* 1 to 1000 */
	uint32_t writer_timeout_ms;
	int64_t max_bound_ns;
	uint32_t max_slew_ppb;     /* how far the published slope may leave the best rate */
	int64_t step_threshold_ns; /* a correction beyond it jumps, with a new generation; at most
				    * PUBLISH_STEP_THRESHOLD_MAX_NS */
	const struct module_io *module; /* NULL: this machine's device */
};

#define PUBLISH_NO_SHM "none"

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
 * Create the pages or take over a dead writer's. With `standby` a page that another process writes
 * is waited for (publisher_keep()), and those behind it too: who stands by publishes nothing.
 *
 * Returns 0; then `why` (may be NULL) may have a sentence all the same: why PUBLISH_AUTO does without
 * the module. -EBUSY if another writer holds a page: *owner is then its pid (0 if it can't be
 * told); or another negative errno, with a sentence in `why` that names file and remedy.
 */
int publisher_open(struct publisher **ret, const struct publish_config *config,
		   const struct counter *counter, int32_t *owner, char *why, unsigned int why_size);

/*
 * Before all that the next publication is made of is sampled, the watch over the counter included:
 * what happens from here on to the clock or the counter makes the module refuse it.
 */
void publisher_sample(struct publisher *publisher);

/*
 * Publish a correction in every page that is this publisher's. A status below SYNCHRONIZED leaves a
 * line that may still be trusted alone (a dead predecessor's promise holds) and publishes an
 * untrusted line otherwise. A predecessor's line that says more than the correction is left alone
 * for the first half of its span.
 * Returns 0; -ETIMEDOUT if every build came too late for its join: the line before it stands; -EINVAL
 * if the module takes neither line nor record. What the module refuses because of an event is left
 * to the next round, when the watch over the counter has looked.
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

/*
 * The line that stands in the first page that is this publisher's (all 0: there is none), and what
 * its bound is made of: all 0 if the line is a predecessor's.
 */
void publisher_line(const struct publisher *publisher, struct chronotick_clock *ret,
		    struct bound_terms *terms);

/*
 * Once a second, and when publisher_standby_fd() says so: take what is waited for, if it is free;
 * and see to it that clients find the page, see segment_keep() in segment.h. A page that
 * has lost all its names is signed off as at an orderly end, and a new one continues its line.
 *
 * Returns 0: all was well; 1: something was put right; PUBLISHER_RENEWED: there is a new page, to be
 * opened anew; PUBLISHER_TAKEN: a page that was waited for is this publisher's;
 * -EBUSY: this publisher is superseded by another writer, and should end; or another
 * negative errno: something cannot be put right now. `why` has a sentence for all but 0.
 */
#define PUBLISHER_RENEWED 2
#define PUBLISHER_TAKEN 3
int publisher_keep(struct publisher *publisher, char *why, unsigned int why_size);

/* Is there a page that is waited for? */
bool publisher_waits(const struct publisher *publisher);

/*
 * A descriptor that poll(2) finds ready for POLLOUT once publisher_keep() should be called before
 * its time; -1: there is none now. It may be another one after each publisher_keep().
 */
int publisher_standby_fd(const struct publisher *publisher);

/* The path of the page that clients should open, whoever writes it. */
const char *publisher_path(const struct publisher *publisher);

/* That page, as far as it is this publisher's; else NULL. */
const struct chronotick_page *publisher_page(const struct publisher *publisher);

/* One page, for people */
struct publish_view {
	const char *path;
	bool is_module; /* the kernel's, not one in shared memory */
	enum publish_role role;
	uint64_t published, rebuilt;
};

/* All pages, the one that clients look for first in front. Returns how many. */
#define PUBLISH_PAGES 2
unsigned int publisher_describe(const struct publisher *publisher,
				struct publish_view ret[PUBLISH_PAGES]);

/*
 * An orderly end: the record's flags and confidence are cleared, the status of the line becomes
 * WRITER_GONE, and it stays valid until its span is over. NULL is allowed.
 */
void publisher_close(struct publisher *publisher);

#endif /* PUBLISH_PUBLISH_H */
