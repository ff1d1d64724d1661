#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The true error behind a PTP grandmaster over veth, beside that of ptp4l -S as a client of the same one
# at the same time. Both ends have this host's clock, so the truth is 0: what ptp4l measures, in the log
# of a client that steers nothing, is its error, once a second as the rms of its measurements. Ends with
# 0 if every read's bound held and the p99 of chronotickd's error is not above what that makes ptp4l's.
. "$(dirname "$0")/../integration/lib.sh"
. "$here/ptp-lib.sh"
seconds=${SECONDS_OF_READS:-60} settle=15
ptp_links 1
ptp_grandmaster gm 1 "network_transport L2"
printf '%s\n' "[global]" "time_stamping software" "free_running 1" "slaveOnly 1" \
	"uds_address $reference_dir/client.uds" "network_transport L2" \
	"logMinDelayReqInterval -3" >"$reference_dir/client.cfg"
"${reference_client[@]}" "$ptp4l" -f "$reference_dir/client.cfg" -i pc1 -m \
	>"$work/client.txt" 2>&1 </dev/null &
reference_pids+=($!)
ptp_daemon ours 1
ptp_judge ours --seconds $((settle + seconds)) --reads $(((settle + seconds) * 5000)) \
	--after $settle --all-trusted
start=$(cut -d. -f1 /proc/uptime)
ptp_verdicts
cpu=$(awk '{print $1 / 1e9}' "/proc/$daemon/schedstat")
python3 - "$work" $((start + settle)) "$cpu" $((settle + seconds)) <<'END' || fail "see above"
import re, sys
P99 = 2.576  # in standard deviations
work, since, cpu, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
squares = []
for line in open(f"{work}/client.txt"):
    found = re.match(r"ptp4l\[([\d.]+)\]: (?:rms|master offset)\s+(-?\d+)", line)
    if found and float(found[1]) >= since:
        squares.append(float(found[2]) ** 2)
if len(squares) < 3:
    sys.exit(f"ptp4l has told {len(squares)} times only")
theirs = (sum(squares) / len(squares)) ** 0.5 / 1000
text = open(f"{work}/ours.truth").read()
ours = [float(re.search(rf"\|error\|.*{p} ([\d.]+)", text)[1]) for p in ("p50", "p99")]
print(f"|true error| us: chronotickd p50 {ours[0]:.3f}, p99 {ours[1]:.3f}; "
      f"ptp4l -S rms {theirs:.3f}, so p99 {P99 * theirs:.3f} if it is normal; "
      f"ratio of p99 {ours[1] / (P99 * theirs):.2f}")
print(f"the daemon's CPU time: {100 * cpu / seconds:.1f} % of a core, publication included")
sys.exit(ours[1] > P99 * theirs)
END
finish
