/* SPDX-License-Identifier: MIT */
/* Messages of the Precision Time Protocol (IEEE 1588-2019 clauses 13 and 14) as bytes. Pure. */
#ifndef SOURCES_PTP_MESSAGE_H
#define SOURCES_PTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PTP_HEADER_SIZE 34
#define PTP_MESSAGE_MAX 1500 /* longer ones are not read */
#define PTP_OUT_MAX 160      /* the longest one that this client sends, authenticated */

enum ptp_type {
	PTP_SYNC = 0,
	PTP_DELAY_REQ = 1,
	PTP_PDELAY_REQ = 2,
	PTP_PDELAY_RESP = 3,
	PTP_FOLLOW_UP = 8,
	PTP_DELAY_RESP = 9,
	PTP_PDELAY_RESP_FOLLOW_UP = 10,
	PTP_ANNOUNCE = 11,
	PTP_SIGNALING = 12,
	PTP_MANAGEMENT = 13,
};

/* Messages below this are event messages: their times are stamped. */
#define PTP_EVENT_TYPES 4

/* flagField, table 37; the first octet is the upper one. */
#define PTP_FLAG_ALTERNATE_MASTER 0x0100U
#define PTP_FLAG_TWO_STEP 0x0200U
#define PTP_FLAG_UNICAST 0x0400U
#define PTP_FLAG_LEAP_61 0x0001U
#define PTP_FLAG_LEAP_59 0x0002U
#define PTP_FLAG_UTC_VALID 0x0004U
#define PTP_FLAG_TIMESCALE 0x0008U
#define PTP_FLAG_TIME_TRACEABLE 0x0010U
#define PTP_FLAG_FREQUENCY_TRACEABLE 0x0020U

/* logMessageInterval where a message tells none */
#define PTP_LOG_INTERVAL_NONE 127

/* portIdentity, 5.3.5 */
struct ptp_identity {
	uint8_t clock[8];
	uint16_t port;
};

bool ptp_identity_equal(const struct ptp_identity *a, const struct ptp_identity *b);
/* As memcmp(3): of the clocks, then of the ports */
int ptp_identity_compare(const struct ptp_identity *a, const struct ptp_identity *b);

/* All ports of all clocks, as a target of signaling messages */
extern const struct ptp_identity ptp_identity_all;

/* What an Announce message says of the grandmaster, 13.5 */
struct ptp_announce {
	int16_t utc_offset_s;
	uint8_t priority1;
	uint8_t clock_class;
	uint8_t accuracy; /* clockAccuracy, table 5 */
	uint16_t variance;
	uint8_t priority2;
	uint8_t grandmaster[8];
	uint16_t steps_removed;
	uint8_t time_source;
};

struct ptp_message {
	uint8_t type;  /* enum ptp_type, or another number below 16 */
	uint16_t sdo;  /* sdoId: majorSdoId << 8 | minorSdoId */
	uint8_t minor; /* minorVersionPTP; versionPTP is 2 */
	uint8_t domain;
	uint16_t flags;
	int64_t correction; /* 2^-16 ns */
	struct ptp_identity source;
	uint16_t sequence;
	int8_t log_interval;
	/*
	 * The message's timestamp, ns since its timescale's epoch; negative: there is none, or it can't
	 * be (more ns than a second has, or beyond the year 2242).
	 */
	int64_t time_ns;
	struct ptp_identity
		requesting; /* DELAY_RESP, PDELAY_RESP, its follow-up, SIGNALING: target */
	struct ptp_announce announce; /* ANNOUNCE */
	const uint8_t *tlvs;          /* in what was parsed; all of them are whole */
	size_t tlvs_size;
	size_t size; /* messageLength: what comes behind it is padding */
};

/*
 * Parse a message. The types that are not in enum ptp_type have a header only. Returns 0;
 * -EPROTONOSUPPORT: another version than 2; -EBADMSG: it is shorter than it says or than its type
 * is, or a TLV is not whole.
 */
int ptp_message_parse(struct ptp_message *ret, const void *data, size_t size);

/*
 * Write a message without its TLVs: all members but tlvs, tlvs_size and size are used. Returns its
 * size; messageLength is that.
 */
size_t ptp_message_write(const struct ptp_message *message, uint8_t ret[PTP_OUT_MAX]);

/* Store another messageLength. */
void ptp_message_resize(uint8_t *message, size_t size);

/* TLVs, clause 14 */
enum ptp_tlv_type {
	PTP_TLV_REQUEST_UNICAST = 0x0004,
	PTP_TLV_GRANT_UNICAST = 0x0005,
	PTP_TLV_CANCEL_UNICAST = 0x0006,
	PTP_TLV_ACKNOWLEDGE_CANCEL = 0x0007,
	PTP_TLV_AUTHENTICATION = 0x8009,
};

struct ptp_tlv {
	uint16_t type;
	uint16_t size;        /* of the value, even */
	const uint8_t *value; /* in what was parsed */
};

/*
 * Take the next one of the TLVs from *at, *left bytes. Returns 1; 0: there are no more; -EBADMSG:
 * what is there is no whole TLV, or its length is odd.
 */
int ptp_tlv_next(struct ptp_tlv *ret, const uint8_t **at, size_t *left);

/* What unicast negotiation says about messages of one type, 16.1.4 */
struct ptp_unicast_tlv {
	uint8_t message; /* enum ptp_type */
	int8_t log_interval;
	uint32_t duration_s;
	bool renewal; /* GRANT: it would be granted again */
};

/* Returns 0, or -EBADMSG if the TLV is none of the four or not as long as its type is. */
int ptp_unicast_tlv_parse(struct ptp_unicast_tlv *ret, const struct ptp_tlv *tlv);

/*
 * Append one to a message of `size` bytes, with room for 12 more; the messageLength grows. type:
 * one of the four. Returns the new size.
 */
size_t ptp_unicast_tlv_append(uint8_t *message, size_t size, enum ptp_tlv_type type,
			      const struct ptp_unicast_tlv *what);

/* A correctionField in ns, rounded down. */
int64_t ptp_correction_ns(int64_t correction);

#endif /* SOURCES_PTP_MESSAGE_H */
