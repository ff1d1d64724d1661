#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The documents' links lead somewhere, and the files, programs and tests that they name are there.
README names each folder, and leads to each document."""
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
# Where a name may be meant to begin, beside the document's folder and the top
BASES = ["userspace", "lib", "lib/include", "lib/bindings", "kmod", "kmod/uapi", "scripts", "cli",
         "bpf", "tests", "tests/integration", "Documentation"]
FENCED = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
# What can only be a file or a folder of this tree, or a program that is built from it
FOLDERS = "bpf|build|cli|Documentation|examples|kmod|lib|scripts|tests|userspace"
IN_TREE = re.compile(rf"(?<![\w./~$-])(?:\./)?((?:{FOLDERS})/[\w./+-]*[\w+/-])(?![\w*</+-]|\.\w)")
# Folders whose own folders README names too
PARTS = {folder: sorted(path.name for path in (TOP / folder).iterdir()
                        if path.is_dir() and not path.name.startswith(("__", ".")))
         for folder in ["cli", "kmod", "userspace", "tests"]}
NAMED = re.compile(r"^[\w./+-]+\.(?:[chs]|py|sh|js|mjs|scd|bt|build|md)$")
TEST = re.compile(r"\bmeson test -C build((?: +[\w-]+(?![\w./]))+)")


def anchors(path):
    text = FENCED.sub("", path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
            for heading in HEADING.findall(text)}


def link_faults(document, text):
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        if not target.exists():
            yield f"links to {link}, which is not there"
        elif anchor and anchor not in anchors(target):
            yield f"links to {link}: there is no such heading"


def is_built(name):
    """Does a meson.build in the folder of build/FOLDER/PROGRAM make that program, or may it?"""
    source = TOP / name.removeprefix("build/")
    folder, program = source.parent, source.name
    makes = folder / "meson.build"
    if source.is_file() or not makes.exists():
        return False
    text = makes.read_text(encoding="utf-8")
    return any(f"'{part}" in text for part in (program, program.rpartition("-")[0] + "-' +"))


def is_there(document, name):
    if name.startswith("build/"):
        return is_built(name)
    if name.endswith(".ko"):
        return (TOP / name).with_name("Kbuild").exists()  # what that makes
    return any((base / name).exists()
               for base in [document.parent, TOP, *(TOP / base for base in BASES)])


def names(text):
    """What a document names: in running text between backticks, and in blocks of commands."""
    for block in FENCED.findall(text):
        yield from IN_TREE.findall(block)
    for span in SPAN.findall(FENCED.sub("", text)):
        yield from IN_TREE.findall(span)
        if NAMED.match(span):
            yield span


def tests_known():
    return {name for file in TOP.rglob("tests/**/meson.build")
            for name in re.findall(r"'([^'\n]+)'", file.read_text(encoding="utf-8"))}


def faults(document, text, tests):
    yield from link_faults(document, FENCED.sub("", text))
    for name in sorted(set(names(text))):
        if not is_there(document, name):
            yield f"names {name}, which is not there"
    for list_of in TEST.findall(text):
        for name in list_of.split():
            if not name.startswith("-") and name not in tests:
                yield f"names the test {name}, which is not there"


def readme_faults(documents, readme):
    """What README passes over"""
    found, ahead = set(), [readme]
    while ahead:
        document = ahead.pop()
        if document in found or document not in documents:
            continue
        found.add(document)
        ahead += [(document.parent / link.partition("#")[0]).resolve()
                  for link in LINK.findall(document.read_text(encoding="utf-8"))]
    for document in documents:
        if document not in found:
            yield f"leads nowhere to {document.relative_to(TOP)}"
    text = readme.read_text(encoding="utf-8")
    for folder in set(FOLDERS.split("|")) - {"build"}:
        if f"\n| `{folder}/` |" not in text:
            yield f"has no row for {folder}/"
        for part in PARTS.get(folder, []):
            if f"`{part}/" not in text:
                yield f"does not name {folder}/{part}/"


def main():
    listed = subprocess.run(["git", "-C", TOP, "ls-files", "*.md"], stdout=subprocess.PIPE, text=True)
    documents = [TOP / name for name in listed.stdout.split()] or \
        [file for folder in [".", "Documentation", "examples", "lib/bindings", "kmod"]
         for file in TOP.glob(folder + ("/*.md" if folder in (".", "Documentation") else "/**/*.md"))]
    tests = tests_known()
    bad = 0
    for document in documents:
        for fault in faults(document, document.read_text(encoding="utf-8"), tests):
            print(f"{document.relative_to(TOP)}: {fault}")
            bad += 1
    for fault in readme_faults(documents, TOP / "README.md"):
        print(f"README.md: {fault}")
        bad += 1
    print(f"{len(documents)} documents, {bad} faults")
    return 1 if bad or not documents else 0


if __name__ == "__main__":
    sys.exit(main())
