/* SPDX-License-Identifier: MIT */
/*
 * What the four times of an exchange say about an offset, and what that may err. Pure.
 *
 * With o the offset of the other clock against raw time, a message from it that left at its time T and
 * came at raw time r says o >= T - r, as it was on its way for some time: forth. One to it, that left
 * at raw time r and came at its time T, says o <= T - r: back. So the truth lies between the two however
 * the path's delay is shared out between its ways. Both are for their own raw time; how far o can have
 * moved from the one to the other follows from how far the other clock's rate is known.
 */
#ifndef SOURCES_PTP_DELAY_H
#define SOURCES_PTP_DELAY_H

#include <stdbool.h>
#include <stdint.h>

#define PTP_RATE_POINTS 16

/* What is known of the rate of another clock against raw time. All zero: nothing. */
struct ptp_rate {
	struct ptp_rate_point {
		int64_t raw_ns;
		int64_t lo_ns, hi_ns; /* in which the offset lay */
	} points[PTP_RATE_POINTS];
	unsigned int count, next;
};

/* A rate in ns/ns: mid +- half */
struct ptp_rate_range {
	double mid, half;
};

/* The offset lay within lo_ns and hi_ns at that raw time, not before that of the last call. */
void ptp_rate_add(struct ptp_rate *rate, int64_t raw_ns, int64_t lo_ns, int64_t hi_ns);

/*
 * Within some seconds of raw_ns: as pairs of the points say, each allowed 2 ppm and a tenth of that per
 * second of age for wander. Within 500 ppm in any case.
 */
struct ptp_rate_range ptp_rate_at(const struct ptp_rate *rate, int64_t raw_ns);

/* A limit of the offset, for one raw time */
struct ptp_limit {
	int64_t raw_ns;
	int64_t offset_ns;
	int64_t error_ns; /* of the stamp: by how much it may be wrong */
};

struct ptp_offset {
	int64_t raw_ns;        /* in the middle of both limits */
	int64_t offset_ns;     /* as if both ways took the same time */
	int64_t delay_ns;      /* there and back, at least 1 */
	int64_t dispersion_ns; /* what it may err beyond half of that, stamps included */
	int64_t stamps_ns;     /* of it, the stamps */
};

/*
 * What two limits say together. Returns 0, or -ERANGE: the lower one is above the upper one by more
 * than errors explain, or they are more than a minute apart.
 */
int ptp_offset_between(struct ptp_offset *ret, const struct ptp_limit *forth,
		       const struct ptp_limit *back, struct ptp_rate_range rate);

/* The least delay there was lately: exchanges of that delay are those that waited least. */
struct ptp_least {
	int64_t now_ns, before_ns; /* of the present turn and of the one before */
	unsigned int count;        /* of the present turn */
	bool has_before;
	double mean_ns; /* of the latest 16 or so */
};

/*
 * Take a delay. Returns the least of the last 64 to 128, it included, less half of what it is below
 * the mean, and more while there have been fewer: where most wait, so did the quickest.
 */
int64_t ptp_least_add(struct ptp_least *least, int64_t delay_ns);

/*
 * Have enough been taken for the least of them to be near the path's own? Of a few that all waited
 * nothing can be said.
 */
bool ptp_least_is_known(const struct ptp_least *least);

/*
 * The delay that the interval of a sample has to allow for, there and back: all of it, or what is
 * promised of its asymmetry.
 *	one_way_ns	mean path delay, at least 0
 *	least_ns	the least of those lately
 *	asymmetry_ns	as configured: by how much the way from the master takes longer than the mean
 *	max_ns		how far beyond that the asymmetry can be; negative: as far as the delay allows
 * What an exchange waited beyond the least it may have waited on one way only, so that is always
 * allowed for. Returns 1 or more.
 */
int64_t ptp_allowed_delay_ns(int64_t one_way_ns, int64_t least_ns, int64_t asymmetry_ns,
			     int64_t max_ns);

#endif /* SOURCES_PTP_DELAY_H */
