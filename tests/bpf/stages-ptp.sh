#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The way of a PTP message to the page, as chronotick-trace tells it: of every transport, with a sample
# that a response completes (E2E) or the master's own message (P2P).
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/ptp-lib.sh"
[ "$(id -u)" -eq 0 ] || { echo "SKIP: needs root"; exit 77; }
[ -e /sys/bus/event_source/devices/uprobe/type ] || { echo "SKIP: this kernel has no uprobes"; exit 77; }
ptp_links 3
"$BUILD/bpf/chronotick-trace" writer --json --binary "$chronotickd" >"$work/trace.out" 2>"$work/trace.log" &
tracer=$!
reference_pids+=($!)
for _ in $(seq 100); do
	grep -q tracing "$work/trace.log" && break
	sleep 0.1
done
case_of() {
	ptp_grandmaster "$1" "$2" "$4" "$5"
	ptp_daemon "$1" "$2" "$3"
}
case_of l2 1 "" "network_transport L2" "delay_mechanism E2E"
case_of udp4 2 "transport: udp4" "network_transport UDPv4" "delay_mechanism E2E"
case_of p2p 3 "transport: udp4, delay_mechanism: p2p, delay_interval: -2" \
	"network_transport UDPv4" "delay_mechanism P2P"
sleep 14
kill -INT "$tracer"
wait "$tracer" || fail "chronotick-trace ended with $?"
python3 - "$work/trace.out" <<'END' || fail "the stages"
import json, sys
processes = [p for p in json.load(open(sys.argv[1]))["processes"] if "stage_all_ns" in p["distributions"]]
for process in processes:
    told = process["distributions"]
    print(process["pid"], {name: (told[name]["count"], round(told[name]["p50"]))
                           for name in told if name.startswith("stage_")})
good = [p for p in processes if p["distributions"]["stage_all_ns"]["count"] >= 3
        and 0 < p["distributions"]["stage_receive_ns"]["p50"] < 20e6]
sys.exit(len(good) < 3)
END
finish
