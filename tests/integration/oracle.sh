#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The reference itself, judged by another client: chronyd finds the true servers true, the liar off
# by what it lies, and no time at all at those that misbehave.
. "$(dirname "$0")/lib.sh"
servers 2
reference_server 13 0.05 || fail "the lying server does not start"
reference_fake 15 garbage
reference_fake 16 unsynchronized
reference_fake 19 late

declare -A address=([true]=10.77.0.11 [true6]=fd77::12 [liar]=10.77.0.13 [dead]=10.77.0.14
	[garbage]=10.77.0.15 [unsynchronized]=10.77.0.16 [late]=10.77.0.19)
# ask NAME: by chronyd, which gives up after 6 s
ask() {
	"${reference_client[@]}" "$chronyd" -Q -t 6 -u root "server ${address[$1]} iburst" \
		"pidfile $work/$1.pid" >"$work/$1.log" 2>&1 </dev/null
}
for name in "${!address[@]}"; do
	ask "$name" &
	asked+=($!)
done
wait "${asked[@]}"
# A machine that is busy makes it later than it is meant to be: then it is asked again, alone.
for _ in 1 2; do
	grep -q 'clock wrong by -0\.00[123]' "$work/late.log" && break
	ask late
done

# within NAME LOW HIGH: chronyd calls this host's clock wrong by that much
within() {
	local offset
	offset=$(sed -n 's/.*System clock wrong by \(.*\) seconds.*/\1/p' "$work/$1.log")
	echo "$1: ${offset:-no time}"
	[ -n "$offset" ] && awk -v o="$offset" "BEGIN { exit !(o >= $2 && o <= $3) }" ||
		fail "$1 is not within $2 and $3 s"
}
within true -0.001 0.001
within true6 -0.001 0.001
within liar 0.049 0.051
within late -0.004 -0.001
for name in dead garbage unsynchronized; do
	grep -q 'clock wrong by' "$work/$name.log" && fail "$name gives a time"
done
finish
