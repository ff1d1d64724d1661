#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts what a `meson test` did: testlog.py BUILD-DIRECTORY LOG.json LABEL

Prints one line a test, the whole output of the failed ones, the figures or the reason for skipping
that plain programs print, and, on its last line, "PASSED FAILED SKIPPED" for the caller. Of TAP
tests the subtests are counted.
"""
import json
import re
import subprocess
import sys

# Findings of the sanitizers count even where the test's framework passes over them.
SANITIZER = re.compile(r"ERROR: (Address|Leak|Thread)Sanitizer|runtime error: ")
# Lines shown of a plain program that passed: its figures, or why it was skipped
FIGURES_MAX = 40 if "bench" in sys.argv[2] else 8
TAP = re.compile(r"^(not )?ok\b(.*)$", re.MULTILINE)


def tap_tests(directory):
    text = subprocess.run(
        ["meson", "introspect", "--tests", directory],
        check=True, stdout=subprocess.PIPE, text=True).stdout
    return {"+".join(test["suite"]) + " / " + test["name"]
            for test in json.loads(text) if test.get("protocol") == "tap"}


def tap_counts(output):
    passed = failed = skipped = 0
    for wrong, rest in TAP.findall(output):
        if "# SKIP" in rest.upper():
            skipped += 1
        elif wrong:
            failed += 1
        else:
            passed += 1
    return passed, failed, skipped


def counts(entry, is_tap, output):
    """What one test of the log adds: (passed, failed, skipped)."""
    good = entry["result"] in ("OK", "EXPECTEDFAIL")
    if entry["result"] == "SKIP":
        return 0, 0, 1
    passed, failed, skipped = tap_counts(entry.get("stdout", "")) if is_tap else (0, 0, 0)
    if not is_tap:
        passed, failed = int(good), int(not good)
    elif not good or passed + failed + skipped == 0:
        failed = max(failed, 1)  # died, timed out, or ran nothing at all
    if good and SANITIZER.search(output):
        failed += 1
    return passed, failed, skipped


def main(directory, log, label):
    taps = tap_tests(directory)
    total = [0, 0, 0]
    with open(log, encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            name = entry["name"].rsplit(" / ", 1)[-1]
            is_tap = entry["name"] in taps
            figures = [] if is_tap else entry.get("stdout", "").strip().splitlines()
            output = entry.get("stdout", "") + entry.get("stderr", "")
            passed, failed, skipped = counts(entry, is_tap, output)
            total = [sum(pair) for pair in zip(total, (passed, failed, skipped))]
            word = "FAIL" if failed else "skip" if skipped and not passed else "ok"
            print(f"{word:4} {label} {name}: {passed} passed, {failed} failed, "
                  f"{skipped} skipped ({entry['duration']:.1f} s)")
            if failed:
                print(output.rstrip("\n").replace("\n", "\n     "))
            elif figures:
                print("     " + "\n     ".join(figures[-FIGURES_MAX:]))
            elif skipped:
                for reason in re.findall(r"^.*\bSKIP\b.*$", output, re.MULTILINE):
                    print("     " + reason)
    print(*total)


if __name__ == "__main__":
    main(*sys.argv[1:])
