# SPDX-License-Identifier: MIT
# shellcheck shell=dash
# Sourced by the scripts of the virtual machine: the two simulated ports, gm (sim0) ---- cl (sim1), a
# namespace each with addresses of its own, and what is asked of them.
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

# offsets SECONDS: the worst, in whole ns, and the mean of the true offset, ten times a second
offsets() {
	local i=0
	while [ $i -lt $(($1 * 10)) ]; do
		$busybox cat /sys/devices/simnic1/offset_ns
		$busybox sleep 0.1
		i=$((i + 1))
	done | $busybox awk '{a = $1 < 0 ? -$1 : $1; if (a > worst) worst = a; sum += $1}
		END {printf "%d %d\n", worst + 0.999, sum / NR}'
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
	local i ns
	for i in 0 1; do
		ns=$([ $i = 0 ] && echo gm || echo cl)
		ip netns add $ns
		ip link set sim$i netns $ns
		ip -n $ns link set lo up
		ip -n $ns link set sim$i up
		ip -n $ns addr add 10.9.0.$((i + 1))/24 dev sim$i
	done
}

ports_down() {
	ip netns del gm
	ip netns del cl
	$busybox sleep 0.5
	check "the module unloads" $busybox rmmod chronotick_simnic
}

# daemon_begin NAMESPACE LINE...: chronotickd with one source of those lines; "": in no namespace
daemon_begin() {
	local where=$1
	shift
	{
		printf 'counter: monotonic_raw\npage: {backend: shm}\nstate: {file: none}\n'
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

# told COMMAND...: what it prints, as notes
told() {
	"$@" >/tmp/told.log 2>&1
	local r=$?
	$busybox sed 's/^/# /' /tmp/told.log
	return $r
}
