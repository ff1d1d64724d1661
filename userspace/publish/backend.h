/* SPDX-License-Identifier: MIT */
/*
 * One page that is published in, in one of two ways: into memory that is shared (shm.h), or by
 * calls of the kernel module (module.h). Each continues the line that stands in its own page.
 */
#ifndef PUBLISH_BACKEND_H
#define PUBLISH_BACKEND_H

#include <stdint.h>

#include "chronotick_page.h"
#include "engine/engine.h"
#include "publish/line.h"
#include "publish/publish.h"
#include "publish/segment_file.h"
#include "timestamping/counter.h"

struct backend;

/* All but `take`, `keep` and `close` are for an active one. */
struct backend_ops {
	/*
	 * Become the page's writer. 0; -EBUSY: another process is, of pid *owner (0 if that can't be
	 * told); or another negative errno. With a sentence for each error.
	 */
	int (*take)(struct backend *backend, const struct counter *counter, int32_t *owner,
		    const struct segment_why *why);
	/* Before what the next publication is made of is sampled; NULL: nothing to be done then */
	void (*sample)(struct backend *backend);
	/* As publisher_publish() and the others in publish.h */
	int (*publish)(struct backend *backend, const struct correction *correction,
		       const struct publish_facts *facts);
	void (*invalidate)(struct backend *backend);
	/* After invalidate. What can't be published in with that counter is out. */
	int (*counter_set)(struct backend *backend, const struct counter *counter,
			   const struct segment_why *why);
	void (*apart_set)(struct backend *backend, uint32_t apart);
	void (*statistics)(struct backend *backend, const struct chronotick_statistics *statistics,
			   const struct chronotick_source *sources, unsigned int count);
	void (*line)(const struct backend *backend, struct chronotick_clock *ret,
		     struct bound_terms *terms);
	const struct chronotick_page *(*page)(const struct backend *backend);
	int (*keep)(struct backend *backend, const struct segment_why *why);
	/* poll(2) tells POLLOUT when take is worth while; -1, or NULL: only trying tells. */
	int (*standby_fd)(const struct backend *backend);
	void (*close)(struct backend *backend);
};

struct backend {
	const struct backend_ops *ops;
	enum publish_role role;
	const char *path;          /* of the page */
	const struct tally *tally; /* what it has published */
};

/* How lines are built for that configuration and counter. */
void backend_line_config(struct line_config *ret, const struct publish_config *config,
			 const struct counter *counter);

/* How far a reader's counter value may lie beside its instant, in the unit of a bound */
uint32_t backend_step_ns(const struct counter *counter);

#endif /* PUBLISH_BACKEND_H */
