#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# 100,000 connects, a flood of requests and silent peers at the control socket, beside a quiet run:
# no publication may be delayed by more than 1 ms at p99.9. The daemon has one processor, whoever
# floods and watches has the other. Real-time priority keeps the machine's other programs out of the
# comparison: these are pushed to the daemon's processor by the flood on the other one.
. "$(dirname "$0")/../integration/lib.sh"
if [ "$(nproc)" -lt 2 ]; then
	echo "SKIP: it takes two processors to tell a flood's work from the daemon's"
	exit 77
fi
servers 3
chmod 0755 "$work"
config "" 10.77.0.11 10.77.0.12 10.77.0.13
daemon --freq 1000 --cpu-affinity 0
chrt --fifo --pid 2 "$daemon" || fail "no real-time priority"
trusted >"$work/first.log" || { cat "$work/first.log"; fail "no trusted time"; }
before=$(awk '{ print $14 + $15 }' /proc/"$daemon"/stat) start=$(date +%s%N)
taskset -c 1 "$BUILD/tests/bench/control-flood" "$CHRONOTICK_CONTROL" "$CHRONOTICK_PAGE" \
	"${CONNECTS:-100000}" || fail "the flood delays publications, or keeps root out"
awk -v a="$before" -v b="$(awk '{ print $14 + $15 }' /proc/"$daemon"/stat)" -v s="$start" \
	-v e="$(date +%s%N)" -v hz="$(getconf CLK_TCK)" \
	'BEGIN { printf "the daemon took %.1f %% of a core\n", 100 * (b - a) / hz / ((e - s) / 1e9) }'
"$chronotick" status >/dev/null || fail "the time is not trusted afterwards"
"$chronotick" status --verbose | grep Control
finish
