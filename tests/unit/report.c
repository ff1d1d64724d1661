/* SPDX-License-Identifier: MIT */
/* What is logged when something changes, and that nothing is when nothing does. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "log.h"
#include "report.h"

static char got[4096];

/* What was logged since the last call */
static const char *logged(int fd)
{
	ssize_t size = read(fd, got, sizeof(got) - 1);

	got[size > 0 ? size : 0] = '\0';
	return got;
}

static int log_start(void)
{
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	cr_assert_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	log_open();
	return ends[0];
}

Test(report, status_and_leap_changes_are_told_once)
{
	static struct engine engine = {.source_count = 3};
	struct correction correction = {.status = CHRONOTICK_UNSYNCHRONIZED, .leap = 1};
	struct report report = {0};
	int fd = log_start();

	report_clock(&report, &engine, &correction);
	cr_assert_str_eq(logged(fd), "");
	engine.views[0].state = CHRONOTICK_SOURCE_SELECTED;
	engine.views[1].state = CHRONOTICK_SOURCE_FALSETICKER;
	correction.status = CHRONOTICK_SYNCHRONIZED;
	correction.bound.total_ns = 4711;
	report_clock(&report, &engine, &correction);
	report_clock(&report, &engine, &correction);
	cr_assert_str_eq(logged(fd),
			 "<6>synchronized: a majority of the sources agrees; 1 of 2 usable sources "
			 "selected, bound 4711 ns\n<6>a leap second is ahead\n");
	correction.status = CHRONOTICK_HOLDOVER;
	engine.views[0].state = CHRONOTICK_SOURCE_UNREACHABLE;
	report_clock(&report, &engine, &correction);
	cr_assert_str_eq(logged(fd),
			 "<4>holdover: running on without a reference, the bound grows; 0 of 1 "
			 "usable sources selected, bound 4711 ns\n");
	correction.status = CHRONOTICK_UNSYNCHRONIZED;
	report_clock(&report, &engine, &correction);
	cr_assert_str_eq(logged(fd), "<4>unsynchronized: no trusted time; 1 of 3 sources usable\n");
}

Test(report, a_contradiction_is_told_once)
{
	static struct engine engine;
	struct retro_past *past = &engine.models.short_term.past;
	struct correction correction = {.status = CHRONOTICK_UNSYNCHRONIZED};
	struct report report = {0};
	int fd = log_start();

	report_clock(&report, &engine, &correction);
	cr_assert_str_eq(logged(fd), "");
	*past = (struct retro_past){
		.from_ns = 1000,
		.to_ns = 64000001000,
		.method = RETRO_LINEAR,
		.error_ns = -4711,
		.predicted = {10},
		.corrected = {15},
	};
	report_clock(&report, &engine, &correction);
	report_clock(&report, &engine, &correction);
	cr_assert_str_eq(logged(fd), "<6>measurements contradict what was predicted, by -4711 ns "
				     "now; 64.0 s ago it is thought to have been off by +5 ns "
				     "(linear)\n");
	past->from_ns = past->to_ns;
	past->to_ns += 1000;
	report_clock(&report, &engine, &correction);
	cr_assert(strstr(logged(fd), "-4711 ns now; 0.0 s ago"));
}

Test(report, the_external_model_is_told_of_when_it_comes_to_be_used_and_when_it_is_dropped)
{
	static struct models models;
	struct report report = {0};
	int fd = log_start();

	report_external(&report, &models);
	cr_assert_str_eq(logged(fd), "");
	models.scores[MODEL_FEED] = (struct score){.error_ns = 4711.2, .count = 12, .factor = 1.5};
	models.external.state = EXTERNAL_USED;
	report_external(&report, &models);
	report_external(&report, &models);
	cr_assert_str_eq(logged(fd), "<6>the external model: in use; mean error 4711 ns of 12, "
				     "deviations times 1.50\n");
	models.external.state = EXTERNAL_BEHIND;
	report_external(&report, &models);
	cr_assert_str_eq(logged(fd), "<4>the external model: not used: the line through the "
				     "sources' samples is better; mean error 4711 ns of 12, "
				     "deviations times 1.50\n");
	models.scores[MODEL_FEED].count = 0;
	models.external.state = EXTERNAL_FAR;
	report_external(&report, &models);
	cr_assert_str_eq(logged(fd), "<6>the external model: not used: measurements in a row were "
				     "far from it; nothing to score it by\n");
}

Test(report, sources_are_told_when_state_or_reason_changes)
{
	struct source_status sources[2] = {{.index = 7, .summary.name = "a"},
					   {.index = 9, .summary.name = "b"}};
	struct report report = {0};
	int fd = log_start();

	sources[0].reason = "first";
	report_sources(&report, sources, 2);
	cr_assert_str_eq(logged(fd), ""); /* as it was to be expected at the start */
	sources[0].summary.state = CHRONOTICK_SOURCE_SELECTED;
	sources[0].reason = "agrees";
	sources[0].summary.offset_ns = -5;
	sources[1].summary.state = CHRONOTICK_SOURCE_FALSETICKER;
	sources[1].reason = "disagrees";
	sources[1].false_by_ns = 49800000;
	report_sources(&report, sources, 2);
	report_sources(&report, sources, 2);
	cr_assert_str_eq(logged(fd), "<6>source a: selected, agrees; offset -5 ns\n"
				     "<4>source b: falseticker, disagrees by 49800000 ns; offset 0 "
				     "ns\n");
	sources[0].summary.state = CHRONOTICK_SOURCE_UNREACHABLE;
	sources[0].reason = "silent";
	report_sources(&report, sources, 2);
	cr_assert_str_eq(logged(fd), "<4>source a: unreachable, silent; offset -5 ns\n");
}

Test(report, late_publications_are_told_once_a_minute)
{
	struct report report = {0};
	int fd = log_start();
	int64_t second = 1000000000;

	report_late(&report, 0, second);
	cr_assert_str_eq(logged(fd), "");
	report_late(&report, 2, 2 * second);
	cr_assert_str_eq(logged(fd),
			 "<4>2 publications came too late and were left out: the CPU is busy\n");
	report_late(&report, 5, 61 * second);
	cr_assert_str_eq(logged(fd), "");
	report_late(&report, 9, 62 * second);
	cr_assert_str_eq(logged(fd),
			 "<4>7 publications came too late and were left out: the CPU is busy\n");
}

Test(report, silence_is_told_once_and_not_after_an_answer)
{
	static struct engine engine = {.source_count = 1};
	struct report report = {0}, other = {0};
	int fd = log_start();

	report_silence(&report, &engine, REPORT_SILENCE_NS - 1);
	cr_assert_str_eq(logged(fd), "");
	report_silence(&report, &engine, REPORT_SILENCE_NS);
	report_silence(&report, &engine, 2 * REPORT_SILENCE_NS);
	cr_assert_str_eq(logged(fd), "<4>no source has answered in 10 s: are their names and the "
				     "network all right?\n");
	engine.measurement_count = 1;
	report_silence(&other, &engine, REPORT_SILENCE_NS);
	cr_assert_str_eq(logged(fd), "");
}
