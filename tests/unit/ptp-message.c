/* SPDX-License-Identifier: MIT */
/* PTP messages as bytes, and what makes them authentic */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "sources/ptp_auth.h"
#include "sources/ptp_message.h"

/* An Announce message by the standard's table 43, octet by octet */
static const uint8_t announce[64] = {
	0x0b, 0x02, 0x00, 0x40, 0x18, 0x00, 0x00, 0x3c,             /* domain 24, flags */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x80, 0x00,             /* correction 1.5 ns */
	0x00, 0x00, 0x00, 0x00,                                     /* message type specific */
	0x00, 0x1b, 0x19, 0xff, 0xfe, 0x01, 0x02, 0x03, 0x00, 0x02, /* source */
	0x12, 0x34, 0x05, 0xfd,                                     /* sequence, control, -3 */
	0x00, 0x00, 0x65, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07, /* originTimestamp */
	0x00, 0x25, 0x00, 0x80, 0x06, 0x21, 0x4e, 0x5d, 0x81,       /* 37 s ... priority2 */
	0x00, 0x1b, 0x19, 0xff, 0xfe, 0x0a, 0x0b, 0x0c, 0x00, 0x02, 0x20,
};

Test(ptp_message, an_announcement_is_read_and_written_alike)
{
	struct ptp_message message;
	uint8_t again[PTP_OUT_MAX];

	cr_assert_eq(ptp_message_parse(&message, announce, sizeof(announce)), 0);
	cr_expect_eq(message.type, PTP_ANNOUNCE);
	cr_expect_eq(message.domain, 24);
	cr_expect_eq(message.flags, PTP_FLAG_UTC_VALID | PTP_FLAG_TIMESCALE |
					    PTP_FLAG_TIME_TRACEABLE | PTP_FLAG_FREQUENCY_TRACEABLE);
	cr_expect_eq(message.correction, 98304);
	cr_expect_eq(ptp_correction_ns(message.correction), 1);
	cr_expect_eq(ptp_correction_ns(-1), -1);
	cr_expect_eq(message.source.port, 2);
	cr_expect_eq(message.sequence, 0x1234);
	cr_expect_eq(message.log_interval, -3);
	cr_expect_eq(message.time_ns, 0x65000000 * 1000000000LL + 7);
	cr_expect_eq(message.announce.utc_offset_s, 37);
	cr_expect_eq(message.announce.priority1, 128);
	cr_expect_eq(message.announce.clock_class, 6);
	cr_expect_eq(message.announce.accuracy, 0x21);
	cr_expect_eq(message.announce.variance, 0x4e5d);
	cr_expect_eq(message.announce.priority2, 129);
	cr_expect_eq(message.announce.grandmaster[7], 0x0c);
	cr_expect_eq(message.announce.steps_removed, 2);
	cr_expect_eq(message.announce.time_source, 0x20);
	cr_assert_eq(ptp_message_write(&message, again), sizeof(announce));
	cr_expect_eq(memcmp(again, announce, sizeof(announce)), 0);
}

Test(ptp_message, what_is_cut_or_of_another_version_is_refused)
{
	uint8_t bytes[80] = {0};
	struct ptp_message message;
	size_t size;

	for (size = 0; size < sizeof(announce); size++)
		cr_expect_eq(ptp_message_parse(&message, announce, size), -EBADMSG);
	memcpy(bytes, announce, sizeof(announce));
	/* What Ethernet or UDP over IPv6 puts behind it is no matter. */
	cr_expect_eq(ptp_message_parse(&message, bytes, sizeof(bytes)), 0);
	cr_expect_eq(message.size, 64);
	cr_expect_eq(message.tlvs_size, 0);
	bytes[1] = 0x01;
	cr_expect_eq(ptp_message_parse(&message, bytes, sizeof(bytes)), -EPROTONOSUPPORT);
	bytes[1] = 0x12; /* 2.1 */
	cr_expect_eq(ptp_message_parse(&message, bytes, sizeof(bytes)), 0);
	cr_expect_eq(message.minor, 1);
	bytes[3] = 63;
	cr_expect_eq(ptp_message_parse(&message, bytes, sizeof(bytes)), -EBADMSG);
	bytes[3] = 33;
	cr_expect_eq(ptp_message_parse(&message, bytes, sizeof(bytes)), -EBADMSG);
}

Test(ptp_message, times_that_cannot_be_are_none)
{
	uint8_t bytes[64];
	struct ptp_message message;

	memcpy(bytes, announce, sizeof(bytes));
	bytes[40] = 0x3b; /* 1e9 ns and more */
	bytes[41] = 0x9a;
	bytes[42] = 0xca;
	bytes[43] = 0x00;
	cr_assert_eq(ptp_message_parse(&message, bytes, sizeof(bytes)), 0);
	cr_expect_eq(message.time_ns, -1);
	memcpy(bytes, announce, sizeof(bytes));
	bytes[35] = 3; /* beyond 2^33 s */
	cr_assert_eq(ptp_message_parse(&message, bytes, sizeof(bytes)), 0);
	cr_expect_eq(message.time_ns, -1);
}

Test(ptp_message, unknown_tlvs_are_skipped_and_broken_ones_refused)
{
	static const uint8_t tlvs[] = {0x3f, 0x01, 0x00, 0x02, 0xaa, 0xbb, 0x00, 0x08, 0x00, 0x00};
	uint8_t bytes[80] = {0};
	struct ptp_message message;
	struct ptp_tlv tlv;
	const uint8_t *at;
	size_t left;

	memcpy(bytes, announce, sizeof(announce));
	memcpy(bytes + 64, tlvs, sizeof(tlvs));
	bytes[3] = 64 + sizeof(tlvs);
	cr_assert_eq(ptp_message_parse(&message, bytes, sizeof(bytes)), 0);
	at = message.tlvs;
	left = message.tlvs_size;
	cr_assert_eq(ptp_tlv_next(&tlv, &at, &left), 1);
	cr_expect_eq(tlv.type, 0x3f01);
	cr_expect_eq(tlv.size, 2);
	cr_expect_eq(tlv.value[1], 0xbb);
	cr_assert_eq(ptp_tlv_next(&tlv, &at, &left), 1);
	cr_expect_eq(tlv.size, 0);
	cr_expect_eq(ptp_tlv_next(&tlv, &at, &left), 0);
	bytes[67] = 8; /* longer than what is there */
	cr_expect_eq(ptp_message_parse(&message, bytes, sizeof(bytes)), -EBADMSG);
	bytes[67] = 1; /* odd */
	cr_expect_eq(ptp_message_parse(&message, bytes, sizeof(bytes)), -EBADMSG);
	bytes[67] = 2;
	bytes[3] = 64 + sizeof(tlvs) - 2; /* two bytes are no TLV */
	cr_expect_eq(ptp_message_parse(&message, bytes, sizeof(bytes)), -EBADMSG);
}

Test(ptp_message, unicast_tlvs_are_read_and_written_alike)
{
	static const enum ptp_tlv_type types[] = {PTP_TLV_REQUEST_UNICAST, PTP_TLV_GRANT_UNICAST,
						  PTP_TLV_CANCEL_UNICAST,
						  PTP_TLV_ACKNOWLEDGE_CANCEL};
	const struct ptp_unicast_tlv what = {PTP_DELAY_RESP, -4, 300, true};
	struct ptp_message message = {.type = PTP_SIGNALING, .requesting = ptp_identity_all};
	struct ptp_unicast_tlv again;
	uint8_t bytes[PTP_OUT_MAX];
	size_t size = ptp_message_write(&message, bytes), i;
	struct ptp_tlv tlv;
	const uint8_t *at;
	size_t left;

	for (i = 0; i < 4; i++)
		size = ptp_unicast_tlv_append(bytes, size, types[i], &what);
	cr_assert_eq(ptp_message_parse(&message, bytes, size), 0);
	cr_expect(ptp_identity_equal(&message.requesting, &ptp_identity_all));
	at = message.tlvs;
	left = message.tlvs_size;
	for (i = 0; i < 4; i++) {
		cr_assert_eq(ptp_tlv_next(&tlv, &at, &left), 1);
		cr_expect_eq(tlv.type, types[i]);
		cr_assert_eq(ptp_unicast_tlv_parse(&again, &tlv), 0);
		cr_expect_eq(again.message, PTP_DELAY_RESP);
		cr_expect_eq(again.duration_s, i < 2 ? 300 : 0);
		cr_expect_eq(again.log_interval, i < 2 ? -4 : 0);
		cr_expect_eq(again.renewal, i == 1);
		tlv.size += 2;
		cr_expect_eq(ptp_unicast_tlv_parse(&again, &tlv), -EBADMSG);
	}
}

/* ---- Authentication ---- */

static const struct ptp_auth secret = {{.id = 7, .size = 4, .bytes = "Jefe"}, 3};

Test(ptp_message, the_check_value_is_hmac_sha256)
{
	struct ptp_message message = {.type = PTP_SYNC};
	uint8_t bytes[PTP_OUT_MAX];
	size_t size = ptp_auth_append(&secret, bytes, ptp_message_write(&message, bytes));
	/* python3 -c "import hmac; print(hmac.new(b'Jefe', bytes([0, 2, 0, 70] + [0] * 40) +
	 * bytes.fromhex('80090016030000000007'), 'sha256').hexdigest()[:32])" */
	static const uint8_t expected[] = {0x04, 0xac, 0xfc, 0x2f, 0xdb, 0x88, 0xa2, 0x22,
					   0x1e, 0x55, 0x8c, 0x92, 0x60, 0xc7, 0x96, 0x6e};

	cr_assert_eq(size, 70);
	cr_expect_eq(memcmp(bytes + 54, expected, sizeof(expected)), 0);
}

Test(ptp_message, whatever_is_changed_is_not_authentic)
{
	struct ptp_message message = {.type = PTP_ANNOUNCE, .sequence = 5}, read;
	struct ptp_auth other;
	uint8_t bytes[PTP_OUT_MAX];
	size_t size = ptp_auth_append(&secret, bytes, ptp_message_write(&message, bytes)), i;

	cr_assert_eq(ptp_message_parse(&read, bytes, size), 0);
	cr_expect(ptp_auth_check(&secret, bytes, &read));
	for (i = 0; i < size; i++) {
		bytes[i] ^= 0x40;
		if (ptp_message_parse(&read, bytes, size) == 0)
			cr_expect_not(ptp_auth_check(&secret, bytes, &read), "byte %zu", i);
		bytes[i] ^= 0x40;
	}
	cr_assert_eq(ptp_message_parse(&read, bytes, size), 0);
	other = secret;
	other.key.id++;
	cr_expect_not(ptp_auth_check(&other, bytes, &read));
	other = secret;
	other.spp++;
	cr_expect_not(ptp_auth_check(&other, bytes, &read));
	other = secret;
	other.key.bytes[0]++;
	cr_expect_not(ptp_auth_check(&other, bytes, &read));
	/* Without the TLV, or with another one behind it */
	size = ptp_message_write(&message, bytes);
	cr_assert_eq(ptp_message_parse(&read, bytes, size), 0);
	cr_expect_not(ptp_auth_check(&secret, bytes, &read));
	size = ptp_auth_append(&secret, bytes, size);
	memset(bytes + size, 0, 4);
	ptp_message_resize(bytes, size + 4);
	cr_assert_eq(ptp_message_parse(&read, bytes, size + 4), 0);
	cr_expect_not(ptp_auth_check(&secret, bytes, &read));
}
