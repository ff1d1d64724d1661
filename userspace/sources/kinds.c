/* SPDX-License-Identifier: MIT */
/* What the set can do with each kind of sources. */
#include "sources/phc_source.h"
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

static struct phc_source_config phc_config(const struct source_config *config)
{
	return (struct phc_source_config){
		.path = config->phc,
		.accuracy_ns = config->ptp.accuracy_ns,
		.is_tai = config->ptp.timescale != PTP_TIMESCALE_UTC,
		.utc_offset_s = config->ptp.utc_offset_s,
		.poll = config->phc_poll,
	};
}

static int phc_op_new(void **ret, const struct source_context *context, unsigned int index,
		      const struct source_config *config)
{
	struct phc_source_config phc = phc_config(config);
	struct phc_source *source;
	int r = phc_source_new(&source, context, index, &phc);

	if (r == 0)
		*ret = source;
	return r;
}

static void phc_op_free(void *source)
{
	phc_source_free(source);
}

static void phc_op_online(void *source, bool online)
{
	phc_source_online(source, online);
}

static int phc_op_reconfigure(void *source, const struct source_config *config)
{
	struct phc_source_config phc = phc_config(config);

	return phc_source_is_configured(source, &phc) ? 0 : -ENOTSUP;
}

static void phc_op_describe(const void *source, struct source_status *ret)
{
	phc_source_describe(source, &ret->summary);
	ret->hardware = true;
	phc_source_note(source, ret->note, sizeof(ret->note));
}

const struct source_ops source_set_ops[SOURCE_TYPES] = {
	[SOURCE_NTP] = NTP_OPS,
	[SOURCE_POOL] = NTP_OPS, /* its members */
	[SOURCE_PTP] = {ptp_op_new, ptp_op_free, ptp_op_online, ptp_op_reconfigure, ptp_op_address,
			ptp_op_describe},
	[SOURCE_PHC] = {phc_op_new, phc_op_free, phc_op_online, phc_op_reconfigure, ptp_op_address,
			phc_op_describe},
};

const struct source_set_resolver source_set_resolver = {resolver_start, resolver_poll,
							resolver_free};
