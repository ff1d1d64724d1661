/* SPDX-License-Identifier: MIT */
/* NTPv4 packets and the tests that an answer has to pass (RFC 5905 sections 6 to 8). Pure. */
#ifndef SOURCES_NTP_PACKET_H
#define SOURCES_NTP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NTP_PACKET_SIZE 48 /* the header; extension fields and a MAC may follow */
#define NTP_VERSION 4
#define NTP_MODE_CLIENT 3
#define NTP_MODE_SERVER 4
#define NTP_LEAP_UNKNOWN 3
#define NTP_STRATUM_MAX 15
#define NTP_DISTANCE_MAX_NS 16000000000LL /* RFC 5905 figure 6, MAXDISP */

/* The header in host byte order (RFC 5905 section 7.3) */
struct ntp_packet {
	uint8_t leap;    /* 0 to 3 */
	uint8_t version; /* 0 to 7 */
	uint8_t mode;    /* 0 to 7 */
	uint8_t stratum;
	int8_t poll;              /* log2 s */
	int8_t precision;         /* log2 s */
	uint32_t root_delay;      /* 2^-16 s */
	uint32_t root_dispersion; /* 2^-16 s */
	uint32_t reference_id;    /* first byte highest */
	uint64_t reference;       /* times: 2^-32 s since 1900, modulo 2^64 */
	uint64_t origin;
	uint64_t receive;
	uint64_t transmit;
};

/*
 * Read a datagram's header. What follows it is skipped: nothing there is used, so nothing there is
 * trusted. Returns 0, or -EBADMSG if it is too short, not whole 32-bit words, or no answer of a
 * server of version 3 or 4.
 */
int ntp_packet_parse(struct ntp_packet *ret, const void *data, size_t size);

/* The header as it goes out, RFC 5905 section 7.3, in network byte order */
void ntp_packet_write(const struct ntp_packet *packet, uint8_t ret[NTP_PACKET_SIZE]);

/*
 * NTP time as ns since 1970 and back, rounded to nearest. The era is taken so that the result lies
 * in the 136 years from 1980 on: it depends on no clock, and holds until 2116.
 */
int64_t ntp_time_to_ns(uint64_t time);
uint64_t ntp_time_from_ns(int64_t ns);

/* NTP short format (2^-16 s) in ns, rounded up */
int64_t ntp_short_to_ns(uint32_t value);

/* 2^log2 s in ns, rounded up; 1 ns below -30, limited to 2^32 s above. */
int64_t ntp_log2_to_ns(int log2);

/* What an answer is held against */
struct ntp_request {
	bool outstanding; /* sent, not answered yet, and not given up */
	bool answered;
	uint64_t origin;             /* its transmit time as sent: a random number */
	uint64_t origin_interleaved; /* its receive time as sent: another one; 0: it asks for no
				      * interleaved answer (ntp_interleaved.h) */
	uint64_t last_receive;       /* of the last answer accepted; 0: none yet */
	uint64_t last_transmit;
	bool last_interleaved;
};

enum ntp_verdict {
	NTP_GOOD,
	NTP_MALFORMED,      /* too short, too long, not of a server, or of another version */
	NTP_BOGUS,          /* no answer to our request */
	NTP_DUPLICATE,      /* the request is answered already, or by the times of the answer before
			     */
	NTP_LATE,           /* an answer to our request that had been given up */
	NTP_UNAUTHENTIC,    /* without the MAC that it must have */
	NTP_INVALID,        /* times that no server can have */
	NTP_UNSYNCHRONIZED, /* leap indicator 3, stratum above 15, or stratum 0 without a kiss code
			     */
	NTP_TOO_DISTANT,    /* root delay / 2 + root dispersion + precision of 16 s and more */
	NTP_KISS_DENY,      /* DENY or RSTR: stop */
	NTP_KISS_RATE,      /* RATE: ask less often */
	NTP_KISS_OTHER,     /* no time from there now */
	NTP_LOOP,           /* its time comes from this host */
	NTP_VERDICTS
};

/* Note the answer that is taken, so that nothing like it is taken again. */
void ntp_request_answered(struct ntp_request *request, const struct ntp_packet *answer);

/* A word or two, for people: "duplicate". */
const char *ntp_verdict_name(enum ntp_verdict verdict);

/* Does it answer in interleaved mode? For answers that pass the test below. */
bool ntp_packet_is_interleaved(const struct ntp_packet *packet, const struct ntp_request *request);

/*
 * The packet tests of RFC 5905 section 8, those of RFC 9769 section 2 on interleaved answers, and
 * the kiss codes of RFC 5905 section 7.4. Whatever does not carry the origin of a request that
 * waits is LATE, DUPLICATE or BOGUS, a kiss-o'-death too. MALFORMED, UNAUTHENTIC and LOOP are for
 * callers.
 */
enum ntp_verdict ntp_packet_test(const struct ntp_packet *packet,
				 const struct ntp_request *request);

#endif /* SOURCES_NTP_PACKET_H */
