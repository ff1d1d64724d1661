/* SPDX-License-Identifier: MIT */
#include "sources/ptp_profile.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

/*
 * IEEE 1588-2019 annex I.3 (its domain and intervals), ITU-T G.8275.1 and G.8275.2 annex A, and IEEE
 * 802.1AS-2020 clause 10 and 11
 */
static const struct {
	uint8_t transport, domain, mechanism;
	int8_t log_announce, log_sync, log_delay;
	uint8_t announce_timeout, algorithm;
	bool gptp;
} profiles[] = {
	[PTP_PROFILE_DEFAULT] = {PTP_L2, 0, PTP_E2E, 1, 0, 0, 3, PTP_BEST_DEFAULT, false},
	[PTP_PROFILE_G8275_1] = {PTP_L2, 24, PTP_E2E, -3, -4, -4, 3, PTP_BEST_G8275, false},
	[PTP_PROFILE_G8275_2] = {PTP_UDP4, 44, PTP_E2E, 0, -4, -4, 2, PTP_BEST_G8275, false},
	[PTP_PROFILE_GPTP] = {PTP_L2, 0, PTP_P2P, 0, -3, 0, 3, PTP_BEST_DEFAULT, true},
};

void ptp_profile_apply(struct ptp_config *config, unsigned int given)
{
	unsigned int i = config->profile;

	if (!(given & PTP_GIVEN_TRANSPORT))
		config->transport = profiles[i].transport == PTP_L2 && config->unicast
					    ? PTP_UDP4
					    : profiles[i].transport;
	if (!(given & PTP_GIVEN_DOMAIN))
		config->domain = profiles[i].domain;
	if (!(given & PTP_GIVEN_MECHANISM))
		config->mechanism = profiles[i].mechanism;
	if (!(given & PTP_GIVEN_ANNOUNCE))
		config->log_announce = profiles[i].log_announce;
	if (!(given & PTP_GIVEN_SYNC))
		config->log_sync = profiles[i].log_sync;
	if (!(given & PTP_GIVEN_DELAY))
		config->log_delay = profiles[i].log_delay;
	if (!(given & PTP_GIVEN_TIMEOUT))
		config->announce_timeout = profiles[i].announce_timeout;
	config->algorithm = profiles[i].algorithm;
	config->gptp = profiles[i].gptp;
}

int ptp_address_parse(struct ptp_address *ret, enum ptp_transport transport, const char *text)
{
	memset(ret, 0, sizeof(*ret));
	switch (transport) {
	case PTP_UDP4:
		ret->size = sizeof(struct in_addr);
		return inet_pton(AF_INET, text, ret->bytes) == 1 ? 0 : -EINVAL;
	case PTP_UDP6:
		ret->size = sizeof(struct in6_addr);
		return inet_pton(AF_INET6, text, ret->bytes) == 1 ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}
