/* SPDX-License-Identifier: MIT */
/*
 * A PTP master for tests that serves CLOCK_REALTIME by software stamps, or a NIC's clock by that NIC's,
 * and does what real ones do not:
 *
 *	fake-ptp INTERFACE TRANSPORT [OPTION[=VALUE]]...
 *
 *	domain=N priority1=N	as it says
 *	identity=N		the last octet of its clockIdentity
 *	offset-ns=N		its time is off by that
 *	one-step		no Follow_Up messages
 *	silent			Announce messages alone
 *	old			sequence numbers that do not grow
 *	key=N:TEXT spp=N	AUTHENTICATION TLVs with that key
 *	garbage			after each message, one with random bytes in it
 *	tai			the PTP timescale, 37 s beside UTC
 *	hardware		the interface's clock and stamps; not with one-step
 *
 * Transport: l2, udp4 or udp6. 8 Sync messages and 2 Announce messages a second, until it is killed.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sources/ptp_auth.h"
#include "sources/ptp_socket.h"
#include "timestamping/nic.h"

#define NS_PER_S 1000000000LL
#define TAI_NS (37 * NS_PER_S)
#define TAKEN_MAX 100 /* messages, by one that is behind its time */

static struct {
	uint8_t domain, priority1, identity;
	int64_t offset_ns;
	bool one_step, silent, old, garbage, tai, hardware;
	struct ptp_auth auth;
} options = {.priority1 = 128, .identity = 1};

static struct ptp_socket sockets;
static uint16_t sync_sequence, announce_sequence;

static int64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t time_of(int64_t clock_ns)
{
	return clock_ns + options.offset_ns + (options.tai ? TAI_NS : 0);
}

/* 0: of this kind there is none */
static int64_t stamped_ns(const struct stamp *stamp)
{
	return options.hardware ? stamp->hardware_ns : stamp->system_ns;
}

static struct ptp_message message_of(enum ptp_type type, uint16_t sequence)
{
	return (struct ptp_message){
		.type = type,
		.domain = options.domain,
		.source = {{2, 0, 0, 0xff, 0xfe, 0, 0, options.identity}, 1},
		.sequence = options.old ? 0 : sequence,
		.log_interval = type == PTP_ANNOUNCE ? -1 : -3,
	};
}

static int64_t message_send(const struct ptp_message *message)
{
	uint8_t data[PTP_OUT_MAX];
	size_t size = ptp_message_write(message, data), i;
	struct ptp_outgoing outgoing = {.data = data, .event = message->type < PTP_EVENT_TYPES};
	int64_t r;

	if (options.auth.key.id)
		size = ptp_auth_append(&options.auth, data, size);
	outgoing.size = size;
	r = ptp_socket_send(&sockets, &outgoing);
	if (options.garbage) {
		for (i = 0; i < 4; i++)
			data[(size_t)rand() % size] = (uint8_t)rand();
		outgoing.size = (size_t)rand() % size + 1;
		outgoing.event = false;
		(void)ptp_socket_send(&sockets, &outgoing);
	}
	return r;
}

static void announce(void)
{
	struct ptp_message message = message_of(PTP_ANNOUNCE, announce_sequence++);

	message.announce = (struct ptp_announce){
		.utc_offset_s = 37,
		.priority1 = options.priority1,
		.clock_class = 6,
		.accuracy = 0x20,
		.variance = 0x4e5d,
		.priority2 = 128,
		.time_source = 0x20,
	};
	memcpy(message.announce.grandmaster, message.source.clock, 8);
	if (options.tai)
		message.flags = PTP_FLAG_TIMESCALE | PTP_FLAG_UTC_VALID;
	(void)message_send(&message);
}

/* The stamp of a message that was just sent. Where none comes within 10 ms: the time now, or 0 if it
 * would be the NIC's. */
static int64_t sent_ns(int64_t id)
{
	struct pollfd poll_fd = {.fd = sockets.event, .events = POLLPRI};
	struct stamp stamp;
	uint32_t got;
	int tries;

	for (tries = 0; tries < 10; tries++) {
		(void)poll(&poll_fd, 1, 1);
		while (stamp_transmitted(sockets.event, &got, &stamp) == 1)
			if (got == (uint32_t)id && stamped_ns(&stamp))
				return stamped_ns(&stamp);
	}
	return options.hardware ? 0 : now_ns(CLOCK_REALTIME);
}

static void synchronize(void)
{
	struct ptp_message message = message_of(PTP_SYNC, sync_sequence++);
	int64_t id, left_ns;

	if (options.one_step) {
		message.time_ns = time_of(now_ns(CLOCK_REALTIME));
		(void)message_send(&message);
		return;
	}
	message.flags = PTP_FLAG_TWO_STEP;
	id = message_send(&message);
	message.type = PTP_FOLLOW_UP;
	message.flags = 0;
	left_ns = sent_ns(id);
	message.time_ns = time_of(left_ns);
	if (left_ns)
		(void)message_send(&message);
}

static void answer(int fd)
{
	uint8_t data[PTP_MESSAGE_MAX];
	struct ptp_message request, response;
	struct ptp_address from;
	struct stamp stamp;
	bool truncated;
	uint32_t id;
	long size;

	/* Stamps that nobody waits for wake poll(2) up. */
	while (fd == sockets.event && stamp_transmitted(fd, &id, &stamp) >= 0)
		;
	size = ptp_socket_receive(&sockets, fd, data, sizeof(data), &from, &stamp, &truncated);

	if (size <= 0 || ptp_message_parse(&request, data, (size_t)size) < 0 ||
	    request.type != PTP_DELAY_REQ || request.domain != options.domain || options.silent ||
	    !stamped_ns(&stamp))
		return;
	if (options.auth.key.id && !ptp_auth_check(&options.auth, data, &request))
		return;
	response = message_of(PTP_DELAY_RESP, request.sequence);
	response.sequence = request.sequence;
	response.requesting = request.source;
	response.time_ns = time_of(stamped_ns(&stamp));
	(void)message_send(&response);
}

/*
 * Also if it is late already, it takes what has come: a full queue has no room for stamps. Returns how
 * long it is until then.
 */
static int64_t answer_until(int64_t end_ns)
{
	struct pollfd fds[2] = {{sockets.event, POLLIN, 0}, {sockets.general, POLLIN, 0}};
	int64_t wait_ns;
	unsigned int taken;
	int r;

	for (taken = 0;; taken++) {
		wait_ns = end_ns - now_ns(CLOCK_MONOTONIC);
		if (wait_ns <= 0 && taken >= TAKEN_MAX)
			return wait_ns;
		r = poll(fds, sockets.general < 0 ? 1 : 2,
			 wait_ns > 0 ? (int)(wait_ns / 1000000) + 1 : 0);
		if (r <= 0 && wait_ns <= 0)
			return wait_ns;
		if (r <= 0)
			continue;
		answer(sockets.event);
		if (sockets.general >= 0)
			answer(sockets.general);
	}
}

static int option_take(const char *text)
{
	static const struct {
		const char *name;
		bool *flag;
	} flags[] = {{"one-step", &options.one_step}, {"silent", &options.silent},
		     {"old", &options.old},           {"garbage", &options.garbage},
		     {"tai", &options.tai},           {"hardware", &options.hardware}};
	long long number;
	char key[64];
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(text, flags[i].name) != 0)
			continue;
		*flags[i].flag = true;
		return 0;
	}
	if (sscanf(text, "domain=%lld", &number) == 1)
		options.domain = (uint8_t)number;
	else if (sscanf(text, "priority1=%lld", &number) == 1)
		options.priority1 = (uint8_t)number;
	else if (sscanf(text, "identity=%lld", &number) == 1)
		options.identity = (uint8_t)number;
	else if (sscanf(text, "offset-ns=%lld", &number) == 1)
		options.offset_ns = number;
	else if (sscanf(text, "spp=%lld", &number) == 1)
		options.auth.spp = (uint8_t)number;
	else if (sscanf(text, "key=%lld:%63s", &number, key) == 2) {
		options.auth.key.id = (uint32_t)number;
		options.auth.key.size = (uint16_t)strlen(key);
		memcpy(options.auth.key.bytes, key, strlen(key));
	} else {
		return -EINVAL;
	}
	return 0;
}

/* Have the interface stamp, as it will go on to do when this has ended. */
static int stamping(const char *interface)
{
	unsigned int needs = sockets.transport == PTP_L2 ? NIC_PTP_L2 : NIC_PTP_UDP;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;
	struct nic_io io = nic_system_io(&fd);
	struct nic nic;

	if (fd < 0)
		return -errno;
	r = nic_open(&nic, &io, interface, needs);
	if (r < 0)
		fprintf(stderr, "fake-ptp: %s\n", nic.why);
	close(fd);
	sockets.hardware = r == 0;
	return r;
}

int main(int argc, char **argv)
{
	static const char *const transports[] = {"l2", "udp4", "udp6"};
	int64_t next_ns, wait_ns;
	unsigned int round = 0;
	int i, r;

	sockets.scope = 14;
	for (i = 0; argc > 2 && i < 3; i++)
		if (strcmp(argv[2], transports[i]) == 0)
			sockets.transport = (enum ptp_transport)i;
	for (i = 3; i < argc; i++)
		if (option_take(argv[i]) < 0)
			argc = 0;
	if (argc < 3 || (options.one_step && options.hardware)) {
		fprintf(stderr, "usage: fake-ptp INTERFACE l2|udp4|udp6 [OPTION[=VALUE]]...\n");
		return 2;
	}
	r = options.hardware ? stamping(argv[1]) : 0;
	if (r == 0)
		r = ptp_socket_open(&sockets, argv[1]);
	if (r < 0) {
		fprintf(stderr, "fake-ptp: %s: %s\n", argv[1], strerror(-r));
		return 1;
	}
	ptp_socket_stamp(&sockets);
	for (next_ns = now_ns(CLOCK_MONOTONIC);; next_ns += NS_PER_S / 8) {
		if (round++ % 4 == 0)
			announce();
		if (!options.silent)
			synchronize();
		wait_ns = answer_until(next_ns + NS_PER_S / 8);
		if (wait_ns < -NS_PER_S)
			next_ns -= wait_ns; /* the machine was busy: it begins anew */
	}
}
