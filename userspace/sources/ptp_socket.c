/* SPDX-License-Identifier: MIT */
#include "sources/ptp_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#define ETHERTYPE 0x88f7
#define EVENT_PORT 319
#define GENERAL_PORT 320
#define MAC_SIZE 6
/* Behind a message over UDP/IPv6, annex D: what hardware on the way makes up for its changes with */
#define PADDING6 2

/* Annex E.3, C.3 and D.3: for all messages, and for those that only the neighbour is to get */
static const uint8_t macs[2][MAC_SIZE] = {{0x01, 0x1b, 0x19, 0x00, 0x00, 0x00},
					  {0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e}};
static const uint8_t groups4[2][4] = {{224, 0, 1, 129}, {224, 0, 0, 107}};

static struct in6_addr group6(const struct ptp_socket *ptp, bool peer)
{
	struct in6_addr ret = {.s6_addr = {0xff, peer ? 0x02 : ptp->scope}};

	ret.s6_addr[14] = peer ? 0 : 1;
	ret.s6_addr[15] = peer ? 0x6b : 0x81;
	return ret;
}

/* The system calls that make one, as flags of socket(2) are not known everywhere */
static int plain_socket(int family, int type, int protocol)
{
	int fd = socket(family, type, protocol), r;

	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

static int option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int open_l2(struct ptp_socket *ptp)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_protocol = htons(ETHERTYPE),
				      .sll_ifindex = ptp->index};
	struct packet_mreq join = {
		.mr_ifindex = ptp->index, .mr_type = PACKET_MR_MULTICAST, .mr_alen = MAC_SIZE};
	unsigned int i;

	/* Without a protocol it hears nothing until it is bound to the interface. */
	ptp->event = plain_socket(AF_PACKET, SOCK_DGRAM, 0);
	if (ptp->event < 0)
		return ptp->event;
	if (bind(ptp->event, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	for (i = 0; i < 2; i++) {
		memcpy(join.mr_address, macs[i], MAC_SIZE);
		if (setsockopt(ptp->event, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &join, sizeof(join)) <
		    0)
			return -errno;
	}
	return 0;
}

static int join4(int fd, int index)
{
	struct ip_mreqn join = {.imr_ifindex = index};
	unsigned int i;

	for (i = 0; i < 2; i++) {
		memcpy(&join.imr_multiaddr, groups4[i], sizeof(groups4[i]));
		if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof(join)) < 0)
			return -errno;
	}
	memset(&join.imr_multiaddr, 0, sizeof(join.imr_multiaddr));
	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &join, sizeof(join)) < 0)
		return -errno;
	return option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
}

static int join6(const struct ptp_socket *ptp, int fd)
{
	struct ipv6_mreq join = {.ipv6mr_interface = (unsigned int)ptp->index};
	unsigned int i;
	int r;

	for (i = 0; i < 2; i++) {
		join.ipv6mr_multiaddr = group6(ptp, i);
		if (setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &join, sizeof(join)) < 0)
			return -errno;
	}
	r = option(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, ptp->index);
	return r < 0 ? r : option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
}

/*
 * Several sockets have the same port where there are several masters, and the kernel gives a message to
 * one of them: to the one that is connected to its sender. Port 0: from whichever port.
 */
static int connect_to(const struct ptp_socket *ptp, int fd)
{
	struct sockaddr_in address4 = {.sin_family = AF_INET};
	struct sockaddr_in6 address6 = {.sin6_family = AF_INET6};
	int r;

	if (ptp->transport == PTP_UDP4) {
		memcpy(&address4.sin_addr, ptp->master.bytes, sizeof(address4.sin_addr));
		r = connect(fd, (const struct sockaddr *)&address4, sizeof(address4));
	} else {
		memcpy(&address6.sin6_addr, ptp->master.bytes, sizeof(address6.sin6_addr));
		if (IN6_IS_ADDR_LINKLOCAL(&address6.sin6_addr))
			address6.sin6_scope_id = (uint32_t)ptp->index;
		r = connect(fd, (const struct sockaddr *)&address6, sizeof(address6));
	}
	return r < 0 ? -errno : 0;
}

static int open_udp(struct ptp_socket *ptp, const char *interface, uint16_t port)
{
	struct sockaddr_in address4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 address6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	bool is6 = ptp->transport == PTP_UDP6;
	const struct sockaddr *address =
		is6 ? (const struct sockaddr *)&address6 : (const struct sockaddr *)&address4;
	int fd = plain_socket(is6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0), r;

	if (fd < 0)
		return fd;
	/* Another PTP program may use the ports too. */
	r = option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (r == 0 && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
				 (socklen_t)strlen(interface)) < 0)
		r = -errno;
	if (r == 0 && is6)
		r = option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (r == 0 && bind(fd, address, is6 ? sizeof(address6) : sizeof(address4)) < 0)
		r = -errno;
	if (r == 0 && ptp->master.size)
		r = connect_to(ptp, fd);
	else if (r == 0)
		r = is6 ? join6(ptp, fd) : join4(fd, ptp->index);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

/* EUI-64 of the interface's address, as IEEE 1588-2008 made clock identities; else a random one */
static int identity_of(struct ptp_socket *ptp, const char *interface)
{
	struct ifreq request = {0};
	const uint8_t *mac = (const uint8_t *)request.ifr_hwaddr.sa_data;

	strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
	if (ioctl(ptp->event, SIOCGIFHWADDR, &request) == 0 &&
	    request.ifr_hwaddr.sa_family == ARPHRD_ETHER) {
		memcpy(ptp->clock, mac, 3);
		ptp->clock[3] = 0xff;
		ptp->clock[4] = 0xfe;
		memcpy(ptp->clock + 5, mac + 3, 3);
		return 0;
	}
	return getrandom(ptp->clock, sizeof(ptp->clock), GRND_NONBLOCK) ==
			       (ssize_t)sizeof(ptp->clock)
		       ? 0
		       : -EIO;
}

static bool stamps_enable(const struct ptp_socket *ptp)
{
	return (ptp->hardware ? stamp_enable_hardware(ptp->event) : stamp_enable(ptp->event)) == 0;
}

int ptp_socket_open(struct ptp_socket *ret, const char *interface)
{
	int r;

	ret->event = -1;
	ret->general = -1;
	ret->sent = 0;
	ret->index = (int)if_nametoindex(interface);
	if (!ret->index)
		return -ENODEV;
	if (ret->transport == PTP_L2) {
		r = open_l2(ret);
	} else {
		r = ret->event = open_udp(ret, interface, EVENT_PORT);
		if (r >= 0)
			r = ret->general = open_udp(ret, interface, GENERAL_PORT);
	}
	if (r >= 0)
		r = identity_of(ret, interface);
	if (r < 0) {
		ptp_socket_close(ret);
		return r;
	}
	return 0;
}

void ptp_socket_stamp(struct ptp_socket *ptp)
{
	ptp->stamps = stamps_enable(ptp);
	/* Nothing is computed with these: without them a tracer is told less. */
	if (ptp->general >= 0)
		(void)stamp_enable_receive(ptp->general);
}

void ptp_socket_close(struct ptp_socket *ptp)
{
	if (ptp->event >= 0)
		close(ptp->event);
	if (ptp->general >= 0)
		close(ptp->general);
	ptp->event = -1;
	ptp->general = -1;
}

union any_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_ll ll;
};

/* A connected socket's own address, without its port; 0: it tells none. */
static socklen_t own_address(int fd, union any_address *ret)
{
	socklen_t length = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	if (getsockname(fd, &ret->any, &length) < 0)
		return 0;
	if (ret->any.sa_family == AF_INET)
		ret->v4.sin_port = 0;
	else
		ret->v6.sin6_port = 0;
	return length;
}

/*
 * What is connected has its address from then on, be it one that the interface had not: one of another
 * interface's, where this one's was not there yet, or a link-local one.
 */
static bool has_its_address(const struct ptp_socket *ptp, const char *interface)
{
	struct ptp_socket other = *ptp;
	union any_address now, then;
	int fd = open_udp(&other, interface, 0);
	bool same;

	if (fd < 0)
		return true; /* so there is no better one */
	same = own_address(fd, &now) == own_address(ptp->event, &then) &&
	       memcmp(&now, &then, sizeof(now)) == 0;
	close(fd);
	return same;
}

bool ptp_socket_is_good(const struct ptp_socket *ptp, const char *interface)
{
	if (ptp->event < 0 || if_nametoindex(interface) != (unsigned int)ptp->index)
		return false;
	return ptp->transport == PTP_L2 || !ptp->master.size || has_its_address(ptp, interface);
}

static socklen_t target(const struct ptp_socket *ptp, const struct ptp_outgoing *outgoing,
			union any_address *ret)
{
	bool peer = outgoing->destination == PTP_TO_PEER;
	bool one = outgoing->destination == PTP_TO_ADDRESS;
	uint16_t port = htons(outgoing->event ? EVENT_PORT : GENERAL_PORT);

	memset(ret, 0, sizeof(*ret));
	switch (ptp->transport) {
	case PTP_UDP4:
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = port;
		memcpy(&ret->v4.sin_addr, one ? outgoing->address->bytes : groups4[peer],
		       sizeof(ret->v4.sin_addr));
		return sizeof(ret->v4);
	case PTP_UDP6:
		ret->v6.sin6_family = AF_INET6;
		ret->v6.sin6_port = port;
		ret->v6.sin6_addr = group6(ptp, peer);
		if (one)
			memcpy(&ret->v6.sin6_addr, outgoing->address->bytes,
			       sizeof(ret->v6.sin6_addr));
		if (IN6_IS_ADDR_LINKLOCAL(&ret->v6.sin6_addr) ||
		    IN6_IS_ADDR_MULTICAST(&ret->v6.sin6_addr))
			ret->v6.sin6_scope_id = (uint32_t)ptp->index;
		return sizeof(ret->v6);
	default:
		ret->ll.sll_family = AF_PACKET;
		ret->ll.sll_protocol = htons(ETHERTYPE);
		ret->ll.sll_ifindex = ptp->index;
		ret->ll.sll_halen = MAC_SIZE;
		memcpy(ret->ll.sll_addr, one ? outgoing->address->bytes : macs[peer || ptp->local],
		       MAC_SIZE);
		return sizeof(ret->ll);
	}
}

int64_t ptp_socket_send(struct ptp_socket *ptp, const struct ptp_outgoing *outgoing)
{
	int fd = outgoing->event || ptp->general < 0 ? ptp->event : ptp->general;
	size_t padding = ptp->transport == PTP_UDP6 ? PADDING6 : 0;
	uint8_t data[PTP_OUT_MAX + PADDING6] = {0};
	union any_address address;
	socklen_t size = target(ptp, outgoing, &address);
	unsigned int off = 0;

	if (outgoing->size > PTP_OUT_MAX)
		return -EMSGSIZE;
	memcpy(data, outgoing->data, outgoing->size);
	if (sendto(fd, data, outgoing->size + padding, 0, &address.any, size) < 0) {
		int r = -errno;

		/* It may have been counted, or not: stamps are counted anew. */
		if (fd == ptp->event && ptp->stamps) {
			(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &off, sizeof(off));
			ptp->stamps = stamps_enable(ptp);
			ptp->sent = 0;
		}
		return r;
	}
	/* Over Ethernet, general messages are counted too. */
	return fd == ptp->event ? ptp->sent++ : 0;
}

static void address_from(struct ptp_address *ret, const struct sockaddr_storage *storage)
{
	const union any_address *from = (const union any_address *)storage;

	memset(ret, 0, sizeof(*ret));
	switch (from->any.sa_family) {
	case AF_INET:
		ret->size = sizeof(from->v4.sin_addr);
		memcpy(ret->bytes, &from->v4.sin_addr, ret->size);
		break;
	case AF_INET6:
		ret->size = sizeof(from->v6.sin6_addr);
		memcpy(ret->bytes, &from->v6.sin6_addr, ret->size);
		break;
	case AF_PACKET:
		ret->size = MAC_SIZE;
		memcpy(ret->bytes, from->ll.sll_addr, ret->size);
		break;
	}
}

/* What this host sends, and what an interface in promiscuous mode hears of others */
static bool is_for_others(const struct sockaddr_storage *storage)
{
	unsigned char type = ((const union any_address *)storage)->ll.sll_pkttype;

	return type == PACKET_OUTGOING || type == PACKET_OTHERHOST;
}

long ptp_socket_receive(const struct ptp_socket *ptp, int fd, void *data, size_t size,
			struct ptp_address *from, struct stamp *stamp, bool *truncated)
{
	struct sockaddr_storage storage = {.ss_family = AF_UNSPEC};
	long got = stamp_receive(fd, data, size, &storage, stamp, truncated);

	if (got < 0)
		return got;
	address_from(from, &storage);
	if (ptp->transport == PTP_L2 && is_for_others(&storage))
		return 0;
	return got;
}
