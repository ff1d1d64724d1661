#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which of two events on two machines came first? Each machine sends the interval of its event; here
both are made on this one.

An interval goes as plain numbers: a pickle from somebody else is a program from somebody else."""
import json

import chronotick
from chronotick import Interval

FIELDS = ("earliest_ns", "utc_ns", "latest_ns", "generation", "status_code", "tai_offset_s", "error")


def packed(interval: Interval) -> str:
    return json.dumps({name: getattr(interval, name) for name in FIELDS})


def unpacked(text: str) -> Interval:
    return Interval(**json.loads(text))


with chronotick.Clock() as clock:
    one_machine = packed(clock.now())
    clock.wait_until(clock.now().latest_ns)  # long enough for the answer to be certain
    clock.wait_until(clock.now().latest_ns)
    other_machine = packed(clock.now())

first, second = unpacked(one_machine), unpacked(other_machine)
# Generations of two machines say nothing of each other; TAI does, and both have it.
if first.tai_offset_s is None or second.tai_offset_s is None:
    raise SystemExit("TAI - UTC is not known: times of two machines can't be ordered at a leap second")
order = chronotick.compare(first, second)
print({chronotick.BEFORE: "the first came first", chronotick.AFTER: "the second came first",
       chronotick.OVERLAP: "it can't be told"}[order])
