#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What an operator says of servers. Two of four lie and are of one mind, so nobody can tell who is
# right, but the operator does: one is trusted. Another true one is preferred, and asked four times a
# poll. A fifth, that lies too, is only measured. Each is shown with what it is, and liars with how far
# they are off, in the list, in JSON and in the log.
. "$(dirname "$0")/lib.sh"
servers 2
for n in 13 14 15; do
	reference_begin "$n" 0.05 || fail "the liar $n does not start"
done
for n in 13 14 15; do
	reference_ready "$n" || fail "the liar $n does not synchronise"
done
cat >"$work/chronotick.yaml" <<END
page: {shm_name: $shm_name}
control: {socket: $CHRONOTICK_CONTROL}
sources:
  - {ntp: 10.77.0.11, iburst: true, minpoll: 0, maxpoll: 2, trust: true}
  - {ntp: 10.77.0.12, minpoll: 4, maxpoll: 4, prefer: true, samples_per_poll: 4}
  - {ntp: 10.77.0.13, iburst: true, minpoll: 0, maxpoll: 2}
  - {ntp: 10.77.0.14, iburst: true, minpoll: 0, maxpoll: 2}
  - {ntp: 10.77.0.15, iburst: true, minpoll: 0, maxpoll: 2, noselect: true}
END
daemon
"$truth" --seconds 10 --reads 100000 --all-trusted || { fail "the truth, see above"; finish; }
"$chronotick" sources --json >"$work/sources.json" || fail "sources --json ends with $?"
python3 - "$work/sources.json" >"$work/wrong.log" <<'END' || fail "$(cat "$work/wrong.log")"
import json, sys

MS = 1000000
sources = {s["name"][-2:]: s for s in json.load(open(sys.argv[1]))["sources"]}
expected = {
    "11": ("candidate", "agrees with the majority, but others are preferred"),
    "12": ("selected", "agrees with the majority"),
    "13": ("falseticker", "disagrees with the trusted sources"),
    "14": ("falseticker", "disagrees with the trusted sources"),
    "15": ("candidate", "is measured only, as it has noselect"),
}
for name, (state, reason) in expected.items():
    source = sources[name]
    if (source["state"], source["reason"]) != (state, reason):
        sys.exit("%s is %s: %s" % (name, source["state"], source["reason"]))
    by = source["false_by_ns"]
    if not (40 * MS < by < 50 * MS if state == "falseticker" else by == 0):
        sys.exit("%s is false by %d ns" % (name, by))
    if set(source["set_aside"]) != {"contradiction", "mad", "z", "confirmed"}:
        sys.exit("%s has set aside %s" % (name, source["set_aside"]))
if not 49 * MS < sources["15"]["offset_ns"] < 51 * MS:
    sys.exit("the measured one is off by %d ns" % sources["15"]["offset_ns"])
# One poll of four requests, two seconds apart, in ten of sixteen seconds
if (sources["12"]["reach"], sources["12"]["packets"]["sent"], sources["12"]["samples"]) != (1, 4, 4):
    sys.exit("four requests a poll are %s" % sources["12"])
for key, name in (("trust", "11"), ("prefer", "12"), ("noselect", "15")):
    if [n for n in sorted(sources) if sources[n][key]] != [name]:
        sys.exit("not %s alone has %s" % (name, key))
END
"$chronotick" sources -v >"$work/sources.log"
expect 'disagrees with the trusted sources by 4[0-9]\.[0-9]+ ms' "$work/sources.log"
expect 'source 10\.77\.0\.13: falseticker, disagrees with the trusted sources by 4[0-9]{7} ns' \
	"$work/daemon-0.log"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
finish
