/* SPDX-License-Identifier: MIT */
/* A request's bytes become a reply's: all that the control server does but sockets. */
#ifndef CONTROL_ANSWER_H
#define CONTROL_ANSWER_H

#include <stddef.h>

#include "control/server.h"

/* What the server counts */
struct control_counts {
	uint64_t connections;
	uint64_t requests;
	uint64_t dropped;
};

/*
 * Answer `size` bytes of a peer. Returns the size of the reply, or 0 for what is no request and
 * deserves none: the peer is to be dropped.
 */
size_t control_answer(union control_reply *ret, const struct control_ops *ops,
		      const struct local_peer *peer, const struct control_counts *counts,
		      const void *message, size_t size);

#endif /* CONTROL_ANSWER_H */
