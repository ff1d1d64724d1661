/* SPDX-License-Identifier: MIT */
/* What the probe chronotick:torn tells, also for BPF programs: no other header is needed. */
#ifndef CHRONOTICK_TORN_H
#define CHRONOTICK_TORN_H

/* How a read found that its line was no whole one; the first argument of the probe */
enum chronotick_torn_kind {
	CHRONOTICK_TORN_ODD = 0,     /* it was being written */
	CHRONOTICK_TORN_CHANGED = 1, /* it was written between the first load and the last */
	CHRONOTICK_TORN_LOST = 2,    /* no line was whole in any try: the read has failed */
};

#endif /* CHRONOTICK_TORN_H */
