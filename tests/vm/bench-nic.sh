#!/bin/dash
# SPDX-License-Identifier: MIT
# bench-nic on a simulated port, and on what QEMU emulates of Intel's NICs, some of whose stamps do not
# work there: which is to be said, and nothing is to hang.
. /bin/ports.sh
export BUILD=/nowhere

ran() { # DIRECTORY INTERFACE...
	local directory=$1
	shift
	bench-nic "$@" "$directory" --stamps --seconds 5 >"$directory.log" 2>&1
	local r=$?
	$busybox sed 's/^/# /' "$directory.log"
	[ $r = 0 ] && [ -s "$directory/results.json" ] && [ -s "$directory/report.html" ]
}

says() { # DIRECTORY PATTERN
	$busybox grep -q "$2" "$1/results.json"
}

ls_net() { # DRIVER: its network device
	local path
	for path in /sys/bus/pci/drivers/"$1"/*/net/*; do
		[ -e "$path" ] && echo "${path##*/}" && return 0
	done
	return 1
}

$busybox ln -s /bin/dash /bin/sh
for i in cat grep sed date mkdir uname dirname; do
	$busybox ln -s $busybox /bin/$i 2>/dev/null
done
ports_up
ip link add name none0 type dummy 2>/dev/null
knob 1 frequency_ppb 7000
daemon_begin '' 'phc: /dev/ptp0' 'timescale: utc'
$busybox sleep 6
ip -n cl link set sim1 netns 1
ip link set sim1 up
before=$(hwstamp_ctl -i sim1 | $busybox grep -A2 -i current)
check "it runs on a simulated port" ran /tmp/sim sim1
check "reads its clock in every way" says /tmp/sim '"plain"'
check "knows the clock's rate" $busybox awk '/rate_ppb/ {gsub(/[",]/, ""); if ($2 > 6800 && $2 < 7200) ok = 1}
	END {exit !ok}' /tmp/sim/results.json
check "all transmit stamps come" says /tmp/sim '"stamped": 50'
check "and the page's bound" says /tmp/sim '"bound_ns"'
check "the report has the plots" $busybox grep -q '<polyline' /tmp/sim/report.html
check "the setting is as it was" [ "$(hwstamp_ctl -i sim1 | $busybox grep -A2 -i current)" = "$before" ]
$busybox grep -E '"(rate_ppb|adev_1s)"' /tmp/sim/results.json | $busybox sed 's/^/# /'
daemon_end
check "without a clock it says what it skips" ran /tmp/lo lo
check "that it has none" says /tmp/lo 'it has none'
bench-nic nosuch0 /tmp/no >/tmp/no.log 2>&1
check "an interface that is not there is an error" [ $? = 1 ]
ip link set sim1 netns cl
ports_down

# What an emulated NIC has of a clock and of stamps differs from one QEMU to the next.
for driver in igb e1000e; do
	for i in $($busybox cat /modules/$driver); do $busybox insmod "$i" 2>/dev/null; done
	$busybox sleep 2
	if [ ! -e /sys/bus/pci/drivers/$driver ] || ! device=$(ls_net $driver); then
		echo "ok - $driver # SKIP the emulator has none"
		continue
	fi
	ip link set "$device" up
	$busybox sleep 3
	check "it runs on $driver, and ends" ran /tmp/$driver "$device"
	$busybox grep -A3 -E '"(transmit|receive)_stamps"|skipped|rate_ppb' /tmp/$driver/results.json |
		$busybox sed 's/^/# /'
	ip link set "$device" down
done
exit $fail
