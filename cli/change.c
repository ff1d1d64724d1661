/* SPDX-License-Identifier: MIT */
/* chronotick online, offline and reload: what changes something in the daemon. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "cli.h"

static int change(const struct cli *cli, union control_request *request)
{
	struct ask ask;
	int r = ask_open(&ask, cli->control);

	if (r == 0)
		r = ask_for(&ask, request);
	if (r == 0)
		printf("%s\n", ask.reply.text.text);
	else
		ask_complain(&ask, r);
	ask_close(&ask);
	return r == 0 ? CLI_TRUSTED : CLI_UNTRUSTED;
}

static int change_online(const struct cli *cli, enum control_type type)
{
	const char *pattern = cli->topic ? cli->topic : "all";
	union control_request request;

	control_request_begin(&request, type, 0);
	if (!*pattern || strlen(pattern) >= sizeof(request.select.pattern)) {
		fprintf(stderr, "chronotick: a source's name has 1 to %zu characters\n",
			sizeof(request.select.pattern) - 1);
		return CLI_USAGE;
	}
	strcpy(request.select.pattern, pattern);
	return change(cli, &request);
}

int cli_online(const struct cli *cli)
{
	return change_online(cli, CONTROL_ONLINE);
}

int cli_offline(const struct cli *cli)
{
	return change_online(cli, CONTROL_OFFLINE);
}

int cli_reload(const struct cli *cli)
{
	union control_request request;

	control_request_begin(&request, CONTROL_RELOAD, 0);
	return change(cli, &request);
}
