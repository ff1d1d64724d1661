// SPDX-License-Identifier: GPL-2.0-only
/* What a port says that it can do. */
#include "simnic.h"

#include <linux/ethtool.h>
#include <linux/net_tstamp.h>

#define FILTERS_PTP                                                                                \
	(BIT(HWTSTAMP_FILTER_PTP_V2_L4_EVENT) | BIT(HWTSTAMP_FILTER_PTP_V2_L2_EVENT) |             \
	 BIT(HWTSTAMP_FILTER_PTP_V2_EVENT))
#define FILTERS_KNOWN                                                                              \
	(BIT(HWTSTAMP_FILTER_NONE) | BIT(HWTSTAMP_FILTER_ALL) | BIT(HWTSTAMP_FILTER_NTP_ALL) |     \
	 FILTERS_PTP)

#ifndef HAVE_KERNEL_ETHTOOL_TS_INFO
#define kernel_ethtool_ts_info ethtool_ts_info
#endif

static u32 filters(void)
{
	return (simnic_filters & FILTERS_KNOWN) | BIT(HWTSTAMP_FILTER_NONE);
}

/* What it takes for a filter that it is asked for, as drivers do: the narrowest that has it in it */
static int filter_for(int wanted)
{
	static const int wider[] = {HWTSTAMP_FILTER_PTP_V2_EVENT, HWTSTAMP_FILTER_ALL};
	bool ptp = wanted >= HWTSTAMP_FILTER_PTP_V2_L4_EVENT &&
		   wanted <= HWTSTAMP_FILTER_PTP_V2_DELAY_REQ;
	unsigned int i;

	if (wanted < 0 || wanted > HWTSTAMP_FILTER_NTP_ALL)
		return -ERANGE;
	if (filters() & BIT(wanted))
		return wanted;
	for (i = ptp ? 0 : 1; i < ARRAY_SIZE(wider); i++)
		if (filters() & BIT(wider[i]))
			return wider[i];
	return -ERANGE;
}

int simnic_config_set(struct port *port, int *tx_type, int *rx_filter)
{
	int filter = filter_for(*rx_filter);

	if (filter < 0)
		return filter;
	if (*tx_type != HWTSTAMP_TX_OFF && *tx_type != HWTSTAMP_TX_ON &&
	    *tx_type != HWTSTAMP_TX_ONESTEP_SYNC)
		return -ERANGE;
	*rx_filter = filter;
	WRITE_ONCE(port->tx_type, *tx_type);
	WRITE_ONCE(port->rx_filter, filter);
	return 0;
}

static int get_ts_info(struct net_device *dev, struct kernel_ethtool_ts_info *info)
{
	struct port *port = *(struct port **)netdev_priv(dev);

	info->so_timestamping = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE |
				SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_TX_HARDWARE |
				SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE;
	info->phc_index = ptp_clock_index(port->phc.clock);
	info->tx_types = BIT(HWTSTAMP_TX_OFF) | BIT(HWTSTAMP_TX_ON) | BIT(HWTSTAMP_TX_ONESTEP_SYNC);
	info->rx_filters = filters();
	return 0;
}

static void get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	struct port *port = *(struct port **)netdev_priv(dev);

	strscpy(info->driver, "chronotick_simnic", sizeof(info->driver));
	strscpy(info->bus_info, dev_name(port->parent), sizeof(info->bus_info));
}

static int get_link_ksettings(struct net_device *dev, struct ethtool_link_ksettings *settings)
{
	settings->base.speed = SPEED_10000;
	settings->base.duplex = DUPLEX_FULL;
	settings->base.port = PORT_OTHER;
	settings->base.autoneg = AUTONEG_DISABLE;
	return 0;
}

const struct ethtool_ops simnic_ethtool_ops = {
	.get_drvinfo = get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_link_ksettings = get_link_ksettings,
	.get_ts_info = get_ts_info,
};
