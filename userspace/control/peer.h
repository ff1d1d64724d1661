/* SPDX-License-Identifier: MIT */
/* Who is at the other end of a control connection, as the kernel says. */
#ifndef CONTROL_PEER_H
#define CONTROL_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct control_peer {
	int32_t pid;
	uint32_t uid;
	bool may_change;
};

/* Room for the groups of any process: NGROUPS_MAX */
#define CONTROL_GROUPS_MAX 65536

/*
 * Ask the kernel about a connected AF_UNIX socket's peer, as it was when it connected. It may
 * change things if it is root, of this process's own effective user, or in `group` ((gid_t)-1:
 * nobody is), be it as its effective group or a supplementary one. `groups`: CONTROL_GROUPS_MAX of
 * room. Returns 0 or a negative errno.
 */
int control_peer_of(struct control_peer *ret, int fd, gid_t group, gid_t *groups);

#endif /* CONTROL_PEER_H */
