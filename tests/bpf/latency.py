#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a process's canary measures comes out of chronotick-trace round by round, told apart from other
processes, and only of those that have one.

usage: latency.py CHRONOTICK_TRACE READER"""
import sys

from trace import Reader, Tracer, check, fail, finish, need_bpf, process_of

KINDS = ("canary_warm_ps", "canary_serialised_ps", "canary_cold_ps")


def main():
    trace, program = sys.argv[1:3]
    need_bpf()
    readers = [Reader(program, 1000, 1, 20), Reader(program, 1000, 1, 20), Reader(program, 1000, 1)]
    tracer = Tracer(trace, "latency", "--json")
    if not tracer.started:
        fail("".join(tracer.errors))
        finish()
    for reader in readers:
        reader.go()
    report = tracer.json()
    for reader in readers[:2]:
        process = process_of(report, reader.pid)
        if not process or "canary" not in process:
            fail(f"pid {reader.pid}: no canary")
            continue
        canary, told = process["canary"], process["distributions"]
        print(f"{canary['rounds']} rounds, {canary['reads']} reads:",
              ", ".join(f"{name} p50 {told[name]['p50'] / 1000:.1f} ns"
                        for name in KINDS if name in told))
        check(canary["rounds"] >= 10, "hardly any round")
        check(canary["reads"] == canary["rounds"] * (32 + 8 + 8) * 16, "not all reads")
        for name in KINDS:
            check(name in told and told[name]["count"] == canary["rounds"], f"{name}: not all")
        check("torn" not in process, "torn reads, which nobody has asked for")
        check(told["canary_warm_ps"]["p50"] < told["canary_cold_ps"]["p50"],
              "a cold read is no slower than a warm one")
    check(process_of(report, readers[2].pid) is None, "a process without a canary is told of")
    for reader in readers:
        reader.end()
    finish()


if __name__ == "__main__":
    main()
