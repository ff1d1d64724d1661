#!/bin/dash
# SPDX-License-Identifier: MIT
# linuxptp across the simulated ports: gm (sim0) ---- cl (sim1), a namespace each.
# True offsets are the ports' own word; what ptp4l thinks is not asked.
. /bin/ports.sh

start() { # ROLE INTERFACE LINE...
	local role=$1 interface=$2
	shift 2
	{
		printf '[global]\nnetwork_transport L2\nlogSyncInterval -3\nlogMinDelayReqInterval -3\n'
		printf 'logAnnounceInterval 0\ntx_timestamp_timeout 200\nsummary_interval 2\n'
		printf 'uds_address /tmp/%s.uds\n' "$role"
		printf '%s\n' "$@"
	} >"/tmp/$role.cfg"
	ip netns exec "$role" ptp4l -f "/tmp/$role.cfg" -i "$interface" -m >"/tmp/$role.log" 2>&1 &
	eval "pid_$role=$!"
}

stop() {
	kill "$pid_gm" "$pid_cl" 2>/dev/null
	wait "$pid_gm" "$pid_cl" 2>/dev/null
}

ports_up
knob 0 delay_ns 2000
knob 1 delay_ns 2000
knob 0 frequency_ppb 12000
knob 1 frequency_ppb -35000
knob 1 step_ns 1500000000

start gm sim0 'priority1 10'
start cl sim1 'slaveOnly 1'
check "ptp4l locks from 1.5 s and 47 ppm apart" locked 100 30
$busybox sleep 4
set -- $(offsets 5)
echo "# true offset: at most $1 ns, mean $2 ns"
check "the true offset is some ns" [ "$1" -le 30 ]

# Nothing on the wire can tell: half of the difference, and ptp4l believes in 0
knob 0 delay_ns 4000
i=0
while [ $i -lt 6 ]; do # until its servo has followed, which is soon
	$busybox sleep 6
	set -- $(offsets 4)
	[ "${2#-}" -le 950 ] || break
	i=$((i + 1))
done
set -- $(offsets 4) # and it stays
echo "# true offset: at most $1 ns, mean $2 ns; ptp4l: $($busybox tail -n 1 /tmp/cl.log)"
check "a difference of 2000 ns makes 1000" [ "${2#-}" -gt 950 ]
check "and no more" [ "${2#-}" -lt 1050 ]
check "to the late side, as the wire to here is the slower one" [ "$2" -lt 0 ]

stop
knob 0 delay_ns 2000
start gm sim0 'priority1 10' 'twoStepFlag 0' 'time_stamping onestep'
start cl sim1 'slaveOnly 1'
knob 1 step_ns 50000
check "a one-step grandmaster serves too" locked 100 30
stop
[ $fail = 0 ] || $busybox tail -n 15 /tmp/gm.log /tmp/cl.log
ports_down
exit $fail
