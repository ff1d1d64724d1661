// SPDX-License-Identifier: GPL-2.0-only
/* sysfs: /sys/devices/simnicN, see README.md */
#include "simnic.h"

#include <linux/rcupdate.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>

#define NS_PER_S 1000000000ULL
#define PPM_MAX 1000000ULL

#define ERROR_MAX_PPB 1000000LL
#define WANDER_MAX_PPT 1000000LL
#define STEP_MAX_NS 1000000000000000LL

struct knob_attribute {
	struct device_attribute attribute;
	unsigned int which; /* enum knob or enum count */
	u64 minimum;
	u64 maximum;
	u64 initial;
};

static const struct knob_attribute *knob_of(const struct device_attribute *attribute)
{
	return container_of(attribute, struct knob_attribute, attribute);
}

static ssize_t knob_show(struct device *dev, struct device_attribute *attribute, char *text)
{
	struct port *port = dev_get_drvdata(dev);

	return sysfs_emit(text, "%llu\n", READ_ONCE(port->knob[knob_of(attribute)->which]));
}

static ssize_t knob_store(struct device *dev, struct device_attribute *attribute, const char *text,
			  size_t size)
{
	const struct knob_attribute *knob = knob_of(attribute);
	struct port *port = dev_get_drvdata(dev);
	u64 value;
	int r = kstrtou64(text, 0, &value);

	if (r < 0)
		return r;
	if (value < knob->minimum || value > knob->maximum)
		return -ERANGE;
	WRITE_ONCE(port->knob[knob->which], value);
	return size;
}

static ssize_t count_show(struct device *dev, struct device_attribute *attribute, char *text)
{
	struct port *port = dev_get_drvdata(dev);

	return sysfs_emit(text, "%lld\n", atomic64_read(&port->count[knob_of(attribute)->which]));
}

#define KNOB(name, which, minimum, maximum, initial)                                               \
	static struct knob_attribute knob_##name = {__ATTR(name, 0644, knob_show, knob_store),     \
						    which, minimum, maximum, initial}
#define COUNT(name, which)                                                                         \
	static struct knob_attribute count_##name = {__ATTR(name, 0444, count_show, NULL), which}

KNOB(delay_ns, KNOB_DELAY, 0, NS_PER_S, 1000);
KNOB(jitter_ns, KNOB_JITTER, 0, NS_PER_S, 0);
KNOB(loss_ppm, KNOB_LOSS, 0, PPM_MAX, 0);
KNOB(tx_stamp_loss_ppm, KNOB_TX_LOST, 0, PPM_MAX, 0);
KNOB(tx_stamp_delay_ns, KNOB_TX_DELAY, 0, 10 * NS_PER_S, 5000);
KNOB(tx_stamp_late_ppm, KNOB_TX_LATE, 0, PPM_MAX, 0);
KNOB(tx_stamp_late_ns, KNOB_TX_LATE_DELAY, 0, 10 * NS_PER_S, 100000000);
KNOB(tx_stamp_twice_ppm, KNOB_TX_TWICE, 0, PPM_MAX, 0);
KNOB(rx_stamp_loss_ppm, KNOB_RX_LOST, 0, PPM_MAX, 0);
KNOB(stamp_step_ns, KNOB_STEP, 1, 1000000, 1);

COUNT(frames_lost, COUNT_FRAMES_LOST);
COUNT(tx_stamps, COUNT_TX_STAMPS);
COUNT(tx_stamps_lost, COUNT_TX_LOST);
COUNT(tx_stamps_late, COUNT_TX_LATE);
COUNT(tx_stamps_twice, COUNT_TX_TWICE);
COUNT(rx_stamps, COUNT_RX_STAMPS);
COUNT(rx_stamps_lost, COUNT_RX_LOST);

/* What is set of a clock, by its own function */
struct clock_attribute {
	struct device_attribute attribute;
	s64 minimum;
	s64 maximum;
	void (*set)(struct phc *phc, s64 value);
};

static ssize_t clock_store(struct device *dev, struct device_attribute *attribute, const char *text,
			   size_t size)
{
	const struct clock_attribute *knob =
		container_of(attribute, struct clock_attribute, attribute);
	struct port *port = dev_get_drvdata(dev);
	s64 value;
	int r = kstrtos64(text, 0, &value);

	if (r < 0)
		return r;
	if (value < knob->minimum || value > knob->maximum)
		return -ERANGE;
	knob->set(&port->phc, value);
	return size;
}

static ssize_t frequency_ppb_show(struct device *dev, struct device_attribute *attribute,
				  char *text)
{
	struct port *port = dev_get_drvdata(dev);

	return sysfs_emit(text, "%lld\n", READ_ONCE(port->phc.error_ppb));
}

static ssize_t wander_ppt_show(struct device *dev, struct device_attribute *attribute, char *text)
{
	struct port *port = dev_get_drvdata(dev);

	return sysfs_emit(text, "%lld\n", READ_ONCE(port->phc.wander_ppt));
}

#define CLOCK(name, mode, show, minimum, maximum, set)                                             \
	static struct clock_attribute clock_##name = {__ATTR(name, mode, show, clock_store),       \
						      minimum, maximum, set}

CLOCK(frequency_ppb, 0644, frequency_ppb_show, -ERROR_MAX_PPB, ERROR_MAX_PPB, phc_set_error);
CLOCK(wander_ppt, 0644, wander_ppt_show, 0, WANDER_MAX_PPT, phc_set_wander);
CLOCK(step_ns, 0200, NULL, -STEP_MAX_NS, STEP_MAX_NS, phc_step);

/* "-12.345": this clock less that of port 0, both at one instant, ns */
static ssize_t offset_ns_show(struct device *dev, struct device_attribute *attribute, char *text)
{
	struct port *port = dev_get_drvdata(dev), *first;
	s64 raw_ns = ktime_get_raw_ns();
	phc_fixed apart = 0, size;
	u32 ps;

	/* Port 0 goes first, and only after a grace period. */
	rcu_read_lock();
	first = simnic_port(0);
	if (first)
		apart = phc_at(&port->phc, raw_ns) - phc_at(&first->phc, raw_ns);
	rcu_read_unlock();
	if (!first)
		return -ENODEV;
	size = apart < 0 ? -apart : apart;
	ps = (u32)(((size & (((phc_fixed)1 << PHC_SHIFT) - 1)) * 1000) >> PHC_SHIFT);
	return sysfs_emit(text, "%s%llu.%03u\n", apart < 0 ? "-" : "", (u64)(size >> PHC_SHIFT),
			  ps);
}
static DEVICE_ATTR_RO(offset_ns);

/* "CLOCK_MONOTONIC_RAW PHC": both at one instant, ns */
static ssize_t time_ns_show(struct device *dev, struct device_attribute *attribute, char *text)
{
	struct port *port = dev_get_drvdata(dev);
	s64 raw_ns = ktime_get_raw_ns();

	return sysfs_emit(text, "%lld %lld\n", raw_ns,
			  (s64)(phc_at(&port->phc, raw_ns) >> PHC_SHIFT));
}
static DEVICE_ATTR_RO(time_ns);

static struct knob_attribute *const knobs[] = {
	&knob_delay_ns,          &knob_jitter_ns,          &knob_loss_ppm,
	&knob_tx_stamp_loss_ppm, &knob_tx_stamp_delay_ns,  &knob_tx_stamp_late_ppm,
	&knob_tx_stamp_late_ns,  &knob_tx_stamp_twice_ppm, &knob_rx_stamp_loss_ppm,
	&knob_stamp_step_ns,
};

static struct attribute *attributes[] = {
	&knob_delay_ns.attribute.attr,
	&knob_jitter_ns.attribute.attr,
	&knob_loss_ppm.attribute.attr,
	&knob_tx_stamp_loss_ppm.attribute.attr,
	&knob_tx_stamp_delay_ns.attribute.attr,
	&knob_tx_stamp_late_ppm.attribute.attr,
	&knob_tx_stamp_late_ns.attribute.attr,
	&knob_tx_stamp_twice_ppm.attribute.attr,
	&knob_rx_stamp_loss_ppm.attribute.attr,
	&knob_stamp_step_ns.attribute.attr,
	&count_frames_lost.attribute.attr,
	&count_tx_stamps.attribute.attr,
	&count_tx_stamps_lost.attribute.attr,
	&count_tx_stamps_late.attribute.attr,
	&count_tx_stamps_twice.attribute.attr,
	&count_rx_stamps.attribute.attr,
	&count_rx_stamps_lost.attribute.attr,
	&clock_frequency_ppb.attribute.attr,
	&clock_wander_ppt.attribute.attr,
	&clock_step_ns.attribute.attr,
	&dev_attr_offset_ns.attr,
	&dev_attr_time_ns.attr,
	NULL,
};

const struct attribute_group simnic_group = {.attrs = attributes};

void knobs_init(struct port *port)
{
	unsigned int i;

	BUILD_BUG_ON(ARRAY_SIZE(knobs) != KNOBS);
	for (i = 0; i < KNOBS; i++)
		port->knob[knobs[i]->which] = knobs[i]->initial;
}
