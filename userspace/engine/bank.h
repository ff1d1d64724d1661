/* SPDX-License-Identifier: MIT */
/*
 * A bank of Kalman filters, each with its own idea of the noise: what the data make likely counts.
 *
 * A member's noise is relative to a scale that it finds out by itself: measured and driving noise
 * are both multiplied with it, and their ratio is what makes one member differ from the next. The
 * scale has an inverse-gamma distribution, so a measurement is expected with Student's t.
 *
 * Weights follow the likelihood of each measurement before it was used. It is forgotten in time, as
 * oscillators and networks change, and tempered: on short and noisy records the mean of many members
 * is better than the one that happened to be best.
 */
#ifndef ENGINE_BANK_H
#define ENGINE_BANK_H

#include <stdbool.h>

#include "engine/kalman.h"
#include "engine/prediction.h"
#include "engine/retro.h"

#define BANK_MEMBERS_MAX 64
#define BANK_FAMILIES 4

/* Members of one kind, weighed against those of others by what they together foretold */
struct bank_family {
	double share;  /* of the weight before anything was measured */
	double temper; /* its members' weights follow the likelihood to this power, 0 to 1 */
	double likelihood;
	double weight;
};

struct bank_member {
	struct kalman kalman; /* variances are relative to the scale */
	struct kalman_noise noise;
	double share;        /* of its family's weight, before anything was measured */
	double scale_sum;    /* the scale is this over bank.scale_count */
	double likelihood;   /* logarithm, of what was measured, forgotten in time */
	double evidence;     /* the same, forgotten ten times as slowly */
	double weight;       /* 0 to 1; of all members the sum is 1 */
	unsigned int family; /* below BANK_FAMILIES */
	bool equal;          /* measurements count equally, whatever their expected errors */
	bool relative; /* noise.offset is relative to the usual variance of measurements, 1/s */
};

/* A measurement that contradicts, and the last one that agreed; offsets as the bank has them */
struct bank_contradiction {
	double since_s;       /* >= 0: from the bank's last measurement */
	double span_s;        /* from the one that agreed, see struct retro_error */
	const double *inputs; /* for since_s, as in kalman_advance() */
	double agreed_ns;
	double agreed_sd_ns;
	double measured_ns;
	double measured_sd_ns;
};

/* What a bank says: the members' mean, and the variance of all of them together */
struct bank_state {
	double offset_ns;
	double variance; /* ns^2 */
};

struct bank {
	struct bank_member *members;
	unsigned int count;
	struct bank_family families[BANK_FAMILIES];
	/* What is kept of likelihoods at each measurement */
	double member_kept;    /* 0.98: oscillators change */
	double family_kept;    /* 0.995 */
	double log_variance;   /* of measurements, ns^2: the mean of its logarithm */
	double usual_variance; /* the geometric mean */
	double scale_count;
	double scale_first; /* what all scales are beforehand, 1 */
	/* bank_noise(): a constant, ns^2, and a factor of the expected variance */
	double noise_variance;
	double noise_share;
	unsigned int measured;
};

/*
 * Members, in an array of the caller's that outlives the bank, have share, noise, equal and their
 * states' kalman_init() set; the offset's standard deviation is that of the first measurement. The
 * offset and all weights are set by the first bank_update(). Likelihoods, of members and families,
 * are 0, or what an earlier bank left.
 */
void bank_init(struct bank *bank, struct bank_member *members, unsigned int count);

/*
 * Before the first bank_update(): what the scale is beforehand, > 0, for as little as without this.
 * Members' variances are relative to it. Sets the weights, by the likelihoods.
 */
void bank_known(struct bank *bank, double scale);

/*
 * Measured dt_s >= 0 after the measurement before: the offset is y_ns, with an expected standard
 * deviation of sd_ns > 0. inputs as in kalman_advance(), for all members.
 */
void bank_update(struct bank *bank, double dt_s, const double *inputs, double y_ns, double sd_ns);

/* The members go on from a measurement that contradicts them. What is known of the noise stays. */
void bank_contradict(struct bank *bank, enum retro_method method,
		     const struct bank_contradiction *contradiction);

/* The members' mean of retro_correction(), of a bank that was last measured when one agreed. */
double bank_correction(const struct bank *bank, enum retro_method method,
		       const struct bank_contradiction *contradiction, double after_s);

/* A family that was without a share gets one, and counts as much as the others did until now. */
void bank_family_admit(struct bank *bank, unsigned int family, double share);

/* What the bank, measured at least once, says of the time dt_s >= 0 after its last measurement. */
void bank_ahead(const struct bank *bank, double dt_s, const double *inputs, struct bank_state *ret);

/*
 * The line from one state to another, horizon_s > 0 later, about the time and from the reference of
 * the first: both are the caller's to fill in.
 */
struct estimate bank_line(const struct bank_state *now, const struct bank_state *then,
			  double horizon_s);

/* The variance, ns^2, that a measurement's own error has by what was measured, if sd_ns is expected. */
double bank_noise(const struct bank *bank, double sd_ns);

/* A member's scale: of its variances and its noise */
double bank_scale(const struct bank *bank, const struct bank_member *member);

#endif /* ENGINE_BANK_H */
