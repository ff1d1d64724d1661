/* SPDX-License-Identifier: MIT */
#include "ntp-rig.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "chronotick_page.h"
#include "timestamping/counter.h"
#include "timestamping/cross.h"

#define MINPOLL (-3)
#define INTERVAL_NS (125 * MS)

/* If the cases have not ended by then, the test has failed. */
#define LIMIT_NS (90 * S)

#define SKIPPED 77
#define CASES_MAX 64

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
	const struct behaviour *behaviours;
	struct client *clients;
	unsigned int count;
	unsigned int failures;
	struct loop_timer tick;
	int64_t limit_ns;
	int64_t ended_ns;
	volatile int stop;
};

int64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * S + now.tv_nsec;
}

void send_bytes(struct server *server, int fd, const void *data, size_t size)
{
	(void)sendto(fd, data, size, 0, (const struct sockaddr *)&server->client,
		     server->client_size);
}

void send_packet(struct server *server, const struct ntp_packet *packet)
{
	uint8_t bytes[NTP_PACKET_SIZE];

	ntp_packet_write(packet, bytes);
	send_bytes(server, server->fd, bytes, sizeof(bytes));
	server->last = *packet;
}

static void later(void *data)
{
	struct server *server = data;

	send_packet(server, &server->delayed);
}

void send_later(struct server *server, const struct ntp_packet *packet, int64_t after_ns)
{
	server->delayed = *packet;
	server->later.fire = later;
	server->later.data = server;
	(void)loop_timer_set(server->test->loop, &server->later, loop_now_ns() + after_ns);
}

/* The truth: a stratum 1 server on this host's clock */
struct ntp_packet honest(struct server *server)
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

void answer_honest(struct server *server)
{
	struct ntp_packet packet = honest(server);

	send_packet(server, &packet);
}

void kiss(struct server *server, const char *code)
{
	struct ntp_packet packet = honest(server);

	packet.leap = NTP_LEAP_UNKNOWN;
	packet.stratum = 0;
	packet.reference_id = (uint32_t)code[0] << 24 | (uint32_t)code[1] << 16 |
			      (uint32_t)code[2] << 8 | (uint32_t)code[3];
	send_packet(server, &packet);
}

static const struct behaviour *behaviour_of(const struct server *server)
{
	unsigned int i = 0;

	while (server != &server->test->clients[i].server)
		i++;
	return &server->test->behaviours[i];
}

/*
 * Nothing but version, mode, random numbers, and perhaps a time of the server's own: the request
 * tells nothing. Where there is a key, there is a MAC.
 */
static void check_request(struct server *server, const uint8_t *bytes, size_t size)
{
	const struct behaviour *behaviour = behaviour_of(server);
	uint64_t asked;
	unsigned int i;

	for (i = 1; i < (behaviour->xleave ? 24 : 40); i++) {
		if (i != 3 && bytes[i])
			break;
	}
	memcpy(&asked, bytes + 24, sizeof(asked));
	asked = be64toh(asked);
	if (i >= 24 && bytes[0] == (NTP_VERSION << 3 | NTP_MODE_CLIENT) &&
	    (!behaviour->xleave || !asked || asked == server->last.receive) &&
	    (behaviour->key ? ntp_mac_check(behaviour->key, bytes, size) : size == NTP_PACKET_SIZE))
		return;
	printf("FAIL: %s: a request of %zu bytes that tells something, or has no MAC\n",
	       behaviour->name, size);
	server->test->failures++;
}

/* A request has come. */
static void serve(void *data, int fd, short events)
{
	struct server *server = data;
	uint8_t bytes[NTP_PACKET_SIZE + NTP_MAC_SIZE_MAX + 1];
	ssize_t size;

	(void)events;
	server->client_size = sizeof(server->client);
	size = recvfrom(fd, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&server->client,
			&server->client_size);
	server->receive_ns = realtime_ns();
	if (size < NTP_PACKET_SIZE)
		return;
	check_request(server, bytes, (size_t)size);
	memcpy(&server->origin, bytes + 40, sizeof(server->origin));
	server->origin = be64toh(server->origin);
	memcpy(&server->origin_asked, bytes + 24, sizeof(server->origin_asked));
	server->origin_asked = be64toh(server->origin_asked);
	memcpy(&server->origin_interleaved, bytes + 32, sizeof(server->origin_interleaved));
	server->origin_interleaved = be64toh(server->origin_interleaved);
	if (server->origin_asked && server->unanswered) {
		printf("FAIL: a request that wants an interleaved answer after a loss\n");
		server->test->failures++;
	}
	if (server->requests < 8)
		server->first_ns[server->requests] = loop_now_ns();
	server->requests++;
	behaviour_of(server)->answer(server);
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
		if (requests_of(&test->clients[i]) < test->behaviours[i].requests)
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
	/* Of the first interleaved answers no stamp is missed. */
	check(client,
	      client->test->stamping->missing
		      ? statistics.stamps_missing >= statistics.accepted &&
				statistics.stamps_missing +
						(behaviour->xleave ? statistics.dropped : 0) >=
					statistics.accepted + statistics.dropped
		      : statistics.stamps_missing == 0,
	      "%" PRIu64 " stamps missing", statistics.stamps_missing);
	check(client,
	      statistics.interleaved >= behaviour->interleaved &&
		      (behaviour->interleaved || !statistics.interleaved),
	      "%" PRIu64 " interleaved answers", statistics.interleaved);
	if (behaviour->verdict != NTP_GOOD)
		check(client, statistics.rejects[behaviour->verdict] == statistics.rejected,
		      "%" PRIu64 " rejected as %s", statistics.rejects[behaviour->verdict],
		      ntp_verdict_name(behaviour->verdict));
	if (behaviour->losable)
		check(client, client->samples + 1 + behaviour->losable >= requests,
		      "too few samples");
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
	if (!behaviour->xleave)
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
	if (behaviour->stops) {
		check(client, requests == 1, "asked again");
		ntp_online(client->ntp, false);
		ntp_online(client->ntp, true);
		check(client, client->losses == 2 && client->lost == behaviour->lost,
		      "back online, not told that it is denied");
	}
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

	for (i = 0; i < test->count; i++) {
		if (test->behaviours[i].silent)
			return requests_of(&test->clients[i]);
	}
	return UINT32_MAX / 4;
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

int rig_run(const struct behaviour *behaviours, unsigned int count, int argc, char **argv)
{
	struct test test = {.failures = 0};
	const struct source_events events = {.data = &test, .sample = on_sample, .lost = on_lost};
	struct source_context context = {
		.counter = &test.counter, .scale = &test.scale, .events = &events};
	static struct client clients[CASES_MAX];
	unsigned int i;
	int r;

	for (i = 0; i < sizeof(stampings) / sizeof(stampings[0]); i++) {
		if (!strcmp(argc > 1 ? argv[1] : "stamps", stampings[i].name))
			test.stamping = &stampings[i];
	}
	if (!test.stamping) {
		printf("usage: PROGRAM [stamps | no-stamps | lost-stamps]\n");
		return 2;
	}
	if (filter_install(test.stamping) < 0) {
		printf("no seccomp filter can be had\n");
		return SKIPPED;
	}
	srand48(1);
	test.behaviours = behaviours;
	test.clients = clients;
	if (loop_new(&test.loop) < 0 || counter_init(&test.counter, CHRONOTICK_COUNTER_NONE) < 0) {
		printf("no loop or no counter\n");
		return 1;
	}
	test.scale.base = counter_read(&test.counter);
	test.scale.mult = test.counter.mult;
	context.loop = test.loop;
	for (i = 0; i < count; i++) {
		struct client *client = &clients[i];
		struct ntp_config config = {.minpoll = MINPOLL, .maxpoll = MINPOLL};

		client->test = &test;
		client->behaviour = &behaviours[i];
		client->server.test = &test;
		config.iburst = behaviours[i].iburst;
		config.samples = behaviours[i].a_poll;
		config.xleave = behaviours[i].xleave;
		if (behaviours[i].key)
			config.key = *behaviours[i].key;
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
	for (i = 0; i < count; i++) {
		check_client(&clients[i]);
		/* The refusal is heard: nobody waits for an answer that will not come. */
		if (!behaviours[i].answer)
			check(&clients[i], requests_of(&clients[i]) > 3 * silent_requests(&test),
			      "as slow as a server that is silent");
	}
	for (i = 0; i < count; i++) {
		ntp_free(clients[i].ntp);
		loop_timer_cancel(test.loop, &clients[i].server.later);
		if (clients[i].server.fd >= 0)
			close(clients[i].server.fd);
	}
	loop_free(test.loop);
	return test.failures ? 1 : 0;
}
