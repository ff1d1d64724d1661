# SPDX-License-Identifier: MIT
# shellcheck shell=dash
# Sourced after ports.sh: several masters and daemons at once on the same ports, each pair with a
# domain of its own. A daemon has a name, and by that a page and a control socket.
case_pids=

# case_port PORT NAMESPACE: another one than the first two goes there, be it that it has one already
case_port() {
	[ -e "/var/run/netns/$2" ] || ip netns add "$2"
	ip -n gm2 link set "sim$1" netns "$2" 2>/dev/null || ip link set "sim$1" netns "$2"
}

# case_run NAMESPACE NAME COMMAND...: in the background, until cases_end; it speaks to /tmp/NAME.log
case_run() {
	local where=$1 name=$2
	shift 2
	ip netns exec "$where" "$@" >>"/tmp/$name.log" 2>&1 &
	echo $! >"/tmp/$name.pid"
	case_pids="$case_pids $!"
}

# case_kill NAME
case_kill() {
	local pid
	pid=$($busybox cat "/tmp/$1.pid")
	kill "$pid"
	wait "$pid" 2>/dev/null
}

# case_master NAMESPACE NAME INTERFACE LINE...: ptp4l, which is not silent for 16 s if a stamp is late
case_master() {
	local where=$1 name=$2 interface=$3
	shift 3
	{
		printf '[global]\nlogSyncInterval -3\nlogMinDelayReqInterval -3\nlogAnnounceInterval 0\n'
		printf 'tx_timestamp_timeout 1000\nfault_reset_interval -128\n'
		printf 'clockClass 6\nclockAccuracy 0x20\npriority1 10\nuds_address /tmp/%s.uds\n' "$name"
		printf '%s\n' "$@"
	} >"/tmp/$name.cfg"
	case_run "$where" "$name" ptp4l -f "/tmp/$name.cfg" -i "$interface" -m
}

# case_daemon NAME LINE...: chronotickd in cl, with one source of those lines. $case_keys: the file
case_keys=
case_daemon() {
	local name=$1
	shift
	{
		printf 'counter: monotonic_raw\nstate: {file: none}\n'
		printf 'page: {backend: shm, shm_name: %s, frequency_hz: 20}\n' "$name"
		printf 'control: {socket: /tmp/%s.sock}\n' "$name"
		printf '%s\nsources:\n' "${case_keys:+keys: $case_keys}"
		printf '  - %s\n' "$1"
		shift
		printf '    %s\n' "$@"
	} >"/tmp/$name.yaml"
	case_run cl "$name" chronotickd --foreground --config "/tmp/$name.yaml"
}

cases_end() {
	kill $case_pids 2>/dev/null
	wait $case_pids 2>/dev/null
	case_pids=
}

# of NAME COMMAND...: asked of that daemon
of() {
	(
		export CHRONOTICK_CONTROL="/tmp/$1.sock" CHRONOTICK_PAGE="/dev/shm/$1"
		shift
		"$@"
	)
}

uptime_s() {
	$busybox cut -d. -f1 /proc/uptime
}

# case_within SECONDS COMMAND...: it succeeds until then, by the clock, as the machine may be slow
case_within() {
	local end=$(($(uptime_s) + $1))
	shift
	while ! "$@"; do
		[ "$(uptime_s)" -lt $end ] || return 1
		$busybox sleep 0.2
	done
}

case_matches() { # NAME PATTERN
	of "$1" chronotick sources -v 2>/dev/null | $busybox grep -Eq "$2"
}

# case_says NAME PATTERN [SECONDS]: a line of its source's status
case_says() {
	! case_within "${3:-1}" case_matches "$1" "$2" || return 0
	cases_told "$1"
	return 1
}

# case_settled NAME: what was off at the start is slewed away, and with it the bound
case_settled() {
	local bound
	bound=$(of "$1" chronotick json | $busybox grep -o '"bound_ns": *[0-9]*' |
		$busybox grep -o '[0-9]*$')
	[ "${bound:-10000}" -lt 10000 ]
}

# cases_ready NAME...: they are in use with the hardware's stamps, and what was off at the start is gone
cases_ready() {
	local name
	for name; do
		check "$name: is selected, with the hardware's stamps" \
			case_says "$name" 'selected.* hardware/hardware' 40
	done
	for name; do
		check "$name: has settled" case_within 30 case_settled "$name"
	done
	$busybox sleep 3
}

# cases_told NAME...: their status, as notes
cases_told() {
	local name
	for name; do
		of "$name" chronotick sources -v | $busybox sed "s/^/# $name: /"
	done
}

# cases_true SECONDS "NAME PORT P99_NS [TAI_S]"...: the pages of those daemons, all at once, against the
# clocks of those ports: a check each
cases_true() {
	local seconds=$1 row name pids=
	shift
	for row; do
		set -- $row
		CHRONOTICK_PAGE="/dev/shm/$1" vm-phc-truth "$2" "$seconds" "$3" ${4:-} \
			>"/tmp/$1.truth" 2>&1 &
		pids="$pids $1:$!"
	done
	for row in $pids; do
		name=${row%%:*}
		wait "${row##*:}"
		row=$?
		$busybox sed "s/^/# $name: /" "/tmp/$name.truth"
		check "$name: the time is the master's, and in every read within its bound" [ $row = 0 ]
	done
}

# case_bound NAME: the median bound of the latest cases_true, ns
case_bound() {
	$busybox sed -n 's/.*bound p50 \([0-9]*\).*/\1/p' "/tmp/$1.truth"
}
