/* SPDX-License-Identifier: MIT */
/*
 * Compares the page with the clock of a simulated port, for which the truth is known to the ns: the
 * device tells it and CLOCK_MONOTONIC_RAW of one instant. That is the counter (counter:
 * monotonic_raw), or /dev/chronotick tells which value of the counter it is.
 *
 *	phc-truth [-w SECONDS] [-s NS] [-b PORT] [-g] [-o FILE] PORT SECONDS [P99_NS [TAI_S]]
 *
 * UTC is the clock's time less TAI_S seconds. Ends with 0 if each trusted read kept its promise,
 * there were such, none went back in a generation, and 99 % of the errors are at most P99_NS (0: any).
 *
 *	-w	wait so long for the page and the first trusted read, and count from that
 *	-s	tell since when the errors have been at most so many ns
 *	-b	beside it, how far that port's clock is from that of port 0: what a program that steers
 *		it has reached
 *	-g	the generation must stay the same one
 *	-o	the figures, as lines that a shell can read, instants in ms from start_ms on, which is
 *		CLOCK_MONOTONIC's
 */
#include <fcntl.h>
#include <getopt.h>
#include <linux/ptp_clock.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "ports.h"

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#define READS_MAX 100000
#define PAUSE_MS 2
#define MS 1000000LL

struct reader {
	struct chronotick *ct;
	int clock;  /* of the port that is the truth */
	int device; /* /dev/chronotick; -1: not needed */
};

struct figures {
	int64_t errors[READS_MAX], bounds[READS_MAX], beside[READS_MAX];
	unsigned int count, outside, untrusted, back, generations;
	int64_t sum_ns, outside_ns, back_ns;
	int64_t start_ms;
	int64_t first_ms, settled_ms; /* -1: never */
	int64_t holdover_ms;          /* the first read that said so; -1: none */
	int64_t outside_last_ms;      /* the last read that was outside; -1: none */
	uint16_t status;
};

struct options {
	unsigned int port;
	int64_t length_ns, wait_ns, near_ns, p99_max_ns, tai_ns;
	int beside; /* -1: no port */
	bool same_generation;
	const char *file; /* NULL: none */
};

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t time_ns(const struct ptp_clock_time *time)
{
	return time->sec * SECOND + time->nsec;
}

static int reader_open(struct reader *reader, unsigned int port)
{
	int r;

	if (reader->clock < 0)
		reader->clock = ports_clock(port);
	if (reader->clock < 0)
		return reader->clock;
	r = chronotick_open(&reader->ct, NULL);
	if (r < 0)
		return r;
	reader->device = -1;
	if (chronotick_page_of(reader->ct)->header.counter_kind != CHRONOTICK_COUNTER_MONOTONIC_RAW)
		reader->device = device_open(O_RDONLY);
	return 0;
}

/*
 * The counter's value when CLOCK_MONOTONIC_RAW was `at_ns`. Both go evenly, so two instants before and
 * after say it exactly; the kernel makes the latter from the former.
 */
static int counter_at(const struct reader *reader, const struct chronotick_cross *before,
		      int64_t at_ns, uint64_t *ret)
{
	struct chronotick_cross after = {.size = sizeof(after)};
	__int128 counts;

	if (command(reader->device, CHRONOTICK_IOC_CROSS, &after) < 0 ||
	    after.monotonic_raw_ns <= before->monotonic_raw_ns)
		return -1;
	counts = (__int128)(int64_t)(after.counter - before->counter) *
		 (at_ns - before->monotonic_raw_ns) /
		 (after.monotonic_raw_ns - before->monotonic_raw_ns);
	*ret = before->counter + (uint64_t)(int64_t)counts;
	return 0;
}

/* The page at an instant of the clock: exact, as that tells CLOCK_MONOTONIC_RAW too */
static int read_at(const struct reader *reader, int64_t *truth_ns, struct chronotick_interval *ret)
{
	struct chronotick_cross before = {.size = sizeof(before)};
	struct ptp_sys_offset_precise precise = {0};
	uint64_t counter;

	if (reader->device >= 0 && command(reader->device, CHRONOTICK_IOC_CROSS, &before) < 0)
		return -1;
	if (command(reader->clock, PTP_SYS_OFFSET_PRECISE, &precise) < 0)
		return -1;
	*truth_ns = time_ns(&precise.device);
	counter = (uint64_t)time_ns(&precise.sys_monoraw);
	if (reader->device >= 0 && counter_at(reader, &before, (int64_t)counter, &counter) < 0)
		return -1;
	return chronotick_at(reader->ct, counter, ret);
}

static void judge(struct figures *figures, const struct chronotick_interval *now, int64_t truth_ns,
		  int64_t near_ns, int64_t ms)
{
	int64_t early_ns = now->earliest_ns - truth_ns, late_ns = truth_ns - now->latest_ns;
	int64_t by_ns = early_ns > late_ns ? early_ns : late_ns, error_ns = now->utc_ns - truth_ns;

	if (by_ns > 0) {
		figures->outside++;
		figures->outside_last_ms = ms;
	}
	if (by_ns > figures->outside_ns)
		figures->outside_ns = by_ns;
	figures->sum_ns += error_ns;
	if (llabs(error_ns) > near_ns)
		figures->settled_ms = -1;
	else if (figures->settled_ms < 0)
		figures->settled_ms = ms;
	figures->errors[figures->count] = llabs(error_ns);
	figures->bounds[figures->count] = (now->latest_ns - now->earliest_ns) / 2;
}

/* Reads of one thread: each is after the one before. */
static void order(struct figures *figures, const struct chronotick_interval *now)
{
	static struct chronotick_interval before;
	int64_t back_ns = before.utc_ns - now->utc_ns;

	if (before.utc_ns && now->generation != before.generation)
		figures->generations++;
	else if (back_ns > 0)
		figures->back++;
	if (now->generation == before.generation && back_ns > figures->back_ns)
		figures->back_ns = back_ns;
	before = *now;
}

static void status_note(struct figures *figures, const struct chronotick_interval *now, int64_t ms)
{
	uint16_t status = now->status & CHRONOTICK_STATUS_MASK;

	if (status == figures->status)
		return;
	figures->status = status;
	printf("%s at %lld ms\n", chronotick_status_name(status), (long long)ms);
	if (status == CHRONOTICK_HOLDOVER && figures->holdover_ms < 0)
		figures->holdover_ms = ms;
}

static int64_t of_sorted(const int64_t *values, unsigned int count, unsigned int per_cent)
{
	return values[count - 1 - count * (100 - per_cent) / 100];
}

static void figures_write(const struct figures *figures, FILE *file)
{
	unsigned int n = figures->count;

	fprintf(file, "reads=%u\nuntrusted=%u\noutside=%u\nback=%u\ngenerations=%u\n", n,
		figures->untrusted, figures->outside, figures->back, figures->generations);
	fprintf(file, "p50=%lld\np99=%lld\nworst=%lld\n", (long long)figures->errors[n / 2],
		(long long)of_sorted(figures->errors, n, 99), (long long)figures->errors[n - 1]);
	fprintf(file, "bound=%lld\nbound_p99=%lld\nbound_worst=%lld\n",
		(long long)figures->bounds[n / 2], (long long)of_sorted(figures->bounds, n, 99),
		(long long)figures->bounds[n - 1]);
	fprintf(file, "beside_p50=%lld\nbeside_p99=%lld\n", (long long)figures->beside[n / 2],
		(long long)of_sorted(figures->beside, n, 99));
	fprintf(file, "start_ms=%lld\n", (long long)figures->start_ms);
	fprintf(file, "first_ms=%lld\nsettled_ms=%lld\nholdover_ms=%lld\noutside_last_ms=%lld\n",
		(long long)figures->first_ms, (long long)figures->settled_ms,
		(long long)figures->holdover_ms, (long long)figures->outside_last_ms);
}

static int figures_save(const struct figures *figures, const char *path)
{
	FILE *file = fopen(path, "w");

	if (!file)
		return -1;
	figures_write(figures, file);
	return fclose(file);
}

static void figures_print(const struct figures *figures, const struct options *options)
{
	unsigned int n = figures->count;

	printf("reads %u, untrusted %u, outside their bound %u (by up to %lld ns), back %u (%lld ns), "
	       "generations %u\n",
	       n, figures->untrusted, figures->outside, (long long)figures->outside_ns,
	       figures->back, (long long)figures->back_ns, figures->generations + 1);
	printf("true error ns: mean %lld, p50 %lld, p99 %lld, max %lld; bound p50 %lld, p99 %lld\n",
	       (long long)(figures->sum_ns / n), (long long)figures->errors[n / 2],
	       (long long)of_sorted(figures->errors, n, 99), (long long)figures->errors[n - 1],
	       (long long)figures->bounds[n / 2], (long long)of_sorted(figures->bounds, n, 99));
	if (options->beside >= 0)
		printf("the other port's clock ns: p50 %lld, p99 %lld\n",
		       (long long)figures->beside[n / 2],
		       (long long)of_sorted(figures->beside, n, 99));
	if (options->wait_ns)
		printf("trusted %lld ms after the start, within %lld ns from %lld ms on\n",
		       (long long)figures->first_ms, (long long)options->near_ns,
		       (long long)figures->settled_ms);
	if (figures->outside)
		printf("outside until %lld ms\n", (long long)figures->outside_last_ms);
}

/* One pair of reads. Returns false if the page could not be trusted. */
static bool look(struct figures *figures, const struct reader *reader,
		 const struct options *options, int64_t ms)
{
	struct chronotick_interval now;
	int64_t truth_ns;
	int r;

	if (chronotick_now(reader->ct, &now) == 0)
		order(figures, &now);
	r = read_at(reader, &truth_ns, &now);
	status_note(figures, &now, ms);
	if (r < 0) {
		figures->untrusted++;
		return false;
	}
	judge(figures, &now, truth_ns - options->tai_ns, options->near_ns, ms);
	if (options->beside >= 0)
		figures->beside[figures->count] =
			llround(fabs(ports_offset_ns((unsigned int)options->beside)));
	figures->count++;
	return true;
}

static void watch(struct figures *figures, const struct reader *reader,
		  const struct options *options, int64_t start_ns)
{
	int64_t end_ns = start_ns + (options->wait_ns ? options->wait_ns : options->length_ns);
	int64_t now_ns;

	while ((now_ns = monotonic_ns()) < end_ns && figures->count < READS_MAX) {
		if (look(figures, reader, options, (now_ns - start_ns) / MS) &&
		    figures->first_ms < 0) {
			figures->first_ms = (now_ns - start_ns) / MS;
			end_ns = now_ns + options->length_ns;
		}
		sleep_ms(PAUSE_MS);
	}
}

static int options_take(struct options *ret, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "w:s:b:go:")) != -1) {
		switch (option) {
		case 'w':
			ret->wait_ns = atoi(optarg) * SECOND;
			break;
		case 's':
			ret->near_ns = atoi(optarg);
			break;
		case 'b':
			ret->beside = atoi(optarg);
			break;
		case 'g':
			ret->same_generation = true;
			break;
		case 'o':
			ret->file = optarg;
			break;
		default:
			return -1;
		}
	}
	if (argc - optind < 2)
		return -1;
	ret->port = (unsigned int)atoi(argv[optind]);
	ret->length_ns = atoi(argv[optind + 1]) * SECOND;
	ret->p99_max_ns = argc - optind > 2 ? atoi(argv[optind + 2]) : 0;
	ret->tai_ns = argc - optind > 3 ? atoi(argv[optind + 3]) * SECOND : 0;
	return 0;
}

int main(int argc, char **argv)
{
	static struct figures figures = {
		.first_ms = -1, .settled_ms = -1, .holdover_ms = -1, .outside_last_ms = -1};
	struct options options = {.beside = -1};
	struct reader reader = {.clock = -1};
	int64_t start_ns = monotonic_ns();

	if (options_take(&options, argc, argv) < 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	figures.start_ms = start_ns / MS;
	while (reader_open(&reader, options.port) < 0) {
		if (monotonic_ns() - start_ns >= options.wait_ns) {
			printf("no clock or no page\n");
			return 1;
		}
		sleep_ms(PAUSE_MS);
	}
	watch(&figures, &reader, &options, start_ns);
	chronotick_close(reader.ct);
	if (!figures.count) {
		printf("no trusted read, %u untrusted\n", figures.untrusted);
		return 1;
	}
	qsort(figures.errors, figures.count, sizeof(*figures.errors), compare);
	qsort(figures.bounds, figures.count, sizeof(*figures.bounds), compare);
	qsort(figures.beside, figures.count, sizeof(*figures.beside), compare);
	figures_print(&figures, &options);
	if (options.file && figures_save(&figures, options.file) < 0)
		return 1;
	return figures.outside || figures.back ||
	       (options.same_generation && figures.generations) ||
	       (options.p99_max_ns &&
		of_sorted(figures.errors, figures.count, 99) > options.p99_max_ns);
}
