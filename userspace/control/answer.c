/* SPDX-License-Identifier: MIT */
#include "control/answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static size_t answer_error(union control_reply *ret, const struct control_header *request, int r)
{
	static const struct {
		int error;
		const char *text;
	} texts[] = {
		{-EPROTONOSUPPORT, "the daemon speaks version 1 of the control protocol alone: use "
				   "the chronotick and the chronotickd of one release"},
		{-EOPNOTSUPP, "the daemon knows no such request"},
		{-EMSGSIZE, "the request has not the size that such a request has"},
		{-EINVAL, "the request has a value that none of its kind has"},
		{-EPERM, "only root, the daemon's own user and the members of control.group may "
			 "change anything"},
	};
	const char *text = strerror(-r);
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].error == r)
			text = texts[i].text;
	control_reply_begin(ret, request, r, sizeof(ret->text));
	snprintf(ret->text.text, sizeof(ret->text.text), "%s", text);
	return sizeof(ret->text);
}

static size_t answer_identity(union control_reply *ret, const struct control_header *request,
			      const struct control_ops *ops, const struct local_peer *peer,
			      const struct control_counts *counts)
{
	control_reply_begin(ret, request, 0, sizeof(ret->identity));
	ret->identity.may_change = peer->may_change;
	ret->identity.connections = counts->connections;
	ret->identity.requests = counts->requests;
	ret->identity.dropped = counts->dropped;
	ops->identity(ops->data, &ret->identity);
	return sizeof(ret->identity);
}

static size_t answer_status(union control_reply *ret, const struct control_header *request,
			    const struct control_ops *ops)
{
	control_reply_begin(ret, request, 0, sizeof(ret->status));
	ops->status(ops->data, &ret->status);
	return sizeof(ret->status);
}

static size_t answer_covariates(union control_reply *ret, const struct control_header *request,
				const struct control_ops *ops)
{
	control_reply_begin(ret, request, 0, sizeof(ret->covariates));
	ops->covariates(ops->data, &ret->covariates);
	return sizeof(ret->covariates);
}

static size_t answer_models(union control_reply *ret, const struct control_header *request,
			    const struct control_ops *ops)
{
	control_reply_begin(ret, request, 0, sizeof(ret->models));
	ops->models(ops->data, &ret->models);
	return sizeof(ret->models);
}

static size_t answer_pages(union control_reply *ret, const struct control_header *request,
			   const struct control_ops *ops)
{
	control_reply_begin(ret, request, 0, sizeof(ret->pages));
	ops->pages(ops->data, &ret->pages);
	return sizeof(ret->pages);
}

static size_t answer_list(union control_reply *ret, const struct control_list_request *request,
			  const struct control_ops *ops)
{
	struct control_list_reply *list = &ret->list;
	uint32_t number = request->first;
	int32_t count = 0;
	size_t size;

	control_reply_begin(ret, &request->header, 0, 0);
	list->next = CONTROL_SOURCE_END;
	list->total = ops->source_count(ops->data);
	while (number != CONTROL_SOURCE_END &&
	       ops->source(ops->data, number, &list->sources[count]) == 0) {
		number = list->sources[count].number + 1;
		if (++count == CONTROL_SOURCES) {
			list->next = number;
			break;
		}
	}
	size = offsetof(struct control_list_reply, sources) +
	       (size_t)count * sizeof(list->sources[0]);
	list->result.result = count;
	list->result.header.size = (uint32_t)size;
	return size;
}

static size_t answer_ptp(union control_reply *ret, const struct control_list_request *request,
			 const struct control_ops *ops)
{
	int r;

	control_reply_begin(ret, &request->header, 0, sizeof(ret->ptp));
	r = ops->ptp(ops->data, request->first, &ret->ptp);
	return r < 0 ? answer_error(ret, &request->header, r) : sizeof(ret->ptp);
}

static size_t answer_change(union control_reply *ret, const union control_request *request,
			    const struct control_ops *ops, const struct local_peer *peer)
{
	const struct control_header *header = &request->header;
	int r;

	if (!peer->may_change)
		return answer_error(ret, header, -EPERM);
	control_reply_begin(ret, header, 0, sizeof(ret->text));
	if (header->type == CONTROL_RELOAD)
		r = ops->reload(ops->data, peer, ret->text.text);
	else
		r = ops->online(ops->data, peer, request->select.pattern,
				header->type == CONTROL_ONLINE, ret->text.text);
	ret->result.result = r;
	return sizeof(ret->text);
}

size_t control_answer(union control_reply *ret, const struct control_ops *ops,
		      const struct local_peer *peer, const struct control_counts *counts,
		      const void *message, size_t size)
{
	union control_request request;
	int r = control_request_check(&request, message, size);

	if (r == -EBADMSG)
		return 0;
	if (r < 0)
		return answer_error(ret, &request.header, r);
	switch ((enum control_type)request.header.type) {
	case CONTROL_IDENTITY:
		return answer_identity(ret, &request.header, ops, peer, counts);
	case CONTROL_STATUS:
		return answer_status(ret, &request.header, ops);
	case CONTROL_COVARIATES:
		return answer_covariates(ret, &request.header, ops);
	case CONTROL_MODELS:
		return answer_models(ret, &request.header, ops);
	case CONTROL_PAGES:
		return answer_pages(ret, &request.header, ops);
	case CONTROL_LIST:
		return answer_list(ret, &request.list, ops);
	case CONTROL_PTP:
		return answer_ptp(ret, &request.list, ops);
	case CONTROL_ONLINE:
	case CONTROL_OFFLINE:
	case CONTROL_RELOAD:
		return answer_change(ret, &request, ops, peer);
	case CONTROL_TYPES:
		break;
	}
	return answer_error(ret, &request.header, -EOPNOTSUPP);
}
