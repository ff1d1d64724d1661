/* SPDX-License-Identifier: MIT */
/*
 * The NTP client: one server, NTPv4 (RFC 5905), client mode, basic or interleaved (RFC 9769), with
 * or without a symmetric key.
 */
#ifndef SOURCES_NTP_H
#define SOURCES_NTP_H

#include <stdbool.h>
#include <stdint.h>

#include "sources/ntp_auth.h"
#include "sources/ntp_packet.h"
#include "sources/resolver.h"
#include "sources/source.h"

struct ntp_config {
	const char *server;    /* name, or IPv4 or IPv6 address */
	uint16_t port;         /* 123 */
	bool iburst;           /* the first four requests, and three after a silence of eight, are
			     * at most 2 s apart, whatever minpoll says */
	int8_t minpoll;        /* log2 s, -3 to 17 */
	int8_t maxpoll;        /* log2 s, minpoll to 17 */
	uint8_t samples;       /* requests a poll, 2 s apart at most: 1 to 8; 0 is 1 */
	const char *interface; /* that stamps by hardware, and that packets go by; NULL: none */
	bool xleave;           /* ask for interleaved answers (RFC 9769); without them as always */
	struct ntp_key key;    /* authenticate with it; ID 0: not at all */
};

/* Counters of one server, all since start. received = accepted + rejected + dropped + held. */
struct ntp_statistics {
	uint64_t sent;
	uint64_t received;
	uint64_t accepted;
	uint64_t rejected; /* failed a packet test of RFC 5905 section 8, or was no NTP packet */
	uint64_t rejects[NTP_VERDICTS]; /* the same by enum ntp_verdict; their sum is `rejected` */
	uint64_t dropped; /* passed them, but the system clock stepped meanwhile, or the times
			    * can't be, or it was the very first one and more of a burst follow, or
			    * the first interleaved one */
	uint64_t stamps_missing;   /* transmit stamps that did not come in time */
	uint64_t stamps_late;      /* those that came after that */
	uint64_t stamps_twice;     /* those that came again */
	uint64_t hardware_missing; /* exchanges of which the NIC did not stamp both packets */
	uint64_t interleaved;      /* answers in interleaved mode, accepted or dropped */
	bool is_interleaved;       /* the mode now */
	bool is_authenticated;
	int8_t poll; /* the interval now, log2 s; a burst goes before it */
};

struct ntp;

/*
 * A client of one server, polling from now on. Names are resolved by a helper thread, and again
 * when no address answers; the server's other addresses are tried first.
 *
 * The first request goes out 0.1 to 0.2 s after the address is known, the next ones as iburst says
 * or 2^minpoll s apart. Answers that are where those before them point to raise that to 2^maxpoll
 * s, lost ones lower it. With iburst the very first answer gives no sample. An answer is waited
 * for 1 s, the transmit stamp of its request 50 ms more.
 *
 * `index` is the source's number in samples and events, below 65536. Neither event may free it.
 * Events beside samples: UNREACHABLE after eight requests without an answer, UNSYNCHRONIZED if the
 * server says so or is 16 s away from UTC, LOOP if it takes its time from this host or is one of
 * its addresses, DENIED after kiss-o'-death DENY or RSTR, which ends it.
 *
 * With an interface its hardware stamps are used where both packets of an exchange have one, else
 * the kernel's. All packets go by that interface then. One that cannot stamp is tried again with
 * the next request, at most once a minute.
 *
 * In interleaved mode a sample comes with the answer to the next request, so it is one interval
 * old. A transmit stamp may come until then.
 *
 * Returns 0, -EINVAL for a config out of range, or a negative errno.
 */
int ntp_new(struct ntp **ret, const struct source_context *context, unsigned int index,
	    const struct ntp_config *config);
void ntp_free(struct ntp *ntp);

/*
 * Offline it sends nothing, hears nothing and looks up no name. Online again it looks its name up
 * anew, and sends a burst whatever `iburst` says. A client starts online; one that was denied stays
 * silent.
 */
void ntp_online(struct ntp *ntp, bool online);

/*
 * Take over another configuration of the same server, without losing anything. Returns 0, or
 * -ENOTSUP if that takes a new client.
 */
int ntp_reconfigure(struct ntp *ntp, const struct ntp_config *config);

/* The address that is asked now. Returns false while there is none. */
bool ntp_address(const struct ntp *ntp, struct resolver_address *ret);

/*
 * Fill in name, kind, stamps, stratum, leap, reach, poll, delay, dispersion, samples and
 * last_counter; the other members, which only the engine knows, are left alone.
 */
void ntp_describe(const struct ntp *ntp, struct chronotick_source *ret);
void ntp_statistics(const struct ntp *ntp, struct ntp_statistics *ret);

/* One line on its hardware stamps, "" if none are wanted. Returns whether there are any. */
bool ntp_hardware(const struct ntp *ntp, char *ret, size_t size);

#endif /* SOURCES_NTP_H */
