#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The writer as chronotick-trace sees it: as many publications as the daemon itself counts, from its
# first to its last, with their windows, intervals and updates; every packet's way to the page;
# publications that a stopped daemon has missed; and what the daemon's canary measures, there and in
# the page.
. "$(dirname "$0")/../integration/lib.sh"
trace=$BUILD/bpf/chronotick-trace
[ "$(id -u)" -eq 0 ] || { echo "SKIP: needs root"; exit 77; }
[ -e /sys/bus/event_source/devices/uprobe/type ] || { echo "SKIP: this kernel has no uprobes"; exit 77; }
servers 1
config "frequency_hz: 1000, backend: shm" 10.77.0.11

# tracing VERB OPTION...: start a tracer of the daemon's program, and wait until it is attached.
tracing() {
	"$trace" "$@" --binary "$chronotickd" >"$work/trace.out" 2>"$work/trace.log" &
	tracer=$!
	local i
	for i in $(seq 100); do
		grep -q "tracing" "$work/trace.log" && return 0
		kill -0 "$tracer" 2>/dev/null || break
		sleep 0.1
	done
	fail "the tracer does not start"
	finish
}

# traced: end it; its output is in $work/trace.out
traced() {
	kill -INT "$tracer"
	wait "$tracer" || fail "chronotick-trace ended with $?"
}

tracing all --json
daemon
pid=$daemon
trusted || fail "no trusted time"
# The report for people, of the same
"$trace" all --histograms --binary "$chronotickd" --pid "$daemon" --duration 3 >"$work/trace.txt" 2>&1 ||
	fail "the report as text: $?"
grep -E "publications, shm +[1-9][0-9]* .*missed [0-9]+, overdue [0-9]+, sequence [1-9][0-9]*, synchronized; at most: window" \
	"$work/trace.txt" || fail "the report as text: $(cat "$work/trace.txt")"
# Stopped for some 50 publications
kill -STOP "$daemon"
sleep 0.05
kill -CONT "$daemon"
sleep 0.5
daemon_end TERM
sleep 0.3
traced
python3 - "$pid" "$work/trace.out" "$CHRONOTICK_PAGE" <<'END' || fail "the writer's report"
import json, struct, sys
pid, report = int(sys.argv[1]), json.load(open(sys.argv[2]))
page = open(sys.argv[3], "rb").read()
published = struct.unpack_from("=Q", page, 512 + 8)[0]
process = next(p for p in report["processes"] if p["pid"] == pid)
writer, told = process["writer"]["shm"], process["distributions"]
bad = 0
def check(condition, text):
    global bad
    if not condition:
        bad += 1
        print("FAIL:", text)
print(f"{published} publications in the page, {writer['count']} traced, {writer['missed']} missed;",
      "p50 of window {:.0f} ns, jitter {:.0f} ns, update {:.0f} ns, packet in to page out {:.0f} ns"
      .format(*(told[name]["p50"] for name in ("write_window_ns", "write_jitter_ns",
                                               "write_update_ns", "stage_all_ns"))))
check(writer["count"] == published, "not as many publications")
check(process["canary"]["rounds"] >= 3, "the daemon's own canary")
check(struct.unpack_from("=f", page, 384 + 112)[0] > 0, "average_latency_ms in the record")
read_min, read_mean, read_p50, read_p99, read_max = struct.unpack_from("=5Q", page, 512 + 64)
print(f"a read, as the page has it: {read_p50 / 1000:.1f} ns, as traced:",
      f"{told['canary_warm_ps']['p50'] / 1000:.1f} ns")
check(0 < read_min <= read_p50 <= read_p99 <= read_max and read_min <= read_mean <= read_max,
      "the page's figures of a read")
check(process["name"].startswith("chronotickd"), process["name"])
check(writer["period_ns"] == 1000000, "period")
check(writer["sequence"] % 2 == 0, "sequence")
check(told["write_window_ns"]["count"] == published, "windows")
check(told["write_jitter_ns"]["count"] == published - 1, "intervals")
check(told["write_update_ns"]["count"] == published, "updates")
check(20 <= writer["missed"], "nothing missed while it was stopped")
check(writer["overdue"] >= 250, "nothing overdue when it has ended")
check(0 < told["write_window_ns"]["p50"] < 1e6, "window")
check(writer["interval_ns_max"] > 45e6, "the interval of the stop")
stages = [told[f"stage_{name}_ns"] for name in ("receive", "wait", "publish", "all")]
check(stages[0]["count"] >= 3, "packets")
check(len({stage["count"] for stage in stages}) == 1, "stages that are not all there")
check(max(stage["p50"] for stage in stages[:3]) <= stages[3]["max"], "the whole is less than a part")
check(stages[3]["p50"] < 20e6, "a packet's way takes longer than some publications")
sys.exit(bad > 0)
END
finish
