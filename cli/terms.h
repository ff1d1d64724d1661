/* SPDX-License-Identifier: MIT */
/* What the bound is made of, as the daemon says: chronotick status --verbose. */
#ifndef CLI_TERMS_H
#define CLI_TERMS_H

#include "cli.h"
#include "view.h"

/*
 * Ask the daemon and show the terms of its bound. Returns 0, or a negative errno after it was told
 * on stderr.
 */
int terms_print(const struct cli *cli, const struct view *view);

#endif /* CLI_TERMS_H */
