/* SPDX-License-Identifier: MIT */
/*
 * What an operator is told of the sources, and of a feed, which is shown after them. These are the
 * calls of struct control_ops; `data` is the struct operators.
 */
#ifndef USERSPACE_OPERATORS_SOURCE_H
#define USERSPACE_OPERATORS_SOURCE_H

#include <stdint.h>

#include "control/protocol.h"

/* How many there are: sources, pools without a member, and a feed */
uint32_t operators_source_count(void *data);

/*
 * The one of that number, below the count. All of *ret that it does not know must be zero. Returns
 * 0; -ENOENT: there is none.
 */
int operators_source(void *data, uint32_t number, struct control_source *ret);

/* What a PTP source knows of its master. Returns 0; -ENOENT: the source of that number is no PTP. */
int operators_ptp(void *data, uint32_t number, struct control_ptp_reply *ret);

#endif /* USERSPACE_OPERATORS_SOURCE_H */
