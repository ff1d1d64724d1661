/* SPDX-License-Identifier: MIT */
#include "covariates/sensors.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/file.h"

#define CPUS "/sys/devices/system/cpu"
#define CPU_NUMBER_MAX 65536
#define CPU_FAILURES 30 /* readings after which CPUs with a frequency are looked for again */

static ssize_t whole_read(const struct sensors *sensors, const char *path, char *text, size_t size)
{
	char whole[THERMOMETER_PATH_MAX];

	if ((size_t)snprintf(whole, sizeof(whole), "%s%s", sensors->root, path) >= sizeof(whole))
		return -ENAMETOOLONG;
	return file_read(whole, text, size, NULL);
}

static int compare(const void *a, const void *b)
{
	const int *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

/* Number of a directory's name "cpuN", or -1 */
static int cpu_number(const char *name)
{
	unsigned long number;

	if (fnmatch("cpu[0-9]*", name, 0) != 0)
		return -1;
	number = strtoul(name + 3, NULL, 10);
	return number < CPU_NUMBER_MAX ? (int)number : -1;
}

/* Returns how many CPUs there are, up to `room` of them in `ret`. */
static unsigned int cpus_list(const struct sensors *sensors, int *ret, unsigned int room)
{
	char path[THERMOMETER_PATH_MAX];
	unsigned int count = 0;
	struct dirent *entry;
	DIR *directory;

	if ((size_t)snprintf(path, sizeof(path), "%s" CPUS, sensors->root) >= sizeof(path))
		return 0;
	directory = opendir(path);
	if (!directory)
		return 0;
	while ((entry = readdir(directory)) && count < room)
		if (cpu_number(entry->d_name) >= 0)
			ret[count++] = cpu_number(entry->d_name);
	closedir(directory);
	return count;
}

static void cpus_look(struct sensors *sensors)
{
	int *all = calloc(CPU_NUMBER_MAX, sizeof(*all));
	unsigned int count, i;

	sensors->cpu_count = 0;
	sensors->cpu_failures = 0;
	if (!all)
		return;
	count = cpus_list(sensors, all, CPU_NUMBER_MAX);
	qsort(all, count, sizeof(*all), compare);
	sensors->cpu_count = count < SENSORS_CPUS_MAX ? count : SENSORS_CPUS_MAX;
	for (i = 0; i < sensors->cpu_count; i++)
		sensors->cpus[i] = all[(size_t)i * count / sensors->cpu_count];
	free(all);
}

static bool frequency_read(struct sensors *sensors, int64_t now_ns, double *ret)
{
	unsigned int count = 0, i;
	double sum = 0, value;
	char path[64], text[32];

	(void)now_ns;
	if (sensors->cpu_failures >= CPU_FAILURES)
		cpus_look(sensors);
	for (i = 0; i < sensors->cpu_count; i++) {
		ssize_t size;

		snprintf(path, sizeof(path), CPUS "/cpu%d/cpufreq/scaling_cur_freq",
			 sensors->cpus[i]);
		size = whole_read(sensors, path, text, sizeof(text));
		if (size <= 0 || text_frequency(text, (size_t)size, &value) < 0)
			continue;
		sum += value;
		count++;
	}
	sensors->cpu_failures = count ? 0 : sensors->cpu_failures + 1;
	if (!count) {
		sensors->cpu_count = 0;
		return false;
	}
	*ret = sum / count;
	return true;
}

static bool load_read(struct sensors *sensors, int64_t now_ns, double *ret)
{
	char text[512];
	ssize_t size = whole_read(sensors, "/proc/stat", text, sizeof(text));
	const struct text_cpu_time before = sensors->time;
	bool had = sensors->has_time;
	uint64_t busy, idle;

	(void)now_ns;
	sensors->has_time = size > 0 && text_cpu_time(text, (size_t)size, &sensors->time) == 0;
	if (!had || !sensors->has_time)
		return false;
	/* Time of waiting for I/O may go back (proc(5)). */
	idle = sensors->time.idle > before.idle ? sensors->time.idle - before.idle : 0;
	if (sensors->time.busy < before.busy)
		return false;
	busy = sensors->time.busy - before.busy;
	if (busy + idle == 0)
		return false;
	*ret = (double)busy / (double)(busy + idle);
	return true;
}

static bool memory_read(struct sensors *sensors, int64_t now_ns, double *ret)
{
	char text[512];
	ssize_t size = whole_read(sensors, "/proc/pressure/memory", text, sizeof(text));
	uint64_t before_us = sensors->stalled_us;
	int64_t before_ns = sensors->stalled_ns;
	bool had = sensors->has_stalled;
	double share;

	sensors->has_stalled =
		size > 0 && text_stalled(text, (size_t)size, &sensors->stalled_us) == 0;
	sensors->stalled_ns = now_ns;
	if (!had || !sensors->has_stalled || sensors->stalled_us < before_us || now_ns <= before_ns)
		return false;
	share = 1e3 * (double)(sensors->stalled_us - before_us) / (double)(now_ns - before_ns);
	*ret = share < 1 ? share : 1; /* two clocks' ends don't quite meet */
	return true;
}

static bool temperature_read(struct sensors *sensors, int64_t now_ns, double *ret)
{
	(void)now_ns;
	return thermometers_read(&sensors->thermometers, ret);
}

void sensors_init(struct sensors *sensors, const struct covariate_config *config, const char *root)
{
	bool choose = config->temperature && strcmp(config->temperature, COVARIATE_AUTO) == 0;

	memset(sensors, 0, sizeof(*sensors));
	sensors->config = *config;
	sensors->root = root;
	sensors->cpu_failures = CPU_FAILURES;
	thermometers_init(&sensors->thermometers, root, choose ? NULL : config->temperature);
}

void sensors_read(struct sensors *sensors, int64_t now_ns, struct covariates *ret)
{
	const struct {
		bool wanted;
		bool (*read)(struct sensors *sensors, int64_t now_ns, double *ret);
	} all[COVARIATE_COUNT] = {
		[COVARIATE_TEMPERATURE] = {sensors->config.temperature, temperature_read},
		[COVARIATE_CPU_FREQUENCY] = {sensors->config.cpu_frequency, frequency_read},
		[COVARIATE_CPU_LOAD] = {sensors->config.cpu_load, load_read},
		[COVARIATE_MEMORY] = {sensors->config.memory, memory_read},
	};
	unsigned int i;

	memset(ret, 0, sizeof(*ret));
	for (i = 0; i < COVARIATE_COUNT; i++)
		if (all[i].wanted && all[i].read(sensors, now_ns, &ret->value[i]))
			ret->present |= 1U << i;
}
