/* SPDX-License-Identifier: MIT */
#ifndef CLI_MEASURE_JSON_H
#define CLI_MEASURE_JSON_H

#include <jansson.h>

#include "measure.h"

/* What was measured as an object, null for what the machine or the page does not have; ns, and counts. */
json_t *measure_json(const struct measure *measure);

#endif /* CLI_MEASURE_JSON_H */
