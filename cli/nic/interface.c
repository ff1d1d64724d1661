/* SPDX-License-Identifier: MIT */
/* What the interface, its driver and the machine's counter are */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "nic/bench.h"
#include "timestamping/cpus.h"
#include "timestamping/cross.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define READS 500

/* As the daemon does at its start */
#define CPUS_WINDOWS 8
#define CPUS_REST_MS 2

static const char *const tx_names[] = {"off", "on", "onestep-sync", "onestep-p2p"};
static const char *const rx_names[] = {
	"none",           "all",           "some",
	"ptpv1-l4-event", "ptpv1-l4-sync", "ptpv1-l4-delay-req",
	"ptpv2-l4-event", "ptpv2-l4-sync", "ptpv2-l4-delay-req",
	"ptpv2-l2-event", "ptpv2-l2-sync", "ptpv2-l2-delay-req",
	"ptpv2-event",    "ptpv2-sync",    "ptpv2-delay-req",
	"ntp-all",
};

static json_t *names(uint32_t bits, const char *const *texts, unsigned int count)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < count; i++)
		if (bits & 1U << i)
			json_array_append_new(list, json_string(texts[i]));
	return list;
}

static json_t *setting(const struct hwtstamp_config *now)
{
	unsigned int tx = (unsigned int)now->tx_type, rx = (unsigned int)now->rx_filter;

	return json_pack("{ssss}", "tx_type", tx < COUNT(tx_names) ? tx_names[tx] : "unknown",
			 "rx_filter", rx < COUNT(rx_names) ? rx_names[rx] : "unknown");
}

int interface_look(struct bench *bench)
{
	const struct nic_io io = nic_system_io(&bench->fd);
	struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq request = {.ifr_data = (char *)&driver};
	struct hwtstamp_config now = {0};
	char below[IF_NAMESIZE] = "";
	json_t *object;
	int r;

	r = io.capabilities(io.data, bench->interface, &bench->has);
	if (r == -ENODEV)
		return r;
	if (io.lower(io.data, bench->interface, below) == 0 && *below)
		bench_skip(bench, "the device that stamps: %s lies on %s, name that",
			   bench->interface, below);
	if (r < 0) {
		bench->has = (struct nic_capabilities){.phc = -1};
		bench_skip(bench, "what %s can stamp: %s", bench->interface, strerror(-r));
	}
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", bench->interface);
	if (ioctl(bench->fd, SIOCETHTOOL, &request) < 0)
		snprintf(driver.driver, sizeof(driver.driver), "unknown");
	driver.driver[sizeof(driver.driver) - 1] = '\0';
	driver.fw_version[sizeof(driver.fw_version) - 1] = '\0';
	driver.bus_info[sizeof(driver.bus_info) - 1] = '\0';
	r = io.get(io.data, bench->interface, &now);
	object = json_pack(
		"{s:o,s:o,s:o,s:o,s:o,s:b,s:o,s:o,s:o}", "name", bench_text(bench->interface),
		"driver", bench_text(driver.driver), "firmware", bench_text(driver.fw_version),
		"bus", bench_text(driver.bus_info), "phc",
		bench->has.phc < 0 ? json_null() : json_integer(bench->has.phc), "hardware_stamps",
		(bench->has.flags & SOF_TIMESTAMPING_TX_HARDWARE) != 0, "tx_types",
		names(bench->has.tx_types, tx_names, COUNT(tx_names)), "rx_filters",
		names(bench->has.rx_filters, rx_names, COUNT(rx_names)), "setting",
		r == 0 ? setting(&now) : json_null());
	json_object_set_new(bench->results, "interface", object);
	return 0;
}

static json_t *cross_quality(const struct counter *counter, clockid_t clock)
{
	static int64_t errors[READS];
	unsigned int i, count = 0;
	struct cross cross;

	for (i = 0; i < READS; i++)
		if (cross_read(&cross, counter, clock) == 0)
			errors[count++] = cross.error_ns;
	return bench_quantiles(errors, count);
}

static uint64_t counter_of(void *data)
{
	return counter_read(data);
}

/* How far the counters of the CPUs that this may run on are apart */
static json_t *cpus_look(struct bench *bench)
{
	static struct cpus cpus;
	const struct cpus_config config = {counter_of, &bench->counter, bench->counter.step,
					   CPUS_WINDOWS, CPUS_REST_MS};
	const struct cpu_offset *other;
	struct cpus_job *job;
	uint64_t by = 0;
	cpu_set_t set;
	int r;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return json_null();
	cpus_init(&cpus, &set);
	if (cpus.count > 1) {
		r = cpus_start(&job, &cpus, 1, cpus.count - 1, &config);
		if (r < 0) {
			bench_skip(bench, "whether the CPUs' counters agree: %s", strerror(-r));
			return json_null();
		}
		cpus_finish(job, false, &cpus);
	} else {
		bench_skip(bench, "whether the CPUs' counters agree: this runs on one CPU only");
	}
	other = cpus_disagree(&cpus, &by);
	return json_pack("{sisisIsb}", "cpus", (int)cpus.count, "measured",
			 (int)cpus_measured(&cpus), "apart_ns",
			 (json_int_t)counter_to_ns(&bench->counter, cpus_apart(&cpus)), "disagree",
			 other != NULL);
}

void counter_look(struct bench *bench)
{
	const struct counter *counter = &bench->counter;

	json_object_set_new(
		bench->results, "counter",
		json_pack("{sssIsIsssososo}", "kind", chronotick_counter_name(counter->kind), "hz",
			  (json_int_t)counter->hz, "step_counts", (json_int_t)counter->step,
			  "cross_timestamps", counter->cross ? "module" : "bracket", "raw_error_ns",
			  cross_quality(counter, CLOCK_MONOTONIC_RAW), "realtime_error_ns",
			  cross_quality(counter, CLOCK_REALTIME), "cpus", cpus_look(bench)));
}
