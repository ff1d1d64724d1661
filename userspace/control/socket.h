/* SPDX-License-Identifier: MIT */
/*
 * The listening socket's place in the file system: its directory, a lock beside it, and what a dead
 * daemon left behind.
 */
#ifndef CONTROL_SOCKET_H
#define CONTROL_SOCKET_H

#include <sys/types.h>

struct control_socket {
	int fd; /* listens, without blocking */
	int directory;
	int lock;
	char path[108];
	const char *name; /* in `path`, behind the last '/' */
	dev_t device;     /* the socket's file, to tell it from a later one of that name */
	ino_t inode;
};

/*
 * Listen at `path`, absolute. A missing directory is made with mode 0755 (its parent must be
 * there); the socket gets mode 0666. A socket of that name that nobody listens at is replaced,
 * whatever else is there is not, and neither is one whose daemon lives. A directory that others may
 * write to is refused, unless it is sticky as /tmp is.
 *
 * The lock is PATH.lock, mode 0600: two that start at once don't take each other for dead, and a
 * daemon that hangs is not taken for dead either.
 *
 * Returns 0, or a negative errno (-EADDRINUSE: a living daemon has it) with a sentence in `why`.
 */
int control_socket_open(struct control_socket *ret, const char *path, char *why, size_t why_size);

/* Close it, and remove socket and lock if they are still the ones that were made. */
void control_socket_close(struct control_socket *sock);

#endif /* CONTROL_SOCKET_H */
