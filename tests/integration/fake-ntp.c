/* SPDX-License-Identifier: MIT */
/*
 * An NTP server that misbehaves in one way, or in none: fake-ntp ADDRESS KIND. Answers every packet that comes
 * to port 123 of the address until it is killed. Where a kind says no other, the answer is a good
 * one of stratum 1 from this host's CLOCK_REALTIME.
 */
#include <arpa/inet.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NTP_PORT 123
#define NTP_SIZE 48
#define NTP_EPOCH 2208988800U /* 1970 in seconds since 1900 */

/* RFC 5905 figure 8, in network byte order */
struct packet {
	uint8_t li_vn_mode, stratum;
	int8_t poll, precision;
	uint32_t root_delay, root_dispersion;
	char reference_id[4];
	uint32_t reference[2], origin[2], receive[2], transmit[2];
};
_Static_assert(sizeof(struct packet) == NTP_SIZE, "the packet has no padding");

/* Spoil the answer. Returns its length. `data` has room for 1024 bytes. */
typedef size_t (*spoil_fn)(struct packet *packet, uint8_t *data);

static size_t spoil_nothing(struct packet *packet, uint8_t *data)
{
	(void)packet;
	(void)data;
	return NTP_SIZE;
}

static size_t spoil_garbage(struct packet *packet, uint8_t *data)
{
	size_t i, size = (size_t)(rand() % 1024);

	(void)packet;
	for (i = 0; i < size; i++)
		data[i] = (uint8_t)rand();
	return size;
}

static size_t kiss(struct packet *packet, const char *code)
{
	packet->li_vn_mode |= 3 << 6;
	packet->stratum = 0;
	memcpy(packet->reference_id, code, 4);
	return NTP_SIZE;
}

static size_t spoil_deny(struct packet *packet, uint8_t *data)
{
	(void)data;
	return kiss(packet, "DENY");
}

static size_t spoil_rate(struct packet *packet, uint8_t *data)
{
	(void)data;
	return kiss(packet, "RATE");
}

static size_t spoil_unsynchronized(struct packet *packet, uint8_t *data)
{
	(void)data;
	packet->li_vn_mode |= 3 << 6;
	return NTP_SIZE;
}

static size_t spoil_short(struct packet *packet, uint8_t *data)
{
	(void)packet;
	(void)data;
	return NTP_SIZE - 1;
}

/* An answer that anybody could send who has not seen the request, with a time an hour off */
static size_t spoil_origin(struct packet *packet, uint8_t *data)
{
	(void)data;
	packet->origin[1] ^= 1;
	packet->receive[0] = htonl(ntohl(packet->receive[0]) + 3600);
	packet->transmit[0] = htonl(ntohl(packet->transmit[0]) + 3600);
	return NTP_SIZE;
}

/* Stamped in time, sent 5 ms later: the client's offset is wrong by 2.5 ms, half the delay. */
static size_t spoil_late(struct packet *packet, uint8_t *data)
{
	(void)packet;
	(void)data;
	usleep(5000);
	return NTP_SIZE;
}

/* An NTP timestamp, moved by ns */
static void move(uint32_t timestamp[2], double ns)
{
	uint64_t value = (uint64_t)ntohl(timestamp[0]) << 32 | ntohl(timestamp[1]);

	value += (uint64_t)(int64_t)(ns * 1e-9 * 0x1p32);
	timestamp[0] = htonl((uint32_t)(value >> 32));
	timestamp[1] = htonl((uint32_t)value);
}

/* A sine of 50 us in 8 s of CLOCK_MONOTONIC_RAW, and it says that it knows no better than 122 us. */
static size_t spoil_sways(struct packet *packet, uint8_t *data)
{
	struct timespec ts;
	double sway_ns;

	(void)data;
	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	sway_ns = 50000 * sin(2 * M_PI * ((double)(ts.tv_sec % 8) + (double)ts.tv_nsec * 1e-9) / 8);
	packet->precision = -13;
	move(packet->reference, sway_ns);
	move(packet->receive, sway_ns);
	move(packet->transmit, sway_ns);
	return NTP_SIZE;
}

static const struct {
	const char *name;
	spoil_fn spoil;
} kinds[] = {
	{"garbage", spoil_garbage}, {"deny", spoil_deny},
	{"rate", spoil_rate},       {"unsynchronized", spoil_unsynchronized},
	{"short", spoil_short},     {"origin", spoil_origin},
	{"late", spoil_late},       {"sways", spoil_sways},
	{"good", spoil_nothing},
};

static void now(uint32_t ret[2])
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ret[0] = htonl((uint32_t)ts.tv_sec + NTP_EPOCH);
	ret[1] = htonl((uint32_t)(((uint64_t)ts.tv_nsec << 32) / 1000000000U));
}

static _Noreturn void serve(int fd, spoil_fn spoil)
{
	union {
		struct packet packet;
		uint8_t data[1024];
	} buffer;
	struct sockaddr_storage from;
	uint32_t origin[2];
	uint8_t version;

	for (;;) {
		socklen_t from_size = sizeof(from);
		ssize_t size = recvfrom(fd, &buffer, sizeof(buffer), 0, (struct sockaddr *)&from,
					&from_size);
		size_t answer;

		if (size < NTP_SIZE)
			continue;
		version = buffer.packet.li_vn_mode & 0x38;
		memcpy(origin, buffer.packet.transmit, sizeof(origin));
		memset(&buffer.packet, 0, sizeof(buffer.packet));
		now(buffer.packet.receive);
		buffer.packet.li_vn_mode = version | 4;
		buffer.packet.stratum = 1;
		buffer.packet.precision = -20;
		memcpy(buffer.packet.reference_id, "LOCL", 4);
		memcpy(buffer.packet.origin, origin, sizeof(origin));
		memcpy(buffer.packet.reference, buffer.packet.receive, sizeof(origin));
		now(buffer.packet.transmit);
		answer = spoil(&buffer.packet, buffer.data);
		if (sendto(fd, &buffer, answer, 0, (struct sockaddr *)&from, from_size) < 0)
			perror("fake-ntp: sendto");
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(NTP_PORT)};
	size_t kind;
	int fd;

	for (kind = 0; argc == 3 && kind < sizeof(kinds) / sizeof(kinds[0]); kind++)
		if (strcmp(argv[2], kinds[kind].name) == 0)
			break;
	if (argc != 3 || kind == sizeof(kinds) / sizeof(kinds[0]) ||
	    inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
		fprintf(stderr, "usage: fake-ntp IPV4-ADDRESS KIND\nkinds:");
		for (kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++)
			fprintf(stderr, " %s", kinds[kind].name);
		fputc('\n', stderr);
		return 2;
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		perror("fake-ntp");
		return 1;
	}
	serve(fd, kinds[kind].spoil);
}
