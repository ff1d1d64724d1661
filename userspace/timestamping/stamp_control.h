/* SPDX-License-Identifier: MIT */
/* What the control messages of a datagram say about time: parsed, and nothing believed. Pure. */
#ifndef TIMESTAMPING_STAMP_CONTROL_H
#define TIMESTAMPING_STAMP_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "timestamping/stamp.h"

/* Room for every control message that a socket with our options gives */
#define STAMP_CONTROL_SIZE 512

/*
 * The stamps of a datagram that was received: *stamp has what is there, 0 for what is not. header:
 * as recvmsg(2) left it. Returns whether there is any.
 */
bool stamp_control_received(struct msghdr *header, struct stamp *stamp);

/*
 * A message of the error queue. Returns 1 for stamps of a packet that was sent, with *id; 0 for
 * anything else; or the negative errno of an ICMP error.
 */
int stamp_control_transmitted(struct msghdr *header, uint32_t *id, struct stamp *stamp);

#endif /* TIMESTAMPING_STAMP_CONTROL_H */
