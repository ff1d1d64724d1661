/* SPDX-License-Identifier: MIT */
/*
 * chronotick-bench-nic: what a network interface and its clock are good for, measured without
 * changing anything but what --stamps asks for. scripts/bench-nic runs it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nic/bench.h"
#include "timestamping/device.h"

#define SECONDS_MAX 604800 /* a week */
#define PATH_SIZE 4200
#define EXIT_INTERRUPTED 130 /* as a shell has it for SIGINT */

static int complain(const char *what, int r)
{
	fprintf(stderr, "chronotick-bench-nic: %s: %s\n", what, strerror(-r));
	return r;
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

/* Results are new: those that are there are somebody's. *ret is open then. */
static int directory_open(const struct bench *bench, char path[PATH_SIZE], FILE **ret)
{
	int fd;

	if (mkdir(bench->directory, 0755) < 0 && errno != EEXIST)
		return complain(bench->directory, -errno);
	snprintf(path, PATH_SIZE, "%s/results.json", bench->directory);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return complain(path, -errno);
	*ret = fdopen(fd, "w");
	return *ret ? 0 : complain(path, -errno);
}

static int report_write(const struct bench *bench)
{
	char path[PATH_SIZE];
	FILE *file;
	int r;

	snprintf(path, sizeof(path), "%s/report.html", bench->directory);
	file = fopen(path, "we");
	if (!file)
		return complain(path, -errno);
	r = nic_report_write(file, bench->results, bench->plots, PLOTS);
	if (fclose(file) != 0 && r == 0)
		r = -errno;
	return r < 0 ? complain(path, r) : 0;
}

/* What does not get into the file is printed, so that it is not lost. */
static int results_write(const struct bench *bench, const char *path, FILE *file)
{
	const size_t flags = JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12);
	int r = json_dumpf(bench->results, file, flags) < 0 ? -errno : 0;

	if (fclose(file) != 0 && r == 0)
		r = -errno;
	if (r < 0) {
		complain(path, r);
		json_dumpf(bench->results, stdout, flags);
		putchar('\n');
	}
	return report_write(bench) < 0 ? -EIO : r;
}

static int usage(void)
{
	fputs("usage: chronotick-bench-nic [--seconds S] [--stamps [--peer ADDRESS]] INTERFACE "
	      "DIRECTORY\n",
	      stderr);
	return 2;
}

/* Returns whether they make sense. */
static bool arguments_take(struct bench *bench, int argc, char **argv)
{
	static const struct option options[] = {{"seconds", required_argument, NULL, 's'},
						{"stamps", no_argument, NULL, 't'},
						{"peer", required_argument, NULL, 'p'},
						{0}};
	char *rest = NULL;
	long seconds;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's') {
			seconds = strtol(optarg, &rest, 10);
			if (rest == optarg || *rest || seconds < 1 || seconds > SECONDS_MAX) {
				fprintf(stderr,
					"chronotick-bench-nic: --seconds %s: 1 to %d are meant\n",
					optarg, SECONDS_MAX);
				return false;
			}
			bench->seconds = (int)seconds;
		} else if (c == 't') {
			bench->stamps = true;
		} else if (c == 'p') {
			if (inet_pton(AF_INET, optarg, &bench->peer) != 1) {
				fprintf(stderr,
					"chronotick-bench-nic: --peer %s: no IPv4 address\n",
					optarg);
				return false;
			}
		} else {
			return false;
		}
	}
	if (argc - optind != 2)
		return false;
	bench->interface = argv[optind];
	bench->directory = argv[optind + 1];
	return true;
}

/* Each takes its share of time, and none is begun after somebody has asked to end. */
static void look(struct bench *bench)
{
	static void (*const parts[])(struct bench *) = {counter_look, clock_look, pages_look,
							course_look, stamps_look};
	unsigned int i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]) && !bench_ended(); i++)
		parts[i](bench);
	if (bench_ended())
		bench_skip(bench, "the rest: it was interrupted");
	json_object_set_new(bench->results, "interrupted", json_boolean(bench_ended()));
}

int main(int argc, char **argv)
{
	static struct bench bench = {
		.seconds = 30,
		.plots =
			{
				[PLOT_PHC] =
					{"The interface's clock against the counter, less a line",
					 "seconds", "ns"},
				[PLOT_PHC_ADEV] =
					{"Allan deviation of the interface's clock against "
					 "the counter",
					 "seconds", "1", true},
				[PLOT_RAW] =
					{"CLOCK_MONOTONIC_RAW against the counter, less a line",
					 "seconds", "ns"},
				[PLOT_SYSTEM] = {"The page's UTC less CLOCK_REALTIME", "seconds",
						 "ns"},
				[PLOT_OFFSET] =
					{"The selected sources against what they say together",
					 "seconds", "ns"},
				[PLOT_BOUND] = {"The page's bound", "seconds", "ns"},
				[PLOT_PAGE] = {"The page's UTC against the counter, less a line",
					       "seconds", "ns"},
				[PLOT_PAGE_ADEV] = {"Allan deviation of the page's UTC against the "
						    "counter",
						    "seconds", "1", true},
				[PLOT_PAGE_PHC] =
					{"The page's UTC less the interface's clock, less "
					 "the mean",
					 "seconds", "ns"},
			},
	};
	struct cross_device device;
	char path[PATH_SIZE];
	FILE *file;
	int r;

	if (!arguments_take(&bench, argc, argv))
		return usage();
	bench.results = json_object();
	bench.skipped = json_array();
	bench.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	r = bench.fd < 0 ? -errno : 0;
	if (r == 0)
		r = strlen(bench.interface) < IF_NAMESIZE ? interface_look(&bench) : -ENODEV;
	if (r == -ENODEV)
		fprintf(stderr, "chronotick-bench-nic: there is no interface %s\n",
			bench.interface);
	else if (r < 0)
		complain(bench.interface, r);
	if (r < 0)
		return 1;
	r = counter_open(&bench.counter);
	if (r < 0) {
		complain("the counter", r);
		return 1;
	}
	if (directory_open(&bench, path, &file) < 0)
		return 1;
	bench_signals();
	cross_device_open(&device, &bench.counter, NULL);
	look(&bench);
	json_object_set_new(bench.results, "skipped", bench.skipped);
	r = results_write(&bench, path, file);
	cross_device_close(&device);
	json_decref(bench.results);
	close(bench.fd);
	if (bench_ended())
		fprintf(stderr,
			"chronotick-bench-nic: interrupted: %s has what was measured by then\n",
			bench.directory);
	if (r < 0)
		return 1;
	return bench_ended() ? EXIT_INTERRUPTED : 0;
}
