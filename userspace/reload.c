/* SPDX-License-Identifier: MIT */
#include "reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keys.h"

int reload_origin_set(struct reload_origin *ret, const struct options *options)
{
	const char *path = options->config_path;
	char *here;
	int r = 0;

	*ret = (struct reload_origin){.options = options, .usual = CONFIG_PATH};
	if (!path)
		return 0;
	if (*path == '/') {
		ret->path = strdup(path);
		return ret->path ? 0 : -ENOMEM;
	}
	/* The daemon leaves the directory that this is relative to. */
	here = getcwd(NULL, 0);
	if (!here)
		return -errno;
	if (asprintf(&ret->path, "%s/%s", here, path) < 0) {
		ret->path = NULL;
		r = -ENOMEM;
	}
	free(here);
	return r;
}

void reload_origin_clear(struct reload_origin *origin)
{
	free(origin->path);
	origin->path = NULL;
}

const char *reload_path(const struct reload_origin *origin)
{
	if (origin->path)
		return origin->path;
	return access(origin->usual, F_OK) == 0 || errno != ENOENT ? origin->usual : NULL;
}

int reload_read(struct reload_origin *origin, struct config *ret, FILE *errors)
{
	const char *path = reload_path(origin);
	int r = path ? config_load(ret, path, errors) : config_defaults(ret);

	if (r < 0)
		return r;
	if (path && !origin->path) {
		origin->path = strdup(path);
		if (!origin->path) {
			config_clear(ret);
			return -ENOMEM;
		}
	}
	options_apply(origin->options, ret);
	return 0;
}

static bool key_differs(const struct key *key, const void *a, const void *b)
{
	const char *one = (const char *)a + key->offset, *other = (const char *)b + key->offset;

	if (!key_is_string(key))
		return memcmp(one, other, key->width) != 0;
	one = *(const char *const *)(const void *)one;
	other = *(const char *const *)(const void *)other;
	return (!one != !other) || (one && strcmp(one, other) != 0);
}

static void group_take(const struct key_group *group, const char *prefix, struct config *config,
		       const struct config *wanted, void (*kept)(void *data, const char *name),
		       void *data)
{
	char name[128];
	unsigned int i;

	for (i = 0; i < group->count; i++) {
		const struct key *key = &group->keys[i];

		snprintf(name, sizeof(name), "%s%s", prefix, key->name);
		if (key->type == KEY_MAP) {
			strncat(name, ".", sizeof(name) - strlen(name) - 1);
			group_take(key->group, name, config, wanted, kept, data);
			continue;
		}
		if (!key->width || !key_differs(key, config, wanted))
			continue;
		/* A string is the other configuration's own; what it led to is in its sources. */
		if (key->reloads && !key_is_string(key))
			memcpy((char *)config + key->offset, (const char *)wanted + key->offset,
			       key->width);
		else if (!key->reloads)
			kept(data, name);
	}
}

void reload_keys(struct config *config, const struct config *wanted,
		 void (*kept)(void *data, const char *name), void *data)
{
	group_take(&keys_document, "", config, wanted, kept, data);
}
