/* SPDX-License-Identifier: MIT */
#include "sources/ntp_times.h"

#include <errno.h>

#include "chronotick_page.h"
#include "sources/ntp_exchange.h"

/* Where the request left: the kernel's stamp if it came and can be right, else just before. */
static void instant_sent(const struct ntp_times *times, const struct counter *counter,
			 struct ntp_instant *ret)
{
	uint64_t early;

	if (times->has_tx && times->tx_ns <= times->rx.system_ns &&
	    cross_counter_at(&times->before, &times->after, counter, times->tx_ns, &ret->counter,
			     &ret->error_ns) == 0) {
		early = counter_from_ns(counter, (uint64_t)ret->error_ns);
		if ((int64_t)(ret->counter - times->before.counter + early) >= 0) {
			ret->quality = CHRONOTICK_STAMP_KERNEL;
			return;
		}
	}
	ret->counter = times->before.counter;
	ret->error_ns = times->before.error_ns;
	ret->quality = CHRONOTICK_STAMP_USER;
}

/* Within the exchange, as far as its own clocks tell, and in order */
static bool instants_hardware(const struct ntp_times *times, const struct counter *counter,
			      struct ntp_instant *sent, struct ntp_instant *received)
{
	const struct ntp_hardware_stamp *tx = &times->hardware_tx, *rx = &times->hardware_rx;
	uint64_t early, late;

	if (!tx->has || !rx->has || (int64_t)(rx->counter - tx->counter) < 0)
		return false;
	early = counter_from_ns(counter, (uint64_t)(tx->error_ns + times->before.error_ns));
	late = counter_from_ns(counter, (uint64_t)(rx->error_ns + times->after.error_ns));
	if ((int64_t)(tx->counter + early - times->before.counter) < 0 ||
	    (int64_t)(times->after.counter + late - rx->counter) < 0)
		return false;
	*sent = (struct ntp_instant){tx->counter, tx->error_ns, CHRONOTICK_STAMP_HARDWARE};
	*received = (struct ntp_instant){rx->counter, rx->error_ns, CHRONOTICK_STAMP_HARDWARE};
	return true;
}

int ntp_times_sample(struct sample *ret, const struct ntp_times *times,
		     const struct counter *counter, const struct timescale *scale,
		     const struct ntp_packet *answer)
{
	struct ntp_instant sent, received;
	uint64_t late;
	int r;

	if (instants_hardware(times, counter, &sent, &received))
		return ntp_exchange_sample(ret, scale, answer, &sent, &received);
	r = cross_counter_at(&times->before, &times->after, counter, times->rx.system_ns,
			     &received.counter, &received.error_ns);
	if (r < 0)
		return r;
	/* It can't have come after it was read. */
	late = counter_from_ns(counter, (uint64_t)received.error_ns);
	if ((int64_t)(times->after.counter + late - received.counter) < 0)
		return -ERANGE;
	received.quality = times->rx.quality;
	instant_sent(times, counter, &sent);
	return ntp_exchange_sample(ret, scale, answer, &sent, &received);
}

uint64_t ntp_times_arrival(const struct ntp_times *times, const struct counter *counter)
{
	int64_t since_ns = times->after.system_ns - times->rx.system_ns;

	if (times->rx.quality != CHRONOTICK_STAMP_KERNEL || since_ns < 0 || since_ns > 1000000000)
		return 0;
	return times->after.counter - counter_from_ns(counter, (uint64_t)since_ns);
}
