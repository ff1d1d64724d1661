/* SPDX-License-Identifier: MIT */
/* A daemon made up for the tests of the control protocol. */
#ifndef SUPPORT_CONTROL_H
#define SUPPORT_CONTROL_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/answer.h"

/* The numbers of its sources have gaps. */
struct made_up {
	uint32_t sources;
	unsigned int online, offline, reloads;
	char pattern[CONTROL_NAME_MAX];
	int result; /* of what changes something */
};

static inline void made_up_identity(void *data, struct control_identity_reply *ret)
{
	(void)data;
	ret->pid = 4711;
	ret->uptime_ns = 5000000000;
	snprintf(ret->version, sizeof(ret->version), "1.2.3");
	snprintf(ret->page, sizeof(ret->page), "/dev/shm/made_up");
}

static inline void made_up_status(void *data, struct control_status_reply *ret)
{
	const struct made_up *made_up = data;
	unsigned int i;

	ret->sources = made_up->sources;
	for (i = 0; i < CONTROL_TERMS; i++)
		ret->bound_ns += ret->terms[i] = i + 1;
}

static inline void made_up_covariates(void *data, struct control_covariates_reply *ret)
{
	(void)data;
	ret->present = 5;
	ret->age_ns = 3;
	ret->values[0] = 36.6;
	ret->values[2] = 0.25;
	snprintf(ret->thermometer, sizeof(ret->thermometer), "made up");
}

static inline void made_up_models(void *data, struct control_models_reply *ret)
{
	(void)data;
	ret->level = CONTROL_SHORT_TERM;
	ret->walk_ns_s = 0.5;
	snprintf(ret->reason, sizeof(ret->reason), "made up");
	ret->models[0] = (struct control_model){
		.flags = CONTROL_MODEL_USED,
		.scored = 7,
		.error_ns = 11,
		.reason = "used",
	};
}

static inline void made_up_pages(void *data, struct control_pages_reply *ret)
{
	(void)data;
	ret->count = 1;
	ret->flags = CONTROL_CROSS_DEVICE;
	ret->bracket_ns = 30;
	ret->device_ns = 2;
	ret->pages[0] = (struct control_page){
		.backend = CONTROL_MODULE,
		.role = CONTROL_STANDBY,
		.published = 7,
		.path = "/dev/made_up",
	};
}

static inline uint32_t made_up_count(void *data)
{
	const struct made_up *made_up = data;

	return made_up->sources;
}

static inline int made_up_source(void *data, uint32_t number, struct control_source *ret)
{
	const struct made_up *made_up = data;
	uint32_t index = number / 3 + (number % 3 != 0);

	if (index >= made_up->sources)
		return -ENOENT;
	ret->number = 3 * index;
	snprintf(ret->name, sizeof(ret->name), "source-%u", index);
	return 0;
}

static inline int made_up_ptp(void *data, uint32_t number, struct control_ptp_reply *ret)
{
	(void)data;
	if (number != 3)
		return -ENOENT;
	ret->state = CONTROL_PTP_SLAVE;
	ret->flags = CONTROL_PTP_MASTER;
	ret->path_delay_ns = 1234;
	return 0;
}

static inline int made_up_online(void *data, const struct local_peer *peer, const char *pattern,
				 bool online, char text[CONTROL_TEXT_MAX])
{
	struct made_up *made_up = data;

	(void)peer;
	made_up->online += online;
	made_up->offline += !online;
	snprintf(made_up->pattern, sizeof(made_up->pattern), "%s", pattern);
	snprintf(text, CONTROL_TEXT_MAX, "done");
	return made_up->result;
}

static inline int made_up_reload(void *data, const struct local_peer *peer,
				 char text[CONTROL_TEXT_MAX])
{
	struct made_up *made_up = data;

	(void)peer;
	made_up->reloads++;
	snprintf(text, CONTROL_TEXT_MAX, "read");
	return made_up->result;
}

static inline struct control_ops made_up_ops(struct made_up *made_up)
{
	return (struct control_ops){
		.data = made_up,
		.identity = made_up_identity,
		.status = made_up_status,
		.covariates = made_up_covariates,
		.models = made_up_models,
		.pages = made_up_pages,
		.source_count = made_up_count,
		.source = made_up_source,
		.ptp = made_up_ptp,
		.online = made_up_online,
		.reload = made_up_reload,
	};
}

#endif /* SUPPORT_CONTROL_H */
