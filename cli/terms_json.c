/* SPDX-License-Identifier: MIT */
#include "terms.h"

#include "json_values.h"
#include "pages.h"

/* Nanoseconds of a bound: far below 2^53 */
static json_t *ns_json(uint64_t ns)
{
	return json_integer((json_int_t)ns);
}

static json_t *bound_json(const struct control_status_reply *status)
{
	bool trusted = status->flags & CONTROL_TRUSTED;
	json_t *object = json_object(), *terms = json_object();
	unsigned int i;

	for (i = 0; i < CONTROL_TERMS; i++)
		json_object_set_new(terms, control_term_name(i),
				    status->flags & CONTROL_HAS_TERMS ? ns_json(status->terms[i])
								      : json_null());
	json_object_set_new(object, "published_ns",
			    trusted ? ns_json(status->bound_ns) : json_null());
	json_object_set_new(object, "terms_ns", terms);
	json_object_set_new(object, "grown_ns", trusted ? ns_json(status->grown_ns) : json_null());
	json_object_set_new(object, "growth",
			    trusted ? json_real((double)status->growth_ppt * 1e-12) : json_null());
	json_object_set_new(object, "expires_in",
			    trusted ? json_real((double)status->remaining_ns * 1e-9) : json_null());
	return object;
}

static json_t *model_json(const struct control_model *model)
{
	bool predicts = model->flags & CONTROL_MODEL_PREDICTS;
	json_t *object = json_object();

	json_object_set_new(object, "used", json_boolean(model->flags & CONTROL_MODEL_USED));
	json_object_set_new(object, "reason", json_string(model->reason));
	json_object_set_new(object, "scored", json_integer((json_int_t)model->scored));
	json_object_set_new(object, "error_ns",
			    model->scored ? json_real(model->error_ns) : json_null());
	json_object_set_new(object, "factor", json_real(model->factor));
	json_object_set_new(object, "age", json_age(model->age_ns));
	json_object_set_new(object, "away_ns", predicts ? json_real(model->away_ns) : json_null());
	json_object_set_new(object, "uncertainty_ns",
			    predicts ? json_real(model->sd_ns) : json_null());
	return object;
}

static void models_add(json_t *object, const struct control_models_reply *reply)
{
	json_t *models = json_object(), *oscillator = json_object();
	unsigned int i;

	json_object_set_new(object, "rests_on", json_string(control_level_name(reply->level)));
	json_object_set_new(object, "holds_over",
			    reply->level == CONTROL_HOLDOVER
				    ? json_string(control_level_name(reply->held))
				    : json_null());
	json_object_set_new(object, "reason", json_string(reply->reason));
	for (i = 0; i < CONTROL_MODEL_KINDS; i++)
		json_object_set_new(models, control_model_name(i), model_json(&reply->models[i]));
	json_object_set_new(object, "models", models);
	json_object_set_new(oscillator, "walk_ppb", json_real(reply->walk_ns_s));
	json_object_set_new(oscillator, "slope_ppb_s", json_real(reply->slope_ns_s2));
	json_object_set_new(oscillator, "wander_ppb", json_real(reply->allowed_ns_s));
	json_object_set_new(object, "oscillator", oscillator);
}

json_t *covariates_json(const struct control_covariates_reply *covariates)
{
	json_t *object = json_object();
	unsigned int i;

	for (i = 0; i < CONTROL_COVARIATE_COUNT; i++)
		json_object_set_new(object, control_covariate_name(i),
				    covariates->present & 1U << i ? json_real(covariates->values[i])
								  : json_null());
	json_object_set_new(object, "thermometer",
			    covariates->thermometer[0] ? json_string(covariates->thermometer)
						       : json_null());
	json_object_set_new(object, "age", json_age(covariates->age_ns));
	return object;
}

json_t *terms_json(const struct terms *terms)
{
	const struct control_status_reply *status = &terms->status;
	json_t *object = json_object(), *sources = json_object();

	json_object_set_new(object, "bound", bound_json(status));
	json_object_set_new(object, "rate", json_real((double)status->rate_ppt * 1e-12));
	json_object_set_new(sources, "configured", json_integer(status->sources));
	json_object_set_new(sources, "usable", json_integer(status->usable));
	json_object_set_new(sources, "selected", json_integer(status->selected));
	json_object_set_new(object, "sources", sources);
	if (terms->has_models)
		models_add(object, &terms->models);
	json_object_set_new(object, "covariates", covariates_json(&terms->covariates));
	if (terms->has_pages)
		pages_add(object, &terms->pages);
	json_object_set_new(object, "pid", json_integer(terms->identity.pid));
	json_object_set_new(object, "version", json_string(terms->identity.version));
	return object;
}
