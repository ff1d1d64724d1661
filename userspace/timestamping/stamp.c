/* SPDX-License-Identifier: MIT */
#include "timestamping/stamp.h"

#include <errno.h>
#include <linux/net_tstamp.h>
#include <time.h>

#include "chronotick_page.h"
#include "timestamping/stamp_control.h"

#define NS_PER_S 1000000000LL

/* A looped packet is not asked for; what comes all the same is thrown away. */
#define ERROR_DATA_SIZE 64

#define SOFTWARE_FLAGS                                                                             \
	(SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_TX_SOFTWARE | \
	 SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY | SOF_TIMESTAMPING_OPT_CMSG)
#define HARDWARE_FLAGS                                                                             \
	(SOF_TIMESTAMPING_RAW_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE |                            \
	 SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_OPT_TX_SWHW)

static int enable(int fd, unsigned int flags)
{
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)) < 0)
		return -errno;
	/* Without POLLPRI there is still POLLERR. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SELECT_ERR_QUEUE, &on, sizeof(on));
	return 0;
}

int stamp_enable(int fd)
{
	return enable(fd, SOFTWARE_FLAGS);
}

int stamp_enable_hardware(int fd)
{
	return enable(fd, SOFTWARE_FLAGS | HARDWARE_FLAGS);
}

int stamp_enable_receive(int fd)
{
	unsigned int flags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;

	return setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)) < 0 ? -errno : 0;
}

/* A message's own memory; the header points into it. */
struct message {
	struct msghdr header;
	struct iovec vector;
	union {
		struct cmsghdr header;
		char bytes[STAMP_CONTROL_SIZE];
	} control;
};

/* One message with its control data, never waiting. from may be NULL. Its length or a negative errno */
static ssize_t message_take(int fd, int flags, void *data, size_t size,
			    struct sockaddr_storage *from, struct message *ret)
{
	ssize_t got;

	ret->vector = (struct iovec){.iov_base = data, .iov_len = size};
	ret->header = (struct msghdr){
		.msg_name = from,
		.msg_namelen = from ? sizeof(*from) : 0,
		.msg_iov = &ret->vector,
		.msg_iovlen = 1,
		.msg_control = &ret->control,
		.msg_controllen = sizeof(ret->control),
	};
	do
		got = recvmsg(fd, &ret->header, flags | MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

long stamp_receive(int fd, void *data, size_t size, struct sockaddr_storage *from,
		   struct stamp *stamp, bool *truncated)
{
	struct message message;
	ssize_t got = message_take(fd, 0, data, size, from, &message);

	if (got < 0)
		return got;
	(void)stamp_control_received(&message.header, stamp);
	if (!stamp->system_ns) {
		struct timespec now;

		clock_gettime(CLOCK_REALTIME, &now);
		stamp->system_ns = now.tv_sec * NS_PER_S + now.tv_nsec;
		stamp->quality = CHRONOTICK_STAMP_USER;
	}
	if (truncated)
		*truncated = message.header.msg_flags & MSG_TRUNC;
	return got;
}

int stamp_transmitted(int fd, uint32_t *id, struct stamp *stamp)
{
	char data[ERROR_DATA_SIZE];
	struct message message;
	ssize_t got = message_take(fd, MSG_ERRQUEUE, data, sizeof(data), NULL, &message);

	return got < 0 ? (int)got : stamp_control_transmitted(&message.header, id, stamp);
}
