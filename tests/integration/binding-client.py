#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A long-lived client in Python, for binding-daemon.sh. Each line of its input is a state in which the
daemon is; it answers "ok", or what is wrong, until "end". The truth is this host's own clock.

usage: binding-client.py"""
import asyncio
import errno
import sys
import time

import chronotick
from chronotick.tools.sdk_tools import get_daemon_status, get_time, read_chronotick_data, wait_until

client = chronotick.ChronoTickClient()


def trusted():
    for _ in range(20000):
        before = time.time_ns()
        interval = chronotick.now()
        after = time.time_ns()
        # The truth lay between two readings, and the interval holds one of them at least.
        assert interval.earliest_ns <= after and before <= interval.latest_ns, (before, interval)
    info = client.get_time()
    assert abs(info.corrected_timestamp - info.system_timestamp) < 0.001, info
    assert info.source not in ("no_data", "unknown"), info
    daemon = client.get_daemon_info()
    assert daemon["writer_alive"] and daemon["measurement_count"] > 0, daemon
    assert daemon["status"] in ("ready", "warming_up"), daemon
    data = read_chronotick_data()
    assert data.is_valid and abs(data.offset_correction) < 0.001, data
    told = asyncio.run(get_time.handler({}))["structuredContent"]
    assert told["is_valid"] and abs(int(told["utc_ns"]) - time.time_ns()) < 10**9, told
    assert int(told["bound_ns"]) > 0 and told["source"] == data.source.name.lower(), (told, data)
    status = asyncio.run(get_daemon_status.handler({}))["structuredContent"]
    assert status["status"] == daemon["status"] and status["daemon_running"], status
    waited = asyncio.run(wait_until.handler({"seconds": 0.02}))["structuredContent"]
    assert waited["reached"], waited
    clock = chronotick.Clock()
    target = clock.now().latest_ns + 5_000_000
    assert clock.wait_until(target).earliest_ns > target


def killed():
    """The last line still holds, and a daemon there is not."""
    assert chronotick.now().trusted
    assert client.get_daemon_info()["status"] == "not_running"
    assert not client.is_daemon_ready()
    status = asyncio.run(get_daemon_status.handler({}))["structuredContent"]
    assert status["status"] == "not_running" and not status["daemon_running"], status


def expired():
    for read in chronotick.now_ns, chronotick.now, client.get_time:
        try:
            read()
        except chronotick.NotTrustedError as error:
            assert error.errno == errno.ESTALE, error
        else:
            raise AssertionError("an expired time is told")
    assert not client.is_daemon_ready()
    assert not asyncio.run(get_time.handler({}))["structuredContent"]["is_valid"]


def main():
    for line in sys.stdin:
        if line == "end\n":
            break
        try:
            {"trusted": trusted, "killed": killed, "expired": expired}[line.strip()]()
            print("ok", flush=True)
        except Exception as error:  # all that can go wrong is told
            print(f"{type(error).__name__}: {error}".replace("\n", " "), flush=True)


main()
