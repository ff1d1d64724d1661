#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What outlives a run: the next one knows the counter's rate at once, a damaged state is ignored with
# a warning, and the audit log has a line a second, in files of a period, compressed.
. "$(dirname "$0")/lib.sh"
servers 1
mkdir "$work/audit"
config "" 10.77.0.11
cat >>"$work/chronotick.yaml" <<EOF
state: {file: $work/state, interval_s: 10}
audit: {directory: $work/audit, rotate_s: 10, keep: 100}
EOF

# drift_uncertainty of the first trusted record, in parts per 10^12
first_drift() {
	trusted >/dev/null || fail "no trusted time"
	"$chronotick" json | python3 -c \
		'import json, sys; print(int(json.load(sys.stdin)["drift_uncertainty"] * 1e12))'
}

# The n-th daemon says that it has the time: a page that a killed one left is still trusted.
synchronized() {
	local _
	for _ in $(seq 100); do
		grep -q '>synchronized:' "$work/daemon-$1.log" && return
		sleep 0.1
	done
	fail "no time from daemon $1"
}

daemon
vague=$(first_drift)
sleep 13
[ -s "$work/state" ] || fail "no state is saved while the daemon runs"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
expect '^chronotick-state 3$' "$work/state"
ls "$work"/audit/*.csv.gz >/dev/null || fail "no audit log is compressed"
lines=$(cat "$work"/audit/*.csv <(gunzip -c "$work"/audit/*.gz) | grep -cE ',yes,synchronized,none,(ntp|cpu_model),')
[ "$lines" -ge 12 ] || fail "only $lines lines of trusted time in the audit log"
cat "$work"/audit/*.csv >"$work/audit.lines"
expect '^20[0-9-]*T[0-9:]*\.[0-9]{9}Z,-?[0-9]+,[0-9]+,yes,synchronized,none,(ntp|cpu_model),[0-9]+,[0-9unkow]+,10\.77\.0\.11$' \
	"$work/audit.lines"

daemon
known=$(first_drift)
synchronized 1 # it may tell later than it publishes
echo "drift uncertainty of the first trusted time: $vague e-12 without, $known e-12 with a state"
[ "$((known * 5))" -lt "$vague" ] || fail "the state is of no use"
expect "the counter's rate is known from 0\.0 hours ago" "$work/daemon-1.log"
# A second one may have a page of its own, but not the audit log.
cp "$work/chronotick.yaml" "$work/second.yaml"
sed -i "s/shm_name: [^,}]*/&.2/" "$work/second.yaml"
"${reference_client[@]}" "$chronotickd" --foreground --config "$work/second.yaml" \
	>"$work/second.log" 2>&1 && fail "two daemons with one audit log"
expect 'audit.directory: .*: another log, or another chronotickd, has this directory' "$work/second.log"
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null

# One bit is wrong.
sed -i 's/^utc_ns 1/utc_ns 2/' "$work/state"
daemon
synchronized 2
expect 'state: this state is ignored: its checksum is wrong' "$work/daemon-2.log"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
grep -q '^utc_ns 1' "$work/state" || fail "the damaged state was not replaced"

# What the models have learnt cannot be in one part, and is taken in the other; the rate is kept.
"$(dirname "$0")/state_edit.py" "$work/state" "short_term_wander=32 0.25 0.0001" \
	"long_term=6 1 0" "nothing_covariance=9 0 0 0 0 0 0" \
	"temperature_mean=0 2e9 0 0 0 0 0"
daemon
synchronized 3
expect 'state: a part of this state is ignored: a coefficient is out of range' "$work/daemon-3.log"
expect "the counter's rate is known from 0\.0 hours ago" "$work/daemon-3.log"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
expect '^short_term_wander 32 0\.25 ' "$work/state"
expect '^long_term 0 0 0$' "$work/state"

# A source beyond those that the page has room for is named too.
mkdir "$work/many"
config "" $(seq -f 10.77.0.%g 101 132) 10.77.0.11
echo "audit: {directory: $work/many}" >>"$work/chronotick.yaml"
daemon
synchronized 4
sleep 2.5
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
cat "$work"/many/*.csv >"$work/many.lines"
expect ',yes,synchronized,.*,10\.77\.0\.11$' "$work/many.lines"
finish
