/* SPDX-License-Identifier: MIT */
/*
 * The control protocol, version 1: what chronotickd and its operators' programs say to each other.
 * Documentation/control.md has the byte diagrams.
 *
 * One AF_UNIX SOCK_SEQPACKET socket: a message is whole or not there at all, so nobody waits for
 * the rest of one. Each request is one message and gets one reply, in order. All of it is fixed in
 * size, in native byte order, and padding is zero.
 */
#ifndef CONTROL_PROTOCOL_H
#define CONTROL_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#define CONTROL_MAGIC 0x4c525443U /* "CTRL" in little-endian order */
#define CONTROL_VERSION 1
#define CONTROL_SOCKET "/run/chronotick/control.sock"

#define CONTROL_TEXT_MAX 512   /* texts for people and patterns, terminator included */
#define CONTROL_NAME_MAX 256   /* names of sources */
#define CONTROL_REASON_MAX 128 /* why a source is used or not */
#define CONTROL_SOURCES 8      /* in one reply */
#define CONTROL_SOURCE_END UINT32_MAX

enum control_type {
	CONTROL_IDENTITY = 1,
	CONTROL_STATUS = 2,
	CONTROL_LIST = 3,
	CONTROL_ONLINE = 4, /* this and the two below change something */
	CONTROL_OFFLINE = 5,
	CONTROL_RELOAD = 6,
	CONTROL_COVARIATES = 7, /* asks, and changes nothing */
	CONTROL_MODELS = 8,
	CONTROL_PAGES = 9,
	CONTROL_PTP = 10, /* of one source */
	CONTROL_TYPES,    /* one past the last */
};

/* Every message begins with it, in every version. */
struct control_header {
	uint32_t magic; /* CONTROL_MAGIC */
	uint16_t version;
	uint16_t type; /* enum control_type; a reply has its request's */
	uint32_t size; /* of the message, this header included */
	uint32_t tag;  /* a reply has its request's */
};

struct control_list_request {
	struct control_header header;
	uint32_t
		first; /* number of the source to begin with; PTP: of the one that is asked about */
	uint32_t pad;
};

struct control_select_request {
	struct control_header header;
	char pattern[CONTROL_NAME_MAX]; /* fnmatch(3)'s, or "all" */
};

/* IDENTITY, STATUS, RELOAD, COVARIATES, MODELS and PAGES are the header alone. */
union control_request {
	struct control_header header;
	struct control_list_request list;     /* LIST, PTP */
	struct control_select_request select; /* ONLINE, OFFLINE */
};

/* Every reply begins with it. */
struct control_result {
	struct control_header header;
	int32_t result; /* 0 or more; negative: an errno, and the reply is a control_text_reply */
	uint32_t pad;
};

/* To ONLINE and OFFLINE (result: how many sources), RELOAD, and whatever fails */
struct control_text_reply {
	struct control_result result;
	char text[CONTROL_TEXT_MAX]; /* what was done, or what is wrong; lines end with \n */
};

struct control_identity_reply {
	struct control_result result;
	uint32_t pid;
	uint32_t may_change; /* 1: this peer may */
	uint64_t uptime_ns;
	uint64_t connections; /* so far, of whoever */
	uint64_t requests;
	uint64_t dropped; /* connections ended by the daemon: slow, idle, senseless, or too many */
	char version[32];
	char page[128];
};

/* The terms of a published bound; control_term_name() */
enum control_term {
	CONTROL_TERM_ROOT_DELAY,
	CONTROL_TERM_ROOT_DISPERSION,
	CONTROL_TERM_DELAY,
	CONTROL_TERM_DISPERSION,
	CONTROL_TERM_STAMPS,
	CONTROL_TERM_AGEING,
	CONTROL_TERM_DISAGREEMENT,
	CONTROL_TERM_SLEW,
	CONTROL_TERM_STEP,
	CONTROL_TERM_ROUNDING,
	CONTROL_TERMS,
};

#define CONTROL_HAS_TERMS 1U /* control_status_reply.flags: the terms are known */
#define CONTROL_TRUSTED 2U   /* the published line stands */

struct control_status_reply {
	struct control_result result;
	uint32_t flags;
	uint32_t generation;
	uint16_t status;      /* enum chronotick_status */
	int16_t tai_offset_s; /* or CHRONOTICK_TAI_UNKNOWN */
	uint32_t sources;
	uint32_t usable;
	uint32_t selected;
	uint64_t bound_ns;             /* at the line's anchor: the sum of the terms */
	uint64_t terms[CONTROL_TERMS]; /* ns */
	uint64_t grown_ns;             /* since the anchor, to be added to bound_ns */
	uint64_t age_ns;               /* of the line */
	uint64_t remaining_ns;         /* until it expires */
	uint64_t expiry_ns;            /* growth in that time */
	uint64_t growth_ppt;           /* of the bound, parts per 10^12: ps per s */
	int64_t rate_ppt;              /* of UTC against the counter's nominal rate */
};

#define CONTROL_SOURCE_OFFLINE 1U
#define CONTROL_SOURCE_INTERLEAVED 2U
#define CONTROL_SOURCE_AUTHENTICATED 4U
#define CONTROL_SOURCE_POOL 8U
#define CONTROL_SOURCE_PREFER 16U
#define CONTROL_SOURCE_TRUST 32U
#define CONTROL_SOURCE_NOSELECT 64U

/* What is counted of a source; control_counter_name(). There is room for more. */
enum control_counter {
	CONTROL_SENT,
	CONTROL_RECEIVED,
	CONTROL_ACCEPTED,
	CONTROL_REJECTED,
	CONTROL_DROPPED,
	CONTROL_STAMPS_MISSING,
	CONTROL_INTERLEAVED,
	CONTROL_REJECTED_MALFORMED, /* from here to the loop, what `rejected` is the sum of */
	CONTROL_REJECTED_BOGUS,
	CONTROL_REJECTED_DUPLICATE,
	CONTROL_REJECTED_LATE,
	CONTROL_REJECTED_UNAUTHENTIC,
	CONTROL_REJECTED_INVALID,
	CONTROL_REJECTED_UNSYNCHRONIZED,
	CONTROL_REJECTED_TOO_DISTANT,
	CONTROL_REJECTED_DENY,
	CONTROL_REJECTED_RATE,
	CONTROL_REJECTED_OTHER_KISS,
	CONTROL_REJECTED_LOOP,
	CONTROL_REJECTED_UNSUPPORTED, /* from here to IMPLAUSIBLE, of predictions of a feed */
	CONTROL_REJECTED_OTHER_EPOCH,
	CONTROL_REJECTED_TOO_FAR,
	CONTROL_REJECTED_UNTRUSTED,
	CONTROL_REJECTED_IMPLAUSIBLE,
	CONTROL_ASIDE_CONTRADICTION, /* from here on of samples: what the filter set aside */
	CONTROL_ASIDE_MAD,
	CONTROL_ASIDE_Z,
	CONTROL_ASIDE_CONFIRMED,       /* so often several in a row were taken after all */
	CONTROL_REJECTED_OTHER_DOMAIN, /* of PTP messages; one more of what was rejected */
	CONTROL_COUNTERS,
};
#define CONTROL_COUNTERS_MAX 31

struct control_source {
	uint32_t number; /* that `first` counts; others need not follow without gaps */
	uint32_t flags;  /* CONTROL_SOURCE_* */
	uint8_t kind;    /* enum chronotick_source_kind */
	uint8_t state;   /* enum chronotick_source_state */
	uint8_t tx_stamp;
	uint8_t rx_stamp;
	uint8_t stratum;
	uint8_t leap;
	uint8_t reach;
	int8_t poll; /* log2 s */
	int64_t offset_ns;
	uint64_t delay_ns;
	uint64_t dispersion_ns;
	uint64_t root_delay_ns;
	uint64_t root_dispersion_ns;
	uint64_t root_distance_ns;
	int64_t age_ns; /* of the latest sample; -1: there is none */
	uint64_t samples;
	uint64_t counters[CONTROL_COUNTERS_MAX];
	int64_t false_by_ns;         /* from what it disagrees with; 0: it does not */
	char name[CONTROL_NAME_MAX]; /* as configured */
	char address[64];            /* "" while there is none */
	char reason[CONTROL_REASON_MAX];
};

struct control_list_reply {
	struct control_result result; /* how many are filled in, and sent */
	uint32_t next;                /* to be asked for next; CONTROL_SOURCE_END: that's all */
	uint32_t total;
	struct control_source sources[CONTROL_SOURCES];
};

/* What may move the oscillator; control_covariate_name(). There is room for more. */
enum control_covariate {
	CONTROL_TEMPERATURE,   /* degrees C */
	CONTROL_CPU_FREQUENCY, /* MHz */
	CONTROL_CPU_LOAD,      /* 0 to 1 */
	CONTROL_MEMORY,        /* pressure, 0 to 1 */
	CONTROL_COVARIATE_COUNT,
};
#define CONTROL_COVARIATES_MAX 8

struct control_covariates_reply {
	struct control_result result;
	uint32_t present; /* bit 1 << enum control_covariate: it is known */
	uint32_t pad;
	int64_t age_ns;                        /* of the reading; -1: there is none */
	double values[CONTROL_COVARIATES_MAX]; /* 0 where not known */
	char thermometer[64];                  /* the one that is read; "" while there is none */
};

/* What the time rests on; control_level_name() */
enum control_level {
	CONTROL_FUSION,
	CONTROL_SHORT_TERM,
	CONTROL_LONG_TERM,
	CONTROL_SOURCES_ONLY,
	CONTROL_HOLDOVER,
	CONTROL_NO_DATA,
	CONTROL_LEVELS,
};

/* control_model_name(). There is room for more. */
enum control_model_kind {
	CONTROL_MODEL_SHORT_TERM,
	CONTROL_MODEL_LONG_TERM,
	CONTROL_MODEL_FEED,
	CONTROL_MODEL_KINDS,
};
#define CONTROL_MODELS_MAX 4

#define CONTROL_MODEL_USED 1U     /* the time rests on it, too */
#define CONTROL_MODEL_PREDICTS 2U /* it has a prediction for now */

struct control_model {
	uint32_t flags; /* CONTROL_MODEL_* */
	uint32_t pad;
	uint64_t scored; /* measurements that its predictions were compared with */
	int64_t age_ns;  /* of its prediction for now; -1: there is none */
	double error_ns; /* mean absolute error of those measurements */
	double factor;   /* by which its standard deviations are rescaled */
	double away_ns;  /* of its prediction from the time told */
	double sd_ns;    /* one standard deviation of its prediction */
	char reason[CONTROL_REASON_MAX];
};

struct control_models_reply {
	struct control_result result;
	uint32_t level; /* enum control_level */
	uint32_t held;  /* in holdover: what the time held over follows */
	/* How the oscillator's rate moves: as a random walk in ns/s after a second, steadily, and */
	double walk_ns_s;
	double slope_ns_s2;
	double allowed_ns_s; /* by how much the bound lets it move in 18 minutes */
	char reason[CONTROL_REASON_MAX];
	struct control_model models[CONTROL_MODELS_MAX];
};

/* What the daemon is to a page; control_role_name() */
enum control_role {
	CONTROL_STANDBY, /* another daemon writes it */
	CONTROL_ACTIVE,
	CONTROL_OUT, /* nobody can write it on this counter */
	CONTROL_ROLES,
};

/* control_backend_name() */
enum control_backend {
	CONTROL_SHM,
	CONTROL_MODULE,
	CONTROL_BACKENDS,
};

#define CONTROL_PAGES_MAX 4

struct control_page {
	uint32_t backend;   /* enum control_backend */
	uint32_t role;      /* enum control_role */
	uint64_t published; /* lines, by this daemon */
	uint64_t rebuilt;   /* of them built again, being late */
	char path[128];
};

#define CONTROL_CROSS_DEVICE 1U /* control_pages_reply.flags: cross-timestamps are the module's */

struct control_pages_reply {
	struct control_result result;
	uint32_t count; /* of pages, the one that clients look for first in front */
	uint32_t flags; /* CONTROL_CROSS_* */
	/* What a cross-timestamp may err, measured at the start; -1: cannot be had that way */
	int64_t bracket_ns;
	int64_t device_ns;
	char reason[CONTROL_REASON_MAX]; /* why not the module's; "" */
	struct control_page pages[CONTROL_PAGES_MAX];
};

#define CONTROL_PTP_MASTER 1U /* there is one; what is marked with * is known */
#define CONTROL_PTP_TAI 2U    /* * its time is TAI, less utc_offset_s UTC */

/* control_ptp_state_name() */
enum control_ptp_state {
	CONTROL_PTP_LISTENING,
	CONTROL_PTP_UNCALIBRATED,
	CONTROL_PTP_SLAVE,
	CONTROL_PTP_FAULTY,
	CONTROL_PTP_STATES,
};

/* What a PTP source knows of its master; IEEE 1588's names where it has some */
struct control_ptp_reply {
	struct control_result result;
	uint32_t flags;    /* CONTROL_PTP_* */
	uint32_t masters;  /* that are heard */
	uint8_t state;     /* enum control_ptp_state */
	uint8_t priority1; /* * and all below */
	uint8_t clock_class;
	uint8_t accuracy;  /* clockAccuracy */
	uint16_t variance; /* offsetScaledLogVariance */
	uint8_t priority2;
	uint8_t time_source;
	uint8_t master_clock[8]; /* its portIdentity */
	uint8_t grandmaster[8];
	uint16_t master_port;
	uint16_t steps_removed;
	int16_t utc_offset_s;
	uint16_t announce_flags; /* flagField of its Announce messages */
	int8_t log_sync;         /* log2 s between Sync messages, as it says */
	int8_t log_delay;        /* between requests for delays */
	uint8_t pad[6];
	int64_t path_delay_ns; /* mean, of the latest measurement */
	int64_t correction_ns; /* of the latest Sync message */
	int64_t error_ns;      /* what the master may be wrong by */
	uint64_t changes;      /* of the master */
	uint64_t unanswered;   /* requests */
	uint64_t ignored;      /* messages that were for others */
};

union control_reply {
	struct control_header header;
	struct control_result result;
	struct control_text_reply text;
	struct control_identity_reply identity;
	struct control_status_reply status;
	struct control_list_reply list;
	struct control_covariates_reply covariates;
	struct control_models_reply models;
	struct control_pages_reply pages;
	struct control_ptp_reply ptp;
};

_Static_assert(sizeof(struct control_header) == 16, "header");
_Static_assert(sizeof(struct control_list_request) == 24, "list request");
_Static_assert(sizeof(struct control_select_request) == 272, "select request");
_Static_assert(sizeof(struct control_result) == 24, "result");
_Static_assert(sizeof(struct control_text_reply) == 536, "text reply");
_Static_assert(sizeof(struct control_identity_reply) == 224, "identity reply");
_Static_assert(sizeof(struct control_status_reply) == 184, "status reply");
_Static_assert(sizeof(struct control_source) == 784, "source");
_Static_assert(sizeof(struct control_covariates_reply) == 168, "covariates reply");
_Static_assert(sizeof(struct control_models_reply) == 184 + 4 * 184, "models reply");
_Static_assert(sizeof(struct control_pages_reply) == 176 + 4 * 152, "pages reply");
_Static_assert(sizeof(struct control_ptp_reply) == 120, "PTP reply");
_Static_assert(sizeof(struct control_list_reply) == 32 + 8 * 784, "list reply");

/* The header of a request, ready to be sent; the rest of *ret is zero. */
void control_request_begin(union control_request *ret, enum control_type type, uint32_t tag);

/*
 * Check what came from a peer, of which size bytes are there, and copy it. size may be more than
 * any request has; then no more than the header is looked at.
 *
 * Returns 0; -EBADMSG: this is no message of this protocol, and deserves no reply;
 * -EPROTONOSUPPORT: another version; -EOPNOTSUPP: no such type; -EMSGSIZE: not the size of its
 * type; -EINVAL: padding that is not zero, or a pattern without an end, empty or not printable
 * ASCII. Unless -EBADMSG, ret->header is the request's.
 */
int control_request_check(union control_request *ret, const void *message, size_t size);

/* The beginning of the reply to a request, of `size` bytes; all of *ret is zeroed first. */
void control_reply_begin(union control_reply *ret, const struct control_header *request,
			 int32_t result, size_t size);

/*
 * Check a reply to `request`, and copy it. Texts are made printable ASCII, covariates that are no
 * numbers are not present, and other fractions that are none are 0; flags, kinds and so on may have values that have no name.
 *
 * Returns 0, the reply's result being 0 or more; its result, if that is negative: then ret->text is
 * the reply; -EPROTONOSUPPORT: another version; -EBADMSG: no reply to that request.
 */
int control_reply_check(union control_reply *ret, const void *message, size_t size,
			const struct control_header *request);

/* Words with '_' between them, as JSON has them; "unknown" beyond the last. */
const char *control_term_name(unsigned int term);
const char *control_counter_name(unsigned int counter);
const char *control_covariate_name(unsigned int covariate);
const char *control_level_name(unsigned int level);
const char *control_model_name(unsigned int model);
const char *control_role_name(unsigned int role);
const char *control_backend_name(unsigned int backend);
const char *control_ptp_state_name(unsigned int state);

#endif /* CONTROL_PROTOCOL_H */
