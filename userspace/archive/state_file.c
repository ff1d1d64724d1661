/* SPDX-License-Identifier: MIT */
#include "archive/state_file.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "archive/state.h"
#include "base/file.h"
#include "log.h"

#define NS_PER_S 1000000000LL
#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"

struct state_file {
	char path[PATH_MAX];
	struct scribe *scribe;
	const struct counter *counter;
	int64_t interval_ns;
	int64_t next_ns;
	atomic_int result; /* of the latest save, by the scribe's thread */
	int told;
	/* In the scribe's thread: what has come of the text, and fits */
	char text[STATE_TEXT_MAX];
	size_t used;
};

static int path_set(char ret[PATH_MAX], const char *path)
{
	const char *directory = getenv("STATE_DIRECTORY");
	const char *format = "%.*s";
	size_t length = strlen(path);

	if (strcmp(path, STATE_FILE_AUTO) == 0) {
		if (!directory || directory[0] != '/')
			return -ENOENT;
		path = directory;
		length = strcspn(directory, ":"); /* there may be more than one */
		format = "%.*s/state";
	}
	if (length >= PATH_MAX || snprintf(ret, PATH_MAX, format, (int)length, path) >= PATH_MAX)
		return -ENAMETOOLONG;
	return 0;
}

int state_file_new(struct state_file **ret, const char *path, uint32_t interval_s,
		   const struct counter *counter, struct scribe *scribe)
{
	struct state_file *file;
	int r;

	*ret = NULL;
	if (!path)
		return 0;
	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	r = path_set(file->path, path);
	if (r < 0) {
		free(file);
		return r == -ENOENT ? 0 : r;
	}
	file->scribe = scribe;
	file->counter = counter;
	file->interval_ns = interval_s * NS_PER_S;
	*ret = file;
	return 0;
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now = {0};

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void clocksource_now(char ret[STATE_NAME_SIZE])
{
	char text[STATE_NAME_SIZE];
	ssize_t size = file_read(CLOCKSOURCE, text, sizeof(text), NULL);

	snprintf(ret, STATE_NAME_SIZE, "%s", STATE_NAME_UNKNOWN);
	if (size > 1 && size < STATE_NAME_SIZE && text[size - 1] == '\n')
		snprintf(ret, STATE_NAME_SIZE, "%.*s", (int)size - 1, text);
}

static int moment_now(const struct state_file *file, struct state_moment *ret)
{
	ret->counter_kind = file->counter->kind;
	ret->boottime_ns = clock_ns(CLOCK_BOOTTIME);
	ret->utc_ns = clock_ns(CLOCK_REALTIME);
	clocksource_now(ret->clocksource);
	return chronotick_boot_id(ret->boot_id);
}

static void learnt_give(const struct state_file *file, struct engine *engine, struct learnt *learnt)
{
	const char *wrong = engine_learnt_check(engine, learnt);

	if (wrong)
		log_warning("%s: a part of this state is ignored: %s", file->path, wrong);
	engine_memory_learnt(engine, learnt);
}

void state_file_load(const struct state_file *file, struct engine *engine)
{
	char text[STATE_TEXT_MAX], why[STATE_WHY_MAX];
	bool same_oscillator = false;
	struct state_moment now;
	struct state state;
	int64_t age_ns = 0;
	ssize_t size;
	int r;

	if (!file)
		return;
	size = file_read(file->path, text, sizeof(text), NULL);
	if (size == -ENOENT) {
		log_debug("%s: no state of an earlier run", file->path);
		return;
	}
	if (size < 0) {
		log_warning("%s: the state of an earlier run cannot be read: %s", file->path,
			    strerror((int)-size));
		return;
	}
	snprintf(why, sizeof(why), "this boot has no id");
	r = moment_now(file, &now) < 0 ? -ENOTSUP : 0;
	if (r == 0)
		r = state_parse(&state, text, (size_t)size, why);
	if (r == 0)
		r = state_age(&state, &now, &age_ns, &same_oscillator, why);
	if (r == -ENOTSUP) {
		log_info("%s: the state of an earlier run is not used: %s", file->path, why);
		return;
	}
	if (r == 0) {
		learnt_give(file, engine, &state.learnt);
		r = engine_memory_set(engine, &state.memory, age_ns, same_oscillator);
		snprintf(why, sizeof(why), "%s",
			 r == -ERANGE ? "its rate is far from the counter's"
				      : "a value is out of range");
	}
	if (r < 0) {
		log_warning("%s: this state is ignored: %s", file->path, why);
		return;
	}
	log_debug("%s: of earlier runs it has what the %s learnt", file->path,
		  state.learnt.short_term_members > 0 ? state.learnt.long_term_inputs > 0
								? "models have"
								: "short-term model has"
		  : state.learnt.long_term_inputs > 0 ? "long-term model has"
						      : "models have not");
	log_info("%s: the counter's rate is known from %.1f hours ago%s: %.3f ppm +- %.3f",
		 file->path, (double)age_ns / (3600.0 * NS_PER_S),
		 same_oscillator ? "" : ", before the machine was started",
		 1e-3 * engine->limits.prior.rate_ns_s, 1e-3 * engine->limits.prior.sd_ns_s);
}

/* In the scribe's thread: the text comes in pieces, the last one of which is shorter, or empty. */
static void save(void *data, const char *text, size_t size)
{
	struct state_file *file = data;

	if (file->used + size > sizeof(file->text))
		return;
	memcpy(file->text + file->used, text, size);
	file->used += size;
	if (size == SCRIBE_TEXT_MAX)
		return;
	atomic_store(&file->result, file_replace(file->path, file->text, file->used));
	file->used = 0;
}

static void save_first(void *data, const char *text, size_t size)
{
	struct state_file *file = data;

	file->used = 0; /* the end of the one before may never have come */
	save(data, text, size);
}

static void save_start(struct state_file *file, const struct engine *engine)
{
	char text[STATE_TEXT_MAX];
	size_t size, used = 0, piece;
	struct state state;
	int r;

	if (engine_memory_get(engine, &state.memory) < 0 || moment_now(file, &state.moment) < 0)
		return;
	/* What CLOCK_REALTIME says may be wrong, and right at the next start. */
	state.moment.utc_ns = (int64_t)(engine->base.utc >> 64);
	engine_learnt_get(engine, &state.learnt);
	size = state_format(text, &state);
	do {
		piece = size - used < SCRIBE_TEXT_MAX ? size - used : SCRIBE_TEXT_MAX;
		r = scribe_put(file->scribe, used ? save : save_first, file, text + used, piece);
		used += piece;
	} while (r == 0 && piece == SCRIBE_TEXT_MAX);
	if (r < 0)
		atomic_store(&file->result, r);
}

void state_file_tick(struct state_file *file, const struct engine *engine, int64_t now_ns)
{
	int result;

	if (!file)
		return;
	result = atomic_load(&file->result);
	if (result != file->told && result < 0)
		log_warning("%s: the state cannot be saved: %s", file->path, strerror(-result));
	else if (result != file->told)
		log_info("%s: the state is saved again", file->path);
	file->told = result;
	if (file->next_ns == 0)
		file->next_ns = now_ns + file->interval_ns;
	if (now_ns < file->next_ns)
		return;
	save_start(file, engine);
	file->next_ns = now_ns + file->interval_ns;
}

void state_file_end(struct state_file *file, const struct engine *engine)
{
	if (file)
		save_start(file, engine);
}

void state_file_free(struct state_file *file)
{
	free(file);
}
