/* SPDX-License-Identifier: MIT */
/* Questions to the daemon, over its control socket. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "control/protocol.h"

/* How long the daemon may take for an answer, or to take the question, s */
#define ASK_SECONDS 5

struct ask {
	const char *path; /* of the socket */
	int fd;
	uint32_t tag;
	unsigned int seconds;      /* how long it may take */
	union control_reply reply; /* the latest */
};

/*
 * Connect to the socket at `path`, else at $CHRONOTICK_CONTROL, else to the default one; close with
 * ask_close(). Returns 0, or a negative errno.
 */
int ask_open(struct ask *ask, const char *path);
/* The same, and the daemon may take so long instead of ASK_SECONDS. */
int ask_open_within(struct ask *ask, const char *path, unsigned int seconds);
void ask_close(struct ask *ask);

/*
 * Send a request, which control_request_begin() began, and wait for its reply in ask->reply. Asks
 * anew, on a new connection, if the daemon has dropped this one: a crowd pushes out the idle.
 * Returns 0; what the daemon refused the request with; or what went wrong on the way.
 */
int ask_for(struct ask *ask, union control_request *request);

/* Tell on stderr why an ask_open() or ask_for() failed. */
void ask_complain(const struct ask *ask, int error);

#endif /* CLI_ASK_H */
