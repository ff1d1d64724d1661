/* SPDX-License-Identifier: MIT */
/* The pages: what a read costs through each, and how they are published */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"
#include "measure_json.h"
#include "nic/bench.h"

#define READS 100000
#define WATCH_NS (3 * BENCH_S)
#define WATCH_PAUSE_US 200
#define PUBLICATIONS_MAX 4096

/* A publication's time is its line's anchor, so when it is seen does not matter. */
static json_t *publication_json(struct bench *bench, const char *name, const struct chronotick *ct,
				FILE *log)
{
	static int64_t intervals[PUBLICATIONS_MAX];
	const struct chronotick_page *page = chronotick_page_of(ct);
	const struct chronotick_statistics *told = &page->statistics;
	double ns_per_count = 1e9 / (double)page->header.counter_hz;
	int64_t end_ns = bench_now_ns() + WATCH_NS;
	uint64_t anchor, last = 0;
	unsigned int count = 0;

	while (bench_now_ns() < end_ns && count < PUBLICATIONS_MAX && !bench_ended()) {
		anchor = __atomic_load_n(&page->clock[1].anchor, __ATOMIC_ACQUIRE);
		if (last && anchor != last) {
			intervals[count] = (int64_t)((double)(anchor - last) * ns_per_count);
			if (log)
				fprintf(log, "%s,%" PRId64 "\n", name, intervals[count]);
			count++;
		}
		last = anchor;
		usleep(WATCH_PAUSE_US);
	}
	if (!count && !bench_ended())
		bench_skip(bench, "publication of the page (%s): nothing was published in %lld s",
			   name, WATCH_NS / BENCH_S);
	return json_pack("{sisosIsIsI}", "seen", (int)count, "interval_ns",
			 bench_quantiles(intervals, count), "sample_to_line_last_ns",
			 (json_int_t)told->publish_last_ns, "sample_to_line_mean_ns",
			 (json_int_t)told->publish_mean_ns, "sample_to_line_max_ns",
			 (json_int_t)told->publish_max_ns);
}

static void page_look(struct bench *bench, const char *path, const char *backend, FILE *log)
{
	struct chronotick_interval now;
	struct measure measure;
	struct chronotick *ct;
	json_t *object;
	bool trusted;
	int r = chronotick_open(&ct, path);

	if (r < 0) {
		bench_skip(bench, "reads of the page %s: %s", path, chronotick_strerror(r));
		return;
	}
	object = json_pack("{ssss}", "path", path, "backend", backend);
	r = chronotick_now(ct, &now);
	trusted = r == 0;
	if (!trusted)
		bench_skip(bench, "reads of the page %s that succeed, and its publication: %s",
			   path, chronotick_strerror(r));
	r = measure_run(&measure, ct, READS);
	if (r == 0) {
		json_object_set_new(object, "reads", measure_json(&measure));
		measure_free(&measure);
	}
	if (trusted)
		json_object_set_new(object, "publication",
				    publication_json(bench, backend, ct, log));
	json_array_append_new(json_object_get(bench->results, "pages"), object);
	chronotick_close(ct);
}

void pages_look(struct bench *bench)
{
	static const char shm[] = CHRONOTICK_SHM_DIR CHRONOTICK_SHM_NAME;
	const char *named = getenv("CHRONOTICK_PAGE");
	FILE *log = bench_file(bench, "publications.csv");

	if (log)
		fputs("page,interval_ns\n", log);
	json_object_set_new(bench->results, "pages", json_array());
	page_look(bench, CHRONOTICK_DEVICE_PATH, "module", log);
	page_look(bench,
		  named && *named && strcmp(named, CHRONOTICK_DEVICE_PATH) != 0 ? named : shm,
		  "shm", log);
	bench_file_close(bench, log, "publications.csv");
}
