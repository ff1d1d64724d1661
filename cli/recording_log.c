/* SPDX-License-Identifier: MIT */
/* What chronotickd records: Documentation/sample-log.md. */
#include "recording_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool log_knows(const char *line)
{
	return strncmp(line, SAMPLE_LOG_MAGIC, strlen(SAMPLE_LOG_MAGIC)) == 0;
}

/* "# 12 lines lost: why" stands where lines are missing; other remarks are passed over. */
static int remark(struct recording *recording, const char *line)
{
	char *end;

	if (log_knows(line) && strcmp(line, SAMPLE_LOG_HEADER) != 0)
		return recording_refuse(recording,
					"version %.20s of the sample log; known: version %s",
					line + strlen(SAMPLE_LOG_MAGIC),
					&SAMPLE_LOG_HEADER[strlen(SAMPLE_LOG_MAGIC)]);
	line += strspn(line, "# ");
	(void)strtoull(line, &end, 10);
	if (end != line && strncmp(end, " lines lost", strlen(" lines lost")) == 0)
		recording_push(recording, RECORDING_GAP);
	return 0;
}

static int log_line(struct recording *recording, char *line)
{
	struct sample_record record;

	if (*line == '#')
		return remark(recording, line);
	if (sample_record_parse(&record, line, recording->wrong, sizeof(recording->wrong)) < 0)
		return -EINVAL;
	*recording_push(recording, record.kind) = record;
	return 0;
}

const struct recording_kind recording_log = {
	.name = "log",
	.knows = log_knows,
	.line = log_line,
	.torn = true,
};
