#!/bin/dash
# SPDX-License-Identifier: MIT
# Several grandmasters on one cable, gm (sim0) and gm2 (sim2), and the daemon on sim1 as a client of both:
# one dies, the better one comes back, one is made worse, all are gone, and the time of one jumps. The
# clock of port 0 is the truth; that of port 2 is 80 ns beside it, which it announces.
. /bin/ports.sh
beside_ns=80

gm() {
	master_begin gm sim0 'priority1 10' 'logAnnounceInterval -1'
}

gm2() { # LINE...
	master_begin gm2 sim2 'priority1 20' 'logAnnounceInterval -1' 'clockAccuracy 0x21' "$@"
}

# ask NAMESPACE COMMAND: of that ptp4l
ask() {
	ip netns exec "$1" pmc -u -b 0 -s "/tmp/$1.uds" "$2" >/tmp/pmc.log 2>&1
}

# truth OPTION...: in the background, from now on, until truth_end
truth() {
	local i=0
	truth_begin "$@"
	while [ ! -s /tmp/truth.log ] && [ $i -lt 100 ]; do
		$busybox sleep 0.05
		i=$((i + 1))
	done
}

now_ms() {
	$busybox awk '{print int($1 * 1000)}' /proc/uptime
}

# dies NAMESPACE: its master, at $died_ms
dies() {
	died_ms=$(now_ms)
	master_end "$1" KILL
}

# follows PORT SECONDS: wait until that port's master is the one whose time is used
follows() {
	local i=0
	while [ $i -lt $(($2 * 5)) ]; do
		[ "$(source_field address 2>/dev/null)/$(source_field state 2>/dev/null)" != "025349.fffe.4d000$1-1/selected" ] ||
			return 0
		$busybox sleep 0.2
		i=$((i + 1))
	done
	chronotick sources -v | $busybox sed 's/^/#/'
	return 1
}

daemon() {
	daemon_begin cl 'ptp: sim1' 'timescale: utc' 'sync_interval: -3' 'delay_interval: -3' 'transport: l2'
}

# in_time: whether the last truth saw the holdover within the announce timeout, three intervals of 0.5 s;
# and a quarter of a second is for the machine
in_time() {
	local after=$((start_ms + holdover_ms - died_ms))
	echo "# holdover $after ms after the last master's death"
	$busybox test "$holdover_ms" -ge 0 -a "$after" -le 1750
}

bound() {
	chronotick json | $busybox grep -o '"bound_ns": *[0-9]*' | $busybox grep -o '[0-9]*$'
}

# settings ACCURACY: what a grandmaster is to announce from now on
settings() {
	printf 'SET GRANDMASTER_SETTINGS_NP clockClass 6 clockAccuracy %s ' "$1"
	printf 'offsetScaledLogVariance 0xffff currentUtcOffset 37 leap61 0 leap59 0 '
	printf 'currentUtcOffsetValid 0 ptpTimescale 1 timeTraceable 0 frequencyTraceable 0 timeSource 0xa0'
}

ports_up ports=3
for i in 0 1 2; do
	knob $i delay_ns 2000
	knob $i jitter_ns 100
	knob $i frequency_ppb $((i == 1 ? -35000 : 12000))
done
knob 2 step_ns $((beside_ns - $($busybox cut -d . -f 1 /sys/devices/simnic2/offset_ns)))
knob 1 step_ns 987654321000
gm
gm2
daemon
check "of two grandmasters the better one is followed" follows 0 30
check "what was off at the start is slewed away" settled 4000 20

truth -g 0 8
dies gm
check "when it dies the other one is followed" follows 2 7
check "no read goes back, or is outside of its bound, meanwhile" truth_end
check "and each is trusted" [ "$untrusted" = 0 ]
check "the status follows within the announce timeout" in_time

truth -g 0 8
gm
check "when it comes back it is followed again" follows 0 7
check "the time goes on without a jump" truth_end
check "and is trusted all along" [ "$untrusted" = 0 ]
check "and without holding over" [ "$holdover_ms" = -1 ]

truth -g 0 6
ask gm 'SET PRIORITY1 30'
check "when it is made the worse one, the other one is followed" follows 2 6
check "the time goes on without a jump" truth_end
check "and is trusted all along" [ "$untrusted" = 0 ]

# From here on gm2 is a master whatever others are: both are, at the same time
master_end gm2
gm2 'BMCA noop' 'masterOnly 1'
ask gm 'SET PRIORITY1 10'
check "of two that are both masters the better one is followed" follows 0 9
$busybox sleep 2
truth -g 0 6
dies gm
check "when it dies, the other one is, as soon as that is noticed" follows 2 3
check "the time goes on without a jump" truth_end
check "and is trusted all along" [ "$untrusted" = 0 ]

truth -g 0 8
dies gm2
$busybox sleep 3
first=$(bound)
$busybox sleep 4
last=$(bound)
check "when all are gone each read keeps its promise" truth_end
check "the status follows within the announce timeout" in_time
echo "# bound: $first ns, 4 s later $last ns"
check "the bound grows" [ "$last" -gt "$first" ]
truth -g 0 8
gm
check "one that comes back is followed" follows 0 8
check "the time goes on without a jump" truth_end
check "and is trusted all along" [ "$untrusted" = 0 ]
daemon_end

# 1 ms wrong as it says itself; then it finds the truth, which is what port 2 has
knob 0 step_ns 1000000
ask gm "$(settings 0x2a)"
$busybox sleep 1
daemon
check "a master that is 1 ms wrong, and says so, is followed" follows 0 20
$busybox sleep 2
truth 2 12
knob 0 step_ns -1000000
ask gm "$(settings 0x21)"
check "the bound holds when it finds the truth and steps by 1 ms" truth_end
check "and is narrow again" settled 5000 9

# A step that nobody announces: the time that it told before was wrong, or that which it tells now is
truth 0 10
stepped_ms=$(now_ms)
knob 0 step_ns 1000000
truth_end
after=$((start_ms + outside_last_ms - stepped_ms))
check "a step that nobody announces is noticed within 1.5 s" \
	$busybox test "$after" -gt 0 -a "$after" -lt 1500
check "no read goes back in a generation" [ "$back" = 0 ]
check "the bound is narrow again" settled 5000 9
check "the source's status tells of samples that contradicted those before them" \
	$busybox test "$(source_field contradiction)" -gt 0
daemon_end
[ $fail = 0 ] || $busybox tail -n 20 /tmp/chronotickd.log /tmp/gm.log /tmp/gm2.log
master_end gm
ports_down
exit $fail
