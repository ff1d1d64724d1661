# SPDX-License-Identifier: MIT
"""The tools of libchronotick-tools, as the Model Context Protocol has them, in this process.

The library is looked for when it is first needed, since nothing else of this package needs one.
"""
from __future__ import annotations

import ctypes
import errno
import json
import os
from typing import Any, Optional

from ..errors import ChronoTickError

LIBRARY = "libchronotick-tools.so.1"

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


def call_tool(name: str, arguments: "Optional[dict[str, Any]]" = None,
              page: Optional[str] = None) -> "dict[str, Any]":
    """What a tool says: content, structuredContent, isError. LookupError if there is no such tool.

    The GIL is let go meanwhile: wait_until waits for as long as it is told.
    """
    library, text = _load(), ctypes.c_void_p()
    given = json.dumps(arguments or {}, allow_nan=False).encode()
    path = os.fsencode(page) if page is not None else None
    for what in (name.encode(), path or b""):
        if b"\0" in what:
            raise ValueError("a name or path has a NUL in it")
    r = -errno.EINTR
    while r == -errno.EINTR:  # a signal's handler has run: its exception, if any, ends this
        r = library.chronotick_tools_call(path, name.encode(), given, ctypes.byref(text))
    if r == -errno.ENOENT:
        raise LookupError(f"no tool {name!r}")
    if r == -errno.EINVAL:
        raise TypeError("the arguments are no dictionary")
    if r < 0:
        raise MemoryError
    return _taken(library, text)


__all__ = ["LIBRARY", "call_tool", "list_tools"]
