#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is UTC now, and how wrong can that be?"""
import sys

import chronotick

try:
    now = chronotick.now()
except chronotick.ChronoTickError as error:
    sys.exit(f"no time: {error}")
print(f"UTC {now.utc_ns} ns, +- {now.bound_ns} ns, {now.status}")
