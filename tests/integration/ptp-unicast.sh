#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Unicast masters (ptp4l) that one daemon hears through one interface, as several sources: each has its
# own messages, over IPv4 and over IPv6, also after the host got other addresses. The masters are behind
# a bridge, on interfaces of their own, and of domains of their own, so that none of them yields to
# another. And what an interface hears that is for others is nothing.
. "$(dirname "$0")/lib.sh"
. "$here/ptp-lib.sh"
ptp_links 1
ns=$reference_server_ns

# The link's end becomes a port of the bridge, and the ends of ps11 and ps13 others.
ip -n "$ns" link add br0 type bridge || { echo "SKIP: this kernel has no bridges"; exit 77; }
ip -n "$ns" addr flush dev ps1
ip -n "$ns" link set ps1 master br0
ip -n "$ns" link set br0 up
"${reference_server_side[@]}" sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore
	echo 2 >/proc/sys/net/ipv4/conf/all/rp_filter'
for n in 1 3; do
	ip -n "$ns" link add "ps1$n" type veth peer name "b$n"
	ip -n "$ns" link set "b$n" master br0
	ip -n "$ns" link set "b$n" up
	ip -n "$ns" link set "ps1$n" up
	ip -n "$ns" addr add "10.78.1.$n/24" dev "ps1$n"
	ip -n "$ns" addr add "fd78::1:$n/112" dev "ps1$n" nodad
	for version in 4 6; do
		ptp_grandmaster "v$version-$n" "1$n" "unicast_listen 1" \
			"network_transport UDPv$version" "domainNumber $n" \
			"clockIdentity 02000$version.fffe.00000$n"
	done
done

{
	echo "page: {shm_name: $shm_name.all}"
	echo "control: {socket: $work/all.sock}"
	echo "state: {file: none}"
	echo "sources:"
	for address in 10.78.1.1 10.78.1.3 fd78::1:1 fd78::1:3; do
		case $address in *:*) transport=udp6 ;; *) transport=udp4 ;; esac
		echo "  - {ptp: pc1, transport: $transport, unicast: '$address', domain: ${address: -1}," \
			"grant_s: 10, sync_interval: -3, delay_interval: -3, announce_interval: 0}"
	done
} >"$work/chronotick.yaml"
daemon
ptp_judge all --seconds 15 --reads 15000 --after 10 --first-max 15 --all-trusted --error-max 50

# expect_all PATTERN: of each source: its master, state, reach, and how many messages were refused
expect_all() {
	local end=$((SECONDS + 20))
	while [ $SECONDS -lt $end ]; do
		"$chronotick" sources --json --control "$work/all.sock" 2>/dev/null | python3 -c "
import json, sys
for s in json.load(sys.stdin)['sources']:
    print(s['ptp']['master'], s['ptp']['state'], s['reach'], s['packets']['rejected'])" \
			>"$work/all" 2>/dev/null
		[ "$(grep -c "$1" "$work/all")" -ne 4 ] || return 0
		sleep 0.2
	done
	fail "not all are '$1':"
	sed 's/^/    /' "$work/all"
}
expect_all 'slave 255 0$'
for master in 020004.fffe.000001 020004.fffe.000003 020006.fffe.000001 020006.fffe.000003; do
	expect "^$master-1" "$work/all"
done
"${reference_server_side[@]}" "$here/ptp-wire.py" padding ps11 fd78::1:2 \
	2>"$work/padding" ||
	fail "$(tail -n 1 "$work/padding")"
ptp_verdicts

# While pc1 has no address, the kernel gives another interface's to sockets that send from it: 10.77.0.1.
# The way back to that leads elsewhere.
for n in 1 3; do
	ip -n "$ns" neigh replace 10.77.0.1 lladdr 02:00:00:00:00:fe dev "ps1$n" nud permanent
done
ip -n "$reference_client_ns" addr flush dev pc1
sleep 12 # so that it has asked anew for what was granted
ip -n "$reference_client_ns" addr add 10.78.1.9/24 dev pc1
ip -n "$reference_client_ns" addr add fd78::1:9/112 dev pc1 nodad

# Over Ethernet, and promiscuous
ip -n "$reference_client_ns" link set pc1 promisc on
ptp_daemon l2 1 "transport: l2"
"${reference_server_side[@]}" "$here/ptp-wire.py" send ps1 02:00:00:00:00:99
"${reference_server_side[@]}" "$here/ptp-wire.py" send ps1 01:1b:19:00:00:00
ptp_expect l2 "s['packets']['rejected_malformed'] == 10"
sleep 3 # so that what follows is of after that
expect_all 'slave 255 [0-9]*$'
finish
