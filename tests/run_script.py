#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run_script.py - runs golden scripts: programs whose comments say what they must print.

    run_script.py --binary BINARY [--mode w1,w8] [-j N] [--filter GLOB] DIR|FILE...

The directives are listed in tests/README.md. A script is run as `BINARY COMMAND FLAGS FILE ARGS` in its own folder, under its
bare name. Files and folders whose names start with "_", and folders called langoost_modules, are helpers and are not run.
Failures are printed with a difference; the last line is "N passed, N failed", and the exit code is 1 when any failed.
"""

import argparse
import collections
import concurrent.futures
import difflib
import fnmatch
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

MODES = {
    "default": [],
    "w1": ["--workers", "1"],
    "w2": ["--workers", "2"],
    "w8": ["--workers", "8", "--no-pin"],
    "off": ["--jit", "off"],
    "eager": ["--jit", "eager", "--workers", "2"],
    "hot": ["--jit-threshold", "1", "--workers", "2"],
    "stress": ["--jit", "eager", "--jit-stress", "--workers", "2"],
    "leave": ["--jit", "eager", "--jit-stress=1", "--workers", "2"],
    "remake": ["--jit-threshold", "1", "--jit-remake", "--workers", "2"],
}
DEFAULT_TIMEOUT = 30.0
OUTPUT_LIMIT = 64 << 20  # bytes a script may write to a file, stdout included: an endless loop must not fill the disk
SHOWN_LINES = 60         # of a difference, and of an unexpected stderr
SHOWN_COLUMNS = 300

DIRECTIVE = re.compile(
    r"//[ \t]*(expect unordered|expect compile error|expect error|expect warning|expect stderr|expect exit|expect"
    r"|flags|args|stdin|command|modes|timeout|env|test):(?:[ ]|$)?(.*)$")


class BadScript(Exception):
    """The directives of a script make no sense."""


class Script:
    """What one script asks for."""

    def __init__(self, path):
        self.path = path
        self.name = os.path.basename(path)
        self.stdout = []        # expected lines, in source order
        self.unordered = False
        self.error = None       # (line, text)
        self.compile_errors = []
        self.warnings = []
        self.stderr = []        # texts that some line must contain
        self.exit = None
        self.flags = []
        self.args = []
        self.stdin = None
        self.command = "run"
        self.modes = None
        self.timeout = DEFAULT_TIMEOUT
        self.env = {}
        self.marked = False
        self._read()

    def _read(self):
        with open(self.path, "r", encoding="utf-8", errors="surrogateescape", newline="\n") as f:
            source = f.read()
        seen = 0
        for number, key, text in directives(source):
            seen += key != "test"
            self._take(number, key, text)
        if not seen:
            raise BadScript("no directive at all: what should it print?")
        if self.exit is None:
            self.exit = 1 if self.error or self.compile_errors else 0

    def _take(self, line, key, text):
        if key == "expect":
            self.stdout.append(text)
        elif key == "expect unordered":
            self.stdout.append(text)
            self.unordered = True
        elif key == "expect error":
            if self.error:
                raise BadScript(f"line {line}: a second `expect error`")
            self.error = (line, text)
        elif key == "expect compile error":
            self.compile_errors.append((line, text))
        elif key == "expect warning":
            self.warnings.append((line, text))
        elif key == "expect stderr":
            self.stderr.append(text)
        elif key == "expect exit":
            self.exit = number_of(int, text, line)
        elif key == "flags":
            self.flags += shlex.split(text)
        elif key == "args":
            self.args += shlex.split(text)
        elif key == "stdin":
            self.stdin = (self.stdin or "") + text + "\n"
        elif key == "command":
            self.command = text
        elif key == "modes":
            self.modes = (self.modes or []) + re.split(r"[\s,]+", text)
            for mode in self.modes:
                if mode not in MODES:
                    raise BadScript(f"line {line}: no mode {mode}; there are {' '.join(MODES)}")
        elif key == "timeout":
            self.timeout = number_of(float, text, line)
        elif key == "env":
            name, equals, value = text.partition("=")
            if not equals:
                raise BadScript(f"line {line}: env wants NAME=VALUE")
            self.env[name] = value
        elif key == "test":
            self.marked = text == "yes"

    def runs_in(self, mode):
        return self.modes is None or mode in self.modes


def number_of(kind, text, line):
    try:
        return kind(text)
    except ValueError:
        raise BadScript(f"line {line}: not a number: {text}") from None


def comment_starts(source):
    """Offsets of the `//` that begin comments, and the offset from which on the text is hopeless (a string or a block
    comment that never ends: such scripts test the lexer), or None."""
    starts = []
    i, n = 0, len(source)
    braces = []  # open ${ of backtick strings: the depth of { inside each

    def backtick(i):
        """From behind a backtick, or behind the } of an interpolation: to behind its end or its next ${."""
        while i < n:
            if source[i] == "\\":
                i += 2
            elif source[i] == "`":
                return i + 1
            elif source.startswith("${", i):
                braces.append(0)
                return i + 2
            else:
                i += 1
        return None

    while i < n:
        c = source[i]
        if source.startswith("//", i):
            starts.append(i)
            i = source.find("\n", i)
            if i < 0:
                break
        elif source.startswith("/*", i):
            begin, depth = i, 1
            i += 2
            while depth and i < n:
                if source.startswith("/*", i):
                    depth, i = depth + 1, i + 2
                elif source.startswith("*/", i):
                    depth, i = depth - 1, i + 2
                else:
                    i += 1
            if depth:
                return starts, begin
        elif c in "\"'":
            begin = i
            i += 1
            while i < n and source[i] not in (c, "\n"):
                i += 2 if source[i] == "\\" and source[i + 1:i + 2] != "\n" else 1
            if i >= n or source[i] == "\n":  # never closed: a directive behind it still counts
                inside = DIRECTIVE.search(source[begin:i])
                if inside:
                    starts.append(begin + inside.start())
            else:
                i += 1
        elif c == "`":
            begin = i
            i = backtick(i + 1)
            if i is None:
                return starts, begin
        elif c == "{" and braces:
            braces[-1] += 1
            i += 1
        elif c == "}" and braces:
            i += 1
            if braces[-1]:
                braces[-1] -= 1
            else:
                begin = i
                braces.pop()
                i = backtick(i)
                if i is None:
                    return starts, begin
        else:
            i += 1
    return starts, None


def directives(source):
    """Yields (line number, key, text) in source order; at most one a line."""
    starts, hopeless = comment_starts(source)
    if hopeless is not None:
        offset = hopeless
        for text in source[hopeless:].splitlines(keepends=True):
            found = DIRECTIVE.search(text.rstrip("\r\n"))
            if found:
                starts.append(offset + found.start())
            offset += len(text)
    line, last = 1, 0
    for start in starts:
        line += source.count("\n", last, start)
        last = start
        end = source.find("\n", start)
        found = DIRECTIVE.match(source[start:] if end < 0 else source[start:end])
        if found:
            yield line, found.group(1), found.group(2).rstrip()


class Outcome:
    """What one run did."""

    def __init__(self, code, stdout, stderr, hung, seconds):
        self.code, self.stdout, self.stderr, self.hung, self.seconds = code, stdout, stderr, hung, seconds


def kill_group(process, sig):
    try:
        os.killpg(process.pid, sig)
    except ProcessLookupError:
        pass


def execute(binary, script, mode, slowness):
    flags = MODES[mode] if script.command == "run" else []
    command = [binary, *shlex.split(script.command), *flags, *script.flags, script.name, *script.args]
    folder = tempfile.mkdtemp(prefix="goost-test-")
    env = {k: v for k, v in os.environ.items() if not k.startswith("LANGOOST_")}
    env.update(script.env, TEST_TMP=folder)
    begun = time.monotonic()
    try:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as inp:
            if script.stdin is not None:
                inp.write(script.stdin.encode("utf-8", "surrogateescape"))
                inp.seek(0)
            process = subprocess.Popen(
                command, cwd=os.path.dirname(script.path) or ".", env=env, stdout=out, stderr=err,
                stdin=inp if script.stdin is not None else subprocess.DEVNULL, start_new_session=True)
            hung = False
            try:
                process.wait(script.timeout * slowness)
            except subprocess.TimeoutExpired:
                hung = True
                kill_group(process, signal.SIGQUIT)  # has the runtime print where its tasks are
                try:
                    process.wait(2)
                except subprocess.TimeoutExpired:
                    pass
            kill_group(process, signal.SIGKILL)
            process.wait()
            out.seek(0)
            err.seek(0)
            return Outcome(process.returncode, text_of(out), text_of(err), hung, time.monotonic() - begun)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def text_of(file):
    return file.read().decode("utf-8", "backslashreplace")


def lines_of(text):
    """Lines without trailing blanks: expectations cannot hold any."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line.rstrip() for line in lines]


def shown(lines):
    more = len(lines) - SHOWN_LINES
    cut = [x if len(x) <= SHOWN_COLUMNS else x[:SHOWN_COLUMNS] + " ..." for x in lines[:SHOWN_LINES]]
    return cut if more <= 0 else cut + [f"  ... {more} more lines"]


def describe_code(code):
    if code < 0:
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"killed by signal {-code}"
    return f"exit code {code}"


def stdout_problems(script, outcome):
    got = lines_of(outcome.stdout)
    if script.unordered:
        want_count, got_count = collections.Counter(script.stdout), collections.Counter(got)
        if want_count == got_count:
            return []
        lost = sorted((want_count - got_count).elements())
        extra = sorted((got_count - want_count).elements())
        return ["stdout differs (in any order):"] + shown(["  -" + x for x in lost] + ["  +" + x for x in extra])
    if got == script.stdout:
        return []
    enough = len(script.stdout) + 10 * SHOWN_LINES  # a flood is not worth comparing to its end
    diff = difflib.unified_diff(script.stdout, got[:enough], "expected", "printed", n=2, lineterm="")
    cut = [f"({len(got)} lines printed)"] if len(got) > enough else []
    return ["stdout differs:"] + shown(["  " + x for x in diff]) + cut


def has_message(lines, name, line, kinds, text):
    """A line `NAME:LINE: text` or `NAME:LINE:COL: text`, with one of kinds ("warning: ", "") before the text."""
    pattern = re.compile(rf"{re.escape(name)}:{line}(?::\d+)?: (?:{'|'.join(kinds)}){re.escape(text)}")
    return any(pattern.fullmatch(x) for x in lines)


def stderr_problems(script, outcome):
    got = lines_of(outcome.stderr)
    problems = []
    if script.error:
        line, text = script.error
        want = f"{script.name}:{line}: {text}"
        if not got or got[0] != want:
            problems.append("the first line of stderr should be:")
            problems.append("  " + want)
    for line, text in script.compile_errors:
        if not has_message(got, script.name, line, [""], text):
            problems.append(f"stderr lacks the compile error:")
            problems.append(f"  {script.name}:{line}: {text}")
    for line, text in script.warnings:
        if not has_message(got + lines_of(outcome.stdout), script.name, line, ["warning: ", ""], text):
            problems.append(f"the warning is missing:")
            problems.append(f"  {script.name}:{line}: warning: {text}")
    for text in script.stderr:
        if not any(text in x for x in got):
            problems.append(f"no line of stderr contains:")
            problems.append("  " + text)
    spoken_of = script.error or script.compile_errors or script.warnings or script.stderr
    if got and not spoken_of:
        problems.append("stderr should be empty")
    return problems


def judge(script, outcome):
    """What is wrong with an outcome, as lines; empty when nothing is."""
    problems = []
    if outcome.hung:
        problems.append(f"hung: killed after {outcome.seconds:.0f} s")
    elif outcome.code != script.exit and not (outcome.code < 0 and 128 - outcome.code == script.exit):
        problems.append(f"{describe_code(outcome.code)} instead of {script.exit}")
    on_stderr = stderr_problems(script, outcome)
    problems += stdout_problems(script, outcome) + on_stderr
    if outcome.stderr and (problems or on_stderr):
        problems += ["stderr was:"] + shown(["  " + x for x in lines_of(outcome.stderr)])
    return problems


def find_scripts(roots):
    for root in roots:
        if os.path.isfile(root):
            yield root
            continue
        if not os.path.isdir(root):
            sys.exit(f"run_script.py: no such file or folder: {root}")
        for folder, folders, files in os.walk(root):
            folders[:] = sorted(f for f in folders if not f.startswith(("_", ".")) and f != "langoost_modules")
            for file in sorted(files):
                if file.endswith(".goost") and not file.startswith("_"):
                    yield os.path.join(folder, file)


def chosen(path, globs):
    if not globs:
        return True
    relative = os.path.relpath(path)
    return any(fnmatch.fnmatch(relative, g) or fnmatch.fnmatch(relative, "*/" + g) or
               fnmatch.fnmatch(os.path.basename(path), g) or
               fnmatch.fnmatch(os.path.splitext(os.path.basename(path))[0], g) for g in globs)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--binary", required=True, help="the program")
    parser.add_argument("--mode", default=",".join(MODES), help="comma-separated; all of: %(default)s")
    parser.add_argument("-j", type=int, default=os.cpu_count(), metavar="N", help="scripts run at a time")
    parser.add_argument("--filter", action="append", metavar="GLOB", help="only these scripts (name, stem or path)")
    parser.add_argument("--marked", action="store_true", help="only scripts that say `// test: yes`")
    parser.add_argument("--slowness", type=float, default=1.0, metavar="F", help="multiplies the time limits")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="run each N times")
    parser.add_argument("--fail-fast", action="store_true", help="stop at the first failure")
    parser.add_argument("-v", action="store_true", help="name the scripts that pass, with their times")
    parser.add_argument("paths", nargs="+", metavar="DIR|FILE")
    options = parser.parse_args()

    binary = os.path.abspath(options.binary)
    if not os.access(binary, os.X_OK):
        sys.exit(f"run_script.py: cannot run {binary}")
    modes = options.mode.split(",")
    for mode in modes:
        if mode not in MODES:
            sys.exit(f"run_script.py: no mode {mode}; there are {' '.join(MODES)}")
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT_LIMIT, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

    passed = failed = skipped = found = 0

    def report(path, mode, problems):
        print(f"FAIL {os.path.relpath(path)}{f' [{mode}]' if mode else ''}")
        for line in problems:
            print("    " + line)
        sys.stdout.flush()

    jobs = []
    for path in find_scripts(options.paths):
        if not chosen(path, options.filter):
            continue
        try:
            script = Script(os.path.abspath(path))
        except (BadScript, OSError) as e:
            if options.marked and isinstance(e, BadScript):
                continue
            found += 1
            failed += 1
            report(path, None, [str(e)])
            continue
        if options.marked and not script.marked:
            continue
        found += 1
        for mode in modes:
            if script.runs_in(mode):
                jobs += [(script, mode)] * options.repeat
            else:
                skipped += 1

    with concurrent.futures.ThreadPoolExecutor(max(1, options.j)) as pool:
        running = {pool.submit(execute, binary, s, m, options.slowness): (s, m) for s, m in jobs}
        try:
            for future in concurrent.futures.as_completed(running):
                script, mode = running[future]
                outcome = future.result()
                problems = judge(script, outcome)
                if problems:
                    failed += 1
                    report(script.path, mode, problems)
                    if options.fail_fast:
                        pool.shutdown(wait=True, cancel_futures=True)
                        break
                else:
                    passed += 1
                    if options.v:
                        print(f"ok   {os.path.relpath(script.path)} [{mode}] {outcome.seconds * 1e3:.0f} ms")
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise

    if skipped:
        print(f"{skipped} left out by `// modes:`")
    if not found:
        print("no scripts found")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not (found or options.marked) else 0


if __name__ == "__main__":
    sys.exit(main())
