/* SPDX-License-Identifier: MIT */
/* Comma-separated values with a header: one measurement a line, or a time at which there was none. */
#include "recording_private.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 64
#define NS_PER_MS 1e6
#define NS_PER_S 1e9
/* Raw time must not become too great: from here on, times count from the first row's. */
#define LATE_S 1e8
#define SPAN_MAX_S 1e9

#define TIME "t_s"
#define OFFSET "ntp_offset_ms"
#define DELAY "ntp_delay_ms"

/* Cut the line into its fields; how many, at most COLUMNS_MAX + 1. */
static int fields_of(char *line, char **ret)
{
	int count = 0;

	while (line && count <= COLUMNS_MAX)
		ret[count++] = strsep(&line, ",");
	return count;
}

/* The header names the columns. Those that are not known are passed over. */
static int header(struct recording *recording, char *line)
{
	struct csv_columns *columns = &recording->columns;
	char *fields[COLUMNS_MAX + 1];
	int count = fields_of(line, fields), i;
	struct {
		const char *name;
		int *at;
	} wanted[] = {{TIME, &columns->time}, {OFFSET, &columns->offset}, {DELAY, &columns->delay}};
	unsigned int j;

	*columns = (struct csv_columns){-1, -1, -1};
	if (count > COLUMNS_MAX)
		return recording_refuse(recording, "more than %d columns", COLUMNS_MAX);
	for (i = 0; i < count; i++) {
		for (j = 0; j < sizeof(wanted) / sizeof(wanted[0]); j++) {
			if (strcmp(fields[i], wanted[j].name) != 0)
				continue;
			if (*wanted[j].at >= 0)
				return recording_refuse(recording, "%s: stands twice",
							wanted[j].name);
			*wanted[j].at = i;
		}
	}
	if (columns->time < 0 || columns->offset < 0)
		return recording_refuse(recording, "%s: no such column in the header",
					columns->time < 0 ? TIME : OFFSET);
	recording->epoch_ns = RECORDING_EPOCH_NS;
	recording_push_start(recording);
	recording_push(recording, ENGINE_INPUT_ADD);
	return 0;
}

/* A number from min to max. Returns 1: the field is empty; 0; or -EINVAL. */
static int number_of(struct recording *recording, char **fields, int count, int column,
		     const char *name, double min, double max, double *ret)
{
	const char *text;
	char *end;

	if (column < 0)
		return 1;
	if (column >= count)
		return recording_refuse(recording, "%s: the line ends before this column", name);
	text = fields[column];
	if (!*text)
		return 1;
	*ret = strtod(text, &end);
	if (end == text || *end || !isfinite(*ret))
		return recording_refuse(recording, "%s: \"%.40s\" is no number", name, text);
	if (*ret < min || *ret > max)
		return recording_refuse(recording, "%s: %g is out of range; allowed: %g to %g",
					name, *ret, min, max);
	return 0;
}

static int row(struct recording *recording, char *line)
{
	const struct csv_columns *columns = &recording->columns;
	char *fields[COLUMNS_MAX + 1];
	int count = fields_of(line, fields), has_offset, has_delay;
	double t_s, offset_ms = 0, delay_ms = 0;
	struct sample sample = {.stratum = 1};
	int64_t raw_ns;

	switch (number_of(recording, fields, count, columns->time, TIME, 0,
			  recording->has_time ? recording->from_s + SPAN_MAX_S
					      : RECORDING_TIME_MAX_S,
			  &t_s)) {
	case 0:
		break;
	case 1:
		return recording_refuse(recording, "%s: empty", TIME);
	default:
		return -EINVAL;
	}
	if (!recording->has_time)
		recording->from_s = t_s < LATE_S ? 0 : floor(t_s);
	raw_ns = RECORDING_START_NS + llrint((t_s - recording->from_s) * NS_PER_S);
	if (recording->has_time && raw_ns <= recording->raw_ns)
		return recording_refuse(recording, "%s: %.17g is not after the row before", TIME,
					t_s);
	has_offset = number_of(recording, fields, count, columns->offset, OFFSET,
			       -RECORDING_OFFSET_MAX_MS, RECORDING_OFFSET_MAX_MS, &offset_ms);
	has_delay = number_of(recording, fields, count, columns->delay, DELAY, 0,
			      RECORDING_DELAY_MAX_MS, &delay_ms);
	if (has_offset < 0 || has_delay < 0)
		return -EINVAL;
	recording->raw_ns = raw_ns;
	recording->has_time = true;
	recording_push_time(recording);
	if (has_offset != 0)
		return 0;
	sample.counter = (uint64_t)raw_ns;
	sample.offset_ns = recording->epoch_ns - RECORDING_START_NS + llrint(offset_ms * NS_PER_MS);
	/* No packet is there and back at once: who writes 0 has not measured it. */
	sample.delay_ns = has_delay == 0 && delay_ms > 0 ? llrint(delay_ms * NS_PER_MS)
							 : recording->defaults.delay_ns;
	sample.dispersion_ns = recording->defaults.dispersion_ns;
	recording_push_sample(recording, &sample);
	return 0;
}

static bool csv_knows(const char *line)
{
	(void)line; /* anything else is told what a CSV needs */
	return true;
}

static int csv_line(struct recording *recording, char *line)
{
	return recording->number == 1 ? header(recording, line) : row(recording, line);
}

const struct recording_kind recording_csv = {
	.name = "csv",
	.disciplined = true,
	.knows = csv_knows,
	.line = csv_line,
};
