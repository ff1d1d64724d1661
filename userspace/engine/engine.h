/* SPDX-License-Identifier: MIT */
/*
 * The engine: samples in, corrections out. Pure functions over samples and counter values: no
 * system call, no clock, no global, no allocation after engine_init(). The daemon, the simulator
 * and the unit tests run this very code.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "chronotick_page.h"
#include "engine/filter.h"
#include "engine/sample.h"

#define ENGINE_SOURCES_MAX 64

struct engine_config {
	struct timescale scale;
	uint32_t max_drift_ppb; /* limit of the counter's nominal rate error against UTC */
	uint32_t wander_ppb;	/* how far the rate may move away from the one that was fitted */
	int64_t max_bound_ns;	/* a wider bound is no trusted time */
	uint32_t max_distance_ms; /* a source with a wider root distance is not selected */
};

/* The bound's terms at the correction's counter value; their sum is the half-width, ns. */
struct bound {
	int64_t total_ns;
	int64_t root_ns;	 /* root delay / 2 + root dispersion of the sources that set it */
	int64_t delay_ns;	 /* delay / 2 of the exchange */
	int64_t dispersion_ns;	 /* stamps and cross-timestamps of the exchange */
	int64_t ageing_ns;	 /* drift and wander since the exchange */
	int64_t disagreement_ns; /* of the estimate from the middle of the selected interval */
	uint64_t growth;	 /* of total_ns from here on, 2^-54 ns per count */
};

/*
 * ChronoTick's ClockCorrection on the counter's timescale, and beside it the bound. Uncertainties
 * are one standard deviation; the bound is a promise.
 */
struct correction {
	uint64_t counter;	    /* the instant it is for */
	__int128 utc;		    /* best estimate of UTC there, 2^-64 ns since 1970 */
	uint64_t mult;		    /* best estimate of the rate, 2^-54 ns of UTC per count */
	double offset_uncertainty_ns;
	double drift_uncertainty;   /* s/s */
	double confidence;	    /* 0 to 1 */
	struct bound bound;
	uint64_t last_sample;	    /* counter value of the newest sample that it rests on */
	uint32_t measurement_count; /* samples accepted so far */
	uint8_t status;		    /* enum chronotick_status, never WRITER_GONE or EXPIRED */
	uint8_t source;		    /* enum chronotick_source_kind */
	uint8_t leap;		    /* CHRONOTICK_LEAP_* >> CHRONOTICK_LEAP_SHIFT */
	int16_t tai_offset_s;	    /* or CHRONOTICK_TAI_UNKNOWN */
};

/* How the engine sees one source, for status displays */
struct source_view {
	uint8_t state; /* enum chronotick_source_state */
	const char *reason; /* static text: why it is, or is not, used */
	bool has_sample;
	int64_t offset_ns; /* of its estimate from the engine's own, at the last correction */
	struct sample last;
	int64_t root_distance_ns; /* of its best sample, now */
	uint64_t samples;
};

struct engine {
	struct engine_config config;
	unsigned int source_count;
	struct filter filters[ENGINE_SOURCES_MAX];
	struct source_view views[ENGINE_SOURCES_MAX];
	struct correction last; /* the latest with a trusted time: what holdover runs on */
	bool has_last;
	uint32_t measurement_count;
};

/* Returns 0, or -EINVAL if the config is out of range. */
int engine_init(struct engine *engine, const struct engine_config *config,
		unsigned int source_count);

/*
 * Take a sample. Returns 0; -EINVAL if a field is out of its range or the source is unknown;
 * -ESTALE if it is not newer than the source's last one.
 */
int engine_sample_add(struct engine *engine, const struct sample *sample);

/* The source answers no more, or must not be used: forget its samples' claim to be selected. */
void engine_source_unreachable(struct engine *engine, unsigned int source, uint8_t state);

/* The rate or the counter jumped: forget all samples, keep the configuration. */
void engine_reset(struct engine *engine);

/*
 * The correction for a counter value at or after the newest sample. Its status is
 *	UNSYNCHRONIZED	no sample yet, or no majority of the sources agrees and nothing to hold over
 *	WARMING_UP	samples, but the bound is still wider than max_bound_ns
 *	SYNCHRONIZED	a majority agrees
 *	HOLDOVER	no majority, or no fresh sample: the last correction runs on, its bound grows
 * utc and bound are meaningful from SYNCHRONIZED on.
 */
void engine_correct(struct engine *engine, uint64_t counter, struct correction *ret);

#endif /* ENGINE_ENGINE_H */
