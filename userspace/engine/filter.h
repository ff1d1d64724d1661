/* SPDX-License-Identifier: MIT */
/* The minimum-delay filter and line fit over one source's samples. */
#ifndef ENGINE_FILTER_H
#define ENGINE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/sample.h"

#define FILTER_SAMPLES 64

/* A ring of a source's latest samples */
struct filter {
	struct sample samples[FILTER_SAMPLES];
	unsigned int count; /* filled, at most FILTER_SAMPLES */
	unsigned int next;  /* where the next one goes */
};

#endif /* ENGINE_FILTER_H */
