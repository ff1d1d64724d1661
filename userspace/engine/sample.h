/* SPDX-License-Identifier: MIT */
/*
 * A sample: what one exchange with one source says about UTC at one counter value. All input and
 * output of the sources ends here; the engine knows nothing else of them.
 */
#ifndef ENGINE_SAMPLE_H
#define ENGINE_SAMPLE_H

#include <stdint.h>

/*
 * The local raw time that offsets are taken against: the counter, scaled by its nominal rate.
 * raw(counter) = (counter - base) * mult, in ns. `mult` in 2^-54 ns per count.
 */
struct timescale {
	uint64_t base;
	uint64_t mult;
};

/*
 * Raw time of a counter value, in 2^-64 ns; counter values before the base are negative. The
 * counter must be one for which timescale_covers() is true.
 */
static inline __int128 timescale_fixed(const struct timescale *scale, uint64_t counter)
{
	int64_t counts = (int64_t)(counter - scale->base);

	return (__int128)counts * (__int128)scale->mult * 1024;
}

/* Is the counter value within 2^60 ns (36 years) of the base? */
static inline int timescale_covers(const struct timescale *scale, uint64_t counter)
{
	__int128 raw = (__int128)(int64_t)(counter - scale->base) * (__int128)scale->mult;
	__int128 limit = (__int128)1 << (60 + 54);

	return raw > -limit && raw < limit;
}

/* Raw time of a counter value in ns, rounded down. */
static inline int64_t timescale_ns(const struct timescale *scale, uint64_t counter)
{
	return (int64_t)(timescale_fixed(scale, counter) >> 64);
}

struct sample {
	uint64_t counter;      /* the instant that offset_ns is for */
	uint64_t arrived;      /* counter value at which the last packet of it came; 0: not known.
				* For tracers alone: nothing is computed with it */
	int64_t offset_ns;     /* UTC minus raw time (struct timescale) at that instant */
	int64_t delay_ns;      /* round trip to the source, its own processing taken out; >= 0 */
	int64_t dispersion_ns; /* what the exchange may err beyond delay / 2: precision, stamps,
				* cross-timestamps; >= 0 */
	int64_t stamps_ns;     /* of dispersion_ns, what stamps and cross-timestamps have in it */
	int64_t root_delay_ns; /* from the source to its reference, as it says; >= 0 */
	int64_t root_dispersion_ns; /* >= 0 */
	uint16_t source;            /* index of the source in the engine */
	uint8_t tx_stamp;           /* enum chronotick_stamp: where the sent packet was stamped */
	uint8_t rx_stamp;
	uint8_t leap;    /* RFC 5905 leap indicator, 0 to 3; 3: the source is not synchronised */
	uint8_t stratum; /* RFC 5905: 1 to 15 */
	uint8_t kind;    /* enum chronotick_source_kind, a reference's; 0: NTP */
};

#endif /* ENGINE_SAMPLE_H */
