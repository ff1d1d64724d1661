#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# All sources behind bad paths to one true server:
#
#	12	packets lost, doubled, delayed, old answers again, spoofed ones; interleaved mode
#	13	5000 forged kisses a second to the very port that asks
#	14	somebody on the path who sees each request, but has no key; AES-CMAC
#	15	the same in interleaved mode, with SHA256
#
# Every read's bound holds, trust stays, and no source is lost, denied, or taken for a liar.
. "$(dirname "$0")/lib.sh"
relay=$BUILD/tests/integration/relay
reference_extra="keyfile $work/keys"
umask 027
cat >"$work/keys" <<-KEYS
	1 AES128 HEX:000102030405060708090a0b0c0d0e0f
	2 SHA256 a-long-and-secret-text
KEYS
servers 1
# relay_at N FAULT...
relay_at() {
	local n=$1
	shift
	"${reference_server_side[@]}" "$relay" "10.77.0.$n" 10.77.0.11 "$@" \
		>"$work/relay-$n.log" 2>&1 </dev/null &
	reference_pids+=($!)
	relays+=($!)
}
relays=()
relay_at 12 drop=10 duplicate=30 delay-us=2000 replay=50 spoof=50
relay_at 13 flood=5000
relay_at 14 forge=100
relay_at 15 forge=100 replay=30
{
	echo "page: {shm_name: $shm_name}"
	echo "keys: $work/keys"
	echo "sources:"
	echo "  - {ntp: 10.77.0.12, iburst: true, minpoll: -2, maxpoll: 0, xleave: true}"
	echo "  - {ntp: 10.77.0.13, iburst: true, minpoll: -2, maxpoll: 0}"
	echo "  - {ntp: 10.77.0.14, iburst: true, minpoll: -2, maxpoll: 0, key: 1}"
	echo "  - {ntp: 10.77.0.15, iburst: true, minpoll: -2, maxpoll: 0, key: 2, xleave: true}"
} >"$work/chronotick.yaml"
daemon
"$truth" --seconds 14 --reads 140000 --all-trusted || fail "the truth, see above"
"$chronotick" status >"$work/status.log" || fail "status does not call this trusted: $?"
cat "$work/status.log"
for n in 12 13 14 15; do
	expect "10\\.77\\.0\\.$n.*selected" "$work/status.log"
done
grep -E 'falseticker|denied|unreachable|unsynchronized' "$work/daemon-0.log" &&
	fail "a source was lost on the way"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
kill "${relays[@]}"
wait "${relays[@]}"
cat "$work"/relay-*.log
# The faults did happen.
expect 'drop [1-9].* duplicate [1-9].* replay [1-9].* spoof [1-9]' "$work/relay-12.log"
expect 'flood [1-9][0-9]{4}' "$work/relay-13.log"
expect 'forge [1-9][0-9]' "$work/relay-14.log"
expect 'forge [1-9][0-9]' "$work/relay-15.log"
finish
