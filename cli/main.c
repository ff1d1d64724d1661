/* SPDX-License-Identifier: MIT */
/* chronotick: options are parsed by the verb table, then the verb runs. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

enum { OPTIONS_MAX = 16, HELP = 256, VERSION, FIRST };

static bool colour_wanted(void)
{
	const char *no_colour = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_colour && *no_colour) && terminal &&
	       strcmp(terminal, "dumb") != 0;
}

static int number_parse(const struct cli_option *option, const char *text, double *ret)
{
	char *end;

	errno = 0;
	*ret = strtod(text, &end);
	if (end == text || *end || errno || !isfinite(*ret))
		return -EINVAL;
	if (*ret < option->min || *ret > option->max)
		return -ERANGE;
	if (option->kind == CLI_COUNT &&
	    (*ret != floor(*ret) || strspn(text, "0123456789") != strlen(text)))
		return -EINVAL;
	return 0;
}

/* Store one option's value; 0, or a negative errno after saying what is wrong. */
static int option_set(struct cli *cli, const struct cli_option *option, const char *text)
{
	char *member = (char *)cli + option->offset;
	double number = 0;

	if (option->kind == CLI_FLAG) {
		*(bool *)(void *)member = true;
		return 0;
	}
	if (option->kind == CLI_STRING) {
		if (!*text) {
			fprintf(stderr, "chronotick: --%s: empty\n", option->name);
			return -EINVAL;
		}
		*(const char **)(void *)member = text;
		return 0;
	}
	if (number_parse(option, text, &number) < 0) {
		fprintf(stderr, "chronotick: --%s: '%s' is no %s from %.15g to %.15g\n",
			option->name, text, option->kind == CLI_COUNT ? "whole number" : "number",
			option->min, option->max);
		return -EINVAL;
	}
	if (option->kind == CLI_COUNT)
		*(uint64_t *)(void *)member = (uint64_t)number;
	else
		*(double *)(void *)member = number;
	return 0;
}

/* Append a list of options to getopt's own; `chosen` is told apart by its value's index. */
static int options_add(struct option *longs, const struct cli_option **table, int n,
		       const struct cli_option *option)
{
	for (; option->name && n < OPTIONS_MAX; option++, n++) {
		table[n] = option;
		longs[n] = (struct option){
			.name = option->name,
			.has_arg = option->kind == CLI_FLAG ? no_argument : required_argument,
			.val = FIRST + n,
		};
	}
	return n;
}

/* getopt's short options: all are flags. '+': end at the first argument that is none. */
static void letters_set(char *letters, const struct cli_option *const *table, int n, bool first)
{
	int i;

	if (first)
		*letters++ = '+';
	*letters++ = 'h';
	for (i = 0; i < n; i++)
		if (table[i]->letter)
			*letters++ = table[i]->letter;
	*letters = '\0';
}

/* What getopt's result means; it is one of the table's. */
static const struct cli_option *option_of(const struct cli_option *const *table, int n, int c)
{
	int i;

	if (c >= FIRST)
		return table[c - FIRST];
	for (i = 0; i < n - 1 && table[i]->letter != c; i++)
		;
	return table[i];
}

/*
 * Parse options up to the first that is none (verb NULL), or all of a verb's.
 * Returns -1 to go on, or an exit code.
 */
static int options_parse(struct cli *cli, const struct cli_verb *verb, int argc, char **argv)
{
	struct option longs[OPTIONS_MAX + 3] = {{0}};
	const struct cli_option *table[OPTIONS_MAX];
	char letters[OPTIONS_MAX + 3];
	int n, c;

	n = options_add(longs, table, 0, cli_global_options);
	if (verb)
		n = options_add(longs, table, n, verb->options);
	longs[n] = (struct option){"help", no_argument, NULL, HELP};
	longs[n + 1] = (struct option){verb ? NULL : "version", no_argument, NULL, VERSION};
	letters_set(letters, table, n, verb == NULL);
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (c == HELP || c == 'h') {
			cli_usage(stdout, verb);
			return CLI_TRUSTED;
		}
		if (c == VERSION) {
			puts("chronotick " CHRONOTICK_VERSION);
			return CLI_TRUSTED;
		}
		if (c == '?' || option_set(cli, option_of(table, n, c), optarg) < 0) {
			fputc('\n', stderr);
			cli_usage(stderr, verb);
			return CLI_USAGE;
		}
	}
	return -1;
}

static int run(struct cli *cli, int argc, char **argv)
{
	const struct cli_verb *verb;
	int r;

	r = options_parse(cli, NULL, argc, argv);
	if (r >= 0)
		return r;
	if (optind == argc) {
		cli_usage(stderr, NULL);
		return CLI_USAGE;
	}
	verb = cli_verb_find(argv[optind]);
	if (!verb) {
		fprintf(stderr, "chronotick: no verb is called '%s'\n\n", argv[optind]);
		cli_usage(stderr, NULL);
		return CLI_USAGE;
	}
	/* getopt names its messages after argv[0]; the verb's place takes the program's name. */
	argc -= optind;
	argv += optind;
	argv[0] = (char *)"chronotick";
	optind = 0;
	r = options_parse(cli, verb, argc, argv);
	if (r >= 0)
		return r;
	if (verb->argument && optind < argc)
		cli->topic = argv[optind++];
	if (optind < argc) {
		fprintf(stderr, "chronotick: %s: '%s' is not expected\n\n", verb->name,
			argv[optind]);
		cli_usage(stderr, verb);
		return CLI_USAGE;
	}
	return verb->run(cli);
}

int main(int argc, char **argv)
{
	struct cli cli = {.interval_s = 1, .iterations = 1000000};
	int r;

	cli.colour = colour_wanted();
	r = run(&cli, argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "chronotick: standard output: %s\n", strerror(errno));
		return CLI_UNTRUSTED;
	}
	return r;
}
