/* SPDX-License-Identifier: MIT */
/*
 * The feed's messages: whatever comes, what is taken is a prediction that the engine can use. The first 8
 * bytes choose what it is held against, and whether it begins as one that is good, or has its header
 * mended, which few inputs get right.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/models.h"
#include "feed/message.h"

#define SECOND 1000000000LL
#define OFFSET 1764000000000000000LL
#define CHOICES 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
	if (!condition)
		abort();
}

static void mend(uint8_t *message, size_t size, const struct feed_limits *limits)
{
	struct feed_header header;

	if (size < sizeof(header))
		return;
	memcpy(&header, message, sizeof(header));
	header.size = (uint32_t)size;
	header.magic = FEED_MAGIC;
	header.version = FEED_VERSION;
	header.type = FEED_PREDICTION;
	header.epoch = limits->epoch;
	memcpy(message, &header, sizeof(header));
}

/* One that would be taken, with the bits flipped that the message has set */
static void flip(uint8_t *message, size_t size, const struct feed_limits *limits)
{
	const struct feed_prediction good = {
		.header =
			{
				.size = sizeof(good),
				.magic = FEED_MAGIC,
				.version = FEED_VERSION,
				.type = FEED_PREDICTION,
				.sequence = limits->sequence + 1,
				.epoch = limits->epoch,
				.raw_ns = limits->now_ns - SECOND,
			},
		.from_ns = limits->now_ns,
		.until_ns = limits->now_ns + 240 * SECOND,
		.at_ns = limits->now_ns,
		.reference_ns = limits->offset_ns,
		.drift_ns_s = 1000,
		.offset_sd_ns = 5000,
		.drift_sd_ns_s = 20,
	};
	uint8_t bytes[sizeof(good)];
	size_t i;

	memcpy(bytes, &good, sizeof(good));
	for (i = 0; i < size && i < sizeof(good); i++)
		message[i] ^= bytes[i];
}

static void taken_check(const struct prediction *p, const struct feed_limits *limits)
{
	double sd = estimate_sd(&p->line, p->until_ns);
	double offset = estimate_offset(&p->line, limits->now_ns, limits->offset_ns);

	must(limits->trusted);
	must(p->made_ns <= p->from_ns && p->from_ns < p->until_ns);
	must(p->made_ns <= limits->now_ns && p->until_ns > limits->now_ns);
	must(p->until_ns - p->made_ns <= FEED_HORIZON_NS + FEED_EARLY_NS);
	must(p->until_ns - p->from_ns >= FEED_SHORTEST_NS);
	must(isfinite(offset) && isfinite(sd) && sd > 0);
	must(p->line.offset_sd_ns >= FEED_SD_MIN_NS && p->line.drift_sd_ns_s >= 0);
	must(fabs(estimate_offset(&p->line, p->from_ns, limits->offset_ns)) < 1e13);
}

/* The engine takes it, even if it has proven itself, and nothing endless comes of it. */
static void taken_use(const struct prediction *p, const struct feed_limits *limits)
{
	static const struct short_term_prior prior = {.rate_sd_ns_s = 30000};
	const struct measurement measurement = {
		.raw_ns = p->from_ns > limits->now_ns ? p->from_ns : limits->now_ns,
		.offset_ns = limits->offset_ns,
		.sd_ns = 1000,
	};
	static struct models models;
	struct fused fused;

	must(models_init(&models, &models_default) == 0);
	models_reset(&models, &prior);
	must(models_feed(&models, limits->now_ns, p) == 0);
	models_measure(&models, &measurement, NULL);
	must(models.scores[MODEL_FEED].count == 1 && isfinite(models.scores[MODEL_FEED].error_ns));
	models.external.state = EXTERNAL_USED;
	models_predict(&models, measurement.raw_ns, &fused);
	/* Of its last instants nothing counts. */
	must(fused.level == FUSE_LONG_TERM || fused.level == FUSE_NTP);
	if (fused.level == FUSE_LONG_TERM)
		must(isfinite(fused.line.offset_ns) && fused.line.offset_sd_ns > 0 &&
		     isfinite(fused.line.offset_sd_ns) && isfinite(fused.line.drift_sd_ns_s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed_limits limits = {
		.epoch = 5,
		.max_drift_ppb = 200000,
	};
	struct prediction prediction;
	enum feed_verdict verdict;
	uint32_t sequence = 0;
	uint8_t *message;

	if (size < CHOICES)
		return -1;
	limits.sequence = data[1];
	limits.trusted = data[0] & 4;
	limits.now_ns = ((int64_t)(int8_t)data[2] * 1000 + data[3]) * SECOND;
	limits.offset_ns = data[0] & 8 ? OFFSET : -OFFSET;
	limits.bound_ns = (int64_t)data[4] << (data[5] % 32);
	data += CHOICES;
	size -= CHOICES;
	/* Bytes of their own, so that a read beyond them is seen */
	message = malloc(size ? size : 1);
	must(message != NULL);
	if (size)
		memcpy(message, data, size);
	if (data[-CHOICES] & 2)
		flip(message, size, &limits);
	if (data[-CHOICES] & 1)
		mend(message, size, &limits);
	verdict = feed_prediction_check(&prediction, &sequence, message, size, &limits);
	must(verdict < FEED_VERDICTS);
	if (verdict == FEED_TAKEN) {
		must(sequence > limits.sequence);
		taken_check(&prediction, &limits);
		taken_use(&prediction, &limits);
	}
	free(message);
	return 0;
}
