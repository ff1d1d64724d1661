/* SPDX-License-Identifier: MIT */
#include "sources/ntp_packet.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define NS_PER_S 1000000000LL

/* 1970-01-01 and 1980-01-01 in seconds since 1900 */
#define UNIX_EPOCH 2208988800U
#define ERA_START 2524521600U

#define VERSION_MIN 3

#define ONE_SECOND (1ULL << 32) /* in NTP time */

/* The header as it is on the wire (RFC 5905 figure 8) */
struct wire {
	uint8_t leap_version_mode;
	uint8_t stratum;
	int8_t poll;
	int8_t precision;
	uint32_t root_delay;
	uint32_t root_dispersion;
	uint32_t reference_id;
	uint64_t reference;
	uint64_t origin;
	uint64_t receive;
	uint64_t transmit;
};
_Static_assert(sizeof(struct wire) == NTP_PACKET_SIZE, "no holes");

int ntp_packet_parse(struct ntp_packet *ret, const void *data, size_t size)
{
	struct wire wire;

	if (size < sizeof(wire) || size % 4)
		return -EBADMSG;
	memcpy(&wire, data, sizeof(wire));
	ret->leap = wire.leap_version_mode >> 6;
	ret->version = wire.leap_version_mode >> 3 & 7;
	ret->mode = wire.leap_version_mode & 7;
	ret->stratum = wire.stratum;
	ret->poll = wire.poll;
	ret->precision = wire.precision;
	ret->root_delay = be32toh(wire.root_delay);
	ret->root_dispersion = be32toh(wire.root_dispersion);
	ret->reference_id = be32toh(wire.reference_id);
	ret->reference = be64toh(wire.reference);
	ret->origin = be64toh(wire.origin);
	ret->receive = be64toh(wire.receive);
	ret->transmit = be64toh(wire.transmit);
	if (ret->mode != NTP_MODE_SERVER || ret->version < VERSION_MIN ||
	    ret->version > NTP_VERSION)
		return -EBADMSG;
	return 0;
}

void ntp_packet_write(const struct ntp_packet *packet, uint8_t ret[NTP_PACKET_SIZE])
{
	struct wire wire = {
		.leap_version_mode = (uint8_t)((packet->leap & 3) << 6 |
					       (packet->version & 7) << 3 | (packet->mode & 7)),
		.stratum = packet->stratum,
		.poll = packet->poll,
		.precision = packet->precision,
		.root_delay = htobe32(packet->root_delay),
		.root_dispersion = htobe32(packet->root_dispersion),
		.reference_id = htobe32(packet->reference_id),
		.reference = htobe64(packet->reference),
		.origin = htobe64(packet->origin),
		.receive = htobe64(packet->receive),
		.transmit = htobe64(packet->transmit),
	};

	memcpy(ret, &wire, sizeof(wire));
}

int64_t ntp_time_to_ns(uint64_t time)
{
	/* Seconds since 1980, whatever the era; the fraction rounds to at most 1e9. */
	uint32_t s = (uint32_t)(time >> 32) - ERA_START;
	uint64_t ns = ((time & UINT32_MAX) * NS_PER_S + (1ULL << 31)) >> 32;

	return ((int64_t)s + ERA_START - UNIX_EPOCH) * NS_PER_S + (int64_t)ns;
}

uint64_t ntp_time_from_ns(int64_t ns)
{
	int64_t s = ns / NS_PER_S, part = ns % NS_PER_S;

	if (part < 0) {
		s--;
		part += NS_PER_S;
	}
	/* 999,999,999 ns are 0.23 s * 2^-32 below the next second: the fraction never rounds over.
	 */
	return ((uint64_t)s + UNIX_EPOCH) << 32 |
	       (((uint64_t)part << 32) + NS_PER_S / 2) / (uint64_t)NS_PER_S;
}

int64_t ntp_short_to_ns(uint32_t value)
{
	return (int64_t)(((uint64_t)value * NS_PER_S + 0xffff) >> 16);
}

int64_t ntp_log2_to_ns(int log2)
{
	if (log2 < -30)
		return 1;
	if (log2 > 32)
		log2 = 32;
	if (log2 >= 0)
		return NS_PER_S << log2;
	return (NS_PER_S + (1LL << -log2) - 1) >> -log2;
}

static const struct kiss {
	char code[5];
	enum ntp_verdict verdict;
} kisses[] = {
	{"DENY", NTP_KISS_DENY},
	{"RSTR", NTP_KISS_DENY},
	{"RATE", NTP_KISS_RATE},
};

static enum ntp_verdict kiss_of(uint32_t reference_id)
{
	uint32_t wire = htobe32(reference_id);
	size_t i;

	if (!reference_id)
		return NTP_UNSYNCHRONIZED;
	for (i = 0; i < sizeof(kisses) / sizeof(kisses[0]); i++) {
		if (!memcmp(kisses[i].code, &wire, sizeof(wire)))
			return kisses[i].verdict;
	}
	return NTP_KISS_OTHER;
}

const char *ntp_verdict_name(enum ntp_verdict verdict)
{
	static const char *const names[NTP_VERDICTS] = {
		[NTP_GOOD] = "good",
		[NTP_MALFORMED] = "malformed",
		[NTP_BOGUS] = "bogus",
		[NTP_DUPLICATE] = "duplicate",
		[NTP_LATE] = "late",
		[NTP_UNAUTHENTIC] = "not authentic",
		[NTP_INVALID] = "impossible times",
		[NTP_UNSYNCHRONIZED] = "unsynchronized",
		[NTP_TOO_DISTANT] = "too distant",
		[NTP_KISS_DENY] = "kiss DENY",
		[NTP_KISS_RATE] = "kiss RATE",
		[NTP_KISS_OTHER] = "other kiss",
		[NTP_LOOP] = "loop",
	};

	return verdict < NTP_VERDICTS ? names[verdict] : "unknown";
}

bool ntp_packet_is_interleaved(const struct ntp_packet *packet, const struct ntp_request *request)
{
	return request->origin_interleaved && packet->origin == request->origin_interleaved;
}

/* One of those that answer no request that waits: which kind? */
static enum ntp_verdict test_stranger(const struct ntp_packet *packet,
				      const struct ntp_request *request, bool ours)
{
	if (ours && !request->answered)
		return NTP_LATE;
	if (ours || (request->last_transmit && packet->transmit == request->last_transmit))
		return NTP_DUPLICATE;
	return NTP_BOGUS;
}

/* Is a after b? A difference of two times holds across eras. */
static bool is_after(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) > 0;
}

static enum ntp_verdict test_times_basic(const struct ntp_packet *packet,
					 const struct ntp_request *request)
{
	/* A server that has stopped, or repeats itself under a new origin */
	if (packet->transmit == request->last_transmit)
		return NTP_DUPLICATE;
	/* Set after it was sent */
	if (packet->reference && is_after(packet->reference, packet->transmit))
		return NTP_INVALID;
	return NTP_GOOD;
}

/* The transmit time is the one of the answer before, so it lies before the receive time. */
static enum ntp_verdict test_times_interleaved(const struct ntp_packet *packet,
					       const struct ntp_request *request)
{
	if (packet->receive == request->last_receive ||
	    (request->last_interleaved && packet->transmit == request->last_transmit))
		return NTP_DUPLICATE;
	if (!is_after(packet->receive, packet->transmit))
		return NTP_INVALID;
	/* It may have been set between the arrival of the request and its answer. */
	if (packet->reference && is_after(packet->reference, packet->receive + ONE_SECOND))
		return NTP_INVALID;
	return NTP_GOOD;
}

enum ntp_verdict ntp_packet_test(const struct ntp_packet *packet, const struct ntp_request *request)
{
	bool interleaved = ntp_packet_is_interleaved(packet, request);
	bool ours = interleaved || (request->origin && packet->origin == request->origin);
	enum ntp_verdict verdict;

	/* Without our origin nothing is believed: anybody may have sent it. */
	if (!request->outstanding || !ours)
		return test_stranger(packet, request, ours);
	if (packet->stratum == 0)
		return kiss_of(packet->reference_id);
	if (packet->leap == NTP_LEAP_UNKNOWN || packet->stratum > NTP_STRATUM_MAX)
		return NTP_UNSYNCHRONIZED;
	if (!packet->receive || !packet->transmit)
		return NTP_INVALID;
	verdict = interleaved ? test_times_interleaved(packet, request)
			      : test_times_basic(packet, request);
	if (verdict != NTP_GOOD)
		return verdict;
	if (ntp_short_to_ns(packet->root_delay) / 2 + ntp_short_to_ns(packet->root_dispersion) +
		    ntp_log2_to_ns(packet->precision) >=
	    NTP_DISTANCE_MAX_NS)
		return NTP_TOO_DISTANT;
	return NTP_GOOD;
}

void ntp_request_answered(struct ntp_request *request, const struct ntp_packet *answer)
{
	request->outstanding = false;
	request->answered = true;
	request->last_receive = answer->receive;
	request->last_transmit = answer->transmit;
	request->last_interleaved = ntp_packet_is_interleaved(answer, request);
}
