#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The library's interface is told in several places, which must agree: what the shared object
exports, its version script, the headers, the man pages with their prototypes, the links to them,
and the errors' table.

usage: interface.py LIBRARY MAP INCLUDE_DIR DOCUMENTATION_DIR PAGE:LINK..."""
import glob
import os
import re
import shutil
import subprocess
import sys

failed = 0


def complain(text):
    global failed
    failed += 1
    print(text)


def read(path):
    with open(path, encoding="utf-8") as text:
        return text.read()


def exported(path):
    listing = subprocess.run(["nm", "-D", "--defined-only", "--format=posix", path], check=True,
                             capture_output=True, text=True).stdout
    return {line.split()[0].split("@")[0] for line in listing.splitlines()
            if line.split()[1] in "TtDdBbRrWwVv"}


def plain(text):
    """A prototype without layout, in header or page."""
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"\s*([*(),;])\s*", r"\1", text)


def sections(page):
    """Heading -> text of a scdoc source."""
    parts = re.split(r"^# (.+)$", page, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def same(place, names, wanted, what):
    for name in sorted(wanted - names):
        complain(f"{place}: {name} is missing")
    for name in sorted(names - wanted):
        complain(f"{place}: {name} {what}")


def page_check(name, text, prototypes):
    """One page of a group of functions; returns the names that it tells of."""
    part = sections(text)
    for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "THREADS AND FORK", "EXAMPLE", "SEE ALSO"):
        if heading not in part:
            complain(f"{name}(3): has no {heading}")
            return set()
    told = set(re.findall(r"\bchronotick_\w+", part["NAME"]))
    shown = {}
    for prototype in part["SYNOPSIS"].strip().split("\n\n"):
        # Stars that are escaped are the code's own.
        code = plain(prototype.replace("\\*", "\0").replace("*", "").replace("\0", "*"))
        if match := re.search(r"\b(chronotick_\w+)\(", code):
            shown[match.group(1)] = code
    # The names for other languages have the prototype of the inline function.
    same(f"{name}(3), SYNOPSIS", set(shown), {n for n in told if not n.endswith("_fn")},
         "is not in NAME")
    for function, code in shown.items():
        if code != prototypes.get(function):
            complain(f"{name}(3): {code}\n    the header: {prototypes.get(function)}")
    for function in told:
        if f"*{function}()*" not in part["DESCRIPTION"]:
            complain(f"{name}(3): nothing is told of {function}()")
    return told


def main():
    library, version_script, include, documentation = sys.argv[1:5]
    if not shutil.which("nm"):
        print("skipped: needs nm")
        return 77
    header = re.sub(r"/\*.*?\*/", "", read(f"{include}/chronotick/chronotick.h"), flags=re.S)
    reads = re.sub(r"/\*.*?\*/", "", read(f"{include}/chronotick/read.h"), flags=re.S)
    api = r"CHRONOTICK_API[^;{]*?\b(chronotick_\w+)\s*\("
    declared = set(re.findall(api, header + reads))
    inline = set(re.findall(r"chronotick_inline [\w ]+? (chronotick_\w+)\([^)]*\);", header))
    prototypes = {match.group(1): plain(re.sub(r"^(CHRONOTICK_API|chronotick_inline)"
                                               r"( __attribute__\(\(\w+\)\))?", "",
                                               match.group(0)))
                  for match in re.finditer(r"^(?:CHRONOTICK_API|chronotick_inline)[^;{]*?"
                                           r"\b(chronotick_\w+)\([^)]*\);", header, re.M)}
    in_map = set(re.findall(r"^\s+(chronotick_\w+);", read(version_script), re.M))
    same("exports", exported(library), declared, "is not declared in the headers")
    same("version script", in_map, declared, "is not declared in the headers")
    same("symbols for inline functions", {n for n in declared if n.endswith("_fn")},
         {n + "_fn" for n in inline}, "is a symbol of no inline function")
    for name in inline:
        if prototypes[name].replace(name, name + "_fn") != prototypes.get(name + "_fn"):
            complain(f"{name}_fn() has not the prototype of {name}()")

    # The slow path is called by the inline reads alone: exported, and nobody's business.
    public = (declared | inline) - {"chronotick_read_slow"}
    pages = {os.path.basename(path)[:-len(".3.scd")]: read(path)
             for path in glob.glob(f"{documentation}/chronotick_*.3.scd")}
    told, links = {}, {}
    for name, text in pages.items():
        for function in page_check(name, text, prototypes):
            if function in told:
                complain(f"{function}: is in {name}(3) and in {told[function]}(3)")
            told[function] = name
    same("man pages", set(told), public, "is not declared in the headers")
    for link in sys.argv[5:]:
        page, name = link.split(":")
        links[name] = page
    for name, page in told.items():
        if name != page and links.get(name) != page:
            complain(f"man links: {name} is {links.get(name)}(3), and told of in {page}(3)")
    same("man links", set(links), set(told) - set(pages), "is told of in no page")

    overview = read(f"{documentation}/libchronotick.3.scd")
    in_overview = set(re.findall(r"\bchronotick_\w+(?=\(\))", overview))
    names = {n for n in told if told[n] == "chronotick_strerror" and n != "chronotick_strerror"}
    same("libchronotick(3)", in_overview,
         {n for n in public if not n.endswith("_fn")} - names, "is no function")
    errors = set(re.findall(r"case -(E\w+):", read(f"{include}/chronotick/names.h")))
    same("libchronotick(3), errors", set(re.findall(r"^\[?\|?\[? +\*-(E\w+)\*$", overview, re.M)),
         errors, "has no sentence in chronotick_strerror()")
    print(f"{len(declared)} symbols, {len(inline)} inline functions, {len(pages)} pages, "
          f"{len(links)} links, {len(errors)} errors: {failed} disagreements")
    return 1 if failed or len(declared) < 10 or not inline or not errors else 0


if __name__ == "__main__":
    sys.exit(main())
