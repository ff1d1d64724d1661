/* SPDX-License-Identifier: MIT */
/*
 * Records through an engine, each measurement compared with what was predicted for it from those
 * before it: by the engine, by its models, and by plain predictors.
 */
#ifndef CLI_RERUN_H
#define CLI_RERUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/sample_text.h"
#include "baselines.h"
#include "engine/engine.h"
#include "recording.h"

enum predictor {
	PREDICTOR_ENGINE,
	PREDICTOR_MODELS,                                 /* enum model, one after the other */
	PREDICTOR_LINES = PREDICTOR_MODELS + MODEL_COUNT, /* those through the sources' samples */
	PREDICTOR_BASELINES,                              /* enum baseline */
	PREDICTORS = PREDICTOR_BASELINES + BASELINES,
};

extern const char *const predictor_names[PREDICTORS];

/* How one predictor fared */
struct tally {
	unsigned int count;
	double error_ms;           /* sum of the absolute errors */
	double square_ms2;         /* and of their squares */
	unsigned int within_sigma; /* of the predictor's deviation and the measurement's together */
	unsigned int within_bound; /* the engine's alone: the measurement's interval met it */
};

/* Kept from the engine, and only scored: every so many-th measurement, or those of one source */
struct hold {
	unsigned int every; /* 0: none */
	const char *source; /* NULL: none */
};

struct rerun_options {
	struct engine_config config; /* and models: where the records have none, or do not count */
	struct models_config models;
	bool config_counts; /* more than that of the records */
	struct hold hold;
	bool points; /* keep them, for a plot */
};

/* A place on the plot */
struct rerun_point {
	double t_s;         /* since the first one, UTC */
	double measured_ms; /* NAN: there was no measurement */
	double told_ms;     /* NAN: there was no trusted time */
	double sigma_ms;
	double bound_ms;
	bool held;
	bool begins; /* on another timescale than those before */
};

/* What the daemon had told, and this engine tells */
struct rerun_told {
	unsigned int compared;
	unsigned int same; /* to the last digit */
	int64_t apart_ns;  /* largest difference */
	bool whole;        /* every run was read from its beginning, and no line is missing */
};

struct rerun_name {
	char text[SAMPLE_WORD_MAX];
};

struct rerun {
	struct rerun_options options;
	struct engine_config config; /* of the run */
	struct models_config models;
	struct leap_table leaps;      /* in use */
	struct leap_table next_leaps; /* not complete yet */
	struct engine *engine;
	struct engine *peek; /* a copy to ask, without the engine noticing */
	bool running;        /* the engine has begun */
	bool collecting;     /* the state of a run is being told, */
	bool passing;        /* of one that goes on: it is passed over */
	char run[SAMPLE_WORD_MAX];
	uint64_t number; /* of the run's lines so far */
	unsigned int runs;

	struct baselines baselines;
	bool has_reference;
	int64_t reference_ns; /* offsets of UTC from raw time are told from it */
	struct rerun_name names[ENGINE_SOURCES_MAX];
	bool held[ENGINE_SOURCES_MAX];
	bool hold_found;

	struct tally ahead[PREDICTORS]; /* of measurements that the engine was given afterwards */
	struct tally kept[PREDICTORS];  /* of those that were held */
	unsigned int samples;
	unsigned int refused;    /* by the engine */
	unsigned int false_ones; /* of a source that the engine calls false: not scored */
	unsigned int untrusted;  /* scored without a trusted time: the last offset stands in */
	unsigned int by_source[CHRONOTICK_PHC + 1];
	struct rerun_told told;
	double *bounds_ms; /* of those that are scored */
	size_t bound_count, bound_room;
	struct rerun_point *points;
	size_t point_count, point_room;
	size_t idle_count; /* points without a measurement */
	double idle_gap_s; /* as close as these may be */
	bool point_begins; /* the next one does */
	int64_t first_ns;  /* UTC of the first one, about */
};

/* Returns 0 or a negative errno; rerun_clear() frees. */
int rerun_init(struct rerun *rerun, const struct rerun_options *options);
void rerun_clear(struct rerun *rerun);

/*
 * Take a record of a recording. Records of several recordings may follow each other; a run of
 * chronotickd's goes on in the next file. Returns 0, -EINVAL if the engine refuses a configuration, or
 * -ENOMEM.
 */
int rerun_record(struct rerun *rerun, const struct recording *recording,
		 const struct sample_record *record);

/* Median half-width of what was told, where measurements are scored; NAN if there was none mostly. */
double rerun_bound_median_ms(struct rerun *rerun);

#endif /* CLI_RERUN_H */
