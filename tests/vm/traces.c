/* SPDX-License-Identifier: MIT */
/* The tracepoints are there, with their fields, and say what was. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

#include "guest.h"

#define TRACING "/sys/kernel/tracing/"

static char *trace;
static size_t trace_size;

static void trace_take(void)
{
	FILE *file = fopen(TRACING "trace", "re");
	size_t got = 0;

	if (file && !trace)
		trace = malloc(trace_size = 1 << 20);
	if (file && trace)
		got = fread(trace, 1, trace_size - 1, file);
	if (trace)
		trace[got] = '\0';
	if (file)
		fclose(file);
}

/* Is that text in a line about the event? */
static bool traced(const char *event, const char *text)
{
	char *line = trace;

	for (; line && (line = strstr(line, event)); line++) {
		size_t length = strcspn(line, "\n");

		if (memmem(line, length, text, strlen(text)))
			return true;
	}
	return false;
}

static bool has_field(const char *event, const char *field)
{
	static char format[8192];
	char path[128];
	size_t got = 0;
	FILE *file;

	snprintf(path, sizeof(path), TRACING "events/chronotick/%s/format", event);
	file = fopen(path, "re");
	if (file) {
		got = fread(format, 1, sizeof(format) - 1, file);
		fclose(file);
	}
	format[got] = '\0';
	return strstr(format, field);
}

int main(void)
{
	static const char *const fields[][2] = {
		{"chronotick_publish", " sequence;"},     {"chronotick_publish", " generation;"},
		{"chronotick_publish", " status;"},       {"chronotick_publish", " bound_ns;"},
		{"chronotick_publish", " offset_ns;"},    {"chronotick_publish", " window_ns;"},
		{"chronotick_publish", " pid;"},          {"chronotick_writer", " gone;"},
		{"chronotick_writer", " standby_count;"}, {"chronotick_writer", " pid;"},
		{"chronotick_invalidate", " events;"},    {"chronotick_invalidate", " generation;"},
	};
	struct timex change = {.modes = ADJ_SETOFFSET, .time = {1, 0}};
	struct chronotick_update update;
	struct writer_rig rig;
	char text[64], *window, *offset;
	unsigned int i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		check(has_field(fields[i][0], fields[i][1]), "%s has the field%s", fields[i][0],
		      fields[i][1]);
	/*
	 * The names of processes are not needed. For them the kernel would patch its scheduler's code
	 * while it runs, and the emulator at times goes on with what it was.
	 */
	file_write(TRACING "options/record-cmd", "0");
	check_result(file_write(TRACING "events/chronotick/enable", "1"), 0, "they are enabled");
	if (!check_result(rig_open(&rig), 0, "a writer"))
		return 1;
	rig_publish(&rig);
	update_make(&rig, &update);
	update.line.bound_ns = 7777;
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), 0, "a publication");
	adjtimex(&change);
	sleep_ms(100);
	rig_close(&rig);
	file_write(TRACING "events/chronotick/enable", "0");
	trace_take();
	snprintf(text, sizeof(text), "pid=%d", getpid());
	check(traced("chronotick_publish:", text), "publish tells the pid");
	check(traced("chronotick_publish:", "bound_ns=7777"), "publish tells the bound");
	check(traced("chronotick_writer:", "gone=0"), "writer tells of one who comes");
	check(traced("chronotick_writer:", "gone=1"), "writer tells of one who goes");
	check(traced("chronotick_invalidate:", "events=step"), "invalidate tells of a step");
	window = trace ? strstr(trace, "bound_ns=7777") : NULL;
	offset = window ? strstr(window, "offset_ns=") : NULL;
	window = window ? strstr(window, "window_ns=") : NULL;
	check(window && atoll(window + 10) > 0 && atoll(window + 10) < SECOND,
	      "publish tells the write window");
	/* The line began at CLOCK_REALTIME, and no farther back than this program did. */
	check(offset && llabs(atoll(offset + 10)) < 100 * SECOND, "publish tells the offset");
	if (window)
		printf("# window_ns of one publication, emulated: %lld\n", atoll(window + 10));
	return checks_end();
}
