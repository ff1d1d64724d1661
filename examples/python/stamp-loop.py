#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Stamp the turns of a loop as cheaply as can be, and turn the stamps into times afterwards."""
from array import array

import chronotick

TURNS = 10_000

with chronotick.Clock() as clock:
    counter = clock.counter  # a stamp is one call, and a number
    stamps = array("Q", bytes(8 * TURNS))
    for turn in range(TURNS):
        stamps[turn] = counter()
    # All under one line of the page: what is between two of these is exact to the counter's rate.
    batch = chronotick.convert(clock, stamps)

if any(batch.results):
    raise SystemExit(f"a time may not be trusted: {chronotick.strerror(min(batch.results))}")
took = sorted(later - earlier for earlier, later in zip(batch.utc_ns, batch.utc_ns[1:]))
print(f"{TURNS} turns from {batch.utc_ns[0]} ns on, each to +- "
      f"{max(latest - utc for latest, utc in zip(batch.latest_ns, batch.utc_ns))} ns")
print(f"a turn took {took[len(took) // 2]} ns, at most {took[-1]} ns")
