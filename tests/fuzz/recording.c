/* SPDX-License-Identifier: MIT */
/* Recordings of other programs: samples that are taken are in range; errors name a line. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool in_range(int64_t ns)
{
	return ns >= 0 && ns <= (int64_t)(RECORDING_DELAY_MAX_MS * 1e6);
}

static void check_sample(const struct sample *sample, int64_t reference_ns)
{
	int64_t offset_ns = sample->offset_ns - reference_ns;

	if (sample->source >= ENGINE_SOURCES_MAX || sample->stratum < 1 || sample->stratum > 15 ||
	    sample->leap > 3)
		abort();
	if (!in_range(sample->delay_ns) || !in_range(sample->dispersion_ns) ||
	    !in_range(sample->root_delay_ns) || !in_range(sample->root_dispersion_ns))
		abort();
	if (llabs(offset_ns) > (int64_t)(RECORDING_OFFSET_MAX_MS * 1e6))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char chrony[] = "2026-11-25 22:00:00 10.0.0.1 N  2 111 111 1111  6  6 0.10 "
				     "1.0e-03 1.0e-03 1.0e-03 1.0e-03 1.0e-03 CB00717B 4B D K\n";
	/* By the first byte: few inputs would come through a header of their own. */
	static const char *const headers[] = {"", "t_s,ntp_offset_ms,ntp_delay_ms\n", chrony};
	const struct recording_defaults defaults = {.delay_ns = 1, .dispersion_ns = 1};
	char errors[512] = "", text[8192];
	FILE *stream, *to = fmemopen(errors, sizeof(errors) - 1, "w");
	const char *header = headers[size ? data[0] % 3 : 0];
	size_t used = strlen(header);
	struct recording *recording = NULL;
	struct sample_record record;
	int64_t reference_ns;
	int r;

	memcpy(text, header, used);
	if (size)
		data++, size--;
	if (size > sizeof(text) - used)
		size = sizeof(text) - used;
	if (size)
		memcpy(text + used, data, size);
	used += size;
	stream = used ? fmemopen(text, used, "r") : NULL;
	if (!to || !stream)
		goto out;
	r = recording_open(&recording, stream, "f", &defaults, to);
	while (r >= 0 && (r = recording_next(recording, &record)) > 0) {
		if (record.kind == ENGINE_INPUT_SAMPLE &&
		    recording_reference(recording, &reference_ns))
			check_sample(&record.input.sample, reference_ns);
	}
	recording_close(recording);
	fflush(to);
	if (r == -EINVAL && strncmp(errors, "f:", 2) != 0)
		abort();
out:
	if (to)
		fclose(to);
	if (stream)
		fclose(stream);
	return 0;
}
