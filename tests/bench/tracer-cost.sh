#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What chronotick-trace all costs at 1000 publications a second: its own CPU time and that of its BPF
# programs, as the kernel counts it; and its memory, with the maps'.
. "$(dirname "$0")/../integration/lib.sh"
trace=$BUILD/bpf/chronotick-trace seconds=${1:-20}
PATH=$PATH:/usr/sbin
[ "$(id -u)" -eq 0 ] || { echo "SKIP: needs root"; exit 77; }
command -v bpftool >/dev/null || { echo "SKIP: needs bpftool"; exit 77; }
stats=/proc/sys/kernel/bpf_stats_enabled
before=$(cat $stats)
servers 1
config "frequency_hz: 1000, backend: shm" 10.77.0.11
daemon
trusted || { fail "no trusted time"; finish; }
echo 1 >$stats
"$trace" all --json >"$work/trace.out" 2>"$work/trace.log" &
tracer=$!
daemons+=("$tracer") # ended whatever happens
sleep 2
programs() {
	bpftool -j prog show | python3 -c '
import json, sys
names = ("on_torn", "on_canary", "on_published", "on_stages")
print(sum(p.get("run_time_ns", 0) for p in json.load(sys.stdin) if p.get("name") in names))'
}
# ticks PID: user and system time, in clock ticks
ticks() {
	sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'
}
cpu=$(ticks "$tracer") daemon_cpu=$(ticks "$daemon") bpf=$(programs)
sleep "$seconds"
cpu=$(($(ticks "$tracer") - cpu)) daemon_cpu=$(($(ticks "$daemon") - daemon_cpu))
bpf=$(($(programs) - bpf))
rss=$(awk '/VmRSS/ { print $2 }' "/proc/$tracer/status")
maps=$(bpftool -j map show | python3 -c '
import json, sys
names = ("torn", "latency", "writer", "histogram", "notices", "__bpf_usdt_spec", "__bpf_usdt_ip_t",
         "probes.rodata", "probes.bss", "probes.kconfig")
print(sum(m.get("bytes_memlock", 0) for m in json.load(sys.stdin) if m.get("name") in names) // 1024)')
kill -INT "$tracer"
wait "$tracer" || fail "chronotick-trace ended with $?"
echo "$before" >$stats
python3 - "$work/trace.out" "$seconds" "$cpu" "$bpf" "$daemon_cpu" "$(getconf CLK_TCK)" "$rss" "$maps" <<'END2' || fail "more than it may cost"
import json, sys
report, (seconds, cpu, bpf, daemon, hz, rss, maps) = json.load(open(sys.argv[1])), map(int, sys.argv[2:])
rate = max(p["writer"]["shm"]["rate_hz"] for p in report["processes"] if "writer" in p)
own, programs = cpu / hz / seconds * 100, bpf / 1e9 / seconds * 100
megabytes = (rss + maps) / 1024
print(f"{rate:.0f} publications a second: the tracer {own:.2f} % of a core, its BPF programs "
      f"{programs:.2f} %, together {own + programs:.2f} %; the daemon, probes included, "
      f"{daemon / hz / seconds * 100:.1f} %")
print(f"memory: {rss / 1024:.1f} MB resident, {maps / 1024:.1f} MB of maps, together "
      f"{megabytes:.1f} MB")
sys.exit(own + programs >= 1 or megabytes >= 20)
END2
finish
