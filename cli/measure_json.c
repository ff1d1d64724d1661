/* SPDX-License-Identifier: MIT */
#include "measure_json.h"

#include "json_values.h"

json_t *measure_json(const struct measure *measure)
{
	json_t *object = json_object();
	unsigned int i;

	for (i = 0; i < MEASURE_OPERATIONS; i++)
		json_object_set_new(object, measure_key(i), json_finite(measure->ns[i]));
	json_object_set_new(object, "read_average_ns", json_finite(measure->average_ns));
	json_object_set_new(object, "read_p50_ns", json_finite(measure->p50_ns));
	json_object_set_new(object, "read_p99_ns", json_finite(measure->p99_ns));
	json_object_set_new(object, "read_p999_ns", json_finite(measure->p999_ns));
	json_object_set_new(object, "read_max_ns", json_finite(measure->max_ns));
	json_object_set_new(object, "counter_step_ns", json_finite(measure->step_ns));
	json_object_set_new(object, "torn_reads", json_integer((json_int_t)measure->torn_reads));
	json_object_set_new(object, "reads", json_integer((json_int_t)measure->reads));
	return object;
}
