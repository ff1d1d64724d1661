/* SPDX-License-Identifier: MIT */
/*
 * A network interface's hardware stamps: whether it has what is needed, and having it stamp.
 *
 * The setting belongs to the interface, not to a socket: ptp4l and others may be relying on it. So
 * it is left alone if it serves; else it is made as narrow as possible, but never so that it stops
 * to serve whom it served before. What was changed is put back in the end, unless somebody else has
 * changed it since, or the driver does not tell what it was. A VLAN and a bond have no clock of their own: what counts is the device below
 * them, of a bond the active one. How the kernel is asked comes in through struct nic_io, so a test
 * can be any NIC.
 */
#ifndef TIMESTAMPING_NIC_H
#define TIMESTAMPING_NIC_H

#include <linux/net_tstamp.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which packets are to be stamped when they come; all that are sent with a request are stamped. */
#define NIC_NTP 1U
#define NIC_PTP_L2 2U
#define NIC_PTP_UDP 4U

/* How many devices may lie below each other */
#define NIC_LEVELS 4

#define NIC_TEXT_SIZE 128

struct nic_capabilities {
	uint32_t flags;      /* SOF_TIMESTAMPING_* */
	uint32_t tx_types;   /* 1 << HWTSTAMP_TX_* */
	uint32_t rx_filters; /* 1 << HWTSTAMP_FILTER_* */
	int phc;             /* /dev/ptpN; -1: there is none */
};

/* Each returns 0 or a negative errno. */
struct nic_io {
	void *data;
	int (*capabilities)(void *data, const char *name, struct nic_capabilities *ret);
	int (*get)(void *data, const char *name, struct hwtstamp_config *ret);
	int (*set)(void *data, const char *name, struct hwtstamp_config *config);
	/* The device that frames of this one leave by, -ENOENT: by itself */
	int (*lower)(void *data, const char *name, char ret[IF_NAMESIZE]);
	/* Its index, above 0: which a new device of an old name does not have */
	int (*index)(void *data, const char *name);
};

struct nic {
	struct nic_io io;
	char name[IF_NAMESIZE]; /* as it was asked for */
	char real[IF_NAMESIZE]; /* the device that stamps */
	int index;              /* of that */
	struct nic_capabilities has;
	bool told; /* the driver tells its setting */
	bool changed;
	struct hwtstamp_config before; /* changed: what it was */
	struct hwtstamp_config set;    /* and what it was made */
	char why[NIC_TEXT_SIZE];       /* after an error: why there are no hardware stamps */
};

/*
 * Have an interface stamp. needs: NIC_*, or'ed. *nic is filled in, also after an error, for
 * nic_close() and `why`.
 *
 * Returns 0; -ENODEV: there is no such interface; -EOPNOTSUPP: it has no hardware stamps, no clock,
 * or no filter for what is needed; -EBUSY: it has, but not together with what somebody else needs;
 * -EPERM; or another negative errno.
 */
int nic_open(struct nic *nic, const struct nic_io *io, const char *name, unsigned int needs);

/*
 * Look at the setting again, which somebody may have changed, or as more is needed now: it is made to
 * serve as by nic_open(), whose errors are returned, and then *nic is as it was, but for `why`; or -ESTALE:
 * the device that stamps, or its clock, is another one now.
 */
int nic_again(struct nic *nic, unsigned int needs);

/*
 * *nic is not to put anything back: *heir, which is open on the same device and goes on to need it,
 * is to do that in the end.
 */
void nic_inherit(struct nic *heir, struct nic *nic);

/* Put back what was changed. */
void nic_close(struct nic *nic);

/* Is the device that stamps another one than it was, as after a bond's change-over? */
bool nic_moved(const struct nic *nic);

/* This machine's. fd: any socket, for ioctl(2); *fd outlives what uses it. */
struct nic_io nic_system_io(int *fd);

#endif /* TIMESTAMPING_NIC_H */
