#!/bin/dash
# SPDX-License-Identifier: MIT
# Every way in which the daemon can be a client of ptp4l, with hardware stamps, on a wire that loses one
# frame in a hundred and takes 4 us longer there than back; unicast is in ptp-layers.sh. The grandmasters'
# clock, that of port 0, is the truth.
. /bin/ports.sh
. /bin/cases.sh

ports_up
knob 0 delay_ns 6000
knob 1 delay_ns 2000
for i in 0 1; do
	knob $i jitter_ns 100
	knob $i loss_ppm 10000
done
knob 0 frequency_ppb 12000
knob 1 frequency_ppb -35000
knob 1 step_ns 987654321000

# daemon NAME LINE...: that knows of the asymmetry
daemon() {
	case_daemon "$@" 'timescale: utc' 'asymmetry_ns: 2000' 'asymmetry_max_ns: 0'
}

# All on one interface
case_master gm gm-l2 sim0 'domainNumber 1' 'network_transport L2'
daemon l2 'ptp: sim1' 'domain: 1' 'delay_interval: -3'
case_daemon unaware 'ptp: sim1' 'domain: 1' 'delay_interval: -3' 'timescale: utc'
case_master gm gm-udp4 sim0 'domainNumber 2' 'network_transport UDPv4'
daemon udp4 'ptp: sim1' 'domain: 2' 'transport: udp4' 'delay_interval: -3'
case_master gm gm-udp6 sim0 'domainNumber 3' 'network_transport UDPv6'
daemon udp6 'ptp: sim1' 'domain: 3' 'transport: udp6' 'delay_interval: -3'
case_master gm gm-p2p sim0 'domainNumber 4' 'network_transport UDPv6' 'delay_mechanism P2P'
daemon udp6-p2p 'ptp: sim1' 'domain: 4' 'transport: udp6' 'delay_mechanism: p2p' 'delay_interval: -3'
case_master gm gm-g8275.1 sim0 'domainNumber 24' 'network_transport L2' 'dataset_comparison G.8275.x' \
	'G.8275.defaultDS.localPriority 128' 'logAnnounceInterval -3' 'logSyncInterval -4' \
	'logMinDelayReqInterval -4' 'ptp_dst_mac 01:80:C2:00:00:0E'
daemon g8275.1 'ptp: sim1' 'profile: g8275.1'
case_master gm gm-gptp sim0 'network_transport L2' 'transportSpecific 0x1' 'delay_mechanism P2P' \
	'follow_up_info 1' 'ptp_dst_mac 01:80:C2:00:00:0E' 'gmCapable 1' 'assume_two_step 1' \
	'path_trace_enabled 1'
daemon gptp 'ptp: sim1' 'profile: gptp'
# The last one, as it has the interface put the time into Sync messages that ask for that
$busybox sleep 1
case_master gm gm-onestep sim0 'domainNumber 5' 'network_transport L2' 'twoStepFlag 0' \
	'time_stamping onestep'
daemon one-step 'ptp: sim1' 'domain: 5' 'delay_interval: -3'
cases_ready l2 unaware udp4 udp6 udp6-p2p g8275.1 gptp one-step
cases_true 6 'l2 0 1000' 'unaware 0 0' 'udp4 0 1000' 'udp6 0 1000' 'udp6-p2p 0 1000' 'g8275.1 0 1000' \
	'gptp 0 1000' 'one-step 0 1000'
check "who knows nothing of the asymmetry is off by half of it, and says so" \
	[ "$(case_bound unaware)" -gt 4000 ]
check "who does promises more by most of the delay" \
	[ $(($(case_bound unaware) - $(case_bound l2))) -gt 2500 ]
# The masters' own would have ptp4l give up for a while.
knob 1 tx_stamp_loss_ppm 200000
knob 1 rx_stamp_loss_ppm 100000
cases_true 4 'l2 0 0' 'udp4 0 0' 'udp6-p2p 0 0' 'gptp 0 0'
check "stamps that did not come are counted" case_says l2 'hardware stamps: .* [1-9][0-9]* missing'
cases_told l2 unaware
[ $fail = 0 ] || $busybox tail -n 6 /tmp/*.log
cases_end
ports_down
exit $fail
