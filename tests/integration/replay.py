#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""chronotick-replay on recordings whose results are known: replay.py PROGRAM"""
import json
import os
import random
import subprocess
import sys
import tempfile

program = sys.argv[1]
failures = 0


def check(what, good):
    global failures
    if not good:
        failures += 1
        print("FAIL:", what)


def run(text, *options):
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([program, *options, file.name], capture_output=True, text=True,
                              timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr.replace(file.name, "F")


def replay(rows, *options):
    status, out, errors = run("t_s,ntp_offset_ms,ntp_delay_ms\n" + "\n".join(rows) + "\n",
                              "--json", *options)
    check(f"status 0, not {status}: {errors}", status == 0)
    return json.loads(out)


# A line of 1 ms every 10 s: the last is 1 ms behind, the mean of ten 5.5 ms, their line exact.
result = replay([f"{10 * i},{i},20" for i in range(1, 101)])
plain = result["baseline_mae_ms"]
check("baselines of a line: " + str(plain), abs(plain["last"] - 1) < 1e-9 and
      abs(plain["mean10"] - 5.5) < 1e-9 and plain["line10"] < 1e-9)
check("counts", (result["samples"], result["scored"], result["untrusted"]) == (100, 90, 0))
check("the line is followed: " + str(result["mae_ms"]), result["mae_ms"] < 0.1)

# Noise about a constant: no better than the mean of all, not much worse than that of ten.
rng = random.Random(7)
rows = []
for i in range(1, 2001):
    rows.append(f"{10 * i},{rng.gauss(3, 2)},{20 + rng.expovariate(1)}" if i % 10 == 0 else f"{10 * i},,")
result = replay(rows)
best = min(result["baseline_mae_ms"].values())
check(f"noise: {result['mae_ms']} of {best}", result["mae_ms"] <= best)
check(f"within one sigma: {result['coverage_1sigma']}", 0.58 <= result["coverage_1sigma"] <= 0.78)
check(f"within the bound: {result['coverage_bound']}", result["coverage_bound"] > 0.99)
check("models", set(result["models"]) == {"cpu_model", "gpu_model", "ntp"})
check("shares: " + str(result["sources"]), abs(sum(result["sources"].values()) - 1) < 1e-9)
check("the same again", replay(rows) == result)

# A gross outlier moves the plain mean of ten for ten rows, and the engine hardly.
spoilt = list(rows)
spoilt[999] = "10000,5000,20"
outlier = replay(spoilt)
check(f"outlier: {outlier['mae_ms']}", outlier["mae_ms"] < result["mae_ms"] + 5000 / 190 + 0.5)
check("the mean suffers", outlier["baseline_mae_ms"]["mean10"] > result["baseline_mae_ms"]["mean10"] + 20)

status, out, errors = run("t_s,ntp_offset_ms\n" + "\n".join(f"{i},{i % 2}" for i in range(1, 40)))
check("a table", status == 0 and "mean absolute error" in out and "line10" in out)
status, out, errors = run("t_s,ntp_offset_ms\n1,2\n2,3x\n", "--json")
check(f"a bad row: {status} {errors}", status == 1 and not out and
      errors == 'F:3: ntp_offset_ms: "3x" is no number\n')
status, out, errors = run("t_s,ntp_offset_ms\n1,2\n", "--json")
check(f"too few: {status} {errors}", status == 1 and not out and "more than 10" in errors)
for options in (["--delay-ms", "-1"], ["--delay-ms", "x"], ["--bogus"], ["--config"]):
    check(f"usage {options}", run("", *options)[0] == 2)
with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
    file.write("clock: {wander_ppb: 0}\n")
    file.flush()
    status, out, errors = run("t_s,ntp_offset_ms\n1,2\n", "--config", file.name)
    check(f"a bad configuration: {errors}", status == 1 and ":1: clock.wander_ppb:" in errors)
check("no such file", subprocess.run([program, "/nonexistent/x.csv"], capture_output=True,
                                     check=False).returncode == 1)
check("help", subprocess.run([program, "--help"], capture_output=True, check=False).returncode == 0)
sys.exit(1 if failures else 0)
