/* SPDX-License-Identifier: MIT */
/* chronotick sources: what the daemon knows of each time source. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <chronotick/chronotick.h>

#include "ask.h"
#include "cli.h"
#include "json_values.h"
#include "sources_ptp.h"
#include "terms.h"
#include "text.h"

/* A list that has no end is no list. */
enum { SOURCES_MAX = 4096 };

struct sources {
	struct control_source *source;
	struct control_ptp_reply *ptp; /* of each source; a negative result where it is none */
	unsigned int count;
	struct control_covariates_reply covariates; /* for JSON */
};

/* All of them, in as many replies as it takes. */
static int sources_ask(struct ask *ask, struct sources *ret)
{
	union control_request request;
	uint32_t next = 0;

	control_request_begin(&request, CONTROL_LIST, 0);
	do {
		const struct control_list_reply *list = &ask->reply.list;
		unsigned int count;
		void *grown;
		int r;

		request.list.first = next;
		r = ask_for(ask, &request);
		if (r < 0)
			return r;
		count = (unsigned int)list->result.result;
		if (list->next <= next || ret->count + count > SOURCES_MAX)
			return -EBADMSG;
		next = list->next;
		if (count == 0)
			continue;
		grown = reallocarray(ret->source, ret->count + count, sizeof(*ret->source));
		if (!grown)
			return -ENOMEM;
		ret->source = grown;
		memcpy(ret->source + ret->count, list->sources, count * sizeof(*ret->source));
		ret->count += count;
	} while (next != CONTROL_SOURCE_END);
	return 0;
}

/* A daemon of an earlier release knows of none. */
static int covariates_ask(struct ask *ask, struct sources *ret)
{
	union control_request request;
	int r;

	control_request_begin(&request, CONTROL_COVARIATES, 0);
	r = ask_for(ask, &request);
	if (r == 0)
		ret->covariates = ask->reply.covariates;
	return r == -EOPNOTSUPP ? 0 : r;
}

/* What PTP sources know of their masters; a daemon of an earlier release has none. */
static int ptp_ask(struct ask *ask, struct sources *ret)
{
	union control_request request;
	unsigned int i;
	int r;

	for (i = 0; i < ret->count; i++) {
		if (ret->source[i].kind != CHRONOTICK_PTP)
			continue;
		control_request_begin(&request, CONTROL_PTP, 0);
		request.list.first = ret->source[i].number;
		r = ask_for(ask, &request);
		if (r == 0)
			ret->ptp[i] = ask->reply.ptp;
		else if (r != -ENOENT && r != -EOPNOTSUPP)
			return r;
	}
	return 0;
}

static int ptp_begin(struct sources *sources)
{
	unsigned int i;

	sources->ptp = calloc(sources->count ? sources->count : 1, sizeof(*sources->ptp));
	if (!sources->ptp)
		return -ENOMEM;
	for (i = 0; i < sources->count; i++)
		sources->ptp[i].result.result = -ENOENT;
	return 0;
}

static const struct {
	char symbol;
	enum text_colour colour;
} states[] = {
	[CHRONOTICK_SOURCE_UNREACHABLE] = {'?', TEXT_BAD},
	[CHRONOTICK_SOURCE_SELECTED] = {'*', TEXT_GOOD},
	[CHRONOTICK_SOURCE_CANDIDATE] = {'+', TEXT_PLAIN},
	[CHRONOTICK_SOURCE_FALSETICKER] = {'x', TEXT_BAD},
	[CHRONOTICK_SOURCE_UNSYNCHRONIZED] = {'~', TEXT_WARN},
	[CHRONOTICK_SOURCE_DENIED] = {'!', TEXT_BAD},
	[CHRONOTICK_SOURCE_LOOP] = {'@', TEXT_BAD},
};

static const char *state_name(const struct control_source *source)
{
	if (source->flags & CONTROL_SOURCE_OFFLINE)
		return "offline";
	return chronotick_source_state_name(source->state);
}

static char state_symbol(const struct control_source *source)
{
	if (source->flags & CONTROL_SOURCE_OFFLINE)
		return '-';
	return source->state < sizeof(states) / sizeof(states[0]) ? states[source->state].symbol
								  : ' ';
}

static enum text_colour state_colour(const struct control_source *source)
{
	if (source->flags & CONTROL_SOURCE_OFFLINE ||
	    source->state >= sizeof(states) / sizeof(states[0]))
		return TEXT_PLAIN;
	return states[source->state].colour;
}

static const char *age_text(char text[TEXT_SIZE], int64_t age_ns)
{
	if (age_ns < 0)
		return "-";
	return text_age(text, (double)age_ns * 1e-9);
}

static const char *name_of(const struct control_source *source)
{
	return source->name[0] ? source->name : "-";
}

/* Names are as wide as the widest, up to a limit: the table is for a terminal. */
static int name_width(const struct sources *sources)
{
	size_t width = 4;
	unsigned int i;

	for (i = 0; i < sources->count; i++) {
		size_t length = strlen(name_of(&sources->source[i]));

		if (length > width)
			width = length;
	}
	return width > 40 ? 40 : (int)width;
}

static void measured(char text[TEXT_SIZE], const struct control_source *source, int64_t ns,
		     bool sign)
{
	if (source->age_ns < 0)
		snprintf(text, TEXT_SIZE, "-");
	else
		text_duration(text, (double)ns * 1e-9, sign);
}

/* Of an exchange, which a model has none of */
static void exchanged(char text[TEXT_SIZE], const struct control_source *source, uint64_t ns)
{
	if (source->kind == CHRONOTICK_GPU_MODEL)
		snprintf(text, TEXT_SIZE, "-");
	else
		measured(text, source, (int64_t)ns, false);
}

static void row_print(const struct cli *cli, const struct control_source *source, int width)
{
	char age[TEXT_SIZE], offset[TEXT_SIZE], distance[TEXT_SIZE], delay[TEXT_SIZE],
		dispersion[TEXT_SIZE], stamps[32];
	enum text_colour colour = state_colour(source);
	const char *name = name_of(source);
	int cut = (int)strlen(name) > width;

	measured(offset, source, source->offset_ns, true);
	exchanged(distance, source, source->root_distance_ns);
	exchanged(delay, source, source->delay_ns);
	measured(dispersion, source, (int64_t)source->dispersion_ns, false);
	snprintf(stamps, sizeof(stamps), "%s/%s", chronotick_stamp_name(source->tx_stamp),
		 chronotick_stamp_name(source->rx_stamp));
	printf("%s%c %-14s%s %.*s%s%*s %2u %4d   %03o %5s %11s %11s %11s %11s  %s\n",
	       colour == TEXT_PLAIN ? "" : text_colour(cli, colour), state_symbol(source),
	       state_name(source), colour == TEXT_PLAIN ? "" : text_colour(cli, TEXT_PLAIN),
	       cut ? width - 1 : width, name, cut ? ">" : "", cut ? 0 : width - (int)strlen(name),
	       "", source->stratum, source->poll, source->reach, age_text(age, source->age_ns),
	       offset, distance, delay, dispersion, stamps);
}

static const struct {
	uint32_t flag;
	const char *name;
} flags[] = {
	{CONTROL_SOURCE_POOL, "pool"},
	{CONTROL_SOURCE_INTERLEAVED, "interleaved"},
	{CONTROL_SOURCE_AUTHENTICATED, "authenticated"},
	{CONTROL_SOURCE_PREFER, "prefer"},
	{CONTROL_SOURCE_TRUST, "trust"},
	{CONTROL_SOURCE_NOSELECT, "noselect"},
};

/* Does it count samples that were set aside, or packets? */
static bool is_aside(unsigned int counter)
{
	return counter >= CONTROL_ASIDE_CONTRADICTION && counter <= CONTROL_ASIDE_CONFIRMED;
}

/* Most reasons to reject a packet or a sample never happen: they are left out. */
static void counters_print(const struct control_source *source, const char *title, bool aside)
{
	const char *before = title;
	unsigned int i;

	for (i = 0; i < CONTROL_COUNTERS; i++) {
		const char *name = control_counter_name(i);

		if (is_aside(i) != aside || (source->counters[i] == 0 && i > CONTROL_REJECTED))
			continue;
		printf("%s ", before);
		for (; *name; name++)
			putchar(*name == '_' ? ' ' : *name);
		printf(" %" PRIu64, source->counters[i]);
		before = ",";
	}
}

/* What -v has beside the row */
static void details_print(const struct control_source *source, const struct control_ptp_reply *ptp)
{
	char delay[TEXT_SIZE], dispersion[TEXT_SIZE], by[TEXT_SIZE];
	unsigned int i;

	printf("    %s", source->reason[0] ? source->reason : "no reason known");
	if (source->false_by_ns)
		printf(" by %s", text_duration(by, (double)source->false_by_ns * 1e-9, false));
	if (source->address[0] && strcmp(source->address, source->name) != 0)
		printf("; address %s", source->address);
	printf("; %s, leap %s", chronotick_source_name(source->kind), text_leap(source->leap));
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (source->flags & flags[i].flag)
			printf(", %s", flags[i].name);
	exchanged(delay, source, source->root_delay_ns);
	exchanged(dispersion, source, source->root_dispersion_ns);
	printf("\n    root delay %s, root dispersion %s, samples %" PRIu64, delay, dispersion,
	       source->samples);
	counters_print(source, "; set aside:", true);
	counters_print(source, "\n    packets:", false);
	printf("\n");
	if (ptp->result.result == 0)
		ptp_print(ptp);
}

static void table_print(const struct cli *cli, const struct sources *sources)
{
	int width = name_width(sources);
	unsigned int i;

	printf("%-16s %-*s %2s %4s %5s %5s %11s %11s %11s %11s  %s\n", "  STATE", width, "NAME",
	       "ST", "POLL", "REACH", "LAST", "OFFSET", "+-", "DELAY", "DISPERSION",
	       "STAMPS (TX/RX)");
	for (i = 0; i < sources->count; i++) {
		row_print(cli, &sources->source[i], width);
		if (cli->verbose)
			details_print(&sources->source[i], &sources->ptp[i]);
	}
}

static json_t *counters_json(const struct control_source *source, bool aside)
{
	json_t *object = json_object();
	unsigned int i;

	for (i = 0; i < CONTROL_COUNTERS; i++)
		if (is_aside(i) == aside)
			json_object_set_new(object, control_counter_name(i),
					    json_integer((json_int_t)source->counters[i]));
	return object;
}

static json_t *source_json(const struct control_source *source, const struct control_ptp_reply *ptp)
{
	json_t *object = json_object();
	unsigned int i;

	json_object_set_new(object, "name", json_string(source->name));
	json_object_set_new(object, "address",
			    source->address[0] ? json_string(source->address) : json_null());
	json_object_set_new(object, "kind", json_string(chronotick_source_name(source->kind)));
	json_object_set_new(object, "state", json_string(state_name(source)));
	json_object_set_new(object, "reason", json_string(source->reason));
	json_object_set_new(object, "false_by_ns", json_integer(source->false_by_ns));
	json_object_set_new(object, "online",
			    json_boolean(!(source->flags & CONTROL_SOURCE_OFFLINE)));
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		json_object_set_new(object, flags[i].name,
				    json_boolean(source->flags & flags[i].flag));
	json_object_set_new(object, "stratum", json_integer(source->stratum));
	json_object_set_new(object, "poll", json_integer(source->poll));
	json_object_set_new(object, "reach", json_integer(source->reach));
	json_object_set_new(object, "leap", json_string(text_leap(source->leap)));
	json_object_set_new(object, "age", json_age(source->age_ns));
	json_object_set_new(object, "offset_ns", json_integer(source->offset_ns));
	json_object_set_new(object, "root_distance_ns",
			    json_integer((json_int_t)source->root_distance_ns));
	json_object_set_new(object, "delay_ns", json_integer((json_int_t)source->delay_ns));
	json_object_set_new(object, "dispersion_ns",
			    json_integer((json_int_t)source->dispersion_ns));
	json_object_set_new(object, "root_delay_ns",
			    json_integer((json_int_t)source->root_delay_ns));
	json_object_set_new(object, "root_dispersion_ns",
			    json_integer((json_int_t)source->root_dispersion_ns));
	json_object_set_new(object, "tx_stamp",
			    json_string(chronotick_stamp_name(source->tx_stamp)));
	json_object_set_new(object, "rx_stamp",
			    json_string(chronotick_stamp_name(source->rx_stamp)));
	json_object_set_new(object, "samples", json_integer((json_int_t)source->samples));
	json_object_set_new(object, "set_aside", counters_json(source, true));
	json_object_set_new(object, "packets", counters_json(source, false));
	if (ptp->result.result == 0)
		json_object_set_new(object, "ptp", ptp_json(ptp));
	return object;
}

static int json_print(const struct sources *sources)
{
	json_t *object = json_object(), *list = json_array();
	unsigned int i;
	int r;

	for (i = 0; i < sources->count; i++)
		json_array_append_new(list, source_json(&sources->source[i], &sources->ptp[i]));
	json_object_set_new(object, "sources", list);
	json_object_set_new(object, "covariates", covariates_json(&sources->covariates));
	r = json_dumpf(object, stdout, JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(object);
	return r;
}

int cli_sources(const struct cli *cli)
{
	struct sources sources = {.covariates.age_ns = -1};
	struct ask ask;
	int r = ask_open(&ask, cli->control);

	if (r == 0)
		r = sources_ask(&ask, &sources);
	if (r == 0)
		r = ptp_begin(&sources);
	if (r == 0 && (cli->json || cli->verbose))
		r = ptp_ask(&ask, &sources);
	if (r == 0 && cli->json)
		r = covariates_ask(&ask, &sources);
	if (r < 0)
		ask_complain(&ask, r);
	else if (cli->json)
		r = json_print(&sources);
	else
		table_print(cli, &sources);
	ask_close(&ask);
	free(sources.source);
	free(sources.ptp);
	return r < 0 ? CLI_UNTRUSTED : CLI_TRUSTED;
}
