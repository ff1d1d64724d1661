#!/bin/dash
# SPDX-License-Identifier: MIT
# chronotick-trace in the machine: the module's tracepoints as its BPF programs count them are those
# that the kernel's own tracing has, from the daemon's first publication to its last; the module's
# notices come; torn reads are the reader's own count; and the shared memory's page beside it.
busybox=/bin/busybox
export PATH=/bin
fail=0
events=/sys/kernel/tracing/events/chronotick

# check WHAT COMMAND...
check() {
	local what=$1
	shift
	if "$@"; then echo "ok - $what"; else echo "not ok - $what"; fail=1; fi
}

# waits SECONDS COMMAND...: until it succeeds
waits() {
	local i=$(($1 * 10))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ $i -gt 0 ] || return 1
		$busybox sleep 0.1
		i=$((i - 1))
	done
}

# member TEXT NAME FILE: the first number of that name after the text
member() {
	$busybox tr -d '\n' <"$3" | $busybox sed -n "s/.*$1/$1/; s/^$1[^}]*\"$2\": *\([0-9]*\).*/\1/p"
}

$busybox ifconfig lo 127.0.0.1 up
fake-ntp 127.0.0.1 good >/tmp/server.log 2>&1 &
server=$!
cat_config() {
	echo 'page: {backend: auto}'
	echo 'control: {socket: none}'
	echo 'state: {file: none}'
	echo 'sources:'
	echo '  - {ntp: 127.0.0.1, minpoll: -3, maxpoll: -1}'
}
cat_config >/tmp/traced.yaml

echo 8192 >/sys/kernel/tracing/buffer_size_kb
echo >/sys/kernel/tracing/trace
echo 1 >$events/chronotick_publish/enable
chronotick-trace all --json --binary /bin/chronotickd >/tmp/trace.json 2>/tmp/trace.log &
tracer=$!
check "chronotick-trace attaches" waits 20 $busybox grep -q tracing /tmp/trace.log
chronotickd --config /tmp/traced.yaml --foreground >/tmp/daemon.log 2>&1 &
daemon=$!
check "the time is trusted" waits 30 chronotick read
# A reader of a page of its own, with its oracle
{
	$busybox sleep 1
	echo go
	$busybox sleep 3
} | bpf-reader 10000 1 >/tmp/reader.json
kill -TERM $daemon
wait $daemon
check "the daemon ends in order" [ $? -eq 0 ]
$busybox sleep 1.5
kill -INT $tracer
wait $tracer
check "chronotick-trace ends in order" [ $? -eq 0 ]
kill $server
echo 0 >$events/chronotick_publish/enable

kernel=$($busybox grep -c 'chronotick_publish:' /sys/kernel/tracing/trace)
traced=$(member '"module":{' count /tmp/trace.json)
shm=$(member '"shm":{' count /tmp/trace.json)
windows=$(member '"module_window_ns":{' count /tmp/trace.json)
stages=$(member '"stage_all_ns":{' count /tmp/trace.json)
torn=$(member '"torn":{' count /tmp/trace.json)
oracle=$($busybox sed -n 's/.*"torn": *\([0-9]*\).*/\1/p' /tmp/reader.json)
echo "# publications: the kernel's tracing $kernel, traced $traced, windows $windows, in shared memory $shm"
echo "# packets $stages; torn reads: the reader $oracle, traced ${torn:-0}"
check "publications of the module are all counted" [ "${kernel:-0}" -gt 50 -a "$kernel" = "$traced" ]
check "with their windows" [ "$windows" = "$traced" ]
check "those in shared memory beside them" [ "${shm:-0}" -gt 50 ]
check "packets are followed to the page" [ "${stages:-0}" -ge 1 ]
check "torn reads are the reader's own count" [ "${torn:-0}" = "$oracle" ]
check "a writer that comes and goes is told of" \
	[ "$($busybox grep -c "module's writer" /tmp/trace.log)" -ge 2 ]
[ $fail -eq 0 ] || { $busybox tail -n 20 /tmp/trace.log /tmp/daemon.log | $busybox sed 's/^/# /'; $busybox cut -c1-1500 /tmp/trace.json | $busybox sed 's/^/# /'; }
exit $fail
