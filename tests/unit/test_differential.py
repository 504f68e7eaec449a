#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Unit tests of differential.py and generate.py: the same seed gives the same program, what differs is found, told by its seed
and made small.

The program under test is a shell script that prints headings and knows braces; --wrong WORD makes it go wrong over a script that
holds the word, with --pairs only when it holds several programs.
"""

import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL = os.path.join(HERE, "..", "differential.py")
GENERATE = os.path.join(HERE, "..", "generate.py")
sys.path.insert(0, os.path.join(HERE, ".."))
sys.dont_write_bytecode = True

import differential  # noqa: E402
import generate      # noqa: E402

PROGRAM = r"""#!/bin/sh
command=$1
shift
wrong=$WRONG
pairs=
while [ $# -gt 1 ]; do
    case $1 in --wrong) wrong=$2 ;; --pairs) pairs=1 ;; esac
    shift
done
if [ "$command" = check ]; then
    [ "$(grep -c '{$' "$1")" = "$(grep -c '^ *}' "$1")" ]
    exit
fi
[ "$pairs" ] && [ "$(grep -c 'println("== ' "$1")" = 1 ] && wrong=
[ -n "$wrong" ] && grep -q "$wrong" "$1" && case $wrong in *hang*) exec sleep 60 ;; *crash*) kill -SEGV $$ ;; *code*) exit 9 ;; esac
grep 'println("== ' "$1" | sed 's/^ *println("//; s/")$//'
if [ -n "$wrong" ]; then grep -c "$wrong" "$1" | sed 's/^0$/right/'; else echo right; fi
exit 0
"""


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.binary = self.write("program", PROGRAM)
        os.chmod(self.binary, 0o755)

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def saved(self, name):
        with open(os.path.join(self.folder.name, "keep", name), encoding="utf-8") as f:
            return f.read()

    def tool(self, *arguments):
        command = [sys.executable, TOOL, "--binary", self.binary, "--keep", os.path.join(self.folder.name, "keep"), "-j", "1", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=self.folder.name)


class Generating(unittest.TestCase):
    def test_a_seed_gives_the_same_program_in_every_process(self):
        texts = set()
        for salt in ("1", "2"):
            texts.add(subprocess.run([sys.executable, GENERATE, "--seed", "40", "--count", "20"], capture_output=True, text=True, check=True,
                                     env={**os.environ, "PYTHONHASHSEED": salt}).stdout)
        self.assertEqual(len(texts), 1)
        self.assertEqual(texts.pop(), generate.script(range(40, 60)))

    def test_a_program_does_not_depend_on_its_neighbours(self):
        self.assertTrue(generate.script([7, 8, 9]).endswith(generate.script([9])[len(generate.PRELUDE):]))
        self.assertIn(generate.Program(8).text(), generate.script([7, 8, 9]))

    def test_seeds_give_different_programs(self):
        self.assertEqual(len({generate.Program(s).text().replace(f"p{s}_", "") for s in range(50)}), 50)

    def test_braces_balance_line_by_line(self):
        """The shrinker relies on it."""
        for seed in range(100):
            lines = generate.Program(seed).text().splitlines()
            opened = sum(x.rstrip().endswith("{") for x in lines)
            closed = sum(x.lstrip().startswith("}") for x in lines)
            self.assertEqual(opened, closed, f"seed {seed}")

    def test_size_makes_programs_longer(self):
        def length(size):
            return sum(len(generate.Program(s, size).lines) for s in range(30))
        self.assertLess(length(8) * 2, length(60))


class Comparing(Folder):
    def test_agreement_is_success(self):
        r = self.tool("--modes=--a; --b", "--count", "25", "--batch", "10")
        self.assertEqual((r.returncode, r.stdout[:36]), (0, "25 of 25 programs in 2 modes, 0 differ,"[:36]), r.stdout)

    def test_a_difference_is_told_by_its_seed(self):
        r = self.tool("--modes=--a; --wrong p13_", "--count", "20", "--batch", "8")
        self.assertEqual(r.returncode, 1)
        self.assertIn("DIFFERENT seed13: `--wrong p13_` ends with code 0", r.stdout)
        self.assertIn("  - right\n", r.stdout)
        self.assertIn("20 of 20 programs in 2 modes, 1 differ", r.stdout)
        self.assertEqual(self.saved("seed13.goost"), generate.script([13], final=False))

    def test_what_no_program_shows_alone_is_told_as_a_batch(self):
        r = self.tool("--modes=--a; --wrong p3_", "--common=--pairs", "--count", "4", "--batch", "4")
        self.assertIn("DIFFERENT seeds1-4:", r.stdout)
        self.assertEqual(self.saved("seeds1-4.goost"), generate.script(range(1, 5)))

    def test_death_exit_code_and_hanging_differ(self):
        file = self.write("x.goost", "println(\"== 1\")\nhang crash code\n")
        self.assertIn("dies by SIGSEGV", self.tool("--modes=--a; --wrong crash", file).stdout)
        self.assertIn("ends with code 9", self.tool("--modes=--a; --wrong code", file).stdout)
        self.assertIn("does not end", self.tool("--modes=--a; --wrong hang", "--timeout", "1", file).stdout)
        self.assertEqual(self.tool("--modes=--a; --b", file).returncode, 0)

    def test_agreeing_in_a_crash_is_no_success(self):
        file = self.write("x.goost", "println(\"== 1\")\ncrash\n")
        self.assertEqual(self.tool("--modes=--wrong crash --a; --wrong crash --b", file).returncode, 1)

    def test_words_before_the_flags_go_into_the_environment(self):
        file = self.write("x.goost", "println(\"== 1\")\nneedle\n")
        self.assertEqual(self.tool("--modes=--a; WRONG=needle --b", file).returncode, 1)

    def test_a_generator_that_makes_nonsense_is_noticed(self):
        other = self.write("silent", "#!/bin/sh\nexit 1\n")
        os.chmod(other, 0o755)
        r = self.tool("--binary", other, "--modes=--a; --b", "--count", "2", "--most", "1")
        self.assertEqual(r.returncode, 1)

    def test_one_mode_is_nothing_to_compare(self):
        self.assertIn("nothing to compare", self.tool("--modes=--a").stderr)


class Shrinking(Folder):
    def test_statements_end_where_their_braces_close(self):
        lines = ["a", "if x {", "b", "} else {", "c", "}", "d"]
        self.assertEqual(differential.statements(lines, 0, 7), [(0, 1), (1, 6), (6, 7)])
        self.assertEqual(differential.parts(lines, 1, 6), [(2, 3), (4, 5)])

    def shrunk(self, text, keeps):
        return differential.Shrinker(text, lambda t: t.count("{\n") == t.count("}") and keeps(t), 60).run()

    def test_only_what_matters_stays(self):
        text = "a\nfn f() {\n    b\n    if x {\n        c\n    } else {\n        needle\n    }\n}\nd\n"
        self.assertEqual(self.shrunk(text, lambda t: "needle" in t).strip(), "needle")
        self.assertEqual(self.shrunk(text, lambda t: "needle" in t and "fn f" in t), "fn f() {\n        needle\n}\n")

    def test_expressions_are_cut(self):
        text = "let x = ((a + needle) * (b - f(2, c)))\nlet y = range(4000)\n"
        self.assertEqual(self.shrunk(text, lambda t: "needle" in t and "let y" in t and "range" in t), "let x = needle\nlet y = range(7)\n")

    def test_a_failing_program_becomes_small(self):
        r = self.tool("--modes=--a; --wrong p13_g0", "--count", "1", "--seed", "13", "--shrink")
        self.assertEqual(r.returncode, 1)
        small = self.saved("seed13.goost")
        self.assertIn("p13_g0", small)
        self.assertLess(len(small.splitlines()), 6, small)

    def test_the_kind_of_the_difference_stays(self):
        file = self.write("x.goost", "a\ncrash\nhang\nb\n")
        r = self.tool("--modes=--a; --wrong crash", "--shrink", file)
        self.assertIn("dies by SIGSEGV", r.stdout)
        self.assertEqual(self.saved("x.goost"), "crash\n")


if __name__ == "__main__":
    unittest.main()
