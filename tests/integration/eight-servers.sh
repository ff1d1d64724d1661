#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Eight servers. Three of them lie, by 50 ms, -30 ms and 0.4 ms, each claiming the accuracy of a
# chronyd: exactly these are named, and the bound holds. A fourth one turns liar: no majority is
# left, so nothing new is believed; the last correction is held, its bound growing until it is too
# wide for what was asked, and that is the end of trust. Whoever starts then never trusts anything.
. "$(dirname "$0")/lib.sh"
servers 5
liars=(16:0.05 17:-0.03 18:0.0004)
for liar in "${liars[@]}"; do
	reference_begin "${liar%:*}" "${liar#*:}" || fail "the liar ${liar%:*} does not start"
done
for liar in "${liars[@]}"; do
	reference_ready "${liar%:*}" || fail "the liar ${liar%:*} does not synchronise"
done
# A wander that nobody has makes the bound of a correction that is held grow 60 us a second.
config "max_bound_ns: 300000" 10.77.0.{11..18}
echo "clock: {wander_ppb: 60000}" >>"$work/chronotick.yaml"
daemon
"$truth" --seconds 5 --reads 50000 --all-trusted || { fail "the truth, see above"; finish; }

"$chronotick" status >"$work/status.log" || fail "status does not call this trusted: $?"
awk '$1 ~ /^10\.77\.0\./ { print $1, $3 }' "$work/status.log" | sort >"$work/states.log"
printf '%s\n' 10.77.0.{11..15}' selected' 10.77.0.{16..18}' falseticker' | sort >"$work/expected"
diff "$work/expected" "$work/states.log" || fail "not exactly the three liars are named"

# until_status PATTERN SECONDS: status matches within so many seconds
until_status() {
	local try
	for try in $(seq $(($2 * 5))); do
		"$chronotick" status >"$work/status.log" 2>&1
		grep -Eiq -- "$1" "$work/status.log" && return 0
		sleep 0.2
	done
	fail "within $2 s status does not say '$1', but:"
	sed 's/^/    /' "$work/status.log"
}

# The fourth, at a true one's address
"$truth" --seconds 12 --reads 120000 >"$work/truth.log" &
judge=$!
reference_end 15
reference_begin 15 0.02 && reference_ready 15 || fail "the fourth liar does not start"
until_status 'reason: .*majority.*is held' 10
expect 'clock status: *holdover' "$work/status.log"
"$chronotick" read >/dev/null || fail "the last correction is not held"
until_status 'clock status: *(unsynchronized|warming_up|expired)' 15
expect 'reason: .*agree' "$work/status.log"
"$chronotick" read >/dev/null && fail "read ends with 0 although the held correction has expired"
wait "$judge" || fail "the truth while the majority went, see below"
cat "$work/truth.log"

daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
daemon
sleep 4
"$chronotick" status >"$work/status.log" && fail "status ends with 0 on a start without a majority"
expect 'reason: .*agree' "$work/status.log"
grep -E 'selected' "$work/status.log" && fail "a source is selected"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
finish
