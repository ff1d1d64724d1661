/* SPDX-License-Identifier: MIT */
/*
 * The PTP client: one port of an ordinary clock on one interface, IEEE 1588-2019. It is never a
 * master and sets no clock. ptp_port.h has the protocol, ptp_socket.h the sockets.
 */
#ifndef SOURCES_PTP_H
#define SOURCES_PTP_H

#include <stdbool.h>
#include <stdint.h>

#include "sources/ptp_port.h"
#include "sources/ptp_socket.h"
#include "sources/resolver.h"
#include "sources/source.h"

struct ptp_config {
	const char *interface; /* 1 to 15 bytes */
	const char *unicast;   /* the master's address; NULL: multicast */
	uint8_t profile;       /* enum ptp_profile; only ptp_profile_apply() looks at it */
	uint8_t transport;     /* enum ptp_transport */
	uint8_t mechanism;     /* enum ptp_mechanism */
	uint8_t domain;
	uint8_t scope;     /* UDP6: 1 to 14, of the multicast group */
	uint8_t minor;     /* minorVersionPTP that is sent, 0 or 1 */
	uint8_t algorithm; /* enum ptp_algorithm */
	bool gptp;         /* IEEE 802.1AS: its sdoId and addresses */
	bool negotiates;   /* unicast: ask for messages */
	bool kernel;       /* the kernel's stamps, even where the NIC has some */
	uint8_t timescale; /* enum ptp_timescale */
	uint8_t announce_timeout;
	int8_t log_announce, log_sync, log_delay;
	uint16_t grant_s;
	int16_t utc_offset_s;
	uint32_t accuracy_ns;
	int32_t asymmetry_ns;
	int32_t asymmetry_max_ns;
	struct ptp_auth auth;
};

enum ptp_profile {
	PTP_PROFILE_DEFAULT,
	PTP_PROFILE_G8275_1,
	PTP_PROFILE_G8275_2,
	PTP_PROFILE_GPTP
};

struct ptp;

/*
 * A port on an interface, which need not be there yet: it is looked for every second. `index` is
 * the source's number in samples and events. Events beside samples: UNREACHABLE when there is no
 * master, or none that does what it announces; UNSYNCHRONIZED while UTC does not follow from its
 * time. Returns 0, -EINVAL for a config out of range, or another negative errno.
 */
int ptp_new(struct ptp **ret, const struct source_context *context, unsigned int index,
	    const struct ptp_config *config);
void ptp_free(struct ptp *ptp);

/*
 * Its stamps are the NIC's where that can stamp and says so when the sockets are opened: then a
 * message without one is dropped, since the two kinds are microseconds apart and that would be in
 * no bound. A NIC that does not stamp what it should is given up, for the kernel's stamps, until
 * the source starts anew.
 */

/* Does another configuration of the same interface say the same? */
bool ptp_is_configured(const struct ptp *ptp, const struct ptp_config *config);

/* Offline it sends and hears nothing, and what a unicast master has granted is cancelled. */
void ptp_online(struct ptp *ptp, bool online);

/*
 * Fill in name (of the master, or of the interface), kind, stamps, stratum, leap, reach, poll,
 * delay, dispersion, samples and last_counter; the other members are left alone.
 */
void ptp_describe(const struct ptp *ptp, struct chronotick_source *ret);
void ptp_statistics(const struct ptp *ptp, struct ptp_statistics *ret);
void ptp_view(const struct ptp *ptp, struct ptp_view *ret);

/* One line on its hardware stamps, or why there are none. Returns whether there are any. */
bool ptp_hardware(const struct ptp *ptp, char *ret, size_t size);

#endif /* SOURCES_PTP_H */
