#!/bin/dash
# SPDX-License-Identifier: MIT
# The daemon as a PTP client with hardware stamps, of ptp4l that has them too, across the simulated
# ports. The grandmaster's clock, that of port 0, is the truth; nobody steers the client's.
. /bin/ports.sh
wire_ns=2000

master() { # LINE...
	master_begin gm sim0 'priority1 10' "$@"
}

daemon() { # LINE...
	daemon_begin cl 'ptp: sim1' 'timescale: utc' 'sync_interval: -3' 'delay_interval: -3' "$@"
}

true_for() { # SECONDS [P99_NS]
	told vm-phc-truth 0 "$@"
}

ports_up
for i in 0 1; do
	knob $i delay_ns $wire_ns
	knob $i jitter_ns 100
done
knob 0 frequency_ppb 12000
knob 1 frequency_ppb -35000
knob 1 step_ns 987654321000

master
daemon 'transport: l2'
check "a source with hardware stamps" await rx_stamp hardware 60
check "is selected" await state selected 60
$busybox sleep 5
check "the time is the grandmaster's" true_for 6 1000
chronotick sources -v | $busybox sed 's/^/#/'
knob 0 delay_ns 6000
check "the bound holds with ways of unequal length" true_for 6
knob 0 delay_ns $wire_ns
knob 1 tx_stamp_loss_ppm 200000
knob 1 tx_stamp_late_ppm 100000
knob 1 tx_stamp_twice_ppm 200000
knob 1 rx_stamp_loss_ppm 100000
knob 0 loss_ppm 10000
knob 1 loss_ppm 10000
check "and with stamps and packets that are lost" true_for 6
check "which are counted" $busybox test -n "$(chronotick sources -v | $busybox grep -E '[1-9][0-9]* missing')"
for i in tx_stamp_loss_ppm tx_stamp_late_ppm tx_stamp_twice_ppm rx_stamp_loss_ppm loss_ppm; do
	knob 0 $i 0
	knob 1 $i 0
done
# As a ptp4l does that is client on the same interface
knob 1 step_ns -3000000
check "and while somebody steps the NIC's clock" true_for 5
for i in 0 1; do
	ip netns exec cl phc_ctl /dev/ptp1 freq $((i * 20000)) >/dev/null 2>&1
	check "or steers it" true_for 3
done
daemon_end

master_end gm
master 'network_transport UDPv4' 'delay_mechanism P2P'
daemon 'transport: udp4' 'delay_mechanism: p2p'
check "UDP and P2P have them, too" await rx_stamp hardware 60
$busybox sleep 4
check "with the same time" true_for 4 1000
daemon_end
master_end gm
master 'twoStepFlag 0' 'time_stamping onestep'
daemon 'transport: l2'
check "one-step, too" await rx_stamp hardware 60
$busybox sleep 4
check "with the same time" true_for 4 1000
daemon_end

knob 1 rx_stamp_loss_ppm 1000000
daemon 'transport: l2'
check "a NIC that stamps nothing is given up for the kernel's stamps" await rx_stamp kernel 60
check "the status says so" $busybox test -n "$(chronotick sources -v |
	$busybox grep 'no hardware stamps: sim1 does not stamp')"
daemon_end
master_end gm
[ $fail = 0 ] || $busybox tail -n 20 /tmp/chronotickd.log /tmp/gm.log
ports_down
exit $fail
