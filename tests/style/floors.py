#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No include runs up a floor, the library stands alone, and only publish/ writes a page."""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
# The longest prefix of a file's path tells its floor.
FLOORS = {
    "kmod/": 0, "userspace/base/": 0, "userspace/engine/": 0,
    "userspace/timestamping/": 0, "userspace/covariates/": 0, "userspace/local/": 0, "userspace/loop/": 0,
    "lib/": 1, "userspace/publish/": 1, "userspace/sources/": 1,
    "userspace/": 2, "cli/": 2, "bpf/": 2, "examples/": 2, "tests/": 2,
}
# Folders that a folder never includes from, whatever the floors say
FORBIDDEN = {
    "userspace/engine/": ["userspace/base/", "userspace/sources/", "userspace/publish/"],
    "kmod/": ["lib/", "userspace/"],
    "lib/": ["userspace/", "cli/", "bpf/"],
    "bpf/": ["tests/", "userspace/"],
    "userspace/control/": ["userspace/engine/", "userspace/publish/", "userspace/sources/"],
    "userspace/feed/": ["userspace/control/", "userspace/publish/", "userspace/sources/"],
    "cli/": ["tests/", "userspace/sources/", "userspace/publish/"],
    "userspace/": ["tests/", "cli/", "bpf/"],
}
SEARCH = ["userspace", "kmod/uapi", "lib/include", "lib"]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
WRITABLE = re.compile(r"\bmmap\s*\([^;]*PROT_WRITE[^;]*MAP_SHARED[^;]*;|\bshm_open\s*\(")


def floor(path):
    return FLOORS[max((p for p in FLOORS if path.startswith(p)), key=len)]


def resolve(path, name):
    """The file of the tree that an include names, or None for the system's."""
    for folder in [TOP / pathlib.Path(path).parent] + [TOP / s for s in SEARCH]:
        if (folder / name).is_file():
            return str((folder / name).resolve().relative_to(TOP))
    return None


def faults(path, text):
    for name in INCLUDE.findall(text):
        if name.endswith(".c"):
            yield f"includes {name}, which is no header"
        target = resolve(path, name)
        if not target:
            continue
        if floor(target) > floor(path):
            yield f"includes {target}, which stands on a higher floor"
        for folder, never in FORBIDDEN.items():
            if path.startswith(folder) and target.startswith(tuple(never)):
                yield f"includes {target}: {folder} includes nothing from there"
    if not path.startswith(("userspace/publish/", "tests/")) and WRITABLE.search(text):
        yield "maps shared memory for writing: only userspace/publish/ writes a page"


def main():
    bad = files = 0
    for folder in ["bpf", "cli", "examples", "kmod", "lib", "tests", "userspace"]:
        for file in sorted((TOP / folder).rglob("*.[ch]")):
            path = str(file.relative_to(TOP))
            files += 1
            for fault in faults(path, file.read_text(encoding="utf-8")):
                print(f"{path}: {fault}")
                bad += 1
    print(f"{files} files, {bad} faults")
    return 1 if bad or not files else 0


if __name__ == "__main__":
    sys.exit(main())
