/* SPDX-License-Identifier: MIT */
#include "control/protocol.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Of a request and of a reply without an error; a list reply has as many sources as it says. */
static const struct {
	size_t request, reply;
} sizes[CONTROL_TYPES] = {
	[CONTROL_IDENTITY] = {sizeof(struct control_header), sizeof(struct control_identity_reply)},
	[CONTROL_STATUS] = {sizeof(struct control_header), sizeof(struct control_status_reply)},
	[CONTROL_LIST] = {sizeof(struct control_list_request), 0},
	[CONTROL_ONLINE] = {sizeof(struct control_select_request),
			    sizeof(struct control_text_reply)},
	[CONTROL_OFFLINE] = {sizeof(struct control_select_request),
			     sizeof(struct control_text_reply)},
	[CONTROL_RELOAD] = {sizeof(struct control_header), sizeof(struct control_text_reply)},
	[CONTROL_COVARIATES] = {sizeof(struct control_header),
				sizeof(struct control_covariates_reply)},
	[CONTROL_MODELS] = {sizeof(struct control_header), sizeof(struct control_models_reply)},
	[CONTROL_PAGES] = {sizeof(struct control_header), sizeof(struct control_pages_reply)},
	[CONTROL_PTP] = {sizeof(struct control_list_request), sizeof(struct control_ptp_reply)},
};

static bool type_is_known(uint16_t type)
{
	return type < CONTROL_TYPES && sizes[type].request;
}

void control_request_begin(union control_request *ret, enum control_type type, uint32_t tag)
{
	memset(ret, 0, sizeof(*ret));
	ret->header = (struct control_header){
		.magic = CONTROL_MAGIC,
		.version = CONTROL_VERSION,
		.type = (uint16_t)type,
		.size = (uint32_t)sizes[type].request,
		.tag = tag,
	};
}

/* Has the text an end, and is it there and printable? */
static bool pattern_is_good(const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size && text[i]; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return i > 0 && i < size;
}

static int fields_check(const union control_request *request)
{
	switch (request->header.type) {
	case CONTROL_LIST:
	case CONTROL_PTP:
		return request->list.pad ? -EINVAL : 0;
	case CONTROL_ONLINE:
	case CONTROL_OFFLINE:
		return pattern_is_good(request->select.pattern, sizeof(request->select.pattern))
			       ? 0
			       : -EINVAL;
	default:
		return 0;
	}
}

int control_request_check(union control_request *ret, const void *message, size_t size)
{
	memset(ret, 0, sizeof(*ret));
	if (size < sizeof(ret->header))
		return -EBADMSG;
	memcpy(&ret->header, message, sizeof(ret->header));
	if (ret->header.magic != CONTROL_MAGIC || ret->header.size != size)
		return -EBADMSG;
	if (ret->header.version != CONTROL_VERSION)
		return -EPROTONOSUPPORT;
	if (!type_is_known(ret->header.type))
		return -EOPNOTSUPP;
	if (size != sizes[ret->header.type].request)
		return -EMSGSIZE;
	memcpy(ret, message, size);
	return fields_check(ret);
}

void control_reply_begin(union control_reply *ret, const struct control_header *request,
			 int32_t result, size_t size)
{
	memset(ret, 0, sizeof(*ret));
	ret->result = (struct control_result){
		.header = *request,
		.result = result,
	};
	ret->header.magic = CONTROL_MAGIC;
	ret->header.version = CONTROL_VERSION;
	ret->header.size = (uint32_t)size;
}

static void text_clean(char *text, size_t size)
{
	size_t i;

	text[size - 1] = '\0';
	for (i = 0; text[i]; i++)
		if ((text[i] < ' ' || text[i] > '~') && text[i] != '\n')
			text[i] = '?';
}

static void covariates_clean(struct control_covariates_reply *covariates)
{
	unsigned int i;

	text_clean(covariates->thermometer, sizeof(covariates->thermometer));
	for (i = 0; i < CONTROL_COVARIATES_MAX; i++)
		if (!isfinite(covariates->values[i])) {
			covariates->values[i] = 0;
			covariates->present &= ~(1U << i);
		}
}

static void number_clean(double *number)
{
	if (!isfinite(*number))
		*number = 0;
}

static void models_clean(struct control_models_reply *reply)
{
	unsigned int i;

	number_clean(&reply->walk_ns_s);
	number_clean(&reply->slope_ns_s2);
	number_clean(&reply->allowed_ns_s);
	text_clean(reply->reason, sizeof(reply->reason));
	for (i = 0; i < CONTROL_MODELS_MAX; i++) {
		struct control_model *model = &reply->models[i];

		number_clean(&model->error_ns);
		number_clean(&model->factor);
		number_clean(&model->away_ns);
		number_clean(&model->sd_ns);
		text_clean(model->reason, sizeof(model->reason));
	}
}

static void pages_clean(struct control_pages_reply *reply)
{
	unsigned int i;

	if (reply->count > CONTROL_PAGES_MAX)
		reply->count = CONTROL_PAGES_MAX;
	text_clean(reply->reason, sizeof(reply->reason));
	for (i = 0; i < CONTROL_PAGES_MAX; i++)
		text_clean(reply->pages[i].path, sizeof(reply->pages[i].path));
}

static void reply_clean(union control_reply *reply)
{
	int32_t i;

	if (reply->result.result < 0) {
		text_clean(reply->text.text, sizeof(reply->text.text));
		return;
	}
	switch (reply->header.type) {
	case CONTROL_IDENTITY:
		text_clean(reply->identity.version, sizeof(reply->identity.version));
		text_clean(reply->identity.page, sizeof(reply->identity.page));
		break;
	case CONTROL_LIST:
		for (i = 0; i < reply->result.result; i++) {
			struct control_source *source = &reply->list.sources[i];

			text_clean(source->name, sizeof(source->name));
			text_clean(source->address, sizeof(source->address));
			text_clean(source->reason, sizeof(source->reason));
		}
		break;
	case CONTROL_COVARIATES:
		covariates_clean(&reply->covariates);
		break;
	case CONTROL_MODELS:
		models_clean(&reply->models);
		break;
	case CONTROL_PAGES:
		pages_clean(&reply->pages);
		break;
	case CONTROL_STATUS:
	case CONTROL_PTP:
		break;
	default:
		text_clean(reply->text.text, sizeof(reply->text.text));
		break;
	}
}

static size_t reply_size(const struct control_result *result)
{
	if (result->result < 0)
		return sizeof(struct control_text_reply);
	if (!type_is_known(result->header.type))
		return 0;
	if (result->header.type != CONTROL_LIST)
		return sizes[result->header.type].reply;
	if (result->result > CONTROL_SOURCES)
		return 0;
	return offsetof(struct control_list_reply, sources) +
	       (size_t)result->result * sizeof(struct control_source);
}

int control_reply_check(union control_reply *ret, const void *message, size_t size,
			const struct control_header *request)
{
	memset(ret, 0, sizeof(*ret));
	if (size < sizeof(ret->header))
		return -EBADMSG;
	memcpy(&ret->header, message, sizeof(ret->header));
	if (ret->header.magic != CONTROL_MAGIC || ret->header.size != size)
		return -EBADMSG;
	if (ret->header.version != CONTROL_VERSION)
		return -EPROTONOSUPPORT;
	if (ret->header.type != request->type || ret->header.tag != request->tag ||
	    size < sizeof(ret->result))
		return -EBADMSG;
	memcpy(&ret->result, message, sizeof(ret->result));
	if (ret->result.pad || size != reply_size(&ret->result))
		return -EBADMSG;
	memcpy(ret, message, size);
	reply_clean(ret);
	return ret->result.result < 0 ? ret->result.result : 0;
}

static const char *name_of(const char *const *names, unsigned int count, unsigned int index)
{
	return index < count ? names[index] : "unknown";
}

const char *control_term_name(unsigned int term)
{
	static const char *const names[CONTROL_TERMS] = {
		[CONTROL_TERM_ROOT_DELAY] = "root_delay_half",
		[CONTROL_TERM_ROOT_DISPERSION] = "root_dispersion",
		[CONTROL_TERM_DELAY] = "delay_half",
		[CONTROL_TERM_DISPERSION] = "dispersion",
		[CONTROL_TERM_STAMPS] = "stamps",
		[CONTROL_TERM_AGEING] = "ageing",
		[CONTROL_TERM_DISAGREEMENT] = "disagreement",
		[CONTROL_TERM_SLEW] = "slew",
		[CONTROL_TERM_STEP] = "counter_step",
		[CONTROL_TERM_ROUNDING] = "rounding",
	};

	return name_of(names, CONTROL_TERMS, term);
}

const char *control_counter_name(unsigned int counter)
{
	static const char *const names[CONTROL_COUNTERS] = {
		[CONTROL_SENT] = "sent",
		[CONTROL_RECEIVED] = "received",
		[CONTROL_ACCEPTED] = "accepted",
		[CONTROL_REJECTED] = "rejected",
		[CONTROL_DROPPED] = "dropped",
		[CONTROL_STAMPS_MISSING] = "stamps_missing",
		[CONTROL_INTERLEAVED] = "interleaved",
		[CONTROL_REJECTED_MALFORMED] = "rejected_malformed",
		[CONTROL_REJECTED_BOGUS] = "rejected_bogus",
		[CONTROL_REJECTED_DUPLICATE] = "rejected_duplicate",
		[CONTROL_REJECTED_LATE] = "rejected_late",
		[CONTROL_REJECTED_UNAUTHENTIC] = "rejected_unauthentic",
		[CONTROL_REJECTED_INVALID] = "rejected_invalid",
		[CONTROL_REJECTED_UNSYNCHRONIZED] = "rejected_unsynchronized",
		[CONTROL_REJECTED_TOO_DISTANT] = "rejected_too_distant",
		[CONTROL_REJECTED_DENY] = "rejected_deny",
		[CONTROL_REJECTED_RATE] = "rejected_rate",
		[CONTROL_REJECTED_OTHER_KISS] = "rejected_other_kiss",
		[CONTROL_REJECTED_LOOP] = "rejected_loop",
		[CONTROL_REJECTED_UNSUPPORTED] = "rejected_unsupported",
		[CONTROL_REJECTED_OTHER_EPOCH] = "rejected_other_epoch",
		[CONTROL_REJECTED_TOO_FAR] = "rejected_too_far",
		[CONTROL_REJECTED_UNTRUSTED] = "rejected_untrusted",
		[CONTROL_REJECTED_IMPLAUSIBLE] = "rejected_implausible",
		[CONTROL_ASIDE_CONTRADICTION] = "contradiction",
		[CONTROL_ASIDE_MAD] = "mad",
		[CONTROL_ASIDE_Z] = "z",
		[CONTROL_ASIDE_CONFIRMED] = "confirmed",
		[CONTROL_REJECTED_OTHER_DOMAIN] = "rejected_other_domain",
	};

	return name_of(names, CONTROL_COUNTERS, counter);
}

const char *control_level_name(unsigned int level)
{
	static const char *const names[CONTROL_LEVELS] = {
		[CONTROL_FUSION] = "fusion",       [CONTROL_SHORT_TERM] = "short_term",
		[CONTROL_LONG_TERM] = "long_term", [CONTROL_SOURCES_ONLY] = "sources_only",
		[CONTROL_HOLDOVER] = "holdover",   [CONTROL_NO_DATA] = "no_data",
	};

	return name_of(names, CONTROL_LEVELS, level);
}

const char *control_model_name(unsigned int model)
{
	static const char *const names[CONTROL_MODEL_KINDS] = {
		[CONTROL_MODEL_SHORT_TERM] = "short_term",
		[CONTROL_MODEL_LONG_TERM] = "long_term",
		[CONTROL_MODEL_FEED] = "feed",
	};

	return name_of(names, CONTROL_MODEL_KINDS, model);
}

const char *control_role_name(unsigned int role)
{
	static const char *const names[CONTROL_ROLES] = {
		[CONTROL_STANDBY] = "standby",
		[CONTROL_ACTIVE] = "active",
		[CONTROL_OUT] = "out",
	};

	return name_of(names, CONTROL_ROLES, role);
}

const char *control_backend_name(unsigned int backend)
{
	static const char *const names[CONTROL_BACKENDS] = {
		[CONTROL_SHM] = "shm",
		[CONTROL_MODULE] = "module",
	};

	return name_of(names, CONTROL_BACKENDS, backend);
}

const char *control_ptp_state_name(unsigned int state)
{
	static const char *const names[CONTROL_PTP_STATES] = {
		[CONTROL_PTP_LISTENING] = "listening",
		[CONTROL_PTP_UNCALIBRATED] = "uncalibrated",
		[CONTROL_PTP_SLAVE] = "slave",
		[CONTROL_PTP_FAULTY] = "faulty",
	};

	return name_of(names, CONTROL_PTP_STATES, state);
}

const char *control_covariate_name(unsigned int covariate)
{
	static const char *const names[CONTROL_COVARIATE_COUNT] = {
		[CONTROL_TEMPERATURE] = "temperature_c",
		[CONTROL_CPU_FREQUENCY] = "cpu_frequency_mhz",
		[CONTROL_CPU_LOAD] = "cpu_load",
		[CONTROL_MEMORY] = "memory_pressure",
	};

	return name_of(names, CONTROL_COVARIATE_COUNT, covariate);
}
