/* SPDX-License-Identifier: MIT */
/*
 * NTP answers as an attacker may send them: the parser, the packet tests, and the sample that comes
 * out of what passes. The input is a struct setup, then the datagram.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sources/ntp_exchange.h"
#include "sources/ntp_packet.h"

/* What the local side knows, from the input too */
struct setup {
	uint64_t origin;
	uint64_t last_transmit;
	uint64_t base;
	uint64_t mult;
	uint32_t sent;     /* counts after the base */
	uint32_t received; /* counts after the request was sent */
	uint32_t error_ns;
	uint32_t served; /* 2^-32 s */
	uint8_t flags;   /* 1: outstanding, 2: the datagram has our origin, 4: T3 = T2 + served,
			  * 8: or our interleaved origin, 16: the answer before was interleaved */
	uint8_t quality[2];
	uint8_t unused[5];
	uint64_t last_receive;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Half of an interval and both ways: the offset is in their middle, and the bound holds both. */
static void check_sample(const struct sample *sample, const struct timescale *scale,
			 const struct ntp_packet *packet, const struct ntp_instant *sent,
			 const struct ntp_instant *received)
{
	int64_t forth = ntp_time_to_ns(packet->receive) - timescale_ns(scale, sent->counter);
	int64_t back = ntp_time_to_ns(packet->transmit) - timescale_ns(scale, received->counter);
	int64_t width = sample->delay_ns / 2 + sample->dispersion_ns + 1;

	if (sample->delay_ns < 1 || sample->dispersion_ns < 0 || sample->root_delay_ns < 0 ||
	    sample->root_dispersion_ns < 0 || sample->leap > 2 || sample->stratum < 1 ||
	    sample->stratum > NTP_STRATUM_MAX)
		abort();
	if (sample->counter - sent->counter > received->counter - sent->counter)
		abort();
	if (llabs(forth - sample->offset_ns) > width || llabs(back - sample->offset_ns) > width)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ntp_instant sent, received;
	struct ntp_request request;
	struct ntp_packet packet;
	struct timescale scale;
	struct sample sample;
	uint8_t again[NTP_PACKET_SIZE];
	struct setup setup;
	bool interleaved;

	if (size < sizeof(setup))
		return 0;
	memcpy(&setup, data, sizeof(setup));
	data += sizeof(setup);
	size -= sizeof(setup);
	if (ntp_packet_parse(&packet, data, size) < 0)
		return 0;
	ntp_packet_write(&packet, again);
	if (memcmp(again, data, sizeof(again)))
		abort();

	if (setup.flags & 4)
		packet.transmit = packet.receive + setup.served;
	memset(&request, 0, sizeof(request));
	request.outstanding = setup.flags & 1;
	request.origin = setup.flags & 2 ? packet.origin : setup.origin;
	request.origin_interleaved = setup.flags & 8 ? packet.origin : ~request.origin;
	request.last_receive = setup.last_receive;
	request.last_transmit = setup.last_transmit;
	request.last_interleaved = setup.flags & 16;
	if (ntp_packet_test(&packet, &request) != NTP_GOOD)
		return 0;
	interleaved = ntp_packet_is_interleaved(&packet, &request);
	if (!request.outstanding ||
	    packet.origin != (interleaved ? request.origin_interleaved : request.origin))
		abort();
	if (interleaved ? packet.receive == request.last_receive
			: packet.transmit == request.last_transmit)
		abort();
	ntp_request_answered(&request, &packet);
	if (ntp_packet_test(&packet, &request) != NTP_DUPLICATE)
		abort();

	scale.base = setup.base;
	scale.mult = setup.mult | 1;
	sent = (struct ntp_instant){.counter = setup.base + setup.sent,
				    .error_ns = setup.error_ns,
				    .quality = setup.quality[0]};
	received = (struct ntp_instant){.counter = sent.counter + setup.received,
					.error_ns = setup.error_ns,
					.quality = setup.quality[1]};
	if (ntp_exchange_sample(&sample, &scale, &packet, &sent, &received) == 0)
		check_sample(&sample, &scale, &packet, &sent, &received);
	return 0;
}
