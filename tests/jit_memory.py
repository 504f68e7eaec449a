#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""jit_memory.py BINARY - what compiled code costs: code that was dropped or replaced is given back, one compile serves
all tasks, and a short program costs nothing.

--stats says how many units were made, taken away and freed; the peak of memory is the kernel's.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

FUNCTIONS = 12

SOURCE = "".join(f"""\
fn f{i}(a, b) {{
    let s = a
    for k in range(8) {{
        s = s + b * {i + 1}
        if k % 3 == {i % 3} {{
            s = s - a
        }}
    }}
    return s
}}
""" for i in range(FUNCTIONS)) + f"""\
let all = [{", ".join(f"f{i}" for i in range(FUNCTIONS))}]
fn round(x, y) {{
    let t = 0
    for f in all {{
        for j in range(4) {{
            t += toInt(f(x, y)) % 1000
        }}
    }}
    return t
}}
let t = 0
for r in range(toInt(args()[0])) {{
    t += round(r % 2 == 0 ? 3 : 2.5, r % 3 == 0 ? 2 : 0.5)
}}
println(t)
"""

TASKS = """\
import thread
fn f(n) {
    let s = 0
    for i in range(n) {
        s = (s * 31 + i) % 1000003
    }
    return s
}
let sum = 0
for batch in range(10) {
    let tasks = []
    for t in range(1000) {
        tasks.push(thread.async.run(f, 2000))
    }
    for s in thread.async.all(tasks) {
        sum += s
    }
}
println(sum)
"""

RESTS = """\
import io
import strings
import thread
fn f(n) {
    let s = 0
    for i in range(n) {
        s = (s * 31 + i) % 1000003
    }
    return s
}
fn mapped() {
    for l in io.read("/proc/self/status").split("\\n") {
        if strings.hasPrefix(l, "RssFile:") {
            return toInt(strings.trim(strings.slice(l, 8, len(l) - 3)))
        }
    }
}
let least = mapped()
while mapped() < least + 15000 {
    f(100000)
}
while mapped() > least + 8000 {
    thread.core.sleep(20)
}
println("given back")
"""


def run(source, *words):
    """Output, the figures of --stats by name, the peak of memory in MiB."""
    with tempfile.TemporaryDirectory(prefix="goost-test-") as folder:
        path = os.path.join(folder, "memory.goost")
        with open(path, "w", encoding="utf-8") as f:
            f.write(source)
        flags = [w for w in words if w.startswith("--")]
        rest = [w for w in words if not w.startswith("--")]
        with open(os.path.join(folder, "err"), "w+", encoding="utf-8", errors="replace") as err:
            p = subprocess.Popen([BINARY, "run", "--stats", *flags, path, *rest], stdout=subprocess.PIPE, stderr=err, text=True)
            out = p.stdout.read()
            _, status, usage = os.wait4(p.pid, 0)
            p.returncode = os.waitstatus_to_exitcode(status)
            p.stdout.close()
            err.seek(0)
            text = err.read()
    if p.returncode != 0:
        raise AssertionError(f"exit code {p.returncode}: {text}")
    figures = {}
    m = re.search(r"jit: (\d+) compiled", text)
    if m:
        figures["compiled"] = int(m.group(1))
    m = re.search(r"quick (\d+) in .* full (\d+) in .* (\d+) replaced, (\d+) taken away, (\d+) freed, (\d+) of (\d+) bytes", text)
    if m:
        figures.update(zip(("quick", "full", "replaced", "taken", "freed", "bytes", "all_bytes"), map(int, m.groups())))
    return out, figures, usage.ru_maxrss / 1024


class Memory(unittest.TestCase):
    REMAKE = ("--jit=eager", "--jit-threshold=16", "--jit-remake", "--jit-stress", "--workers=1")

    def test_code_that_is_dropped_is_given_back(self):
        few, a, least = run(SOURCE, *self.REMAKE, "30")
        many, b, most = run(SOURCE, *self.REMAKE, "900")
        self.assertEqual(few, run(SOURCE, "--jit=off", "30")[0])
        self.assertEqual(many, run(SOURCE, "--jit=off", "900")[0])
        self.assertGreater(b["compiled"], a["compiled"] + 100)
        self.assertGreater(b["taken"], 100)
        self.assertGreaterEqual(b["freed"], b["taken"] - 2)
        self.assertLess(b["bytes"], a["bytes"] + 100000)
        self.assertLess(most, least + 12)

    def test_one_compile_serves_all_tasks(self):
        out, figures, _ = run(TASKS, "--workers=2", "--jit-threshold=5000")
        self.assertEqual(out, run(TASKS, "--jit=off", "--workers=2")[0])
        self.assertGreaterEqual(figures["compiled"], 1)
        self.assertLessEqual(figures["compiled"], 10)  # the function, its loop, and the three of main, each QUICK and FULL

    def test_a_short_program_opens_no_compiler(self):
        source = "let s = 0\nfor i in range(200000) { s += i % 7 }\nprintln(s)\n"
        out, figures, most = run(source)
        self.assertEqual((out, figures), ("599994\n", {}))
        self.assertLess(most, 30)

    def test_a_compiler_that_nobody_needs_gives_its_memory_back(self):
        self.assertEqual(run(RESTS)[0], "given back\n")


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
