/* SPDX-License-Identifier: MIT */
/*
 * Compares a page with the truth, where the truth is this host's CLOCK_REALTIME because the
 * daemon's servers serve it. Each read stands between two readings of that clock, so the true UTC
 * of the read lies between them, and the read's interval must meet theirs.
 *
 * Begins before there is a page: reads that nothing answers are counted as not trusted. It ends
 * with 0 if every trusted read kept its promise, generations never went down, time never went back
 * within one, and what the options ask for came to pass.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <chronotick/chronotick.h>

#define SECOND 1000000000LL
/* A bracket that is wider than this was interrupted: it still judges the bound, not the error. */
#define BRACKET_MAX_NS 1000

struct options {
	const char *page;
	long reads;
	double seconds;
	double first_max_s;  /* the first trusted answer must come within that time; 0: any */
	double error_max_us; /* p99 of |error|; 0: any */
	double mean_max_us;  /* |mean error|; 0: any */
	double after_s;      /* errors of the reads before that time do not count */
	bool all_trusted;    /* from the first trusted answer on */
	bool stop_at_first;
};

struct tally {
	long reads, trusted, untrusted_after, outside, backwards, no_page;
	double first_s; /* first trusted answer after the start; negative: none */
	int64_t worst_outside_ns;
	uint32_t generations;
	struct chronotick_interval last;
	int64_t *errors, *bounds;
	double error_sum; /* ns, signed */
	bool settled;     /* errors count */
	long errors_count;
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static int64_t nonnegative(int64_t a)
{
	return a > 0 ? a : 0;
}

static void judge(struct tally *tally, const struct chronotick_interval *read, int64_t before,
		  int64_t after)
{
	int64_t error = read->utc_ns - before - (after - before) / 2;
	/* How far the two intervals are apart. The clock rounds down: truth is before after + 1. */
	int64_t apart =
		nonnegative(before - read->latest_ns) + nonnegative(read->earliest_ns - after - 1);

	if (apart) {
		tally->outside++;
		if (apart > tally->worst_outside_ns)
			tally->worst_outside_ns = apart;
	}
	if (tally->trusted) {
		if (read->generation != tally->last.generation)
			tally->generations++;
		else if (read->utc_ns < tally->last.utc_ns)
			tally->backwards++;
		if ((int32_t)(read->generation - tally->last.generation) < 0)
			tally->backwards++;
	}
	tally->last = *read;
	tally->trusted++;
	if (after - before > BRACKET_MAX_NS || !tally->settled)
		return;
	tally->error_sum += (double)error;
	tally->errors[tally->errors_count] = error < 0 ? -error : error;
	tally->bounds[tally->errors_count++] = (read->latest_ns - read->earliest_ns) / 2;
}

static void measure(const struct options *options, struct tally *tally)
{
	int64_t start = clock_ns(CLOCK_MONOTONIC), due, now;
	struct chronotick *ct = NULL;
	struct chronotick_interval read;
	int64_t before, after;
	int r;

	for (; tally->reads < options->reads; tally->reads++) {
		due = start + (int64_t)((double)tally->reads / (double)options->reads *
					options->seconds * (double)SECOND);
		now = clock_ns(CLOCK_MONOTONIC);
		if (due - now > SECOND / 1000) {
			struct timespec pause = {(due - now) / SECOND, (due - now) % SECOND};

			nanosleep(&pause, NULL);
		}
		if (!ct && chronotick_open(&ct, options->page) < 0) {
			tally->no_page++;
			continue;
		}
		before = clock_ns(CLOCK_REALTIME);
		r = chronotick_now(ct, &read);
		after = clock_ns(CLOCK_REALTIME);
		if (r == 0 && tally->first_s < 0) {
			tally->first_s =
				(double)(clock_ns(CLOCK_MONOTONIC) - start) / (double)SECOND;
			if (options->stop_at_first)
				break;
		}
		tally->settled = clock_ns(CLOCK_MONOTONIC) - start >=
				 (int64_t)(options->after_s * (double)SECOND);
		if (r == 0)
			judge(tally, &read, before, after);
		else if (tally->trusted)
			tally->untrusted_after++;
	}
	chronotick_close(ct);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double us(const int64_t *sorted, long count, double share)
{
	long last = count - 1;

	return count ? (double)sorted[(long)(share * (double)last)] / 1000 : 0;
}

/* Prints the figures and what is wrong with them. Returns whether nothing is. */
static bool report(const struct options *options, struct tally *tally)
{
	double p99, mean = 0;
	bool good = true;

	qsort(tally->errors, (size_t)tally->errors_count, sizeof(int64_t), compare);
	qsort(tally->bounds, (size_t)tally->errors_count, sizeof(int64_t), compare);
	p99 = us(tally->errors, tally->errors_count, 0.99);
	if (tally->errors_count)
		mean = tally->error_sum / (double)tally->errors_count / 1000;
	if (tally->first_s < 0)
		printf("first trusted answer: none\n");
	else
		printf("first trusted answer: after %.3f s\n", tally->first_s);
	if (!options->stop_at_first) {
		printf("reads: %ld, trusted %ld, outside their bound %ld, backwards %ld\n",
		       tally->reads, tally->trusted, tally->outside, tally->backwards);
		printf("not trusted: %ld without a page, %ld before the first answer, %ld after\n",
		       tally->no_page,
		       tally->reads - tally->trusted - tally->no_page - tally->untrusted_after,
		       tally->untrusted_after);
		printf("true error us: mean %+.3f; |error| p50 %.3f, p99 %.3f, max %.3f; "
		       "generations begun: %" PRIu32 "\n",
		       mean, us(tally->errors, tally->errors_count, 0.5), p99,
		       us(tally->errors, tally->errors_count, 1), tally->generations);
		printf("bound us: p50 %.3f, p99 %.3f, max %.3f\n",
		       us(tally->bounds, tally->errors_count, 0.5),
		       us(tally->bounds, tally->errors_count, 0.99),
		       us(tally->bounds, tally->errors_count, 1));
	}
	if (tally->first_s < 0 ||
	    (options->first_max_s > 0 && tally->first_s > options->first_max_s)) {
		printf("BAD: no trusted answer within %g s\n",
		       options->first_max_s > 0 ? options->first_max_s : options->seconds);
		good = false;
	}
	if (tally->outside) {
		printf("BAD: the truth lay outside the bound, by up to %" PRId64 " ns\n",
		       tally->worst_outside_ns);
		good = false;
	}
	if (tally->backwards) {
		printf("BAD: time went back\n");
		good = false;
	}
	if (options->all_trusted && tally->untrusted_after) {
		printf("BAD: trust was lost after the first trusted answer\n");
		good = false;
	}
	if (options->error_max_us > 0 && p99 > options->error_max_us) {
		printf("BAD: p99 of the true error is above %g us\n", options->error_max_us);
		good = false;
	}
	if (options->mean_max_us > 0 &&
	    (mean > options->mean_max_us || mean < -options->mean_max_us)) {
		printf("BAD: the mean of the true error is above %g us\n", options->mean_max_us);
		good = false;
	}
	return good;
}

static int usage(void)
{
	fprintf(stderr,
		"usage: truth [--page PATH] [--reads N] [--seconds S] [--first-max S]\n"
		"             [--error-max US] [--mean-max US] [--after S] [--all-trusted]\n"
		"             [--stop-at-first]\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{"page", required_argument, NULL, 'p'},
		{"reads", required_argument, NULL, 'n'},
		{"seconds", required_argument, NULL, 's'},
		{"first-max", required_argument, NULL, 'f'},
		{"error-max", required_argument, NULL, 'e'},
		{"mean-max", required_argument, NULL, 'm'},
		{"after", required_argument, NULL, 'A'},
		{"all-trusted", no_argument, NULL, 'a'},
		{"stop-at-first", no_argument, NULL, '1'},
		{NULL, 0, NULL, 0},
	};
	struct options options = {.reads = 100000, .seconds = 10};
	struct tally tally = {.first_s = -1};
	bool good;
	int c;

	while ((c = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		switch (c) {
		case 'p':
			options.page = optarg;
			break;
		case 'n':
			options.reads = atol(optarg);
			break;
		case 's':
			options.seconds = atof(optarg);
			break;
		case 'f':
			options.first_max_s = atof(optarg);
			break;
		case 'e':
			options.error_max_us = atof(optarg);
			break;
		case 'm':
			options.mean_max_us = atof(optarg);
			break;
		case 'A':
			options.after_s = atof(optarg);
			break;
		case 'a':
			options.all_trusted = true;
			break;
		case '1':
			options.stop_at_first = true;
			break;
		default:
			return usage();
		}
	}
	if (optind != argc || options.reads < 1 || !(options.seconds > 0))
		return usage();
	tally.errors = calloc((size_t)options.reads, sizeof(int64_t));
	tally.bounds = calloc((size_t)options.reads, sizeof(int64_t));
	if (!tally.errors || !tally.bounds) {
		perror("truth");
		return 1;
	}
	measure(&options, &tally);
	good = report(&options, &tally);
	free(tally.errors);
	free(tally.bounds);
	return good ? 0 : 1;
}
