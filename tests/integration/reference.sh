# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The embedded reference: NTP servers in a network namespace of their own that serve this host's
# clock, so that the true error of every client in the other namespace is known: truth is
# CLOCK_REALTIME. Nothing outside of the two namespaces sees or hears of it.
#
#	+---- ct$$s ---------------+            +---- ct$$c ---------------+
#	| servers on 10.77.0.11-29 | vs ---- vc | the client, 10.77.0.1    |
#	|        and fd77::11-29   |    veth    | fd77::1                  |
#	+--------------------------+            +--------------------------+
#
# Sourced. $chronyd and $chronyc must be set (scripts/lib.sh: chronyd_find). Functions:
#	reference_up			both namespaces, $reference_dir; 77 where that is not possible
#	reference_server N [OFFSET_S]	a chronyd at address N; with an offset it lies by that much
#	reference_begin N [OFFSET_S]	the same, not waiting until a liar lies: reference_ready N
#	reference_end N			end the chronyd at address N, for another to take its place
#	reference_fake N KIND		a fake server of tests/integration/fake-ntp.c at address N
#	"${reference_client[@]}" COMMAND...	run in the client's namespace
#	reference_down			end all that was started, remove all that was made
#	reference_keep PID FILE		leave all running, with a script that ends it later

reference_server_ns=ct$$s
reference_client_ns=ct$$c
# Prefixes of a command, no functions: $! is then the command itself, not a shell around it.
reference_server_side=(nsenter --net=/run/netns/$reference_server_ns)
reference_client=(nsenter --net=/run/netns/$reference_client_ns)
reference_dir=
reference_extra= # further lines for the servers that are started from now on
reference_pids=()

reference_up() {
	if [ "$(id -u)" -ne 0 ] || ! ip netns add "$reference_server_ns" 2>/dev/null; then
		echo "SKIP: network namespaces need root and a kernel that has them"
		return 77
	fi
	reference_dir=$(mktemp -d /tmp/chronotick-reference-XXXXXX)
	chmod 0700 "$reference_dir"
	ip netns add "$reference_client_ns"
	ip link add vs netns "$reference_server_ns" type veth \
		peer name vc netns "$reference_client_ns"
	local ns n
	for ns in "$reference_server_ns:vs" "$reference_client_ns:vc"; do
		ip -n "${ns%:*}" link set lo up
		ip -n "${ns%:*}" link set "${ns#*:}" up
	done
	for n in $(seq 11 29); do
		ip -n "$reference_server_ns" addr add 10.77.0.$n/24 dev vs
		ip -n "$reference_server_ns" addr add fd77::$n/64 dev vs nodad
	done
	ip -n "$reference_client_ns" addr add 10.77.0.1/24 dev vc
	ip -n "$reference_client_ns" addr add fd77::1/64 dev vc nodad
}

# What chronyd is told: -x (in reference_server) keeps its hands off the host's clock.
reference_conf() {
	local n=$1 offset=${2:-} dir=$reference_dir/$1
	cat <<-CONF
		allow
		cmdport 0
		bindaddress 10.77.0.$n
		bindaddress fd77::$n
		bindcmdaddress $dir/chronyd.sock
		pidfile $dir/chronyd.pid
	CONF
	[ -z "$reference_extra" ] || echo "$reference_extra"
	if [ -n "$offset" ]; then
		echo "server 10.77.0.11 minpoll 0 maxpoll 0 iburst offset $offset"
	else
		echo "local stratum 1"
	fi
}

reference_server() {
	reference_begin "$@" && { [ $# -eq 1 ] || reference_ready "$1"; }
}

reference_begin() {
	local n=$1 offset=${2:-} dir=$reference_dir/$1 try
	rm -rf "$dir"
	mkdir -m 0700 "$dir"
	reference_conf "$n" "$offset" >"$dir/chrony.conf"
	"${reference_server_side[@]}" "$chronyd" -x -d -u root -f "$dir/chrony.conf" \
		>"$dir/log" 2>&1 </dev/null &
	reference_pids+=($!)
	echo $! >"$dir/pid"
	for try in $(seq 100); do
		[ -S "$dir/chronyd.sock" ] && return 0
		sleep 0.05
	done
	cat "$dir/log"
	return 1
}

reference_ready() {
	"$chronyc" -h "$reference_dir/$1/chronyd.sock" waitsync 20 0 0 0.5 >/dev/null
}

reference_end() {
	local pid
	pid=$(cat "$reference_dir/$1/pid")
	kill "$pid"
	wait "$pid"
}

reference_fake() {
	"${reference_server_side[@]}" "$fake_ntp" "10.77.0.$1" "$2" >/dev/null 2>&1 </dev/null &
	reference_pids+=($!)
}

reference_down() {
	local pid ns
	for pid in "${reference_pids[@]+"${reference_pids[@]}"}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	reference_pids=()
	for ns in "$reference_server_ns" "$reference_client_ns"; do
		[ ! -e "/run/netns/$ns" ] || ip netns del "$ns"
	done
	[ -z "$reference_dir" ] || rm -rf "$reference_dir"
	reference_dir=
}

# reference_keep PID FILE: instead of reference_down, leave everything running and a script,
# $reference_dir/end, that ends it, the process PID with it, and removes FILE and its lock.
reference_keep() {
	cat >"$reference_dir/end" <<-END
		kill $1 ${reference_pids[*]}
		sleep 1
		ip netns del $reference_server_ns
		ip netns del $reference_client_ns
		rm -rf $2 $2.lock $reference_dir
	END
}
