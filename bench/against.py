# SPDX-License-Identifier: MIT
"""against.py - is any program slower under one set of flags than under another?

Behind `run.py --against=FLAGS`. Programs: the examples, the benchmarks at their usual sizes, and
the golden test scripts that work for 5 ms or more. Each runs in pairs, now one way first and now
the other. A program counts as slower when both its median and its minimum say so, and one that
seems slower is given more pairs until it no longer does or has had SURE times as many.
"""

import fnmatch
import os
import pathlib
import statistics
import sys

BOUND = 1.05      # above this the first is slower
CLEAR = 0.6       # below this after one pair it is faster; no need to see it again
SURE = 4          # times as many pairs for what seems slower
LEAST_CPU = 0.005  # seconds; a test script that works for less says nothing but how we start
SHOWN = 25        # rows of the table, besides those above the bound


class Program:
    """One program and its times under both sets of flags: [(wall s, cpu s)]."""

    def __init__(self, name, argv, cwd, flags=(), env=None):
        self.name, self.argv, self.cwd, self.flags, self.env = name, argv, cwd, list(flags), env
        self.times = ([], [])
        self.codes = set()
        self.failure = None

    def run(self, runner, binary, flags, which):
        """One run, kept under which (0, 1); its times, or None when it failed."""
        argv = [binary, "run", *self.flags, *flags, *self.argv]
        wall, cpu, _, code, late = runner.run(argv, cwd=self.cwd, env=self.env)
        self.codes.add(code)
        if late:
            self.failure = f"no end in {runner.timeout} s"
        elif len(self.codes) > 1:
            self.failure = f"exit codes {sorted(self.codes)}"
        if self.failure:
            return None
        self.times[which].append((wall, cpu))
        return wall, cpu

    def pick(self, statistic, clock, which):
        return statistic([t[clock] for t in self.times[which]])

    def ratio(self, statistic, clock):
        return self.pick(statistic, clock, 0) / max(self.pick(statistic, clock, 1), 1e-9)

    def slower(self, clock):
        return min(self.ratio(statistics.median, clock), self.ratio(min, clock)) > BOUND


def examples(root, folder):
    """All end by themselves; some write files, so they run in a folder that goes away."""
    return [Program(f"examples/{p.stem}", [str(p)], folder)
            for p in sorted((root / "examples").glob("*.goost"))]


def test_scripts(root, folder):
    """Those that run with flags of our choice and without standard input."""
    sys.path.insert(0, str(root / "tests"))
    import run_script
    clean = {k: v for k, v in os.environ.items() if not k.startswith("LANGOOST_")}
    clean["TEST_TMP"] = folder
    programs = []
    for path in run_script.find_scripts([str(root / "tests" / "script")]):
        script = run_script.Script(path)
        modes = [run_script.MODES[m] for m in script.modes or ["default"]]
        modes = [flags for flags in modes if not any(f.startswith("--jit") for f in flags)]
        about_jit = any(f.startswith("--jit") for f in script.flags) or any(
            name.startswith("LANGOOST_JIT") for name in script.env)
        if script.command != "run" or script.stdin is not None or about_jit or not modes:
            continue
        programs.append(Program(
            str(pathlib.Path(path).relative_to(root).with_suffix("")), [script.name, *script.args],
            os.path.dirname(path), [*modes[0], *script.flags], {**clean, **script.env}))
    return programs


def chosen(program, only):
    return not only or any(fnmatch.fnmatch(program.name, g) or
                           fnmatch.fnmatch(program.name.rsplit("/", 1)[1], g) for g in only)


def pair(program, runner, binary, both, odd):
    for which in (1, 0) if odd else (0, 1):
        if not program.run(runner, binary, both[which], which):
            return False
    return True


def measure(program, runner, binary, both, clock, runs):
    """Pairs of runs until enough is known."""
    done = 0
    while done < runs or done < runs * SURE and program.slower(clock):
        if not pair(program, runner, binary, both, done % 2):
            return
        done += 1
        if max(program.ratio(min, 0), program.ratio(min, 1)) < CLEAR:
            return


def works_enough(program, runner, binary, flags):
    """Whether a test script works long enough to be measured. The run itself is not counted."""
    times = program.run(runner, binary, flags, 1)
    program.times[1].clear()
    return program.failure is not None or times[1] >= LEAST_CPU


def row_of(program, clock):
    text = [program.name]
    text += [f"{program.pick(statistics.median, clock, w) * 1000:.1f} ms" for w in (0, 1)]
    text += [f"{program.ratio(statistics.median, clock):.2f}", f"{program.ratio(min, clock):.2f}"]
    text += [f"{program.ratio(min, 1 - clock):.2f}", str(len(program.times[0]))]
    return text + ["*" if program.slower(clock) else ""]


def report(programs, flags, clock, print_rows):
    have = [p for p in programs if p.times[0] and p.times[1] and not p.failure]
    have.sort(key=lambda p: -min(p.ratio(statistics.median, clock), p.ratio(min, clock)))
    slower = [p for p in have if p.slower(clock)]
    names = [" ".join(f) or "as it is" for f in flags]
    clocks = ["clock", "CPU"]
    print(f"\n{len(have)} programs, {names[0]} against {names[1]}, by {clocks[clock]} time; "
          f"{len(slower)} slower by more than {round(BOUND * 100 - 100)} %")
    head = ["", *names, "by median", "by min", f"{clocks[1 - clock]} by min", "pairs", ""]
    print_rows([head, *(row_of(p, clock) for p in have[:max(SHOWN, len(slower))])])
    for p in programs:
        if p.failure:
            print(f"  {p.name}: {p.failure}")


def as_json(programs):
    return {p.name: {"wall_s": [[t[0] for t in p.times[w]] for w in (0, 1)],
                     "cpu_s": [[t[1] for t in p.times[w]] for w in (0, 1)],
                     **({"failure": p.failure} if p.failure else {})} for p in programs}


def compare(root, folder, benchmarks, runner, binary, flags, clock, runs, only, print_rows):
    """Measures all programs under flags[0] and flags[1] and prints the table; the programs."""
    scripts = [Program(f"bench/{name}", [str(path)], folder) for name, path in benchmarks]
    tests = [p for p in test_scripts(root, folder) if chosen(p, only)]
    programs = [p for p in examples(root, folder) + scripts if chosen(p, only)]
    print(f"  {len(tests)} test scripts: which take their time ...", file=sys.stderr, flush=True)
    try:
        programs = [p for p in tests if works_enough(p, runner, binary, flags[1])] + programs
        for i, program in enumerate(programs):
            print(f"  {i + 1}/{len(programs)} {program.name} ...", file=sys.stderr, flush=True)
            if not program.failure:
                measure(program, runner, binary, flags, clock, runs)
    except KeyboardInterrupt:
        print("interrupted: the table holds what was measured", file=sys.stderr)
    report(programs, flags, clock, print_rows)
    return programs
