/* SPDX-License-Identifier: MIT */
#include "support/fake-sources.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* One lookup; there are never more than entries. */
struct resolver {
	bool used;
	const struct fake_name *name;
	uint16_t port;
};

struct fake_source fake_sources[SOURCE_SET_MAX];
unsigned int fake_sources_made, fake_lookups;
struct fake_name fake_names[8];
static struct resolver lookups[SOURCE_SET_MAX];

static void address_set(struct resolver_address *ret, const char *text, uint16_t port)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)&ret->address;

	memset(ret, 0, sizeof(*ret));
	ipv4->sin_family = AF_INET;
	ipv4->sin_port = htons(port);
	inet_pton(AF_INET, text, &ipv4->sin_addr);
	ret->size = sizeof(*ipv4);
}

void fake_address(struct resolver_address *ret, uint8_t octet)
{
	char text[16];

	snprintf(text, sizeof(text), "192.0.2.%u", octet);
	address_set(ret, text, 123);
}

struct fake_source *fake_source_at(uint8_t octet)
{
	struct resolver_address address;
	unsigned int i;

	fake_address(&address, octet);
	for (i = 0; i < SOURCE_SET_MAX; i++)
		if (fake_sources[i].used && fake_sources[i].has_address &&
		    resolver_address_equal(&address, &fake_sources[i].address))
			return &fake_sources[i];
	return NULL;
}

static int fake_new(void **ret, const struct source_context *context, unsigned int index,
		    const struct source_config *config)
{
	struct fake_source *fake = &fake_sources[index];
	struct in_addr numeric;

	if (!strcmp(config->ntp.server, "broken"))
		return -EINVAL;
	memset(fake, 0, sizeof(*fake));
	fake->used = true;
	fake->index = index;
	fake->context = *context;
	fake->config = *config;
	fake->online = true;
	snprintf(fake->server, sizeof(fake->server), "%s", config->ntp.server);
	fake->config.ntp.server = fake->server;
	if (inet_pton(AF_INET, fake->server, &numeric) == 1) {
		fake->has_address = true;
		address_set(&fake->address, fake->server, config->ntp.port);
	}
	fake->serial = ++fake_sources_made;
	*ret = fake;
	return 0;
}

static void fake_free(void *source)
{
	memset(source, 0, sizeof(struct fake_source));
}

static void fake_online(void *source, bool online)
{
	struct fake_source *fake = source;

	fake->bursts += online && !fake->online;
	fake->online = online;
	if (online && fake->denied)
		fake->context.events->lost(fake->context.events->data, fake->index,
					   CHRONOTICK_SOURCE_DENIED);
}

static int fake_reconfigure(void *source, const struct source_config *config)
{
	struct fake_source *fake = source;

	if (fake->config.ntp.iburst != config->ntp.iburst)
		return -ENOTSUP;
	fake->config.ntp.minpoll = config->ntp.minpoll;
	fake->config.ntp.maxpoll = config->ntp.maxpoll;
	return 0;
}

static bool fake_address_of(const void *source, struct resolver_address *ret)
{
	const struct fake_source *fake = source;

	*ret = fake->address;
	return fake->has_address;
}

static void fake_describe(const void *source, struct source_status *ret)
{
	const struct fake_source *fake = source;

	snprintf(ret->summary.name, sizeof(ret->summary.name), "%.39s", fake->server);
	ret->summary.kind = CHRONOTICK_NTP;
	ret->summary.reach = fake->reach;
	ret->summary.samples = fake->statistics.accepted;
	ret->ntp = fake->statistics;
}

#define FAKE                                                                                       \
	{                                                                                          \
		fake_new, fake_free, fake_online, fake_reconfigure, fake_address_of, fake_describe \
	}

const struct source_ops fake_ops[SOURCE_TYPES] = {
	[SOURCE_NTP] = FAKE,
	[SOURCE_POOL] = FAKE,
};

static int lookup_start(struct resolver **ret, const char *name, uint16_t port)
{
	unsigned int i;

	for (i = 0; lookups[i].used; i++)
		;
	lookups[i] = (struct resolver){.used = true, .port = port};
	*ret = &lookups[i];
	fake_lookups++;
	for (i = 0; i < sizeof(fake_names) / sizeof(fake_names[0]); i++)
		if (fake_names[i].name && strcmp(fake_names[i].name, name) == 0)
			(*ret)->name = &fake_names[i];
	return 0;
}

static int lookup_poll(struct resolver *lookup, struct resolver_result *ret)
{
	unsigned int i;

	if (lookup->name && lookup->name->slow)
		return -EAGAIN;
	ret->count = 0;
	for (i = 0; lookup->name && lookup->name->octets[i] && i < RESOLVER_ADDRESSES_MAX; i++) {
		char text[16];

		snprintf(text, sizeof(text), "192.0.2.%u", lookup->name->octets[i]);
		address_set(&ret->addresses[ret->count++], text, lookup->port);
	}
	return ret->count ? 0 : -ENOENT;
}

static void lookup_free(struct resolver *lookup)
{
	lookup->used = false;
}

const struct source_set_resolver fake_resolver = {lookup_start, lookup_poll, lookup_free};
