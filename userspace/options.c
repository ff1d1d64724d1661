/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "log.h"

enum option_id {
	OPTION_CONFIG = 1000, /* clear of characters */
	OPTION_CHECK_CONFIG,
	OPTION_FREQ,
	OPTION_COUNTER,
	OPTION_CPU_AFFINITY,
	OPTION_LOG_LEVEL,
	OPTION_FOREGROUND,
	OPTION_STANDBY,
	OPTION_VERSION,
	OPTION_HELP,
};

/* One option: what getopt needs, what --help shows, and which key of the configuration it is. */
static const struct option_entry {
	enum option_id id;
	const char *name;
	const char *argument; /* NULL: none */
	const char *key;      /* in the map `group`, NULL: none */
	const char *group;    /* NULL: the document itself */
	const char *help;
} entries[] = {
	{OPTION_CONFIG, "config", "PATH", NULL, NULL, "read this file, not " CONFIG_PATH},
	{OPTION_CHECK_CONFIG, "check-config", NULL, NULL, NULL,
	 "check the configuration, say what is wrong with it, and end"},
	{OPTION_FREQ, "freq", "HZ", "frequency_hz", "page", "publications per second, 1 to 1000"},
	{OPTION_COUNTER, "counter", "KIND", "counter", NULL,
	 "run on auto, tsc, cntvct or monotonic_raw"},
	{OPTION_CPU_AFFINITY, "cpu-affinity", "N...", NULL, NULL,
	 "run on these CPUs only: 2 3, or 2,3"},
	{OPTION_LOG_LEVEL, "log-level", "LEVEL", "log_level", NULL,
	 "log DEBUG, INFO, WARNING or ERROR, and what is worse"},
	{OPTION_FOREGROUND, "foreground", NULL, NULL, NULL,
	 "stay attached to the terminal or to the service manager"},
	{OPTION_STANDBY, "standby", NULL, NULL, NULL,
	 "wait for a page that another daemon writes, and take over"},
	{OPTION_VERSION, "version", NULL, NULL, NULL, "show the version and end"},
	{OPTION_HELP, "help", NULL, NULL, NULL, "show this text and end"},
};

enum { ENTRIES = sizeof(entries) / sizeof(entries[0]) };

__attribute__((format(printf, 2, 3))) static int usage_error(FILE *errors, const char *format, ...)
{
	va_list args;

	fputs("chronotickd: ", errors);
	va_start(args, format);
	vfprintf(errors, format, args);
	va_end(args);
	fputs("; --help shows the options\n", errors);
	return -EINVAL;
}

static const struct key *entry_key(const struct option_entry *entry)
{
	const struct key_group *group = &keys_document;

	if (entry->group)
		group = key_find(group, entry->group)->group;
	return key_find(group, entry->key);
}

/* The CPUs of one word: "2" or "2,3". */
static int cpus_add(struct options *options, const char *word, FILE *errors)
{
	char shown[64];
	char *end;
	long cpu;

	log_escape(shown, sizeof(shown), word, strlen(word));
	for (;; word = end + 1) {
		cpu = strtol(word, &end, 10);
		if (*word < '0' || *word > '9' || (*end != '\0' && *end != ',') || cpu < 0 ||
		    cpu >= CPU_SETSIZE)
			return usage_error(errors,
					   "--cpu-affinity: \"%s\" is no list of CPUs; allowed: "
					   "numbers from 0 to %d, with ',' or space between them",
					   shown, CPU_SETSIZE - 1);
		if (options->cpu_count == CONFIG_CPUS_MAX)
			return usage_error(errors, "--cpu-affinity: too many CPUs; allowed: %d",
					   CONFIG_CPUS_MAX);
		options->cpus[options->cpu_count++] = (int)cpu;
		if (*end == '\0')
			return 0;
	}
}

/* A value with the range and the words of its key in the configuration */
static int take_value(struct options *options, const struct option_entry *entry, const char *text,
		      FILE *errors)
{
	char wrong[KEY_TEXT_MAX], allowed[KEY_TEXT_MAX];
	const struct key *key = entry_key(entry);
	struct config config = {0};

	if (key_set(key, &config, text, false, wrong) < 0) {
		key_allowed(key, allowed);
		return usage_error(errors, "--%s: %s; allowed: %s", entry->name, wrong, allowed);
	}
	switch (entry->id) {
	case OPTION_FREQ:
		options->frequency_hz = config.page.frequency_hz;
		break;
	case OPTION_COUNTER:
		options->counter_kind = config.counter_kind;
		options->has_counter_kind = true;
		break;
	default:
		options->log_priority = config.log_priority;
		options->has_log_priority = true;
		break;
	}
	return 0;
}

static int take_option(struct options *options, const struct option_entry *entry,
		       const char *argument, FILE *errors)
{
	switch (entry->id) {
	case OPTION_CONFIG:
		if (!*argument)
			return usage_error(errors, "--config: an empty path");
		options->config_path = argument;
		return 0;
	case OPTION_CHECK_CONFIG:
		options->check_config = true;
		return 0;
	case OPTION_CPU_AFFINITY:
		options->cpu_count = 0; /* the last one counts, as with the other options */
		return cpus_add(options, argument, errors);
	case OPTION_FOREGROUND:
		options->foreground = true;
		return 0;
	case OPTION_VERSION:
		options->version = true;
		return 0;
	case OPTION_STANDBY:
		options->standby = true;
		return 0;
	case OPTION_HELP:
		options->help = true;
		return 0;
	case OPTION_FREQ:
	case OPTION_COUNTER:
	case OPTION_LOG_LEVEL:
		break;
	}
	return take_value(options, entry, argument, errors);
}

static const struct option_entry *entry_of(int id)
{
	unsigned int i;

	for (i = 0; i < ENTRIES; i++)
		if ((int)entries[i].id == id)
			return &entries[i];
	return NULL;
}

/* What getopt did not like: an option that is unknown, has no argument, or must not have one. */
static int refuse_option(int code, int option, const char *word, FILE *errors)
{
	const struct option_entry *entry = entry_of(option);
	char shown[64], cluster[] = "-?";

	/* A short option: getopt goes on to the next word only behind the last of them. */
	if (!entry && option) {
		cluster[1] = (char)option;
		word = cluster;
	}
	log_escape(shown, sizeof(shown), word, strlen(word));
	if (entry && code == ':')
		return usage_error(errors, "--%s: missing argument %s", entry->name,
				   entry->argument);
	if (entry)
		return usage_error(errors, "--%s: takes no argument", entry->name);
	return usage_error(errors, "unknown or ambiguous option \"%s\"", shown);
}

int options_parse(struct options *ret, int argc, char *const argv[], FILE *errors)
{
	struct option table[ENTRIES + 1] = {0};
	const struct option_entry *entry = NULL;
	struct options options = {0};
	char shown[64];
	unsigned int i;
	int code, r;

	for (i = 0; i < ENTRIES; i++) {
		table[i].name = entries[i].name;
		table[i].has_arg = entries[i].argument ? required_argument : no_argument;
		table[i].val = entries[i].id;
	}
	optind = 0; /* glibc: start afresh */
	opterr = 0;
	/* '-': other words come in their order too, as code 1; ':': tell what is missing. */
	while ((code = getopt_long(argc, argv, "-:", table, NULL)) != -1) {
		if (code == '?' || code == ':')
			return refuse_option(code, optopt, argv[optind - 1], errors);
		if (code == 1 && entry && entry->id == OPTION_CPU_AFFINITY) {
			r = cpus_add(&options, optarg, errors);
		} else if (code == 1) {
			log_escape(shown, sizeof(shown), optarg, strlen(optarg));
			r = usage_error(errors, "unexpected argument \"%s\"", shown);
		} else {
			entry = entry_of(code);
			r = take_option(&options, entry, optarg, errors);
		}
		if (r < 0)
			return r;
	}
	if (optind < argc) { /* behind "--" */
		log_escape(shown, sizeof(shown), argv[optind], strlen(argv[optind]));
		return usage_error(errors, "unexpected argument \"%s\"", shown);
	}
	*ret = options;
	return 0;
}

void options_apply(const struct options *options, struct config *config)
{
	if (options->frequency_hz)
		config->page.frequency_hz = options->frequency_hz;
	if (options->has_counter_kind)
		config->counter_kind = options->counter_kind;
	if (options->has_log_priority)
		config->log_priority = options->log_priority;
	config->page.standby = options->standby;
	config->archive.standby = options->standby;
	memcpy(config->cpus, options->cpus, sizeof(config->cpus));
	config->cpu_count = options->cpu_count;
}

void options_usage(FILE *out)
{
	unsigned int i;
	char left[40];

	fputs("Usage: chronotickd [OPTION]...\n"
	      "Works out UTC from time servers and publishes it for clients to read.\n\n",
	      out);
	for (i = 0; i < ENTRIES; i++) {
		snprintf(left, sizeof(left), "--%s%s%s", entries[i].name,
			 entries[i].argument ? " " : "",
			 entries[i].argument ? entries[i].argument : "");
		fprintf(out, "  %-24s %s\n", left, entries[i].help);
	}
	fputs("\nWithout --foreground it goes to the background once clients can open its page.\n"
	      "Without --config: " CONFIG_PATH " if there is one, else Debian's NTP pool.\n"
	      "Ends with 0 when asked to, 1 if it failed, 2 for a bad option or configuration.\n\n"
	      "  chronotickd --check-config                        is the configuration good?\n"
	      "  chronotickd --foreground --freq 1000              1000 publications a second\n"
	      "  chronotickd --config site.yaml --cpu-affinity 2 3\n",
	      out);
}
