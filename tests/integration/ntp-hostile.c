/* SPDX-License-Identifier: MIT */
/*
 * The NTP client against servers that lie, repeat themselves, babble or keep silent:
 *
 *	             one process, one loop
 *	ntp client --> 127.0.0.1 or ::1, a free port --> server of this file
 *	    |                                                |
 *	 sample, lost  <--- what came out is held against --- CLOCK_REALTIME, the truth
 *
 * usage: ntp-hostile [no-stamps | lost-stamps]
 * With an argument the kernel gives no packet stamps, or no transmit stamps although they were
 *asked for; a seccomp filter sees to it. Then user-space stamps have to do.
 *
 * Every case has a client and a server of its own; all run at the same time. A case ends after so
 * many requests; what it says about counters and events is checked when all have ended.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "chronotick_page.h"
#include "loop/loop.h"
#include "sources/ntp.h"
#include "sources/ntp_packet.h"
#include "timestamping/counter.h"
#include "timestamping/cross.h"

#define S 1000000000LL
#define MS 1000000LL

#define MINPOLL (-3)
#define INTERVAL_NS (125 * MS)

/* If the cases have not ended by then, the test has failed. */
#define LIMIT_NS (90 * S)

#define SKIPPED 77
#define NO_LOSS 255

struct test;

/* A server: gets a request, answers it as it likes. */
struct server {
	struct test *test;
	int fd;
	struct sockaddr_storage client;
	socklen_t client_size;
	uint64_t origin;    /* of the request in hand */
	int64_t receive_ns; /* CLOCK_REALTIME */
	struct ntp_packet last;
	unsigned int requests;
	int64_t first_ns[8]; /* CLOCK_MONOTONIC of the first requests */
	struct loop_timer later;
	struct ntp_packet delayed;
};

/* What a case expects */
enum samples {
	NONE,
	EVERY, /* one a request, but perhaps the last */
	SOME,
};

struct behaviour {
	const char *name;
	int family;
	void (*answer)(struct server *server); /* NULL: nobody listens at that port */
	unsigned int requests;                 /* the case ends after so many */
	enum samples samples;
	uint8_t lost;         /* the event it must end in, or NO_LOSS */
	unsigned int rejects; /* refused datagrams: at least so many a request */
	bool stops;           /* after the first request there is no second */
	bool drops;           /* good packets, impossible exchanges */
	bool deaf;            /* nothing reaches the client */
	bool iburst;          /* the first answer is none yet */
	bool slower;          /* each interval is twice the one before */
	const char *host;     /* what the client is told, where it is not the address */
};

struct client {
	struct test *test;
	const struct behaviour *behaviour;
	struct server server;
	struct ntp *ntp;
	unsigned int samples;
	unsigned int outside; /* samples whose interval does not hold the truth */
	unsigned int wrong_stamps;
	unsigned int losses;
	uint8_t lost;
	int64_t worst_ns;
};

/* What becomes of the kernel's packet stamps */
struct stamping {
	const char *name;
	long syscall; /* fails if its argument is that ... */
	unsigned int argument;
	unsigned int value;
	unsigned int error; /* ... with this errno */
	uint8_t tx;         /* what samples must have then: enum chronotick_stamp */
	uint8_t rx;
	bool missing;
};

static const struct stamping stampings[] = {
	{"stamps", -1, 0, 0, 0, CHRONOTICK_STAMP_KERNEL, CHRONOTICK_STAMP_KERNEL, false},
	{"no-stamps", SYS_setsockopt, 2, SO_TIMESTAMPING, ENOPROTOOPT, CHRONOTICK_STAMP_USER,
	 CHRONOTICK_STAMP_USER, false},
	{"lost-stamps", SYS_recvmsg, 2, MSG_ERRQUEUE | MSG_DONTWAIT, EAGAIN, CHRONOTICK_STAMP_USER,
	 CHRONOTICK_STAMP_KERNEL, true},
};

struct test {
	const struct stamping *stamping;
	struct loop *loop;
	struct counter counter;
	struct timescale scale;
	struct client *clients;
	unsigned int count;
	unsigned int failures;
	struct loop_timer tick;
	int64_t limit_ns;
	int64_t ended_ns;
	volatile int stop;
};

static int64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * S + now.tv_nsec;
}

static void send_bytes(struct server *server, int fd, const void *data, size_t size)
{
	(void)sendto(fd, data, size, 0, (const struct sockaddr *)&server->client,
		     server->client_size);
}

static void send_packet(struct server *server, const struct ntp_packet *packet)
{
	uint8_t bytes[NTP_PACKET_SIZE];

	ntp_packet_write(packet, bytes);
	send_bytes(server, server->fd, bytes, sizeof(bytes));
	server->last = *packet;
}

/* The truth: a stratum 1 server on this host's clock */
static struct ntp_packet honest(struct server *server)
{
	return (struct ntp_packet){
		.version = NTP_VERSION,
		.mode = NTP_MODE_SERVER,
		.stratum = 1,
		.precision = -29,
		.root_dispersion = 1,
		.reference_id = 0x47505300,
		.reference = ntp_time_from_ns(server->receive_ns - S),
		.origin = server->origin,
		.receive = ntp_time_from_ns(server->receive_ns),
		.transmit = ntp_time_from_ns(realtime_ns()),
	};
}

static void answer_honest(struct server *server)
{
	struct ntp_packet packet = honest(server);

	send_packet(server, &packet);
}

static void answer_with_mac(struct server *server)
{
	struct ntp_packet packet = honest(server);
	uint8_t bytes[NTP_PACKET_SIZE + 28] = {0};

	ntp_packet_write(&packet, bytes);
	send_bytes(server, server->fd, bytes, sizeof(bytes));
}

static void later(void *data)
{
	struct server *server = data;

	send_packet(server, &server->delayed);
}

/* The way back takes 300 ms longer than the way there. */
static void answer_late(struct server *server)
{
	server->delayed = honest(server);
	server->later.fire = later;
	server->later.data = server;
	(void)loop_timer_set(server->test->loop, &server->later, loop_now_ns() + 300 * MS);
}

static void answer_wrong_origin(struct server *server)
{
	struct ntp_packet packet = honest(server);

	packet.origin++;
	send_packet(server, &packet);
	packet.origin = 0;
	send_packet(server, &packet);
}

static void answer_thrice(struct server *server)
{
	struct ntp_packet packet = honest(server);
	unsigned int i;

	for (i = 0; i < 3; i++)
		send_packet(server, &packet);
}

/* The answer to the request before, then nothing */
static void answer_replay(struct server *server)
{
	struct ntp_packet packet = server->last.mode ? server->last : honest(server);

	packet.origin = server->last.mode ? packet.origin : 0;
	send_packet(server, &packet);
	server->last = honest(server);
}

/* The same transmit time again and again: only the first is news. */
static void answer_standing_clock(struct server *server)
{
	struct ntp_packet packet = honest(server);

	if (server->last.mode)
		packet.transmit = server->last.transmit;
	send_packet(server, &packet);
}

static void send_garbage(struct server *server)
{
	uint8_t bytes[1400];
	size_t size, i;
	unsigned int n;

	for (n = 0; n < 5; n++) {
		size = (size_t)lrand48() % sizeof(bytes);
		if (n == 0)
			size = 0;
		for (i = 0; i < size; i++)
			bytes[i] = (uint8_t)lrand48();
		send_bytes(server, server->fd, bytes, size);
	}
}

static void answer_garbage_first(struct server *server)
{
	send_garbage(server);
	answer_honest(server);
}

static void answer_short(struct server *server)
{
	struct ntp_packet packet = honest(server);
	uint8_t bytes[NTP_PACKET_SIZE];

	ntp_packet_write(&packet, bytes);
	send_bytes(server, server->fd, bytes, sizeof(bytes) - 4);
	send_bytes(server, server->fd, bytes, 1);
}

static void answer_oversized(struct server *server)
{
	struct ntp_packet packet = honest(server);
	uint8_t bytes[1200] = {0};

	ntp_packet_write(&packet, bytes);
	send_bytes(server, server->fd, bytes, sizeof(bytes));
}

static void answer_mirror(struct server *server)
{
	struct ntp_packet packet = honest(server);

	packet.mode = NTP_MODE_CLIENT;
	send_packet(server, &packet);
	packet.mode = 5;
	send_packet(server, &packet);
}

static void answer_leap_unknown(struct server *server)
{
	struct ntp_packet packet = honest(server);

	packet.leap = NTP_LEAP_UNKNOWN;
	send_packet(server, &packet);
}

static void answer_stratum_16(struct server *server)
{
	struct ntp_packet packet = honest(server);

	packet.stratum = 16;
	send_packet(server, &packet);
}

static void kiss(struct server *server, const char *code)
{
	struct ntp_packet packet = honest(server);

	packet.leap = NTP_LEAP_UNKNOWN;
	packet.stratum = 0;
	packet.reference_id = (uint32_t)code[0] << 24 | (uint32_t)code[1] << 16 |
			      (uint32_t)code[2] << 8 | (uint32_t)code[3];
	send_packet(server, &packet);
}

static void answer_deny(struct server *server)
{
	kiss(server, "DENY");
}

static void answer_rstr(struct server *server)
{
	kiss(server, "RSTR");
}

static void answer_rate(struct server *server)
{
	kiss(server, "RATE");
}

static void answer_init(struct server *server)
{
	kiss(server, "INIT");
}

/* Somebody who has not seen the request forbids it. */
static void answer_forged_deny(struct server *server)
{
	uint64_t origin = server->origin;

	server->origin = ~origin;
	kiss(server, "DENY");
	server->origin = origin;
	answer_honest(server);
}

/* From another port, and from another address */
static void answer_elsewhere(struct server *server)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct ntp_packet packet = honest(server);
	uint8_t bytes[NTP_PACKET_SIZE];
	unsigned int i;

	ntp_packet_write(&packet, bytes);
	for (i = 1; i <= 2; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM, 0);

		from.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + i);
		if (fd >= 0 && bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0)
			send_bytes(server, fd, bytes, sizeof(bytes));
		close(fd);
	}
}

static void answer_distant(struct server *server)
{
	struct ntp_packet packet = honest(server);

	packet.root_delay = 40 << 16;
	send_packet(server, &packet);
}

static void answer_backwards(struct server *server)
{
	struct ntp_packet packet = honest(server);

	packet.receive = ntp_time_from_ns(server->receive_ns + S);
	send_packet(server, &packet);
}

/* Says that it kept the request longer than the whole exchange took */
static void answer_slow_clock(struct server *server)
{
	struct ntp_packet packet = honest(server);

	packet.receive = ntp_time_from_ns(server->receive_ns - 3 * S);
	packet.reference = 0;
	send_packet(server, &packet);
}

static void answer_never(struct server *server)
{
	(void)server;
}

static void answer_then_fall_silent(struct server *server)
{
	if (server->requests <= 3)
		answer_honest(server);
}

static const struct behaviour behaviours[] = {
	{"honest, IPv4", AF_INET, answer_honest, 30, EVERY, NO_LOSS},
	{"honest, IPv6", AF_INET6, answer_honest, 30, EVERY, NO_LOSS},
	{"with a MAC behind", AF_INET, answer_with_mac, 5, EVERY, NO_LOSS},
	{"300 ms late", AF_INET, answer_late, 8, EVERY, NO_LOSS},
	{"wrong origin", AF_INET, answer_wrong_origin, 3, NONE, NO_LOSS, .rejects = 2},
	{"duplicates", AF_INET, answer_thrice, 8, EVERY, NO_LOSS, .rejects = 2},
	{"replay", AF_INET, answer_replay, 3, NONE, NO_LOSS, .rejects = 1},
	{"standing clock", AF_INET, answer_standing_clock, 12, SOME, CHRONOTICK_SOURCE_UNREACHABLE},
	{"garbage, then honest", AF_INET, answer_garbage_first, 8, EVERY, NO_LOSS, .rejects = 5},
	{"garbage, IPv6", AF_INET6, send_garbage, 3, NONE, NO_LOSS, .rejects = 5},
	{"short", AF_INET, answer_short, 3, NONE, NO_LOSS, .rejects = 2},
	{"oversized", AF_INET, answer_oversized, 3, NONE, NO_LOSS, .rejects = 1},
	{"client and broadcast mode", AF_INET, answer_mirror, 3, NONE, NO_LOSS, .rejects = 2},
	{"leap unknown", AF_INET, answer_leap_unknown, 8, NONE, CHRONOTICK_SOURCE_UNSYNCHRONIZED,
	 .rejects = 1},
	{"stratum 16", AF_INET, answer_stratum_16, 8, NONE, CHRONOTICK_SOURCE_UNSYNCHRONIZED,
	 .rejects = 1},
	{"kiss INIT", AF_INET, answer_init, 8, NONE, CHRONOTICK_SOURCE_UNSYNCHRONIZED,
	 .rejects = 1},
	{"kiss DENY", AF_INET, answer_deny, 1, NONE, CHRONOTICK_SOURCE_DENIED, .rejects = 1,
	 .stops = true},
	{"kiss RSTR", AF_INET6, answer_rstr, 1, NONE, CHRONOTICK_SOURCE_DENIED, .rejects = 1,
	 .stops = true},
	{"kiss RATE", AF_INET, answer_rate, 5, NONE, NO_LOSS, .rejects = 1, .slower = true},
	{"forged DENY", AF_INET, answer_forged_deny, 8, EVERY, NO_LOSS, .rejects = 1},
	{"from elsewhere", AF_INET, answer_elsewhere, 3, NONE, NO_LOSS, .deaf = true},
	{"root delay 40 s", AF_INET, answer_distant, 8, NONE, CHRONOTICK_SOURCE_UNSYNCHRONIZED,
	 .rejects = 1},
	{"sent before received", AF_INET, answer_backwards, 8, NONE, NO_LOSS, .drops = true},
	{"served longer than it took", AF_INET, answer_slow_clock, 8, NONE, NO_LOSS, .drops = true},
	{"never", AF_INET, answer_never, 3, NONE, NO_LOSS, .deaf = true},
	{"port closed", AF_INET, NULL, 12, NONE, NO_LOSS, .deaf = true},
	{"port closed, IPv6", AF_INET6, NULL, 12, NONE, NO_LOSS, .deaf = true},
	/* Where the name has ::1 too, that comes first, and nobody listens there. */
	{"burst", AF_INET, answer_honest, 8, SOME, NO_LOSS, .iburst = true},
	{"by name", AF_INET, answer_honest, 8, EVERY, NO_LOSS, .host = "localhost"},
	{"falls silent", AF_INET, answer_then_fall_silent, 12, SOME, CHRONOTICK_SOURCE_UNREACHABLE},
};
#define CASES (sizeof(behaviours) / sizeof(behaviours[0]))

/* A request has come. */
static void serve(void *data, int fd, short events)
{
	struct server *server = data;
	uint8_t bytes[NTP_PACKET_SIZE + 1];
	ssize_t size;
	unsigned int i;

	(void)events;
	server->client_size = sizeof(server->client);
	size = recvfrom(fd, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&server->client,
			&server->client_size);
	server->receive_ns = realtime_ns();
	if (size < 0)
		return;
	/* Nothing but version, mode and a random number: the request tells nothing. */
	for (i = 1; i < 40; i++) {
		if (i != 3 && bytes[i])
			break;
	}
	if (size != NTP_PACKET_SIZE || bytes[0] != (NTP_VERSION << 3 | NTP_MODE_CLIENT) || i < 40) {
		printf("FAIL: a request of %zd bytes, or one that tells something\n", size);
		server->test->failures++;
	}
	memcpy(&server->origin, bytes + 40, sizeof(server->origin));
	server->origin = be64toh(server->origin);
	if (server->requests < 8)
		server->first_ns[server->requests] = loop_now_ns();
	server->requests++;
	for (i = 0; i < CASES; i++) {
		if (server == &server->test->clients[i].server)
			behaviours[i].answer(server);
	}
}

/* The client whose number it is */
static void on_sample(void *data, const struct sample *sample)
{
	struct test *test = data;
	struct client *client = &test->clients[sample->source];
	int64_t true_ns, off, since_ns;
	struct cross now;

	client->samples++;
	if (sample->tx_stamp != test->stamping->tx || sample->rx_stamp != test->stamping->rx)
		client->wrong_stamps++;

	/* UTC is CLOCK_REALTIME here: what was it at the sample's counter value? */
	if (cross_read(&now, &test->counter, CLOCK_REALTIME) < 0)
		return;
	since_ns = counter_to_ns(&test->counter, now.counter - sample->counter);
	true_ns = now.system_ns - since_ns - timescale_ns(&test->scale, sample->counter);
	off = sample->offset_ns - true_ns;
	if (off < 0)
		off = -off;
	/* The clock may be slewed by 500 ppm while that time passes. */
	if (sample->delay_ns < 1 || sample->dispersion_ns < 0 ||
	    off > sample->delay_ns / 2 + sample->dispersion_ns + now.error_ns + since_ns / 2000) {
		printf("%s: off by %" PRId64 " ns, delay %" PRId64 ", dispersion %" PRId64 "\n",
		       client->behaviour->name, off, sample->delay_ns, sample->dispersion_ns);
		client->outside++;
	}
	if (off > client->worst_ns)
		client->worst_ns = off;
}

static void on_lost(void *data, unsigned int source, uint8_t state)
{
	struct test *test = data;

	test->clients[source].losses++;
	test->clients[source].lost = state;
}

static int server_open(struct server *server, int family, bool listens, uint16_t *port)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t size = family == AF_INET6 ? sizeof(in6) : sizeof(in);
	struct sockaddr *address = (struct sockaddr *)&in;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (family == AF_INET6)
		address = (struct sockaddr *)&in6;
	server->fd = socket(family, SOCK_DGRAM, 0);
	if (server->fd < 0 || bind(server->fd, address, size) < 0 ||
	    getsockname(server->fd, address, &size) < 0)
		return -errno;
	*port = ntohs(family == AF_INET6 ? in6.sin6_port : in.sin_port);
	if (!listens) {
		close(server->fd);
		server->fd = -1;
		return 0;
	}
	return loop_fd_add(server->test->loop, server->fd, POLLIN, serve, server);
}

/* Requests so far */
static unsigned int requests_of(const struct client *client)
{
	struct ntp_statistics statistics;

	if (client->behaviour->answer)
		return client->server.requests;
	ntp_statistics(client->ntp, &statistics);
	return (unsigned int)statistics.sent;
}

/* All have had their requests, and a second more for what is still on its way. */
static void tick(void *data)
{
	struct test *test = data;
	int64_t now_ns = loop_now_ns();
	bool all = true;
	unsigned int i;

	for (i = 0; i < test->count; i++) {
		if (requests_of(&test->clients[i]) < behaviours[i].requests)
			all = false;
	}
	if (all && !test->ended_ns)
		test->ended_ns = now_ns;
	if ((test->ended_ns && now_ns > test->ended_ns + S) || now_ns > test->limit_ns)
		test->stop = 1;
	else
		(void)loop_timer_set(test->loop, &test->tick, now_ns + 100 * MS);
}

__attribute__((format(printf, 3, 4))) static void check(struct client *client, bool good,
							const char *format, ...)
{
	va_list arguments;

	if (good)
		return;
	client->test->failures++;
	printf("FAIL: %s: ", client->behaviour->name);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

/* How many of something a case may have, given the requests that its server saw */
static void check_client(struct client *client)
{
	const struct behaviour *behaviour = client->behaviour;
	unsigned int requests = requests_of(client), i;
	struct chronotick_source view = {.state = 77};
	struct ntp_statistics statistics;

	ntp_statistics(client->ntp, &statistics);
	ntp_describe(client->ntp, &view);
	printf("%-28s %3u requests, %3u samples, %3" PRIu64 " received, %3" PRIu64
	       " rejected, %2" PRIu64 " dropped, worst error %6" PRId64 " ns\n",
	       behaviour->name, requests, client->samples, statistics.received, statistics.rejected,
	       statistics.dropped, client->worst_ns);

	check(client, requests >= behaviour->requests, "only %u requests", requests);
	check(client,
	      statistics.sent == requests || statistics.sent == requests + 1 || behaviour->host,
	      "%" PRIu64 " sent", statistics.sent);
	check(client, client->outside == 0, "%u samples without the truth", client->outside);
	check(client, client->wrong_stamps == 0, "%u samples with other stamps than expected",
	      client->wrong_stamps);
	check(client,
	      statistics.stamps_missing == (client->test->stamping->missing
						    ? statistics.accepted + statistics.dropped
						    : 0),
	      "%" PRIu64 " stamps missing", statistics.stamps_missing);
	check(client, statistics.accepted == client->samples, "%" PRIu64 " accepted",
	      statistics.accepted);
	check(client, view.samples == client->samples, "%" PRIu64 " described",
	      (uint64_t)view.samples);
	check(client,
	      !strcmp(view.name, behaviour->family == AF_INET6 ? "::1" : "127.0.0.1") &&
		      view.kind == CHRONOTICK_NTP && view.state == 77,
	      "described as %s, kind %u, state %u", view.name, view.kind, view.state);
	if (behaviour->samples == NONE)
		check(client, client->samples == 0 && view.reach == 0, "samples, or reach %#x",
		      view.reach);
	if (behaviour->samples == EVERY)
		check(client, client->samples + 1 >= requests, "not a sample a request");
	if (behaviour->samples == SOME)
		check(client, client->samples > 0 && client->samples < requests,
		      "all or no requests gave samples");
	check(client, statistics.rejected + behaviour->rejects >= behaviour->rejects * requests,
	      "not %u rejected a request", behaviour->rejects);
	if (behaviour->samples == EVERY && !behaviour->rejects)
		check(client, statistics.rejected == 0, "rejected");
	check(client,
	      statistics.received <= client->samples + statistics.rejected + statistics.dropped + 1,
	      "the sum is wrong");
	check(client,
	      behaviour->drops ? statistics.dropped + 1 >= requests
			       : statistics.dropped == behaviour->iburst,
	      "%" PRIu64 " dropped", statistics.dropped);
	if (behaviour->iburst)
		check(client, client->samples + 2 >= requests, "more than the first was lost");
	if (behaviour->deaf)
		check(client, statistics.received == 0, "received");
	if (behaviour->lost == NO_LOSS)
		check(client, client->losses == 0, "lost, state %u", client->lost);
	else
		check(client, client->losses == 1 && client->lost == behaviour->lost,
		      "%u events, the last %u", client->losses, client->lost);
	if (behaviour->stops)
		check(client, requests == 1, "asked again");
	for (i = 1; behaviour->slower && i < 5; i++) {
		int64_t apart_ns = client->server.first_ns[i] - client->server.first_ns[i - 1];

		/* A millisecond for a request that was read late */
		check(client, apart_ns >= (INTERVAL_NS << i) - MS,
		      "request %u came after %" PRId64 " ns", i, apart_ns);
	}
}

static unsigned int silent_requests(const struct test *test)
{
	unsigned int i;

	for (i = 0; i < CASES; i++) {
		if (behaviours[i].answer == answer_never)
			return requests_of(&test->clients[i]);
	}
	return 0;
}

static int filter_install(const struct stamping *stamping)
{
	const unsigned int at = offsetof(struct seccomp_data, args) + 8 * stamping->argument;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)stamping->syscall, 0, 3),
		/* The lower half of the argument, on little-endian machines */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, stamping->value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | stamping->error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	if (stamping->syscall < 0)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return -errno;
	return 0;
}

int main(int argc, char **argv)
{
	struct test test = {.failures = 0};
	const struct source_events events = {.data = &test, .sample = on_sample, .lost = on_lost};
	struct source_context context = {
		.counter = &test.counter, .scale = &test.scale, .events = &events};
	static struct client clients[CASES];
	unsigned int i;
	int r;

	for (i = 0; i < sizeof(stampings) / sizeof(stampings[0]); i++) {
		if (!strcmp(argc > 1 ? argv[1] : "stamps", stampings[i].name))
			test.stamping = &stampings[i];
	}
	if (!test.stamping) {
		printf("usage: ntp-hostile [no-stamps | lost-stamps]\n");
		return 2;
	}
	if (filter_install(test.stamping) < 0) {
		printf("no seccomp filter can be had\n");
		return SKIPPED;
	}
	srand48(1);
	test.clients = clients;
	if (loop_new(&test.loop) < 0 || counter_init(&test.counter, CHRONOTICK_COUNTER_NONE) < 0) {
		printf("no loop or no counter\n");
		return 1;
	}
	test.scale.base = counter_read(&test.counter);
	test.scale.mult = test.counter.mult;
	context.loop = test.loop;
	for (i = 0; i < CASES; i++) {
		struct client *client = &clients[i];
		struct ntp_config config = {.minpoll = MINPOLL, .maxpoll = MINPOLL};

		client->test = &test;
		client->behaviour = &behaviours[i];
		client->server.test = &test;
		config.iburst = behaviours[i].iburst;
		config.server = behaviours[i].family == AF_INET6 ? "::1" : "127.0.0.1";
		if (behaviours[i].host)
			config.server = behaviours[i].host;
		r = server_open(&client->server, behaviours[i].family, behaviours[i].answer != NULL,
				&config.port);
		if (r == 0)
			r = ntp_new(&client->ntp, &context, i, &config);
		if (r < 0) {
			printf("%s: %s\n", behaviours[i].name, strerror(-r));
			return r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL ? SKIPPED : 1;
		}
		test.count++;
	}
	test.tick.fire = tick;
	test.tick.data = &test;
	test.limit_ns = loop_now_ns() + LIMIT_NS;
	if (loop_timer_set(test.loop, &test.tick, loop_now_ns()) < 0 ||
	    loop_run(test.loop, &test.stop) < 0)
		return 1;
	for (i = 0; i < CASES; i++) {
		check_client(&clients[i]);
		/* The refusal is heard: nobody waits for an answer that will not come. */
		if (!behaviours[i].answer)
			check(&clients[i], requests_of(&clients[i]) > 3 * silent_requests(&test),
			      "as slow as a server that is silent");
	}
	for (i = 0; i < CASES; i++) {
		ntp_free(clients[i].ntp);
		loop_timer_cancel(test.loop, &clients[i].server.later);
		if (clients[i].server.fd >= 0)
			close(clients[i].server.fd);
	}
	loop_free(test.loop);
	return test.failures ? 1 : 0;
}
