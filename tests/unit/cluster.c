/* SPDX-License-Identifier: MIT */
/* Which truechimers the estimate is made of; figures worked out by hand. */
#include <math.h>

#include <criterion/criterion.h>

#include "engine/cluster.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 50 is 50, 49 and 48 from the others: the root of 7205 / 3, 49.007. */
Test(cluster, who_is_farther_than_the_least_jitter_goes)
{
	struct cluster_source far[] = {{0, 60, 0}, {1, 60, 0}, {50, 60, 0}, {2, 49.0, 0}};
	struct cluster_source near[] = {{0, 60, 0}, {1, 60, 0}, {50, 60, 0}, {2, 49.01, 0}};

	cr_assert_eq(cluster(far, COUNT(far)), 3);
	cr_assert_eq(far[2].place, CLUSTER_OUT);
	cr_assert(far[0].place == CLUSTER_IN && far[1].place == CLUSTER_IN &&
		  far[3].place == CLUSTER_IN);
	cr_assert_eq(cluster(near, COUNT(near)), 4);
	cr_assert_eq(near[2].place, CLUSTER_IN);
}

Test(cluster, three_are_left_however_far_apart)
{
	struct cluster_source sources[] = {{0, 1, 0}, {1000, 1, 0}, {-400, 1, 0}};

	cr_assert_eq(cluster(sources, 3), 3);
	cr_assert_eq(cluster(sources, 2), 2);
	cr_assert_eq(cluster(sources, 1), 1);
	cr_assert_eq(sources[0].place, CLUSTER_IN);
	cr_assert_eq(cluster(sources, 0), 0);
}

Test(cluster, they_go_one_by_one_until_the_rest_is_close)
{
	struct cluster_source sources[] = {{-90, 5, 0}, {0, 5, 0}, {1, 5, 0},
					   {2, 5, 0},   {3, 5, 0}, {70, 5, 0}};

	cr_assert_eq(cluster(sources, COUNT(sources)), 4);
	cr_assert_eq(sources[0].place, CLUSTER_OUT);
	cr_assert_eq(sources[5].place, CLUSTER_OUT);
}

/* 9 is 9, 9 and 9 from the others. */
Test(cluster, who_is_out_has_to_be_better_to_come_back)
{
	struct cluster_source sources[] = {{0, 10, 0}, {0, 10, 0}, {0, 10, 0}, {9, 10, 0}};

	cr_assert_eq(cluster(sources, 4), 4);
	sources[3].place = CLUSTER_OUT;
	cr_assert_eq(cluster(sources, 4), 3);
	cr_assert_eq(sources[3].place, CLUSTER_OUT);
	sources[3].estimate_ns = 7.9;
	cr_assert_eq(cluster(sources, 4), 4);
	cr_assert_eq(sources[3].place, CLUSTER_IN);
}

Test(cluster, none_goes_while_a_jitter_is_not_known)
{
	struct cluster_source sources[] = {
		{0, 1, 0}, {0, 1, 0}, {0, 1, 0}, {900, 1, 0, CLUSTER_OUT}, {1, INFINITY, 0}};

	cr_assert_eq(cluster(sources, 5), 5);
	cr_assert_eq(sources[3].place, CLUSTER_IN);
	cr_assert_eq(cluster(sources, 4), 3);
}

Test(cluster, preferred_ones_are_alone_and_among_themselves_as_all)
{
	struct cluster_source sources[] = {{0, 1, 0},  {50, 1, 1}, {51, 1, 1},
					   {90, 1, 1}, {52, 1, 1}, {0, INFINITY, 0}};

	cr_assert_eq(cluster(sources, 3), 2);
	cr_assert_eq(sources[0].place, CLUSTER_NOT_PREFERRED);
	cr_assert_eq(sources[1].place, CLUSTER_IN);
	cr_assert_eq(cluster(sources, 6), 3);
	cr_assert_eq(sources[3].place, CLUSTER_OUT);
	cr_assert_eq(sources[5].place, CLUSTER_NOT_PREFERRED);
	/* Not any more */
	sources[1].preferred = sources[2].preferred = sources[3].preferred = false;
	sources[4].preferred = false;
	cr_assert_eq(cluster(sources, 6), 6);
	cr_assert_eq(sources[5].place, CLUSTER_IN);
}
