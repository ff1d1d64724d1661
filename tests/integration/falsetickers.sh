#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Two good servers among bad ones: one is off by 50 ms, one is dead, one sends garbage, two deny
# service, one is not synchronised, one answers requests that nobody sent, one holds each answer
# back. The bound holds all along, and status names the liar.
. "$(dirname "$0")/lib.sh"
servers 2
reference_server 13 0.05 || fail "the lying server does not start"
reference_fake 15 garbage
reference_fake 16 deny
reference_fake 17 rate
reference_fake 18 origin
reference_fake 19 late
reference_fake 20 unsynchronized
reference_fake 21 short
config "" 10.77.0.{11..21} # 14 is dead
daemon
"$truth" --seconds 20 --reads 200000 --all-trusted || fail "the truth, see above"
"$chronotick" status >"$work/status.log" || fail "status does not call this trusted: $?"
cat "$work/status.log"
expect '10\.77\.0\.11.*selected' "$work/status.log"
expect '10\.77\.0\.12.*selected' "$work/status.log"
expect '10\.77\.0\.13.*falseticker' "$work/status.log"
expect '10\.77\.0\.14.*unreachable' "$work/status.log"
expect '10\.77\.0\.15.*unreachable' "$work/status.log"
expect '10\.77\.0\.16.*denied' "$work/status.log"
expect '10\.77\.0\.18.*unreachable' "$work/status.log"
expect '10\.77\.0\.20.*unsynchronized' "$work/status.log"
expect '10\.77\.0\.21.*unreachable' "$work/status.log"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
finish
