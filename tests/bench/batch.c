/* SPDX-License-Identifier: MIT */
/*
 * What a counter value costs in chronotick_at_batch(), against a loop of chronotick_at() over the
 * same array. The two take turns; figures are medians over the rounds.
 *
 * Values before the anchor are what stamps of the past soon become. Ends with 1 if a target is
 * missed, or the two answer otherwise.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "support/handmade.h"

enum { ROUNDS = 301, VALUES_MAX = 4096 };

static uint64_t counters[VALUES_MAX];
static struct chronotick_interval one[VALUES_MAX], many[VALUES_MAX];
static int results[VALUES_MAX];

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int double_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), double_compare);
	return values[ROUNDS / 2];
}

/* Arrays of `count` values, as often as makes VALUES_MAX a round; is the target missed? */
static int measure(const struct chronotick *ct, const char *what, size_t count, double limit)
{
	static double loop[ROUNDS], batch[ROUNDS], ratio[ROUNDS];
	size_t i, j, round;
	double start, middle;
	int r;

	for (round = 0; round < ROUNDS; round++) {
		start = now_ns();
		for (i = 0; i < VALUES_MAX; i++)
			results[i] = chronotick_at(ct, counters[i], &one[i]);
		middle = now_ns();
		r = 0;
		for (j = 0; j < VALUES_MAX; j += count)
			r |= chronotick_at_batch(ct, &counters[j], count, &many[j], &results[j]);
		batch[round] = (now_ns() - middle) / VALUES_MAX;
		loop[round] = (middle - start) / VALUES_MAX;
		ratio[round] = batch[round] / loop[round];
		if (r != 0 || memcmp(one, many, sizeof(one)) != 0) {
			printf("%s: the two answer otherwise\n", what);
			return 1;
		}
	}
	printf("%-34s arrays of %4zu: loop %5.2f ns, batch %5.2f ns a value, ratio %.2f  "
	       "target %.2f  %s\n",
	       what, count, median(loop), median(batch), median(ratio), limit,
	       ratio[ROUNDS / 2] <= limit ? "met" : "MISSED");
	return ratio[ROUNDS / 2] > limit;
}

int main(void)
{
	char path[] = "/tmp/chronotick-batch-XXXXXX";
	struct chronotick_page *page = NULL;
	struct chronotick *ct = NULL;
	int fd = mkstemp(path), missed = 1, i;

	if (fd < 0)
		return 1;
	close(fd);
	if (handmade_create(&page, path, "trusted") < 0 || chronotick_open(&ct, path) < 0)
		goto out;
	for (i = 0; i < VALUES_MAX; i++)
		counters[i] = page->clock[0].anchor + (uint64_t)i * 1000;
	missed = measure(ct, "values after the anchor", VALUES_MAX, 1.1);
	missed |= measure(ct, "values after the anchor", 64, 1.1);
	for (i = 0; i < VALUES_MAX; i++)
		counters[i] = page->clock[0].anchor - (uint64_t)i * 1000;
	missed |= measure(ct, "values before the anchor", VALUES_MAX, 0.5);
	missed |= measure(ct, "values before the anchor", 64, 0.5);
out:
	chronotick_close(ct);
	if (page)
		handmade_unmap(page);
	unlink(path);
	return missed;
}
