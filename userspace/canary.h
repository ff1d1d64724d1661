/* SPDX-License-Identifier: MIT */
/*
 * What a read of the page costs, as a client of it measures: some hundred reads once a second, in
 * batches, as one read is too short for the counter's steps.
 */
#ifndef USERSPACE_CANARY_H
#define USERSPACE_CANARY_H

#include "chronotick_page.h"
#include "timestamping/counter.h"

struct canary;

/*
 * Open the page as any client does. `counter` must outlive the canary. Returns 0 or what
 * chronotick_open() returns.
 */
int canary_open(struct canary **ret, const char *path, const struct counter *counter);
void canary_close(struct canary *canary); /* NULL is allowed */

/*
 * One round of reads, some 30 us; tracers are told of it by the probe chronotick:canary (see
 * <chronotick/canary.h>), the page's figures are of the warm reads. Dropped, so that nothing changes, if the thread was moved to
 * another CPU meanwhile.
 */
void canary_measure(struct canary *canary);

/*
 * Fill in read_count (since start), torn_reads, and of the latest minute's batches the mean time of
 * a read: smallest, mean, median, 99th percentile and largest, in ps. Before the first round all
 * are 0. Percentiles are good to 2 %.
 */
void canary_statistics(const struct canary *canary, struct chronotick_statistics *ret);

#endif /* USERSPACE_CANARY_H */
