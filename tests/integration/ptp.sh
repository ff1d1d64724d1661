#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Real grandmasters (ptp4l) by every transport and delay mechanism, at once: each daemon's time is
# trusted soon, and every read's bound holds the truth.
. "$(dirname "$0")/lib.sh"
. "$here/ptp-lib.sh"
ptp_links 9
judge=(--seconds 17 --reads 17000 --after 10 --first-max 15 --all-trusted --error-max 50)

# case NAME LINK "KEY: VALUE, ..." "SETTING VALUE"...
case_of() {
	local name=$1 link=$2 keys=$3
	shift 3
	ptp_grandmaster "$name" "$link" "$@"
	ptp_daemon "$name" "$link" "$keys"
	ptp_judge "$name" "${judge[@]}"
}
case_of l2 1 "" "network_transport L2"
case_of udp4 2 "transport: udp4" "network_transport UDPv4"
case_of udp6 3 "transport: udp6" "network_transport UDPv6"
case_of l2-p2p 4 "delay_mechanism: p2p, delay_interval: -2" \
	"network_transport L2" "delay_mechanism P2P"
case_of udp4-p2p 5 "transport: udp4, delay_mechanism: p2p, delay_interval: -2" \
	"network_transport UDPv4" "delay_mechanism P2P"
case_of unicast 6 "unicast: 10.78.6.1, grant_s: 10, sync_interval: -3, delay_interval: -3, announce_interval: 0" \
	"network_transport UDPv4" "unicast_listen 1"
case_of g8275.1 7 "profile: g8275.1, domain: 25" "network_transport L2" "domainNumber 25" \
	"dataset_comparison G.8275.x" "G.8275.defaultDS.localPriority 128"
case_of gptp 8 "profile: gptp" "network_transport L2" "transportSpecific 0x1" \
	"delay_mechanism P2P" "follow_up_info 1" "ptp_dst_mac 01:80:C2:00:00:0E"
case_of one-way-promise 9 "asymmetry_max_ns: 2000" "network_transport L2"
sleep 15
for name in l2 udp4 udp6 l2-p2p udp4-p2p unicast g8275.1 gptp one-way-promise; do
	ptp_expect "$name" "s['state'] == 'selected' and p['state'] == 'slave' and s['reach'] == 255"
	ptp_expect "$name" "s['tx_stamp'] == s['rx_stamp'] == 'kernel'"
	ptp_expect "$name" "s['packets']['rejected_malformed'] == s['packets']['rejected_bogus'] == 0"
done
ptp_verdicts
finish
