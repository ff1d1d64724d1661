/* SPDX-License-Identifier: MIT */
/*
 * The engine: samples in, corrections out. Pure functions over samples and counter values: no
 * system call, no clock, no global, no allocation. The daemon, the simulator and the unit tests run
 * this very code.
 *
 *	filter.h   one source's samples -> an interval, a rate interval, a line
 *	select.h   which of several intervals agree, and on what
 *	cluster.h  which of those the estimate is made of
 *	combine.h  several sources -> one estimate with a bound
 *	verdict.h  what becomes of each source, and why
 *	base.h     the time told from that, and held over
 *	models.h   what is going to be measured, by models that learn the oscillator
 *	retro.h    what follows for them, and for the past, when a measurement contradicts
 *	steer.h    the estimate follows the models, inside of the bound
 *	leap.h     when UTC breaks at a leap second, and what is before and after it
 *	bound.h    arithmetic of the bound, and the limits that its promise rests on
 *	memory.h   what one run leaves to the next
 *	learnt.h   ... of what its models have learnt
 *	input.h    all that an engine is given, to be recorded and given to another one
 *
 * A new sample costs its filter's work; the first engine_correct() after it, or after 100 ms
 * without one, weighs the sources anew; every other engine_correct() only extrapolates.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "chronotick_page.h"
#include "engine/bound.h"
#include "engine/cluster.h"
#include "engine/filter.h"
#include "engine/leap.h"
#include "engine/learnt.h"
#include "engine/models.h"
#include "engine/sample.h"
#include "engine/source_options.h"

#define ENGINE_SOURCES_MAX 64

/* Longest delay, dispersion, root delay and root dispersion of a sample: MAXDISP of RFC 5905 */
#define ENGINE_ERROR_MAX_NS 16000000000LL

/* How far a sample may lie after the newest counter value that engine_correct() was called for */
#define ENGINE_FUTURE_NS 64000000000LL
/* ... and before it */
#define ENGINE_PAST_NS 3600000000000LL

/*
 * How long after the very first sample an answer waits for more than half of the sources to
 * agree. After that, those that never answered are waited for no more.
 */
#define ENGINE_START_WAIT_NS 2250000000LL

/*
 * A source without a new sample for this long, and for longer than three times the longest gap
 * between its samples, is no fresh reference, even if nobody called it unreachable.
 */
#define ENGINE_STALE_NS 1024000000000LL

/*
 * For so long it counts how many sources agreed on the time, after fewer do: in an outage they are
 * lost one by one.
 */
#define ENGINE_MEMORY_NS 3600000000000LL

struct engine_config {
	struct timescale scale;
	uint32_t max_drift_ppb;   /* limit of the counter's nominal rate error; 1 to 1,000,000 */
	uint32_t wander_ppb;      /* how far the rate may move within BOUND_WANDER_WINDOW_NS */
	int64_t max_bound_ns;     /* a wider bound is no trusted time; > 0 */
	uint32_t max_distance_ms; /* a source with a wider root distance is not selected; > 0 */
	bool raw_is_disciplined; /* raw time is no counter, but a clock that somebody disciplines */
	const struct models_config *models; /* NULL: models_default; must outlive the engine */
	const struct leap_table *leaps;     /* NULL: none; may change its content at any time */
};

/*
 * ChronoTick's ClockCorrection on the counter's timescale, and beside it the bound. Uncertainties
 * are one standard deviation; the bound is a promise.
 *
 * confidence = selected / usable sources * (1 - bound / max_bound_ns); in holdover this is also
 * multiplied by the bound at the last selection / the bound now. 0 without a trusted time.
 */
struct correction {
	uint64_t counter; /* the instant it is for */
	__int128 utc;     /* best estimate of UTC there, 2^-64 ns since 1970 */
	uint64_t mult;    /* best estimate of the rate, 2^-54 ns of UTC per count */
	double offset_uncertainty_ns;
	double drift_uncertainty; /* s/s */
	double measurement_sd_ns; /* by which the next measurement is expected to be off this */
	double confidence;        /* 0 to 1 */
	struct bound bound;
	uint64_t last_sample;       /* counter value of the newest sample that it rests on */
	uint32_t measurement_count; /* samples accepted so far */
	uint8_t status;             /* enum chronotick_status, never WRITER_GONE or EXPIRED */
	uint8_t source;             /* enum chronotick_source_kind */
	uint8_t leap; /* at the end of this month: CHRONOTICK_LEAP_* >> CHRONOTICK_LEAP_SHIFT */
	int16_t tai_offset_s; /* or CHRONOTICK_TAI_UNKNOWN */
	int64_t leap_ns; /* UTC breaks there: nothing here holds beyond; 0: no leap second ahead */
};

/* How the engine sees one source, for status displays */
struct source_view {
	uint8_t state;      /* enum chronotick_source_state */
	const char *reason; /* static text: why it is, or is not, used */
	bool agrees;        /* with the time that is told; candidates can, too */
	bool has_sample;
	int64_t false_by_ns; /* how far its interval is from what it disagrees with; 0: nothing */
	int64_t offset_ns;   /* of its estimate from the engine's own, when last weighed */
	struct sample last;
	int64_t root_distance_ns; /* of its best sample, when last weighed */
	uint64_t samples;
	uint64_t verdicts[FILTER_VERDICTS]; /* what became of them */
};

/* What the engine keeps of a source; its users look at the views only. */
struct engine_source {
	struct filter filter;
	int64_t longest_gap_ns;
	int64_t last_raw_ns;  /* of the last sample taken, whatever became of it */
	uint8_t lost;         /* enum chronotick_source_state, SELECTED: it is not lost */
	bool returning;       /* was lost, and no sample has agreed with those before it since */
	bool distrusted;      /* a majority called it false, and none took it back since */
	bool recanted;        /* contradicted itself for good, and no majority has taken it since */
	bool present;         /* the slot is in use */
	unsigned int options; /* ENGINE_SOURCE_* */
	enum cluster_place place; /* when it was a truechimer last */
	unsigned int fresh;       /* of its samples, that the models have not been given */
	double apart_ns;          /* from the mean of all that are selected */
	unsigned int apart_count;
	bool late;            /* came when others had been heard: not waited for at the start */
	const char *excluded; /* why it takes no part; NULL: it does */
};

struct engine_input;

struct engine {
	struct engine_config config;
	/* Told of all that comes in: engine_observe() */
	void (*observer)(void *data, const struct engine_input *input,
			 const struct correction *told);
	void *observer_data;
	struct filter_limits limits;
	unsigned int source_count; /* that are present */
	unsigned int source_end;   /* all of them are below this slot */
	struct engine_source sources[ENGINE_SOURCES_MAX];
	struct source_view views[ENGINE_SOURCES_MAX];

	struct correction base;             /* what engine_correct() extrapolates from */
	struct offset_interval base_offset; /* UTC minus raw time lies in it, at base_raw_ns */
	struct rate_interval base_rate;
	int64_t base_used_rate;
	int64_t base_raw_ns;
	uint64_t selected_counter;  /* when a majority last agreed */
	uint64_t sd_counter;        /* counter value that the base's uncertainties are for */
	int64_t selected_bound_ns;  /* half-width then */
	unsigned int most_selected; /* the most sources that agreed, within ENGINE_MEMORY_NS */
	int64_t most_ns;            /* when they did, raw time */
	bool has_base;              /* there is a trusted time */
	struct models models;
	struct learnt learnt; /* by an earlier run: memory.h */
	int64_t learnt_age_ns;
	bool learnt_same;      /* the oscillator has run on since */
	struct estimate lines; /* what the sources' lines said when last weighed */
	bool has_lines;
	bool disproved;        /* what an earlier run knew is not true: the models were told */
	enum fuse_level level; /* what the time rests on, as last weighed */
	enum fuse_level held;  /* in holdover, what the time held over follows */
	uint8_t leap_vote;     /* of the sources selected last */
	struct leap_watch leap;

	uint32_t epoch; /* counts what makes raw time, or UTC's distance from it, another one */
	uint8_t status; /* as last weighed */
	bool dirty;     /* something happened since */
	bool has_weighed;
	int64_t weighed_ns; /* raw time */
	bool has_seen;
	int64_t seen_ns; /* raw time of the latest engine_correct() */
	bool has_first;
	int64_t first_ns; /* raw time of the first sample */
	uint32_t measurement_count;
};

/*
 * The first source_count slots are in use; others can be added. Returns 0, or -EINVAL if the config
 * is out of range or source_count above ENGINE_SOURCES_MAX.
 */
int engine_init(struct engine *engine, const struct engine_config *config,
		unsigned int source_count);

/*
 * Other limits from now on; samples, sources and time stay as they are. The timescale cannot
 * change: that of `config` is not looked at. Returns 0 or -EINVAL, as engine_init().
 */
int engine_configure(struct engine *engine, const struct engine_config *config);

/*
 * A source comes, in a slot below ENGINE_SOURCES_MAX. One that comes after the first sample is not
 * waited for at the start. Returns 0, -EINVAL: no such slot, -EEXIST: it is in use.
 */
int engine_source_add(struct engine *engine, unsigned int source);

/*
 * A source goes for good, and with it all that it said; its view is as if it had never been there.
 * Time goes on from the others, or holds over. One that was selected does not count any more among
 * those that agreed, against which others that contradict are measured: whoever takes it away
 * wants that. A slot that is not in use is left alone.
 */
void engine_source_remove(struct engine *engine, unsigned int source);

/*
 * The source takes no part until it is admitted again: `reason`, static text, says why; NULL
 * admits it. Its samples are refused meanwhile, those that it gave before are kept. After that it
 * is as one that was unreachable: not selected until its next sample.
 */
void engine_source_exclude(struct engine *engine, unsigned int source, const char *reason);

/* Sources, as they were last weighed: with a part in the estimate, and with a say in it */
struct engine_tally {
	unsigned int selected, usable;
};
void engine_tally(const struct engine *engine, struct engine_tally *ret);

/*
 * What the operator says of the source from now on: ENGINE_SOURCE_*, see source_options.h; 0 at the
 * start. Nothing that it said before is lost. Returns 0, or -EINVAL: no such source or option.
 */
int engine_source_options(struct engine *engine, unsigned int source, unsigned int options);

/*
 * Take a sample. Returns 0; -EINVAL if a field is out of its range, the source is unknown, or the
 * sample lies more than ENGINE_FUTURE_NS after the latest engine_correct(); -ESTALE if it is not
 * newer than the source's last one, or lies more than ENGINE_PAST_NS before that correction; -EPERM
 * if the source is excluded; -EAGAIN if it lies within LEAP_GUARD_NS of a leap second. A sample
 * that is not taken changes nothing. One from before a leap second that comes after it is shifted
 * with the others.
 *
 * One with leap indicator 3 is counted, and takes the source out of use until its next.
 */
int engine_sample_add(struct engine *engine, const struct sample *sample);

/*
 * What may move the oscillator, as it was read at a counter value, not before the one of the reading
 * before. Returns 0, or -EINVAL if the timescale does not cover it.
 */
int engine_covariates(struct engine *engine, uint64_t counter, const struct covariates *covariates);

/*
 * A prediction of an external model, in this engine's raw time and epoch, that came at a counter
 * value, not before the newest engine_correct(). See models_feed(), whose errors it returns; -EINVAL
 * also if the timescale does not cover the counter.
 */
int engine_feed(struct engine *engine, uint64_t counter, const struct prediction *prediction);

/*
 * The source answers no more, or must not be used (state: UNREACHABLE, UNSYNCHRONIZED, DENIED or
 * LOOP, anything else counts as UNREACHABLE): it is not selected until its next sample, and not waited
 * for at the start.
 */
void engine_source_unreachable(struct engine *engine, unsigned int source, uint8_t state);

/*
 * The rate or the counter jumped: forget all samples and what memory.h knew, keep the
 * configuration.
 */
void engine_reset(struct engine *engine);

/*
 * UTC jumps by shift_ns, a leap second: all samples and the time told from them shift with it, and
 * are as good as before. engine_correct() and engine_sample_add() do this by themselves when a leap
 * second is due.
 */
void engine_leap(struct engine *engine, int64_t shift_ns);

/*
 * The counter is another one, or jumped so far that the timescale does not hold: forget all samples
 * and go on with this timescale.
 */
void engine_restart(struct engine *engine, const struct timescale *scale);

/*
 * The correction for a counter value, normally at or after the newest sample. Its status is
 *	UNSYNCHRONIZED	no sample yet, or no majority of the sources agrees and nothing to hold over
 *	WARMING_UP	samples, but more sources must be heard (below), or the bound is still wider
 *			than max_bound_ns
 *	SYNCHRONIZED	a majority agrees
 *	HOLDOVER	no majority, or no fresh sample: the last correction runs on, its bound
 *			grows; it ends at max_bound_ns
 * utc and bound are meaningful from SYNCHRONIZED on.
 *
 * A majority is more than half of the usable sources: those that are reachable, synchronised, near
 * enough, and do not contradict themselves. In the first ENGINE_START_WAIT_NS after the first
 * sample, those that are not known to be lost count too: more than half of all these must agree, so
 * that early answers are not trusted while others are still to be heard, and the bound covers
 * whatever these may say. A source that a majority called false is distrusted until a majority with
 * a trusted member takes it back: distrusted sources that are left alone with each other don't make
 * time. Nor do those that contradict the time held over, if no more than half as many of them agree
 * as did on that time: the first ones that answer after an outage may be the false ones. Nor do
 * those that all contradict what they said themselves, while another one says the same as before:
 * then it was not the clock that jumped, and they were wrong before or are now. Whom
 * the operator trusts is above all this.
 *
 * leap and leap_ns tell of a leap second at the end of this month: by config.leaps where that knows
 * (leap_find()), else if more than half of the selected sources say so. As soon as all of the
 * interval lies beyond it, UTC has shifted and TAI - UTC has changed.
 */
void engine_correct(struct engine *engine, uint64_t counter, struct correction *ret);

#endif /* ENGINE_ENGINE_H */
