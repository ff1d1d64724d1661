/* SPDX-License-Identifier: MIT */
/* The configuration: what is taken, every way to be wrong with its message, and the documents. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "config.h"
#include "keys.h"
#include "local/peer.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define GOOD "sources: [{ntp: a.example}]\n" /* one line, a list that is good */

/* Parse and collect the errors; free *errors. */
static int parse_bytes(struct config *config, const void *text, size_t size, char **errors)
{
	size_t length;
	FILE *stream = open_memstream(errors, &length);
	int r;

	cr_assert(stream);
	memset(config, 0, sizeof(*config));
	r = config_parse(config, "f.yaml", text, size, stream);
	fclose(stream);
	return r;
}

static int parse(struct config *config, const char *text, char **errors)
{
	return parse_bytes(config, text, strlen(text), errors);
}

#define ALLOWED_DOCUMENT                                                                           \
	"page, clock, leap, counter, trust, realtime, warm_up_s, state, audit, sample_log, models, covariates, log_level, keys, control or sources"
#define ALLOWED_SOURCE                                                                                  \
	"ntp, pool, ptp, phc, feed, maxsources, port, iburst, minpoll, maxpoll, samples_per_poll, "     \
	"xleave, hwtimestamp, key, profile, transport, domain, delay_mechanism, unicast, negotiation, " \
	"grant_s, announce_interval, sync_interval, delay_interval, announce_timeout, "                 \
	"timescale, utc_offset_s, accuracy_ns, stamps, asymmetry_ns, asymmetry_max_ns, minor_version, " \
	"udp6_scope, spp, poll, group, offline, prefer, trust or noselect"
#define ALLOWED_SOURCES                                                                            \
	"a list of 1 to 64 sources, members of pools counted, each a map with its kind (ntp, "     \
	"pool, ptp, phc or feed) as a key"
#define ALLOWED_SOCKET "allowed: none, or an absolute path of up to 107 bytes"
#define ALLOWED_HOST "a host name, an IPv4 or an IPv6 address"
#define ALLOWED_NAME "1 to 64 letters, digits, '.', '_' or '-', the first one no '.'"
#define NAME_50 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"

static const struct {
	const char *text;
	const char *errors;
} bad[] = {
	/* What is no configuration at all */
	{"", "f.yaml:1: (file): it is empty; allowed: a map of " ALLOWED_DOCUMENT "\n"},
	{"# nothing\n", "f.yaml:1: (file): it is empty; allowed: a map of " ALLOWED_DOCUMENT "\n"},
	{"\n- 1\n", "f.yaml:2: (file): it is no map; allowed: a map of " ALLOWED_DOCUMENT "\n"},
	{"word", "f.yaml:1: (file): it is no map; allowed: a map of " ALLOWED_DOCUMENT "\n"},
	{GOOD "page: a: b\n",
	 "f.yaml:2: page: \"a\" is a single value; allowed: a map of backend, shm_name, "
	 "frequency_hz, writer_timeout_ms, max_bound_ns or record_order\n"
	 "f.yaml:2: (file): no YAML: mapping values are not allowed in this context; "
	 "allowed: one YAML document\n"},
	{"sources: [",
	 "f.yaml:1: (file): no YAML: did not find expected node content, while parsing a flow node; "
	 "allowed: one YAML document\n"},
	{GOOD "log_level: \"\xff\"\n",
	 "f.yaml:2: (file): invalid leading UTF-8 octet; allowed: text in UTF-8\n"},
	{GOOD "log_level: \x01\n",
	 "f.yaml:2: (file): control characters are not allowed; allowed: text in UTF-8\n"},
	{GOOD "---\n" GOOD, "f.yaml:2: (file): a second document; allowed: one\n"},
	{GOOD "page: [[[[[[[[[[[[[[[[[[[[[[[[",
	 "f.yaml:2: page: it is a list; allowed: a map of backend, shm_name, frequency_hz, "
	 "writer_timeout_ms, max_bound_ns or record_order\n"
	 "f.yaml:2: (file): nested too deep; allowed: 16 levels\n"},
	{"sources: &a [{ntp: a.example}]\nwarm_up_s: *a\n",
	 "f.yaml:1: (file): an anchor; allowed: values in full\n"
	 "f.yaml:2: (file): an alias; allowed: values in full\n"},
	{GOOD "warm_up_s: !!int 5\n", "f.yaml:2: (file): a tag; allowed: values without one\n"},
	/* Keys */
	{GOOD "warmup_s: 5\n", "f.yaml:2: warmup_s: unknown key; allowed: " ALLOWED_DOCUMENT "\n"},
	{GOOD "\n\npage:\n  record_orders: document\n",
	 "f.yaml:5: page.record_orders: unknown key; allowed: backend, shm_name, frequency_hz, "
	 "writer_timeout_ms, max_bound_ns or record_order\n"},
	{GOOD "clock: {slew: 5}\n",
	 "f.yaml:2: clock.slew: unknown key; allowed: max_slew_ppb, step_threshold_ns, "
	 "max_drift_ppb, wander_ppb or max_distance_ms\n"},
	{GOOD "leap: {file: leaps.list}\n",
	 "f.yaml:2: leap.file: \"leaps.list\" is no absolute path; allowed: auto or none, "
	 "or an absolute path of up to 4095 bytes\n"},
	{GOOD "leap: {mode: slew}\n",
	 "f.yaml:2: leap.mode: \"slew\" is no such choice; allowed: step or smear\n"},
	{GOOD "leap:\n  mode: smear\n  file: none\n",
	 "f.yaml:4: leap.file: a smear needs to know of leap seconds; allowed with mode smear: "
	 "auto or an absolute path\n"},
	{GOOD "control: {mode: 0600}\n",
	 "f.yaml:2: control.mode: unknown key; allowed: socket or group\n"},
	{GOOD "control: {socket: run/control.sock}\n",
	 "f.yaml:2: control.socket: \"run/control.sock\" is no absolute path; " ALLOWED_SOCKET
	 "\n"},
	{GOOD "control: {socket: /" NAME_50 NAME_50 "1234567}\n",
	 "f.yaml:2: control.socket: \"/" NAME_50 "aaaaaaaaa...\" is too long; " ALLOWED_SOCKET
	 "\n"},
	{GOOD "control: {group: a/b}\n",
	 "f.yaml:2: control.group: \"a/b\" is no such file name; allowed: " ALLOWED_NAME "\n"},
	{GOOD "? [a, {b: c}]\n: {d: e}\n",
	 "f.yaml:2: (key): unknown key; allowed: " ALLOWED_DOCUMENT "\n"},
	{GOOD "\"\": 1\n", "f.yaml:2: \"\": unknown key; allowed: " ALLOWED_DOCUMENT "\n"},
	{GOOD "\"a\\nb\\e[31m\": 1\n",
	 "f.yaml:2: a\\x0ab\\x1b[31m: unknown key; allowed: " ALLOWED_DOCUMENT "\n"},
	{GOOD "\"counter\\0\": 1\n",
	 "f.yaml:2: counter\\x00: unknown key; allowed: " ALLOWED_DOCUMENT "\n"},
	{GOOD "page: {" NAME_50 NAME_50 ": 1}\n",
	 "f.yaml:2: page." NAME_50 "aaaaaaaaaa...: unknown key; allowed: backend, shm_name, "
	 "frequency_hz, writer_timeout_ms, max_bound_ns or record_order\n"},
	{GOOD "warm_up_s: 5\nwarm_up_s: 5\n",
	 "f.yaml:3: warm_up_s: duplicate key: it is in line 2 already; allowed: once\n"},
	{GOOD "page: {backend: shm,\n backend: shm}\n",
	 "f.yaml:3: page.backend: duplicate key: it is in line 2 already; allowed: once\n"},
	{GOOD "sources: []\n",
	 "f.yaml:2: sources: duplicate key: it is in line 1 already; allowed: once\n"},
	{"warm_up_s: 5\n", "f.yaml:1: sources: missing key; allowed: " ALLOWED_SOURCES "\n"},
	/* Values */
	{GOOD "warm_up_s: soon\n",
	 "f.yaml:2: warm_up_s: \"soon\" is no integer; allowed: an integer from 0 to 86400\n"},
	{GOOD "warm_up_s: \"5\"\n", "f.yaml:2: warm_up_s: \"5\" in quotes is a string; "
				    "allowed: an integer from 0 to 86400\n"},
	{GOOD "warm_up_s: 1.5\n",
	 "f.yaml:2: warm_up_s: \"1.5\" is no integer; allowed: an integer from 0 to 86400\n"},
	{GOOD "warm_up_s: 010\n",
	 "f.yaml:2: warm_up_s: \"010\" is no integer; allowed: an integer from 0 to 86400\n"},
	{GOOD "warm_up_s: -\n",
	 "f.yaml:2: (file): no YAML: block sequence entries are not allowed in this context; "
	 "allowed: one YAML document\n"},
	{GOOD "warm_up_s: -1\n",
	 "f.yaml:2: warm_up_s: -1 is out of range; allowed: an integer from 0 to 86400\n"},
	{GOOD "warm_up_s: 86401\n",
	 "f.yaml:2: warm_up_s: 86401 is out of range; allowed: an integer from 0 to 86400\n"},
	{GOOD "warm_up_s: 18446744073709551621\n",
	 "f.yaml:2: warm_up_s: 18446744073709551621 is out of range; "
	 "allowed: an integer from 0 to 86400\n"},
	{GOOD "warm_up_s:\n",
	 "f.yaml:2: warm_up_s: it has no value; allowed: an integer from 0 to 86400\n"},
	{GOOD "warm_up_s: ~\n",
	 "f.yaml:2: warm_up_s: it has no value; allowed: an integer from 0 to 86400\n"},
	{GOOD "warm_up_s: [5]\n",
	 "f.yaml:2: warm_up_s: it is a list; allowed: an integer from 0 to 86400\n"},
	{GOOD "warm_up_s: {a: 5}\n",
	 "f.yaml:2: warm_up_s: it is a map; allowed: an integer from 0 to 86400\n"},
	{GOOD "counter: sundial\n",
	 "f.yaml:2: counter: \"sundial\" is no such choice; allowed: auto, "
#if defined(__x86_64__)
	 "tsc or "
#elif defined(__aarch64__)
	 "cntvct or "
#endif
	 "monotonic_raw\n"},
	{GOOD "log_level: info\n", "f.yaml:2: log_level: \"info\" is no such choice; "
				   "allowed: DEBUG, INFO, WARNING or ERROR\n"},
	{GOOD "log_level: \"INFO\\0\"\n", "f.yaml:2: log_level: it has a NUL character in it; "
					  "allowed: DEBUG, INFO, WARNING or ERROR\n"},
	{GOOD "page: 5\n",
	 "f.yaml:2: page: \"5\" is a single value; allowed: a map of backend, shm_name, "
	 "frequency_hz, writer_timeout_ms, max_bound_ns or record_order\n"},
	{GOOD "page:\n",
	 "f.yaml:2: page: it has no value; allowed: a map of backend, shm_name, frequency_hz, "
	 "writer_timeout_ms, max_bound_ns or record_order\n"},
	{GOOD "page: {backend: shm, shm_name: none}\n",
	 "f.yaml:2: page.shm_name: there is no page at all with \"none\" and backend shm; allowed "
	 "with that: the name of a file\n"},
	{GOOD "page:\n  shm_name: none\n  backend: shm\n",
	 "f.yaml:4: page.shm_name: there is no page at all with \"none\" and backend shm; allowed "
	 "with that: the name of a file\n"},
	{GOOD "page: {backend: kernel}\n",
	 "f.yaml:2: page.backend: \"kernel\" is no such choice; allowed: auto, module or shm\n"},
	{GOOD "page: {frequency_hz: 1001}\n",
	 "f.yaml:2: page.frequency_hz: 1001 is out of range; allowed: an integer from 1 to 1000\n"},
	{GOOD "page: {frequency_hz: 0}\n",
	 "f.yaml:2: page.frequency_hz: 0 is out of range; allowed: an integer from 1 to 1000\n"},
	{GOOD "page: {shm_name: a/b}\n",
	 "f.yaml:2: page.shm_name: \"a/b\" is no such file name; allowed: " ALLOWED_NAME "\n"},
	{GOOD "page: {record_order: c}\n",
	 "f.yaml:2: page.record_order: \"c\" is no such choice; allowed: document or python\n"},
	{GOOD "page: {shm_name: .a}\n",
	 "f.yaml:2: page.shm_name: \".a\" is no such file name; allowed: " ALLOWED_NAME "\n"},
	{GOOD "page: {shm_name: \"\"}\n",
	 "f.yaml:2: page.shm_name: \"\" is no such file name; allowed: " ALLOWED_NAME "\n"},
	{GOOD "page: {shm_name: \"a\\0b\"}\n",
	 "f.yaml:2: page.shm_name: it has a NUL character in it; allowed: " ALLOWED_NAME "\n"},
	{GOOD "page: {shm_name: " NAME_50 "123456789012345}\n",
	 "f.yaml:2: page.shm_name: \"" NAME_50 "1234567890...\" is no such file name; "
	 "allowed: " ALLOWED_NAME "\n"},
	/* Sources */
	{GOOD "trust: {changes: start}\n",
	 "f.yaml:2: trust.changes: \"start\" is neither true nor false; allowed: true or false\n"},
	{GOOD "trust: {cpus: true}\n",
	 "f.yaml:2: trust.cpus: \"true\" is no such choice; allowed: always, start or never\n"},
	{GOOD "realtime: {lock_memory: yes}\n",
	 "f.yaml:2: realtime.lock_memory: \"yes\" is no such choice; allowed: auto, true or false\n"},
	{GOOD "realtime: {priority: 100}\n",
	 "f.yaml:2: realtime.priority: 100 is out of range; allowed: an integer from 0 to 99\n"},
	{"sources: []\n", "f.yaml:1: sources: an empty list; allowed: " ALLOWED_SOURCES "\n"},
	{"sources: a.example\n",
	 "f.yaml:1: sources: \"a.example\" is a single value; allowed: " ALLOWED_SOURCES "\n"},
	{"sources: {ntp: a.example}\n",
	 "f.yaml:1: sources: it is a map; allowed: " ALLOWED_SOURCES "\n"},
	{"sources:\n  - a.example\n",
	 "f.yaml:2: sources[0]: it is no map; allowed: a map of " ALLOWED_SOURCE "\n"},
	{"sources:\n  - iburst: true\n",
	 "f.yaml:2: sources[0]: it has no kind; allowed: one of ntp, pool, ptp, phc or feed\n"},
	{"sources:\n  - ptp: a/b\n    transport: serial\n    domain: 256\n",
	 "f.yaml:2: sources[0].ptp: \"a/b\" is no such name; allowed: the name of a network "
	 "interface, 1 to 15 bytes\n"
	 "f.yaml:3: sources[0].transport: \"serial\" is no such choice; allowed: l2, udp4 or udp6\n"
	 "f.yaml:4: sources[0].domain: 256 is out of range; allowed: an integer from 0 to 255\n"},
	{"sources:\n  - ptp: sixteen-and-more\n    iburst: true\n",
	 "f.yaml:2: sources[0].ptp: \"sixteen-and-more\" is no such name; allowed: the name of a "
	 "network interface, 1 to 15 bytes\n"
	 "f.yaml:3: sources[0].iburst: this kind of source has no such key; allowed: the keys of "
	 "its kind\n"},
	{"sources:\n  - ptp: eth0\n    unicast: a.example\n",
	 "f.yaml:3: sources[0].unicast: \"a.example\" is no address; allowed: none, or an IPv4 or an "
	 "IPv6 address\n"},
	{"sources:\n  - ptp: eth0\n    unicast: ::1\n    delay_mechanism: p2p\n",
	 "f.yaml:3: sources[0].unicast: transport udp4 has no such addresses; allowed: an IPv4 "
	 "address with udp4, an IPv6 address with udp6\n"
	 "f.yaml:3: sources[0].unicast: the neighbour is asked by multicast; allowed with "
	 "delay_mechanism p2p: none\n"},
	{"sources:\n  - ptp: eth0\n    profile: g8275.2\n",
	 "f.yaml:2: sources[0].unicast: profile g8275.2 has no multicast; allowed: the master's "
	 "address\n"},
	{"sources:\n  - ptp: eth0\n  - {ptp: eth0, domain: 1}\n  - {ptp: eth0, transport: l2}\n",
	 "f.yaml:4: sources[2].ptp: duplicate source: sources[0] is the same; allowed: another "
	 "interface, transport, domain or unicast master\n"},
	{"sources:\n  - ntp: a.example\n  - sundial: b.example\n    iburst: true\n",
	 "f.yaml:3: sources[1].sundial: unknown key; allowed: " ALLOWED_SOURCE "\n"
	 "f.yaml:3: sources[1]: it has no kind; allowed: one of ntp, pool, ptp, phc or feed\n"},
	{"sources:\n  - ntp: a.example\n    pool: b.example\n",
	 "f.yaml:3: sources[0].pool: a second kind: it is ntp already; allowed: one of ntp, pool, ptp, phc or feed\n"},
	{"sources:\n  - feed: /run/x\n",
	 "f.yaml:2: sources: a feed alone tells no time; allowed: " ALLOWED_SOURCES "\n"},
	{"sources:\n  - ntp: a\n  - feed: feed.sock\n",
	 "f.yaml:3: sources[1].feed: \"feed.sock\" is no absolute path; "
	 "allowed: an absolute path of up to 107 bytes\n"},
	{"sources:\n  - feed: /run/x\n    iburst: true\n  - ntp: a\n    group: b\n  - feed: /run/y\n",
	 "f.yaml:3: sources[0].iburst: this kind of source has no such key; allowed: the keys of "
	 "its kind\n"
	 "f.yaml:5: sources[1].group: this kind of source has no such key; allowed: the keys of "
	 "its kind\n"
	 "f.yaml:6: sources[2].feed: a second feed; allowed: one\n"},
	{"sources:\n  - maxsources: 4\n    ntp: a.example\n",
	 "f.yaml:2: sources[0].maxsources: this kind of source has no such key; allowed: the keys of "
	 "its kind\n"},
	{"sources:\n  - pool: a.example\n    maxsources: 17\n",
	 "f.yaml:3: sources[0].maxsources: 17 is out of range; allowed: an integer from 1 to 16\n"},
	{"sources:\n  - pool: a_b!\n",
	 "f.yaml:2: sources[0].pool: \"a_b!\" is no such host; allowed: " ALLOWED_HOST "\n"},
	{"sources:\n  - {pool: a, maxsources: 16}\n  - {pool: b, maxsources: 16}\n"
	 "  - {pool: c, maxsources: 16}\n  - {pool: d, maxsources: 15}\n  - ntp: e\n  - ntp: f\n",
	 "f.yaml:7: sources: too many sources; allowed: " ALLOWED_SOURCES "\n"},
	{"sources:\n  - ntp: a.example\n    ntp: b.example\n",
	 "f.yaml:3: sources[0].ntp: duplicate key: it is in line 2 already; allowed: once\n"},
	{"sources: [{ntp: a.example, samples_per_poll: 9}]\n",
	 "f.yaml:1: sources[0].samples_per_poll: 9 is out of range; "
	 "allowed: an integer from 1 to 8\n"},
	{"sources: [{ntp: a.example, iburst: yes}]\n",
	 "f.yaml:1: sources[0].iburst: \"yes\" is neither true nor false; "
	 "allowed: true or false\n"},
	{"sources:\n  - phc: /dev/ptp0\n",
	 "f.yaml:2: sources[0].timescale: a clock does not say which its time is; allowed with phc: tai "
	 "or utc\n"},
	{"sources:\n  - {phc: /dev/ptp0, timescale: tai}\n  - {phc: /dev/ptp0, timescale: utc, poll: 11}\n",
	 "f.yaml:3: sources[1].poll: 11 is out of range; allowed: an integer from -3 to 10\n"
	 "f.yaml:3: sources[1].phc: duplicate source: sources[0] is the same; allowed: each once\n"},
	{"sources: [{ntp: a.example, hwtimestamp: eth0123456789abc}]\n",
	 "f.yaml:1: sources[0].hwtimestamp: \"eth0123456789abc\" is no such name; allowed: none, or "
	 "the name of a network interface, 1 to 15 bytes\n"},
	{"sources: [{ntp: a.example, xleave: on}]\n",
	 "f.yaml:1: sources[0].xleave: \"on\" is neither true nor false; "
	 "allowed: true or false\n"},
	{"sources: [{ntp: a.example, key: 4294967296}]\n",
	 "f.yaml:1: sources[0].key: 4294967296 is out of range; "
	 "allowed: an integer from 0 to 4294967295\n"},
	{"sources:\n  - ntp: a.example\n    key: 7\n",
	 "f.yaml:3: sources[0].key: there is no file of keys; "
	 "allowed: 0, or an ID in the file that \"keys\" names\n"},
	{GOOD "keys: chrony.keys\n", "f.yaml:2: keys: \"chrony.keys\" is no absolute path; "
				     "allowed: none, or an absolute path of up to 4095 bytes\n"},
	{"sources:\n  - ntp: a.example\n    noselect: true\n    trust: true\n",
	 "f.yaml:3: sources[0].noselect: a source that is never used has prefer or trust; "
	 "allowed: one or the other\n"},
	{"sources: [{ntp: a.example, prefer: 1}]\n",
	 "f.yaml:1: sources[0].prefer: \"1\" is neither true nor false; "
	 "allowed: true or false\n"},
	{"sources: [{ntp: a.example, offline: 1}]\n",
	 "f.yaml:1: sources[0].offline: \"1\" is neither true nor false; "
	 "allowed: true or false\n"},
	{"sources: [{ntp: a.example, minpoll: -4}]\n",
	 "f.yaml:1: sources[0].minpoll: -4 is out of range; "
	 "allowed: an integer from -3 to 17\n"},
	{"sources: [{ntp: a.example, port: 0}]\n",
	 "f.yaml:1: sources[0].port: 0 is out of range; allowed: an integer from 1 to 65535\n"},
	{"sources:\n  - maxpoll: 6\n    ntp: a.example\n    minpoll: 7\n",
	 "f.yaml:4: sources[0].minpoll: 7 is above maxpoll, 6; allowed: minpoll up to maxpoll\n"},
	{"sources:\n  - ntp: a.example\n    minpoll: 11\n",
	 "f.yaml:3: sources[0].minpoll: 11 is above maxpoll, 10; allowed: minpoll up to maxpoll\n"},
	{"sources:\n  - ntp: a.example\n  - ntp: A.EXAMPLE\n    port: 123\n",
	 "f.yaml:3: sources[1].ntp: duplicate source: A.EXAMPLE port 123 is in line 2 already; "
	 "allowed: each once\n"},
	{"sources:\n  - ntp: a.example\n  - pool: a.example\n",
	 "f.yaml:3: sources[1].pool: duplicate source: a.example port 123 is in line 2 already; "
	 "allowed: each once\n"},
	{"sources:\n  - ntp: \"2001:db8::1\"\n  - ntp: \"2001:DB8:0::1\"\n",
	 "f.yaml:3: sources[1].ntp: duplicate source: 2001:DB8:0::1 port 123 is in line 2 already; "
	 "allowed: each once\n"},
	{GOOD "models: {short_term: {interval_s: 30}}\n",
	 "f.yaml:2: models.short_term.horizon_s: 30 is not beyond interval_s and lead_s together, "
	 "30; allowed: more than that\n"},
	{GOOD "models:\n  long_term:\n    horizon_s: 100\n    lead_s: 80\n",
	 "f.yaml:4: models.long_term.horizon_s: 100 is not beyond interval_s and lead_s together, "
	 "110; allowed: more than that\n"},
	{GOOD "models:\n  short_term:\n    horizon_s: 100\n    lead_s: 31\n",
	 "f.yaml:5: models.short_term.lead_s: 31 is more than 6 times interval_s; allowed: up to "
	 "30\n"},
	{GOOD "models: {long_term: {lead_s: -1}}\n",
	 "f.yaml:2: models.long_term.lead_s: -1 is out of range; allowed: an integer from 0 to "
	 "3600\n"},
	{GOOD "models:\n  retroactive: forget\n",
	 "f.yaml:3: models.retroactive: \"forget\" is no such choice; allowed: none, linear, "
	 "drift_aware, advanced, advance_absolute or backtracking\n"},
	{GOOD "covariates: {temperature: cpu}\n",
	 "f.yaml:2: covariates.temperature: \"cpu\" is no absolute path; allowed: auto or none, "
	 "or an absolute path of up to 255 bytes\n"},
	{GOOD "covariates: {interval_s: 0}\n",
	 "f.yaml:2: covariates.interval_s: 0 is out of range; "
	 "allowed: an integer from 1 to 3600\n"},
	/* Several at once, in the order of the file, and what follows is still read */
	{"page:\n  frequency_hz: 5000\n  shmname: x\nwarm_up_s: {a: [b, {c: d}]}\nsources:\n"
	 "  - ntp: -a\n    port: x\n  - ntp: b.example\n    minpol: 3\nlog_level: LOUD\n",
	 "f.yaml:2: page.frequency_hz: 5000 is out of range; allowed: an integer from 1 to 1000\n"
	 "f.yaml:3: page.shmname: unknown key; allowed: backend, shm_name, frequency_hz, "
	 "writer_timeout_ms, max_bound_ns or record_order\n"
	 "f.yaml:4: warm_up_s: it is a map; allowed: an integer from 0 to 86400\n"
	 "f.yaml:6: sources[0].ntp: \"-a\" is no such host; allowed: " ALLOWED_HOST "\n"
	 "f.yaml:7: sources[0].port: \"x\" is no integer; allowed: an integer from 1 to 65535\n"
	 "f.yaml:9: sources[1].minpol: unknown key; allowed: " ALLOWED_SOURCE "\n"
	 "f.yaml:10: log_level: \"LOUD\" is no such choice; "
	 "allowed: DEBUG, INFO, WARNING or ERROR\n"},
};

Test(config, every_mistake_is_named_with_its_line_its_key_and_what_is_allowed)
{
	struct config config;
	char *errors;
	size_t i;

	for (i = 0; i < LENGTH(bad); i++) {
		cr_expect_eq(parse(&config, bad[i].text, &errors), -EINVAL, "%s", bad[i].text);
		cr_expect_str_eq(errors, bad[i].errors, "%s\ngives\n%s", bad[i].text, errors);
		free(errors);
	}
}

Test(config, the_engine_is_given_the_method_of_correction)
{
	struct models_config models;
	struct engine_config engine;
	enum retro_method method;
	struct config config;
	char text[128], *errors;

	cr_assert_eq(parse(&config, GOOD, &errors), 0);
	config_engine(&config, &engine, &models);
	cr_assert_eq(models.retroactive, models_default.retroactive);
	config_clear(&config);
	free(errors);
	for (method = 0; method < RETRO_METHODS; method++) {
		snprintf(text, sizeof(text), GOOD "models: {retroactive: %s}\n",
			 retro_name(method));
		cr_assert_eq(parse(&config, text, &errors), 0, "%s", errors);
		config_engine(&config, &engine, &models);
		cr_assert_eq(engine.models->retroactive, method);
		config_clear(&config);
		free(errors);
	}
}

Test(config, hosts_are_names_or_addresses)
{
	static const char *const good[] = {
		"a",
		"a.example",
		"a.example.",
		"0.debian.pool.ntp.org",
		"192.0.2.1",
		"::1",
		"2001:db8::1",
		"fe80::1%eth0",
		"_ntp._udp.example",
		"xn--bcher-kva.example",
		"3com",
	};
	static const char *const refused[] = {
		"",
		"-a",
		"a-",
		"a-.b",
		".",
		"a..b",
		".a",
		"a b",
		"a/b",
		"300.0.2.1",
		"1.2.3",
		"1",
		"2001:db8::g",
		"fe80::1%",
		"fe80::1%a/b",
		"fe80::1%sixteen-and-more",
		"b\303\274cher.example",
		"a:123",
		"[::1]",
		"a;b",
		"$(a)",
	};
	char text[512], label[65];
	struct config config;
	char *errors;
	size_t i;

	for (i = 0; i < LENGTH(good); i++) {
		snprintf(text, sizeof(text), "sources: [{ntp: \"%s\"}]", good[i]);
		cr_assert_eq(parse(&config, text, &errors), 0, "%s: %s", text, errors);
		cr_assert_str_eq(config.sources[0].ntp.server, good[i]);
		config_clear(&config);
		free(errors);
	}
	for (i = 0; i < LENGTH(refused); i++) {
		snprintf(text, sizeof(text), "sources: [{ntp: \"%s\"}]", refused[i]);
		cr_assert_eq(parse(&config, text, &errors), -EINVAL, "%s", text);
		cr_assert(strstr(errors, "f.yaml:1: sources[0].ntp: "), "%s", errors);
		free(errors);
	}
	for (i = 63; i <= 64; i++) {
		memset(label, 'a', i);
		label[i] = '\0';
		snprintf(text, sizeof(text), "sources: [{ntp: %s.example}]", label);
		cr_assert_eq(parse(&config, text, &errors), i == 63 ? 0 : -EINVAL);
		config_clear(&config);
		free(errors);
	}
}

Test(config, every_value_arrives_in_its_member)
{
	static const char text[] =
		"page:\n  backend: shm\n  shm_name: other\n  frequency_hz: 1000\n"
		"  writer_timeout_ms: 2000\n  max_bound_ns: 4000000000\n  record_order: python\n"
		"clock:\n  max_slew_ppb: 20000\n  step_threshold_ns: 3000\n"
		"  max_drift_ppb: 4000\n  wander_ppb: 50\n"
		"  max_distance_ms: 600\n"
		"leap:\n  file: /etc/leaps\n  mode: smear\n"
		"covariates: {temperature: /sys/x*, cpu_frequency: false, cpu_load: false,\n"
		"  memory: false, interval_s: 3600}\n"
		"keys: /a/b\ncounter: monotonic_raw\nwarm_up_s: 7\nlog_level: DEBUG\n"
		"control: {socket: /run/x/y.sock, group: operators}\n"
		"sources:\n  - ntp: a.example\n    port: 65535\n    iburst: true\n"
		"    minpoll: -3\n    maxpoll: 17\n    samples_per_poll: 8\n    offline: true\n"
		"    xleave: true\n    hwtimestamp: eth0\n    key: 4294967295\n    prefer: true\n    trust: true\n"
		"  - {ntp: \"::1\", noselect: true}\n  - {pool: b.example, maxsources: 16, port: 124}\n";
	struct config config;
	char *errors;

	cr_assert_eq(parse(&config, text, &errors), 0, "%s", errors);
	cr_assert_str_eq(errors, "");
	free(errors);
	cr_assert_eq(config.page.backend, PUBLISH_SHM);
	cr_assert_str_eq(config.page.shm_name, "other");
	cr_assert_eq(config.page.frequency_hz, 1000);
	cr_assert_eq(config.page.writer_timeout_ms, 2000);
	cr_assert_eq(config.page.max_bound_ns, 4000000000);
	cr_assert_eq(config.page.record_order, CHRONOTICK_ORDER_PYTHON);
	cr_assert_eq(config.page.max_slew_ppb, 20000);
	cr_assert_eq(config.page.step_threshold_ns, 3000);
	cr_assert_eq(config.max_drift_ppb, 4000);
	cr_assert_eq(config.wander_ppb, 50);
	cr_assert_eq(config.max_distance_ms, 600);
	cr_assert_str_eq(config.leap.file, "/etc/leaps");
	cr_assert_eq(config.leap.mode, LEAP_SMEAR);
	cr_assert_str_eq(config.covariates.temperature, "/sys/x*");
	cr_assert_eq(config.covariates.cpu_frequency, false);
	cr_assert_eq(config.covariates.cpu_load, false);
	cr_assert_eq(config.covariates.memory, false);
	cr_assert_eq(config.covariates.interval_s, 3600);
	cr_assert_eq(config.counter_kind, CHRONOTICK_COUNTER_MONOTONIC_RAW);
	cr_assert_eq(config.warm_up_s, 7);
	cr_assert_eq(config.log_priority, LOG_DEBUG);
	cr_assert_str_eq(config.control.socket, "/run/x/y.sock");
	cr_assert_str_eq(config.control.group, "operators");
	cr_assert_eq(config.source_count, 3);
	cr_assert_str_eq(config.sources[0].ntp.server, "a.example");
	cr_assert_eq(config.sources[0].ntp.port, 65535);
	cr_assert_eq(config.sources[0].ntp.iburst, true);
	cr_assert_eq(config.sources[0].ntp.minpoll, -3);
	cr_assert_eq(config.sources[0].ntp.maxpoll, 17);
	cr_assert_eq(config.sources[0].ntp.samples, 8);
	cr_assert_eq(config.sources[1].ntp.samples, 1);
	cr_assert_eq(config.sources[0].offline, true);
	cr_assert_eq(config.sources[0].ntp.xleave, true);
	cr_assert_str_eq(config.sources[0].ntp.interface, "eth0");
	cr_assert_eq(config.sources[0].ntp.key.id, 4294967295);
	cr_assert_str_eq(config.keys, "/a/b");
	cr_assert(config.sources[0].prefer && config.sources[0].trust);
	cr_assert(!config.sources[0].noselect && config.sources[1].noselect);
	cr_assert(!config.sources[1].prefer && !config.sources[1].trust);
	cr_assert_eq(config.sources[1].ntp.xleave, false);
	cr_assert_null(config.sources[1].ntp.interface);
	cr_assert_eq(config.sources[1].ntp.key.id, 0);
	cr_assert_str_eq(config.sources[1].ntp.server, "::1");
	cr_assert_eq(config.sources[1].ntp.port, 123);
	cr_assert_eq(config.sources[1].ntp.iburst, false);
	cr_assert_eq(config.sources[1].ntp.minpoll, 6);
	cr_assert_eq(config.sources[1].ntp.maxpoll, 10);
	cr_assert_eq(config.sources[1].offline, false);
	cr_assert_eq(config.sources[1].type, SOURCE_NTP);
	cr_assert_eq(config.sources[2].type, SOURCE_POOL);
	cr_assert_str_eq(config.sources[2].ntp.server, "b.example");
	cr_assert_eq(config.sources[2].ntp.port, 124);
	cr_assert_eq(config.sources[2].maxsources, 16);
	cr_assert_null(config.feed.path);
	config_clear(&config);
	cr_assert_null(config.strings);
}

Test(config, a_feed_stands_apart_from_the_sources_of_time)
{
	static const char text[] = "sources:\n  - {ntp: a, key: 0}\n"
				   "  - {feed: /run/feed.sock, group: models, offline: true}\n"
				   "  - {pool: b, maxsources: 3}\n";
	struct config config;
	char *errors;

	cr_assert_eq(parse(&config, text, &errors), 0, "%s", errors);
	free(errors);
	cr_assert_eq(config.source_count, 2);
	cr_assert_str_eq(config.sources[0].ntp.server, "a");
	cr_assert_str_eq(config.sources[1].ntp.server, "b");
	cr_assert_eq(config.sources[1].maxsources, 3);
	cr_assert_null(config.sources[1].feed);
	cr_assert_str_eq(config.feed.path, "/run/feed.sock");
	cr_assert_str_eq(config.feed.group, "models");
	cr_assert(config.feed.offline);
	config_clear(&config);
	cr_assert_eq(parse(&config, "sources: [{feed: /a}, {ntp: b}]\n", &errors), 0);
	free(errors);
	cr_assert_str_eq(config.feed.group, LOCAL_NO_GROUP);
	cr_assert(!config.feed.offline);
	config_clear(&config);
}

Test(config, defaults_are_debians_pool)
{
	struct config config;

	cr_assert_eq(config_defaults(&config), 0);
	cr_assert_eq(config.source_count, 1);
	cr_assert_eq(config.sources[0].type, SOURCE_POOL);
	cr_assert_str_eq(config.sources[0].ntp.server, "2.debian.pool.ntp.org");
	cr_assert_eq(config.sources[0].ntp.iburst, true);
	cr_assert_eq(config.sources[0].maxsources, 4);
	cr_assert_eq(config.page.backend, PUBLISH_AUTO);
	cr_assert(!config.page.standby);
	cr_assert_str_eq(config.page.shm_name, "chronotick_shm");
	cr_assert_eq(config.page.frequency_hz, 100);
	cr_assert_eq(config.page.writer_timeout_ms, 10000);
	cr_assert_eq(config.page.max_bound_ns, 1000000000);
	cr_assert_eq(config.warm_up_s, 180);
	cr_assert_eq(config.counter_kind, CHRONOTICK_COUNTER_NONE);
	cr_assert_eq(config.log_priority, LOG_INFO);
	cr_assert_str_eq(config.control.socket, "/run/chronotick/control.sock");
	cr_assert_str_eq(config.control.group, LOCAL_NO_GROUP);
	config_clear(&config);
}

Test(config, none_is_no_control_socket)
{
	struct config config;
	char *errors;

	cr_assert_eq(parse(&config, GOOD "control: {socket: none}\n", &errors), 0, "%s", errors);
	cr_assert_null(config.control.socket);
	config_clear(&config);
	free(errors);
}

Test(config, sixty_four_sources_are_taken_and_no_more)
{
	char text[4096] = "sources:\n";
	struct config config;
	size_t used;
	char *errors;
	unsigned int i;

	for (i = 0; i < 64; i++) {
		used = strlen(text);
		snprintf(text + used, sizeof(text) - used, "  - ntp: 192.0.2.%u\n", i);
	}
	cr_assert_eq(parse(&config, text, &errors), 0, "%s", errors);
	cr_assert_eq(config.source_count, 64);
	cr_assert_str_eq(config.sources[63].ntp.server, "192.0.2.63");
	config_clear(&config);
	free(errors);
	strcat(text, "  - ntp: 192.0.2.64\n");
	cr_assert_eq(parse(&config, text, &errors), -EINVAL);
	cr_assert_str_eq(errors,
			 "f.yaml:66: sources: too many sources; allowed: " ALLOWED_SOURCES "\n");
	free(errors);
	/* A feed is none of the sixty-four. */
	*strrchr(text, '-') = '\0';
	strcat(text, "- feed: /run/x\n");
	cr_assert_eq(parse(&config, text, &errors), 0, "%s", errors);
	cr_assert_eq(config.source_count, 64);
	cr_assert_str_eq(config.feed.path, "/run/x");
	config_clear(&config);
	free(errors);
}

/* Load a file with these bytes; NULL: there is none. */
static int load(char *path, const void *bytes, size_t size, char **errors)
{
	struct config config = {0};
	size_t length;
	FILE *stream = open_memstream(errors, &length), *file;
	int r;

	if (bytes) {
		file = fopen(path, "w");
		cr_assert(file);
		cr_assert_eq(fwrite(bytes, 1, size, file), size);
		fclose(file);
	}
	r = config_load(&config, path, stream);
	fclose(stream);
	config_clear(&config);
	return r;
}

Test(config, files_are_read_up_to_a_mebibyte)
{
	char directory[] = "/tmp/chronotick-config-XXXXXX", path[64], expected[256];
	char *text = malloc(CONFIG_SIZE_MAX + 2), *errors;

	cr_assert(text && mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/f.yaml", directory);
	cr_assert_eq(load(path, NULL, 0, &errors), -EINVAL);
	snprintf(expected, sizeof(expected),
		 "%s:1: (file): it cannot be read: No such file or directory; "
		 "allowed: a readable file\n",
		 path);
	cr_assert_str_eq(errors, expected);
	free(errors);

	cr_assert_eq(load(directory, NULL, 0, &errors), -EINVAL);
	snprintf(expected, sizeof(expected),
		 "%s:1: (file): it cannot be read: Is a directory; allowed: a readable file\n",
		 directory);
	cr_assert_str_eq(errors, expected);
	free(errors);

	memset(text, '\n', CONFIG_SIZE_MAX + 2);
	memcpy(text, GOOD, sizeof(GOOD) - 1);
	cr_assert_eq(load(path, text, CONFIG_SIZE_MAX, &errors), 0, "%s", errors);
	free(errors);
	cr_assert_eq(load(path, text, CONFIG_SIZE_MAX + 1, &errors), -EINVAL);
	snprintf(expected, sizeof(expected), "%s:1: (file): too large; allowed: 1048576 bytes\n",
		 path);
	cr_assert_str_eq(errors, expected);
	free(errors);
	free(text);
	unlink(path);
	rmdir(directory);
}

/* ---- The documents ---- */

/* A profile is what the file does not say. */
Test(config, a_ptp_source_has_its_profile_and_what_is_given)
{
	struct config config;
	char *errors;

	cr_assert_eq(parse(&config,
			   "sources:\n  - ptp: eth0\n  - {ptp: eth0, profile: g8275.1}\n"
			   "  - {ptp: eth1, profile: gptp, sync_interval: -5, domain: 20}\n"
			   "  - {ptp: eth1.100, profile: g8275.2, unicast: 192.0.2.1, spp: 7, "
			   "asymmetry_ns: -25, asymmetry_max_ns: 0, accuracy_ns: 40}\n"
			   "  - {ptp: eth2, unicast: \"2001:db8::1\", transport: udp6, "
			   "negotiation: false, grant_s: 60, utc_offset_s: 37, timescale: tai}\n",
			   &errors),
		     0, "%s", errors);
	cr_assert_eq(config.source_count, 5);
	cr_expect_str_eq(config.sources[0].ptp.interface, "eth0");
	cr_expect_eq(config.sources[0].type, SOURCE_PTP);
	cr_expect_eq(config.sources[0].ptp.transport, PTP_L2);
	cr_expect_eq(config.sources[0].ptp.domain, 0);
	cr_expect_eq(config.sources[0].ptp.mechanism, PTP_E2E);
	cr_expect_eq(config.sources[0].ptp.log_announce, 1);
	cr_expect_eq(config.sources[0].ptp.asymmetry_max_ns, -1);
	cr_expect_null(config.sources[0].ptp.unicast);
	cr_expect_eq(config.sources[1].ptp.domain, 24);
	cr_expect_eq(config.sources[1].ptp.log_sync, -4);
	cr_expect_eq(config.sources[1].ptp.algorithm, PTP_BEST_G8275);
	cr_expect_eq(config.sources[2].ptp.mechanism, PTP_P2P);
	cr_expect_eq(config.sources[2].ptp.gptp, true);
	cr_expect_eq(config.sources[2].ptp.log_sync, -5);
	cr_expect_eq(config.sources[2].ptp.domain, 20);
	cr_expect_eq(config.sources[3].ptp.transport, PTP_UDP4);
	cr_expect_eq(config.sources[3].ptp.domain, 44);
	cr_expect_eq(config.sources[3].ptp.announce_timeout, 2);
	cr_expect_str_eq(config.sources[3].ptp.unicast, "192.0.2.1");
	cr_expect_eq(config.sources[3].ptp.negotiates, true);
	cr_expect_eq(config.sources[3].ptp.auth.spp, 7);
	cr_expect_eq(config.sources[3].ptp.asymmetry_ns, -25);
	cr_expect_eq(config.sources[3].ptp.asymmetry_max_ns, 0);
	cr_expect_eq(config.sources[3].ptp.accuracy_ns, 40);
	cr_expect_eq(config.sources[4].ptp.transport, PTP_UDP6);
	cr_expect_eq(config.sources[4].ptp.negotiates, false);
	cr_expect_eq(config.sources[4].ptp.grant_s, 60);
	cr_expect_eq(config.sources[4].ptp.utc_offset_s, 37);
	cr_expect_eq(config.sources[4].ptp.timescale, PTP_TIMESCALE_TAI);
	config_clear(&config);
	free(errors);
}

static char *document(const char *name)
{
	char path[512];
	char *text = calloc(1, 65536);
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", DOCUMENTATION, name);
	file = fopen(path, "r");
	cr_assert(file, "%s", path);
	cr_assert(text);
	cr_assert_gt(fread(text, 1, 65535, file), 0);
	fclose(file);
	return text;
}

/*
 * In the example a comment is prose if one space and a word follow its '#'; else it is a setting,
 * and its value the default.
 */
static void uncomment(char *text)
{
	char *from = text, *to = text, *end;
	bool prose;

	for (; *from; from = end) {
		end = strchrnul(from, '\n');
		end += *end == '\n';
		prose = from[0] == '#' && (from[1] == '\n' || (from[1] == ' ' && from[2] != ' '));
		if (prose)
			continue;
		if (*from == '#')
			from++;
		memmove(to, from, (size_t)(end - from));
		to += end - from;
	}
	*to = '\0';
}

static void check_example(const struct key_group *group, const char *text, unsigned int *count)
{
	char line[128], prose[128];
	unsigned int i;

	for (i = 0; i < group->count; i++) {
		const struct key *key = &group->keys[i];

		snprintf(prose, sizeof(prose), "(default: %s)", key->initial ? key->initial : "");
		snprintf(line, sizeof(line), "%s:%s%s", key->name,
			 key->initial && *key->initial ? " " : "",
			 key->initial ? key->initial : "");
		cr_expect(strstr(text, line) || strstr(text, prose), "the example lacks \"%s\"",
			  line);
		(*count)++;
		if (key->group)
			check_example(key->group, text, count);
	}
}

Test(config, the_example_is_good_and_shows_every_key_with_its_default)
{
	char *text = document("chronotickd.example.yaml"), *errors;
	struct config config, shown, initial;
	unsigned int count = 0;

	cr_assert_eq(parse(&config, text, &errors), 0, "%s", errors);
	cr_assert_eq(config.source_count, 1);
	config_clear(&config);
	free(errors);

	check_example(&keys_document, text, &count);
	cr_assert_eq(count, 99);
	uncomment(text);
	cr_assert_eq(parse(&shown, text, &errors), 0, "%s\n%s", errors, text);
	free(errors);
	cr_assert_eq(parse(&initial, GOOD, &errors), 0);
	free(errors);
	cr_assert_str_eq(shown.page.shm_name, initial.page.shm_name);
	shown.page.shm_name = initial.page.shm_name;
	cr_assert_eq(memcmp(&shown.page, &initial.page, sizeof(shown.page)), 0);
	cr_assert_eq(shown.warm_up_s, initial.warm_up_s);
	cr_assert_eq(shown.wander_ppb, initial.wander_ppb);
	cr_assert_eq(shown.max_drift_ppb, initial.max_drift_ppb);
	cr_assert_eq(shown.max_distance_ms, initial.max_distance_ms);
	cr_assert_eq(shown.counter_kind, initial.counter_kind);
	cr_assert_eq(shown.log_priority, initial.log_priority);
	cr_assert_str_eq(shown.control.socket, initial.control.socket);
	cr_assert_str_eq(shown.control.group, initial.control.group);
	cr_assert_str_eq(shown.archive.state_file, initial.archive.state_file);
	cr_assert_eq(shown.archive.state_interval_s, initial.archive.state_interval_s);
	cr_assert_null(shown.archive.audit.directory);
	cr_assert_null(initial.archive.audit.directory);
	cr_assert_eq(shown.archive.audit.limits.rotate_s, initial.archive.audit.limits.rotate_s);
	cr_assert_eq(shown.archive.audit.limits.keep, initial.archive.audit.limits.keep);
	cr_assert_null(shown.archive.samples.directory);
	cr_assert_null(initial.archive.samples.directory);
	cr_assert_eq(shown.archive.samples.limits.rotate_s,
		     initial.archive.samples.limits.rotate_s);
	cr_assert_eq(shown.archive.samples.limits.keep, initial.archive.samples.limits.keep);
	cr_assert_eq(memcmp(&shown.models, &initial.models, sizeof(shown.models)), 0);
	cr_assert_str_eq(shown.covariates.temperature, COVARIATE_AUTO);
	cr_assert_str_eq(initial.covariates.temperature, COVARIATE_AUTO);
	cr_assert_eq(shown.covariates.cpu_frequency, initial.covariates.cpu_frequency);
	cr_assert_eq(shown.covariates.cpu_load, initial.covariates.cpu_load);
	cr_assert_eq(shown.covariates.memory, initial.covariates.memory);
	cr_assert_eq(shown.covariates.interval_s, initial.covariates.interval_s);
	config_clear(&shown);
	config_clear(&initial);
	free(text);
}

/* The manual says for each key "*name*", and below it what is allowed and the default. */
static void check_manual(const struct key_group *group, const char *text)
{
	char name[64], allowed[KEY_TEXT_MAX], line[2 * KEY_TEXT_MAX];
	const char *at;
	unsigned int i;

	for (i = 0; i < group->count; i++) {
		const struct key *key = &group->keys[i];

		snprintf(name, sizeof(name), "\n*%s*", key->name);
		at = strstr(text, name);
		cr_expect(at, "the manual lacks %s", key->name);
		if (key->group) {
			check_manual(key->group, text);
			continue;
		}
		if (!at || strcmp(key->name, "counter") == 0) /* its choices differ by machine */
			continue;
		key_allowed(key, allowed);
		if (key->names_type)
			snprintf(line, sizeof(line), "\tAllowed: %s.\n", allowed);
		else if (key->initial)
			snprintf(line, sizeof(line), "\tAllowed: %s. Default: %s.\n", allowed,
				 key->initial);
		else
			snprintf(line, sizeof(line), "\tAllowed: %s. Must be given.\n", allowed);
		cr_expect(strstr(at, line), "the manual lacks, for %s: %s", key->name, line);
	}
}

Test(config, the_manual_tells_range_and_default_of_every_key)
{
	char *text = document("chronotickd.yaml.5.scd"), *from, *to;

	/* scdoc's escapes */
	for (from = to = text; *from; from++)
		if (*from != '\\')
			*to++ = *from;
	*to = '\0';
	check_manual(&keys_document, text);
	free(text);
}
