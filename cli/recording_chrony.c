/* SPDX-License-Identifier: MIT */
/*
 * chronyd's measurements.log, as chrony 4 writes it with "log measurements" or "rawmeasurements":
 * chrony.conf(5) describes the columns. Its times are whole seconds; what a source measured several
 * times in one is taken to lie a millisecond apart.
 */
#include "recording_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define S 1000000000LL
#define MS_PER_S 1e3
#define MS 1000000LL
#define COLUMNS 20
/* ns since 1970 have room for these. */
#define YEAR_MIN 1970
#define YEAR_MAX 2199
/* Lines of several sources may be out of order by a little; chronyd does not step back by more. */
#define BACK_MAX_NS (60 * S)

enum column {
	DATE,
	TIME,
	ADDRESS,
	LEAP,
	STRATUM,
	TESTS_123,
	TESTS_567,
	TESTS_ABCD,
	LOCAL_POLL,
	REMOTE_POLL,
	SCORE,
	OFFSET,
	DELAY,
	DISPERSION,
	ROOT_DELAY,
	ROOT_DISPERSION,
	REFERENCE,
	MODE,
	TX,
	RX,
};

static const char leaps[] = "N+-?"; /* by the leap indicator of RFC 5905 */

static bool is_date(const char *line)
{
	static const char form[] = "0000-00-00 00:00:00";
	unsigned int i;

	for (i = 0; form[i]; i++)
		if (form[i] == '0' ? line[i] < '0' || line[i] > '9' : line[i] != form[i])
			return false;
	return true;
}

static bool is_title(const char *line)
{
	return strncmp(line, "=====", 5) == 0 ||
	       strncmp(line + strspn(line, " "), "Date (UTC)", strlen("Date (UTC)")) == 0;
}

static bool chrony_knows(const char *line)
{
	return is_title(line) || is_date(line);
}

/* Cut the line at its blanks. Returns how many fields there are, at most COLUMNS + 1. */
static unsigned int fields_of(char *line, char *ret[COLUMNS + 1])
{
	unsigned int count = 0;
	char *field;

	while (count <= COLUMNS && (field = strsep(&line, " \t")))
		if (*field)
			ret[count++] = field;
	return count;
}

/* Date and time of UTC. What is no date is one when it is made good: it is another one then. */
static int time_of(struct recording *recording, const char *date, const char *time, int64_t *ret)
{
	char text[32];
	struct tm tm = {0}, made;
	time_t seconds;

	snprintf(text, sizeof(text), "%.12s %.12s", date, time);
	if (!is_date(text) || text[19])
		goto none;
	if (sscanf(text, "%d-%d-%d %d:%d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
		   &tm.tm_min, &tm.tm_sec) != 6)
		goto none;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	made = tm;
	seconds = timegm(&made);
	/* A second 60 of a leap second is taken for the one after it. */
	if (tm.tm_year < YEAR_MIN - 1900 || tm.tm_year > YEAR_MAX - 1900 || tm.tm_sec > 60)
		goto none;
	if (tm.tm_sec < 60 && (made.tm_mon != tm.tm_mon || made.tm_mday != tm.tm_mday ||
			       made.tm_hour != tm.tm_hour || made.tm_min != tm.tm_min))
		goto none;
	*ret = seconds * S;
	return 0;
none:
	return recording_refuse(recording, "date and time: \"%s\" is none", text);
}

static int seconds_of(struct recording *recording, const char *name, const char *text, double min,
		      double max, int64_t *ret)
{
	double value;
	char *end;

	value = strtod(text, &end);
	if (end == text || *end || !isfinite(value))
		return recording_refuse(recording, "%s: \"%.40s\" is no number", name, text);
	if (value < min || value > max)
		return recording_refuse(recording, "%s: %g s is out of range; allowed: %g to %g",
					name, value, min, max);
	*ret = llrint(value * 1e9);
	return 0;
}

/* All of these digits are 1; -EINVAL: they are none. */
static int tests_of(struct recording *recording, const char *text, size_t digits, bool *passed)
{
	if (strlen(text) != digits || text[strspn(text, "01")])
		return recording_refuse(recording, "tests: \"%.40s\" is no row of %zu times 0 or 1",
					text, digits);
	*passed = *passed && !strchr(text, '0');
	return 0;
}

/* Numbers and marks of one letter */
static int marks_of(struct recording *recording, char *const fields[COLUMNS], struct sample *ret)
{
	static const struct {
		char mark;
		uint8_t stamp;
	} stamps[] = {
		{'D', CHRONOTICK_STAMP_USER},
		{'K', CHRONOTICK_STAMP_KERNEL},
		{'H', CHRONOTICK_STAMP_HARDWARE},
	};
	const char *leap = strchr(leaps, *fields[LEAP]);
	unsigned long stratum;
	unsigned int i;
	char *end;

	if (!leap || fields[LEAP][1])
		return recording_refuse(recording, "leap status: \"%.40s\" is none of %s",
					fields[LEAP], leaps);
	ret->leap = (uint8_t)(leap - leaps);
	stratum = strtoul(fields[STRATUM], &end, 10);
	if (end == fields[STRATUM] || *end || stratum > 16)
		return recording_refuse(recording, "stratum: \"%.40s\" is none", fields[STRATUM]);
	ret->stratum = (uint8_t)stratum;
	for (i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++) {
		if (*fields[TX] == stamps[i].mark)
			ret->tx_stamp = stamps[i].stamp;
		if (*fields[RX] == stamps[i].mark)
			ret->rx_stamp = stamps[i].stamp;
	}
	if (!ret->tx_stamp || !ret->rx_stamp || fields[TX][1] || fields[RX][1])
		return recording_refuse(recording, "timestamps: \"%.40s %.40s\" are not of D, K, H",
					fields[TX], fields[RX]);
	return 0;
}

/* The source's index, a new one if its address is */
static int source_of(struct recording *recording, const char *address, uint16_t *ret)
{
	unsigned int i;

	for (i = 0; i < recording->address_count; i++) {
		if (strcmp(recording->addresses[i], address) == 0) {
			*ret = (uint16_t)i;
			return 0;
		}
	}
	if (strlen(address) >= RECORDING_ADDRESS_MAX)
		return recording_refuse(recording, "address: \"%.50s\" is too long", address);
	if (i == ENGINE_SOURCES_MAX)
		return recording_refuse(recording, "more than %d sources", ENGINE_SOURCES_MAX);
	*ret = (uint16_t)i;
	return 0;
}

static void source_add(struct recording *recording, uint16_t source, const char *address)
{
	struct sample_record *record;

	if (source < recording->address_count)
		return;
	strcpy(recording->addresses[recording->address_count++], address);
	recording_push(recording, ENGINE_INPUT_ADD)->input.source = source;
	record = recording_push(recording, SAMPLE_RECORD_NAME);
	record->input.source = source;
	snprintf(record->word, sizeof(record->word), "%s", address);
}

static int chrony_line(struct recording *recording, char *line)
{
	const double most_s = RECORDING_DELAY_MAX_MS / MS_PER_S;
	const double offset_s = RECORDING_OFFSET_MAX_MS / MS_PER_S;
	struct {
		const char *name;
		enum column column;
		double min, max;
		int64_t value;
	} numbers[] = {
		{"offset", OFFSET, -offset_s, offset_s, 0},
		/* Asymmetric jitter makes chronyd compute delays a little below 0. */
		{"peer delay", DELAY, -most_s, most_s, 0},
		{"peer dispersion", DISPERSION, 0, most_s, 0},
		{"root delay", ROOT_DELAY, 0, most_s, 0},
		{"root dispersion", ROOT_DISPERSION, 0, most_s, 0},
	};
	char *fields[COLUMNS + 1];
	unsigned int count, i;
	struct sample sample = {0};
	bool passed = true, chosen = true;
	int64_t utc_ns = 0, raw_ns, *last_ns;

	if (is_title(line))
		return 0;
	count = fields_of(line, fields);
	if (count != COLUMNS)
		return recording_refuse(recording, "%s than the %d columns of measurements.log",
					count < COLUMNS ? "fewer" : "more", COLUMNS);
	if (time_of(recording, fields[DATE], fields[TIME], &utc_ns) < 0 ||
	    tests_of(recording, fields[TESTS_123], 3, &passed) < 0 ||
	    tests_of(recording, fields[TESTS_567], 3, &passed) < 0 ||
	    tests_of(recording, fields[TESTS_ABCD], 4, &chosen) < 0 ||
	    marks_of(recording, fields, &sample) < 0 ||
	    source_of(recording, fields[ADDRESS], &sample.source) < 0)
		return -EINVAL;
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (seconds_of(recording, numbers[i].name, fields[numbers[i].column],
			       numbers[i].min, numbers[i].max, &numbers[i].value) < 0)
			return -EINVAL;
	if (!recording->has_time) {
		recording->epoch_ns = utc_ns;
		recording->raw_ns = RECORDING_START_NS;
		recording->has_time = true;
		recording_push_start(recording);
	}
	raw_ns = utc_ns - recording->epoch_ns + RECORDING_START_NS;
	if (raw_ns < recording->raw_ns - BACK_MAX_NS || raw_ns <= 0)
		return recording_refuse(recording, "%s %s is before the lines above it",
					fields[DATE], fields[TIME]);
	/* Tests A to D are chronyd's own choice of samples, which the engine makes for itself. */
	if (!passed || sample.stratum < 1 || sample.stratum > 15) {
		recording->counts.invalid++;
		return 0;
	}
	last_ns = &recording->last_ns[sample.source];
	if (raw_ns <= *last_ns && *last_ns + MS < raw_ns + S)
		raw_ns = *last_ns + MS;
	*last_ns = raw_ns;
	if (raw_ns > recording->raw_ns)
		recording->raw_ns = raw_ns;
	source_add(recording, sample.source, fields[ADDRESS]);
	recording_push_time(recording);
	sample.counter = (uint64_t)raw_ns;
	sample.offset_ns = recording->epoch_ns - RECORDING_START_NS + numbers[0].value;
	sample.delay_ns = numbers[1].value > 0 ? numbers[1].value : 0;
	sample.dispersion_ns = numbers[2].value;
	sample.root_delay_ns = numbers[3].value;
	sample.root_dispersion_ns = numbers[4].value;
	recording_push_sample(recording, &sample);
	return 0;
}

const struct recording_kind recording_chrony = {
	.name = "chrony",
	.disciplined = true,
	.knows = chrony_knows,
	.line = chrony_line,
};
