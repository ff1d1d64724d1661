# SPDX-License-Identifier: MIT
"""What goes wrong, as exceptions. All are RuntimeError, as the original client's were."""
from __future__ import annotations

from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from ._native import Interval


class ChronoTickError(RuntimeError):
    """An error of the library. errno: its number, positive, see the module of that name."""

    def __init__(self, message: str, errno: int = 0, interval: "Optional[Interval]" = None) -> None:
        super().__init__(message)
        self.errno = errno
        self.interval = interval


class PageError(ChronoTickError):
    """There is no page to be opened, or none that may be believed. errno says which."""


class NotTrustedError(ChronoTickError):
    """There is a page, and the time may not be trusted. errno EAGAIN: not yet; ESTALE: expired;
    ERANGE: asked for a counter value too long ago; EOVERFLOW: the bound is wider than was allowed.
    interval: what was read all the same, good to be shown, not to be used."""
