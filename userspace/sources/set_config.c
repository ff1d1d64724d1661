/* SPDX-License-Identifier: MIT */
/* What the set does with entries of a configuration, by their kind. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sources/set_private.h"

const char *source_config_name(const struct source_config *config)
{
	switch (config->type) {
	case SOURCE_PTP:
		return config->ptp.interface;
	case SOURCE_PHC:
		return config->phc;
	default:
		return config->ntp.server;
	}
}

bool set_config_is_good(const struct source_config *config)
{
	if (config->type >= SOURCE_TYPES || !source_config_name(config))
		return false;
	return config->type != SOURCE_POOL ||
	       (config->maxsources >= 1 && config->maxsources <= POOL_MEMBERS_MAX);
}

#define STRINGS 5

/* The strings that an entry has of its own */
static void strings_of(struct source_config *config, const char **ret[STRINGS])
{
	ret[0] = &config->ntp.server;
	ret[1] = &config->ptp.interface;
	ret[2] = &config->ptp.unicast;
	ret[3] = &config->ntp.interface;
	ret[4] = &config->phc;
}

int set_config_copy(struct source_config *ret, const struct source_config *config)
{
	const char **strings[STRINGS];
	unsigned int i;

	*ret = *config;
	strings_of(ret, strings);
	for (i = 0; i < STRINGS; i++) {
		if (!*strings[i])
			continue;
		*strings[i] = strdup(*strings[i]);
		if (*strings[i])
			continue;
		while (++i < STRINGS)
			*strings[i] = NULL;
		set_config_clear(ret);
		return -ENOMEM;
	}
	return 0;
}

void set_config_clear(struct source_config *config)
{
	const char **strings[STRINGS];
	unsigned int i;

	strings_of(config, strings);
	for (i = 0; i < STRINGS; i++)
		free((char *)*strings[i]);
	explicit_bzero(config, sizeof(*config)); /* its key */
}

void set_config_take(struct source_config *config, const struct source_config *other)
{
	struct source_config old = *config;

	*config = *other;
	config->ntp.server = old.ntp.server;
	config->ptp.interface = old.ptp.interface;
	config->ptp.unicast = old.ptp.unicast;
	config->ntp.interface = old.ntp.interface;
	config->phc = old.phc;
	explicit_bzero(&old, sizeof(old));
}

static bool text_is_same(const char *a, const char *b)
{
	return a == b || (a && b && strcasecmp(a, b) == 0);
}

bool set_config_is_same(const struct source_config *a, const struct source_config *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == SOURCE_PHC)
		return strcmp(a->phc, b->phc) == 0;
	if (a->type == SOURCE_PTP)
		return strcmp(a->ptp.interface, b->ptp.interface) == 0 &&
		       text_is_same(a->ptp.unicast, b->ptp.unicast) &&
		       a->ptp.transport == b->ptp.transport && a->ptp.domain == b->ptp.domain;
	return a->ntp.port == b->ntp.port && text_is_same(a->ntp.server, b->ntp.server) &&
	       text_is_same(a->ntp.interface, b->ntp.interface);
}

bool set_config_is_equal(const struct source_config *a, const struct source_config *b)
{
	struct source_config x = *a, y = *b;
	const char **strings[2][STRINGS];
	unsigned int i;
	bool equal = set_config_is_same(a, b);

	strings_of(&x, strings[0]);
	strings_of(&y, strings[1]);
	for (i = 0; i < STRINGS; i++) {
		*strings[0][i] = NULL;
		*strings[1][i] = NULL;
	}
	equal = equal && memcmp(&x, &y, sizeof(x)) == 0;
	explicit_bzero(&x, sizeof(x));
	explicit_bzero(&y, sizeof(y));
	return equal;
}
