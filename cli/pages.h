/* SPDX-License-Identifier: MIT */
/* What the daemon is to its pages, and how it takes cross-timestamps. */
#ifndef CLI_PAGES_H
#define CLI_PAGES_H

#include <jansson.h>

#include "control/protocol.h"

/* In words, for chronotick status --verbose. */
void pages_print(const struct control_pages_reply *reply);

/* Members "pages" and "cross_timestamps" for chronotick status --json. */
void pages_add(json_t *object, const struct control_pages_reply *reply);

#endif /* CLI_PAGES_H */
