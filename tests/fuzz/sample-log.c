/* SPDX-License-Identifier: MIT */
/*
 * The sample log: what can be read is written again the same, and whatever an engine is given from it,
 * replaying it comes to an end.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "recording.h"
#include "rerun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct sample_record *record)
{
	char line[SAMPLE_LINE_MAX], again[SAMPLE_LINE_MAX], wrong[256];
	struct sample_record other;

	if (sample_record_format(line, record) != strlen(line))
		abort();
	line[strlen(line) - 1] = '\0';
	if (sample_record_parse(&other, line, wrong, sizeof(wrong)) < 0)
		abort();
	sample_record_format(again, &other);
	again[strlen(again) - 1] = '\0';
	if (strcmp(line, again) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char header[] = SAMPLE_LOG_HEADER
		"\nrun a 0\nconfig 200000 1000 1000000000 1000 0\nscale 0 18014398509481984\nadd 0\n"
		"add 1\ngo\n";
	const struct rerun_options options = {
		.config = {.max_drift_ppb = 200000,
			   .wander_ppb = 1000,
			   .max_bound_ns = 1000000000,
			   .max_distance_ms = 1000},
		.models = models_default,
		.points = true,
	};
	const struct recording_defaults defaults = {.delay_ns = 1, .dispersion_ns = 1};
	char errors[512] = "", text[8192];
	FILE *stream, *to = fmemopen(errors, sizeof(errors) - 1, "w");
	size_t used = sizeof(header) - 1;
	struct recording *recording = NULL;
	struct sample_record record;
	struct rerun rerun;
	int r, taken = 0;

	memcpy(text, header, used);
	if (size > sizeof(text) - used)
		size = sizeof(text) - used;
	if (size)
		memcpy(text + used, data, size);
	stream = fmemopen(text, used + size, "r");
	if (!to || !stream || rerun_init(&rerun, &options) < 0)
		abort();
	r = recording_open(&recording, stream, "f", &defaults, to);
	while (r >= 0 && taken == 0 && (r = recording_next(recording, &record)) > 0) {
		if (record.kind < SAMPLE_RECORD_KINDS)
			check_again(&record);
		taken = rerun_record(&rerun, recording, &record);
	}
	fflush(to);
	if (r == -EINVAL && strncmp(errors, "f:", 2) != 0)
		abort();
	recording_close(recording);
	rerun_clear(&rerun);
	fclose(to);
	fclose(stream);
	return 0;
}
