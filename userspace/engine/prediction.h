/* SPDX-License-Identifier: MIT */
/*
 * What the models are given and what they say. Times are raw time (struct timescale), ns; an offset
 * is UTC minus raw time. Offsets are large and their differences small, so they come in two parts:
 * reference_ns + offset_ns.
 */
#ifndef ENGINE_PREDICTION_H
#define ENGINE_PREDICTION_H

#include <math.h>
#include <stdint.h>

/* Who predicts. The feed is the external model; it takes the place of the built-in long-term one. */
enum model {
	MODEL_SHORT_TERM,
	MODEL_LONG_TERM,
	MODEL_FEED,
	MODEL_COUNT,
};

/* An offset that a source which is believed has given, less what it is apart from the others */
struct measurement {
	int64_t raw_ns;
	int64_t offset_ns;
	double sd_ns;    /* expected standard deviation, > 0 */
	uint16_t source; /* index in the engine */
};

/* UTC minus raw time about one instant: a straight line with its standard deviations */
struct estimate {
	int64_t at_ns;
	int64_t reference_ns;
	double offset_ns;     /* at at_ns, from reference_ns */
	double drift_ns_s;    /* its rate, ns per s of raw time */
	double offset_sd_ns;  /* one standard deviation, at at_ns */
	double drift_sd_ns_s; /* what the offset's variance grows by, see estimate_sd() */
};

/* An estimate that is made ahead, to be served from from_ns to until_ns */
struct prediction {
	int64_t made_ns;  /* it rests on nothing later */
	int64_t from_ns;  /* >= made_ns */
	int64_t until_ns; /* > from_ns */
	struct estimate line;
};

/* The line at now_ns as a difference from reference_ns, ns. */
static inline double estimate_offset(const struct estimate *line, int64_t now_ns,
				     int64_t reference_ns)
{
	return (double)(line->reference_ns - reference_ns) + line->offset_ns +
	       line->drift_ns_s * 1e-9 * (double)(now_ns - line->at_ns);
}

/* Its standard deviation at now_ns, ns: sqrt(offset_sd^2 + (drift_sd * age)^2). */
static inline double estimate_sd(const struct estimate *line, int64_t now_ns)
{
	double grown = line->drift_sd_ns_s * 1e-9 * (double)(now_ns - line->at_ns);

	return sqrt(line->offset_sd_ns * line->offset_sd_ns + grown * grown);
}

#endif /* ENGINE_PREDICTION_H */
