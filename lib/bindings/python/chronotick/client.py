# SPDX-License-Identifier: MIT
"""The original client library's API, on the clock line: get_time() checks what it returns."""
from __future__ import annotations

import errno
import math
import time
from typing import Any, Callable, NamedTuple, Optional, TypeVar

from ._native import Clock, Interval
from .errors import ChronoTickError, NotTrustedError
from .record import ChronoTickData, from_values

FUTURE_MAX_S = 3600

T = TypeVar("T")


class _CorrectedTime(NamedTuple):
    corrected_timestamp: float
    system_timestamp: float
    uncertainty_seconds: float
    confidence: float
    source: str
    offset_correction: float
    drift_rate: float


class CorrectedTime(_CorrectedTime):
    """UTC in s as a float, which resolves about 0.2 us, with one standard deviation.

    interval: the same in ns, with the bound that contains the truth; None for a time to come.
    """
    interval: Optional[Interval] = None


def _corrected(data: ChronoTickData, corrected_s: float, system_s: float,
               interval: Optional[Interval]) -> CorrectedTime:
    sigma = data.get_time_uncertainty(system_s - data.prediction_time)
    result = CorrectedTime(corrected_s, system_s, sigma, data.confidence, data.source.name.lower(),
                           data.offset_correction, data.drift_rate)
    result.interval = interval
    return result


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, not {value!r}")
    return float(value)


class ChronoTickClient:
    """Opens the page when it is first needed, and again when what it had open has expired.

    Every method raises PageError if there is no page, and NotTrustedError if the time may not be
    trusted; both are RuntimeError. path: as for Clock.
    """

    def __init__(self, path: Optional[str] = None) -> None:
        self._path = path
        self._clock: Optional[Clock] = None

    def _read(self, read: Callable[[Clock], T]) -> T:
        """read(clock); a daemon that was started anew may have put another page in its place."""
        if self._clock is None:
            self._clock = Clock(self._path)
        try:
            return read(self._clock)
        except NotTrustedError as error:
            if error.errno != errno.ESTALE:
                raise
        self._clock.reopen()
        return read(self._clock)

    def _now(self) -> "tuple[Interval, float, ChronoTickData]":
        def read(clock: Clock) -> "tuple[Interval, float, ChronoTickData]":
            interval = clock.now()
            return interval, time.time(), from_values(clock.record())
        return self._read(read)

    def get_time(self) -> CorrectedTime:
        """UTC now, with the system's time at the same moment."""
        interval, system_s, data = self._now()
        return _corrected(data, interval.utc_ns * 1e-9, system_s, interval)

    def get_future_time(self, future_seconds: float) -> CorrectedTime:
        """What the time and its uncertainty will be in so many seconds, 0 to 3600, by what is known
        now."""
        ahead = _number("future_seconds", future_seconds)
        if not 0 <= ahead <= FUTURE_MAX_S:
            raise ValueError(f"future_seconds must be between 0 and {FUTURE_MAX_S}, not {ahead:g}")
        interval, system_s, data = self._now()
        corrected_s = interval.utc_ns * 1e-9 + ahead * (1 + data.drift_rate)
        return _corrected(data, corrected_s, system_s + ahead, None)

    def wait_until(self, target_corrected_time: float, tolerance_ms: float = 1.0) -> None:
        """Wait until UTC is at most tolerance_ms before the target, by the best estimate.

        Sleeps, and spins the last millisecond. ValueError if the target is past already. To wait
        until a time is past for certain take Clock.wait_until().
        """
        target_ns = round(_number("target_corrected_time", target_corrected_time) * 1e9)
        tolerance_ns = round(_number("tolerance_ms", tolerance_ms) * 1e6)
        if tolerance_ns < 0:
            raise ValueError("tolerance_ms must not be negative")
        left_ns = target_ns - self._read(Clock.now_ns)
        if left_ns <= 0:
            raise ValueError(f"target time {target_corrected_time} is in the past, "
                             f"by {-left_ns * 1e-9:.6f} s")
        while left_ns > tolerance_ns:
            # Not all at once: the clock may be slewed or stepped meanwhile.
            if left_ns > 2_000_000:
                time.sleep(min(left_ns - 1_000_000, 500_000_000) * 1e-9)
            left_ns = target_ns - self._read(Clock.now_ns)

    def is_daemon_ready(self) -> bool:
        """Is there a daemon, warmed up, whose time may be trusted? Raises nothing."""
        try:
            return self.get_daemon_info()["status"] == "ready"
        except ChronoTickError:
            return False

    def get_daemon_info(self) -> "dict[str, Any]":
        """What the page tells of the daemon. status: ready, warming_up or not_running."""
        def read(clock: Clock) -> "tuple[Interval, ChronoTickData, tuple[bool, int]]":
            interval = clock.read()
            if interval.error == -errno.ESTALE:
                raise NotTrustedError(interval.reason or "", errno.ESTALE, interval)
            return interval, from_values(clock.record()), clock.writer()
        try:
            interval, data, (alive, age_ns) = self._read(read)
        except NotTrustedError as error:
            # The page is there and its last word has expired: that is what is to be told.
            if error.errno != errno.ESTALE or self._clock is None:
                raise
            interval, data = self._clock.read(), from_values(self._clock.record())
            alive, age_ns = self._clock.writer()
        warm = data.is_warmup_complete and interval.trusted
        now_s = time.time()
        return {
            "status": "not_running" if not alive else "ready" if warm else "warming_up",
            "warmup_complete": data.is_warmup_complete,
            "measurement_count": data.measurement_count,
            "total_corrections": data.total_corrections,
            "daemon_uptime": data.daemon_uptime,
            "last_ntp_sync": data.last_ntp_sync,
            "seconds_since_ntp": now_s - data.last_ntp_sync if data.last_ntp_sync > 0 else None,
            "ntp_ready": data.is_ntp_ready,
            "models_ready": data.is_models_ready,
            "data_source": data.source.name.lower(),
            "confidence": data.confidence,
            "average_latency_ms": data.average_latency_ms,
            "clock_status": interval.status,
            "reason": interval.reason,
            "writer_alive": alive,
            "writer_age_ns": age_ns,
        }

    def close(self) -> None:
        """Let the page go. The next call opens it again."""
        clock, self._clock = self._clock, None
        if clock is not None:
            clock.close()

    def __enter__(self) -> "ChronoTickClient":
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()


def get_current_time() -> CorrectedTime:
    """UTC now, for once: a ChronoTickClient that is kept saves the opening."""
    with ChronoTickClient() as client:
        return client.get_time()
