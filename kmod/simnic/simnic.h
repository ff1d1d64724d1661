/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * chronotick_simnic.ko: Ethernet ports on one cable, each with a PTP hardware clock (PHC) and
 * hardware timestamps, for tests. True time is CLOCK_MONOTONIC_RAW. A PHC is a function of it, and
 * a stamp is that function at the instant at which the frame was on the wire, worked out, not
 * measured: however late this machine is with anything, stamps are exact.
 *
 *	main.c    the ports, their life
 *	phc.c     a clock, its oscillator and its PTP interface
 *	port.c    a network device: what it sends and what comes to it
 *	ethtool.c what it says that it can do
 *	queue.c   frames and stamps that have a time at which they are due
 *	stamps.c  which frames are stamped, and one-step Sync messages
 *	knobs.c   sysfs
 */
#ifndef SIMNIC_H
#define SIMNIC_H

#include <linux/device.h>
#include <linux/hrtimer.h>
#include <linux/netdevice.h>
#include <linux/prandom.h>
#include <linux/ptp_clock_kernel.h>
#include <linux/skbuff.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#define SIMNIC_PORTS_MAX 8

/* main.c */

extern unsigned int simnic_ports;
extern bool simnic_extended;
extern bool simnic_precise;
extern unsigned int simnic_filters;

struct port;

/* The i-th, below simnic_ports; NULL while ports come and go. */
struct port *simnic_port(unsigned int i);

/* phc.c */

/* Signed, 2^-60 ns, or 2^-60 of a rate */
typedef __int128 phc_fixed;
#define PHC_SHIFT 60

/* So many pieces of a clock's past are kept, for stamps that are worked out late. */
#define PHC_PIECES 64

/* From raw_ns on the clock shows value + (raw - raw_ns) * (1 + rate). */
struct phc_piece {
	s64 raw_ns;
	s64 rate;
	phc_fixed value;
};

struct phc {
	struct ptp_clock_info info;
	struct ptp_clock *clock;
	spinlock_t lock; /* all below; interrupts off */
	struct phc_piece piece[PHC_PIECES];
	unsigned int newest;
	s64 error;  /* the oscillator's: 2^-60 */
	s64 wander; /* what has become of it so far */
	s64 adjust; /* what the owner of the clock set with adjfine */
	s64 error_ppb;
	s64 wander_ppt; /* standard deviation of the frequency after a second, 1e-12 */
	struct rnd_state random;
	struct delayed_work walk;
};

/* A clock that shows CLOCK_REALTIME now. Returns 0 or a negative errno. */
int phc_add(struct phc *phc, struct device *parent, unsigned int index, u64 seed);
void phc_remove(struct phc *phc);

/* What it shows, or showed, at that instant of CLOCK_MONOTONIC_RAW. */
phc_fixed phc_at(struct phc *phc, s64 raw_ns);

/* The same as a stamp, rounded down to a multiple of step_ns */
ktime_t phc_stamp(struct phc *phc, s64 raw_ns, s64 step_ns);

void phc_step(struct phc *phc, s64 by_ns);
void phc_set_error(struct phc *phc, s64 ppb);
void phc_set_wander(struct phc *phc, s64 ppt);

/* A normal deviate, 2^-16, between -6 and 6 */
s32 simnic_gauss(struct rnd_state *random);

/* knobs.c */

enum knob {
	KNOB_DELAY,         /* ns, of what this port sends */
	KNOB_JITTER,        /* ns, standard deviation of the same */
	KNOB_LOSS,          /* 1e-6, of what this port sends */
	KNOB_TX_LOST,       /* 1e-6: the stamp never comes */
	KNOB_TX_DELAY,      /* ns: it comes so much after the frame left */
	KNOB_TX_LATE,       /* 1e-6: it comes late */
	KNOB_TX_LATE_DELAY, /* ns: by so much */
	KNOB_TX_TWICE,      /* 1e-6: it comes twice */
	KNOB_RX_LOST,       /* 1e-6: the frame comes without a stamp */
	KNOB_STEP,          /* ns: the stamps' resolution */
	KNOBS,
};

enum count {
	COUNT_FRAMES_LOST,
	COUNT_TX_STAMPS,
	COUNT_TX_LOST,
	COUNT_TX_LATE,
	COUNT_TX_TWICE,
	COUNT_RX_STAMPS,
	COUNT_RX_LOST,
	COUNTS,
};

extern const struct attribute_group simnic_group;

/* The knobs as a port has them at first */
void knobs_init(struct port *port);

/* queue.c */

/* What a queued packet carries in its control block */
struct due {
	s64 at_ns;     /* CLOCK_MONOTONIC_RAW: when it is due */
	ktime_t stamp; /* of a frame that was sent */
};

#define DUE(skb) ((struct due *)(skb)->cb)

/* Frames, or stamps, in the order in which they are due; no more than so many */
#define QUEUE_MAX 1024

struct queue {
	struct sk_buff_head packets; /* its lock covers the timer as well */
	struct hrtimer timer;
	void (*fire)(struct port *port, struct sk_buff *skb);
	struct port *port;
};

void queue_init(struct queue *queue, struct port *port,
		void (*fire)(struct port *port, struct sk_buff *skb));

/* It is fired in a softirq. Returns false, and the packet is freed, if there are too many. */
bool queue_add(struct queue *queue, struct sk_buff *skb);

/* Drop everything. */
void queue_clear(struct queue *queue);

/* port.c */

struct port {
	unsigned int index;
	struct device *parent;
	struct net_device *dev;
	struct phc phc;
	u64 knob[KNOBS];
	atomic64_t count[COUNTS];
	int tx_type; /* enum hwtstamp_tx_types */
	int rx_filter;
	struct queue arriving;
	struct sk_buff_head arrived; /* what the NAPI poll has to take in */
	struct napi_struct napi;
	struct queue stamping;
	struct rnd_state random;    /* of what it sends: under the transmit lock */
	struct rnd_state random_rx; /* of what arrives: in its timer */
	s64 arrival_ns;             /* of what it sent last: the wire keeps the order */
};

int port_add(struct port *port, unsigned int index, u64 seed);
void port_remove(struct port *port);

/* A port has a link while another one is up. Under the rtnl lock. */
void links_update(void);

/* Does that come true now? ppm: 1e-6 */
bool simnic_chance(struct rnd_state *random, u64 ppm);

/* ethtool.c */

extern const struct ethtool_ops simnic_ethtool_ops;
int simnic_config_set(struct port *port, int *tx_type, int *rx_filter);

/* stamps.c: a frame that begins with its Ethernet header */

/* Does a filter of SIOCSHWTSTAMP stamp it? */
bool stamps_wants(struct sk_buff *skb, int rx_filter);

/* Write the time into it if it is a Sync of a one-step clock. Returns whether it is. */
bool stamps_one_step(struct sk_buff *skb, ktime_t stamp);

#endif /* SIMNIC_H */
