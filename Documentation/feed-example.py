#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An external model for chronotickd's feed, to begin with: a weighted line through what was measured.

feed.md describes the protocol. A better model takes the place of class Line; class Feed stays.
"""
import argparse
import collections
import math
import select
import socket
import struct
import sys
import time

MAGIC = 0x44454546
VERSION = 1
HELLO, MEASUREMENT, COVARIATES, VERDICT, PREDICTION = 1, 2, 3, 4, 16
VERDICTS = ["taken", "malformed", "unsupported", "duplicate", "other_epoch", "invalid", "late",
            "too_far", "untrusted", "implausible"]

# Native byte order; each begins with the header.
HEADER = struct.Struct("=IIHHIQq")
BODY = {
    HELLO: struct.Struct("=qqdII"),
    MEASUREMENT: struct.Struct("=qqdII"),
    COVARIATES: struct.Struct("=II8d"),
    VERDICT: struct.Struct("=II"),
    PREDICTION: struct.Struct("=qqqqdddd"),
}

Message = collections.namedtuple("Message", "type epoch raw_ns body")


class Feed:
    """A connection to the daemon, and the raw time now."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.connect(path)
        self.sequence = 0
        self.epoch = None
        self.heard = None  # raw time, and CLOCK_MONOTONIC_RAW when it was heard

    def hear(self, timeout_s):
        """The daemon's next message, or None if there is none in time."""
        if not select.select([self.socket], [], [], timeout_s)[0]:
            return None
        data = self.socket.recv(4096)
        if not data:
            raise EOFError("the daemon has hung up")
        size, magic, version, kind, _, epoch, raw_ns = HEADER.unpack_from(data)
        if size != len(data) or magic != MAGIC or version != VERSION:
            raise ValueError("this is not the feed's protocol")
        self.epoch = epoch
        self.heard = raw_ns, time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        return Message(kind, epoch, raw_ns, BODY[kind].unpack_from(data, HEADER.size))

    def raw_now_ns(self):
        """Raw time goes as CLOCK_MONOTONIC_RAW does, to some parts per million."""
        raw_ns, heard_ns = self.heard
        return raw_ns + time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW) - heard_ns

    def predict(self, from_ns, until_ns, line, made_ns):
        """Say it; returns its sequence, which the verdict will name."""
        self.sequence += 1
        body = BODY[PREDICTION].pack(from_ns, until_ns, line.at_ns, line.reference_ns,
                                     line.offset_ns, line.drift_ns_s, line.offset_sd_ns,
                                     line.drift_sd_ns_s)
        self.socket.send(HEADER.pack(HEADER.size + len(body), MAGIC, VERSION, PREDICTION,
                                     self.sequence, self.epoch, made_ns) + body)
        return self.sequence


class Line:
    """The line through the latest measurements, each weighted by its variance."""

    def __init__(self, measurements):
        self.at_ns, self.reference_ns, _ = measurements[-1]
        points = [((at - self.at_ns) * 1e-9, offset - self.reference_ns, 1 / sd**2)
                  for at, offset, sd in measurements]
        weight = sum(w for _, _, w in points)
        x_mean = sum(w * x for x, _, w in points) / weight
        y_mean = sum(w * y for _, y, w in points) / weight
        spread = sum(w * (x - x_mean)**2 for x, _, w in points)
        self.drift_ns_s = sum(w * (x - x_mean) * (y - y_mean) for x, y, w in points) / spread
        self.offset_ns = y_mean - self.drift_ns_s * x_mean
        # What is left tells whether the measurements are better or worse than they say.
        left = sum(w * (y - self.offset_ns - self.drift_ns_s * x)**2 for x, y, w in points)
        scale = max(left / (len(points) - 2), 1e-6)
        self.offset_sd_ns = math.sqrt(scale * (1 / weight + x_mean**2 / spread))
        self.drift_sd_ns_s = math.sqrt(scale / spread)


def run(arguments):
    feed = Feed(arguments.socket)
    measurements = collections.deque(maxlen=arguments.window)
    next_s = taken = 0
    epoch = None
    while arguments.count == 0 or taken < arguments.count:
        wait_s = next_s - time.monotonic()
        # Without enough to go by, only a measurement changes that.
        message = feed.hear(wait_s if wait_s > 0 else None)
        if message and message.epoch != epoch:
            epoch = message.epoch  # raw time began anew
            measurements.clear()
        if message and message.type == MEASUREMENT:
            at_ns, offset_ns, sd_ns, _, _ = message.body
            measurements.append((at_ns, offset_ns, sd_ns))
        if message and message.type == VERDICT:
            sequence, verdict = message.body
            print(f"prediction {sequence}: {VERDICTS[verdict]}", flush=True)
            taken += verdict == 0
        if len(measurements) < 4 or time.monotonic() < next_s:
            continue
        next_s = time.monotonic() + arguments.interval
        now_ns = feed.raw_now_ns()
        feed.predict(now_ns, now_ns + int(arguments.horizon * 1e9), Line(list(measurements)),
                     now_ns)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("socket", help="the feed's path, as chronotickd's configuration has it")
    parser.add_argument("--interval", type=float, default=30, help="seconds (default: 30)")
    parser.add_argument("--horizon", type=float, default=240, help="seconds (default: 240)")
    parser.add_argument("--window", type=int, default=64, help="measurements (default: 64)")
    parser.add_argument("--count", type=int, default=0,
                        help="end after so many predictions that were taken (default: never)")
    try:
        run(parser.parse_args())
    except (OSError, EOFError, ValueError) as error:
        print(f"feed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
