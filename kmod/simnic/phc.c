// SPDX-License-Identifier: GPL-2.0-only
/* A PTP hardware clock whose oscillator is what its knobs say. */
#include "simnic.h"

#include <linux/math64.h>
#include <linux/module.h>
#include <linux/timekeeping.h>

#define ADJUST_MAX_PPB 1000000

/* Ten steps of the oscillator's random walk a second */
#define WALK_JIFFIES (HZ / 10)

/* 2^-60 for 1e-9, and for the root of a tenth of 1e-12 */
#define FIXED_PER_PPB 1152921505LL
#define FIXED_PER_PPT_WALK 364586LL

s32 simnic_gauss(struct rnd_state *random)
{
	s32 sum = 0;
	int i;

	for (i = 0; i < 12; i++)
		sum += prandom_u32_state(random) >> 16;
	return sum - 6 * 65536;
}

static phc_fixed piece_at(const struct phc_piece *piece, s64 raw_ns)
{
	phc_fixed passed = raw_ns - piece->raw_ns;

	return piece->value + (passed << PHC_SHIFT) + passed * piece->rate;
}

/* Under the lock. What is older than all pieces is taken for the oldest. */
static phc_fixed at_locked(const struct phc *phc, s64 raw_ns)
{
	unsigned int i, n = phc->newest;

	for (i = 1; i < PHC_PIECES && phc->piece[n].raw_ns > raw_ns; i++)
		n = (n + PHC_PIECES - 1) % PHC_PIECES;
	return piece_at(&phc->piece[n], raw_ns);
}

phc_fixed phc_at(struct phc *phc, s64 raw_ns)
{
	unsigned long flags;
	phc_fixed value;

	spin_lock_irqsave(&phc->lock, flags);
	value = at_locked(phc, raw_ns);
	spin_unlock_irqrestore(&phc->lock, flags);
	return value;
}

ktime_t phc_stamp(struct phc *phc, s64 raw_ns, s64 step_ns)
{
	s64 ns = (s64)(phc_at(phc, raw_ns) >> PHC_SHIFT);
	s64 part = ns - div64_s64(ns, step_ns) * step_ns;

	return ns_to_ktime(ns - part - (part < 0 ? step_ns : 0));
}

/* Under the lock: a new piece from now on, which its caller may move. */
static struct phc_piece *cut_locked(struct phc *phc)
{
	s64 now_ns = ktime_get_raw_ns();
	phc_fixed value = at_locked(phc, now_ns);
	struct phc_piece *piece;

	phc->newest = (phc->newest + 1) % PHC_PIECES;
	piece = &phc->piece[phc->newest];
	piece->raw_ns = now_ns;
	piece->value = value;
	piece->rate = phc->error + phc->wander + phc->adjust +
		      (s64)(((phc_fixed)(phc->error + phc->wander) * phc->adjust) >> PHC_SHIFT);
	return piece;
}

void phc_step(struct phc *phc, s64 by_ns)
{
	unsigned long flags;

	spin_lock_irqsave(&phc->lock, flags);
	cut_locked(phc)->value += (phc_fixed)by_ns << PHC_SHIFT;
	spin_unlock_irqrestore(&phc->lock, flags);
}

void phc_set_error(struct phc *phc, s64 ppb)
{
	unsigned long flags;

	spin_lock_irqsave(&phc->lock, flags);
	WRITE_ONCE(phc->error_ppb, ppb);
	phc->error = ppb * FIXED_PER_PPB;
	phc->wander = 0;
	cut_locked(phc);
	spin_unlock_irqrestore(&phc->lock, flags);
}

void phc_set_wander(struct phc *phc, s64 ppt)
{
	unsigned long flags;

	spin_lock_irqsave(&phc->lock, flags);
	WRITE_ONCE(phc->wander_ppt, ppt);
	spin_unlock_irqrestore(&phc->lock, flags);
}

static void walk(struct work_struct *work)
{
	struct phc *phc = container_of(to_delayed_work(work), struct phc, walk);
	unsigned long flags;

	spin_lock_irqsave(&phc->lock, flags);
	if (phc->wander_ppt) {
		phc->wander += (s64)(((phc_fixed)phc->wander_ppt * FIXED_PER_PPT_WALK *
				      simnic_gauss(&phc->random)) >>
				     16);
		cut_locked(phc);
	}
	spin_unlock_irqrestore(&phc->lock, flags);
	schedule_delayed_work(&phc->walk, WALK_JIFFIES);
}

static struct phc *phc_of(struct ptp_clock_info *info)
{
	return container_of(info, struct phc, info);
}

static int phc_adjfine(struct ptp_clock_info *info, long scaled_ppm)
{
	struct phc *phc = phc_of(info);
	unsigned long flags;

	/* scaled_ppm is 2^-16 of 1e-6, and 2^44 / 1e6 = 17592186.044416 */
	spin_lock_irqsave(&phc->lock, flags);
	phc->adjust = scaled_ppm * 17592186LL + div_s64(scaled_ppm * 44416LL, 1000000);
	cut_locked(phc);
	spin_unlock_irqrestore(&phc->lock, flags);
	return 0;
}

static int phc_adjtime(struct ptp_clock_info *info, s64 delta)
{
	phc_step(phc_of(info), delta);
	return 0;
}

static int phc_settime(struct ptp_clock_info *info, const struct timespec64 *ts)
{
	struct phc *phc = phc_of(info);
	unsigned long flags;

	spin_lock_irqsave(&phc->lock, flags);
	cut_locked(phc)->value = (phc_fixed)timespec64_to_ns(ts) << PHC_SHIFT;
	spin_unlock_irqrestore(&phc->lock, flags);
	return 0;
}

static int phc_gettimex(struct ptp_clock_info *info, struct timespec64 *ts,
			struct ptp_system_timestamp *sts)
{
	struct phc *phc = phc_of(info);
	unsigned long flags;
	s64 raw_ns;

	spin_lock_irqsave(&phc->lock, flags);
	ptp_read_system_prets(sts);
	raw_ns = ktime_get_raw_ns();
	ptp_read_system_postts(sts);
	*ts = ns_to_timespec64((s64)(at_locked(phc, raw_ns) >> PHC_SHIFT));
	spin_unlock_irqrestore(&phc->lock, flags);
	return 0;
}

static int phc_gettime(struct ptp_clock_info *info, struct timespec64 *ts)
{
	*ts = ns_to_timespec64((s64)(phc_at(phc_of(info), ktime_get_raw_ns()) >> PHC_SHIFT));
	return 0;
}

/* All three of one instant, as a counter that both sides can read would give them */
static int phc_getcrosststamp(struct ptp_clock_info *info,
			      struct system_device_crosststamp *xtstamp)
{
	struct system_time_snapshot now;
	phc_fixed value;

#ifdef HAVE_KTIME_GET_SNAPSHOT_ID
	ktime_get_snapshot_id(CLOCK_REALTIME, &now);
	xtstamp->sys_systime = now.systime;
	xtstamp->sys_monoraw = now.monoraw;
#else
	ktime_get_snapshot(&now);
	xtstamp->sys_realtime = now.real;
	xtstamp->sys_monoraw = now.raw;
#endif
	value = phc_at(phc_of(info), ktime_to_ns(xtstamp->sys_monoraw));
	xtstamp->device = ns_to_ktime((s64)(value >> PHC_SHIFT));
	return 0;
}

static int phc_enable(struct ptp_clock_info *info, struct ptp_clock_request *request, int on)
{
	return -EOPNOTSUPP;
}

int phc_add(struct phc *phc, struct device *parent, unsigned int index, u64 seed)
{
	struct phc_piece *piece = &phc->piece[0];
	unsigned int i;

	spin_lock_init(&phc->lock);
	prandom_seed_state(&phc->random, seed);
	piece->raw_ns = ktime_get_raw_ns();
	piece->value = (phc_fixed)ktime_get_real_ns() << PHC_SHIFT;
	for (i = 1; i < PHC_PIECES; i++)
		phc->piece[i] = *piece;
	INIT_DELAYED_WORK(&phc->walk, walk);
	phc->info.owner = THIS_MODULE;
	snprintf(phc->info.name, sizeof(phc->info.name), "simnic%u", index);
	phc->info.max_adj = ADJUST_MAX_PPB;
	phc->info.adjfine = phc_adjfine;
	phc->info.adjtime = phc_adjtime;
	phc->info.settime64 = phc_settime;
	if (simnic_extended)
		phc->info.gettimex64 = phc_gettimex;
	else
		phc->info.gettime64 = phc_gettime;
	if (simnic_precise)
		phc->info.getcrosststamp = phc_getcrosststamp;
	phc->info.enable = phc_enable;
	phc->clock = ptp_clock_register(&phc->info, parent);
	if (IS_ERR_OR_NULL(phc->clock))
		return phc->clock ? PTR_ERR(phc->clock) : -EOPNOTSUPP;
	schedule_delayed_work(&phc->walk, WALK_JIFFIES);
	return 0;
}

void phc_remove(struct phc *phc)
{
	cancel_delayed_work_sync(&phc->walk);
	ptp_clock_unregister(phc->clock);
}
