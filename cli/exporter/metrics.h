/* SPDX-License-Identifier: MIT */
/*
 * The metrics as text: OpenMetrics 1.0, or the older text format 0.0.4 of Prometheus, which differ in
 * how a counter's family is called and in how the text ends.
 */
#ifndef EXPORTER_METRICS_H
#define EXPORTER_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include "facts.h"

#define METRICS_OPEN_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define METRICS_PLAIN_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Does who accepts these types (an Accept header, or NULL) want OpenMetrics? */
bool metrics_are_open(const char *accept);

/* The text, for free(), and its length. NULL: out of memory. */
char *metrics_text(const struct exporter_facts *facts, bool open, size_t *length);

#endif /* EXPORTER_METRICS_H */
