# SPDX-License-Identifier: MIT
"""The times of many stamps at once, without numpy: anything with the buffer protocol will do."""
from __future__ import annotations

from array import array
from typing import NamedTuple

from ._native import Clock


class Batch(NamedTuple):
    """Arrays of as many items as there were counter values. results: 0, or a negative errno for an
    item that may not be trusted."""
    earliest_ns: "array[int]"
    utc_ns: "array[int]"
    latest_ns: "array[int]"
    results: "array[int]"


def convert(clock: Clock, counters) -> Batch:
    """The times of values that clock.counter() gave, all under one line that is read once.

    counters: array('Q') or another buffer of unsigned 64-bit numbers. Where the arrays are there
    already, clock.at_batch() fills them in.
    """
    count = memoryview(counters).nbytes // 8
    batch = Batch(*(array(code, bytes(count * array(code).itemsize)) for code in "qqqi"))
    clock.at_batch(counters, *batch)
    return batch
