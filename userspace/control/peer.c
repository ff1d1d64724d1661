/* SPDX-License-Identifier: MIT */
#include "control/peer.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_member(int fd, gid_t group, gid_t *groups)
{
	socklen_t size = CONTROL_GROUPS_MAX * sizeof(*groups), i;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (i = 0; i < size / sizeof(*groups); i++)
		if (groups[i] == group)
			return true;
	return false;
}

int control_peer_of(struct control_peer *ret, int fd, gid_t group, gid_t *groups)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	ret->pid = peer.pid;
	ret->uid = peer.uid;
	ret->may_change = peer.uid == 0 || peer.uid == geteuid();
	if (!ret->may_change && group != (gid_t)-1)
		ret->may_change = peer.gid == group || is_member(fd, group, groups);
	return 0;
}
