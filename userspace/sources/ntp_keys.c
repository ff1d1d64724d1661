/* SPDX-License-Identifier: MIT */
#include "sources/ntp_keys.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

#define TYPE_DEFAULT "MD5"
#define TYPE_NAME_MAX 16
#define WORDS_MAX 3

struct ntp_keys {
	size_t count, room;
	struct ntp_key keys[];
};

/* A part of a line; it is not terminated */
struct word {
	const char *text;
	size_t length;
};

struct parse {
	struct ntp_keys *keys;
	const char *name;
	unsigned int line;
	unsigned int error_count;
	FILE *errors;
};

static void complain(struct parse *p, const char *part, const char *wrong, const char *allowed)
{
	fprintf(p->errors, "%s:%u: %s: %s; allowed: %s\n", p->name, p->line, part, wrong, allowed);
	p->error_count++;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* Split a line at its spaces. Returns how many words it has, those beyond WORDS_MAX not kept. */
static unsigned int split(const char *line, size_t length, struct word words[WORDS_MAX])
{
	unsigned int count = 0;
	size_t i = 0, start;

	for (;;) {
		while (i < length && is_space(line[i]))
			i++;
		if (i == length)
			return count;
		for (start = i; i < length && !is_space(line[i]);)
			i++;
		if (count < WORDS_MAX)
			words[count] = (struct word){line + start, i - start};
		count++;
	}
}

static bool id_from(const struct word *word, uint32_t *ret)
{
	uint64_t value = 0;
	size_t i;

	if (word->length > 10)
		return false;
	for (i = 0; i < word->length; i++) {
		if (word->text[i] < '0' || word->text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(word->text[i] - '0');
	}
	*ret = (uint32_t)value;
	return value >= 1 && value <= UINT32_MAX;
}

static int type_from(const struct word *word)
{
	char name[TYPE_NAME_MAX] = "";

	if (word->length >= sizeof(name))
		return -ENOENT;
	memcpy(name, word->text, word->length);
	return ntp_key_type(name);
}

static void complain_of_type(struct parse *p)
{
	char names[256] = "";
	const char *name;
	unsigned int i;

	for (i = 0; (name = ntp_key_type_name(i)) != NULL; i++) {
		if (i)
			strncat(names, ntp_key_type_name(i + 1) ? ", " : " or ",
				sizeof(names) - strlen(names) - 1);
		strncat(names, name, sizeof(names) - strlen(names) - 1);
	}
	complain(p, "type", "no such type", names);
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = memchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c, 16);

	return at ? (int)(at - digits) : -1;
}

static bool begins_with(const struct word *word, const char *prefix)
{
	return word->length >= strlen(prefix) && !memcmp(word->text, prefix, strlen(prefix));
}

/* The key's bytes. Returns how many, 0 for none, -EINVAL for no hexadecimal digits, -E2BIG. */
static int bytes_from(struct word word, uint8_t ret[NTP_KEY_SIZE_MAX])
{
	bool hex = begins_with(&word, "HEX:");
	size_t prefix = hex ? 4 : begins_with(&word, "ASCII:") ? 6 : 0, i;

	word.text += prefix;
	word.length -= prefix;
	if (word.length > NTP_KEY_SIZE_MAX * (hex ? 2U : 1U))
		return -E2BIG;
	if (!hex) {
		memcpy(ret, word.text, word.length);
		return (int)word.length;
	}
	for (i = 0; i < word.length; i++)
		if (hex_digit(word.text[i]) < 0)
			return -EINVAL;
	if (word.length % 2)
		return -EINVAL;
	for (i = 0; i < word.length / 2; i++)
		ret[i] = (uint8_t)(hex_digit(word.text[2 * i]) << 4 |
				   hex_digit(word.text[2 * i + 1]));
	return (int)(word.length / 2);
}

static void read_bytes(struct parse *p, struct ntp_key *key, const struct word *word)
{
	unsigned int exact = ntp_key_type_size(key->type);
	char allowed[64];
	int size = bytes_from(*word, key->bytes);

	snprintf(allowed, sizeof(allowed), "1 to %d bytes", NTP_KEY_SIZE_MAX);
	if (exact)
		snprintf(allowed, sizeof(allowed), "%u bytes for %s", exact,
			 ntp_key_type_name(key->type));
	if (size == -EINVAL)
		complain(p, "key", "what follows HEX: is no hexadecimal number",
			 "pairs of the digits 0 to 9 and A to F");
	else if (size == -E2BIG)
		complain(p, "key", "it is too long", allowed);
	else if (size == 0)
		complain(p, "key", "it is empty", allowed);
	else if (exact && (unsigned int)size != exact)
		complain(p, "key", "it has the wrong size", allowed);
	else
		key->size = (uint16_t)size;
}

static void read_line(struct parse *p, const char *line, size_t length)
{
	unsigned int errors = p->error_count, count;
	struct word words[WORDS_MAX];
	struct ntp_key *key;
	int type;

	if (length > NTP_KEYS_LINE_MAX || memchr(line, '\0', length)) {
		complain(p, "(line)", length > NTP_KEYS_LINE_MAX ? "too long" : "a NUL character",
			 "2048 characters of text");
		return;
	}
	count = split(line, length, words);
	if (count == 0 || strchr("#%!;", *words[0].text))
		return;
	if (count == 1 || count > WORDS_MAX) {
		complain(p, "(line)", count == 1 ? "it has no key" : "more than three words",
			 "ID TYPE KEY");
		return;
	}
	if (p->keys->count == p->keys->room) {
		complain(p, "(line)", "too many keys", "1024 keys");
		return;
	}
	key = &p->keys->keys[p->keys->count];
	if (!id_from(&words[0], &key->id))
		complain(p, "id", "it is none", "an integer from 1 to 4294967295");
	else if (ntp_keys_find(p->keys, key->id))
		complain(p, "id", "another line has it too", "each once");
	type = count == 2 ? ntp_key_type(TYPE_DEFAULT) : type_from(&words[1]);
	if (type < 0) {
		complain_of_type(p);
	} else {
		key->type = (uint8_t)type;
		read_bytes(p, key, &words[count - 1]);
	}
	if (p->error_count == errors)
		p->keys->count++;
}

static size_t lines_of(const char *text, size_t size)
{
	size_t count = 1, i;

	for (i = 0; i < size; i++)
		count += text[i] == '\n';
	return count;
}

int ntp_keys_parse(struct ntp_keys **ret, const char *name, const void *text, size_t size,
		   FILE *errors)
{
	struct parse p = {.name = name, .line = 1, .errors = errors};
	const char *at = text, *end = at + size, *line_end;
	size_t room;

	if (size > NTP_KEYS_FILE_MAX) {
		complain(&p, "(file)", "too large", "262144 bytes");
		return -EINVAL;
	}
	/* All at once: a block that grows would leave copies of keys behind. */
	room = size ? lines_of(text, size) : 1;
	if (room > NTP_KEYS_MAX)
		room = NTP_KEYS_MAX;
	p.keys = calloc(1, sizeof(*p.keys) + room * sizeof(p.keys->keys[0]));
	if (!p.keys)
		return -ENOMEM;
	p.keys->room = room;
	for (; at < end; at = line_end + 1, p.line++) {
		line_end = memchr(at, '\n', (size_t)(end - at));
		if (!line_end)
			line_end = end;
		read_line(&p, at, (size_t)(line_end - at));
	}
	if (p.error_count) {
		ntp_keys_free(p.keys);
		return -EINVAL;
	}
	*ret = p.keys;
	return 0;
}

int ntp_keys_load(struct ntp_keys **ret, const char *path, const char *name, FILE *errors)
{
	struct parse p = {.name = name, .line = 1, .errors = errors};
	const size_t room = NTP_KEYS_FILE_MAX + 1;
	char *text = malloc(room);
	mode_t mode = 0;
	ssize_t size;
	int r;

	if (!text)
		return -ENOMEM;
	size = file_read(path, text, room, &mode);
	if (size < 0) {
		complain(&p, "(file)",
			 size == -EINVAL || size == -EISDIR ? "it is no regular file"
							    : strerror((int)-size),
			 "a readable file");
		r = -EINVAL;
	} else {
		r = ntp_keys_parse(ret, name, text, (size_t)size, errors);
	}
	if (r == 0 && mode & S_IROTH)
		fprintf(errors,
			"%s:1: (file): warning: everybody may read these keys; "
			"advised: mode 0640\n",
			name);
	explicit_bzero(text, room);
	free(text);
	return r;
}

const struct ntp_key *ntp_keys_find(const struct ntp_keys *keys, uint32_t id)
{
	size_t i;

	for (i = 0; keys && i < keys->count; i++)
		if (keys->keys[i].id == id)
			return &keys->keys[i];
	return NULL;
}

void ntp_keys_free(struct ntp_keys *keys)
{
	if (!keys)
		return;
	explicit_bzero(keys, sizeof(*keys) + keys->room * sizeof(keys->keys[0]));
	free(keys);
}
