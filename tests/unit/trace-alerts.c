/* SPDX-License-Identifier: MIT */
/* Thresholds, and the live table: what is made of snapshots that are made by hand. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alerts.h"
#include "top.h"

/* A reader, a writer with a canary, and one of which nothing is known */
static struct process processes[3];
static struct snapshot snapshot;

static void setup(void)
{
	processes[0] = (struct process){
		.pid = 10,
		.name = "reader",
		.has_torn = true,
		.torn = {.count = 200, .odd = 50, .changed = 150, .lost = 1},
	};
	processes[1] = (struct process){
		.pid = 20,
		.name = "writer",
		.has_writer = {true, true},
		.writer = {{.count = 1000, .missed = 3, .window_ns_max = 4000},
			   {.count = 1000, .missed = 2, .window_ns_max = 7000}},
	};
	processes[2] = (struct process){.pid = 30, .name = "nothing"};
	cr_assert_eq(distribution_add(&processes[1].distributions[READ_WARM_PS], 20480, 100), 0);
	distribution_sort(&processes[1].distributions[READ_WARM_PS]);
	snapshot = (struct snapshot){.seconds = 10, .processes = processes, .process_count = 3};
}

static void teardown(void)
{
	distribution_clear(&processes[1].distributions[READ_WARM_PS]);
}

TestSuite(trace_alerts, .init = setup, .fini = teardown);

Test(trace_alerts, none)
{
	const double limits[ALERTS] = {NAN, NAN, NAN, NAN}, wide[ALERTS] = {20, 23, 7000, 5};
	struct alert alerts[8];

	cr_assert_eq(alerts_find(&snapshot, limits, alerts, 8), 0);
	cr_assert_eq(alerts_find(&snapshot, wide, alerts, 8), 0, "a limit may be reached");
}

Test(trace_alerts, each)
{
	const double limits[ALERTS] = {19.9, 20, 6999, 4};
	struct alert alerts[8];
	unsigned int i;

	cr_assert_eq(alerts_find(&snapshot, limits, alerts, 8), 4);
	cr_assert_eq(alerts[0].kind, ALERT_TORN_RATE);
	cr_assert_eq(alerts[0].pid, 10);
	cr_assert_eq(alerts[0].value, 20);
	cr_assert_str_eq(alerts[0].name, "reader");
	for (i = 1; i < 4; i++) {
		cr_assert_eq(alerts[i].kind, (enum alert_kind)i);
		cr_assert_eq(alerts[i].pid, 20);
		cr_assert_gt(alerts[i].value, alerts[i].limit);
	}
	cr_assert_eq(alerts[2].value, 7000, "of the page with the longest");
	cr_assert_eq(alerts[3].value, 5, "of both pages");
	/* No room: all the same they are counted. */
	cr_assert_eq(alerts_find(&snapshot, limits, alerts, 1), 4);
}

Test(trace_alerts, nothing_seen)
{
	const double none[ALERTS] = {NAN, NAN, NAN, NAN}, all[ALERTS] = {1e9, 1e9, 1e9, 1e9};
	struct snapshot empty = {.seconds = 10};

	cr_assert_eq(alerts_unseen(&snapshot, all), 0);
	cr_assert_eq(alerts_unseen(&empty, none), 0);
	cr_assert_eq(alerts_unseen(&empty, all),
		     1U << ALERT_READ | 1U << ALERT_WINDOW | 1U << ALERT_MISSED,
		     "no torn read is a rate of torn reads");
	snapshot.process_count = 1;
	cr_assert_eq(alerts_unseen(&snapshot, all), alerts_unseen(&empty, all));
}

Test(trace_alerts, overdue)
{
	const double limits[ALERTS] = {NAN, NAN, NAN, 10};
	const struct writer writer = {.count = 1000, .period_ns = 1000, .last_ns = 5000000};
	struct alert alerts[8];

	cr_assert_eq(snapshot_overdue(&writer, 4999999), 0);
	cr_assert_eq(snapshot_overdue(&writer, 5001499), 0);
	cr_assert_eq(snapshot_overdue(&writer, 5001500), 1,
		     "as the one that comes then would count");
	cr_assert_eq(snapshot_overdue(&writer, 5011000), 10);
	cr_assert_eq(snapshot_overdue(&(struct writer){.last_ns = 1}, 5000000), 0, "no period");

	cr_assert_eq(alerts_find(&snapshot, limits, alerts, 8), 0);
	processes[1].overdue[WRITER_SHM] = 6;
	cr_assert_eq(alerts_find(&snapshot, limits, alerts, 8), 1);
	cr_assert_eq(alerts[0].value, 11);

	/* Another one goes on from there; then one that was there all the time. */
	processes[1].writer[WRITER_SHM] = writer;
	processes[0].has_writer[WRITER_SHM] = true;
	processes[0].writer[WRITER_SHM] =
		(struct writer){.count = 500, .period_ns = 1000, .last_ns = 5600000};
	snapshot_finish(&snapshot);
	cr_assert_eq(processes[1].overdue[WRITER_SHM], 0);
	processes[1].overdue[WRITER_SHM] = 6;
	processes[0].writer[WRITER_SHM].count = 5000;
	snapshot_finish(&snapshot);
	cr_assert_eq(processes[1].overdue[WRITER_SHM], 6);
	processes[0].has_writer[WRITER_SHM] = false;
}

Test(trace_alerts, names)
{
	char name[COMM_SIZE] = "\033[2Ja\xc3\n b";

	snapshot_name_clean(name);
	cr_assert_str_eq(name, "?[2Ja?? b");
	memset(name, 'x', sizeof(name));
	snapshot_name_clean(name);
	cr_assert_eq(strlen(name), COMM_SIZE - 1);
}

Test(trace_alerts, table)
{
	struct snapshot before = {.seconds = 0};
	char text[4096], *line;
	unsigned int lines = 0;
	size_t length;

	length = top_render(&snapshot, &before, 200, 10, text, sizeof(text));
	cr_assert_eq(length, strlen(text));
	cr_assert(strstr(text, "20.0"), "torn reads a second: %s", text);
	cr_assert(strstr(text, "writer") < strstr(text, "reader"), "the busiest first: %s", text);
	cr_assert(strstr(text, "nothing"));
	/* Cut to the terminal, whatever its size */
	length = top_render(&snapshot, &before, 12, 3, text, sizeof(text));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++)
		cr_assert_leq(strlen(line), 12);
	cr_assert_eq(lines, 3);
	cr_assert_gt(length, 0);
	cr_assert_eq(top_render(&snapshot, &before, 0, 0, text, sizeof(text)), 0);
	cr_assert_lt(top_render(&snapshot, &before, 200, 10, text, 16), 16);
}
