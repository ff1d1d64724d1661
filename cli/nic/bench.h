/* SPDX-License-Identifier: MIT */
/*
 * chronotick-bench-nic: what its parts share. Each part measures one thing, puts a member of its own into
 * the results, and says what it had to leave out.
 */
#ifndef CLI_NIC_BENCH_H
#define CLI_NIC_BENCH_H

#include <jansson.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <chronotick/chronotick.h>

#include "nic/report.h"
#include "timestamping/counter.h"
#include "timestamping/nic.h"

#define BENCH_S 1000000000LL

enum bench_plot {
	PLOT_PHC,       /* the interface's clock against the counter */
	PLOT_PHC_ADEV,  /* its Allan deviation */
	PLOT_RAW,       /* CLOCK_MONOTONIC_RAW against the counter */
	PLOT_SYSTEM,    /* the page's UTC less CLOCK_REALTIME */
	PLOT_OFFSET,    /* of the selected sources, at each sample, from what they say together */
	PLOT_BOUND,     /* of the page */
	PLOT_PAGE,      /* the page's UTC against the counter */
	PLOT_PAGE_ADEV, /* its Allan deviation */
	PLOT_PAGE_PHC,  /* the page's UTC against the interface's clock */
	PLOTS,
};

struct bench {
	const char *interface;
	const char *directory;
	int seconds;
	bool stamps;
	struct in_addr peer; /* whom to ask for packets; 0: whoever is known */
	int fd;              /* for ioctl(2) */
	struct counter counter;
	struct nic_capabilities has;
	json_t *results;
	json_t *skipped;
	struct nic_plot plots[PLOTS];
};

/* What the machine, the interface or its driver cannot do, or what it would have taken: told and kept */
__attribute__((format(printf, 2, 3))) void bench_skip(struct bench *bench, const char *format, ...);

/* Has somebody asked to end it? Everything that lasts looks. */
bool bench_ended(void);
/* Have SIGINT, SIGTERM and SIGHUP ask for that. */
void bench_signals(void);

int64_t bench_now_ns(void);

/* A new file in the directory, NULL and a message if there can be none; and its end. file may be NULL. */
FILE *bench_file(struct bench *bench, const char *name);
void bench_file_close(struct bench *bench, FILE *file, const char *name);

/* {"min", "p50", "p99", "max"}, null if there are none. Sorts them. */
json_t *bench_quantiles(int64_t *values, unsigned int count);

/* [[seconds, deviation], ...]; and the plot of it */
json_t *bench_adev(struct nic_plot *plot, const double *phase_ns, unsigned int count,
		   double tau0_s);

/* A text from outside, with '?' for whatever is no printable ASCII */
json_t *bench_text(const char *text);

/* What the interface and its driver say that they can do. Returns 0, or a negative errno: -ENODEV. */
int interface_look(struct bench *bench);

/* The counter: its kind, what reading it against a clock may err, whether the CPUs agree */
void counter_look(struct bench *bench);

/* What each way of reading the interface's clock costs and may err */
void clock_look(struct bench *bench);

/* The clocks over the stated time */
void course_look(struct bench *bench);

/* What a read costs through each page there is, and how pages are published */
void pages_look(struct bench *bench);

/* The stamps of packets, which takes having the interface stamp, and puts that back */
void stamps_look(struct bench *bench);

/*
 * Ask a neighbour for his address over the interface (ARP, RFC 826), as the kernel does. fd: a packet
 * socket for ARP, bound. peer: whom; 0: the gateway, or whoever the kernel knows there, which is then put
 * there. Returns 0; -ENOENT: nobody is known; or another negative errno.
 */
int neighbour_ask(const struct bench *bench, int fd, struct in_addr *peer);

#endif /* CLI_NIC_BENCH_H */
