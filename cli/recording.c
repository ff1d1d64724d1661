/* SPDX-License-Identifier: MIT */
#include "recording.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TIME "t_s"
#define OFFSET "ntp_offset_ms"
#define DELAY "ntp_delay_ms"

/* Cut the line into its fields; how many, at most RECORDING_COLUMNS_MAX + 1. */
static int fields_of(char *line, char **ret)
{
	int count = 0;

	line[strcspn(line, "\r\n")] = '\0';
	while (line && count <= RECORDING_COLUMNS_MAX)
		ret[count++] = strsep(&line, ",");
	return count;
}

int recording_header(struct recording_columns *ret, char *line, char *wrong, size_t size)
{
	char *fields[RECORDING_COLUMNS_MAX + 1];
	int count = fields_of(line, fields), i;
	struct {
		const char *name;
		int *at;
	} wanted[] = {{TIME, &ret->time}, {OFFSET, &ret->offset}, {DELAY, &ret->delay}};
	unsigned int j;

	*ret = (struct recording_columns){-1, -1, -1};
	if (count > RECORDING_COLUMNS_MAX) {
		snprintf(wrong, size, "more than %d columns", RECORDING_COLUMNS_MAX);
		return -EINVAL;
	}
	for (i = 0; i < count; i++) {
		for (j = 0; j < sizeof(wanted) / sizeof(wanted[0]); j++) {
			if (strcmp(fields[i], wanted[j].name) != 0)
				continue;
			if (*wanted[j].at >= 0) {
				snprintf(wrong, size, "%s: stands twice", wanted[j].name);
				return -EINVAL;
			}
			*wanted[j].at = i;
		}
	}
	if (ret->time >= 0 && ret->offset >= 0)
		return 0;
	snprintf(wrong, size, "%s: no such column in the header", ret->time < 0 ? TIME : OFFSET);
	return -EINVAL;
}

/* A number from min to max; 1: the field is empty, 0, or -EINVAL. */
static int number_of(char **fields, int count, int column, const char *name, double min, double max,
		     double *ret, char *wrong, size_t size)
{
	const char *text;
	char *end;

	if (column < 0)
		return 1;
	if (column >= count) {
		snprintf(wrong, size, "%s: the line ends before this column", name);
		return -EINVAL;
	}
	text = fields[column];
	if (!*text)
		return 1;
	*ret = strtod(text, &end);
	if (end == text || *end || !isfinite(*ret)) {
		snprintf(wrong, size, "%s: \"%.40s\" is no number", name, text);
		return -EINVAL;
	}
	if (*ret < min || *ret > max) {
		snprintf(wrong, size, "%s: %g is out of range; allowed: %g to %g", name, *ret, min,
			 max);
		return -EINVAL;
	}
	return 0;
}

int recording_row(struct recording_row *ret, const struct recording_columns *columns, char *line,
		  const struct recording_row *before, char *wrong, size_t size)
{
	char *fields[RECORDING_COLUMNS_MAX + 1];
	int count = fields_of(line, fields), r;

	*ret = (struct recording_row){0};
	r = number_of(fields, count, columns->time, TIME, 0, RECORDING_TIME_MAX_S, &ret->t_s, wrong,
		      size);
	if (r > 0)
		snprintf(wrong, size, "%s: empty", TIME);
	if (r)
		return -EINVAL;
	if (before && ret->t_s <= before->t_s) {
		snprintf(wrong, size, "%s: %g is not after the row before, %g", TIME, ret->t_s,
			 before->t_s);
		return -EINVAL;
	}
	r = number_of(fields, count, columns->offset, OFFSET, -RECORDING_OFFSET_MAX_MS,
		      RECORDING_OFFSET_MAX_MS, &ret->offset_ms, wrong, size);
	if (r < 0)
		return r;
	ret->has_offset = r == 0;
	r = number_of(fields, count, columns->delay, DELAY, 0, RECORDING_DELAY_MAX_MS,
		      &ret->delay_ms, wrong, size);
	if (r < 0)
		return r;
	ret->has_delay = r == 0;
	return 0;
}

static long rows_read(struct recording_row **rows, FILE *stream, char *wrong, size_t size,
		      unsigned long *number)
{
	struct recording_columns columns;
	char line[RECORDING_LINE_MAX];
	long count = 0, room = 0;

	while (fgets(line, sizeof(line), stream)) {
		(*number)++;
		if (!strchr(line, '\n') && !feof(stream)) {
			snprintf(wrong, size, "longer than %d bytes", RECORDING_LINE_MAX - 2);
			return -EINVAL;
		}
		if (*number == 1) {
			if (recording_header(&columns, line, wrong, size) < 0)
				return -EINVAL;
			continue;
		}
		if (count == room) {
			struct recording_row *more;

			room = room ? 2 * room : 1024;
			more = reallocarray(*rows, (size_t)room, sizeof(**rows));
			if (!more)
				return -ENOMEM;
			*rows = more;
		}
		if (recording_row(&(*rows)[count], &columns, line,
				  count ? &(*rows)[count - 1] : NULL, wrong, size) < 0)
			return -EINVAL;
		count++;
	}
	if (ferror(stream))
		return -EIO;
	if (*number == 0) {
		snprintf(wrong, size, "empty: a header is missing");
		*number = 1;
		return -EINVAL;
	}
	return count;
}

long recording_read(struct recording_row **ret, FILE *stream, const char *name, FILE *errors)
{
	struct recording_row *rows = NULL;
	unsigned long number = 0;
	char wrong[256];
	long r = rows_read(&rows, stream, wrong, sizeof(wrong), &number);

	if (r == -EINVAL)
		fprintf(errors, "%s:%lu: %s\n", name, number, wrong);
	if (r < 0) {
		free(rows);
		return r;
	}
	*ret = rows;
	return r;
}
