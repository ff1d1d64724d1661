/* SPDX-License-Identifier: MIT */
/* How the engine's own files tell the observer what they are given. */
#ifndef ENGINE_OBSERVE_H
#define ENGINE_OBSERVE_H

#include <stddef.h>

#include "engine/input.h"

/* observe(engine, .kind = ..., ...): members of struct engine_input */
#define observe(engine, ...)                                                                       \
	do {                                                                                       \
		if ((engine)->observer)                                                            \
			(engine)->observer((engine)->observer_data,                                \
					   &(struct engine_input){__VA_ARGS__}, NULL);             \
	} while (0)

#endif /* ENGINE_OBSERVE_H */
