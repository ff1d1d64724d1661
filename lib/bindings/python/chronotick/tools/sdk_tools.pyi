# SPDX-License-Identifier: MIT
from typing import Any, Optional

from .._native import Clock
from ..record import ChronoTickData

class SharedMemory:
    clock: Clock
    buf: memoryview
    name: str
    size: int
    def __init__(self, path: Optional[str] = ...) -> None: ...
    def close(self) -> None: ...
    def reopen(self) -> None: ...

def get_shared_memory() -> SharedMemory: ...
def read_chronotick_data() -> ChronoTickData: ...
def tools() -> dict[str, Any]: ...

# What claude_agent_sdk.tool() makes, or something with its attributes
get_time: Any
get_daemon_status: Any
get_time_with_future_uncertainty: Any
get_time_with_confidence_interval: Any
compare_times: Any
wait_until: Any
