/* SPDX-License-Identifier: MIT */
/*
 * A listening socket of the file system, AF_UNIX and SOCK_SEQPACKET: its place there, with its
 * directory, a lock beside it, and what a dead daemon left behind; and messages of its peers.
 */
#ifndef LOCAL_SOCKET_H
#define LOCAL_SOCKET_H

#include <sys/types.h>

struct local_socket {
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
 * there). `group`, (gid_t)-1: none, is given the socket, which gets `mode`. A socket of that name that nobody listens at is replaced,
 * whatever else is there is not, and neither is one whose daemon lives. A directory that others may
 * write to is refused, unless it is sticky as /tmp is.
 *
 * The lock is PATH.lock, mode 0600: two that start at once don't take each other for dead, and a
 * daemon that hangs is not taken for dead either.
 *
 * Returns 0, or a negative errno (-EADDRINUSE: a living daemon has it) with a sentence in `why`.
 */
int local_socket_open(struct local_socket *ret, const char *path, mode_t mode, gid_t group,
		      char *why, size_t why_size);

/* Close it, and remove socket and lock if they are still the ones that were made. */
void local_socket_close(struct local_socket *sock);

/*
 * Take a peer's message, if there is one, without blocking. One that comes with descriptors is left
 * where it is: whoever takes it closes them, and may have to wait. Returns its size, which may be
 * above `size`: then the rest of it is lost; 0: the peer is done; or a negative errno, -EPERM for
 * descriptors.
 */
ssize_t local_socket_take(int fd, void *ret, size_t size);

#endif /* LOCAL_SOCKET_H */
