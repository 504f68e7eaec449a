#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""commands.py [--tsan] BINARY - the commands beside run: what they print and how they end.

ThreadSanitizer keeps a signal back until the thread comes to something that it has instrumented. Compiled code never does, nor a worker that sleeps: with --tsan both are left out.
"""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
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

    @staticmethod
    def environment(**more):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("LANGOOST_")}
        # A process that ends in the middle of its tasks takes its workers with it.
        clean["TSAN_OPTIONS"] = os.environ.get("TSAN_OPTIONS", "") + " report_thread_leaks=0"
        clean["LANGOOST_JIT"] = "off" if TSAN else "on"
        return clean | more

    def langoost(self, *args, stdin=None):
        p = subprocess.run([BINARY, *args], cwd=self.folder, input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                           capture_output=True, text=True, env=self.environment(), timeout=300, check=False)
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
        self.write("sub/a_test.goost", "import near\nimport { test_foreign } from \"near\"\nimport { two } from \"./two.goost\"\nfn test_a() { if near.one() + two() != 3 { throw 1 } }\n")
        self.write("sub/near.goost", "fn one() { return 1 }\nfn test_foreign() { throw 1 }\n")
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


class Repl(Command):
    def repl(self, text, *args):
        """The exit code, what was printed without the prompts, and stderr."""
        code, out, err = self.langoost("repl", *args, stdin=text)
        return code, re.sub(r"^([>.] )+", "", out, flags=re.M).rstrip("\n").splitlines(), err

    def says(self, text, *lines):
        self.assertEqual(self.repl(text), (0, list(lines), ""))

    def test_a_prompt_for_each_line(self):
        self.assertEqual(self.langoost("repl", stdin="1 +\n2\n\nlet x = 1\n"), (0, "> . 3\n> > > \n", ""))
        self.assertEqual(self.langoost("repl"), (0, "> \n", ""))

    def test_values_of_expressions(self):
        self.says('1 + 2\n"text"\n[1, "a", {k: 2.0}]\nnil\ntrue; 7\nlet x = 3\nx\nx += 1\nx\nprintln(x)\nfn f(a) { return a }\nf\n',
                  "3", '"text"', '[1, "a", {k: 2.0}]', "7", "3", "4", "4", "<fn f/1>")

    def test_texts_of_several_lines(self):
        self.says("fn f(a,\n  b) {\n\n  return a +\n    b\n}\nf(1,\n2)\n`one\ntwo`\n/* a\ncomment */ 5\nif true {\n  println(6)\n}\n", "3", '"one\\ntwo"', "5", "6")

    def test_variables_and_functions_may_be_declared_again(self):
        self.says("let x = 1\nfn f() { return x + g() }\nfn g() { return 10 }\nf()\nlet x = 2\nf()\nfn g() { return 20 }\nf()\nx = 3\nf()\nlet f = 5\nf\n",
                  "11", "12", "22", "23", "5")

    def test_classes_constants_and_types(self):
        self.says("class A { fn m() { return 1 } }\nclass B extends A { fn n() { return self.m() + 1 } }\nlet b = B{}\nb.n()\nb is A\n"
                  "class A { fn m() { return 5 } }\nb.n()\nA{}.m()\nconst C = 4\nconst C = C + 1\nC\ntype T = {a: int}\nT{a: 1}\n",
                  "2", "true", "2", "5", "5", "{a: 1}")

    def test_errors_tell_their_line_and_the_session_goes_on(self):
        code, out, err = self.repl("let x = 1\nx.y.z\nlet y = nosuch\n)\nfn f() {\n  throw \"no\"\n}\nf()\nlet z = f()\nz\nx = x +\n\"a\"\nx\n")
        self.assertEqual((code, out), (0, ["1"]))
        self.assertEqual(err, 'repl:2: TypeError: cannot read "y" of int\n  at repl:2 in main\n'
                              'repl:3: undefined variable "nosuch"\n'
                              "repl:4:1: expected statement, got )\n"
                              "repl:6: no\n  at repl:6 in f\n  at repl:8 in main\n"
                              "repl:6: no\n  at repl:6 in f\n  at repl:9 in main\n"
                              'repl:10: NameError: variable "z" has no value yet\n  at repl:10 in main\n'
                              "repl:11: TypeError: cannot add int and string\n  at repl:11 in main\n")

    def test_a_text_that_never_ends(self):
        code, out, err = self.repl("1\nfn f() {\n")
        self.assertEqual((code, out, err), (0, ["1"], "repl:3:1: expected }, got EOF\n"))

    def test_functions_may_name_what_comes_later(self):
        code, out, err = self.repl("fn f() { return later() + 1 }\nf()\nlater = 1\nfn h() { later2 = 1 }\nlater\nfn later() { return 4 }\nf()\nfn k() { return N }\nconst N = 7\nk()\nN = 8\n")
        self.assertEqual((code, out), (0, ["5", "7"]))
        self.assertEqual([x for x in err.splitlines() if not x.startswith("  at")],
                         ['repl:1: NameError: variable "later" has no value yet', 'repl:3: undefined variable "later"', 'repl:4: undefined variable "later2"',
                          'repl:5: undefined variable "later"', 'repl:11: cannot assign to constant "N"'])

    def test_modules(self):
        self.write("m.goost", "println(\"runs\")\nlet n = 1\nfn inc() { n += 1; return n }\n")
        self.write("bad.goost", "let = 1\n")
        code, out, err = self.repl("import math\nmath.sqrt(4)\nimport \"./m.goost\" as m; nosuch\nimport \"./m.goost\" as m\nm.inc()\nimport { inc } from \"./m.goost\"\ninc()\nm.n\n"
                                   "import \"./bad.goost\"\nimport { max as most } from \"math\"\nmost(1, 2)\n")
        self.assertEqual((code, out), (0, ["2.0", "runs", "2", "3", "3", "2"]))
        self.assertEqual(err, 'repl:3: undefined variable "nosuch"\nbad.goost:1:5: expected name, got =\n')

    def test_tasks_see_copies_of_the_session(self):
        self.says("import thread\nlet x = 5\nfn f() { x += 1; return x }\nthread.async.await(thread.async.run(f))\nx\nlet ch = thread.channel.new(1)\n"
                  "thread.async.await(thread.async.run(fn() { return thread.channel.send(ch, x * 2) }))\nthread.channel.recv(ch)\n", "6", "5", "true", "10")

    def test_how_it_ends(self):
        self.assertEqual(self.repl("1\nexit(5)\n2\n")[:2], (5, ["1"]))
        code, out, err = self.repl("import thread\nthread.core.spawn(fn() { thread.core.sleep(20); println(\"late\") })\n")
        self.assertEqual((code, out[-1], err), (0, "late", ""))
        code, _, err = self.repl("import thread\nthread.channel.recv(thread.channel.new())\n1\n")
        self.assertEqual(code, 3)
        self.assertIn("waiting in recv on channel", err)
        self.assertEqual(self.langoost("repl", "x")[0], 2)

    def test_the_program_reads_from_the_same_input(self):
        self.says("import io\nlet s = io.stdin.readLine()\nhello\ns\n", '"hello"')

    def test_hot_code(self):
        self.says("fn fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) }\nfib(20)\nlet s = 0\nfor i in range(100_000) { s += i }\ns\nfn fib(n) { return n }\nfib(20)\n", "6765", "4999950000", "20")


class Terminal(Command):
    """The REPL at a terminal."""

    def setUp(self):
        if not os.path.exists(os.path.join(os.path.dirname(BINARY), "goost_edit.so")):
            self.skipTest("built without libedit")
        super().setUp()
        self.history = os.path.join(self.folder, "history")
        self.start()

    def start(self):
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            env = self.environment(LANGOOST_HISTORY=self.history, TERM="xterm", NO_COLOR="1", LC_ALL="C.UTF-8")
            os.chdir(self.folder)
            os.execve(BINARY, ["langoost", "repl"], env)
        self.addCleanup(self.stop, self.pid, self.fd)
        self.until("> ")

    def stop(self, pid, fd):
        if pid == self.pid and pid != 0:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(fd)

    def until(self, text):
        """Reads until it has seen the text behind what was typed; gives all of that."""
        end = time.monotonic() + 60
        while text not in self.seen:
            if not select.select([self.fd], [], [], end - time.monotonic())[0]:
                self.fail(f"no {text!r} in {self.seen!r}")
            try:
                self.seen += os.read(self.fd, 65536).decode(errors="replace")
            except OSError: # the other end is closed
                self.fail(f"no {text!r} in {self.seen!r}")
        at = self.seen.index(text) + len(text)
        got, self.seen = self.seen[:at], self.seen[at:]
        return got.replace("\r", "")

    def type(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        """The exit code."""
        until = time.monotonic() + 60
        try:
            while select.select([self.fd], [], [], until - time.monotonic())[0] and os.read(self.fd, 65536):
                pass
        except OSError: # it has ended
            pass
        else:
            self.fail("it goes on")
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def test_lines_are_edited(self):
        self.type("1 + 3\x7f2\n")
        self.until("\n3\r\n> ")
        self.type("\"grüße\"\n")
        self.until("\n\"grüße\"\r\n> ")
        self.type("\x04")
        self.assertEqual(self.end(), 0)

    def test_history_lasts(self):
        self.type("40 + 2\n")
        self.until("\n42\r\n> ")
        self.type("\x1b[A\n")
        self.until("\n42\r\n> ")
        self.type("exit(3)\n")
        self.assertEqual(self.end(), 3)
        self.start()
        self.type("\x1b[A\x1b[A\n")
        self.until("\n42\r\n> ")

    def test_ctrl_c_at_the_prompt_drops_the_text(self):
        self.type("let a = (1 +\n")
        self.until(". ")
        self.type("2\x03")
        self.until("^C\r\n> ")
        self.type("5\n")
        self.until("\n5\r\n> ")

    def test_ctrl_c_interrupts_what_runs(self):
        self.type("import thread\n")
        self.until("\n> ")
        for text in "while true { }", "[1].map(fn(x) { while true { } })", "thread.core.sleep(1_000_000)", "thread.channel.recv(thread.channel.new())":
            if TSAN and "thread." in text:
                continue
            with self.subTest(text):
                self.type(f"println(\"begun\"); {text}\n")
                self.until("\nbegun\r\n")
                self.type("\x03")
                self.until("Cancelled")
                self.until("\n> ")
        self.type("1 + 1\n")
        self.until("\n2\r\n> ")

    def test_ctrl_c_ends_what_is_left_when_the_input_is_over(self):
        self.type("import thread; thread.core.spawn(fn() { while true { } }); 8\n")
        self.until("\n8\r\n> ")
        self.type("\x04")
        self.until("\n")
        time.sleep(0.1)
        self.type("\x03")
        self.assertEqual(self.end(), -signal.SIGINT)


if __name__ == "__main__":
    TSAN = sys.argv[1] == "--tsan"
    if TSAN:
        sys.argv.pop(1)
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
