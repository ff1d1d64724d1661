/* SPDX-License-Identifier: MIT */
#include "feed/message.h"

#include <math.h>
#include <string.h>

/* Raw time: 36 years from its beginning, as timescale_covers() has it */
#define RAW_MAX_NS ((int64_t)1 << 60)
/* UTC minus raw time: until 2116 */
#define REFERENCE_MAX_NS ((int64_t)1 << 62)

static bool within(int64_t value, int64_t limit)
{
	return value > -limit && value < limit;
}

/* False for NaN, too */
static bool magnitude_within(double value, double limit)
{
	return fabs(value) <= limit;
}

static bool is_valid(const struct feed_prediction *p, const struct feed_limits *limits)
{
	return within(p->header.raw_ns, RAW_MAX_NS) && within(p->from_ns, RAW_MAX_NS) &&
	       within(p->until_ns, RAW_MAX_NS) && within(p->at_ns, RAW_MAX_NS) &&
	       within(p->reference_ns, REFERENCE_MAX_NS) &&
	       magnitude_within(p->offset_ns, FEED_OFFSET_MAX_NS) &&
	       magnitude_within(p->drift_ns_s, limits->max_drift_ppb) &&
	       p->offset_sd_ns >= FEED_SD_MIN_NS &&
	       magnitude_within(p->offset_sd_ns, FEED_SD_MAX_NS) && p->drift_sd_ns_s >= 0 &&
	       magnitude_within(p->drift_sd_ns_s, FEED_DRIFT_SD_MAX_NS_S) &&
	       p->header.raw_ns <= limits->now_ns + FEED_EARLY_NS &&
	       p->header.raw_ns <= p->from_ns && p->until_ns - p->from_ns >= FEED_SHORTEST_NS;
}

static bool is_late(const struct feed_prediction *p, const struct feed_limits *limits)
{
	return limits->now_ns - p->header.raw_ns > FEED_LATE_NS || p->until_ns <= limits->now_ns;
}

static bool is_too_far(const struct feed_prediction *p)
{
	return p->until_ns - p->header.raw_ns > FEED_HORIZON_NS ||
	       !within(p->at_ns - p->header.raw_ns, FEED_HORIZON_NS);
}

static bool is_plausible(const struct estimate *line, int64_t at_ns,
			 const struct feed_limits *limits)
{
	double away_s = fabs((double)(at_ns - limits->now_ns)) * 1e-9;
	double room_ns = (double)limits->bound_ns + limits->max_drift_ppb * away_s;

	return fabs(estimate_offset(line, at_ns, limits->offset_ns)) <= room_ns;
}

enum feed_verdict feed_prediction_check(struct prediction *ret, uint32_t *sequence,
					const void *message, size_t size,
					const struct feed_limits *limits)
{
	struct feed_prediction p;
	struct prediction prediction;

	if (size < sizeof(p.header))
		return FEED_MALFORMED;
	memcpy(&p.header, message, sizeof(p.header));
	if (p.header.size != size || p.header.magic != FEED_MAGIC)
		return FEED_MALFORMED;
	*sequence = p.header.sequence;
	if (p.header.version != FEED_VERSION)
		return FEED_UNSUPPORTED;
	if (p.header.type != FEED_PREDICTION || size != sizeof(p))
		return FEED_MALFORMED;
	memcpy(&p, message, sizeof(p));
	if (p.header.sequence <= limits->sequence)
		return FEED_DUPLICATE;
	if (p.header.epoch != limits->epoch)
		return FEED_OTHER_EPOCH;
	if (!is_valid(&p, limits))
		return FEED_INVALID;
	if (is_late(&p, limits))
		return FEED_LATE;
	if (is_too_far(&p))
		return FEED_TOO_FAR;
	if (!limits->trusted)
		return FEED_UNTRUSTED;
	prediction = (struct prediction){
		.made_ns = p.header.raw_ns < limits->now_ns ? p.header.raw_ns : limits->now_ns,
		.from_ns = p.from_ns,
		.until_ns = p.until_ns,
		.line =
			{
				.at_ns = p.at_ns,
				.reference_ns = p.reference_ns,
				.offset_ns = p.offset_ns,
				.drift_ns_s = p.drift_ns_s,
				.offset_sd_ns = p.offset_sd_ns,
				.drift_sd_ns_s = p.drift_sd_ns_s,
			},
	};
	if (!is_plausible(&prediction.line, p.from_ns, limits) ||
	    !is_plausible(&prediction.line, p.until_ns, limits))
		return FEED_IMPLAUSIBLE;
	*ret = prediction;
	return FEED_TAKEN;
}
