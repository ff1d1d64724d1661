/* SPDX-License-Identifier: MIT */
/* JSON schemas are made of values of which any may be NULL, when memory is out: nothing leaks then. */
#ifndef TOOLS_SCHEMA_H
#define TOOLS_SCHEMA_H

#include <jansson.h>

/* json_object_set_new(), which takes the value. Returns 0 or -1. */
int schema_put(json_t *object, const char *key, json_t *value);

/*
 * The schema of an object that has these properties, of which those that are listed are required, and
 * no others. It takes both. r: negative if they could not be made; then the answer is NULL.
 */
json_t *schema_object(json_t *properties, json_t *required, int r);

#endif /* TOOLS_SCHEMA_H */
