#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""layering.py [ROOT] - checks who includes whom, and prints offenders as FILE:LINE: reason.

    tests/ bench/       may look at everything
    frontend/ | jit/    neighbours that do not see each other; frontend/main.c alone sees jit; the program (main.c, cmd*) sees
                        the embedding API
    runtime/            includes sched and port
    sched/              includes port; knows nothing of values
    sched/port/         the C library only

An included name is looked up as the compiler does it: beside the file, then in the quote path of CMakeLists.txt. Library
headers must be of the C library or stand in LIBRARIES with the place that may use them.
"""

import os
import re
import sys

FOLDERS = ("sched/port", "sched", "runtime", "frontend", "jit", "bench", "tests")
QUOTE_PATH = ("sched", "runtime", "frontend", ".")  # as in CMakeLists.txt

# From whom a folder may include, besides itself.
MAY = {
    "sched/port": (),
    "sched": ("sched/port",),
    "runtime": ("sched", "sched/port"),
    "frontend": ("runtime", "sched/port"),
    "jit": ("runtime", "sched", "sched/port"),
    "bench": FOLDERS,
    "tests": FOLDERS,
}

# What frontend/ may know of runtime/; the program's own sources see the embedding API, too.
FRONTEND_SEES = {"bytecode.h", "proto.h", "value.h", "str.h", "status.h", "hooks.h", "object.h", "opcode.def", "status.def"}
PROGRAM_SEES = FRONTEND_SEES | {"goost.h", "vm.h", "disasm.h", "hot.h", "text.h"}
PROGRAM = re.compile(r"frontend/(main\.c|cmd(_\w+)?\.[ch])$")
PROGRAM_SCHED = {"sched/sched.h"}  # `topology` and --workers speak to the scheduler's face

# Library headers by prefix, and the sources that may use them.
LIBRARIES = (
    ("mimalloc", r"sched/port/mem\.c$"),
    ("hwloc", r"sched/[^/]+$"),
    ("llvm-c/", r"jit/"),
    ("re2/", r"runtime/loadable/regex\.cc$"),
    ("nettle/", r"runtime/(loadable/digest|lib_encode|lib_crypto)\.c$"),
    ("histedit", r"runtime/loadable/edit\.c$"),
    ("zlib", r"runtime/lib_crypto\.c$"),
    ("CUnit/", r"tests/"),
    ("sanitizer/", r"(sched/port|runtime|jit|tests)/"),
)

LIBC = set("""
aio alloca arpa/inet assert byteswap complex cpio ctype dirent dlfcn elf endian errno execinfo fcntl features fenv float
fnmatch ftw getopt glob grp iconv ifaddrs inttypes iso646 langinfo libgen limits link linux/futex locale malloc math memory
monetary mqueue net/if netdb netinet/in netinet/tcp nl_types paths poll pthread pwd regex sched search semaphore setjmp
signal spawn stdalign stdarg stdatomic stdbool stddef stdint stdio stdio_ext stdlib stdnoreturn string strings syscall
syslog tar termios tgmath threads time uchar ucontext unistd utime utmpx wchar wctype wordexp
immintrin x86intrin nmmintrin emmintrin wmmintrin cpuid arm_neon arm_acle
""".split())

# For the one C++ source.
LIBCXX = set("algorithm cstddef cstdint cstring memory new string utility vector".split())

INCLUDE = re.compile(r'\s*#\s*(?:include|embed)\s*(?:"([^"]+)"|<([^>]+)>)')


def folder_of(path):
    for folder in FOLDERS:
        if path.startswith(folder + "/"):
            return folder
    return None


def without_comments(text):
    """The text with comments blanked and lines kept."""
    pattern = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?(?:\*/|\Z)', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m[0]) if m[0].startswith("/") else m[0], text)


def resolve(root, source, name):
    """The included file's path under root, or None when it is found nowhere."""
    for base in (os.path.dirname(source), *QUOTE_PATH):
        path = os.path.normpath(os.path.join(base, name))
        if os.path.isfile(os.path.join(root, path)):
            return path
    # Not written yet: judge it by the folder that it names.
    return os.path.normpath(name) if folder_of(name) else None


def library_offence(source, name):
    for prefix, users in LIBRARIES:
        if name.startswith(prefix):
            return None if re.match(users, source) else f"<{name}> is not for this file"
    stem = name[:-2] if name.endswith(".h") else name
    if source.endswith(".cc") and name in LIBCXX:
        return None
    if stem in LIBC or name.startswith(("sys/", "linux/", "bits/", "asm/")):
        return None
    return f"<{name}> is a library that tests/layering.py does not know; if it is wanted, say there who may use it"


def own_offence(source, target):
    here, there = folder_of(source), folder_of(target)
    if here in ("tests", "bench"):
        return None
    if there is None:
        return f"{target} stands outside the layers"
    if here == there:
        return None
    if target.endswith("_int.h"):
        return f"{target} is private to its folder"
    if source == "frontend/main.c" and target == "jit/jit.h":
        return None
    program = bool(PROGRAM.match(source))
    if program and target in PROGRAM_SCHED:
        return None
    if there not in MAY[here]:
        return f"{here} may not include {there} ({target})"
    if here == "frontend" and there == "runtime":
        seen = PROGRAM_SEES if program else FRONTEND_SEES
        if os.path.relpath(target, "runtime") not in seen:
            return f"{target} is not among what {'the program' if program else 'frontend'} may see of runtime"
    return None


def sources(root):
    for top in ("sched", "runtime", "frontend", "jit", "bench", "tests"):
        for folder, folders, files in os.walk(os.path.join(root, top)):
            folders[:] = [f for f in folders if not f.startswith((".", "_"))]
            for file in sorted(files):
                if file.endswith((".c", ".cc", ".h", ".def")):
                    yield os.path.relpath(os.path.join(folder, file), root)


def offences(root):
    for source in sources(root):
        if folder_of(source) in ("tests", "bench"):
            continue
        with open(os.path.join(root, source), encoding="utf-8", errors="replace") as f:
            lines = without_comments(f.read()).split("\n")
        for number, line in enumerate(lines, 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            quoted, angled = found.groups()
            target = resolve(root, source, quoted) if quoted else None
            if quoted and target is None:
                continue  # generated, or the compiler will say it
            reason = own_offence(source, target) if quoted else library_offence(source, angled)
            if reason:
                yield source, number, reason


def main():
    root = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), ".."))
    bad = 0
    for source, number, reason in offences(root):
        print(f"{source}:{number}: {reason}")
        bad += 1
    checked = sum(1 for _ in sources(root))
    print(f"{checked} files, {bad} offences")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
