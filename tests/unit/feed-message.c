/* SPDX-License-Identifier: MIT */
/* What is a prediction, when a model sends it. */
#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/predictions.h"

static enum feed_verdict verdict(const struct feed_prediction *message)
{
	struct prediction prediction = {.made_ns = -1};
	uint32_t sequence;
	enum feed_verdict v =
		feed_prediction_check(&prediction, &sequence, message, sizeof(*message), &limits);

	/* Nothing is given that was not taken. */
	cr_assert_eq(prediction.made_ns == -1, v != FEED_TAKEN);
	return v;
}

Test(feed_message, a_good_prediction_arrives_in_its_members)
{
	const struct feed_prediction message = good();
	struct feed_prediction ahead = message;
	struct prediction p, a;
	uint32_t sequence;

	cr_assert_eq(feed_prediction_check(&p, &sequence, &message, sizeof(message), &limits),
		     FEED_TAKEN);
	cr_assert_eq(sequence, 7);
	cr_assert_eq(p.made_ns, NOW - SECOND);
	cr_assert_eq(p.from_ns, NOW);
	cr_assert_eq(p.until_ns, NOW + 240 * SECOND);
	cr_assert_eq(p.line.at_ns, NOW - SECOND);
	cr_assert_eq(p.line.reference_ns, OFFSET - 500);
	cr_assert_float_eq(p.line.offset_ns, 10500, 0);
	cr_assert_float_eq(p.line.drift_ns_s, 2000, 0);
	cr_assert_float_eq(p.line.offset_sd_ns, 20000, 0);
	cr_assert_float_eq(p.line.drift_sd_ns_s, 30, 0);
	/* Raw time is guessed at the other side: it may be a little ahead, and is made now then. */
	ahead.header.raw_ns = ahead.from_ns = NOW + FEED_EARLY_NS;
	cr_assert_eq(feed_prediction_check(&a, &sequence, &ahead, sizeof(ahead), &limits),
		     FEED_TAKEN);
	cr_assert_eq(a.made_ns, NOW);
	cr_assert_eq(a.from_ns, NOW + FEED_EARLY_NS);
	/* 10 us, and 2 us/s for the second since then */
	cr_assert_float_eq(estimate_offset(&p.line, NOW, OFFSET), 12000, 1e-3);
}

Test(feed_message, whatever_is_no_message_is_malformed)
{
	struct feed_prediction message = good();
	unsigned char bytes[sizeof(message) + 8] = {0};
	struct prediction p;
	uint32_t sequence, size;

	memcpy(bytes, &message, sizeof(message));
	for (size = 0; size <= sizeof(bytes); size++) {
		enum feed_verdict v = feed_prediction_check(&p, &sequence, bytes, size, &limits);

		cr_assert_eq(v, size == sizeof(message) ? FEED_TAKEN : FEED_MALFORMED, "%u", size);
	}
	for (size = 32; size <= sizeof(bytes); size++) { /* it says so itself */
		memcpy(bytes, &size, sizeof(size));
		cr_assert_eq(feed_prediction_check(&p, &sequence, bytes, size, &limits),
			     size == sizeof(message) ? FEED_TAKEN : FEED_MALFORMED, "%u", size);
	}
	message.header.magic ^= 1;
	cr_assert_eq(verdict(&message), FEED_MALFORMED);
	message = good();
	message.header.type = FEED_MEASUREMENT;
	cr_assert_eq(verdict(&message), FEED_MALFORMED);
	message = good();
	message.header.version = 2;
	message.header.type = 77;
	cr_assert_eq(verdict(&message), FEED_UNSUPPORTED);
}

/* One member changed, and the verdict of that */
#define CASE(member, value, expected)                                                              \
	do {                                                                                       \
		struct feed_prediction message = good();                                           \
		message.member = (value);                                                          \
		cr_expect_eq(verdict(&message), expected, #member " = " #value);                   \
	} while (0)

Test(feed_message, every_member_is_checked)
{
	CASE(header.sequence, 6, FEED_DUPLICATE);
	CASE(header.sequence, 0, FEED_DUPLICATE);
	CASE(header.sequence, UINT32_MAX, FEED_TAKEN);
	CASE(header.epoch, EPOCH + 1, FEED_OTHER_EPOCH);

	CASE(offset_ns, NAN, FEED_INVALID);
	CASE(offset_ns, INFINITY, FEED_INVALID);
	CASE(offset_ns, -INFINITY, FEED_INVALID);
	CASE(offset_ns, 1.1e12, FEED_INVALID);
	CASE(drift_ns_s, NAN, FEED_INVALID);
	CASE(drift_ns_s, 200001, FEED_INVALID);
	CASE(drift_ns_s, -200001, FEED_INVALID);
	CASE(offset_sd_ns, NAN, FEED_INVALID);
	CASE(offset_sd_ns, 0, FEED_INVALID);
	CASE(offset_sd_ns, -1, FEED_INVALID);
	CASE(offset_sd_ns, 1, FEED_TAKEN);
	CASE(offset_sd_ns, 0.9, FEED_INVALID);
	CASE(offset_sd_ns, 1e-200, FEED_INVALID); /* its square is 0 */
	CASE(offset_sd_ns, 1e9, FEED_TAKEN);
	CASE(offset_sd_ns, 1.001e9, FEED_INVALID);
	CASE(offset_sd_ns, INFINITY, FEED_INVALID);
	CASE(drift_sd_ns_s, NAN, FEED_INVALID);
	CASE(drift_sd_ns_s, -1e-300, FEED_INVALID);
	CASE(drift_sd_ns_s, 0, FEED_TAKEN);
	CASE(drift_sd_ns_s, 1.001e6, FEED_INVALID);

	CASE(header.raw_ns, NOW, FEED_TAKEN);
	CASE(header.raw_ns, NOW + FEED_EARLY_NS + 1, FEED_INVALID);
	CASE(header.raw_ns, INT64_MIN, FEED_INVALID);
	CASE(header.raw_ns, INT64_MAX, FEED_INVALID);
	CASE(header.raw_ns, NOW - FEED_LATE_NS, FEED_TAKEN);
	CASE(header.raw_ns, NOW - FEED_LATE_NS - 1, FEED_LATE);
	CASE(from_ns, NOW - SECOND, FEED_TAKEN);
	CASE(from_ns, NOW - SECOND - 1, FEED_INVALID); /* before it was made */
	CASE(from_ns, NOW + 240 * SECOND, FEED_INVALID);
	CASE(from_ns, INT64_MIN, FEED_INVALID);
	CASE(until_ns, NOW, FEED_INVALID); /* not above `from` */
	CASE(until_ns, NOW + FEED_SHORTEST_NS - 1, FEED_INVALID);
	CASE(until_ns, NOW + FEED_SHORTEST_NS, FEED_TAKEN);
	CASE(until_ns, INT64_MAX, FEED_INVALID);
	CASE(until_ns, INT64_MIN, FEED_INVALID);
	CASE(until_ns, NOW - SECOND + FEED_HORIZON_NS, FEED_TAKEN);
	CASE(until_ns, NOW - SECOND + FEED_HORIZON_NS + 1, FEED_TOO_FAR);
	CASE(at_ns, NOW - 400 * SECOND, FEED_TAKEN);
	CASE(at_ns, NOW - SECOND - FEED_HORIZON_NS, FEED_TOO_FAR);
	CASE(at_ns, NOW - SECOND + FEED_HORIZON_NS, FEED_TOO_FAR);
	CASE(at_ns, INT64_MAX, FEED_INVALID);
	CASE(reference_ns, INT64_MIN, FEED_INVALID);
	CASE(reference_ns, INT64_MAX, FEED_INVALID);
	CASE(reference_ns, 0, FEED_IMPLAUSIBLE);
	CASE(reference_ns, -OFFSET, FEED_IMPLAUSIBLE);
}

Test(feed_message, one_that_is_over_is_late)
{
	struct feed_prediction message = good();

	message.header.raw_ns = message.from_ns = NOW - FEED_SHORTEST_NS;
	message.until_ns = NOW;
	cr_assert_eq(verdict(&message), FEED_LATE);
	message.until_ns = NOW + 1;
	cr_assert_eq(verdict(&message), FEED_TAKEN);
}

/* Of the daemon's own time, that may be wrong by a millisecond and run off by 200 ppm */
Test(feed_message, it_must_be_possible)
{
	struct feed_limits untrusted = limits;
	struct feed_prediction message = good();
	struct prediction p;
	uint32_t sequence;

	message.at_ns = message.from_ns;
	message.reference_ns = OFFSET;
	message.drift_ns_s = 0;
	message.offset_ns = 1000000;
	cr_assert_eq(verdict(&message), FEED_TAKEN);
	message.offset_ns = 1000001;
	cr_assert_eq(verdict(&message), FEED_IMPLAUSIBLE);
	message.offset_ns = -1000001;
	cr_assert_eq(verdict(&message), FEED_IMPLAUSIBLE);
	/* At its beginning it fits, at its end it cannot. */
	message.offset_ns = 999999;
	message.drift_ns_s = 200000;
	cr_assert_eq(verdict(&message), FEED_TAKEN);
	message.offset_ns = 0;
	message.at_ns = message.from_ns - 100 * SECOND; /* 20 ms off at `from` */
	cr_assert_eq(verdict(&message), FEED_IMPLAUSIBLE);
	/* In 100 s it may be 20 ms more. */
	message = good();
	message.from_ns = message.at_ns = NOW + 100 * SECOND;
	message.reference_ns = OFFSET;
	message.offset_ns = 20999999;
	message.drift_ns_s = 0;
	cr_assert_eq(verdict(&message), FEED_TAKEN);
	message.offset_ns = 21000002;
	cr_assert_eq(verdict(&message), FEED_IMPLAUSIBLE);

	message = good();
	untrusted.trusted = false;
	cr_assert_eq(feed_prediction_check(&p, &sequence, &message, sizeof(message), &untrusted),
		     FEED_UNTRUSTED);
}
