/* SPDX-License-Identifier: MIT */
/*
 * Sources and names without a network, for tests of the set: every source is a record that the test
 * reads and writes, every name a list of addresses that the test gives.
 */
#ifndef SUPPORT_FAKE_SOURCES_H
#define SUPPORT_FAKE_SOURCES_H

#include "sources/set.h"

/* A source that the set made */
struct fake_source {
	bool used;
	unsigned int index;
	unsigned int serial; /* the how-manieth it is */
	struct source_context context;
	struct source_config config;
	char server[64];
	bool online;
	unsigned int bursts; /* how often it was switched online */
	bool denied;         /* it says so whenever it is */
	bool has_address;
	struct resolver_address address;
	uint8_t reach;
	struct ntp_statistics statistics;
};

extern struct fake_source fake_sources[SOURCE_SET_MAX]; /* by index */
extern unsigned int fake_sources_made;                  /* since the start */
extern unsigned int fake_lookups;                       /* that were started */

/* What the names lead to: addresses of IPv4, their last octets; 0 ends the list */
#define FAKE_ADDRESSES_MAX 128
extern struct fake_name {
	const char *name;
	bool slow; /* no answer yet */
	uint8_t octets[FAKE_ADDRESSES_MAX];
} fake_names[8];

extern const struct source_ops fake_ops[SOURCE_TYPES];
extern const struct source_set_resolver fake_resolver;

/* 192.0.2.octet, port 123 */
void fake_address(struct resolver_address *ret, uint8_t octet);

/* The one that asks 192.0.2.octet, NULL: none does */
struct fake_source *fake_source_at(uint8_t octet);

#endif /* SUPPORT_FAKE_SOURCES_H */
