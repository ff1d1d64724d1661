/* SPDX-License-Identifier: MIT */
#include "support/ptp-world.h"

#include <stdlib.h>
#include <string.h>

#include "chronotick_page.h"
#include "sources/ptp_unicast.h"
#include "support/noise.h"

#define STAMP_NS 20000 /* after which a transmit stamp is there */
#define TURN_NS 30000  /* that a neighbour takes to answer */

static uint64_t counter_at(const struct ptp_world *world, int64_t ns)
{
	return (uint64_t)(ns + (int64_t)((__int128)ns * world->rate_ppb / 1000000000));
}

static int64_t time_at(const struct ptp_world_master *master, int64_t ns)
{
	return PTP_WORLD_UTC + ns + master->error_ns +
	       (master->tai ? PTP_WORLD_TAI_S * PTP_WORLD_S : 0);
}

int64_t ptp_world_time(const struct ptp_world *world, const struct ptp_world_master *master)
{
	return time_at(master, world->now_ns);
}

static int64_t jitter(const struct ptp_world *world)
{
	double value = noise() * (double)world->jitter_ns;

	return value < 0 ? (int64_t)-value : (int64_t)value;
}

static struct ptp_world_flight *fly(struct ptp_world *world, int64_t after_ns)
{
	struct ptp_world_flight *flight;

	if (world->queued == PTP_WORLD_QUEUE)
		abort();
	flight = &world->queue[world->queued++];
	memset(flight, 0, sizeof(*flight));
	flight->at_ns = world->now_ns + after_ns;
	return flight;
}

struct ptp_message ptp_world_message(const struct ptp_world_master *master, enum ptp_type type,
				     uint16_t sequence)
{
	return (struct ptp_message){
		.type = type,
		.sdo = master->sdo,
		.domain = master->domain,
		.flags = type == PTP_ANNOUNCE ? master->flags : 0,
		.source = master->port,
		.sequence = sequence,
		.log_interval = type == PTP_ANNOUNCE ? master->log_announce
				: type == PTP_SYNC   ? master->log_sync
						     : master->log_delay,
		.announce = master->announce,
	};
}

void ptp_world_send(struct ptp_world *world, const struct ptp_message *message,
		    const struct ptp_address *from, const struct ptp_auth *auth, int64_t delay_ns)
{
	unsigned int copies = world->twice ? 2 : 1;

	while (copies--) {
		struct ptp_world_flight *flight = fly(world, delay_ns);

		flight->event = message->type < PTP_EVENT_TYPES;
		flight->from = *from;
		flight->size = ptp_message_write(message, flight->data);
		if (world->tells && message->type != PTP_ANNOUNCE)
			flight->data[33] = (uint8_t)world->told;
		if (auth)
			flight->size = ptp_auth_append(auth, flight->data, flight->size);
	}
}

static void reply(struct ptp_world *world, const struct ptp_world_master *master,
		  const struct ptp_message *message, int64_t delay_ns)
{
	ptp_world_send(world, message, &master->address, master->auth, delay_ns);
}

static void answer_delay(struct ptp_world *world, const struct ptp_world_master *master,
			 const struct ptp_message *request)
{
	struct ptp_message response = ptp_world_message(master, PTP_DELAY_RESP, request->sequence);
	int64_t way_ns = world->back_ns + jitter(world) + master->correction_ns;

	response.requesting = request->source;
	response.time_ns = time_at(master, world->now_ns + way_ns);
	response.correction = master->correction_ns * 65536;
	reply(world, master, &response, way_ns + TURN_NS + world->forth_ns);
}

static void answer_peer(struct ptp_world *world, const struct ptp_world_master *master,
			const struct ptp_message *request)
{
	struct ptp_message response = ptp_world_message(master, PTP_PDELAY_RESP, request->sequence);
	int64_t came_ns = world->back_ns + jitter(world), back_ns;

	response.requesting = request->source;
	back_ns = came_ns + TURN_NS + world->forth_ns + jitter(world);
	if (master->one_step) {
		response.correction = TURN_NS * 65536LL;
		reply(world, master, &response, back_ns);
		return;
	}
	response.flags |= PTP_FLAG_TWO_STEP;
	response.time_ns = time_at(master, world->now_ns + came_ns);
	reply(world, master, &response, back_ns);
	response.type = PTP_PDELAY_RESP_FOLLOW_UP;
	response.flags = 0;
	response.time_ns = time_at(master, world->now_ns + came_ns + TURN_NS);
	reply(world, master, &response, back_ns + 1000);
}

static void answer_signal(struct ptp_world *world, struct ptp_world_master *master,
			  const struct ptp_message *request)
{
	struct ptp_message message = ptp_world_message(master, PTP_SIGNALING, 1);
	const uint8_t *at = request->tlvs;
	size_t left = request->tlvs_size;
	struct ptp_unicast_tlv what;
	struct ptp_tlv tlv;

	message.requesting = request->source;
	while (ptp_tlv_next(&tlv, &at, &left) == 1) {
		struct ptp_world_flight *flight;

		if (ptp_unicast_tlv_parse(&what, &tlv) < 0)
			continue;
		master->cancelled += tlv.type == PTP_TLV_CANCEL_UNICAST;
		if (tlv.type != PTP_TLV_REQUEST_UNICAST)
			continue;
		what.duration_s = master->denies ? 0 : what.duration_s;
		master->granted_ns[what.message] = world->now_ns + what.duration_s * PTP_WORLD_S;
		flight = fly(world, world->back_ns + world->forth_ns);
		flight->from = master->address;
		flight->size = ptp_message_write(&message, flight->data);
		flight->size = ptp_unicast_tlv_append(flight->data, flight->size,
						      PTP_TLV_GRANT_UNICAST, &what);
		if (master->auth)
			flight->size = ptp_auth_append(master->auth, flight->data, flight->size);
	}
}

static bool is_granted(const struct ptp_world *world, const struct ptp_world_master *master,
		       enum ptp_type type)
{
	return !master->negotiates || world->now_ns < master->granted_ns[type];
}

static int64_t on_send(void *data, const struct ptp_outgoing *outgoing)
{
	struct ptp_world *world = data;
	struct ptp_message message;
	unsigned int i;

	if (ptp_message_parse(&message, outgoing->data, outgoing->size) < 0)
		abort();
	world->sequences[message.type] = message.sequence;
	world->types |= (uint16_t)(1U << message.type);
	world->requests += message.type == PTP_DELAY_REQ;
	world->peer_requests += message.type == PTP_PDELAY_REQ;
	world->peer_responses += message.type == PTP_PDELAY_RESP;
	world->signals += message.type == PTP_SIGNALING;
	for (i = 0; i < PTP_WORLD_MASTERS; i++) {
		struct ptp_world_master *master = &world->masters[i];

		if (!master->on || master->deaf ||
		    (master->auth && !ptp_auth_check(master->auth, outgoing->data, &message)))
			continue;
		if (message.type == PTP_DELAY_REQ && is_granted(world, master, PTP_DELAY_RESP))
			answer_delay(world, master, &message);
		else if (message.type == PTP_PDELAY_REQ && (i == 0 || world->crowded))
			answer_peer(world, master, &message);
		else if (message.type == PTP_SIGNALING)
			answer_signal(world, master, &message);
	}
	if (outgoing->event && !world->no_stamps) {
		struct ptp_world_flight *flight = fly(world, STAMP_NS);

		flight->is_stamp = true;
		flight->number = world->numbers;
	}
	return world->numbers++;
}

static int64_t magnitude(int64_t value)
{
	return value < 0 ? -value : value;
}

static void on_sample(void *data, const struct sample *sample)
{
	struct ptp_world *world = data;
	int64_t counter = (int64_t)sample->counter, half_ns;
	/* When the counter showed that; two steps are enough for its rate. */
	int64_t ns = counter - (int64_t)((__int128)counter * world->rate_ppb / 1000000000);

	ns = counter - (int64_t)((__int128)ns * world->rate_ppb / 1000000000);
	world->last = *sample;
	world->error_ns = sample->offset_ns - (PTP_WORLD_UTC + ns - counter);
	half_ns = sample->delay_ns / 2 + sample->dispersion_ns + sample->root_dispersion_ns;
	world->samples++;
	if (magnitude(world->error_ns) > world->worst_error_ns)
		world->worst_error_ns = magnitude(world->error_ns);
	if (magnitude(world->error_ns) <= half_ns)
		return;
	world->outside++;
	if (magnitude(world->error_ns) - half_ns > world->worst_outside_ns)
		world->worst_outside_ns = magnitude(world->error_ns) - half_ns;
}

static void on_lost(void *data, uint8_t state)
{
	struct ptp_world *world = data;

	world->losts++;
	world->lost = state;
}

struct ptp_world_master *ptp_world_master(struct ptp_world *world, unsigned int i,
					  uint8_t priority1)
{
	struct ptp_world_master *master = &world->masters[i];

	*master = (struct ptp_world_master){
		.on = true,
		.tai = true,
		.port = {{0, 1, 2, 0xff, 0xfe, 0, 0, (uint8_t)(i + 1)}, 1},
		.address = {6, {0, 1, 2, 0, 0, (uint8_t)(i + 1)}},
		.announce = {.utc_offset_s = PTP_WORLD_TAI_S,
			     .priority1 = priority1,
			     .clock_class = 6,
			     .accuracy = 0x21,
			     .variance = 0x4e5d,
			     .priority2 = 128,
			     .grandmaster = {0, 1, 2, 0xff, 0xfe, 0, 0, (uint8_t)(i + 1)},
			     .time_source = 0x20},
		.flags = PTP_FLAG_TIMESCALE | PTP_FLAG_UTC_VALID,
		.domain = world->config.domain,
		.sdo = world->config.sdo,
		.log_announce = 0,
		.follow_up_ns = 10000,
		.announce_ns = world->now_ns + 1000 * (i + 1),
		.sync_ns = world->now_ns + 700000 + 1000 * (i + 1),
		.sync_sequence = (uint16_t)(1000 * i),
	};
	return master;
}

void ptp_world_begin(struct ptp_world *world)
{
	memset(world, 0, sizeof(*world));
	world->now_ns = PTP_WORLD_S;
	world->rate_ppb = 20000;
	world->forth_ns = 2000;
	world->back_ns = 2000;
	world->scale = (struct timescale){.base = 0, .mult = 1ULL << CHRONOTICK_MULT_SHIFT};
	world->config = (struct ptp_port_config){
		.announce_timeout = 3,
		.log_announce = 0,
		.grant_s = 300,
		.asymmetry_max_ns = -1,
		.identity = {{9, 9, 9, 0xff, 0xfe, 9, 9, 9}, 7},
		.seed = 12345,
	};
	world->ops = (struct ptp_port_ops){world, on_send, on_sample, on_lost};
	ptp_world_master(world, 0, 128);
}

void ptp_world_port(struct ptp_world *world)
{
	if (ptp_port_new(&world->port, &world->config, &world->scale, &world->ops, world->now_ns))
		abort();
	world->tick_ns = world->now_ns;
}

void ptp_world_end(struct ptp_world *world)
{
	ptp_port_free(world->port);
	world->port = NULL;
}

static void sync_send(struct ptp_world *world, struct ptp_world_master *master)
{
	struct ptp_message sync = ptp_world_message(master, PTP_SYNC, master->sync_sequence++),
			   follow_up;
	int64_t way_ns = world->forth_ns + jitter(world) + master->correction_ns;

	sync.correction = master->correction_ns * 65536;
	sync.time_ns = ptp_world_time(world, master);
	if (master->one_step) {
		reply(world, master, &sync, way_ns);
		return;
	}
	follow_up = sync;
	follow_up.type = PTP_FOLLOW_UP;
	follow_up.correction = 0;
	sync.flags |= PTP_FLAG_TWO_STEP;
	sync.time_ns = 0;
	reply(world, master, &sync, way_ns);
	reply(world, master, &follow_up,
	      master->follow_up_first ? way_ns - 500 : way_ns + master->follow_up_ns);
}

static void master_act(struct ptp_world *world, struct ptp_world_master *master)
{
	struct ptp_message message;

	if (world->now_ns >= master->announce_ns) {
		master->announce_ns += ptp_interval_ns(master->log_announce);
		message = ptp_world_message(master, PTP_ANNOUNCE, master->announce_sequence++);
		if (is_granted(world, master, PTP_ANNOUNCE))
			reply(world, master, &message, world->forth_ns);
	}
	if (world->now_ns >= master->sync_ns) {
		master->sync_ns += ptp_interval_ns(master->log_sync);
		if (!master->silent && is_granted(world, master, PTP_SYNC))
			sync_send(world, master);
	}
}

static void arrive(struct ptp_world *world, const struct ptp_world_flight *flight)
{
	int64_t off_ns = world->stamp_ns ? rand() % (2 * world->stamp_ns + 1) - world->stamp_ns : 0;
	struct ptp_instant instant = {counter_at(world, world->now_ns + off_ns),
				      1 + world->stamp_ns, CHRONOTICK_STAMP_HARDWARE};

	if (flight->is_stamp) {
		instant.counter = counter_at(world, world->now_ns + off_ns - STAMP_NS);
		ptp_port_transmitted(world->port, world->now_ns, flight->number, &instant);
	} else if (!world->loss || (unsigned int)rand() % 100 >= world->loss) {
		ptp_port_receive(world->port, world->now_ns, flight->data, flight->size,
				 &flight->from, flight->event ? &instant : NULL);
	}
	world->tick_ns = world->now_ns;
}

/* The next thing that happens: a flight that ends, a master that acts, or the port's own time */
static int64_t next_ns(const struct ptp_world *world)
{
	int64_t next = world->tick_ns;
	unsigned int i;

	for (i = 0; i < world->queued; i++)
		if (world->queue[i].at_ns < next)
			next = world->queue[i].at_ns;
	for (i = 0; i < PTP_WORLD_MASTERS; i++) {
		const struct ptp_world_master *master = &world->masters[i];

		if (master->on && master->announce_ns < next)
			next = master->announce_ns;
		if (master->on && master->sync_ns < next)
			next = master->sync_ns;
	}
	return next;
}

void ptp_world_pass(struct ptp_world *world, int64_t for_ns)
{
	int64_t end_ns = world->now_ns + for_ns, next;
	unsigned int i;

	while ((next = next_ns(world)) <= end_ns) {
		if (next > world->now_ns)
			world->now_ns = next;
		for (i = 0; i < world->queued; i++) {
			struct ptp_world_flight flight = world->queue[i];

			if (flight.at_ns > world->now_ns)
				continue;
			world->queue[i] = world->queue[--world->queued];
			arrive(world, &flight);
			break;
		}
		for (i = 0; i < PTP_WORLD_MASTERS; i++)
			if (world->masters[i].on)
				master_act(world, &world->masters[i]);
		if (world->now_ns >= world->tick_ns)
			world->tick_ns = ptp_port_tick(world->port, world->now_ns);
	}
	world->now_ns = end_ns;
}

struct ptp_statistics ptp_world_statistics(const struct ptp_world *world)
{
	struct ptp_statistics ret;

	ptp_port_statistics(world->port, &ret);
	return ret;
}

struct ptp_view ptp_world_view(const struct ptp_world *world)
{
	struct ptp_view ret;

	ptp_port_view(world->port, &ret);
	return ret;
}
