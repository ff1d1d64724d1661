/* SPDX-License-Identifier: MIT */
/* All that is exported, taken at one moment. */
#ifndef EXPORTER_FACTS_H
#define EXPORTER_FACTS_H

#include <stdbool.h>

#include "control/protocol.h"
#include "view/view.h"

struct exporter_facts {
	struct view view;
	/* What the daemon itself says; without it the page's word is all there is. */
	bool has_status, has_identity, has_models;
	struct control_status_reply status;
	struct control_identity_reply identity;
	struct control_models_reply models;
	double taken_s; /* how long it took to gather all this */
};

/*
 * Read the page (NULL: the usual one) and ask the daemon at its control socket (NULL: the usual one;
 * "none": don't). Never fails: what is not to be had is not there.
 */
void exporter_facts_take(struct exporter_facts *facts, const char *page, const char *control);

#endif /* EXPORTER_FACTS_H */
