/* SPDX-License-Identifier: MIT */
/* Values in JSON of what may be unknown: then it is null. */
#ifndef CLI_JSON_VALUES_H
#define CLI_JSON_VALUES_H

#include <stdint.h>

#include <jansson.h>

/* A number; null unless it is finite */
json_t *json_finite(double number);

/* An age in ns as seconds; null if it is negative, or INT64_MAX */
json_t *json_age(int64_t ns);

#endif /* CLI_JSON_VALUES_H */
