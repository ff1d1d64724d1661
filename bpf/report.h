/* SPDX-License-Identifier: MIT */
/* A snapshot as text for people, or as one JSON object for programs. */
#ifndef BPF_REPORT_H
#define BPF_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "alerts.h"
#include "options.h"
#include "snapshot.h"

/* Returns how many thresholds are passed. */
int report_text(FILE *out, const struct snapshot *snapshot, const struct options *options);

/* Returns how many thresholds are passed, -ENOMEM, or why it could not be written. */
int report_json(FILE *out, const struct snapshot *snapshot, const struct options *options);

#define REPORT_ALERTS_MAX 64 /* that are told one by one */

/* Of one CPU's time, what the process spent in reads. */
double report_share_percent(const struct reading *reading, double seconds);

/* "shm" or "module" */
const char *report_page_name(enum writer_page page);

#endif /* BPF_REPORT_H */
