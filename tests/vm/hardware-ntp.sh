#!/bin/dash
# SPDX-License-Identifier: MIT
# The daemon's NTP client with hardware stamps, against chronyd that has them too, across the simulated
# ports. Both ends share CLOCK_REALTIME, which chronyd serves: that is the truth.
. /bin/ports.sh

# The wire takes 20 us each way; what the emulated machines take is a hundred times that.
wire_ns=20000

server() {
	printf '%s\n' 'local stratum 1' allow 'bindaddress 10.9.0.1' 'cmdport 0' \
		'pidfile /tmp/chronyd.pid' 'hwtimestamp sim0' >/tmp/chrony.conf
	ip netns exec gm chronyd -x -d -u root -f /tmp/chrony.conf >/tmp/chronyd.log 2>&1 &
	server_pid=$!
}

daemon() { # LINE...
	daemon_begin cl 'ntp: 10.9.0.1' 'iburst: true' 'minpoll: -2' 'maxpoll: -2' "$@"
}

filter() { # what port 1 is set to
	ip netns exec cl hwstamp_ctl -i sim1 | $busybox grep -A2 -i current |
		$busybox grep -o '[tr]x_[a-z]* [0-9]*' | $busybox tr '\n' ' '
}

delay_is_the_wires() {
	local delay
	delay=$(source_field delay_ns)
	echo "# delay $delay ns, of $((2 * wire_ns)) on the wire; +- $(source_field root_distance_ns) ns"
	[ "$delay" -ge $((2 * wire_ns - 2000)) ] && [ "$delay" -le $((2 * wire_ns + 10000)) ]
}

missing() { # exchanges without both of the hardware's stamps
	chronotick sources -v | $busybox grep -o '[0-9]* missing' | $busybox grep -o '[0-9]*'
}

true_for() { # SECONDS: each read's bound holds
	told truth --seconds "$1"
}

ports_up
knob 0 delay_ns $wire_ns
knob 1 delay_ns $wire_ns
knob 0 frequency_ppb 20000
knob 1 frequency_ppb -30000
knob 1 step_ns -1000000000000
before=$(filter)

server
daemon 'hwtimestamp: sim1' 'xleave: true'
check "both stamps are the hardware's" await tx_stamp hardware 20
check "and the status says which" $busybox test -n "$(chronotick sources -v |
	$busybox grep 'hardware stamps: sim1, /dev/ptp1, precise')"
$busybox sleep 2
check "so the delay is the wire's" delay_is_the_wires
check "the bound holds" true_for 4

# Long after the answer, in which it is not waited for
knob 1 tx_stamp_delay_ns 40000000
$busybox sleep 1
before_late=$(missing)
before_samples=$(source_field samples)
$busybox sleep 3
check "stamps that all come late are used by the next answer" \
	[ $(($(missing) - before_late)) -le 2 ]
check "of which there are some" [ $(($(source_field samples) - before_samples)) -ge 4 ]
knob 1 tx_stamp_delay_ns 5000
knob 1 tx_stamp_loss_ppm 200000
knob 1 tx_stamp_late_ppm 100000
knob 1 tx_stamp_twice_ppm 200000
knob 1 rx_stamp_loss_ppm 100000
knob 0 tx_stamp_loss_ppm 100000
check "it holds with stamps that are missing, late and twice" true_for 8
chronotick sources -v | $busybox sed 's/^/#/'
check "which are counted" $busybox test -n "$(chronotick sources -v |
	$busybox grep -E '[1-9][0-9]* missing, [0-9]* late, [1-9][0-9]* twice')"
for i in tx_stamp_loss_ppm tx_stamp_late_ppm tx_stamp_twice_ppm rx_stamp_loss_ppm; do
	knob 0 $i 0
	knob 1 $i 0
done
knob 1 step_ns 5000000
knob 1 frequency_ppb 10000
check "and while somebody steps the NIC's clock" true_for 4
check "after which the hardware's stamps are used again" await tx_stamp hardware 10
daemon_end
check "the setting is as it was: $before" [ "$(filter)" = "$before" ]

# A user of PTP's filter keeps what he has.
ip netns exec cl hwstamp_ctl -i sim1 -t 1 -r 12 >/dev/null
daemon 'hwtimestamp: sim1'
check "basic mode has them, too" await rx_stamp hardware 20
check "all packets are stamped now" [ "$(filter)" = "tx_type 1 rx_filter 1 " ]
daemon_end
check "and PTP's again" [ "$(filter)" = "tx_type 1 rx_filter 12 " ]

# A VLAN: the device below it stamps.
if [ -e /modules/8021q ]; then
	for i in $($busybox cat /modules/8021q); do $busybox insmod "$i"; done
	for i in 0 1; do
		ns=$([ $i = 0 ] && echo gm || echo cl)
		ip -n $ns link add link sim$i name sim$i.5 type vlan id 5
		ip -n $ns link set sim$i.5 up
		ip -n $ns addr del 10.9.0.$((i + 1))/24 dev sim$i
		ip -n $ns addr add 10.9.0.$((i + 1))/24 dev sim$i.5
	done
	daemon 'hwtimestamp: sim1.5'
	check "through a VLAN as well" await rx_stamp hardware 20
	daemon_end
fi
kill "$server_pid"
wait "$server_pid"
ports_down

# NICs that can only stamp PTP
ports_up filters=4096
knob 0 delay_ns $wire_ns
server
daemon 'hwtimestamp: sim1'
check "without a filter for NTP the kernel's stamps are used" await rx_stamp kernel 20
check "and the status says why" $busybox test -n "$(chronotick sources -v |
	$busybox grep 'no hardware stamps: sim1 cannot stamp NTP packets')"
daemon_end
daemon 'hwtimestamp: nosuch0'
check "likewise without the interface" await rx_stamp kernel 20
daemon_end
kill "$server_pid"
wait "$server_pid"
[ $fail = 0 ] || $busybox tail -n 20 /tmp/chronotickd.log /tmp/chronyd.log
ports_down
exit $fail
