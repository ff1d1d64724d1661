#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""chronotick-trace where something is missing: it says what, works with what is left, and counts
rightly with no more than the capabilities that it asks for, and without the kernel's BTF.

usage: environment.py CHRONOTICK_TRACE READER"""
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

from trace import Reader, Tracer, check, fail, finish, need_bpf, process_of, tool

TRACE, READER = sys.argv[1:3]


def run(*arguments, wrapper=()):
    return subprocess.run([*wrapper, TRACE, *arguments], capture_output=True, text=True,
                          timeout=30)


def capabilities(*names):
    """Root with these capabilities and no other."""
    return ["setpriv", "--inh-caps", "-all", "--bounding-set",
            ",".join(["-all"] + ["+" + n for n in names])]


def without_btf():
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
            'mount -t tmpfs none /sys/kernel/btf && exec "$@"', "sh"]


def counts_rightly(label, wrapper, *arguments):
    reader = Reader(READER, 10000, 0.3)
    tracer = Tracer(TRACE, "torn", "--json", *arguments, wrapper=wrapper)
    if not tracer.started:
        fail(f"{label}: does not start: {''.join(tracer.errors)}")
        return
    counted = reader.go()
    process = process_of(tracer.json(), reader.pid)
    seen = process["torn"]["count"] if process else 0
    print(f"{label}: {counted['torn']} torn reads, {seen} seen")
    check(seen == counted["torn"] > 0, f"{label}: the reader counts {counted['torn']}")
    reader.end()


def pid_namespace():
    """In a PID namespace processes have that one's numbers, and those outside are not counted."""
    outside = Reader(READER, 10000, 0.4)
    script = ('mkfifo "$3/in"; "$1" 10000 0.4 <"$3/in" >"$3/out" & reader=$!; exec 3>"$3/in"; '
              '"$2" torn --json >"$3/report" 2>"$3/errors" & tracer=$!; '
              'while ! grep -q tracing "$3/errors"; do sleep 0.1; done; '
              'echo go >&3; echo >"$3/go"; sleep 1.5; kill -INT $tracer; wait $tracer; exec 3>&-; wait; '
              'echo $reader')
    with tempfile.TemporaryDirectory() as work:
        inside = subprocess.Popen(["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", script,
                                   "sh", READER, TRACE, work], stdout=subprocess.PIPE, text=True)
        while inside.poll() is None and not os.path.exists(f"{work}/go"):
            time.sleep(0.05)
        outside.go()
        number = int(inside.communicate(timeout=20)[0])
        with open(f"{work}/out", encoding="ascii") as out:
            counted = json.loads(out.read().splitlines()[-1])["torn"]
        with open(f"{work}/report", encoding="ascii") as text:
            processes = json.load(text)["processes"]
    seen = [(p["pid"], p["name"], p["torn"]["count"]) for p in processes]
    print(f"in a PID namespace: {counted} torn reads of {number}, seen {seen}")
    check(seen == [(number, "bpf-reader", counted)], "not that process alone")
    outside.end()


def thread_number():
    """Of a thread of this process that stays."""
    numbers = []
    told = threading.Event()

    def stay():
        numbers.append(threading.get_native_id())
        told.set()
        time.sleep(60)

    threading.Thread(target=stay, daemon=True).start()
    told.wait()
    return numbers[0]


def usage():
    for arguments in ((), ("torn", "more"), ("nonsense",), ("torn", "--pid", "x"),
                      ("torn", "--pid", "0"), ("torn", "--duration", "-1"), ("torn", "--what"),
                      ("torn", "--max-missed", "1"), ("writer", "--max-torn-rate", "1"),
                      ("writer", "--preemption"), ("top", "--json"), ("top", "--max-missed", "1")):
        result = run(*arguments)
        check(result.returncode == 2 and "usage:" in result.stderr and not result.stdout,
              f"{arguments}: status {result.returncode}: {result.stderr}")
    result = run("--help")
    check(result.returncode == 0 and "torn" in result.stdout, "--help")
    check(run("--version").stdout.startswith("chronotick-trace "), "--version")


def main():
    usage()
    need_bpf()
    for path, what in (("/bin/true", "none of our probes"), ("/etc/passwd", "no ELF file"),
                       ("/nonexistent", "No such file")):
        result = run("torn", "--binary", path, "--duration", "0.2")
        check(result.returncode == 1 and what in result.stderr,
              f"{path}: {result.returncode}, {result.stderr}")
    result = run("torn", "--duration", "0.2")
    check(result.returncode == 0 and result.stdout, f"--duration: {result.stderr}")

    # A process that nobody has the number of but this test: there are no readings in it.
    result = run("all", "--pid", str(os.getpid()), "--duration", "0.2", "--json",
                 "--max-torn-rate", "0", "--max-read-ns", "1", "--max-missed", "0")
    check(result.returncode == 4, f"nothing to judge by: status {result.returncode}")
    check(json.loads(result.stdout)["unseen"] == ["read_p99_ns", "missed"], result.stdout)
    ended = subprocess.Popen(["true"])
    ended.wait()
    for pid, what in ((ended.pid, "no process"), (thread_number(), "is a thread of")):
        result = run("torn", "--pid", str(pid), "--duration", "0.2")
        check(result.returncode == 1 and what in result.stderr, f"--pid {pid}: {result}")
    for form in ((), ("--json",)):
        with open("/dev/full", "wb") as full:
            result = subprocess.run([TRACE, "torn", "--duration", "0.2", *form], stdout=full,
                                    stderr=subprocess.PIPE, text=True, timeout=30)
        check(result.returncode == 1 and "No space left" in result.stderr, f"/dev/full: {result}")

    if tool("setpriv"):
        for have, lacks in (((), "CAP_BPF and CAP_PERFMON"), (("bpf",), "lacks CAP_PERFMON"),
                            (("perfmon",), "lacks CAP_BPF")):
            result = run("torn", wrapper=capabilities(*have))
            print(f"with {have or 'nothing'}: {result.stderr.strip()}")
            check(result.returncode == 1 and lacks in result.stderr, f"{have}: not told")
        library = subprocess.run(["ldd", READER], capture_output=True, text=True).stdout
        library = next(w for line in library.splitlines() if "libchronotick" in line
                       for w in line.split() if w.startswith("/"))
        result = run("torn", "--binary", library, wrapper=capabilities("bpf", "perfmon"))
        print(f"with those two: {result.stderr.strip()}")
        check(result.returncode == 1 and "CAP_SYS_ADMIN" in result.stderr,
              "CAP_SYS_ADMIN: not told")
        counts_rightly("three capabilities", capabilities("bpf", "perfmon", "sys_admin"),
                       "--binary", library)
    pid_namespace()
    if os.path.exists("/sys/kernel/btf"):
        counts_rightly("without BTF", without_btf())
    finish()


if __name__ == "__main__":
    main()
