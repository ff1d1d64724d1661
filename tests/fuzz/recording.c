/* SPDX-License-Identifier: MIT */
/* Recordings: rows that are taken are in range and in order; errors name a line. */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_row(const struct recording_row *row, const struct recording_row *before)
{
	if (!(row->t_s >= 0 && row->t_s <= RECORDING_TIME_MAX_S) ||
	    (before && row->t_s <= before->t_s))
		abort();
	if (row->has_offset && !(fabs(row->offset_ms) <= RECORDING_OFFSET_MAX_MS))
		abort();
	if (row->has_delay && !(row->delay_ms >= 0 && row->delay_ms <= RECORDING_DELAY_MAX_MS))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char header[] = "t_s,ntp_offset_ms,ntp_delay_ms\n";
	struct recording_row *rows = NULL;
	char errors[512] = "", text[4096];
	FILE *stream, *to = fmemopen(errors, sizeof(errors) - 1, "w");
	size_t used = 0;
	long count, i;

	/* By the first byte, with a good header: few inputs would come through one of their own. */
	if (size && data[0] & 1) {
		used = sizeof(header) - 1;
		memcpy(text, header, used);
		data++, size--;
	}
	if (size > sizeof(text) - used)
		size = sizeof(text) - used;
	if (size)
		memcpy(text + used, data, size);
	used += size;
	stream = used ? fmemopen(text, used, "r") : NULL;
	if (!to || !stream) {
		if (to)
			fclose(to);
		return 0;
	}
	count = recording_read(&rows, stream, "f", to);
	fclose(stream);
	fclose(to);
	if (count == -EINVAL && strncmp(errors, "f:", 2) != 0)
		abort();
	for (i = 0; i < count; i++)
		check_row(&rows[i], i ? &rows[i - 1] : NULL);
	if (count >= 0)
		free(rows);
	return 0;
}
