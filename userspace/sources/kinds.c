/* SPDX-License-Identifier: MIT */
/* What the set can do with each kind of sources. */
#include "sources/set.h"

#include <errno.h>

static int ntp_op_new(void **ret, const struct source_context *context, unsigned int index,
		      const struct source_config *config)
{
	struct ntp *ntp;
	int r = ntp_new(&ntp, context, index, &config->ntp);

	if (r == 0)
		*ret = ntp;
	return r;
}

static void ntp_op_free(void *source)
{
	ntp_free(source);
}

static void ntp_op_online(void *source, bool online)
{
	ntp_online(source, online);
}

static int ntp_op_reconfigure(void *source, const struct source_config *config)
{
	return ntp_reconfigure(source, &config->ntp);
}

static bool ntp_op_address(const void *source, struct resolver_address *ret)
{
	return ntp_address(source, ret);
}

static void ntp_op_describe(const void *source, struct source_status *ret)
{
	ntp_describe(source, &ret->summary);
	ntp_statistics(source, &ret->ntp);
	ret->hardware = ntp_hardware(source, ret->note, sizeof(ret->note));
}

#define NTP_OPS                                                                                    \
	{                                                                                          \
		ntp_op_new, ntp_op_free, ntp_op_online, ntp_op_reconfigure, ntp_op_address,        \
			ntp_op_describe                                                            \
	}

static int ptp_op_new(void **ret, const struct source_context *context, unsigned int index,
		      const struct source_config *config)
{
	struct ptp *ptp;
	int r = ptp_new(&ptp, context, index, &config->ptp);

	if (r == 0)
		*ret = ptp;
	return r;
}

static void ptp_op_free(void *source)
{
	ptp_free(source);
}

static void ptp_op_online(void *source, bool online)
{
	ptp_online(source, online);
}

/* How far it is to be believed is the set's; all else takes a new port. */
static int ptp_op_reconfigure(void *source, const struct source_config *config)
{
	return ptp_is_configured(source, &config->ptp) ? 0 : -ENOTSUP;
}

static bool ptp_op_address(const void *source, struct resolver_address *ret)
{
	(void)source;
	(void)ret;
	return false;
}

static void ptp_op_describe(const void *source, struct source_status *ret)
{
	ptp_describe(source, &ret->summary);
	ret->hardware = ptp_hardware(source, ret->note, sizeof(ret->note));
	ptp_statistics(source, &ret->ptp);
	ptp_view(source, &ret->ptp_view);
}

const struct source_ops source_set_ops[SOURCE_TYPES] = {
	[SOURCE_NTP] = NTP_OPS,
	[SOURCE_POOL] = NTP_OPS, /* its members */
	[SOURCE_PTP] = {ptp_op_new, ptp_op_free, ptp_op_online, ptp_op_reconfigure, ptp_op_address,
			ptp_op_describe},
};

const struct source_set_resolver source_set_resolver = {resolver_start, resolver_poll,
							resolver_free};
