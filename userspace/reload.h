/* SPDX-License-Identifier: MIT */
/* Reading the configuration, at the start and again while the daemon runs. */
#ifndef USERSPACE_RELOAD_H
#define USERSPACE_RELOAD_H

#include <stdio.h>

#include "config.h"
#include "options.h"

/* Where the configuration comes from */
struct reload_origin {
	const struct options *options;
	char *path; /* absolute; NULL: `usual` if it exists, else the built-in defaults */
	const char
		*usual; /* CONFIG_PATH. Once it was read it is `path`: it does not end by going */
};

/* options must outlive it. Free with reload_origin_clear(). Returns 0 or a negative errno. */
int reload_origin_set(struct reload_origin *ret, const struct options *options);
void reload_origin_clear(struct reload_origin *origin);

/* The file that reload_read() would read now; NULL: the built-in defaults. */
const char *reload_path(const struct reload_origin *origin);

/* Read it, and let the command line win over it. Returns and errors as config_load(). */
int reload_read(struct reload_origin *origin, struct config *ret, FILE *errors);

/*
 * Take over from `wanted` the values of those keys that can change while the daemon runs; `config`
 * is as if it had always been so, but for its sources and strings, which are left alone. `kept` is called with
 * the name of each other key that differs, as "page.frequency_hz": its value stays.
 */
void reload_keys(struct config *config, const struct config *wanted,
		 void (*kept)(void *data, const char *name), void *data);

#endif /* USERSPACE_RELOAD_H */
