/* SPDX-License-Identifier: MIT */
/* Checks of the configuration's sources, whose keys hang together. */
#include "config_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "sources/ntp_keys.h"
#include "sources/ptp_profile.h"

/* The kind that a source's keys name, or -1 after an error. */
static int check_type(struct parse *p, const struct map *map, unsigned int index)
{
	char path[PATH_TEXT_MAX], names[KEY_TEXT_MAX];
	const struct key *named = NULL;
	unsigned int i;

	key_type_names(names);
	for (i = 0; i < map->group->count; i++) {
		const struct key *key = &map->group->keys[i];

		if (!map->lines[i] || !key->names_type)
			continue;
		if (named) {
			snprintf(path, sizeof(path), "sources[%u].%s", index, key->name);
			config_complain(p, map->lines[i], path,
					"a second kind: it is %s already; allowed: one of %s",
					named->name, names);
			return -1;
		}
		named = key;
	}
	if (!named) {
		snprintf(path, sizeof(path), "sources[%u]", index);
		config_complain(p, map->line, path, "it has no kind; allowed: one of %s", names);
		return -1;
	}
	return __builtin_ctz(named->types);
}

/* Is there a key that the source's kind does not have? */
static void check_keys(struct parse *p, const struct map *map, unsigned int index, int type)
{
	char path[PATH_TEXT_MAX];
	unsigned int i;

	for (i = 0; i < map->group->count; i++) {
		const struct key *key = &map->group->keys[i];

		if (!map->lines[i] || !key->types || key->types & 1U << type)
			continue;
		snprintf(path, sizeof(path), "sources[%u].%s", index, key->name);
		config_complain(p, map->lines[i], path,
				"this kind of source has no such key; allowed: %s",
				"the keys of its kind");
	}
}

/* What is never used cannot be used before others. */
static void check_options(struct parse *p, const struct map *map, unsigned int index)
{
	const struct source_config *config = map->base;
	char path[PATH_TEXT_MAX];

	if (!config->noselect || !(config->prefer || config->trust))
		return;
	snprintf(path, sizeof(path), "sources[%u].noselect", index);
	config_complain(
		p, config_map_line(map, "noselect"), path,
		"a source that is never used has prefer or trust; allowed: one or the other");
}

static void check_polls(struct parse *p, const struct map *map, unsigned int index)
{
	const struct ntp_config *source = &((const struct source_config *)map->base)->ntp;
	unsigned int line = config_map_line(map, "minpoll"),
		     other = config_map_line(map, "maxpoll");
	char path[PATH_TEXT_MAX];

	if (source->minpoll <= source->maxpoll)
		return;
	if (other > line)
		line = other;
	snprintf(path, sizeof(path), "sources[%u].minpoll", index);
	config_complain(p, line, path, "%d is above maxpoll, %d; allowed: minpoll up to maxpoll",
			source->minpoll, source->maxpoll);
}

/* The same server, however its address is written? */
static bool server_is_same(const struct ntp_config *a, const struct ntp_config *b)
{
	struct in6_addr a6, b6;

	if (a->port != b->port)
		return false;
	if (inet_pton(AF_INET6, a->server, &a6) == 1 && inet_pton(AF_INET6, b->server, &b6) == 1)
		return memcmp(&a6, &b6, sizeof(a6)) == 0;
	return strcasecmp(a->server, b->server) == 0;
}

static void check_duplicate_source(struct parse *p, unsigned int index)
{
	const struct source_config *sources = p->config->sources;
	char path[PATH_TEXT_MAX];
	unsigned int i;

	if (!p->places[index].server_line)
		return;
	for (i = 0; i < index; i++) {
		if (!p->places[i].server_line ||
		    !server_is_same(&sources[i].ntp, &sources[index].ntp))
			continue;
		snprintf(path, sizeof(path), "sources[%u].%s", index,
			 sources[index].type == SOURCE_POOL ? "pool" : "ntp");
		config_complain(
			p, p->places[index].server_line, path,
			"duplicate source: %s port %u is in line %u already; allowed: each once",
			sources[index].ntp.server, sources[index].ntp.port,
			p->places[i].server_line);
		return;
	}
}

static void check_second_feed(struct parse *p, const struct map *map, unsigned int index)
{
	char path[PATH_TEXT_MAX];
	unsigned int i;

	for (i = 0; i < index; i++) {
		if (p->config->sources[i].type != SOURCE_FEED)
			continue;
		snprintf(path, sizeof(path), "sources[%u].feed", index);
		config_complain(p, config_map_line(map, "feed"), path,
				"a second feed; allowed: one");
		return;
	}
}

/* What a profile sets, as long as the file says nothing else */
static void ptp_complete(struct ptp_config *ptp, const struct map *map)
{
	static const struct {
		const char *key;
		unsigned int bit;
	} keys[] = {
		{"transport", PTP_GIVEN_TRANSPORT},       {"domain", PTP_GIVEN_DOMAIN},
		{"delay_mechanism", PTP_GIVEN_MECHANISM}, {"announce_interval", PTP_GIVEN_ANNOUNCE},
		{"sync_interval", PTP_GIVEN_SYNC},        {"delay_interval", PTP_GIVEN_DELAY},
		{"announce_timeout", PTP_GIVEN_TIMEOUT},
	};
	unsigned int given = 0, i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		given |= config_map_line(map, keys[i].key) ? keys[i].bit : 0;
	ptp_profile_apply(ptp, given);
}

/* Unicast is what not every transport and mechanism can do. */
static void check_ptp(struct parse *p, const struct map *map, unsigned int index)
{
	static const char *const transports[] = {"l2", "udp4", "udp6"};
	struct ptp_config *ptp = &((struct source_config *)map->base)->ptp;
	unsigned int line = config_map_line(map, "unicast");
	struct ptp_address address;
	char path[PATH_TEXT_MAX];

	ptp_complete(ptp, map);
	snprintf(path, sizeof(path), "sources[%u].unicast", index);
	if (!ptp->unicast && ptp->profile == PTP_PROFILE_G8275_2)
		config_complain(p, map->line, path,
				"profile g8275.2 has no multicast; allowed: the master's address");
	if (!ptp->unicast)
		return;
	if (ptp_address_parse(&address, ptp->transport, ptp->unicast) < 0)
		config_complain(p, line, path,
				"transport %s has no such addresses; allowed: an IPv4 address with "
				"udp4, an IPv6 address with udp6",
				transports[ptp->transport]);
	if (ptp->mechanism == PTP_P2P)
		config_complain(p, line, path,
				"the neighbour is asked by multicast; allowed with delay_mechanism "
				"p2p: none");
}

static bool ptp_is_same(const struct ptp_config *a, const struct ptp_config *b)
{
	if (strcmp(a->interface, b->interface) != 0 || a->domain != b->domain ||
	    a->transport != b->transport || !a->unicast != !b->unicast)
		return false;
	return !a->unicast || strcasecmp(a->unicast, b->unicast) == 0;
}

static void check_duplicate_ptp(struct parse *p, const struct map *map, unsigned int index)
{
	const struct source_config *sources = p->config->sources;
	char path[PATH_TEXT_MAX];
	unsigned int i;

	for (i = 0; i < index && sources[index].ptp.interface; i++) {
		if (sources[i].type != SOURCE_PTP || !sources[i].ptp.interface ||
		    !ptp_is_same(&sources[i].ptp, &sources[index].ptp))
			continue;
		snprintf(path, sizeof(path), "sources[%u].ptp", index);
		config_complain(p, config_map_line(map, "ptp"), path,
				"duplicate source: sources[%u] is the same; allowed: another "
				"interface, transport, domain or unicast master",
				i);
		return;
	}
}

/* A clock does not say what its time is, and a guess would be 37 s off. */
static void check_phc(struct parse *p, const struct map *map, unsigned int index)
{
	const struct source_config *sources = p->config->sources;
	unsigned int line = config_map_line(map, "timescale"), i;
	char path[PATH_TEXT_MAX];

	if (sources[index].ptp.timescale == PTP_TIMESCALE_AUTO) {
		snprintf(path, sizeof(path), "sources[%u].timescale", index);
		config_complain(
			p, line ? line : map->line, path,
			"a clock does not say which its time is; allowed with phc: tai or utc");
	}
	for (i = 0; i < index && sources[index].phc; i++) {
		if (sources[i].type != SOURCE_PHC || !sources[i].phc ||
		    strcmp(sources[i].phc, sources[index].phc) != 0)
			continue;
		snprintf(path, sizeof(path), "sources[%u].phc", index);
		config_complain(p, config_map_line(map, "phc"), path,
				"duplicate source: sources[%u] is the same; allowed: each once", i);
		return;
	}
}

void config_source_check(struct parse *p, const struct map *map, unsigned int index)
{
	struct source_config *config = map->base;
	int type = check_type(p, map, index);

	p->places[index].key_line = config_map_line(map, "key");
	if (type < 0)
		return;
	config->type = (uint8_t)type;
	check_keys(p, map, index, type);
	check_options(p, map, index);
	switch (type) {
	case SOURCE_FEED:
		check_second_feed(p, map, index);
		break;
	case SOURCE_PHC:
		check_phc(p, map, index);
		break;
	case SOURCE_PTP:
		check_ptp(p, map, index);
		check_duplicate_ptp(p, map, index);
		break;
	default:
		check_polls(p, map, index);
		if (config->ntp.server)
			p->places[index].server_line =
				config_map_line(map, type == SOURCE_POOL ? "pool" : "ntp");
		check_duplicate_source(p, index);
		break;
	}
}

/* How many sources an entry of the list may become */
unsigned int config_source_weight(const struct source_config *source)
{
	switch (source->type) {
	case SOURCE_POOL:
		return source->maxsources;
	case SOURCE_FEED:
		return 0;
	default:
		return 1;
	}
}

/* A key for each source that names one */
void config_sources_read_keys(struct parse *p)
{
	struct config *config = p->config;
	char path[PATH_TEXT_MAX], name[256];
	struct ntp_keys *keys = NULL;
	unsigned int i;

	if (config->keys && p->files) {
		log_escape(name, sizeof(name), config->keys, strlen(config->keys));
		if (ntp_keys_load(&keys, config->keys, name, p->errors) < 0) {
			p->error_count++;
			return;
		}
	}
	for (i = 0; i < config->source_count; i++) {
		struct ntp_key *key = &config->sources[i].ntp.key;
		const struct ntp_key *found = ntp_keys_find(keys, key->id);

		if (!key->id || (config->keys && !p->files))
			continue;
		snprintf(path, sizeof(path), "sources[%u].key", i);
		if (!config->keys)
			config_complain(
				p, p->places[i].key_line, path,
				"there is no file of keys; allowed: 0, or an ID in the file that "
				"\"keys\" names");
		else if (!found)
			config_complain(p, p->places[i].key_line, path,
					"no key %u in %s; allowed: 0, or an ID in that file",
					(unsigned int)key->id, name);
		else if (config->sources[i].type == SOURCE_PTP &&
			 (int)found->type != ntp_key_type("SHA256"))
			config_complain(p, p->places[i].key_line, path,
					"key %u is of another type; allowed with ptp: SHA256",
					(unsigned int)key->id);
		else
			*key = *found;
		config->sources[i].ptp.auth.key = *key;
	}
	ntp_keys_free(keys);
}

/* The feed goes to a place of its own: whoever works with the list wants sources of time. */
void config_separate_feed(struct config *config)
{
	unsigned int from, to = 0;

	for (from = 0; from < config->source_count; from++) {
		const struct source_config *source = &config->sources[from];

		if (source->type == SOURCE_FEED)
			config->feed =
				(struct feed_config){source->feed, source->group, source->offline};
		else
			config->sources[to++] = *source;
	}
	config->source_count = to;
}
