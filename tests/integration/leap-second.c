/* SPDX-License-Identifier: MIT */
/*
 * A leap second to order. UTC is made up: CLOCK_REALTIME + OFFSET seconds, and from LEAP on (UTC,
 * seconds since 1970, as counted until then) a second less.
 *
 *	leap-second serve ADDRESS OFFSET LEAP	an NTP server of it, that announces the leap second
 *	leap-second read OFFSET LEAP SECONDS	reads the page until so long after the leap
 *
 * The reader ends with 0 if every read that may be trusted holds the made-up UTC, TAI runs on, and
 * at the leap second, which was trusted until shortly before, there is one new generation, TAI -
 * UTC is one more, and time is trusted again within a second.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <chronotick/chronotick.h>

#define SECOND 1000000000LL
#define NTP_EPOCH 2208988800LL
#define PAUSE_NS 200000
#define GIVE_UP_NS (60 * SECOND)

static int64_t offset_ns, leap_ns;

/* UTC without the leap second */
static int64_t straight_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec + offset_ns;
}

static int64_t utc_of(int64_t straight_ns)
{
	return straight_ns >= leap_ns ? straight_ns - SECOND : straight_ns;
}

struct packet {
	uint8_t leap_version_mode, stratum;
	int8_t poll, precision;
	uint32_t root_delay, root_dispersion;
	char reference_id[4];
	uint32_t reference[2], origin[2], receive[2], transmit[2];
};

static void time_set(uint32_t ret[2], int64_t utc_ns)
{
	ret[0] = htonl((uint32_t)(utc_ns / SECOND + NTP_EPOCH));
	ret[1] = htonl((uint32_t)(((uint64_t)(utc_ns % SECOND) << 32) / SECOND));
}

static int serve(const char *address)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(123)}, from;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct packet packet;

	if (inet_pton(AF_INET, address, &at.sin_addr) != 1 || fd < 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		perror("leap-second: serve");
		return 1;
	}
	for (;;) {
		socklen_t size = sizeof(from);
		ssize_t got =
			recvfrom(fd, &packet, sizeof(packet), 0, (struct sockaddr *)&from, &size);
		int64_t straight_ns = straight_now();

		if (got < (ssize_t)sizeof(packet))
			continue;
		memcpy(packet.origin, packet.transmit, sizeof(packet.origin));
		packet.leap_version_mode = (uint8_t)((straight_ns < leap_ns) << 6 | (4 << 3) | 4);
		packet.stratum = 1;
		packet.precision = -20;
		packet.root_delay = packet.root_dispersion = 0;
		memcpy(packet.reference_id, "LEAP", 4);
		time_set(packet.reference, utc_of(straight_ns) - SECOND);
		time_set(packet.receive, utc_of(straight_ns));
		time_set(packet.transmit, utc_of(straight_now()));
		(void)sendto(fd, &packet, sizeof(packet), 0, (struct sockaddr *)&from, size);
	}
}

/* What the reader has seen */
struct seen {
	uint64_t reads, outside, crooked, repeated;
	uint32_t generation;
	int tai_s;
	bool trusted;
	int64_t since_ns; /* straight, of the last trusted read */
	int64_t gap_ns;   /* the longest around the leap second */
	unsigned int jumps;
};

static void judge(struct seen *seen, const struct chronotick_interval *at, int64_t before_ns,
		  int64_t after_ns)
{
	bool past = before_ns >= leap_ns;

	seen->reads++;
	/* Between the two clock readings only one side of the leap is looked at. */
	if (past == (after_ns >= leap_ns) &&
	    (at->latest_ns < utc_of(before_ns) || at->earliest_ns > utc_of(after_ns)))
		if (seen->outside++ == 0)
			printf("outside: %+.6f s from the leap, error %" PRId64 " to %" PRId64
			       " ns\n",
			       1e-9 * (double)(before_ns - leap_ns),
			       at->earliest_ns - utc_of(after_ns),
			       at->latest_ns - utc_of(before_ns));
	if (at->earliest_ns + at->tai_offset_s * SECOND > after_ns + 37 * SECOND ||
	    at->latest_ns + at->tai_offset_s * SECOND < before_ns + 37 * SECOND)
		seen->crooked++;
	seen->repeated += past && at->utc_ns < leap_ns;
	if (seen->trusted) {
		if (before_ns - seen->since_ns > seen->gap_ns &&
		    llabs(before_ns - leap_ns) < 2 * SECOND)
			seen->gap_ns = before_ns - seen->since_ns;
		if (at->generation != seen->generation) {
			seen->jumps++;
			printf("generation %u -> %u, TAI - UTC %d -> %d s, %+.6f s from the leap\n",
			       seen->generation, at->generation, seen->tai_s, at->tai_offset_s,
			       1e-9 * (double)(before_ns - leap_ns));
		}
	}
	seen->trusted = true;
	seen->since_ns = before_ns;
	seen->generation = at->generation;
	seen->tai_s = at->tai_offset_s;
}

static int read_page(int64_t until_ns)
{
	const struct timespec pause = {0, PAUSE_NS};
	int64_t begin_ns = straight_now(), first_ns = 0;
	struct seen seen = {.trusted = false};
	struct chronotick *page = NULL;
	struct chronotick_interval at;
	bool good;

	while (straight_now() < leap_ns + until_ns && straight_now() < begin_ns + GIVE_UP_NS) {
		int64_t before_ns;

		nanosleep(&pause, NULL);
		if (!page && chronotick_open(&page, NULL) < 0)
			continue;
		before_ns = straight_now();
		if (chronotick_now(page, &at) < 0)
			continue;
		if (!first_ns)
			first_ns = before_ns;
		judge(&seen, &at, before_ns, straight_now());
	}
	chronotick_close(page);
	printf("reads %" PRIu64 ", first trusted %.3f s before the leap, outside %" PRIu64
	       ", TAI wrong %" PRIu64
	       ", generations %u, TAI - UTC %d s, 23:59:59 read again %" PRIu64
	       " times, longest gap %.3f ms\n",
	       seen.reads, 1e-9 * (double)(leap_ns - first_ns), seen.outside, seen.crooked,
	       seen.jumps, seen.tai_s, seen.repeated, 1e-6 * (double)seen.gap_ns);
	good = first_ns && first_ns < leap_ns - 3 * SECOND && seen.outside == 0 &&
	       seen.crooked == 0 && seen.jumps == 1 && seen.tai_s == 38 && seen.repeated > 100 &&
	       seen.gap_ns < SECOND && seen.since_ns > leap_ns + until_ns - SECOND;
	return good ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc == 5) {
		bool serving = strcmp(argv[1], "serve") == 0;

		offset_ns = atoll(argv[serving ? 3 : 2]) * SECOND;
		leap_ns = atoll(argv[serving ? 4 : 3]) * SECOND;
		if (serving)
			return serve(argv[2]);
		if (strcmp(argv[1], "read") == 0)
			return read_page(atoll(argv[4]) * SECOND);
	}
	fprintf(stderr, "usage: leap-second serve ADDRESS OFFSET LEAP\n"
			"       leap-second read OFFSET LEAP SECONDS\n");
	return 2;
}
