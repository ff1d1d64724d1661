// SPDX-License-Identifier: GPL-2.0-only
/* The ports and their life. */
#include "simnic.h"

#include <linux/module.h>
#include <linux/net_tstamp.h>
#include <linux/rtnetlink.h>

unsigned int simnic_ports = 2;
module_param_named(ports, simnic_ports, uint, 0444);
MODULE_PARM_DESC(ports, "Network devices on the cable, 2 to 8 (default 2)");

bool simnic_extended = true;
module_param_named(extended, simnic_extended, bool, 0444);
MODULE_PARM_DESC(extended, "PHCs can be read with the system's time around it (default yes)");

bool simnic_precise = true;
module_param_named(precise, simnic_precise, bool, 0444);
MODULE_PARM_DESC(precise, "PHCs have cross-timestamps made by hardware (default yes)");

unsigned int simnic_filters = ~0U;
module_param_named(filters, simnic_filters, uint, 0444);
MODULE_PARM_DESC(filters, "Receive filters on offer, 1 << HWTSTAMP_FILTER_*, or'ed (default all)");

static ulong seed = 1;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "Of everything that is random (default 1)");

/* A port that a frame may be on its way to goes only after all have been taken out of here. */
static struct port *ports[SIMNIC_PORTS_MAX];

struct port *simnic_port(unsigned int i)
{
	return READ_ONCE(ports[i]);
}

static void ports_remove(void)
{
	struct port *gone[SIMNIC_PORTS_MAX];
	unsigned int i;

	rtnl_lock();
	for (i = 0; i < simnic_ports; i++) {
		gone[i] = ports[i];
		WRITE_ONCE(ports[i], NULL);
	}
	rtnl_unlock();
	synchronize_net();
	for (i = 0; i < simnic_ports; i++) {
		if (gone[i])
			port_remove(gone[i]);
		kfree(gone[i]);
	}
}

static int __init simnic_init(void)
{
	unsigned int i;
	int r = 0;

	if (simnic_ports < 2 || simnic_ports > SIMNIC_PORTS_MAX)
		return -EINVAL;
	for (i = 0; i < simnic_ports; i++) {
		struct port *port = kzalloc(sizeof(*port), GFP_KERNEL);

		r = port ? port_add(port, i, seed * SIMNIC_PORTS_MAX + i) : -ENOMEM;
		if (r < 0) {
			kfree(port);
			break;
		}
		/* Others may have had it up already. */
		rtnl_lock();
		WRITE_ONCE(ports[i], port);
		links_update();
		rtnl_unlock();
	}
	if (r < 0)
		ports_remove();
	return r;
}

static void __exit simnic_exit(void)
{
	ports_remove();
}

module_init(simnic_init);
module_exit(simnic_exit);
MODULE_DESCRIPTION("Simulated network devices with PTP hardware clocks, for tests");
MODULE_LICENSE("GPL");
