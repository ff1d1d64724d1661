/* SPDX-License-Identifier: MIT */
/*
 * A PTP port among simulated masters, in virtual time. A master's time is UTC, or TAI, beside what it
 * errs; each message takes the path's delay; each sample is compared with the truth.
 */
#ifndef SUPPORT_PTP_WORLD_H
#define SUPPORT_PTP_WORLD_H

#include "sources/ptp_port.h"

#define PTP_WORLD_UTC 1750000000000000000LL /* at the beginning */
#define PTP_WORLD_TAI_S 37
#define PTP_WORLD_MASTERS 24
#define PTP_WORLD_QUEUE 64
#define PTP_WORLD_S 1000000000LL

struct ptp_world_master {
	bool on;
	bool silent; /* it announces, and sends nothing else */
	bool deaf;   /* it answers no requests */
	bool one_step;
	bool follow_up_first;
	int64_t follow_up_ns; /* how long after the Sync message, else */
	bool negotiates;      /* it sends only what it was asked for */
	bool denies;
	bool tai;
	struct ptp_identity port;
	struct ptp_address address;
	struct ptp_announce announce;
	uint16_t flags;
	uint8_t domain;
	uint16_t sdo;
	int8_t log_announce, log_sync, log_delay;
	int64_t error_ns;      /* of its time */
	int64_t correction_ns; /* of what its messages spend in transparent clocks, on each way */
	const struct ptp_auth *auth;
	/* The rest is the world's. */
	int64_t announce_ns, sync_ns;
	uint16_t announce_sequence, sync_sequence;
	int64_t granted_ns[16];
	unsigned int cancelled;
};

struct ptp_world {
	int64_t now_ns;   /* since the beginning, and CLOCK_MONOTONIC */
	int64_t rate_ppb; /* by which the counter is fast */
	int64_t forth_ns, back_ns, jitter_ns;
	int64_t stamp_ns;  /* by which the port's stamps may be off, as they say */
	unsigned int loss; /* percent of the messages to the port */
	bool no_stamps;    /* transmit stamps do not come */
	bool twice;        /* each message comes twice */
	bool tells;        /* all messages but Announce messages tell the interval `told` */
	int told;
	bool crowded; /* all masters are neighbours */
	struct ptp_port_config config;
	struct timescale scale;
	struct ptp_port_ops ops;
	struct ptp_port *port;
	struct ptp_world_master masters[PTP_WORLD_MASTERS];
	struct ptp_world_flight {
		int64_t at_ns;
		bool is_stamp;
		bool event;
		int64_t number;
		struct ptp_address from;
		size_t size;
		uint8_t data[PTP_OUT_MAX];
	} queue[PTP_WORLD_QUEUE];
	unsigned int queued;
	int64_t tick_ns;
	int64_t numbers;
	uint16_t sequences[16]; /* of the latest message that the port sent, by type */
	uint16_t types;         /* that it sent, as bits */
	unsigned int requests, peer_requests, peer_responses, signals; /* that the port sent */

	unsigned int samples, outside; /* ... outside of its bound */
	int64_t worst_outside_ns;
	int64_t error_ns; /* of the latest sample */
	int64_t worst_error_ns;
	struct sample last;
	unsigned int losts;
	uint8_t lost; /* the latest */
};

/* A quiet link of 2 us each way, one master (the first one), E2E, 1 Sync message a second. */
void ptp_world_begin(struct ptp_world *world);
/* With the world's config, and after changes of it. */
void ptp_world_port(struct ptp_world *world);
void ptp_world_end(struct ptp_world *world);

/* Switch on a master like the first one, with another identity, and all of that better. */
struct ptp_world_master *ptp_world_master(struct ptp_world *world, unsigned int i,
					  uint8_t priority1);

void ptp_world_pass(struct ptp_world *world, int64_t for_ns);

/* A message of a master, ready to be sent */
struct ptp_message ptp_world_message(const struct ptp_world_master *master, enum ptp_type type,
				     uint16_t sequence);

/* Let a message come in after delay_ns, from an address, as it is or authenticated. */
void ptp_world_send(struct ptp_world *world, const struct ptp_message *message,
		    const struct ptp_address *from, const struct ptp_auth *auth, int64_t delay_ns);

/* What a master's clock shows now */
int64_t ptp_world_time(const struct ptp_world *world, const struct ptp_world_master *master);

struct ptp_statistics ptp_world_statistics(const struct ptp_world *world);
struct ptp_view ptp_world_view(const struct ptp_world *world);

#endif /* SUPPORT_PTP_WORLD_H */
