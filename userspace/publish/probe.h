/* SPDX-License-Identifier: MIT */
/*
 * The writer's probe, for tracers: once a line is out it fires
 *
 *	chronotick:published(page, window_ns, interval_ns, period_ns, sequence, update_ns, status)
 *
 * page: enum publish_probe_page. window_ns: counter sample to both lines complete. interval_ns: since
 * the publication before in that page, 0 for the first; period_ns: what it is meant to be. sequence:
 * the line's, even. update_ns: how far the estimate is from what the line before it told for this
 * instant, absolute; 0 where none told a time. Nothing where <sys/sdt.h> was not there.
 */
#ifndef PUBLISH_PROBE_H
#define PUBLISH_PROBE_H

#include <stdint.h>

#include "chronotick_page.h"
#include "publish/backend.h"

enum publish_probe_page {
	PUBLISH_PROBE_SHM = 0,
	PUBLISH_PROBE_MODULE = 1,
};

struct publish_probe {
	uint64_t last; /* counter value after the latest publication; 0: none */
};

/* `previous`: the line that stood before. To be called when the backend has published. */
void publish_probe_fire(struct publish_probe *probe, const struct backend *backend,
			const struct counter *counter, const struct chronotick_clock *previous,
			const struct correction *correction);

#endif /* PUBLISH_PROBE_H */
