/* SPDX-License-Identifier: MIT */
/*
 * Every key of the configuration file in one table, which drives reading, checking, the texts of
 * errors and the check of the documentation.
 */
#ifndef USERSPACE_KEYS_H
#define USERSPACE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYS_MAX 48      /* in one group */
#define KEY_TEXT_MAX 640 /* the texts below, terminator included */
#define KEY_FILE_NAME_MAX 64
#define KEY_HOST_MAX 253 /* RFC 1035 section 2.3.4, in text */
#define KEY_PATH_MAX 4095

enum key_type {
	KEY_INTEGER,
	KEY_BOOLEAN,
	KEY_CHOICE,
	KEY_FILE_NAME,
	KEY_HOST,
	KEY_ADDRESS,   /* of IP; or one of the choices */
	KEY_INTERFACE, /* of the network; or one of the choices */
	KEY_PATH,      /* absolute; or one of the choices, which are words without a '/' */
	KEY_MAP,       /* of the keys of a group */
	KEY_SOURCES,   /* a list of maps of the keys of a group */
};

/* A word in place of a path or an address that sets its member to NULL */
#define KEY_PATH_NONE 0

struct key_choice {
	const char *name;
	int value; /* of those three types: KEY_PATH_NONE, or anything else to keep the word as the string */
	const char *refusal; /* why this build cannot do it; NULL: it can */
};

struct key_group;

struct key {
	const char *name;
	enum key_type type;
	const char *initial; /* default, as it would be written; NULL: must be given */
	int64_t minimum;     /* KEY_INTEGER, and KEY_SOURCES: how many */
	int64_t maximum;     /* also KEY_PATH: how many bytes, 0: KEY_PATH_MAX */
	const struct key_choice *choices;
	unsigned int choice_count;
	const struct key_group *group;
	size_t offset; /* of the member in the group's struct */
	size_t width;  /* its size; 0: there is none, the value is only checked */
	/* Of a source: 1 << enum source_type, or'ed, of the kinds that have the key; 0: all */
	unsigned int types;
	bool reloads;    /* its value can change while the daemon runs */
	bool names_type; /* it makes the source one of its kind: exactly one such key is there */
};

struct key_group {
	const struct key *keys;
	unsigned int count;
};

/* The file's own keys; their members are in struct config. */
extern const struct key_group keys_document;

/* The keys of the page; their members are in struct config. */
extern const struct key_group keys_page;

/* The keys of leap seconds; their members are in struct config. */
extern const struct key_group keys_leap;

/* The keys of each predictive model; their members are in struct config. */
extern const struct key_group keys_short_term;
extern const struct key_group keys_long_term;

/* The keys of one source; their members are in struct source_config. */
extern const struct key_group keys_source;

/* Is its member a string, which key_set() points at the text itself? */
bool key_is_string(const struct key *key);

/* NULL if the group has no such key. */
const struct key *key_find(const struct key_group *group, const char *name);

/* What is allowed for the key, as words: "an integer from 1 to 1000" */
void key_allowed(const struct key *key, char ret[KEY_TEXT_MAX]);

/* The keys that name a source's kind, as words: "ntp or pool" */
void key_type_names(char ret[KEY_TEXT_MAX]);

/* The group's keys, as words: "backend, shm_name or frequency_hz" */
void key_names(const struct key_group *group, char ret[KEY_TEXT_MAX]);

/*
 * Check a scalar's text and store its value in the member at `base`, the group's struct. A member
 * that is a string is pointed at `text` itself, which must outlive it. quoted: the text stood in
 * quotes, so that it can only be a string.
 *
 * Returns 0, or -EINVAL with what is wrong in `wrong`; then nothing is stored.
 */
int key_set(const struct key *key, void *base, const char *text, bool quoted,
	    char wrong[KEY_TEXT_MAX]);

/* Store the defaults of all keys of a group that have one, groups inside of it included. */
void key_set_defaults(const struct key_group *group, void *base);

#endif /* USERSPACE_KEYS_H */
