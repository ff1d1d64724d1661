/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <errno.h>

#define SECONDS_MAX 3600
#define WAIT_PRESET_S 60
/* A wait asks again after so long at most: the daemon may have begun a new page meanwhile. */
#define WAIT_STEP_NS 1000000000

static int64_t nanoseconds(double seconds)
{
	return (int64_t)(seconds * 1e9);
}

static int status_run(struct tools_call *call, const struct chronotick *ct, struct facts *facts)
{
	(void)call;
	(void)ct;
	facts_process(facts);
	return 0;
}

static int future_run(struct tools_call *call, const struct chronotick *ct, struct facts *facts)
{
	facts_future(facts, ct, arguments_number(call->arguments, "future_seconds", 0));
	return 0;
}

static int confidence_run(struct tools_call *call, const struct chronotick *ct, struct facts *facts)
{
	(void)ct;
	facts_confidence(facts, arguments_number(call->arguments, "confidence_level", 0.9));
	return 0;
}

static bool interval_of(struct chronotick_interval *ret, const json_t *given)
{
	*ret = (struct chronotick_interval){
		.earliest_ns = arguments_ns(given, "earliest_ns", 0),
		.latest_ns = arguments_ns(given, "latest_ns", 0),
		.generation = (uint32_t)arguments_integer(given, "generation", 0),
		.tai_offset_s =
			(int16_t)arguments_integer(given, "tai_offset", CHRONOTICK_TAI_UNKNOWN),
	};
	return ret->earliest_ns <= ret->latest_ns;
}

static int compare_run(struct tools_call *call, const struct chronotick *ct, struct facts *facts)
{
	const json_t *first = json_object_get(call->arguments, "first");
	const json_t *second = json_object_get(call->arguments, "second");
	bool same_host = json_is_true(json_object_get(call->arguments, "same_host")) &&
			 arguments_has(first, "generation") && arguments_has(second, "generation");
	struct chronotick_interval a, b;

	(void)ct;
	if (!interval_of(&a, first) || !interval_of(&b, second)) {
		facts->reason = "earliest_ns must not be after latest_ns";
		return TOOL_REFUSED;
	}
	facts_compare(facts, &a, &b, !same_host);
	return 0;
}

/* What is to be waited for; false: it is not said, or said twice. */
static bool until_of(struct tools_call *call, const struct facts *facts)
{
	bool at = arguments_has(call->arguments, "until_ns");

	if (at == arguments_has(call->arguments, "seconds"))
		return false;
	if (call->until_ns != FACTS_UNKNOWN)
		return true;
	call->until_ns =
		at ? arguments_ns(call->arguments, "until_ns", 0)
		   : facts_sum_ns(facts->utc_ns,
				  nanoseconds(arguments_number(call->arguments, "seconds", 0)));
	return true;
}

static int wait_run(struct tools_call *call, const struct chronotick *ct, struct facts *facts)
{
	int64_t timeout_ns =
		nanoseconds(arguments_number(call->arguments, "timeout_seconds", WAIT_PRESET_S));
	uint64_t passed_ns, lack_ns, left_ns;

	if (!until_of(call, facts)) {
		facts->reason = "give either until_ns or seconds";
		return TOOL_REFUSED;
	}
	facts->until_ns = call->until_ns;
	passed_ns = tools_monotonic_ns() - call->started_ns;
	facts->waited_seconds = (double)passed_ns * 1e-9;
	if (!facts->is_valid)
		return TOOL_FAILED;
	facts->reached = facts->earliest_ns > call->until_ns;
	if (facts->reached || passed_ns >= (uint64_t)timeout_ns)
		return 0;
	lack_ns = (uint64_t)call->until_ns - (uint64_t)facts->earliest_ns + 1;
	left_ns = (uint64_t)timeout_ns - passed_ns;
	call->again_ns = lack_ns < left_ns ? lack_ns : left_ns;
	if (call->again_ns > WAIT_STEP_NS)
		call->again_ns = WAIT_STEP_NS;
	if (!call->may_sleep)
		return -EAGAIN;
	/* Whatever it says but a signal, the page is looked at anew. */
	return chronotick_wait_until(ct, call->until_ns, (int64_t)left_ns, NULL) == -EINTR
		       ? -EINTR
		       : -EAGAIN;
}

static const struct argument no_arguments[] = {{NULL}};

static const struct argument future_arguments[] = {
	{"future_seconds", "how far ahead, s", ARGUMENT_NUMBER, .required = true, .min = 0,
	 .max = SECONDS_MAX},
	{NULL},
};

static const struct argument confidence_arguments[] = {
	{"confidence_level",
	 "how probable it is to be that the interval holds UTC; 1: from earliest to latest",
	 ARGUMENT_NUMBER, .above = true, .min = 0, .max = 1, .preset = "0.9"},
	{NULL},
};

static const struct argument interval_arguments[] = {
	{"earliest_ns", "as get_time returned it", ARGUMENT_NS, .required = true},
	{"latest_ns", "as get_time returned it", ARGUMENT_NS, .required = true},
	{"tai_offset", "as get_time returned it; needed to order times of two machines closely",
	 ARGUMENT_INTEGER, .nullable = true, .min = -32767, .max = 32767},
	{"generation", "as get_time returned it", ARGUMENT_INTEGER, .nullable = true, .min = 0,
	 .max = UINT32_MAX},
	{NULL},
};

static const struct argument compare_arguments[] = {
	{"first", "one time", ARGUMENT_OBJECT, .required = true, .members = interval_arguments},
	{"second", "another", ARGUMENT_OBJECT, .required = true, .members = interval_arguments},
	{"same_host", "do both come from the same machine?", ARGUMENT_BOOLEAN, .preset = "false"},
	{NULL},
};

static const struct argument wait_arguments[] = {
	{"until_ns", "wait until this is past: ns since 1970. Either this or seconds", ARGUMENT_NS},
	{"seconds", "wait for so long from now", ARGUMENT_NUMBER, .min = 0, .max = SECONDS_MAX},
	{"timeout_seconds", "give up after so long; 0: only ask", ARGUMENT_NUMBER, .min = 0,
	 .max = SECONDS_MAX, .preset = "60"},
	{NULL},
};

const struct tool tools_table[] = {
	{
		.name = "get_time",
		.title = "Time with its error bound",
		.description =
			"UTC now, how wrong that can be, and whether it may be trusted: the true time "
			"certainly is between earliest and latest if is_valid is true. Use it for "
			"timestamps that are to be compared with others, and wherever it matters how "
			"exact a time is.",
		.arguments = no_arguments,
		.fields = {fields_interval, fields_get_time, fields_latency},
		.asks_page = true,
	},
	{
		.name = "get_daemon_status",
		.title = "State of the time service",
		.description =
			"Whether the time service runs, is warmed up and has answers from its time "
			"sources, with its statistics. Use it to find out why the time is not "
			"trusted.",
		.arguments = no_arguments,
		.fields = {fields_interval, fields_status, fields_latency},
		.asks_page = true,
		.run = status_run,
	},
	{
		.name = "get_time_with_future_uncertainty",
		.title = "How exact the time will be",
		.description =
			"UTC now, and how uncertain a time so many seconds ahead is as seen from now. "
			"Use it to plan actions that have to happen together on several machines.",
		.arguments = future_arguments,
		.fields = {fields_interval, fields_future, fields_latency},
		.asks_page = true,
		.run = future_run,
	},
	{
		.name = "get_time_with_confidence_interval",
		.title = "Time with a confidence interval",
		.description =
			"UTC now, and the interval that holds the true time with a given "
			"probability. Use earliest and latest instead where it must hold always.",
		.arguments = confidence_arguments,
		.fields = {fields_interval, fields_get_time, fields_confidence, fields_latency},
		.asks_page = true,
		.run = confidence_run,
	},
	{
		.name = "compare_times",
		.title = "Which came first",
		.description =
			"Which of two times that get_time returned came first, on this or on two "
			"machines, or that it cannot be told because their intervals overlap.",
		.arguments = compare_arguments,
		.fields = {fields_compare, fields_latency},
		.run = compare_run,
	},
	{
		.name = "wait_until",
		.title = "Wait until a time is past",
		.description =
			"Waits until a time is past for certain, whatever the error of this clock: "
			"until earliest is after it. Use it before telling others of something that "
			"is stamped with latest (commit-wait), or to act at an agreed time.",
		.arguments = wait_arguments,
		.fields = {fields_interval, fields_wait, fields_latency},
		.asks_page = true,
		.run = wait_run,
	},
	{NULL},
};
