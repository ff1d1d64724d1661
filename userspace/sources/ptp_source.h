/* SPDX-License-Identifier: MIT */
/*
 * What a PTP source is in the daemon: a port (ptp_port.h), its sockets, and the stamps of its event
 * messages. Private to ptp.c and ptp_stamps.c.
 */
#ifndef SOURCES_PTP_SOURCE_H
#define SOURCES_PTP_SOURCE_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "sources/ptp.h"
#include "sources/ptp_socket.h"
#include "timestamping/clock_track.h"

/* Event messages whose transmit stamps may still come */
#define PTP_SENDS 8

struct ptp {
	struct source_context context;
	unsigned int index;
	char interface[IF_NAMESIZE];
	struct ptp_config given; /* without its strings */
	struct ptp_port_config config;
	struct ptp_port_ops ops;
	struct ptp_socket sockets;
	struct ptp_port *port; /* NULL while the sockets are not open */
	struct loop_timer timer;
	struct clock_track track;
	struct hardware *hardware; /* NULL: there is none */
	char why[NIC_TEXT_SIZE];
	bool given_up;                      /* its stamps did not come: the kernel's are used */
	unsigned int unstamped, unsent;     /* that came and were sent, in a row: no stamp */
	int64_t unstamped_ns;               /* when the row of those that came began */
	unsigned int stamped, stamped_sent; /* likewise, with one, after it was given up */
	int64_t hardware_ns;                /* where there is none: when to try that next */
	uint64_t missing;                   /* all without one, of both ways */
	bool online;
	bool broken; /* the sockets failed: open new ones */
	int64_t look_ns;
	uint32_t epoch; /* of the ids of stamps: they are counted from 0 by each socket */
	struct ptp_send {
		int64_t number;    /* -1: none */
		int64_t before_ns; /* CLOCK_REALTIME, before it was sent */
		int64_t sent_ns;   /* CLOCK_MONOTONIC */
		uint64_t counter;  /* before it was sent */
	} sends[PTP_SENDS];
	unsigned int next_send;
	struct ptp_statistics gone; /* of the ports before this one */
	struct sample last;
	uint64_t samples;
	uint64_t arrived; /* of the message that is being taken in, a counter value; 0: not known */
};

/* A number is an epoch of the ids, and an id. */
static inline int64_t ptp_stamps_number(const struct ptp *ptp, uint32_t id)
{
	return (int64_t)((uint64_t)(ptp->epoch & INT32_MAX) << 32 | id);
}

static inline int64_t ptp_realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Are the stamps those of the NIC? */
bool ptp_stamps_by_hardware(const struct ptp *ptp);

/*
 * Have the NIC stamp, if it can. One that has been given up is asked for its stamps all the same, to
 * see whether they come again.
 */
void ptp_stamps_start(struct ptp *ptp);

/* Is it time for the other kind of stamps? */
bool ptp_stamps_change(struct ptp *ptp, int64_t now_ns);

/*
 * What has no stamp after so long a time left later than the time before it was sent: with that, the
 * delay is longer than it was, and the truth within it. Returns when the next one is due.
 */
int64_t ptp_stamps_give_up(struct ptp *ptp, int64_t now_ns);

/* One message of the error queue. Returns false if it was empty. */
bool ptp_stamps_take(struct ptp *ptp, int64_t now_ns);

/*
 * A stamp brought to the counter, of a message that was sent after that counter value, or (0) of one
 * that came. Returns false if that is not possible now.
 */
bool ptp_stamps_instant(struct ptp *ptp, const struct stamp *stamp, uint64_t sent,
			struct ptp_instant *ret);

/* An event message has come from an interface that is to stamp it: is its stamp of use? */
void ptp_stamps_count(struct ptp *ptp, const struct stamp *stamp, bool good);

/* The counter value at which the kernel had a message that was just read; 0: it has not stamped it. */
uint64_t ptp_stamps_arrival(const struct ptp *ptp, const struct stamp *stamp);

#endif /* SOURCES_PTP_SOURCE_H */
