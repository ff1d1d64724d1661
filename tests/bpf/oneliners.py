#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every line of a shell block in Documentation/tracing.md's section on bpftool, bpftrace and perf is
run as it stands there, and shows what it is there for. In a mount namespace of its own, while a process
reads, another has a canary, and a daemon publishes.

usage: oneliners.py DOCUMENT CHRONOTICK_TRACE READER CHRONOTICKD LIBRARY"""
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from trace import Reader, Tracer, check, fail, finish, need_bpf, skip, tool

PINS = "/sys/fs/bpf/chronotick/"
# What a line must show: by how it begins, and a word in it
SHOWN = (
    ("LIB=", "", None),
    ("bpftool map dump", PINS + "torn", r'"count": [1-9]'),
    ("bpftool map dump", PINS + "latency", r'"warm_ps": [1-9]'),
    ("bpftool map dump", PINS + "writer", r'"page": "WRITER_SHM"'),
    ("bpftool map dump", PINS + "histogram", r'"quantity": "TORN_NS"'),
    ("sysctl", "=1", r"= 1"),
    ("bpftool prog show", PINS + "on_torn", r"run_cnt [1-9]"),
    ("sysctl", "=0", r"= 0"),
    ("timeout -s INT 5 bpftrace", "@torn", r"@torn\[bpf-reader, \d+\]: [1-9]"),
    ("timeout -s INT 5 bpftrace", "@odd", r"Attaching 1 probe"),
    ("timeout -s INT 5 bpftrace", "@warm_ps", r"@warm_ps\[bpf-reader\]: [1-9]"),
    ("timeout -s INT 5 bpftrace", "@window_ns", r"@window_ns:"),
    ("perf buildid-cache", "$LIB", r""),
    ("perf probe sdt", "torn", r"Added new event|already"),
    ("perf stat", "torn", r"[1-9]\d*\s+sdt_chronotick:torn"),
    ("perf record", "torn", r""),
    ("perf script", "torn", r"sdt_chronotick:torn"),
    ("perf probe -d", "torn", r"Removed event"),
)


def lines(document):
    with open(document, encoding="utf-8") as text:
        section = text.read().split("## bpftool, bpftrace and perf\n", 1)[1].split("\n## ", 1)[0]
    for block in re.findall(r"^```sh\n(.*?)^```$", section, re.S | re.M):
        yield from block.splitlines()


def keep_reading(reader, stop):
    while not stop.is_set():
        reader.go()


def run(line, environment, work):
    """Its output and its status, all of its processes ended after a time."""
    process = subprocess.Popen(["bash", "-c", line], stdin=subprocess.DEVNULL, cwd=work,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env=environment, start_new_session=True)
    try:
        output = process.communicate(timeout=20)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.communicate()[0], None
    return output, process.returncode


def try_all(document, environment, work):
    missing, used = set(), set()
    for line in lines(document):
        row = next((i for i, (begin, word, _) in enumerate(SHOWN)
                    if line.startswith(begin) and word in line), None)
        if row is None:
            fail(f"the test knows nothing of: {line}")
            continue
        used.add(row)
        shown = SHOWN[row][2]
        name = next((word for word in line.split() if word in ("bpftool", "bpftrace", "perf")), None)
        if shown is None or (name and not tool(name)):
            missing |= {name} - {None}
            continue
        output, status = run(line, environment, work)
        good = status in (0, 124) and re.search(shown, output)
        print(("ok   " if good else "FAIL ") + line[:110])
        check(good, f"status {status}:\n{output[-1500:]}")
    check(len(used) == len(SHOWN), f"lines that are gone: {set(range(len(SHOWN))) - used}")
    if missing:
        print(f"not tried, for want of the program: {', '.join(sorted(missing))}")


def main():
    document, trace, program, daemon, library = map(os.path.abspath, sys.argv[1:6])
    need_bpf()
    if not tool("bpftool") and not tool("bpftrace"):
        skip("needs bpftool or bpftrace")
    if "OWN_MOUNTS" not in os.environ:
        os.environ["OWN_MOUNTS"] = "yes"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable]
                  + sys.argv)
    subprocess.run(["mount", "-t", "tracefs", "none", "/sys/kernel/tracing"], check=False)
    with open("/proc/sys/kernel/bpf_stats_enabled", encoding="ascii") as setting:
        stats = setting.read()
    with tempfile.TemporaryDirectory(prefix="chronotick-oneliners-") as work:
        config = f"{work}/chronotick.yaml"
        with open(config, "w", encoding="ascii") as text:
            text.write(f"page: {{shm_name: chronotick_oneliners_{os.getpid()}, backend: shm}}\n"
                       "control: {socket: none}\nsources:\n  - ntp: 127.0.0.1\n")
        publisher = subprocess.Popen([daemon, "--config", config, "--foreground"],
                                     stderr=subprocess.DEVNULL)
        readers = [Reader(program, 10000, 0.3), Reader(program, 1000, 0.3, 20)]
        tracer = Tracer(trace, "all", "--pin", PINS.rstrip("/"), "--binary", daemon)
        stop = threading.Event()
        threads = [threading.Thread(target=keep_reading, args=(r, stop)) for r in readers]
        try:
            for thread in threads:
                thread.start()
            time.sleep(1)  # something has to have happened
            environment = {**os.environ, "LIB": library, "DAEMON": daemon, "HOME": work,
                           "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
            try_all(document, environment, work)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            tracer.stop()
            for reader in readers:
                reader.end()
            publisher.terminate()
            publisher.wait()
            with open("/proc/sys/kernel/bpf_stats_enabled", "w", encoding="ascii") as setting:
                setting.write(stats)
    for name in os.listdir("/dev/shm"):
        if f"chronotick_oneliners_{os.getpid()}" in name:
            os.unlink(f"/dev/shm/{name}")
    finish()


if __name__ == "__main__":
    main()
