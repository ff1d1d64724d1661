/* SPDX-License-Identifier: MIT */
/*
 * The control protocol from both ends: any bytes as a request to the daemon, and as a reply to a
 * client. The first byte chooses, and whether the message is mended: its magic, version and size,
 * which few inputs get right, and of a reply type and tag. The next 16 of a reply's are the header of
 * its request.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
	if (!condition)
		abort();
}

/* `like`: NULL, or the request that it is to be a reply to */
static void mend(uint8_t *message, size_t size, const struct control_header *like)
{
	struct control_header header;

	if (size < sizeof(header))
		return;
	memcpy(&header, message, sizeof(header));
	header.magic = CONTROL_MAGIC;
	header.version = CONTROL_VERSION;
	header.size = (uint32_t)size;
	header.type %= CONTROL_TYPES + 1;
	if (like) {
		header.type = like->type;
		header.tag = like->tag;
	}
	memcpy(message, &header, sizeof(header));
}

static void request_try(const uint8_t *data, size_t size, uint8_t how)
{
	static union control_reply reply, checked;
	struct made_up made_up = {.sources = how >> 2, .result = how & 2 ? -5 : 0};
	const struct control_ops ops = made_up_ops(&made_up);
	const struct local_peer peer = {.may_change = how & 1};
	const struct control_counts counts = {1, 2, 3};
	union control_request request;
	size_t length;
	int r;

	length = control_answer(&reply, &ops, &peer, &counts, data, size);
	must(peer.may_change || made_up.online + made_up.offline + made_up.reloads == 0);
	r = control_request_check(&request, data, size);
	must((length == 0) == (r == -EBADMSG));
	if (length == 0)
		return;
	must(length <= sizeof(reply) && length == reply.header.size);
	/* Whoever asked in this version can read the answer. */
	if (request.header.version == CONTROL_VERSION)
		must(control_reply_check(&checked, &reply, length, &request.header) != -EBADMSG);
	if (r < 0)
		must(reply.result.result == r);
}

static void text_check(const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size && text[i]; i++)
		must(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
	must(i < size);
}

static void reply_try(uint8_t *data, size_t size, bool mended)
{
	static union control_reply reply;
	struct control_header request;
	int32_t i;
	int r;

	if (size < sizeof(request))
		return;
	memcpy(&request, data, sizeof(request));
	if (mended) {
		request.type %= CONTROL_TYPES + 1;
		mend(data + sizeof(request), size - sizeof(request), &request);
	}
	r = control_reply_check(&reply, data + sizeof(request), size - sizeof(request), &request);
	if (r == -EBADMSG || r == -EPROTONOSUPPORT)
		return;
	must(reply.header.type == request.type && reply.header.tag == request.tag);
	must((r < 0) == (reply.result.result < 0));
	if (r < 0) {
		text_check(reply.text.text, sizeof(reply.text.text));
	} else if (request.type == CONTROL_LIST) {
		must(reply.result.result <= CONTROL_SOURCES);
		for (i = 0; i < reply.result.result; i++) {
			const struct control_source *source = &reply.list.sources[i];

			text_check(source->name, sizeof(source->name));
			text_check(source->address, sizeof(source->address));
			text_check(source->reason, sizeof(source->reason));
		}
	} else if (request.type == CONTROL_IDENTITY) {
		text_check(reply.identity.version, sizeof(reply.identity.version));
		text_check(reply.identity.page, sizeof(reply.identity.page));
	} else if (request.type == CONTROL_COVARIATES) {
		text_check(reply.covariates.thermometer, sizeof(reply.covariates.thermometer));
		for (i = 0; i < CONTROL_COVARIATES_MAX; i++)
			must(isfinite(reply.covariates.values[i]));
	} else if (request.type == CONTROL_PAGES) {
		must(reply.pages.count <= CONTROL_PAGES_MAX);
		text_check(reply.pages.reason, sizeof(reply.pages.reason));
		for (i = 0; i < CONTROL_PAGES_MAX; i++)
			text_check(reply.pages.pages[i].path, sizeof(reply.pages.pages[i].path));
	} else if (request.type == CONTROL_MODELS) {
		text_check(reply.models.reason, sizeof(reply.models.reason));
		must(isfinite(reply.models.walk_ns_s) && isfinite(reply.models.slope_ns_s2) &&
		     isfinite(reply.models.allowed_ns_s));
		for (i = 0; i < CONTROL_MODELS_MAX; i++) {
			const struct control_model *model = &reply.models.models[i];

			text_check(model->reason, sizeof(model->reason));
			must(isfinite(model->error_ns) && isfinite(model->factor) &&
			     isfinite(model->away_ns) && isfinite(model->sd_ns));
		}
	} else if (request.type != CONTROL_STATUS && request.type != CONTROL_PTP) {
		text_check(reply.text.text, sizeof(reply.text.text));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Bytes of their own, so that a read beyond them is seen */
	uint8_t *message;

	if (size < 1)
		return -1;
	message = malloc(size);
	must(message != NULL);
	memcpy(message, data + 1, size - 1);
	message = realloc(message, size > 1 ? size - 1 : 1);
	must(message != NULL);
	if (data[0] & 1 && data[0] & 2)
		mend(message, size - 1, NULL);
	if (data[0] & 1)
		request_try(message, size - 1, data[0] >> 2);
	else
		reply_try(message, size - 1, data[0] & 2);
	free(message);
	return 0;
}
