# SPDX-License-Identifier: MIT
from chronotick.client import ChronoTickClient, CorrectedTime, get_current_time

__all__ = ["ChronoTickClient", "CorrectedTime", "get_current_time"]
