/* SPDX-License-Identifier: MIT */
/* Usage, made from the verb table. */
#include <string.h>

#include "cli.h"

/* One option, its help folded under it at 80 columns. */
static void option_print(FILE *out, char letter, const char *name, const char *argument,
			 const char *help)
{
	enum { INDENT = 22, WIDTH = 80 };
	int column;
	int length;

	column = letter ? fprintf(out, "  -%c,", letter) : fprintf(out, " ");
	column += fprintf(out, " --%s%s%s", name, argument ? " " : "", argument ? argument : "");
	while (*help) {
		length = (int)strcspn(help, " ");
		if (column + 1 + length > WIDTH) {
			fputc('\n', out);
			column = 0;
		}
		if (column < INDENT)
			column += fprintf(out, "%*s", INDENT - column, "");
		else
			column += fprintf(out, " ");
		column += fprintf(out, "%.*s", length, help);
		help += length;
		help += strspn(help, " ");
	}
	fputc('\n', out);
}

static void options_print(FILE *out, const struct cli_option *option)
{
	for (; option->name; option++)
		option_print(out, option->letter, option->name, option->argument, option->help);
}

static void examples_print(FILE *out, const struct cli_verb *verb)
{
	const char *const *example;

	for (example = verb->examples; *example; example++)
		fprintf(out, "  %s\n", *example);
}

static void usage_program(FILE *out)
{
	const struct cli_verb *verb;

	fputs("usage: chronotick [--page PATH] VERB [OPTION...]\n"
	      "\n"
	      "UTC with an error bound, as chronotickd publishes it.\n"
	      "\n"
	      "verbs:\n",
	      out);
	for (verb = cli_verbs; verb->name; verb++)
		fprintf(out, "  %-10s %s\n", verb->name, verb->summary);
	fputs("\noptions:\n", out);
	options_print(out, cli_global_options);
	option_print(out, 0, "help", NULL, "show this, or after a verb the verb's usage");
	option_print(out, 0, "version", NULL, "show the version");
	fputs("\nexamples:\n", out);
	for (verb = cli_verbs; verb->name; verb++)
		fprintf(out, "  %s\n", verb->examples[0]);
	fputs("\nexit status: 0 the time may be trusted, 1 no page or no trusted time, 2 usage\n",
	      out);
}

static void usage_verb(FILE *out, const struct cli_verb *verb)
{
	const struct cli_option *option;

	fprintf(out, "usage: chronotick [--page PATH] %s", verb->name);
	for (option = verb->options; option->name; option++)
		fprintf(out, " [--%s%s%s]", option->name, option->argument ? " " : "",
			option->argument ? option->argument : "");
	if (verb->argument)
		fprintf(out, " [%s]", verb->argument);
	fprintf(out, "\n\n%s\n\noptions:\n", verb->summary);
	options_print(out, verb->options);
	options_print(out, cli_global_options);
	option_print(out, 0, "help", NULL, "show this");
	fputs("\nexamples:\n", out);
	examples_print(out, verb);
}

void cli_usage(FILE *out, const struct cli_verb *verb)
{
	if (verb)
		usage_verb(out, verb);
	else
		usage_program(out);
}

int cli_help(const struct cli *cli)
{
	const struct cli_verb *verb = NULL;

	if (cli->topic) {
		verb = cli_verb_find(cli->topic);
		if (!verb) {
			fprintf(stderr, "chronotick: no verb is called '%s'\n\n", cli->topic);
			cli_usage(stderr, NULL);
			return CLI_USAGE;
		}
	}
	cli_usage(stdout, verb);
	return CLI_TRUSTED;
}
