/* SPDX-License-Identifier: MIT */
/*
 * The NTP client against servers that lie, repeat themselves, babble or keep silent.
 *
 * usage: ntp-hostile [no-stamps | lost-stamps], see ntp-rig.h
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "chronotick_page.h"
#include "ntp-rig.h"

static void answer_with_mac(struct server *server)
{
	struct ntp_packet packet = honest(server);
	uint8_t bytes[NTP_PACKET_SIZE + 28] = {0};

	ntp_packet_write(&packet, bytes);
	send_bytes(server, server->fd, bytes, sizeof(bytes));
}

/* The way back takes 300 ms longer than the way there. */
static void answer_late(struct server *server)
{
	struct ntp_packet packet = honest(server);

	send_later(server, &packet, 300 * MS);
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
	{"never", AF_INET, answer_never, 3, NONE, NO_LOSS, .deaf = true, .silent = true},
	{"port closed", AF_INET, NULL, 12, NONE, NO_LOSS, .deaf = true},
	{"port closed, IPv6", AF_INET6, NULL, 12, NONE, NO_LOSS, .deaf = true},
	/* Where the name has ::1 too, that comes first, and nobody listens there. */
	{"burst", AF_INET, answer_honest, 8, SOME, NO_LOSS, .iburst = true},
	{"four a poll", AF_INET, answer_honest, 12, EVERY, NO_LOSS, .a_poll = 4},
	{"by name", AF_INET, answer_honest, 8, EVERY, NO_LOSS, .host = "localhost"},
	{"falls silent", AF_INET, answer_then_fall_silent, 12, SOME, CHRONOTICK_SOURCE_UNREACHABLE},
};

int main(int argc, char **argv)
{
	return rig_run(behaviours, sizeof(behaviours) / sizeof(behaviours[0]), argc, argv);
}
