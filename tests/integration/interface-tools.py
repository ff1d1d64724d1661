#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What libchronotick-tools exports, its version script, its header and its man page agree.

usage: interface-tools.py LIBRARY MAP HEADER PAGE LINK..."""
import re
import sys

import interface


def main():
    library, version_script, header, page = sys.argv[1:5]
    text = re.sub(r"/\*.*?\*/", "", interface.read(header), flags=re.S)
    declared = set(re.findall(r"CHRONOTICK_TOOLS_API[^;{]*?\b(chronotick_\w+)\s*\(", text))
    in_map = set(re.findall(r"^\s+(chronotick_\w+);", interface.read(version_script), re.M))
    name = re.search(r"^# NAME\n\n(.*?)\n\n", interface.read(page), re.S | re.M).group(1)
    what = "is not declared in the header"
    interface.same("exports", interface.exported(library), declared, what)
    interface.same("version script", in_map, declared, what)
    interface.same("man page", set(re.findall(r"\bchronotick_\w+", name)), declared, what)
    interface.same("man links", set(sys.argv[5:]), declared, what)
    print(f"{len(declared)} symbols: {interface.failed} disagreements")
    return 1 if interface.failed or not declared else 0


if __name__ == "__main__":
    sys.exit(main())
