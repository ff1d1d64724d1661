/* SPDX-License-Identifier: MIT */
/*
 * A helper thread that closes sockets which others have sent to. What has come there unread may
 * have descriptors with it, and these are then closed too, by the one who closes the socket: that
 * takes as long as their sender likes, SO_LINGER of a TCP socket for one. The loop never waits for it.
 */
#ifndef LOCAL_CLOSER_H
#define LOCAL_CLOSER_H

#define CLOSER_ROOM 64

struct closer;

/* Returns 0 or a negative errno. */
int closer_new(struct closer **ret);

/* How many are not closed as yet */
unsigned int closer_pending(const struct closer *closer);

/*
 * Have the socket shut down now and closed soon, without waiting. For one thread. There must be
 * less than CLOSER_ROOM pending.
 */
void closer_put(struct closer *closer, int fd);

/* Waits for nothing: what is pending is closed in its time, or as the process ends. */
void closer_free(struct closer *closer);

#endif /* LOCAL_CLOSER_H */
