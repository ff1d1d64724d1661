/* SPDX-License-Identifier: MIT */
/* What the files of a PTP port share: ptp_port.c, ptp_sync.c and ptp_peer.c. */
#ifndef SOURCES_PTP_PRIVATE_H
#define SOURCES_PTP_PRIVATE_H

#include "sources/ptp_delay.h"
#include "sources/ptp_port.h"
#include "sources/ptp_unicast.h"

#define PTP_MS 1000000LL
#define PTP_SYNCS 16  /* Sync messages and follow-ups that wait for each other */
#define PTP_WINDOW 32 /* Sync messages of which one becomes a sample */
#define PTP_QUICKEST 32
#define PTP_PEER_DELAYS 8
#define PTP_ANSWERS 4 /* to peers, whose transmit stamps are waited for */

#define PTP_ANSWER_NS (1000 * PTP_MS) /* how long a response and a stamp are waited for */
#define PTP_UNANSWERED_MAX 8          /* requests, in a row */

/* A Sync message, with its follow-up */
struct ptp_sync {
	bool used;
	uint16_t sequence;
	bool has_sync, has_origin, complete;
	struct ptp_instant rx;
	int64_t came_ns;    /* the Sync message, or what overtook it */
	int64_t correction; /* 2^-16 ns, of both */
	int64_t origin_ns;
	int64_t utc_ns; /* of the two above; filled in when it is complete */
};

/* A request for which a response is awaited */
struct ptp_request {
	bool outstanding;
	uint16_t sequence;
	int64_t number; /* of the message, for its stamp */
	int64_t sent_ns;
	bool has_tx, has_response;
	struct ptp_instant tx;
};

#define PTP_AUTHENTIC 4

struct ptp_port {
	struct ptp_port_config config;
	const struct timescale *scale;
	const struct ptp_port_ops *ops;
	struct ptp_masters masters;
	struct ptp_unicast unicast;
	struct ptp_statistics statistics;
	uint64_t random;
	uint8_t told; /* enum chronotick_source_state: what the owner was told last */
	uint8_t reach;
	uint16_t signaling_sequence;

	/* The master, and all that is known of it and the way to it */
	bool has_master;
	bool sampled;
	bool has_followed;            /* one, at any time */
	struct ptp_identity followed; /* the latest */
	struct ptp_master master;     /* a copy, of its latest Announce message */
	int64_t since_ns;
	struct ptp_utc utc;
	struct ptp_rate rate;
	struct ptp_least least;
	int64_t path_delay_ns;
	int64_t correction_ns;
	int8_t log_sync, log_delay;

	struct ptp_sync syncs[PTP_SYNCS];
	unsigned int next_sync;
	bool has_sequence;
	uint16_t sequence; /* of the latest Sync message */
	int64_t synced_ns; /* when that came */
	int64_t sampled_ns;
	struct {
		struct ptp_identity port;
		int64_t utc_ns;
	} authentic[PTP_AUTHENTIC]; /* P2P: the latest time of authenticated ones, of whom */
	unsigned int next_authentic;
	struct ptp_sync window[PTP_WINDOW]; /* P2P */
	unsigned int window_count;
	struct ptp_limit quickest[PTP_QUICKEST]; /* of each window before */
	unsigned int quickest_count, quickest_next;

	/* E2E: a request, and the Sync message before it */
	struct ptp_sync paired;
	struct ptp_request request;
	uint16_t request_sequence;
	int64_t receive_ns; /* of the request, by the master */
	int64_t receive_correction;
	int64_t request_ns; /* when the next one is due; INT64_MAX: with a Sync message to come */
	int64_t request_after_ns; /* not before that */
	unsigned int unanswered;  /* in a row */

	/* P2P */
	struct ptp_request peer;
	struct ptp_identity responder;
	uint16_t peer_sequence;
	int64_t peer_request_ns;
	struct ptp_instant peer_rx;
	bool peer_two_step, peer_followed;
	int64_t peer_received_ns, peer_sent_ns; /* the peer's times */
	int64_t peer_corrections[2];            /* of its response, and of its follow-up */
	struct ptp_rate peer_rate;
	struct ptp_peer_delay {
		int64_t delay_ns, dispersion_ns; /* there and back */
	} peer_delays[PTP_PEER_DELAYS];
	unsigned int peer_count, peer_next;
	struct ptp_least peer_least;
	int64_t peer_least_ns;        /* one way, as ptp_least_add() has it */
	unsigned int peer_unanswered; /* in a row */
	int64_t peer_crowded_ns;      /* until then it is not known who the neighbour is */
	uint8_t peer_tx_quality;
	struct ptp_answer {
		bool used;
		int64_t number;
		uint16_t sequence;
		struct ptp_identity requesting;
		struct ptp_address address;
	} answers[PTP_ANSWERS];
	unsigned int next_answer;
	int64_t answered_s;    /* the second in which */
	unsigned int answered; /* so many peers were answered */
};

/* The raw time of a counter value, ns */
int64_t ptp_raw_ns(const struct ptp_port *port, uint64_t counter);

/* At random, 0 to below the limit */
uint64_t ptp_random(struct ptp_port *port, uint64_t below);

/* A message of that type from this port, ready to be completed */
struct ptp_message ptp_begin(const struct ptp_port *port, enum ptp_type type, uint16_t sequence);

/* Send one that was written into a buffer of PTP_OUT_MAX. As ops.send */
int64_t ptp_send(struct ptp_port *port, uint8_t *data, size_t size, bool event,
		 enum ptp_destination destination, const struct ptp_address *address);

/* Where what is for the master goes */
enum ptp_destination ptp_master_destination(const struct ptp_port *port);

/* Tell the owner that the source must not be used, if that is news. */
void ptp_tell_lost(struct ptp_port *port, uint8_t state);

/* What was taken makes no sample. */
void ptp_drop(struct ptp_port *port);

/* The master was asked, and has answered or not. */
void ptp_reached(struct ptp_port *port, bool answered);

/* ptp_sync.c: the master's time, by its Sync messages and, with E2E, the responses to requests */
void ptp_sync_reset(struct ptp_port *port, int64_t now_ns);
enum ptp_verdict ptp_sync_receive(struct ptp_port *port, int64_t now_ns,
				  const struct ptp_message *message, const struct ptp_instant *rx);
enum ptp_verdict ptp_follow_up_receive(struct ptp_port *port, int64_t now_ns,
				       const struct ptp_message *message);
enum ptp_verdict ptp_delay_resp_receive(struct ptp_port *port, int64_t now_ns,
					const struct ptp_message *message);
bool ptp_sync_transmitted(struct ptp_port *port, int64_t now_ns, int64_t number,
			  const struct ptp_instant *tx);
int64_t ptp_sync_tick(struct ptp_port *port, int64_t now_ns);

/* ptp_peer.c: the delay of the link, by asking whoever is at its other end */
void ptp_peer_reset(struct ptp_port *port, int64_t now_ns);
enum ptp_verdict ptp_peer_receive(struct ptp_port *port, int64_t now_ns,
				  const struct ptp_message *message, const struct ptp_address *from,
				  const struct ptp_instant *rx);
bool ptp_peer_transmitted(struct ptp_port *port, int64_t now_ns, int64_t number,
			  const struct ptp_instant *tx);
int64_t ptp_peer_tick(struct ptp_port *port, int64_t now_ns);

/* The link's delay, there and back: the median of the latest. Returns false if it is not known. */
bool ptp_peer_delay(const struct ptp_port *port, struct ptp_peer_delay *ret);

#endif /* SOURCES_PTP_PRIVATE_H */
