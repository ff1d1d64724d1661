/* SPDX-License-Identifier: MIT */
/* Every way to be wrong in a configuration, with its message. */
#include <errno.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "support/configuration.h"

#define ALLOWED_DOCUMENT                                                                           \
	"page, clock, leap, counter, trust, realtime, warm_up_s, state, audit, sample_log, models, covariates, log_level, keys, control or sources"
#define ALLOWED_SOURCE                                                                                  \
	"ntp, pool, ptp, phc, feed, maxsources, port, iburst, minpoll, maxpoll, samples_per_poll, "     \
	"xleave, hwtimestamp, key, profile, transport, domain, delay_mechanism, unicast, negotiation, " \
	"grant_s, announce_interval, sync_interval, delay_interval, announce_timeout, "                 \
	"timescale, utc_offset_s, accuracy_ns, stamps, asymmetry_ns, asymmetry_max_ns, minor_version, " \
	"udp6_scope, spp, poll, group, offline, prefer, trust or noselect"
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

Test(config_mistakes, every_mistake_is_named_with_its_line_its_key_and_what_is_allowed)
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
