#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Torn reads as chronotick-trace counts them are those that the reading process counts, one by one,
under writers from 1 kHz to one that never rests; and another process is told apart.

usage: torn.py CHRONOTICK_TRACE READER"""
import sys

from trace import Reader, Tracer, check, fail, finish, need_bpf, process_of

RATES = (1000, 10000, 100000, 0)


def judge(label, process, counted):
    torn = process["torn"] if process and "torn" in process else {"count": 0}
    print(f"{label}: {counted['reads']} reads, {counted['published']} publications, torn: "
          f"the reader {counted['torn']}, the tracer {torn['count']}"
          + (f" ({torn['odd']} odd, {torn['changed']} changed)" if "odd" in torn else ""))
    check(torn["count"] == counted["torn"], f"{label}: not the same count")
    if "odd" not in torn:
        return
    check(torn["odd"] + torn["changed"] == torn["count"], f"{label}: the kinds do not add up")
    # Under a writer that never rests a read may find no line whole however often it looks.
    check(torn["lost"] == counted["bad"], f"{label}: {torn['lost']} lost, not {counted['bad']}")
    check(torn["retries"] >= torn["count"], f"{label}: a torn read without a retry")
    check(0 < torn["ns"] and torn["ns_max"] <= torn["ns"], f"{label}: no time spent")
    for name in ("torn_ns", "torn_retries"):
        distribution = process["distributions"][name]
        in_buckets = sum(count for _, _, count in distribution["buckets"])
        check(in_buckets == torn["count"] == distribution["count"], f"{label}: {name}: not all")
        for low, high, _ in distribution["buckets"]:
            check(low < high <= max(low + 1, low * 9 // 8 + 1), f"{label}: bucket {low} to {high}")


def main():
    trace, reader_program = sys.argv[1:3]
    need_bpf()
    counted_torn = 0
    for hz in RATES:
        readers = [Reader(reader_program, hz, 0.6) for _ in range(2)]
        tracer = Tracer(trace, "torn", "--json")
        if not tracer.started:
            fail("".join(tracer.errors))
            break
        counts = [reader.go() for reader in readers]
        report = tracer.json()
        check(tracer.status == 0, f"status {tracer.status}")
        check(report.get("left_out") == 0, "events were left out")
        for reader, counted in zip(readers, counts):
            judge(f"{hz or 'all it can'} Hz", process_of(report, reader.pid), counted)
            counted_torn += counted["torn"]
            reader.end()
    check(counted_torn > 1000, "hardly anything was torn: this has shown nothing")

    # One process of two; and started after the tracer.
    readers = [Reader(reader_program, 10000, 0.3) for _ in range(2)]
    tracer = Tracer(trace, "torn", "--json", "--pid", str(readers[0].pid))
    counts = [reader.go() for reader in readers]
    report = tracer.json()
    judge("--pid", process_of(report, readers[0].pid), counts[0])
    check(process_of(report, readers[1].pid) is None, "--pid: another process is counted")
    tracer = Tracer(trace, "torn", "--json")
    late = Reader(reader_program, 10000, 0.3)
    counted = late.go()
    judge("started later", process_of(tracer.json(), late.pid), counted)
    for reader in readers + [late]:
        reader.end()
    finish()


if __name__ == "__main__":
    main()
