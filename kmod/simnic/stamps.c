// SPDX-License-Identifier: GPL-2.0-only
/* Which frames are stamped, and one-step Sync messages (IEEE 1588-2019 clause 9.5.9). */
#include "simnic.h"

#include <linux/in.h>
#include <linux/net_tstamp.h>
#include <linux/ptp_classify.h>
#include <linux/udp.h>
#include <net/checksum.h>

#define NTP_PORT 123
#define MESSAGE_SYNC 0x0
#define MESSAGE_EVENT_MAX 0x3
#define FLAG_TWO_STEP 0x02 /* in the first octet of flagField */

/* originTimestamp, which follows the header */
struct timestamp {
	__be16 seconds_high;
	__be32 seconds;
	__be32 ns;
} __packed;

/* NULL: it is no PTP message, as the kernel's classifier sees it. */
static struct ptp_header *message_of(struct sk_buff *skb, unsigned int *class)
{
	skb_reset_mac_header(skb);
	*class = ptp_classify_raw(skb);
	return *class == PTP_CLASS_NONE ? NULL : ptp_parse_header(skb, *class);
}

static bool is_ntp(const struct sk_buff *skb)
{
	const struct ethhdr *ethernet = (const struct ethhdr *)skb->data;
	unsigned int offset = ETH_HLEN;
	const struct udphdr *udp;

	if (skb->len < ETH_HLEN + 1)
		return false;
	if (ethernet->h_proto == htons(ETH_P_IP) && skb->len >= ETH_HLEN + 20 &&
	    skb->data[ETH_HLEN + 9] == IPPROTO_UDP)
		offset += (skb->data[ETH_HLEN] & 0xf) * 4;
	else if (ethernet->h_proto == htons(ETH_P_IPV6) && skb->len >= ETH_HLEN + 40 &&
		 skb->data[ETH_HLEN + 6] == IPPROTO_UDP)
		offset += 40;
	else
		return false;
	if (skb->len < offset + sizeof(*udp))
		return false;
	udp = (const struct udphdr *)(skb->data + offset);
	return udp->source == htons(NTP_PORT) || udp->dest == htons(NTP_PORT);
}

bool stamps_wants(struct sk_buff *skb, int rx_filter)
{
	struct ptp_header *header;
	unsigned int class;

	switch (rx_filter) {
	case HWTSTAMP_FILTER_NONE:
		return false;
	case HWTSTAMP_FILTER_ALL:
		return true;
	case HWTSTAMP_FILTER_NTP_ALL:
		return is_ntp(skb);
	default:
		break;
	}
	header = message_of(skb, &class);
	if (!header || (class & PTP_CLASS_VMASK) != PTP_CLASS_V2 ||
	    ptp_get_msgtype(header, class) > MESSAGE_EVENT_MAX)
		return false;
	switch (rx_filter) {
	case HWTSTAMP_FILTER_PTP_V2_L2_EVENT:
		return (class & PTP_CLASS_PMASK) == PTP_CLASS_L2;
	case HWTSTAMP_FILTER_PTP_V2_L4_EVENT:
		return (class & PTP_CLASS_PMASK) != PTP_CLASS_L2;
	default:
		return true;
	}
}

/* IPv6 knows no datagram without a checksum: one of 0 is written as its complement. */
static void checksum_update(struct udphdr *udp, const struct timestamp *old,
			    const struct timestamp *new)
{
	csum_replace_by_diff(&udp->check, csum_sub(csum_partial(new, sizeof(*new), 0),
						   csum_partial(old, sizeof(*old), 0)));
	if (!udp->check)
		udp->check = CSUM_MANGLED_0;
}

bool stamps_one_step(struct sk_buff *skb, ktime_t stamp)
{
	struct timespec64 ts = ktime_to_timespec64(stamp);
	struct timestamp *origin, next;
	struct ptp_header *header;
	struct udphdr *udp;
	unsigned int class;

	header = message_of(skb, &class);
	if (!header || (class & PTP_CLASS_VMASK) != PTP_CLASS_V2 ||
	    ptp_get_msgtype(header, class) != MESSAGE_SYNC || header->flag_field[0] & FLAG_TWO_STEP)
		return false;
	origin = (struct timestamp *)(header + 1);
	if ((u8 *)(origin + 1) > skb_tail_pointer(skb))
		return false;
	next.seconds_high = htons((u64)ts.tv_sec >> 32);
	next.seconds = htonl((u32)ts.tv_sec);
	next.ns = htonl(ts.tv_nsec);
	udp = (struct udphdr *)header - 1;
	if ((class & PTP_CLASS_PMASK) == PTP_CLASS_IPV4)
		udp->check = 0;
	else if ((class & PTP_CLASS_PMASK) == PTP_CLASS_IPV6)
		checksum_update(udp, origin, &next);
	*origin = next;
	return true;
}
