/* SPDX-License-Identifier: MIT */
/*
 * Standard descriptors, going to the background, and telling who started the daemon that its page
 * is there.
 */
#ifndef USERSPACE_START_H
#define USERSPACE_START_H

/*
 * Standard descriptors that are closed lead to /dev/null from here on, so that no file of the
 * daemon's gets their numbers, and with these what is meant for a terminal. To be called before
 * anything else is opened. Returns 0 or a negative errno.
 */
int start_descriptors(void);

struct start {
	int pipe; /* to the process that was started; -1: it is this one */
};

/*
 * Go on in a process of its own session, without a terminal. The process that was started waits
 * there for start_ready(), and then ends with 0; or with 1 if this one ends before that.
 * Returns 0 or a negative errno.
 */
int start_detach(struct start *start);

/*
 * Clients can open the page: let the process that was started end, put away its terminal, and tell
 * the service manager (sd_notify(3), READY=1) if there is one.
 */
void start_ready(struct start *start);

#endif /* USERSPACE_START_H */
