/* SPDX-License-Identifier: MIT */
/* The exporter's text: what a line looks like, and whatever the page says. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "exporter/metrics.h"

static struct exporter_facts facts;
static char *text;

static void good(void)
{
	facts = (struct exporter_facts){
		.view = {.status = CHRONOTICK_SYNCHRONIZED,
			 .backend = "shm",
			 .now = {.earliest_ns = 1760000000000000000 - 1500,
				 .utc_ns = 1760000000000000000,
				 .latest_ns = 1760000000000000000 + 1500,
				 .tai_offset_s = 37},
			 .system_ns = 1760000000000000000 + 250,
			 .has_record = true,
			 .uncertainty_s = 2e-7,
			 .statistics = {.publish_count = 12,
					.read_measured_ns = 1,
					.read_p50_ps = 9500},
			 .source = {{.name = "192.0.2.1",
				     .kind = CHRONOTICK_NTP,
				     .state = CHRONOTICK_SOURCE_SELECTED,
				     .reach = 0x0f,
				     .samples = 5},
				    {.name = "192.0.2.1", .kind = CHRONOTICK_NTP}},
			 .source_count = 2},
	};
}

static void bad(void)
{
	free(text);
}

static const char *write_text(bool open)
{
	size_t length;

	free(text);
	text = metrics_text(&facts, open, &length);
	cr_assert(text && strlen(text) == length);
	return text;
}

static void has(const char *line)
{
	const char *at = text;
	size_t length = strlen(line);

	for (; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		if (strncmp(at, line, length) == 0 && at[length] == '\n')
			return;
	cr_assert_fail("no line %s in\n%s", line, text);
}

TestSuite(metrics, .init = good, .fini = bad);

Test(metrics, both_formats)
{
	write_text(false);
	has("# TYPE chronotick_publications_total counter");
	has("chronotick_publications_total 12");
	cr_assert_null(strstr(text, "# EOF"));
	write_text(true);
	has("# TYPE chronotick_publications counter");
	has("chronotick_publications_total 12");
	cr_assert_str_eq(text + strlen(text) - 6, "# EOF\n");
	cr_assert(!metrics_are_open(NULL));
	cr_assert(!metrics_are_open("text/plain"));
	cr_assert(metrics_are_open("application/openmetrics-text;version=1.0.0,text/plain;q=0.5"));
}

Test(metrics, values_are_in_seconds)
{
	write_text(true);
	has("chronotick_trusted 1");
	has("chronotick_clock_status{status=\"synchronized\"} 1");
	has("chronotick_clock_status{status=\"holdover\"} 0");
	cr_assert(strstr(text, "\nchronotick_bound_seconds 1.5"));
	cr_assert(strstr(text, "\nchronotick_offset_seconds -2.5"));
	cr_assert(strstr(text, "\nchronotick_read_latency_seconds{of=\"p50\"} 9.4") ||
		  strstr(text, "\nchronotick_read_latency_seconds{of=\"p50\"} 9.5"));
	/* Two sources of one address are two series. */
	has("chronotick_source_reach_ratio{number=\"0\",source=\"192.0.2.1\",kind=\"ntp\"} 0.5");
	has("chronotick_source_reach_ratio{number=\"1\",source=\"192.0.2.1\",kind=\"ntp\"} 0");
	/* The daemon was not asked. */
	has("chronotick_control_up 0");
	cr_assert_null(strstr(text, "\nchronotick_frequency_ratio"));
}

Test(metrics, without_a_page_little_is_left)
{
	facts.view = (struct view){.open = -2,
				   .trust = -2,
				   .uncertainty_s = NAN,
				   .heartbeat_age_ns = INT64_MAX,
				   .now.tai_offset_s = CHRONOTICK_TAI_UNKNOWN};
	write_text(true);
	has("chronotick_up 0");
	has("chronotick_trusted 0");
	cr_assert_null(strstr(text, "chronotick_bound_seconds"));
	cr_assert_null(strstr(text, "chronotick_publications"));
}

Test(metrics, a_page_gone_mad_is_no_number)
{
	memset(&facts.view.record, 0xff, sizeof(facts.view.record));
	memset(&facts.view.statistics, 0xff, sizeof(facts.view.statistics));
	facts.view.now.utc_ns = INT64_MIN;
	facts.view.record.drift_rate = INFINITY;
	strcpy(facts.view.source[0].name, "a\"b\\c");
	memset(&facts.view.source[1].kind, 0xff, 7);
	write_text(true);
	cr_assert_null(strstr(text, "nan"));
	cr_assert_null(strstr(text, "inf\n"));
	cr_assert(strstr(text, "source=\"a\\\"b\\\\c\""));
	cr_assert(strstr(text, "kind=\"unknown\""));
}
