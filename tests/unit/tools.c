/* SPDX-License-Identifier: MIT */
/* The tools for language models, on pages made by hand: what they answer, and how they refuse. */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <chronotick/chronotick.h>
#include <chronotick/tools.h>
#include <criterion/criterion.h>
#include <jansson.h>

#include "support/handmade.h"

/* A page in a file of its own */
struct made {
	char path[64];
	struct chronotick_page *page;
};

static struct made make(const char *state)
{
	static unsigned int count;
	struct made made;

	snprintf(made.path, sizeof(made.path), "/dev/shm/chronotick-tools-%d-%u", (int)getpid(),
		 count++);
	cr_assert_eq(handmade_create(&made.page, made.path, state), 0);
	return made;
}

static void unmake(struct made *made)
{
	unlink(made->path);
	handmade_unmap(made->page);
}

static json_t *parse(char *text)
{
	json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	cr_assert(value, "no JSON: %s", text);
	chronotick_tools_free(text);
	return value;
}

static bool type_is(const json_t *value, const char *type)
{
	return (!strcmp(type, "null") && json_is_null(value)) ||
	       (!strcmp(type, "number") && json_is_number(value)) ||
	       (!strcmp(type, "integer") && json_is_integer(value)) ||
	       (!strcmp(type, "string") && json_is_string(value)) ||
	       (!strcmp(type, "boolean") && json_is_boolean(value)) ||
	       (!strcmp(type, "array") && json_is_array(value)) ||
	       (!strcmp(type, "object") && json_is_object(value));
}

/* So much of JSON Schema as the tools use */
static void validate(const json_t *schema, const json_t *value, const char *where)
{
	json_t *type = json_object_get(schema, "type"), *properties, *each;
	json_t *pattern = json_object_get(schema, "pattern");
	json_t *names = json_object_get(schema, "enum");
	bool fits = json_is_string(type) && type_is(value, json_string_value(type));
	const char *key, *digits;
	size_t i;

	json_array_foreach(type, i, each) fits = fits || type_is(value, json_string_value(each));
	cr_assert(fits, "%s has the wrong type", where);
	if (names) {
		fits = false;
		json_array_foreach(names, i, each) fits = fits || json_equal(each, value);
		cr_assert(fits, "%s is none of the names", where);
	}
	if (pattern && json_is_string(value)) {
		digits = json_string_value(value);
		digits += *digits == '-';
		cr_assert(*digits && strspn(digits, "0123456789") == strlen(digits), "%s", where);
	}
	json_array_foreach(value, i, each) validate(json_object_get(schema, "items"), each, where);
	properties = json_object_get(schema, "properties");
	if (!json_is_object(value))
		return;
	cr_assert(json_is_false(json_object_get(schema, "additionalProperties")));
	json_array_foreach(json_object_get(schema, "required"), i, each)
		cr_assert(json_object_get(value, json_string_value(each)), "%s.%s is missing",
			  where, json_string_value(each));
	json_object_foreach((json_t *)value, key, each)
	{
		cr_assert(json_object_get(properties, key), "%s.%s is not declared", where, key);
		validate(json_object_get(properties, key), each, key);
	}
}

static json_t *tool_find(const json_t *list, const char *name)
{
	json_t *tool;
	size_t i;

	json_array_foreach(json_object_get(list, "tools"), i,
			   tool) if (!strcmp(json_string_value(json_object_get(tool, "name")),
					     name)) return tool;
	return NULL;
}

/* Call it; whatever is structured fits the tool's schema, and is in the text too. */
static json_t *call(const char *page, const char *name, const char *arguments)
{
	json_t *list, *result, *content, *structured, *copy;
	const char *text;
	char *out;

	cr_assert_eq(chronotick_tools_list(&out), 0);
	list = parse(out);
	cr_assert_eq(chronotick_tools_call(page, name, arguments, &out), 0);
	result = parse(out);
	content = json_array_get(json_object_get(result, "content"), 0);
	cr_assert_str_eq(json_string_value(json_object_get(content, "type")), "text");
	text = json_string_value(json_object_get(content, "text"));
	cr_assert(text && *text);
	structured = json_object_get(result, "structuredContent");
	if (structured)
		validate(json_object_get(tool_find(list, name), "outputSchema"), structured, name);
	if (json_is_false(json_object_get(result, "isError"))) {
		copy = json_loads(text, 0, NULL);
		cr_assert(json_equal(copy, structured));
		json_decref(copy);
	} else {
		cr_assert(json_is_true(json_object_get(result, "isError")));
	}
	json_decref(list);
	return result;
}

static json_t *field(const json_t *result, const char *name)
{
	json_t *value = json_object_get(json_object_get(result, "structuredContent"), name);

	cr_assert(value, "there is no %s", name);
	return value;
}

static const char *word(const json_t *result, const char *name)
{
	return json_string_value(field(result, name));
}

static double number(const json_t *result, const char *name)
{
	cr_assert(json_is_number(field(result, name)), "%s is no number", name);
	return json_number_value(field(result, name));
}

static int64_t ns(const json_t *result, const char *name)
{
	cr_assert(word(result, name), "%s is no string", name);
	return strtoll(word(result, name), NULL, 10);
}

static bool truth(const json_t *result, const char *name)
{
	return json_is_true(field(result, name));
}

static bool is_error(const json_t *result)
{
	return json_is_true(json_object_get(result, "isError"));
}

static const char *text_of(const json_t *result)
{
	return json_string_value(
		json_object_get(json_array_get(json_object_get(result, "content"), 0), "text"));
}

Test(tools, list_has_every_tool_with_schemas_and_hints)
{
	static const char *const names[] = {"get_time",
					    "get_daemon_status",
					    "get_time_with_future_uncertainty",
					    "get_time_with_confidence_interval",
					    "compare_times",
					    "wait_until"};
	json_t *list, *tool, *input, *output;
	char *out;
	size_t i;

	cr_assert_eq(chronotick_tools_list(&out), 0);
	list = parse(out);
	cr_assert_eq(json_array_size(json_object_get(list, "tools")), 6);
	for (i = 0; i < 6; i++) {
		tool = tool_find(list, names[i]);
		cr_assert(tool, "%s", names[i]);
		cr_assert(json_is_string(json_object_get(tool, "description")));
		input = json_object_get(tool, "inputSchema");
		output = json_object_get(tool, "outputSchema");
		cr_assert_str_eq(json_string_value(json_object_get(input, "type")), "object");
		cr_assert_str_eq(json_string_value(json_object_get(output, "type")), "object");
		/* Clients of some models do not take these at the top. */
		cr_assert(!json_object_get(input, "oneOf") && !json_object_get(input, "anyOf"));
		cr_assert(json_is_true(
			json_object_get(json_object_get(tool, "annotations"), "readOnlyHint")));
	}
	json_decref(list);
}

Test(tools, get_time_is_what_the_page_says)
{
	struct made made = make("trusted");
	struct chronotick_interval before, after;
	struct chronotick *ct;
	json_t *result;

	cr_assert_eq(chronotick_open(&ct, made.path), 0);
	cr_assert_eq(chronotick_now(ct, &before), 0);
	result = call(made.path, "get_time", NULL);
	cr_assert_eq(chronotick_now(ct, &after), 0);
	cr_assert(!is_error(result));
	cr_assert_str_eq(word(result, "status"), "ready");
	cr_assert_str_eq(word(result, "clock_status"), "synchronized");
	cr_assert(truth(result, "is_valid") && truth(result, "is_ntp_ready"));
	cr_assert_geq(ns(result, "utc_ns"), before.utc_ns);
	cr_assert_leq(ns(result, "utc_ns"), after.utc_ns);
	cr_assert_eq(ns(result, "latest_ns") - ns(result, "utc_ns"), ns(result, "bound_ns"));
	cr_assert_geq(ns(result, "bound_ns"), HANDMADE_BOUND_NS);
	/* In seconds a double has some 240 ns: the interval is wider there, never narrower. */
	cr_assert_leq(number(result, "earliest"), (double)ns(result, "earliest_ns") * 1e-9);
	cr_assert_geq(number(result, "latest"), (double)ns(result, "latest_ns") * 1e-9);
	cr_assert_float_eq(number(result, "earliest"), (double)ns(result, "earliest_ns") * 1e-9,
			   1e-6);
	cr_assert_float_eq(number(result, "corrected_time"), (double)ns(result, "utc_ns") * 1e-9,
			   1e-6);
	cr_assert_float_eq(number(result, "corrected_time") - number(result, "system_time"),
			   HANDMADE_OFFSET_NS * 1e-9, 1e-3);
	cr_assert_geq(number(result, "call_latency_ms"), 0);
	cr_assert_eq(number(result, "tai_offset"), 37);
	json_decref(result);
	chronotick_close(ct);
	unmake(&made);
}

Test(tools, every_field_of_the_record_is_its_own)
{
	struct made made = make("distinct");
	const struct chronotick_record *record = &made.page->record;
	json_t *result = call(made.path, "get_time", "{}");

	cr_assert_eq(number(result, "offset_correction"), record->offset_correction);
	cr_assert_eq(number(result, "drift_rate"), record->drift_rate);
	cr_assert_eq(number(result, "offset_uncertainty"), record->offset_uncertainty);
	cr_assert_eq(number(result, "drift_uncertainty"), record->drift_uncertainty);
	cr_assert_eq(number(result, "prediction_time"), record->prediction_time);
	cr_assert_eq(number(result, "valid_until"), record->valid_until);
	cr_assert_eq(number(result, "confidence"), (double)record->confidence);
	cr_assert_str_eq(word(result, "source"), chronotick_source_name(record->source));
	cr_assert_float_eq(number(result, "time_uncertainty"),
			   chronotick_uncertainty_at(record, number(result, "system_time")), 1e-9);
	json_decref(result);
	result = call(made.path, "get_daemon_status", "{}");
	cr_assert_eq(number(result, "measurement_count"), record->measurement_count);
	cr_assert_eq(number(result, "total_corrections"), record->total_corrections);
	cr_assert_eq(number(result, "daemon_uptime"), record->daemon_uptime);
	cr_assert_eq(number(result, "last_ntp_sync"), record->last_ntp_sync);
	cr_assert_eq(number(result, "average_latency_ms"), (double)record->average_latency_ms);
	cr_assert_str_eq(word(result, "data_source"), chronotick_source_name(record->source));
	json_decref(result);
	unmake(&made);
}

Test(tools, the_process_that_answers_tells_what_it_takes)
{
	struct made made = make("trusted");
	json_t *result = call(made.path, "get_daemon_status", "{}"), *cpus, *each;
	cpu_set_t mine;
	size_t i;

	cr_assert_eq(sched_getaffinity(0, sizeof(mine), &mine), 0);
	cr_assert_gt(number(result, "memory_usage_mb"), 0.1);
	cpus = json_object_get(json_object_get(result, "structuredContent"), "cpu_affinity");
	cr_assert_eq(json_array_size(cpus), (size_t)CPU_COUNT(&mine));
	json_array_foreach(cpus, i, each) cr_assert(CPU_ISSET(json_integer_value(each), &mine));
	json_decref(result);
	unmake(&made);
}

/* Whatever the page says, all answers are as declared. */
Test(tools, answers_fit_their_schemas_on_every_page)
{
	static const struct {
		const char *name, *arguments;
	} calls[] = {
		{"get_time", "{}"},
		{"get_daemon_status", "{}"},
		{"get_time_with_future_uncertainty", "{\"future_seconds\": 30}"},
		{"get_time_with_confidence_interval", "{}"},
		{"wait_until", "{\"seconds\": 0, \"timeout_seconds\": 0}"},
	};
	const struct handmade_state *state;
	struct made made;
	bool opens;
	size_t i;

	for (state = handmade_states; state->name; state++) {
		made = make(state->name);
		opens = strncmp(state->name, "no_magic", 8) && strncmp(state->name, "other_", 6);
		for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
			json_t *result = call(made.path, calls[i].name, calls[i].arguments);

			cr_assert(opens || is_error(result), "%s", state->name);
			cr_assert(opens || !strcmp(word(result, "status"), "not_running"));
			json_decref(result);
		}
		unmake(&made);
	}
}

Test(tools, status_is_told_in_both_languages)
{
	static const struct {
		const char *state, *status, *clock_status;
		bool valid;
	} cases[] = {
		{"trusted", "ready", "synchronized", true},
		{"holdover", "ready", "holdover", true},
		{"warming_up", "warming_up", "warming_up", false},
		{"unsynchronized", "warming_up", "unsynchronized", false},
		{"expired", "warming_up", "expired", false},
		{"killed", "not_running", "writer_gone", true},
		{"stopped", "not_running", "writer_gone", true},
	};
	struct made made;
	json_t *result;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		made = make(cases[i].state);
		result = call(made.path, "get_time", NULL);
		cr_expect_str_eq(word(result, "status"), cases[i].status, "%s", cases[i].state);
		cr_expect_str_eq(word(result, "clock_status"), cases[i].clock_status, "%s",
				 cases[i].state);
		cr_expect_eq(truth(result, "is_valid"), cases[i].valid, "%s", cases[i].state);
		cr_expect_eq(json_is_null(field(result, "earliest_ns")), !cases[i].valid);
		cr_assert(!is_error(result));
		json_decref(result);
		unmake(&made);
	}
}

Test(tools, no_page_says_what_to_start)
{
	json_t *result = call("/nonexistent/page", "get_time", "{}");

	cr_assert(is_error(result));
	cr_assert(strstr(text_of(result), "start chronotickd"));
	cr_assert_str_eq(word(result, "status"), "not_running");
	cr_assert(json_is_null(field(result, "corrected_time")));
	json_decref(result);
	result = call("/nonexistent/page", "wait_until", "{\"seconds\": 5}");
	cr_assert(is_error(result) && strstr(text_of(result), "start chronotickd"));
	json_decref(result);
}

Test(tools, future_uncertainty_grows_and_its_bound_ends_with_the_line)
{
	struct made made = make("trusted");
	json_t *result =
		call(made.path, "get_time_with_future_uncertainty", "{\"future_seconds\": 3600}");
	int64_t half_now, half_then;

	cr_assert_eq(number(result, "future_seconds"), 3600);
	cr_assert_float_eq(number(result, "future_corrected_time") -
				   number(result, "current_corrected_time"),
			   3600, 1e-6);
	cr_assert_gt(number(result, "future_uncertainty"), number(result, "current_uncertainty"));
	cr_assert_float_eq(number(result, "uncertainty_increase"),
			   number(result, "future_uncertainty") -
				   number(result, "current_uncertainty"),
			   1e-15);
	cr_assert(!truth(result, "future_is_valid"));
	cr_assert(json_is_null(field(result, "future_earliest_ns")));
	json_decref(result);
	result = call(made.path, "get_time_with_future_uncertainty", "{\"future_seconds\": 2}");
	cr_assert(truth(result, "future_is_valid"));
	half_now = ns(result, "bound_ns");
	half_then = (ns(result, "future_latest_ns") - ns(result, "future_earliest_ns")) / 2;
	cr_assert_gt(half_then, half_now);
	cr_assert_eq(ns(result, "future_latest_ns") - half_then, ns(result, "utc_ns") + 2000000000);
	json_decref(result);
	unmake(&made);
}

Test(tools, confidence_interval_is_normal_and_within_the_bound)
{
	/* Standard deviations to either side */
	static const struct {
		const char *level;
		double deviations;
	} cases[] = {
		{"0.5", 0.674490}, {"0.682689492137", 1}, {"0.9", 1.644854}, {"0.95", 1.959964}};
	struct made made = make("trusted");
	char arguments[64];
	json_t *result, *inner;
	double sigma, range;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(arguments, sizeof(arguments), "{\"confidence_level\": %s}",
			 cases[i].level);
		result = call(made.path, "get_time_with_confidence_interval", arguments);
		inner = field(result, "confidence_interval");
		range = json_number_value(json_object_get(inner, "range"));
		sigma = number(result, "time_uncertainty");
		cr_assert_float_eq(range, 2 * cases[i].deviations * sigma, 3e-9);
		json_decref(result);
	}
	result = call(made.path, "get_time_with_confidence_interval", "{\"confidence_level\": 1}");
	inner = field(result, "confidence_interval");
	cr_assert(json_equal(json_object_get(inner, "lower_ns"), field(result, "earliest_ns")));
	cr_assert(json_equal(json_object_get(inner, "upper_ns"), field(result, "latest_ns")));
	json_decref(result);
	unmake(&made);
}

static void order_expect(const char *arguments, const char *order, const char *gap)
{
	json_t *result = call(NULL, "compare_times", arguments);

	cr_assert(!is_error(result), "%s", text_of(result));
	cr_expect_str_eq(word(result, "order"), order, "%s", arguments);
	if (gap)
		cr_expect_str_eq(word(result, "gap_ns"), gap, "%s", arguments);
	else
		cr_expect(json_is_null(field(result, "gap_ns")));
	cr_expect_eq(truth(result, "certain"), gap != NULL);
	json_decref(result);
}

#define TIME(earliest, latest, more)                                                               \
	"{\"earliest_ns\":\"" earliest "\",\"latest_ns\":\"" latest "\"" more "}"
#define PAIR(first, second, more) "{\"first\":" first ",\"second\":" second more "}"

Test(tools, compare_orders_what_can_be_ordered)
{
	/* Two machines, and TAI is known */
	order_expect(PAIR(TIME("10", "20", ",\"tai_offset\":37"),
			  TIME("21", "30", ",\"tai_offset\":37"), ""),
		     "before", "1");
	order_expect(PAIR(TIME("21", "30", ",\"tai_offset\":37"),
			  TIME("10", "20", ",\"tai_offset\":37"), ""),
		     "after", "1");
	order_expect(PAIR(TIME("10", "20", ",\"tai_offset\":37"),
			  TIME("20", "30", ",\"tai_offset\":37"), ""),
		     "overlap", NULL);
	/* The second has had a leap second more: its UTC is behind. */
	order_expect(PAIR(TIME("1000000010", "1000000020", ",\"tai_offset\":37"),
			  TIME("21", "30", ",\"tai_offset\":38"), ""),
		     "before", "1");
	/* TAI is not known: a second apart, unless they are of one machine and generation */
	order_expect(PAIR(TIME("10", "20", ""), TIME("21", "30", ""), ""), "overlap", NULL);
	order_expect(PAIR(TIME("10", "20", ""), TIME("1000000021", "1000000030", ""), ""), "before",
		     "1000000001");
	order_expect(PAIR(TIME("10", "20", ",\"generation\":3,\"tai_offset\":null"),
			  TIME("21", "30", ",\"generation\":3"), ",\"same_host\":true"),
		     "before", "1");
	order_expect(PAIR(TIME("10", "20", ",\"generation\":3"),
			  TIME("21", "30", ",\"generation\":3"), ""),
		     "overlap", NULL);
	order_expect(PAIR(TIME("10", "20", ",\"generation\":3"),
			  TIME("21", "30", ",\"generation\":4"), ",\"same_host\":true"),
		     "overlap", NULL);
	order_expect(PAIR(TIME("-9223372036854775808", "-9223372036854775807", ""),
			  TIME("9223372036854775806", "9223372036854775807", ""), ""),
		     "before", "9223372036854775807");
	order_expect(PAIR(TIME("9223372036854775806", "9223372036854775807", ""),
			  TIME("-9223372036854775808", "-9223372036854775808", ""), ""),
		     "after", "9223372036854775807");
}

Test(tools, wait_until_is_never_early)
{
	struct made made = make("trusted");
	json_t *result = call(made.path, "wait_until", "{\"seconds\": 0.05}");

	cr_assert(!is_error(result) && truth(result, "reached"));
	cr_assert_gt(ns(result, "earliest_ns"), ns(result, "until_ns"));
	cr_assert_gt(number(result, "waited_seconds"), 0);
	json_decref(result);
	/* What is past already, and what is not within the time given */
	result = call(made.path, "wait_until", "{\"until_ns\": \"1000\"}");
	cr_assert(truth(result, "reached"));
	json_decref(result);
	result = call(made.path, "wait_until", "{\"seconds\": 600, \"timeout_seconds\": 0.02}");
	cr_assert(!is_error(result) && !truth(result, "reached"));
	cr_assert_geq(number(result, "waited_seconds"), 0.02);
	json_decref(result);
	unmake(&made);
}

Test(tools, wait_until_fails_without_a_trusted_time)
{
	struct made made = make("warming_up");
	json_t *result = call(made.path, "wait_until", "{\"seconds\": 5}");

	cr_assert(is_error(result) && !truth(result, "reached"));
	json_decref(result);
	unmake(&made);
}

Test(tools, senseless_arguments_are_told_apart)
{
	static const struct {
		const char *tool, *arguments, *complaint;
	} cases[] = {
		{"get_time", "{\"a\": 1}", "'a'"},
		{"get_time_with_future_uncertainty", "{}", "future_seconds is missing"},
		{"get_time_with_future_uncertainty", "{\"future_seconds\": \"5\"}", "a number"},
		{"get_time_with_future_uncertainty", "{\"future_seconds\": null}", "a number"},
		{"get_time_with_future_uncertainty", "{\"future_seconds\": -1}", "at least 0"},
		{"get_time_with_future_uncertainty", "{\"future_seconds\": 3600.1}",
		 "3600 at most"},
		{"get_time_with_future_uncertainty",
		 "{\"future_second\": 3, \"future_seconds\": 3}", "there are future_seconds"},
		{"get_time_with_confidence_interval", "{\"confidence_level\": 0}", "more than 0"},
		{"get_time_with_confidence_interval", "{\"confidence_level\": 1.01}", "1 at most"},
		{"wait_until", "{}", "either until_ns or seconds"},
		{"wait_until", "{\"seconds\": 1, \"until_ns\": \"1\"}",
		 "either until_ns or seconds"},
		{"wait_until", "{\"until_ns\": 5}", "decimal digits"},
		{"wait_until", "{\"until_ns\": \"9223372036854775808\"}", "64 bits"},
		{"wait_until", "{\"until_ns\": \"5 \"}", "decimal digits"},
		{"compare_times", "{}", "first is missing"},
		{"compare_times", "{\"first\": 3, \"second\": 4}", "first must be an object"},
		{"compare_times",
		 PAIR(TIME("1", "2", ",\"tai_offset\":1.5"), TIME("3", "4", ""), ""),
		 "first: tai_offset must be an integer"},
		{"compare_times", PAIR(TIME("1", "2", ""), TIME("4", "3", ""), ""),
		 "must not be after"},
		{"compare_times", PAIR(TIME("1", "2", ""), TIME("3", "4", ""), ",\"same_host\":1"),
		 "true or false"},
	};
	struct made made = make("trusted");
	json_t *result;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		result = call(made.path, cases[i].tool, cases[i].arguments);
		cr_expect(is_error(result), "%s %s", cases[i].tool, cases[i].arguments);
		cr_expect(strstr(text_of(result), cases[i].complaint), "%s: %s", cases[i].arguments,
			  text_of(result));
		cr_expect(!json_object_get(result, "structuredContent"));
		json_decref(result);
	}
	unmake(&made);
}

Test(tools, what_is_no_call_has_an_errno)
{
	char *out = NULL;

	cr_assert_eq(chronotick_tools_call(NULL, "get_tim", "{}", &out), -ENOENT);
	cr_assert_eq(chronotick_tools_call(NULL, "get_time", "[]", &out), -EINVAL);
	cr_assert_eq(chronotick_tools_call(NULL, "get_time", "{", &out), -EINVAL);
	cr_assert_eq(chronotick_tools_call(NULL, "get_time", "{\"a\":1,\"a\":2}", &out), -EINVAL);
	cr_assert_eq(chronotick_tools_call(NULL, "get_time", "{\"\xff\":1}", &out), -EINVAL);
	cr_assert_null(out);
	chronotick_tools_free(NULL);
}
