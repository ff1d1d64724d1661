/* SPDX-License-Identifier: MIT */
/*
 * What the kernel's files say of the machine's state. They are the kernel's own, but drivers fill them
 * in, and sensors that are not connected make up values: what cannot be is refused.
 */
#ifndef COVARIATES_TEXT_H
#define COVARIATES_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* All return 0, or -EINVAL for what is not in the file's format, -ERANGE for what cannot be. */

/* temp*_input of hwmon, temp of a thermal zone: thousandths of a degree C; -40 to 125 C is taken. */
int text_temperature(const char *text, size_t size, double *ret_c);

/* scaling_cur_freq of cpufreq: kHz; 1 MHz to 20 GHz is taken. */
int text_frequency(const char *text, size_t size, double *ret_mhz);

/* The CPUs' time since boot, in ticks; guests' time is a part of what is busy. */
struct text_cpu_time {
	uint64_t busy;
	uint64_t idle; /* and waiting for I/O */
};

/* /proc/stat, whose first line is the sum of all CPUs (proc(5)); the rest is not looked at. */
int text_cpu_time(const char *text, size_t size, struct text_cpu_time *ret);

/* /proc/pressure/memory: for how long some task waited for memory since boot, us */
int text_stalled(const char *text, size_t size, uint64_t *ret_us);

#endif /* COVARIATES_TEXT_H */
