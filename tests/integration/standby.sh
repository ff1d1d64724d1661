#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A daemon that stands by for a page in shared memory, with the very configuration of the one that
# writes it: killed, stopped or ended in order, the other one takes over under a reader that never
# notices, and is asked at the same socket from then on.
. "$(dirname "$0")/lib.sh"
servers 1
document="audit: {directory: $work/audit}
warm_up_s: 0"
mkdir "$work/audit"
config "writer_timeout_ms: 5000" 10.77.0.11
daemon
first=$daemon
trusted || { fail "no trusted time"; finish; }
inode=$(stat -c %i "$CHRONOTICK_PAGE")

daemon --standby
second=$daemon
sleep 4
kill -0 "$second" || { fail "the standby did not stay"; finish; }
expect 'standing by: another daemon writes' "$work/daemon-1.log"
expect 'standing by: the audit log begins' "$work/daemon-1.log"
"$chronotick" status | grep -q "pid $first\b" || fail "the standby writes the page"

# The judge ends with an error for a time that goes back, is wrong, or is not trusted.
"$truth" --seconds 12 --reads 120000 --all-trusted >"$work/truth.log" &
judge=$!
sleep 1
# Stopped, the first one keeps its page, and its promise holds.
kill -STOP "$first"
sleep 1.5
"$chronotick" status >"$work/stopped.log"
expect "pid $first\b" "$work/stopped.log"
kill -KILL "$first"
wait "$first" 2>/dev/null
sleep 1
"$chronotick" status >"$work/status.log" || fail "status is not 0 after the take-over"
expect "pid $second\b" "$work/status.log"
expect 'its writer has gone: taken over' "$work/daemon-1.log"
[ "$(stat -c %i "$CHRONOTICK_PAGE")" = "$inode" ] || fail "the page was replaced, not taken over"

# The heir of the heir, after an orderly end
daemon --standby
third=$daemon
sleep 3
kill -TERM "$second"
wait "$second" || fail "the second daemon ended with $?"
sleep 1.5
"$chronotick" status >"$work/status.log" || fail "status is not 0 after the second take-over"
expect "pid $third\b" "$work/status.log"
wait "$judge" || fail "the attached reader, see above"
cat "$work/truth.log"
sleep 1.5
"$chronotick" status --json >"$work/status.json" || fail "the heir cannot be asked"
expect "\"pid\": $third\b" "$work/status.json"
grep -h -c trusted "$work"/audit/*.csv >/dev/null || fail "nobody writes the audit log"

# Without --standby a second one is refused, and told of it.
"${reference_client[@]}" "$chronotickd" --config "$work/chronotick.yaml" --foreground \
	>"$work/refused.log" 2>&1 </dev/null
r=$?
[ "$r" -eq 1 ] || fail "a daemon that does not stand by ends with $r, not 1"
expect '[-]-standby' "$work/refused.log"

# Without the kernel module: an error that names the device and the way out, or shared memory.
if [ ! -e /dev/chronotick ]; then
	sed "s/shm_name: $shm_name/&.other, backend: module/" "$work/chronotick.yaml" \
		>"$work/module.yaml"
	"${reference_client[@]}" "$chronotickd" --config "$work/module.yaml" --foreground \
		>"$work/module.log" 2>&1 </dev/null
	r=$?
	[ "$r" -eq 1 ] || fail "without the device a daemon with backend module ends with $r, not 1"
	expect '/dev/chronotick: .*modprobe chronotick.*page.backend' "$work/module.log"
	expect '/dev/chronotick: .*publishing in shared memory alone' "$work/daemon-0.log"
fi
daemon_end TERM || fail "the third daemon ended with $?"
finish
