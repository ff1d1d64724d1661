#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The monitor's screen on a pseudo terminal: what it shows, that it follows the terminal's size and
the page, and that it leaves the terminal as it found it, whatever ends it.

usage: monitor.py CHRONOTICK MAKE_PAGE"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

CHRONOTICK, MAKE_PAGE = sys.argv[1:3]
SOURCES = 1024  # of the page, and the bytes of one source's name
NAME_BYTES = 40
# Nobody keeps the pages of this test up to date: their time stays good, their status does not.
SHOWN = "^Status +(synchronized|writer_gone): "
failures = 0


def check(good, what):
    global failures
    if not good:
        failures += 1
        print(f"FAIL: {what}")


class Terminal:
    """As much of a terminal as the monitor uses; anything else that it sends is a failure."""
    SEQUENCE = re.compile(r"\x1b\[(\?)?([0-9;]*)([A-Za-z])")

    def __init__(self, columns, rows, *arguments, environment=None, blocking=True):
        self.bytes, self.pending = b"", b""
        self.alternate = self.hidden = self.coloured = False
        self.resize_grid(columns, rows)
        clean = {k: v for k, v in os.environ.items()
                 if k not in ("CHRONOTICK_PAGE", "NO_COLOR", "LC_ALL", "LANG", "LC_CTYPE")}
        clean |= {"TERM": "xterm", "LC_ALL": "C.UTF-8"} | (environment or {})
        # The terminal has its size before the program begins.
        ready, go = os.pipe()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.read(ready, 1)
            os.set_blocking(sys.stdout.fileno(), blocking)
            os.execve(CHRONOTICK, [CHRONOTICK, "monitor", "--interval", "0.05", *arguments], clean)
        self.size(columns, rows)
        self.before = termios.tcgetattr(self.fd)
        os.write(go, b"x")
        os.close(ready)
        os.close(go)

    def resize_grid(self, columns, rows):
        self.columns, self.rows, self.x, self.y = columns, rows, 0, 0
        self.grid = [[" "] * columns for _ in range(rows)]

    def size(self, columns, rows):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def text(self):
        return "\n".join("".join(row).rstrip() for row in self.grid)

    def sequence(self, private, numbers, letter):
        if private:
            check(numbers in ("1049", "25"), f"sets the mode {numbers}")
            if numbers == "1049":
                self.alternate = letter == "h"
            else:
                self.hidden = letter == "l"
        elif letter == "H":
            y, x = (int(n) - 1 for n in numbers.split(";"))
            self.y, self.x = min(y, self.rows - 1), min(x, self.columns - 1)
            if (y, x) != (self.y, self.x):  # a terminal goes as far as it can
                self.outside = f"a place at row {y + 1}"
        elif letter == "K":
            self.grid[self.y][self.x:] = [" "] * (self.columns - self.x)
        elif letter == "J":
            for y in range(self.y if numbers != "2" else 0, self.rows):
                self.grid[y] = [" "] * self.columns
        elif letter == "m":
            self.coloured |= numbers != "0"
        else:
            check(False, f"sends an unknown sequence {numbers}{letter}")

    def feed(self, data):
        self.bytes += data
        self.pending += data
        try:
            text = self.pending.decode()
        except UnicodeDecodeError as error:
            text = self.pending[:error.start].decode()
        if "\x1b" in text[-12:] and not self.SEQUENCE.match(text, text.rindex("\x1b")):
            text = text[:text.rindex("\x1b")]
        self.pending = self.pending[len(text.encode()):]
        at = 0
        while at < len(text):
            found = self.SEQUENCE.match(text, at)
            if found:
                self.sequence(*found.groups())
                at = found.end()
                continue
            if self.alternate:  # else it is what the line discipline echoes
                check(text[at].isprintable(), f"sends {text[at]!r}")
                if self.x >= self.columns or self.y >= self.rows:
                    self.outside = text[at]
                else:
                    self.grid[self.y][self.x] = text[at]
                self.x += 1
            at += 1

    outside = None

    def read(self, seconds):
        """What comes within so many seconds. Returns False at the end."""
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:  # the other side is closed
                return False
            self.feed(data)
            return bool(data)
        return True

    def until(self, *patterns, seconds=10):
        """Until the screen matches all of them."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if all(re.search(p, self.text(), re.MULTILINE) for p in patterns):
                return True
            if not self.read(0.1):
                break
        check(False, f"the screen does not show {patterns}, but:\n{self.text()}")
        return False

    def end(self, what, status=0):
        """It ends by itself, and the terminal is as it was before."""
        deadline = time.monotonic() + 10
        pid = 0
        while pid == 0 and time.monotonic() < deadline:
            self.read(0.05)
            pid, result = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            check(False, f"{what}: does not end")
            return
        check(os.waitstatus_to_exitcode(result) == status,
              f"{what}: ends with {os.waitstatus_to_exitcode(result)}, not {status}")
        while select.select([self.fd], [], [], 0)[0] and self.read(0):
            pass
        check(not self.alternate and not self.hidden, f"{what}: the screen is not restored")
        check(termios.tcgetattr(self.fd) == self.before, f"{what}: the modes are not restored")
        check(self.outside is None, f"{what}: writes outside of the terminal")
        os.close(self.fd)


def make(state, path):
    subprocess.run([MAKE_PAGE, state, path], check=True)


def name_set(path, name):
    with open(path, "r+b") as page:
        page.seek(SOURCES)
        page.write(name.ljust(NAME_BYTES, b"x"))


def check_screen(page):
    t = Terminal(110, 30, "--page", page)
    t.until("^chronotick monitor", "^UTC +20..-.*Z  [+]-", SHOWN,
            r"^Warm-up +\[", "^Clock +generation [0-9]+, leap ", "^Published +[0-9.]+ a second",
            "^Offset +[-+][0-9.]+ ", "^Bound +[0-9.]+ .*[▁▂▃▄▅▆▇█]{5}", "^Source +state",
            "(selected|falseticker)")
    check(t.alternate and t.hidden and t.coloured, "screen: no alternate screen, or no colour")
    modes = termios.tcgetattr(t.fd)
    check(not modes[3] & (termios.ICANON | termios.ECHO), "screen: keys are echoed")
    # Smaller, the smallest, and large again; the program hears of it by SIGWINCH alone.
    for columns, rows, pattern in ((40, 8, "^Status"), (1, 1, "^c$"), (150, 50, "^Source +state")):
        while t.read(0.02) and select.select([t.fd], [], [], 0)[0]:
            pass
        t.size(columns, rows)
        time.sleep(0.3)  # what was drawn for the old size is read without being judged
        t.resize_grid(500, 500)
        while select.select([t.fd], [], [], 0)[0]:
            t.read(0)
        t.resize_grid(columns, rows)
        t.outside = None
        t.until(pattern)
        time.sleep(0.2)
        t.read(0.1)
        check(t.outside is None, f"{columns} x {rows}: writes outside")
    os.write(t.fd, b"xyz")
    check(t.read(0.3), "screen: ends on any key")
    os.write(t.fd, b"q")
    t.end("q")


def check_ends(page):
    for what, action in (
            ("interrupt key", lambda t: os.write(t.fd, b"\x03")),
            ("SIGINT", lambda t: os.kill(t.pid, signal.SIGINT)),
            ("SIGTERM", lambda t: os.kill(t.pid, signal.SIGTERM)),
            ("SIGHUP", lambda t: os.kill(t.pid, signal.SIGHUP))):
        t = Terminal(80, 24, "--page", page)
        t.until(SHOWN)
        action(t)
        t.end(what)
    for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGQUIT):
        t = Terminal(80, 24, "--page", page)
        t.until(SHOWN)
        os.kill(t.pid, number)
        t.end(number.name, -number)
    t = Terminal(80, 24, "--page", page, "--count", "3")
    t.end("--count")
    # Stopped and continued from the keyboard: restored in between, drawn again
    t = Terminal(80, 24, "--page", page)
    t.until(SHOWN)
    os.kill(t.pid, signal.SIGTSTP)
    _, status = os.waitpid(t.pid, os.WUNTRACED)
    check(os.WIFSTOPPED(status), "SIGTSTP: does not stop")
    while t.read(0.1) and t.alternate:
        pass
    check(termios.tcgetattr(t.fd) == t.before, "SIGTSTP: the modes are not restored")
    t.resize_grid(80, 24)
    os.kill(t.pid, signal.SIGCONT)
    t.until(SHOWN)
    check(t.alternate, "SIGCONT: no screen")
    os.write(t.fd, b"q")
    t.end("q after a stop")


def check_slow(page):
    """A terminal that is behind, on a descriptor that does not wait for it"""
    t = Terminal(110, 30, "--page", page, "--interval", "0.001", blocking=False)
    time.sleep(0.5)
    if os.waitpid(t.pid, os.WNOHANG) != (0, 0):
        check(False, "a slow terminal: ends")
        return
    t.until(SHOWN)
    os.write(t.fd, b"q")
    t.end("a slow terminal")


def check_page_changes(directory):
    page = os.path.join(directory, "changing")
    t = Terminal(80, 24, "--page", page)
    t.until("there is no page: start chronotickd")
    make("trusted", page)
    t.until(SHOWN)
    os.unlink(page)
    t.until("is gone", "there is no page: start chronotickd")
    make("expired", page + ".new")
    os.rename(page + ".new", page)
    t.until("was replaced", "^Status +expired")
    make("trusted", page + ".new")
    os.rename(page + ".new", page)
    t.until("was replaced", SHOWN)
    with open(page, "r+b") as cut:
        cut.truncate(100)
    t.until("is gone", "no ChronoTick page")
    os.write(t.fd, b"q")
    t.end("a page that goes", 1)


def check_looks(page):
    t = Terminal(80, 24, "--page", page, "--ascii")
    t.until(SHOWN, r"^Warm-up +\[#", "^Offset.*[_*#]{3}")
    os.write(t.fd, b"q")
    t.end("--ascii")
    check(all(byte < 0x80 for byte in t.bytes), "--ascii: not ASCII")
    t = Terminal(80, 24, "--page", page, environment={"LC_ALL": "C", "NO_COLOR": "1"})
    t.until(SHOWN, r"^Warm-up +\[#")
    os.write(t.fd, b"q")
    t.end("LC_ALL=C")
    check(all(byte < 0x80 for byte in t.bytes), "LC_ALL=C: not ASCII")
    check(not t.coloured, "NO_COLOR: coloured")
    # Lines where a screen is not wanted
    for environment, option in (({"TERM": "dumb"}, "--ascii"), ({"TERM": ""}, "--ascii"),
                                ({}, "--plain")):
        t = Terminal(80, 24, "--page", page, "--count", "2", option, environment=environment)
        t.end(f"{environment} {option}")
        check(b"\x1b[?" not in t.bytes and t.bytes.count(b"  bound ") == 2,
              f"{environment} {option}: no lines")


def check_hostile(page):
    name_set(page, b"\x1b]0;title\x07\x1b[2J\n\x9b31m\xff")
    t = Terminal(80, 24, "--page", page, environment={"NO_COLOR": "1"})
    t.until(r"^\?\]0;title\?\?\[2J\?\?31m\?")
    os.write(t.fd, b"q")
    t.end("a hostile name")


def main():
    with tempfile.TemporaryDirectory(prefix="chronotick-monitor-") as directory:
        page = os.path.join(directory, "page")
        make("trusted", page)
        check_screen(page)
        check_ends(page)
        check_slow(page)
        check_page_changes(directory)
        check_looks(page)
        check_hostile(page)
    print("the screen is drawn and left as it must be" if not failures else f"{failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
