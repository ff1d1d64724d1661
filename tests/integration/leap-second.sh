#!/bin/bash
# SPDX-License-Identifier: MIT
# A leap second as readers see it: three servers of a made-up UTC in which June 2028 ends soon, with
# a second inserted that a made-up file knows of. Nobody's clock is set.
. "$(dirname "$0")/lib.sh"

leap=1846022400 # 2028-07-01 00:00:00 UTC
ahead=10
leap_second=$BUILD/tests/integration/leap-second

reference_up || exit $?
offset=$((leap - ahead - $(date +%s)))

# leap_file ENTRY...: "NTP-SECONDS TAI-OFFSET" each
leap_file() {
	local updated=$((leap + 2208988800 - 15552000)) expires=$((leap + 2208988800 + 15552000))
	printf '#$ %s\n#@ %s\n' $updated $expires
	printf '%s\n' "$@"
	printf '#h %s\n' "$(printf '%s' "$updated" "$expires" "${@// /}" | sha1sum |
		sed 's/\(........\)/\1 /g; s/ *-//')"
}

leap_file '3692217600 37' "$((leap + 2208988800)) 38" >"$work/leap-seconds.list"
for n in 11 12 13; do
	"${reference_server_side[@]}" "$leap_second" serve 10.77.0.$n $offset $leap \
		>"$work/server-$n.log" 2>&1 </dev/null &
	reference_pids+=($!)
done
config "" 10.77.0.11 10.77.0.12 10.77.0.13
printf 'leap: {file: %s}\n' "$work/leap-seconds.list" >>"$work/chronotick.yaml"
daemon
"$leap_second" read $offset $leap 4 >"$work/reader.log" &
reader=$!

sleep 5
"$chronotick" json >"$work/before.json" || fail "no trusted time before the leap second"
expect '"tai_offset": 37' "$work/before.json"
expect '"leap": "insert"' "$work/before.json"

wait $reader || fail "the reader is not content"
cat "$work/reader.log"
"$chronotick" json >"$work/after.json" || fail "no trusted time after the leap second"
expect '"tai_offset": 38' "$work/after.json"
expect '"leap": "none"' "$work/after.json"
"$chronotick" read >"$work/after.txt"
expect 'TAI - UTC.*38 s' "$work/after.txt"
log=$work/daemon-0.log
expect 'TAI - UTC is 38 s from 2028-07-01 on' "$log"
expect 'a leap second is ahead' "$log"
expect 'at the end of 2028-06-30 a second was inserted' "$log"
! grep -i 'falseticker' "$log" || fail "a server was taken for a false one"
finish
