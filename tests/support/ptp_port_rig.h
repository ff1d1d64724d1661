/* SPDX-License-Identifier: MIT */
/* A PTP port in a world of masters, and what holds whenever all goes well there. */
#ifndef SUPPORT_PTP_PORT_RIG_H
#define SUPPORT_PTP_PORT_RIG_H

#include <criterion/criterion.h>

#include "support/ptp-world.h"

#define SECOND PTP_WORLD_S

static struct ptp_world world;

static inline void set_up(void)
{
	ptp_world_begin(&world);
}

static inline void take_down(void)
{
	ptp_world_end(&world);
}

/* What follows holds for every case in which all goes well. */
static inline void expect_good(unsigned int samples, int64_t error_ns)
{
	struct ptp_statistics statistics = ptp_world_statistics(&world);

	cr_expect_geq(world.samples, samples, "%u samples", world.samples);
	cr_expect_eq(world.outside, 0, "%u outside, by up to %lld", world.outside,
		     (long long)world.worst_outside_ns);
	cr_expect_leq(world.error_ns, error_ns, "error %lld", (long long)world.error_ns);
	cr_expect_geq(world.error_ns, -error_ns, "error %lld", (long long)world.error_ns);
	cr_expect_eq(statistics.received,
		     statistics.accepted + statistics.rejected + statistics.dropped);
}

#endif /* SUPPORT_PTP_PORT_RIG_H */
