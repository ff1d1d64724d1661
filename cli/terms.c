/* SPDX-License-Identifier: MIT */
#include "terms.h"

#include <errno.h>
#include <inttypes.h>

#include "ask.h"
#include "pages.h"
#include "text.h"

static const char *const labels[CONTROL_TERMS] = {
	[CONTROL_TERM_ROOT_DELAY] = "half of the sources' root delay",
	[CONTROL_TERM_ROOT_DISPERSION] = "the sources' root dispersion",
	[CONTROL_TERM_DELAY] = "half of the exchange's delay",
	[CONTROL_TERM_DISPERSION] = "dispersion of the exchange",
	[CONTROL_TERM_STAMPS] = "stamps and cross-timestamps",
	[CONTROL_TERM_AGEING] = "drift and wander since the exchange",
	[CONTROL_TERM_DISAGREEMENT] = "the estimate beside that exchange",
	[CONTROL_TERM_SLEW] = "rest of a slew",
	[CONTROL_TERM_STEP] = "step of the counter",
	[CONTROL_TERM_ROUNDING] = "rounding",
};

static int terms_of(struct ask *ask, enum control_type type)
{
	union control_request request;

	control_request_begin(&request, type, 0);
	return ask_for(ask, &request);
}

int terms_ask(const struct cli *cli, struct terms *ret)
{
	struct ask ask;
	int r = ask_open(&ask, cli->control);

	*ret = (struct terms){.covariates.age_ns = -1};
	if (r == 0)
		r = terms_of(&ask, CONTROL_STATUS);
	if (r == 0) {
		ret->status = ask.reply.status;
		r = terms_of(&ask, CONTROL_MODELS);
	}
	if (r == 0) {
		ret->models = ask.reply.models;
		ret->has_models = true;
	}
	if (r == 0 || r == -EOPNOTSUPP)
		r = terms_of(&ask, CONTROL_COVARIATES);
	if (r == 0) {
		ret->covariates = ask.reply.covariates;
		ret->has_covariates = true;
	}
	if (r == 0 || r == -EOPNOTSUPP)
		r = terms_of(&ask, CONTROL_PAGES);
	if (r == 0) {
		ret->pages = ask.reply.pages;
		ret->has_pages = true;
	}
	if (r == 0 || r == -EOPNOTSUPP)
		r = terms_of(&ask, CONTROL_IDENTITY);
	if (r == 0)
		ret->identity = ask.reply.identity;
	else
		ask_complain(&ask, r);
	ask_close(&ask);
	return r;
}

static void line_print(const char *label, uint64_t ns)
{
	char text[TEXT_SIZE];

	printf("  %-38s %14s\n", label, text_duration(text, (double)ns * 1e-9, false));
}

static void bound_print(const struct control_status_reply *status)
{
	char text[TEXT_SIZE];
	unsigned int i;

	printf("\nBound, term by term\n");
	if (!(status->flags & CONTROL_TRUSTED)) {
		printf("  there is no trusted time, and so no bound\n");
		return;
	}
	if (status->flags & CONTROL_HAS_TERMS)
		for (i = 0; i < CONTROL_TERMS; i++)
			line_print(labels[i], status->terms[i]);
	else
		printf("  of the daemon before this one, which has not said\n");
	line_print("= at the publication", status->bound_ns);
	line_print("growth since then", status->grown_ns);
	line_print("= now", status->bound_ns + status->grown_ns);
	line_print("growth until it expires", status->expiry_ns);
	line_print("= then", status->bound_ns + status->grown_ns + status->expiry_ns);
	printf("  it grows by %s a second, and expires in %s\n",
	       text_duration(text, (double)status->growth_ppt * 1e-12, false),
	       text_duration((char[TEXT_SIZE]){0}, (double)status->remaining_ns * 1e-9, false));
}

static void model_print(const struct control_model *model, const char *name)
{
	char error[TEXT_SIZE], away[TEXT_SIZE], sd[TEXT_SIZE], age[TEXT_SIZE];

	printf("  %-24s %s\n", name, model->reason);
	if (model->flags & CONTROL_MODEL_PREDICTS)
		printf("  %24s predicts %s +- %s beside the time told, %s ago\n", "",
		       text_duration(away, model->away_ns * 1e-9, true),
		       text_duration(sd, model->sd_ns * 1e-9, false),
		       text_duration(age, (double)model->age_ns * 1e-9, false));
	if (model->scored)
		printf("  %24s %" PRIu64 " measurements were off by %s in the mean; "
		       "deviations times %.2f\n",
		       "", model->scored, text_duration(error, model->error_ns * 1e-9, false),
		       model->factor);
}

static void models_print(const struct control_models_reply *reply)
{
	static const char *const levels[CONTROL_LEVELS] = {
		[CONTROL_FUSION] = "several models, fused",
		[CONTROL_SHORT_TERM] = "the short-term model",
		[CONTROL_LONG_TERM] = "the long-term model",
		[CONTROL_SOURCES_ONLY] = "the sources only",
		[CONTROL_HOLDOVER] = "holdover",
		[CONTROL_NO_DATA] = "nothing",
	};
	static const char *const models[CONTROL_MODEL_KINDS] = {
		[CONTROL_MODEL_SHORT_TERM] = "short-term model",
		[CONTROL_MODEL_LONG_TERM] = "long-term model",
		[CONTROL_MODEL_FEED] = "external model",
	};
	bool held = reply->level == CONTROL_HOLDOVER && reply->held < CONTROL_LEVELS;
	unsigned int i;

	printf("\nThe time rests on %s%s%s: %s\n",
	       reply->level < CONTROL_LEVELS ? levels[reply->level] : "something new",
	       held ? ", by " : "", held ? levels[reply->held] : "", reply->reason);
	for (i = 0; i < CONTROL_MODEL_KINDS; i++)
		model_print(&reply->models[i], models[i]);
	printf("  the oscillator's rate walks by %.3g ppb in a second, and may move by %.3g ppb\n"
	       "  within 18 minutes, as far as the bound is concerned\n",
	       reply->walk_ns_s, reply->allowed_ns_s);
}

static void covariates_print(const struct control_covariates_reply *reply)
{
	static const char *const names[CONTROL_COVARIATE_COUNT] = {
		[CONTROL_TEMPERATURE] = "temperature",
		[CONTROL_CPU_FREQUENCY] = "CPU frequency",
		[CONTROL_CPU_LOAD] = "CPU load",
		[CONTROL_MEMORY] = "memory pressure",
	};
	static const struct {
		double scale;
		const char *unit;
	} units[CONTROL_COVARIATE_COUNT] = {
		[CONTROL_TEMPERATURE] = {1, " C"},
		[CONTROL_CPU_FREQUENCY] = {1, " MHz"},
		[CONTROL_CPU_LOAD] = {100, " %"},
		[CONTROL_MEMORY] = {100, " %"},
	};
	char text[TEXT_SIZE];
	unsigned int i;

	printf("\nWhat may move the oscillator%s%s\n", reply->thermometer[0] ? ", by " : "",
	       reply->thermometer);
	if (!reply->present)
		printf("  nothing of it is known\n");
	for (i = 0; i < CONTROL_COVARIATE_COUNT; i++)
		if (reply->present & 1U << i)
			printf("  %-38s %14s\n", names[i],
			       text_number(text, units[i].scale * reply->values[i], 2, false,
					   units[i].unit));
	if (reply->age_ns >= 0)
		printf("  read %s ago\n", text_duration(text, (double)reply->age_ns * 1e-9, false));
}

static void daemon_print(const struct cli *cli, const struct control_identity_reply *identity,
			 const struct view *view)
{
	putchar('\n');
	text_field(cli, "Daemon", TEXT_PLAIN, "chronotickd %s, pid %u, page %s", identity->version,
		   identity->pid, identity->page);
	if (view->header.writer_pid && view->header.writer_pid != identity->pid)
		text_field(cli, "", TEXT_WARN,
			   "this is not the page's writer: give its socket with --control");
	text_field(cli, "Control", TEXT_PLAIN,
		   "%" PRIu64 " connections, %" PRIu64 " requests, %" PRIu64
		   " dropped; you may %schange things",
		   identity->connections, identity->requests, identity->dropped,
		   identity->may_change ? "" : "not ");
}

void terms_print(const struct cli *cli, const struct terms *terms, const struct view *view)
{
	const struct control_status_reply *status = &terms->status;

	bound_print(status);
	printf("  the clock runs at %+.6f us/s beside the counter's nominal rate\n",
	       (double)status->rate_ppt * 1e-6);
	printf("  %u sources, %u usable, %u selected\n", status->sources, status->usable,
	       status->selected);
	if (terms->has_models)
		models_print(&terms->models);
	if (terms->has_covariates)
		covariates_print(&terms->covariates);
	if (terms->has_pages)
		pages_print(&terms->pages);
	daemon_print(cli, &terms->identity, view);
}
