/* SPDX-License-Identifier: MIT */
/* The simulated network devices do what their knobs say. */
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/ptp_clock.h>
#include <math.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <unistd.h>

#include "guest.h"
#include "ports.h"

#define CLOCK_OF(fd) ((~(clockid_t)(fd) << 3) | 3)
#define FRAME_SIZE 60
#define FRAMES 400

#define ETHERTYPE_PTP 0x88f7
#define ETHERTYPE_TEST 0x88b5 /* for local experiments */
#define SYNC 0x0
#define ANNOUNCE 0xb

/* A socket for raw frames on a device, with hardware stamps */
static int frames_open(const char *name, int protocol)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons((uint16_t)protocol),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	unsigned int flags = SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE |
			     SOF_TIMESTAMPING_RAW_HARDWARE | SOF_TIMESTAMPING_OPT_ID |
			     SOF_TIMESTAMPING_OPT_TSONLY | SOF_TIMESTAMPING_OPT_CMSG;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons((uint16_t)protocol));

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)) < 0)
		return -errno;
	return fd;
}

static int frame_send(int fd, int protocol, unsigned int type, uint16_t number)
{
	uint8_t frame[FRAME_SIZE] = {0x01, 0x1b, 0x19, 0, 0, 0, 0x02, 'T', 'E', 'S', 'T', 0};

	frame[12] = (uint8_t)(protocol >> 8);
	frame[13] = (uint8_t)protocol;
	frame[14] = (uint8_t)type;
	frame[15] = 2; /* versionPTP */
	frame[17] = 44;
	frame[44] = (uint8_t)(number >> 8);
	frame[45] = (uint8_t)number;
	return send(fd, frame, sizeof(frame), 0) == (ssize_t)sizeof(frame) ? 0 : -errno;
}

/* Returns its number, with the hardware's stamp or 0; or a negative errno if none comes in time. */
static int frame_take(int fd, int flags, int wait_ms, int64_t *stamp_ns)
{
	struct pollfd ready = {.fd = fd, .events = flags ? 0 : POLLIN};
	uint8_t frame[FRAME_SIZE] = {0};
	char control[512];
	struct iovec vector = {frame, sizeof(frame)};
	struct msghdr header = {.msg_iov = &vector,
				.msg_iovlen = 1,
				.msg_control = control,
				.msg_controllen = sizeof(control)};
	struct cmsghdr *message;
	int number = -1;

	if (poll(&ready, 1, wait_ms) != 1)
		return -ETIMEDOUT;
	if (recvmsg(fd, &header, flags | MSG_DONTWAIT) < 0)
		return -errno;
	*stamp_ns = 0;
	for (message = CMSG_FIRSTHDR(&header); message; message = CMSG_NXTHDR(&header, message)) {
		if (message->cmsg_level == SOL_SOCKET && message->cmsg_type == SCM_TIMESTAMPING) {
			struct scm_timestamping stamps;

			memcpy(&stamps, CMSG_DATA(message), sizeof(stamps));
			*stamp_ns = stamps.ts[2].tv_sec * SECOND + stamps.ts[2].tv_nsec;
		} else if (message->cmsg_level == SOL_PACKET) {
			struct sock_extended_err error;

			memcpy(&error, CMSG_DATA(message), sizeof(error));
			number = (int)error.ee_data;
		}
	}
	return flags ? number : frame[44] << 8 | frame[45];
}

/* What became of FRAMES frames that were sent one after the other */
struct outcome {
	unsigned int arrived, stamped, sent_stamps, twice, wrong, odd;
	double mean_ns, sd_ns; /* the wire's delay, from both stamps */
};

static void take_stamps(int from, int wait_ms, int64_t *sent, struct outcome *ret)
{
	int64_t stamp;
	int id;

	while ((id = frame_take(from, MSG_ERRQUEUE, wait_ms, &stamp)) >= 0) {
		if (id >= FRAMES)
			ret->wrong++;
		else if (sent[id])
			ret->twice++;
		else
			sent[id] = stamp;
	}
}

static struct outcome frames_run(const char *from_name, const char *to_name, int step_ns)
{
	static int64_t sent[FRAMES], came[FRAMES];
	struct outcome outcome = {0};
	int from = frames_open(from_name, ETHERTYPE_PTP), to = frames_open(to_name, ETHERTYPE_PTP);
	double sum = 0, squares = 0;
	unsigned int both = 0;
	int64_t stamp;
	int i, number;

	memset(sent, 0, sizeof(sent));
	memset(came, 0, sizeof(came));
	for (i = 0; i < FRAMES; i++) {
		if (frame_send(from, ETHERTYPE_PTP, SYNC, (uint16_t)i) < 0)
			outcome.wrong++;
		while ((number = frame_take(to, 0, 2, &stamp)) >= 0) {
			outcome.arrived++;
			if (number < FRAMES)
				came[number] = stamp;
			if (number == i)
				break;
		}
		take_stamps(from, 0, sent, &outcome);
	}
	while ((number = frame_take(to, 0, 50, &stamp)) >= 0) {
		outcome.arrived++;
		came[number % FRAMES] = stamp;
	}
	take_stamps(from, 300, sent, &outcome);
	for (i = 0; i < FRAMES; i++) {
		double delay = (double)(came[i] - sent[i]);

		outcome.stamped += came[i] != 0;
		outcome.sent_stamps += sent[i] != 0;
		outcome.odd += came[i] % step_ns || sent[i] % step_ns;
		if (!came[i] || !sent[i])
			continue;
		both++;
		sum += delay;
		squares += delay * delay;
	}
	outcome.mean_ns = both ? sum / both : 0;
	outcome.sd_ns = both ? sqrt(squares / both - outcome.mean_ns * outcome.mean_ns) : 0;
	close(from);
	close(to);
	return outcome;
}

/* A share of 20 % of 400: 80, with a standard deviation of 8 */
static bool is_fifth(unsigned int count)
{
	return count >= 40 && count <= 120;
}

static void clocks_check(void)
{
	int fd[2] = {ports_clock(0), ports_clock(1)};
	struct timex adjust = {.modes = ADJ_FREQUENCY};
	struct ptp_sys_offset_precise precise;
	struct ptp_sys_offset_extended extended = {.n_samples = 3};
	int64_t raw[2], phc[2], device, monotonic_raw;
	double before, after;
	struct timespec now;

	check(fd[0] >= 0 && fd[1] >= 0, "both clocks can be opened");
	ports_set(1, "frequency_ppb", 12000);
	ports_time(1, &raw[0], &phc[0]);
	before = ports_offset_ns(1);
	sleep_ms(300);
	ports_time(1, &raw[1], &phc[1]);
	after = ports_offset_ns(1);
	check(llabs(phc[1] - phc[0] - (raw[1] - raw[0]) - (raw[1] - raw[0]) * 12 / 1000000) <= 1,
	      "a clock with an error of 12 ppm gains 12 us in a second");
	check(after - before > 3000, "its offset grows: %.3f to %.3f ns", before, after);
	/* 1 / (1 + 12e-6) - 1, in 2^-16 ppm */
	adjust.freq = lround(-12e-6 / (1 + 12e-6) * 65536e6);
	check_result(clock_adjtime(CLOCK_OF(fd[1]), &adjust), 0, "its frequency can be adjusted");
	before = ports_offset_ns(1);
	sleep_ms(300);
	after = ports_offset_ns(1);
	check(fabs(after - before) < 0.05, "that stops it: %.3f to %.3f ns", before, after);
	adjust = (struct timex){.modes = ADJ_SETOFFSET | ADJ_NANO};
	adjust.time.tv_sec = before > 0 ? -1 : 0;
	adjust.time.tv_usec = (before > 0 ? SECOND : 0) - (int64_t)before;
	check_result(clock_adjtime(CLOCK_OF(fd[1]), &adjust), 0, "it can be stepped");
	check(fabs(ports_offset_ns(1)) < 2, "to the other one's time: %.3f ns", ports_offset_ns(1));
	ports_set(1, "step_ns", -1500000);
	check(fabs(ports_offset_ns(1) + 1500000) < 2, "and by its knob: %.3f ns",
	      ports_offset_ns(1));
	clock_gettime(CLOCK_OF(fd[0]), &now);
	check_result(clock_settime(CLOCK_OF(fd[1]), &now), 0, "it can be set");
	check(fabs(ports_offset_ns(1)) < 1e8, "to nearly the other one's: %.0f ns",
	      ports_offset_ns(1));

	memset(&precise, 0, sizeof(precise));
	check_result(command(fd[0], PTP_SYS_OFFSET_PRECISE, &precise), 0, "precise readings work");
	device = precise.device.sec * SECOND + precise.device.nsec;
	monotonic_raw = precise.sys_monoraw.sec * SECOND + precise.sys_monoraw.nsec;
	ports_time(0, &raw[0], &phc[0]);
	check(llabs(phc[0] - device - (raw[0] - monotonic_raw)) <= 1,
	      "what they say is true to the nanosecond");
	check_result(command(fd[0], PTP_SYS_OFFSET_EXTENDED, &extended), 0, "extended ones too");
	check(extended.ts[2][1].sec > 1000000000, "and have a time");
	close(fd[0]);
	close(fd[1]);
}

static void wander_check(void)
{
	double sum = 0, last, step;
	int i;

	ports_set(1, "wander_ppt", 10000); /* 1e-8 a root second */
	last = ports_offset_ns(1);
	for (i = 0; i < 20; i++) {
		sleep_ms(100);
		step = ports_offset_ns(1) - last;
		last += step;
		sum += fabs(step);
	}
	ports_set(1, "wander_ppt", 0);
	ports_set(1, "frequency_ppb", ports_get(1, "frequency_ppb"));
	check(sum > 0.5 && sum < 200, "a wander of 1e-8 moves it: by %.3f ns in 2 s", sum);
}

static void filters_check(void)
{
	int to = frames_open("sim1", ETHERTYPE_PTP), other = frames_open("sim1", ETHERTYPE_TEST);
	int from = frames_open("sim0", ETHERTYPE_PTP);
	int filter = HWTSTAMP_FILTER_PTP_V2_L2_SYNC;
	int64_t stamp = 0;

	check_result(ports_stamp("sim1", HWTSTAMP_TX_ON, &filter), 0, "a filter for Sync alone");
	check(filter == HWTSTAMP_FILTER_PTP_V2_EVENT, "becomes one for all events: %d", filter);
	frame_send(from, ETHERTYPE_PTP, SYNC, 1);
	check(frame_take(to, 0, 200, &stamp) == 1 && stamp, "then a Sync has a stamp");
	frame_send(from, ETHERTYPE_PTP, ANNOUNCE, 2);
	check(frame_take(to, 0, 200, &stamp) == 2 && !stamp, "an Announce has none");
	frame_send(from, ETHERTYPE_TEST, SYNC, 3);
	check(frame_take(other, 0, 200, &stamp) == 3 && !stamp, "another protocol neither");
	filter = HWTSTAMP_FILTER_ALL;
	ports_stamp("sim1", HWTSTAMP_TX_ON, &filter);
	frame_send(from, ETHERTYPE_TEST, SYNC, 4);
	check(frame_take(other, 0, 200, &stamp) == 4 && stamp, "with the filter for all it has");
	close(to);
	close(other);
	close(from);
}

static void knobs_check(void)
{
	struct outcome outcome;
	unsigned int lost;

	ports_set(0, "delay_ns", 2500);
	ports_set(1, "delay_ns", 4000);
	ports_set(1, "step_ns", -(int64_t)ports_offset_ns(1));
	outcome = frames_run("sim0", "sim1", 1);
	check(outcome.arrived == FRAMES && outcome.stamped == FRAMES &&
		      outcome.sent_stamps == FRAMES && !outcome.wrong && !outcome.twice,
	      "each frame arrives, with stamps: %u %u %u %u %u", outcome.arrived, outcome.stamped,
	      outcome.sent_stamps, outcome.wrong, outcome.twice);
	check(fabs(outcome.mean_ns - 2500) < 3 && outcome.sd_ns < 2,
	      "a delay of 2500 ns is one: %.3f +- %.3f", outcome.mean_ns, outcome.sd_ns);
	outcome = frames_run("sim1", "sim0", 1);
	check(fabs(outcome.mean_ns - 4000) < 3 && outcome.sd_ns < 2,
	      "another one on the other way: %.3f +- %.3f", outcome.mean_ns, outcome.sd_ns);
	ports_set(0, "jitter_ns", 100);
	ports_set(0, "stamp_step_ns", 8);
	ports_set(1, "stamp_step_ns", 8);
	outcome = frames_run("sim0", "sim1", 8);
	check(fabs(outcome.mean_ns - 2500) < 25 && fabs(outcome.sd_ns - 100) < 20,
	      "a jitter of 100 ns: %.3f +- %.3f", outcome.mean_ns, outcome.sd_ns);
	check(!outcome.odd, "stamps are multiples of 8 ns");
	ports_set(0, "loss_ppm", 200000);
	outcome = frames_run("sim0", "sim1", 1);
	check(is_fifth(FRAMES - outcome.arrived) && outcome.sent_stamps == FRAMES,
	      "a fifth is lost, with stamps all the same: %u arrive", outcome.arrived);
	lost = (unsigned int)ports_get(0, "frames_lost");
	/* The machine may have sent frames of its own. */
	check(lost >= FRAMES - outcome.arrived && lost <= FRAMES - outcome.arrived + 20,
	      "those lost are counted: %u", lost);
	ports_set(0, "loss_ppm", 0);
	ports_set(0, "tx_stamp_loss_ppm", 200000);
	outcome = frames_run("sim0", "sim1", 1);
	check(is_fifth(FRAMES - outcome.sent_stamps) && outcome.arrived == FRAMES,
	      "a fifth of the transmit stamps is missing: %u come", outcome.sent_stamps);
	ports_set(0, "tx_stamp_loss_ppm", 0);
	ports_set(0, "tx_stamp_late_ppm", 200000);
	ports_set(0, "tx_stamp_twice_ppm", 200000);
	outcome = frames_run("sim0", "sim1", 1);
	check(outcome.sent_stamps == FRAMES && is_fifth(outcome.twice),
	      "a fifth comes late, and a fifth twice: %u, %u", outcome.sent_stamps, outcome.twice);
	check(is_fifth((unsigned int)ports_get(0, "tx_stamps_late")), "as is counted");
	ports_set(0, "tx_stamp_late_ppm", 0);
	ports_set(0, "tx_stamp_twice_ppm", 0);
	ports_set(1, "rx_stamp_loss_ppm", 200000);
	outcome = frames_run("sim0", "sim1", 1);
	check(is_fifth(FRAMES - outcome.stamped) && outcome.arrived == FRAMES,
	      "a fifth of the receive stamps is missing: %u come", outcome.stamped);
	check_result(ports_set(0, "loss_ppm", 1000001), -ERANGE, "a knob has limits");
	check_result(ports_set(0, "stamp_step_ns", 0), -ERANGE, "on both sides");
}

static void parameters_check(void)
{
	struct ptp_sys_offset_extended extended = {.n_samples = 1};
	struct ptp_sys_offset plain = {.n_samples = 1};
	struct ptp_sys_offset_precise precise = {0};
	int fd, to[2], from, filter = HWTSTAMP_FILTER_ALL;
	int64_t stamp;

	check_result(ports_unload(), 0, "the module unloads");
	check_result(ports_load("ports=1"), -EINVAL, "one port is none");
	check_result(ports_load("ports=3 extended=0 precise=0 filters=4096"), 0, "three are");
	fd = ports_clock(2);
	check_result(command(fd, PTP_SYS_OFFSET_PRECISE, &precise), -EOPNOTSUPP,
		     "precise readings can be taken away");
	check_result(command(fd, PTP_SYS_OFFSET_EXTENDED, &extended), -EOPNOTSUPP,
		     "and extended ones");
	check_result(command(fd, PTP_SYS_OFFSET, &plain), 0, "which leaves the plain ones");
	close(fd);
	check_result(ports_stamp("sim0", HWTSTAMP_TX_ON, &filter), -ERANGE,
		     "a filter that is not on offer is refused");
	check(ports_up("sim0") == 0 && ports_up("sim1") == 0 && ports_up("sim2") == 0,
	      "all can be up");
	to[0] = frames_open("sim1", ETHERTYPE_TEST);
	to[1] = frames_open("sim2", ETHERTYPE_TEST);
	from = frames_open("sim0", ETHERTYPE_TEST);
	frame_send(from, ETHERTYPE_TEST, SYNC, 7);
	check(frame_take(to[0], 0, 500, &stamp) == 7 && frame_take(to[1], 0, 500, &stamp) == 7,
	      "what one sends comes to all others");
	close(to[0]);
	close(to[1]);
	close(from);
	check_result(ports_unload(), 0, "and unload while they are up");
}

int main(void)
{
	int filter = HWTSTAMP_FILTER_ALL;

	check_result(ports_load("seed=5"), 0, "the module loads");
	check(ports_up("sim0") == 0 && ports_up("sim1") == 0, "both ports can be up");
	clocks_check();
	wander_check();
	check_result(ports_stamp("sim0", HWTSTAMP_TX_ON, &filter), 0, "and stamp");
	filters_check();
	knobs_check();
	parameters_check();
	return checks_end();
}
