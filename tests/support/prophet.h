/* SPDX-License-Identifier: MIT */
/* A world whose truth is known, and one who foretells it: an external model to be believed or not. */
#ifndef SUPPORT_PROPHET_H
#define SUPPORT_PROPHET_H

#include <math.h>
#include <stdint.h>

#include "engine/prediction.h"

#define S 1000000000LL
#define BASE 1760000000000000000LL
#define POLL_S 16
#define NOISE_NS 20000.0

static double truth_ns; /* UTC - raw time, from BASE */
static int t_s;

static inline int64_t now_ns(void)
{
	return t_s * S;
}

/* The rate goes up and down by 2 us/s in 20 minutes: the line and the Kalman filters lag behind. */
static inline double rate(int s)
{
	return 5000 + 2000 * sin(2 * M_PI * s / 1200.0);
}

/* For the next 60 s, by one who knows the truth, but for an error of his */
static inline struct prediction prophecy(double error_ns, double sd_ns)
{
	double later_ns = truth_ns;
	int i;

	for (i = 0; i < POLL_S; i++)
		later_ns += rate(t_s + i);
	return (struct prediction){
		.made_ns = now_ns(),
		.from_ns = now_ns(),
		.until_ns = now_ns() + 60 * S,
		.line =
			{
				.at_ns = now_ns(),
				.reference_ns = BASE,
				.offset_ns = truth_ns + error_ns,
				.drift_ns_s = (later_ns - truth_ns) / POLL_S,
				.offset_sd_ns = sd_ns,
			},
	};
}

/* Go on to the next poll. */
static inline void wait_for_poll(void)
{
	int i;

	for (i = 0; i < POLL_S; i++)
		truth_ns += rate(t_s++);
}

#endif /* SUPPORT_PROPHET_H */
