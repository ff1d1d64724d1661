/* SPDX-License-Identifier: MIT */
/* Who is at the other end of a local connection, as the kernel says. */
#ifndef LOCAL_PEER_H
#define LOCAL_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct local_peer {
	int32_t pid;
	uint32_t uid;
	bool may_change;
};

/* Room for the groups of any process: NGROUPS_MAX */
#define LOCAL_GROUPS_MAX 65536

/*
 * Ask the kernel about a connected AF_UNIX socket's peer, as it was when it connected. It may
 * change things if it is root, of this process's own effective user, or in `group` ((gid_t)-1:
 * nobody is), be it as its effective group or a supplementary one. `groups`: LOCAL_GROUPS_MAX of
 * room. Returns 0 or a negative errno.
 */
int local_peer_of(struct local_peer *ret, int fd, gid_t group, gid_t *groups);

/* The word that is no group's name where a group may be named */
#define LOCAL_NO_GROUP "none"

/*
 * The group of that name, (gid_t)-1 for LOCAL_NO_GROUP. It may read files, so only at the start.
 * Returns 0, -ENOENT: this machine has no such group, or another negative errno.
 */
int local_group_find(const char *name, gid_t *ret);

#endif /* LOCAL_PEER_H */
