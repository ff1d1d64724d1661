#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A source that is switched offline is asked no more and not used; switched on again it is asked a few
# times in a row, though it would be due only in a minute. Time is trusted all along.
. "$(dirname "$0")/lib.sh"
servers 3
cat >"$work/chronotick.yaml" <<END
page: {shm_name: $shm_name}
control: {socket: $work/control.sock}
sources:
  - {ntp: 10.77.0.11, iburst: true}
  - {ntp: 10.77.0.12, iburst: true}
  - {ntp: 10.77.0.13, offline: true}
END
daemon
trusted >"$work/first.log" || { cat "$work/first.log"; fail "no trusted time"; }
"$truth" --seconds 12 --reads 10000 --all-trusted >"$work/truth.log" &
truth_pid=$!
export CHRONOTICK_CONTROL=$work/control.sock

# row ADDRESS: what "sources" says of it
row() {
	"$chronotick" sources 2>&1 | grep -F "$1 "
}

row 10.77.0.13 >"$work/start.log"
expect 'offline' "$work/start.log"
"$chronotick" offline '*.0.12' >"$work/offline.log" 2>&1 || fail "offline ends with $?"
row 10.77.0.12 >"$work/off.log"
expect 'offline' "$work/off.log"
"$chronotick" offline nowhere.test >"$work/nowhere.log" 2>&1 && fail "a pattern that fits nothing is taken"
"$chronotick" online '10.77.0.1?' >"$work/online.log" 2>&1 || fail "online ends with $?"
sleep 8
"$chronotick" status >"$work/status.log"
for n in 12 13; do
	expect '10\.77\.0\.'$n'.*selected' "$work/status.log"
done
# The burst: four requests within eight seconds, where one a minute is asked
expect '10\.77\.0\.13.* reach 0[01]7 ' "$work/status.log"
wait "$truth_pid" || fail "the truth, see below"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
finish
