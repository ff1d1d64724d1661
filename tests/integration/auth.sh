#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Symmetric keys against chronyd: right ones with SHA256 and with AES-CMAC are selected; a wrong one,
# and a server that has no key, give no time; nor does an address of this host itself.
. "$(dirname "$0")/lib.sh"
umask 027
printf '%s\n' '1 SHA256 HEX:00112233445566778899aabbccddeeff' \
	'2 AES128 HEX:0f0e0d0c0b0a09080706050403020100' '3 SHA1 right' >"$work/server.keys"
sed 's/right/wrong/' "$work/server.keys" >"$work/client.keys"
chronyd_find
reference_up || exit $?
reference_extra="keyfile $work/server.keys"
reference_server 11 && reference_server 12 || { fail "the servers do not start"; finish; }
reference_extra=
reference_server 13 || { fail "the server without keys does not start"; finish; }
{
	echo "page: {shm_name: $shm_name}"
	echo "keys: $work/client.keys"
	echo "sources:"
	echo "  - {ntp: 10.77.0.11, iburst: true, minpoll: -2, maxpoll: 0, key: 1}"
	echo "  - {ntp: 'fd77::11', iburst: true, minpoll: -2, maxpoll: 0, key: 2, xleave: true}"
	echo "  - {ntp: 10.77.0.12, iburst: true, minpoll: -2, maxpoll: 0, key: 3}"
	echo "  - {ntp: 10.77.0.13, iburst: true, minpoll: -2, maxpoll: 0, key: 1}"
	echo "  - {ntp: 10.77.0.1, iburst: true, minpoll: -2, maxpoll: 0}"
} >"$work/chronotick.yaml"
daemon
"$truth" --seconds 9 --reads 90000 --first-max 5 --all-trusted || fail "the truth, see above"
"$chronotick" status >"$work/status.log" || fail "status does not call this trusted: $?"
cat "$work/status.log"
expect '10\.77\.0\.11.*selected' "$work/status.log"
expect 'fd77::11.*selected' "$work/status.log"
expect '10\.77\.0\.12.*unreachable' "$work/status.log"
expect '10\.77\.0\.13.*unreachable' "$work/status.log"
expect '10\.77\.0\.1 .*loop' "$work/status.log"
expect 'source 10\.77\.0\.1: loop, its time comes from this host itself' "$work/daemon-0.log"

# The right key comes with a reload, in a file that everybody may read.
sed -i 's/wrong/right/' "$work/client.keys"
chmod 0644 "$work/client.keys"
kill -HUP "$daemon"
for _ in $(seq 80); do
	"$chronotick" status | grep -q '10\.77\.0\.12.*selected' && break
	sleep 0.1
done
"$chronotick" status >"$work/status.log"
expect '10\.77\.0\.12.*selected' "$work/status.log"
expect '10\.77\.0\.13.*unreachable' "$work/status.log"
expect '<4>.*client\.keys:1: \(file\): warning: everybody may read these keys' "$work/daemon-0.log"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"

# A key that is not in the file, and a file that is wrong, are told before anything starts.
sed -i 's/key: 3/key: 9/' "$work/chronotick.yaml"
"$chronotickd" --config "$work/chronotick.yaml" --check-config >"$work/check.log" 2>&1 &&
	fail "a key that does not exist is taken"
expect "yaml:6: sources\\[2\\]\\.key: no key 9 in $work/client\\.keys; allowed" "$work/check.log"
echo '9 AES128 short' >>"$work/client.keys"
"$chronotickd" --config "$work/chronotick.yaml" --check-config >"$work/check.log" 2>&1 &&
	fail "a bad file of keys is taken"
expect 'client\.keys:4: key: it has the wrong size; allowed: 16 bytes for AES128' "$work/check.log"
finish
