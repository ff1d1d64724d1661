#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Torn reads are told apart by their cause: readers that share a CPU are stopped in their reads by each
other, and then find them torn under a writer of 10 kHz; the notes of the program say where its reads
are. The causes add up to the reader's own count.

usage: preemption.py CHRONOTICK_TRACE READER"""
import os
import subprocess
import sys
import threading

from trace import Reader, Tracer, check, fail, finish, need_bpf, process_of, skip

TRACE, READER = sys.argv[1:3]


def torn_of(readers):
    """What the tracer says of each of these, which read at the same time."""
    tracer = Tracer(TRACE, "torn", "--json", "--preemption")
    if not tracer.started:
        fail("".join(tracer.errors))
        finish()
    counts = [None] * len(readers)

    def go(i):
        counts[i] = readers[i].go()

    threads = [threading.Thread(target=go, args=(i,)) for i in range(len(readers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = tracer.json()
    told = []
    for reader, counted in zip(readers, counts):
        torn = process_of(report, reader.pid)["torn"]
        causes = torn["reader_preempted"], torn["writer_concurrent"]
        print(f"{counted['torn']} torn reads: reader preempted {causes[0]}, "
              f"writer concurrent {causes[1]}")
        check(sum(causes) == counted["torn"] == torn["count"], "the causes do not add up")
        told.append(causes)
    return told


def main():
    need_bpf()
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        skip("this kernel has no BTF")
    # Three on one CPU, which all have their writer on another
    readers = [Reader(READER, 10000, 1.5) for _ in range(3)]
    together = torn_of(readers)
    for reader in readers:
        reader.end()
    preempted = sum(causes[0] for causes in together)
    check(preempted >= 3, f"{preempted} readers preempted, of three that share a CPU")

    result = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c",
         'mount -t tmpfs none /sys/kernel/btf && exec "$@"', "sh", TRACE, "torn", "--preemption",
         "--duration", "0.2"], capture_output=True, text=True, timeout=30)
    print(result.stderr.strip())
    check(result.returncode == 1 and "BTF" in result.stderr, "a missing BTF is not told")
    finish()


if __name__ == "__main__":
    main()
