/* SPDX-License-Identifier: MIT */
#include "schema.h"

int schema_put(json_t *object, const char *key, json_t *value)
{
	return value ? json_object_set_new(object, key, value) : -1;
}

json_t *schema_object(json_t *properties, json_t *required, int r)
{
	if (r < 0) {
		json_decref(properties);
		json_decref(required);
		return NULL;
	}
	return json_pack("{ss so so sb}", "type", "object", "properties", properties, "required",
			 required, "additionalProperties", 0);
}
