/* SPDX-License-Identifier: MIT */
#include "config_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/file.h"
#include "keys.h"
#include "log.h"

static void read_map(struct parse *p, struct map *map);

/* The line of a key of the map, 0 if it is not given. */
unsigned int config_map_line(const struct map *map, const char *name)
{
	return map->lines[key_find(map->group, name) - map->group->keys];
}

__attribute__((format(printf, 4, 5))) void config_complain(struct parse *p, unsigned int line,
							   const char *path, const char *format,
							   ...)
{
	char name[256];
	va_list args;

	log_escape(name, sizeof(name), p->name, strlen(p->name));
	fprintf(p->errors, "%s:%u: %s: ", name, line, path);
	va_start(args, format);
	vfprintf(p->errors, format, args);
	va_end(args);
	fputc('\n', p->errors);
	p->error_count++;
}

static unsigned int event_line(const struct parse *p)
{
	return (unsigned int)p->event.start_mark.line + 1;
}

static unsigned int line_of_offset(const struct parse *p, size_t offset)
{
	unsigned int line = 1;
	size_t i;

	for (i = 0; i < offset && i < p->size; i++)
		line += p->text[i] == '\n';
	return line;
}

static void complain_of_syntax(struct parse *p)
{
	const yaml_parser_t *yaml = &p->yaml;
	unsigned int line, last;

	switch (yaml->error) {
	case YAML_MEMORY_ERROR:
		p->fatal = -ENOMEM;
		return;
	case YAML_READER_ERROR:
		line = line_of_offset(p, yaml->problem_offset);
		config_complain(p, line, WHOLE_FILE, "%s; allowed: text in UTF-8", yaml->problem);
		break;
	default:
		line = (unsigned int)yaml->problem_mark.line + 1;
		last = line_of_offset(p, p->size);
		if (line > last) /* the parser ends each line, the last one too */
			line = last;
		config_complain(p, line, WHOLE_FILE, "no YAML: %s%s%s; allowed: one YAML document",
				yaml->problem ? yaml->problem : "it cannot be read",
				yaml->context ? ", " : "", yaml->context ? yaml->context : "");
		break;
	}
	p->fatal = -EINVAL;
}

static void refuse_ornaments(struct parse *p)
{
	const yaml_event_t *event = &p->event;
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (event->type) {
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		break;
	case YAML_ALIAS_EVENT:
		config_complain(p, event_line(p), WHOLE_FILE, "an alias; allowed: values in full");
		break;
	default:
		break;
	}
	if (anchor)
		config_complain(p, event_line(p), WHOLE_FILE, "an anchor; allowed: values in full");
	if (tag)
		config_complain(p, event_line(p), WHOLE_FILE, "a tag; allowed: values without one");
}

/* Go to the next event. False: there is none to be had, p->fatal is set. */
static bool next(struct parse *p)
{
	if (p->fatal)
		return false;
	yaml_event_delete(&p->event);
	if (!yaml_parser_parse(&p->yaml, &p->event)) {
		complain_of_syntax(p);
		return false;
	}
	switch (p->event.type) {
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		p->depth++;
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		p->depth--;
		break;
	default:
		break;
	}
	if (p->depth > CONFIG_DEPTH_MAX) {
		config_complain(p, event_line(p), WHOLE_FILE, "nested too deep; allowed: %d levels",
				CONFIG_DEPTH_MAX);
		p->fatal = -EINVAL;
		return false;
	}
	refuse_ornaments(p);
	return true;
}

/* Go to the end of the value whose first event is the current one. */
static void skip(struct parse *p)
{
	yaml_event_type_t type = p->event.type;
	unsigned int outside = p->depth - 1;

	if (type != YAML_SEQUENCE_START_EVENT && type != YAML_MAPPING_START_EVENT)
		return;
	while (p->depth > outside && next(p))
		;
}

static const char *scalar_text(const struct parse *p)
{
	return (const char *)p->event.data.scalar.value;
}

/* A NUL inside would make two texts of one. */
static bool scalar_is_whole(const struct parse *p)
{
	return strlen(scalar_text(p)) == p->event.data.scalar.length;
}

/* A copy that lives as long as the configuration; NULL: no memory. */
static const char *text_keep(struct parse *p, const char *from)
{
	size_t size = strlen(from) + 1;
	struct text *text = malloc(sizeof(*text) + size);

	if (!text) {
		p->fatal = -ENOMEM;
		return NULL;
	}
	memcpy(text->text, from, size);
	text->next = p->config->strings;
	p->config->strings = text;
	return text->text;
}

static void read_scalar(struct parse *p, const struct key *key, void *base, const char *path)
{
	char wrong[KEY_TEXT_MAX], allowed[KEY_TEXT_MAX];
	bool quoted = p->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	const char *text = scalar_text(p);
	int r;

	if (key_is_string(key)) {
		text = text_keep(p, text);
		if (!text)
			return;
	}
	r = scalar_is_whole(p) ? key_set(key, base, text, quoted, wrong) : -EINVAL;
	if (!scalar_is_whole(p))
		strcpy(wrong, "it has a NUL character in it");
	if (r == 0)
		return;
	key_allowed(key, allowed);
	config_complain(p, event_line(p), path, "%s; allowed: %s", wrong, allowed);
}

static void check_leap(struct parse *p, const struct map *map)
{
	if (p->config->leap.mode == LEAP_SMEAR && !p->config->leap.file)
		config_complain(
			p, config_map_line(map, "file"), "leap.file",
			"a smear needs to know of leap seconds; allowed with mode smear: auto or "
			"an absolute path");
}

static void check_page(struct parse *p, const struct map *map)
{
	const struct publish_config *page = &p->config->page;
	unsigned int line = config_map_line(map, "shm_name");
	unsigned int other = config_map_line(map, "backend");

	if (page->backend == PUBLISH_SHM && strcmp(page->shm_name, PUBLISH_NO_SHM) == 0)
		config_complain(
			p, line > other ? line : other, "page.shm_name",
			"there is no page at all with \"none\" and backend shm; allowed with "
			"that: the name of a file");
}

/* A prediction must be kept until its time comes, and last until the next one takes its place. */
static void check_model(struct parse *p, const struct map *map, const struct model_config *model)
{
	char path[PATH_TEXT_MAX];

	if (model->lead_s > model->interval_s * SCHEDULE_LEAD_INTERVALS) {
		snprintf(path, sizeof(path), "%slead_s", map->path);
		config_complain(p,
				config_map_line(map, "lead_s") ? config_map_line(map, "lead_s")
							       : map->line,
				path, "%u is more than %d times interval_s; allowed: up to %u",
				model->lead_s, SCHEDULE_LEAD_INTERVALS,
				model->interval_s * SCHEDULE_LEAD_INTERVALS);
		return;
	}
	if (model->horizon_s > model->interval_s + model->lead_s)
		return;
	snprintf(path, sizeof(path), "%shorizon_s", map->path);
	config_complain(
		p,
		config_map_line(map, "horizon_s") ? config_map_line(map, "horizon_s") : map->line,
		path,
		"%u is not beyond interval_s and lead_s together, %u; allowed: more than that",
		model->horizon_s, model->interval_s + model->lead_s);
}

/* One entry of the list, whose first event is the current one. */
static void read_source(struct parse *p, unsigned int index)
{
	struct source_config *source = &p->config->sources[index];
	char path[PATH_TEXT_MAX], names[KEY_TEXT_MAX];
	struct map map = {&keys_source, source, path, event_line(p), {0}};

	snprintf(path, sizeof(path), "sources[%u]", index);
	if (p->event.type != YAML_MAPPING_START_EVENT) {
		if (p->event.type != YAML_ALIAS_EVENT) {
			key_names(&keys_source, names);
			config_complain(p, event_line(p), path,
					"it is no map; allowed: a map of %s", names);
		}
		skip(p);
		return;
	}
	strcat(path, ".");
	key_set_defaults(&keys_source, source);
	read_map(p, &map);
	if (p->fatal)
		return;
	config_source_check(p, &map, index);
}

static void read_sources(struct parse *p, const struct key *key, const char *path)
{
	unsigned int line = event_line(p), count = 0, weight = 0, before, here;
	char allowed[KEY_TEXT_MAX];

	key_allowed(key, allowed);
	while (next(p) && p->event.type != YAML_SEQUENCE_END_EVENT) {
		here = event_line(p);
		before = weight;
		if (count < CONFIG_ENTRIES_MAX) {
			read_source(p, count);
			weight += config_source_weight(&p->config->sources[count]);
		} else {
			skip(p);
			weight++;
		}
		count++;
		if (before <= CONFIG_SOURCES_MAX && weight > CONFIG_SOURCES_MAX && !p->fatal)
			config_complain(p, here, path, "too many sources; allowed: %s", allowed);
	}
	if (weight == 0 && !p->fatal)
		config_complain(p, line, path, "%s; allowed: %s",
				count ? "a feed alone tells no time" : "an empty list", allowed);
	p->config->source_count = count < CONFIG_ENTRIES_MAX ? count : CONFIG_ENTRIES_MAX;
}

/* The value of a known key; its first event is the current one. */
static void read_value(struct parse *p, const struct key *key, void *base, const char *path)
{
	char allowed[KEY_TEXT_MAX], inside[PATH_TEXT_MAX + 1];
	struct map map = {key->group, base, inside, event_line(p), {0}};

	switch (p->event.type) {
	case YAML_ALIAS_EVENT:
		return;
	case YAML_SCALAR_EVENT:
		read_scalar(p, key, base, path);
		return;
	case YAML_SEQUENCE_START_EVENT:
		if (key->type == KEY_SOURCES) {
			read_sources(p, key, path);
			return;
		}
		break;
	case YAML_MAPPING_START_EVENT:
		if (key->type == KEY_MAP) {
			snprintf(inside, sizeof(inside), "%s.", path);
			read_map(p, &map);
			if (key->group == &keys_page && !p->fatal)
				check_page(p, &map);
			if (key->group == &keys_leap && !p->fatal)
				check_leap(p, &map);
			if (key->group == &keys_short_term && !p->fatal)
				check_model(p, &map, &p->config->models.short_term);
			if (key->group == &keys_long_term && !p->fatal)
				check_model(p, &map, &p->config->models.long_term);
			return;
		}
		break;
	default:
		break;
	}
	key_allowed(key, allowed);
	config_complain(p, event_line(p), path, "it is a %s; allowed: %s",
			p->event.type == YAML_MAPPING_START_EVENT ? "map" : "list", allowed);
	skip(p);
}

/* A key and its value; the key's first event is the current one. */
static void read_entry(struct parse *p, struct map *map)
{
	char path[PATH_TEXT_MAX], shown[64], allowed[KEY_TEXT_MAX];
	unsigned int line = event_line(p), *seen;
	const struct key *key = NULL;

	key_names(map->group, allowed);
	strcpy(shown, "(key)");
	if (p->event.type == YAML_SCALAR_EVENT) {
		log_escape(shown, sizeof(shown), scalar_text(p), p->event.data.scalar.length);
		if (scalar_is_whole(p))
			key = key_find(map->group, scalar_text(p));
	}
	snprintf(path, sizeof(path), "%.48s%s", map->path, *shown ? shown : "\"\"");
	skip(p);
	if (!next(p))
		return;
	if (!key) {
		config_complain(p, line, path, "unknown key; allowed: %s", allowed);
		skip(p);
		return;
	}
	seen = &map->lines[key - map->group->keys];
	if (*seen) {
		config_complain(p, line, path,
				"duplicate key: it is in line %u already; allowed: once", *seen);
		skip(p);
		return;
	}
	*seen = line;
	read_value(p, key, map->base, path);
}

/* The current event is the map's start. */
static void read_map(struct parse *p, struct map *map)
{
	char path[PATH_TEXT_MAX], allowed[KEY_TEXT_MAX];
	unsigned int i;

	while (next(p) && p->event.type != YAML_MAPPING_END_EVENT)
		read_entry(p, map);
	for (i = 0; i < map->group->count && !p->fatal; i++) {
		const struct key *key = &map->group->keys[i];

		if (key->initial || key->names_type || map->lines[i])
			continue;
		key_allowed(key, allowed);
		snprintf(path, sizeof(path), "%.48s%s", map->path, key->name);
		config_complain(p, map->line, path, "missing key; allowed: %s", allowed);
	}
}

static void read_document(struct parse *p)
{
	struct map map = {&keys_document, p->config, "", 1, {0}};
	char names[KEY_TEXT_MAX];

	key_names(&keys_document, names);
	if (!next(p) || !next(p)) /* the stream's start, and the document's if there is one */
		return;
	if (p->event.type == YAML_STREAM_END_EVENT) {
		config_complain(p, 1, WHOLE_FILE, "it is empty; allowed: a map of %s", names);
		return;
	}
	if (!next(p))
		return;
	if (p->event.type == YAML_MAPPING_START_EVENT) {
		read_map(p, &map);
	} else {
		config_complain(p, event_line(p), WHOLE_FILE, "it is no map; allowed: a map of %s",
				names);
		skip(p);
	}
	if (!next(p) || !next(p)) /* the ends of both */
		return;
	if (p->event.type != YAML_STREAM_END_EVENT)
		config_complain(p, event_line(p), WHOLE_FILE, "a second document; allowed: one");
}

static int parse_text(struct config *ret, const char *name, const void *text, size_t size,
		      FILE *errors, bool files)
{
	struct config config = {0};
	struct parse p = {.config = &config,
			  .name = name,
			  .text = text,
			  .size = size,
			  .errors = errors,
			  .files = files};

	key_set_defaults(&keys_document, &config);
	if (size > CONFIG_SIZE_MAX) {
		config_complain(&p, 1, WHOLE_FILE, "too large; allowed: %d bytes", CONFIG_SIZE_MAX);
		return -EINVAL;
	}
	if (!yaml_parser_initialize(&p.yaml))
		return -ENOMEM;
	yaml_parser_set_encoding(&p.yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&p.yaml, text, size);
	read_document(&p);
	if (!p.fatal)
		config_sources_read_keys(&p);
	yaml_event_delete(&p.event);
	yaml_parser_delete(&p.yaml);
	if (!p.fatal && p.error_count)
		p.fatal = -EINVAL;
	if (p.fatal)
		config_clear(&config);
	else
		config_separate_feed(&config);
	if (!p.fatal)
		*ret = config;
	explicit_bzero(config.sources, sizeof(config.sources)); /* their keys */
	return p.fatal;
}

int config_parse(struct config *ret, const char *name, const void *text, size_t size, FILE *errors)
{
	return parse_text(ret, name, text, size, errors, false);
}

int config_load(struct config *ret, const char *path, FILE *errors)
{
	struct parse p = {.name = path, .errors = errors};
	char *text = malloc(CONFIG_SIZE_MAX + 1);
	ssize_t size;
	int r;

	if (!text)
		return -ENOMEM;
	size = file_read(path, text, CONFIG_SIZE_MAX + 1, NULL);
	if (size < 0) {
		config_complain(&p, 1, WHOLE_FILE,
				"it cannot be read: %s; allowed: a readable file",
				strerror((int)-size));
		r = -EINVAL;
	} else {
		r = parse_text(ret, path, text, (size_t)size, errors, true);
	}
	free(text);
	return r;
}

int config_defaults(struct config *ret)
{
	static const char text[] = "sources:\n"
				   "  - {pool: 2.debian.pool.ntp.org, iburst: true}\n";

	return config_parse(ret, "built-in defaults", text, sizeof(text) - 1, stderr);
}

void config_clear(struct config *config)
{
	struct text *text = config->strings, *next_text;

	for (; text; text = next_text) {
		next_text = text->next;
		free(text);
	}
	explicit_bzero(config, sizeof(*config));
}

static struct schedule_config schedule_of(const struct model_config *model)
{
	const int64_t second = 1000000000;

	return (struct schedule_config){
		.interval_ns = model->interval_s * second,
		.horizon_ns = model->horizon_s * second,
		.lead_ns = model->lead_s * second,
	};
}

void config_engine(const struct config *config, struct engine_config *ret,
		   struct models_config *models)
{
	*models = (struct models_config){
		.short_term = schedule_of(&config->models.short_term),
		.long_term = schedule_of(&config->models.long_term),
		.short_term_enabled = config->models.short_term.enabled,
		.long_term_enabled = config->models.long_term.enabled,
		.retroactive = config->models.retroactive,
	};
	*ret = (struct engine_config){
		.max_drift_ppb = config->max_drift_ppb,
		.wander_ppb = config->wander_ppb,
		.max_bound_ns = config->page.max_bound_ns,
		.max_distance_ms = config->max_distance_ms,
		.models = models,
	};
}
