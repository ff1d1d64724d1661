/* SPDX-License-Identifier: MIT */
#include "leapfile.h"

#include <errno.h>
#include <inttypes.h>
#include <nettle/sha1.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define UNIX_EPOCH 2208988800LL             /* 1970 in NTP seconds */
#define NTP_MIN 2272060800LL                /* 1972, when leap seconds began */
#define NTP_MAX (UNIX_EPOCH + 9214646400LL) /* 2262, what ns in 64 bits hold */
#define TAI_MAX 1000                        /* s, either way */
#define DIGITS_MAX 18

enum { HASH_WORDS = SHA1_DIGEST_SIZE / 4 };

struct parse {
	struct leap_table *table;
	const char *name;
	char *why;
	size_t why_size;
	unsigned int line;
	struct sha1_ctx sha1;
	unsigned int updated_line, expires_line, hash_line; /* 0: not met yet */
	int64_t updated_ns;
	uint32_t hash[HASH_WORDS];
};

/* What is left of a line */
struct rest {
	const char *at, *end;
};

__attribute__((format(printf, 3, 4))) static int refuse(const struct parse *p, unsigned int line,
							const char *format, ...)
{
	va_list args;
	int used;

	if (!p->why || !p->why_size)
		return -EINVAL;
	used = snprintf(p->why, p->why_size, "%s:%u: ", p->name, line);
	if (used >= 0 && (size_t)used < p->why_size) {
		va_start(args, format);
		vsnprintf(p->why + used, p->why_size - (size_t)used, format, args);
		va_end(args);
	}
	return -EINVAL;
}

static void spaces_skip(struct rest *rest)
{
	while (rest->at < rest->end && (*rest->at == ' ' || *rest->at == '\t' || *rest->at == '\r'))
		rest->at++;
}

/* Nothing more, or a comment */
static bool rest_is_done(struct rest *rest)
{
	spaces_skip(rest);
	return rest->at == rest->end || *rest->at == '#';
}

/* A decimal number, as it is hashed. */
static bool number_take(struct parse *p, struct rest *rest, int64_t *ret)
{
	const char *begin;
	int64_t value = 0;
	bool negative;

	spaces_skip(rest);
	begin = rest->at;
	negative = rest->at < rest->end && *rest->at == '-';
	rest->at += negative;
	while (rest->at < rest->end && *rest->at >= '0' && *rest->at <= '9') {
		if (rest->at - begin >= DIGITS_MAX)
			return false;
		value = value * 10 + (*rest->at++ - '0');
	}
	if (rest->at == begin + negative)
		return false;
	sha1_update(&p->sha1, (size_t)(rest->at - begin), (const uint8_t *)begin);
	*ret = negative ? -value : value;
	return true;
}

static bool ntp_take(struct parse *p, struct rest *rest, int64_t *ret_ns)
{
	int64_t ntp_s;

	if (!number_take(p, rest, &ntp_s) || ntp_s < NTP_MIN || ntp_s > NTP_MAX)
		return false;
	*ret_ns = (ntp_s - UNIX_EPOCH) * LEAP_SECOND_NS;
	return true;
}

/* "#$" and "#@": a time, once */
static int date_parse(struct parse *p, struct rest rest, const char *what, unsigned int *line,
		      int64_t *ret_ns)
{
	if (*line)
		return refuse(p, p->line, "a second %s; the first is in line %u", what, *line);
	*line = p->line;
	if (!ntp_take(p, &rest, ret_ns) || !rest_is_done(&rest))
		return refuse(p, p->line, "the %s is no time from 1972 to 2261 in NTP seconds",
			      what);
	return 0;
}

static int nibble(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* "#h": five words of up to eight hexadecimal digits; leading zeros may be missing. */
static int hash_parse(struct parse *p, struct rest rest)
{
	unsigned int word, digits;

	if (p->hash_line)
		return refuse(p, p->line, "a second hash; the first is in line %u", p->hash_line);
	p->hash_line = p->line;
	for (word = 0; word < HASH_WORDS; word++) {
		spaces_skip(&rest);
		p->hash[word] = 0;
		for (digits = 0; rest.at < rest.end && nibble(*rest.at) >= 0; digits++)
			p->hash[word] = p->hash[word] << 4 | (uint32_t)nibble(*rest.at++);
		if (digits < 1 || digits > 8)
			return refuse(p, p->line, "the hash is not five words of 32 bits");
	}
	if (!rest_is_done(&rest))
		return refuse(p, p->line, "more than a hash");
	return 0;
}

static int entry_parse(struct parse *p, struct rest rest)
{
	struct leap_table *table = p->table;
	const struct leap_entry *before = table->count ? &table->entries[table->count - 1] : NULL;
	int64_t from_ns, tai_s;

	if (!ntp_take(p, &rest, &from_ns))
		return refuse(p, p->line, "no time from 1972 to 2261 in NTP seconds");
	if (!number_take(p, &rest, &tai_s) || tai_s < -TAI_MAX || tai_s > TAI_MAX)
		return refuse(p, p->line, "no TAI - UTC from %d to %d s", -TAI_MAX, TAI_MAX);
	if (!rest_is_done(&rest))
		return refuse(p, p->line, "more than a time and TAI - UTC");
	if (!leap_is_month(from_ns))
		return refuse(p, p->line, "a leap second elsewhere than at the end of a month");
	if (before && from_ns <= before->from_ns)
		return refuse(p, p->line, "not later than the line before it");
	if (before && tai_s - before->tai_s != 1 && tai_s - before->tai_s != -1)
		return refuse(p, p->line, "TAI - UTC changes by something else than one second");
	if (table->count == LEAP_ENTRIES_MAX)
		return refuse(p, p->line, "more than %d leap seconds", LEAP_ENTRIES_MAX);
	table->entries[table->count++] = (struct leap_entry){from_ns, (int16_t)tai_s};
	return 0;
}

static int line_parse(struct parse *p, struct rest rest)
{
	spaces_skip(&rest);
	if (rest.at == rest.end)
		return 0;
	if (*rest.at != '#')
		return entry_parse(p, rest);
	rest.at++;
	if (rest.at == rest.end)
		return 0;
	switch (*rest.at++) {
	case '$':
		return date_parse(p, rest, "update", &p->updated_line, &p->updated_ns);
	case '@':
		return date_parse(p, rest, "expiry", &p->expires_line, &p->table->expires_ns);
	case 'h':
		return hash_parse(p, rest);
	default:
		return 0;
	}
}

static int whole_check(struct parse *p)
{
	uint8_t digest[SHA1_DIGEST_SIZE];
	unsigned int i;

	if (!p->table->count)
		return refuse(p, p->line, "no leap second in it");
	if (!p->updated_line || !p->expires_line || !p->hash_line)
		return refuse(p, p->line, "it has no %s",
			      !p->updated_line   ? "update (#$)"
			      : !p->expires_line ? "expiry (#@)"
						 : "hash (#h)");
	if (p->table->expires_ns < p->updated_ns)
		return refuse(p, p->expires_line, "it expires before its update");
	sha1_digest(&p->sha1, sizeof(digest), digest);
	for (i = 0; i < HASH_WORDS; i++) {
		const uint8_t *word = &digest[4 * i];

		if (p->hash[i] != ((uint32_t)word[0] << 24 | (uint32_t)word[1] << 16 |
				   (uint32_t)word[2] << 8 | word[3]))
			return refuse(p, p->hash_line, "the hash is of other numbers than these");
	}
	return 0;
}

int leapfile_parse(struct leap_table *ret, const char *name, const char *text, size_t size,
		   char *why, size_t why_size)
{
	struct leap_table table = {.count = 0};
	struct parse p = {.table = &table, .name = name, .why = why, .why_size = why_size};
	const char *at = text, *end = text + size;
	int r = 0;

	if (size > LEAPFILE_SIZE_MAX)
		return refuse(&p, 1, "more than %d bytes", LEAPFILE_SIZE_MAX);
	sha1_init(&p.sha1);
	while (r == 0 && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		struct rest rest = {at, newline ? newline : end};

		p.line++;
		r = line_parse(&p, rest);
		at = newline ? newline + 1 : end;
	}
	if (!p.line)
		p.line = 1;
	if (r == 0)
		r = whole_check(&p);
	if (r == 0)
		*ret = table;
	return r;
}

int leapfile_load(struct leap_table *ret, const char *path, char *why, size_t why_size)
{
	char *text = malloc(LEAPFILE_SIZE_MAX + 1);
	ssize_t size;
	int r;

	if (!text) {
		snprintf(why, why_size, "%s: %s", path, strerror(ENOMEM));
		return -ENOMEM;
	}
	size = file_read(path, text, LEAPFILE_SIZE_MAX + 1, NULL);
	if (size < 0) {
		snprintf(why, why_size, "%s: %s", path, strerror((int)-size));
		r = (int)size;
	} else {
		r = leapfile_parse(ret, path, text, (size_t)size, why, why_size);
	}
	free(text);
	return r;
}
