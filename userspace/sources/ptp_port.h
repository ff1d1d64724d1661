/* SPDX-License-Identifier: MIT */
/*
 * A PTP port that is a client and never a master (IEEE 1588-2019, an ordinary clock with slaveOnly):
 * messages, stamps and times in; messages and samples out. Pure: sockets, clocks and timers are its
 * owner's (ptp.c), so tests and simulations run this very code.
 *
 *	ptp_message.h	messages as bytes		ptp_auth.h	whether they are authentic
 *	ptp_masters.h	which master is the best	ptp_unicast.h	what it is to be asked for
 *	ptp_utc.h	from its time to UTC		ptp_delay.h	what four times say
 *
 * Stamps are counter values: whoever stamps on another clock, be it CLOCK_REALTIME or a NIC's, brings
 * its stamps to the counter, and says what that may err.
 */
#ifndef SOURCES_PTP_PORT_H
#define SOURCES_PTP_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/sample.h"
#include "sources/ptp_auth.h"
#include "sources/ptp_masters.h"
#include "sources/ptp_message.h"
#include "sources/ptp_utc.h"

enum ptp_mechanism { PTP_E2E, PTP_P2P };

/* No more samples than that, however often the master sends */
#define PTP_SAMPLE_INTERVAL_NS 125000000LL

/* When a message passed */
struct ptp_instant {
	uint64_t counter;
	int64_t error_ns;
	uint8_t quality; /* enum chronotick_stamp */
};

struct ptp_port_config {
	uint8_t domain;
	uint16_t sdo;  /* 0x100: gPTP */
	uint8_t minor; /* minorVersionPTP of what is sent */
	enum ptp_mechanism mechanism;
	enum ptp_algorithm algorithm;
	uint8_t announce_timeout; /* announceReceiptTimeout, 2 to 255 */
	int8_t log_announce;      /* and the two below: to be asked for, -7 to 6 */
	int8_t log_sync;
	int8_t log_delay; /* also how often delays are measured as long as no master says */
	struct ptp_address master; /* of a unicast master; size 0: multicast */
	bool negotiates;           /* it has to be asked for messages */
	uint32_t grant_s;          /* for how long */
	struct ptp_utc_config utc;
	int64_t accuracy_ns;      /* how wrong a master may be; 0: as it says */
	int64_t asymmetry_ns;     /* delayAsymmetry: the way from the master less the mean, 7.4.2 */
	int64_t asymmetry_max_ns; /* how far beyond that it may be; negative: as the delay allows */
	struct ptp_auth auth;
	struct ptp_identity identity; /* its own */
	uint64_t seed;                /* random */
};

/* Counters of one port, all since start. received = accepted + rejected + dropped, beside ignored. */
struct ptp_statistics {
	uint64_t sent;
	uint64_t received;
	uint64_t accepted;
	uint64_t rejected;
	uint64_t rejects[PTP_VERDICTS]; /* the same by verdict; their sum is `rejected` */
	uint64_t dropped;               /* good, but no sample could be made with it */
	uint64_t ignored;               /* meant for others; not received */
	uint64_t stamps_missing;        /* transmit stamps that did not come in time */
	uint64_t unanswered;            /* requests */
	uint64_t changes;               /* of the master */
	bool is_authenticated;
};

enum ptp_state {
	PTP_LISTENING,
	PTP_UNCALIBRATED, /* there is a master, and no sample from it yet */
	PTP_SLAVE,
	PTP_FAULTY, /* its owner's: there is no interface to work with */
};

/* What there is to tell about a port */
struct ptp_view {
	enum ptp_state state;
	bool has_master;
	struct ptp_identity master; /* and below: only with a master */
	struct ptp_announce announce;
	uint16_t flags;
	bool is_tai;
	int32_t utc_offset_s;
	int64_t path_delay_ns; /* mean, of the latest measurement */
	int64_t correction_ns; /* of the latest Sync message */
	int64_t error_ns;      /* what the master may be wrong by */
	unsigned int masters;  /* that are heard */
	uint8_t reach;         /* of the latest eight requests, those that were answered */
	int8_t log_sync;       /* as the master says */
	int8_t log_delay;      /* as it is done */
	uint8_t leap;
};

enum ptp_destination { PTP_TO_ALL, PTP_TO_PEER, PTP_TO_ADDRESS };

struct ptp_outgoing {
	const uint8_t *data;
	size_t size;
	bool event; /* it goes to the event port, and its stamp is wanted */
	enum ptp_destination destination;
	const struct ptp_address *address; /* PTP_TO_ADDRESS */
};

struct ptp_port_ops {
	void *data;
	/*
	 * Send a message. Returns a number that is 0 or more, by which ptp_port_transmitted() will tell
	 * when it left, or a negative errno. It may not call the port.
	 */
	int64_t (*send)(void *data, const struct ptp_outgoing *outgoing);
	/* All members but source are filled in. It may not call the port, nor may the one below. */
	void (*sample)(void *data, const struct sample *sample);
	/* There is no more from it until the next sample: enum chronotick_source_state. */
	void (*lost)(void *data, uint8_t state);
};

struct ptp_port;

/* scale and ops outlive the port. Returns 0, -EINVAL for a config out of range, or -ENOMEM. */
int ptp_port_new(struct ptp_port **ret, const struct ptp_port_config *config,
		 const struct timescale *scale, const struct ptp_port_ops *ops, int64_t now_ns);
void ptp_port_free(struct ptp_port *port); /* NULL is allowed; nothing is sent */

/* Forget all masters and begin anew. */
void ptp_port_restart(struct ptp_port *port, int64_t now_ns);

/* Before it goes: cancel what a unicast master has granted. */
void ptp_port_leave(struct ptp_port *port, int64_t now_ns);

/*
 * A message has come; now_ns: CLOCK_MONOTONIC, as all such times. rx: when it came, NULL for one that
 * did not come to the event port. It is not looked at after the call.
 */
enum ptp_verdict ptp_port_receive(struct ptp_port *port, int64_t now_ns, const void *data,
				  size_t size, const struct ptp_address *from,
				  const struct ptp_instant *rx);

/*
 * The event message of that number left then; or, of quality USER, not before that. What is not told
 * within a second is not waited for.
 */
void ptp_port_transmitted(struct ptp_port *port, int64_t now_ns, int64_t number,
			  const struct ptp_instant *tx);

/* What has passed but could not be taken in: a message that was cut, or a stamp that is of no use. */
void ptp_port_count_malformed(struct ptp_port *port);
void ptp_port_count_dropped(struct ptp_port *port);

/* Do what is due, and tell when something will be. To be called after each of the others, too. */
int64_t ptp_port_tick(struct ptp_port *port, int64_t now_ns);

void ptp_port_view(const struct ptp_port *port, struct ptp_view *ret);
void ptp_port_statistics(const struct ptp_port *port, struct ptp_statistics *ret);

#endif /* SOURCES_PTP_PORT_H */
