/* SPDX-License-Identifier: MIT */
/* The socket of one NTP request. */
#ifndef SOURCES_NTP_SOCKET_H
#define SOURCES_NTP_SOCKET_H

#include <stdbool.h>

#include "sources/resolver.h"

/*
 * A socket that does not block, connected to the server, on a random port of the kernel's choice.
 * *stamps: the kernel stamps what it sends and receives. Errors that the network tells go to its
 * error queue. Returns the descriptor or a negative errno.
 */
int ntp_socket_open(const struct resolver_address *server, const char *interface, bool *stamps);

#endif /* SOURCES_NTP_SOCKET_H */
