# SPDX-License-Identifier: MIT
"""The tools for agents of claude-agent-sdk, by the original's names: get_time, get_daemon_status,
get_time_with_future_uncertainty, and whatever else the library has.

With the SDK they are what its tool() makes; without it, objects with the same attributes, so that this
can be imported and called anywhere: `await get_time.handler({})`.
"""
from __future__ import annotations

import asyncio
import errno
import threading
from typing import Any, Awaitable, Callable, NamedTuple, Optional

from .._native import Clock
from ..errors import NotTrustedError
from ..record import ChronoTickData, from_values
from . import list_tools, start_tool

try:
    from claude_agent_sdk import tool as _sdk_tool
except ImportError:
    _sdk_tool = None


class SharedMemory:
    """The page, with the attributes that multiprocessing's SharedMemory has. It is mapped for reading:
    nothing can be written by it, and nothing is unlinked, now or at the end of the process."""

    def __init__(self, path: Optional[str] = None) -> None:
        self.clock = Clock(path)
        self.buf = memoryview(self.clock)
        self.name = self.clock.path.rpartition("/")[2]
        self.size = self.buf.nbytes

    def close(self) -> None:
        self.buf.release()
        self.clock.close()

    def reopen(self) -> None:
        """Map the page anew. Who has a view of the old one keeps that."""
        self.clock.reopen()
        self.buf = memoryview(self.clock)


_shared: Optional[SharedMemory] = None
_lock = threading.Lock()


def get_shared_memory() -> SharedMemory:
    """The page, opened once for the process. PageError, a RuntimeError, if there is none."""
    global _shared
    with _lock:
        if _shared is None or _shared.clock.closed:
            _shared = SharedMemory()
        return _shared


def read_chronotick_data() -> ChronoTickData:
    """The record of the page. One that has expired is opened anew: another may have its name."""
    shared = get_shared_memory()
    if shared.clock.read().error == -errno.ESTALE:
        with _lock:
            shared.reopen()
    return from_values(shared.clock.record())


class Tool(NamedTuple):
    """What the SDK's tool() makes, where the SDK is not here"""
    name: str
    description: str
    input_schema: "dict[str, Any]"
    handler: "Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]"


def _handler(name: str) -> "Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]":
    async def handler(args: "dict[str, Any]") -> "dict[str, Any]":
        # In a thread of its own: wait_until may take an hour, and the loop goes on, or ends before.
        result = await asyncio.wrap_future(start_tool(name, args))
        result["is_error"] = result["isError"]  # by the SDK's name too
        return result
    handler.__name__ = name
    return handler


_tools: "Optional[dict[str, Any]]" = None


def tools() -> "dict[str, Any]":
    """All tools by name, as tool() makes them. ChronoTickError if the library is not there."""
    global _tools
    if _tools is None:
        make = _sdk_tool or (lambda *about: lambda handler: Tool(*about, handler))
        _tools = {known["name"]: make(known["name"], known["description"], known["inputSchema"])(
            _handler(known["name"])) for known in list_tools()}
    return _tools


def __getattr__(name: str) -> Any:
    """`from chronotick.tools.sdk_tools import get_time`: one of tools()."""
    if not name.startswith("_") and name in tools():
        return tools()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
