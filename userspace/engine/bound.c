/* SPDX-License-Identifier: MIT */
#include "engine/bound.h"

uint64_t bound_growth(struct rate_interval rate, int64_t used, uint64_t mult)
{
	int64_t above = rate.hi - used;
	int64_t below = used - rate.lo;
	int64_t half = above > below ? above : below;
	unsigned __int128 product;

	if (half < 0)
		half = 0;
	product = (unsigned __int128)half * mult + (RATE_ONE - 1);
	return (uint64_t)(product >> RATE_SHIFT) + 1;
}

int64_t bound_grown(uint64_t growth, uint64_t counts)
{
	unsigned __int128 product = (unsigned __int128)growth * counts;
	unsigned __int128 grown = (product >> 54) + 1;

	return grown < INT64_MAX / 2 ? (int64_t)grown : INT64_MAX / 2;
}

static int64_t scaled(int64_t value, int64_t total, int64_t sum)
{
	return (int64_t)((__int128)value * total / sum);
}

void bound_attribute(struct bound *terms, int64_t total_ns)
{
	int64_t sum = terms->root_ns + terms->delay_ns + terms->dispersion_ns + terms->ageing_ns;

	if (sum > total_ns) {
		int64_t dispersion_ns = terms->dispersion_ns;

		terms->root_ns = scaled(terms->root_ns, total_ns, sum);
		terms->root_delay_ns = scaled(terms->root_delay_ns, total_ns, sum);
		terms->delay_ns = scaled(terms->delay_ns, total_ns, sum);
		terms->ageing_ns = scaled(terms->ageing_ns, total_ns, sum);
		terms->dispersion_ns =
			total_ns - terms->root_ns - terms->delay_ns - terms->ageing_ns;
		if (dispersion_ns)
			terms->stamps_ns =
				scaled(terms->stamps_ns, terms->dispersion_ns, dispersion_ns);
		sum = total_ns;
	}
	terms->disagreement_ns = total_ns - sum;
	terms->total_ns = total_ns;
}

void bound_age(struct bound *bound, int64_t by_ns)
{
	bound->ageing_ns += by_ns;
	bound->total_ns += by_ns;
}
