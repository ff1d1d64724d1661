#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""feed-hostile.py EXAMPLE SOCKET: a model that lies, floods, hangs and talks nonsense at the feed."""
import importlib.util
import math
import socket
import struct
import sys
import time

spec = importlib.util.spec_from_file_location("example", sys.argv[1])
example = importlib.util.module_from_spec(spec)
spec.loader.exec_module(example)
path = sys.argv[2]
S = 10**9
failures = 0


def check(what, expected, got):
    global failures
    print(f"{what}: {got}{'' if got == expected else f', not {expected}'}")
    failures += got != expected


def connect():
    """A connection to the feed, its hello heard; one that has just gone may hold the place."""
    for _ in range(50):
        try:
            feed = example.Feed(path)
            if feed.hear(5).type == example.HELLO:
                return feed
        except (EOFError, ConnectionError):
            time.sleep(0.1)
    sys.exit("the feed takes nobody any more")


def good(feed):
    """What is needed of a prediction that is taken"""
    while True:
        message = feed.hear(10)
        if message.type == example.MEASUREMENT:
            break
    _, offset_ns, sd_ns, _, _ = message.body
    now_ns = feed.raw_now_ns()
    return {"size": 96, "magic": example.MAGIC, "version": 1, "type": example.PREDICTION,
            "sequence": feed.sequence + 1, "epoch": feed.epoch, "made": now_ns, "from": now_ns,
            "until": now_ns + 60 * S, "at": now_ns, "reference": offset_ns, "offset": 0.0,
            "drift": 0.0, "offset_sd": sd_ns, "drift_sd": 10.0}


def say(feed, fields):
    feed.sequence = fields["sequence"] & 0xffffffff
    feed.socket.send(struct.pack("=IIHHIQqqqqqdddd", *fields.values()))


def verdict(feed):
    """Of the latest prediction; "dropped": none, and the connection is gone"""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            message = feed.hear(1)
        except (EOFError, ConnectionError):
            return "dropped"
        if message and message.type == example.VERDICT and message.body[0] == feed.sequence:
            return example.VERDICTS[message.body[1]]
    return "nothing"


def lies():
    """Fields that are wrong, one at a time, on one connection"""
    feed = connect()
    for what, expected, change in [
            ("a good one", "taken", {}),
            ("the same again", "duplicate", {"sequence": 1}),
            ("another version", "unsupported", {"version": 2}),
            ("another epoch", "other_epoch", {"epoch": 1}),
            ("an offset of NaN", "invalid", {"offset": math.nan}),
            ("an endless rate", "invalid", {"drift": math.inf}),
            ("no deviation", "invalid", {"offset_sd": 0.0}),
            ("a negative one", "invalid", {"drift_sd": -1.0}),
            ("made in the future", "invalid", {"made+": 5 * S, "from+": 5 * S}),
            ("used before it was made", "invalid", {"from+": -S}),
            ("over before it begins", "invalid", {"until+": -61 * S}),
            ("made a day ago", "late", {"made+": -86400 * S}),
            ("for a day", "too_far", {"until+": 86400 * S}),
            ("an hour off", "implausible", {"reference+": 3600 * S}),
            ("a good one in the end", "taken", {})]:
        fields = good(feed)
        for name, value in change.items():
            if name.endswith("+"):
                fields[name[:-1]] += value
            else:
                fields[name] = value
        say(feed, fields)
        check(what, expected, verdict(feed))
        time.sleep(0.1)
    feed.socket.close()


def nonsense():
    """What is none of the protocol's messages ends the connection."""
    header = struct.pack("=IIHHIQq", 32, example.MAGIC, 1, example.PREDICTION, 1, 1, 1)
    for what, data in [("a byte", b"x"), ("a header alone", header),
                       ("a megabyte cut down", b"x" * 60000), ("another magic", b"\0" * 96),
                       ("a size that is another one",
                        struct.pack("=I", 97) + header[4:] + b"\0" * 64)]:
        feed = connect()
        feed.socket.send(data)
        check(what, "dropped", verdict(feed))
    feed = connect()
    try:
        socket.send_fds(feed.socket, [header + b"\0" * 64], [0])
        got = verdict(feed)
    except OSError: # the kernel refuses them for the daemon
        got = "dropped"
    check("descriptors passed along", "dropped", got)


def half_open():
    """One that is there and says nothing keeps its place; one more is turned away."""
    feed = connect()
    other = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    other.connect(path)
    other.settimeout(5)
    check("a second one", b"", other.recv(100))
    feed.socket.close()


def flood():
    """As fast as the kernel takes it, for two seconds: the daemon takes sixteen a second."""
    feed = connect()
    fields = good(feed)
    feed.socket.settimeout(0.5)
    end = time.monotonic() + 2
    sent = 0
    while time.monotonic() < end:
        fields["sequence"] = sent + 1
        try:
            say(feed, fields)
            sent += 1
        except TimeoutError:
            pass
    print(f"flood: {sent} sent")
    check("more than fits into a second and the queue", False, sent > 1000)
    feed.socket.close()


def main():
    lies()
    nonsense()
    half_open()
    flood()
    connect().socket.close() # there is a place for the next one
    print(f"{failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
