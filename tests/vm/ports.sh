# SPDX-License-Identifier: MIT
# shellcheck shell=dash
# Sourced by the scripts of the virtual machine: the simulated ports, gm (sim0) ---- cl (sim1), and with
# ports=3 gm2 (sim2) on the same cable, a namespace each with addresses of its own, and what is asked of them.
busybox=/bin/busybox
export PATH=/bin CHRONOTICK_CONTROL=/tmp/control.sock
fail=0

# check WHAT COMMAND...
check() {
	local what=$1
	shift
	if "$@"; then echo "ok - $what"; else echo "not ok - $what"; fail=1; fi
}

knob() { # PORT NAME VALUE
	echo "$3" >"/sys/devices/simnic$1/$2"
}

# offsets SECONDS: the worst, in whole ns, the mean, and the 99th of a hundred of the true offset, ten
# times a second
offsets() {
	local i=0
	while [ $i -lt $(($1 * 10)) ]; do
		$busybox cat /sys/devices/simnic1/offset_ns
		$busybox sleep 0.1
		i=$((i + 1))
	done | $busybox awk '{print $1 < 0 ? -$1 : $1, $1}' | $busybox sort -n |
		$busybox awk '{far[NR] = $1; sum += $2}
		END {printf "%d %d %d\n", far[NR] + 0.999, sum / NR, far[NR - int(NR / 100)] + 0.999}'
}

# locked NS SECONDS: wait until the true offset is below that, ten times in a row
locked() {
	local i=0 row=0
	while [ $i -lt $(($2 * 10)) ]; do
		if $busybox awk -v limit="$1" '{exit !($1 < limit && $1 > -limit)}' \
			/sys/devices/simnic1/offset_ns; then row=$((row + 1)); else row=0; fi
		[ $row -lt 10 ] || return 0
		$busybox sleep 0.1
		i=$((i + 1))
	done
	return 1
}

# ports_up [PARAMETER...]: of the module
ports_up() {
	$busybox mkdir -p /var/run/netns /run /etc /var/lib/chrony
	echo root:x:0:0:root:/:/bin/dash >/etc/passwd
	echo root:x:0: >/etc/group
	$busybox insmod /chronotick_simnic.ko "$@"
	local i=0 ns
	for ns in gm cl gm2; do
		[ -e /sys/class/net/sim$i ] || break
		ip netns add $ns
		ip link set sim$i netns $ns
		ip -n $ns link set lo up
		ip -n $ns link set sim$i up
		ip -n $ns addr add 10.9.0.$((i + 1))/24 dev sim$i
		i=$((i + 1))
	done
}

ports_down() {
	ip netns del gm
	ip netns del cl
	[ ! -e /var/run/netns/gm2 ] || ip netns del gm2
	$busybox sleep 0.5
	check "the module unloads" $busybox rmmod chronotick_simnic
}

# master_begin NAMESPACE INTERFACE LINE...: ptp4l as grandmaster, L2, 8 Sync messages a second, as
# /tmp/NAMESPACE.log tells
master_begin() {
	local where=$1 interface=$2
	shift 2
	{
		printf '[global]\nnetwork_transport L2\nlogSyncInterval -3\nlogMinDelayReqInterval -3\n'
		printf 'logAnnounceInterval 0\ntx_timestamp_timeout 200\nclockClass 6\nclockAccuracy 0x20\n'
		printf 'uds_address /tmp/%s.uds\n' "$where"
		printf '%s\n' "$@"
	} >"/tmp/$where.cfg"
	ip netns exec "$where" ptp4l -f "/tmp/$where.cfg" -i "$interface" -m >"/tmp/$where.log" 2>&1 &
	echo $! >"/tmp/$where.pid"
}

# master_end NAMESPACE [SIGNAL]
master_end() {
	local pid
	pid=$($busybox cat "/tmp/$1.pid")
	kill "-${2:-TERM}" "$pid"
	wait "$pid" 2>/dev/null
}

# daemon_begin NAMESPACE LINE...: chronotickd with one source of those lines; "": in no namespace
daemon_begin() {
	local where=$1
	shift
	{
		printf 'counter: %s\npage: {backend: %s}\n' "${counter:-monotonic_raw}" "${backend:-shm}"
		printf 'state: {file: none}\n'
		printf 'control: {socket: %s}\nsources:\n' "$CHRONOTICK_CONTROL"
		printf '  - %s\n' "$1"
		shift
		printf '    %s\n' "$@"
	} >/tmp/chronotickd.yaml
	${where:+ip netns exec "$where"} chronotickd --foreground --config /tmp/chronotickd.yaml \
		>/tmp/chronotickd.log 2>&1 &
	daemon_pid=$!
}

daemon_end() {
	kill "$daemon_pid"
	wait "$daemon_pid"
}

# source_field NAME: of the one source, as JSON has it: the first of that name, its parts may have others
source_field() {
	chronotick sources --json | $busybox grep -o "\"$1\": \"\{0,1\}[^\",}]*" |
		$busybox head -n 1 | $busybox sed 's/^[^:]*: "\{0,1\}//'
}

# await NAME VALUE SECONDS: that field
await() {
	local i=0
	while [ $i -lt $(($3 * 5)) ]; do
		[ "$(source_field "$1" 2>/dev/null)" != "$2" ] || return 0
		$busybox sleep 0.2
		i=$((i + 1))
	done
	return 1
}

# settled NS SECONDS: wait until the bound is below that, and what was off at the start is slewed away
settled() {
	local i=0 bound
	while [ $i -lt $(($2 * 5)) ]; do
		bound=$(chronotick json | $busybox grep -o '"bound_ns": *[0-9]*' | $busybox grep -o '[0-9]*$')
		[ "${bound:-$1}" -ge "$1" ] || return 0
		$busybox sleep 0.2
		i=$((i + 1))
	done
	return 1
}

# truth_begin OPTION...: vm-phc-truth, in the background. truth_end: waits for it, and returns whether each
# promise was kept; its figures are variables then
truth_begin() {
	$busybox rm -f /tmp/truth.log /tmp/figures
	vm-phc-truth -o /tmp/figures "$@" >/tmp/truth.log 2>&1 &
	truth_pid=$!
}

truth_end() {
	wait "$truth_pid"
	local r=$?
	$busybox sed 's/^/# /' /tmp/truth.log
	[ ! -e /tmp/figures ] || . /tmp/figures
	return $r
}

# told COMMAND...: what it prints, as notes
told() {
	"$@" >/tmp/told.log 2>&1
	local r=$?
	$busybox sed 's/^/# /' /tmp/told.log
	return $r
}
