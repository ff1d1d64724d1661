/* SPDX-License-Identifier: MIT */
#include "json_values.h"

#include <math.h>

json_t *json_finite(double number)
{
	return isfinite(number) ? json_real(number) : json_null();
}

json_t *json_age(int64_t ns)
{
	return ns < 0 || ns == INT64_MAX ? json_null() : json_real((double)ns * 1e-9);
}
