/* SPDX-License-Identifier: MIT */
#include "alerts.h"

#include <math.h>
#include <string.h>

static const char *const keys[ALERTS] = {
	[ALERT_TORN_RATE] = "torn_rate_hz",
	[ALERT_READ] = "read_p99_ns",
	[ALERT_WINDOW] = "window_ns",
	[ALERT_MISSED] = "missed",
};

const char *alert_key(enum alert_kind kind)
{
	return keys[kind];
}

static double value_of(const struct process *process, enum alert_kind kind, double seconds)
{
	double window_ns = 0, missed = 0;
	size_t i;

	for (i = 0; i < WRITER_PAGES; i++) {
		if (!process->has_writer[i])
			continue;
		missed += (double)(process->writer[i].missed + process->overdue[i]);
		window_ns = fmax(window_ns, (double)process->writer[i].window_ns_max);
	}
	switch (kind) {
	case ALERT_TORN_RATE:
		return process->has_torn ? (double)process->torn.count / seconds : 0;
	case ALERT_READ:
		return distribution_quantile(&process->distributions[READ_WARM_PS], 0.99) * 1e-3;
	case ALERT_WINDOW:
		return window_ns;
	case ALERT_MISSED:
		return missed;
	case ALERTS:
		break;
	}
	return 0;
}

size_t alerts_find(const struct snapshot *snapshot, const double *limits, struct alert *ret,
		   size_t room)
{
	size_t i, kind, count = 0;

	for (i = 0; i < snapshot->process_count; i++) {
		const struct process *process = &snapshot->processes[i];

		for (kind = 0; kind < ALERTS; kind++) {
			double value = value_of(process, (enum alert_kind)kind, snapshot->seconds);

			/* NaN is passed by nothing. */
			if (!(value > limits[kind]))
				continue;
			if (count < room) {
				ret[count] = (struct alert){
					.kind = (enum alert_kind)kind,
					.limit = limits[kind],
					.value = value,
					.pid = process->pid,
				};
				memcpy(ret[count].name, process->name, COMM_SIZE);
			}
			count++;
		}
	}
	return count;
}

static bool kind_is_seen(const struct process *process, enum alert_kind kind)
{
	switch (kind) {
	case ALERT_READ:
		return process->distributions[READ_WARM_PS].count > 0;
	case ALERT_WINDOW:
	case ALERT_MISSED:
		return process->has_writer[WRITER_SHM] || process->has_writer[WRITER_MODULE];
	case ALERT_TORN_RATE:
	case ALERTS:
		break;
	}
	return false;
}

unsigned int alerts_unseen(const struct snapshot *snapshot, const double *limits)
{
	unsigned int unseen = 0, kind;
	size_t i;

	for (kind = 0; kind < ALERTS; kind++) {
		if (isnan(limits[kind]) || kind == ALERT_TORN_RATE)
			continue;
		for (i = 0; i < snapshot->process_count; i++)
			if (kind_is_seen(&snapshot->processes[i], (enum alert_kind)kind))
				break;
		if (i == snapshot->process_count)
			unseen |= 1U << kind;
	}
	return unseen;
}
