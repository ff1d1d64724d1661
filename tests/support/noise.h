/* SPDX-License-Identifier: MIT */
/* Noise for tests: the same digits everywhere. */
#ifndef SUPPORT_NOISE_H
#define SUPPORT_NOISE_H

#include <stdint.h>

/* Nearly normal, with mean 0 and standard deviation 1: the sum of twelve uniform numbers */
static inline double noise(void)
{
	static uint64_t state = 88172645463325252ULL;
	double sum = -6;
	int i;

	for (i = 0; i < 12; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		sum += (double)(state >> 11) * 0x1p-53;
	}
	return sum;
}

#endif /* SUPPORT_NOISE_H */
