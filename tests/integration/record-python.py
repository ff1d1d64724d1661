#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The record at offset 0, and its shadow, as a client in Python reads them: with struct and the
documented format, in the document's order and in the released Python client's. Every field has a
value of its own.

usage: record-python.py MAKE_PAGE [PAGE_MD]"""
import os
import re
import struct
import subprocess
import sys
import tempfile

# No alignment but what stands here: the pad bytes are written out.
FORMAT = "<8dfIIII4xddIIf12x"
FIELDS = [
    ("corrected_timestamp", 1.5), ("system_timestamp", 2.5), ("prediction_time", 3.5),
    ("offset_correction", -4.5), ("drift_rate", 5.5e-6), ("offset_uncertainty", 6.5e-6),
    ("drift_uncertainty", 7.5e-9), ("valid_until", 8.5), ("confidence", 0.75),
    ("sequence_number", 10), ("flags", 11), ("source", 12), ("measurement_count", 13),
    ("last_ntp_sync", 14.5), ("daemon_uptime", 15.5), ("total_corrections", 16),
    ("reserved", 17), ("average_latency_ms", 18.5),
]
OFFSETS = {"record": 0, "its shadow": 384}
# The released client's order: what stands in these words, in turn
PYTHON_ORDER = ["offset_correction", "drift_rate", "offset_uncertainty", "drift_uncertainty",
                "prediction_time"]


def fields_of(state, offset):
    """What is wanted at the offset of a page of that state."""
    if state == "distinct" or offset != 0:
        return FIELDS
    values = dict(FIELDS)
    return FIELDS[:2] + [(name, values[name]) for name in PYTHON_ORDER] + FIELDS[7:]


def page_of(make_page, state):
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "page")
        subprocess.run([make_page, state, path], check=True)
        with open(path, "rb") as page:
            return page.read()


def main():
    make_page, document = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    if sys.byteorder != "little":
        print("skipped: the format is written for little-endian machines")
        return 77
    failed = 0
    if struct.calcsize(FORMAT) != 128:
        print(f"the format has {struct.calcsize(FORMAT)} bytes")
        failed += 1
    for state in ("distinct", "distinct_python"):
        content = page_of(make_page, state)
        if len(content) != 4096:
            print(f"the page has {len(content)} bytes")
            return 1
        for what, offset in OFFSETS.items():
            values = struct.unpack_from(FORMAT, content, offset)
            for (name, wanted), value in zip(fields_of(state, offset), values, strict=True):
                if value != wanted:
                    print(f"{state}, {what}: {name} is {value}, not {wanted}")
                    failed += 1
    if document and os.path.exists(document):
        with open(document, encoding="utf-8") as text:
            formats = re.findall(r'"(<[0-9dfIx ]+)"', text.read())
        for format in formats:
            if format.replace(" ", "") != FORMAT:
                print(f"{document}: the format '{format}' is not {FORMAT}")
                failed += 1
        if not formats:
            print(f"{document} documents no struct format")
            failed += 1
    print(f"{len(FIELDS)} fields in {len(OFFSETS)} places and two orders, {failed} wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
