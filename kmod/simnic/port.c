// SPDX-License-Identifier: GPL-2.0-only
/* A network device on the cable that all ports share: what it sends comes to every other one. */
#include "simnic.h"

#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/module.h>
#include <linux/net_tstamp.h>
#include <linux/rtnetlink.h>
#include <linux/timekeeping.h>

static struct port *port_of(const struct net_device *dev)
{
	return *(struct port **)netdev_priv(dev);
}

static void tally(struct port *port, enum count count)
{
	atomic64_inc(&port->count[count]);
}

bool simnic_chance(struct rnd_state *random, u64 ppm)
{
	return ppm && ((u64)prandom_u32_state(random) * 1000000) >> 32 < ppm;
}

/* How long the wire takes this time: never less than nothing */
static s64 delay_draw(struct port *port)
{
	s64 delay_ns = READ_ONCE(port->knob[KNOB_DELAY]);
	s64 jitter_ns = READ_ONCE(port->knob[KNOB_JITTER]);

	if (jitter_ns)
		delay_ns += (jitter_ns * simnic_gauss(&port->random)) >> 16;
	return max_t(s64, delay_ns, 0);
}

/* A frame has arrived; in its timer. */
static void arrive(struct port *port, struct sk_buff *skb)
{
	struct due due = *DUE(skb);
	bool lost;

	memset(skb->cb, 0, sizeof(skb->cb));
	if (!netif_running(port->dev)) {
		kfree_skb(skb);
		return;
	}
	/* As a NIC does whose ring is full */
	if (skb_queue_len_lockless(&port->arrived) >= QUEUE_MAX) {
		port->dev->stats.rx_dropped++;
		kfree_skb(skb);
		return;
	}
	if (stamps_wants(skb, READ_ONCE(port->rx_filter))) {
		lost = simnic_chance(&port->random_rx, READ_ONCE(port->knob[KNOB_RX_LOST]));
		tally(port, lost ? COUNT_RX_LOST : COUNT_RX_STAMPS);
		if (!lost)
			skb_hwtstamps(skb)->hwtstamp =
				phc_stamp(&port->phc, due.at_ns, READ_ONCE(port->knob[KNOB_STEP]));
	}
	skb_queue_tail(&port->arrived, skb);
	napi_schedule(&port->napi);
}

/* By NAPI, since SOF_TIMESTAMPING_OPT_PKTINFO tells the device by what polled a frame. */
static int take_in(struct napi_struct *napi, int budget)
{
	struct port *port = container_of(napi, struct port, napi);
	struct sk_buff *skb;
	int done = 0;

	while (done < budget && (skb = skb_dequeue(&port->arrived))) {
		port->dev->stats.rx_packets++;
		port->dev->stats.rx_bytes += skb->len;
		skb->protocol = eth_type_trans(skb, port->dev);
		napi_gro_receive(napi, skb);
		done++;
	}
	if (done < budget && napi_complete_done(napi, done) && !skb_queue_empty(&port->arrived))
		napi_schedule(napi);
	return done;
}

/* The stamp of a frame that left is there; in its timer. */
static void stamped(struct port *port, struct sk_buff *skb)
{
	struct skb_shared_hwtstamps stamps = {.hwtstamp = DUE(skb)->stamp};

	memset(skb->cb, 0, sizeof(skb->cb));
	skb_tstamp_tx(skb, &stamps);
	consume_skb(skb);
}

static void stamp_send(struct port *port, struct sk_buff *skb, ktime_t stamp, s64 at_ns)
{
	memset(skb->cb, 0, sizeof(skb->cb));
	DUE(skb)->stamp = stamp;
	DUE(skb)->at_ns = at_ns;
	if (!queue_add(&port->stamping, skb))
		tally(port, COUNT_TX_LOST);
}

/* The frame is to be stamped: keep it, or a clone of it, until its stamp is due. Consumes it. */
static void stamp_later(struct port *port, struct sk_buff *skb, s64 sent_ns, ktime_t stamp)
{
	s64 wait_ns = READ_ONCE(port->knob[KNOB_TX_DELAY]);
	struct sk_buff *again;

	if (simnic_chance(&port->random, READ_ONCE(port->knob[KNOB_TX_LOST]))) {
		tally(port, COUNT_TX_LOST);
		consume_skb(skb);
		return;
	}
	tally(port, COUNT_TX_STAMPS);
	if (simnic_chance(&port->random, READ_ONCE(port->knob[KNOB_TX_LATE]))) {
		tally(port, COUNT_TX_LATE);
		wait_ns += READ_ONCE(port->knob[KNOB_TX_LATE_DELAY]);
	}
	if (simnic_chance(&port->random, READ_ONCE(port->knob[KNOB_TX_TWICE]))) {
		again = skb_clone_sk(skb);
		if (again) {
			tally(port, COUNT_TX_TWICE);
			stamp_send(port, again, stamp, sent_ns + 2 * wait_ns);
		}
	}
	stamp_send(port, skb, stamp, sent_ns + wait_ns);
}

/*
 * A copy, since a clone would share the stamps with what the sender gets back. It belongs to
 * nobody, like a frame on a cable.
 */
static void put_on_wire(struct port *from, const struct sk_buff *skb)
{
	unsigned int i;

	for (i = 0; i < simnic_ports; i++) {
		struct port *to = simnic_port(i);
		struct sk_buff *copy;

		if (!to || to == from || !netif_running(to->dev))
			continue;
		copy = skb_copy(skb, GFP_ATOMIC);
		if (!copy)
			continue;
		skb_scrub_packet(copy, true);
		copy->ip_summed = CHECKSUM_NONE;
		memset(copy->cb, 0, sizeof(copy->cb));
		DUE(copy)->at_ns = from->arrival_ns;
		if (!queue_add(&to->arriving, copy))
			tally(from, COUNT_FRAMES_LOST);
	}
}

static netdev_tx_t transmit(struct sk_buff *skb, struct net_device *dev)
{
	struct port *port = port_of(dev);
	int tx_type = READ_ONCE(port->tx_type);
	bool wanted = skb_shinfo(skb)->tx_flags & SKBTX_HW_TSTAMP && tx_type != HWTSTAMP_TX_OFF;
	struct sk_buff *timed = NULL;
	s64 sent_ns, arrival_ns;
	ktime_t stamp;

	if (wanted)
		skb_shinfo(skb)->tx_flags |= SKBTX_IN_PROGRESS;
	skb_tx_timestamp(skb);
	sent_ns = ktime_get_raw_ns();
	stamp = phc_stamp(&port->phc, sent_ns, READ_ONCE(port->knob[KNOB_STEP]));
	dev->stats.tx_packets++;
	dev->stats.tx_bytes += skb->len;
	if (tx_type == HWTSTAMP_TX_ONESTEP_SYNC) {
		timed = skb_copy(skb, GFP_ATOMIC);
		if (timed && stamps_one_step(timed, stamp))
			wanted = false;
	}
	/* The order is kept. */
	arrival_ns = sent_ns + delay_draw(port);
	port->arrival_ns = max_t(s64, arrival_ns, port->arrival_ns + 1);
	if (simnic_chance(&port->random, READ_ONCE(port->knob[KNOB_LOSS])))
		tally(port, COUNT_FRAMES_LOST);
	else
		put_on_wire(port, timed ? timed : skb);
	consume_skb(timed);
	if (wanted)
		stamp_later(port, skb, sent_ns, stamp);
	else
		consume_skb(skb);
	return NETDEV_TX_OK;
}

void links_update(void)
{
	unsigned int i, up = 0;

	for (i = 0; i < simnic_ports; i++)
		up += simnic_port(i) && netif_running(simnic_port(i)->dev);
	for (i = 0; i < simnic_ports; i++) {
		if (!simnic_port(i))
			continue;
		if (netif_running(simnic_port(i)->dev) && up > 1)
			netif_carrier_on(simnic_port(i)->dev);
		else
			netif_carrier_off(simnic_port(i)->dev);
	}
}

static int port_open(struct net_device *dev)
{
	napi_enable(&port_of(dev)->napi);
	netif_start_queue(dev);
	links_update();
	return 0;
}

static int port_stop(struct net_device *dev)
{
	struct port *port = port_of(dev);

	netif_tx_disable(dev);
	links_update();
	queue_clear(&port->arriving);
	queue_clear(&port->stamping);
	napi_disable(&port->napi);
	skb_queue_purge(&port->arrived);
	return 0;
}

#ifdef HAVE_NDO_HWTSTAMP
static int hwtstamp_get(struct net_device *dev, struct kernel_hwtstamp_config *config)
{
	struct port *port = port_of(dev);

	config->flags = 0;
	config->tx_type = port->tx_type;
	config->rx_filter = port->rx_filter;
	return 0;
}

static int hwtstamp_set(struct net_device *dev, struct kernel_hwtstamp_config *config,
			struct netlink_ext_ack *extack)
{
	int tx_type = config->tx_type, rx_filter = config->rx_filter;
	int r = simnic_config_set(port_of(dev), &tx_type, &rx_filter);

	config->rx_filter = rx_filter;
	return r;
}
#else
static int port_ioctl(struct net_device *dev, struct ifreq *request, int command)
{
	struct port *port = port_of(dev);
	struct hwtstamp_config config = {.tx_type = port->tx_type, .rx_filter = port->rx_filter};
	int r = 0;

	if (command != SIOCSHWTSTAMP && command != SIOCGHWTSTAMP)
		return -EOPNOTSUPP;
	if (command == SIOCSHWTSTAMP) {
		if (copy_from_user(&config, request->ifr_data, sizeof(config)))
			return -EFAULT;
		r = simnic_config_set(port, &config.tx_type, &config.rx_filter);
	}
	if (r == 0 && copy_to_user(request->ifr_data, &config, sizeof(config)))
		r = -EFAULT;
	return r;
}
#endif

static const struct net_device_ops port_ops = {
	.ndo_open = port_open,
	.ndo_stop = port_stop,
	.ndo_start_xmit = transmit,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_set_mac_address = eth_mac_addr,
#ifdef HAVE_NDO_HWTSTAMP
	.ndo_hwtstamp_get = hwtstamp_get,
	.ndo_hwtstamp_set = hwtstamp_set,
#else
	.ndo_eth_ioctl = port_ioctl,
#endif
};

static void port_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &port_ops;
	dev->ethtool_ops = &simnic_ethtool_ops;
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE;
	dev->max_mtu = 9000;
}

/* The device, which is still unknown to the rest of the kernel */
static int dev_make(struct port *port)
{
	u8 address[ETH_ALEN] = {0x02, 'S', 'I', 'M', 0, (u8)port->index};

	port->dev = alloc_netdev(sizeof(struct port *), "sim%d", NET_NAME_ENUM, port_setup);
	if (!port->dev)
		return -ENOMEM;
	*(struct port **)netdev_priv(port->dev) = port;
	eth_hw_addr_set(port->dev, address);
	SET_NETDEV_DEV(port->dev, port->parent);
	netif_napi_add(port->dev, &port->napi, take_in);
	netif_carrier_off(port->dev);
	return 0;
}

int port_add(struct port *port, unsigned int index, u64 seed)
{
	char name[16];
	int r;

	port->index = index;
	port->tx_type = HWTSTAMP_TX_OFF;
	port->rx_filter = HWTSTAMP_FILTER_NONE;
	prandom_seed_state(&port->random, seed * 3 + 1);
	prandom_seed_state(&port->random_rx, seed * 3 + 2);
	knobs_init(port);
	skb_queue_head_init(&port->arrived);
	queue_init(&port->arriving, port, arrive);
	queue_init(&port->stamping, port, stamped);
	snprintf(name, sizeof(name), "simnic%u", index);
	port->parent = root_device_register(name);
	if (IS_ERR(port->parent))
		return PTR_ERR(port->parent);
	dev_set_drvdata(port->parent, port);
	r = phc_add(&port->phc, port->parent, index, seed * 3);
	if (r < 0)
		goto no_phc;
	r = dev_make(port);
	if (r < 0)
		goto no_dev;
	r = sysfs_create_group(&port->parent->kobj, &simnic_group);
	if (r < 0)
		goto no_knobs;
	r = register_netdev(port->dev);
	if (r < 0)
		goto no_net;
	return 0;

no_net:
	sysfs_remove_group(&port->parent->kobj, &simnic_group);
no_knobs:
	free_netdev(port->dev);
no_dev:
	phc_remove(&port->phc);
no_phc:
	root_device_unregister(port->parent);
	return r;
}

void port_remove(struct port *port)
{
	unregister_netdev(port->dev);
	queue_clear(&port->arriving);
	queue_clear(&port->stamping);
	skb_queue_purge(&port->arrived);
	sysfs_remove_group(&port->parent->kobj, &simnic_group);
	free_netdev(port->dev);
	phc_remove(&port->phc);
	root_device_unregister(port->parent);
}
