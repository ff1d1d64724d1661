#!/bin/dash
# SPDX-License-Identifier: MIT
# The daemon's first seconds, its steady state, and ptp4l as a client of the same grandmaster on the same
# interface: chronotickd listens for itself while ptp4l steers that interface's clock. The grandmaster's
# clock, that of port 0, is the truth for both. The wire takes 2 us with a jitter of 100 ns.
. /bin/ports.sh
wire_ns=2000
cross_ns=2      # PTP_SYS_OFFSET_PRECISE tells both clocks to the ns
exchange_ns=182 # of an exchange, p99: two messages of 100 ns make 71 ns, one standard deviation

daemon() { # LINE...
	daemon_begin cl 'ptp: sim1' 'timescale: utc' 'sync_interval: -3' 'delay_interval: -3' \
		'transport: l2' "$@"
}

truth() {
	truth_begin "$@"
	truth_end
}

# client_state: what ptp4l says that its port is
client_state() {
	ip netns exec cl pmc -u -b 0 -s /tmp/cl.uds 'GET PORT_DATA_SET' | $busybox awk '/portState/ {print $2}'
}

# terms: of the bound
terms() {
	chronotick status -v | $busybox sed -n '/^Bound, term/,/growth since/s/^/# /p'
}

ratio() { # A B
	$busybox awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", a / (b ? b : 1)}'
}

ports_up
for i in 0 1; do
	knob $i delay_ns $wire_ns
	knob $i jitter_ns 100
done
knob 0 frequency_ppb 12000
knob 1 frequency_ppb -35000
knob 0 step_ns 1000000000
knob 1 step_ns -1000000000
master_begin gm sim0 'priority1 10'
$busybox sleep 5

# Through the kernel module, on the TSC. The system clock is a second behind the grandmaster, and the
# client's PHC two.
counter=tsc backend=module
export CHRONOTICK_PAGE=/dev/chronotick
truth_begin -w 30 -s 1000 -g 0 6
daemon
check "from 1 s off, each read from the first trusted one on keeps its promise" truth_end
check "that one comes within 10 s" $busybox test "$first_ms" -ge 0 -a "$first_ms" -lt 10000
check "and so is the time to 1 us" $busybox test "$settled_ms" -ge 0 -a "$settled_ms" -lt 10000
$busybox sleep 6
check "the bound holds on a quiet link" truth 0 15
check "and each read is trusted" [ "$untrusted" = 0 ]
terms
check "the page is the module's, on the TSC" $busybox test -n \
	"$(chronotick status | $busybox grep 'module, counter tsc')"
check "the PHC is read the precise way" $busybox test -n \
	"$(chronotick sources -v | $busybox grep 'sim1, /dev/ptp1, precise')"
limit=$(((wire_ns + cross_ns) * 12 / 10))
echo "# bound, median: $bound ns; 1.2 x (path delay + cross-timestamp error): $limit ns"
check "its median is under 1.2 x (path delay + cross-timestamp error)" [ "$bound" -lt "$limit" ]
daemon_end

# In shared memory, on CLOCK_MONOTONIC_RAW, as a client beside ptp4l. That is alone at first.
counter=monotonic_raw backend=shm
CHRONOTICK_PAGE=/dev/shm/chronotick_shm
master_begin cl sim1 'slaveOnly 1'
check "ptp4l locks" locked 1000 30
$busybox sleep 8
filter=$(ip netns exec cl hwstamp_ctl -i sim1)
set -- $(offsets 10)
echo "# ptp4l alone: true offset p99 $3 ns, at most $1 ns"
alone=$3
daemon 'asymmetry_max_ns: 0'
check "chronotickd gets hardware stamps beside it" await rx_stamp hardware 30
$busybox sleep 10
check "the bound holds beside ptp4l, with a promise on asymmetry" truth -b 1 0 25
check "and each read is trusted there, too" [ "$untrusted" = 0 ]
terms
set -- $(ratio $p99 $beside_p99) $(ratio $bound $p99) $(ratio $bound $beside_p99)
echo "# |true error| p99: readers of chronotickd $p99 ns, clock of ptp4l $beside_p99 ns, ratio $1"
check "that of readers is at most ptp4l's and the cross-timestamp's error" \
	[ "$p99" -le $((beside_p99 + cross_ns)) ]
echo "# bound, median: $bound ns; $2 x the p99 of readers' errors, $3 x that of ptp4l's"
check "its median is under 5 x the p99 error of an exchange" [ "$bound" -lt $((5 * exchange_ns)) ]
check "ptp4l is not disturbed" [ "$beside_p99" -le $((2 * alone)) ]
check "it is a client still" [ "$(client_state)" = SLAVE ]
check "and has had no fault" $busybox test -z "$($busybox grep -E 'FAULT|timed out' /tmp/cl.log)"
check "the interface's setting is ptp4l's" [ "$(ip netns exec cl hwstamp_ctl -i sim1)" = "$filter" ]
daemon_end
check "also when the daemon has ended" [ "$(ip netns exec cl hwstamp_ctl -i sim1)" = "$filter" ]
[ $fail = 0 ] || $busybox tail -n 20 /tmp/chronotickd.log /tmp/gm.log /tmp/cl.log
master_end cl
master_end gm
ports_down
exit $fail
