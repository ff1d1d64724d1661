/* SPDX-License-Identifier: MIT */
#include "local/peer.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_member(int fd, gid_t group, gid_t *groups)
{
	socklen_t size = LOCAL_GROUPS_MAX * sizeof(*groups), i;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (i = 0; i < size / sizeof(*groups); i++)
		if (groups[i] == group)
			return true;
	return false;
}

int local_peer_of(struct local_peer *ret, int fd, gid_t group, gid_t *groups)
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

int local_group_find(const char *name, gid_t *ret)
{
	const struct group *group;

	*ret = (gid_t)-1;
	if (strcmp(name, LOCAL_NO_GROUP) == 0)
		return 0;
	errno = 0;
	group = getgrnam(name);
	if (!group)
		return errno ? -errno : -ENOENT;
	*ret = group->gr_gid;
	return 0;
}
