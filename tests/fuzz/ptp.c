/* SPDX-License-Identifier: MIT */
/*
 * PTP messages and TLVs as an attacker may send them. Byte 0 says how: a message alone, or messages,
 * stamps and time to a port that follows a master, after which a good master must still be followed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/ptp-world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read is written alike, but for reserved bits and times that cannot be. */
static void check_message(const uint8_t *data, size_t size)
{
	static const struct ptp_auth auth = {{.id = 1, .size = 3, .bytes = "key"}, 0};
	struct ptp_message message, again;
	struct ptp_unicast_tlv what;
	uint8_t bytes[PTP_OUT_MAX];
	struct ptp_tlv tlv;
	const uint8_t *at;
	size_t left;

	if (ptp_message_parse(&message, data, size) < 0)
		return;
	if (message.size > size || message.tlvs < data ||
	    message.tlvs + message.tlvs_size > data + size)
		abort();
	at = message.tlvs;
	left = message.tlvs_size;
	while (ptp_tlv_next(&tlv, &at, &left) == 1)
		if (ptp_unicast_tlv_parse(&what, &tlv) == 0 &&
		    (what.message > 15 || tlv.type > PTP_TLV_ACKNOWLEDGE_CANCEL))
			abort();
	if (left)
		abort();
	(void)ptp_auth_check(&auth, data, &message);
	if (ptp_message_parse(&again, bytes, ptp_message_write(&message, bytes)) < 0)
		abort();
	if (again.type != message.type || again.sequence != message.sequence ||
	    again.correction != message.correction || again.flags != message.flags ||
	    again.sdo != message.sdo || again.domain != message.domain ||
	    !ptp_identity_equal(&again.source, &message.source) ||
	    (message.time_ns >= 0 && again.time_ns != message.time_ns) ||
	    !ptp_identity_equal(&again.requesting, &message.requesting) ||
	    memcmp(&again.announce, &message.announce, sizeof(again.announce)))
		abort();
}

static void check_samples(const struct ptp_world *world)
{
	const struct sample *sample = &world->last;

	if (world->samples &&
	    (sample->delay_ns < 1 || sample->dispersion_ns < 0 || sample->root_dispersion_ns < 0 ||
	     sample->leap > 2 || sample->stratum < 1 || sample->stratum > 15))
		abort();
}

/* A master that is good is followed again, whatever was. */
static void check_recovery(struct ptp_world *world)
{
	ptp_world_pass(world, 400 * PTP_WORLD_S);
	world->samples = 0;
	ptp_world_pass(world, 20 * PTP_WORLD_S);
	if (world->samples < 10 || llabs(world->error_ns) > 1000)
		abort();
}

static const struct ptp_auth secret = {{.id = 7, .size = 6, .bytes = "secret"}, 1};

/* The sequence number that a message of that type would have now */
static uint16_t sequence_of(const struct ptp_world *world, uint8_t type)
{
	switch (type) {
	case PTP_DELAY_RESP:
		return world->sequences[PTP_DELAY_REQ];
	case PTP_PDELAY_RESP:
	case PTP_PDELAY_RESP_FOLLOW_UP:
		return world->sequences[PTP_PDELAY_REQ];
	case PTP_ANNOUNCE:
		return world->masters[0].announce_sequence;
	default:
		return world->masters[0].sync_sequence;
	}
}

/*
 * The identities, the domain and the sequence numbers of the world, and all bytes that the type has, so
 * that messages get far. Returns the size.
 */
static size_t make_plausible(const struct ptp_world *world, uint8_t *bytes, size_t size,
			     uint8_t how)
{
	const struct ptp_world_master *master = &world->masters[0];
	struct ptp_message blank = {.type = bytes[0] & 0x0f};
	uint8_t whole[PTP_OUT_MAX];
	uint16_t sequence;

	if (how & 4 && size < ptp_message_write(&blank, whole))
		size = ptp_message_write(&blank, whole);
	if (size < PTP_HEADER_SIZE)
		return size;
	bytes[1] = (uint8_t)((bytes[1] & 0xf0) | 2);
	if (how & 1) {
		memcpy(bytes + 20, master->port.clock, 8);
		bytes[28] = 0;
		bytes[29] = (uint8_t)master->port.port;
		bytes[27] ^= (how & 0x60) == 0x60;
	}
	if (how & 2) {
		bytes[0] = (uint8_t)((bytes[0] & 0x0f) | world->config.sdo >> 8 << 4);
		bytes[4] = world->config.domain;
		bytes[5] = 0;
	}
	if (how & 4)
		ptp_message_resize(bytes, size);
	if (how & 8) {
		/* and a number or three later */
		sequence = (uint16_t)(sequence_of(world, bytes[0] & 0x0f) + (bytes[31] & 3));
		bytes[30] = (uint8_t)(sequence >> 8);
		bytes[31] = (uint8_t)sequence;
	}
	if (how & 8 && size >= 54) {
		size_t at = (bytes[0] & 0x0f) == PTP_SIGNALING ? 34 : 44;

		memcpy(bytes + at, world->config.identity.clock, 8);
		bytes[at + 8] = 0;
		bytes[at + 9] = (uint8_t)world->config.identity.port;
	}
	if (how & 4 && world->config.auth.key.id)
		size = ptp_auth_append(&secret, bytes, size);
	return size;
}

static void drive(const uint8_t *data, size_t size, uint8_t how)
{
	static struct ptp_world world;
	struct ptp_statistics statistics;
	/* That takes long, so not always */
	bool recovers = how & 128 && size % 16 == 0;
	uint8_t bytes[256 + PTP_AUTH_TLV_SIZE];

	ptp_world_begin(&world);
	world.config.mechanism = how & 2 ? PTP_P2P : PTP_E2E;
	world.config.negotiates = (how & 6) == 4;
	if (world.config.negotiates) {
		world.config.master = world.masters[0].address;
		world.masters[0].negotiates = true;
	}
	if (how & 8)
		world.config.algorithm = PTP_BEST_G8275;
	if (how & 16) {
		world.config.auth = secret;
		world.masters[0].auth = &secret;
	}
	if (how & 32)
		world.config.sdo = world.masters[0].sdo = 0x100;
	ptp_world_port(&world);
	ptp_world_pass(&world, 3 * PTP_WORLD_S);
	/* What answers there are then, or all messages, are those below. */
	world.masters[0].deaf = how & 64;
	world.masters[0].on = (how & 192) != 192;
	/* length, how plausible, what time passes, the bytes */
	while (size > 3) {
		size_t length = data[0] < size - 3 ? data[0] : size - 3, used;
		struct ptp_instant instant = {(uint64_t)world.now_ns, data[2], data[1] >> 6 & 3};
		struct ptp_address from = world.masters[0].address;

		/* From elsewhere, as this master or as another one */
		from.bytes[5] ^= data[1] >> 5 & 1;
		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes, data + 3, length);
		used = make_plausible(&world, bytes, length, data[1]);
		if (data[1] & 16)
			ptp_port_transmitted(world.port, world.now_ns, world.numbers - data[2] % 4,
					     &instant);
		(void)ptp_port_receive(world.port, world.now_ns, bytes, used, &from,
				       used && (bytes[0] & 15) < PTP_EVENT_TYPES ? &instant : NULL);
		world.tick_ns = world.now_ns;
		ptp_world_pass(&world, data[2] * (PTP_WORLD_S / 64));
		check_samples(&world);
		data += 3 + length;
		size -= 3 + length;
	}
	statistics = ptp_world_statistics(&world);
	if (statistics.received != statistics.accepted + statistics.rejected + statistics.dropped ||
	    ptp_world_view(&world).masters > PTP_MASTERS_MAX)
		abort();
	world.masters[0].deaf = false;
	world.masters[0].on = true;
	world.masters[0].announce_ns = world.masters[0].sync_ns = world.now_ns;
	if (recovers)
		check_recovery(&world);
	ptp_port_leave(world.port, world.now_ns);
	ptp_world_end(&world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] & 1)
		drive(data + 1, size - 1, data[0]);
	else
		check_message(data + 1, size - 1);
	return 0;
}
