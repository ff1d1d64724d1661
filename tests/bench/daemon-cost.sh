#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What chronotickd costs: its share of a core and its resident memory, at 100 and 1000 publications
# a second. Limits: 0.5 % and 2 % of a core, 8 MB. Then with 64 sources that are asked every second,
# beside one that is hardly ever asked: limit 2 % of a core in all, 8 MB.
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

# measure HZ: run a daemon; its share of a core is $percent, its resident memory $rss
measure() {
	local hz=$1 before start
	daemon --freq "$hz"
	trusted >"$work/first.log" || { cat "$work/first.log"; fail "$hz Hz: no trusted time"; }
	sleep 3
	before=$(cpu_ns "$daemon") start=$(date +%s%N)
	sleep "$seconds"
	percent=$(awk -v a="$before" -v b="$(cpu_ns "$daemon")" -v s="$start" \
		-v e="$(date +%s%N)" 'BEGIN { printf "%.3f", 100 * (b - a) / (e - s) }')
	rss=$(awk '/^VmRSS/ { print $2 }' /proc/"$daemon"/status)
	"$chronotick" status >"$work/status.log"
	daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
}

# cost HZ LIMIT-PERCENT
cost() {
	local hz=$1 limit=$2 bare percent rss
	measure "$hz"
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

# A server at each of 10.78.0.1-64: chronyd answers from the address that was asked.
many_servers() {
	local dir=$reference_dir/many
	mkdir -m 0700 "$dir"
	cat >"$dir/chrony.conf" <<-CONF
		allow
		cmdport 0
		bindaddress 0.0.0.0
		bindcmdaddress $dir/chronyd.sock
		pidfile $dir/chronyd.pid
		local stratum 1
	CONF
	ip -n "$reference_server_ns" route add local 10.78.0.0/24 dev lo
	ip -n "$reference_client_ns" route add 10.78.0.0/24 via 10.77.0.11
	"${reference_server_side[@]}" "$chronyd" -x -d -u root -f "$dir/chrony.conf" \
		>"$dir/log" 2>&1 </dev/null &
	reference_pids+=($!)
}

# cost_sources LIMIT-PERCENT
cost_sources() {
	local limit=$1 percent rss bare
	printf 'page: {shm_name: %s}\nsources: [{ntp: 10.78.0.1, minpoll: 17, maxpoll: 17}]\n' \
		"$shm_name" >"$work/chronotick.yaml"
	measure 100
	bare=$percent
	{
		printf 'page: {shm_name: %s}\nsources:\n' "$shm_name"
		printf '  - {ntp: 10.78.0.%d, iburst: true, minpoll: 0, maxpoll: 0}\n' $(seq 64)
	} >"$work/chronotick.yaml"
	measure 100
	expect '^Sources: 32' "$work/status.log"
	echo "64 sources at 1 s, 100 Hz: $percent % of a core (one source that rests: $bare;" \
		"limit $limit), $rss kB resident (limit 8000);" \
		"$(sed -n 's/^Packets: *//p' "$work/status.log")"
	[ "$rss" -lt 8000 ] || fail "64 sources: too much memory"
	holds "$percent < $limit" || fail "64 sources: too much CPU"
}

servers 3
config "" 10.77.0.11 10.77.0.12 fd77::13
cost 100 0.5
cost 1000 2
many_servers
cost_sources 2
if [ "$failures" -eq 0 ] && [ -n "$unjudged" ]; then
	echo "SKIP:$unjudged: a bare timer takes more than half of the limit on this machine"
	exit 77
fi
finish
