#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Masters that die, lie, spoof and have no key: a daemon follows the best one that it may, its bound
# holds, and time does not go back.
. "$(dirname "$0")/lib.sh"
. "$here/ptp-lib.sh"
ptp_links 6
judge=(--seconds 20 --reads 20000 --first-max 15 --all-trusted)

# Two grandmasters on one link: the better one dies, and the other takes its place.
ptp_grandmaster first 1 "network_transport L2" "clockIdentity 020000.fffe.000001"
first=$grandmaster
ptp_grandmaster second 1 "network_transport L2" "clockIdentity 020000.fffe.000002" "priority1 20"
second=$grandmaster
ptp_daemon change 1
ptp_judge change "${judge[@]}"

# Another domain
ptp_fake 2 l2 domain=7
ptp_daemon domain 2 "domain: 6"

# One step, the PTP timescale, garbage, and who announces itself as better but sends nothing
ptp_fake 3 udp4 one-step tai garbage
ptp_fake 3 udp4 silent priority1=0 identity=9
ptp_daemon spoof 3 "transport: udp4"
ptp_judge spoof "${judge[@]}"

# A key; and masters without one, with a wrong one
printf '%s\n' "7 SHA256 ASCII:secret" >"$work/keys"
chmod 600 "$work/keys"
document="keys: $work/keys"
ptp_fake 4 l2 key=7:secret spp=2
ptp_fake 4 l2 identity=2 priority1=1 offset-ns=5000000
ptp_fake 4 l2 identity=3 priority1=1 offset-ns=5000000 key=7:wrong spp=2
ptp_daemon key 4 "key: 7, spp: 2"
ptp_judge key "${judge[@]}"
ptp_fake 5 l2 key=7:wrong spp=2
ptp_daemon wrong-key 5 "key: 7, spp: 2"
document=

# Messages that were sent before
ptp_fake 6 l2
ptp_fake 6 l2 old offset-ns=-5000000
ptp_daemon replay 6
ptp_judge replay "${judge[@]}"

ptp_expect change "p['master'] == '020000.fffe.000001-1' and p['state'] == 'slave'"
kill -KILL "$first"
wait "$first" 2>/dev/null
ptp_expect change "p['master'] == '020000.fffe.000002-1' and p['state'] == 'slave' and s['reach'] > 0"
ptp_expect change "p['changes'] >= 1"

ptp_expect spoof "p['master'] == '020000.fffe.000001-1' and p['masters'] == 2 and p['timescale'] == 'tai'"
ptp_expect spoof "p['utc_offset_s'] == 37 and s['packets']['rejected_malformed'] > 0"
ptp_expect key "p['master'] == '020000.fffe.000001-1' and p['masters'] == 1 and s['authenticated']"
ptp_expect key "s['packets']['rejected_unauthentic'] > 50"
ptp_expect replay "s['packets']['rejected_duplicate'] > 50"
for name in domain wrong-key; do
	ptp_expect "$name" "p['state'] == 'listening' and s['samples'] == 0 and s['packets']['accepted'] == 0"
done
ptp_expect domain "s['packets']['rejected_other_domain'] > 50"
ptp_expect wrong-key "s['packets']['rejected_unauthentic'] > 50"
ptp_verdicts

# Nobody is left: the daemon says so within the timeout, and holds over.
kill -KILL "$second"
wait "$second" 2>/dev/null
ptp_expect change "s['state'] == 'unreachable' and p['master'] is None"
finish
