/* SPDX-License-Identifier: MIT */
/* Packets from outside: every network's hosts answer who has an address of theirs. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "nic/bench.h"

/* The longest line of /proc/net/route and /proc/net/arp */
#define LINE_SIZE 512

/* The gateway of the interface's default route, of proc(5)'s /proc/net/route */
static bool gateway_find(const char *interface, struct in_addr *ret)
{
	FILE *file = fopen("/proc/net/route", "re");
	unsigned int destination, gateway;
	char line[LINE_SIZE], name[IF_NAMESIZE];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%15s %x %x", name, &destination, &gateway) != 3 || destination ||
		    !gateway || strcmp(name, interface) != 0)
			continue;
		ret->s_addr = gateway; /* as it is in memory */
		found = true;
	}
	if (file)
		fclose(file);
	return found;
}

/* Somebody whom the kernel has found there already, of /proc/net/arp */
static bool known_find(const char *interface, struct in_addr *ret)
{
	char line[LINE_SIZE], address[64], name[IF_NAMESIZE];
	FILE *file = fopen("/proc/net/arp", "re");
	bool found = false;
	unsigned int flags;

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%63s %*s %x %*s %*s %15s", address, &flags, name) == 3 &&
			flags & ATF_COM && strcmp(name, interface) == 0 &&
			inet_pton(AF_INET, address, ret) == 1;
	if (file)
		fclose(file);
	return found;
}

int neighbour_ask(const struct bench *bench, int fd, struct in_addr *peer)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = (int)if_nametoindex(bench->interface),
		.sll_halen = ETH_ALEN,
		.sll_addr = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	};
	struct ether_arp question = {
		.ea_hdr = {htons(ARPHRD_ETHER), htons(ETHERTYPE_IP), ETH_ALEN, 4,
			   htons(ARPOP_REQUEST)},
	};
	struct ifreq own = {0}, hardware = {0};

	if (!peer->s_addr && !gateway_find(bench->interface, peer) &&
	    !known_find(bench->interface, peer))
		return -ENOENT;
	snprintf(own.ifr_name, sizeof(own.ifr_name), "%s", bench->interface);
	snprintf(hardware.ifr_name, sizeof(hardware.ifr_name), "%s", bench->interface);
	if (ioctl(bench->fd, SIOCGIFHWADDR, &hardware) < 0)
		return -errno;
	memcpy(question.arp_sha, hardware.ifr_hwaddr.sa_data, ETH_ALEN);
	/* Without an address of its own it asks for none to be noted: a probe, RFC 5227 */
	if (ioctl(bench->fd, SIOCGIFADDR, &own) == 0)
		memcpy(question.arp_spa, &((struct sockaddr_in *)&own.ifr_addr)->sin_addr, 4);
	memcpy(question.arp_tpa, peer, 4);
	return sendto(fd, &question, sizeof(question), 0, (struct sockaddr *)&to, sizeof(to)) < 0
		       ? -errno
		       : 0;
}
