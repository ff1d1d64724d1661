#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What each measure of Documentation/tuning.md gains on this machine: how punctual 1000 publications
# a second are, and what a read costs meanwhile, idle and with a busy process on every CPU. Nothing
# is asserted but that each setting runs.
. "$(dirname "$0")/../integration/lib.sh"
jitter=$BUILD/tests/bench/jitter
seconds=${SECONDS_OF_TUNING:-10}
last=$(($(nproc) - 1))
busy=()

load_begin() {
	local cpu
	for cpu in $(seq 0 $last); do
		taskset -c "$cpu" sh -c 'while :; do :; done' &
		busy+=($!)
	done
}

load_end() {
	[ ${#busy[@]} -gt 0 ] || return 0
	kill "${busy[@]}"
	wait "${busy[@]}" 2>/dev/null
	busy=()
}

faults() {
	awk '{ print $10 }' "/proc/$1/stat"
}

# setting NAME "REALTIME" [OPTION...]
setting() {
	local name=$1 realtime=$2 before pid reads
	shift 2
	config "" 10.77.0.11
	echo "realtime: {$realtime}" >>"$work/chronotick.yaml"
	echo "state: {file: none}" >>"$work/chronotick.yaml"
	daemon --freq 1000 "$@"
	# The page of the setting before may still be trusted: the log tells of this one.
	timeout 20 sh -c "until grep -q '>synchronized' '$work/daemon-$((${#daemons[@]} - 1)).log'
		do sleep 0.1; done" || { fail "$name: no trusted time"; daemon_end TERM; return; }
	sleep 1
	pid=$(cat "$CHRONOTICK_PAGE.lock")
	before=$(faults "$pid")
	printf '%-28s %s' "$name:" "$("$jitter" "$CHRONOTICK_PAGE" 1000 "$seconds")"
	printf ', %s page faults, %s kB resident\n' $(($(faults "$pid") - before)) \
		"$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")"
	reads=$("$chronotick" benchmark --json | python3 -c '
import json, sys
figures = json.load(sys.stdin)
print("p50 %.1f  p99 %.1f  p99.9 %.1f ns a read" % tuple(
	figures["read_%s_ns" % at] for at in ("p50", "p99", "p999")))')
	printf '%-28s %s\n' "" "$reads"
	daemon_end TERM || fail "$name: chronotickd ended with $?"
}

trap 'load_end; cleanup' EXIT
servers 1
setting "idle" "lock_memory: false"
load_begin
setting "load" "lock_memory: false"
setting "load, affinity" "lock_memory: false" --cpu-affinity "$last"
setting "load, locked memory" "lock_memory: true"
setting "load, SCHED_FIFO" "lock_memory: false, priority: 50"
setting "load, all three" "lock_memory: true, priority: 50" --cpu-affinity "$last"
load_end
finish
