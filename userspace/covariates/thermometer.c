/* SPDX-License-Identifier: MIT */
#include "covariates/thermometer.h"

#include <dirent.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "base/file.h"
#include "covariates/text.h"

#define HWMON "/sys/class/hwmon"
#define ZONES "/sys/class/thermal"
#define RANK_OTHER 4

/* Where a sensor is, by its name: "CHIP LABEL" in hwmon, the type of a thermal zone. First match. */
static const struct {
	const char *pattern;
	unsigned int rank;
} places[] = {
	/* Of another device, with a heat of its own */
	{"nvme*", 5},
	{"drivetemp*", 5},
	{"amdgpu*", 5},
	{"radeon*", 5},
	{"nouveau*", 5},
	{"iwlwifi*", 5},
	{"mlx[0-9]*", 5},
	{"i350bb*", 5},
	{"BAT[0-9]*", 5},
	/* Of the board; the chipset is where the crystal of most CPUs' counters is. */
	{"pch_*", 0},
	{"* SYSTIN", 0},
	{"* [Mm]otherboard*", 0},
	{"* MB*", 0},
	{"* [Ss]ystem*", 0},
	{"* [Aa]mbient*", 1},
	{"* [Ii]nlet*", 1},
	{"acpitz*", 1},
	/* Of the CPU as a whole, then of its cores */
	{"coretemp Package*", 2},
	{"k10temp T[cd]*", 2},
	{"zenpower T[cd]*", 2},
	{"x86_pkg_temp", 2},
	{"cpu[-_]thermal*", 2},
	{"soc[-_]thermal*", 2},
	{"coretemp*", 3},
	{"k10temp*", 3},
	{"zenpower*", 3},
};

static unsigned int rank_of(const char *name)
{
	unsigned int i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (fnmatch(places[i].pattern, name, 0) == 0)
			return places[i].rank;
	return RANK_OTHER;
}

/* A line of printable ASCII; "" if there is none. */
static void word_read(const char *path, char *ret, size_t size)
{
	ssize_t got = file_read(path, ret, size - 1, NULL);
	ssize_t i;

	for (i = 0; i < got && ret[i] >= ' ' && ret[i] <= '~'; i++)
		;
	ret[i] = '\0';
}

static bool temperature_read(const struct thermometer *thermometer, double *ret_c)
{
	char text[32];
	ssize_t size = file_read(thermometer->path, text, sizeof(text), NULL);

	return size > 0 && text_temperature(text, (size_t)size, ret_c) == 0;
}

/* Keep the best ones, in order: by rank, and then by path, so that it is always the same. */
static void candidate_add(struct thermometers *thermometers, const char *path, const char *name)
{
	struct thermometer fresh = {.rank = rank_of(name)};
	unsigned int i = thermometers->count;

	if ((size_t)snprintf(fresh.path, sizeof(fresh.path), "%s", path) >= sizeof(fresh.path))
		return;
	snprintf(fresh.name, sizeof(fresh.name), "%s", name);
	while (i > 0) {
		const struct thermometer *before = &thermometers->at[i - 1];

		if (before->rank < fresh.rank ||
		    (before->rank == fresh.rank && strcmp(before->path, fresh.path) <= 0))
			break;
		if (i < THERMOMETERS_MAX)
			thermometers->at[i] = *before;
		i--;
	}
	if (i == THERMOMETERS_MAX)
		return;
	thermometers->at[i] = fresh;
	if (thermometers->count < THERMOMETERS_MAX)
		thermometers->count++;
}

/* tempN_input in a directory of hwmon */
static void input_add(struct thermometers *thermometers, const char *device, const char *input,
		      const char *chip)
{
	char path[THERMOMETER_PATH_MAX], label[32], name[THERMOMETER_NAME_MAX];
	int stem = (int)strcspn(input, "_");

	if ((size_t)snprintf(path, sizeof(path), "%s/%.*s_label", device, stem, input) >=
	    sizeof(path))
		return;
	word_read(path, label, sizeof(label));
	if (*label)
		snprintf(name, sizeof(name), "%s %s", chip, label);
	else
		snprintf(name, sizeof(name), "%s %.*s", chip, stem, input);
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", device, input) < sizeof(path))
		candidate_add(thermometers, path, name);
}

static void device_look(struct thermometers *thermometers, const char *device)
{
	char path[THERMOMETER_PATH_MAX], chip[24];
	struct dirent *entry;
	DIR *directory;

	if ((size_t)snprintf(path, sizeof(path), "%s/name", device) >= sizeof(path))
		return;
	word_read(path, chip, sizeof(chip));
	directory = opendir(device);
	if (!directory)
		return;
	while ((entry = readdir(directory)))
		if (fnmatch("temp[0-9]*_input", entry->d_name, 0) == 0)
			input_add(thermometers, device, entry->d_name, chip);
	closedir(directory);
}

static void zone_look(struct thermometers *thermometers, const char *zone)
{
	char path[THERMOMETER_PATH_MAX], type[32];

	if ((size_t)snprintf(path, sizeof(path), "%s/type", zone) >= sizeof(path))
		return;
	word_read(path, type, sizeof(type));
	snprintf(path, sizeof(path), "%s/temp", zone);
	candidate_add(thermometers, path, type);
}

static void class_look(struct thermometers *thermometers, const char *class, const char *pattern,
		       void (*look)(struct thermometers *thermometers, const char *device))
{
	char path[THERMOMETER_PATH_MAX];
	struct dirent *entry;
	DIR *directory;

	if ((size_t)snprintf(path, sizeof(path), "%s%s", thermometers->root, class) >= sizeof(path))
		return;
	directory = opendir(path);
	if (!directory)
		return;
	while ((entry = readdir(directory))) {
		if (fnmatch(pattern, entry->d_name, 0) != 0)
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%s%s/%s", thermometers->root, class,
				     entry->d_name) < sizeof(path))
			look(thermometers, path);
	}
	closedir(directory);
}

/* The one that was asked for, if it is there */
static void wanted_look(struct thermometers *thermometers)
{
	char pattern[THERMOMETER_PATH_MAX];
	glob_t found;

	if ((size_t)snprintf(pattern, sizeof(pattern), "%s%s", thermometers->root,
			     thermometers->wanted) >= sizeof(pattern))
		return;
	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	if (found.gl_pathc) {
		const char *path = found.gl_pathv[0];
		size_t length = strlen(path);

		/* A long one is named by its end. */
		candidate_add(thermometers, path,
			      length < THERMOMETER_NAME_MAX
				      ? path
				      : path + length - (THERMOMETER_NAME_MAX - 1));
	}
	globfree(&found);
}

static void look(struct thermometers *thermometers)
{
	thermometers->chosen = NULL;
	thermometers->count = 0;
	thermometers->readings = 0;
	thermometers->failures = 0;
	if (thermometers->wanted) {
		wanted_look(thermometers);
		if (thermometers->count)
			thermometers->chosen = &thermometers->at[0];
		return;
	}
	class_look(thermometers, HWMON, "hwmon[0-9]*", device_look);
	class_look(thermometers, ZONES, "thermal_zone[0-9]*", zone_look);
}

/* One reading of all; then, if it is time, the first that has moved is the one. */
static void watch(struct thermometers *thermometers)
{
	unsigned int i;

	for (i = 0; i < thermometers->count; i++) {
		struct thermometer *thermometer = &thermometers->at[i];
		double value_c;

		if (!temperature_read(thermometer, &value_c))
			continue;
		if (thermometer->was_read)
			thermometer->moved |= value_c != thermometer->first_c;
		else
			thermometer->first_c = value_c;
		thermometer->was_read = true;
	}
	if (++thermometers->readings < THERMOMETER_READINGS)
		return;
	for (i = 0; i < thermometers->count && !thermometers->chosen; i++)
		if (thermometers->at[i].moved)
			thermometers->chosen = &thermometers->at[i];
}

void thermometers_init(struct thermometers *thermometers, const char *root, const char *wanted)
{
	memset(thermometers, 0, sizeof(*thermometers));
	thermometers->root = root;
	thermometers->wanted = wanted;
	thermometers->failures = THERMOMETER_FAILURES;
}

bool thermometers_read(struct thermometers *thermometers, double *ret_c)
{
	/* Drivers come late, and a device may go. */
	if (thermometers->failures >= THERMOMETER_FAILURES)
		look(thermometers);
	if (!thermometers->chosen && thermometers->count)
		watch(thermometers);
	if (thermometers->chosen && temperature_read(thermometers->chosen, ret_c)) {
		thermometers->failures = 0;
		return true;
	}
	if (thermometers->chosen || !thermometers->count)
		thermometers->failures++;
	return false;
}

const char *thermometers_name(const struct thermometers *thermometers)
{
	return thermometers->chosen ? thermometers->chosen->name : "";
}
