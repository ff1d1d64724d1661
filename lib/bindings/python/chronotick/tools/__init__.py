# SPDX-License-Identifier: MIT
"""The tools of libchronotick-tools, as the Model Context Protocol has them, in this process.

The library is looked for when it is first needed, since nothing else of this package needs one.
"""
from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import threading
from concurrent.futures import Future
from typing import Any, Optional

from ..errors import ChronoTickError

LIBRARY = "libchronotick-tools.so.1"
WAITING = "wait_until"  # the one tool that does not answer at once

_library: Optional[ctypes.CDLL] = None


def _load() -> ctypes.CDLL:
    global _library
    if _library is None:
        try:
            library = ctypes.CDLL(LIBRARY)
        except OSError as error:
            raise ChronoTickError(f"the tools need {LIBRARY}, which ChronoTick installs: {error}",
                                  errno.ENOENT) from None
        text = ctypes.POINTER(ctypes.c_void_p)
        library.chronotick_tools_list.argtypes = [text]
        library.chronotick_tools_call.argtypes = [ctypes.c_char_p] * 3 + [text]
        library.chronotick_tools_free.argtypes = [ctypes.c_void_p]
        library.chronotick_tools_free.restype = None
        _library = library
    return _library


def _taken(library: ctypes.CDLL, text: ctypes.c_void_p) -> Any:
    try:
        return json.loads(ctypes.string_at(text))
    finally:
        library.chronotick_tools_free(text)


def list_tools() -> "list[dict[str, Any]]":
    """The tools: name, title, description, inputSchema, outputSchema, annotations."""
    library, text = _load(), ctypes.c_void_p()
    if library.chronotick_tools_list(ctypes.byref(text)) < 0:
        raise MemoryError
    return _taken(library, text)["tools"]


def _call(library: ctypes.CDLL, path: Optional[bytes], name: bytes, given: bytes) -> "dict[str, Any]":
    text = ctypes.c_void_p()
    r = library.chronotick_tools_call(path, name, given, ctypes.byref(text))
    if r == -errno.ENOENT:
        raise LookupError(f"no tool {name.decode()!r}")
    if r == -errno.EINVAL:
        raise TypeError("the arguments are no dictionary")
    if r < 0:
        raise MemoryError
    return _taken(library, text)


def _checked(name: str, arguments: "Optional[dict[str, Any]]", page: Optional[str]) -> "tuple[Any, ...]":
    path = os.fsencode(page) if page is not None else None
    for what in (name.encode(), path or b""):
        if b"\0" in what:
            raise ValueError("a name or path has a NUL in it")
    return _load(), path, name.encode(), json.dumps(arguments or {}, allow_nan=False).encode()


def start_tool(name: str, arguments: "Optional[dict[str, Any]]" = None,
               page: Optional[str] = None) -> "Future[dict[str, Any]]":
    """call_tool() in a thread of its own, for which neither a pool nor the program's end has to wait.

    No signal comes to that thread: it would begin the wait anew.
    """
    checked = _checked(name, arguments, page)
    future: "Future[dict[str, Any]]" = Future()

    def run() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
        try:
            result, error = _call(*checked), None
        except BaseException as raised:
            result, error = {}, raised
        if not future.set_running_or_notify_cancel():
            return  # nobody waits for it any more
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, name=f"chronotick {name}", daemon=True).start()
    return future


def call_tool(name: str, arguments: "Optional[dict[str, Any]]" = None,
              page: Optional[str] = None) -> "dict[str, Any]":
    """What a tool says: content, structuredContent, isError. LookupError if there is no such tool.

    The GIL is let go meanwhile, and handlers of signals run: wait_until waits for as long as it is told.
    """
    if name == WAITING:
        return start_tool(name, arguments, page).result()
    return _call(*_checked(name, arguments, page))


__all__ = ["LIBRARY", "call_tool", "list_tools", "start_tool"]
