#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Maps and programs that chronotick-trace pins are what bpftool shows by name, and equal the count of
the reading process; they are gone afterwards. Thresholds are told in JSON and by the exit status, and
the live table has its rows where there is no terminal, too.

usage: pins.py CHRONOTICK_TRACE READER"""
import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
import time

from trace import Reader, Tracer, check, fail, finish, need_bpf, process_of, tool

TRACE, READER = sys.argv[1:3]
# A mount namespace of its own: the BPF file system that is mounted there goes with it.
OWN_MOUNTS = ["unshare", "--mount", "--propagation", "private"]


def pinned(bpftool):
    directory = f"/sys/fs/bpf/chronotick-test-{os.getpid()}"
    reader = Reader(READER, 10000, 0.5)
    canary = Reader(READER, 1000, 1, 10)  # its canary's torn reads are counted, but not by itself
    tracer = Tracer(TRACE, "all", "--json", "--pin", directory, "--max-torn-rate", "0",
                    "--max-read-ns", "1e9", wrapper=OWN_MOUNTS)
    if not tracer.started:
        fail("".join(tracer.errors))
        return
    counted = reader.go()
    inside = ["nsenter", "--target", str(tracer.process.pid), "--mount", bpftool]

    def show(*arguments):
        result = subprocess.run(inside + list(arguments), capture_output=True, text=True)
        check(result.returncode == 0, f"bpftool {arguments}: {result.stderr}{result.stdout[:200]}")
        return result.stdout

    torn = json.loads(show("-j", "map", "dump", "pinned", f"{directory}/torn"))
    entries = {entry["formatted"]["key"]: entry["formatted"]["value"] for entry in torn}
    seen = entries.get(reader.pid, {})
    print(f"the reader counts {counted['torn']}, the pinned map shows {seen}")
    check(seen.get("count") == counted["torn"] > 0, "the pinned map has another count")
    check(seen.get("odd", 0) + seen.get("changed", 0) == counted["torn"], "kinds")
    text = show("map", "dump", "pinned", f"{directory}/histogram")
    for word in ("TORN_NS", "READ_WARM_PS", "at_least"):
        check(word in text, f"bpftool shows no {word}")
    program = show("prog", "show", "pinned", f"{directory}/on_torn")
    check("on_torn" in program, program)
    report = tracer.json()
    check(process_of(report, reader.pid)["torn"]["count"] == counted["torn"], "the report")
    check(tracer.status == 3, f"status {tracer.status} where a threshold is passed")
    alerts = [a for a in report["alerts"] if a["pid"] == reader.pid]
    print(f"alerts: {alerts}")
    check([a["alert"] for a in alerts] == ["torn_rate_hz"], "alerts")
    check(alerts and alerts[0]["value"] > alerts[0]["limit"] == 0, "alert's value")
    reader.end()
    canary.end()


def removed(bpftool):
    """Pins are gone after the end, and with them the directory."""
    directory = f"/sys/fs/bpf/chronotick-gone-{os.getpid()}"
    script = ('mount -t bpf bpf /sys/fs/bpf; for i in 1 2; do "$1" torn --duration 0.2 --pin "$2" '
              '>/dev/null 2>&1 || exit 1; done; [ ! -e "$2" ] || exit 2')
    result = subprocess.run(OWN_MOUNTS + ["sh", "-c", script, "sh", TRACE, directory])
    check(result.returncode == 0, f"pins are left: {result.returncode}")
    # Whatever ends it: its reader goes, its terminal goes
    for script in ('"$1" torn --interval 0.1 --pin "$2" 2>/dev/null | head -n 1 >/dev/null',
                   '"$1" torn --pin "$2" >/dev/null 2>&1 & sleep 1; kill -HUP $!; wait $!'):
        result = subprocess.run(OWN_MOUNTS + [
            "sh", "-c", f'mount -t bpf bpf /sys/fs/bpf; {script}; [ ! -e "$2" ]', "sh", TRACE,
            directory], timeout=30)
        check(result.returncode == 0, f"pins are left by: {script}")
    # A second one does not take the first one's, and replaces those of one that was killed.
    script = ('mount -t bpf bpf /sys/fs/bpf; "$1" torn --pin "$2" >/dev/null 2>&1 & '
              'while [ ! -e "$2/writer" ]; do sleep 0.1; done; '
              '"$1" torn --duration 0.2 --pin "$2" >/dev/null; echo "second $?"; '
              '[ -e "$2/torn" ] && echo kept; kill -KILL $!; wait $!; [ -e "$2/torn" ] && echo stale; '
              '"$1" torn --duration 0.2 --pin "$2" >/dev/null 2>&1; echo "third $?"; [ -e "$2" ] || echo gone')
    result = subprocess.run(OWN_MOUNTS + ["sh", "-c", script, "sh", TRACE, directory],
                            capture_output=True, text=True, timeout=30)
    check(result.stdout.split("\n")[:5] == ["second 1", "kept", "stale", "third 0", "gone"]
          and "another chronotick-trace" in result.stderr, f"two at once: {result}")
    with tempfile.TemporaryDirectory() as own:
        subprocess.run([TRACE, "torn", "--duration", "0.2", "--pin", own], capture_output=True)
        check(os.path.isdir(own), "a directory that was there is removed")
    result = subprocess.run([TRACE, "torn", "--duration", "0.2", "--pin", f"/tmp/chronotick-no-{os.getpid()}"],
                            capture_output=True, text=True)
    print(result.stderr.strip())
    check(result.returncode == 1 and "mount -t bpf" in result.stderr, "no BPF file system: not told")
    check(not os.path.exists(f"/tmp/chronotick-no-{os.getpid()}"), "a directory is left")


def table():
    reader = Reader(READER, 10000, 0.6)
    tracer = Tracer(TRACE, "top", "--interval", "0.3", "--duration", "1.2")
    counted = reader.go()
    output = tracer.stop(signal_number=None)
    rows = [line.split() for line in output.splitlines() if line.split()[:1] == [str(reader.pid)]]
    print(output.splitlines()[1])
    print(" ".join(rows[-1]) if rows else "no row")
    check(tracer.status == 0 and rows and rows[-1][3] == str(counted["torn"]), "the live table")
    reader.end()


def early_signal():
    """A signal that comes while probes are still being put in ends the live table, too."""
    for delay in (0.05, 0.15, 0.3):
        master, slave = pty.openpty()
        process = subprocess.Popen([TRACE, "top"], stdin=slave, stdout=slave,
                                   stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        try:
            status = process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        # Before it takes signals, it is ended by this one.
        check(status in (0, -signal.SIGINT), f"SIGINT after {delay} s: status {status}")
        os.close(master)
        os.close(slave)


def main():
    need_bpf()
    bpftool = tool("bpftool")
    if bpftool:
        pinned(bpftool)
        removed(bpftool)
    else:
        print("not looked at, for want of bpftool: pins")
    table()
    early_signal()
    finish()


if __name__ == "__main__":
    main()
