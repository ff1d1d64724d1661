/* SPDX-License-Identifier: MIT */
#include "inputs.h"

#include <string.h>

#include "log.h"

int inputs_open(struct inputs *inputs, const struct config *config)
{
	int r = covariate_reader_new(&inputs->reader, &config->covariates, "");

	if (r < 0)
		log_error("covariates: no helper thread to read them: %s", strerror(-r));
	return r;
}

void inputs_close(struct inputs *inputs)
{
	covariate_reader_free(inputs->reader);
	inputs->reader = NULL;
}

const struct covariates *inputs_tick(struct inputs *inputs, int64_t now_ns)
{
	struct covariate_reading reading;

	if (!covariate_reader_tick(inputs->reader, now_ns, &reading))
		return NULL;
	if (strcmp(reading.thermometer, inputs->covariates.thermometer) != 0)
		log_info("the temperature is that of %s",
			 *reading.thermometer ? reading.thermometer : "no thermometer any more");
	inputs->covariates = reading;
	inputs->covariates_ns = now_ns;
	inputs->has_covariates = true;
	return &inputs->covariates.values;
}
