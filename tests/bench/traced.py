#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What tracing costs readers at 1000 publications a second: the median of 11 interleaved pairs of runs
with probes attached and detached; and how the canary's figure compares with the reads of the process
itself.

usage: traced.py CHRONOTICK_TRACE READER"""
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bpf"))
from trace import Reader, Tracer, check, fail, finish, need_bpf, process_of  # noqa: E402

PAIRS = 11


def reads(trace, program):
    reader = Reader(program, 1000, 0.5)
    reader.go()  # warm
    ratios, costs, torn = [], {True: [], False: []}, 0
    for pair in range(PAIRS):
        cost = {}
        for attached in ((True, False), (False, True))[pair % 2]:
            tracer = Tracer(trace, "torn", "--json") if attached else None
            counted = reader.go()
            if tracer:
                process = process_of(tracer.json(), reader.pid)
                seen = process["torn"]["count"] if process else 0
                check(seen == counted["torn"], f"{seen} seen of {counted['torn']}")
                torn += seen
            cost[attached] = counted["read_ns"]
            costs[attached].append(counted["read_ns"])
        ratios.append(cost[True] / cost[False])
    reader.end()
    ratio = statistics.median(ratios)
    print(f"a read: {statistics.median(costs[False]):.2f} ns with probes detached, "
          f"{statistics.median(costs[True]):.2f} ns attached; ratio {ratio:.3f}, median of {PAIRS} "
          f"pairs ({min(ratios):.3f} to {max(ratios):.3f}); {torn} torn reads, all seen")
    check(0.98 <= ratio <= 1.02, "the ratio is not 1.00 +- 0.02")


def canary(trace, program):
    ratios = []
    for _ in range(5):
        reader = Reader(program, 1000, 1.0, 5)
        tracer = Tracer(trace, "latency", "--json")
        counted = reader.go()
        process = process_of(tracer.json(), reader.pid)
        reader.end()
        if not process:
            fail("no canary")
            return
        warm_ns = process["distributions"]["canary_warm_ps"]["p50"] / 1000
        ratios.append(warm_ns / counted["read_ns"])
        print(f"canary, warm: p50 {warm_ns:.2f} ns; the process's own reads in batches of 1000: "
              f"{counted['read_ns']:.2f} ns")
    ratio = statistics.median(ratios)
    print(f"canary p50 against the benchmark in the process: {ratio:.3f}, median of {len(ratios)}")
    check(0.9 <= ratio <= 1.1, "not within 10 %")


def main():
    need_bpf()
    reads(*sys.argv[1:3])
    canary(*sys.argv[1:3])
    finish()


if __name__ == "__main__":
    main()
