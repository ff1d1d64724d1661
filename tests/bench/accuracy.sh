#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# chronotickd against Debian's chronyd -x, side by side: ten scenarios at once, the same polls, each
# client behind a path of its own (path.c) that treats its k-th packet as the other one's path does.
# Prints a table; Documentation/accuracy.md tells how to read it. Ends with 0 if the RMS true error
# is not above chronyd's in 8 scenarios of 10, every read's bound held, and the median bound is
# below 1.5 times chronyd's median root distance in each.
#
#	accuracy.sh [--write] [--series DIRECTORY]
#
# --write: the table replaces the one in Documentation/accuracy.md. --series: what was measured,
# every 100 ms (versus.c), stays in that directory, one file a scenario.
. "$(dirname "$0")/../integration/lib.sh"
path=$BUILD/tests/bench/path
versus=$BUILD/tests/bench/versus
warm_s=${SECONDS_OF_WARMING:-30} seconds=${SECONDS_OF_READS:-150}
write= series=$work/series
while [ $# -gt 0 ]; do
	case $1 in
	--write) write=1 ;;
	--series) series=$2 && shift ;;
	*) die "usage: accuracy.sh [--write] [--series DIRECTORY]" ;;
	esac
	shift
done
mkdir -p "$series"

# path_at ADDRESS SEED "SERVER SETTING..."
path_at() {
	local address=$1 seed=$2 words
	read -ra words <<<"$3"
	ip -n "$reference_server_ns" addr add "$address/16" dev vs
	"${reference_server_side[@]}" "$path" "$address" "10.77.0.${words[0]}" "${words[@]:1}" \
		"seed=$seed" >>"$work/paths.log" 2>&1 </dev/null &
	reference_pids+=($!)
}

# chronyd_begin DIRECTORY POLL ADDRESS...
chronyd_begin() {
	local dir=$1 poll=$2 address
	shift 2
	mkdir -m 0700 "$dir"
	{
		printf '%s\n' "cmdport 0" "port 0" "bindcmdaddress $dir/chronyd.sock" \
			"pidfile $dir/chronyd.pid"
		printf "server %s iburst xleave minpoll $poll maxpoll $poll\n" "$@"
	} >"$dir/chrony.conf"
	"${reference_client[@]}" "$chronyd" -x -d -u root -f "$dir/chrony.conf" \
		>"$dir.log" 2>&1 </dev/null &
	reference_pids+=($!)
}

# chronotickd_begin N POLL ADDRESS...
chronotickd_begin() {
	local n=$1 poll=$2
	shift 2
	{
		echo "page: {shm_name: $shm_name.$n}"
		echo "control: {socket: $work/control-$n.sock}"
		echo "state: {file: none}"
		echo "sources:"
		printf "  - {ntp: %s, iburst: true, xleave: true, minpoll: $poll, maxpoll: $poll}\n" "$@"
	} >"$work/chronotick.yaml"
	daemon
	for _ in $(seq 100); do # until it has read its file
		[ -S "$work/control-$n.sock" ] && return
		sleep 0.05
	done
	fail "the chronotickd of scenario $n does not start"
}

# scenario NAME POLL "SERVER SETTING..."...: both clients, each behind its own paths to those servers,
# and who looks at them. SERVER: 11, which is right, or 12, which lies.
scenario() {
	local name=$1 poll=$2 n=$((${#judges[@]} + 1)) i=0 ours=() theirs=() server
	shift 2
	for server; do
		ours+=("10.77.$n.1$i")
		theirs+=("10.77.$n.2$i")
		path_at "10.77.$n.1$i" $((n * 4 + i)) "$server"
		path_at "10.77.$n.2$i" $((n * 4 + i)) "$server"
		i=$((i + 1))
	done
	chronyd_begin "$work/chronyd-$n" "$poll" "${theirs[@]}"
	chronotickd_begin "$n" "$poll" "${ours[@]}"
	echo "# $name" >"$series/$n.txt"
	"$versus" "/dev/shm/$shm_name.$n" "$chronyc" "$work/chronyd-$n/chronyd.sock" \
		$((warm_s + seconds)) >>"$series/$n.txt" &
	judges+=($!)
}

servers 1
ip -n "$reference_client_ns" addr add 10.77.100.1/16 dev vc
reference_server 12 0.005 || { fail "the lying server does not start"; finish; }
judges=()
lan="out-us=100 back-us=100 jitter-us=5"
metro="out-us=1000 back-us=1000"
near="out-us=200 back-us=200 jitter-us=20"
scenario "LAN: 100 us, jitter 5 us" 0 "11 $lan"
scenario "LAN, in 3 of 10 exchanges bursts of 500 us" 0 \
	"11 $lan burst-every=10 burst-length=3 burst-us=500"
scenario "1 ms, jitter 100 us" 0 "11 $metro jitter-us=100"
scenario "10 ms, jitter 1 ms" 0 "11 out-us=10000 back-us=10000 jitter-us=1000"
scenario "1 ms out, 3 ms back, jitter 50 us" 0 "11 out-us=1000 back-us=3000 jitter-us=50"
scenario "1 ms, jitter 100 us, loss 30 % each way" 0 "11 $metro jitter-us=100 loss=30"
scenario "1 ms, in 10 of 20 exchanges bursts of 5 ms" 0 \
	"11 $metro jitter-us=50 burst-every=20 burst-length=10 burst-us=5000"
scenario "three servers: 0.2, 1 and 5 ms" 0 \
	"11 $near" "11 $metro jitter-us=100" "11 out-us=5000 back-us=5000 jitter-us=500"
scenario "three servers, one lies by 5 ms" 0 \
	"11 $near" "11 out-us=300 back-us=300 jitter-us=30" "12 $near"
scenario "polls of 4 s, the delay steps from 1 to 3 ms" 2 \
	"11 $metro jitter-us=50 step-us=2000 step-after-s=$(((warm_s + seconds) / 2))"
for judge in "${judges[@]}"; do
	wait "$judge" || fail "a scenario was not watched to its end"
done
[ "$failures" -eq 0 ] || finish # with the logs, which tell nothing of a comparison that was lost
python3 "$(dirname "$0")/accuracy.py" "$warm_s" "$series"/{1..10}.txt >"$work/table"
lost=$?
cat "$work/table"
[ -z "$write" ] || python3 "$(dirname "$0")/accuracy.py" --write \
	"$top/Documentation/accuracy.md" <"$work/table" || fail "the table is not written"
[ "$failures" -eq 0 ] || finish
exit $lost
