/* SPDX-License-Identifier: MIT */
/* The interface's clock: what each way of reading it costs and may err */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "nic/bench.h"
#include "nic/series.h"
#include "timestamping/phc.h"

#define READS 500

/* Whether it ticks is seen over so long. */
#define TICK_NS (BENCH_S / 5)

/* One way of reading it, READS times; null: the device does not have it */
static json_t *way_measure(struct phc *phc, enum phc_method method, FILE *log)
{
	static int64_t costs[READS], errors[READS];
	unsigned int count = 0, i;
	struct phc_reading reading;

	for (i = 0; i < READS && !bench_ended(); i++) {
		int64_t before = bench_now_ns();

		phc->method = method;
		phc->failures = 0;
		if (phc_read(phc, &reading) < 0 || phc->method != method)
			break;
		if (phc->failures) /* another way has helped out */
			continue;
		costs[count] = bench_now_ns() - before;
		errors[count++] = reading.error_ns;
		if (log)
			fprintf(log, "%s,%" PRId64 ",%" PRId64 "\n", phc_method_name(method),
				costs[count - 1], reading.error_ns);
	}
	if (!count)
		return json_null();
	return json_pack("{sisisoso}", "readings", (int)count, "brackets",
			 method == PHC_PRECISE ? 1 : PHC_SAMPLES, "cost_ns",
			 bench_quantiles(costs, count), "error_ns", bench_quantiles(errors, count));
}

static bool ticks(struct phc *phc)
{
	struct phc_reading first, last;

	if (phc_read(phc, &first) < 0)
		return false;
	usleep(TICK_NS / 1000);
	return phc_read(phc, &last) == 0 &&
	       series_ticks(first.phc_ns, last.phc_ns,
			    counter_to_ns(phc->counter, last.counter - first.counter));
}

void clock_look(struct bench *bench)
{
	struct phc_device device = {-1, &bench->counter};
	struct phc_io io = phc_device_io(&device);
	json_t *ways, *object;
	enum phc_method method;
	struct phc phc;
	char path[32];
	FILE *log;

	if (bench->has.phc < 0) {
		bench_skip(bench, "all of its clock: %s has none", bench->interface);
		return;
	}
	snprintf(path, sizeof(path), "/dev/ptp%d", bench->has.phc);
	device.fd = phc_device_open(path);
	if (device.fd < 0) {
		bench_skip(bench, "all of its clock: %s: %s", path, strerror(-device.fd));
		bench->has.phc = -1;
		return;
	}
	log = bench_file(bench, "reads.csv");
	if (log)
		fputs("way,cost_ns,error_ns\n", log);
	ways = json_object();
	phc_init(&phc, &io, &bench->counter);
	for (method = PHC_PRECISE; method < PHC_METHODS && !bench_ended(); method++)
		json_object_set_new(ways, phc_method_name(method), way_measure(&phc, method, log));
	bench_file_close(bench, log, "reads.csv");
	phc_init(&phc, &io, &bench->counter);
	object = json_pack("{sssosb}", "device", path, "ways", ways, "ticks", ticks(&phc));
	if (json_is_false(json_object_get(object, "ticks"))) {
		bench_skip(bench, "its clock over the time: %s does not tick", path);
		bench->has.phc = -1;
	}
	json_object_set_new(bench->results, "clock", object);
	close(device.fd);
}
