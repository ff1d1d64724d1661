/* SPDX-License-Identifier: MIT */
/*
 * The minimum-delay filter and line fit over one source's samples.
 *
 * A sample says: at its raw time, UTC minus raw time lies within offset +- error, where error is
 * delay / 2 + dispersion + root delay / 2 + root dispersion. Three things follow, each kept apart:
 * an interval now (from the one sample that is best now), an interval of the rate (from every pair
 * of samples), and a best estimate (the line fit), which promises nothing.
 */
#ifndef ENGINE_FILTER_H
#define ENGINE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/asymmetry.h"
#include "engine/bound.h"
#include "engine/fit.h"
#include "engine/outlier.h"
#include "engine/sample.h"

#define FILTER_SAMPLES FIT_POINTS_MAX

/* What a line takes for known of an oscillator that was not measured: 10 ppm, one standard deviation */
#define FILTER_RATE_SD_NS_S 10000.0

/*
 * So many samples in a row must be set aside to be taken after all. If one of them contradicts the
 * ones before them, these are dropped; else all must lie on the same side of the line.
 */
#define FILTER_CONFIRM 4

/* What became of a sample */
enum filter_verdict {
	FILTER_TAKEN,
	FILTER_CONTRADICTION, /* set aside: it cannot be right if those before it are */
	FILTER_MAD,           /* set aside: an outlier, see outlier.h */
	FILTER_Z,
	FILTER_CONFIRMED, /* it was to be set aside, but so were those before it: all are taken */
	FILTER_VERDICTS,
};

/* What was known of the rate before the first sample, from an earlier run */
struct filter_prior {
	int64_t raw_ns;            /* the instant it is for, before all samples */
	struct rate_interval rate; /* where the rate lay then */
	double rate_ns_s;          /* best estimate; sd_ns_s 0: nothing was known */
	double sd_ns_s;            /* one standard deviation */
	double noise_ns;           /* of a good sample, one standard deviation */
};

/* The oscillator's limits, see bound.h, and what is known of it */
struct filter_limits {
	int64_t max_drift; /* 2^-50 */
	struct wander wander;
	int64_t wander_least; /* wander.steady, if nothing had been learnt */
	struct filter_prior prior;
};

struct filter_entry {
	struct sample sample;
	int64_t raw_ns;
	int64_t error_ns;
	/*
	 * Greatest lower and least upper limit of the mean rates from here to each later sample. As
	 * the rate wanders, lo may pass hi; widened by the wander, it is an interval again.
	 */
	struct rate_interval rate;
	struct rate_interval
		newer; /* what its rate and those of all newer entries have in common */
};

/*
 * Samples that have left the ring: the best one of every FILTER_ANCHOR_NS, for BOUND_WANDER_WINDOW_NS.
 * At short polls the ring is over in a minute, and the rate between samples that are so near to each
 * other is known badly.
 */
#define FILTER_ANCHORS 16
#define FILTER_ANCHOR_NS (BOUND_WANDER_WINDOW_NS / FILTER_ANCHORS)

/* A ring of a source's latest samples. All zero: empty. */
struct filter {
	struct filter_entry entries[FILTER_SAMPLES];
	unsigned int count; /* filled, at most FILTER_SAMPLES */
	unsigned int next;  /* where the next one goes */
	/*
	 * Ages of those that may have the least root distance, from the newest on: each errs by less
	 * than all newer ones.
	 */
	uint8_t candidates[FILTER_SAMPLES];
	unsigned int candidate_count;
	struct filter_entry anchors[FILTER_ANCHORS]; /* a ring too */
	unsigned int anchor_count;
	unsigned int anchor_next;
	int64_t anchor_ns; /* raw time at which the newest anchor's turn began */
	struct filter_entry pending[FILTER_CONFIRM]; /* set aside since one was taken */
	unsigned int pending_count;
	unsigned int contradicting; /* of them, those that contradict the ring */
	unsigned int above;         /* of them, those above the line */
	struct outlier_tests outliers;
	struct fit fit;                 /* about the newest entry */
	int64_t delays[FILTER_SAMPLES]; /* of the ring's samples, the least first */
	double waited_ns;               /* what that exchange is expected to have waited itself */
	struct asymmetry asymmetry;
	double jitter_ns; /* of the samples, beside the line, rms */
	double uneven_ns; /* what the line is off at most if they all waited on one way */
	double noise_ns;  /* what a good exchange takes longer on one of its ways than the best */
	bool disproved;   /* the samples contradict the prior: it counts no more */
};

/* A source's statement about UTC minus raw time at one raw time */
struct filter_interval {
	struct offset_interval offset;
	int64_t distance_ns; /* half-width */
	const struct filter_entry *best;
};

/*
 * Take a sample, its fields in range and its raw time after that of the one before it. One that
 * contradicts the ring, or is an outlier, is set aside, and forgotten when the next one is taken.
 * After FILTER_CONFIRM of them in a row they are no outliers: the source, or the clock, has
 * stepped, or the noise is another. If one of them contradicts the ring it is dropped and they take
 * its place, else they are added to it. A sample that contradicts the prior and not the ring
 * disproves the prior.
 */
enum filter_verdict filter_add(struct filter *filter, const struct sample *sample, int64_t raw_ns,
			       const struct filter_limits *limits);

/* UTC jumps: all samples' offsets shift by shift_ns; no sample changes its place to another. */
void filter_shift(struct filter *filter, int64_t shift_ns);

/*
 * How far the newest sample that is set aside is from where the ring has it, ns; 0: it is within,
 * and only no rate of the oscillator explains it, or none is set aside.
 */
int64_t filter_pending_apart(const struct filter *filter, const struct filter_limits *limits);

/* How far the sample's offset may be off at most, ns */
int64_t filter_error(const struct sample *sample);

/* The age-th newest entry; 0 is the newest. There must be more than age of them. */
const struct filter_entry *filter_entry_at(const struct filter *filter, unsigned int age);

/*
 * By how much the offset of an entry is too large, as far as can be told from what its exchange
 * waited; ns. Estimates are of offsets that are corrected by it; the intervals are not.
 */
double filter_sample_excess(const struct filter *filter, const struct filter_entry *entry);

/*
 * Expected standard deviation of the corrected offset of one of its samples, ns. What its exchange
 * waited in queues lies on its two ways in any proportion, so its offset errs by up to half of that, evenly
 * distributed. What it waited is what it took longer than the quickest one, and what that one
 * waited: of a few exchanges even the quickest was far from undisturbed. Of a single one it is known
 * that it is within its error, and nothing else.
 */
double filter_sample_sd(const struct filter *filter, const struct filter_entry *entry);

/* The newest and the oldest entry of the ring; NULL if it is empty. */
const struct filter_entry *filter_newest(const struct filter *filter);
const struct filter_entry *filter_oldest(const struct filter *filter);

/*
 * What the prior says of the rate at raw time now_ns: its standard deviation grows with the square
 * root of the time, by a tenth of the least wander within BOUND_WANDER_WINDOW_NS, up to that of an
 * oscillator of which nothing is known.
 */
struct fit_prior filter_prior_at(const struct filter *filter, int64_t now_ns,
				 const struct filter_limits *limits);

/* Standard deviation of a rate, ns/s, age_ns after it was sd_ns_s */
double rate_sd_aged(double sd_ns_s, int64_t wander, int64_t age_ns);

/*
 * Where the rate lies at raw time now_ns and for BOUND_WANDER_WINDOW_NS after it, by the pairs of
 * samples, the prior and within +-max_drift.
 */
struct rate_interval filter_rate(const struct filter *filter, int64_t now_ns,
				 const struct filter_limits *limits);

/*
 * Where UTC minus raw time lies at now_ns, by the sample with the least root distance then. The
 * filter must not be empty.
 */
struct filter_interval filter_interval(const struct filter *filter, int64_t now_ns,
				       const struct filter_limits *limits);

/* The line's estimate at now_ns as a difference from `reference`, ns, and its standard deviation.
 */
double filter_estimate(const struct filter *filter, int64_t now_ns, int64_t reference);
double filter_sd(const struct filter *filter, int64_t now_ns);

#endif /* ENGINE_FILTER_H */
