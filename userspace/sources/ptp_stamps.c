/* SPDX-License-Identifier: MIT */
/* Which stamps a PTP source has, what becomes of them, and when it has others. */
#include <errno.h>
#include <stdio.h>

#include "sources/ptp_source.h"

#define MS 1000000LL

/* How long a stamp is waited for: some NICs need 50 ms */
#define STAMP_NS (200 * MS)

/* A NIC that leaves so many in a row without a stamp has none; of what comes, also for so long: */
#define UNSTAMPED_MAX 16
/* its stamps are no good for a moment after its clock was stepped, however much comes in that. */
#define UNSTAMPED_NS (1000 * MS)

/* One that has been given up, and then stamps so many of what comes and of what is sent, has again. */
#define STAMPED_MIN 16
#define STAMPED_SENT_MIN 4

/* How often an interface that cannot stamp is asked whether it can now */
#define HARDWARE_AGAIN_NS (60 * 1000 * MS)

bool ptp_stamps_by_hardware(const struct ptp *ptp)
{
	return ptp->hardware && !ptp->given_up;
}

static bool hardware_instant(struct ptp *ptp, const struct stamp *stamp, uint64_t sent,
			     struct ptp_instant *ret)
{
	ret->quality = CHRONOTICK_STAMP_HARDWARE;
	return stamp->hardware_ns && hardware_read(ptp->hardware) == 0 &&
	       hardware_counter(ptp->hardware, stamp->hardware_ns, sent, &ret->counter,
				&ret->error_ns) == 0;
}

/* Is it the hardware's, and does it tell a time? */
static bool is_of_use(struct ptp *ptp, const struct stamp *stamp)
{
	struct ptp_instant instant;

	return hardware_instant(ptp, stamp, 0, &instant);
}

bool ptp_stamps_instant(struct ptp *ptp, const struct stamp *stamp, uint64_t sent,
			struct ptp_instant *ret)
{
	if (ptp_stamps_by_hardware(ptp))
		return hardware_instant(ptp, stamp, sent, ret);
	ret->quality = stamp->quality;
	return stamp->system_ns &&
	       clock_track_read(&ptp->track, ptp->context.counter, CLOCK_REALTIME) == 0 &&
	       clock_track_at(&ptp->track, ptp->context.counter, stamp->system_ns, &ret->counter,
			      &ret->error_ns) == 0;
}

int64_t ptp_stamps_give_up(struct ptp *ptp, int64_t now_ns)
{
	int64_t next_ns = INT64_MAX, wait_ns = ptp->sockets.stamps ? STAMP_NS : 0;
	const struct counter *counter = ptp->context.counter;
	unsigned int i;

	for (i = 0; i < PTP_SENDS; i++) {
		struct ptp_send *send = &ptp->sends[i];
		struct ptp_instant instant = {
			send->counter, counter_to_ns(counter, counter->step + counter->apart),
			CHRONOTICK_STAMP_USER};
		int64_t number = send->number;

		if (number < 0)
			continue;
		if (now_ns - send->sent_ns >= wait_ns && ptp_stamps_by_hardware(ptp)) {
			send->number = -1;
			ptp->missing++;
			ptp->unsent++;
			hardware_unstamped(ptp->hardware);
		} else if (now_ns - send->sent_ns >= wait_ns) {
			send->number = -1;
			ptp_port_transmitted(ptp->port, now_ns, number, &instant);
		} else if (send->sent_ns + wait_ns < next_ns) {
			next_ns = send->sent_ns + wait_ns;
		}
	}
	return next_ns;
}

/* As far as the instant may err */
static bool is_after(const struct ptp *ptp, const struct ptp_instant *instant, uint64_t counter)
{
	uint64_t error = counter_from_ns(ptp->context.counter, (uint64_t)instant->error_ns);

	return (int64_t)(instant->counter + error + ptp->context.counter->step - counter) >= 0;
}

bool ptp_stamps_take(struct ptp *ptp, int64_t now_ns)
{
	struct ptp_instant instant;
	struct stamp stamp;
	unsigned int i;
	int64_t number;
	uint32_t id;
	int r;

	r = stamp_transmitted(ptp->sockets.event, &id, &stamp);
	if (r != 1)
		return r != -EAGAIN;
	if (ptp->given_up && is_of_use(ptp, &stamp))
		ptp->stamped_sent++;
	/* Each has a message of its own, and one of them is what is waited for. */
	if (ptp_stamps_by_hardware(ptp) ? !stamp.hardware_ns : !stamp.system_ns)
		return true;
	number = ptp_stamps_number(ptp, id);
	for (i = 0; i < PTP_SENDS; i++) {
		struct ptp_send *send = &ptp->sends[i];

		if (send->number != number)
			continue;
		send->number = -1;
		/* It can't have left before it was sent: then it is another one's stamp. */
		if ((!ptp_stamps_by_hardware(ptp) && stamp.system_ns < send->before_ns) ||
		    !ptp_stamps_instant(ptp, &stamp, send->counter, &instant) ||
		    !is_after(ptp, &instant, send->counter)) {
			ptp->missing += ptp_stamps_by_hardware(ptp);
			ptp->unsent += ptp_stamps_by_hardware(ptp);
			break;
		}
		ptp->unsent = 0;
		ptp_port_transmitted(ptp->port, now_ns, number, &instant);
		break;
	}
	return true;
}

uint64_t ptp_stamps_arrival(const struct ptp *ptp, const struct stamp *stamp)
{
	const struct counter *counter = ptp->context.counter;
	int64_t since_ns = ptp_realtime_ns() - stamp->system_ns;

	if (stamp->quality != CHRONOTICK_STAMP_KERNEL || since_ns < 0 || since_ns > 1000 * MS)
		return 0;
	return counter_read(counter) - counter_from_ns(counter, (uint64_t)since_ns);
}

void ptp_stamps_count(struct ptp *ptp, const struct stamp *stamp, bool good)
{
	if (!stamp->hardware_ns) {
		ptp->missing++;
		hardware_unstamped(ptp->hardware);
	}
	if (ptp->given_up) {
		good = is_of_use(ptp, stamp);
		ptp->stamped = good ? ptp->stamped + 1 : 0;
		if (!good)
			ptp->stamped_sent = 0;
		return;
	}
	if (ptp->unstamped == 0)
		ptp->unstamped_ns = loop_now_ns();
	ptp->unstamped = good ? 0 : ptp->unstamped + 1;
	if (ptp->unstamped >= UNSTAMPED_MAX)
		snprintf(ptp->why, sizeof(ptp->why),
			 stamp->hardware_ns ? "the clock of %s gives no time"
					    : "%s does not stamp what comes",
			 ptp->interface);
}

static unsigned int stamps_needed(const struct ptp *ptp)
{
	return ptp->sockets.transport == PTP_L2 ? NIC_PTP_L2 : NIC_PTP_UDP;
}

void ptp_stamps_start(struct ptp *ptp)
{
	ptp->unstamped = ptp->unsent = 0;
	ptp->stamped = ptp->stamped_sent = 0;
	ptp->hardware_ns = loop_now_ns() + HARDWARE_AGAIN_NS;
	if (ptp->given.kernel || !ptp->context.hardware)
		snprintf(ptp->why, sizeof(ptp->why), "not wanted");
	else
		(void)hardware_get(&ptp->hardware, ptp->context.hardware, ptp->interface,
				   stamps_needed(ptp), ptp->why);
	ptp->sockets.hardware = ptp->hardware;
}

bool ptp_stamps_change(struct ptp *ptp, int64_t now_ns)
{
	struct hardware *hardware;

	if (ptp_stamps_by_hardware(ptp)) {
		if (ptp->unsent >= UNSTAMPED_MAX)
			snprintf(ptp->why, sizeof(ptp->why), "%s does not stamp what is sent",
				 ptp->interface);
		ptp->given_up = ptp->unsent >= UNSTAMPED_MAX ||
				(ptp->unstamped >= UNSTAMPED_MAX &&
				 now_ns - ptp->unstamped_ns >= UNSTAMPED_NS);
		return ptp->given_up;
	}
	if (ptp->hardware) {
		ptp->given_up = ptp->stamped < STAMPED_MIN || ptp->stamped_sent < STAMPED_SENT_MIN;
		return !ptp->given_up;
	}
	if (ptp->given.kernel || !ptp->context.hardware || !ptp->port || now_ns < ptp->hardware_ns)
		return false;
	ptp->hardware_ns = now_ns + HARDWARE_AGAIN_NS;
	if (hardware_get(&hardware, ptp->context.hardware, ptp->interface, stamps_needed(ptp),
			 ptp->why) < 0)
		return false;
	hardware_put(hardware);
	return true;
}
