#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Two servers that contradict each other have no majority: no time is trusted, and that is said.
. "$(dirname "$0")/lib.sh"
servers 1
reference_server 12 0.05 || fail "the lying server does not start"
config "" 10.77.0.11 10.77.0.12
daemon
sleep 6
"$chronotick" status >"$work/status.log"
r=$?
cat "$work/status.log"
[ "$r" -eq 1 ] || fail "status ends with $r where nothing may be trusted"
expect 'reason:.*agree' "$work/status.log"
expect 'last sync:.*never' "$work/status.log"
"$chronotick" read >/dev/null && fail "read ends with 0 where nothing may be trusted"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
finish
