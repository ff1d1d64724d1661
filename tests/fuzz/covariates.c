/* SPDX-License-Identifier: MIT */
/* Files of sysfs and proc: whatever they hold, a value is one that can be. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "covariates/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text_cpu_time time = {0, 0};
	double value;
	uint64_t us;
	char *text;

	/* Bytes of their own, so that a read beyond them is seen */
	text = malloc(size ? size : 1);
	must(text != NULL);
	if (size)
		memcpy(text, data, size);
	if (text_temperature(text, size, &value) == 0)
		must(value >= -40 && value <= 125);
	if (text_frequency(text, size, &value) == 0)
		must(value >= 1 && value <= 20000);
	if (text_cpu_time(text, size, &time) == 0)
		must(time.busy <= UINT64_MAX / 8 && time.idle <= UINT64_MAX / 8);
	if (text_stalled(text, size, &us) == 0)
		must(us <= UINT64_MAX / 8);
	free(text);
	return 0;
}
