#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Build chronotick.ko for a kernel, boot that kernel in QEMU, and run programs in it.

    run.py KERNEL --work DIRECTORY --init PROGRAM [--module FOLDER] [--with FILE]...
           [--tool NAME]... "PROGRAM ARGUMENT..."...

KERNEL is one of those below $CHRONOTICK_KERNELS, ~/.cache/chronotick/kernels by default, which
scripts/vm.sh makes; where one has a "make" beside it, that builds modules. Prints the programs' checks
as TAP, and one more for each thing that must not be: a program that ends otherwise than with 0 and all its checks, words
of trouble in the kernel's messages, a machine that does not come to its end. Everything is emulated,
so it needs no KVM. With --keep-logs the two serial ports' files are named. --module names a folder of
kmod whose module is built as well, and lies in / for the programs to load; --with a file to go to /bin
with the libraries that it needs, or module:NAME for one of the kernel's own and those it needs: /modules/NAME
then lists their files in the order of loading. --tool is a --with for a command of this machine, or of
build-packages/; where it has none, shell scripts among the programs are skipped. --bios boots the way a PC
does, which takes longer, but wakes from S3. With --wanted the kernel must complain, of all of those.
"""
import argparse
import gzip
import lzma
import os
import pathlib
import re
import shutil
import stat
import struct
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
KERNELS = pathlib.Path(os.environ.get("CHRONOTICK_KERNELS")
                       or pathlib.Path.home() / ".cache/chronotick/kernels")
CHECK = re.compile(r"^(not )?ok - (.*)$")
TROUBLE = re.compile(
    r"WARNING: |BUG: |Oops|Kernel panic|general protection|unable to handle|KASAN|KCSAN|UBSAN|"
    r"lockdep|possible recursive locking|circular locking|inconsistent lock state|"
    r"suspicious RCU|sleeping function called|scheduling while atomic|unreferenced object|"
    r"hung task|blocked for more than|stall(ed)? on CPU|soft lockup|hard LOCKUP|"
    r"Invalid wait context|new suspected memory leaks|ODEBUG|"
    r"refcount_t|list_(add|del) corruption|chronotick: .*(unknown|disagrees)")
# What emulation and a tiny system bring about, and what says "lockdep" and the like in peace
PEACE = re.compile(r"Lock dependency validator|RCU lockdep checking is enabled|"
                   r"debug: unmapping init|lockdep is turned off|kasan: KernelAddressSanitizer|"
                   r"kcsan: (enabled|selftest|strict|non-strict)")
# One data race, as KCSAN tells of it; those without a function of ours are the kernel's own.
RACE = re.compile(r"^[^\n]*BUG: KCSAN:.*?^[^\n]*={60}\n", re.DOTALL | re.MULTILINE)


# What emulates a machine, how its two serial ports are named, and what its modules are built with
MACHINES = {
    "x86_64": (["qemu-system-x86_64", "-cpu", "max"], "ttyS0", "/dev/ttyS1",
               "tsc=reliable clocksource=tsc no_timer_check", [], lambda file: ["-serial", f"file:{file}"]),
    "aarch64": (["qemu-system-aarch64", "-M", "virt", "-cpu", "max"], "ttyAMA0", "/dev/ttyS0", "",
                ["ARCH=arm64", "CROSS_COMPILE=aarch64-linux-gnu-"],
                lambda file: ["-chardev", f"file,id=results,path={file}",
                              "-device", "pci-serial,chardev=results"]),
}


class Tap:
    """Numbers checks as they come."""

    def __init__(self):
        self.count = self.failed = 0

    def tell(self, good, text):
        self.count += 1
        self.failed += not good
        print(f"{'' if good else 'not '}ok {self.count} - {text}", flush=True)


def payload(image):
    """The kernel's ELF inside a bzImage, see the kernel's Documentation/arch/x86/boot.rst."""
    if image[:4] == b"\x7fELF" or image[0x38:0x3c] == b"ARMd":
        return image
    setup_sectors = image[0x1f1] or 4
    if image[0x202:0x206] != b"HdrS":
        raise ValueError("no bzImage")
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    data = image[start:start + length]
    if data[:6] == b"\xfd7zXZ\0":
        return lzma.LZMADecompressor().decompress(data)
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    if data[:4] == b"\x28\xb5\x2f\xfd":
        # The size of what it holds stands behind it, which is no frame of zstd.
        out = subprocess.run(["zstd", "-dcqf"], input=data[:-4], stdout=subprocess.PIPE,
                             check=True).stdout
        return out
    raise ValueError(f"a kernel packed in an unknown way, {data[:6].hex()}")


def cpio(files):
    """An initramfs, format newc: {path: (mode, contents)}."""
    out = bytearray()

    def entry(number, name, mode, data):
        fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        out.extend(b"070701" + b"".join(b"%08x" % field for field in fields))
        out.extend(name.encode() + b"\0")
        out.extend(b"\0" * (-len(out) % 4))
        out.extend(data)
        out.extend(b"\0" * (-len(out) % 4))

    folders = {str(parent) for path in files for parent in pathlib.PurePath(path).parents}
    folders |= {"dev", "proc", "sys", "tmp"}
    number = 1
    for folder in sorted(folders - {"."}):
        entry(number, folder, stat.S_IFDIR | 0o755, b"")
        number += 1
    for path, (mode, data) in files.items():
        entry(number, path, stat.S_IFREG | mode, data)
        number += 1
    entry(0, "TRAILER!!!", 0, b"")
    return bytes(out)


def libraries(program):
    """What a dynamic program needs at run time."""
    text = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=False).stdout
    return re.findall(r"(/\S+) \(0x", text)


def put(files, program):
    """A program into /bin, and what it needs to where it is looked for."""
    for needed in libraries(program):
        path = pathlib.Path(needed)
        if not needed.startswith(("/lib", "/usr/lib")):
            needed = f"/lib/{path.name}"  # of a build, found by a path beside the program
        files[needed.lstrip("/")] = (0o755, path.read_bytes())
    name = "bin/" + pathlib.PurePath(program).name
    files[name] = (0o755, pathlib.Path(program).read_bytes())
    return "/" + name


def make(source, kernel, machine):
    """Build the module of a directory: has it gone well, and what was said."""
    own = kernel / "make"
    program = [str(own)] if own.exists() else ["make", "-C", str(kernel / "build")]
    built = subprocess.run(
        program + ["-s", f"M={source}", "W=1", "modules"] + machine[4],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    said = [line for line in built.stdout.splitlines() if "BTF" not in line and line.strip()]
    return built.returncode == 0, said


def module_build(kernel, work, machine):
    """The module, and what the compiler said of it."""
    source = work / "kmod"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(TOP / "kmod", source)
    good, said = make(source, kernel, machine)
    return (source / "chronotick.ko" if good else None), said


def module_folder_build(folder, kernel, work, machine):
    """The module of a folder, by its name in kmod, of which module_build() has made a copy, or by its
    path in the tree; and what was said."""
    source = work / "kmod" / folder
    if (TOP / folder / "Kbuild").exists():
        source = work / pathlib.PurePath(folder).name
        shutil.rmtree(source, ignore_errors=True)
        shutil.copytree(TOP / folder, source)
    good, said = make(source, kernel, machine)
    made = sorted(source.glob("*.ko"))
    return (made[0] if made and good else None), said


def devices_known(emulator):
    """The names of devices that an emulator has."""
    text = subprocess.run([emulator, "-device", "help"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False).stdout
    return re.findall(r'^name "([^"]+)"', text, re.MULTILINE)


def emulator_for(program, devices):
    """The command for an emulator that has them: this machine's, or the newer one that scripts/vm.sh
    unpacks; and which of the devices that one lacks."""
    newer = str(KERNELS / "emulator" / program[0])
    commands = [program] + ([[newer] + program[1:]] if os.path.exists(newer) else [])
    lacking = [[device for device in devices if device not in devices_known(command[0])]
               for command in commands] if devices else [[]]
    best = min(range(len(lacking)), key=lambda i: len(lacking[i]))
    return commands[best], lacking[best]


def tool_find(name):
    """A command of this machine, or of Debian's packages that the scripts unpacked; None: neither."""
    places = [os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]
    places += [str(path) for path in TOP.glob("build-packages/*/usr/*bin")]
    return shutil.which(name, path=os.pathsep.join(places))


def modules_of(kernel, name):
    """The files of a module of the kernel's own and of those it needs, in the order of loading."""
    root = kernel / "root"
    release = next((root / "lib/modules").iterdir()).name
    if not (root / "lib/modules" / release / "modules.dep.bin").exists():
        subprocess.run(["depmod", "-b", str(root), release], check=True)
    text = subprocess.run(["modprobe", "-d", str(root), "-S", release, "--show-depends", name],
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    return [pathlib.Path(line.split()[1]) for line in text.splitlines()
            if line.startswith("insmod ")]


def boot(kernel, work, initramfs, arguments):
    """Returns the kernel's messages, what the programs said, and why it ended."""
    vmlinux = kernel / "vmlinuz"
    if not arguments.bios:
        vmlinux = work / "vmlinux"
        vmlinux.write_bytes(payload((kernel / "vmlinuz").read_bytes()))
    (work / "initramfs").write_bytes(initramfs)
    console, results = work / "console.log", work / "results.log"
    program, console_port, results_port, append, _, second = MACHINES[arguments.machine]
    program, lacking = emulator_for(program, arguments.device)
    command = program + [
        *(["-accel", "tcg,thread=single", "-icount", f"shift={arguments.icount},sleep=off"]
          if arguments.icount is not None else ["-accel", "tcg,thread=multi"]), "-smp", "2", "-m", "512", "-nodefaults",
        "-no-user-config", "-display", "none", "-no-reboot",
        "-kernel", str(vmlinux), "-initrd", str(work / "initramfs"),
        "-serial", f"file:{console}"] + second(results) + [
        "-append", f"console={console_port} RESULTS={results_port} quiet loglevel=7 panic=-1 "
                   f"oops=panic random.trust_cpu=on {append} {arguments.append}"]
    for device in lacking:
        print(f"# no emulator here has {device}")
    if arguments.device:
        # All on one segment, where the emulator itself answers for 10.0.2.2
        command += ["-netdev", "user,id=outside,restrict=on",
                    "-netdev", "hubport,id=port,hubid=0,netdev=outside"]
    for device in [name for name in arguments.device if name not in lacking]:
        command += ["-netdev", f"hubport,id={device},hubid=0", "-device",
                    f"{device},netdev={device}"]
    try:
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, timeout=arguments.timeout, check=False)
        why = "" if ended.returncode == 0 else ended.stdout.decode(errors="replace").strip()
    except subprocess.TimeoutExpired:
        why = f"no end within {arguments.timeout} s"
    return [path.read_text(errors="replace") if path.exists() else ""
            for path in (console, results)] + [why]


def races_of_others(console):
    """The messages without the data races that are none of ours, and how many those are."""
    others = [text for text in RACE.findall(console) if "chronotick" not in text]
    for text in others:
        console = console.replace(text, "")
    return console, len(others)


def judge(tap, results):
    """The programs' lines as checks. Returns whether the machine came to its end, which program was
    the last, and the command lines of those that have run."""
    program, checks, done, ran = "init", 0, False, set()
    for line in results.splitlines():
        found = CHECK.match(line)
        if found:
            checks += 1
            tap.tell(not found[1], f"{program}: {found[2]}")
        elif line.startswith("# run "):
            program, checks = pathlib.PurePath(line[6:].split()[0]).name, 0
            ran.add(line[6:])
        elif line.startswith("# end "):
            if line != "# end 0" or not checks:
                tap.tell(False, f"{program}: ended with {line[6:]}, after {checks} checks")
        elif line == "# done":
            done = True
        elif line.strip():
            print(f"# {program}: {line.strip('# ')}")
    return done, program, ran


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("kernel")
    parser.add_argument("programs", nargs="+")
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--init", type=pathlib.Path, required=True)
    parser.add_argument("--timeout", type=int, default=420)
    parser.add_argument("--machine", choices=MACHINES, default="x86_64")
    parser.add_argument("--append", default="", help="more of the kernel's command line")
    parser.add_argument("--module", help="a folder of kmod, or another one of the tree")
    parser.add_argument("--bios", action="store_true", help="boot as a PC does")
    parser.add_argument("--icount", type=int, choices=range(11), metavar="SHIFT",
                        help="each instruction takes 2^SHIFT ns, whatever the host does")
    parser.add_argument("--again", type=int, default=0, metavar="COUNT",
                        help="how often to begin anew with a machine that was reset without a word")
    parser.add_argument("--wanted", action="append", default=[], metavar="REGEX",
                        help="what the kernel must complain of")
    parser.add_argument("--with", dest="extra", action="append", default=[], metavar="FILE")
    parser.add_argument("--tool", action="append", default=[], metavar="NAME")
    parser.add_argument("--device", action="append", default=[], help="a network device of the emulator's")
    parser.add_argument("--keep-logs", action="store_true")
    arguments = parser.parse_args()
    kernel = KERNELS / arguments.kernel
    for what in (kernel / "vmlinuz", kernel / "build"):
        if not what.exists():
            print(f"1..0 # SKIP {what} is not there: scripts/test vm unpacks it")
            return 0
    machine = MACHINES[arguments.machine]
    if not shutil.which(machine[0][0]):
        print(f"1..0 # SKIP no {machine[0][0]}")
        return 0

    tap = Tap()
    work = arguments.work / kernel.name
    work.mkdir(parents=True, exist_ok=True)
    module, said = module_build(kernel, work, machine)
    for line in said:
        print(f"# {line}")
    tap.tell(module and not said, "the module builds without a warning")
    if not module:
        print(f"1..{tap.count}")
        return 1
    files = {"init": (0o755, arguments.init.read_bytes()),
             "chronotick.ko": (0o644, module.read_bytes())}
    if arguments.module:
        module, said = module_folder_build(arguments.module, kernel, work, machine)
        for line in said:
            print(f"# {line}")
        tap.tell(module and not said, f"the module of {arguments.module} builds without a warning")
        if not module:
            print(f"1..{tap.count}")
            return 1
        files[module.name] = (0o644, module.read_bytes())
    skipped, missing = [], []
    for tool in arguments.tool:
        found = tool_find(tool)
        arguments.extra += [found] if found else []
        missing += [] if found else [tool]
    for file in arguments.extra:
        for path in modules_of(kernel, file[7:]) if file.startswith("module:") else []:
            files["modules/" + path.name] = (0o644, path.read_bytes())
        if file.startswith("module:"):
            order = "".join(f"/modules/{path.name}\n" for path in modules_of(kernel, file[7:]))
            files["modules/" + file[7:]] = (0o644, order.encode())
            continue
        put(files, file)
    lines = []
    for line in arguments.programs:
        if missing and line.split()[0].endswith(".sh"):
            skipped.append(pathlib.PurePath(line.split()[0]).name)
            continue
        program, *rest = line.split()
        lines.append(" ".join([put(files, program)] + rest))
    files["tests"] = (0o644, ("\n".join(lines) + "\n").encode())

    archive = cpio(files)
    for left in reversed(range(arguments.again + 1)):
        console, results, why = boot(kernel, work, archive, arguments)
        if not left or why or "# done" in results.splitlines() or TROUBLE.search(console):
            break
        print("# the machine was reset without a word: once more")
    told = "".join(line[10:] + "\n" for line in results.splitlines()
                   if line.startswith("# kernel: "))
    done, last, ran = judge(tap, re.sub(r"^# kernel: .*\n", "", results, flags=re.MULTILINE))
    console += told
    for script in skipped:
        tap.count += 1
        print(f"ok {tap.count} - {script} # SKIP this machine has no {', '.join(missing)}")
    tap.tell(done and not why, "the machine comes to its end"
             + ("" if done else f": the last one to run was {last}") + (f": {why}" if why else ""))
    for line in lines if done else []:
        if line not in ran:
            tap.tell(False, f"{line}: was not run: {last} was the last")
    console, others = races_of_others(console)
    if others:
        print(f"# {others} data races of the kernel's own")
    for text in arguments.wanted:
        tap.tell(re.search(text, console), f"the kernel complains of: {text}")
    trouble = [line for line in console.splitlines()
               if TROUBLE.search(line) and not PEACE.search(line)]
    if not arguments.wanted:
        tap.tell(bool(console) and not trouble, "the kernel has nothing to complain of")
    for line in console.splitlines()[-100:] if not arguments.wanted and trouble or not done else []:
        print(f"#   {line}")
    if arguments.keep_logs:
        print(f"# {work}/console.log and results.log")
    print(f"1..{tap.count}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
