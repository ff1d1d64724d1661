/* SPDX-License-Identifier: MIT */
#include "top.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW_SIZE 256

/* What is shown of a process */
struct row {
	const struct process *process;
	double torn_hz, published_hz;
	uint64_t torn, lost, published, missed;
	double warm_ns, cold_ns, window_ns;
};

struct sheet {
	char *text;
	size_t size, length;
	unsigned int width, left; /* columns, and lines that there is room for */
};

static __attribute__((format(printf, 2, 3))) void line_add(struct sheet *sheet, const char *format,
							   ...)
{
	char line[ROW_SIZE];
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	length = strnlen(line, sheet->width);
	if (sheet->left == 0 || sheet->length + length + 2 > sheet->size)
		return;
	if (sheet->length)
		sheet->text[sheet->length++] = '\n';
	memcpy(sheet->text + sheet->length, line, length);
	sheet->length += length;
	sheet->text[sheet->length] = '\0';
	sheet->left--;
}

static const struct process *process_before(const struct snapshot *before, uint32_t pid)
{
	size_t i;

	for (i = 0; i < before->process_count; i++)
		if (before->processes[i].pid == pid)
			return &before->processes[i];
	return NULL;
}

static uint64_t published_of(const struct process *process, uint64_t *missed)
{
	uint64_t published = 0;
	size_t i;

	*missed = 0;
	for (i = 0; process && i < WRITER_PAGES; i++) {
		published += process->writer[i].count;
		*missed += process->writer[i].missed;
	}
	return published;
}

static void row_make(struct row *row, const struct process *process, const struct process *before,
		     double seconds)
{
	const struct distribution *told = process->distributions;
	uint64_t missed;

	*row = (struct row){
		.process = process,
		.torn = process->torn.count,
		.lost = process->torn.lost,
		.warm_ns = distribution_quantile(&told[READ_WARM_PS], 0.5) * 1e-3,
		.cold_ns = distribution_quantile(&told[READ_COLD_PS], 0.5) * 1e-3,
		.window_ns = distribution_quantile(
			&told[told[WRITE_WINDOW_NS].count ? WRITE_WINDOW_NS : MODULE_WINDOW_NS],
			0.99),
	};
	row->published = published_of(process, &row->missed);
	if (seconds <= 0)
		return;
	row->torn_hz = (double)(row->torn - (before ? before->torn.count : 0)) / seconds;
	row->published_hz = (double)(row->published - published_of(before, &missed)) / seconds;
}

static int compare(const void *a, const void *b)
{
	const struct row *left = a, *right = b;
	double l = left->torn_hz + left->published_hz, r = right->torn_hz + right->published_hz;

	if (l != r)
		return l < r ? 1 : -1;
	return (left->process->pid > right->process->pid) -
	       (left->process->pid < right->process->pid);
}

/* A figure that there is nothing to be said of is a dash. */
static const char *figure(char text[16], bool known, const char *format, double value)
{
	if (known)
		snprintf(text, 16, format, value);
	else
		strcpy(text, "-");
	return text;
}

static void row_add(struct sheet *sheet, const struct row *row)
{
	bool torn = row->process->has_torn, writer = row->published > 0;
	char text[8][16];

	line_add(sheet, "%7u %-15s %9s %9s %6s %9s %9s %8s %7s %9s", row->process->pid,
		 row->process->name, figure(text[0], torn, "%.1f", row->torn_hz),
		 figure(text[1], torn, "%.0f", (double)row->torn),
		 figure(text[2], torn, "%.0f", (double)row->lost),
		 figure(text[3], row->warm_ns > 0, "%.1f", row->warm_ns),
		 figure(text[4], row->cold_ns > 0, "%.1f", row->cold_ns),
		 figure(text[5], writer, "%.1f", row->published_hz),
		 figure(text[6], writer, "%.0f", (double)row->missed),
		 figure(text[7], writer, "%.0f", row->window_ns));
}

size_t top_render(const struct snapshot *now, const struct snapshot *before, unsigned int width,
		  unsigned int height, char *text, size_t size)
{
	struct sheet sheet = {.text = text, .size = size, .width = width, .left = height};
	double seconds = now->seconds - before->seconds;
	struct row *rows = NULL;
	size_t i;

	if (size)
		*text = '\0';
	line_add(&sheet, "ChronoTick, traced for %.0f s in %u file%s%s", now->seconds,
		 now->binaries, now->binaries == 1 ? "" : "s",
		 now->left_out ? "; events were left out for want of room" : "");
	line_add(&sheet, "%7s %-15s %9s %9s %6s %9s %9s %8s %7s %9s", "PID", "NAME", "TORN/s",
		 "TORN", "LOST", "WARM ns", "COLD ns", "PUBL/s", "MISSED", "WINDOW ns");
	if (now->process_count)
		rows = calloc(now->process_count, sizeof(*rows));
	if (!rows)
		return sheet.length;
	for (i = 0; i < now->process_count; i++)
		row_make(&rows[i], &now->processes[i],
			 process_before(before, now->processes[i].pid), seconds);
	qsort(rows, now->process_count, sizeof(*rows), compare);
	for (i = 0; i < now->process_count; i++)
		row_add(&sheet, &rows[i]);
	free(rows);
	return sheet.length;
}
