#!/bin/dash
# SPDX-License-Identifier: MIT
# The asymmetry of a path as the documentation has it measured: the master's time beside a source that
# is known at the client's end; and what it comes to is then configured. The known one is the master's
# own clock, read here.
. /bin/ports.sh

# daemon KNOWN LINE...: with the known source, and lines of the PTP source
daemon() {
	local known=$1
	shift
	{
		printf '%s\n' 'counter: monotonic_raw' 'page: {backend: shm}' 'state: {file: none}' \
			"control: {socket: $CHRONOTICK_CONTROL}" 'sources:' "  - phc: $known" \
			'    timescale: utc' '    poll: -2' '  - ptp: sim1' '    noselect: true' \
			'    timescale: utc' '    sync_interval: -3' '    delay_interval: -3'
		[ $# = 0 ] || printf '    %s\n' "$@"
	} >/tmp/chronotickd.yaml
	ip netns exec cl chronotickd --foreground --config /tmp/chronotickd.yaml >/tmp/chronotickd.log 2>&1 &
	daemon_pid=$!
}

# offset SECONDS: the mean of the PTP source's, in whole ns, as chronotick sources tells
offset() {
	local i=0
	while [ $i -lt $(($1 * 4)) ]; do
		chronotick sources --json | $busybox grep -o '"name": "sim1.*' |
			$busybox grep -o '"offset_ns": "*[-0-9]*' | $busybox head -n 1 |
			$busybox grep -o '[-0-9]*$'
		$busybox sleep 0.25
		i=$((i + 1))
	done | $busybox awk '{sum += $1} END {printf "%d\n", NR ? sum / NR : 999999}'
}

ports_up
knob 0 delay_ns 4000
knob 1 delay_ns 2000
for i in 0 1; do knob $i jitter_ns 100; done
knob 0 frequency_ppb 12000
knob 1 frequency_ppb -35000
printf '%s\n' '[global]' 'logSyncInterval -3' 'logMinDelayReqInterval -3' 'logAnnounceInterval 0' \
	'tx_timestamp_timeout 200' 'uds_address /tmp/gm.uds' 'priority1 10' 'clockClass 6' \
	'clockAccuracy 0x20' 'network_transport L2' >/tmp/gm.cfg
ip netns exec gm ptp4l -f /tmp/gm.cfg -i sim0 -m >/tmp/gm.log 2>&1 &
master_pid=$!
daemon /dev/ptp0
$busybox sleep 12
chronotick sources -v | $busybox sed 's/^/#/'
found=$(offset 5)
echo "# the master's time less the known one: $found ns"
check "a way that is 2000 ns longer shows as an offset of 1000" [ "${found#-}" -gt 900 ]
check "and no more" [ "${found#-}" -lt 1100 ]
daemon_end
daemon /dev/ptp0 "asymmetry_ns: $((-found))"
$busybox sleep 12
left=$(offset 5)
echo "# with asymmetry_ns: $((-found)): $left ns"
check "which goes as it is configured, with its sign turned" [ "${left#-}" -lt 100 ]

# Swapped fibres, beside a source that is steady
knob 0 delay_ns 2000
knob 1 delay_ns 4000
$busybox sleep 2
swapped=$(offset 5)
echo "# the ways swapped: $swapped ns"
check "swapped ways show as twice the asymmetry" [ $((swapped - left)) -gt 1800 ]
check "and no more" [ $((swapped - left)) -lt 2200 ]
daemon_end
kill $master_pid
wait $master_pid 2>/dev/null
[ $fail = 0 ] || $busybox tail -n 20 /tmp/chronotickd.log /tmp/gm.log
ports_down
exit $fail
