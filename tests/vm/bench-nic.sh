#!/bin/dash
# SPDX-License-Identifier: MIT
# bench-nic on a simulated port, and on what QEMU emulates of Intel's NICs, some of whose stamps do not
# work there: which is to be said, and nothing is to hang.
. /bin/ports.sh
export BUILD=/nowhere
igb="" e1000e=""

# ran DIRECTORY ARGUMENT...: to its end, with all that it writes; what it says is noted
ran() {
	local directory=$1
	shift
	bench-nic "$@" "$directory" >"$directory.log" 2>&1
	local r=$?
	$busybox sed 's/^/# /' "$directory.log"
	[ $r = 0 ] && [ -s "$directory/results.json" ] && [ -s "$directory/report.html" ]
}

says() { # DIRECTORY PATTERN
	$busybox grep -q -e "$2" "$1/results.json"
}

setting() { # INTERFACE
	hwstamp_ctl -i "$1" | $busybox grep -A2 -i current
}

ls_net() { # DRIVER: its network device
	local path
	for path in /sys/bus/pci/drivers/"$1"/*/net/*; do
		[ -e "$path" ] && echo "${path##*/}" && return 0
	done
	return 1
}

# The rate that it found is the one that was set: LOW HIGH, in ppb. That of the PHC and that of
# CLOCK_MONOTONIC_RAW, which is the simulation's true time, are against the counter's nominal rate.
rate_within() {
	$busybox awk -v low="$1" -v high="$2" '/_against_counter/ {of = $1}
		/rate_ppb/ {gsub(/[",]/, ""); rate[of] = $2; of = ""}
		END {found = rate["\"phc_against_counter\":"] - rate["\"raw_against_counter\":"]
			exit !(found > low && found < high)}' /tmp/sim/results.json
}

$busybox ln -s /bin/dash /bin/sh
for i in cat grep sed date mkdir uname dirname; do
	$busybox ln -s $busybox /bin/$i 2>/dev/null
done

ports_up
$busybox insmod /chronotick.ko
knob 1 frequency_ppb 7000
cat >/tmp/chronotickd.yaml <<-END
	state: {file: none}
	control: {socket: $CHRONOTICK_CONTROL}
	sources:
	  - phc: /dev/ptp0
	    poll: -2
	    timescale: utc
END
chronotickd --foreground --config /tmp/chronotickd.yaml >/tmp/chronotickd.log 2>&1 &
daemon_pid=$!
check "the daemon tells the time" await state selected 20
ip -n cl link set sim1 netns 1
ip link set sim1 up
ip addr add 10.9.0.2/24 dev sim1
ip route add default via 10.9.0.1
before=$(setting sim1)
check "it runs on a simulated port" ran /tmp/sim sim1 --stamps --seconds 6
check "reads its clock in every way" says /tmp/sim '"plain": {'
check "knows the clock's rate" rate_within 6980 7020
check "all transmit stamps come" says /tmp/sim '"stamped": 50'
check "and are of their frames' time" says /tmp/sim '"within_clock_readings": 50'
check "the gateway's answers are stamped" says /tmp/sim '"came": 20'
check "all of them" says /tmp/sim '"stamped": 20'
check "the pages are read, the module's" says /tmp/sim '"backend": "module"'
check "and the one in shared memory" says /tmp/sim '"backend": "shm"'
check "publications are seen" says /tmp/sim '"sample_to_line_mean_ns": [1-9]'
check "and the page's bound" says /tmp/sim '"bound_ns": {'
check "and the offsets of the reference" says /tmp/sim '"offset_ns": {'
check "and of the system clock" says /tmp/sim '"system_offset_ns": {'
check "the report has the plots" [ "$($busybox grep -c '<polyline' /tmp/sim/report.html)" = 9 ]
check "the setting is as it was" [ "$(setting sim1)" = "$before" ]
$busybox grep -v '^    *[0-9\[\]]' /tmp/sim/results.json | $busybox sed 's/^/# /'

# Whoever ends it early: the setting is put back, and what there is is there.
knob 1 tx_stamp_loss_ppm 900000
bench-nic sim1 /tmp/ended --stamps --seconds 1 >/tmp/ended.log 2>&1 &
pid=$!
i=0
while [ "$(setting sim1)" = "$before" ] && [ $i -lt 300 ]; do
	$busybox sleep 0.1
	i=$((i + 1))
done
check "it has the port stamp" [ "$(setting sim1)" != "$before" ]
kill -TERM $pid
wait $pid
check "it is interrupted" [ $? = 130 ]
check "which it says" $busybox grep -q 'interrupted: /tmp/ended has' /tmp/ended.log
check "the setting is as it was" [ "$(setting sim1)" = "$before" ]
check "what was measured is there" says /tmp/ended '"interrupted": true'
check "to the end" $busybox grep -q '</html>' /tmp/ended/report.html
knob 1 tx_stamp_loss_ppm 0
ip route del default
ip neigh flush dev sim1
check "where nobody is known, it asks for a name" ran /tmp/alone sim1 --stamps --seconds 1
check "of a neighbour" says /tmp/alone '--peer ADDRESS'
check "and asks that one" ran /tmp/peer sim1 --stamps --peer 10.9.0.1 --seconds 1
check "who answers" says /tmp/peer '"came": 20'
kill $daemon_pid
wait $daemon_pid

check "without a clock it says what it skips" ran /tmp/lo lo --stamps --seconds 1
check "that it has none" says /tmp/lo 'lo has none'
check "and that nobody publishes" says /tmp/lo 'nothing was published'
bench-nic nosuch0 /tmp/no >/tmp/no.log 2>&1
check "an interface that is not there is an error" [ $? = 1 ]
check "that leaves nothing behind" [ ! -e /tmp/no ]
ip link set sim1 netns cl
ports_down
[ $fail = 0 ] || $busybox tail -n 20 /tmp/chronotickd.log

# What an emulated NIC has of a clock and of stamps differs from one QEMU to the next.
for driver in igb e1000e; do
	for i in $($busybox cat /modules/$driver); do $busybox insmod "$i" 2>/dev/null; done
	$busybox sleep 2
	if [ ! -e /sys/bus/pci/drivers/$driver ] || ! device=$(ls_net $driver); then
		echo "ok - $driver # SKIP the emulator has none"
		continue
	fi
	ip link set "$device" up
	eval "$driver=$device"
done
$busybox sleep 3

if [ -n "$igb" ]; then
	# It stamps PTP's messages alone: on its segment the other one sends them.
	if [ -n "$e1000e" ]; then
		printf '%s\n' '[global]' 'time_stamping software' 'free_running 1' 'priority1 10' \
			'logSyncInterval -3' 'network_transport L2' 'uds_address /tmp/e.uds' >/tmp/e.cfg
		ptp4l -f /tmp/e.cfg -i "$e1000e" >/tmp/e.log 2>&1 &
		master=$!
		$busybox sleep 6
	fi
	before=$(setting "$igb")
	check "it runs on igb, and ends" ran /tmp/igb "$igb" --stamps --seconds 3
	check "igb's setting is as it was" [ "$(setting "$igb")" = "$before" ]
	check "igb's clock ticks" says /tmp/igb '"ticks": true'
	check "igb's transmit stamps come" says /tmp/igb '"stamped": 50'
	check "its receive stamps do not, but for the first, which is said" says /tmp/igb \
		'receive stamps \(stop working here: the first 1 had one\|do not work here\)'
	$busybox grep -A6 -E '"(transmit|receive)_stamps"' /tmp/igb/results.json |
		$busybox sed 's/^/# /'
	[ -z "$e1000e" ] || kill $master
fi
if [ -n "$e1000e" ]; then
	ip addr add 10.0.2.15/24 dev "$e1000e"
	before=$(setting "$e1000e")
	check "it runs on e1000e, and ends" ran /tmp/e1000e "$e1000e" --stamps --peer 10.0.2.2 --seconds 3
	check "e1000e's setting is as it was" [ "$(setting "$e1000e")" = "$before" ]
	check "that e1000e's clock stands still is said" says /tmp/e1000e 'does not tick'
	check "and that its transmit stamps do not come" says /tmp/e1000e 'transmit stamps do not work'
	check "nor its receive stamps" says /tmp/e1000e 'receive stamps do not work here: 20 packets'
fi
exit $fail
