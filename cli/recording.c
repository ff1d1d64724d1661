/* SPDX-License-Identifier: MIT */
#include "recording_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const struct recording_kind *const kinds[] = {
	&recording_log, &recording_chrony,
	&recording_csv, /* the one that says best what is wrong */
};

static ssize_t gz_read(void *cookie, char *data, size_t size)
{
	gzFile gz = cookie;
	int r = gzread(gz, data, size > 1 << 20 ? 1 << 20 : (unsigned int)size), error;

	if (r < 0 || (r == 0 && (gzerror(gz, &error), error != Z_OK))) {
		(void)gzerror(gz, &error);
		errno = error == Z_ERRNO ? (errno ? errno : EIO) : EBADMSG;
		return -1;
	}
	return r;
}

static int gz_close(void *cookie)
{
	return gzclose_r(cookie) == Z_OK ? 0 : EOF;
}

FILE *recording_stream(const char *path)
{
	const cookie_io_functions_t io = {.read = gz_read, .close = gz_close};
	gzFile gz;
	FILE *stream;

	errno = 0;
	gz = gzopen(path, "rbe");
	if (!gz) {
		errno = errno ? errno : ENOMEM;
		return NULL;
	}
	stream = fopencookie(gz, "r", io);
	if (!stream)
		gzclose_r(gz);
	return stream;
}

int recording_refuse(struct recording *recording, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(recording->wrong, sizeof(recording->wrong), format, args);
	va_end(args);
	return -EINVAL;
}

struct sample_record *recording_push(struct recording *recording, unsigned int kind)
{
	struct sample_record *record =
		&recording->queue[(recording->first + recording->count++) % RECORDING_QUEUE];

	memset(record, 0, sizeof(*record));
	record->kind = kind;
	record->input.kind =
		kind < ENGINE_INPUT_KINDS ? (enum engine_input_kind)kind : ENGINE_INPUT_CORRECT;
	return record;
}

void recording_push_start(struct recording *recording)
{
	struct sample_record *record = recording_push(recording, SAMPLE_RECORD_RUN);

	snprintf(record->word, sizeof(record->word), "%s", recording->kind->name);
	record = recording_push(recording, ENGINE_INPUT_RESTART);
	record->input.scale = (struct timescale){.mult = 1ULL << 54};
	recording_push(recording, SAMPLE_RECORD_GO);
}

void recording_push_time(struct recording *recording)
{
	recording_push(recording, ENGINE_INPUT_CORRECT)->input.counter =
		(uint64_t)recording->raw_ns;
}

void recording_push_sample(struct recording *recording, const struct sample *sample)
{
	recording_push(recording, ENGINE_INPUT_SAMPLE)->input.sample = *sample;
	recording_push_time(recording);
}

/* Tell what is wrong with a line. */
static int complain(struct recording *recording, unsigned long number)
{
	fprintf(recording->errors, "%s:%lu: %s\n", recording->name, number, recording->wrong);
	return -EINVAL;
}

/* The next line, without its newline. Returns 1; 0: the end; or a negative errno. */
static int line_read(struct recording *recording, bool *whole)
{
	char *line = recording->line;
	size_t length;

	errno = 0;
	if (!fgets(line, sizeof(recording->line), recording->stream))
		return !ferror(recording->stream) ? 0 : errno ? -errno : -EIO;
	recording->number++;
	length = strlen(line);
	*whole = length && line[length - 1] == '\n';
	if (!*whole && !feof(recording->stream)) {
		recording_refuse(recording, "longer than %d bytes, or with a NUL in it",
				 RECORDING_LINE_MAX - 2);
		return complain(recording, recording->number);
	}
	line[strcspn(line, "\r\n")] = '\0';
	return 1;
}

/* The line that was held back as broken is a torn one. */
static void torn(struct recording *recording)
{
	recording->wrong_number = 0;
	recording->counts.torn++;
	recording_push(recording, RECORDING_GAP);
}

/* Take a line. Returns 0 or -EINVAL, after the error was told. */
static int line_take(struct recording *recording, bool whole)
{
	const struct recording_kind *kind = recording->kind;
	unsigned int before = recording->count;
	struct sample_record record;

	if (recording->wrong_number) {
		char wrong[RECORDING_WRONG_MAX];

		if (sample_record_parse(&record, recording->line, wrong, sizeof(wrong)) < 0 ||
		    record.kind != SAMPLE_RECORD_RUN)
			return complain(recording, recording->wrong_number);
		torn(recording);
	}
	if (kind->torn && !whole) {
		torn(recording);
		return 0;
	}
	if (kind->line(recording, recording->line) == 0)
		return 0;
	recording->count = before;
	if (!kind->torn)
		return complain(recording, recording->number);
	recording->wrong_number = recording->number;
	return 0;
}

int recording_open(struct recording **ret, FILE *stream, const char *name,
		   const struct recording_defaults *defaults, FILE *errors)
{
	struct recording *recording = calloc(1, sizeof(*recording));
	bool whole = true;
	unsigned int i;
	int r;

	if (!recording)
		return -ENOMEM;
	recording->stream = stream;
	recording->name = name;
	recording->defaults = *defaults;
	recording->errors = errors;
	r = line_read(recording, &whole);
	if (r == 0) {
		recording_refuse(recording, "empty");
		r = complain(recording, 1);
	}
	if (r < 0)
		goto fail;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !recording->kind; i++)
		if (kinds[i]->knows(recording->line))
			recording->kind = kinds[i];
	r = line_take(recording, whole);
	if (r == 0 && recording->wrong_number) /* the first line is no torn one */
		r = complain(recording, 1);
	if (r < 0)
		goto fail;
	*ret = recording;
	return 0;
fail:
	free(recording);
	return r;
}

void recording_close(struct recording *recording)
{
	free(recording);
}

const char *recording_format(const struct recording *recording)
{
	return recording->kind->name;
}

bool recording_is_disciplined(const struct recording *recording)
{
	return recording->kind->disciplined;
}

bool recording_reference(const struct recording *recording, int64_t *ret)
{
	*ret = recording->epoch_ns - RECORDING_START_NS;
	return recording->kind->disciplined;
}

int recording_next(struct recording *recording, struct sample_record *ret)
{
	bool whole = true;
	int r;

	while (!recording->count) {
		r = line_read(recording, &whole);
		if (r < 0)
			return r;
		if (r == 0 && recording->wrong_number) /* it ended with a torn line */
			torn(recording);
		else if (r == 0)
			return 0;
		else if (line_take(recording, whole) < 0)
			return -EINVAL;
	}
	*ret = recording->queue[recording->first];
	recording->first = (recording->first + 1) % RECORDING_QUEUE;
	recording->count--;
	return 1;
}

void recording_count(const struct recording *recording, struct recording_counts *ret)
{
	*ret = recording->counts;
}
