#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""jit_tools.py BINARY - what tools see of compiled code: the listing of disasm --jit, the map for perf, gdb.

Without gdb its cases are skipped; that the program can tell gdb about code is checked all the same.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = """\
class Box {
    fn bump(by) {
        self.n = self.n + by
        return self.n
    }
}
fn join(a, b) {
    return a + b
}
fn show(x, n) {
    let s = 0
    for i in range(n) {
        s += len(join(`${i}`, x))
    }
    return s
}
let b = Box{n: 0}
for i in range(5000) {
    b.bump(i)
}
println(b.n)
println(show("text", 5000))
println(len(args()))
exit(7)
"""
PRINTED = ["12497500", "38890"]
EAGER = {"LANGOOST_JIT": "eager", "LANGOOST_JIT_THRESHOLD": "500", "LANGOOST_WORKERS": "1"}


class Tools(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="goost-test-")
        self.addCleanup(self.folder.cleanup)
        with open(os.path.join(self.folder.name, "tools.goost"), "w", encoding="utf-8") as f:
            f.write(SOURCE)

    def start(self, *command, **env):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("LANGOOST_")}
        return subprocess.Popen(command, cwd=self.folder.name, env={**clean, **EAGER, **env}, text=True, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run_program(self, *command, **env):
        process = self.start(*command, **env)
        out, err = process.communicate(timeout=60)
        return process, out, err

    def listed(self, head):
        """What the listing says of a unit, its head's rest included."""
        out = self.run_program(BINARY, "disasm", "--jit", "tools.goost")[1]
        found = re.search(rf"\n--- {re.escape(head)}: (.*?)(\n===|\n---|\Z)", out, re.S)
        if not found:
            self.fail(f"no unit {head} among {re.findall('^---.*', out, re.M)}")
        return found[1]

    def test_the_listing_is_apart_from_the_output(self):
        process, out, err = self.run_program(BINARY, "disasm", "--jit", "tools.goost", "one", "two")
        self.assertEqual(process.returncode, 7)
        self.assertEqual(err.split(), PRINTED + ["2"])
        self.assertTrue(out.startswith("=== main ("))
        self.assertNotIn(PRINTED[0], out.split("\n"))

    def test_the_listing_names_units_and_lines(self):
        self.assertRegex(self.listed("function join, tools.goost:7-8"), r"\A2 instructions of bytecode, \d+ of IR, \d+ of machine code;")
        line = re.search(r"\ntools\.goost:13 \|         s \+= len\(join\(`\$\{i\}`, x\)\)\n(.*?)\n\n",
                         self.listed("loop of show, tools.goost:12-13"), re.S)
        self.assertIsNotNone(line)
        parts = re.split(r"\n?  (bytecode|IR|machine code)\n", line[1])
        self.assertEqual(parts[1::2], ["bytecode", "IR", "machine code"])
        self.assertRegex(parts[2], r"    \d{4} \[  13\] CONCAT ")
        self.assertRegex(parts[4], r"    \d{4}  .*call i32 @gs_c_concat\(")
        self.assertRegex(parts[6], r"    \d{4}  call\w* +.*gs_c_concat")

    def test_inlined_functions_stand_at_their_own_lines(self):
        self.assertIn("\ntools.goost:3 |         self.n = self.n + by\n  bytecode of bump, inlined\n",
                      self.listed("loop of main, tools.goost:18-19"))

    def test_the_environment_asks_for_no_listing(self):
        _, out, err = self.run_program(BINARY, "disasm", "tools.goost")
        self.assertEqual(err, "")
        self.assertNotIn("---", out)

    def test_without_a_listing_there_are_no_arguments(self):
        process, _, err = self.run_program(BINARY, "disasm", "tools.goost", "one")
        self.assertEqual(process.returncode, 2)
        self.assertIn("disasm wants one file", err)

    def test_a_listing_cannot_be_off(self):
        process, _, err = self.run_program(BINARY, "disasm", "--jit=off", "tools.goost")
        self.assertEqual(process.returncode, 2)
        self.assertIn("--jit=off: expected on or eager", err)

    def test_the_map_for_perf_has_names_and_lines(self):
        process, out, _ = self.run_program(BINARY, "run", "tools.goost", LANGOOST_PERF_MAP="1")
        self.assertEqual(out.split(), PRINTED + ["0"])
        path = f"/tmp/perf-{process.pid}.map"
        with open(path, encoding="utf-8") as f:
            lines = f.read().splitlines()
        os.remove(path)
        names = []
        for line in lines:
            found = re.fullmatch(r"([0-9a-f]+) ([0-9a-f]+) (.*)", line)
            self.assertIsNotNone(found, line)
            self.assertGreater(int(found[2], 16), 0)
            names.append(found[3])
        for name in ("join tools.goost:7 code", "join tools.goost:7 entry", "show tools.goost:12 loop"):
            self.assertIn(name, names)

    def test_gdb_can_be_told(self):
        process, out, err = self.run_program(BINARY, "run", "tools.goost", LANGOOST_GDB="1")
        self.assertEqual((process.returncode, out.split(), err), (7, PRINTED + ["0"], ""))

    def gdb(self, *commands):
        if shutil.which("gdb") is None:
            self.skipTest("gdb is not installed")
        arguments = ["gdb", "-q", "-nx", "-batch", "-ex", "set pagination off", "-ex", "set breakpoint pending on",
                     "-ex", "set debuginfod enabled off"]
        for c in commands:
            arguments += ["-ex", c]
        out = self.run_program(*arguments, "--args", BINARY, "run", "tools.goost", LANGOOST_GDB="1")
        if "ptrace" in out[2] or "Could not trace" in out[2]:
            self.skipTest("gdb may not trace here")
        return out[1]

    def test_gdb_stops_at_a_line_of_the_script(self):
        out = self.gdb("break tools.goost:3", "run", "bt 2")
        self.assertRegex(out, r"Breakpoint 1, .* tools\.goost:3\n3\t        self\.n = self\.n \+ by\n")
        self.assertRegex(out, r"#0 +Box\.bump \(\) at tools\.goost:3")

    def test_gdb_walks_from_a_helper_through_compiled_code(self):
        out = self.gdb("break gs_c_concat", "run", "bt 3")
        self.assertRegex(out, r"#0 .*gs_c_concat .*\n#1 .* in (show\.loop|show|join) \(\) at tools\.goost:(13|8)\n#2 .* in ")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: jit_tools.py BINARY [unittest's arguments]")
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
