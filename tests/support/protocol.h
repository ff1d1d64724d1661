/* SPDX-License-Identifier: MIT */
/*
 * The order of a publication's stores as Documentation/page.md states it. The explorer builds its
 * model from this table, and the kill test compares a real writer's stores with it, so neither
 * checks a protocol that is not the one in use.
 */
#ifndef TESTS_PROTOCOL_H
#define TESTS_PROTOCOL_H

enum protocol_part {
	PROTOCOL_ODD,  /* the sequence turns odd, between two release fences */
	PROTOCOL_DATA, /* every other word, in any order, as often as need be */
	PROTOCOL_EVEN, /* the sequence turns even, with release */
};

/* One phase: `copy` 0 is clock[0] or the record, 1 its shadow. Phases do not overlap. */
struct protocol_phase {
	unsigned char copy;
	unsigned char part; /* enum protocol_part */
};

static const struct protocol_phase protocol_publication[] = {
	{0, PROTOCOL_ODD}, {0, PROTOCOL_DATA}, {0, PROTOCOL_EVEN},
	{1, PROTOCOL_ODD}, {1, PROTOCOL_DATA}, {1, PROTOCOL_EVEN},
};

enum {
	PROTOCOL_PHASES = sizeof(protocol_publication) / sizeof(protocol_publication[0]),
};

#endif /* TESTS_PROTOCOL_H */
