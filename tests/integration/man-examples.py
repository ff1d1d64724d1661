#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The examples of the library's man pages compile without a warning, as C and as C++17, linked and
header-only, with the compilers that are here; and run.

usage: man-examples.py DOCUMENTATION_DIR LIBRARY TOOLS_LIBRARY MAKE_PAGE INCLUDE_DIR..."""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

# Compiler -> its language, and whether it makes programs that are linked
LANGUAGES = {
    "gcc": (["-x", "c", "-std=gnu11"], False),
    "clang": (["-x", "c", "-std=gnu11"], True),
    "g++": (["-x", "c++", "-std=c++17"], True),
    "clang++": (["-x", "c++", "-std=c++17"], False),
}
FLAGS = ["-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wno-missing-field-initializers", "-Werror"]


def example(path):
    """The program in a page's EXAMPLE, as scdoc shows it."""
    with open(path, encoding="utf-8") as page:
        part = page.read().split("# EXAMPLE\n", 1)[1]
    return re.search(r"^```\n(.*?)^```$", part, re.S | re.M).group(1).replace("\\\\", "\\")


def main():
    documentation, library, tools, make_page = sys.argv[1:5]
    includes = ["-I" + directory for directory in sys.argv[5:]]
    compilers = [c for c in LANGUAGES if shutil.which(c)]
    if not compilers:
        print("skipped: no compiler")
        return 77
    sanitized = b"__asan_init" in open(library, "rb").read()
    failed = done = 0
    with tempfile.TemporaryDirectory(prefix="chronotick-man-") as work:
        page = f"{work}/page"
        subprocess.run([make_page, "trusted", page], check=True)
        environment = dict(os.environ, CHRONOTICK_PAGE=page,
                           LD_LIBRARY_PATH=os.path.dirname(library))
        for path in sorted(glob.glob(f"{documentation}/*chronotick*.3.scd")):
            source = f"{work}/example"
            with open(source, "w", encoding="utf-8") as text:
                text.write(example(path))
            for compiler in compilers:
                language, linked = LANGUAGES[compiler]
                # A program that knows nothing of sanitizers cannot load such a library.
                linked = linked and not sanitized
                # The canary's thread is in the shared library alone.
                if path.endswith("_canary.3.scd") and not linked:
                    continue
                program = f"{work}/program"
                command = [compiler, *language, *FLAGS, *includes, source, "-x", "none", "-o",
                           program]
                command += [library] if linked else ["-DCHRONOTICK_HEADER_ONLY", "-lm"]
                if path.endswith("-tools.3.scd"):
                    command.append(tools)
                if subprocess.run(command).returncode != 0:
                    outcome, output = "does not compile", ""
                else:
                    run = subprocess.run([program], env=environment, capture_output=True,
                                         text=True, timeout=30)
                    output = run.stdout + run.stderr
                    outcome = "" if run.returncode == 0 and output else \
                        f"ended with {run.returncode}"
                done += 1
                if outcome:
                    failed += 1
                    print(f"FAIL {os.path.basename(path)}, {compiler}: {outcome}\n" + output)
            print(f"{os.path.basename(path)}: {output.strip()}")
    print(f"{done} programs, {failed} failures")
    return 1 if failed or done < 8 else 0


if __name__ == "__main__":
    sys.exit(main())
