#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every verb of chronotick against pages made by hand in every state: fields, JSON, exit codes.

usage: cli.py CHRONOTICK MAKE_PAGE"""
import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time

CHRONOTICK, MAKE_PAGE = sys.argv[1:3]
failures = 0

RECORD_KEYS = """corrected_time system_time offset_correction drift_rate offset_uncertainty
drift_uncertainty time_uncertainty confidence source prediction_time valid_until is_valid
is_ntp_ready is_models_ready is_warmup_complete warmup_progress daemon_uptime measurement_count
total_corrections""".split()
OWN_KEYS = """utc_ns earliest_ns latest_ns bound_ns clock_status reason generation tai_offset leap
last_ntp_sync average_latency_ms page backend counter writer_pid heartbeat_age""".split()
BENCHMARK_KEYS = """rdtsc_ns lfence_rdtsc_ns rdtscp_ns clock_gettime_realtime_ns
clock_gettime_realtime_coarse_ns read_ordered_ns read_unordered_ns read_p50_ns read_p99_ns
read_p999_ns torn_reads reads""".split()
READ_FIELDS = ["Corrected time", "Bound", "System time", "Offset", "Drift", "Uncertainty",
               "Confidence", "Source", "Valid", "NTP ready", "Models ready", "Clock status",
               "Reason"]
STATUS_FIELDS = ["Status", "Uptime", "Warm-up complete", "NTP ready", "Models ready", "Valid",
                 "Measurements", "Corrections", "Last sync", "Clock status", "Reason", "Page",
                 "Backend", "Writer", "Heartbeat", "Read latency", "Sources"]

# state: clock status, exit code of read and json, exit code of status, first line of status
STATES = {
    "trusted": ("synchronized", 0, 0, "READY"),
    "holdover": ("holdover", 0, 0, "READY"),
    "warming_up": ("warming_up", 1, 1, "WARMING UP (42 %)"),
    "unsynchronized": ("unsynchronized", 1, 1, "WARMING UP (0 %)"),
    "expired": ("expired", 1, 1, "NOT READY"),
    "divided": ("expired", 1, 1, "NOT READY"),
    "killed": ("writer_gone", 0, 1, "WRITER GONE"),
    "stopped": ("writer_gone", 0, 1, "WRITER GONE"),
}
NO_PAGES = {"no_magic": "no ChronoTick page", "other_boot": "no ChronoTick page",
            "other_version": "ABI version", None: "start chronotickd"}


def check(good, what):
    global failures
    if not good:
        failures += 1
        print(f"FAIL: {what}")


def run(*arguments, environment=None):
    clean = {k: v for k, v in os.environ.items() if k not in ("CHRONOTICK_PAGE", "NO_COLOR")}
    return subprocess.run([CHRONOTICK, *arguments], capture_output=True, text=True, timeout=60,
                          env=clean | (environment or {}))


def fields(text):
    return dict(m.groups() for m in re.finditer(r"^([\w -]+?): +(.*)$", text, re.M))


def no_constant(name):
    raise ValueError(f"{name} is not JSON")


def parse(text):
    return json.loads(text, parse_constant=no_constant)


def near(value, wanted, tolerance):
    return isinstance(value, (int, float)) and abs(value - wanted) <= tolerance


def check_state(page, state):
    status, code, status_code, line = STATES[state]
    trusted = code == 0

    read = run("read", "--page", page)
    found = fields(read.stdout)
    check(read.returncode == code, f"{state}: read ends with {read.returncode}")
    for name in READ_FIELDS:
        check(found.get(name), f"{state}: read does not show '{name}'")
    check(found.get("Clock status") == status, f"{state}: read says {found.get('Clock status')}")
    check(found.get("Valid") == ("yes" if trusted else "no"), f"{state}: Valid")
    check("\033" not in read.stdout, f"{state}: colour without a terminal")

    shown = run("--page", page, "status")
    found = fields(shown.stdout)
    check(shown.returncode == status_code, f"{state}: status ends with {shown.returncode}")
    for name in STATUS_FIELDS:
        check(found.get(name), f"{state}: status does not show '{name}'")
    check(found.get("Status") == line, f"{state}: status is '{found.get('Status')}'")

    printed = run("json", environment={"CHRONOTICK_PAGE": page})
    check(printed.returncode == code, f"{state}: json ends with {printed.returncode}")
    check(printed.stdout.count("\n") == 1, f"{state}: json is more than a line")
    value = parse(printed.stdout)
    check(list(value) == RECORD_KEYS + OWN_KEYS, f"{state}: json has the keys {list(value)}")
    check(value["clock_status"] == status, f"{state}: json says {value['clock_status']}")
    check(value["is_valid"] is trusted, f"{state}: is_valid")
    check(value["reason"] and value["page"] == page, f"{state}: reason and page")
    if trusted:
        earliest, utc, latest = (int(value[k]) for k in ("earliest_ns", "utc_ns", "latest_ns"))
        check(earliest <= utc <= latest, f"{state}: interval")
        check(latest - utc == value["bound_ns"], f"{state}: bound_ns")
        check(near(value["corrected_time"], utc * 1e-9, 1e-6), f"{state}: corrected_time")
        check(near(value["corrected_time"] - value["system_time"], 0.0015, 1e-4),
              f"{state}: corrected against system time")
    else:
        check(value["earliest_ns"] is None and value["bound_ns"] is None, f"{state}: no interval")
    return value


def check_values(value):
    """The page that make-page calls trusted, key by key."""
    wanted = {"offset_correction": 0.0015, "drift_rate": 2.5e-6, "offset_uncertainty": 1e-6,
              "drift_uncertainty": 1e-9, "source": "ntp", "is_ntp_ready": True,
              "is_models_ready": False, "is_warmup_complete": True, "warmup_progress": 1.0,
              "daemon_uptime": 321.0, "measurement_count": 123, "total_corrections": 456,
              "generation": 3, "tai_offset": 37, "leap": "none", "backend": "shm",
              "writer_pid": 4321}
    for key, expected in wanted.items():
        check(value[key] == expected, f"{key} is {value[key]}, not {expected}")
    check(near(value["confidence"], 0.9, 1e-6), "confidence")
    check(near(value["valid_until"] - value["prediction_time"], 600, 1e-3), "valid_until")
    check(near(value["time_uncertainty"], 1e-6, 1e-9), "time_uncertainty")
    check(near(value["heartbeat_age"], 0.1, 0.1 + 5), "heartbeat_age")


def check_no_page(path, sentence):
    for verb in ("read", "status", "benchmark"):
        r = run(verb, "--page", path)
        check(r.returncode == 1 and not r.stdout, f"{path}: {verb} ends with {r.returncode}")
        check(path in r.stderr, f"{path}: {verb} does not name the page")
    check(sentence in run("read", "--page", path).stderr, f"{path}: read does not say why")
    r = run("json", "--page", path)
    value = parse(r.stdout)
    check(r.returncode == 1 and list(value) == RECORD_KEYS + OWN_KEYS, f"{path}: json")
    check(sentence in value["reason"] and value["utc_ns"] is None, f"{path}: json's reason")
    r = run("monitor", "--page", path, "--count", "2", "--interval", "0.001")
    check(r.returncode == 1 and r.stdout.count(sentence) == 2, f"{path}: monitor")


def check_hostile(page):
    for verb in ("read", "status", "json", "monitor"):
        r = run(verb, "--page", page, *(["--count", "1"] if verb == "monitor" else []))
        check(r.returncode == 1, f"hostile: {verb} ends with {r.returncode}: {r.stderr}")
        check(all(" " <= c <= "~" or c == "\n" for c in r.stdout), f"hostile: {verb} is unclean")
    value = parse(run("json", "--page", page).stdout)
    check(value["offset_correction"] is None, "hostile: NaN is null")
    check("contradicts" in value["reason"], f"hostile: {value['reason']}")


def check_monitor(page):
    start = time.monotonic()
    r = run("monitor", "--page", page, "--interval", "0.05", "--count", "5")
    took = time.monotonic() - start
    check(r.returncode == 0 and r.stdout.count("synchronized") == 5, "monitor: five lines")
    check(took >= 0.2, f"monitor: five lines took {took} s")
    stopped = subprocess.Popen([CHRONOTICK, "monitor", "--page", page, "--interval", "0.1"],
                               stdout=subprocess.PIPE, text=True)
    stopped.stdout.readline()
    stopped.send_signal(signal.SIGSTOP)
    time.sleep(1.5)
    start = time.monotonic()
    stopped.send_signal(signal.SIGCONT)
    for _ in range(10):
        stopped.stdout.readline()
    check(time.monotonic() - start >= 0.3, "monitor: makes up for the lines that it missed")
    stopped.kill()
    stopped.wait()
    stopped.stdout.close()
    endless = subprocess.Popen([CHRONOTICK, "monitor", "--page", page, "--interval", "60"],
                               stdout=subprocess.PIPE, text=True)
    endless.stdout.readline()
    endless.send_signal(signal.SIGINT)
    check(endless.wait(10) == 0, "monitor: ends in order when interrupted")
    endless.stdout.close()


def check_benchmark(page):
    r = run("benchmark", "--page", page, "--iterations", "20000", "--json")
    value = parse(r.stdout)
    check(r.returncode == 0, "benchmark --json")
    for key in BENCHMARK_KEYS:
        check(key in value, f"benchmark has no {key}")
    for key in BENCHMARK_KEYS[:-2]:
        check(near(value[key], 0, 1e7) and value[key] > 0, f"benchmark: {key} is {value[key]}")
    check(value["reads"] >= 20000, "benchmark: reads")
    check(value["read_p50_ns"] <= value["read_p99_ns"] <= value["read_p999_ns"], "percentiles")
    r = run("benchmark", "--page", page, "--iterations", "20000")
    for word in ("Average", "p50", "p99", "p99.9", "Throughput", "Rating"):
        check(word in r.stdout, f"benchmark does not show {word}")


def check_usage(page):
    verbs = ["read", "monitor", "status", "benchmark", "json"]
    shown = run("--help")
    check(shown.returncode == 0 and not shown.stderr, "--help")
    check(run("help").stdout == shown.stdout, "help is --help")
    for verb in verbs:
        check(re.search(rf"^  {verb} ", shown.stdout, re.M), f"--help does not tell of {verb}")
        one = run(verb, "--help")
        check(one.returncode == 0 and "examples:" in one.stdout, f"{verb} --help")
        check(run("help", verb).stdout == one.stdout, f"help {verb}")
    check(re.fullmatch(r"chronotick \d+\.\d+\.\d+\n", run("--version").stdout), "--version")
    wrong = [[], ["nonsense"], ["--nonsense"], ["read", "--nonsense"], ["read", "more"],
             ["--page"], ["monitor", "--interval", "0"], ["monitor", "--interval", "-1"],
             ["monitor", "--interval", "nan"], ["monitor", "--interval", "1x"],
             ["monitor", "--count", "0"], ["monitor", "--count", "1.5"],
             ["monitor", "--count", "1e3"], ["benchmark", "--iterations", "0"],
             ["benchmark", "--iterations", "99999999999999999999"], ["json", "--interval", "1"],
             ["read", "--version"], ["help", "nonsense"], ["--page", "", "read"]]
    for arguments in wrong:
        r = run(*arguments)
        check(r.returncode == 2 and not r.stdout and "usage: chronotick" in r.stderr,
              f"{arguments}: {r.returncode}, {r.stdout!r}")
    with open("/dev/full", "w", encoding="ascii") as full:
        r = subprocess.run([CHRONOTICK, "read", "--page", page], stdout=full,
                           stderr=subprocess.PIPE, check=False)
        check(r.returncode == 1, "a full disk goes unnoticed")


def on_terminal(page, environment):
    master, slave = pty.openpty()
    r = subprocess.Popen([CHRONOTICK, "read", "--page", page], stdout=slave,
                         env=os.environ | {"TERM": "xterm"} | environment)
    r.wait(10)
    os.close(slave)
    text = os.read(master, 65536).decode()
    os.close(master)
    return text


def main():
    with tempfile.TemporaryDirectory() as work:
        def make(state):
            page = os.path.join(work, state)
            subprocess.run([MAKE_PAGE, state, page], check=True)
            return page

        for state in STATES:
            value = check_state(make(state), state)
            if state == "trusted":
                check_values(value)
            if state == "holdover":
                check(value["leap"] == "insert", "the leap second to come")
            if state in ("expired", "divided"):
                check(("agree" in value["reason"]) == (state == "divided"),
                      f"{state}: {value['reason']}")
        for state, sentence in NO_PAGES.items():
            check_no_page(make(state) if state else os.path.join(work, "none"), sentence)
        check_hostile(make("hostile"))
        page = make("trusted")
        check_monitor(page)
        check_benchmark(page)
        check_usage(page)
        pretty = run("json", "--pretty", "--page", page)
        check(pretty.stdout.count("\n") == len(RECORD_KEYS + OWN_KEYS) + 2, "json --pretty")
        no_colour = {"NO_COLOR": ""}
        check("\033[" in on_terminal(page, no_colour), "colour on a terminal")
        check("\033[" not in on_terminal(page, {"NO_COLOR": "1"}), "NO_COLOR")
        check("\033[" not in on_terminal(page, no_colour | {"TERM": "dumb"}), "a dumb terminal")
    print(f"{failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
