/* SPDX-License-Identifier: MIT */
#include "keys.h"

#include <syslog.h>

#include "config.h"
#include "control/protocol.h"
#include "local/peer.h"
#include "sources/phc_source.h"
#include "sources/ntp_poll.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MEMBER(type, member)                                                                       \
	.offset = offsetof(struct type, member), .width = sizeof(((struct type *)0)->member)
#define CHOICES(array) .choices = (array), .choice_count = COUNT(array)

static const struct key_choice backends[] = {
	{"auto", PUBLISH_AUTO, NULL},
	{"module", PUBLISH_MODULE, NULL},
	{"shm", PUBLISH_SHM, NULL},
};

/* Words in place of a path: there is none, or the daemon finds it. */
static const struct key_choice path_or_none[] = {
	{"none", KEY_PATH_NONE, NULL},
};

static const struct key_choice path_found[] = {
	{"auto", 1, NULL},
	{"none", KEY_PATH_NONE, NULL},
};

static const struct key_choice leap_modes[] = {
	{"step", LEAP_STEP, NULL},
	{"smear", LEAP_SMEAR, NULL},
};

#ifdef __x86_64__
#define TSC_REFUSAL NULL
#else
#define TSC_REFUSAL "only x86-64 has this counter"
#endif
#ifdef __aarch64__
#define CNTVCT_REFUSAL NULL
#else
#define CNTVCT_REFUSAL "only arm64 has this counter"
#endif

static const struct key_choice counters[] = {
	{"auto", CHRONOTICK_COUNTER_NONE, NULL},
	{"tsc", CHRONOTICK_COUNTER_TSC, TSC_REFUSAL},
	{"cntvct", CHRONOTICK_COUNTER_CNTVCT, CNTVCT_REFUSAL},
	{"monotonic_raw", CHRONOTICK_COUNTER_MONOTONIC_RAW, NULL},
};

static const struct key_choice log_levels[] = {
	{"DEBUG", LOG_DEBUG, NULL},
	{"INFO", LOG_INFO, NULL},
	{"WARNING", LOG_WARNING, NULL},
	{"ERROR", LOG_ERR, NULL},
};

static const struct key_choice retro_methods[] = {
	{"none", RETRO_NONE, NULL},
	{"linear", RETRO_LINEAR, NULL},
	{"drift_aware", RETRO_DRIFT_AWARE, NULL},
	{"advanced", RETRO_ADVANCED, NULL},
	{"advance_absolute", RETRO_ADVANCE_ABSOLUTE, NULL},
	{"backtracking", RETRO_BACKTRACKING, NULL},
};

static const struct key_choice record_orders[] = {
	{"document", CHRONOTICK_ORDER_DOCUMENT, NULL},
	{"python", CHRONOTICK_ORDER_PYTHON, NULL},
};

static const struct key page_keys[] = {
	{"backend", KEY_CHOICE, "auto", CHOICES(backends), MEMBER(config, page.backend)},
	{"shm_name", KEY_FILE_NAME, CHRONOTICK_SHM_NAME, MEMBER(config, page.shm_name)},
	{"frequency_hz", KEY_INTEGER, "100", 1, 1000, MEMBER(config, page.frequency_hz)},
	{"writer_timeout_ms", KEY_INTEGER, "10000", 1000, CHRONOTICK_GROWTH_NS / 1000000,
	 MEMBER(config, page.writer_timeout_ms)},
	/* The bound in a clock line has 32 bits. */
	{"max_bound_ns", KEY_INTEGER, "1000000000", 1000, 4000000000,
	 MEMBER(config, page.max_bound_ns)},
	{"record_order", KEY_CHOICE, "document", CHOICES(record_orders),
	 MEMBER(config, page.record_order)},
};

static const struct key clock_keys[] = {
	{"max_slew_ppb", KEY_INTEGER, "100000", 10000, 500000, MEMBER(config, page.max_slew_ppb)},
	{"step_threshold_ns", KEY_INTEGER, "1000000", 1000, PUBLISH_STEP_THRESHOLD_MAX_NS,
	 MEMBER(config, page.step_threshold_ns)},
	{"max_drift_ppb", KEY_INTEGER, "200000", 1000, 500000, MEMBER(config, max_drift_ppb),
	 .reloads = true},
	{"wander_ppb", KEY_INTEGER, "1000", 1, 100000, MEMBER(config, wander_ppb), .reloads = true},
	{"max_distance_ms", KEY_INTEGER, "1000", 1, 16000, MEMBER(config, max_distance_ms),
	 .reloads = true},
};

static const struct key leap_keys[] = {
	{"file", KEY_PATH, "auto", CHOICES(path_found), MEMBER(config, leap.file)},
	{"mode", KEY_CHOICE, "step", CHOICES(leap_modes), MEMBER(config, leap.mode)},
};

static const struct key control_keys[] = {
	/* sun_path of struct sockaddr_un holds no more. */
	{"socket", KEY_PATH, CONTROL_SOCKET, 0, 107, CHOICES(path_or_none),
	 MEMBER(config, control.socket)},
	{"group", KEY_FILE_NAME, LOCAL_NO_GROUP, MEMBER(config, control.group)},
};

static const struct key_choice trust_cpus[] = {
	{"always", WATCH_CPUS_ALWAYS, NULL},
	{"start", WATCH_CPUS_START, NULL},
	{"never", WATCH_CPUS_NEVER, NULL},
};

static const struct key trust_keys[] = {
	{"changes", KEY_BOOLEAN, "true", MEMBER(config, trust.changes)},
	{"cpus", KEY_CHOICE, "always", CHOICES(trust_cpus), MEMBER(config, trust.cpus)},
};

static const struct key_choice lock_memory[] = {
	{"auto", REALTIME_LOCK_AUTO, NULL},
	{"true", REALTIME_LOCK_YES, NULL},
	{"false", REALTIME_LOCK_NO, NULL},
};

static const struct key realtime_keys[] = {
	{"lock_memory", KEY_CHOICE, "auto", CHOICES(lock_memory),
	 MEMBER(config, realtime.lock_memory)},
	{"priority", KEY_INTEGER, "0", 0, REALTIME_PRIORITY_MAX, MEMBER(config, realtime.priority)},
};

#define NTP_TYPES (1 << SOURCE_NTP | 1 << SOURCE_POOL)
#define PTP_TYPES (1 << SOURCE_PTP)
#define PHC_TYPES (1 << SOURCE_PHC)
#define TIME_TYPES (NTP_TYPES | PTP_TYPES)

static const struct key_choice ptp_profiles[] = {
	{"default", PTP_PROFILE_DEFAULT, NULL},
	{"g8275.1", PTP_PROFILE_G8275_1, NULL},
	{"g8275.2", PTP_PROFILE_G8275_2, NULL},
	{"gptp", PTP_PROFILE_GPTP, NULL},
};

static const struct key_choice ptp_transports[] = {
	{"l2", PTP_L2, NULL},
	{"udp4", PTP_UDP4, NULL},
	{"udp6", PTP_UDP6, NULL},
};

static const struct key_choice ptp_mechanisms[] = {
	{"e2e", PTP_E2E, NULL},
	{"p2p", PTP_P2P, NULL},
};

static const struct key_choice ptp_timescales[] = {
	{"auto", PTP_TIMESCALE_AUTO, NULL},
	{"tai", PTP_TIMESCALE_TAI, NULL},
	{"utc", PTP_TIMESCALE_UTC, NULL},
};

/* Of whose stamps; the value is a bool. */
static const struct key_choice ptp_stamps[] = {
	{"auto", false, NULL},
	{"kernel", true, NULL},
};

static const struct key source_keys[] = {
	{"ntp", KEY_HOST, NULL, MEMBER(source_config, ntp.server), .types = 1 << SOURCE_NTP,
	 .names_type = true},
	{"pool", KEY_HOST, NULL, MEMBER(source_config, ntp.server), .types = 1 << SOURCE_POOL,
	 .names_type = true},
	{"ptp", KEY_INTERFACE, NULL, MEMBER(source_config, ptp.interface), .types = PTP_TYPES,
	 .names_type = true},
	{"phc", KEY_PATH, NULL, 0, 63, MEMBER(source_config, phc), .types = PHC_TYPES,
	 .names_type = true},
	{"feed", KEY_PATH, NULL, 0, 107, MEMBER(source_config, feed), .types = 1 << SOURCE_FEED,
	 .names_type = true},
	{"maxsources", KEY_INTEGER, "4", 1, POOL_MEMBERS_MAX, MEMBER(source_config, maxsources),
	 .types = 1 << SOURCE_POOL},
	{"port", KEY_INTEGER, "123", 1, 65535, MEMBER(source_config, ntp.port), .types = NTP_TYPES},
	{"iburst", KEY_BOOLEAN, "false", MEMBER(source_config, ntp.iburst), .types = NTP_TYPES},
	{"minpoll", KEY_INTEGER, "6", -3, 17, MEMBER(source_config, ntp.minpoll),
	 .types = NTP_TYPES},
	{"maxpoll", KEY_INTEGER, "10", -3, 17, MEMBER(source_config, ntp.maxpoll),
	 .types = NTP_TYPES},
	{"samples_per_poll", KEY_INTEGER, "1", 1, NTP_POLL_SAMPLES_MAX,
	 MEMBER(source_config, ntp.samples), .types = NTP_TYPES},
	{"xleave", KEY_BOOLEAN, "false", MEMBER(source_config, ntp.xleave), .types = NTP_TYPES},
	{"hwtimestamp", KEY_INTERFACE, "none", CHOICES(path_or_none),
	 MEMBER(source_config, ntp.interface), .types = NTP_TYPES},
	{"key", KEY_INTEGER, "0", 0, UINT32_MAX, MEMBER(source_config, ntp.key.id),
	 .types = TIME_TYPES},
	{"profile", KEY_CHOICE, "default", CHOICES(ptp_profiles),
	 MEMBER(source_config, ptp.profile), .types = PTP_TYPES},
	{"transport", KEY_CHOICE, "l2", CHOICES(ptp_transports),
	 MEMBER(source_config, ptp.transport), .types = PTP_TYPES},
	{"domain", KEY_INTEGER, "0", 0, 255, MEMBER(source_config, ptp.domain), .types = PTP_TYPES},
	{"delay_mechanism", KEY_CHOICE, "e2e", CHOICES(ptp_mechanisms),
	 MEMBER(source_config, ptp.mechanism), .types = PTP_TYPES},
	{"unicast", KEY_ADDRESS, "none", CHOICES(path_or_none), MEMBER(source_config, ptp.unicast),
	 .types = PTP_TYPES},
	{"negotiation", KEY_BOOLEAN, "true", MEMBER(source_config, ptp.negotiates),
	 .types = PTP_TYPES},
	{"grant_s", KEY_INTEGER, "300", 10, 1000, MEMBER(source_config, ptp.grant_s),
	 .types = PTP_TYPES},
	{"announce_interval", KEY_INTEGER, "1", -3, 4, MEMBER(source_config, ptp.log_announce),
	 .types = PTP_TYPES},
	{"sync_interval", KEY_INTEGER, "0", -7, 4, MEMBER(source_config, ptp.log_sync),
	 .types = PTP_TYPES},
	{"delay_interval", KEY_INTEGER, "0", -7, 5, MEMBER(source_config, ptp.log_delay),
	 .types = PTP_TYPES},
	{"announce_timeout", KEY_INTEGER, "3", 2, 10, MEMBER(source_config, ptp.announce_timeout),
	 .types = PTP_TYPES},
	{"timescale", KEY_CHOICE, "auto", CHOICES(ptp_timescales),
	 MEMBER(source_config, ptp.timescale), .types = PTP_TYPES | PHC_TYPES},
	{"utc_offset_s", KEY_INTEGER, "0", 0, 255, MEMBER(source_config, ptp.utc_offset_s),
	 .types = PTP_TYPES | PHC_TYPES},
	{"accuracy_ns", KEY_INTEGER, "0", 0, 1000000000, MEMBER(source_config, ptp.accuracy_ns),
	 .types = PTP_TYPES | PHC_TYPES},
	{"stamps", KEY_CHOICE, "auto", CHOICES(ptp_stamps), MEMBER(source_config, ptp.kernel),
	 .types = PTP_TYPES},
	{"asymmetry_ns", KEY_INTEGER, "0", -10000000, 10000000,
	 MEMBER(source_config, ptp.asymmetry_ns), .types = PTP_TYPES},
	{"asymmetry_max_ns", KEY_INTEGER, "-1", -1, 10000000,
	 MEMBER(source_config, ptp.asymmetry_max_ns), .types = PTP_TYPES},
	{"minor_version", KEY_INTEGER, "0", 0, 1, MEMBER(source_config, ptp.minor),
	 .types = PTP_TYPES},
	{"udp6_scope", KEY_INTEGER, "14", 1, 14, MEMBER(source_config, ptp.scope),
	 .types = PTP_TYPES},
	{"spp", KEY_INTEGER, "0", 0, 255, MEMBER(source_config, ptp.auth.spp), .types = PTP_TYPES},
	{"poll", KEY_INTEGER, "0", PHC_SOURCE_POLL_MIN, PHC_SOURCE_POLL_MAX,
	 MEMBER(source_config, phc_poll), .types = PHC_TYPES},
	{"group", KEY_FILE_NAME, LOCAL_NO_GROUP, MEMBER(source_config, group),
	 .types = 1 << SOURCE_FEED},
	{"offline", KEY_BOOLEAN, "false", MEMBER(source_config, offline)},
	{"prefer", KEY_BOOLEAN, "false", MEMBER(source_config, prefer),
	 .types = TIME_TYPES | PHC_TYPES},
	{"trust", KEY_BOOLEAN, "false", MEMBER(source_config, trust),
	 .types = TIME_TYPES | PHC_TYPES},
	{"noselect", KEY_BOOLEAN, "false", MEMBER(source_config, noselect),
	 .types = TIME_TYPES | PHC_TYPES},
};

static const struct key state_keys[] = {
	{"file", KEY_PATH, "auto", CHOICES(path_found), MEMBER(config, archive.state_file)},
	{"interval_s", KEY_INTEGER, "600", 10, 86400, MEMBER(config, archive.state_interval_s)},
};

static const struct key audit_keys[] = {
	{"directory", KEY_PATH, "none", CHOICES(path_or_none),
	 MEMBER(config, archive.audit.directory)},
	{"rotate_s", KEY_INTEGER, "86400", 10, 604800,
	 MEMBER(config, archive.audit.limits.rotate_s)},
	{"keep", KEY_INTEGER, "0", 0, 100000, MEMBER(config, archive.audit.limits.keep)},
};

static const struct key sample_log_keys[] = {
	{"directory", KEY_PATH, "none", CHOICES(path_or_none),
	 MEMBER(config, archive.samples.directory)},
	{"rotate_s", KEY_INTEGER, "86400", 10, 604800,
	 MEMBER(config, archive.samples.limits.rotate_s)},
	{"keep", KEY_INTEGER, "14", 0, 100000, MEMBER(config, archive.samples.limits.keep)},
};

static const struct key covariate_keys[] = {
	{"temperature", KEY_PATH, COVARIATE_AUTO, 0, THERMOMETER_PATH_MAX - 1, CHOICES(path_found),
	 MEMBER(config, covariates.temperature)},
	{"cpu_frequency", KEY_BOOLEAN, "true", MEMBER(config, covariates.cpu_frequency)},
	{"cpu_load", KEY_BOOLEAN, "true", MEMBER(config, covariates.cpu_load)},
	{"memory", KEY_BOOLEAN, "true", MEMBER(config, covariates.memory)},
	{"interval_s", KEY_INTEGER, "10", 1, 3600, MEMBER(config, covariates.interval_s)},
};

/* Members of struct config at two places: of each model */
#define MODEL_KEYS(model, interval, horizon)                                                        \
	{                                                                                           \
		{"enabled", KEY_BOOLEAN, "true", MEMBER(config, models.model.enabled)},             \
			{"interval_s", KEY_INTEGER,                                                 \
			 interval,     1,                                                           \
			 3600,         MEMBER(config, models.model.interval_s)},                    \
			{"horizon_s", KEY_INTEGER, horizon,                                         \
			 2,           14400,       MEMBER(config, models.model.horizon_s)},         \
			{"lead_s", KEY_INTEGER, "0", 0, 3600, MEMBER(config, models.model.lead_s)}, \
	}

static const struct key short_term_keys[] = MODEL_KEYS(short_term, "5", "30");
static const struct key long_term_keys[] = MODEL_KEYS(long_term, "30", "240");
const struct key_group keys_short_term = {short_term_keys, COUNT(short_term_keys)};
const struct key_group keys_long_term = {long_term_keys, COUNT(long_term_keys)};

static const struct key models_keys[] = {
	{"short_term", KEY_MAP, "", .group = &keys_short_term},
	{"long_term", KEY_MAP, "", .group = &keys_long_term},
	{"retroactive", KEY_CHOICE, "drift_aware", CHOICES(retro_methods),
	 MEMBER(config, models.retroactive)},
};

const struct key_group keys_page = {page_keys, COUNT(page_keys)};
static const struct key_group clock_group = {clock_keys, COUNT(clock_keys)};
const struct key_group keys_leap = {leap_keys, COUNT(leap_keys)};
static const struct key_group control_group = {control_keys, COUNT(control_keys)};
static const struct key_group state_group = {state_keys, COUNT(state_keys)};
static const struct key_group audit_group = {audit_keys, COUNT(audit_keys)};
static const struct key_group sample_log_group = {sample_log_keys, COUNT(sample_log_keys)};
static const struct key_group covariate_group = {covariate_keys, COUNT(covariate_keys)};
static const struct key_group trust_group = {trust_keys, COUNT(trust_keys)};
static const struct key_group models_group = {models_keys, COUNT(models_keys)};
static const struct key_group realtime_group = {realtime_keys, COUNT(realtime_keys)};
const struct key_group keys_source = {source_keys, COUNT(source_keys)};

static const struct key document_keys[] = {
	{"page", KEY_MAP, "", .group = &keys_page},
	{"clock", KEY_MAP, "", .group = &clock_group},
	{"leap", KEY_MAP, "", .group = &keys_leap},
	{"counter", KEY_CHOICE, "auto", CHOICES(counters), MEMBER(config, counter_kind)},
	{"trust", KEY_MAP, "", .group = &trust_group},
	{"realtime", KEY_MAP, "", .group = &realtime_group},
	{"warm_up_s", KEY_INTEGER, "180", 0, 86400, MEMBER(config, warm_up_s), .reloads = true},
	{"state", KEY_MAP, "", .group = &state_group},
	{"audit", KEY_MAP, "", .group = &audit_group},
	{"sample_log", KEY_MAP, "", .group = &sample_log_group},
	{"models", KEY_MAP, "", .group = &models_group},
	{"covariates", KEY_MAP, "", .group = &covariate_group},
	{"log_level", KEY_CHOICE, "INFO", CHOICES(log_levels), MEMBER(config, log_priority),
	 .reloads = true},
	{"keys", KEY_PATH, "none", CHOICES(path_or_none), MEMBER(config, keys), .reloads = true},
	{"control", KEY_MAP, "", .group = &control_group},
	{"sources", KEY_SOURCES, NULL, 1, CONFIG_SOURCES_MAX, .group = &keys_source},
};

const struct key_group keys_document = {document_keys, COUNT(document_keys)};

_Static_assert(COUNT(page_keys) <= KEYS_MAX && COUNT(clock_keys) <= KEYS_MAX &&
		       COUNT(source_keys) <= KEYS_MAX && COUNT(document_keys) <= KEYS_MAX,
	       "KEYS_MAX");
