/* SPDX-License-Identifier: MIT */
#include "timestamping/stamp_control.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <string.h>

#include "chronotick_page.h"

#define NS_PER_S 1000000000LL

/* Far from what 64 bits hold in ns: years 1970 to 2106 */
#define SECONDS_MAX 0xffffffffLL

#define ERRNO_MAX 4096

/* Of the three times of struct scm_timestamping */
#define SOFTWARE 0
#define HARDWARE 2

#ifndef PACKET_TX_TIMESTAMP
#define PACKET_TX_TIMESTAMP 16
#endif

struct control {
	bool has_stamp;
	bool is_error;  /* it tells of one, or of a stamp of what was sent */
	bool has_error; /* which is all there */
	struct scm_timestamping stamp;
	struct sock_extended_err error;
};

static bool is_error(const struct cmsghdr *message)
{
	return (message->cmsg_level == IPPROTO_IP && message->cmsg_type == IP_RECVERR) ||
	       (message->cmsg_level == IPPROTO_IPV6 && message->cmsg_type == IPV6_RECVERR) ||
	       (message->cmsg_level == SOL_PACKET && message->cmsg_type == PACKET_TX_TIMESTAMP);
}

/* The payload of a control message is copied only if it is all there, and within the buffer. */
static bool payload_copy(void *ret, size_t size, const struct msghdr *header,
			 const struct cmsghdr *message)
{
	size_t at = (size_t)((const char *)message - (const char *)header->msg_control);

	if (message->cmsg_len < CMSG_LEN(size) || header->msg_controllen - at < CMSG_LEN(size))
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
			ret->has_stamp |=
				payload_copy(&ret->stamp, sizeof(ret->stamp), header, message);
		if (!is_error(message))
			continue;
		ret->is_error = true;
		ret->has_error |= payload_copy(&ret->error, sizeof(ret->error), header, message);
	}
}

/* 0: there is none, or one that can't be */
static int64_t time_of(const struct timespec *time)
{
	int64_t s = time->tv_sec, ns = time->tv_nsec;

	if (s < 0 || s > SECONDS_MAX || ns < 0 || ns >= NS_PER_S)
		return 0;
	return s * NS_PER_S + ns;
}

/* CLOCK_REALTIME is never within a second of 1970; a NIC's clock may be. */
static bool stamp_from_control(struct stamp *ret, const struct control *control)
{
	memset(ret, 0, sizeof(*ret));
	if (!control->has_stamp)
		return false;
	ret->hardware_ns = time_of(&control->stamp.ts[HARDWARE]);
	ret->system_ns = time_of(&control->stamp.ts[SOFTWARE]);
	if (ret->system_ns < NS_PER_S)
		ret->system_ns = 0;
	if (ret->system_ns)
		ret->quality = CHRONOTICK_STAMP_KERNEL;
	return ret->system_ns || ret->hardware_ns;
}

bool stamp_control_received(struct msghdr *header, struct stamp *stamp)
{
	struct control control;

	control_parse(&control, header);
	return stamp_from_control(stamp, &control);
}

int stamp_control_transmitted(struct msghdr *header, uint32_t *id, struct stamp *stamp)
{
	struct control control;

	control_parse(&control, header);
	memset(stamp, 0, sizeof(*stamp));
	if (!control.is_error) {
		*id = 0;
		return stamp_from_control(stamp, &control);
	}
	if (!control.has_error)
		return 0;
	switch (control.error.ee_origin) {
	case SO_EE_ORIGIN_TIMESTAMPING:
		if (control.error.ee_errno != ENOMSG || control.error.ee_info != SCM_TSTAMP_SND)
			return 0;
		*id = control.error.ee_data;
		return stamp_from_control(stamp, &control);
	case SO_EE_ORIGIN_ICMP:
	case SO_EE_ORIGIN_ICMP6:
	case SO_EE_ORIGIN_LOCAL:
		return control.error.ee_errno && control.error.ee_errno < ERRNO_MAX
			       ? -(int)control.error.ee_errno
			       : 0;
	default:
		return 0;
	}
}
