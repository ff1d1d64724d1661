/* SPDX-License-Identifier: MIT */
/*
 * The program `chronotick`: a table of verbs, each in its own file. Usage, help and option parsing
 * are all made from the table in verbs.c.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit codes */
enum cli_exit {
	CLI_TRUSTED = 0,   /* done, and the time may be trusted (holdover included) */
	CLI_UNTRUSTED = 1, /* no page, or its time may not be trusted; or the output failed */
	CLI_USAGE = 2,
};

/* What the options have set; the defaults are in main.c. */
struct cli {
	const char *page;    /* NULL: the library's choice */
	const char *control; /* the daemon's socket; NULL: $CHRONOTICK_CONTROL or the default */
	bool json;
	bool verbose;
	bool pretty;
	bool ascii;
	bool plain;
	bool colour; /* stdout is a terminal that wants it */
	double interval_s;
	uint64_t count; /* 0: no limit */
	uint64_t iterations;
	const char *topic; /* the verb's one argument, or NULL */
};

enum cli_option_kind {
	CLI_FLAG,    /* bool */
	CLI_STRING,  /* const char * */
	CLI_COUNT,   /* uint64_t, a decimal number from min to max */
	CLI_SECONDS, /* double, from min to max */
};

struct cli_option {
	const char *name; /* without the dashes; NULL ends a list */
	char letter;      /* with one dash; 0: there is none */
	enum cli_option_kind kind;
	size_t offset;        /* of the value in struct cli */
	const char *argument; /* its name in the usage; NULL for flags */
	double min, max;
	const char *help;
};

struct cli_verb {
	const char *name; /* NULL ends the table */
	const char *summary;
	const char *argument; /* the name of its one optional argument, or NULL */
	const struct cli_option *options;
	const char *const *examples;       /* NULL ends the list */
	int (*run)(const struct cli *cli); /* returns enum cli_exit */
};

extern const struct cli_verb cli_verbs[];
extern const struct cli_option cli_global_options[];

/* The verb of that name, or NULL. */
const struct cli_verb *cli_verb_find(const char *name);

/* The usage of the program (verb NULL) or of one verb. */
void cli_usage(FILE *out, const struct cli_verb *verb);

/* The verbs, each in a file of its name, but for online, offline and reload in change.c */
int cli_read(const struct cli *cli);
int cli_monitor(const struct cli *cli);
int cli_status(const struct cli *cli);
int cli_benchmark(const struct cli *cli);
int cli_json(const struct cli *cli);
int cli_sources(const struct cli *cli);
int cli_online(const struct cli *cli);
int cli_offline(const struct cli *cli);
int cli_reload(const struct cli *cli);
int cli_help(const struct cli *cli);

#endif /* CLI_CLI_H */
