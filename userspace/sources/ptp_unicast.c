/* SPDX-License-Identifier: MIT */
#include "sources/ptp_unicast.h"

#include <errno.h>
#include <string.h>

#define NS_PER_S 1000000000LL
#define TRIES_SHIFT_MAX 6

static const uint8_t messages[PTP_SERVICES] = {PTP_ANNOUNCE, PTP_SYNC, PTP_DELAY_RESP};

static struct ptp_service_state *service_of(struct ptp_unicast *unicast, uint8_t message)
{
	unsigned int i;

	for (i = 0; i < PTP_SERVICES; i++)
		if (messages[i] == message)
			return &unicast->services[i];
	return NULL;
}

void ptp_unicast_start(struct ptp_unicast *unicast, int64_t now_ns)
{
	memset(unicast->services, 0, sizeof(unicast->services));
	memset(unicast->acknowledge, 0, sizeof(unicast->acknowledge));
	unicast->services[PTP_SERVICE_ANNOUNCE].wanted = true;
	unicast->services[PTP_SERVICE_ANNOUNCE].ask_ns = now_ns;
}

void ptp_unicast_want(struct ptp_unicast *unicast, bool wanted, int64_t now_ns)
{
	unsigned int i;

	for (i = PTP_SERVICE_SYNC; i < PTP_SERVICES; i++) {
		struct ptp_service_state *service = &unicast->services[i];

		if (wanted && !service->wanted) {
			service->ask_ns = now_ns;
			service->tries = 0;
		}
		service->wanted = wanted;
	}
}

void ptp_unicast_ask_anew(struct ptp_unicast *unicast, enum ptp_service first, int64_t now_ns)
{
	unsigned int i;

	for (i = first; i < PTP_SERVICES; i++) {
		struct ptp_service_state *service = &unicast->services[i];

		if (now_ns >= service->granted_ns)
			continue; /* it is being asked for */
		service->granted_ns = 0;
		service->ask_ns = now_ns;
	}
}

bool ptp_unicast_granted(const struct ptp_unicast *unicast, enum ptp_service service,
			 int64_t now_ns)
{
	return now_ns < unicast->services[service].granted_ns;
}

static void ask_later(struct ptp_service_state *service, int64_t now_ns)
{
	service->ask_ns = now_ns + (NS_PER_S << service->tries);
	if (service->tries < TRIES_SHIFT_MAX)
		service->tries++;
}

int ptp_unicast_due(struct ptp_unicast *unicast, int64_t now_ns, enum ptp_tlv_type *type,
		    struct ptp_unicast_tlv *ret)
{
	unsigned int i;

	for (i = 0; i < PTP_SERVICES; i++) {
		struct ptp_service_state *service = &unicast->services[i];

		*ret = (struct ptp_unicast_tlv){.message = messages[i]};
		if (unicast->acknowledge[i]) {
			unicast->acknowledge[i] = false;
			*type = PTP_TLV_ACKNOWLEDGE_CANCEL;
			return 1;
		}
		if (!service->wanted || now_ns < service->ask_ns)
			continue;
		ask_later(service, now_ns);
		service->asked = true;
		ret->log_interval = unicast->log_intervals[i];
		ret->duration_s = unicast->duration_s;
		*type = PTP_TLV_REQUEST_UNICAST;
		return 1;
	}
	return 0;
}

int64_t ptp_unicast_deadline(const struct ptp_unicast *unicast)
{
	int64_t deadline = INT64_MAX;
	unsigned int i;

	for (i = 0; i < PTP_SERVICES; i++)
		if (unicast->services[i].wanted && unicast->services[i].ask_ns < deadline)
			deadline = unicast->services[i].ask_ns;
	return deadline;
}

int ptp_unicast_cancel(struct ptp_unicast *unicast, int64_t now_ns, struct ptp_unicast_tlv *ret)
{
	unsigned int i;

	for (i = 0; i < PTP_SERVICES; i++) {
		struct ptp_service_state *service = &unicast->services[i];

		if (now_ns >= service->granted_ns)
			continue;
		*service = (struct ptp_service_state){0};
		*ret = (struct ptp_unicast_tlv){.message = messages[i]};
		return 1;
	}
	return 0;
}

static int granted(const struct ptp_unicast *unicast, struct ptp_service_state *service,
		   const struct ptp_unicast_tlv *tlv, int64_t now_ns)
{
	int64_t duration_ns;

	if (!service->asked)
		return -EPROTO;
	service->asked = false;
	if (tlv->duration_s == 0) /* denied: ask_later() has said when to ask again */
		return 0;
	/* No longer than it was asked for */
	duration_ns = tlv->duration_s < unicast->duration_s ? tlv->duration_s : unicast->duration_s;
	duration_ns *= NS_PER_S;
	service->tries = 0;
	service->granted_ns = now_ns + duration_ns;
	service->ask_ns = now_ns + duration_ns / 2;
	return 0;
}

int ptp_unicast_take(struct ptp_unicast *unicast, enum ptp_tlv_type type,
		     const struct ptp_unicast_tlv *tlv, int64_t now_ns)
{
	struct ptp_service_state *service = service_of(unicast, tlv->message);

	if (!service)
		return -EPROTO;
	switch (type) {
	case PTP_TLV_GRANT_UNICAST:
		return granted(unicast, service, tlv, now_ns);
	case PTP_TLV_CANCEL_UNICAST:
		if (now_ns >= service->granted_ns)
			return -EPROTO;
		service->granted_ns = 0;
		unicast->acknowledge[service - unicast->services] = true;
		ask_later(service, now_ns);
		return 0;
	default:
		return -EPROTO;
	}
}
