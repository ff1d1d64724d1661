#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Torn reads are counted once, and all of them, whatever way the library's file is reached by: through
the overlays of two containers with one image, under an inode's number that was another file's before,
and by a process that becomes a reader late.

usage: files.py CHRONOTICK_TRACE READER LIBRARY"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

from trace import Reader, Tracer, check, fail, finish, need_bpf, process_of

TRACE, READER, LIBRARY = map(os.path.abspath, sys.argv[1:4])


def image(directory):
    """A program with a library of its own, which nobody else has mapped."""
    os.makedirs(directory)
    shutil.copy(READER, f"{directory}/reader")
    shutil.copy(LIBRARY, f"{directory}/libchronotick.so.1")


def reader_in(directory, *arguments):
    return Reader(f"{directory}/reader", *arguments, environment={"LD_LIBRARY_PATH": directory})


def judge(label, report, reader, counted):
    process = process_of(report, reader.pid)
    seen = process["torn"]["count"] if process else 0
    print(f"{label}: the reader counts {counted['torn']}, the tracer {seen}")
    check(seen == counted["torn"] > 0, f"{label}: not the same count")


def overlays(work):
    """The image, its lower layer in two overlays and as it is."""
    image(f"{work}/image")
    for name in ("one", "two"):
        for part in (name, f"{name}.upper", f"{name}.work"):
            os.mkdir(f"{work}/{part}")
        options = f"lowerdir=image,upperdir={name}.upper,workdir={name}.work"
        result = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, name],
                                cwd=work, capture_output=True, text=True)
        if result.returncode:
            print(f"overlays are not looked at: {result.stderr.strip()}")
            return
    for library in ((), ("--binary", f"{work}/one/libchronotick.so.1")):
        readers = [reader_in(f"{work}/{name}", 10000, 0.5) for name in ("one", "two", "image")]
        tracer = Tracer(TRACE, "torn", "--json", *library)
        if not tracer.started:
            fail("".join(tracer.errors))
            return
        counts = [reader.go() for reader in readers]
        report = tracer.json()
        for reader, counted in zip(readers, counts):
            judge("an image in two overlays" + " and --binary" * bool(library), report, reader, counted)
            reader.end()


def number_again(work):
    """A program without probes is seen, and then that inode has another content."""
    image(f"{work}/again")
    path = f"{work}/again/libchronotick.so.1"
    shutil.copy("/bin/sleep", path)
    inode = os.stat(path).st_ino
    sleeper = subprocess.Popen([path, "60"])
    tracer = Tracer(TRACE, "torn", "--json")
    sleeper.kill()
    sleeper.wait()
    with open(LIBRARY, "rb") as source, open(path, "wb") as target:
        shutil.copyfileobj(source, target)
    check(os.stat(path).st_ino == inode, "another inode")
    reader = reader_in(f"{work}/again", 10000, 0.5)
    time.sleep(2.2)  # it is looked for new processes once a second
    counted = reader.go()
    judge("an inode that was another file", tracer.json(), reader, counted)
    reader.end()


def late(work):
    """A shell that becomes the reader when it has long been seen."""
    image(f"{work}/late")
    script = f'sleep 6.5; exec "{work}/late/reader" "$@"'
    shell = f"{work}/shell"
    with open(shell, "w", encoding="ascii") as text:
        text.write(f"#!/bin/sh\nexport LD_LIBRARY_PATH={work}/late\n{script}\n")
    os.chmod(shell, 0o755)
    begun = subprocess.Popen([shell, "10000", "0.5"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             text=True)
    tracer = Tracer(TRACE, "torn", "--json", "--pid", str(begun.pid))
    reader = Reader.__new__(Reader)
    reader.process, reader.pid = begun, begun.pid
    check(begun.stdout.readline().strip() == "ready", "the reader does not start")
    time.sleep(2.2)
    counted = reader.go()
    judge("another program under a number that is watched", tracer.json(), reader, counted)
    reader.end()


def main():
    need_bpf()
    if "OWN_MOUNTS" not in os.environ:
        os.environ["OWN_MOUNTS"] = "yes"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable]
                  + sys.argv)
    # Mounts go with this process's namespace, and what is on them.
    with tempfile.TemporaryDirectory(prefix="chronotick-files-") as work:
        subprocess.run(["mount", "-t", "tmpfs", "none", work], check=True)
        try:
            overlays(work)
            number_again(work)
            late(work)
        finally:
            subprocess.run(["umount", "-l", work], check=False)
    finish()


if __name__ == "__main__":
    main()
