/* SPDX-License-Identifier: MIT */
/* What may move the oscillator, read from trees of sysfs and proc that are made up. */
#include <errno.h>
#include <ftw.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "covariates/reader.h"
#include "covariates/text.h"

#define SECOND 1000000000LL
#define HWMON "/sys/class/hwmon/hwmon"
#define CPU "/sys/devices/system/cpu/cpu"

static char root[] = "/tmp/chronotick-covariates-XXXXXX";
static const struct covariate_config everything = {
	.temperature = COVARIATE_AUTO,
	.cpu_frequency = true,
	.cpu_load = true,
	.memory = true,
	.interval_s = 10,
};

/* A file of the tree, with the directories that it needs */
__attribute__((format(printf, 2, 3))) static void put(const char *path, const char *format, ...)
{
	char whole[512], *at;
	va_list args;
	FILE *file;

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	for (at = whole + strlen(root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(whole, 0755);
		*at = '/';
	}
	file = fopen(whole, "w");
	cr_assert(file, "%s", whole);
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fclose(file);
}

static void away(const char *path)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	cr_assert_eq(unlink(whole), 0);
}

static int entry_remove(const char *path, const struct stat *status, int flag, struct FTW *where)
{
	(void)status;
	(void)flag;
	(void)where;
	return remove(path);
}

static void setup(void)
{
	cr_assert(mkdtemp(root));
}

static void teardown(void)
{
	nftw(root, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}

TestSuite(covariates, .init = setup, .fini = teardown);

static int temperature(const char *text, double *ret)
{
	return text_temperature(text, strlen(text), ret);
}

Test(covariates, a_temperature_is_one_of_this_world)
{
	static const struct {
		const char *text;
		int result;
		double value;
	} cases[] = {
		{"45250\n", 0, 45.25},
		{"0\n", 0, 0},
		{"-5000", 0, -5},
		{"-40000\n", 0, -40},
		{"125000\n", 0, 125},
		{"125001\n", -ERANGE, 0},
		{"-40001\n", -ERANGE, 0},
		{"-128000\n", -ERANGE, 0}, /* an input that is not connected */
		{"255000\n", -ERANGE, 0},
		{"99999999999999999999999999\n", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"\n", -EINVAL, 0},
		{"-\n", -EINVAL, 0},
		{"--5\n", -EINVAL, 0},
		{"+5\n", -EINVAL, 0},
		{"45.2\n", -EINVAL, 0},
		{"45250\n\n", -EINVAL, 0},
		{" 45250\n", -EINVAL, 0},
		{"nan\n", -EINVAL, 0},
		{"0x10\n", -EINVAL, 0},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double value = 0;

		cr_expect_eq(temperature(cases[i].text, &value), cases[i].result, "%s",
			     cases[i].text);
		cr_expect_float_eq(value, cases[i].value, 1e-9, "%s", cases[i].text);
	}
}

Test(covariates, a_frequency_is_one_of_a_cpu)
{
	static const struct {
		const char *text;
		int result;
		double value;
	} cases[] = {
		{"2400000\n", 0, 2400},    {"1000\n", 0, 1},           {"20000000\n", 0, 20000},
		{"999\n", -ERANGE, 0},     {"20000001\n", -ERANGE, 0}, {"0\n", -ERANGE, 0},
		{"<unknown>", -EINVAL, 0}, {"-1\n", -EINVAL, 0},       {"", -EINVAL, 0},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double value = 0;

		cr_expect_eq(text_frequency(cases[i].text, strlen(cases[i].text), &value),
			     cases[i].result, "%s", cases[i].text);
		cr_expect_float_eq(value, cases[i].value, 1e-9, "%s", cases[i].text);
	}
}

static int cpu_time(const char *text, struct text_cpu_time *ret)
{
	return text_cpu_time(text, strlen(text), ret);
}

Test(covariates, the_cpus_time_is_busy_or_idle)
{
	struct text_cpu_time time = {0, 0};

	/* user nice system idle iowait irq softirq steal; guests are in user already */
	cr_assert_eq(cpu_time("cpu  100 20 3 4000 500 6 7 8 90 10\ncpu0 1 1 1 1\n", &time), 0);
	cr_assert_eq(time.busy, 100 + 20 + 3 + 6 + 7 + 8);
	cr_assert_eq(time.idle, 4500);
	cr_assert_eq(cpu_time("cpu 1 2 3 4\n", &time), 0);
	cr_assert_eq(time.busy, 6);
	cr_assert_eq(time.idle, 4);
	cr_expect_eq(cpu_time("cpu 1 2 3\n", &time), -EINVAL);
	cr_expect_eq(cpu_time("cpu 1 2 3 4", &time), -EINVAL); /* cut off */
	cr_expect_eq(cpu_time("cpu0 1 2 3 4\n", &time), -EINVAL);
	cr_expect_eq(cpu_time("cpu 1 2 3 4x\n", &time), -EINVAL);
	cr_expect_eq(cpu_time("cpu 1 2 -3 4\n", &time), -EINVAL);
	cr_expect_eq(cpu_time("cpu 1 2 3 18446744073709551615\n", &time), -ERANGE);
	cr_expect_eq(cpu_time("", &time), -EINVAL);
	cr_expect_eq(time.busy, 6);
}

Test(covariates, stalled_time_is_the_total_of_some)
{
	static const char good[] = "some avg10=0.00 avg60=1.25 avg300=0.00 total=123456789\n"
				   "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
	static const char *const bad[] = {
		"",
		"some total=5",
		"some avg10=0.00\n",
		"full avg10=0.00 total=5\n",
		"some total=\n",
		"some total=x\n",
		"some total=5x\n",
		"some avg10=0.00\nfull total=5\n",
	};
	uint64_t us = 0;
	size_t i;

	cr_assert_eq(text_stalled(good, strlen(good), &us), 0);
	cr_assert_eq(us, 123456789);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(text_stalled(bad[i], strlen(bad[i]), &us), -EINVAL, "%s", bad[i]);
}

Test(covariates, a_machine_without_any_of_it_is_normal)
{
	struct covariates now;
	struct sensors sensors;
	int i;

	sensors_init(&sensors, &everything, root);
	for (i = 0; i < 100; i++) {
		sensors_read(&sensors, i * 10 * SECOND, &now);
		cr_assert_eq(now.present, 0);
	}
	cr_assert_str_eq(thermometers_name(&sensors.thermometers), "");
}

Test(covariates, what_is_switched_off_is_not_read)
{
	static const struct covariate_config load_only = {.cpu_load = true, .interval_s = 10};
	struct covariates now;
	struct sensors sensors;

	put(CPU "0/cpufreq/scaling_cur_freq", "2400000\n");
	put("/proc/stat", "cpu 10 0 0 10\n");
	sensors_init(&sensors, &load_only, root);
	sensors_read(&sensors, 0, &now);
	cr_assert_eq(now.present, 0);
	put("/proc/stat", "cpu 20 0 0 20\n");
	sensors_read(&sensors, SECOND, &now);
	cr_assert_eq(now.present, 1 << COVARIATE_CPU_LOAD);
	cr_assert_float_eq(now.value[COVARIATE_CPU_LOAD], 0.5, 1e-12);
}

Test(covariates, load_and_pressure_are_shares_of_the_time_between)
{
	struct covariates now;
	struct sensors sensors;

	sensors_init(&sensors, &everything, root);
	put("/proc/stat", "cpu 100 0 0 1000 50\n");
	put("/proc/pressure/memory", "some avg10=0.00 total=1000000\n");
	sensors_read(&sensors, 5 * SECOND, &now);
	cr_assert_eq(now.present, 0);
	put("/proc/stat", "cpu 175 0 0 1025 50\n");
	put("/proc/pressure/memory", "some avg10=0.00 total=3500000\n");
	sensors_read(&sensors, 15 * SECOND, &now);
	cr_assert_eq(now.present, 1 << COVARIATE_CPU_LOAD | 1 << COVARIATE_MEMORY);
	cr_assert_float_eq(now.value[COVARIATE_CPU_LOAD], 0.75, 1e-12);
	cr_assert_float_eq(now.value[COVARIATE_MEMORY], 0.25, 1e-12);
	/* Waiting for I/O may go back, and then nothing was idle; busy may not. */
	put("/proc/stat", "cpu 185 0 0 1025 40\n");
	put("/proc/pressure/memory", "some avg10=0.00 total=99500000\n");
	sensors_read(&sensors, 25 * SECOND, &now);
	cr_assert_float_eq(now.value[COVARIATE_CPU_LOAD], 1, 1e-12);
	cr_assert_float_eq(now.value[COVARIATE_MEMORY], 1, 1e-12);
	put("/proc/stat", "cpu 5 0 0 2000 40\n");
	put("/proc/pressure/memory", "some avg10=0.00 total=5\n");
	sensors_read(&sensors, 35 * SECOND, &now);
	cr_assert_eq(now.present, 0);
	/* One that is missing in between is no beginning. */
	away("/proc/stat");
	sensors_read(&sensors, 45 * SECOND, &now);
	put("/proc/stat", "cpu 15 0 0 3000 40\n");
	put("/proc/pressure/memory", "some avg10=0.00 total=5\n");
	sensors_read(&sensors, 55 * SECOND, &now);
	cr_assert_eq(now.present, 1 << COVARIATE_MEMORY);
	cr_assert_float_eq(now.value[COVARIATE_MEMORY], 0, 1e-12);
}

Test(covariates, the_frequency_is_the_mean_of_the_cpus_that_tell)
{
	struct covariates now;
	struct sensors sensors;

	sensors_init(&sensors, &everything, root);
	put(CPU "0/cpufreq/scaling_cur_freq", "1000000\n");
	put(CPU "1/cpufreq/scaling_cur_freq", "3000000\n");
	put(CPU "2/cpufreq/scaling_cur_freq", "0\n");
	put(CPU "10/online", "0\n");
	put("/sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "9000000\n");
	sensors_read(&sensors, 0, &now);
	cr_assert_eq(now.present, 1 << COVARIATE_CPU_FREQUENCY);
	cr_assert_float_eq(now.value[COVARIATE_CPU_FREQUENCY], 2000, 1e-9);
}

Test(covariates, of_many_cpus_some_of_all_places_are_read)
{
	struct covariates now;
	struct sensors sensors;
	char path[128];
	int i;

	for (i = 0; i < 256; i++) {
		snprintf(path, sizeof(path), CPU "%d/cpufreq/scaling_cur_freq", i);
		put(path, "%d\n", i < 128 ? 1000000 : 2000000);
	}
	sensors_init(&sensors, &everything, root);
	sensors_read(&sensors, 0, &now);
	cr_assert_eq(sensors.cpu_count, SENSORS_CPUS_MAX);
	cr_assert_float_eq(now.value[COVARIATE_CPU_FREQUENCY], 1500, 1e-9);
}

/* A sensor of a chip */
static void sensor(int device, int input, const char *chip, const char *label, int value)
{
	char path[128];

	snprintf(path, sizeof(path), HWMON "%d/name", device);
	put(path, "%s\n", chip);
	snprintf(path, sizeof(path), HWMON "%d/temp%d_label", device, input);
	if (label)
		put(path, "%s\n", label);
	snprintf(path, sizeof(path), HWMON "%d/temp%d_input", device, input);
	put(path, "%d\n", value);
}

/* A server: a drive, the CPU, and a board whose first sensor stands still */
static void server(int round)
{
	sensor(0, 1, "nvme", "Composite", 40000 + 100 * round);
	sensor(1, 1, "coretemp", "Package id 0", 60000 + 1000 * (round % 7));
	sensor(1, 2, "coretemp", "Core 0", 61000 + 1000 * (round % 5));
	sensor(2, 1, "nct6798", "SYSTIN", 27800);
	sensor(2, 2, "nct6798", "AUXTIN0", -128000);
	sensor(2, 3, "nct6798", "MB Temperature", 35000 + 500 * (round / 6));
	put("/sys/class/thermal/thermal_zone0/type", "acpitz\n");
	put("/sys/class/thermal/thermal_zone0/temp", "27800\n");
}

Test(covariates, the_thermometer_is_the_nearest_to_the_board_that_moves)
{
	struct covariates now;
	struct sensors sensors;
	int i;

	sensors_init(&sensors, &everything, root);
	for (i = 0; i < THERMOMETER_READINGS; i++) {
		cr_assert_str_eq(thermometers_name(&sensors.thermometers), "");
		server(i);
		sensors_read(&sensors, i * 10 * SECOND, &now);
	}
	cr_assert_eq(now.present, 1 << COVARIATE_TEMPERATURE);
	cr_assert_str_eq(thermometers_name(&sensors.thermometers), "nct6798 MB Temperature");
	cr_assert_float_eq(now.value[COVARIATE_TEMPERATURE], 36, 1e-9);
	/* It stays that one, and says nothing while that one cannot be. */
	sensor(2, 3, "nct6798", "MB Temperature", 127000);
	sensors_read(&sensors, i * 10 * SECOND, &now);
	cr_assert_eq(now.present, 0);
	server(24);
	sensors_read(&sensors, i * 10 * SECOND, &now);
	cr_assert_float_eq(now.value[COVARIATE_TEMPERATURE], 37, 1e-9);
}

Test(covariates, a_thermometer_that_is_lost_is_replaced_in_the_end)
{
	struct covariates now;
	struct sensors sensors;
	int i;

	sensors_init(&sensors, &everything, root);
	for (i = 0; i < THERMOMETER_READINGS; i++) {
		server(i);
		sensors_read(&sensors, i * 10 * SECOND, &now);
	}
	away(HWMON "2/temp3_input");
	for (i = 0; i < THERMOMETER_FAILURES; i++) {
		sensors_read(&sensors, i * 10 * SECOND, &now);
		cr_assert_eq(now.present, 0);
	}
	for (i = 0; i < THERMOMETER_READINGS; i++) {
		sensor(1, 1, "coretemp", "Package id 0", 50000 + 1000 * i);
		sensors_read(&sensors, i * 10 * SECOND, &now);
	}
	cr_assert_str_eq(thermometers_name(&sensors.thermometers), "coretemp Package id 0");
	cr_assert_eq(now.present, 1 << COVARIATE_TEMPERATURE);
}

Test(covariates, the_thermometer_that_was_asked_for_is_read_at_once)
{
	struct covariate_config config = {.temperature = HWMON "*/temp2_input", .interval_s = 10};
	struct covariates now;
	struct sensors sensors;

	server(0);
	sensors_init(&sensors, &config, root);
	sensors_read(&sensors, 0, &now);
	cr_assert_eq(now.present, 1 << COVARIATE_TEMPERATURE);
	cr_assert_float_eq(now.value[COVARIATE_TEMPERATURE], 61, 1e-9);
	cr_assert(strstr(thermometers_name(&sensors.thermometers), "hwmon1/temp2_input"));
}

Test(covariates, of_a_hundred_thermometers_the_best_are_watched)
{
	struct covariate_config config = {.temperature = COVARIATE_AUTO, .interval_s = 10};
	struct covariates now;
	struct sensors sensors;
	char label[32];
	int i;

	for (i = 1; i <= 100; i++) {
		snprintf(label, sizeof(label), "Core %d", i);
		sensor(0, i, "coretemp", label, 50000);
	}
	sensor(7, 1, "pch_cannonlake", NULL, 48000);
	sensors_init(&sensors, &config, root);
	sensors_read(&sensors, 0, &now);
	cr_assert_eq(sensors.thermometers.count, THERMOMETERS_MAX);
	cr_assert_str_eq(sensors.thermometers.at[0].name, "pch_cannonlake temp1");
	for (i = 1; i < THERMOMETERS_MAX; i++)
		cr_assert_lt(strcmp(sensors.thermometers.at[i].name, "coretemp D"), 0);
}

/* Look until a reading is there; the time that is told is not the real one. */
static bool wait_for(struct covariate_reader *reader, int64_t now_ns, struct covariate_reading *ret)
{
	const struct timespec moment = {0, 1000000};
	int i;

	for (i = 0; i < 20000; i++) {
		if (covariate_reader_tick(reader, now_ns, ret))
			return true;
		nanosleep(&moment, NULL);
	}
	return false;
}

Test(covariates, the_reader_reads_when_it_is_asked, .timeout = 60)
{
	struct covariate_reader *reader;
	struct covariate_reading reading;
	const struct timespec moment = {0, 1000000};
	int i;

	put(CPU "0/cpufreq/scaling_cur_freq", "1000000\n");
	cr_assert_eq(covariate_reader_new(&reader, &everything, root), 0);
	cr_assert(wait_for(reader, 0, &reading));
	cr_assert_eq(reading.values.present, 1 << COVARIATE_CPU_FREQUENCY);
	cr_assert_float_eq(reading.values.value[COVARIATE_CPU_FREQUENCY], 1000, 1e-9);
	put(CPU "0/cpufreq/scaling_cur_freq", "2000000\n");
	for (i = 0; i < 100; i++) { /* it is not time yet */
		cr_assert(!covariate_reader_tick(reader, 9 * SECOND, &reading));
		nanosleep(&moment, NULL);
	}
	cr_assert(wait_for(reader, 10 * SECOND, &reading));
	cr_assert_float_eq(reading.values.value[COVARIATE_CPU_FREQUENCY], 2000, 1e-9);
	covariate_reader_free(reader);
}

Test(covariates, what_took_too_long_is_dropped, .timeout = 60)
{
	struct covariate_reader *reader;
	struct covariate_reading reading;
	const struct timespec moment = {0, 1000000};
	int i;

	put(CPU "0/cpufreq/scaling_cur_freq", "1000000\n");
	cr_assert_eq(covariate_reader_new(&reader, &everything, root), 0);
	cr_assert(!covariate_reader_tick(reader, 0, &reading));
	for (i = 0; i < 200; i++)
		nanosleep(&moment, NULL);
	/* It has been there for long, but nobody looked: by now it may be of any time. */
	cr_assert(!covariate_reader_tick(reader, COVARIATE_LATE_NS + 1, &reading));
	covariate_reader_free(reader);
}

Test(covariates, without_anything_to_read_there_is_no_thread)
{
	static const struct covariate_config nothing = {.interval_s = 10};
	struct covariate_reader *reader = (void *)1;
	struct covariate_reading reading;

	cr_assert_eq(covariate_reader_new(&reader, &nothing, root), 0);
	cr_assert_null(reader);
	cr_assert(!covariate_reader_tick(reader, 0, &reading));
	covariate_reader_free(reader);
}
