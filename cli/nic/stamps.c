/* SPDX-License-Identifier: MIT */
/* Has the interface stamp for as long as that takes, as the daemon does, and puts it back. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "nic/bench.h"
#include "timestamping/phc.h"
#include "timestamping/stamp.h"

#define FRAMES 50
#define STAMP_WAIT_NS (BENCH_S / 5)
#define GIVE_UP_AFTER 5 /* frames without a stamp, if there has been none at all */
#define QUESTIONS 20
#define QUESTION_WAIT_NS (BENCH_S / 10)
#define PTP_WAIT_NS (5 * BENCH_S)
#define PTP_EVENTS 8 /* event messages are the types below: IEEE 1588-2019 table 36 */
#define ETHERTYPE_EXPERIMENT 0x88b5 /* IEEE 802: for local experiments */

/* A packet socket on the interface. protocol 0: nothing is received by it. */
static int packets_open(const struct bench *bench, int type, uint16_t protocol)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = (int)if_nametoindex(bench->interface),
	};
	int fd = socket(AF_PACKET, type | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = stamp_enable_hardware(fd);
	if (r == 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		r = -errno;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

/* What the interface's clock shows; 0 where it cannot be read */
static int64_t clock_ns(int phc)
{
	struct timespec now;

	/* A descriptor as a clockid_t, as clock_gettime(2) has it for dynamic clocks */
	if (phc < 0 || clock_gettime((clockid_t)((~(unsigned int)phc << 3) | 3), &now) < 0)
		return 0;
	return now.tv_sec * BENCH_S + now.tv_nsec;
}

/* Send one frame to the interface's own address, which no switch forwards. Returns when, or an errno. */
static int64_t frame_send(int fd, const uint8_t own[ETH_ALEN])
{
	int64_t now_ns = bench_now_ns();
	uint8_t frame[60] = {0};

	memcpy(frame, own, ETH_ALEN);
	memcpy(frame + ETH_ALEN, own, ETH_ALEN);
	frame[12] = ETHERTYPE_EXPERIMENT >> 8;
	frame[13] = ETHERTYPE_EXPERIMENT & 0xff;
	return send(fd, frame, sizeof(frame), 0) < 0 ? -errno : now_ns;
}

/* The stamp of the frame with that number. How long it took; -1: it did not come */
static int64_t stamp_wait(int fd, uint32_t number, int64_t sent_ns, struct stamp *stamp)
{
	uint32_t id;

	while (bench_now_ns() - sent_ns < STAMP_WAIT_NS && !bench_ended()) {
		struct pollfd ready = {.fd = fd, .events = 0};

		if (poll(&ready, 1, 10) > 0 && stamp_transmitted(fd, &id, stamp) == 1 &&
		    id == number && stamp->hardware_ns)
			return bench_now_ns() - sent_ns;
	}
	return -1;
}

static void transmit_look(struct bench *bench, int fd, const uint8_t own[ETH_ALEN], FILE *log)
{
	static int64_t waits[FRAMES];
	unsigned int stamped = 0, in_time = 0, sent = 0;
	char path[32];
	int64_t sent_ns = 0;
	int phc;

	snprintf(path, sizeof(path), "/dev/ptp%d", bench->has.phc);
	phc = bench->has.phc < 0 ? -1 : phc_device_open(path);
	while (sent < FRAMES && (stamped || sent < GIVE_UP_AFTER) && !bench_ended()) {
		int64_t before_ns = clock_ns(phc), wait_ns;
		struct stamp stamp = {0};

		sent_ns = frame_send(fd, own);
		if (sent_ns < 0)
			break;
		wait_ns = stamp_wait(fd, sent++, sent_ns, &stamp);
		if (log)
			fprintf(log, "transmit,%" PRId64 ",%" PRId64 "\n", stamp.hardware_ns,
				wait_ns);
		if (wait_ns < 0)
			continue;
		waits[stamped++] = wait_ns;
		in_time += before_ns && before_ns <= stamp.hardware_ns &&
			   stamp.hardware_ns <= clock_ns(phc);
	}
	if (phc >= 0)
		close(phc);
	json_object_set_new(bench->results, "transmit_stamps",
			    json_pack("{sisisiso}", "sent", (int)sent, "stamped", (int)stamped,
				      "within_clock_readings", (int)in_time, "wait_ns",
				      bench_quantiles(waits, stamped)));
	if (sent_ns < 0)
		bench_skip(bench, "transmit stamps: cannot send: %s", strerror((int)-sent_ns));
	else if (!stamped && sent)
		bench_skip(bench, "transmit stamps do not work here: %u frames, and none had one",
			   sent);
	else if (stamped < sent)
		bench_skip(bench, "%u of %u transmit stamps did not come within %lld ms",
			   sent - stamped, sent, STAMP_WAIT_NS / 1000000);
	if (stamped && bench->has.phc >= 0 && in_time < stamped)
		bench_skip(bench, "%u of %u transmit stamps are not of the time of their frames",
			   stamped - in_time, stamped);
}

struct received {
	bool events_only; /* of PTP: the others have no stamps */
	unsigned int came, stamped;
	unsigned int in_a_row; /* from the first one on */
};

/* Take what comes until then; one: until the first one */
static void receive_until(int fd, int64_t end_ns, bool one, struct received *ret, FILE *log)
{
	unsigned int before = ret->came;
	uint8_t frame[1600];

	while (bench_now_ns() < end_ns && !(one && ret->came > before) && !bench_ended()) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		struct sockaddr_storage from;
		struct stamp stamp;
		uint32_t id;
		long length;

		if (poll(&ready, 1, 10) <= 0)
			continue;
		/* The questions' own stamps, which nobody waits for */
		while (stamp_transmitted(fd, &id, &stamp) >= 0)
			;
		length = stamp_receive(fd, frame, sizeof(frame), &from, &stamp, NULL);
		if (length <= 0 || ((struct sockaddr_ll *)&from)->sll_pkttype == PACKET_OUTGOING ||
		    (ret->events_only && (frame[0] & 0x0f) >= PTP_EVENTS))
			continue;
		ret->in_a_row += stamp.hardware_ns && ret->in_a_row == ret->came;
		ret->came++;
		ret->stamped += stamp.hardware_ns != 0;
		if (log)
			fprintf(log, "receive,%" PRId64 ",\n", stamp.hardware_ns);
	}
}

/* All packets are stamped: a neighbour is asked for his address. */
static int receive_asked(struct bench *bench, struct received *ret, FILE *log)
{
	int fd = packets_open(bench, SOCK_DGRAM, ETH_P_ARP);
	unsigned int i;
	int r = fd;

	for (i = 0; i < QUESTIONS && r >= 0 && !bench_ended(); i++) {
		int64_t end_ns = bench_now_ns() + QUESTION_WAIT_NS;

		r = neighbour_ask(bench, fd, &bench->peer);
		if (r == 0)
			receive_until(fd, end_ns, true, ret, log);
	}
	if (fd >= 0)
		close(fd);
	if (r == -ENOENT)
		bench_skip(bench,
			   "receive stamps: no neighbour of %s is known that could be asked for a "
			   "packet: --peer ADDRESS names one",
			   bench->interface);
	else if (r < 0)
		bench_skip(bench, "receive stamps: %s", strerror(-r));
	else if (!ret->came && !bench_ended())
		bench_skip(bench, "receive stamps: %s does not answer", inet_ntoa(bench->peer));
	return r;
}

/* PTP messages alone are stamped: nobody sends them because he is asked. */
static int receive_ptp(struct bench *bench, struct received *ret, FILE *log)
{
	struct packet_mreq group = {
		.mr_ifindex = (int)if_nametoindex(bench->interface),
		.mr_type = PACKET_MR_MULTICAST,
		.mr_alen = ETH_ALEN,
		.mr_address = {0x01, 0x1b, 0x19}, /* IEEE 1588-2019, E.3 */
	};
	int fd = packets_open(bench, SOCK_DGRAM, ETH_P_1588);

	if (fd < 0) {
		bench_skip(bench, "receive stamps: %s", strerror(-fd));
		return fd;
	}
	/* Of this socket alone, and gone with it */
	(void)setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &group, sizeof(group));
	receive_until(fd, bench_now_ns() + PTP_WAIT_NS, false, ret, log);
	close(fd);
	if (!ret->came && !bench_ended())
		bench_skip(bench,
			   "receive stamps: %s stamps PTP's event messages alone, and none came "
			   "over Ethernet within %lld s: run it where a master sends",
			   bench->interface, PTP_WAIT_NS / BENCH_S);
	return 0;
}

static void receive_look(struct bench *bench, bool all, FILE *log)
{
	struct received got = {.events_only = !all};

	if ((all ? receive_asked(bench, &got, log) : receive_ptp(bench, &got, log)) < 0)
		return;
	json_object_set_new(bench->results, "receive_stamps",
			    json_pack("{sssisi}", "of", all ? "all" : "ptp", "came", (int)got.came,
				      "stamped", (int)got.stamped));
	if (got.came && !got.stamped)
		bench_skip(bench, "receive stamps do not work here: %u packets, and none had one",
			   got.came);
	else if (got.stamped < got.came && got.in_a_row == got.stamped)
		bench_skip(bench,
			   "receive stamps stop working here: the first %u had one, the %u packets "
			   "after that had none",
			   got.stamped, got.came - got.stamped);
	else if (got.stamped < got.came)
		bench_skip(bench, "%u of %u packets had no receive stamp", got.came - got.stamped,
			   got.came);
}

/* The widest that it has, as any packet will do then; else PTP's, which need somebody who sends them */
static int stamping_begin(struct bench *bench, struct nic *nic, bool *all)
{
	const struct nic_io io = nic_system_io(&bench->fd);

	*all = nic_open(nic, &io, bench->interface, NIC_NTP | NIC_PTP_L2 | NIC_PTP_UDP) == 0;
	return *all ? 0 : nic_open(nic, &io, bench->interface, NIC_PTP_L2);
}

void stamps_look(struct bench *bench)
{
	struct ifreq request = {0};
	struct nic nic;
	bool all;
	FILE *log;
	int fd;

	if (!bench->stamps) {
		bench_skip(bench,
			   "stamps of packets: --stamps has them tried, and sends some %d frames",
			   FRAMES + QUESTIONS);
		return;
	}
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", bench->interface);
	if (ioctl(bench->fd, SIOCGIFFLAGS, &request) == 0 && !(request.ifr_flags & IFF_RUNNING)) {
		bench_skip(bench, "stamps of packets: %s has no link", bench->interface);
		return;
	}
	if (ioctl(bench->fd, SIOCGIFHWADDR, &request) < 0 ||
	    request.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
		bench_skip(bench, "stamps of packets: %s is no Ethernet", bench->interface);
		return;
	}
	/* It will not be known what to put back. */
	if (json_is_null(
		    json_object_get(json_object_get(bench->results, "interface"), "setting"))) {
		bench_skip(bench,
			   "stamps of packets: the driver of %s does not tell its setting, "
			   "which then cannot be put back",
			   bench->interface);
		return;
	}
	if (stamping_begin(bench, &nic, &all) < 0) {
		bench_skip(bench, "stamps of packets: %s", nic.why);
		return;
	}
	json_object_set_new(bench->results, "setting_for_stamps",
			    json_string(nic.changed ? "changed, and put back" : "left alone"));
	log = bench_file(bench, "stamps.csv");
	if (log)
		fputs("way,stamp_ns,wait_ns\n", log);
	fd = packets_open(bench, SOCK_RAW, 0);
	if (fd < 0) {
		bench_skip(bench, "stamps of packets: %s", strerror(-fd));
	} else {
		receive_look(bench, all, log);
		transmit_look(bench, fd, (const uint8_t *)request.ifr_hwaddr.sa_data, log);
		close(fd);
	}
	bench_file_close(bench, log, "stamps.csv");
	nic_close(&nic);
}
