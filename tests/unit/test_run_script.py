#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Unit tests of run_script.py: that it reads the comments as tests/README.md says, and above all that it fails what must fail.

The program under test is a shell script that obeys lines such as `say TEXT`, `err TEXT` and `code N` of its script.
"""

import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
RUNNER = os.path.join(HERE, "..", "run_script.py")
sys.path.insert(0, os.path.join(HERE, ".."))
sys.dont_write_bytecode = True

import run_script  # noqa: E402

PROGRAM = r"""#!/bin/sh
command=$1
shift
flags=
while [ $# -gt 0 ]; do
    case $1 in
    --workers) flags="$flags $2"; shift 2 ;;
    -*) flags="$flags $1"; shift ;;
    *) break ;;
    esac
done
file=$1
shift
code=0
while IFS= read -r line <&3; do
    line=${line%% //*}
    case $line in
    'say '*) printf '%s\n' "${line#say }" ;;
    'err '*) printf '%s\n' "${line#err }" >&2 ;;
    'code '*) code=${line#code } ;;
    args) printf '<%s>' "$@"; echo ;;
    flags) echo "$command$flags" ;;
    cat) cat ;;
    'get '*) eval "echo \$${line#get }" ;;
    tmp) [ -d "$TEST_TMP" ] && echo folder ;;
    sleep) sleep 60 ;;
    abort) kill -ABRT $$ ;;
    esac
done 3<"$file"
exit $code
"""


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.binary = self.write("program", PROGRAM)
        os.chmod(self.binary, 0o755)

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def run_all(self, *options):
        done = subprocess.run(
            [sys.executable, RUNNER, "--binary", self.binary, *options, self.folder.name],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=60, check=False)
        return done.returncode, done.stdout

    def one(self, text, *options):
        """The runner's exit code for one script, and what it printed."""
        self.write("s.goost", text)
        return self.run_all("--mode", "default", *options)

    def passes(self, text, *options):
        code, out = self.one(text, *options)
        self.assertEqual(code, 0, out)
        self.assertIn("\n1 passed, 0 failed\n", "\n" + out)

    def fails(self, text, saying, *options):
        code, out = self.one(text, *options)
        self.assertEqual(code, 1, out)
        self.assertIn("0 passed, 1 failed\n", out)
        self.assertIn(saying, out)
        self.assertIn("s.goost", out)


class Stdout(Folder):
    def test_expected_lines_in_order_pass(self):
        self.passes("say a // expect: a\nsay b\n// expect: b\n")

    def test_another_order_fails(self):
        self.fails("// expect: b\n// expect: a\nsay a\nsay b\n", "stdout differs")

    def test_another_order_passes_when_unordered(self):
        self.passes("// expect: b\n// expect unordered: a\nsay a\nsay b\n")

    def test_unordered_lines_are_counted(self):
        self.fails("// expect unordered: a\n// expect unordered: a\nsay a\nsay b\nsay a\n", "+b")

    def test_a_line_too_many_fails(self):
        self.fails("say a // expect: a\nsay b\n", "+b")

    def test_a_missing_line_fails(self):
        self.fails("say a // expect: a\n// expect: b\n", "-b")

    def test_blanks_at_the_end_do_not_count_but_others_do(self):
        self.passes("say  a  \n// expect:  a \n")
        self.fails("say  a\n// expect: a\n", "stdout differs")

    def test_an_empty_line_can_be_expected(self):
        self.passes("say \n// expect:\n")


class Stderr(Folder):
    def test_error_at_its_line_passes(self):
        self.passes("code 1\nerr s.goost:3: TypeError: no\nx // expect error: TypeError: no\n")

    def test_error_at_another_line_fails(self):
        self.fails("code 1\nerr s.goost:4: TypeError: no\nx // expect error: TypeError: no\n", "s.goost:3: TypeError: no")

    def test_error_must_come_first(self):
        self.fails("code 1\nerr huh\nerr s.goost:4: E: no\nx // expect error: E: no\n", "first line")

    def test_error_wants_exit_code_one(self):
        self.fails("err s.goost:2: E: no\nx // expect error: E: no\n", "exit code 0 instead of 1")

    def test_compile_error_with_and_without_column(self):
        self.passes("code 1\nerr s.goost:3: bad\nx // expect compile error: bad\n")
        self.passes("code 1\nerr s.goost:3:7: bad\nx // expect compile error: bad\n")
        self.fails("code 1\nerr s.goost:3:7: worse\nx // expect compile error: bad\n", "compile error")

    def test_directive_in_a_string_that_never_ends_counts(self):
        self.passes("code 1\nerr s.goost:3:9: bad\nlet s = \"don't // expect compile error: bad\nlet t = 'x'\n")

    def test_warning(self):
        self.passes("// command: check\nerr s.goost:3: warning: odd\nx // expect warning: odd\n")

    def test_some_line_contains_the_text(self):
        self.passes("err one two\n// expect stderr: two\n")
        self.fails("err one\n// expect stderr: two\n", "contains")

    def test_unexpected_stderr_fails(self):
        self.fails("err huh\nsay a // expect: a\n", "should be empty")


class Running(Folder):
    def test_exit_code(self):
        self.passes("code 3 // expect exit: 3\n")
        self.fails("code 3\n// expect exit: 4\n", "exit code 3 instead of 4")
        self.fails("code 3\nsay a // expect: a\n", "exit code 3 instead of 0")

    def test_signal(self):
        self.fails("abort // expect exit: 0\n", "SIGABRT")
        self.passes("abort // expect exit: 134\n")

    def test_hang_is_killed(self):
        self.fails("sleep // timeout: 0.3\n// expect: a\n", "hung")

    def test_flags_args_stdin_env(self):
        self.passes("// flags: --debug\n// args: a 'b c'\nflags\nargs\n// expect: run --debug\n// expect: <a><b c>\n")
        self.passes("cat\n// stdin: one\n// stdin: two\n// expect: one\n// expect: two\n")
        self.passes("get X\n// env: X=y z\n// expect: y z\n")
        self.passes("tmp // expect: folder\n")

    def test_commands_get_no_flags_of_the_mode(self):
        self.write("s.goost", "// command: check\nflags // expect: check\n")
        self.assertEqual(self.run_all("--mode", "w8")[0], 0)

    def test_modes(self):
        self.write("s.goost", "flags\n// expect: run 8 --no-pin\n// modes: w8\n")
        code, out = self.run_all()
        self.assertEqual(code, 0, out)
        self.assertIn("\n1 passed, 0 failed\n", "\n" + out)

    def test_helpers_are_not_run(self):
        for name in ("_a.goost", "_b/a.goost", "langoost_modules/a/a.goost", "sub/_c.goost"):
            self.write(name, "say a\n")
        self.passes("say a // expect: a\n")

    def test_folders_are_searched(self):
        self.write("a/b/s.goost", "say a // expect: b\n")
        self.assertEqual(self.run_all()[0], 1)

    def test_nothing_found_fails(self):
        self.assertEqual(self.run_all()[0], 1)

    def test_script_without_directives_fails(self):
        self.fails('say "// expect: a" /* // expect: a */\n', "no directive")

    def test_only_marked(self):
        self.write("s.goost", "say a\n")
        self.write("t.goost", "say a // expect: a\n// test: yes\n")
        code, out = self.run_all("--mode", "w1", "--marked")
        self.assertEqual(code, 0, out)
        self.assertIn("1 passed", out)


class Reading(unittest.TestCase):
    def read(self, source):
        return list(run_script.directives(source))

    def test_strings_and_block_comments_hide_directives(self):
        self.assertEqual(self.read('"// expect: a" // expect: b\n'), [(1, "expect", "b")])
        self.assertEqual(self.read("'\\'// expect: a'\n/* /* */ // expect: b */ // expect: c"), [(2, "expect", "c")])
        self.assertEqual(self.read('`\n// expect: a\n${f("}`")} ${{a: 1}} // expect: b`\n// expect: c'), [(4, "expect", "c")])

    def test_interpolation_may_hold_a_comment(self):
        self.assertEqual(self.read("`${x // expect: a\n}`\n// expect: b"), [(1, "expect", "a"), (3, "expect", "b")])

    def test_unclosed_backtick_and_block_comment_hide_nothing(self):
        self.assertEqual(self.read("`abc // expect compile error: a\nx"), [(1, "expect compile error", "a")])
        self.assertEqual(self.read("/* // expect compile error: a\n// expect: b"),
                         [(1, "expect compile error", "a"), (2, "expect", "b")])


if __name__ == "__main__":
    unittest.main()
