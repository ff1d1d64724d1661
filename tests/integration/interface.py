#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The library's interface is told in four places, which must agree: what the shared object exports,
its version script, the headers, and the man page.

usage: interface.py LIBRARY MAP HEADER MAN_PAGE"""
import re
import shutil
import subprocess
import sys


def read(path):
    with open(path, encoding="utf-8") as text:
        return text.read()


def exported(path):
    listing = subprocess.run(["nm", "-D", "--defined-only", "--format=posix", path], check=True,
                             capture_output=True, text=True).stdout
    return {line.split()[0].split("@")[0] for line in listing.splitlines()
            if line.split()[1] in "TtDdBbRrWwVv"}


def main():
    library, version_script, header, man = sys.argv[1:]
    if not shutil.which("nm"):
        print("skipped: needs nm")
        return 77
    code = re.sub(r"/\*.*?\*/", "", read(header) + read(header.replace("chronotick.h", "read.h")),
                  flags=re.S)
    declared = set(re.findall(r"CHRONOTICK_API[^;{]*?\b(chronotick_\w+)\s*\(", code))
    inline = set(re.findall(r"chronotick_inline int (chronotick_\w+)\([^)]*\);", code))
    in_map = set(re.findall(r"^\s+(chronotick_\w+);", read(version_script), re.M))
    told = set(re.findall(r"\bchronotick_\w+(?=\()", read(man).replace("\\_", "_")))
    # The slow path is called by the inline reads alone: exported, and nobody's business.
    wanted = {"exports": exported(library), "version script": in_map,
              "man page": told - inline | {"chronotick_read_slow"}}
    failed = 0
    for place, names in wanted.items():
        for name in sorted(declared - names):
            print(f"{place}: {name} is missing")
            failed += 1
        for name in sorted(names - declared):
            print(f"{place}: {name} is not declared in the headers")
            failed += 1
    for name in sorted(inline - told):
        print(f"man page: {name} is missing")
        failed += 1
    print(f"{len(declared)} functions and {len(inline)} inline reads, {failed} disagreements")
    return 1 if failed or len(declared) < 10 or not inline else 0


if __name__ == "__main__":
    sys.exit(main())
