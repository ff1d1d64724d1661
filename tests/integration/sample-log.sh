#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the daemon records of a life with events, in files of a period and compressed, brings another
# engine to what the daemon told, to the last digit. And a log of chronyd's own is read.
. "$(dirname "$0")/lib.sh"
replay=$BUILD/cli/chronotick-replay
servers 3
mkdir "$work/samples" "$work/chrony"
reference_extra="logdir $work/chrony
log measurements"
reference_begin 14 0.001 || fail "the chronyd that logs does not start"
config "" 10.77.0.11 10.77.0.12 fd77::13
cat >>"$work/chronotick.yaml" <<EOF
state: {file: $work/state, interval_s: 10}
covariates: {interval_s: 1}
sample_log: {directory: $work/samples, rotate_s: 10, keep: 100}
EOF

# A life: a source is switched off and on, another configuration is taken, a source goes and comes.
daemon
trusted >/dev/null || fail "no trusted time"
sleep 6
"$chronotick" offline 10.77.0.12 >/dev/null || fail "no source went offline"
sleep 2
"$chronotick" online 10.77.0.12 >/dev/null || fail "no source came online"
cp "$work/chronotick.yaml" "$work/all.yaml"
sed -i '/fd77::13/,/maxpoll/d' "$work/chronotick.yaml"
echo "clock: {wander_ppb: 500}" >>"$work/chronotick.yaml"
kill -HUP "$daemon"
sleep 3
cp "$work/all.yaml" "$work/chronotick.yaml"
kill -HUP "$daemon"
sleep 8
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
# A second run: it begins with what the first one learnt, and as if that had been for hours; it is
# killed.
"$(dirname "$0")/state_edit.py" "$work/state" "short_term_wander=32 0.3 0.0001" \
	"short_term_likelihoods=-3.1 -2 -1 -0.1 0 -0.7 -5 -9" "long_term=6 0.7 90000" \
	"long_term_known=1 1 1 0" "long_term_values=41.5 2.1 0.25 0" \
	"nothing_likelihoods=-6 -0.3 0 0 0 0 0 0" "nothing_covariance=900 0 0 0 0 0 0" \
	"temperature_mean=2.5 -31 0 0 0 0 0" "temperature_covariance=900 30 16 0 0 0 0" \
	"covariates_covariance=900 0 100 0 0 100 0" "time_of_day_covariance=900 0 0 0 0 0 0"
daemon
trusted >/dev/null || fail "no trusted time of the second run"
sleep 4
! grep -q 'a part of this state' "$work/daemon-1.log" || fail "what was learnt is not taken"
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null

ls "$work"/samples/samples-*.log.gz >/dev/null || fail "nothing is compressed"
cat >"$work/check.py" <<'EOF'
import collections
import gzip
import json
import subprocess
import sys

replay, files = sys.argv[1], sys.argv[2:]
kinds = collections.Counter()
for file in files:
    with (gzip.open if file.endswith(".gz") else open)(file, "rt") as lines:
        kinds.update(line.split()[0] for line in lines)
print(dict(kinds))
for kind in ("config", "exclude", "add", "remove", "sample", "name", "covariates", "learnt", "memory", "at", "told"):
    assert kinds[kind], f"the log has no line {kind}"
done = subprocess.run([replay, "--json", *files], capture_output=True, text=True, check=True)
result = json.loads(done.stdout)
told = result["told"]
print(told, result["mae_ms"], result["models"])
assert result["format"] == "log" and result["runs"] == 2, result
assert told["whole"] and told["compared"] == kinds["told"], told
assert told["same"] == told["compared"] and told["apart_ns"] == 0, "not to the last digit"
assert result["samples"] == kinds["sample"] and result["scored"] >= 30
assert result["mae_ms"] < 1 and result["coverage_bound"] == 1
EOF
python3 "$work/check.py" "$replay" "$work"/samples/samples-* || fail "the replay of all"
# Another configuration tells something else.
printf 'models: {short_term: {enabled: false}}\nsources:\n  - ntp: 192.0.2.1\n' >"$work/other.yaml"
"$replay" --config "$work/other.yaml" "$work"/samples/samples-* >"$work/other.txt" ||
	fail "no replay with another configuration"
grep -q 'as the daemon told' "$work/other.txt" || fail "nothing is compared"
grep -Eq 'rests on ntp 100.0 %' "$work/other.txt" || fail "the other configuration is not used"

# chronyd's log of the same server, whose clock is this host's
"$replay" --json "$work/chrony/measurements.log" >"$work/chrony.json" || fail "no replay of chronyd's log"
python3 - "$work/chrony.json" <<'EOF' || fail "what chronyd's log came to"
import json
import sys

result = json.load(open(sys.argv[1], encoding="utf-8"))
print(result)
assert result["format"] == "chrony" and result["samples"] >= 20 and result["invalid"] == 0
assert result["refused"] == 0 and result["mae_ms"] < 1 and result["coverage_bound"] > 0.9
EOF
finish
