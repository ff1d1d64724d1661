# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the tests of the PTP client, after lib.sh: Debian's ptp4l and fake masters at the server's
# ends of veth pairs of their own, ps1 to psN, and daemons at the client's ends, pc1 to pcN, each with a
# page and a control socket. Both ends share this host's clock, so the true offset is 0.
#
# ptp4l steers nothing here: -S with free_running, and never as a client of anybody but for benchmarks
# that set free_running too.

fake_ptp=$BUILD/tests/integration/fake-ptp

# ptp_links N
ptp_links() {
	local n end
	reference_up || exit $?
	ptp4l_find
	for n in $(seq "$1"); do
		ip link add "ps$n" netns "$reference_server_ns" type veth \
			peer name "pc$n" netns "$reference_client_ns"
		for end in "$reference_server_ns:ps$n:1" "$reference_client_ns:pc$n:2"; do
			IFS=: read -r ns link host <<<"$end"
			ip -n "$ns" link set "$link" up
			ip -n "$ns" addr add "10.78.$n.$host/24" dev "$link"
			ip -n "$ns" addr add "fd78::$n:$host/112" dev "$link" nodad
		done
	done
}

# ptp_grandmaster NAME LINK "SETTING VALUE"...: a ptp4l; its pid is $grandmaster.
ptp_grandmaster() {
	local name=$1 link=$2 dir=$reference_dir
	shift 2
	{
		printf '%s\n' "[global]" "time_stamping software" "free_running 1" "priority1 10" \
			"clockClass 6" "clockAccuracy 0x20" "uds_address $dir/$name.uds" \
			"logSyncInterval -3" "logMinDelayReqInterval -3" "logAnnounceInterval -1" \
			"announceReceiptTimeout 2"
		printf '%s\n' "$@"
	} >"$dir/$name.cfg"
	"${reference_server_side[@]}" "$ptp4l" -f "$dir/$name.cfg" -i "ps$link" -m \
		>"$work/$name.log" 2>&1 </dev/null &
	grandmaster=$!
	reference_pids+=($!)
}

# ptp_fake LINK TRANSPORT OPTION...: its pid is $fake.
ptp_fake() {
	local link=$1
	shift
	"${reference_server_side[@]}" "$fake_ptp" "ps$link" "$@" >>"$work/fake.log" 2>&1 </dev/null &
	fake=$!
	reference_pids+=($!)
}

# ptp_daemon NAME LINK "KEY: VALUE, ...": a daemon with that source
ptp_daemon() {
	local name=$1 link=$2
	{
		echo "page: {shm_name: $shm_name.$name}"
		echo "control: {socket: $work/$name.sock}"
		echo "state: {file: none}"
		[ -z "$document" ] || echo "$document"
		echo "sources:"
		echo "  - {ptp: pc$link${3:+, $3}}"
	} >"$work/chronotick.yaml"
	daemon
	for _ in $(seq 200); do # until it has read its file
		[ -S "$work/$name.sock" ] && return 0
		sleep 0.05
	done
	fail "the daemon $name does not start"
}

# ptp_judge NAME OPTION...: compare its page with the truth, in the background: $work/NAME.truth
ptp_judged=()
ptp_judge() {
	local name=$1
	shift
	CHRONOTICK_PAGE=/dev/shm/$shm_name.$name "$truth" "$@" >"$work/$name.truth" 2>&1 &
	ptp_judged+=("$!:$name")
}

ptp_verdicts() {
	local judged
	for judged in "${ptp_judged[@]}"; do
		wait "${judged%%:*}" || fail "${judged#*:}, see below"
		echo "${judged#*:}:"
		sed 's/^/    /' "$work/${judged#*:}.truth"
	done
	ptp_judged=()
}

# ptp_source NAME EXPRESSION: of its only source, as `chronotick sources --json` has it
ptp_source() {
	"$chronotick" sources --json --control "$work/$1.sock" |
		python3 -c "import json, sys; s = json.load(sys.stdin)['sources'][0]; p = s['ptp']; print($2)"
}

# ptp_expect NAME EXPRESSION: it must be true within 10 s
ptp_expect() {
	local end=$((SECONDS + 10))
	while [ $SECONDS -lt $end ]; do
		[ "$(ptp_source "$1" "$2")" != True ] || return 0
		sleep 0.2
	done
	fail "$1: $2 is not true:"
	"$chronotick" sources -v --control "$work/$1.sock" | sed 's/^/    /'
}
