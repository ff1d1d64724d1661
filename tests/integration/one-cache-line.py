#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Disassemble the fast reads as each compiler makes them: every load of the page must lie in the
64 bytes behind the handle, the CPU's counter is read once, and nothing is called or locked.

usage: one-cache-line.py SOURCE INCLUDE_DIR..."""
import platform
import re
import shutil
import subprocess
import sys
import tempfile

# The fast path is what runs when no conditional jump is taken.
FUNCTIONS = {"fast_now": "lfence rdtsc", "fast_now_unordered": "rdtsc", "fast_at": ""}
FORBIDDEN = re.compile(r"^(lock|call|syscall|int|sysenter|xchg|cmpxchg|mfence|sfence|cpuid|rdtscp)")


def width(registers):
    """Bytes of an access, by the register on its other side; 8 where there is none."""
    for register in registers:
        if re.fullmatch(r"r\d+d", register) or register.startswith("e"):
            return 4
        if re.fullmatch(r"r\d+w|[a-ds][xpi]", register):
            return 2
        if register.startswith("r"):
            return 8
    return 8


def functions(listing):
    found, name = {}, None
    for line in listing.splitlines():
        head = re.match(r"^[0-9a-f]+ <(\w[\w.]*)>:", line)
        if head:
            name = head.group(1)
            found[name] = []
        elif name and (code := re.match(r"^\s+([0-9a-f]+):\s+(\S.*)", line)):
            found[name].append((int(code.group(1), 16), code.group(2).split("#")[0].strip()))
    return found


def fast_path(code):
    """Instructions from the entry to the return, no conditional jump taken."""
    by_address = {address: i for i, (address, _) in enumerate(code)}
    path, i = [], 0
    while len(path) < 200:
        _, text = code[i]
        path.append(text)
        if text.startswith("ret"):
            return path
        jump = re.match(r"jmp\s+([0-9a-f]+)", text)
        i = by_address[int(jump.group(1), 16)] if jump else i + 1
    raise AssertionError("no return in sight")


def judge(name, path):
    """Problems of one fast path, and the bytes of the page that it loads."""
    problems, loads = [], set()
    page, result = {"rdi"}, {"rsi"}
    for text in path:
        if FORBIDDEN.match(text):
            problems.append(f"'{text}' on the fast path")
        operation = text.split()[0]
        memory = re.search(r"(-?0x[0-9a-f]+|)\(([^)]*)\)", text)
        outside = text.replace(memory.group(0), "") if memory else text
        registers = re.findall(r"%(\w+)", outside)
        if memory and not operation.startswith(("nop", "lea", "cs")):
            base = memory.group(2).lstrip("%").split(",")[0]
            start = int(memory.group(1) or "0", 16)
            if base in page and "," not in memory.group(2):
                loads.update(range(start, start + width(registers)))
                if text.endswith(")") and operation.startswith("mov"):
                    problems.append(f"'{text}' stores into the page")
            elif base not in result | {"rsp"}:
                problems.append(f"'{text}' is neither page, result nor stack")
        # What becomes of the two pointers
        copy = re.fullmatch(r"mov\s+%(\w+),%(\w+)", text)
        if registers and not text.endswith(")") and operation not in ("cmp", "test", "push", "mul"):
            target = registers[-1]
            for pointers in (page, result):
                if copy and copy.group(1) in pointers:
                    pointers.add(target)
                else:
                    pointers.discard(target)
    if not loads or min(loads) < 0 or max(loads) >= 64:
        problems.append(f"loads of the page at {min(loads, default=None)} to "
                        f"{max(loads, default=None)}")
    elif len(loads) != 64:
        problems.append(f"only {len(loads)} bytes of the line are loaded")
    counter = " ".join(t for t in path if t in ("lfence", "rdtsc"))
    if counter != FUNCTIONS[name]:
        problems.append(f"the counter is read by '{counter}'")
    return problems


def main():
    source, includes = sys.argv[1], sys.argv[2:]
    compilers = [c for c in ("gcc", "clang") if shutil.which(c)]
    if platform.machine() != "x86_64" or not shutil.which("objdump") or not compilers:
        print("skipped: needs objdump, gcc or clang, and x86-64")
        return 77
    failed = False
    for compiler in compilers:
        for level in ("-O2", "-O3"):
            with tempfile.NamedTemporaryFile(suffix=".o") as out:
                subprocess.run([compiler, "-std=gnu11", level, "-c", source, "-o", out.name]
                               + ["-I" + i for i in includes], check=True)
                listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", out.name],
                                         check=True, capture_output=True, text=True).stdout
            found = functions(listing)
            for name in FUNCTIONS:
                path = fast_path(found[name])
                problems = judge(name, path)
                failed |= bool(problems)
                print(f"{compiler} {level} {name}: {len(path)} instructions, "
                      + ("one cache line" if not problems else "; ".join(problems)))
                if problems:
                    print("\n".join("    " + text for text in path))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
