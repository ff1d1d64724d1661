#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""chronotick-replay on recordings whose results are known: replay.py PROGRAM"""
import gzip
import json
import random
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
import zlib

program = sys.argv[1]
failures = 0


def check(what, good):
    global failures
    if not good:
        failures += 1
        print("FAIL:", what)


def run(text, *options):
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([program, *options, file.name], capture_output=True, text=True,
                              timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr.replace(file.name, "F")


def chunks(png):
    """The compressed data of a PNG"""
    at = 8
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at:at + 8])
        if kind == b"IDAT":
            yield png[at + 8:at + 8 + size]
        at += 12 + size


def replay(rows, *options):
    status, out, errors = run("t_s,ntp_offset_ms,ntp_delay_ms\n" + "\n".join(rows) + "\n",
                              "--json", *options)
    check(f"status 0, not {status}: {errors}", status == 0)
    return json.loads(out)


# A line of 1 ms every 10 s: the last is 1 ms behind, the mean of ten 5.5 ms, their line exact.
result = replay([f"{10 * i},{i},20" for i in range(1, 101)])
plain = result["baseline_mae_ms"]
check("baselines of a line: " + str(plain), abs(plain["last"] - 1) < 1e-9 and
      abs(plain["mean10"] - 5.5) < 1e-9 and plain["line10"] < 1e-9)
check("counts", (result["samples"], result["scored"], result["untrusted"]) == (100, 90, 0))
check("the kind", (result["format"], result["runs"]) == ("csv", 1))
check("the line is followed: " + str(result["mae_ms"]), result["mae_ms"] < 0.1)

# Noise about a constant: no better than the mean of all, not much worse than that of ten.
rng = random.Random(7)
rows = []
for i in range(1, 2001):
    rows.append(f"{10 * i},{rng.gauss(3, 2)},{20 + rng.expovariate(1)}" if i % 10 == 0 else f"{10 * i},,")
result = replay(rows)
best = min(result["baseline_mae_ms"].values())
check(f"noise: {result['mae_ms']} of {best}", result["mae_ms"] <= best)
check(f"within one sigma: {result['coverage_1sigma']}", 0.58 <= result["coverage_1sigma"] <= 0.78)
check(f"within the bound: {result['coverage_bound']}", result["coverage_bound"] > 0.99)
check("models", set(result["models"]) == {"cpu_model", "gpu_model", "ntp"})
check("shares: " + str(result["sources"]), abs(sum(result["sources"].values()) - 1) < 1e-9)
check("the same again", replay(rows) == result)

# A gross outlier moves the plain mean of ten for ten rows, and the engine hardly.
spoilt = list(rows)
spoilt[999] = "10000,5000,20"
outlier = replay(spoilt)
check(f"outlier: {outlier['mae_ms']}", outlier["mae_ms"] < result["mae_ms"] + 5000 / 190 + 0.5)
check("the mean suffers", outlier["baseline_mae_ms"]["mean10"] > result["baseline_mae_ms"]["mean10"] + 20)

# Every fifth measurement is held: the engine never sees it, nor do the baselines.
held = replay(rows, "--hold", "5")
check("held: " + str(held["held"]), held["held"]["scored"] == 40 - 2 and
      held["scored"] == 160 - 10)
check("held ones are predicted as well as next ones",
      abs(held["held"]["mae_ms"] / held["mae_ms"] - 1) < 0.35 and
      0.5 <= held["held"]["coverage_1sigma"] <= 0.86 and held["held"]["coverage_bound"] > 0.95)
check("scored otherwise, all is as without those that were held",
      held["mae_ms"] != result["mae_ms"] and "held" not in result)
# A held outlier costs the held scores alone.
spoilt = list(rows)
spoilt[10 * 100 - 1] = "10000,5000,20"
outlier = replay(spoilt, "--hold", "5")
check(f"a held outlier: {outlier['mae_ms']} {held['mae_ms']}",
      outlier["mae_ms"] == held["mae_ms"] and
      outlier["held"]["mae_ms"] > held["held"]["mae_ms"] + 5000 / 38 - 10)

# chronyd's log of two servers, of which one is held by its name
lines = ["=" * 80, "   Date (UTC) Time     IP Address   L St 123 567 ABCD  LP RP Score    Offset", "=" * 80]
for i in range(0, 3000, 16):
    when = f"2026-11-25 {22 + i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}"
    for name, bias in (("203.0.113.15", 0), ("2001:db8::7", 1e-4)):
        offset = 2e-3 + bias + rng.gauss(0, 1e-4)
        lines.append(f"{when} {name:<15} N  2 111 111 1111  6  6 0.10 {offset:10.3e}  1.000e-03  1.577e-05"
                     "  1.615e-03  7.446e-04 CB00717B 4B D K")
chrony = "\n".join(lines) + "\n"
status, out, errors = run(chrony, "--json", "--hold", "2001:db8::7")
check(f"chrony's log: {status} {errors}", status == 0)
result = json.loads(out)
check("its kind", result["format"] == "chrony" and result["samples"] == 2 * 188)
check(f"a held server: {result['held']['mae_ms']}", result["held"]["scored"] in (178, 179) and
      0.08 < result["held"]["mae_ms"] < 0.2 and result["held"]["coverage_bound"] == 1)
check("and the other", result["scored"] == 178 and result["mae_ms"] < 0.12)
status, out, errors = run(chrony, "--hold", "nobody")
check(f"no such source: {status} {errors}", status == 2 and "203.0.113.15 2001:db8::7" in errors)
status, out, errors = run(chrony.replace("111 111 1111", "111 1x1 1111", 1), "--json")
check(f"a broken line of chrony's: {status} {errors}", status == 2 and not out and
      errors == 'F:4: tests: "1x1" is no row of 3 times 0 or 1\n')

# Two files, the second one compressed: each has an engine of its own.
with tempfile.TemporaryDirectory() as folder:
    text = "t_s,ntp_offset_ms\n" + "\n".join(f"{i},{i % 2}" for i in range(1, 40)) + "\n"
    with open(folder + "/a", "w", encoding="ascii") as file:
        file.write(text)
    with gzip.open(folder + "/b", "wt") as file:
        file.write(text)
    done = subprocess.run([program, "--json", folder + "/a", folder + "/b"], capture_output=True,
                          text=True, timeout=60, check=False)
    both = json.loads(done.stdout)
    check("two files", (both["runs"], both["samples"], both["scored"]) == (2, 78, 58))
    with open(folder + "/b", "r+b") as file:
        file.truncate(60)
    done = subprocess.run([program, "--json", folder + "/b"], capture_output=True, text=True,
                          timeout=60, check=False)
    check(f"a damaged one: {done.stderr}", done.returncode == 2 and "damaged" in done.stderr)

# Pictures: their kind, size, and that everything is on them that is to be
with tempfile.TemporaryDirectory() as folder:
    csv = folder + "/some & <recording>.csv"
    with open(csv, "w", encoding="ascii") as file:
        file.write("t_s,ntp_offset_ms,ntp_delay_ms\n" + "\n".join(rows) + "\n")

    def plot(name, *options):
        done = subprocess.run([program, "--json", "--plot", f"{folder}/{name}", *options, csv],
                              capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stderr

    status, errors = plot("a.png", "--hold", "5")
    if "needs cairo" in errors:
        check(f"a build without cairo: {status}", status == 2)
    else:
        with open(folder + "/a.png", "rb") as file:
            png = file.read()
        check("PNG", status == 0 and png[:8] == b"\x89PNG\r\n\x1a\n" and
              struct.unpack(">II", png[16:24]) == (1600, 992))
        pixels = zlib.decompress(b"".join(chunks(png)))
        colours = {pixels[i:i + 3] for i in range(0, len(pixels), 3)}
        check("PNG is not blank", len(colours) > 50)
        check("SVG", plot("a.svg", "--hold", "5") == (0, ""))
        tree = xml.etree.ElementTree.parse(folder + "/a.svg").getroot()
        shapes = [node for node in tree.iter() if node.tag.endswith("}path")]
        check(f"SVG: size, and a dot for each of 200 measurements: {len(shapes)}",
              tree.get("width").startswith("1000") and 200 < len(shapes) < 2000)
        with open(csv, "a", encoding="ascii") as file:
            file.write("\n".join(f"{30000 + i},{i % 7},1" for i in range(20000)) + "\n")
        check("many points", plot("b.svg") == (0, ""))
        shapes = sum(1 for node in xml.etree.ElementTree.parse(folder + "/b.svg").iter()
                     if node.tag.endswith("}path"))
        check(f"are at most a few thousand: {shapes}", 1000 < shapes < 4000)
        check("an ending that is not known", plot("a.gif")[0] == 2)
        check("a directory that is not there", plot("none/a.png")[0] == 1)

status, out, errors = run("t_s,ntp_offset_ms\n" + "\n".join(f"{i},{i % 2}" for i in range(1, 40)))
check("a table", status == 0 and "MAE, ms" in out and "line10" in out)
status, out, errors = run("t_s,ntp_offset_ms\n1,2\n2,3x\n", "--json")
check(f"a bad row: {status} {errors}", status == 2 and not out and
      errors == 'F:3: ntp_offset_ms: "3x" is no number\n')
status, out, errors = run("t_s,ntp_offset_ms\n1,2\n", "--json")
check(f"too few: {status} {errors}", status == 1 and not out and "more than 10" in errors)
for options in (["--delay-ms", "-1"], ["--delay-ms", "x"], ["--bogus"], ["--config"], ["--hold", "1"], ["--hold", ""]):
    check(f"usage {options}", run("", *options)[0] == 2)
with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
    file.write("clock: {wander_ppb: 0}\n")
    file.flush()
    status, out, errors = run("t_s,ntp_offset_ms\n1,2\n", "--config", file.name)
    check(f"a bad configuration: {errors}", status == 2 and ":1: clock.wander_ppb:" in errors)
check("no such file", subprocess.run([program, "/nonexistent/x.csv"], capture_output=True,
                                     check=False).returncode == 1)
check("help", subprocess.run([program, "--help"], capture_output=True, check=False).returncode == 0)
sys.exit(1 if failures else 0)
