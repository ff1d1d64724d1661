/* SPDX-License-Identifier: MIT */
/*
 * What the daemon says of the bound's terms, of the models and of itself: chronotick status
 * --verbose and --json.
 */
#ifndef CLI_TERMS_H
#define CLI_TERMS_H

#include <jansson.h>

#include "cli.h"
#include "control/protocol.h"
#include "view/view.h"

struct terms {
	struct control_status_reply status;
	struct control_models_reply models;
	struct control_covariates_reply covariates;
	struct control_identity_reply identity;
	struct control_pages_reply pages;
	bool has_models;     /* a daemon of an earlier release knows of none */
	bool has_covariates; /* likewise */
	bool has_pages;      /* likewise */
};

/* Ask the daemon for all of it. Returns 0, or a negative errno: why not stands on stderr. */
int terms_ask(const struct cli *cli, struct terms *ret);

/* ... in words, for --verbose */
void terms_print(const struct cli *cli, const struct terms *terms, const struct view *view);

/* ... as an object; what is not known is null */
json_t *terms_json(const struct terms *terms);
json_t *covariates_json(const struct control_covariates_reply *covariates);

#endif /* CLI_TERMS_H */
