#!/bin/dash
# SPDX-License-Identifier: MIT
# What 128 Sync messages a second with hardware stamps cost chronotickd, beside ptp4l as a client of the
# same master. The machine is one whose instructions take a nanosecond each (run.py --icount 0), so CPU
# time counts instructions, of the process and of the kernel for it, and the host has no part in it: a
# core that executes so few, a third of one per cycle at 3 GHz, is a slow one. What a real NIC adds is
# that reading its clock crosses PCI Express, and the CPU waits: those readings are counted.
. /bin/ports.sh
rate=128 seconds=10 limit=2 reading_ns=1500
tracing=/sys/kernel/tracing

# cpu_ns PID: what all of its threads have taken
cpu_ns() {
	$busybox cat /proc/"$1"/task/*/schedstat | $busybox awk '{sum += $1} END {printf "%d\n", sum}'
}

# cost PID: its CPU time over those seconds, in ns a second
cost() {
	local before
	before=$(cpu_ns "$1")
	$busybox sleep $seconds
	echo $((($(cpu_ns "$1") - before) / seconds))
}

# readings: of the PHC, a second
readings() {
	echo 'p:simnic/reading chronotick_simnic:phc_gettimex' >$tracing/kprobe_events
	echo 1 >$tracing/events/simnic/reading/enable
	$busybox sleep 5
	echo 0 >$tracing/events/simnic/reading/enable
	$busybox awk '$1 == "reading" {printf "%d\n", $2 / 5}' $tracing/kprobe_profile
	echo >$tracing/kprobe_events
}

# master SYNC_INTERVAL
master() {
	printf '%s\n' '[global]' "logSyncInterval $1" 'logMinDelayReqInterval -3' 'logAnnounceInterval 0' \
		'tx_timestamp_timeout 200' 'uds_address /tmp/gm.uds' 'priority1 10' 'clockClass 6' \
		'clockAccuracy 0x20' 'network_transport L2' >/tmp/gm.cfg
	ip netns exec gm ptp4l -f /tmp/gm.cfg -i sim0 -m >/tmp/gm.log 2>&1 &
	master_pid=$!
}

percent() { # NS_PER_SECOND
	$busybox awk -v ns="$1" 'BEGIN {printf "%.2f %%", ns / 1e7}'
}

$busybox mount -t tracefs none $tracing 2>/dev/null
ports_up precise=0
for i in 0 1; do
	knob $i delay_ns 2000
	knob $i jitter_ns 100
done
knob 1 frequency_ppb -35000

# As it is with a source that says nothing: publication and the watch over the counter
daemon_begin cl 'ptp: sim1' 'timescale: utc' 'transport: l2'
$busybox sleep 5
idle=$(cost $daemon_pid)
daemon_end

master -7
daemon_begin cl 'ptp: sim1' 'timescale: utc' 'transport: l2' 'sync_interval: -7' 'delay_interval: -3'
check "a source with hardware stamps" await rx_stamp hardware 60
check "is selected" await state selected 60
before=$(source_field received)
busy=$(cost $daemon_pid)
received=$((($(source_field received) - before) / seconds))
reads=$(readings)
chronotick sources -v | $busybox sed 's/^/#/'
daemon_end

printf '%s\n' '[global]' 'logSyncInterval -7' 'logMinDelayReqInterval -3' 'network_transport L2' \
	'tx_timestamp_timeout 200' 'uds_address /tmp/cl.uds' 'slaveOnly 1' 'summary_interval 4' >/tmp/cl.cfg
ip netns exec cl ptp4l -f /tmp/cl.cfg -i sim1 -m >/tmp/cl.log 2>&1 &
client_pid=$!
check "ptp4l locks to the same master" locked 1000 60
theirs=$(cost $client_pid)
kill $client_pid $master_pid
wait $client_pid $master_pid 2>/dev/null

waits=$((reads * reading_ns))
echo "# chronotickd: $(percent "$busy") of a core, $(percent $((busy - idle))) of it for $rate Sync" \
	"messages a second ($received messages in all), the rest as without a master"
echo "# it reads the clock $reads times a second: with $reading_ns ns each on a real NIC," \
	"$(percent $waits) more: $(percent $((busy + waits)))"
echo "# ptp4l, as a client of the same master: $(percent "$theirs"), and steers the clock"
check "all messages come" [ "$received" -ge $((rate * 19 / 10)) ]
check "the clock's readings are counted" [ "$reads" -gt 0 ]
check "that costs less than $limit % of a core" [ $((busy + waits)) -lt $((limit * 10000000)) ]
[ $fail = 0 ] || $busybox tail -n 20 /tmp/chronotickd.log /tmp/gm.log /tmp/cl.log
ports_down
exit $fail
