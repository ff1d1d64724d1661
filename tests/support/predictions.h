/* SPDX-License-Identifier: MIT */
/* A prediction of a model that is fed, and limits within which it is. */
#ifndef SUPPORT_PREDICTIONS_H
#define SUPPORT_PREDICTIONS_H

#include "feed/message.h"

#define SECOND 1000000000LL
#define NOW (1000 * SECOND)
#define OFFSET 1764000000000000000LL
#define EPOCH 0x1234567890abcdefULL

static const struct feed_limits limits = {
	.epoch = EPOCH,
	.sequence = 6,
	.now_ns = NOW,
	.trusted = true,
	.offset_ns = OFFSET,
	.bound_ns = 1000000,
	.max_drift_ppb = 200000,
};

/* One that is taken: 240 s ahead, 10 us off, 2 ppm */
static inline struct feed_prediction good(void)
{
	return (struct feed_prediction){
		.header =
			{
				.size = sizeof(struct feed_prediction),
				.magic = FEED_MAGIC,
				.version = FEED_VERSION,
				.type = FEED_PREDICTION,
				.sequence = 7,
				.epoch = EPOCH,
				.raw_ns = NOW - SECOND,
			},
		.from_ns = NOW,
		.until_ns = NOW + 240 * SECOND,
		.at_ns = NOW - SECOND,
		.reference_ns = OFFSET - 500,
		.offset_ns = 10500,
		.drift_ns_s = 2000,
		.offset_sd_ns = 20000,
		.drift_sd_ns_s = 30,
	};
}

#endif /* SUPPORT_PREDICTIONS_H */
