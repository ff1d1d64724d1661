/* SPDX-License-Identifier: MIT */
#include "sources/ntp_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "timestamping/stamp.h"

int ntp_socket_open(const struct resolver_address *server, const char *interface, bool *stamps)
{
	int family = server->address.ss_family, on = 1, fd, r;

	fd = socket(family, SOCK_DGRAM, 0);
	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		goto fail;
	if (interface && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
				    (socklen_t)strlen(interface)) < 0)
		goto fail;
	*stamps = (interface && stamp_enable_hardware(fd) == 0) || stamp_enable(fd) == 0;
	/* ICMP errors only tell sooner what silence tells too. */
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	else
		(void)setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)&server->address, server->size) < 0)
		goto fail;
	return fd;

fail:
	r = -errno;
	close(fd);
	return r;
}
