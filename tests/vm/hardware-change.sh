#!/bin/dash
# SPDX-License-Identifier: MIT
# The daemon as a PTP client with hardware stamps, whose interface does not stay as it was: its
# setting is changed by others, its stamps end and begin again, and it is taken away.
. /bin/ports.sh

wire() {
	local i
	for i in 0 1; do
		knob $i delay_ns 2000
		knob $i jitter_ns 100
	done
	knob 0 frequency_ppb 12000
	knob 1 frequency_ppb -35000
}

master() {
	printf '%s\n' '[global]' 'network_transport L2' 'logSyncInterval -3' \
		'logMinDelayReqInterval -3' 'logAnnounceInterval 0' 'tx_timestamp_timeout 200' \
		'uds_address /tmp/gm.uds' 'priority1 10' 'clockClass 6' 'clockAccuracy 0x20' >/tmp/gm.cfg
	ip netns exec gm ptp4l -f /tmp/gm.cfg -i sim0 -m >>/tmp/gm.log 2>&1 &
	master_pid=$!
}

master_end() {
	kill "$master_pid"
	wait "$master_pid" 2>/dev/null
}

setting() { # TX RX
	ip netns exec cl hwstamp_ctl -i sim1 -t "$1" -r "$2" >/dev/null
}

is_set() { # TX RX SECONDS
	local i=0
	while [ $i -lt $(($3 * 5)) ]; do
		[ "$(ip netns exec cl hwstamp_ctl -i sim1 | $busybox grep -A2 -i current |
			$busybox grep -o '[tr]x_[a-z]* [0-9]*' | $busybox tr '\n' ' ')" != \
			"tx_type $1 rx_filter $2 " ] || return 0
		$busybox sleep 0.2
		i=$((i + 1))
	done
	return 1
}

status() { # PATTERN
	chronotick sources -v | $busybox grep -q "$1"
}

delay_is_the_wires() {
	local delay
	delay=$(source_field delay_ns)
	echo "# delay $delay ns"
	[ "$delay" -gt 3000 ] && [ "$delay" -lt 8000 ]
}

ports_up
wire
knob 1 step_ns 987654321000
master
daemon_begin cl 'ptp: sim1' 'transport: l2' 'timescale: utc' 'sync_interval: -3' 'delay_interval: -3'
check "a source with hardware stamps" await rx_stamp hardware 60
check "of the narrowest filter" is_set 1 9 1

setting 0 0
check "whoever turns the stamps off has them turned on again" is_set 1 9 10
setting 1 6
check "whoever wants others has both" is_set 1 12 10
$busybox sleep 3
check "so the stamps are the hardware's still" [ "$(source_field rx_stamp)" = hardware ]
setting 1 9

knob 1 tx_stamp_loss_ppm 1000000
check "a NIC that stamps nothing of what is sent is given up, too" await rx_stamp kernel 60
check "and the status says why" status 'no hardware stamps: sim1 does not stamp what is sent'
knob 1 tx_stamp_loss_ppm 0
check "until it does again" await rx_stamp hardware 60
check "which settle" settled 4000 30
check "with the time of the grandmaster" told vm-phc-truth 0 3 1000

# As a driver that is loaded anew; the clock may have another number then.
master_end
$busybox rmmod chronotick_simnic
$busybox sleep 2
check "an interface that is gone is not reachable" [ "$(source_field state)" = unreachable ]
$busybox insmod /chronotick_simnic.ko
for i in 0 1; do
	ns=$([ $i = 0 ] && echo gm || echo cl)
	ip link set sim$i netns $ns
	ip -n $ns link set sim$i up
done
wire
master
check "until it comes back, with its stamps" await rx_stamp hardware 60
# Both ways of 2 us: stamps of the old clock and of the new one would not make that.
check "which are of the new one's clock" delay_is_the_wires
master_end
kill "$daemon_pid"
wait "$daemon_pid"
check "the daemon ends as it should" [ $? = 0 ]
check "and puts the setting back" is_set 0 0 1
[ $fail = 0 ] || $busybox tail -n 20 /tmp/chronotickd.log /tmp/gm.log
ports_down
exit $fail
