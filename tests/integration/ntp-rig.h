/* SPDX-License-Identifier: MIT */
/*
 * A rig for the NTP client alone: clients and servers in one process, on one loop.
 *
 *	ntp client --> 127.0.0.1 or ::1, a free port --> server of this process
 *	    |                                                |
 *	 sample, lost  <--- what came out is held against --- CLOCK_REALTIME, the truth
 *
 * Every case has a client and a server of its own; all run at the same time. A case ends after so
 * many requests; what it says about counters and events is checked when all have ended.
 */
#ifndef TESTS_NTP_RIG_H
#define TESTS_NTP_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "loop/loop.h"
#include "sources/ntp.h"
#include "sources/ntp_packet.h"

#define S 1000000000LL
#define MS 1000000LL

#define NO_LOSS 255

struct test;

/* A server: gets a request, answers it as it likes. */
struct server {
	struct test *test;
	int fd;
	struct sockaddr_storage client;
	socklen_t client_size;
	/* Of the request in hand */
	uint64_t origin;             /* its transmit time: the origin of a basic answer */
	uint64_t origin_asked;       /* its origin: a receive time of this server's, or 0 */
	uint64_t origin_interleaved; /* its receive time */
	int64_t receive_ns;          /* CLOCK_REALTIME */
	struct ntp_packet last;
	unsigned int requests;
	int64_t first_ns[8]; /* CLOCK_MONOTONIC of the first requests */
	struct loop_timer later;
	struct ntp_packet delayed;
	/* What it keeps for an interleaved answer */
	uint64_t kept_receive;
	uint64_t kept_transmit;
	bool unanswered; /* the last request */
};

/* What a case expects */
enum samples {
	NONE,
	EVERY, /* one a request, but perhaps the last */
	SOME,
};

struct behaviour {
	const char *name;
	int family;
	void (*answer)(struct server *server); /* NULL: nobody listens at that port */
	unsigned int requests;                 /* the case ends after so many */
	enum samples samples;
	uint8_t lost;             /* the event it must end in, or NO_LOSS */
	unsigned int rejects;     /* refused datagrams: at least so many a request */
	bool stops;               /* after the first request there is no second */
	bool drops;               /* good packets, impossible exchanges */
	bool deaf;                /* nothing reaches the client */
	bool iburst;              /* the first answer is none yet */
	uint8_t a_poll;           /* requests a poll; 0: one */
	bool slower;              /* each interval is twice the one before */
	const char *host;         /* what the client is told, where it is not the address */
	bool silent;              /* it says nothing: how others fare is compared with that */
	bool xleave;              /* the client asks for interleaved answers ... */
	unsigned int interleaved; /* ... and gets at least so many */
	const struct ntp_key *key;
	enum ntp_verdict verdict; /* the reason why packets are refused; NTP_GOOD: any */
	unsigned int losable;     /* so many requests, and one, may stay without a sample */
};

int64_t realtime_ns(void);

void send_bytes(struct server *server, int fd, const void *data, size_t size);
void send_packet(struct server *server, const struct ntp_packet *packet);

/* Not now, but so many ns later; one at a time. */
void send_later(struct server *server, const struct ntp_packet *packet, int64_t after_ns);

/* The truth: a stratum 1 server on this host's clock */
struct ntp_packet honest(struct server *server);
void answer_honest(struct server *server);

/* A kiss-o'-death of four letters */
void kiss(struct server *server, const char *code);

/*
 * Run the cases. argv[1], if there is one, says what becomes of the kernel's packet stamps: "stamps",
 * "no-stamps", or "lost-stamps" for transmit stamps that never come, although they were asked for; a
 * seccomp filter sees to it. Then user-space stamps have to do. Returns the program's exit status.
 */
int rig_run(const struct behaviour *behaviours, unsigned int count, int argc, char **argv);

#endif /* TESTS_NTP_RIG_H */
