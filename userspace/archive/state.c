/* SPDX-License-Identifier: MIT */
#include "archive/state.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#define VERSION 3
/* The first one that has what the models have learnt, behind the lines below */
#define VERSION_LEARNT 3
#define VERSION_OLDEST 2
#define VALUE_MAX 256
#define KINDS_END (CHRONOTICK_COUNTER_MONOTONIC_RAW + 1)

enum type {
	VERSION_NUMBER,
	COUNTER_KIND,
	BOOT_ID,
	SIGNED,
	UNSIGNED,
	REAL,
	NAME,
};

#define MEMBER(member) offsetof(struct state, member)

/* The lines, in their order */
static const struct line {
	const char *name;
	enum type type;
	size_t offset;
} lines[] = {
	{"chronotick-state", VERSION_NUMBER, 0},
	{"counter", COUNTER_KIND, MEMBER(moment.counter_kind)},
	{"boot_id", BOOT_ID, MEMBER(moment.boot_id)},
	{"boottime_ns", SIGNED, MEMBER(moment.boottime_ns)},
	{"utc_ns", SIGNED, MEMBER(moment.utc_ns)},
	{"mult", UNSIGNED, MEMBER(memory.mult)},
	{"mult_lo", UNSIGNED, MEMBER(memory.mult_lo)},
	{"mult_hi", UNSIGNED, MEMBER(memory.mult_hi)},
	{"rate_sd", REAL, MEMBER(memory.rate_sd)},
	{"noise_ns", REAL, MEMBER(memory.noise_ns)},
	{"clocksource", NAME, MEMBER(moment.clocksource)},
};
#define LINES (sizeof(lines) / sizeof(lines[0]))

static const char name_letters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

static uint32_t checksum(const char *text, size_t size)
{
	return (uint32_t)crc32(0, (const Bytef *)text, (uInt)size);
}

static void value_format(char ret[VALUE_MAX], enum type type, const void *member)
{
	const uint8_t *bytes = member;
	unsigned int i;

	switch (type) {
	case VERSION_NUMBER:
		snprintf(ret, VALUE_MAX, "%d", VERSION);
		break;
	case COUNTER_KIND:
		snprintf(ret, VALUE_MAX, "%s", chronotick_counter_name(*(const uint32_t *)member));
		break;
	case BOOT_ID:
		for (i = 0; i < STATE_BOOT_ID; i++)
			snprintf(ret + 2 * i, VALUE_MAX - 2 * i, "%02x", bytes[i]);
		break;
	case SIGNED:
		snprintf(ret, VALUE_MAX, "%" PRId64, *(const int64_t *)member);
		break;
	case UNSIGNED:
		snprintf(ret, VALUE_MAX, "%" PRIu64, *(const uint64_t *)member);
		break;
	case REAL:
		snprintf(ret, VALUE_MAX, "%.9e", *(const double *)member);
		break;
	case NAME:
		snprintf(ret, VALUE_MAX, "%.*s", STATE_NAME_SIZE - 1, (const char *)member);
		break;
	}
}

static size_t learnt_format(char *ret, size_t size, const struct learnt *learnt)
{
	struct learnt_row row;
	unsigned int i, j;
	size_t used = 0;

	for (i = 0; learnt_row(i, &row); i++) {
		const double *values = (const double *)learnt + row.first;

		used += (size_t)snprintf(ret + used, size - used, "%s", row.name);
		for (j = 0; j < row.count; j++)
			used += (size_t)snprintf(ret + used, size - used, " %.17g", values[j]);
		used += (size_t)snprintf(ret + used, size - used, "\n");
	}
	return used;
}

size_t state_format(char ret[STATE_TEXT_MAX], const struct state *state)
{
	char value[VALUE_MAX];
	size_t used = 0;
	unsigned int i;

	for (i = 0; i < LINES; i++) {
		value_format(value, lines[i].type, (const char *)state + lines[i].offset);
		used += (size_t)snprintf(ret + used, STATE_TEXT_MAX - used, "%s %s\n",
					 lines[i].name, value);
	}
	used += learnt_format(ret + used, STATE_TEXT_MAX - used, &state->learnt);
	used += (size_t)snprintf(ret + used, STATE_TEXT_MAX - used, "crc32 %08x\n",
				 checksum(ret, used));
	return used;
}

static bool kind_parse(uint32_t *ret, const char *value)
{
	uint32_t kind;

	for (kind = CHRONOTICK_COUNTER_NONE + 1; kind < KINDS_END; kind++) {
		if (strcmp(value, chronotick_counter_name(kind)) == 0) {
			*ret = kind;
			return true;
		}
	}
	return false;
}

static bool boot_id_parse(uint8_t ret[STATE_BOOT_ID], const char *value)
{
	unsigned int i, byte;

	if (strlen(value) != 2 * STATE_BOOT_ID ||
	    strspn(value, "0123456789abcdef") != 2 * STATE_BOOT_ID)
		return false;
	for (i = 0; i < STATE_BOOT_ID; i++) {
		if (sscanf(value + 2 * i, "%2x", &byte) != 1)
			return false;
		ret[i] = (uint8_t)byte;
	}
	return true;
}

static bool real_parse(double *ret, const char *value)
{
	char *end;

	if (!*value || strspn(value, "-+.e0123456789") != strlen(value))
		return false;
	*ret = strtod(value, &end);
	return !*end && isfinite(*ret);
}

static bool value_parse(void *member, enum type type, const char *value)
{
	const char *digits = "-0123456789";
	char *end;

	switch (type) {
	case VERSION_NUMBER:
		return true; /* compared before */
	case COUNTER_KIND:
		return kind_parse(member, value);
	case BOOT_ID:
		return boot_id_parse(member, value);
	case REAL:
		return real_parse(member, value);
	case NAME:
		if (strlen(value) >= STATE_NAME_SIZE ||
		    strspn(value, name_letters) != strlen(value))
			return false;
		strcpy(member, value);
		return true;
	case SIGNED:
	case UNSIGNED:
		break;
	}
	if (type == UNSIGNED)
		digits++;
	if (strspn(value, digits) != strlen(value))
		return false;
	errno = 0;
	if (type == SIGNED)
		*(int64_t *)member = strtoll(value, &end, 10);
	else
		*(uint64_t *)member = strtoull(value, &end, 10);
	return !*end && errno == 0;
}

/* Take "name value\n" off *at. Returns the value, or NULL. */
static bool line_take(const char **at, const char *end, const char *name, char value[VALUE_MAX])
{
	const char *newline = memchr(*at, '\n', (size_t)(end - *at));
	size_t length = strlen(name), size;

	if (!newline || (size_t)(newline - *at) <= length || memcmp(*at, name, length) != 0 ||
	    (*at)[length] != ' ')
		return false;
	size = (size_t)(newline - *at) - length - 1;
	if (size == 0 || size >= VALUE_MAX || memchr(*at + length + 1, '\0', size))
		return false;
	memcpy(value, *at + length + 1, size);
	value[size] = '\0';
	*at = newline + 1;
	return true;
}

/* Exactly `count` numbers */
static bool reals_parse(double *ret, unsigned int count, char *values)
{
	unsigned int i = 0;
	char *word;

	while ((word = strsep(&values, " "))) {
		if (i == count || !real_parse(&ret[i++], word))
			return false;
	}
	return i == count;
}

static int learnt_parse(struct learnt *ret, const char **at, const char *end, unsigned int line,
			char why[STATE_WHY_MAX])
{
	char values[VALUE_MAX];
	struct learnt_row row;
	unsigned int i;

	for (i = 0; learnt_row(i, &row); i++, line++) {
		if (!line_take(at, end, row.name, values)) {
			snprintf(why, STATE_WHY_MAX, "line %u is not \"%s\" with its values", line,
				 row.name);
			return -EINVAL;
		}
		if (!reals_parse((double *)ret + row.first, row.count, values)) {
			snprintf(why, STATE_WHY_MAX, "line %u has no %u numbers for \"%s\"", line,
				 row.count, row.name);
			return -EINVAL;
		}
	}
	return 0;
}

/* Returns 0 if it is none that can be read here. */
static unsigned int version_parse(const char *value)
{
	unsigned int version;
	char wanted[12];

	for (version = VERSION_OLDEST; version <= VERSION; version++) {
		snprintf(wanted, sizeof(wanted), "%u", version);
		if (strcmp(value, wanted) == 0)
			return version;
	}
	return 0;
}

int state_parse(struct state *ret, const char *text, size_t size, char why[STATE_WHY_MAX])
{
	const char *at = text, *end = text + size;
	char value[VALUE_MAX], wanted[VALUE_MAX];
	struct state state = {0};
	unsigned int i, version = 0;

	if (size == 0 || size >= STATE_TEXT_MAX) {
		snprintf(why, STATE_WHY_MAX, "%s", size ? "it is too long" : "it is empty");
		return -EINVAL;
	}
	for (i = 0; i < LINES; i++) {
		if (!line_take(&at, end, lines[i].name, value)) {
			snprintf(why, STATE_WHY_MAX, "line %u is not \"%s\" with its value", i + 1,
				 lines[i].name);
			return -EINVAL;
		}
		if (i == 0)
			version = version_parse(value);
		if (!version) {
			snprintf(why, STATE_WHY_MAX, "it is of another version");
			return -EINVAL;
		}
		if (!value_parse((char *)&state + lines[i].offset, lines[i].type, value)) {
			snprintf(why, STATE_WHY_MAX, "line %u has no possible value for \"%s\"",
				 i + 1, lines[i].name);
			return -EINVAL;
		}
	}
	if (version >= VERSION_LEARNT && learnt_parse(&state.learnt, &at, end, LINES + 1, why) < 0)
		return -EINVAL;
	snprintf(wanted, sizeof(wanted), "%08x", checksum(text, (size_t)(at - text)));
	if (!line_take(&at, end, "crc32", value) || at != end || strcmp(value, wanted) != 0) {
		snprintf(why, STATE_WHY_MAX, "its checksum is wrong");
		return -EINVAL;
	}
	*ret = state;
	return 0;
}

int state_age(const struct state *state, const struct state_moment *now, int64_t *age_ns,
	      bool *same_oscillator, char why[STATE_WHY_MAX])
{
	const struct state_moment *then = &state->moment;
	bool same = memcmp(then->boot_id, now->boot_id, STATE_BOOT_ID) == 0;
	int64_t age;

	if (then->counter_kind != now->counter_kind) {
		snprintf(why, STATE_WHY_MAX, "it is of counter %s",
			 chronotick_counter_name(then->counter_kind));
		return -ENOTSUP;
	}
	if (!same && now->counter_kind == CHRONOTICK_COUNTER_MONOTONIC_RAW) {
		snprintf(why, STATE_WHY_MAX,
			 "the rate of counter monotonic_raw changes when the machine starts");
		return -ENOTSUP;
	}
	if (now->counter_kind == CHRONOTICK_COUNTER_MONOTONIC_RAW &&
	    (strcmp(then->clocksource, now->clocksource) != 0 ||
	     strcmp(now->clocksource, STATE_NAME_UNKNOWN) == 0)) {
		snprintf(why, STATE_WHY_MAX,
			 "counter monotonic_raw had its rate from clocksource %s",
			 then->clocksource);
		return -ENOTSUP;
	}
	if (same ? __builtin_sub_overflow(now->boottime_ns, then->boottime_ns, &age)
		 : __builtin_sub_overflow(now->utc_ns, then->utc_ns, &age))
		age = -1;
	if (age < 0) {
		snprintf(why, STATE_WHY_MAX, "it is of a time still to come");
		return -ENOTSUP;
	}
	*age_ns = age;
	*same_oscillator = same;
	return 0;
}
