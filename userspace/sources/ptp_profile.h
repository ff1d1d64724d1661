/* SPDX-License-Identifier: MIT */
/* PTP profiles: what a configuration has where it does not say otherwise. */
#ifndef SOURCES_PTP_PROFILE_H
#define SOURCES_PTP_PROFILE_H

#include <stdbool.h>

#include "sources/ptp.h"

/* The members that a profile sets, as bits: those which the configuration sets itself */
#define PTP_GIVEN_TRANSPORT 1U
#define PTP_GIVEN_DOMAIN 2U
#define PTP_GIVEN_MECHANISM 4U
#define PTP_GIVEN_ANNOUNCE 8U
#define PTP_GIVEN_SYNC 16U
#define PTP_GIVEN_DELAY 32U
#define PTP_GIVEN_TIMEOUT 64U

/*
 * Set what config->profile says and is not given, and the members that follow from the profile alone.
 * Unicast goes over UDP, so that is the default then.
 */
void ptp_profile_apply(struct ptp_config *config, unsigned int given);

/* An address as text, of a unicast master. Returns 0 or -EINVAL. */
int ptp_address_parse(struct ptp_address *ret, enum ptp_transport transport, const char *text);

#endif /* SOURCES_PTP_PROFILE_H */
