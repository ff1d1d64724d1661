/* SPDX-License-Identifier: MIT */
/*
 * The simulated network devices are taken away in full traffic, again and again, while others turn
 * their knobs, set their clocks to the ends of time, and have them up and down. A kernel that looks on
 * itself (scripts/test-kernel-debug) tells what it finds; any tells by still being there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/ptp_clock.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "ports.h"

#define ROUNDS 12
#define CLOCK_OF(fd) ((~(clockid_t)(fd) << 3) | 3)
#define PORTS 8
#define PTP 0x88f7

static const char *const names[PORTS] = {"sim0", "sim1", "sim2", "sim3",
					 "sim4", "sim5", "sim6", "sim7"};

/* Sync messages with all stamps, as fast as they go; whatever comes back is thrown away. */
static void flood(unsigned int seed)
{
	const char *name = names[seed % 2];
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_protocol = htons(PTP),
				      .sll_ifindex = (int)if_nametoindex(name)};
	unsigned int flags = SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE |
			     SOF_TIMESTAMPING_RAW_HARDWARE | SOF_TIMESTAMPING_TX_SOFTWARE |
			     SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TX_SWHW;
	uint8_t frame[60] = {0x01, 0x1b, 0x19, 0,        0,          0, 2, 'S', 'T',
			     'R',  'E',  'S',  PTP >> 8, PTP & 0xff, 0, 2, 0,   44};
	char data[256], control[512];
	struct iovec vector = {data, sizeof(data)};
	unsigned int i, k;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(PTP));

	if (fd < 0)
		return;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)) < 0) {
		close(fd);
		return;
	}
	for (i = 0; i < 300; i++) {
		if (send(fd, frame, sizeof(frame), MSG_DONTWAIT) < 0 && errno == ENXIO)
			break;
		for (k = 0; k < 4; k++) {
			struct msghdr header = {.msg_iov = &vector,
						.msg_iovlen = 1,
						.msg_control = control,
						.msg_controllen = sizeof(control)};

			(void)recvmsg(fd, &header, MSG_DONTWAIT | (k % 2 ? MSG_ERRQUEUE : 0));
		}
	}
	close(fd);
}

static void knobs(unsigned int seed)
{
	static const char *const files[] = {
		"delay_ns",  "jitter_ns",     "loss_ppm",          "tx_stamp_loss_ppm",
		"step_ns",   "stamp_step_ns", "tx_stamp_delay_ns", "tx_stamp_late_ppm",
		"offset_ns", "time_ns",       "frames_lost",       "tx_stamp_late_ns",
		"rx_stamps", "frequency_ppb", "wander_ppt",        "tx_stamp_twice_ppm",
	};
	static const char *const values[] = {
		"0",
		"1",
		"1000",
		"1000000",
		"-1",
		"1000000000",
		"-1000000000000000",
		"18446744073709551615",
		"9223372036854775807",
		"-9223372036854775808",
		"99999999999999999999",
		"x",
		"",
		"10000000000",
	};
	char path[96], text[64];
	unsigned int i;

	for (i = 0; i < 200; i++) {
		int fd;

		snprintf(path, sizeof(path), "/sys/devices/simnic%u/%s", rand_r(&seed) % PORTS,
			 files[(unsigned int)rand_r(&seed) % 16]);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		(void)!read(fd, text, sizeof(text));
		if (rand_r(&seed) % 4 == 0)
			(void)!write(fd, values[rand_r(&seed) % 14],
				     strlen(values[rand_r(&seed) % 14]));
		close(fd);
	}
}

static void clocks(unsigned int seed)
{
	static const int64_t ends[] = {
		0, 1, -1, INT32_MAX, INT64_MAX, INT64_MIN, INT64_MAX / SECOND, INT64_MIN / SECOND};
	struct ptp_sys_offset_extended extended = {.n_samples = PTP_MAX_SAMPLES};
	struct ptp_sys_offset_precise precise = {0};
	struct ptp_sys_offset plain = {.n_samples = PTP_MAX_SAMPLES};
	unsigned int i;
	int fd;

	/*
	 * The kernel's posix_clock_register() lets a clock be opened before it has noted of which
	 * device it is: that is not to be met here. The knobs come after it.
	 */
	if (access(seed % 2 ? "/sys/devices/simnic1/step_ns" : "/sys/devices/simnic0/step_ns",
		   F_OK) < 0)
		return;
	fd = ports_clock(seed % 2);

	for (i = 0; fd >= 0 && i < 100; i++) {
		int64_t end = ends[rand_r(&seed) % 8];
		struct timex timex = {.modes = i % 2 ? ADJ_SETOFFSET | ADJ_NANO : ADJ_FREQUENCY,
				      .freq = end,
				      .time = {.tv_sec = end, .tv_usec = rand_r(&seed) % 1000000}};
		struct timespec time = {.tv_sec = end, .tv_nsec = 999999999};

		(void)clock_adjtime(CLOCK_OF(fd), &timex);
		if (i % 8 == 0)
			(void)clock_settime(CLOCK_OF(fd), &time);
		(void)clock_gettime(CLOCK_OF(fd), &time);
		(void)ioctl(fd, PTP_SYS_OFFSET_EXTENDED, &extended);
		(void)ioctl(fd, PTP_SYS_OFFSET_PRECISE, &precise);
		(void)ioctl(fd, PTP_SYS_OFFSET, &plain);
	}
	if (fd >= 0)
		close(fd);
}

static void links(unsigned int seed)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned int i;

	for (i = 0; fd >= 0 && i < 10; i++) {
		struct ifreq request = {.ifr_flags = rand_r(&seed) % 4 ? IFF_UP : 0};
		const char *name = names[rand_r(&seed) % PORTS];
		int filter = rand_r(&seed) % 17;

		snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
		(void)ioctl(fd, SIOCSIFFLAGS, &request);
		(void)ports_stamp(name, rand_r(&seed) % 4, &filter);
		usleep(2000);
	}
	if (fd >= 0)
		close(fd);
}

static pid_t start(void (*work)(unsigned int seed), unsigned int seed)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (;;) {
		work(seed++);
		usleep(1000);
	}
}

int main(int argc, char **argv)
{
	static void (*const work[])(unsigned int) = {flood, flood, knobs, clocks, links};
	static const char *const parameters[] = {"ports=2", "ports=8 seed=3", "ports=3 precise=0",
						 "ports=2 extended=0 precise=0"};
	unsigned int rounds = argc > 1 ? (unsigned int)atoi(argv[1]) : ROUNDS, i;
	const unsigned int workers = sizeof(work) / sizeof(work[0]);
	pid_t pids[sizeof(work) / sizeof(work[0])];
	int filter, loaded = 0, unloaded = 0;

	for (i = 0; i < workers; i++)
		pids[i] = start(work[i], i);
	for (i = 0; i < rounds; i++) {
		loaded += ports_load(parameters[i % 4]) == 0;
		filter = HWTSTAMP_FILTER_ALL;
		(void)ports_up("sim0");
		(void)ports_up("sim1");
		(void)ports_stamp("sim0", HWTSTAMP_TX_ON, &filter);
		(void)ports_stamp("sim1", HWTSTAMP_TX_ONESTEP_SYNC, &filter);
		usleep(i % 3 ? 500000 : 20000);
		unloaded += ports_unload() == 0;
	}
	check(loaded == (int)rounds, "%d of %u times the module loads", loaded, rounds);
	check(unloaded == (int)rounds, "and unloads in full traffic: %d", unloaded);
	for (i = 0; i < workers; i++) {
		int status = -1;

		kill(pids[i], SIGKILL);
		waitpid(pids[i], &status, 0);
		check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		      "worker %u is there still", i);
	}
	return checks_end();
}
