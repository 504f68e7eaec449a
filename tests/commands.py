#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""commands.py BINARY - the commands beside run: what they print and how they end."""

import os
import re
import subprocess
import sys
import tempfile
import unittest


class Command(unittest.TestCase):
    """A folder with files in it, and the program run there."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="goost-test-")
        self.addCleanup(holder.cleanup)
        self.folder = holder.name

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def langoost(self, *args, stdin=None, env=()):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("LANGOOST_")}
        clean.update(env)
        # A process that ends in the middle of its tasks takes its workers with it.
        clean["TSAN_OPTIONS"] = os.environ.get("TSAN_OPTIONS", "") + " report_thread_leaks=0"
        p = subprocess.run([BINARY, *args], cwd=self.folder, input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                           capture_output=True, text=True, env=clean, timeout=300, check=False)
        return p.returncode, p.stdout, p.stderr


class Test(Command):
    def run_tests(self, *args):
        """The exit code, the lines of stdout without their times, and stderr."""
        code, out, err = self.langoost("test", *args)
        return code, re.sub(r" \(\d+\.\d ms\)| in \d+\.\d\d s$", "", out).splitlines(), err

    def test_files_below_the_folder_in_order(self):
        self.write("b_test.goost", "fn test_two() { }\nfn test_one() { }\nfn helper() { throw 1 }\n")
        self.write("a/deep/c_test.goost", "fn test_three() { }\n")
        self.write("a/other.goost", "fn test_none() { throw 1 }\n")
        self.write(".hidden/d_test.goost", "fn test_hidden() { throw 1 }\n")
        self.write("langoost_modules/e_test.goost", "fn test_foreign() { throw 1 }\n")
        os.symlink(".", os.path.join(self.folder, "a", "loop"))
        lines = ["ok   a/deep/c_test.goost test_three", "ok   b_test.goost test_two", "ok   b_test.goost test_one"]
        self.assertEqual(self.run_tests(), (0, lines + ["3 passed, 0 failed"], ""))
        self.assertEqual(self.run_tests("a"), (0, lines[:1] + ["1 passed, 0 failed"], ""))
        self.assertEqual(self.run_tests("b_test.goost", "a/"), (0, lines[1:] + lines[:1] + ["3 passed, 0 failed"], ""))
        self.assertEqual(self.run_tests("--filter", "t_t"), (0, lines[:2] + ["2 passed, 0 failed"], ""))

    def test_each_test_begins_with_a_fresh_top_level(self):
        self.write("a_test.goost", "import assert\nimport runtime\nlet n = 0\n"
                   "fn test_a() { n += 1; assert.eq(n, 1); runtime.core.share(\"k\", n) }\n"
                   "fn test_b() { n += 1; assert.eq(n, 1); assert.eq(runtime.core.fetch(\"k\"), nil) }\n")
        self.assertEqual(self.run_tests()[1][-1], "2 passed, 0 failed")

    def test_modules_are_found_from_the_file(self):
        self.write("sub/a_test.goost", "import near\nimport { two } from \"./two.goost\"\nfn test_a() { if near.one() + two() != 3 { throw 1 } }\n")
        self.write("sub/near.goost", "fn one() { return 1 }\n")
        self.write("sub/two.goost", "fn two() { return 2 }\n")
        self.assertEqual(self.run_tests(), (0, ["ok   sub/a_test.goost test_a", "1 passed, 0 failed"], ""))

    def test_a_failure_tells_its_place(self):
        self.write("a_test.goost", "import assert\n\nfn test_sum() {\n    assert.eq(1 + 1, 3)\n}\nfn test_fine() { println(\"said\") }\n")
        code, out, err = self.run_tests()
        self.assertEqual((code, out), (1, ["FAIL a_test.goost test_sum", "said", "ok   a_test.goost test_fine", "1 passed, 1 failed"]))
        self.assertEqual(err, "a_test.goost:4: AssertionError: expected 3, got 2\n  at a_test.goost:4 in test_sum\n  at a_test.goost:3 in main\n")

    def test_whatever_a_test_does_is_its_own_result(self):
        self.write("a_test.goost", """\
import thread; import runtime
fn test_exit() { exit(5) }
fn test_exit_0() { exit(0) }
fn test_panic() { runtime.panic.throw("enough") }
fn test_deadlock() { thread.channel.recv(thread.channel.new()) }
fn test_task() { thread.core.spawn(fn() { throw "in a task" }) }
fn test_future() { thread.async.run(fn() { throw "never asked for" }) }
fn test_arguments(x) { }
fn test_still_here() { }
""")
        code, out, err = self.run_tests()
        self.assertEqual(code, 1)
        self.assertEqual(out, [
            "FAIL a_test.goost test_exit: ended with code 5",
            "FAIL a_test.goost test_exit_0: exit(0) before its end",
            "FAIL a_test.goost test_panic: ended with code 2",
            "FAIL a_test.goost test_deadlock: ended with code 3",
            "FAIL a_test.goost test_task",
            "FAIL a_test.goost test_future",
            "FAIL a_test.goost test_arguments",
            "ok   a_test.goost test_still_here",
            "1 passed, 7 failed"])
        for text in "enough", "deadlock", "in a task", "never asked for", "expects 1 argument, got 0":
            self.assertIn(text, err)

    def test_one_that_hangs_tells_what_it_did(self):
        self.write("a_test.goost", "fn test_loop() {\n    while true { }\n}\nfn test_next() { }\n")
        code, out, err = self.run_tests("--timeout", "1")
        self.assertEqual((code, out), (1, ["FAIL a_test.goost test_loop: not over after 1 s", "ok   a_test.goost test_next", "1 passed, 1 failed"]))
        self.assertIn("a_test.goost:2 in test_loop", err)

    def test_bad_files_and_folders(self):
        self.write("a_test.goost", "fn test_a( {\n")
        self.write("b_test.goost", "fn test_b() { }\n")
        code, out, err = self.run_tests()
        self.assertEqual((code, out), (1, ["FAIL a_test.goost: does not compile", "ok   b_test.goost test_b", "1 passed, 1 failed"]))
        self.assertIn("a_test.goost:1:", err)
        code, out, err = self.run_tests("nowhere")
        self.assertEqual((code, out, err), (1, ["0 passed, 0 failed"], "langoost: cannot read nowhere: No such file or directory\n"))

    def test_odd_names(self):
        self.write("we ird\"\\q\n_test.goost", "fn test_a() { }\n")
        self.assertEqual(self.run_tests()[1][-1], "1 passed, 0 failed")

    def test_standard_input_is_empty(self):
        self.write("a_test.goost", "import io\nimport assert\nfn test_a() { assert.eq(io.stdin.readLine(), nil) }\n")
        code, out, _ = self.langoost("test", stdin="a line\n")
        self.assertEqual((code, out[-32:].split(" in ")[0].splitlines()[-1]), (0, "1 passed, 0 failed"))

    def test_flags_reach_the_tests(self):
        self.write("a_test.goost", "fn down(n) { return n == 0 ? 0 : 1 + down(n - 1) }\nfn test_a() { down(50_000) }\n")
        self.assertEqual(self.run_tests()[0], 0)
        self.assertIn("StackOverflow", self.run_tests("--stack-limit", "64K")[2])
        code, _, err = self.langoost("test", "--timeout", "0")
        self.assertEqual((code, err), (2, "langoost: --timeout 0: expected a number from 1 to 4096\nTry langoost test --help\n"))


class Bench(Command):
    def test_programs_are_timed_and_their_answers_checked(self):
        code, out, err = self.langoost("bench", "--runs", "2", "hello", "hello_spawn")
        self.assertEqual((code, err), (0, ""))
        lines = out.splitlines()
        self.assertEqual(lines[0].split(), ["ms", "least", "median", "most", "cpu", "MiB"])
        for line, name in zip(lines[1:3], ("hello", "hello_spawn")):
            self.assertRegex(line, rf"^{name}( +\d+\.\d){{5}}$")
        self.assertRegex(lines[3], r"^geometric mean +\d+\.\d$")
        self.assertEqual(len(lines), 4)

    def test_figures_that_a_program_measures_itself_are_shown(self):
        code, out, _ = self.langoost("bench", "--runs", "1", "spawn_globals")
        self.assertEqual(code, 0)
        self.assertRegex(out.splitlines()[2], r"^  loop \d+ ms$")

    def test_one_that_fails_is_said(self):
        code, out, err = self.langoost("bench", "--runs", "2", "--heap-limit", "1M", "binary_trees", "hello")
        self.assertEqual((code, out.splitlines()[1].split(maxsplit=1)), (1, ["binary_trees", "ended with code 1"]))
        self.assertRegex(out.splitlines()[2], r"^hello ")
        self.assertIn("OutOfMemory", err)

    def test_an_unknown_name(self):
        code, out, err = self.langoost("bench", "hello", "helo")
        self.assertEqual((code, out), (2, ""))
        self.assertRegex(err, r"^langoost: there is no benchmark helo; there are array_passed .* hello .* top_loop\n$")


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
