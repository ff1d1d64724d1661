/* SPDX-License-Identifier: MIT */
/*
 * The file of symmetric keys, in chrony's format: one "ID TYPE KEY" a line.
 *
 * ID is 1 to 2^32 - 1, TYPE one of those that ntp_auth.h knows (without one: MD5), KEY its bytes as
 * "HEX:" and digits, or as text, "ASCII:" before it or not. Lines that are empty or begin with one
 * of # % ! ; say nothing.
 */
#ifndef SOURCES_NTP_KEYS_H
#define SOURCES_NTP_KEYS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sources/ntp_auth.h"

#define NTP_KEYS_FILE_MAX (256 * 1024) /* bytes */
#define NTP_KEYS_LINE_MAX 2048
#define NTP_KEYS_MAX 1024

struct ntp_keys;

/*
 * Read a file's text. Errors go to `errors`, all that there are, one a line, "name:line: part: what
 * is wrong; allowed: what is allowed", and never with a key's bytes in them. Returns 0; -EINVAL
 * after errors; -ENOMEM.
 */
int ntp_keys_parse(struct ntp_keys **ret, const char *name, const void *text, size_t size,
		   FILE *errors);

/*
 * The same from a file. `name` is how the path is shown. One that everybody may read is taken, but
 * a warning goes to `errors`.
 */
int ntp_keys_load(struct ntp_keys **ret, const char *path, const char *name, FILE *errors);

/* NULL if there is no such key. */
const struct ntp_key *ntp_keys_find(const struct ntp_keys *keys, uint32_t id);

/* Wipes them. NULL is allowed. */
void ntp_keys_free(struct ntp_keys *keys);

#endif /* SOURCES_NTP_KEYS_H */
