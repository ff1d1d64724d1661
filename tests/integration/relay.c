/* SPDX-License-Identifier: MIT */
/*
 * A bad path between NTP clients and a server:
 *
 *	client --> LISTEN:123 [relay] --> SERVER:123
 *	       <--                    <--
 *
 * Everything that it sends to a client comes from the address that the client asks, so a client's
 * only defence is what is in the packets. Faults, each with a number behind '=':
 *
 *	drop, duplicate       percent of the packets, either way
 *	delay-us              each packet is held back by up to that
 *	replay                percent of the answers: an old one goes first
 *	spoof                 percent of the requests: an answer of another origin, an hour off, by
 *	                      somebody who has not seen the request
 *	forge                 percent of the requests: kisses, a crypto-NAK and an answer an hour off
 *	                      with the right origin, by somebody who has seen it but has no key
 *	flood                 kisses a second of another origin to the port that asked last
 *
 * Ends at SIGTERM, and then tells how many of each it did.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NTP_PORT 123
#define HEADER 48
#define PACKET_MAX 512
#define QUEUE 512
#define CLIENTS 64
#define OLD 64
#define HOUR 3600
#define TICK_MS 2

/* Offsets in a header */
enum { STRATUM = 1, REFERENCE_ID = 12, ORIGIN = 24, RECEIVE = 32, TRANSMIT = 40 };

enum fault { DROP, DUPLICATE, DELAY, REPLAY, SPOOF, FORGE, FLOOD, FAULTS };

static const char *const names[FAULTS] = {"drop",  "duplicate", "delay-us", "replay",
					  "spoof", "forge",     "flood"};

struct packet {
	uint8_t bytes[PACKET_MAX];
	size_t size;
};

/* On its way: to the server, or to a client */
struct held {
	struct packet packet;
	struct sockaddr_in to;
	int fd;
	int64_t due_ns; /* 0: the slot is free */
};

/* Who sent a request, and the origins by which its answer is known */
struct client {
	struct sockaddr_in address;
	uint8_t transmit[8], receive[8];
};

struct relay {
	long faults[FAULTS], done[FAULTS];
	long requests, answers;
	int listener, server;
	struct sockaddr_in server_address;
	struct held queue[QUEUE];
	struct client clients[CLIENTS];
	unsigned int asked; /* so many requests: the newest client is the last of them */
	struct packet old[OLD];
	unsigned int old_count;
	int64_t flood_ns; /* up to when it was sent */
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

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Does this fault happen now? */
static bool happens(struct relay *relay, enum fault fault)
{
	bool yes = rand() % 100 < relay->faults[fault];

	relay->done[fault] += yes;
	return yes;
}

static void hold(struct relay *relay, int fd, const struct sockaddr_in *to,
		 const struct packet *packet)
{
	int64_t delay_ns = 0;
	unsigned int i;

	if (relay->faults[DELAY]) {
		delay_ns = rand() % relay->faults[DELAY] * 1000;
		relay->done[DELAY]++;
	}
	for (i = 0; i < QUEUE && relay->queue[i].due_ns; i++)
		;
	if (i < QUEUE)
		relay->queue[i] = (struct held){*packet, *to, fd, now_ns() + delay_ns};
}

static void pass(struct relay *relay, int fd, const struct sockaddr_in *to,
		 const struct packet *packet)
{
	if (happens(relay, DROP))
		return;
	hold(relay, fd, to, packet);
	if (happens(relay, DUPLICATE))
		hold(relay, fd, to, packet);
}

static void send_now(struct relay *relay, const struct sockaddr_in *to, const struct packet *packet)
{
	(void)sendto(relay->listener, packet->bytes, packet->size, 0, (const struct sockaddr *)to,
		     sizeof(*to));
}

/* An answer of this host's time and an hour */
static struct packet lie(const uint8_t origin[8])
{
	struct packet packet = {.bytes = {4 << 3 | 4, 1, 0, 0xe8}, .size = HEADER};
	struct timespec now;
	uint32_t seconds;

	clock_gettime(CLOCK_REALTIME, &now);
	seconds = htonl((uint32_t)now.tv_sec + 2208988800U + HOUR);
	memcpy(packet.bytes + ORIGIN, origin, 8);
	memcpy(packet.bytes + RECEIVE, &seconds, 4);
	memcpy(packet.bytes + TRANSMIT, &seconds, 4);
	packet.bytes[TRANSMIT + 7] = (uint8_t)rand();
	return packet;
}

static struct packet kiss(const uint8_t origin[8], const char *code)
{
	struct packet packet = lie(origin);

	packet.bytes[0] |= 3 << 6;
	packet.bytes[STRATUM] = 0;
	memcpy(packet.bytes + REFERENCE_ID, code, 4);
	return packet;
}

static const char *const codes[] = {"DENY", "RSTR", "RATE", "INIT"};
#define CODES (sizeof(codes) / sizeof(codes[0]))

static void forge(struct relay *relay, const struct sockaddr_in *to, const uint8_t origin[8])
{
	struct packet packet = lie(origin);
	unsigned int i;

	send_now(relay, to, &packet);
	packet.size = HEADER + 24; /* with a MAC of zeros */
	send_now(relay, to, &packet);
	packet.size = HEADER + 4; /* a crypto-NAK */
	send_now(relay, to, &packet);
	for (i = 0; i < CODES; i++) {
		packet = kiss(origin, codes[i]);
		send_now(relay, to, &packet);
	}
}

static void from_client(struct relay *relay)
{
	struct client *client = &relay->clients[relay->asked % CLIENTS];
	socklen_t size = sizeof(client->address);
	struct packet packet, other;
	uint8_t origin[8];
	ssize_t got;

	got = recvfrom(relay->listener, packet.bytes, sizeof(packet.bytes), MSG_DONTWAIT,
		       (struct sockaddr *)&client->address, &size);
	if (got < HEADER)
		return;
	packet.size = (size_t)got;
	memcpy(client->transmit, packet.bytes + TRANSMIT, 8);
	memcpy(client->receive, packet.bytes + RECEIVE, 8);
	relay->asked++;
	relay->requests++;
	if (happens(relay, SPOOF)) {
		memcpy(origin, client->transmit, 8);
		origin[7] ^= 1;
		other = lie(origin);
		send_now(relay, &client->address, &other);
		memset(origin, 0, 8);
		other = lie(origin);
		send_now(relay, &client->address, &other);
	}
	if (happens(relay, FORGE))
		forge(relay, &client->address, client->transmit);
	pass(relay, relay->server, &relay->server_address, &packet);
}

static const struct client *client_of(const struct relay *relay, const struct packet *answer)
{
	static const uint8_t none[8];
	unsigned int i;

	for (i = 0; i < CLIENTS; i++) {
		const struct client *client = &relay->clients[i];

		if (!memcmp(client->transmit, answer->bytes + ORIGIN, 8) ||
		    (memcmp(client->receive, none, 8) &&
		     !memcmp(client->receive, answer->bytes + ORIGIN, 8)))
			return client;
	}
	return NULL;
}

static void from_server(struct relay *relay)
{
	const struct client *client;
	struct packet packet;
	ssize_t got;

	got = recv(relay->server, packet.bytes, sizeof(packet.bytes), MSG_DONTWAIT);
	if (got < HEADER)
		return;
	packet.size = (size_t)got;
	client = client_of(relay, &packet);
	if (!client)
		return;
	relay->answers++;
	if (relay->old_count && happens(relay, REPLAY))
		send_now(relay, &client->address,
			 &relay->old[(unsigned int)rand() %
				     (relay->old_count < OLD ? relay->old_count : OLD)]);
	relay->old[relay->old_count++ % OLD] = packet;
	pass(relay, relay->listener, &client->address, &packet);
}

static void send_due(struct relay *relay)
{
	int64_t now = now_ns();
	unsigned int i;

	for (i = 0; i < QUEUE; i++) {
		struct held *held = &relay->queue[i];

		if (!held->due_ns || held->due_ns > now)
			continue;
		(void)sendto(held->fd, held->packet.bytes, held->packet.size, 0,
			     (const struct sockaddr *)&held->to, sizeof(held->to));
		held->due_ns = 0;
	}
}

static void flood(struct relay *relay)
{
	int64_t now = now_ns(), each_ns;
	uint8_t origin[8];

	if (!relay->faults[FLOOD] || !relay->asked)
		return;
	each_ns = 1000000000 / relay->faults[FLOOD];
	if (now - relay->flood_ns > 100000000)
		relay->flood_ns = now;
	for (; relay->flood_ns < now; relay->flood_ns += each_ns) {
		struct packet packet;
		unsigned int i;

		for (i = 0; i < 8; i++)
			origin[i] = (uint8_t)rand();
		packet = kiss(origin, codes[relay->done[FLOOD]++ % (long)CODES]);
		send_now(relay, &relay->clients[(relay->asked - 1) % CLIENTS].address, &packet);
	}
}

static void run(struct relay *relay)
{
	struct pollfd fds[2] = {{relay->listener, POLLIN, 0}, {relay->server, POLLIN, 0}};
	unsigned int i;

	while (!ended) {
		(void)poll(fds, 2, TICK_MS);
		for (i = 0; i < 2; i++) {
			if (!(fds[i].revents & POLLIN))
				continue;
			if (i == 0)
				from_client(relay);
			else
				from_server(relay);
		}
		send_due(relay);
		flood(relay);
	}
}

static int socket_at(const char *address)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(NTP_PORT)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (address && inet_pton(AF_INET, address, &in.sin_addr) != 1)
		return -1;
	if (fd < 0 || (address && bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0))
		return -1;
	return fd;
}

static bool fault_read(struct relay *relay, const char *text)
{
	const char *value = strchr(text, '=');
	unsigned int i;

	for (i = 0; value && i < FAULTS; i++) {
		if (strlen(names[i]) != (size_t)(value - text) ||
		    strncmp(names[i], text, strlen(names[i])))
			continue;
		relay->faults[i] = atol(value + 1);
		return relay->faults[i] > 0;
	}
	return false;
}

int main(int argc, char **argv)
{
	static struct relay relay;
	struct sigaction action = {.sa_handler = on_signal};
	int i;

	srand(1);
	sigaction(SIGTERM, &action, NULL);
	for (i = 3; i < argc && fault_read(&relay, argv[i]); i++)
		;
	relay.server_address.sin_family = AF_INET;
	relay.server_address.sin_port = htons(NTP_PORT);
	if (argc < 3 || i < argc ||
	    inet_pton(AF_INET, argv[2], &relay.server_address.sin_addr) != 1) {
		fprintf(stderr, "usage: relay LISTEN SERVER [FAULT=NUMBER...]\n");
		return 2;
	}
	relay.listener = socket_at(argv[1]);
	relay.server = socket_at(NULL);
	if (relay.listener < 0 || relay.server < 0) {
		perror("relay");
		return 1;
	}
	run(&relay);
	printf("%s: %ld requests, %ld answers", argv[1], relay.requests, relay.answers);
	for (i = 0; i < FAULTS; i++)
		printf(", %s %ld", names[i], relay.done[i]);
	putchar('\n');
	return 0;
}
