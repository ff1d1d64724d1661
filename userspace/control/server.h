/* SPDX-License-Identifier: MIT */
/*
 * The control server: answers requests of the control protocol in the daemon's poll loop, without
 * ever holding it up. It knows nothing of the daemon but the callbacks below.
 *
 * Anybody may ask and anybody may be hostile, so everything is bounded:
 *
 *	in a round of the loop	one connection is taken, and each client has one request answered
 *	in CONTROL_TICK_NS	CONTROL_TICK_ACCEPTS connections, CONTROL_TICK_REQUESTS a client;
 *				what is more waits in the kernel, and costs the daemon nothing
 *	clients			CONTROL_CLIENTS, of which those who may only ask have at most
 *				CONTROL_ASKERS. Where there is no place for one more, one that may
 *				only ask goes: the idlest of the user who has the most. So an
 *				operator always finds a place, and nobody takes everybody else's
 *	silence			after CONTROL_IDLE_NS a client is dropped
 *	a client that does not take its reply at once is dropped: nothing is kept for later
 *	a request that comes with descriptors is not read, its sender dropped; all clients' sockets are
 *				closed by a helper thread (local/closer.h), and where that one is held up no
 *				more connections are taken
 *
 * Nothing is allocated but at the start.
 */
#ifndef CONTROL_SERVER_H
#define CONTROL_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "local/peer.h"
#include "control/protocol.h"
#include "loop/loop.h"

#define CONTROL_CLIENTS 16
#define CONTROL_ASKERS 12
#define CONTROL_TICK_NS 10000000LL
#define CONTROL_TICK_ACCEPTS 40
#define CONTROL_TICK_REQUESTS 4
#define CONTROL_IDLE_NS 10000000000LL

/*
 * What the server asks of the daemon. None of it may block, or call the server. Replies are zeroed
 * and have their result set; the callbacks fill in the rest.
 */
struct control_ops {
	void *data;
	/* pid, uptime_ns, version and page */
	void (*identity)(void *data, struct control_identity_reply *ret);
	void (*status)(void *data, struct control_status_reply *ret);
	void (*covariates)(void *data, struct control_covariates_reply *ret);
	void (*models)(void *data, struct control_models_reply *ret);
	void (*pages)(void *data, struct control_pages_reply *ret);
	uint32_t (*source_count)(void *data);
	/* The source with the least number from `number` on. 0, or -ENOENT if there is none. */
	int (*source)(void *data, uint32_t number, struct control_source *ret);
	/* What a PTP source, of that number, knows of its master. 0, or -ENOENT if it is none. */
	int (*ptp)(void *data, uint32_t number, struct control_ptp_reply *ret);
	/*
	 * Take the sources that match a pattern into use or out of it. Returns how many there are,
	 * or a negative errno. Both leave a text for people.
	 */
	int (*online)(void *data, const struct local_peer *peer, const char *pattern, bool online,
		      char text[CONTROL_TEXT_MAX]);
	/* Read the configuration again. Returns 0 or a negative errno; both leave a text. */
	int (*reload)(void *data, const struct local_peer *peer, char text[CONTROL_TEXT_MAX]);
};

struct control_server;

/*
 * Listen at `path` (local_socket_open()). Members of `group`, (gid_t)-1: none, may change things
 * beside root and the daemon's own user. `ops` must outlive the server.
 * Returns 0, or a negative errno with a sentence in `why`.
 */
int control_server_open(struct control_server **ret, struct loop *loop, const char *path,
			gid_t group, const struct control_ops *ops, char *why, size_t why_size);
void control_server_close(struct control_server *server); /* NULL is allowed */

#endif /* CONTROL_SERVER_H */
