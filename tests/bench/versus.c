/* SPDX-License-Identifier: MIT */
/*
 * Ten times a second: what a page and what a chronyd -x say of this host's CLOCK_REALTIME, which
 * is the truth. One line each to stdout, in nanoseconds:
 *
 *	SECONDS OURS EARLIEST LATEST CHRONYD DISTANCE
 *
 * OURS: the page's UTC less the truth. EARLIEST, LATEST: the ends of its interval less the end of
 * the truth's bracket that is nearer to them, so that the truth is inside where EARLIEST <= 0 <=
 * LATEST. CHRONYD: its estimate of how far the clock is ahead; with -x it is never carried out, so
 * "System time" of chronyc's tracking is the whole of it, at the moment of the question. DISTANCE:
 * half of its root delay and its root dispersion. "-" for what is not trusted or not synchronised.
 *
 * One chronyc is asked over a pipe all along: one process for each question would disturb both.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <chronotick/chronotick.h>

#define SECOND 1000000000LL
#define PERIOD_NS 100000000LL
#define TRIES 5
/* A bracket that is wider was interrupted. */
#define BRACKET_MAX_NS 1000

/* Fields of chronyc -c tracking */
enum { STRATUM = 2, SYSTEM_TIME = 4, ROOT_DELAY = 10, ROOT_DISPERSION = 11, LEAP = 13, FIELDS };

struct chrony {
	FILE *ask, *answer;
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static bool chrony_start(struct chrony *chrony, const char *chronyc, const char *socket)
{
	int to[2], from[2];
	pid_t pid;

	if (pipe(to) < 0 || pipe(from) < 0)
		return false;
	pid = fork();
	if (pid < 0)
		return false;
	if (pid == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		close(to[1]);
		close(from[0]);
		execl(chronyc, chronyc, "-c", "-n", "-h", socket, (char *)NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	chrony->ask = fdopen(to[1], "w");
	chrony->answer = fdopen(from[0], "r");
	return chrony->ask && chrony->answer;
}

/* Prints CHRONYD and DISTANCE; false if chronyc answers no more. */
static bool chrony_print(struct chrony *chrony)
{
	char line[512], *fields[FIELDS], *rest = line;
	unsigned int i;

	if (fputs("tracking\n", chrony->ask) < 0 || fflush(chrony->ask) ||
	    !fgets(line, sizeof(line), chrony->answer))
		return false;
	line[strcspn(line, "\n")] = 0;
	for (i = 0; i < FIELDS && rest; i++)
		fields[i] = strsep(&rest, ",");
	if (i < FIELDS || !strcmp(fields[LEAP], "Not synchronised") || !atoi(fields[STRATUM]))
		printf(" - -\n");
	else
		printf(" %.0f %.0f\n", atof(fields[SYSTEM_TIME]) * 1e9,
		       (atof(fields[ROOT_DELAY]) / 2 + atof(fields[ROOT_DISPERSION])) * 1e9);
	return true;
}

static void page_print(const struct chronotick *ct)
{
	struct chronotick_interval read;
	int64_t before, after;
	int i, r;

	for (i = 0; i < TRIES; i++) {
		before = clock_ns(CLOCK_REALTIME);
		r = chronotick_now(ct, &read);
		after = clock_ns(CLOCK_REALTIME);
		if (after - before <= BRACKET_MAX_NS)
			break;
	}
	if (r < 0)
		printf(" - - -");
	else /* the clock rounds down: truth is before after + 1 */
		printf(" %" PRId64 " %" PRId64 " %" PRId64,
		       read.utc_ns - before - (after - before) / 2, read.earliest_ns - after - 1,
		       read.latest_ns - before);
}

int main(int argc, char **argv)
{
	struct chronotick *ct = NULL;
	struct chrony chrony;
	int64_t begin, due;
	long i, count;

	count = argc == 5 ? atol(argv[4]) * (SECOND / PERIOD_NS) : 0;
	if (count < 1) {
		fprintf(stderr, "usage: versus PAGE CHRONYC SOCKET SECONDS\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	if (!chrony_start(&chrony, argv[2], argv[3])) {
		perror("versus");
		return 1;
	}
	begin = clock_ns(CLOCK_MONOTONIC);
	for (i = 0; i < count; i++) {
		struct timespec at;

		due = begin + i * PERIOD_NS;
		at = (struct timespec){due / SECOND, due % SECOND};
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL))
			;
		printf("%.1f", (double)i * PERIOD_NS / SECOND);
		if (!ct && chronotick_open(&ct, argv[1]) < 0)
			printf(" - - -");
		else
			page_print(ct);
		if (!chrony_print(&chrony)) {
			fprintf(stderr, "versus: chronyc does not answer\n");
			return 1;
		}
	}
	chronotick_close(ct);
	return 0;
}
