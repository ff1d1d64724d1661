/* SPDX-License-Identifier: MIT */
/*
 * A kernel with the module that is made up, for tests of its backend: it answers each call with what
 * the test has laid out, stores what it takes, and counts.
 */
#ifndef SUPPORT_FAKE_MODULE_H
#define SUPPORT_FAKE_MODULE_H

#include "chronotick_ioctl.h"
#include "publish/module.h"
#include "publish/publish.h"

#define FAKE_ANSWERS 16

struct fake_kernel {
	struct chronotick_page page;
	int open_result, map_result, claim_result;
	int answers[FAKE_ANSWERS]; /* to PUBLISH, in order; then 0 */
	unsigned int publishes, claims, figures, opened, closed;
	bool refuses_records;
	struct chronotick_claim claim;
	struct chronotick_update update; /* the last one */
	struct chronotick_update before; /* the one before */
	struct chronotick_figures told;
};

extern struct fake_kernel kernel;

/* What a test publishes with, on a counter of 1 GHz */
extern struct publisher *publisher;
extern struct counter fake_counter;
extern struct publish_facts facts;
extern char why[300];
extern int32_t owner;

/* What the backend's calls end in */
extern const struct module_io fake_module_io;

/* A module that has just been loaded. */
void fake_kernel_begin(void);

/* Both lines of its page, and its generation, as an event or another writer would store them. */
void fake_line_set(const struct chronotick_clock *line);

/* Settings for that backend, without a page in shared memory */
struct publish_config settings(uint8_t backend);

/* publisher_open() */
int publisher_try(const struct publish_config *config);

/* As the writer of a module that has just been loaded; the test fails where that can't be. */
void open_active(void);

/* A round of the daemon's, with the estimate that UTC is utc_ns now. */
int publish(int64_t utc_ns);

/* What the publisher is to the module's page */
enum publish_role role(void);

#endif /* SUPPORT_FAKE_MODULE_H */
