/* SPDX-License-Identifier: MIT */
#include "sources/ptp_message.h"

#include <errno.h>
#include <string.h>

#define NS_PER_S 1000000000U
#define SECONDS_MAX 0x1ffffffffULL /* 2^33, the year 2242: ns since 1970 fit in 63 bits */
#define TLV_HEADER 4
#define UNICAST_TLV_MAX 8

const struct ptp_identity ptp_identity_all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
					      0xffff};

/* How many bytes of each type come before its TLVs: 13.5 to 13.12 */
static const uint8_t body_sizes[16] = {
	[PTP_SYNC] = 44,
	[PTP_DELAY_REQ] = 44,
	[PTP_PDELAY_REQ] = 54,
	[PTP_PDELAY_RESP] = 54,
	[PTP_FOLLOW_UP] = 44,
	[PTP_DELAY_RESP] = 54,
	[PTP_PDELAY_RESP_FOLLOW_UP] = 54,
	[PTP_ANNOUNCE] = 64,
	[PTP_SIGNALING] = 44,
	[PTP_MANAGEMENT] = 48,
};

/* controlField of version 1's hardware, table 42 */
static uint8_t control_of(uint8_t type)
{
	switch (type) {
	case PTP_SYNC:
		return 0;
	case PTP_DELAY_REQ:
		return 1;
	case PTP_FOLLOW_UP:
		return 2;
	case PTP_DELAY_RESP:
		return 3;
	case PTP_MANAGEMENT:
		return 4;
	default:
		return 5;
	}
}

static uint64_t get(const uint8_t *at, unsigned int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | *at++;
	return value;
}

static void put(uint8_t *at, unsigned int bytes, uint64_t value)
{
	while (bytes--) {
		at[bytes] = (uint8_t)value;
		value >>= 8;
	}
}

static int64_t get_time(const uint8_t *at)
{
	uint64_t seconds = get(at, 6), ns = get(at + 6, 4);

	if (seconds > SECONDS_MAX || ns >= NS_PER_S)
		return -1;
	return (int64_t)(seconds * NS_PER_S + ns);
}

static void put_time(uint8_t *at, int64_t time_ns)
{
	uint64_t ns = time_ns > 0 ? (uint64_t)time_ns : 0;

	put(at, 6, ns / NS_PER_S);
	put(at + 6, 4, ns % NS_PER_S);
}

static void get_identity(struct ptp_identity *ret, const uint8_t *at)
{
	memcpy(ret->clock, at, sizeof(ret->clock));
	ret->port = (uint16_t)get(at + 8, 2);
}

static void put_identity(uint8_t *at, const struct ptp_identity *identity)
{
	memcpy(at, identity->clock, sizeof(identity->clock));
	put(at + 8, 2, identity->port);
}

int ptp_identity_compare(const struct ptp_identity *a, const struct ptp_identity *b)
{
	int r = memcmp(a->clock, b->clock, sizeof(a->clock));

	return r ? r : (int)a->port - (int)b->port;
}

bool ptp_identity_equal(const struct ptp_identity *a, const struct ptp_identity *b)
{
	return ptp_identity_compare(a, b) == 0;
}

static void get_announce(struct ptp_announce *ret, const uint8_t *at)
{
	*ret = (struct ptp_announce){
		.utc_offset_s = (int16_t)get(at + 44, 2),
		.priority1 = at[47],
		.clock_class = at[48],
		.accuracy = at[49],
		.variance = (uint16_t)get(at + 50, 2),
		.priority2 = at[52],
		.steps_removed = (uint16_t)get(at + 61, 2),
		.time_source = at[63],
	};
	memcpy(ret->grandmaster, at + 53, sizeof(ret->grandmaster));
}

static void put_announce(uint8_t *at, const struct ptp_announce *announce)
{
	put(at + 44, 2, (uint16_t)announce->utc_offset_s);
	at[47] = announce->priority1;
	at[48] = announce->clock_class;
	at[49] = announce->accuracy;
	put(at + 50, 2, announce->variance);
	at[52] = announce->priority2;
	memcpy(at + 53, announce->grandmaster, sizeof(announce->grandmaster));
	put(at + 61, 2, announce->steps_removed);
	at[63] = announce->time_source;
}

static bool has_requesting(uint8_t type)
{
	return type == PTP_DELAY_RESP || type == PTP_PDELAY_RESP ||
	       type == PTP_PDELAY_RESP_FOLLOW_UP;
}

int ptp_tlv_next(struct ptp_tlv *ret, const uint8_t **at, size_t *left)
{
	if (*left == 0)
		return 0;
	if (*left < TLV_HEADER)
		return -EBADMSG;
	ret->type = (uint16_t)get(*at, 2);
	ret->size = (uint16_t)get(*at + 2, 2);
	ret->value = *at + TLV_HEADER;
	if (ret->size % 2 || ret->size > *left - TLV_HEADER)
		return -EBADMSG;
	*at += TLV_HEADER + ret->size;
	*left -= TLV_HEADER + ret->size;
	return 1;
}

static int tlvs_check(const uint8_t *at, size_t left)
{
	struct ptp_tlv tlv;
	int r;

	do
		r = ptp_tlv_next(&tlv, &at, &left);
	while (r == 1);
	return r;
}

int ptp_message_parse(struct ptp_message *ret, const void *data, size_t size)
{
	const uint8_t *at = data;
	size_t length, body;

	if (size < PTP_HEADER_SIZE)
		return -EBADMSG;
	if ((at[1] & 0x0f) != 2)
		return -EPROTONOSUPPORT;
	length = (size_t)get(at + 2, 2);
	memset(ret, 0, sizeof(*ret));
	ret->type = at[0] & 0x0f;
	body = body_sizes[ret->type];
	if (length > size || length < PTP_HEADER_SIZE || length < body)
		return -EBADMSG;
	ret->sdo = (uint16_t)((at[0] >> 4) << 8 | at[5]);
	ret->minor = at[1] >> 4;
	ret->domain = at[4];
	ret->flags = (uint16_t)get(at + 6, 2);
	ret->correction = (int64_t)get(at + 8, 8);
	get_identity(&ret->source, at + 20);
	ret->sequence = (uint16_t)get(at + 30, 2);
	ret->log_interval = (int8_t)at[33];
	ret->time_ns = -1;
	ret->size = length;
	if (!body) {
		ret->tlvs = at + length;
		return 0;
	}
	if (ret->type != PTP_SIGNALING && ret->type != PTP_MANAGEMENT)
		ret->time_ns = get_time(at + PTP_HEADER_SIZE);
	if (has_requesting(ret->type))
		get_identity(&ret->requesting, at + 44);
	if (ret->type == PTP_SIGNALING)
		get_identity(&ret->requesting, at + 34);
	if (ret->type == PTP_ANNOUNCE)
		get_announce(&ret->announce, at);
	ret->tlvs = at + body;
	ret->tlvs_size = length - body;
	return tlvs_check(ret->tlvs, ret->tlvs_size);
}

void ptp_message_resize(uint8_t *message, size_t size)
{
	put(message + 2, 2, size);
}

size_t ptp_message_write(const struct ptp_message *message, uint8_t ret[PTP_OUT_MAX])
{
	size_t size = body_sizes[message->type & 0x0f];

	if (!size)
		size = PTP_HEADER_SIZE;
	memset(ret, 0, size);
	ret[0] = (uint8_t)(message->sdo >> 8 << 4 | (message->type & 0x0f));
	ret[1] = (uint8_t)(message->minor << 4 | 2);
	ptp_message_resize(ret, size);
	ret[4] = message->domain;
	ret[5] = (uint8_t)message->sdo;
	put(ret + 6, 2, message->flags);
	put(ret + 8, 8, (uint64_t)message->correction);
	put_identity(ret + 20, &message->source);
	put(ret + 30, 2, message->sequence);
	ret[32] = control_of(message->type);
	ret[33] = (uint8_t)message->log_interval;
	if (message->type == PTP_SIGNALING)
		put_identity(ret + 34, &message->requesting);
	else if (message->type != PTP_MANAGEMENT && size >= PTP_HEADER_SIZE + 10)
		put_time(ret + PTP_HEADER_SIZE, message->time_ns);
	if (has_requesting(message->type))
		put_identity(ret + 44, &message->requesting);
	if (message->type == PTP_ANNOUNCE)
		put_announce(ret, &message->announce);
	return size;
}

static size_t unicast_size(uint16_t type)
{
	switch (type) {
	case PTP_TLV_REQUEST_UNICAST:
		return 6;
	case PTP_TLV_GRANT_UNICAST:
		return UNICAST_TLV_MAX;
	case PTP_TLV_CANCEL_UNICAST:
	case PTP_TLV_ACKNOWLEDGE_CANCEL:
		return 2;
	default:
		return 0;
	}
}

int ptp_unicast_tlv_parse(struct ptp_unicast_tlv *ret, const struct ptp_tlv *tlv)
{
	size_t size = unicast_size(tlv->type);

	if (!size || tlv->size != size)
		return -EBADMSG;
	memset(ret, 0, sizeof(*ret));
	ret->message = tlv->value[0] >> 4;
	if (size == 2)
		return 0;
	ret->log_interval = (int8_t)tlv->value[1];
	ret->duration_s = (uint32_t)get(tlv->value + 2, 4);
	if (size == UNICAST_TLV_MAX)
		ret->renewal = tlv->value[7] & 1;
	return 0;
}

size_t ptp_unicast_tlv_append(uint8_t *message, size_t size, enum ptp_tlv_type type,
			      const struct ptp_unicast_tlv *what)
{
	uint8_t *at = message + size, *value = at + TLV_HEADER;
	size_t length = unicast_size(type);

	memset(at, 0, TLV_HEADER + length);
	put(at, 2, type);
	put(at + 2, 2, length);
	value[0] = (uint8_t)(what->message << 4);
	if (length > 2) {
		value[1] = (uint8_t)what->log_interval;
		put(value + 2, 4, what->duration_s);
	}
	if (length == UNICAST_TLV_MAX)
		value[7] = what->renewal;
	size += TLV_HEADER + length;
	ptp_message_resize(message, size);
	return size;
}

int64_t ptp_correction_ns(int64_t correction)
{
	return correction >> 16;
}
