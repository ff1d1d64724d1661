/* SPDX-License-Identifier: MIT */
/*
 * The sockets of a PTP port: Ethernet (IEEE 1588-2019 annex E), UDP over IPv4 (annex C) or IPv6
 * (annex D), on one interface.
 */
#ifndef SOURCES_PTP_SOCKET_H
#define SOURCES_PTP_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "sources/ptp_port.h"
#include "timestamping/stamp.h"

enum ptp_transport { PTP_L2, PTP_UDP4, PTP_UDP6 };

struct ptp_socket {
	enum ptp_transport transport;
	uint8_t scope;             /* UDP6: of the group that is joined and sent to */
	bool local;                /* L2: all goes to the address that bridges do not forward */
	struct ptp_address master; /* UDP: hear this one alone; size 0: the multicast groups */
	int event;                 /* -1: not open */
	int general;               /* UDP only; else -1 */
	int index;                 /* of the interface */
	bool hardware;             /* ask for the NIC's stamps, too */
	bool stamps;               /* transmit stamps come */
	uint32_t sent;             /* event messages: the id of the next one's stamp */
	uint8_t clock[8];          /* a clockIdentity: of the interface's address, else random */
};

/*
 * Open them; transport, scope, local and master are filled in. Nothing stays open after an error, a
 * negative errno: -ENODEV where there is no such interface.
 */
int ptp_socket_open(struct ptp_socket *ret, const char *interface);

/* Ask for stamps: the kernel's, and the NIC's if that is filled in. */
void ptp_socket_stamp(struct ptp_socket *ptp);

void ptp_socket_close(struct ptp_socket *ptp);

/*
 * Is it still the interface of that name, and with one master, would another socket have the same
 * address of it?
 */
bool ptp_socket_is_good(const struct ptp_socket *ptp, const char *interface);

/* Send. Returns the id that its transmit stamp will have (0 for general messages), or a negative errno. */
int64_t ptp_socket_send(struct ptp_socket *ptp, const struct ptp_outgoing *outgoing);

/*
 * Receive on one of the two. Returns the length; 0: one that this host sent itself, or that is for
 * another; -EAGAIN or another negative errno.
 */
long ptp_socket_receive(const struct ptp_socket *ptp, int fd, void *data, size_t size,
			struct ptp_address *from, struct stamp *stamp, bool *truncated);

#endif /* SOURCES_PTP_SOCKET_H */
