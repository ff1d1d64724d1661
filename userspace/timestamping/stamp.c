/* SPDX-License-Identifier: MIT */
#include "timestamping/stamp.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include "chronotick_page.h"

#define NS_PER_S 1000000000LL

/* Room for every control message that a socket with these options gives */
#define CONTROL_SIZE 512

/* A looped packet is not asked for; what comes all the same is thrown away. */
#define ERROR_DATA_SIZE 64

/* Far from what 64 bits hold in ns: years 1970 to 2106 */
#define SECONDS_MAX 0xffffffffLL

int stamp_enable(int fd)
{
	unsigned int flags = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE |
			     SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID |
			     SOF_TIMESTAMPING_OPT_TSONLY | SOF_TIMESTAMPING_OPT_CMSG;
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)) < 0)
		return -errno;
	/* Without POLLPRI there is still POLLERR. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SELECT_ERR_QUEUE, &on, sizeof(on));
	return 0;
}

/* What the control messages of one datagram say */
struct control {
	bool has_stamp;
	bool has_error;
	struct scm_timestamping stamp;
	struct sock_extended_err error;
};

static bool is_error(const struct cmsghdr *message)
{
	return (message->cmsg_level == IPPROTO_IP && message->cmsg_type == IP_RECVERR) ||
	       (message->cmsg_level == IPPROTO_IPV6 && message->cmsg_type == IPV6_RECVERR) ||
	       (message->cmsg_level == SOL_PACKET && message->cmsg_type == PACKET_TX_TIMESTAMP);
}

/* The payload of a control message is copied only if it is all there. */
static bool payload_copy(void *ret, size_t size, const struct cmsghdr *message)
{
	if (message->cmsg_len < CMSG_LEN(size))
		return false;
	memcpy(ret, CMSG_DATA(message), size);
	return true;
}

static void control_parse(struct control *ret, struct msghdr *header)
{
	struct cmsghdr *message;

	memset(ret, 0, sizeof(*ret));
	for (message = CMSG_FIRSTHDR(header); message; message = CMSG_NXTHDR(header, message)) {
		if (message->cmsg_level == SOL_SOCKET && message->cmsg_type == SCM_TIMESTAMPING)
			ret->has_stamp = payload_copy(&ret->stamp, sizeof(ret->stamp), message);
		else if (is_error(message))
			ret->has_error = payload_copy(&ret->error, sizeof(ret->error), message);
	}
}

/* The software stamp is the first of three. */
static bool stamp_from_control(struct stamp *ret, const struct control *control)
{
	int64_t s = control->stamp.ts[0].tv_sec, ns = control->stamp.ts[0].tv_nsec;

	if (!control->has_stamp || s <= 0 || s > SECONDS_MAX || ns < 0 || ns >= NS_PER_S)
		return false;
	ret->system_ns = s * NS_PER_S + ns;
	ret->quality = CHRONOTICK_STAMP_KERNEL;
	return true;
}

/*
 * One message with its control data, never waiting. from may be NULL. Returns its length or a
 * negative errno; *truncated: it was longer than the buffer.
 */
static ssize_t message_take(int fd, int flags, void *data, size_t size,
			    struct sockaddr_storage *from, struct control *control, bool *truncated)
{
	union {
		struct cmsghdr header;
		char bytes[CONTROL_SIZE];
	} buffer;
	struct iovec vector = {.iov_base = data, .iov_len = size};
	struct msghdr header = {
		.msg_name = from,
		.msg_namelen = from ? sizeof(*from) : 0,
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &buffer,
		.msg_controllen = sizeof(buffer),
	};
	ssize_t got;

	do
		got = recvmsg(fd, &header, flags | MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	control_parse(control, &header);
	*truncated = header.msg_flags & MSG_TRUNC;
	return got;
}

long stamp_receive(int fd, void *data, size_t size, struct sockaddr_storage *from,
		   struct stamp *stamp, bool *truncated)
{
	struct control control;
	bool cut;
	ssize_t got = message_take(fd, 0, data, size, from, &control, &cut);

	if (got < 0)
		return got;
	if (!stamp_from_control(stamp, &control)) {
		struct timespec now;

		clock_gettime(CLOCK_REALTIME, &now);
		stamp->system_ns = now.tv_sec * NS_PER_S + now.tv_nsec;
		stamp->quality = CHRONOTICK_STAMP_USER;
	}
	if (truncated)
		*truncated = cut;
	return got;
}

int stamp_transmitted(int fd, uint32_t *id, struct stamp *stamp)
{
	char data[ERROR_DATA_SIZE];
	struct control control;
	bool cut;
	ssize_t got = message_take(fd, MSG_ERRQUEUE, data, sizeof(data), NULL, &control, &cut);

	if (got < 0)
		return (int)got;
	if (!control.has_error) {
		*id = 0;
		return stamp_from_control(stamp, &control);
	}
	switch (control.error.ee_origin) {
	case SO_EE_ORIGIN_TIMESTAMPING:
		if (control.error.ee_errno != ENOMSG || control.error.ee_info != SCM_TSTAMP_SND)
			return 0;
		*id = control.error.ee_data;
		return stamp_from_control(stamp, &control);
	case SO_EE_ORIGIN_ICMP:
	case SO_EE_ORIGIN_ICMP6:
	case SO_EE_ORIGIN_LOCAL:
		return control.error.ee_errno && control.error.ee_errno < 4096
			       ? -(int)control.error.ee_errno
			       : 0;
	default:
		return 0;
	}
}
