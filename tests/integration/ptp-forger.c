/* SPDX-License-Identifier: MIT */
/*
 * Forges PTP messages over Ethernet for tests, of those that it hears others send:
 *
 *	ptp-forger INTERFACE [OPTION[=VALUE]]...
 *
 *	domain=N	of those that it hears
 *	announce	each Announce message once more, as that of a much better grandmaster
 *	sync		each Sync and each Follow_Up message once more, twice: under its own number and as
 *			the next one
 *	response	a Delay_Resp message to each Delay_Req message, of the latest who announced itself
 *	replay=MS	each message as it was, once more, after so long
 *	offset-ns=N	forged times are off by that
 *	identity=N	forged messages are of a port whose clockIdentity has that last octet, instead of
 *			being of those who sent them first
 *	forged-address	and come from the address of those, instead of its own
 *
 * TLVs are left as they were. Until it is killed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sources/ptp_message.h"

#define ETHERTYPE 0x88f7
#define MAC_SIZE 6
#define HEADER 14 /* of Ethernet */
#define FRAME_MAX (HEADER + PTP_MESSAGE_MAX)
#define REPLAYS 1024

static struct {
	bool announce, sync, response, forged_address;
	long domain, replay_ms, identity;
	long long offset_ns;
} options = {.identity = -1};

struct frame {
	int64_t due_ns;
	size_t size;
	uint8_t data[FRAME_MAX];
};

static int fd;
static uint8_t own[MAC_SIZE];
static struct frame replays[REPLAYS];
static unsigned int replay_first, replay_next;
static struct {
	bool known;
	uint8_t mac[MAC_SIZE];
	struct ptp_identity identity;
	int64_t time_ns; /* of its latest Follow_Up message */
} master;

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void frame_send(const struct frame *frame)
{
	/* One that does not go out is one that was not forged. */
	(void)!send(fd, frame->data, frame->size, 0);
}

/* A message in the place of one that was heard, with that one's TLVs */
static void forge(const struct frame *heard, const struct ptp_message *message)
{
	struct ptp_message forged = *message;
	struct frame frame = *heard;
	uint8_t body[PTP_OUT_MAX];
	size_t size;

	if (options.identity >= 0)
		forged.source.clock[7] = (uint8_t)options.identity;
	size = ptp_message_write(&forged, body);
	memcpy(frame.data + HEADER, body, size);
	ptp_message_resize(frame.data + HEADER, message->size);
	if (!options.forged_address)
		memcpy(frame.data + MAC_SIZE, own, MAC_SIZE);
	frame_send(&frame);
}

static void forge_announce(const struct frame *heard, struct ptp_message message)
{
	message.sequence++;
	message.announce.priority1 = 0;
	message.announce.clock_class = 6;
	message.announce.accuracy = 0x17;
	message.announce.grandmaster[0] = 0;
	message.announce.steps_removed = 0;
	forge(heard, &message);
}

static void forge_sync(const struct frame *heard, struct ptp_message message)
{
	message.time_ns += options.offset_ns;
	forge(heard, &message);
	message.sequence++;
	forge(heard, &message);
}

/* A Delay_Resp has ten bytes more than a request, for whom it is. */
static void forge_response(const struct frame *request, struct ptp_message message)
{
	struct frame frame = *request;

	if (!master.known || !master.time_ns)
		return;
	memcpy(frame.data + MAC_SIZE, master.mac, MAC_SIZE);
	message.type = PTP_DELAY_RESP;
	message.requesting = message.source;
	message.source = master.identity;
	message.flags = 0;
	message.log_interval = -3;
	message.time_ns = master.time_ns + options.offset_ns;
	message.size = 54;
	frame.size = HEADER + message.size;
	forge(&frame, &message);
}

static void replay_add(const struct frame *heard)
{
	struct frame *frame = &replays[replay_next % REPLAYS];

	if (replay_next - replay_first == REPLAYS)
		replay_first++;
	*frame = *heard;
	frame->due_ns = now_ns() + options.replay_ms * 1000000LL;
	replay_next++;
}

/* Returns in how many ms the next one is due; -1: none is. */
static int replay_due(void)
{
	int64_t wait_ns;

	for (; replay_first != replay_next; replay_first++) {
		wait_ns = replays[replay_first % REPLAYS].due_ns - now_ns();
		if (wait_ns > 0)
			return (int)(wait_ns / 1000000) + 1;
		frame_send(&replays[replay_first % REPLAYS]);
	}
	return -1;
}

static void hear(void)
{
	struct sockaddr_ll from;
	socklen_t from_size = sizeof(from);
	struct ptp_message message;
	struct frame frame;
	ssize_t got = recvfrom(fd, frame.data, sizeof(frame.data), MSG_DONTWAIT,
			       (struct sockaddr *)&from, &from_size);

	/* All that this host sends is heard too, be it of another one like this. */
	if (got <= HEADER || from.sll_pkttype == PACKET_OUTGOING ||
	    ptp_message_parse(&message, frame.data + HEADER, (size_t)got - HEADER) < 0 ||
	    message.domain != options.domain)
		return;
	frame.size = (size_t)got;
	if (options.replay_ms)
		replay_add(&frame);
	switch (message.type) {
	case PTP_ANNOUNCE:
		master.known = true;
		memcpy(master.mac, frame.data + MAC_SIZE, MAC_SIZE);
		master.identity = message.source;
		if (options.announce)
			forge_announce(&frame, message);
		break;
	case PTP_FOLLOW_UP:
		master.time_ns = message.time_ns;
		/* fall through */
	case PTP_SYNC:
		if (options.sync)
			forge_sync(&frame, message);
		break;
	case PTP_DELAY_REQ:
		if (options.response)
			forge_response(&frame, message);
		break;
	default:
		break;
	}
}

static int option_take(const char *text)
{
	static const struct {
		const char *name;
		bool *flag;
	} flags[] = {{"announce", &options.announce},
		     {"sync", &options.sync},
		     {"response", &options.response},
		     {"forged-address", &options.forged_address}};
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(text, flags[i].name) != 0)
			continue;
		*flags[i].flag = true;
		return 0;
	}
	if (sscanf(text, "domain=%ld", &options.domain) == 1 ||
	    sscanf(text, "replay=%ld", &options.replay_ms) == 1 ||
	    sscanf(text, "identity=%ld", &options.identity) == 1 ||
	    sscanf(text, "offset-ns=%lld", &options.offset_ns) == 1)
		return 0;
	return -EINVAL;
}

/* A socket that hears all frames of PTP on the interface, as somebody may who has a port of a switch */
static int forger_open(const char *interface)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE)};
	struct packet_mreq join = {.mr_type = PACKET_MR_PROMISC};
	struct ifreq request = {0};

	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	address.sll_ifindex = join.mr_ifindex = (int)if_nametoindex(interface);
	strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
	if (ioctl(fd, SIOCGIFHWADDR, &request) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &join, sizeof(join)) < 0)
		return -errno;
	memcpy(own, request.ifr_hwaddr.sa_data, MAC_SIZE);
	return 0;
}

int main(int argc, char **argv)
{
	struct pollfd poll_fd = {.events = POLLIN};
	int i, r;

	for (i = 2; i < argc; i++)
		if (option_take(argv[i]) < 0)
			argc = 0;
	if (argc < 2) {
		fprintf(stderr, "usage: ptp-forger INTERFACE [OPTION[=VALUE]]...\n");
		return 2;
	}
	r = forger_open(argv[1]);
	if (r < 0) {
		fprintf(stderr, "ptp-forger: %s: %s\n", argv[1], strerror(-r));
		return 1;
	}
	poll_fd.fd = fd;
	for (;;)
		if (poll(&poll_fd, 1, replay_due()) > 0)
			hear();
}
