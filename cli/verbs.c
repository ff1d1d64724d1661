/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cli.h"

#define OPTION(option_name, option_kind, member, ...)                                              \
	{                                                                                          \
		.name = option_name, .kind = option_kind, .offset = offsetof(struct cli, member),  \
		__VA_ARGS__                                                                        \
	}

const struct cli_option cli_global_options[] = {
	OPTION("page", CLI_STRING, page, .argument = "PATH",
	       .help = "the page's file or device (default: $CHRONOTICK_PAGE, else /dev/chronotick, "
		       "else /dev/shm/chronotick_shm)"),
	{NULL},
};

static const struct cli_option no_options[] = {{NULL}};

static const struct cli_option monitor_options[] = {
	OPTION("interval", CLI_SECONDS, interval_s, .argument = "S", .min = 0.001, .max = 86400,
	       .help = "seconds between two looks (default: 1)"),
	OPTION("count", CLI_COUNT, count, .argument = "N", .min = 1, .max = 1e15,
	       .help = "end after N looks (default: go on until interrupted)"),
	OPTION("plain", CLI_FLAG, plain, .help = "lines instead of a screen, on a terminal too"),
	OPTION("ascii", CLI_FLAG, ascii, .help = "draw the screen in ASCII, whatever the locale"),
	{NULL},
};

#define CONTROL_OPTION                                                                             \
	OPTION("control", CLI_STRING, control, .argument = "SOCKET",                               \
	       .help = "the daemon's control socket (default: $CHRONOTICK_CONTROL, else "          \
		       "/run/chronotick/control.sock)")

static const struct cli_option status_options[] = {
	OPTION("verbose", CLI_FLAG, verbose, .letter = 'v',
	       .help = "ask the daemon, and show every term of the bound, and the models"),
	OPTION("json", CLI_FLAG, json, .help = "print that as one JSON object"),
	CONTROL_OPTION,
	{NULL},
};

static const struct cli_option sources_options[] = {
	OPTION("verbose", CLI_FLAG, verbose, .letter = 'v',
	       .help = "show why each is used or not, and what is counted of it"),
	OPTION("json", CLI_FLAG, json, .help = "print one JSON object"),
	CONTROL_OPTION,
	{NULL},
};

static const struct cli_option change_options[] = {
	CONTROL_OPTION,
	{NULL},
};

static const struct cli_option benchmark_options[] = {
	OPTION("iterations", CLI_COUNT, iterations, .argument = "N", .min = 1, .max = 1e9,
	       .help = "reads of each kind (default: 1000000)"),
	OPTION("json", CLI_FLAG, json, .help = "print one JSON object"),
	{NULL},
};

static const struct cli_option json_options[] = {
	OPTION("pretty", CLI_FLAG, pretty, .help = "one key a line, indented"),
	{NULL},
};

static const char *const read_examples[] = {
	"chronotick read",
	"chronotick read --page /dev/shm/chronotick_shm",
	NULL,
};
static const char *const monitor_examples[] = {
	"chronotick monitor --interval 0.1",
	"chronotick monitor --interval 60 --count 10",
	NULL,
};
static const char *const status_examples[] = {
	"chronotick status",
	"chronotick status --verbose",
	"chronotick status --json | jq .bound.terms_ns",
	"chronotick status || systemctl restart chronotickd",
	NULL,
};
static const char *const sources_examples[] = {
	"chronotick sources -v",
	"chronotick sources --json | jq '.sources[] | select(.state == \"falseticker\")'",
	NULL,
};
static const char *const online_examples[] = {
	"chronotick online",
	"chronotick online '*.example.net'",
	NULL,
};
static const char *const offline_examples[] = {
	"chronotick offline 192.0.2.1",
	"chronotick offline '10.*'",
	NULL,
};
static const char *const reload_examples[] = {
	"chronotick reload",
	NULL,
};
static const char *const benchmark_examples[] = {
	"chronotick benchmark --iterations 1000000",
	"chronotick benchmark --json | jq .read_ordered_ns",
	NULL,
};
static const char *const json_examples[] = {
	"chronotick json --pretty",
	"chronotick json | jq -r .utc_ns",
	NULL,
};
static const char *const help_examples[] = {
	"chronotick help monitor",
	NULL,
};

const struct cli_verb cli_verbs[] = {
	{"read", "show the corrected time once, with its bound", NULL, no_options, read_examples,
	 cli_read},
	{"monitor", "show time, bound and sources as they change: a screen, or lines", NULL,
	 monitor_options, monitor_examples, cli_monitor},
	{"status", "show the state of the daemon, its sources and its page", NULL, status_options,
	 status_examples, cli_status},
	{"sources", "show what the daemon knows of each time source", NULL, sources_options,
	 sources_examples, cli_sources},
	{"online", "take time sources into use: those that match, or all", "SOURCE", change_options,
	 online_examples, cli_online},
	{"offline", "take time sources out of use: those that match, or all", "SOURCE",
	 change_options, offline_examples, cli_offline},
	{"reload", "have the daemon read its configuration again", NULL, change_options,
	 reload_examples, cli_reload},
	{"benchmark", "measure what a read costs, beside the system's own clocks", NULL,
	 benchmark_options, benchmark_examples, cli_benchmark},
	{"json", "print all that is known as one JSON object", NULL, json_options, json_examples,
	 cli_json},
	{"help", "show the usage of the program, or of one verb", "VERB", no_options, help_examples,
	 cli_help},
	{NULL},
};

const struct cli_verb *cli_verb_find(const char *name)
{
	const struct cli_verb *verb;

	for (verb = cli_verbs; verb->name; verb++)
		if (strcmp(verb->name, name) == 0)
			return verb;
	return NULL;
}
