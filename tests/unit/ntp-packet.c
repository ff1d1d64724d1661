/* SPDX-License-Identifier: MIT */
/* NTP packets, the tests of RFC 5905 section 8 on hand-made ones, and the arithmetic of a sample.
 */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "chronotick_page.h"
#include "sources/ntp_exchange.h"
#include "sources/ntp_packet.h"

#define S 1000000000LL
#define ORIGIN 0x0123456789abcdefULL

/* A stratum 2 server's answer, byte by byte as it is on the wire */
static const uint8_t answer_bytes[NTP_PACKET_SIZE] = {
	0x24, 2,    6,    0xe8,                      /* leap 0, version 4, mode 4; precision -24 */
	0,    0,    0x10, 0,                         /* root delay 1/16 s */
	0,    0,    0,    0x80,                      /* root dispersion 1/512 s */
	192,  0,    2,    1,                         /* reference id */
	0xe9, 0,    0,    0,    0,    0,    0,    0, /* reference */
	0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, /* origin */
	0xe9, 0,    0,    0x10, 0x80, 0,    0,    0,    /* receive: 16.5 s after the reference */
	0xe9, 0,    0,    0x10, 0x80, 0,    0x10, 0,    /* transmit: 2^-20 s later */
};

static struct ntp_packet answer(void)
{
	struct ntp_packet packet;

	cr_assert_eq(ntp_packet_parse(&packet, answer_bytes, sizeof(answer_bytes)), 0);
	return packet;
}

static const struct ntp_request request = {
	.outstanding = true, .origin = ORIGIN, .last_transmit = 0xe900000000000001};

Test(ntp_packet, parse)
{
	struct ntp_packet packet = answer();

	cr_assert_eq(packet.leap, 0);
	cr_assert_eq(packet.version, 4);
	cr_assert_eq(packet.mode, NTP_MODE_SERVER);
	cr_assert_eq(packet.stratum, 2);
	cr_assert_eq(packet.poll, 6);
	cr_assert_eq(packet.precision, -24);
	cr_assert_eq(packet.root_delay, 0x1000);
	cr_assert_eq(packet.root_dispersion, 0x80);
	cr_assert_eq(packet.reference_id, 0xc0000201);
	cr_assert_eq(packet.reference, 0xe900000000000000);
	cr_assert_eq(packet.origin, ORIGIN);
	cr_assert_eq(packet.receive, 0xe900001080000000);
	cr_assert_eq(packet.transmit, 0xe900001080001000);
}

Test(ntp_packet, write_is_what_parse_reads)
{
	struct ntp_packet packet = answer();
	uint8_t bytes[NTP_PACKET_SIZE];

	ntp_packet_write(&packet, bytes);
	cr_assert_arr_eq(bytes, answer_bytes, sizeof(bytes));
}

Test(ntp_packet, parse_refuses)
{
	uint8_t bytes[NTP_PACKET_SIZE + 24] = {0};
	struct ntp_packet packet;
	size_t size;
	unsigned int first;

	memcpy(bytes, answer_bytes, NTP_PACKET_SIZE);
	for (size = 0; size < NTP_PACKET_SIZE; size++)
		cr_assert_eq(ntp_packet_parse(&packet, bytes, size), -EBADMSG);
	/* Extension fields and a MAC are skipped, as long as they are whole words. */
	cr_assert_eq(ntp_packet_parse(&packet, bytes, NTP_PACKET_SIZE + 20), 0);
	cr_assert_eq(ntp_packet_parse(&packet, bytes, NTP_PACKET_SIZE + 24), 0);
	cr_assert_eq(ntp_packet_parse(&packet, bytes, NTP_PACKET_SIZE + 21), -EBADMSG);
	/* Every version and mode: only answers of versions 3 and 4 */
	for (first = 0; first < 64; first++) {
		bool good = (first & 7) == NTP_MODE_SERVER && (first >> 3 == 3 || first >> 3 == 4);

		bytes[0] = (uint8_t)first;
		cr_assert_eq(ntp_packet_parse(&packet, bytes, NTP_PACKET_SIZE),
			     good ? 0 : -EBADMSG);
	}
}

Test(ntp_packet, times)
{
	static const struct {
		uint64_t time;
		int64_t ns;
	} pairs[] = {
		{(3155673600ULL) << 32, 946684800 * S}, /* 2000-01-01 */
		{(2524521600ULL) << 32, 315532800 * S}, /* 1980-01-01: the first */
		{UINT64_MAX, 2085978496 * S},           /* the last of era 0, rounded */
		{0, 2085978496 * S},                    /* 2036-02-07: era 1 */
		{(1ULL << 32) | 1ULL << 31, 2085978497 * S + S / 2},
		{((2524521599ULL) << 32), 315532799 * S + (S << 32)}, /* 2116: the last */
	};
	size_t i;
	int64_t ns;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		cr_assert_eq(ntp_time_to_ns(pairs[i].time), pairs[i].ns, "pair %zu", i);
	/* There and back is the same, in both eras, for every part of a second tried. */
	for (ns = 1700000000 * S; ns < 1700000001 * S; ns += 9999991)
		cr_assert_eq(ntp_time_to_ns(ntp_time_from_ns(ns)), ns);
	for (ns = 2200000000 * S; ns < 2200000001 * S; ns += 9999991)
		cr_assert_eq(ntp_time_to_ns(ntp_time_from_ns(ns)), ns);
	cr_assert_eq(ntp_time_to_ns(ntp_time_from_ns(1700000000 * S + S - 1)),
		     1700000000 * S + S - 1);
	cr_assert_eq(ntp_time_from_ns(0), 2208988800ULL << 32);
	cr_assert_eq(ntp_time_from_ns(-1) >> 32, 2208988799ULL);
}

Test(ntp_packet, short_and_log2)
{
	cr_assert_eq(ntp_short_to_ns(0), 0);
	cr_assert_eq(ntp_short_to_ns(1), 15259);
	cr_assert_eq(ntp_short_to_ns(0x10000), S);
	cr_assert_eq(ntp_short_to_ns(UINT32_MAX), 65536 * S - 15258);
	cr_assert_eq(ntp_log2_to_ns(0), S);
	cr_assert_eq(ntp_log2_to_ns(6), 64 * S);
	cr_assert_eq(ntp_log2_to_ns(-3), 125000000);
	cr_assert_eq(ntp_log2_to_ns(-24), 60);
	cr_assert_eq(ntp_log2_to_ns(-30), 1);
	cr_assert_eq(ntp_log2_to_ns(-128), 1);
	cr_assert_eq(ntp_log2_to_ns(127), S << 32);
}

Test(ntp_packet, good_answer)
{
	struct ntp_packet packet = answer();

	cr_assert_eq(ntp_packet_test(&packet, &request), NTP_GOOD);
	packet.reference = 0;
	cr_assert_eq(ntp_packet_test(&packet, &request), NTP_GOOD);
	packet.stratum = 15;
	packet.leap = 2;
	cr_assert_eq(ntp_packet_test(&packet, &request), NTP_GOOD);
}

Test(ntp_packet, origin)
{
	struct ntp_packet packet = answer();
	struct ntp_request done = request, first = request;

	packet.origin++;
	cr_assert_eq(ntp_packet_test(&packet, &request), NTP_BOGUS);
	packet.origin = 0;
	cr_assert_eq(ntp_packet_test(&packet, &request), NTP_BOGUS);
	/* A kiss-o'-death that does not know our origin is anybody's. */
	packet.stratum = 0;
	packet.reference_id = 0x44454e59;
	cr_assert_eq(ntp_packet_test(&packet, &request), NTP_BOGUS);

	/* After the first answer a second one is a replay. */
	packet = answer();
	done.outstanding = false;
	cr_assert_eq(ntp_packet_test(&packet, &done), NTP_LATE);
	done.outstanding = true;
	ntp_request_answered(&done, &packet);
	cr_assert_eq(ntp_packet_test(&packet, &done), NTP_DUPLICATE);
	/* And so is one that says something else. */
	packet.receive++;
	packet.transmit++;
	cr_assert_eq(ntp_packet_test(&packet, &done), NTP_DUPLICATE);
	packet = answer();
	/* A server whose clock stands still */
	done.outstanding = true;
	cr_assert_eq(ntp_packet_test(&packet, &done), NTP_DUPLICATE);
	first.last_transmit = 0;
	packet.transmit = 0;
	cr_assert_eq(ntp_packet_test(&packet, &first), NTP_INVALID);
}

Test(ntp_packet, times_no_server_has)
{
	struct ntp_packet packet = answer();

	packet.receive = 0;
	cr_assert_eq(ntp_packet_test(&packet, &request), NTP_INVALID);
	packet = answer();
	packet.transmit = 0;
	cr_assert_eq(ntp_packet_test(&packet, &request), NTP_INVALID);
	packet = answer();
	packet.reference = packet.transmit + 1;
	cr_assert_eq(ntp_packet_test(&packet, &request), NTP_INVALID);
	/* Set just before the end of an era, sent just after it */
	packet.reference = 0xffffffff00000000;
	packet.receive = 0x0000000100000000;
	packet.transmit = 0x0000000100000001;
	cr_assert_eq(ntp_packet_test(&packet, &request), NTP_GOOD);
}

Test(ntp_packet, unsynchronised)
{
	struct ntp_packet packet = answer();
	unsigned int stratum;

	packet.leap = NTP_LEAP_UNKNOWN;
	cr_assert_eq(ntp_packet_test(&packet, &request), NTP_UNSYNCHRONIZED);
	packet.leap = 0;
	for (stratum = 16; stratum < 256; stratum++) {
		packet.stratum = (uint8_t)stratum;
		cr_assert_eq(ntp_packet_test(&packet, &request), NTP_UNSYNCHRONIZED);
	}
}

Test(ntp_packet, distance)
{
	struct ntp_packet packet = answer();

	packet.root_delay = 20 << 16;
	packet.root_dispersion = 5 << 16;
	packet.precision = -30;
	cr_assert_eq(ntp_packet_test(&packet, &request), NTP_GOOD);
	packet.root_dispersion = 6 << 16;
	cr_assert_eq(ntp_packet_test(&packet, &request), NTP_TOO_DISTANT);
	packet.root_delay = UINT32_MAX;
	packet.root_dispersion = UINT32_MAX;
	packet.precision = INT8_MAX;
	cr_assert_eq(ntp_packet_test(&packet, &request), NTP_TOO_DISTANT);
	packet = answer();
	packet.precision = 4;
	cr_assert_eq(ntp_packet_test(&packet, &request), NTP_TOO_DISTANT);
}

Test(ntp_packet, kisses)
{
	static const struct {
		char code[5];
		enum ntp_verdict verdict;
	} kisses[] = {
		{"DENY", NTP_KISS_DENY},  {"RSTR", NTP_KISS_DENY},  {"RATE", NTP_KISS_RATE},
		{"STEP", NTP_KISS_OTHER}, {"deny", NTP_KISS_OTHER},
	};
	struct ntp_packet packet = answer();
	size_t i;

	/* No other field of a kiss counts. */
	packet.stratum = 0;
	packet.leap = NTP_LEAP_UNKNOWN;
	packet.receive = 0;
	packet.transmit = 0;
	for (i = 0; i < sizeof(kisses) / sizeof(kisses[0]); i++) {
		const char *code = kisses[i].code;

		packet.reference_id = (uint32_t)code[0] << 24 | (uint32_t)code[1] << 16 |
				      (uint32_t)code[2] << 8 | (uint32_t)code[3];
		cr_assert_eq(ntp_packet_test(&packet, &request), kisses[i].verdict, "%s", code);
	}
	packet.reference_id = 0;
	cr_assert_eq(ntp_packet_test(&packet, &request), NTP_UNSYNCHRONIZED);
}

/*
 * A counter of 1 GHz that began at UTC 1,700,000,000 s, and a server. The path takes `forth` and
 * `back` ns, the server `served`; its clock is right. The request leaves at count `at`.
 */
static const struct timescale scale = {.base = 5000, .mult = 1ULL << CHRONOTICK_MULT_SHIFT};

static int exchange(struct sample *ret, int64_t at, int64_t forth, int64_t served, int64_t back,
		    uint8_t tx, uint8_t rx)
{
	const int64_t utc = 1700000000 * S;
	struct ntp_packet packet = answer();
	struct ntp_instant sent = {.error_ns = 20, .quality = tx};
	struct ntp_instant received = {.error_ns = 30, .quality = rx};

	packet.precision = -30;
	packet.leap = 1;
	sent.counter = scale.base + (uint64_t)at;
	received.counter = sent.counter + (uint64_t)(forth + served + back);
	packet.receive = ntp_time_from_ns(utc + at + forth);
	packet.transmit = ntp_time_from_ns(utc + at + forth + served);
	return ntp_exchange_sample(ret, &scale, &packet, &sent, &received);
}

Test(ntp_exchange, symmetric)
{
	struct sample sample;

	cr_assert_eq(exchange(&sample, 1000, 100000, 50000, 100000, CHRONOTICK_STAMP_KERNEL,
			      CHRONOTICK_STAMP_KERNEL),
		     0);
	cr_assert_eq(sample.offset_ns, 1700000000 * S);
	cr_assert_eq(sample.delay_ns, 200000);
	cr_assert_eq(sample.counter, scale.base + 1000 + 125000);
	cr_assert_eq(sample.dispersion_ns, 1 + 20 + 30 + 250000 / 2000 + 1);
	cr_assert_eq(sample.stamps_ns, 20 + 30);
	cr_assert_eq(sample.root_delay_ns, S / 16);
	cr_assert_eq(sample.root_dispersion_ns, S / 512);
	cr_assert_eq(sample.tx_stamp, CHRONOTICK_STAMP_KERNEL);
	cr_assert_eq(sample.rx_stamp, CHRONOTICK_STAMP_KERNEL);
	cr_assert_eq(sample.leap, 1);
	cr_assert_eq(sample.stratum, 2);
}

/* However unequal the ways are, the truth stays within delay / 2 + dispersion. */
Test(ntp_exchange, asymmetric)
{
	struct sample sample;
	int64_t forth;

	for (forth = 0; forth <= 1000000; forth += 1000) {
		int64_t off;

		cr_assert_eq(exchange(&sample, -7000000, forth, 12345, 1000000 - forth,
				      CHRONOTICK_STAMP_KERNEL, CHRONOTICK_STAMP_KERNEL),
			     0);
		cr_assert_eq(sample.delay_ns, 1000000);
		off = sample.offset_ns - 1700000000 * S;
		cr_assert(off <= sample.delay_ns / 2 + 1 && -off <= sample.delay_ns / 2 + 1);
	}
}

Test(ntp_exchange, user_stamps)
{
	struct sample kernel, one, both;

	cr_assert_eq(exchange(&kernel, 0, 1000, 0, 1000, CHRONOTICK_STAMP_KERNEL,
			      CHRONOTICK_STAMP_KERNEL),
		     0);
	cr_assert_eq(
		exchange(&one, 0, 1000, 0, 1000, CHRONOTICK_STAMP_USER, CHRONOTICK_STAMP_KERNEL),
		0);
	cr_assert_eq(
		exchange(&both, 0, 1000, 0, 1000, CHRONOTICK_STAMP_USER, CHRONOTICK_STAMP_USER), 0);
	cr_assert_eq(one.dispersion_ns, kernel.dispersion_ns + NTP_USER_STAMP_NS);
	cr_assert_eq(both.dispersion_ns, kernel.dispersion_ns + 2 * NTP_USER_STAMP_NS);
	cr_assert_eq(both.stamps_ns, kernel.stamps_ns + 2 * NTP_USER_STAMP_NS);
	cr_assert_eq(one.tx_stamp, CHRONOTICK_STAMP_USER);
	cr_assert_eq(one.rx_stamp, CHRONOTICK_STAMP_KERNEL);
}

Test(ntp_exchange, impossible)
{
	struct sample sample;
	const uint8_t kernel = CHRONOTICK_STAMP_KERNEL;

	/* Received before sent */
	cr_assert_eq(exchange(&sample, 0, 100, 0, -101, kernel, kernel), -ERANGE);
	/* The server sent before it received */
	cr_assert_eq(exchange(&sample, 0, 5000, -1, 5000, kernel, kernel), 0);
	cr_assert_eq(exchange(&sample, 0, 5000, -2, 5000, kernel, kernel), -ERANGE);
	/* The server took longer than the exchange: no more than the stamps may err */
	cr_assert_eq(exchange(&sample, 0, -20, 1000, -32, kernel, kernel), 0);
	cr_assert_eq(sample.delay_ns, 1);
	cr_assert_eq(exchange(&sample, 0, -20, 1000, -33, kernel, kernel), -ERANGE);
}

/* The server's times lie anywhere: nothing overflows, and the sample stays in range. */
Test(ntp_exchange, extremes)
{
	static const uint64_t times[] = {1, 1ULL << 63, 2524521599ULL << 32, 2524521600ULL << 32,
					 UINT64_MAX};
	static const uint64_t counters[] = {0, 1ULL << 62, 1ULL << 63, UINT64_MAX};
	size_t i, j, k;

	for (i = 0; i < 5 * 5; i++) {
		struct ntp_packet packet = answer();

		packet.receive = times[i % 5];
		packet.transmit = times[i / 5];
		for (j = 0; j < 4; j++) {
			for (k = 0; k < 4; k++) {
				struct ntp_instant sent = {.counter = counters[j]};
				struct ntp_instant received = {.counter = counters[k]};
				struct sample sample;

				if (ntp_exchange_sample(&sample, &scale, &packet, &sent, &received))
					continue;
				cr_assert(sample.delay_ns > 0);
				cr_assert(sample.dispersion_ns >= 0);
			}
		}
	}
}
