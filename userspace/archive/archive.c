/* SPDX-License-Identifier: MIT */
#include "archive/archive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive/state_file.h"
#include "archive/scribe.h"
#include "log.h"

struct archive {
	const struct archive_config *config;
	const struct counter *counter;
	struct scribe *scribe;
	struct state_file *file;
	struct audit *audit;
	struct recorder *recorder;
};

static int parts_open(struct archive *archive, const struct archive_config *config,
		      const char *page, const struct counter *counter, struct engine *engine,
		      recorder_name_fn name, void *data)
{
	int r;

	r = scribe_new(&archive->scribe);
	if (r < 0) {
		log_error("no helper thread to write files: %s", strerror(-r));
		return r;
	}
	r = state_file_new(&archive->file, config->state_file, config->state_interval_s, counter,
			   archive->scribe);
	if (r < 0) {
		log_error("state.file: %s", strerror(-r));
		return r;
	}
	r = audit_new(&archive->audit, &config->audit, page, counter, archive->scribe);
	if (r == -EBUSY && config->standby) {
		log_info("standing by: the audit log begins when the page is taken over");
		r = 0;
	}
	if (r == 0)
		r = recorder_new(&archive->recorder, &config->samples, engine, archive->scribe,
				 name, data);
	if (r == -EBUSY && config->standby) {
		/* It would have no beginning, and can't be replayed. */
		log_warning("standing by: no sample log of this run");
		r = 0;
	}
	if (r == 0 && !config->audit.directory && !archive->file && !archive->audit &&
	    !archive->recorder) {
		scribe_free(archive->scribe);
		archive->scribe = NULL;
	}
	return r;
}

int archive_new(struct archive **ret, const struct archive_config *config, const char *page,
		const struct counter *counter, struct engine *engine, recorder_name_fn name,
		void *data)
{
	struct archive *archive = calloc(1, sizeof(*archive));
	int r;

	if (!archive) {
		log_error("out of memory");
		return -ENOMEM;
	}
	archive->config = config;
	archive->counter = counter;
	r = config->state_file || config->audit.directory || config->samples.directory
		    ? parts_open(archive, config, page, counter, engine, name, data)
		    : 0;
	if (r < 0) {
		archive_free(archive, NULL);
		return r;
	}
	state_file_load(archive->file, engine);
	*ret = archive;
	return 0;
}

void archive_publish(struct archive *archive, const char *page)
{
	if (archive->audit)
		audit_page_set(archive->audit, page);
	else if (archive->config->audit.directory)
		(void)audit_new(&archive->audit, &archive->config->audit, page, archive->counter,
				archive->scribe);
}

void archive_tick(struct archive *archive, const struct engine *engine, int64_t now_ns,
		  const struct chronotick_source *sources, unsigned int count)
{
	state_file_tick(archive->file, engine, now_ns);
	audit_tick(archive->audit, sources, count);
	audit_correct(archive->audit, &engine->models.short_term.past);
	recorder_tick(archive->recorder, now_ns);
}

void archive_free(struct archive *archive, const struct engine *engine)
{
	if (!archive)
		return;
	if (engine)
		state_file_end(archive->file, engine);
	recorder_end(archive->recorder);
	/* The others live until it has written what they gave it. */
	scribe_free(archive->scribe);
	state_file_free(archive->file);
	audit_free(archive->audit);
	recorder_free(archive->recorder);
	free(archive);
}
