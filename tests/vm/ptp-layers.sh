#!/bin/dash
# SPDX-License-Identifier: MIT
# Unicast with negotiation, each kind in a VLAN of its own, and a bond that changes over to its other
# device: the stamps are of the device below. The grandmasters' clock, that of port 0, is the truth.
. /bin/ports.sh
. /bin/cases.sh

for module in 8021q bonding; do
	for i in $($busybox cat /modules/$module); do
		# Another module may need the same one.
		[ -e "/sys/module/$($busybox basename "$i" .ko | $busybox tr - _)" ] || $busybox insmod "$i"
	done
done
ports_up ports=4
for i in 0 1 2 3; do
	knob $i delay_ns 2000
	knob $i jitter_ns 100
done
knob 0 frequency_ppb 12000
knob 1 frequency_ppb -35000
knob 1 step_ns 987654321000
# Alike enough that a stamp of one would be taken for one of the other
knob 2 step_ns 700000
knob 3 step_ns -300000
knob 3 frequency_ppb 20000

vlan() { # NAMESPACE DEVICE ID ADDRESS
	ip -n "$1" link add link "$2" name "$2.$3" type vlan id "$3"
	ip -n "$1" link set "$2.$3" up
	ip -n "$1" addr add "10.9.$3.$4/24" dev "$2.$3"
	ip -n "$1" addr add "fd09::$3:$4/112" dev "$2.$3" nodad
}
for i in 5 6 7; do
	vlan gm sim0 $i 1
	vlan cl sim1 $i 2
done
vlan gm sim0 8 1
ip -n cl link add bond0 type bond mode active-backup miimon 50
for i in 2 3; do
	case_port $i cl
	ip -n cl link set sim$i down
	ip -n cl link set sim$i master bond0
done
ip -n cl link set bond0 up
vlan cl bond0 8 2

daemon() { # NAME LINE...
	case_daemon "$@" 'timescale: utc'
}
case_master gm gm-unicast4 sim0.5 'network_transport UDPv4' 'unicast_listen 1'
daemon unicast4 'ptp: sim1.5' 'unicast: 10.9.5.1' 'sync_interval: -3' 'delay_interval: -3' \
	'announce_interval: 0' 'grant_s: 10'
case_master gm gm-unicast6 sim0.6 'network_transport UDPv6' 'unicast_listen 1'
daemon unicast6 'ptp: sim1.6' 'transport: udp6' 'unicast: fd09::6:1' 'sync_interval: -3' \
	'delay_interval: -3' 'announce_interval: 0' 'grant_s: 10'
case_master gm gm-g8275.2 sim0.7 'network_transport UDPv4' 'domainNumber 44' 'unicast_listen 1' \
	'dataset_comparison G.8275.x' 'G.8275.defaultDS.localPriority 128' \
	'inhibit_multicast_service 1'
daemon g8275.2 'ptp: sim1.7' 'profile: g8275.2' 'unicast: 10.9.7.1'
case_master gm gm-bond sim0 'network_transport L2' 'domainNumber 1'
daemon bond 'ptp: bond0' 'domain: 1' 'delay_interval: -3'
case_master gm gm-bond-vlan sim0.8 'network_transport UDPv4' 'domainNumber 2'
daemon bond-vlan 'ptp: bond0.8' 'transport: udp4' 'domain: 2' 'delay_interval: -3'
cases_ready unicast4 unicast6 g8275.2 bond bond-vlan
for i in unicast4 unicast6 g8275.2; do
	check "$i: the clock is that of the device below" case_says $i 'hardware stamps: sim1, /dev/ptp1'
done
for i in bond bond-vlan; do
	check "$i: the clock is that of the active device" case_says $i 'hardware stamps: sim2, /dev/ptp2'
done
# While the bond changes over and back
(
	$busybox sleep 2
	ip -n cl link set sim2 down
	$busybox sleep 5
	ip -n cl link set sim2 up
	ip -n cl link set sim3 down
	$busybox sleep 2
	ip -n cl link set sim3 up
) &
over=$!
cases_true 12 'unicast4 0 1000' 'unicast6 0 1000' 'g8275.2 0 1000' 'bond 0 1000' 'bond-vlan 0 1000'
wait $over
for i in bond bond-vlan; do
	check "$i: the clock is that of the active device again" \
		case_says $i 'hardware stamps: sim2, /dev/ptp2' 5
done
# Again and again, with both up: frames that the one before has stamped are still to be read.
for i in 3 2 3 2 3 2 3 2 3 2; do
	$busybox sleep 0.6
	ip -n cl link set bond0 type bond active_slave sim$i
done &
over=$!
cases_true 8 'bond 0 10000' 'bond-vlan 0 10000'
wait $over
[ $fail = 0 ] || $busybox tail -n 6 /tmp/*.log
cases_end
ports_down
exit $fail
