/* SPDX-License-Identifier: MIT */
/*
 * A path of known delays between one NTP client and a server:
 *
 *	client --> LISTEN:123 [path] --> SERVER:123
 *	       <--                   <--
 *
 * It reads nothing in a packet. What happens to the k-th request and to its answer follows from k
 * and the seed alone, so two paths with the same arguments treat two clients alike. A packet leaves
 * its delay after the kernel's stamp of its arrival: how late this process wakes does not add to a
 * delay that is longer than that. Settings, each a number behind '=':
 *
 *	out-us, back-us       the delay of requests and of answers
 *	jitter-us             the mean of an exponential delay that each packet has besides
 *	loss                  percent of the packets, either way
 *	burst-every           that many requests from the begin of one burst to the next
 *	burst-length          that many requests in a burst
 *	burst-us              the mean of a further exponential delay in a burst, either way
 *	step-after-s, step-us from that time on this is added to the delay, either way
 *	seed
 *
 * Ends at SIGTERM.
 */
#include <arpa/inet.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#define NTP_PORT 123
#define PACKET_MAX 512
#define LANES 32 /* requests on their way at once */
#define SECOND 1000000000LL
#define SPIN_NS 100000 /* the last of a delay is waited for without sleep */

enum setting {
	OUT_US,
	BACK_US,
	JITTER_US,
	LOSS,
	BURST_EVERY,
	BURST_LENGTH,
	BURST_US,
	STEP_AFTER_S,
	STEP_US,
	SEED,
	SETTINGS,
};

static const char *const names[SETTINGS] = {
	"out-us",       "back-us",  "jitter-us",    "loss",    "burst-every",
	"burst-length", "burst-us", "step-after-s", "step-us", "seed",
};

enum way { OUT, BACK, WAYS };

/* One exchange. Its own socket to the server tells whose answer it is. */
struct lane {
	int server;
	struct sockaddr_in client;
	uint64_t request; /* its number */
	struct {
		uint8_t bytes[PACKET_MAX];
		size_t size;
		int64_t due_ns; /* 0: nothing is on its way */
	} held[WAYS];
};

struct path {
	double settings[SETTINGS];
	int listener;
	struct lane lanes[LANES];
	uint64_t requests;
	int64_t begin_ns;
};

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
	(void)number;
	ended = 1;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now); /* the clock of the kernel's stamps */
	return now.tv_sec * SECOND + now.tv_nsec;
}

/* In (0, 1], from the request's number, its way and what it is drawn for: splitmix64 */
static double draw(const struct path *path, uint64_t request, unsigned int what)
{
	uint64_t x = ((uint64_t)path->settings[SEED] << 48) + request * 16 + what;

	x = (x + 1) * 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	x ^= x >> 31;
	return ((double)(x >> 11) + 1) / 0x1p53;
}

enum { DRAW_LOSS, DRAW_JITTER, DRAW_BURST, DRAWS };

/* What happens on that way: its delay, or below 0 the packet is lost. */
static int64_t delay_ns(const struct path *path, uint64_t request, enum way way)
{
	const double *s = path->settings;
	unsigned int what = (unsigned int)way * DRAWS;
	double us = s[way == OUT ? OUT_US : BACK_US];

	if (draw(path, request, what + DRAW_LOSS) * 100 <= s[LOSS])
		return -1;
	us -= s[JITTER_US] * log(draw(path, request, what + DRAW_JITTER));
	if (s[BURST_EVERY] > 0 && fmod((double)request, s[BURST_EVERY]) < s[BURST_LENGTH])
		us -= s[BURST_US] * log(draw(path, request, what + DRAW_BURST));
	if (s[STEP_US] > 0 && now_ns() - path->begin_ns >= (int64_t)(s[STEP_AFTER_S] * SECOND))
		us += s[STEP_US];
	return (int64_t)(us * 1000);
}

/* A packet and the kernel's stamp of its arrival; its size, or below 1 if there is none. */
static ssize_t receive(int fd, void *bytes, struct sockaddr_in *from, int64_t *stamp_ns)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct timespec))];
	} control;
	struct iovec iov = {bytes, PACKET_MAX};
	struct msghdr message = {
		.msg_name = from,
		.msg_namelen = sizeof(*from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT);
	struct timespec stamp;
	struct cmsghdr *c;

	*stamp_ns = now_ns();
	if (got < 1)
		return got;
	for (c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
		*stamp_ns = stamp.tv_sec * SECOND + stamp.tv_nsec;
	}
	return got;
}

/* Reads what has come for a lane on that way, and holds it back. */
static void hold(struct path *path, struct lane *lane, enum way way)
{
	int64_t stamp_ns, delay;
	struct sockaddr_in from;
	ssize_t got;

	got = receive(way == OUT ? path->listener : lane->server, lane->held[way].bytes, &from,
		      &stamp_ns);
	if (got < 1)
		return;
	if (way == OUT) {
		lane->client = from;
		lane->request = path->requests++;
		lane->held[BACK].due_ns = 0; /* what was left of the exchange before */
	}
	delay = delay_ns(path, lane->request, way);
	lane->held[way].size = (size_t)got;
	lane->held[way].due_ns = delay < 0 ? 0 : stamp_ns + delay;
}

static void send_held(struct path *path, struct lane *lane, enum way way)
{
	if (way == OUT)
		(void)send(lane->server, lane->held[way].bytes, lane->held[way].size, 0);
	else
		(void)sendto(path->listener, lane->held[way].bytes, lane->held[way].size, 0,
			     (const struct sockaddr *)&lane->client, sizeof(lane->client));
	lane->held[way].due_ns = 0;
}

/* Sends what is due; when the next packet is, or INT64_MAX. */
static int64_t send_due(struct path *path)
{
	int64_t next_ns = INT64_MAX;
	unsigned int i, way;

	for (i = 0; i < LANES * WAYS; i++) {
		struct lane *lane = &path->lanes[i / WAYS];

		way = i % WAYS;
		if (!lane->held[way].due_ns)
			continue;
		if (lane->held[way].due_ns <= now_ns())
			send_held(path, lane, way);
		else if (lane->held[way].due_ns < next_ns)
			next_ns = lane->held[way].due_ns;
	}
	return next_ns;
}

static void run(struct path *path)
{
	struct pollfd fds[LANES + 1];
	int64_t next_ns, sleep_ns;
	struct timespec timeout;
	unsigned int i;

	for (i = 0; i < LANES; i++)
		fds[i] = (struct pollfd){path->lanes[i].server, POLLIN, 0};
	fds[LANES] = (struct pollfd){path->listener, POLLIN, 0};
	path->begin_ns = now_ns();
	while (!ended) {
		next_ns = send_due(path);
		sleep_ns = SECOND / 10;
		if (next_ns != INT64_MAX && next_ns - SPIN_NS - now_ns() < sleep_ns)
			sleep_ns = next_ns - SPIN_NS - now_ns();
		timeout = (struct timespec){0, sleep_ns > 0 ? sleep_ns : 0};
		if (ppoll(fds, LANES + 1, &timeout, NULL) < 1)
			continue;
		for (i = 0; i < LANES; i++)
			if (fds[i].revents & POLLIN)
				hold(path, &path->lanes[i], BACK);
		if (fds[LANES].revents & POLLIN)
			hold(path, &path->lanes[path->requests % LANES], OUT);
	}
}

/* The listener, or one to the server: from the same address, by which servers tell clients apart. */
static int socket_of(const char *listen, const struct sockaddr_in *server)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(NTP_PORT)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0)
		return -1;
	if (server)
		in.sin_port = 0;
	if (inet_pton(AF_INET, listen, &in.sin_addr) != 1 ||
	    bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0)
		return -1;
	if (server && connect(fd, (const struct sockaddr *)server, sizeof(*server)) < 0)
		return -1;
	return fd;
}

static bool setting_read(struct path *path, const char *text)
{
	const char *value = strchr(text, '=');
	unsigned int i;
	char *end;

	for (i = 0; value && i < SETTINGS; i++) {
		if (strlen(names[i]) != (size_t)(value - text) ||
		    strncmp(names[i], text, strlen(names[i])))
			continue;
		path->settings[i] = strtod(value + 1, &end);
		return end != value + 1 && !*end && path->settings[i] >= 0;
	}
	return false;
}

int main(int argc, char **argv)
{
	static struct path path;
	struct sigaction action = {.sa_handler = on_signal};
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(NTP_PORT)};
	struct sched_param priority = {.sched_priority = 1};
	int i;

	for (i = 3; i < argc && setting_read(&path, argv[i]); i++)
		;
	if (argc < 3 || i < argc || inet_pton(AF_INET, argv[2], &server.sin_addr) != 1) {
		fprintf(stderr, "usage: path LISTEN SERVER [SETTING=NUMBER...]\n");
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	/* Both only make it more punctual, for both clients alike. */
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	(void)sched_setscheduler(0, SCHED_FIFO, &priority);
	path.listener = socket_of(argv[1], NULL);
	for (i = 0; i < LANES; i++) {
		path.lanes[i].server = socket_of(argv[1], &server);
		if (path.lanes[i].server < 0)
			break;
	}
	if (path.listener < 0 || i < LANES) {
		perror("path");
		return 1;
	}
	run(&path);
	printf("%s: %llu requests\n", argv[1], (unsigned long long)path.requests);
	return 0;
}
