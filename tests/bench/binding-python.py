#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a call of the Python binding costs, in ns, beside time.time_ns() in the same run.

usage: binding-python.py MAKE_PAGE"""
import os
import subprocess
import sys
import tempfile
import timeit
import time
from array import array

import chronotick

CALLS, ROUNDS = 5000, 400
LIMIT_NS = 90
# Of time.time_ns(): what now_ns() may take on a machine where that one takes longer than elsewhere
LIMIT_RATIO = 1.5


def main():
    with tempfile.TemporaryDirectory(prefix="chronotick-bench-") as folder:
        page = os.path.join(folder, "page")
        subprocess.run([sys.argv[1], "trusted", page], check=True)
        os.environ["CHRONOTICK_PAGE"] = page
        clock = chronotick.Clock()
        view = memoryview(clock)
        client = chronotick.ChronoTickClient()
        calls = {
            "time.time_ns()": time.time_ns,
            "chronotick.now_ns()": chronotick.now_ns,
            "chronotick.now()": chronotick.now,
            "clock.now_ns()": clock.now_ns,
            "clock.now()": clock.now,
            "clock.counter()": clock.counter,
            "clock.read()": clock.read,
        }
        slow = {"read_data(page)": lambda: chronotick.read_data(view),
                "client.get_time()": client.get_time}
        best = {}
        # In turn, round for round, so that all of them meet the same load; the best of short rounds
        # is that of a moment in which nothing else ran.
        for _ in range(ROUNDS):
            for name, call in calls.items():
                took = timeit.timeit(call, number=CALLS) / CALLS * 1e9
                best[name] = min(best.get(name, took), took)
            for name, call in slow.items():
                took = timeit.timeit(call, number=CALLS // 20) / (CALLS // 20) * 1e9
                best[name] = min(best.get(name, took), took)
        for name, took in best.items():
            print(f"{name:22} {took:8.1f} ns  {took / best['time.time_ns()']:6.2f} of time.time_ns()")
        stamps = array("Q", (clock.counter() for _ in range(1000)))
        utc = array("q", bytes(8000))
        took = min(timeit.repeat(lambda: clock.at_batch(stamps, None, utc, None, None), number=100,
                                 repeat=ROUNDS)) / 100 / 1000 * 1e9
        print(f"{'at_batch(), a stamp':22} {took:8.1f} ns")
        now_ns, ratio = best["chronotick.now_ns()"], \
            best["chronotick.now_ns()"] / best["time.time_ns()"]
    if now_ns > LIMIT_NS and ratio > LIMIT_RATIO:
        print(f"now_ns() took {now_ns:.1f} ns and {ratio:.2f} of time.time_ns(): "
              f"more than {LIMIT_NS} and {LIMIT_RATIO}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
