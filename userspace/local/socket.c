/* SPDX-License-Identifier: MIT */
#include "local/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128
#define LOCK_TRIES 16

/* Linux 6.16 and later: refuse descriptors that peers pass along, instead of having to close them */
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

struct why {
	char *text;
	size_t size;
};

__attribute__((format(printf, 3, 4))) static int because(struct why *why, int error,
							 const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, why->size, format, args);
	va_end(args);
	return error;
}

static int directory_open(struct local_socket *sock, struct why *why)
{
	char path[sizeof(sock->path)];
	size_t length = (size_t)(sock->name - sock->path);
	bool made;
	struct stat st;

	memcpy(path, sock->path, length);
	if (length > 1)
		length--; /* the '/', if it is not the root's */
	path[length] = '\0';
	made = mkdir(path, 0755) == 0;
	if (!made && errno != EEXIST)
		return because(why, -errno, "%s: the directory cannot be made: %s", path,
			       strerror(errno));
	sock->directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sock->directory < 0)
		return because(why, -errno, "%s: %s", path, strerror(errno));
	if (made && fchmod(sock->directory, 0755) < 0) /* whatever the umask is */
		return because(why, -errno, "%s: %s", path, strerror(errno));
	if (fstat(sock->directory, &st) < 0)
		return because(why, -errno, "%s: %s", path, strerror(errno));
	if ((st.st_uid != 0 && st.st_uid != geteuid()) ||
	    (st.st_mode & (S_IWGRP | S_IWOTH) && !(st.st_mode & S_ISVTX)))
		return because(why, -EPERM,
			       "%s: others than root and this user may write to the directory",
			       path);
	return 0;
}

static int lock_try(struct local_socket *sock, const char *name)
{
	struct stat mine, there;

	sock->lock = openat(sock->directory, name,
			    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (sock->lock < 0)
		return -errno;
	if (flock(sock->lock, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
	if (fstat(sock->lock, &mine) < 0)
		return -errno;
	if (!S_ISREG(mine.st_mode) || mine.st_uid != geteuid())
		return -EPERM;
	/* Whoever ended meanwhile has removed it: then it keeps nobody out. */
	if (fstatat(sock->directory, name, &there, AT_SYMLINK_NOFOLLOW) < 0 ||
	    there.st_dev != mine.st_dev || there.st_ino != mine.st_ino)
		return -EAGAIN;
	return 0;
}

static int lock_take(struct local_socket *sock, struct why *why)
{
	char name[sizeof(sock->path) + 8];
	int tries, r;

	snprintf(name, sizeof(name), "%s.lock", sock->name);
	for (tries = 0; tries < LOCK_TRIES; tries++) {
		r = lock_try(sock, name);
		if (r == 0)
			return 0;
		if (sock->lock >= 0)
			close(sock->lock);
		sock->lock = -1;
		if (r != -EAGAIN)
			break;
	}
	if (r == -EADDRINUSE)
		return because(why, r, "%s: another chronotickd listens there", sock->path);
	return because(why, r, "%s.lock: %s", sock->path, strerror(-r));
}

static void address_of(const struct local_socket *sock, struct sockaddr_un *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	strcpy(ret->sun_path, sock->path);
}

/* Does anybody listen there? Of whatever kind the socket is. */
static bool is_alive(const struct local_socket *sock)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return true;
	address_of(sock, &address);
	r = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
	close(fd);
	return r != ECONNREFUSED && r != ENOENT;
}

/* Remove what a dead daemon left. */
static int stale_remove(const struct local_socket *sock, struct why *why)
{
	struct stat st;

	if (fstatat(sock->directory, sock->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT
			       ? 0
			       : because(why, -errno, "%s: %s", sock->path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return because(why, -EEXIST, "%s: it is there already, and no socket", sock->path);
	if (is_alive(sock))
		return because(why, -EADDRINUSE, "%s: another program listens there", sock->path);
	if (unlinkat(sock->directory, sock->name, 0) < 0)
		return because(why, -errno, "%s: the socket of a dead daemon cannot be removed: %s",
			       sock->path, strerror(errno));
	return 0;
}

static int listen_there(struct local_socket *sock, mode_t mode, gid_t group, struct why *why)
{
	struct sockaddr_un address;
	struct stat st;
	int no = 0;

	sock->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (sock->fd < 0)
		return because(why, -errno, "%s: %s", sock->path, strerror(errno));
	(void)setsockopt(sock->fd, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof(no));
	address_of(sock, &address);
	if (bind(sock->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return because(why, -errno, "%s: %s", sock->path, strerror(errno));
	if (fstatat(sock->directory, sock->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISSOCK(st.st_mode))
		return because(why, -ESTALE, "%s: somebody has replaced it", sock->path);
	sock->device = st.st_dev;
	sock->inode = st.st_ino;
	/* Until it has its mode, nobody but its owner can connect. */
	if (group != (gid_t)-1 &&
	    fchownat(sock->directory, sock->name, (uid_t)-1, group, AT_SYMLINK_NOFOLLOW) < 0)
		return because(why, -errno, "%s: its group cannot be set: %s", sock->path,
			       strerror(errno));
	if (fchmodat(sock->directory, sock->name, mode, 0) < 0 || listen(sock->fd, BACKLOG) < 0)
		return because(why, -errno, "%s: %s", sock->path, strerror(errno));
	return 0;
}

int local_socket_open(struct local_socket *ret, const char *path, mode_t mode, gid_t group,
		      char *why_text, size_t why_size)
{
	struct why why = {why_text, why_size};
	int r;

	*ret = (struct local_socket){.fd = -1, .directory = -1, .lock = -1};
	if (path[0] != '/' || strlen(path) >= sizeof(ret->path) || !strrchr(path, '/')[1])
		return because(&why, -EINVAL, "%s: it is no absolute path of up to %zu bytes", path,
			       sizeof(ret->path) - 1);
	strcpy(ret->path, path);
	ret->name = strrchr(ret->path, '/') + 1;
	r = directory_open(ret, &why);
	if (r == 0)
		r = lock_take(ret, &why);
	if (r == 0)
		r = stale_remove(ret, &why);
	if (r == 0)
		r = listen_there(ret, mode, group, &why);
	if (r < 0)
		local_socket_close(ret);
	return r;
}

void local_socket_close(struct local_socket *sock)
{
	char lock[sizeof(sock->path) + 8];
	struct stat st;

	if (sock->fd >= 0)
		close(sock->fd);
	if (sock->inode && fstatat(sock->directory, sock->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_dev == sock->device && st.st_ino == sock->inode)
		(void)unlinkat(sock->directory, sock->name, 0);
	if (sock->lock >= 0) {
		snprintf(lock, sizeof(lock), "%s.lock", sock->name);
		(void)unlinkat(sock->directory, lock, 0);
		close(sock->lock);
	}
	if (sock->directory >= 0)
		close(sock->directory);
	*sock = (struct local_socket){.fd = -1, .directory = -1, .lock = -1};
}

ssize_t local_socket_take(int fd, void *ret, size_t size)
{
	struct iovec part = {ret, size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT | MSG_PEEK);

	if (got >= 0 && message.msg_flags & MSG_CTRUNC)
		return -EPERM;
	if (got > 0)
		got = recv(fd, ret, size, MSG_DONTWAIT | MSG_TRUNC);
	return got < 0 ? -errno : got;
}
