/* SPDX-License-Identifier: MIT */
/*
 * chronotick-bench-nic: what a network interface and its clock are good for, measured without
 * changing anything but what --stamps asks for. scripts/bench-nic runs it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <math.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chronotick/chronotick.h>

#include "nic_report.h"
#include "timestamping/nic.h"
#include "timestamping/phc.h"
#include "timestamping/phc_track.h"
#include "timestamping/stamp.h"

#define S 1000000000LL
#define READS 500
#define INTERVAL_NS 100000000LL
#define STAMPED_FRAMES 50
#define STAMP_WAIT_MS 200
#define RX_WAIT_MS 2000
#define ETHERTYPE_EXPERIMENT 0x88b5 /* IEEE 802: for local experiments */

enum plot { PLOT_PHASE, PLOT_ADEV, PLOT_PAGE, PLOTS };

struct bench {
	const char *interface;
	const char *directory;
	int seconds;
	bool stamps;
	int fd; /* for ioctl(2) */
	struct counter counter;
	struct nic_capabilities has;
	json_t *results;
	json_t *skipped;
	struct nic_plot plots[PLOTS];
};

static int64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * S + now.tv_nsec;
}

__attribute__((format(printf, 2, 3))) static void skip(struct bench *bench, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	printf("skipped: %s\n", text);
	json_array_append_new(bench->skipped, json_string(text));
}

static FILE *file_open(const struct bench *bench, const char *name)
{
	char path[4200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", bench->directory, name);
	file = fopen(path, "we");
	if (!file)
		fprintf(stderr, "chronotick-bench-nic: %s: %s\n", path, strerror(errno));
	return file;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Sorts them. */
static json_t *quantiles(int64_t *values, unsigned int count)
{
	if (!count)
		return json_null();
	qsort(values, count, sizeof(*values), compare);
	return json_pack("{sIsIsIsI}", "min", (json_int_t)values[0], "p50",
			 (json_int_t)values[count / 2], "p99",
			 (json_int_t)values[count - 1 - count / 100], "max",
			 (json_int_t)values[count - 1]);
}

static json_t *names(uint32_t bits, const char *const *texts, unsigned int count)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < count; i++)
		if (bits & 1U << i && texts[i])
			json_array_append_new(list, json_string(texts[i]));
	return list;
}

static const char *const tx_names[] = {"off", "on", "onestep-sync", "onestep-p2p"};
static const char *const rx_names[] = {
	"none",           "all",           "some",
	"ptpv1-l4-event", "ptpv1-l4-sync", "ptpv1-l4-delay-req",
	"ptpv2-l4-event", "ptpv2-l4-sync", "ptpv2-l4-delay-req",
	"ptpv2-l2-event", "ptpv2-l2-sync", "ptpv2-l2-delay-req",
	"ptpv2-event",    "ptpv2-sync",    "ptpv2-delay-req",
	"ntp-all",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Returns whether there is such an interface. */
static bool interface_look(struct bench *bench)
{
	const struct nic_io io = nic_system_io(&bench->fd);
	struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq request = {.ifr_data = (char *)&driver};
	struct hwtstamp_config now = {0};
	char below[IF_NAMESIZE] = "";
	json_t *object;
	int r;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", bench->interface);
	(void)io.lower(io.data, bench->interface, below);
	if (*below)
		skip(bench, "%s lies on %s: name that", bench->interface, below);
	r = io.capabilities(io.data, bench->interface, &bench->has);
	if (r == -ENODEV) {
		fprintf(stderr, "chronotick-bench-nic: there is no interface %s\n",
			bench->interface);
		return false;
	}
	if (r < 0)
		bench->has = (struct nic_capabilities){.phc = -1};
	if (ioctl(bench->fd, SIOCETHTOOL, &request) < 0)
		snprintf(driver.driver, sizeof(driver.driver), "unknown");
	object = json_pack(
		"{s:s,s:s,s:s,s:i,s:o,s:o,s:o,s:b}", "interface", bench->interface, "driver",
		driver.driver, "firmware", driver.fw_version, "phc", bench->has.phc, "tx_types",
		names(bench->has.tx_types, tx_names, COUNT(tx_names)), "rx_filters",
		names(bench->has.rx_filters, rx_names, COUNT(rx_names)), "setting", json_null(),
		"hardware_stamps", (bench->has.flags & SOF_TIMESTAMPING_TX_HARDWARE) != 0);
	if (object && io.get(io.data, bench->interface, &now) == 0)
		json_object_set_new(
			object, "setting",
			json_pack("{sisi}", "tx_type", now.tx_type, "rx_filter", now.rx_filter));
	json_object_set_new(bench->results, "interface", object);
	return true;
}

/* What the system clock costs, and how far a bracket of it is wide */
static void counter_look(struct bench *bench)
{
	static int64_t widths[READS];
	unsigned int i, count = 0;
	struct cross cross;

	for (i = 0; i < READS; i++)
		if (cross_read(&cross, &bench->counter, CLOCK_MONOTONIC_RAW) == 0)
			widths[count++] = cross.error_ns;
	json_object_set_new(bench->results, "counter",
			    json_pack("{sssIsIso}", "kind",
				      chronotick_counter_name(bench->counter.kind), "hz",
				      (json_int_t)bench->counter.hz, "step_counts",
				      (json_int_t)bench->counter.step, "cross_error_ns",
				      quantiles(widths, count)));
}

/* One way of reading the clock, READS times */
static json_t *way_measure(struct phc *phc, enum phc_method method, FILE *log)
{
	static int64_t costs[READS], errors[READS];
	unsigned int count = 0, i;
	struct phc_reading reading;

	for (i = 0; i < READS; i++) {
		int64_t before = monotonic_ns();

		phc->method = method;
		phc->failures = 0;
		if (phc_read(phc, &reading) < 0 || phc->method != method)
			break;
		costs[count] = monotonic_ns() - before;
		errors[count++] = reading.error_ns;
		if (log)
			fprintf(log, "%s,%" PRId64 ",%" PRId64 "\n", phc_method_name(method),
				costs[count - 1], reading.error_ns);
	}
	if (count < READS)
		return json_null();
	return json_pack("{soso}", "cost_ns", quantiles(costs, count), "error_ns",
			 quantiles(errors, count));
}

/* Overlapping Allan deviation of phases (ns) that lie tau0 seconds apart */
static void adev_plot(struct nic_plot *plot, const double *phase, unsigned int count, double tau0)
{
	unsigned int m, i;

	plot->count = 0;
	for (m = 1; 3 * m <= count; m = m < 10 ? m + 1 : m + m / 4) {
		double sum = 0;

		for (i = 0; i + 2 * m < count; i++) {
			double second = phase[i + 2 * m] - 2 * phase[i + m] + phase[i];

			sum += second * second;
		}
		plot->x[plot->count] = m * tau0;
		plot->y[plot->count++] = sqrt(sum / (2.0 * (count - 2 * m))) / (m * tau0) * 1e-9;
	}
}

/* Take the line through them out, and say its slope. */
static double line_remove(double *values, const double *at, unsigned int count)
{
	double mean_x = 0, mean_y = 0, over = 0, under = 0, slope;
	unsigned int i;

	for (i = 0; i < count; i++) {
		mean_x += at[i] / count;
		mean_y += values[i] / count;
	}
	for (i = 0; i < count; i++) {
		over += (at[i] - mean_x) * (values[i] - mean_y);
		under += (at[i] - mean_x) * (at[i] - mean_x);
	}
	slope = under > 0 ? over / under : 0;
	for (i = 0; i < count; i++)
		values[i] -= mean_y + slope * (at[i] - mean_x);
	return slope;
}

/* The clock over the stated time, against the counter and against the page if there is one */
static void run(struct bench *bench, struct phc *phc)
{
	struct nic_plot *phase = &bench->plots[PLOT_PHASE], *page = &bench->plots[PLOT_PAGE];
	unsigned int wanted = (unsigned int)(bench->seconds * (S / INTERVAL_NS)), i;
	static int64_t bounds[NIC_REPORT_POINTS];
	FILE *log = file_open(bench, "phc.csv");
	struct chronotick *ct = NULL;
	struct phc_track track;
	int64_t next_ns = monotonic_ns(), first_counter = 0, first_ns = 0;
	double slope;

	if (wanted > NIC_REPORT_POINTS)
		wanted = NIC_REPORT_POINTS;
	if (chronotick_open(&ct, NULL) < 0) {
		ct = NULL;
		skip(bench, "offset and bound against the page: chronotickd publishes none");
	}
	if (log)
		fputs("counter,phc_ns,error_ns,utc_ns,bound_ns\n", log);
	phc_track_init(&track, &bench->counter);
	for (i = 0; i < wanted; i++) {
		struct chronotick_interval now = {0};
		struct phc_reading reading;
		int64_t passed;

		next_ns += INTERVAL_NS;
		while (monotonic_ns() < next_ns)
			usleep(1000);
		if (phc_read(phc, &reading) < 0)
			continue;
		phc_track_add(&track, &reading);
		if (!phase->count) {
			first_counter = (int64_t)reading.counter;
			first_ns = reading.phc_ns;
		}
		passed = counter_to_ns(&bench->counter, reading.counter - (uint64_t)first_counter);
		phase->x[phase->count] = (double)passed * 1e-9;
		phase->y[phase->count++] = (double)(reading.phc_ns - first_ns - passed);
		if (ct && chronotick_at(ct, reading.counter, &now) == 0) {
			page->x[page->count] = (double)passed * 1e-9;
			page->y[page->count] = (double)(now.utc_ns - reading.phc_ns);
			bounds[page->count++] = (now.latest_ns - now.earliest_ns) / 2;
		}
		if (log)
			fprintf(log,
				"%" PRIu64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 "\n",
				reading.counter, reading.phc_ns, reading.error_ns, now.utc_ns,
				(now.latest_ns - now.earliest_ns) / 2);
	}
	if (log)
		fclose(log);
	slope = line_remove(phase->y, phase->x, phase->count);
	adev_plot(&bench->plots[PLOT_ADEV], phase->y, phase->count, (double)INTERVAL_NS * 1e-9);
	json_object_set_new(
		bench->results, "clock",
		json_pack("{sisisfsIsf}", "seconds", bench->seconds, "readings", (int)phase->count,
			  "rate_ppb", slope, "steps", (json_int_t)track.jumps, "adev_1s",
			  bench->plots[PLOT_ADEV].count > 9 ? bench->plots[PLOT_ADEV].y[9] : -1.0));
	if (ct && !page->count)
		skip(bench,
		     "offset and bound against the page: it tells no time, or on another counter");
	if (page->count) {
		double mean = 0;

		for (i = 0; i < page->count; i++)
			mean += page->y[i] / page->count;
		for (i = 0; i < page->count; i++)
			page->y[i] -= mean;
		json_object_set_new(bench->results, "page",
				    json_pack("{sfso}", "mean_offset_to_phc_ns", mean, "bound_ns",
					      quantiles(bounds, page->count)));
	}
	chronotick_close(ct);
}

static void clock_look(struct bench *bench)
{
	struct phc_device device = {-1, &bench->counter};
	struct phc_io io = phc_device_io(&device);
	json_t *ways = json_object();
	enum phc_method method;
	struct phc phc;
	char path[32];
	FILE *log;

	snprintf(path, sizeof(path), "/dev/ptp%d", bench->has.phc);
	device.fd = bench->has.phc < 0 ? -ENODEV : phc_device_open(path);
	if (device.fd < 0) {
		skip(bench, "all of its clock: %s",
		     bench->has.phc < 0 ? "it has none" : strerror(-device.fd));
		json_decref(ways);
		return;
	}
	phc_init(&phc, &io, &bench->counter);
	log = file_open(bench, "reads.csv");
	if (log)
		fputs("way,cost_ns,error_ns\n", log);
	for (method = PHC_PRECISE; method < PHC_METHODS; method++)
		json_object_set_new(ways, phc_method_name(method), way_measure(&phc, method, log));
	if (log)
		fclose(log);
	json_object_set_new(bench->results, "reading", ways);
	phc_init(&phc, &io, &bench->counter);
	run(bench, &phc);
	close(device.fd);
}

static int frames_open(const struct bench *bench, uint8_t own[6])
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(bench->interface),
	};
	struct ifreq request = {0};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", bench->interface);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    stamp_enable_hardware(fd) < 0 || ioctl(fd, SIOCGIFHWADDR, &request) < 0) {
		int r = -errno;

		if (fd >= 0)
			close(fd);
		return r;
	}
	memcpy(own, request.ifr_hwaddr.sa_data, 6);
	return fd;
}

/* Frames to its own address, which no switch forwards; all waits have an end. */
static void transmit_look(struct bench *bench, int fd, const uint8_t own[6])
{
	static int64_t waits[STAMPED_FRAMES];
	unsigned int stamped = 0, i;

	for (i = 0; i < STAMPED_FRAMES; i++) {
		uint8_t frame[60] = {0};
		int64_t sent_ns = monotonic_ns();
		struct stamp stamp;
		uint32_t id;
		bool got = false;

		memcpy(frame, own, 6);
		memcpy(frame + 6, own, 6);
		frame[12] = ETHERTYPE_EXPERIMENT >> 8;
		frame[13] = ETHERTYPE_EXPERIMENT & 0xff;
		if (send(fd, frame, sizeof(frame), 0) < 0)
			break;
		while (!got && monotonic_ns() - sent_ns < STAMP_WAIT_MS * (S / 1000)) {
			struct pollfd ready = {.fd = fd, .events = 0};

			if (poll(&ready, 1, 10) > 0 && stamp_transmitted(fd, &id, &stamp) == 1)
				got = stamp.hardware_ns != 0;
		}
		if (got)
			waits[stamped++] = monotonic_ns() - sent_ns;
	}
	json_object_set_new(bench->results, "transmit_stamps",
			    json_pack("{sisiso}", "sent", (int)i, "stamped", (int)stamped,
				      "wait_ns", quantiles(waits, stamped)));
	if (stamped < i)
		skip(bench, "%u of %u transmit stamps did not come within %d ms", i - stamped, i,
		     STAMP_WAIT_MS);
}

static void receive_look(struct bench *bench, int fd)
{
	int64_t end_ns = monotonic_ns() + RX_WAIT_MS * (S / 1000);
	unsigned int came = 0, stamped = 0;
	uint8_t frame[128];

	while (monotonic_ns() < end_ns) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		struct sockaddr_storage from;
		struct stamp stamp;

		if (poll(&ready, 1, 50) <= 0 ||
		    stamp_receive(fd, frame, sizeof(frame), &from, &stamp, NULL) < 0 ||
		    ((struct sockaddr_ll *)&from)->sll_pkttype == PACKET_OUTGOING)
			continue;
		came++;
		stamped += stamp.hardware_ns != 0;
	}
	json_object_set_new(bench->results, "receive_stamps",
			    json_pack("{sisi}", "came", (int)came, "stamped", (int)stamped));
	if (!came)
		skip(bench, "receive stamps: no packet came within %d ms", RX_WAIT_MS);
	else if (stamped < came)
		skip(bench, "receive stamps do not work here: %u of %u packets had one", stamped,
		     came);
}

/* Has the interface stamp for as long as that takes, as the daemon does, and puts it back. */
static void stamps_look(struct bench *bench)
{
	const struct nic_io io = nic_system_io(&bench->fd);
	uint8_t own[6];
	struct nic nic;
	int fd;

	if (!bench->stamps) {
		skip(bench, "stamps of packets: --stamps has them tried, and sends %d frames",
		     STAMPED_FRAMES);
		return;
	}
	if (nic_open(&nic, &io, bench->interface, NIC_NTP) < 0 &&
	    nic_open(&nic, &io, bench->interface, NIC_PTP_L2) < 0) {
		skip(bench, "stamps of packets: %s", nic.why);
		return;
	}
	fd = frames_open(bench, own);
	if (fd < 0) {
		skip(bench, "stamps of packets: %s", strerror(-fd));
	} else {
		transmit_look(bench, fd, own);
		receive_look(bench, fd);
		close(fd);
	}
	nic_close(&nic);
}

static int results_write(struct bench *bench)
{
	FILE *file = file_open(bench, "results.json");
	int r = file ? json_dumpf(bench->results, file, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : -1;

	if (file && fclose(file) != 0)
		r = -1;
	file = r < 0 ? NULL : file_open(bench, "report.html");
	if (!file)
		return -1;
	r = nic_report_write(file, bench->results, bench->plots, PLOTS);
	return fclose(file) != 0 ? -1 : r;
}

/* The page's, so that it can be asked at a reading of the clock; else the best that there is */
static int counter_open(struct counter *ret)
{
	uint32_t kind = CHRONOTICK_COUNTER_NONE;
	struct counter raw;
	struct chronotick *ct;

	if (chronotick_open(&ct, NULL) == 0) {
		if (counter_init(&raw, CHRONOTICK_COUNTER_MONOTONIC_RAW) == 0) {
			uint64_t before = counter_read(&raw), now = chronotick_counter(ct);

			if (now - before <= counter_read(&raw) - before)
				kind = CHRONOTICK_COUNTER_MONOTONIC_RAW;
		}
		chronotick_close(ct);
	}
	return counter_init(ret, kind);
}

static int usage(void)
{
	fputs("usage: chronotick-bench-nic [--seconds S] [--stamps] INTERFACE DIRECTORY\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"seconds", required_argument, NULL, 's'}, {"stamps", no_argument, NULL, 't'}, {0}};
	static struct bench bench = {
		.seconds = 30,
		.plots =
			{
				[PLOT_PHASE] = {"PHC against the counter, less a line", "seconds",
						"ns"},
				[PLOT_ADEV] = {"Allan deviation of the same", "seconds", "1", true},
				[PLOT_PAGE] = {"The page's UTC against the PHC, less the mean",
					       "seconds", "ns"},
			},
	};
	int c, r;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			bench.seconds = atoi(optarg);
		else if (c == 't')
			bench.stamps = true;
		else
			return usage();
	}
	if (argc - optind != 2 || bench.seconds < 1 || bench.seconds > 2000 ||
	    strlen(argv[optind]) >= IF_NAMESIZE)
		return usage();
	bench.interface = argv[optind];
	bench.directory = argv[optind + 1];
	if (mkdir(bench.directory, 0755) < 0 && errno != EEXIST) {
		fprintf(stderr, "chronotick-bench-nic: %s: %s\n", bench.directory, strerror(errno));
		return 1;
	}
	bench.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	r = counter_open(&bench.counter);
	if (bench.fd < 0 || r < 0) {
		fprintf(stderr, "chronotick-bench-nic: %s\n", strerror(r < 0 ? -r : errno));
		return 1;
	}
	bench.results = json_object();
	bench.skipped = json_array();
	if (!interface_look(&bench))
		return 1;
	counter_look(&bench);
	clock_look(&bench);
	stamps_look(&bench);
	json_object_set_new(bench.results, "skipped", bench.skipped);
	r = results_write(&bench);
	json_decref(bench.results);
	close(bench.fd);
	return r < 0 ? 1 : 0;
}
