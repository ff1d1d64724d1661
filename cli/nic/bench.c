/* SPDX-License-Identifier: MIT */
#include "nic/bench.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "nic/series.h"

static volatile sig_atomic_t ended;

static void end(int number)
{
	(void)number;
	ended = 1;
}

bool bench_ended(void)
{
	return ended != 0;
}

void bench_signals(void)
{
	struct sigaction action = {.sa_handler = end};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	/* Whoever reads the output and goes away is no reason to leave a setting behind. */
	signal(SIGPIPE, SIG_IGN);
}

int64_t bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * BENCH_S + now.tv_nsec;
}

json_t *bench_text(const char *text)
{
	char plain[512];
	size_t i;

	for (i = 0; text[i] && i < sizeof(plain) - 1; i++)
		plain[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	plain[i] = '\0';
	return json_string(plain);
}

void bench_skip(struct bench *bench, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	printf("skipped: %s\n", text);
	fflush(stdout);
	json_array_append_new(bench->skipped, bench_text(text));
}

FILE *bench_file(struct bench *bench, const char *name)
{
	char path[4200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", bench->directory, name);
	file = fopen(path, "we");
	if (!file)
		bench_skip(bench, "the raw log %s: %s", name, strerror(errno));
	return file;
}

void bench_file_close(struct bench *bench, FILE *file, const char *name)
{
	bool bad = file && ferror(file);

	if (file && (fclose(file) != 0 || bad))
		bench_skip(bench, "the rest of the raw log %s: %s", name, strerror(errno));
}

json_t *bench_quantiles(int64_t *values, unsigned int count)
{
	struct series_quantiles found;

	if (!count)
		return json_null();
	found = series_quantiles_of(values, count);
	return json_pack("{sIsIsIsI}", "min", (json_int_t)found.min, "p50", (json_int_t)found.p50,
			 "p99", (json_int_t)found.p99, "max", (json_int_t)found.max);
}

json_t *bench_adev(struct nic_plot *plot, const double *phase_ns, unsigned int count, double tau0_s)
{
	json_t *list = json_array();
	unsigned int i;

	plot->count = series_adev(phase_ns, count, tau0_s, plot->x, plot->y, NIC_REPORT_POINTS);
	for (i = 0; i < plot->count; i++)
		json_array_append_new(list, json_pack("[ff]", plot->x[i], plot->y[i]));
	return list;
}
