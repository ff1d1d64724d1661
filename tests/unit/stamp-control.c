/* SPDX-License-Identifier: MIT */
/* Stamps from control messages: those of the kernel and of the NIC, and what is neither */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>
#include <linux/errqueue.h>

#include "chronotick_page.h"
#include "timestamping/stamp_control.h"

#define S 1000000000LL
#define SYSTEM_S 1790000000LL
#define HARDWARE_S 77LL

struct messages {
	struct msghdr header;
	union {
		struct cmsghdr align;
		char bytes[STAMP_CONTROL_SIZE];
	} control;
};

static void begin(struct messages *messages)
{
	memset(messages, 0, sizeof(*messages));
	messages->header.msg_control = &messages->control;
}

/* The payload is cut off after `size`. */
static void add(struct messages *messages, int level, int type, const void *data, size_t size)
{
	struct cmsghdr *message = (struct cmsghdr *)(void *)(messages->control.bytes +
							     messages->header.msg_controllen);

	message->cmsg_level = level;
	message->cmsg_type = type;
	message->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(message), data, size);
	messages->header.msg_controllen += CMSG_SPACE(size);
}

static struct scm_timestamping stamps(int64_t system_s, int64_t hardware_s)
{
	return (struct scm_timestamping){.ts = {{.tv_sec = system_s}, {0}, {.tv_sec = hardware_s}}};
}

static struct sock_extended_err sent(uint32_t id)
{
	return (struct sock_extended_err){.ee_errno = ENOMSG,
					  .ee_origin = SO_EE_ORIGIN_TIMESTAMPING,
					  .ee_info = SCM_TSTAMP_SND,
					  .ee_data = id};
}

Test(stamp_control, of_both_clocks)
{
	const struct scm_timestamping both = stamps(SYSTEM_S, HARDWARE_S);
	/* Of which device it is says nothing of when it was. */
	const uint32_t pktinfo[4] = {4711, 60, 0, 0};
	struct messages messages;
	struct stamp stamp;

	begin(&messages);
	add(&messages, SOL_SOCKET, SCM_TIMESTAMPING_PKTINFO, pktinfo, sizeof(pktinfo));
	add(&messages, SOL_SOCKET, SCM_TIMESTAMPING, &both, sizeof(both));
	cr_assert(stamp_control_received(&messages.header, &stamp));
	cr_assert_eq(stamp.system_ns, SYSTEM_S * S);
	cr_assert_eq(stamp.quality, CHRONOTICK_STAMP_KERNEL);
	cr_assert_eq(stamp.hardware_ns, HARDWARE_S * S);
}

Test(stamp_control, times_that_cannot_be)
{
	static const struct timespec times[] = {
		{-1, 0}, {INT64_MIN, 0}, {INT64_MAX, 0}, {5, -1}, {5, S}, {1LL << 32, 0},
	};
	struct messages messages;
	struct stamp stamp;
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct scm_timestamping wrong = stamps(0, 0);

		wrong.ts[0] = wrong.ts[2] = times[i];
		begin(&messages);
		add(&messages, SOL_SOCKET, SCM_TIMESTAMPING, &wrong, sizeof(wrong));
		cr_assert_not(stamp_control_received(&messages.header, &stamp), "case %zu", i);
		cr_assert_eq(stamp.quality, 0);
	}
}

Test(stamp_control, what_is_not_all_there)
{
	const struct scm_timestamping both = stamps(SYSTEM_S, HARDWARE_S);
	const struct sock_extended_err error = sent(5);
	struct messages messages;
	struct stamp stamp;
	uint32_t id = 7;
	size_t size;

	for (size = 0; size < sizeof(both); size++) {
		begin(&messages);
		add(&messages, SOL_SOCKET, SCM_TIMESTAMPING, &both, size);
		cr_assert_not(stamp_control_received(&messages.header, &stamp));
	}
	for (size = 0; size < sizeof(error); size++) {
		begin(&messages);
		add(&messages, SOL_SOCKET, SCM_TIMESTAMPING, &both, sizeof(both));
		add(&messages, IPPROTO_IP, IP_RECVERR, &error, size);
		cr_assert_eq(stamp_control_transmitted(&messages.header, &id, &stamp), 0,
			     "nobody knows of what it is");
	}
	/* A second one, of which less is there, takes nothing away. */
	begin(&messages);
	add(&messages, SOL_SOCKET, SCM_TIMESTAMPING, &both, sizeof(both));
	add(&messages, SOL_SOCKET, SCM_TIMESTAMPING, &both, 4);
	cr_assert(stamp_control_received(&messages.header, &stamp));
	cr_assert_eq(stamp.hardware_ns, HARDWARE_S * S);
}

Test(stamp_control, of_what_was_sent)
{
	static const struct {
		int level, type;
	} kinds[] = {{IPPROTO_IP, IP_RECVERR}, {IPPROTO_IPV6, IPV6_RECVERR}, {263, 16}};
	const struct scm_timestamping hardware = stamps(0, HARDWARE_S);
	const struct sock_extended_err error = sent(UINT32_MAX);
	struct messages messages;
	struct stamp stamp;
	uint32_t id = 7;
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		begin(&messages);
		add(&messages, kinds[i].level, kinds[i].type, &error, sizeof(error));
		add(&messages, SOL_SOCKET, SCM_TIMESTAMPING, &hardware, sizeof(hardware));
		cr_assert_eq(stamp_control_transmitted(&messages.header, &id, &stamp), 1);
		cr_assert_eq(id, UINT32_MAX);
		cr_assert_eq(stamp.system_ns, 0);
		cr_assert_eq(stamp.hardware_ns, HARDWARE_S * S);
	}
	/* The same of another level is something else. */
	begin(&messages);
	add(&messages, IPPROTO_UDP, IP_RECVERR, &error, sizeof(error));
	cr_assert_eq(stamp_control_transmitted(&messages.header, &id, &stamp), 0);
}

Test(stamp_control, other_messages_of_the_error_queue)
{
	const struct scm_timestamping both = stamps(SYSTEM_S, HARDWARE_S);
	static const struct {
		struct sock_extended_err error;
		int result;
	} cases[] = {
		{{.ee_errno = ECONNREFUSED, .ee_origin = SO_EE_ORIGIN_ICMP}, -ECONNREFUSED},
		{{.ee_errno = EHOSTUNREACH, .ee_origin = SO_EE_ORIGIN_ICMP6}, -EHOSTUNREACH},
		{{.ee_errno = EMSGSIZE, .ee_origin = SO_EE_ORIGIN_LOCAL}, -EMSGSIZE},
		{{.ee_errno = 0, .ee_origin = SO_EE_ORIGIN_ICMP}, 0},
		{{.ee_errno = UINT32_MAX, .ee_origin = SO_EE_ORIGIN_ICMP}, 0},
		{{.ee_errno = ENOMSG, .ee_origin = 99}, 0},
		{{.ee_errno = 0, .ee_origin = SO_EE_ORIGIN_TIMESTAMPING}, 0},
		/* It was queued then, not sent. */
		{{.ee_errno = ENOMSG,
		  .ee_origin = SO_EE_ORIGIN_TIMESTAMPING,
		  .ee_info = SCM_TSTAMP_SCHED},
		 0},
	};
	struct messages messages;
	struct stamp stamp;
	uint32_t id = 7;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(&messages);
		add(&messages, SOL_SOCKET, SCM_TIMESTAMPING, &both, sizeof(both));
		add(&messages, IPPROTO_IP, IP_RECVERR, &cases[i].error, sizeof(cases[i].error));
		cr_assert_eq(stamp_control_transmitted(&messages.header, &id, &stamp),
			     cases[i].result, "case %zu", i);
		cr_assert_eq(stamp.hardware_ns, 0);
	}
	cr_assert_eq(id, 7);
}
