#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Commit-wait: who sees this transaction sees that its time is past, whatever his clock is."""
import chronotick

with chronotick.Clock() as clock:
    commit_ns = clock.now().latest_ns      # no clock is that late yet
    # ... the transaction's writes, stamped commit_ns ...
    passed = clock.wait_until(commit_ns, timeout=10)  # TimeoutError, if the bound is as wide as that
    waited_ns = passed.utc_ns - commit_ns

print(f"committed at {commit_ns} ns, which is past for certain {waited_ns} ns later")
