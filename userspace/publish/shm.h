/* SPDX-License-Identifier: MIT */
/* The backend that publishes in shared memory: a page below /dev/shm/, see segment.h. */
#ifndef PUBLISH_SHM_H
#define PUBLISH_SHM_H

#include "publish/backend.h"

/*
 * One for the page of config->shm_name, on standby: nothing is taken yet. Returns 0; -ENOMEM; or
 * -EINVAL with a sentence if that is no name for a page.
 */
int shm_new(struct backend **ret, const struct publish_config *config,
	    const struct segment_why *why);

#endif /* PUBLISH_SHM_H */
