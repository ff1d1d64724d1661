#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# SIGHUP: sources come, go and change while time goes on, in one generation and trusted all along; a
# broken configuration changes nothing and its mistakes are in the log.
. "$(dirname "$0")/lib.sh"
servers 4
log=$work/daemon-0.log

# hangup PATTERN: the log must have a line that matches within 5 s after SIGHUP.
hangup() {
	local try before
	before=$(wc -l <"$log")
	kill -HUP "$daemon"
	for try in $(seq 100); do
		tail -n +$((before + 1)) "$log" | grep -Eq -- "$1" && return
		sleep 0.05
	done
	fail "no line matches '$1' after SIGHUP"
}

# samples ADDRESS: how many the source has given
samples() {
	"$chronotick" status | sed -n "s/^ *$1 .* samples \([0-9]*\),.*/\1/p"
}

config "" 10.77.0.11 10.77.0.12 10.77.0.13
daemon
trusted >"$work/first.log" || { cat "$work/first.log"; fail "no trusted time"; }
"$truth" --seconds 11 --reads 20000 --all-trusted >"$work/truth.log" &
truth_pid=$!
sleep 2
before=$(samples 10.77.0.11)

# 13 goes, 14 comes, 12 is polled differently, 11 is as before.
config "frequency_hz: 50" 10.77.0.14 10.77.0.11 10.77.0.12
sed -i 's/maxpoll: 2/maxpoll: 3/' "$work/chronotick.yaml"
awk '/10.77.0.11/ { same = 1 } same && /maxpoll: 3/ { sub("3", "2"); same = 0 } { print }' \
	"$work/chronotick.yaml" >"$work/new.yaml" && mv "$work/new.yaml" "$work/chronotick.yaml"
hangup 'sources: 1 new, 1 gone, 1 changed, 1 as before'
expect 'page\.frequency_hz differs .* keeps its value' "$log"
sleep 4
"$chronotick" status >"$work/status.log" || fail "status does not call this trusted: $?"
cat "$work/status.log"
for n in 11 12 14; do
	expect "10\.77\.0\.$n.*selected" "$work/status.log"
done
! grep -q '10\.77\.0\.13 ' "$work/status.log" || fail "a source that was taken out is still there"
[ "$(samples 10.77.0.11)" -ge "$before" ] || fail "the unchanged source began anew"
expect '100 Hz' "$work/status.log"

# Two mistakes, and everything is as before.
printf 'page: {frequency_hz: 0}\nsources:\n  - ntp: 10.77.0.11\n    minpoll: x\n' \
	>"$work/chronotick.yaml"
hangup 'the configuration stays as it was: the new one is broken'
expect 'chronotick\.yaml:1: page\.frequency_hz: 0 is out of range' "$log"
expect 'chronotick\.yaml:4: sources\[0\]\.minpoll: "x" is no integer' "$log"
rm "$work/chronotick.yaml"
hangup 'chronotick\.yaml:1: \(file\): it cannot be read'
sleep 1
"$chronotick" status >"$work/status.log" || fail "status does not call this trusted: $?"
expect '10\.77\.0\.14.*selected' "$work/status.log"

wait "$truth_pid" || fail "the truth, see below"
cat "$work/truth.log"
expect 'generations begun: 0' "$work/truth.log"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
finish
