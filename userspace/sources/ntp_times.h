/* SPDX-License-Identifier: MIT */
/*
 * What this machine knows of one exchange: when the request left and when the answer came, stamped
 * by the kernel on CLOCK_REALTIME, and that clock against the counter before and after. Pure.
 */
#ifndef SOURCES_NTP_TIMES_H
#define SOURCES_NTP_TIMES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/sample.h"
#include "sources/ntp_packet.h"
#include "timestamping/cross.h"
#include "timestamping/stamp.h"

/* A stamp of the NIC's, on the counter */
struct ntp_hardware_stamp {
	bool has;
	uint64_t counter;
	int64_t error_ns;
};

struct ntp_times {
	struct cross before; /* the request was sent */
	struct cross after;  /* the answer was read */
	bool has_tx;
	int64_t tx_ns; /* from the kernel, however late it came */
	struct stamp rx;
	struct ntp_hardware_stamp hardware_tx;
	struct ntp_hardware_stamp hardware_rx;
};

/*
 * The sample of the exchange, with the server's times and distance from `answer`; all members but
 * `source` are filled in. The kernel's transmit stamp is used if it came and can be right: not
 * before the request was sent, not after the answer came. Else the time just before sending is.
 *
 * Both of the NIC's stamps go before the kernel's, if they can be right; of one alone the two ways would
 * be of two kinds.
 *
 * Returns 0; -ESTALE if the system clock stepped meanwhile; -ERANGE for times that cannot be (see
 * ntp_exchange_sample()).
 */
int ntp_times_sample(struct sample *ret, const struct ntp_times *times,
		     const struct counter *counter, const struct timescale *scale,
		     const struct ntp_packet *answer);

/* The counter value at which the kernel had the answer; 0: it has not stamped it. */
uint64_t ntp_times_arrival(const struct ntp_times *times, const struct counter *counter);

#endif /* SOURCES_NTP_TIMES_H */
