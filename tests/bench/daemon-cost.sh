#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What chronotickd costs: its share of a core and its resident memory, at 100 and 1000 publications
# a second. Limits: 0.5 % and 2 % of a core, 8 MB.
#
# Waking up has a price of its own, in a virtual machine most of all: a program that does nothing
# but wait for a timer as often is measured beside the daemon. Where that alone takes more than half
# of a limit, and the daemon no more than the limit on top of it, the machine cannot judge: skipped.
. "$(dirname "$0")/../integration/lib.sh"
bare_timer=$BUILD/tests/bench/bare-timer
seconds=${SECONDS_OF_COST:-20}
unjudged=

# cpu_ns PID: time on a CPU so far, all threads
cpu_ns() {
	awk '{ sum += $1 } END { printf "%.0f\n", sum }' /proc/"$1"/task/*/schedstat
}

# holds EXPRESSION: arithmetic with fractions
holds() {
	awk "BEGIN { exit !($1) }"
}

# cost HZ LIMIT-PERCENT
cost() {
	local hz=$1 limit=$2 before start percent bare rss
	daemon --freq "$hz"
	trusted >"$work/first.log" || { cat "$work/first.log"; fail "$hz Hz: no trusted time"; }
	sleep 3
	before=$(cpu_ns "$daemon") start=$(date +%s%N)
	sleep "$seconds"
	percent=$(awk -v a="$before" -v b="$(cpu_ns "$daemon")" -v s="$start" \
		-v e="$(date +%s%N)" 'BEGIN { printf "%.3f", 100 * (b - a) / (e - s) }')
	rss=$(awk '/^VmRSS/ { print $2 }' /proc/"$daemon"/status)
	daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
	bare=$("$bare_timer" "$hz" "$seconds")
	echo "$hz Hz: $percent % of a core (limit $limit; a bare timer: $bare)," \
		"$rss kB resident (limit 8000)"
	[ "$rss" -lt 8000 ] || fail "$hz Hz: too much memory"
	holds "$percent < $limit" && return
	if holds "$bare > $limit / 2 && $percent - $bare < $limit"; then
		unjudged="$unjudged $hz Hz"
	else
		fail "$hz Hz: too much CPU"
	fi
}

servers 3
config "" 10.77.0.11 10.77.0.12 fd77::13
cost 100 0.5
cost 1000 2
if [ "$failures" -eq 0 ] && [ -n "$unjudged" ]; then
	echo "SKIP:$unjudged: a bare timer takes more than half of the limit on this machine"
	exit 77
fi
finish
