#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Change lines of a state file, as NAME=VALUES, and let its checksum be right again."""
import sys
import zlib

path, edits = sys.argv[1], dict(edit.split("=", 1) for edit in sys.argv[2:])
with open(path, encoding="ascii") as file:
    lines = file.read().splitlines()
assert lines.pop().startswith("crc32 ")
for i, line in enumerate(lines):
    name = line.split(" ", 1)[0]
    if name in edits:
        lines[i] = f"{name} {edits.pop(name)}"
assert not edits, f"no such lines: {edits}"
text = "".join(f"{line}\n" for line in lines)
with open(path, "w", encoding="ascii") as file:
    file.write(f"{text}crc32 {zlib.crc32(text.encode()):08x}\n")
