/* SPDX-License-Identifier: MIT */
/* What the table of keys drives: texts and values, whatever the key. */
#include "keys.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

bool key_is_string(const struct key *key)
{
	return key->type == KEY_FILE_NAME || key->type == KEY_HOST || key->type == KEY_PATH ||
	       key->type == KEY_ADDRESS || key->type == KEY_INTERFACE;
}

const struct key *key_find(const struct key_group *group, const char *name)
{
	unsigned int i;

	for (i = 0; i < group->count; i++)
		if (strcmp(group->keys[i].name, name) == 0)
			return &group->keys[i];
	return NULL;
}

/* Append the i-th word of count to a list of words: "a, b or c". */
static void list_word(char ret[KEY_TEXT_MAX], const char *word, unsigned int i, unsigned int count)
{
	size_t used = strlen(ret);
	const char *between = i == 0 ? "" : i + 1 == count ? " or " : ", ";

	snprintf(ret + used, KEY_TEXT_MAX - used, "%s%s", between, word);
}

void key_type_names(char ret[KEY_TEXT_MAX])
{
	unsigned int i, count = 0, listed = 0;

	for (i = 0; i < keys_source.count; i++)
		count += keys_source.keys[i].names_type;
	ret[0] = '\0';
	for (i = 0; i < keys_source.count; i++)
		if (keys_source.keys[i].names_type)
			list_word(ret, keys_source.keys[i].name, listed++, count);
}

void key_names(const struct key_group *group, char ret[KEY_TEXT_MAX])
{
	unsigned int i;

	ret[0] = '\0';
	for (i = 0; i < group->count; i++)
		list_word(ret, group->keys[i].name, i, group->count);
}

static void choice_names(const struct key *key, char ret[KEY_TEXT_MAX])
{
	unsigned int i, possible = 0, listed = 0;

	for (i = 0; i < key->choice_count; i++)
		possible += !key->choices[i].refusal;
	ret[0] = '\0';
	for (i = 0; i < key->choice_count; i++)
		if (!key->choices[i].refusal)
			list_word(ret, key->choices[i].name, listed++, possible);
}

static int64_t path_limit(const struct key *key)
{
	return key->maximum ? key->maximum : KEY_PATH_MAX;
}

void key_allowed(const struct key *key, char ret[KEY_TEXT_MAX])
{
	char names[KEY_TEXT_MAX];

	switch (key->type) {
	case KEY_INTEGER:
		snprintf(ret, KEY_TEXT_MAX, "an integer from %lld to %lld", (long long)key->minimum,
			 (long long)key->maximum);
		break;
	case KEY_BOOLEAN:
		snprintf(ret, KEY_TEXT_MAX, "true or false");
		break;
	case KEY_CHOICE:
		choice_names(key, ret);
		break;
	case KEY_FILE_NAME:
		snprintf(ret, KEY_TEXT_MAX,
			 "1 to %d letters, digits, '.', '_' or '-', the first one no '.'",
			 KEY_FILE_NAME_MAX);
		break;
	case KEY_HOST:
		snprintf(ret, KEY_TEXT_MAX, "a host name, an IPv4 or an IPv6 address");
		break;
	case KEY_ADDRESS:
		choice_names(key, names);
		snprintf(ret, KEY_TEXT_MAX, "%.100s%san IPv4 or an IPv6 address", names,
			 *names ? ", or " : "");
		break;
	case KEY_INTERFACE:
		choice_names(key, names);
		snprintf(ret, KEY_TEXT_MAX,
			 "%.100s%sthe name of a network interface, 1 to %d bytes", names,
			 *names ? ", or " : "", IF_NAMESIZE - 1);
		break;
	case KEY_PATH:
		choice_names(key, names);
		snprintf(ret, KEY_TEXT_MAX, "%.100s%san absolute path of up to %lld bytes", names,
			 *names ? ", or " : "", (long long)path_limit(key));
		break;
	case KEY_MAP:
		key_names(key->group, names);
		snprintf(ret, KEY_TEXT_MAX, "a map of %.200s", names);
		break;
	case KEY_SOURCES:
		key_type_names(names);
		snprintf(ret, KEY_TEXT_MAX,
			 "a list of %lld to %lld sources, members of pools counted, each a map "
			 "with its kind (%.80s) as a key",
			 (long long)key->minimum, (long long)key->maximum, names);
		break;
	}
}

__attribute__((format(printf, 2, 3))) static int refuse(char wrong[KEY_TEXT_MAX],
							const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(wrong, KEY_TEXT_MAX, format, args);
	va_end(args);
	return -EINVAL;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
	       c == '_';
}

/*
 * A decimal integer, and nothing that YAML's versions read differently (010, 0x10, 1_000).
 * Returns 0; -EINVAL: is none; -ERANGE: is one, but too long to be of any use.
 */
static int integer_from(const char *text, int64_t *ret)
{
	const char *digits = *text == '-' ? text + 1 : text;
	size_t length = strlen(digits), i;
	int64_t value = 0;

	if (length == 0 || (digits[0] == '0' && length > 1))
		return -EINVAL;
	for (i = 0; i < length; i++)
		if (!is_digit(digits[i]))
			return -EINVAL;
	if (length > 18)
		return -ERANGE;
	for (i = 0; i < length; i++)
		value = value * 10 + (digits[i] - '0');
	*ret = *text == '-' ? -value : value;
	return 0;
}

static bool file_name_is_good(const char *text)
{
	size_t length = strlen(text), i;

	if (length == 0 || length > KEY_FILE_NAME_MAX || text[0] == '.')
		return false;
	for (i = 0; i < length; i++)
		if (!is_word(text[i]) && text[i] != '.')
			return false;
	return true;
}

/* An IPv6 address, with a scope behind % where it is a link-local one. */
static bool ipv6_is_good(const char *text)
{
	char address[INET6_ADDRSTRLEN] = "";
	const char *scope = strchr(text, '%');
	size_t length = scope ? (size_t)(scope - text) : strlen(text), i;
	struct in6_addr ipv6;

	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	if (inet_pton(AF_INET6, address, &ipv6) != 1)
		return false;
	if (!scope)
		return true;
	length = strlen(++scope);
	for (i = 0; i < length; i++)
		if (!is_word(scope[i]) && scope[i] != '.')
			return false;
	return length > 0 && length < 16; /* IFNAMSIZ */
}

/*
 * Labels of 1 to 63 characters with dots between them and no '-' at their ends. The last one is
 * not a number (RFC 1123 section 2.1): 1.2.3 and 300.1.1.1 are misspelt addresses.
 */
static bool host_name_is_good(const char *text)
{
	size_t length = strlen(text), label = 0, i;
	bool number = true;

	if (length > 0 && text[length - 1] == '.')
		length--;
	if (length == 0 || length > KEY_HOST_MAX)
		return false;
	for (i = 0; i < length; i++) {
		if (text[i] == '.') {
			if (label == 0 || text[i - 1] == '-')
				return false;
			label = 0;
			number = true;
			continue;
		}
		if (!is_word(text[i]) || (label == 0 && text[i] == '-') || ++label > 63)
			return false;
		number = number && is_digit(text[i]);
	}
	return label > 0 && !number && text[length - 1] != '-';
}

static bool host_is_good(const char *text)
{
	struct in_addr ipv4;

	return inet_pton(AF_INET, text, &ipv4) == 1 || ipv6_is_good(text) ||
	       host_name_is_good(text);
}

/* What the kernel takes for one: dev_valid_name() */
static bool interface_is_good(const char *text)
{
	size_t length = strlen(text), i;

	if (length == 0 || length >= IF_NAMESIZE || strcmp(text, ".") == 0 ||
	    strcmp(text, "..") == 0)
		return false;
	for (i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '/' || text[i] == ':')
			return false;
	return true;
}

static void store_integer(const struct key *key, void *base, int64_t value)
{
	char *at = (char *)base + key->offset;
	uint64_t bits = (uint64_t)value;

	switch (key->width) {
	case 1:
		*(uint8_t *)at = (uint8_t)bits;
		break;
	case 2:
		*(uint16_t *)(void *)at = (uint16_t)bits;
		break;
	case 4:
		*(uint32_t *)(void *)at = (uint32_t)bits;
		break;
	case 8:
		*(uint64_t *)(void *)at = bits;
		break;
	}
}

static void store_string(const struct key *key, void *base, const char *text)
{
	*(const char **)(void *)((char *)base + key->offset) = text;
}

static int set_integer(const struct key *key, void *base, const char *text, const char *shown,
		       char wrong[KEY_TEXT_MAX])
{
	int64_t value;
	int r = integer_from(text, &value);

	if (r == -EINVAL)
		return refuse(wrong, "\"%s\" is no integer", shown);
	if (r < 0 || value < key->minimum || value > key->maximum)
		return refuse(wrong, "%s is out of range", shown);
	store_integer(key, base, value);
	return 0;
}

static const struct key_choice *choice_find(const struct key *key, const char *text)
{
	unsigned int i;

	for (i = 0; i < key->choice_count; i++)
		if (strcmp(key->choices[i].name, text) == 0)
			return &key->choices[i];
	return NULL;
}

static int set_choice(const struct key *key, void *base, const char *text, const char *shown,
		      char wrong[KEY_TEXT_MAX])
{
	const struct key_choice *choice = choice_find(key, text);

	if (!choice)
		return refuse(wrong, "\"%s\" is no such choice", shown);
	if (choice->refusal)
		return refuse(wrong, "%s", choice->refusal);
	store_integer(key, base, choice->value);
	return 0;
}

static int set_path(const struct key *key, void *base, const char *text, const char *shown,
		    char wrong[KEY_TEXT_MAX])
{
	const struct key_choice *word = choice_find(key, text);

	if (!word && text[0] != '/')
		return refuse(wrong, "\"%s\" is no absolute path", shown);
	if (!word && (int64_t)strlen(text) > path_limit(key))
		return refuse(wrong, "\"%s\" is too long", shown);
	store_string(key, base, word && word->value == KEY_PATH_NONE ? NULL : text);
	return 0;
}

static int set_address(const struct key *key, void *base, const char *text, const char *shown,
		       char wrong[KEY_TEXT_MAX])
{
	const struct key_choice *word = choice_find(key, text);
	struct in6_addr address;

	if (!word && inet_pton(AF_INET, text, &address) != 1 &&
	    inet_pton(AF_INET6, text, &address) != 1)
		return refuse(wrong, "\"%s\" is no address", shown);
	store_string(key, base, word && word->value == KEY_PATH_NONE ? NULL : text);
	return 0;
}

int key_set(const struct key *key, void *base, const char *text, bool quoted,
	    char wrong[KEY_TEXT_MAX])
{
	bool string = key->type != KEY_INTEGER && key->type != KEY_BOOLEAN;
	const struct key_choice *word;
	char shown[64];

	log_escape(shown, sizeof(shown), text, strlen(text));
	if (!quoted && (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0))
		return refuse(wrong, "it has no value");
	if (quoted && !string)
		return refuse(wrong, "\"%s\" in quotes is a string", shown);

	switch (key->type) {
	case KEY_INTEGER:
		return set_integer(key, base, text, shown, wrong);
	case KEY_BOOLEAN:
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			return refuse(wrong, "\"%s\" is neither true nor false", shown);
		store_integer(key, base, text[0] == 't');
		return 0;
	case KEY_CHOICE:
		return set_choice(key, base, text, shown, wrong);
	case KEY_FILE_NAME:
		if (!file_name_is_good(text))
			return refuse(wrong, "\"%s\" is no such file name", shown);
		store_string(key, base, text);
		return 0;
	case KEY_HOST:
		if (!host_is_good(text))
			return refuse(wrong, "\"%s\" is no such host", shown);
		store_string(key, base, text);
		return 0;
	case KEY_ADDRESS:
		return set_address(key, base, text, shown, wrong);
	case KEY_INTERFACE:
		if (!interface_is_good(text))
			return refuse(wrong, "\"%s\" is no such name", shown);
		word = choice_find(key, text);
		store_string(key, base, word && word->value == KEY_PATH_NONE ? NULL : text);
		return 0;
	case KEY_PATH:
		return set_path(key, base, text, shown, wrong);
	case KEY_MAP:
	case KEY_SOURCES:
		break;
	}
	return refuse(wrong, "\"%s\" is a single value", shown);
}

void key_set_defaults(const struct key_group *group, void *base)
{
	char wrong[KEY_TEXT_MAX];
	unsigned int i;

	for (i = 0; i < group->count; i++) {
		const struct key *key = &group->keys[i];

		if (key->type == KEY_MAP)
			key_set_defaults(key->group, base);
		else if (key->initial)
			key_set(key, base, key->initial, false, wrong);
	}
}
