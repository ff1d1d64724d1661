#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The inline reads are the same instructions with probes and without, and with the notes of where they
are and without, in programs and in the shared
library, whatever the compiler: byte by byte, with relocations.

usage: same-code.py CHRONOTICK_SOURCE_ROOT SOURCE..."""
import re
import shutil
import subprocess
import sys
import tempfile

# <sys/sdt.h> is the same for every machine; the cross compiler's own headers come first.
ARM64 = "aarch64-linux-gnu-gcc"
OBJDUMPS = {ARM64: "aarch64-linux-gnu-objdump"}
SDT = ["-idirafter", "/usr/include/x86_64-linux-gnu"]

VARIANTS = (("probes", ["-DCHRONOTICK_PROBES"]), ("no notes", ["-DCHRONOTICK_NO_RANGES"]))


def code(compiler, level, source, root, options):
    """Function -> its instructions, of those that are no slow path's."""
    with tempfile.NamedTemporaryFile(suffix=".o") as out:
        subprocess.run([compiler, "-std=gnu11", "-D_GNU_SOURCE", level, "-fPIC", "-c", source, "-o",
                        out.name, f"-I{root}/lib/include", f"-I{root}/kmod/uapi"]
                       + (SDT if compiler == ARM64 else []) + options,
                       check=True)
        listing = subprocess.run([OBJDUMPS.get(compiler, "objdump"), "-dr", out.name], check=True,
                                 capture_output=True, text=True).stdout
    functions, name = {}, None
    for line in listing.splitlines():
        head = re.match(r"^[0-9a-f]+ <(\w[\w.]*)>:", line)
        if head:
            name = head.group(1)
            functions[name] = []
        elif name and line.strip() and not line.startswith("Disassembly"):
            functions[name].append(line)
    return {n: c for n, c in functions.items() if n.startswith(("fast_", "chronotick_now", 
                                                                "chronotick_at_fn"))}


def has_sdt(compiler):
    """Whether the compiler finds <sys/sdt.h>."""
    return subprocess.run([compiler, "-E", "-x", "c", "-"] + (SDT if compiler == ARM64 else []),
                          input="#include <sys/sdt.h>\n", text=True, capture_output=True,
                          check=False).returncode == 0


def main():
    root, sources = sys.argv[1], sys.argv[2:]
    compilers = [c for c in ("gcc", "clang-14", "clang", ARM64)
                 if shutil.which(c) and shutil.which(OBJDUMPS.get(c, "objdump"))]
    if not shutil.which("objdump") or not compilers:
        print("SKIP: needs objdump and a compiler")
        return 77
    bad = compared = 0
    for compiler in compilers:
        variants = VARIANTS if has_sdt(compiler) else VARIANTS[1:]
        if len(variants) < len(VARIANTS):
            print(f"{compiler}: with probes is not looked at, for want of <sys/sdt.h>")
        for level in ("-O2", "-O3"):
            for source in sources:
                plain = code(compiler, level, source, root, [])
                if len(plain) < 3:
                    print(f"{source}: only {len(plain)} functions are found")
                    bad += 1
                for label, options in variants:
                    other = code(compiler, level, source, root, options)
                    for name in plain:
                        compared += 1
                        if plain[name] != other.get(name):
                            print(f"{compiler} {level} {name}: not the same with {label}")
                            print("\n".join(plain[name] + ["--"] + other.get(name, [])))
                            bad += 1
    print(f"{compared} functions compared, by {', '.join(compilers)}: {bad} differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
