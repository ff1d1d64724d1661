/* SPDX-License-Identifier: MIT */
/*
 * What the machine itself takes for a daemon's rounds: bare-timer HZ SECONDS waits in poll(2) for a
 * timerfd, HZ times a second, does nothing else, and prints the share of a core that it used, in
 * percent.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

int main(int argc, char **argv)
{
	long hz = argc == 3 ? atol(argv[1]) : 0, seconds = argc == 3 ? atol(argv[2]) : 0, i;
	int64_t start, next, used;
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

	if (hz < 1 || seconds < 1) {
		fprintf(stderr, "usage: bare-timer HZ SECONDS\n");
		return 2;
	}
	if (fd < 0) {
		perror("bare-timer");
		return 1;
	}
	start = next = clock_ns(CLOCK_MONOTONIC);
	used = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (i = 0; i < hz * seconds; i++) {
		struct itimerspec due = {{0, 0}, {0, 0}};
		struct pollfd wait = {fd, POLLIN, 0};

		next += SECOND / hz;
		due.it_value = (struct timespec){next / SECOND, next % SECOND};
		if (timerfd_settime(fd, TFD_TIMER_ABSTIME, &due, NULL) < 0 ||
		    poll(&wait, 1, -1) < 0) {
			perror("bare-timer");
			return 1;
		}
	}
	printf("%.3f\n", 100.0 * (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - used) /
				 (double)(clock_ns(CLOCK_MONOTONIC) - start));
	return 0;
}
