#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The share of a CPU that goes to reads: much of a process's that does nothing but read, and nothing of
one whose reads are nowhere.

usage: share.py CHRONOTICK_TRACE READER"""
import sys

from trace import Reader, Tracer, check, fail, finish, need_bpf, process_of


def main():
    trace, program = sys.argv[1:3]
    need_bpf()
    reader, idle = Reader(program, 1000, 2), Reader(program, 1000, 2)
    tracer = Tracer(trace, "torn", "--json", "--share")
    if not tracer.started:
        fail("".join(tracer.errors))
        finish()
    reader.go()
    report = tracer.json()
    share = (process_of(report, reader.pid) or {}).get("share")
    print(share)
    if share:
        # Half of its samples are of its thread that waits to write.
        check(share["samples"] >= 20, "hardly any sample")
        check(share["reading"] >= share["samples"] // 10, "hardly any of them in a read")
        check(0 < share["cpu_percent"] <= 100, "no share of a CPU")
    else:
        fail("no share is told")
    check("share" not in (process_of(report, idle.pid) or {}), "a process that rests has a share")
    reader.end()
    idle.end()
    finish()


if __name__ == "__main__":
    main()
