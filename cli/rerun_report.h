/* SPDX-License-Identifier: MIT */
/* What a rerun came to, for programs and for people. */
#ifndef CLI_RERUN_REPORT_H
#define CLI_RERUN_REPORT_H

#include <jansson.h>

#include "recording.h"
#include "rerun.h"

/* As chronotick-replay(1) has it under JSON. At least one measurement was scored. */
json_t *rerun_json(struct rerun *rerun, const char *format, const struct recording_counts *counts);

/* The same as a table on stdout */
void rerun_print(const json_t *report);

#endif /* CLI_RERUN_REPORT_H */
