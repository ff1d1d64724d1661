/* SPDX-License-Identifier: MIT */
/* Packet timestamps from the kernel: SO_TIMESTAMPING, transmit stamps from the error queue. */
#ifndef TIMESTAMPING_STAMP_H
#define TIMESTAMPING_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct stamp {
	int64_t system_ns;   /* CLOCK_REALTIME, ns since 1970; 0: there is none */
	uint8_t quality;     /* of it: enum chronotick_stamp */
	int64_t hardware_ns; /* the NIC's own clock (PHC), ns since its epoch; 0: there is none */
};

/*
 * Ask for kernel stamps both ways on a datagram socket, transmit stamps with an id that counts the
 * datagrams sent from 0 (SOF_TIMESTAMPING_OPT_ID). Returns 0 or a negative errno; without them
 * stamp_receive() falls to the user-space clock.
 *
 * The kernel turns its receive stamps on a moment after the first socket of the machine asks for
 * them, and off with the last one: a packet that comes earlier is stamped when it is read. So ask
 * some time before the first packet, and open the next socket before the last one is closed.
 *
 * An expected stamp wakes poll(2) with POLLERR, and with POLLPRI if that is asked for.
 */
int stamp_enable(int fd);

/*
 * Ask for the NIC's stamps as well, beside those of the kernel: a packet that is sent has two
 * messages in the error queue then, the kernel's first. The NIC itself has to be told (nic.h).
 * Sockets of packets (AF_PACKET) will do, too.
 */
int stamp_enable_hardware(int fd);

/* Ask for the kernel's stamps of what is received alone: nothing comes in the error queue. */
int stamp_enable_receive(int fd);

/*
 * Receive one datagram without blocking. *stamp: when the kernel took it in, else (quality USER)
 * when this call did; and when the NIC did, if it says so. from may be NULL. truncated (may be
 * NULL): it was longer than the buffer. Returns its length, -EAGAIN, or another negative errno.
 */
long stamp_receive(int fd, void *data, size_t size, struct sockaddr_storage *from,
		   struct stamp *stamp, bool *truncated);

/*
 * Take one message from the error queue. Returns 1 and *id, *stamp if it was a transmit stamp, of
 * the kernel, of the NIC or of both (*id is 0 where the stamp comes without one, as from a network
 * simulator); 0 if it was something else; -EAGAIN if the queue is empty; or the negative errno of
 * an ICMP error that the queue told of, which it does only for sockets with IP_RECVERR or
 * IPV6_RECVERR.
 */
int stamp_transmitted(int fd, uint32_t *id, struct stamp *stamp);

#endif /* TIMESTAMPING_STAMP_H */
