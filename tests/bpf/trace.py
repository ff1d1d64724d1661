# SPDX-License-Identifier: MIT
"""What the tests of chronotick-trace share: the tracer and a reader as processes."""
import json
import os
import shutil
import signal
import subprocess
import sys
import threading

failures = 0


def fail(text):
    global failures
    failures += 1
    print(f"FAIL: {text}")


def check(condition, text):
    if not condition:
        fail(text)


def finish():
    sys.exit(1 if failures else 0)


def skip(text):
    print(f"SKIP: {text}")
    sys.exit(77)


def need_bpf():
    if os.geteuid() != 0:
        skip("needs root")
    if not os.path.exists("/sys/bus/event_source/devices/uprobe/type"):
        skip("this kernel has no uprobes")


class Tracer:
    """chronotick-trace, from when it is attached until stop()."""

    def __init__(self, program, *arguments, wrapper=(), environment=None):
        self.process = subprocess.Popen(
            [*wrapper, program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env={**os.environ, **(environment or {})})
        self.errors = []
        for line in self.process.stderr:
            self.errors.append(line)
            if "tracing" in line and "file" in line:
                break
        self.started = bool(self.errors) and "tracing" in self.errors[-1]
        self.rest = threading.Thread(target=self._drain, daemon=True)
        self.rest.start()

    def _drain(self):
        for line in self.process.stderr:
            self.errors.append(line)

    def stop(self, signal_number=signal.SIGINT):
        """Its output; status is in self.status, what it said in self.errors."""
        if signal_number and self.process.poll() is None:
            self.process.send_signal(signal_number)
        output = self.process.stdout.read()
        self.status = self.process.wait(timeout=30)
        self.rest.join(timeout=5)
        return output

    def json(self, signal_number=signal.SIGINT):
        output = self.stop(signal_number)
        try:
            return json.loads(output.splitlines()[-1])
        except (ValueError, IndexError):
            fail(f"no JSON: {output!r}, {''.join(self.errors)}")
            return {"processes": []}


class Reader:
    """tests/bpf/reader: go() lets it read, and returns what it counted; end() ends it."""

    def __init__(self, program, hz, seconds, *more, environment=None):
        self.process = subprocess.Popen([program, str(hz), str(seconds), *map(str, more)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **(environment or {})})
        self.pid = self.process.pid
        if self.process.stdout.readline().strip() != "ready":
            fail("the reader does not start")

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()


def process_of(report, pid):
    for process in report["processes"]:
        if process["pid"] == pid:
            return process
    return None


def tool(name):
    """The path of a tool, or None."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
