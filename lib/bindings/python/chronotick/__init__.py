# SPDX-License-Identifier: MIT
"""UTC with an error bound, from the ChronoTick page.

    import chronotick

    chronotick.now_ns()                 # as time.time_ns(), but right, or an error
    earliest, utc, latest = chronotick.now()

    with chronotick.Clock() as clock:   # a page of one's own
        stamp = clock.counter()         # now, to be converted later
        clock.at(stamp).utc_ns
        clock.wait_until(clock.now().latest_ns)  # commit-wait

ChronoTickClient and what is in chronotick.record is the original ChronoTick's API.
"""
from ._native import Clock, Interval, compare, now, now_ns, strerror
from .batch import Batch, convert
from .client import ChronoTickClient, CorrectedTime, get_current_time
from .errors import ChronoTickError, NotTrustedError, PageError
from .record import (
    SHARED_MEMORY_NAME,
    SHARED_MEMORY_SIZE,
    ChronoTickData,
    CorrectionSource,
    StatusFlags,
    benchmark_read_latency,
    get_corrected_time_at,
    get_time_uncertainty,
    read_data,
    read_data_with_retry,
)

__version__ = "0.1.0"

BEFORE, OVERLAP, AFTER = -1, 0, 1  # what compare() returns

__all__ = [
    "AFTER", "BEFORE", "Batch", "ChronoTickClient", "ChronoTickData", "ChronoTickError", "Clock",
    "CorrectedTime", "CorrectionSource", "Interval", "NotTrustedError", "OVERLAP", "PageError",
    "SHARED_MEMORY_NAME", "SHARED_MEMORY_SIZE", "StatusFlags", "benchmark_read_latency", "compare",
    "convert", "get_corrected_time_at", "get_current_time", "get_time_uncertainty", "now", "now_ns",
    "read_data", "read_data_with_retry", "strerror",
]
