#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Disassemble the fast reads as each compiler makes them, for x86-64 and for arm64: every load of
the page must lie in the 64 bytes behind the handle, the CPU's counter is read once, nothing is
called or locked, and every barrier stands where Documentation/page.md says.

usage: one-cache-line.py SOURCE INCLUDE_DIR..."""
import platform
import re
import shutil
import subprocess
import sys
import tempfile

# The fast path is what runs when no conditional jump is taken.
FUNCTIONS = ("fast_now", "fast_now_unordered", "fast_at")


def functions(listing):
    found, name = {}, None
    for line in listing.splitlines():
        head = re.match(r"^[0-9a-f]+ <(\w[\w.]*)>:", line)
        if head:
            name = head.group(1)
            found[name] = []
        elif name and (code := re.match(r"^\s+([0-9a-f]+):\s+(\S.*)", line)):
            found[name].append((int(code.group(1), 16), 
                                re.sub(r"\s+(#|//) .*", "", code.group(2)).strip()))
    return found


def fast_path(code, jump):
    """Instructions from the entry to the return, no conditional jump taken."""
    by_address = {address: i for i, (address, _) in enumerate(code)}
    path, i = [], 0
    while len(path) < 200:
        _, text = code[i]
        path.append(text)
        if text.startswith("ret"):
            return path
        jumps = re.match(jump + r"\s+([0-9a-f]+)", text)
        i = by_address[int(jumps.group(1), 16)] if jumps else i + 1
    raise AssertionError("no return in sight")


def judge_loads(loads):
    if not loads or min(loads) < 0 or max(loads) >= 64:
        return [f"loads of the page at {min(loads, default=None)} to {max(loads, default=None)}"]
    return [f"only {len(loads)} bytes of the line are loaded"] if len(loads) != 64 else []


X86_COUNTER = {"fast_now": "lfence rdtsc", "fast_now_unordered": "rdtsc", "fast_at": ""}
X86_FORBIDDEN = re.compile(
    r"^(lock|call|syscall|int|sysenter|xchg|cmpxchg|mfence|sfence|cpuid|rdtscp)")


def x86_width(registers):
    """Bytes of an access, by the register on its other side; 8 where there is none."""
    for register in registers:
        if re.fullmatch(r"r\d+d", register) or register.startswith("e"):
            return 4
        if re.fullmatch(r"r\d+w|[a-ds][xpi]", register):
            return 2
        if register.startswith("r"):
            return 8
    return 8


def x86_judge(name, path):
    """Problems of one fast path."""
    problems, loads = [], set()
    page, result = {"rdi"}, {"rsi"}
    for text in path:
        if X86_FORBIDDEN.match(text):
            problems.append(f"'{text}' on the fast path")
        operation = text.split()[0]
        memory = re.search(r"(-?0x[0-9a-f]+|)\(([^)]*)\)", text)
        outside = text.replace(memory.group(0), "") if memory else text
        registers = re.findall(r"%(\w+)", outside)
        if memory and not operation.startswith(("nop", "lea", "cs")):
            base = memory.group(2).lstrip("%").split(",")[0]
            start = int(memory.group(1) or "0", 16)
            if base in page and "," not in memory.group(2):
                loads.update(range(start, start + x86_width(registers)))
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
    problems += judge_loads(loads)
    counter = " ".join(t for t in path if t in ("lfence", "rdtsc"))
    if counter != X86_COUNTER[name]:
        problems.append(f"the counter is read by '{counter}'")
    return problems


ARM_BEGIN = ["load", "branch"]  # the sequence, with acquire, and what is made of it
ARM_END = ["data", "dmb ishld", "again"]
ARM_ORDER = {
    "fast_now": ["dmb ishld"] + ARM_BEGIN + ["isb", "counter"] + ARM_END,
    "fast_now_unordered": ARM_BEGIN + ["counter"] + ARM_END,
    "fast_at": ARM_BEGIN + ARM_END,
}
ARM_FORBIDDEN = re.compile(r"^(blr?|svc|hvc|dsb|ldx|ldax|stx|stl|cas|swp|ldadd|ldset|ldclr)\b")
ARM_STORES = ("str", "stp", "stu")


def arm_width(operation, register):
    """Bytes of a load into one register."""
    for suffix, size in (("b", 1), ("h", 2)):
        if operation.endswith(suffix):
            return size
    return 8 if register.startswith("x") else 4


class ArmPath:
    """What the registers hold, by 64-bit name, as far as it matters."""

    def __init__(self, name):
        self.counted = name != "fast_at"
        self.page, self.result = {"x0": 0}, {"x1"}  # offsets from the line; pointers to the result
        self.late = {} if self.counted else {"x2": 0}  # depends on the counter's value
        self.zero = set()  # of those the ones that are 0
        self.again = set()  # pointers to the page that depend on it
        self.loads, self.order, self.problems = set(), [], []

    def event(self, event):
        if not (event == "data" and self.order and self.order[-1] == "data"):
            self.order.append(event)

    def load(self, text, operation, targets, base, index):
        offset, late = self.page[base], base in self.again
        if re.fullmatch(r"x\d+", index):
            late |= index in self.zero
            if index not in self.zero:
                self.problems.append(f"'{text}' loads from anywhere")
        elif index:
            offset += int(index.lstrip("#"), 0)
        sequence = offset == 0
        for target in targets:
            size = arm_width(operation, target)
            self.loads.update(range(offset, offset + size))
            offset += size
        if operation.startswith(("ldar", "ldapr")):
            self.event("load")
        elif sequence:
            self.event("again")
            if not late:
                self.problems.append(f"'{text}' does not wait for the counter")
        else:
            self.event("data")

    def memory(self, text, operation, operands):
        """A load or store; what it leaves in which registers is all forgotten."""
        where = re.search(r"\[(\w+)(?:, ([^\]]+))?\]", text)
        base, index = where.group(1), where.group(2) or ""
        if operation.startswith(ARM_STORES):
            if base not in self.result | {"sp"}:
                self.problems.append(f"'{text}' stores elsewhere than into the result")
            return
        targets = operands[:2] if operation.startswith("ldp") else operands[:1]
        if base in self.page:
            self.load(text, operation, targets, base, index)
        elif base != "sp":
            self.problems.append(f"'{text}' is neither page, result nor stack")
        for target in targets:
            self.forget(target)

    def forget(self, register):
        register = "x" + register[1:]
        self.page.pop(register, None)
        self.late.pop(register, None)
        for known in (self.result, self.zero, self.again):
            known.discard(register)

    def compute(self, operation, operands):
        """The target of an operation on registers, by its sources"""
        target = operands[0]
        sources = [o for o in operands[1:] if re.fullmatch(r"[xw]\d+", o)]
        late = any("x" + s[1:] in self.late for s in sources)
        page = next((s for s in sources if s in self.page), None)
        offset, pointer = None, None
        if page and operation in ("mov", "add"):
            last = operands[-1]
            if last.startswith("#"):
                offset = self.page[page] + int(last[1:], 0)
            elif operation == "mov" or last in self.zero or operands[1] in self.zero:
                offset = self.page[page]
            pointer = any(s in self.zero for s in sources) or page in self.again
        result = operation == "mov" and sources and sources[0] in self.result
        zero = operation == "eor" and late and len(sources) == 2 and sources[0] == sources[1]
        self.forget(target)
        if offset is not None:
            self.page[target] = offset
            if pointer:
                self.again.add(target)
        if result:
            self.result.add(target)
        if late and target.startswith("x"):
            self.late[target] = 0
            if zero:
                self.zero.add(target)

    def step(self, text):
        operation, *rest = text.split(None, 1)
        operands = [o.strip() for o in rest[0].split(",")] if rest else []
        if ARM_FORBIDDEN.match(text):
            self.problems.append(f"'{text}' on the fast path")
        if operation in ("dmb", "isb"):
            self.event(" ".join([operation] + operands))
        elif operation == "mrs":
            self.event("counter" if operands[1] == "cntvct_el0" else text)
            self.forget(operands[0])
            self.late[operands[0]] = 0
        elif operation.startswith(("tb", "cb", "b.")):
            self.event("branch")
        elif "[" in text:
            self.memory(text, operation, operands)
        elif operands and re.fullmatch(r"[xw]\d+", operands[0]) and \
                not operation.startswith(("cmp", "cmn", "ccm", "tst")):
            self.compute(operation, operands)


def arm_judge(name, path):
    """Problems of one fast path."""
    machine = ArmPath(name)
    for text in path:
        machine.step(text)
    problems = machine.problems + judge_loads(machine.loads)
    order = machine.order[:len(ARM_ORDER[name])]
    if order != ARM_ORDER[name] or {"counter", "isb", "load"} & set(machine.order[len(order):]):
        problems.append(f"the order is {', '.join(machine.order)}")
    return problems


def compilers():
    """(name, command, objdump, jump, judge) of each compiler that is here, and what is not."""
    clang = shutil.which("clang-14") or shutil.which("clang")
    arm = ["-march=armv8-a"], ["-march=armv8.3-a"]
    cross_gcc, cross_objdump = (shutil.which(f"aarch64-linux-gnu-{tool}") or ""
                                for tool in ("gcc", "objdump"))
    found, missing = [], []
    objdump = shutil.which("objdump")
    if platform.machine() == "x86_64" and objdump:
        for command in filter(None, (shutil.which("gcc"), clang)):
            found.append(("x86-64 " + command.rsplit("/", 1)[-1], [command], objdump, "jmp",
                          x86_judge))
    else:
        missing.append("x86-64")
    if cross_gcc and cross_objdump:
        for march in arm:
            found.append(("arm64 gcc " + march[0], [cross_gcc] + march, cross_objdump, "b",
                          arm_judge))
            if clang:
                found.append(("arm64 clang " + march[0],
                              [clang, "--target=aarch64-linux-gnu", "-isystem",
                               "/usr/aarch64-linux-gnu/include"] + march,
                              cross_objdump, "b", arm_judge))
    else:
        missing.append("arm64")
    return found, missing


def main():
    source, includes = sys.argv[1], sys.argv[2:]
    found_compilers, missing = compilers()
    if not found_compilers:
        print("SKIP: needs objdump and a compiler, for x86-64 or arm64")
        return 77
    failed = False
    for label, command, objdump, jump, judge in found_compilers:
        sizes, wrong = [], []
        for level in ("-O2", "-O3"):
            with tempfile.NamedTemporaryFile(suffix=".o") as out:
                subprocess.run(command + ["-std=gnu11", level, "-c", source, "-o", out.name]
                               + ["-I" + i for i in includes], check=True)
                listing = subprocess.run([objdump, "-d", "--no-show-raw-insn", out.name],
                                         check=True, capture_output=True, text=True).stdout
            found = functions(listing)
            for name in FUNCTIONS:
                path = fast_path(found[name], jump)
                problems = judge(name, path)
                sizes.append(str(len(path)))
                if problems:
                    wrong.append(f"{label} {level} {name}: " + "; ".join(problems))
                    wrong += ["    " + text for text in path]
        failed |= bool(wrong)
        print("\n".join(wrong) if wrong else
              f"{label}: one cache line, barriers in place, {' '.join(sizes)} instructions")
    if missing:
        print(f"not looked at, for want of a compiler and its objdump: {', '.join(missing)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
