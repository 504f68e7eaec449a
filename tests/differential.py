#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""differential.py - runs random programs in several ways and wants the same bytes from all of them.

    differential.py --binary BINARY [--against BINARY] [--modes='FLAGS; FLAGS'] [--count N] [--seed S] [--shrink]
    differential.py --binary BINARY [--modes=...] [--shrink] FILE...

Problem    A compiler that is right in a thousand tests written by hand is wrong where nobody thought of one.
Design     generate.py makes programs from seeds; a batch of them is one script, so that a process is started once for many. Each
           script runs under every mode; stdout, stderr and exit code of the first are what the others must give, too. When
           a batch differs, its programs run one by one: those that differ alone are reported by their seed, else the whole batch is.
           Every failure is saved as a script. --shrink makes it small: statements are deleted, blocks opened, expressions cut, as
           long as `check` accepts the rest and the difference stays.
Modes      Flags as on the command line; words NAME=VALUE before them go into the environment. Modes are separated by ";", an
           empty one has no flags, the first is the reference. With --against each mode is run with both programs.
Rules      A time-out and a death by a signal are differences, also when all modes agree in them. While shrinking, the kind of
           the difference must stay, and the reference must end and give the same twice: a race is not to be taken for a bug.
"""

import argparse
import concurrent.futures
import os
import re
import resource
import selectors
import shlex
import signal
import subprocess
import sys
import tempfile
import time

import generate

MODES = "--jit=off --workers 1; --jit=off --workers 2; --jit=on --workers 1; --jit=on --workers 2"
COMMON = "--no-pin --stack-limit 4M --heap-limit 512M"  # a runaway recursion ends soon, a runaway array before the machine does
OUTPUT_LIMIT = 32 << 20                                 # bytes of a stream, then the program counts as one that never ends
SHOWN_COLUMNS = 200
SCRIPT = "program.goost"


class Config:
    """A way to run a script."""

    def __init__(self, binary, mode, label=None):
        self.binary, self.label = binary, label or mode or "(no flags)"
        words = shlex.split(mode)
        self.env = {}
        while words and re.match(r"[A-Za-z_][A-Za-z0-9_]*=", words[0]):
            key, _, value = words.pop(0).partition("=")
            self.env[key] = value
        self.flags = words


class Outcome:
    """What a run left. code is None when it did not end in time."""

    def __init__(self, code, out, err, seconds):
        self.code, self.out, self.err, self.seconds = code, out, err, seconds

    def same(self, other):
        return (self.code, self.out, self.err) == (other.code, other.out, other.err)

    def kind(self):
        return "hung" if self.code is None else f"signal {-self.code}" if self.code < 0 else "ended"

    def ending(self):
        if self.code is None:
            return "does not end"
        if self.code < 0:
            return f"dies by {signal.Signals(-self.code).name}"
        return f"ends with code {self.code}"


def execute(argv, folder, env, timeout):
    """Runs it to its end, its time-out or its flood of output."""
    begun = time.monotonic()
    process = subprocess.Popen(argv, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    texts = {process.stdout: [], process.stderr: []}
    sizes = dict.fromkeys(texts, 0)
    hung = False
    with selectors.DefaultSelector() as ready:
        for pipe in texts:
            ready.register(pipe, selectors.EVENT_READ)
        while ready.get_map() and not hung:
            left = begun + timeout - time.monotonic()
            events = ready.select(max(0, left))
            hung = not events and left <= 0
            for key, _ in events:
                data = os.read(key.fd, 1 << 16)
                texts[key.fileobj].append(data)
                sizes[key.fileobj] += len(data)
                hung = hung or sizes[key.fileobj] > OUTPUT_LIMIT
                if not data:
                    ready.unregister(key.fileobj)
    try:
        process.wait(0 if hung else max(1, begun + timeout - time.monotonic()))
    except subprocess.TimeoutExpired:
        hung = True
        process.kill()
        process.wait()
    for pipe in texts:
        pipe.close()
    out, err = (b"".join(t) for t in texts.values())
    return Outcome(None if hung else process.returncode, out, err, time.monotonic() - begun)


class Runner:
    """Runs scripts under configurations, in a folder of its own."""

    def __init__(self, configs, common, timeout):
        self.configs, self.common, self.timeout = configs, shlex.split(common), timeout
        self.folder = tempfile.TemporaryDirectory(prefix="differential")
        self.plain = {k: v for k, v in os.environ.items() if not k.startswith("LANGOOST_")}

    def write(self, text):
        with open(os.path.join(self.folder.name, SCRIPT), "w", encoding="utf-8", errors="surrogateescape", newline="\n") as f:
            f.write(text)

    def run(self, config, timeout=None):
        """Of what was written last."""
        argv = [config.binary, "run", *self.common, *config.flags, SCRIPT]
        return execute(argv, self.folder.name, {**self.plain, **config.env}, timeout or self.timeout)

    def checks(self):
        """Does it compile?"""
        outcome = execute([self.configs[0].binary, "check", SCRIPT], self.folder.name, self.plain, self.timeout)
        return outcome.code == 0

    def difference(self, text, heading=b""):
        """The first configuration that disagrees with the reference, or dies or hangs as it does, and both outcomes; or None.
        A script that does not print its heading did not compile or failed in its declarations: the generator is wrong."""
        self.write(text)
        reference = self.run(self.configs[0])
        if reference.kind() != "ended" or heading not in reference.out:
            return self.configs[0], reference, reference
        for config in self.configs[1:]:
            outcome = self.run(config)
            if not outcome.same(reference):
                return config, reference, outcome
        return None


# --- telling what differs ------------------------------------------------------------------------------------------


def cut(line):
    text = line.decode("utf-8", "backslashreplace")
    return text if len(text) <= SHOWN_COLUMNS else text[:SHOWN_COLUMNS] + "..."


def first_difference(name, want, got):
    """Lines that show where two texts part."""
    if want == got:
        return []
    a, b = want.split(b"\n"), got.split(b"\n")
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    shown = [f"{name}, line {at + 1}:"]
    if at > 0:
        shown.append("    " + cut(a[at - 1]))
    for sign, lines in (("-", a), ("+", b)):
        shown += [f"  {sign} {cut(x)}" for x in lines[at:at + 2]]
    return shown


def describe(reference_label, difference):
    config, want, got = difference
    lines = [f"`{config.label}` {got.ending()}"]
    if got is not want:
        lines[0] += f", `{reference_label}` {want.ending()}"
        lines += first_difference("stdout", want.out, got.out) + first_difference("stderr", want.err, got.err)
    elif got.err:
        lines += ["stderr:"] + ["    " + cut(x) for x in got.err.split(b"\n")[:20]]
    return lines


# --- shrinking -----------------------------------------------------------------------------------------------------


def statements(lines, low, high):
    """The statements of lines[low:high] as (from, to) pairs; one that opens braces reaches to where they close."""
    found, depth, start = [], 0, low
    for i in range(low, high):
        text = lines[i].strip()
        if text.startswith("}"):
            depth -= 1
        if text.endswith("{"):
            depth += 1
        if depth <= 0:
            found.append((start, i + 1))
            start, depth = i + 1, 0
    if start < high:
        found.append((start, high))
    return found


def parts(lines, low, high):
    """The bodies of a compound statement: (from, to) pairs without the lines that hold the braces."""
    found, depth, start = [], 0, low + 1
    for i in range(low, high):
        text = lines[i].strip()
        if text.startswith("}"):
            depth -= 1
            if depth == 0:
                found.append((start, i))
                start = i + 1
        if text.endswith("{"):
            depth += 1
    return found


def expression_cuts(line):
    """Shorter versions of a line: a group in brackets gives way to one of its operands or to a number, a number to its half."""
    opened = []
    for i, c in enumerate(line):
        if c == "(":
            opened.append(i)
        elif c == ")" and opened:
            low = opened.pop()
            inner = line[low + 1:i]
            call = low > 0 and (line[low - 1].isalnum() or line[low - 1] in "_)]")
            start = low
            if call:
                while start > 0 and (line[start - 1].isalnum() or line[start - 1] in "_."):
                    start -= 1
                if line[:start].rstrip().endswith("fn") or line[start:low] in ("fn", ""):
                    continue
            for new in operands(inner) + ["1"]:
                if new != line[start:i + 1]:
                    yield line[:start] + new + line[i + 1:]
    for m in re.finditer(r"(?<![\w.])\d{2,}(?![\w.])", line):
        if len(m.group()) < 19:
            yield line[:m.start()] + str(int(m.group()) // 2) + line[m.end():]


def operands(text):
    """What stands between the outermost blanks of an expression, operators left out."""
    found, depth, start = [], 0, 0
    for i, c in enumerate(text + " "):
        depth += c in "([{"
        depth -= c in ")]}"
        if depth == 0 and c in " ,":
            word = text[start:i]
            if re.search(r"[\w\"]", word):
                found.append(word)
            start = i + 1
    return found


class Shrinker:
    """Makes a script smaller while `keeps` says that it still shows what it showed."""

    def __init__(self, text, keeps, seconds):
        self.lines = text.rstrip("\n").split("\n")
        self.keeps, self.until = keeps, time.monotonic() + seconds
        self.tests = 0

    def text(self, lines=None):
        return "\n".join(self.lines if lines is None else lines) + "\n"

    def attempt(self, lines):
        if time.monotonic() > self.until or lines == self.lines:
            return False
        self.tests += 1
        if not self.keeps(self.text(lines)):
            return False
        self.lines = lines
        return True

    def run(self):
        before = None
        while before != self.lines and time.monotonic() < self.until:
            before = self.lines
            self.delete(0, lambda: len(self.lines))
            self.open_blocks()
            self.cut_expressions()
        return self.text()

    def delete(self, low, high):
        """Deletes statements of a block, big pieces first, then inside those that stay. high is asked anew: the text shrinks."""
        size = len(statements(self.lines, low, high()))
        while size > 0:
            at = 0
            while True:
                found = statements(self.lines, low, high())
                if at >= len(found):
                    break
                last = found[min(at + size, len(found)) - 1][1]
                if not self.attempt(self.lines[:found[at][0]] + self.lines[last:]):
                    at += size
            size //= 2
        at = 0
        while True:
            found = statements(self.lines, low, high())
            if at >= len(found):
                break
            start, end = found[-1 - at]     # from behind, so that what is done does not move
            for i in range(len(parts(self.lines, start, end)) - 1, -1, -1):
                behind = len(self.lines) - end
                inside = parts(self.lines, start, len(self.lines) - behind)
                if i < len(inside):
                    tail = len(self.lines) - inside[i][1]
                    self.delete(inside[i][0], lambda tail=tail: len(self.lines) - tail)
                    end = len(self.lines) - behind
            at += 1

    def open_blocks(self):
        """Puts the body of a block in its place; drops its other arms."""
        i = 0
        while i < len(self.lines):
            text = self.lines[i].strip()
            if text.endswith("{") and not text.startswith("}"):
                start, end = next(s for s in statements(self.lines, i, len(self.lines)))
                bodies = parts(self.lines, start, end)
                done = any(self.attempt(self.lines[:start] + self.lines[a:b] + self.lines[end:]) for a, b in bodies) or \
                    len(bodies) > 1 and any(self.attempt(self.lines[:a - 1] + self.lines[b:]) for a, b in bodies[1:])
                if done:
                    continue
            i += 1

    def cut_expressions(self):
        i = 0
        while i < len(self.lines):
            for line in expression_cuts(self.lines[i]):
                if self.attempt(self.lines[:i] + [line] + self.lines[i + 1:]):
                    break
            else:
                i += 1


def shrink(runner, text, difference, seconds):
    """The smallest script found that differs in the same way."""
    config, want, got = difference
    reference = runner.configs[0]
    hang = got.kind() == "hung"
    limit = min(runner.timeout, max(2.0, 10 * max(want.seconds, 0 if hang else got.seconds)))

    def keeps(candidate):
        runner.write(candidate)
        if not runner.checks():
            return False
        a = runner.run(reference, limit)
        if a.kind() != want.kind():
            return False
        if config is reference:
            return True
        b = runner.run(config, limit)
        if b.same(a) or b.kind() != got.kind() or (b.code == a.code) != (got.code == want.code):
            return False
        return runner.run(reference, limit).same(a)

    if not keeps(text):
        return None
    return Shrinker(text, keeps, seconds).run()


# --- programs ------------------------------------------------------------------------------------------------------

runner = None       # of this process
settings = None


def prepare(options, configs):
    global runner, settings
    settings = options
    runner = Runner(configs, options.common, options.timeout)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def failure(name, text, difference):
    """What to tell of a script that differs."""
    lines = describe(runner.configs[0].label, difference)
    if settings.shrink:
        small = shrink(runner, text, difference, settings.shrink_seconds)
        if small is None:
            lines.append("it does not differ each time: not shrunk")
        else:
            lines += describe(runner.configs[0].label, runner.difference(small) or difference)[:6] if small != text else []
            text = small
    return name, lines, text


def try_batch(seeds):
    """Failures of a batch: (name, lines, text) each."""
    size, work = settings.size, settings.work
    text = generate.script(seeds, size, work)
    difference = runner.difference(text, b"== %d\n" % seeds[-1])
    if not difference:
        return []
    found = []
    if len(seeds) > 1:
        for seed in seeds:
            alone = generate.script([seed], size, work, final=seed == seeds[-1])
            one = runner.difference(alone, b"== %d\n" % seed)
            if one:
                found.append(failure(f"seed{seed}", alone, one))
    return found or [failure(f"seeds{seeds[0]}-{seeds[-1]}" if len(seeds) > 1 else f"seed{seeds[0]}", text, difference)]


def try_file(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        text = f.read()
    difference = runner.difference(text)
    return [failure(os.path.splitext(os.path.basename(path))[0], text, difference)] if difference else []


def configurations(options):
    modes = [m.strip() for m in re.split("[;|]", options.modes.rstrip(";|"))]
    binaries = [options.binary] + ([options.against] if options.against else [])
    configs = []
    for binary in binaries:
        if not os.access(binary, os.X_OK):
            sys.exit(f"differential.py: cannot run {binary}")
        for mode in modes:
            label = f"{'A B'.split()[len(configs) // len(modes)]}: {mode}".rstrip() if options.against else mode
            configs.append(Config(os.path.abspath(binary), mode, label))
    if len(configs) < 2:
        sys.exit("differential.py: nothing to compare with: give two modes or --against")
    return configs


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--binary", required=True, help="the program; its first mode is the reference")
    parser.add_argument("--against", help="another build of it, run in the same modes")
    parser.add_argument("--modes", default=None, help=f"flags, separated by semicolons ({MODES}; one worker with --against)")
    parser.add_argument("--common", default=COMMON, help="flags for all runs (%(default)s)")
    parser.add_argument("--count", type=int, default=1000, metavar="N", help="programs (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the first program (%(default)s)")
    parser.add_argument("--size", type=int, default=30, help="about the statements of a program (%(default)s)")
    parser.add_argument("--work", type=float, default=1.0, metavar="F", help="multiplies how long they run (%(default)s)")
    parser.add_argument("--batch", type=int, default=20, metavar="N", help="programs in one script (%(default)s)")
    parser.add_argument("-j", type=int, default=os.cpu_count(), metavar="N", help="scripts run at a time")
    parser.add_argument("--timeout", type=float, default=30.0, metavar="SECONDS", help="of a run (%(default)s)")
    parser.add_argument("--keep", default="differences", metavar="DIR", help="where failures are saved (%(default)s)")
    parser.add_argument("--shrink", action="store_true", help="save them small")
    parser.add_argument("--shrink-seconds", type=float, default=120.0, metavar="S", help="for one failure (%(default)s)")
    parser.add_argument("--most", type=int, default=10, metavar="N", help="failures after which it stops (%(default)s)")
    parser.add_argument("files", nargs="*", metavar="FILE", help="scripts to run instead of generated ones")
    options = parser.parse_args()
    if options.modes is None:
        options.modes = "--workers 1" if options.against else MODES
    return options


def main():
    options = arguments()
    configs = configurations(options)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if options.files:
        work, jobs = try_file, [[os.path.abspath(f)] for f in options.files]
        jobs = [f[0] for f in jobs]
    else:
        ends = options.seed + options.count
        work, jobs = try_batch, [range(s, min(s + options.batch, ends)) for s in range(options.seed, ends, options.batch)]
    begun = time.monotonic()
    done = failed = 0
    total = len(jobs) if options.files else options.count
    with concurrent.futures.ProcessPoolExecutor(max(1, options.j), initializer=prepare, initargs=(options, configs)) as pool:
        try:
            waiting = iter(jobs)
            running = {}
            while failed < options.most:
                while len(running) < 2 * max(1, options.j):     # few at a time, so that it can stop soon
                    job = next(waiting, None)
                    if job is None:
                        break
                    running[pool.submit(work, job)] = 1 if options.files else len(job)
                if not running:
                    break
                ended, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in ended:
                    done += running.pop(future)
                    for name, lines, text in future.result():
                        failed += 1
                        report(options, name, lines, text)
                if sys.stderr.isatty():
                    rate = done / (time.monotonic() - begun)
                    print(f"\r\033[K{done} of {total}, {failed} differ, {rate:.0f} a second", end="", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            print("\rstopped", file=sys.stderr)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    seconds = time.monotonic() - begun
    print(f"{done} of {total} programs in {len(configs)} modes, {failed} differ, {seconds:.1f} s")
    return 1 if failed or done < total else 0


def report(options, name, lines, text):
    os.makedirs(options.keep, exist_ok=True)
    path = os.path.join(options.keep, name + ".goost")
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as f:
        f.write(text)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    print(f"DIFFERENT {name}: {lines[0]}")
    for line in lines[1:]:
        print("    " + line)
    print(f"    saved as {path}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
