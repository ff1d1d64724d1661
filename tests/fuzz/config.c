/* SPDX-License-Identifier: MIT */
/* The configuration: a text is taken, or refused with lines that each begin with file and line. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "sources/ptp_profile.h"
#include "support/complaints.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_config(const struct config *config)
{
	unsigned int i;

	if (config->source_count < 1 || config->source_count > CONFIG_SOURCES_MAX ||
	    config->page.frequency_hz < 1 || config->page.frequency_hz > 1000 ||
	    strlen(config->page.shm_name) < 1 || strlen(config->page.shm_name) > 64 ||
	    strchr(config->page.shm_name, '/'))
		abort();
	for (i = 0; i < config->source_count; i++) {
		const struct source_config *source = &config->sources[i];
		const char *name =
			source->type == SOURCE_PTP ? source->ptp.interface : source->ntp.server;
		struct ptp_address address;

		if (!name || !*name ||
		    (source->type != SOURCE_PTP && source->ntp.minpoll > source->ntp.maxpoll))
			abort();
		if (source->type != SOURCE_PTP)
			continue;
		if (strlen(name) > 15 || source->ptp.announce_timeout < 2)
			abort();
		if (source->ptp.unicast &&
		    ptp_address_parse(&address, source->ptp.transport, source->ptp.unicast) < 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config;
	char *errors = NULL;
	size_t length;
	FILE *stream = open_memstream(&errors, &length);
	int r;

	if (!stream)
		abort();
	r = config_parse(&config, "f", data, size, stream);
	fclose(stream);
	if (r == -EINVAL) {
		complaints_check(errors, "f");
	} else if (r == 0) {
		if (*errors)
			abort();
		check_config(&config);
		config_clear(&config);
	}
	free(errors);
	return 0;
}
