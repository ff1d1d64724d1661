# SPDX-License-Identifier: MIT
"""The original's package by its name, for programs that import it: see chronotick."""
from chronotick import (
    SHARED_MEMORY_NAME,
    SHARED_MEMORY_SIZE,
    ChronoTickClient,
    ChronoTickData,
    CorrectedTime,
    CorrectionSource,
    StatusFlags,
    get_current_time,
    read_data,
    read_data_with_retry,
)

__all__ = [
    "ChronoTickClient", "ChronoTickData", "CorrectedTime", "CorrectionSource", "SHARED_MEMORY_NAME",
    "SHARED_MEMORY_SIZE", "StatusFlags", "get_current_time", "read_data", "read_data_with_retry",
]
