#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What chronotickd costs: its share of a core and its resident memory, at 100 and 1000 publications
# a second. Limits: 0.5 % and 2 % of a core, 8 MB.
. "$(dirname "$0")/../integration/lib.sh"

# cpu_ns PID: time on a CPU so far, all threads
cpu_ns() {
	awk '{ sum += $1 } END { printf "%.0f\n", sum }' /proc/"$1"/task/*/schedstat
}

# cost HZ LIMIT-PERCENT
cost() {
	local hz=$1 limit=$2 before start percent rss
	daemon --freq "$hz"
	trusted >"$work/first.log" || { cat "$work/first.log"; fail "$hz Hz: no trusted time"; }
	sleep 3
	before=$(cpu_ns "$daemon") start=$(date +%s%N)
	sleep "${SECONDS_OF_COST:-20}"
	percent=$(awk -v a="$before" -v b="$(cpu_ns "$daemon")" -v s="$start" \
		-v e="$(date +%s%N)" 'BEGIN { printf "%.3f", 100 * (b - a) / (e - s) }')
	rss=$(awk '/^VmRSS/ { print $2 }' /proc/"$daemon"/status)
	echo "$hz Hz: $percent % of a core (limit $limit), $rss kB resident (limit 8000)"
	awk -v p="$percent" -v l="$limit" 'BEGIN { exit !(p < l) }' || fail "$hz Hz: too much CPU"
	[ "$rss" -lt 8000 ] || fail "$hz Hz: too much memory"
	daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
}

servers 3
config "" 10.77.0.11 10.77.0.12 fd77::13
cost 100 0.5
cost 1000 2
finish
