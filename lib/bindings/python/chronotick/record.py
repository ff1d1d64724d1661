# SPDX-License-Identifier: MIT
"""The 128-byte record that clients of the original ChronoTick read, by the original's names.

The read path proper is Clock.now(): it checks trust and has a bound. This is for programs that know
the record. Nothing here writes a page; there is no write_data().
"""
from __future__ import annotations

import math
import time
from enum import IntEnum
from typing import NamedTuple, Optional

from ._native import PAGE_NAME, parse_record

SHARED_MEMORY_NAME = PAGE_NAME
SHARED_MEMORY_SIZE = 128


class CorrectionSource(IntEnum):
    """What a correction rests on"""
    NO_DATA = 0
    NTP = 1
    CPU_MODEL = 2
    GPU_MODEL = 3
    FUSION = 4
    PTP = 5
    PHC = 6


class StatusFlags:
    """Bits of a record's flags"""
    VALID = 0x01
    NTP_READY = 0x02
    MODELS_READY = 0x04
    WARMUP_COMPLETE = 0x08


class ChronoTickData(NamedTuple):
    """A record. Times are s since 1970 on the system clock, uncertainties one standard deviation."""
    corrected_timestamp: float
    system_timestamp: float
    offset_correction: float
    drift_rate: float
    offset_uncertainty: float
    drift_uncertainty: float
    prediction_time: float
    valid_until: float
    confidence: float
    sequence_number: int
    flags: int
    source: CorrectionSource
    measurement_count: int
    last_ntp_sync: float
    daemon_uptime: float
    total_corrections: int
    reserved: int
    average_latency_ms: float

    @property
    def is_valid(self) -> bool:
        """May it be trusted? Not once valid_until has passed, whatever the flag says."""
        return bool(self.flags & StatusFlags.VALID) and time.time() <= self.valid_until

    @property
    def is_ntp_ready(self) -> bool:
        return bool(self.flags & StatusFlags.NTP_READY)

    @property
    def is_models_ready(self) -> bool:
        return bool(self.flags & StatusFlags.MODELS_READY)

    @property
    def is_warmup_complete(self) -> bool:
        return bool(self.flags & StatusFlags.WARMUP_COMPLETE)

    def get_corrected_time_at(self, system_time: float) -> float:
        """UTC, in s, at that time of the system clock."""
        delta = system_time - self.prediction_time
        return system_time + self.offset_correction + self.drift_rate * delta

    def get_time_uncertainty(self, time_delta: float) -> float:
        """One standard deviation, in s, time_delta s after prediction_time."""
        return math.hypot(self.offset_uncertainty, self.drift_uncertainty * time_delta)


_SOURCES = {int(source): source for source in CorrectionSource}


def from_values(values: tuple) -> ChronoTickData:
    """A record from what Clock.record() returns. A source that is not known here is no data."""
    source = _SOURCES.get(values[11], CorrectionSource.NO_DATA)
    return ChronoTickData._make((*values[:11], source, *values[12:]))


ORDERS = {None: -1, "document": 0, "python": 1}


def read_data_with_retry(buffer, max_retries: int = 3, order: Optional[str] = None) -> ChronoTickData:
    """The record in a buffer: a page, or 128 bytes. Torn ones are taken again, so many times.

    order: "document" or "python", the released client's; None: a page says so itself, and bytes that
    are none are in the document's. ChronoTickError if all were torn, ValueError if it is too short.
    """
    if order not in ORDERS:
        raise ValueError(f"order: 'document' or 'python', not {order!r}")
    if max_retries < 1:
        raise ValueError("max_retries: 1 and more")
    return from_values(parse_record(buffer, max_retries, ORDERS[order]))


def read_data(buffer, order: Optional[str] = None) -> ChronoTickData:
    """As read_data_with_retry(), with one try. A torn record is an error, never a result."""
    return read_data_with_retry(buffer, 1, order)


def get_corrected_time_at(data: ChronoTickData, system_time: float) -> float:
    """UTC, in s, at that time of the system clock."""
    return data.get_corrected_time_at(system_time)


def get_time_uncertainty(data: ChronoTickData, time_delta: float) -> float:
    """One standard deviation, in s, time_delta s after data.prediction_time."""
    return data.get_time_uncertainty(time_delta)


def benchmark_read_latency(buffer, iterations: int = 10000) -> float:
    """What one read_data() takes here, in ns on average. It is measured when it is called."""
    if iterations < 1:
        raise ValueError("iterations: 1 and more")
    start = time.perf_counter_ns()
    for _ in range(iterations):
        read_data(buffer)
    return (time.perf_counter_ns() - start) / iterations


__all__ = [
    "ChronoTickData", "CorrectionSource", "SHARED_MEMORY_NAME", "SHARED_MEMORY_SIZE", "StatusFlags",
    "benchmark_read_latency", "from_values", "get_corrected_time_at", "get_time_uncertainty",
    "read_data", "read_data_with_retry",
]
