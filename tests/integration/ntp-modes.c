/* SPDX-License-Identifier: MIT */
/*
 * The NTP client in interleaved mode, with symmetric keys, and in a loop, against servers that do it
 * well and servers that do not.
 *
 * usage: ntp-modes [no-stamps | lost-stamps], see ntp-rig.h
 */
#include <stdlib.h>
#include <string.h>

#include "chronotick_page.h"
#include "ntp-rig.h"
#include "sources/ntp_auth.h"
#include "sources/ntp_local.h"

/* ---- Interleaved ---- */

/* A basic answer, or an interleaved one if it is asked for; both of the truth */
static struct ntp_packet in_mode(struct server *server)
{
	struct ntp_packet packet = honest(server);

	if (server->kept_receive && server->origin_asked == server->kept_receive) {
		packet.origin = server->origin_interleaved;
		packet.transmit = server->kept_transmit;
	}
	return packet;
}

static void send_and_keep(struct server *server, const struct ntp_packet *packet)
{
	/* It leaves after that: a time of after it would be false by what a busy host puts between. */
	server->kept_transmit = ntp_time_from_ns(realtime_ns());
	send_packet(server, packet);
	server->kept_receive = packet->receive;
	server->unanswered = false;
}

static void answer_interleaved(struct server *server)
{
	struct ntp_packet packet = in_mode(server);

	send_and_keep(server, &packet);
}

static bool is_interleaved(const struct server *server, const struct ntp_packet *packet)
{
	return packet->origin == server->origin_interleaved && packet->origin;
}

/* Each fourth request gets nothing. */
static void answer_with_losses(struct server *server)
{
	if (server->requests % 4 == 0)
		server->unanswered = true;
	else
		answer_interleaved(server);
}

/* It has forgotten what it kept, each fourth time. */
static void answer_forgetful(struct server *server)
{
	if (server->requests % 4 == 0)
		server->kept_receive = 0;
	answer_interleaved(server);
}

/* Each answer twice, and the one before once more */
static void answer_again(struct server *server)
{
	struct ntp_packet before = server->last, packet = in_mode(server);

	send_packet(server, &before);
	send_packet(server, &packet);
	send_and_keep(server, &packet);
}

/* The transmit time of the exchange before the one that it should be of */
static void answer_with_older_time(struct server *server)
{
	struct ntp_packet packet = in_mode(server);
	uint64_t older = server->delayed.transmit;

	server->delayed.transmit = server->kept_transmit;
	if (is_interleaved(server, &packet) && older)
		packet.transmit = older;
	send_and_keep(server, &packet);
}

/* A transmit time of after the request that it answers, as only a basic answer has */
static void answer_with_newer_time(struct server *server)
{
	struct ntp_packet packet = in_mode(server);

	if (is_interleaved(server, &packet))
		packet.transmit = packet.receive + 1;
	send_and_keep(server, &packet);
}

/* The server's own time back as the origin, and none: neither is a number of the request's. */
static void answer_with_public_origin(struct server *server)
{
	struct ntp_packet packet = honest(server);

	packet.origin = server->origin_asked;
	send_packet(server, &packet);
	packet.origin = 0;
	send_packet(server, &packet);
	answer_honest(server);
}

/* Somebody else's kisses, with origins that can be guessed */
static void answer_among_kisses(struct server *server)
{
	static const char *const codes[] = {"DENY", "RSTR", "RATE", "INIT"};
	uint64_t origin = server->origin;
	struct ntp_packet last = server->last;
	unsigned int i;

	server->origin = server->origin_asked;
	for (i = 0; i < 4; i++)
		kiss(server, codes[i]);
	server->origin = origin;
	server->last = last;
	answer_interleaved(server);
}

/* ---- Keys ---- */

static struct ntp_key key_sha256 = {.id = 7, .size = 6, .bytes = "secret"};
static struct ntp_key key_aes = {.id = 4294967295, .size = 16, .bytes = "sixteen letters!"};

static void send_with_mac(struct server *server, const struct ntp_packet *packet,
			  const struct ntp_key *key)
{
	uint8_t bytes[NTP_PACKET_SIZE + NTP_MAC_SIZE_MAX];

	ntp_packet_write(packet, bytes);
	send_bytes(server, server->fd, bytes,
		   NTP_PACKET_SIZE + ntp_mac_write(key, bytes, bytes + NTP_PACKET_SIZE));
	server->last = *packet;
}

static void answer_sha256(struct server *server)
{
	struct ntp_packet packet = honest(server);

	send_with_mac(server, &packet, &key_sha256);
}

static void answer_aes_interleaved(struct server *server)
{
	struct ntp_packet packet = in_mode(server);

	server->kept_transmit = ntp_time_from_ns(realtime_ns());
	send_with_mac(server, &packet, &key_aes);
	server->kept_receive = packet.receive;
}

static void answer_wrong_key(struct server *server)
{
	struct ntp_packet packet = honest(server);
	struct ntp_key wrong = key_sha256;

	wrong.bytes[0] ^= 1;
	send_with_mac(server, &packet, &wrong);
	wrong = key_sha256;
	wrong.id++;
	send_with_mac(server, &packet, &wrong);
}

/* A crypto-NAK: a key ID of 0 alone */
static void send_crypto_nak(struct server *server)
{
	struct ntp_packet packet = honest(server);
	uint8_t bytes[NTP_PACKET_SIZE + 4] = {0};

	ntp_packet_write(&packet, bytes);
	send_bytes(server, server->fd, bytes, sizeof(bytes));
}

/* Whoever sees the request, but has no key, says all that could do harm; then comes the truth. */
static void answer_among_forgeries(struct server *server)
{
	struct ntp_packet packet = honest(server);

	kiss(server, "DENY");
	kiss(server, "RATE");
	send_crypto_nak(server);
	packet.leap = NTP_LEAP_UNKNOWN;
	send_packet(server, &packet);
	packet = honest(server);
	packet.receive += 3600ULL << 32;
	packet.transmit += 3600ULL << 32;
	send_packet(server, &packet);
	answer_sha256(server);
}

static void answer_authentic_deny(struct server *server)
{
	struct ntp_packet packet = honest(server);

	packet.leap = NTP_LEAP_UNKNOWN;
	packet.stratum = 0;
	packet.reference_id = 0x44454e59;
	send_with_mac(server, &packet, &key_sha256);
}

/* ---- Loops ---- */

static uint32_t own_reference;

/* A server that gets its time from an address of this host's */
static void answer_from_here(struct server *server)
{
	struct ntp_packet packet = honest(server);

	packet.stratum = 2;
	packet.reference_id = own_reference;
	send_packet(server, &packet);
}

/* At stratum 1 the reference ID is a name that may look like it. */
static void answer_stratum_1(struct server *server)
{
	struct ntp_packet packet = honest(server);

	packet.reference_id = own_reference;
	send_packet(server, &packet);
}

static struct behaviour behaviours[] = {
	{"interleaved", AF_INET, answer_interleaved, 16, SOME, NO_LOSS, .xleave = true,
	 .interleaved = 14, .losable = 4},
	{"interleaved, IPv6", AF_INET6, answer_interleaved, 16, SOME, NO_LOSS, .xleave = true,
	 .interleaved = 14, .losable = 4},
	{"does not know it", AF_INET, answer_honest, 16, EVERY, NO_LOSS, .xleave = true},
	{"not asked for", AF_INET, answer_interleaved, 16, EVERY, NO_LOSS},
	{"losses", AF_INET, answer_with_losses, 12, SOME, NO_LOSS, .xleave = true,
	 .interleaved = 4},
	{"forgetful", AF_INET, answer_forgetful, 16, SOME, NO_LOSS, .xleave = true,
	 .interleaved = 8},
	{"duplicates and replays", AF_INET, answer_again, 16, SOME, NO_LOSS, .xleave = true,
	 .interleaved = 14, .losable = 4, .rejects = 2},
	{"older transmit time", AF_INET, answer_with_older_time, 16, SOME, NO_LOSS, .xleave = true,
	 .interleaved = 6},
	{"newer transmit time", AF_INET, answer_with_newer_time, 6, SOME, NO_LOSS, .xleave = true,
	 .verdict = NTP_INVALID},
	{"guessable origins", AF_INET, answer_with_public_origin, 16, EVERY, NO_LOSS,
	 .xleave = true, .rejects = 2},
	{"guessed kisses", AF_INET, answer_among_kisses, 16, SOME, NO_LOSS, .xleave = true,
	 .interleaved = 14, .losable = 4, .rejects = 4, .verdict = NTP_BOGUS},
	{"SHA256", AF_INET, answer_sha256, 16, EVERY, NO_LOSS, .key = &key_sha256},
	{"AES-CMAC, interleaved", AF_INET, answer_aes_interleaved, 16, SOME, NO_LOSS,
	 .key = &key_aes, .xleave = true, .interleaved = 14, .losable = 4},
	{"wrong key", AF_INET, answer_wrong_key, 3, NONE, NO_LOSS, .key = &key_sha256, .rejects = 2,
	 .verdict = NTP_UNAUTHENTIC},
	{"no key", AF_INET, answer_honest, 3, NONE, NO_LOSS, .key = &key_sha256, .rejects = 1,
	 .verdict = NTP_UNAUTHENTIC},
	{"crypto-NAK", AF_INET, send_crypto_nak, 3, NONE, NO_LOSS, .key = &key_sha256, .rejects = 1,
	 .verdict = NTP_UNAUTHENTIC},
	{"forgeries without a key", AF_INET, answer_among_forgeries, 16, EVERY, NO_LOSS,
	 .key = &key_sha256, .rejects = 5, .verdict = NTP_UNAUTHENTIC},
	{"authentic DENY", AF_INET, answer_authentic_deny, 1, NONE, CHRONOTICK_SOURCE_DENIED,
	 .key = &key_sha256, .rejects = 1, .stops = true, .verdict = NTP_KISS_DENY},
	{"own name at stratum 1", AF_INET, answer_stratum_1, 8, EVERY, NO_LOSS},
	/* The last: it can be tried only on a host that has an address. */
	{"loop", AF_INET, answer_from_here, 8, NONE, CHRONOTICK_SOURCE_LOOP, .rejects = 1,
	 .verdict = NTP_LOOP},
};

int main(int argc, char **argv)
{
	unsigned int count = sizeof(behaviours) / sizeof(behaviours[0]);
	struct ntp_local local = {.count = 0};

	key_sha256.type = (uint8_t)ntp_key_type("SHA256");
	key_aes.type = (uint8_t)ntp_key_type("AES128");
	if (ntp_local_read(&local) < 0 || !local.count)
		count--;
	else
		own_reference = ntp_local_reference((const struct sockaddr *)&local.addresses[0]);
	return rig_run(behaviours, count, argc, argv);
}
