/* SPDX-License-Identifier: MIT */
/* The control protocol: what is a request and a reply, and how requests are answered. */
#include <math.h>

#include <criterion/criterion.h>

#include "support/control.h"

static struct made_up made_up;
static struct control_ops ops;
static const struct local_peer chief = {.may_change = true}, stranger;
static struct control_counts counts;
static union control_request request;
static union control_reply reply, checked;

static void begin(enum control_type type)
{
	ops = made_up_ops(&made_up);
	control_request_begin(&request, type, 99);
}

static size_t answer(const struct local_peer *peer)
{
	return control_answer(&reply, &ops, peer, &counts, &request, request.header.size);
}

static int ask(const struct local_peer *peer)
{
	size_t size = answer(peer);

	return control_reply_check(&checked, &reply, size, &request.header);
}

static int check(size_t size)
{
	union control_request copy;

	return control_request_check(&copy, &request, size);
}

Test(control_protocol, takes_each_request_in_its_size_alone)
{
	enum control_type type;

	for (type = CONTROL_IDENTITY; type < CONTROL_TYPES; type++) {
		uint32_t size, right;

		begin(type);
		right = request.header.size;
		request.select.pattern[0] =
			type == CONTROL_ONLINE || type == CONTROL_OFFLINE ? 'a' : 0;
		for (size = 0; size <= sizeof(request) + 8; size++) {
			request.header.size = size;
			cr_assert_eq(check(size),
				     size == right                   ? 0
				     : size < sizeof(request.header) ? -EBADMSG
								     : -EMSGSIZE,
				     "type %d, size %u", type, size);
			/* What it says is not what it has */
			request.header.size = size + 1;
			cr_assert_eq(check(size), -EBADMSG);
		}
	}
}

Test(control_protocol, refuses_what_is_none_of_its_requests)
{
	begin(CONTROL_STATUS);
	request.header.magic++;
	cr_assert_eq(check(16), -EBADMSG);
	cr_assert_eq(answer(&chief), 0);
	begin(CONTROL_STATUS);
	request.header.version++;
	cr_assert_eq(check(16), -EPROTONOSUPPORT);
	/* The answer tells, in the version that the daemon has. */
	cr_assert_eq(answer(&chief), sizeof(reply.text));
	cr_assert_eq(reply.result.result, -EPROTONOSUPPORT);
	cr_assert_eq(reply.header.version, CONTROL_VERSION);
	cr_assert_eq(reply.header.tag, 99);
	begin(CONTROL_STATUS);
	request.header.type = CONTROL_TYPES;
	cr_assert_eq(ask(&chief), -EOPNOTSUPP); /* a client understands that, too */
	request.header.type = 0;
	cr_assert_eq(check(16), -EOPNOTSUPP);
	request.header.type = CONTROL_TYPES;
	cr_assert_eq(check(16), -EOPNOTSUPP);
	request.header.type = UINT16_MAX;
	cr_assert_eq(check(16), -EOPNOTSUPP);
	begin(CONTROL_LIST);
	request.list.pad = 1;
	cr_assert_eq(check(24), -EINVAL);
	begin(CONTROL_ONLINE);
	cr_assert_eq(check(272), -EINVAL); /* an empty pattern */
	strcpy(request.select.pattern, "a\nb");
	cr_assert_eq(check(272), -EINVAL);
	strcpy(request.select.pattern, "\xc3\xa4");
	cr_assert_eq(check(272), -EINVAL);
	memset(request.select.pattern, 'a', sizeof(request.select.pattern));
	cr_assert_eq(check(272), -EINVAL); /* no end */
	request.select.pattern[255] = '\0';
	cr_assert_eq(check(272), 0);
}

Test(control_protocol, answers_identity_and_status)
{
	unsigned int i;

	counts = (struct control_counts){3, 4, 5};
	begin(CONTROL_IDENTITY);
	cr_assert_eq(ask(&chief), 0);
	cr_assert_eq(checked.identity.pid, 4711);
	cr_assert_eq(checked.identity.may_change, 1);
	cr_assert_eq(checked.identity.connections, 3);
	cr_assert_eq(checked.identity.requests, 4);
	cr_assert_eq(checked.identity.dropped, 5);
	cr_assert_str_eq(checked.identity.version, "1.2.3");
	cr_assert_eq(ask(&stranger), 0);
	cr_assert_eq(checked.identity.may_change, 0);
	made_up.sources = 7;
	begin(CONTROL_STATUS);
	cr_assert_eq(ask(&stranger), 0);
	cr_assert_eq(checked.status.sources, 7);
	for (i = 0; i < CONTROL_TERMS; i++)
		cr_assert_eq(checked.status.terms[i], i + 1);
}

Test(control_protocol, tells_covariates_and_takes_numbers_alone)
{
	size_t size;

	begin(CONTROL_COVARIATES);
	size = answer(&stranger);
	cr_assert_eq(size, sizeof(reply.covariates));
	cr_assert_eq(control_reply_check(&checked, &reply, size, &request.header), 0);
	cr_assert_eq(checked.covariates.present, 5);
	cr_assert_float_eq(checked.covariates.values[CONTROL_TEMPERATURE], 36.6, 1e-12);
	cr_assert_str_eq(checked.covariates.thermometer, "made up");
	reply.covariates.values[CONTROL_TEMPERATURE] = NAN;
	memset(reply.covariates.thermometer, '\t', sizeof(reply.covariates.thermometer));
	cr_assert_eq(control_reply_check(&checked, &reply, size, &request.header), 0);
	cr_assert_eq(checked.covariates.present, 4);
	cr_assert_eq(checked.covariates.thermometer[0], '?');
	cr_assert_eq(strlen(checked.covariates.thermometer), 63);
	reply.covariates.result.header.size = (uint32_t)--size;
	cr_assert_eq(control_reply_check(&checked, &reply, size, &request.header), -EBADMSG);
}

Test(control_protocol, tells_of_a_ptp_source_by_its_number)
{
	begin(CONTROL_PTP);
	request.list.first = 3;
	cr_assert_eq(ask(&stranger), 0);
	cr_assert_eq(checked.ptp.state, CONTROL_PTP_SLAVE);
	cr_assert_eq(checked.ptp.path_delay_ns, 1234);
	cr_assert_str_eq(control_ptp_state_name(checked.ptp.state), "slave");
	cr_assert_str_eq(control_ptp_state_name(CONTROL_PTP_STATES), "unknown");
	request.list.first = 4;
	cr_assert_eq(ask(&stranger), -ENOENT);
	request.list.pad = 1;
	cr_assert_eq(ask(&stranger), -EINVAL);
}

Test(control_protocol, tells_of_models_and_takes_numbers_alone)
{
	size_t size;

	begin(CONTROL_MODELS);
	size = answer(&stranger);
	cr_assert_eq(size, sizeof(reply.models));
	cr_assert_eq(control_reply_check(&checked, &reply, size, &request.header), 0);
	cr_assert_eq(checked.models.level, CONTROL_SHORT_TERM);
	cr_assert_float_eq(checked.models.walk_ns_s, 0.5, 1e-12);
	cr_assert_eq(checked.models.models[0].scored, 7);
	cr_assert_str_eq(checked.models.models[0].reason, "used");
	reply.models.walk_ns_s = INFINITY;
	reply.models.models[0].error_ns = NAN;
	memset(reply.models.reason, '\t', sizeof(reply.models.reason));
	memset(reply.models.models[3].reason, 'x', sizeof(reply.models.models[3].reason));
	cr_assert_eq(control_reply_check(&checked, &reply, size, &request.header), 0);
	cr_assert_eq(checked.models.walk_ns_s, 0);
	cr_assert_eq(checked.models.models[0].error_ns, 0);
	cr_assert_eq(checked.models.reason[0], '?');
	cr_assert_eq(strlen(checked.models.models[3].reason), CONTROL_REASON_MAX - 1);
}

Test(control_protocol, tells_of_pages_and_no_more_than_it_has_room_for)
{
	size_t size;

	begin(CONTROL_PAGES);
	size = answer(&stranger);
	cr_assert_eq(size, sizeof(reply.pages));
	cr_assert_eq(control_reply_check(&checked, &reply, size, &request.header), 0);
	cr_assert_eq(checked.pages.count, 1);
	cr_assert_eq(checked.pages.bracket_ns, 30);
	cr_assert_eq(checked.pages.device_ns, 2);
	cr_assert_str_eq(control_backend_name(checked.pages.pages[0].backend), "module");
	cr_assert_str_eq(control_role_name(checked.pages.pages[0].role), "standby");
	cr_assert_str_eq(checked.pages.pages[0].path, "/dev/made_up");
	reply.pages.count = UINT32_MAX;
	reply.pages.pages[0].role = CONTROL_ROLES;
	reply.pages.pages[0].backend = CONTROL_BACKENDS;
	memset(reply.pages.reason, '\t', sizeof(reply.pages.reason));
	memset(reply.pages.pages[3].path, 'x', sizeof(reply.pages.pages[3].path));
	cr_assert_eq(control_reply_check(&checked, &reply, size, &request.header), 0);
	cr_assert_eq(checked.pages.count, CONTROL_PAGES_MAX);
	cr_assert_str_eq(control_role_name(checked.pages.pages[0].role), "unknown");
	cr_assert_str_eq(control_backend_name(checked.pages.pages[0].backend), "unknown");
	cr_assert_eq(checked.pages.reason[0], '?');
	cr_assert_eq(strlen(checked.pages.pages[3].path), 127);
}

Test(control_protocol, pages_through_any_number_of_sources)
{
	uint32_t count;

	for (count = 0; count <= 64; count++) {
		uint32_t seen = 0, rounds = 0;

		made_up.sources = count;
		begin(CONTROL_LIST);
		while (request.list.first != CONTROL_SOURCE_END) {
			char name[32];
			int32_t i;

			cr_assert_eq(ask(&stranger), 0);
			cr_assert_eq(checked.list.total, count);
			for (i = 0; i < checked.result.result; i++, seen++) {
				snprintf(name, sizeof(name), "source-%u", seen);
				cr_assert_str_eq(checked.list.sources[i].name, name);
				cr_assert_eq(checked.list.sources[i].number, 3 * seen);
			}
			request.list.first = checked.list.next;
			cr_assert_leq(++rounds, 64 / CONTROL_SOURCES + 1);
		}
		cr_assert_eq(seen, count);
	}
	begin(CONTROL_LIST);
	request.list.first = CONTROL_SOURCE_END;
	cr_assert_eq(ask(&stranger), 0);
	cr_assert_eq(checked.result.result, 0);
}

Test(control_protocol, lets_operators_alone_change_something)
{
	static const enum control_type types[] = {CONTROL_ONLINE, CONTROL_OFFLINE, CONTROL_RELOAD};
	unsigned int i;

	for (i = 0; i < 3; i++) {
		begin(types[i]);
		if (types[i] != CONTROL_RELOAD)
			strcpy(request.select.pattern, "10.*");
		made_up.result = 0;
		cr_assert_eq(ask(&stranger), -EPERM);
		cr_assert(strstr(checked.text.text, "control.group"));
		cr_assert_eq(made_up.online + made_up.offline + made_up.reloads, i);
		cr_assert_eq(ask(&chief), 0);
		cr_assert_eq(made_up.online + made_up.offline + made_up.reloads, i + 1);
	}
	cr_assert_str_eq(made_up.pattern, "10.*");
	made_up.result = -EINVAL;
	cr_assert_eq(ask(&chief), -EINVAL);
	cr_assert_str_eq(checked.text.text, "read");
}

Test(control_protocol, takes_replies_to_its_own_requests_alone)
{
	struct control_header other;
	size_t size;

	made_up.sources = 3;
	begin(CONTROL_LIST);
	size = answer(&stranger);
	cr_assert_eq(control_reply_check(&checked, &reply, size, &request.header), 0);
	other = request.header, other.tag++;
	cr_assert_eq(control_reply_check(&checked, &reply, size, &other), -EBADMSG);
	other = request.header, other.type = CONTROL_STATUS;
	cr_assert_eq(control_reply_check(&checked, &reply, size, &other), -EBADMSG);
	cr_assert_eq(control_reply_check(&checked, &reply, size - 1, &request.header), -EBADMSG);
	reply.result.result = 2; /* with three */
	cr_assert_eq(control_reply_check(&checked, &reply, size, &request.header), -EBADMSG);
	reply.result.result = CONTROL_SOURCES + 1;
	cr_assert_eq(control_reply_check(&checked, &reply, size, &request.header), -EBADMSG);
	reply.result.result = INT32_MAX;
	cr_assert_eq(control_reply_check(&checked, &reply, size, &request.header), -EBADMSG);
	reply.result.result = 3;
	reply.header.version++;
	cr_assert_eq(control_reply_check(&checked, &reply, size, &request.header),
		     -EPROTONOSUPPORT);
	reply.header.version--;
	memset(reply.list.sources[1].name, 'x', sizeof(reply.list.sources[1].name));
	strcpy(reply.list.sources[2].reason, "a\033[31m\n\x7f");
	cr_assert_eq(control_reply_check(&checked, &reply, size, &request.header), 0);
	cr_assert_eq(strlen(checked.list.sources[1].name), CONTROL_NAME_MAX - 1);
	cr_assert_str_eq(checked.list.sources[2].reason, "a?[31m\n?");
}

Test(control_protocol, names_everything_once)
{
	unsigned int i, j;

	for (i = 0; i < CONTROL_TERMS; i++)
		for (j = 0; j <= i; j++)
			cr_assert_eq(strcmp(control_term_name(i), control_term_name(j)) == 0,
				     i == j);
	for (i = 0; i < CONTROL_COUNTERS; i++)
		for (j = 0; j <= i; j++)
			cr_assert_eq(strcmp(control_counter_name(i), control_counter_name(j)) == 0,
				     i == j);
	for (i = 0; i < CONTROL_COVARIATE_COUNT; i++)
		for (j = 0; j <= i; j++)
			cr_assert_eq(strcmp(control_covariate_name(i), control_covariate_name(j)) ==
					     0,
				     i == j);
	for (i = 0; i < CONTROL_LEVELS; i++)
		for (j = 0; j <= i; j++)
			cr_assert_eq(strcmp(control_level_name(i), control_level_name(j)) == 0,
				     i == j);
	for (i = 0; i < CONTROL_MODEL_KINDS; i++)
		for (j = 0; j <= i; j++)
			cr_assert_eq(strcmp(control_model_name(i), control_model_name(j)) == 0,
				     i == j);
	cr_assert_str_eq(control_level_name(CONTROL_LEVELS), "unknown");
	cr_assert_str_eq(control_model_name(CONTROL_MODEL_KINDS), "unknown");
	cr_assert_str_eq(control_term_name(CONTROL_TERMS), "unknown");
	cr_assert_str_eq(control_counter_name(UINT32_MAX), "unknown");
}
