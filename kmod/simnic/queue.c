// SPDX-License-Identifier: GPL-2.0-only
/* Packets that have a time at which they are due. */
#include "simnic.h"

#include <linux/timekeeping.h>

/* Under the lock */
static void arm(struct queue *queue)
{
	struct sk_buff *first = skb_peek(&queue->packets);
	s64 wait_ns;

	if (!first)
		return;
	wait_ns = max_t(s64, DUE(first)->at_ns - (s64)ktime_get_raw_ns(), 0);
	hrtimer_start(&queue->timer, ns_to_ktime(wait_ns), HRTIMER_MODE_REL_SOFT);
}

static enum hrtimer_restart expired(struct hrtimer *timer)
{
	struct queue *queue = container_of(timer, struct queue, timer);
	struct sk_buff_head due;
	struct sk_buff *skb;

	__skb_queue_head_init(&due);
	spin_lock_bh(&queue->packets.lock);
	while ((skb = skb_peek(&queue->packets)) && DUE(skb)->at_ns <= (s64)ktime_get_raw_ns()) {
		__skb_unlink(skb, &queue->packets);
		__skb_queue_tail(&due, skb);
	}
	arm(queue);
	spin_unlock_bh(&queue->packets.lock);
	while ((skb = __skb_dequeue(&due)))
		queue->fire(queue->port, skb);
	return HRTIMER_NORESTART;
}

void queue_init(struct queue *queue, struct port *port,
		void (*fire)(struct port *port, struct sk_buff *skb))
{
	skb_queue_head_init(&queue->packets);
	queue->port = port;
	queue->fire = fire;
#ifdef HAVE_HRTIMER_SETUP
	hrtimer_setup(&queue->timer, expired, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
#else
	hrtimer_init(&queue->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
	queue->timer.function = expired;
#endif
}

bool queue_add(struct queue *queue, struct sk_buff *skb)
{
	struct sk_buff_head *packets = &queue->packets;
	struct sk_buff *before;

	spin_lock_bh(&packets->lock);
	if (skb_queue_len(packets) >= QUEUE_MAX) {
		spin_unlock_bh(&packets->lock);
		dev_kfree_skb_any(skb);
		return false;
	}
	skb_queue_reverse_walk(packets, before) {
		if (DUE(before)->at_ns <= DUE(skb)->at_ns)
			break;
	}
	__skb_queue_after(packets, before, skb);
	if (skb_peek(packets) == skb)
		arm(queue);
	spin_unlock_bh(&packets->lock);
	return true;
}

void queue_clear(struct queue *queue)
{
	spin_lock_bh(&queue->packets.lock);
	__skb_queue_purge(&queue->packets);
	spin_unlock_bh(&queue->packets.lock);
	hrtimer_cancel(&queue->timer);
}
