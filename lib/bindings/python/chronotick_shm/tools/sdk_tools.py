# SPDX-License-Identifier: MIT
from typing import Any

from chronotick.tools import sdk_tools as _own
from chronotick.tools.sdk_tools import get_shared_memory, read_chronotick_data

__all__ = ["get_shared_memory", "read_chronotick_data"]


def __getattr__(name: str) -> Any:
    return getattr(_own, name)
