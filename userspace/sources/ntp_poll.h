/* SPDX-License-Identifier: MIT */
/* When a server is asked next, and whether it answers (RFC 5905 sections 9.2 and 13). Pure. */
#ifndef SOURCES_NTP_POLL_H
#define SOURCES_NTP_POLL_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/sample.h"

#define NTP_POLL_MIN (-3) /* log2 s */
#define NTP_POLL_MAX 17

/* Requests a poll, at most */
#define NTP_POLL_SAMPLES_MAX 8

/* A burst: this many requests, this far apart at most; those of one poll, too */
#define NTP_BURST_COUNT 4
#define NTP_BURST_NS 2000000000LL

/* This many answers that were where the two before them pointed to raise the interval. */
#define NTP_POLL_STEADY 8

struct ntp_poll {
	int8_t minpoll; /* log2 s; a server's RATE raises it */
	int8_t maxpoll;
	int8_t current;
	uint8_t reach;   /* one bit a poll, newest lowest, 1: answered */
	uint8_t burst;   /* polls left of a burst */
	uint8_t samples; /* requests a poll; those of a burst have one */
	uint8_t more;    /* requests left of this poll */
	uint8_t made;    /* requests of this poll beside the first */
	bool judged;     /* this poll has moved the interval */
	uint8_t steady;
	uint8_t answers; /* how many of last[] are filled */
	bool bursts;
	bool reachable; /* answered within the last eight requests */
	struct {
		int64_t raw_ns;
		int64_t offset_ns;
		int64_t noise_ns;
	} last[2]; /* newest first */
};

/* Polls are minpoll at first, log2 s, at most maxpoll; bursts: it begins with one (iburst). */
void ntp_poll_init(struct ntp_poll *poll, int8_t minpoll, int8_t maxpoll, bool bursts);

/*
 * So many requests a poll from now on, 1 to NTP_POLL_SAMPLES_MAX; 1 at first. They are 2 s apart, or
 * as many parts of the interval if that is less. For reach and the interval they are one: it was
 * answered if one of them was, and it is the first answer that moves the interval.
 */
void ntp_poll_samples(struct ntp_poll *poll, unsigned int samples);

/* A request goes out: the first one of a poll shifts the reach register. */
void ntp_poll_sent(struct ntp_poll *poll);

/*
 * It did not leave this machine: no network yet, or none any more. That troubles nobody, so a burst
 * goes on until requests do leave.
 */
void ntp_poll_unsent(struct ntp_poll *poll);

/* It was answered, but what the answer says is to be known only later, or never. */
void ntp_poll_heard(struct ntp_poll *poll);

/*
 * It was answered, and there is a sample, at that raw time. NTP_POLL_STEADY samples in a row that
 * are where the two before them pointed to, to their noise, double the interval. One that is not
 * halves it for each time that its error is twice the noise.
 */
void ntp_poll_answered(struct ntp_poll *poll, const struct sample *sample, int64_t raw_ns);

/*
 * It was not answered in time, which is nothing before the last one of a poll. Returns true if the
 * server was reachable till now and is no more.
 */
bool ntp_poll_missed(struct ntp_poll *poll);

/* The next requests are a burst, whatever init said of bursts. */
void ntp_poll_burst(struct ntp_poll *poll);

/* Other limits; the interval moves by no more than they ask. */
void ntp_poll_range(struct ntp_poll *poll, int8_t minpoll, int8_t maxpoll, bool bursts);

/* Kiss code RATE: never again as often as now, nor more than one request a poll. */
void ntp_poll_rate(struct ntp_poll *poll);

/* From one request to the next, ns */
int64_t ntp_poll_interval_ns(const struct ntp_poll *poll);

#endif /* SOURCES_NTP_POLL_H */
