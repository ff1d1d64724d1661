/* SPDX-License-Identifier: MIT */
/*
 * The stated time: the interface's clock, the kernel's and the page's, all against the counter. The
 * counter is what they have in common, so whatever two of them show in the same way is the counter's.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "nic/bench.h"
#include "nic/series.h"
#include "timestamping/cross.h"
#include "timestamping/phc.h"
#include "timestamping/phc_track.h"

#define INTERVAL_NS 100000000LL

/* The sources' samples that are kept; a page has 32 sources. */
#define SAMPLES_MAX NIC_REPORT_POINTS

struct course {
	struct bench *bench;
	struct phc_device device;
	struct phc phc;
	struct phc_track track;
	struct chronotick *ct;
	FILE *log, *samples;
	int64_t interval_ns;
	unsigned int count; /* of the points in time, with or without a reading of each */
	uint64_t first;     /* the counter at the first one */
	int64_t phc_first, raw_first, utc_first;
	unsigned int phc_count, raw_count, utc_count, bound_count, sample_count;
	uint64_t seen[CHRONOTICK_SOURCES_MAX]; /* the counter of each source's latest sample */
};

static double at[NIC_REPORT_POINTS];
static double phc_phase[NIC_REPORT_POINTS], raw_phase[NIC_REPORT_POINTS];
static double utc_phase[NIC_REPORT_POINTS], utc_less_phc[NIC_REPORT_POINTS];
static int64_t bounds[NIC_REPORT_POINTS], offsets[SAMPLES_MAX];
static int64_t system_offsets[NIC_REPORT_POINTS];

/* How far a clock is ahead of the counter, since the first reading of it */
static double phase_of(const struct course *course, uint64_t counter, int64_t clock_ns,
		       int64_t *first, unsigned int *count)
{
	int64_t passed = counter_to_ns(&course->bench->counter, counter - course->first);

	if (!(*count)++)
		*first = clock_ns - passed;
	return (double)(clock_ns - *first - passed);
}

/* What has come since the last look: the page has the latest sample of each source */
static void samples_look(struct course *course)
{
	const struct chronotick_page *page = chronotick_page_of(course->ct);
	struct nic_plot *plot = &course->bench->plots[PLOT_OFFSET];
	unsigned int i;

	for (i = 0; i < CHRONOTICK_SOURCES_MAX; i++) {
		const struct chronotick_source *source = &page->source[i];
		uint64_t counter = __atomic_load_n(&source->last_counter, __ATOMIC_ACQUIRE);
		int64_t offset_ns = __atomic_load_n(&source->offset_ns, __ATOMIC_RELAXED);
		bool first = !course->seen[i];

		/* Written between the two: the next look takes it. */
		if (!counter || counter == course->seen[i] ||
		    counter != __atomic_load_n(&source->last_counter, __ATOMIC_ACQUIRE))
			continue;
		course->seen[i] = counter;
		if (first || source->state != CHRONOTICK_SOURCE_SELECTED ||
		    (int64_t)(counter - course->first) < 0 || course->sample_count >= SAMPLES_MAX)
			continue;
		plot->x[plot->count] =
			(double)counter_to_ns(&course->bench->counter, counter - course->first) *
			1e-9;
		plot->y[plot->count++] = (double)offset_ns;
		offsets[course->sample_count++] = offset_ns;
		if (course->samples)
			fprintf(course->samples, "%u,%" PRIu64 ",%" PRId64 ",%" PRIu64 "\n", i,
				counter, offset_ns, (uint64_t)source->delay_ns);
	}
}

/* How far the system clock is off, by the page */
static void system_look(struct course *course, double seconds)
{
	struct nic_plot *plot = &course->bench->plots[PLOT_SYSTEM];
	struct chronotick_interval then;
	struct cross system;

	if (cross_read(&system, &course->bench->counter, CLOCK_REALTIME) < 0 ||
	    chronotick_at(course->ct, system.counter, &then) < 0)
		return;
	system_offsets[plot->count] = then.utc_ns - system.system_ns;
	plot->x[plot->count] = seconds;
	plot->y[plot->count] = (double)system_offsets[plot->count];
	plot->count++;
}

static void page_read(struct course *course, uint64_t counter, unsigned int i,
		      struct chronotick_interval *now)
{
	struct nic_plot *plot = &course->bench->plots[PLOT_BOUND];

	if (!course->ct)
		return;
	samples_look(course);
	if (chronotick_at(course->ct, counter, now) < 0)
		return;
	system_look(course, at[i]);
	utc_phase[i] =
		phase_of(course, counter, now->utc_ns, &course->utc_first, &course->utc_count);
	plot->x[plot->count] = at[i];
	bounds[course->bound_count++] = (now->latest_ns - now->earliest_ns) / 2;
	plot->y[plot->count++] = (double)bounds[course->bound_count - 1];
}

/* One point in time */
static void point_take(struct course *course)
{
	const struct counter *counter = &course->bench->counter;
	struct chronotick_interval now = {0};
	struct phc_reading reading = {0};
	unsigned int i = course->count++;
	struct cross raw = {0};
	bool has_phc;

	phc_phase[i] = raw_phase[i] = utc_phase[i] = utc_less_phc[i] = NAN;
	has_phc = course->device.fd >= 0 && phc_read(&course->phc, &reading) == 0;
	if (!has_phc)
		reading.counter = counter_read(counter);
	if (!i)
		course->first = reading.counter;
	at[i] = (double)counter_to_ns(counter, reading.counter - course->first) * 1e-9;
	if (has_phc) {
		phc_track_add(&course->track, &reading);
		phc_phase[i] = phase_of(course, reading.counter, reading.phc_ns, &course->phc_first,
					&course->phc_count);
	}
	page_read(course, reading.counter, i, &now);
	if (has_phc && now.utc_ns)
		utc_less_phc[i] = (double)(now.utc_ns - reading.phc_ns);
	if (counter->kind != CHRONOTICK_COUNTER_MONOTONIC_RAW &&
	    cross_read(&raw, counter, CLOCK_MONOTONIC_RAW) == 0)
		raw_phase[i] = phase_of(course, raw.counter, raw.system_ns, &course->raw_first,
					&course->raw_count);
	if (course->log)
		fprintf(course->log,
			"%" PRIu64 ",%" PRId64 ",%" PRId64 ",%" PRIu64 ",%" PRId64 ",%" PRId64
			",%" PRId64 ",%" PRId64 "\n",
			reading.counter, reading.phc_ns, reading.error_ns, raw.counter,
			raw.system_ns, raw.error_ns, now.utc_ns,
			(now.latest_ns - now.earliest_ns) / 2);
}

/* The points that there are; the line goes. Returns its slope in ppb. */
static double plot_fill(struct nic_plot *plot, double *values, unsigned int count)
{
	double slope = series_line_remove(values, at, count);
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (isnan(values[i]))
			continue;
		plot->x[plot->count] = at[i];
		plot->y[plot->count++] = values[i];
	}
	return slope;
}

/* The deviation at a second, as it is quoted */
static json_t *adev_at_1s(const struct nic_plot *plot)
{
	unsigned int i;

	for (i = 0; i < plot->count; i++)
		if (fabs(plot->x[i] - 1) < 0.05)
			return json_real(plot->y[i]);
	return json_null();
}

static json_t *phase_json(struct course *course, enum bench_plot phase, enum bench_plot adev,
			  double *values, unsigned int known)
{
	struct nic_plot *plots = course->bench->plots;
	double tau0_s = (double)course->interval_ns * 1e-9, slope;
	json_t *object, *list;

	slope = plot_fill(&plots[phase], values, course->count);
	list = bench_adev(&plots[adev], values, course->count, tau0_s);
	object = json_pack("{sisfsoso}", "readings", (int)known, "rate_ppb", slope, "adev_1s",
			   adev_at_1s(&plots[adev]), "adev", list);
	return object;
}

static void phc_json(struct course *course, json_t *results)
{
	json_t *object;

	if (!course->phc_count)
		return;
	object = phase_json(course, PLOT_PHC, PLOT_PHC_ADEV, phc_phase, course->phc_count);
	json_object_set_new(object, "steps", json_integer((json_int_t)course->track.jumps));
	json_object_set_new(results, "phc_against_counter", object);
}

static void raw_json(struct course *course, json_t *results)
{
	static int64_t residues[NIC_REPORT_POINTS];
	struct nic_plot *plot = &course->bench->plots[PLOT_RAW];
	unsigned int i;
	double slope;

	if (!course->raw_count)
		return;
	slope = plot_fill(plot, raw_phase, course->count);
	for (i = 0; i < plot->count; i++)
		residues[i] = llrint(plot->y[i]);
	json_object_set_new(results, "raw_against_counter",
			    json_pack("{sisfso}", "readings", (int)course->raw_count, "rate_ppb",
				      slope, "residue_ns", bench_quantiles(residues, plot->count)));
}

static void page_json(struct course *course, json_t *results)
{
	struct nic_plot *plot = &course->bench->plots[PLOT_PAGE_PHC];
	json_t *object;
	double mean = 0;
	unsigned int i;

	if (!course->ct)
		return;
	if (!course->utc_count) {
		bench_skip(course->bench, "offset and bound: the page tells no time, or on another "
					  "counter");
		return;
	}
	object = phase_json(course, PLOT_PAGE, PLOT_PAGE_ADEV, utc_phase, course->utc_count);
	json_object_set_new(object, "bound_ns", bench_quantiles(bounds, course->bound_count));
	json_object_set_new(
		object, "system_offset_ns",
		bench_quantiles(system_offsets, course->bench->plots[PLOT_SYSTEM].count));
	json_object_set_new(object, "samples", json_integer((json_int_t)course->sample_count));
	json_object_set_new(object, "offset_ns", bench_quantiles(offsets, course->sample_count));
	if (!course->sample_count)
		bench_skip(course->bench, "offsets: no source that is selected had a sample in "
					  "that time");
	for (i = 0; i < course->count; i++) {
		if (isnan(utc_less_phc[i]))
			continue;
		plot->x[plot->count] = at[i];
		plot->y[plot->count++] = utc_less_phc[i];
		mean += (utc_less_phc[i] - mean) / plot->count;
	}
	for (i = 0; i < plot->count; i++)
		plot->y[i] -= mean;
	json_object_set_new(object, "mean_offset_to_phc_ns",
			    plot->count ? json_real(mean) : json_null());
	json_object_set_new(results, "page", object);
}

static void course_open(struct course *course)
{
	struct phc_io io = phc_device_io(&course->device);
	struct bench *bench = course->bench;
	char path[32];

	course->device = (struct phc_device){-1, &bench->counter};
	if (bench->has.phc >= 0) {
		snprintf(path, sizeof(path), "/dev/ptp%d", bench->has.phc);
		course->device.fd = phc_device_open(path);
	}
	phc_init(&course->phc, &io, &bench->counter);
	phc_track_init(&course->track, &bench->counter);
	if (chronotick_open(&course->ct, NULL) < 0) {
		course->ct = NULL;
		bench_skip(bench, "offset and bound: no page, as no chronotickd runs here");
	}
	if (bench->counter.kind == CHRONOTICK_COUNTER_MONOTONIC_RAW)
		bench_skip(bench, "the counter against CLOCK_MONOTONIC_RAW: it is that clock");
	course->interval_ns = INTERVAL_NS;
	if (bench->seconds * BENCH_S / INTERVAL_NS > NIC_REPORT_POINTS)
		course->interval_ns = bench->seconds * BENCH_S / NIC_REPORT_POINTS;
	course->log = bench_file(bench, "course.csv");
	if (course->log)
		fputs("counter,phc_ns,phc_error_ns,raw_counter,raw_ns,raw_error_ns,utc_ns,"
		      "bound_ns\n",
		      course->log);
	if (course->ct)
		course->samples = bench_file(bench, "samples.csv");
	if (course->samples)
		fputs("source,counter,offset_ns,delay_ns\n", course->samples);
}

void course_look(struct bench *bench)
{
	struct course course = {.bench = bench};
	json_t *results = json_object();
	int64_t start_ns, next_ns;
	unsigned int wanted;

	course_open(&course);
	wanted = (unsigned int)(bench->seconds * BENCH_S / course.interval_ns);
	start_ns = next_ns = bench_now_ns();
	while (course.count < wanted && !bench_ended()) {
		next_ns += course.interval_ns;
		while (bench_now_ns() < next_ns && !bench_ended())
			usleep(1000);
		point_take(&course);
	}
	json_object_set_new(results, "seconds",
			    json_real((double)(bench_now_ns() - start_ns) * 1e-9));
	json_object_set_new(results, "interval_s", json_real((double)course.interval_ns * 1e-9));
	phc_json(&course, results);
	raw_json(&course, results);
	page_json(&course, results);
	json_object_set_new(bench->results, "course", results);
	bench_file_close(bench, course.log, "course.csv");
	bench_file_close(bench, course.samples, "samples.csv");
	if (course.device.fd >= 0)
		close(course.device.fd);
	chronotick_close(course.ct);
}
