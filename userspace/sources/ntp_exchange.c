/* SPDX-License-Identifier: MIT */
#include "sources/ntp_exchange.h"

#include <errno.h>
#include <string.h>

#include "chronotick_page.h"

/* No exchange takes a day. */
#define PASSED_MAX_NS (86400LL * 1000000000)

static int64_t stamp_allowance(uint8_t quality)
{
	return quality == CHRONOTICK_STAMP_USER ? NTP_USER_STAMP_NS : 0;
}

int ntp_exchange_sample(struct sample *ret, const struct timescale *scale,
			const struct ntp_packet *answer, const struct ntp_instant *sent,
			const struct ntp_instant *received)
{
	int64_t t2 = ntp_time_to_ns(answer->receive), t3 = ntp_time_to_ns(answer->transmit);
	int64_t precision_ns = ntp_log2_to_ns(answer->precision);
	int64_t counts = (int64_t)(received->counter - sent->counter);
	int64_t passed, served, stamps_ns, dispersion_ns, delay_ns;
	__int128 raw1, raw4;

	raw1 = timescale_fixed(scale, sent->counter) >> 64;
	raw4 = timescale_fixed(scale, received->counter) >> 64;
	if (counts < 0 || raw4 < raw1 || raw4 - raw1 > PASSED_MAX_NS)
		return -ERANGE;
	passed = (int64_t)(raw4 - raw1);
	served = t3 - t2;
	if (served < -precision_ns)
		return -ERANGE;
	stamps_ns = sent->error_ns + received->error_ns + stamp_allowance(sent->quality) +
		    stamp_allowance(received->quality);
	dispersion_ns = precision_ns + stamps_ns + passed / NTP_RATE_PART + 1;
	delay_ns = passed - served;
	if (delay_ns < -dispersion_ns)
		return -ERANGE;

	memset(ret, 0, sizeof(*ret));
	ret->counter = sent->counter + (uint64_t)counts / 2;
	ret->offset_ns = (int64_t)((t2 - raw1 + t3 - raw4) / 2);
	ret->delay_ns = delay_ns > 0 ? delay_ns : 1;
	ret->dispersion_ns = dispersion_ns;
	ret->stamps_ns = stamps_ns;
	ret->root_delay_ns = ntp_short_to_ns(answer->root_delay);
	ret->root_dispersion_ns = ntp_short_to_ns(answer->root_dispersion);
	ret->tx_stamp = sent->quality;
	ret->rx_stamp = received->quality;
	ret->leap = answer->leap;
	ret->stratum = answer->stratum;
	return 0;
}
