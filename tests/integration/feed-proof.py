#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""feed-proof.py EXAMPLE SOCKET CHRONOTICK: a model that is good, then bad, then good again.

The server's time sways (fake-ntp.c): the line through its samples is always late, and this model,
which knows the period, is not. It predicts until "sources" shows that it is used, then what is wrong
until that shows that it is dropped, and is good again until it is used again.
"""
import collections
import importlib.util
import json
import math
import statistics
import subprocess
import sys
import time

spec = importlib.util.spec_from_file_location("example", sys.argv[1])
example = importlib.util.module_from_spec(spec)
spec.loader.exec_module(example)
path, chronotick = sys.argv[2:]
S = 10**9
PERIOD_S = 8
WRONG_NS_S = 100000  # possible, as far as the daemon knows
Tangent = collections.namedtuple("Tangent", "at_ns reference_ns offset_ns drift_ns_s offset_sd_ns "
                                 "drift_sd_ns_s")
feed = example.Feed(path)
measurements = collections.deque(maxlen=200)
verdicts = collections.Counter()
began_ns = None
early = 0  # measurements that the daemon had before this model was there


def row():
    text = subprocess.run([chronotick, "sources", "--json"], capture_output=True, check=True).stdout
    return next(source for source in json.loads(text)["sources"] if source["name"] == path)


def hear(timeout_s):
    global began_ns, early
    message = feed.hear(timeout_s)
    if message and message.type == example.HELLO:
        began_ns = message.raw_ns
    if message and message.type == example.MEASUREMENT:
        measurements.append(message.body[:3])
        early += message.body[0] < began_ns
    if message and message.type == example.VERDICT:
        verdicts[example.VERDICTS[message.body[1]]] += 1


def solve(rows, right):
    """The least squares of rows times what is wanted, and right; by normal equations"""
    n = len(rows[0])
    a = [[sum(row[i] * row[j] for row in rows) for j in range(n)] +
         [sum(row[i] * y for row, y in zip(rows, right))] for i in range(n)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda k: abs(a[k][i]))
        a[i], a[pivot] = a[pivot], a[i]
        for k in range(n):
            if k != i:
                factor = a[k][i] / a[i][i]
                a[k] = [x - factor * y for x, y in zip(a[k], a[i])]
    return [a[i][n] / a[i][i] for i in range(n)]


def predict(wrong_ns_s):
    """The tangent in a quarter of a second of a line with a sine in it"""
    now_ns = feed.raw_now_ns()
    reference_ns = measurements[-1][1]
    times = [(at_ns - now_ns) * 1e-9 for at_ns, _, _ in measurements]
    right = [offset_ns - reference_ns for _, offset_ns, _ in measurements]
    omega = 2 * math.pi / PERIOD_S
    rows = [[1, t, math.sin(omega * t), math.cos(omega * t)] for t in times]
    weights = [1] * len(rows)
    for _ in range(4):  # an answer that waited for a busy CPU counts for less
        offset, drift, a, b = solve([[x * w for x in row] for row, w in zip(rows, weights)],
                                    [y * w for y, w in zip(right, weights)])
        left = [abs(y - sum(x * c for x, c in zip(row, (offset, drift, a, b))))
                for row, y in zip(rows, right)]
        usual = max(statistics.median(left), 1000)
        weights = [min(1, (2 * usual / x)**2 if x else 1) for x in left]
    s, c = math.sin(omega / 4), math.cos(omega / 4)
    feed.predict(now_ns, now_ns + 20 * S,
                 Tangent(now_ns + S // 4, reference_ns, offset + drift / 4 + a * s + b * c,
                         drift + omega * (a * c - b * s) + wrong_ns_s,
                         usual, 1000), now_ns)


def until(state, wrong_ns_s, limit_s):
    begin = time.monotonic()
    next_s = 0
    while time.monotonic() < begin + limit_s:
        hear(0.2)
        if time.monotonic() < next_s or len(measurements) < 100:
            continue
        got = row()
        if got["state"] == state:
            print(f"{state} after {time.monotonic() - begin:.1f} s: {got['reason']}", flush=True)
            return
        # Bad ones are left alone for a while, to be bad.
        next_s = time.monotonic() + (3 if wrong_ns_s else 0.4)
        predict(wrong_ns_s)
    sys.exit(f"not {state} in {limit_s} s, but {row()}; {dict(verdicts)}")


until("selected", 0, 90)
until("falseticker", WRONG_NS_S, 60)
until("selected", 0, 120)
if early < 16:
    sys.exit(f"of what was measured before, it was told {early}")
if verdicts["taken"] < 6 or set(verdicts) != {"taken"}:
    sys.exit(f"verdicts: {dict(verdicts)}")
