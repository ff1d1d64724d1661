/* SPDX-License-Identifier: MIT */
#include "archive/sample_text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Slower than 1 MHz or faster than 16 THz: no counter of struct timescale */
#define MULT_MIN (1LL << 40)
#define MULT_MAX (1000ULL << 54)

enum type { BOOLEAN, U8, U16, U32, U64, I16, I64, REAL, WORD };

/* A member of struct sample_record */
struct field {
	const char *name;
	enum type type;
	size_t offset;
	int64_t min; /* and max: if they are not both 0, narrower limits than those of the type */
	uint64_t max;
};

struct line {
	const char *name;
	unsigned int required; /* so many fields must be there */
	struct field fields[SAMPLE_FIELDS_MAX];
};

#define FIELD(name, type, member)                                                                  \
	{                                                                                          \
		name, type, offsetof(struct sample_record, member), 0, 0                           \
	}
#define LIMITED(name, type, member, min, max)                                                      \
	{                                                                                          \
		name, type, offsetof(struct sample_record, member), min, max                       \
	}
#define SOURCE LIMITED("source", U32, input.source, 0, ENGINE_SOURCES_MAX - 1)
#define COUNTER FIELD("counter", U64, input.counter)
#define SCHEDULE(model)                                                                            \
	FIELD(#model "_enabled", BOOLEAN, models.model##_enabled),                                 \
		FIELD(#model "_interval_ns", I64, models.model.interval_ns),                       \
		FIELD(#model "_horizon_ns", I64, models.model.horizon_ns),                         \
		FIELD(#model "_lead_ns", I64, models.model.lead_ns)

/* New fields go to the end of their line. */
static const struct line lines[SAMPLE_RECORD_KINDS] = {
	[ENGINE_INPUT_CONFIGURE] = {"config",
				    5,
				    {FIELD("max_drift_ppb", U32, input.config.max_drift_ppb),
				     FIELD("wander_ppb", U32, input.config.wander_ppb),
				     FIELD("max_bound_ns", I64, input.config.max_bound_ns),
				     FIELD("max_distance_ms", U32, input.config.max_distance_ms),
				     FIELD("disciplined", BOOLEAN,
					   input.config.raw_is_disciplined)}},
	[ENGINE_INPUT_RESTART] = {"scale",
				  2,
				  {FIELD("base", U64, input.scale.base),
				   LIMITED("mult", U64, input.scale.mult, MULT_MIN, MULT_MAX)}},
	[ENGINE_INPUT_ADD] = {"add", 1, {SOURCE}},
	[ENGINE_INPUT_REMOVE] = {"remove", 1, {SOURCE}},
	[ENGINE_INPUT_EXCLUDE] = {"exclude",
				  2,
				  {SOURCE, FIELD("excluded", BOOLEAN, input.excluded)}},
	[ENGINE_INPUT_OPTIONS] = {"options",
				  2,
				  {SOURCE, LIMITED("options", U32, input.options, 0,
						   ENGINE_SOURCE_OPTIONS)}},
	[ENGINE_INPUT_UNREACHABLE] = {"lost", 2, {SOURCE, FIELD("state", U8, input.state)}},
	[ENGINE_INPUT_SAMPLE] = {"sample",
				 12,
				 {FIELD("source", U16, input.sample.source),
				  FIELD("counter", U64, input.sample.counter),
				  FIELD("offset_ns", I64, input.sample.offset_ns),
				  FIELD("delay_ns", I64, input.sample.delay_ns),
				  FIELD("dispersion_ns", I64, input.sample.dispersion_ns),
				  FIELD("stamps_ns", I64, input.sample.stamps_ns),
				  FIELD("root_delay_ns", I64, input.sample.root_delay_ns),
				  FIELD("root_dispersion_ns", I64, input.sample.root_dispersion_ns),
				  FIELD("tx_stamp", U8, input.sample.tx_stamp),
				  FIELD("rx_stamp", U8, input.sample.rx_stamp),
				  FIELD("leap", U8, input.sample.leap),
				  FIELD("stratum", U8, input.sample.stratum),
				  FIELD("kind", U8, input.sample.kind)}},
	[ENGINE_INPUT_COVARIATES] =
		{"covariates",
		 6,
		 {COUNTER,
		  LIMITED("present", U32, input.covariates.present, 0, (1 << COVARIATE_COUNT) - 1),
		  FIELD("temperature", REAL, input.covariates.value[COVARIATE_TEMPERATURE]),
		  FIELD("cpu_frequency", REAL, input.covariates.value[COVARIATE_CPU_FREQUENCY]),
		  FIELD("cpu_load", REAL, input.covariates.value[COVARIATE_CPU_LOAD]),
		  FIELD("memory", REAL, input.covariates.value[COVARIATE_MEMORY])}},
	[ENGINE_INPUT_LEARNT] =
		{"learnt",
		 9,
		 {FIELD("row", U32, input.row), FIELD("value_0", REAL, input.values[0]),
		  FIELD("value_1", REAL, input.values[1]), FIELD("value_2", REAL, input.values[2]),
		  FIELD("value_3", REAL, input.values[3]), FIELD("value_4", REAL, input.values[4]),
		  FIELD("value_5", REAL, input.values[5]), FIELD("value_6", REAL, input.values[6]),
		  FIELD("value_7", REAL, input.values[7])}},
	[ENGINE_INPUT_MEMORY] = {"memory",
				 7,
				 {FIELD("mult", U64, input.memory.mult),
				  FIELD("mult_lo", U64, input.memory.mult_lo),
				  FIELD("mult_hi", U64, input.memory.mult_hi),
				  FIELD("rate_sd", REAL, input.memory.rate_sd),
				  FIELD("noise_ns", REAL, input.memory.noise_ns),
				  FIELD("age_ns", I64, input.age_ns),
				  FIELD("same_oscillator", BOOLEAN, input.same_oscillator)}},
	[ENGINE_INPUT_CORRECT] = {"at", 1, {COUNTER}},
	[SAMPLE_RECORD_RUN] = {"run", 2, {FIELD("id", WORD, word), FIELD("number", U64, number)}},
	[SAMPLE_RECORD_MODELS] = {"models",
				  9,
				  {SCHEDULE(short_term), SCHEDULE(long_term),
				   LIMITED("retroactive", U32, models.retroactive, 0,
					   RETRO_METHODS - 1)}},
	[ENGINE_INPUT_FEED] = {"feed",
			       10,
			       {COUNTER, FIELD("made_ns", I64, input.prediction.made_ns),
				FIELD("from_ns", I64, input.prediction.from_ns),
				FIELD("until_ns", I64, input.prediction.until_ns),
				FIELD("at_ns", I64, input.prediction.line.at_ns),
				FIELD("reference_ns", I64, input.prediction.line.reference_ns),
				FIELD("offset_ns", REAL, input.prediction.line.offset_ns),
				FIELD("drift_ns_s", REAL, input.prediction.line.drift_ns_s),
				FIELD("offset_sd_ns", REAL, input.prediction.line.offset_sd_ns),
				FIELD("drift_sd_ns_s", REAL, input.prediction.line.drift_sd_ns_s)}},
	[SAMPLE_RECORD_GO] = {"go", 0, {{0}}},
	[SAMPLE_RECORD_NAME] = {"name", 2, {SOURCE, FIELD("name", WORD, word)}},
	[SAMPLE_RECORD_LEAP] =
		{"leap", 2, {FIELD("from_ns", I64, leap.from_ns), FIELD("tai_s", I16, leap.tai_s)}},
	[SAMPLE_RECORD_LEAPS] = {"leaps", 1, {FIELD("expires_ns", I64, expires_ns)}},
	[SAMPLE_RECORD_TOLD] = {"told",
				7,
				{COUNTER, FIELD("utc_ns", I64, told.utc_ns),
				 FIELD("mult", U64, told.mult),
				 FIELD("bound_ns", I64, told.bound_ns),
				 FIELD("uncertainty_ns", REAL, told.uncertainty_ns),
				 FIELD("status", U8, told.status),
				 FIELD("source_kind", U8, told.source)}},
};

static const char word_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789.:_-%[]";

static unsigned int field_count(const struct line *line)
{
	unsigned int count = 0;

	while (count < SAMPLE_FIELDS_MAX && line->fields[count].name)
		count++;
	return count;
}

_Static_assert(sizeof(enum retro_method) == sizeof(uint32_t), "read as U32");

static int64_t signed_of(const void *member, enum type type)
{
	switch (type) {
	case I16:
		return *(const int16_t *)member;
	default:
		return *(const int64_t *)member;
	}
}

static uint64_t unsigned_of(const void *member, enum type type)
{
	switch (type) {
	case BOOLEAN:
		return *(const bool *)member;
	case U8:
		return *(const uint8_t *)member;
	case U16:
		return *(const uint16_t *)member;
	case U32:
		return *(const uint32_t *)member;
	default:
		return *(const uint64_t *)member;
	}
}

static size_t word_format(char *ret, size_t size, const char *word)
{
	size_t used = 0;

	for (; *word && used + 1 < size; word++)
		ret[used++] = strchr(word_letters, *word) ? *word : '_';
	if (used == 0)
		ret[used++] = '_';
	ret[used] = '\0';
	return used;
}

/* At most 20 digits and a sign. snprintf() takes ten times as long, and this is done while time waits. */
static size_t integer_format(char *ret, uint64_t value, bool negative)
{
	char digits[20];
	size_t used = 0, count = 0;

	if (negative) {
		ret[used++] = '-';
		value = -value;
	}
	do
		digits[count++] = (char)('0' + value % 10);
	while ((value /= 10));
	while (count)
		ret[used++] = digits[--count];
	return used;
}

static size_t field_format(char *ret, size_t size, const void *member, enum type type)
{
	int64_t value;

	switch (type) {
	case WORD:
		return word_format(ret, size < SAMPLE_WORD_MAX ? size : SAMPLE_WORD_MAX, member);
	case REAL:
		return (size_t)snprintf(ret, size, "%.17g", *(const double *)member);
	case I16:
	case I64:
		value = signed_of(member, type);
		return integer_format(ret, (uint64_t)value, value < 0);
	default:
		return integer_format(ret, unsigned_of(member, type), false);
	}
}

size_t sample_record_format(char ret[SAMPLE_LINE_MAX], const struct sample_record *record)
{
	const struct line *line = &lines[record->kind];
	unsigned int i, count = field_count(line);
	size_t used = strlen(line->name);

	memcpy(ret, line->name, used);
	for (i = 0; i < count; i++) {
		const struct field *field = &line->fields[i];

		ret[used++] = ' ';
		used += field_format(ret + used, SAMPLE_LINE_MAX - used,
				     (const char *)record + field->offset, field->type);
	}
	ret[used++] = '\n';
	ret[used] = '\0';
	return used;
}

__attribute__((format(printf, 3, 4))) static int refuse(char *wrong, size_t size,
							const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(wrong, size, format, args);
	va_end(args);
	return -EINVAL;
}

static void limits_of(const struct field *field, int64_t *min, uint64_t *max)
{
	static const struct {
		int64_t min;
		uint64_t max;
	} of_type[] = {
		[BOOLEAN] = {0, 1},
		[U8] = {0, UINT8_MAX},
		[U16] = {0, UINT16_MAX},
		[U32] = {0, UINT32_MAX},
		[U64] = {0, UINT64_MAX},
		[I16] = {INT16_MIN, INT16_MAX},
		[I64] = {INT64_MIN, INT64_MAX},
		[REAL] = {0, 0},
		[WORD] = {0, 0},
	};
	bool narrower = field->min || field->max;

	*min = narrower ? field->min : of_type[field->type].min;
	*max = narrower ? field->max : of_type[field->type].max;
}

static void integer_store(void *member, enum type type, uint64_t value)
{
	switch (type) {
	case BOOLEAN:
		*(bool *)member = value;
		break;
	case U8:
		*(uint8_t *)member = (uint8_t)value;
		break;
	case U16:
		*(uint16_t *)member = (uint16_t)value;
		break;
	case U32:
		*(uint32_t *)member = (uint32_t)value;
		break;
	case I16:
		*(int16_t *)member = (int16_t)value;
		break;
	case I64:
		*(int64_t *)member = (int64_t)value;
		break;
	default:
		*(uint64_t *)member = value;
		break;
	}
}

static int integer_parse(void *member, const struct field *field, const char *text)
{
	bool negative = *text == '-';
	const char *digits = text + negative;
	uint64_t value, max;
	int64_t min;
	char *end;

	if (!*digits || digits[strspn(digits, "0123456789")])
		return -EINVAL;
	errno = 0;
	value = strtoull(digits, &end, 10);
	limits_of(field, &min, &max);
	if (errno || (negative && (min >= 0 || value > (uint64_t) - (min + 1) + 1)) ||
	    (!negative && (value > max || (min > 0 && value < (uint64_t)min))))
		return -ERANGE;
	integer_store(member, field->type, negative ? -value : value);
	return 0;
}

static int real_parse(double *ret, const char *text)
{
	char *end;

	if (!*text || text[strspn(text, "-+.e0123456789")])
		return -EINVAL;
	*ret = strtod(text, &end);
	return *end || !isfinite(*ret) ? -EINVAL : 0;
}

static int word_parse(char ret[SAMPLE_WORD_MAX], const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || length >= SAMPLE_WORD_MAX || text[strspn(text, word_letters)])
		return -EINVAL;
	memcpy(ret, text, length + 1);
	return 0;
}

static int field_parse(struct sample_record *record, const struct line *line,
		       const struct field *field, const char *text, char *wrong, size_t size)
{
	void *member = (char *)record + field->offset;
	uint64_t max;
	int64_t min;
	int r;

	r = field->type == WORD   ? word_parse(member, text)
	    : field->type == REAL ? real_parse(member, text)
				  : integer_parse(member, field, text);
	if (r == -ERANGE) {
		limits_of(field, &min, &max);
		return refuse(wrong, size,
			      "%s: %s: %.40s is out of range; allowed: %" PRId64 " to %" PRIu64,
			      line->name, field->name, text, min, max);
	}
	if (r < 0)
		return refuse(wrong, size, "%s: %s: \"%.40s\" is no %s", line->name, field->name,
			      text,
			      field->type == WORD   ? "word"
			      : field->type == REAL ? "number"
						    : "integer");
	return 0;
}

static const struct line *line_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < SAMPLE_RECORD_KINDS; i++)
		if (strcmp(lines[i].name, name) == 0)
			return &lines[i];
	return NULL;
}

int sample_record_parse(struct sample_record *ret, const char *text, char *wrong, size_t size)
{
	char copy[SAMPLE_LINE_MAX], *rest = copy, *word;
	unsigned int count = 0, known;
	const struct line *line;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (strlen(text) >= sizeof(copy))
		return refuse(wrong, size, "longer than %zu bytes", sizeof(copy) - 1);
	strcpy(copy, text);
	word = strsep(&rest, " ");
	line = line_find(word);
	if (!line)
		return refuse(wrong, size, "\"%.40s\" is no kind of line", word);
	known = field_count(line);
	while ((word = strsep(&rest, " "))) {
		if (count == known)
			return refuse(wrong, size, "%s: more than %u fields", line->name, known);
		r = field_parse(ret, line, &line->fields[count++], word, wrong, size);
		if (r < 0)
			return r;
	}
	if (count < line->required)
		return refuse(wrong, size, "%s: %s: the line ends before this field", line->name,
			      line->fields[count].name);
	ret->kind = (unsigned int)(line - lines);
	ret->input.kind = ret->kind < ENGINE_INPUT_KINDS ? (enum engine_input_kind)ret->kind
							 : ENGINE_INPUT_CORRECT;
	return 0;
}

const char *sample_record_usage(unsigned int kind, char ret[SAMPLE_LINE_MAX])
{
	const struct line *line = &lines[kind];
	size_t used;
	unsigned int i;

	if (kind >= SAMPLE_RECORD_KINDS)
		return NULL;
	used = (size_t)snprintf(ret, SAMPLE_LINE_MAX, "%s", line->name);
	for (i = 0; i < field_count(line); i++)
		used += (size_t)snprintf(ret + used, SAMPLE_LINE_MAX - used, " %s",
					 line->fields[i].name);
	return ret;
}
