/* SPDX-License-Identifier: MIT */
/* The configuration that the documents tell of is the one that there is. */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "keys.h"
#include "support/configuration.h"

static char *document(const char *name)
{
	char path[512];
	char *text = calloc(1, 65536);
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", DOCUMENTATION, name);
	file = fopen(path, "r");
	cr_assert(file, "%s", path);
	cr_assert(text);
	cr_assert_gt(fread(text, 1, 65535, file), 0);
	fclose(file);
	return text;
}

/*
 * In the example a comment is prose if one space and a word follow its '#'; else it is a setting,
 * and its value the default.
 */
static void uncomment(char *text)
{
	char *from = text, *to = text, *end;
	bool prose;

	for (; *from; from = end) {
		end = strchrnul(from, '\n');
		end += *end == '\n';
		prose = from[0] == '#' && (from[1] == '\n' || (from[1] == ' ' && from[2] != ' '));
		if (prose)
			continue;
		if (*from == '#')
			from++;
		memmove(to, from, (size_t)(end - from));
		to += end - from;
	}
	*to = '\0';
}

static void check_example(const struct key_group *group, const char *text, unsigned int *count)
{
	char line[128], prose[128];
	unsigned int i;

	for (i = 0; i < group->count; i++) {
		const struct key *key = &group->keys[i];

		snprintf(prose, sizeof(prose), "(default: %s)", key->initial ? key->initial : "");
		snprintf(line, sizeof(line), "%s:%s%s", key->name,
			 key->initial && *key->initial ? " " : "",
			 key->initial ? key->initial : "");
		cr_expect(strstr(text, line) || strstr(text, prose), "the example lacks \"%s\"",
			  line);
		(*count)++;
		if (key->group)
			check_example(key->group, text, count);
	}
}

Test(config_documents, the_example_is_good_and_shows_every_key_with_its_default)
{
	char *text = document("chronotickd.example.yaml"), *errors;
	struct config config, shown, initial;
	unsigned int count = 0;

	cr_assert_eq(parse(&config, text, &errors), 0, "%s", errors);
	cr_assert_eq(config.source_count, 1);
	config_clear(&config);
	free(errors);

	check_example(&keys_document, text, &count);
	cr_assert_eq(count, 99);
	uncomment(text);
	cr_assert_eq(parse(&shown, text, &errors), 0, "%s\n%s", errors, text);
	free(errors);
	cr_assert_eq(parse(&initial, GOOD, &errors), 0);
	free(errors);
	cr_assert_str_eq(shown.page.shm_name, initial.page.shm_name);
	shown.page.shm_name = initial.page.shm_name;
	cr_assert_eq(memcmp(&shown.page, &initial.page, sizeof(shown.page)), 0);
	cr_assert_eq(shown.warm_up_s, initial.warm_up_s);
	cr_assert_eq(shown.wander_ppb, initial.wander_ppb);
	cr_assert_eq(shown.max_drift_ppb, initial.max_drift_ppb);
	cr_assert_eq(shown.max_distance_ms, initial.max_distance_ms);
	cr_assert_eq(shown.counter_kind, initial.counter_kind);
	cr_assert_eq(shown.log_priority, initial.log_priority);
	cr_assert_str_eq(shown.control.socket, initial.control.socket);
	cr_assert_str_eq(shown.control.group, initial.control.group);
	cr_assert_str_eq(shown.archive.state_file, initial.archive.state_file);
	cr_assert_eq(shown.archive.state_interval_s, initial.archive.state_interval_s);
	cr_assert_null(shown.archive.audit.directory);
	cr_assert_null(initial.archive.audit.directory);
	cr_assert_eq(shown.archive.audit.limits.rotate_s, initial.archive.audit.limits.rotate_s);
	cr_assert_eq(shown.archive.audit.limits.keep, initial.archive.audit.limits.keep);
	cr_assert_null(shown.archive.samples.directory);
	cr_assert_null(initial.archive.samples.directory);
	cr_assert_eq(shown.archive.samples.limits.rotate_s,
		     initial.archive.samples.limits.rotate_s);
	cr_assert_eq(shown.archive.samples.limits.keep, initial.archive.samples.limits.keep);
	cr_assert_eq(memcmp(&shown.models, &initial.models, sizeof(shown.models)), 0);
	cr_assert_str_eq(shown.covariates.temperature, COVARIATE_AUTO);
	cr_assert_str_eq(initial.covariates.temperature, COVARIATE_AUTO);
	cr_assert_eq(shown.covariates.cpu_frequency, initial.covariates.cpu_frequency);
	cr_assert_eq(shown.covariates.cpu_load, initial.covariates.cpu_load);
	cr_assert_eq(shown.covariates.memory, initial.covariates.memory);
	cr_assert_eq(shown.covariates.interval_s, initial.covariates.interval_s);
	config_clear(&shown);
	config_clear(&initial);
	free(text);
}

/* The manual says for each key "*name*", and below it what is allowed and the default. */
static void check_manual(const struct key_group *group, const char *text)
{
	char name[64], allowed[KEY_TEXT_MAX], line[2 * KEY_TEXT_MAX];
	const char *at;
	unsigned int i;

	for (i = 0; i < group->count; i++) {
		const struct key *key = &group->keys[i];

		snprintf(name, sizeof(name), "\n*%s*", key->name);
		at = strstr(text, name);
		cr_expect(at, "the manual lacks %s", key->name);
		if (key->group) {
			check_manual(key->group, text);
			continue;
		}
		if (!at || strcmp(key->name, "counter") == 0) /* its choices differ by machine */
			continue;
		key_allowed(key, allowed);
		if (key->names_type)
			snprintf(line, sizeof(line), "\tAllowed: %s.\n", allowed);
		else if (key->initial)
			snprintf(line, sizeof(line), "\tAllowed: %s. Default: %s.\n", allowed,
				 key->initial);
		else
			snprintf(line, sizeof(line), "\tAllowed: %s. Must be given.\n", allowed);
		cr_expect(strstr(at, line), "the manual lacks, for %s: %s", key->name, line);
	}
}

Test(config_documents, the_manual_tells_range_and_default_of_every_key)
{
	char *text = document("chronotickd.yaml.5.scd"), *from, *to;

	/* scdoc's escapes */
	for (from = to = text; *from; from++)
		if (*from != '\\')
			*to++ = *from;
	*to = '\0';
	check_manual(&keys_document, text);
	free(text);
}
