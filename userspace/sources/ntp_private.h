/* SPDX-License-Identifier: MIT */
/* What the files of the NTP client share: ntp.c asks, ntp_answer.c hears. */
#ifndef SOURCES_NTP_PRIVATE_H
#define SOURCES_NTP_PRIVATE_H

#include "sources/ntp.h"
#include "sources/ntp_interleaved.h"
#include "sources/ntp_local.h"
#include "sources/ntp_poll.h"
#include "sources/ntp_times.h"

enum phase {
	RESOLVING, /* the timer asks the resolver, or starts it again */
	RESTING,   /* the timer sends the next request */
	WAITING,   /* the timer gives the answer up */
	HOLDING,   /* the timer gives the transmit stamp up */
	OFFLINE,   /* the timer only keeps its place */
	STOPPED,
};

/* A request and what is known about it */
struct exchange {
	int64_t sent_ns; /* CLOCK_MONOTONIC */
	bool answered;   /* well enough to be of use for a later, interleaved, answer */
	struct ntp_times times;
	struct ntp_packet answer;
};

struct ntp {
	struct source_context context;
	unsigned int index;
	char *server;
	uint16_t port;
	enum phase phase;
	struct loop_timer timer;

	struct resolver *resolver;
	struct resolver_result found;
	bool numeric;
	unsigned int address;       /* which one of those found */
	unsigned int misses;        /* since the last answer or change of address */
	unsigned int resolve_again; /* failures in a row */

	char interface[IF_NAMESIZE]; /* "": without hardware stamps */
	struct hardware *hardware;   /* NULL: there are none now */
	char why[NIC_TEXT_SIZE];     /* not */
	int64_t hardware_ns;         /* when that was tried last, CLOCK_MONOTONIC */

	int fd; /* -1: none */
	bool fd_used;
	bool fd_stamps;

	enum ntp_use use; /* what the latest answer is good for */
	bool warm;        /* an answer has come since the start */
	struct ntp_poll poll;
	struct ntp_request request;
	struct ntp_interleaved interleaved;
	struct exchange exchange;
	struct exchange previous; /* the one before it, if that was answered */
	struct ntp_key key;       /* ID 0: without authentication */
	struct ntp_local local;
	int64_t local_ns; /* when it was read, CLOCK_MONOTONIC */
	struct ntp_statistics statistics;
	struct sample last;
	uint8_t told; /* what the owner was told last: enum chronotick_source_state */
};

/* Go on in that phase, at that CLOCK_MONOTONIC time if nothing happens before. */
void ntp_timer_at(struct ntp *ntp, enum phase phase, int64_t deadline_ns);

/* Tell the owner that the source must not be used, if that is news: enum chronotick_source_state. */
void ntp_tell_lost(struct ntp *ntp, uint8_t state);

/* Wait for the time of the next request. */
void ntp_rest(struct ntp *ntp);

/* The request is over without a sample: go on, perhaps with another address. */
void ntp_missed(struct ntp *ntp, bool refused);

/*
 * The clock of the interface against the counter, for a stamp that has come, of a packet that was sent
 * after that counter value, or (0) of one that came: fills *ret in.
 */
void ntp_hardware_stamp(struct ntp *ntp, const struct stamp *stamp, uint64_t sent,
			struct ntp_hardware_stamp *ret);

/* Read this host's addresses anew. */
void ntp_local_renew(struct ntp *ntp);

/* For good */
void ntp_stop(struct ntp *ntp);

/* The socket has something: a loop_fd_fn. */
void ntp_ready(void *data, int fd, short events);

/* Make of the latest answer what it is good for, with the stamps that have come. */
void ntp_complete(struct ntp *ntp);

#endif /* SOURCES_NTP_PRIVATE_H */
