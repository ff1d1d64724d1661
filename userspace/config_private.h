/* SPDX-License-Identifier: MIT */
/* What the files that read the configuration share: config.c reads YAML, config_source.c checks sources. */
#ifndef USERSPACE_CONFIG_PRIVATE_H
#define USERSPACE_CONFIG_PRIVATE_H

#include <stdbool.h>
#include <stdio.h>

#include <yaml.h>

#include "config.h"
#include "keys.h"

#define PATH_TEXT_MAX 128 /* "sources[31].minpoll", with room for what is no key */
#define WHOLE_FILE "(file)"

/* A string that the configuration points to */
struct text {
	struct text *next;
	char text[];
};

/* Where one source stands in the file */
struct source_place {
	unsigned int server_line; /* 0: it has no server that could be read */
	unsigned int key_line;
};

struct parse {
	yaml_parser_t yaml;
	yaml_event_t event; /* the current one */
	unsigned int depth; /* of maps and lists that are open after it */
	struct config *config;
	struct source_place places[CONFIG_ENTRIES_MAX];
	const char *name;
	const char *text;
	size_t size;
	FILE *errors;
	unsigned int error_count;
	bool files; /* read those that the configuration names */
	int fatal;  /* nothing more can be read: a negative errno */
};

/* A map that is being read: its keys' lines, 0 where not given. */
struct map {
	const struct key_group *group;
	void *base;
	const char *path; /* "" or "page." */
	unsigned int line;
	unsigned int lines[KEYS_MAX];
};

/* The line of a key of the map, 0 if it is not given. */
unsigned int config_map_line(const struct map *map, const char *name);

/* Tell of a mistake: what is wrong; and what is allowed. */
__attribute__((format(printf, 4, 5))) void config_complain(struct parse *p, unsigned int line,
							   const char *path, const char *format,
							   ...);

/* Check a source that was read, and complete it; the map's base is its struct source_config. */
void config_source_check(struct parse *p, const struct map *map, unsigned int index);

/* How many sources an entry of the list may become */
unsigned int config_source_weight(const struct source_config *source);

/* Find the keys that sources name. */
void config_sources_read_keys(struct parse *p);

/* The feed goes to a place of its own: whoever works with the list wants sources of time. */
void config_separate_feed(struct config *config);

#endif /* USERSPACE_CONFIG_PRIVATE_H */
