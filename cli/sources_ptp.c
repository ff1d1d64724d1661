/* SPDX-License-Identifier: MIT */
#include "sources_ptp.h"

#include <inttypes.h>
#include <stdio.h>

#include "text.h"

#define IDENTITY_TEXT 32

static const char *clock_text(char text[IDENTITY_TEXT], const uint8_t c[8])
{
	snprintf(text, IDENTITY_TEXT, "%02x%02x%02x.%02x%02x.%02x%02x%02x", c[0], c[1], c[2], c[3],
		 c[4], c[5], c[6], c[7]);
	return text;
}

static void master_print(const struct control_ptp_reply *ptp)
{
	char text[IDENTITY_TEXT], delay[TEXT_SIZE], error[TEXT_SIZE];

	printf("; grandmaster %s, class %u, accuracy 0x%02x, steps %u",
	       clock_text(text, ptp->grandmaster), ptp->clock_class, ptp->accuracy,
	       ptp->steps_removed);
	if (ptp->flags & CONTROL_PTP_TAI)
		printf(", TAI - UTC %d s", ptp->utc_offset_s);
	printf("\n    path delay %s, master within %s, correction %" PRId64
	       " ns, sync 2^%d s, delay 2^%d s",
	       text_duration(delay, (double)ptp->path_delay_ns * 1e-9, false),
	       text_duration(error, (double)ptp->error_ns * 1e-9, false), ptp->correction_ns,
	       ptp->log_sync, ptp->log_delay);
}

void ptp_print(const struct control_ptp_reply *ptp)
{
	printf("    port: %s, masters %" PRIu32 ", changes %" PRIu64 ", unanswered %" PRIu64
	       ", for others %" PRIu64,
	       control_ptp_state_name(ptp->state), ptp->masters, ptp->changes, ptp->unanswered,
	       ptp->ignored);
	if (ptp->flags & CONTROL_PTP_MASTER)
		master_print(ptp);
	printf("\n");
}

static void integer(json_t *object, const char *name, int64_t value)
{
	json_object_set_new(object, name, json_integer((json_int_t)value));
}

json_t *ptp_json(const struct control_ptp_reply *ptp)
{
	json_t *object = json_object();
	char text[IDENTITY_TEXT], port[IDENTITY_TEXT + 8];

	json_object_set_new(object, "state", json_string(control_ptp_state_name(ptp->state)));
	integer(object, "masters", ptp->masters);
	integer(object, "changes", (int64_t)ptp->changes);
	integer(object, "unanswered", (int64_t)ptp->unanswered);
	integer(object, "ignored", (int64_t)ptp->ignored);
	if (!(ptp->flags & CONTROL_PTP_MASTER)) {
		json_object_set_new(object, "master", json_null());
		return object;
	}
	snprintf(port, sizeof(port), "%s-%u", clock_text(text, ptp->master_clock),
		 ptp->master_port);
	json_object_set_new(object, "master", json_string(port));
	json_object_set_new(object, "grandmaster", json_string(clock_text(text, ptp->grandmaster)));
	integer(object, "priority1", ptp->priority1);
	integer(object, "clock_class", ptp->clock_class);
	integer(object, "clock_accuracy", ptp->accuracy);
	integer(object, "variance", ptp->variance);
	integer(object, "priority2", ptp->priority2);
	integer(object, "time_source", ptp->time_source);
	integer(object, "steps_removed", ptp->steps_removed);
	integer(object, "flags", ptp->announce_flags);
	json_object_set_new(object, "timescale",
			    json_string(ptp->flags & CONTROL_PTP_TAI ? "tai" : "utc"));
	integer(object, "utc_offset_s", ptp->utc_offset_s);
	integer(object, "sync_interval", ptp->log_sync);
	integer(object, "delay_interval", ptp->log_delay);
	integer(object, "path_delay_ns", ptp->path_delay_ns);
	integer(object, "correction_ns", ptp->correction_ns);
	integer(object, "master_error_ns", ptp->error_ns);
	return object;
}
