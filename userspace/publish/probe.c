/* SPDX-License-Identifier: MIT */
#include "publish/probe.h"

#include <stdbool.h>

#include "base/probe.h"
#include "publish/tally.h"

#define load(where) __atomic_load_n((where), __ATOMIC_RELAXED)

/* |estimate - line| at a counter value, ns; modulo 2^128, as a page's line may be anything */
static uint64_t update_ns(const struct chronotick_clock *previous,
			  const struct correction *correction, uint64_t counter)
{
	const unsigned int shift = 64 - CHRONOTICK_MULT_SHIFT;
	unsigned __int128 passed, apart;

	if (!line_is_set(previous))
		return 0;
	passed = (unsigned __int128)(__int128)(int64_t)(counter - correction->counter) << shift;
	apart = (unsigned __int128)correction->utc + passed * correction->mult -
		(unsigned __int128)line_utc(previous, counter);
	return (uint64_t)(((__int128)apart < 0 ? -apart : apart) >> 64);
}

void publish_probe_fire(struct publish_probe *probe, const struct backend *backend,
			const struct counter *counter, const struct chronotick_clock *previous,
			const struct correction *correction)
{
	const struct chronotick_page *page = backend->ops->page(backend);
	uint64_t now = counter_read(counter), last = probe->last, interval_ns, window_ns, update;
	uint32_t hz = load(&page->header.frequency_hz), sequence = load(&page->clock[0].seq);
	bool module = load(&page->header.kernel_state) & CHRONOTICK_KERNEL_SERVES;
	uint32_t which = module ? PUBLISH_PROBE_MODULE : PUBLISH_PROBE_SHM;
	uint64_t period_ns = hz ? 1000000000U / hz : 0;
	uint32_t status = CHRONOTICK_STATE_STATUS(load(&page->clock[0].state));

	probe->last = now;
	interval_ns = last ? (uint64_t)counter_to_ns(counter, now - last) : 0;
	window_ns = (uint64_t)counter_to_ns(counter, backend->tally->last_counts);
	update = update_ns(previous, correction, now);
	PROBE7(published, which, window_ns, interval_ns, period_ns, sequence, update, status);
}
