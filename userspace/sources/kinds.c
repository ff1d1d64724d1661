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

static void ntp_op_describe(const void *source, struct source_status *ret)
{
	ntp_describe(source, &ret->summary);
	ntp_statistics(source, &ret->ntp);
}

const struct source_ops source_set_ops[SOURCE_TYPES] = {
	[SOURCE_NTP] = {ntp_op_new, ntp_op_free, ntp_op_online, ntp_op_describe},
};
