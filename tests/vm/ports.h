/* SPDX-License-Identifier: MIT */
/* The simulated network devices of kmod/simnic, and their clocks, for programs in the machine. */
#ifndef VM_PORTS_H
#define VM_PORTS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Load and unload the module: 0 or a negative errno. */
int ports_load(const char *parameters);
int ports_unload(void);

/* A knob of port i: "delay_ns". Returns 0 or a negative errno. */
int ports_set(unsigned int i, const char *knob, int64_t value);
int64_t ports_get(unsigned int i, const char *knob);

/* The clock of port i less that of port 0, at one instant, ns */
double ports_offset_ns(unsigned int i);

/* CLOCK_MONOTONIC_RAW and the clock of port i at one instant, ns */
void ports_time(unsigned int i, int64_t *raw_ns, int64_t *phc_ns);

/* Open the clock of port i: a descriptor or a negative errno. */
int ports_clock(unsigned int i);

/* Have a network device up, and stamp: 0 or a negative errno. *rx_filter: in, out. */
int ports_up(const char *name);
int ports_stamp(const char *name, int tx_type, int *rx_filter);

#endif /* VM_PORTS_H */
