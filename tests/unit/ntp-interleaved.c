/* SPDX-License-Identifier: MIT */
/*
 * Interleaved mode against a server made of two numbers: what is asked, what is believed, and that
 * no answer is ever paired with another exchange's times.
 */
#include <string.h>

#include <criterion/criterion.h>

#include "sources/ntp_interleaved.h"

#define S 1000000000LL
#define UTC (1700000000 * S)
#define STEP_NS 1000000 /* from one time to the next */
#define SERVED_NS 30000 /* a basic answer says that it left that much before it truly does */

/* The client of the test, and its server */
static struct {
	struct ntp_interleaved mode;
	struct ntp_request request;
	struct ntp_packet sent;
	uint64_t random;
	int64_t now_ns;
	/* The server: what it keeps of its last answer */
	uint64_t receive;
	uint64_t transmit;
	bool knows; /* the mode */
} world;

static void setup(void)
{
	memset(&world, 0, sizeof(world));
	world.mode.wanted = true;
	world.knows = true;
	world.random = 1000;
	world.now_ns = UTC;
}
TestSuite(ntp_interleaved, .init = setup);

static uint64_t tick(void)
{
	world.now_ns += STEP_NS;
	return ntp_time_from_ns(world.now_ns);
}

static void ask_after(int64_t interval_ns)
{
	const uint64_t random[2] = {world.random, world.random + 1};

	world.random += 2;
	memset(&world.sent, 0, sizeof(world.sent));
	ntp_interleaved_ask(&world.mode, interval_ns, random, &world.sent, &world.request);
	world.request.outstanding = true;
}

static void ask(void)
{
	ask_after(S);
}

/* What the server says to the request, as RFC 9769 has it */
static struct ntp_packet serve(void)
{
	struct ntp_packet answer = {.version = 4, .mode = 4, .stratum = 1, .precision = -29};

	answer.receive = tick();
	answer.origin = world.sent.transmit;
	answer.transmit = tick();
	if (world.knows && world.receive && world.sent.origin == world.receive &&
	    world.sent.receive != world.sent.transmit) {
		answer.origin = world.sent.receive;
		answer.transmit = world.transmit;
	}
	world.receive = answer.receive;
	world.transmit = ntp_time_from_ns(world.now_ns + SERVED_NS);
	return answer;
}

/* It must pass; what is it good for? */
static enum ntp_use take(const struct ntp_packet *answer)
{
	enum ntp_use use;

	cr_assert_eq(ntp_packet_test(answer, &world.request), NTP_GOOD);
	use = ntp_interleaved_answered(&world.mode, answer, &world.request);
	ntp_request_answered(&world.request, answer);
	/* A second time it is a duplicate. */
	cr_assert_eq(ntp_packet_test(answer, &world.request), NTP_DUPLICATE);
	return use;
}

/* One whole exchange */
static enum ntp_use exchange(struct ntp_packet *answer)
{
	ask();
	*answer = serve();
	return take(answer);
}

Test(ntp_interleaved, from_the_second_interleaved_answer_on_each_judges_the_exchange_before)
{
	struct ntp_packet before, answer, joined;
	uint64_t transmit;
	unsigned int i;

	cr_assert_eq(exchange(&answer), NTP_USE_THIS);
	cr_assert_eq(exchange(&answer), NTP_USE_NONE);
	for (i = 0; i < 10; i++) {
		before = answer;
		transmit = world.transmit;
		cr_assert_eq(exchange(&answer), NTP_USE_PREVIOUS);
		before.leap = 2;
		answer.leap = 1;
		joined = ntp_interleaved_join(&before, &answer);
		cr_assert_eq(joined.leap, 1);
		cr_assert_eq(joined.receive, before.receive);
		cr_assert_eq(joined.transmit, transmit);
	}
}

Test(ntp_interleaved, requests_tell_nothing_but_the_servers_own_time)
{
	struct ntp_packet answer;

	ask();
	cr_assert_eq(world.sent.origin, 0);
	cr_assert_eq(world.sent.receive, 0);
	cr_assert_eq(world.sent.transmit, 1000);
	answer = serve();
	take(&answer);
	ask();
	cr_assert_eq(world.sent.origin, answer.receive);
	cr_assert_eq(world.sent.receive, 1003);
	cr_assert_eq(world.sent.transmit, 1002);
	cr_assert_eq(world.sent.reference, 0);
}

Test(ntp_interleaved, who_does_not_want_it_asks_as_always)
{
	struct ntp_packet answer;
	unsigned int i;

	world.mode.wanted = false;
	for (i = 0; i < 5; i++) {
		cr_assert_eq(exchange(&answer), NTP_USE_THIS);
		cr_assert_eq(world.sent.origin, 0);
		cr_assert_eq(world.sent.receive, 0);
	}
}

Test(ntp_interleaved, a_server_that_does_not_know_it_gives_a_sample_each_time)
{
	struct ntp_packet answer;
	unsigned int i;

	world.knows = false;
	for (i = 0; i < 5; i++)
		cr_assert_eq(exchange(&answer), NTP_USE_THIS);
}

Test(ntp_interleaved, after_a_loss_one_exchange_is_basic)
{
	struct ntp_packet answer, old;

	exchange(&answer);
	exchange(&answer);
	cr_assert_eq(exchange(&answer), NTP_USE_PREVIOUS);

	/* The answer is lost: the server's memory is one exchange ahead. */
	ask();
	old = serve();
	world.request.outstanding = false;
	ntp_interleaved_lost(&world.mode);
	cr_assert_eq(ntp_packet_test(&old, &world.request), NTP_LATE);

	ask();
	cr_assert_eq(world.sent.origin, 0);
	/* It comes now: it is nobody's. */
	cr_assert_eq(ntp_packet_test(&old, &world.request), NTP_BOGUS);
	answer = serve();
	cr_assert_eq(take(&answer), NTP_USE_THIS);
	cr_assert_eq(exchange(&answer), NTP_USE_NONE);
	cr_assert_eq(exchange(&answer), NTP_USE_PREVIOUS);
}

/* The server forgets, as after a restart: one basic answer, and again. */
Test(ntp_interleaved, a_basic_answer_in_between_starts_anew)
{
	struct ntp_packet answer;

	exchange(&answer);
	exchange(&answer);
	cr_assert_eq(exchange(&answer), NTP_USE_PREVIOUS);
	world.receive = 0;
	cr_assert_eq(exchange(&answer), NTP_USE_THIS);
	cr_assert_eq(exchange(&answer), NTP_USE_NONE);
	cr_assert_eq(exchange(&answer), NTP_USE_PREVIOUS);
}

Test(ntp_interleaved, not_over_long_intervals)
{
	struct ntp_packet answer;

	exchange(&answer);
	ask_after(NTP_INTERLEAVED_MAX_NS);
	cr_assert_neq(world.sent.origin, 0);
	answer = serve();
	take(&answer);
	ask_after(NTP_INTERLEAVED_MAX_NS + 1);
	cr_assert_eq(world.sent.origin, 0);
	answer = serve();
	cr_assert_eq(take(&answer), NTP_USE_THIS);
}

Test(ntp_interleaved, answers_that_cannot_be)
{
	struct ntp_packet answer, good, last;
	unsigned int i;

	for (i = 0; i < 3; i++)
		exchange(&last);
	ask();
	good = serve();
	cr_assert(ntp_packet_is_interleaved(&good, &world.request));
	cr_assert_eq(ntp_packet_test(&good, &world.request), NTP_GOOD);

	/* Sent the last answer after it received this request */
	answer = good;
	answer.transmit = good.receive;
	cr_assert_eq(ntp_packet_test(&answer, &world.request), NTP_INVALID);
	answer.transmit = good.receive + 1;
	cr_assert_eq(ntp_packet_test(&answer, &world.request), NTP_INVALID);
	answer.transmit = 0;
	cr_assert_eq(ntp_packet_test(&answer, &world.request), NTP_INVALID);
	/* The times of the answer before, under a new origin */
	answer = good;
	answer.transmit = last.transmit;
	cr_assert_eq(ntp_packet_test(&answer, &world.request), NTP_DUPLICATE);
	answer = good;
	answer.receive = last.receive;
	cr_assert_eq(ntp_packet_test(&answer, &world.request), NTP_DUPLICATE);
	/* Set long after it received the request */
	answer = good;
	answer.reference = good.receive + (2ULL << 32);
	cr_assert_eq(ntp_packet_test(&answer, &world.request), NTP_INVALID);
	answer.reference = good.receive + 1000;
	cr_assert_eq(ntp_packet_test(&answer, &world.request), NTP_GOOD);
	/* Origins that are neither the one nor the other */
	answer = good;
	answer.origin = world.sent.origin;
	cr_assert_eq(ntp_packet_test(&answer, &world.request), NTP_BOGUS);
	answer.origin = 0;
	cr_assert_eq(ntp_packet_test(&answer, &world.request), NTP_BOGUS);
	/* A kiss counts with either. */
	answer = good;
	answer.stratum = 0;
	answer.reference_id = 0x52415445;
	cr_assert_eq(ntp_packet_test(&answer, &world.request), NTP_KISS_RATE);
	answer.origin = world.sent.transmit;
	cr_assert_eq(ntp_packet_test(&answer, &world.request), NTP_KISS_RATE);
}

/* A server without kernel stamps says in the first interleaved answer what it said before. */
Test(ntp_interleaved, the_first_one_may_repeat_what_the_basic_one_said)
{
	struct ntp_packet answer;

	exchange(&answer);
	world.transmit = answer.transmit;
	cr_assert_eq(exchange(&answer), NTP_USE_NONE);
}

/* Of a basic answer the interleaved origin, 0, is not taken for one. */
Test(ntp_interleaved, a_basic_request_gets_no_interleaved_answer)
{
	struct ntp_packet answer;

	ask();
	answer = serve();
	answer.origin = 0;
	cr_assert_not(ntp_packet_is_interleaved(&answer, &world.request));
	cr_assert_eq(ntp_packet_test(&answer, &world.request), NTP_BOGUS);
}
