/* SPDX-License-Identifier: MIT */
#include "sources/ntp_interleaved.h"

void ntp_interleaved_ask(const struct ntp_interleaved *interleaved, int64_t interval_ns,
			 const uint64_t random[2], struct ntp_packet *packet,
			 struct ntp_request *request)
{
	packet->transmit = random[0];
	request->origin = random[0];
	request->origin_interleaved = 0;
	request->answered = false;
	if (!interleaved->wanted || !interleaved->remembered ||
	    interval_ns > NTP_INTERLEAVED_MAX_NS)
		return;
	packet->origin = interleaved->remembered;
	packet->receive = random[1];
	request->origin_interleaved = random[1];
}

enum ntp_use ntp_interleaved_answered(struct ntp_interleaved *interleaved,
				      const struct ntp_packet *answer,
				      const struct ntp_request *request)
{
	bool now = ntp_packet_is_interleaved(answer, request), before = interleaved->running;

	interleaved->running = now;
	interleaved->remembered = answer->receive;
	if (!now)
		return NTP_USE_THIS;
	return before ? NTP_USE_PREVIOUS : NTP_USE_NONE;
}

void ntp_interleaved_lost(struct ntp_interleaved *interleaved)
{
	interleaved->running = false;
	interleaved->remembered = 0;
}

struct ntp_packet ntp_interleaved_join(const struct ntp_packet *before,
				       const struct ntp_packet *now)
{
	struct ntp_packet ret = *before;

	ret.transmit = now->transmit;
	ret.leap = now->leap;
	return ret;
}
