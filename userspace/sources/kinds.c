/* SPDX-License-Identifier: MIT */
/* What the set can do with each kind of sources. */
#include "sources/set.h"

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
}

#define NTP_OPS                                                                                    \
	{                                                                                          \
		ntp_op_new, ntp_op_free, ntp_op_online, ntp_op_reconfigure, ntp_op_address,        \
			ntp_op_describe                                                            \
	}

const struct source_ops source_set_ops[SOURCE_TYPES] = {
	[SOURCE_NTP] = NTP_OPS, [SOURCE_POOL] = NTP_OPS, /* its members */
};

const struct source_set_resolver source_set_resolver = {resolver_start, resolver_poll,
							resolver_free};
