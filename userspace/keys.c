/* SPDX-License-Identifier: MIT */
#include "keys.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "config.h"
#include "control/protocol.h"
#include "local/peer.h"
#include "log.h"
#include "sources/ntp_poll.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MEMBER(type, member)                                                                       \
	.offset = offsetof(struct type, member), .width = sizeof(((struct type *)0)->member)
#define CHOICES(array) .choices = (array), .choice_count = COUNT(array)

static const struct key_choice backends[] = {
	{"auto", PUBLISH_AUTO, NULL},
	{"module", PUBLISH_MODULE, NULL},
	{"shm", PUBLISH_SHM, NULL},
};

/* Words in place of a path: there is none, or the daemon finds it. */
static const struct key_choice path_or_none[] = {
	{"none", KEY_PATH_NONE, NULL},
};

static const struct key_choice path_found[] = {
	{"auto", 1, NULL},
	{"none", KEY_PATH_NONE, NULL},
};

static const struct key_choice leap_modes[] = {
	{"step", LEAP_STEP, NULL},
	{"smear", LEAP_SMEAR, NULL},
};

#ifdef __x86_64__
#define TSC_REFUSAL NULL
#else
#define TSC_REFUSAL "only x86-64 has this counter"
#endif
#ifdef __aarch64__
#define CNTVCT_REFUSAL NULL
#else
#define CNTVCT_REFUSAL "only arm64 has this counter"
#endif

static const struct key_choice counters[] = {
	{"auto", CHRONOTICK_COUNTER_NONE, NULL},
	{"tsc", CHRONOTICK_COUNTER_TSC, TSC_REFUSAL},
	{"cntvct", CHRONOTICK_COUNTER_CNTVCT, CNTVCT_REFUSAL},
	{"monotonic_raw", CHRONOTICK_COUNTER_MONOTONIC_RAW, NULL},
};

static const struct key_choice log_levels[] = {
	{"DEBUG", LOG_DEBUG, NULL},
	{"INFO", LOG_INFO, NULL},
	{"WARNING", LOG_WARNING, NULL},
	{"ERROR", LOG_ERR, NULL},
};

static const struct key_choice retro_methods[] = {
	{"none", RETRO_NONE, NULL},
	{"linear", RETRO_LINEAR, NULL},
	{"drift_aware", RETRO_DRIFT_AWARE, NULL},
	{"advanced", RETRO_ADVANCED, NULL},
	{"advance_absolute", RETRO_ADVANCE_ABSOLUTE, NULL},
	{"backtracking", RETRO_BACKTRACKING, NULL},
};

static const struct key_choice record_orders[] = {
	{"document", CHRONOTICK_ORDER_DOCUMENT, NULL},
	{"python", CHRONOTICK_ORDER_PYTHON, NULL},
};

static const struct key page_keys[] = {
	{"backend", KEY_CHOICE, "auto", CHOICES(backends), MEMBER(config, page.backend)},
	{"shm_name", KEY_FILE_NAME, CHRONOTICK_SHM_NAME, MEMBER(config, page.shm_name)},
	{"frequency_hz", KEY_INTEGER, "100", 1, 1000, MEMBER(config, page.frequency_hz)},
	{"writer_timeout_ms", KEY_INTEGER, "10000", 1000, CHRONOTICK_GROWTH_NS / 1000000,
	 MEMBER(config, page.writer_timeout_ms)},
	/* The bound in a clock line has 32 bits. */
	{"max_bound_ns", KEY_INTEGER, "1000000000", 1000, 4000000000,
	 MEMBER(config, page.max_bound_ns)},
	{"record_order", KEY_CHOICE, "document", CHOICES(record_orders),
	 MEMBER(config, page.record_order)},
};

static const struct key clock_keys[] = {
	{"max_slew_ppb", KEY_INTEGER, "100000", 10000, 500000, MEMBER(config, page.max_slew_ppb)},
	{"step_threshold_ns", KEY_INTEGER, "1000000", 1000, PUBLISH_STEP_THRESHOLD_MAX_NS,
	 MEMBER(config, page.step_threshold_ns)},
	{"max_drift_ppb", KEY_INTEGER, "200000", 1000, 500000, MEMBER(config, max_drift_ppb),
	 .reloads = true},
	{"wander_ppb", KEY_INTEGER, "1000", 1, 100000, MEMBER(config, wander_ppb), .reloads = true},
	{"max_distance_ms", KEY_INTEGER, "1000", 1, 16000, MEMBER(config, max_distance_ms),
	 .reloads = true},
};

static const struct key leap_keys[] = {
	{"file", KEY_PATH, "auto", CHOICES(path_found), MEMBER(config, leap.file)},
	{"mode", KEY_CHOICE, "step", CHOICES(leap_modes), MEMBER(config, leap.mode)},
};

static const struct key control_keys[] = {
	/* sun_path of struct sockaddr_un holds no more. */
	{"socket", KEY_PATH, CONTROL_SOCKET, 0, 107, CHOICES(path_or_none),
	 MEMBER(config, control.socket)},
	{"group", KEY_FILE_NAME, LOCAL_NO_GROUP, MEMBER(config, control.group)},
};

static const struct key_choice trust_cpus[] = {
	{"always", WATCH_CPUS_ALWAYS, NULL},
	{"start", WATCH_CPUS_START, NULL},
	{"never", WATCH_CPUS_NEVER, NULL},
};

static const struct key trust_keys[] = {
	{"changes", KEY_BOOLEAN, "true", MEMBER(config, trust.changes)},
	{"cpus", KEY_CHOICE, "always", CHOICES(trust_cpus), MEMBER(config, trust.cpus)},
};

static const struct key_choice lock_memory[] = {
	{"auto", REALTIME_LOCK_AUTO, NULL},
	{"true", REALTIME_LOCK_YES, NULL},
	{"false", REALTIME_LOCK_NO, NULL},
};

static const struct key realtime_keys[] = {
	{"lock_memory", KEY_CHOICE, "auto", CHOICES(lock_memory),
	 MEMBER(config, realtime.lock_memory)},
	{"priority", KEY_INTEGER, "0", 0, REALTIME_PRIORITY_MAX, MEMBER(config, realtime.priority)},
};

#define NTP_TYPES (1 << SOURCE_NTP | 1 << SOURCE_POOL)

static const struct key source_keys[] = {
	{"ntp", KEY_HOST, NULL, MEMBER(source_config, ntp.server), .types = 1 << SOURCE_NTP,
	 .names_type = true},
	{"pool", KEY_HOST, NULL, MEMBER(source_config, ntp.server), .types = 1 << SOURCE_POOL,
	 .names_type = true},
	{"feed", KEY_PATH, NULL, 0, 107, MEMBER(source_config, feed), .types = 1 << SOURCE_FEED,
	 .names_type = true},
	{"maxsources", KEY_INTEGER, "4", 1, POOL_MEMBERS_MAX, MEMBER(source_config, maxsources),
	 .types = 1 << SOURCE_POOL},
	{"port", KEY_INTEGER, "123", 1, 65535, MEMBER(source_config, ntp.port), .types = NTP_TYPES},
	{"iburst", KEY_BOOLEAN, "false", MEMBER(source_config, ntp.iburst), .types = NTP_TYPES},
	{"minpoll", KEY_INTEGER, "6", -3, 17, MEMBER(source_config, ntp.minpoll),
	 .types = NTP_TYPES},
	{"maxpoll", KEY_INTEGER, "10", -3, 17, MEMBER(source_config, ntp.maxpoll),
	 .types = NTP_TYPES},
	{"samples_per_poll", KEY_INTEGER, "1", 1, NTP_POLL_SAMPLES_MAX,
	 MEMBER(source_config, ntp.samples), .types = NTP_TYPES},
	{"xleave", KEY_BOOLEAN, "false", MEMBER(source_config, ntp.xleave), .types = NTP_TYPES},
	{"key", KEY_INTEGER, "0", 0, UINT32_MAX, MEMBER(source_config, ntp.key.id),
	 .types = NTP_TYPES},
	{"group", KEY_FILE_NAME, LOCAL_NO_GROUP, MEMBER(source_config, group),
	 .types = 1 << SOURCE_FEED},
	{"offline", KEY_BOOLEAN, "false", MEMBER(source_config, offline)},
	{"prefer", KEY_BOOLEAN, "false", MEMBER(source_config, prefer), .types = NTP_TYPES},
	{"trust", KEY_BOOLEAN, "false", MEMBER(source_config, trust), .types = NTP_TYPES},
	{"noselect", KEY_BOOLEAN, "false", MEMBER(source_config, noselect), .types = NTP_TYPES},
};

static const struct key state_keys[] = {
	{"file", KEY_PATH, "auto", CHOICES(path_found), MEMBER(config, archive.state_file)},
	{"interval_s", KEY_INTEGER, "600", 10, 86400, MEMBER(config, archive.state_interval_s)},
};

static const struct key audit_keys[] = {
	{"directory", KEY_PATH, "none", CHOICES(path_or_none),
	 MEMBER(config, archive.audit.directory)},
	{"rotate_s", KEY_INTEGER, "86400", 10, 604800,
	 MEMBER(config, archive.audit.limits.rotate_s)},
	{"keep", KEY_INTEGER, "0", 0, 100000, MEMBER(config, archive.audit.limits.keep)},
};

static const struct key sample_log_keys[] = {
	{"directory", KEY_PATH, "none", CHOICES(path_or_none),
	 MEMBER(config, archive.samples.directory)},
	{"rotate_s", KEY_INTEGER, "86400", 10, 604800,
	 MEMBER(config, archive.samples.limits.rotate_s)},
	{"keep", KEY_INTEGER, "14", 0, 100000, MEMBER(config, archive.samples.limits.keep)},
};

static const struct key covariate_keys[] = {
	{"temperature", KEY_PATH, COVARIATE_AUTO, 0, THERMOMETER_PATH_MAX - 1, CHOICES(path_found),
	 MEMBER(config, covariates.temperature)},
	{"cpu_frequency", KEY_BOOLEAN, "true", MEMBER(config, covariates.cpu_frequency)},
	{"cpu_load", KEY_BOOLEAN, "true", MEMBER(config, covariates.cpu_load)},
	{"memory", KEY_BOOLEAN, "true", MEMBER(config, covariates.memory)},
	{"interval_s", KEY_INTEGER, "10", 1, 3600, MEMBER(config, covariates.interval_s)},
};

/* Members of struct config at two places: of each model */
#define MODEL_KEYS(model, interval, horizon)                                                        \
	{                                                                                           \
		{"enabled", KEY_BOOLEAN, "true", MEMBER(config, models.model.enabled)},             \
			{"interval_s", KEY_INTEGER,                                                 \
			 interval,     1,                                                           \
			 3600,         MEMBER(config, models.model.interval_s)},                    \
			{"horizon_s", KEY_INTEGER, horizon,                                         \
			 2,           14400,       MEMBER(config, models.model.horizon_s)},         \
			{"lead_s", KEY_INTEGER, "0", 0, 3600, MEMBER(config, models.model.lead_s)}, \
	}

static const struct key short_term_keys[] = MODEL_KEYS(short_term, "5", "30");
static const struct key long_term_keys[] = MODEL_KEYS(long_term, "30", "240");
const struct key_group keys_short_term = {short_term_keys, COUNT(short_term_keys)};
const struct key_group keys_long_term = {long_term_keys, COUNT(long_term_keys)};

static const struct key models_keys[] = {
	{"short_term", KEY_MAP, "", .group = &keys_short_term},
	{"long_term", KEY_MAP, "", .group = &keys_long_term},
	{"retroactive", KEY_CHOICE, "drift_aware", CHOICES(retro_methods),
	 MEMBER(config, models.retroactive)},
};

const struct key_group keys_page = {page_keys, COUNT(page_keys)};
static const struct key_group clock_group = {clock_keys, COUNT(clock_keys)};
const struct key_group keys_leap = {leap_keys, COUNT(leap_keys)};
static const struct key_group control_group = {control_keys, COUNT(control_keys)};
static const struct key_group state_group = {state_keys, COUNT(state_keys)};
static const struct key_group audit_group = {audit_keys, COUNT(audit_keys)};
static const struct key_group sample_log_group = {sample_log_keys, COUNT(sample_log_keys)};
static const struct key_group covariate_group = {covariate_keys, COUNT(covariate_keys)};
static const struct key_group trust_group = {trust_keys, COUNT(trust_keys)};
static const struct key_group models_group = {models_keys, COUNT(models_keys)};
static const struct key_group realtime_group = {realtime_keys, COUNT(realtime_keys)};
const struct key_group keys_source = {source_keys, COUNT(source_keys)};

static const struct key document_keys[] = {
	{"page", KEY_MAP, "", .group = &keys_page},
	{"clock", KEY_MAP, "", .group = &clock_group},
	{"leap", KEY_MAP, "", .group = &keys_leap},
	{"counter", KEY_CHOICE, "auto", CHOICES(counters), MEMBER(config, counter_kind)},
	{"trust", KEY_MAP, "", .group = &trust_group},
	{"realtime", KEY_MAP, "", .group = &realtime_group},
	{"warm_up_s", KEY_INTEGER, "180", 0, 86400, MEMBER(config, warm_up_s), .reloads = true},
	{"state", KEY_MAP, "", .group = &state_group},
	{"audit", KEY_MAP, "", .group = &audit_group},
	{"sample_log", KEY_MAP, "", .group = &sample_log_group},
	{"models", KEY_MAP, "", .group = &models_group},
	{"covariates", KEY_MAP, "", .group = &covariate_group},
	{"log_level", KEY_CHOICE, "INFO", CHOICES(log_levels), MEMBER(config, log_priority),
	 .reloads = true},
	{"keys", KEY_PATH, "none", CHOICES(path_or_none), MEMBER(config, keys), .reloads = true},
	{"control", KEY_MAP, "", .group = &control_group},
	{"sources", KEY_SOURCES, NULL, 1, CONFIG_SOURCES_MAX, .group = &keys_source},
};

const struct key_group keys_document = {document_keys, COUNT(document_keys)};

_Static_assert(COUNT(page_keys) <= KEYS_MAX && COUNT(clock_keys) <= KEYS_MAX &&
		       COUNT(source_keys) <= KEYS_MAX && COUNT(document_keys) <= KEYS_MAX,
	       "KEYS_MAX");

bool key_is_string(const struct key *key)
{
	return key->type == KEY_FILE_NAME || key->type == KEY_HOST || key->type == KEY_PATH;
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

int key_set(const struct key *key, void *base, const char *text, bool quoted,
	    char wrong[KEY_TEXT_MAX])
{
	bool string = key->type != KEY_INTEGER && key->type != KEY_BOOLEAN;
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
