#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run the benchmark programs beside their peers, check every answer, print a table, write JSON.

    bench/run.py [--binary build/release/langoost] [--runs N] [--only a,b] [--peers lua,go,c]
                 [--flags=--jit=off] [--clock cpu] [--json FILE] [group]
    bench/run.py --against=--jit=off [--flags=...] [--runs N] [--only GLOB,...]

Groups: sequential, peak, concurrency, parallel, startup; all means all but peak, which is the
sequential one again, at sizes that take minutes. A program and its peers run in turns (A B C,
A B C), so that a slow minute of the machine hits all of them. What is timed is the whole process.
With --against, Langoost runs against itself under other flags: against.py says over which programs.
The exit code is 1 when an answer is wrong or a program fails, and never because something is slow.
See README.md for how to read the table.
"""

import argparse
import datetime
import json
import math
import os
import pathlib
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import against

BENCH = pathlib.Path(__file__).resolve().parent
ROOT = BENCH.parent
SCRIPT = BENCH / "script"
BASE = BENCH / "base"
CACHE = ROOT / "build" / "bench"

SUBJECT = "langoost"
PEERS = ["lua", "luajit", "node", "go", "c"]
SEQUENTIAL = [
    "fib", "int_loop", "top_loop", "mandelbrot", "nbody", "spectral_norm", "fannkuch", "sieve",
    "matmul_flat", "matmul_nested", "string_build", "string_map", "quicksort", "method_calls",
    "closures", "binary_trees", "nqueens", "collatz",
]
CONCURRENCY = [
    "spawn_join_1m", "parked_1m", "skynet", "ping_pong", "buffered_1to1", "mpmc_4x4", "ring",
    "prime_sieve", "pool_fib_10k", "fork_fib", "atomic_4", "mutex_4", "rwlock_4", "store_4", "spawn_globals_10",
    "spawn_globals_100000", "captured_array", "captured_object", "array_passed", "pool_tiny",
    "select_4", "timers_100k", "ticker_load",
]
PARALLEL = ["par_mandelbrot", "par_matmul", "par_fib", "pool_fib", "fork_fib"]
STARTUP = ["hello", "hello_spawn"]
# The size given to each program so that C runs 0.5 to 3 s. top_loop stays at 0.2 s: its sum has to
# stay below 2**53, for the peers that count in doubles.
PEAK = {
    "fib": 43, "int_loop": 700_000_000, "mandelbrot": 1200, "nbody": 10_000_000,
    "spectral_norm": 3500, "fannkuch": 11, "sieve": 40, "matmul_flat": 800, "matmul_nested": 800,
    "nqueens": 14, "collatz": 2_000_000, "quicksort": 6_000_000, "closures": 40_000_000,
    "method_calls": 100_000_000, "binary_trees": 18, "string_build": 10_000_000,
    "string_map": 3_000_000, "top_loop": 180_000_000,
}
GROUPS = {"sequential": SEQUENTIAL, "peak": list(PEAK), "concurrency": CONCURRENCY,
          "parallel": PARALLEL, "startup": STARTUP}
# {group: {program: size}}, where it is not the usual one; its answer is in NAME.peak.expect.
SIZES = {"peak": PEAK, "parallel": {"pool_fib": 32, "fork_fib": 30}}
# all leaves them out: they repeat other groups at sizes that take minutes.
LONG = {"peak"}
# Peers of a group where that is not all of them; Lua would take half an hour over peak.
GROUP_PEERS = {"peak": ["luajit", "node", "go", "c"]}

# What compiled code is held to: (peer, programs, their geometric mean of Langoost / peer at most).
# The numeric ones are the first ten of peak, the two matrix multiplications being two of them.
NUMERIC = list(PEAK)[:10]
PROMISED = [name for name in PEAK if name != "top_loop"]
PROMISES = {"peak": [("c", NUMERIC, 2.0), ("go", PROMISED, 1.0), ("luajit", PROMISED, 1.0),
                     ("node", PROMISED, 1.0)]}
# And each program by itself: (group: peers, the ratio to the best of them at most).
EACH_PROMISED = {"peak": (["go", "luajit", "node"], 2.0), "parallel": (["go"], 1.1)}

STARTUP_RUNS = 20
# Filling gigabytes of fresh pages is slow, and its result is a size, not a time.
MAX_RUNS = {"parked_1m": 3}
# Programs whose peak of memory, less that of hello, is divided by this many tasks.
MEMORY_PER = {"parked_1m": 1_000_000}
# Its results are the notes that it prints; the time of the process says nothing.
NOT_IN_MEAN = {"ticker_load"}


class Result:
    """All runs of one contestant in one benchmark."""

    clock = "wall"  # which of the two the table shows

    def __init__(self):
        self.walls = []  # seconds
        self.cpus = []  # seconds of all threads
        self.peaks = []  # KiB
        self.notes = {}  # name -> (unit, [values]), from lines such as "# loop 12 ms"
        self.failure = None  # why it was not run to the end
        self.wrong = False  # the failure is a wrong answer or a crash, not slowness

    def times(self):
        return self.cpus if self.clock == "cpu" else self.walls

    def median(self):
        return statistics.median(self.times()) if self.walls else None

    def best(self):
        return min(self.times()) if self.walls else None

    def peak(self):
        return max(self.peaks) if self.peaks else None

    def fail(self, why, wrong=True):
        self.failure = why
        self.wrong = wrong

    def note(self, name, value, unit):
        self.notes.setdefault(name, (unit, []))[1].append(value)

    def as_json(self):
        out = {"wall_s": self.walls, "cpu_s": self.cpus, "peak_kib": self.peaks}
        if self.walls:
            out["median_s"] = statistics.median(self.walls)
            out["min_s"] = min(self.walls)
        if self.notes:
            out["notes"] = {k: {"unit": u, "values": v} for k, (u, v) in self.notes.items()}
        if self.failure:
            out["failure"] = self.failure
        return out


# --- building -------------------------------------------------------------------------------------


def first_of(*names):
    """The first of these programs that is installed, or None."""
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    return None


def find_tools():
    return {
        "lua": first_of("lua5.4", "lua54", "lua"),
        "luajit": first_of("luajit"),
        "node": first_of("node", "nodejs"),
        "go": first_of("go"),
        "c": first_of("gcc", "cc", "clang"),
    }


def compile_to(target, source, command):
    """Run the compile command unless target is newer than its source."""
    if target.exists() and target.stat().st_mtime > source.stat().st_mtime:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    env = dict(os.environ, GO111MODULE="off")
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"cannot build {source}:\n{done.stderr}")


def build_c(cc, source):
    target = CACHE / "c" / source.stem
    compile_to(target, source, [cc, "-O2", "-std=gnu11", "-o", target, source, "-lm"])
    return target


def build_go(go, source):
    target = CACHE / "go" / source.stem
    compile_to(target, source, [go, "build", "-o", target, source])
    return target


def peer_command(peer, tools, name):
    """How to run this peer's twin of a benchmark; None if there is none."""
    stem = "spawn_globals" if name.startswith("spawn_globals") else name
    suffix = {"lua": ".lua", "luajit": ".lua", "node": ".js", "go": ".go", "c": ".c"}[peer]
    source = BASE / (stem + suffix)
    special = BASE / f"{stem}.luajit.lua"
    if peer == "luajit" and special.exists():
        source = special
    if not source.exists():
        return None
    if peer == "c":
        return [str(build_c(tools["c"], source))]
    if peer == "go":
        return [str(build_go(tools["go"], source))]
    return [tools[peer], str(source)]


def write_globals(folder, name):
    """The spawn_globals program below as many globals of all kinds as its name says."""
    count = int(name.rsplit("_", 1)[1])
    lines = []
    for i in range(count):
        # Assigned twice, so that it is a variable; a constant would be no test.
        kinds = [f"let g{i} = {i}\ng{i} += 1", f"let g{i} = [{i}, {i + 1}]",
                 f"let g{i} = {{id: {i}}}", f'let g{i} = "text {i}"\ng{i} += "!"']
        lines.append(kinds[i % 4])
    path = pathlib.Path(folder) / f"{name}.goost"
    base = (SCRIPT / "spawn_globals.goost").read_text()
    path.write_text("\n".join(lines) + "\n" + base)
    return path


def script_path(folder, name):
    if name.startswith("spawn_globals_"):
        return write_globals(folder, name)
    return SCRIPT / f"{name}.goost"


def expected(name, size=None):
    stem = "spawn_globals" if name.startswith("spawn_globals") else name
    return (SCRIPT / f"{stem}.{'peak.' if size else ''}expect").read_text()


# --- running --------------------------------------------------------------------------------------


class Runner:
    """Starts processes and measures them; through launch.c where there is a C compiler."""

    def __init__(self, cc, folder, timeout):
        self.launch = build_c(cc, BASE / "launch.c") if cc else None
        self.out = pathlib.Path(folder) / "out"
        self.err = pathlib.Path(folder) / "err"
        self.timeout = timeout

    def run(self, argv, cwd=None, env=None):
        """(wall s, cpu s, peak KiB, exit code or -signal, timed out)"""
        argv = [str(a) for a in argv]
        back = os.getcwd()
        os.chdir(cwd or back)
        try:
            return self.by_launcher(argv, env) if self.launch else self.by_wait4(argv, env)
        finally:
            os.chdir(back)

    def by_launcher(self, argv, env):
        head = [str(self.launch), str(self.timeout), str(self.out), str(self.err)]
        done = subprocess.run(head + argv, stdout=subprocess.PIPE, env=env, text=True, check=True)
        wall, cpu, peak, code, sig, late = (int(x) for x in done.stdout.split())
        return wall / 1e9, cpu / 1e9, peak, -sig or code, bool(late)

    def by_wait4(self, argv, env):
        """Without a C compiler: the peak is then never below that of this Python process."""
        late = []
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        actions = [(os.POSIX_SPAWN_OPEN, 1, str(self.out), flags, 0o600),
                   (os.POSIX_SPAWN_OPEN, 2, str(self.err), flags, 0o600)]
        start = time.monotonic()
        pid = os.posix_spawnp(argv[0], argv, env or os.environ, file_actions=actions, setpgroup=0)

        def kill(*_):
            late.append(True)
            os.killpg(pid, signal.SIGKILL)

        signal.signal(signal.SIGALRM, kill)
        signal.alarm(self.timeout)
        _, status, usage = os.wait4(pid, 0)
        signal.alarm(0)
        wall = time.monotonic() - start
        code = os.waitstatus_to_exitcode(status)
        return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, code, bool(late)

    def stdout(self):
        return self.out.read_text(errors="replace")

    def stderr(self):
        return self.err.read_text(errors="replace")


def split_notes(text):
    """The answer, and the notes: lines such as "# loop 12 ms" that are results and no answer."""
    answer, notes = [], []
    for line in text.splitlines():
        if line.startswith("# "):
            name, value, unit = line[2:].split()
            notes.append((name, float(value), unit))
        else:
            answer.append(line)
    return "\n".join(answer), notes


def run_once(runner, argv, want, result):
    """One more run into result; a failed contestant is not run again."""
    if result.failure:
        return
    wall, cpu, peak, code, late = runner.run(argv)
    if late:
        result.fail(f"no end in {runner.timeout} s", wrong=False)
        return
    if code != 0:
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        lines = runner.stderr().strip().splitlines()
        result.fail(f"{how}: {lines[0]}" if lines else how)
        return
    try:
        answer, notes = split_notes(runner.stdout())
    except ValueError:
        answer, notes = runner.stdout(), []
    if answer.strip() != want.strip():
        result.fail(f"wrong answer: {answer.strip()[:120]!r}")
        return
    result.walls.append(wall)
    result.cpus.append(cpu)
    result.peaks.append(peak)
    for name, value, unit in notes:
        result.note(name, value, unit)


def run_benchmark(runner, want, commands, runs):
    """All contestants in turns; {contestant: Result}."""
    results = {who: Result() for who in commands}
    for _ in range(runs):
        for who, argv in commands.items():
            run_once(runner, argv, want, results[who])
    return results


def add_memory(name, results, empty):
    """Bytes for each task, where the benchmark is about that."""
    if name not in MEMORY_PER:
        return
    for who, result in results.items():
        if result.peaks and who in empty:
            each = (result.peak() - empty[who]) * 1024 / MEMORY_PER[name]
            result.note("memory_per_task", round(each), "B")


# --- reporting ------------------------------------------------------------------------------------


def seconds(value):
    if value is None:
        return "-"
    return f"{value * 1000:.1f} ms" if value < 0.1 else f"{value:.3f} s"


def ratio_of(results, peer, time_of=Result.median):
    """Time of the subject divided by that of the peer; None where one of them has no time."""
    if SUBJECT not in results or peer not in results:
        return None
    mine, theirs = time_of(results[SUBJECT]), time_of(results[peer])
    return mine / theirs if mine and theirs else None


def worst_ratio(results, peers, time_of=Result.median):
    """(ratio to the fastest of these peers, its name), or None."""
    ratios = [(ratio_of(results, peer, time_of), peer) for peer in peers]
    return max((r for r in ratios if r[0]), default=None)


def geometric_mean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values)) if values else None


def columns(one, memory):
    """Headings of one contestant's columns."""
    head = [one, "min"] if one == SUBJECT else [one, "ratio"]
    return head + ["MiB"] if memory or one == SUBJECT else head


def cells(results, one, memory):
    """One contestant's columns in the row of one benchmark."""
    r = results.get(one)
    width = len(columns(one, memory))
    if r is None:
        return ["-"] * width
    if r.failure:
        return ["FAILED" if r.wrong else "too slow"] + ["-"] * (width - 1)
    if one == SUBJECT:
        second = seconds(r.best())
    else:
        ratio = ratio_of(results, one)
        second = f"{ratio:.2f}" if ratio else "-"
    return [seconds(r.median()), second, f"{r.peak() / 1024:.1f}"][:width]


def mean_cells(table, one, memory):
    ratios = [ratio_of(results, one) for name, results in table.items() if name not in NOT_IN_MEAN]
    mean = geometric_mean([r for r in ratios if r]) if one != SUBJECT else None
    row = ["", f"{mean:.2f}" if mean else "", ""]
    return row[:len(columns(one, memory))]


def print_rows(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        first = row[0].ljust(widths[0])
        print("  ".join([first] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]).rstrip())


def print_group(group, table, who):
    what = "CPU time of" if Result.clock == "cpu" else "time of"
    print(f"\n{group}: median {what} whole processes; ratio = {SUBJECT} / peer, below 1 is faster")
    who = [w for w in who if any(w in results for results in table.values())]
    memory = group not in ("sequential", "peak")
    rows = [[""] + [h for w in who for h in columns(w, memory)]]
    for name, results in table.items():
        rows.append([name] + [c for w in who for c in cells(results, w, memory)])
    rows.append(["geometric mean"] + [c for w in who for c in mean_cells(table, w, memory)])
    if len(EACH_PROMISED.get(group, ([],))[0]) > 1:
        add_worst(rows, table, *EACH_PROMISED[group])
    print_rows(rows)
    print_notes(table)
    print_promises(group, table)


def add_worst(rows, table, peers, bound):
    """One more column: the ratio to the fastest of these peers, with a star above the bound."""
    rows[0].append("to best")
    rows[-1].append("")
    for row, results in zip(rows[1:], table.values()):
        worst = worst_ratio(results, peers)
        star = "*" if worst and worst[0] > bound else " "
        row.append(f"{worst[0]:.2f} {worst[1]:6} {star}" if worst else "")


def print_promises(group, table):
    """The means that compiled code is held to, by medians and by minima, which noise moves less."""
    rows = []
    for peer, names, bound in PROMISES.get(group, []):
        have = [table[n] for n in names if n in table and ratio_of(table[n], peer)]
        means = [geometric_mean([ratio_of(r, peer, time_of) for r in have])
                 for time_of in (Result.median, Result.best)]
        if have:
            rows.append([f"mean against {peer} over {len(have)} of {len(names)}",
                         *(f"{m:.2f}" for m in means), f"{bound:.1f}"])
    if group in EACH_PROMISED:
        peers, bound = EACH_PROMISED[group]
        for name, results in table.items():
            worst = worst_ratio(results, peers)
            if worst and worst[0] > bound:
                best = worst_ratio(results, peers, Result.best)
                rows.append([f"{name} against {worst[1]}", f"{worst[0]:.2f}", f"{best[0]:.2f}",
                             f"{bound:.1f}"])
    if rows:
        print()
        print_rows([["", "by median", "by min", "wanted"], *rows])


def print_notes(table):
    for name, results in table.items():
        names = sorted({note for r in results.values() for note in r.notes})
        for note in names:
            parts = []
            for who, r in results.items():
                if note in r.notes:
                    unit, values = r.notes[note]
                    parts.append(f"{who} {statistics.median(values):g} {unit}")
            print(f"  {name}, {note}: {', '.join(parts)}")
        for who, r in results.items():
            if r.failure:
                print(f"  {name}, {who}: {r.failure}")


# --- the machine ----------------------------------------------------------------------------------


def version_of(*argv):
    """The first line that a version command prints."""
    try:
        done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    text = (done.stdout or done.stderr).strip()
    return text.splitlines()[0] if text else None


def cpu_model():
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def describe_machine(tools, binary):
    flags = {"lua": ["-v"], "luajit": ["-v"], "node": ["--version"], "go": ["version"],
             "c": ["--version"]}
    versions = {p: version_of(path, *flags[p]) for p, path in tools.items() if path}
    if binary:
        versions[SUBJECT] = version_of(binary, "version")
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": cpu_model(),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "load_average": os.getloadavg(),
        "commit": version_of("git", "-C", ROOT, "describe", "--always", "--dirty"),
        "environment": {k: v for k, v in os.environ.items()
                        if k.startswith("LANGOOST_") or k in ("GOMAXPROCS", "GOGC")},
        "versions": versions,
    }


def print_machine(info):
    print(f"{info['cpu']}, {info['cpus']} usable, {info['memory_mib']} MiB, {info['system']}, "
          f"load {info['load_average'][0]:.2f}")
    for name, version in info["versions"].items():
        print(f"  {name}: {version}")


# --- the program ----------------------------------------------------------------------------------


def parse_args():
    p = argparse.ArgumentParser(description="Benchmarks beside their peers.")
    p.add_argument("group", nargs="?", default="all", choices=[*GROUPS, "all"])
    p.add_argument("--binary", default=str(ROOT / "build" / "release" / "langoost"))
    p.add_argument("--runs", type=int, default=5, help="runs of each program (default 5)")
    p.add_argument("--only", default="", help="only these benchmarks, separated by commas")
    p.add_argument("--peers", help="of " + ",".join(PEERS) + ", or none (in peak all but lua)")
    p.add_argument("--peers-only", action="store_true", help="run the peers alone")
    p.add_argument("--flags", default="", help="flags for langoost run, as --flags='--jit=off'")
    p.add_argument("--against", metavar="FLAGS",
                   help="no peers: langoost under --flags against langoost under these")
    p.add_argument("--clock", choices=["wall", "cpu"], default="wall",
                   help="what the table shows; cpu is steadier on a busy machine")
    p.add_argument("--timeout", type=int, default=300, help="seconds for one run (default 300)")
    p.add_argument("--json", help="where to write the results (default below build/bench)")
    p.add_argument("--list", action="store_true", help="list the benchmarks and stop")
    args = p.parse_args()
    if args.runs < 1 or args.timeout < 1:
        p.error("--runs and --timeout are at least 1")
    return args


def choose(args):
    """{group: [benchmark]} by the command line."""
    groups = {g: names for g, names in GROUPS.items()
              if g == args.group or args.group == "all" and g not in LONG}
    only = [n for n in args.only.split(",") if n]
    unknown = [n for n in only if not any(n in names for names in groups.values())]
    if unknown:
        sys.exit(f"no benchmark called {', '.join(unknown)} in {args.group}; see --list")
    return {g: [n for n in names if not only or n in only] for g, names in groups.items()}


def choose_peers(args, tools):
    default = GROUP_PEERS.get(args.group, PEERS)
    named = default if args.peers is None else args.peers.split(",")
    asked = [p for p in named if p and p != "none"]
    for peer in asked:
        if peer not in PEERS:
            sys.exit(f"no peer called {peer}; there are {', '.join(PEERS)}")
        if not tools[peer]:
            print(f"{peer} is not installed: left out")
    return [p for p in asked if tools[p]]


def find_binary(args):
    if args.peers_only:
        return None
    path = pathlib.Path(args.binary)
    if not path.is_file():
        sys.exit(f"{path} is not there: build it, name another by --binary, or use --peers-only")
    return path.resolve()


def commands_for(name, size, binary, flags, peers, tools, folder):
    """{contestant: argv}, the subject first; without a size each runs at its usual one."""
    commands = {}
    arguments = [str(size)] if size else []
    if binary:
        commands[SUBJECT] = [binary, "run", *flags, script_path(folder, name), *arguments]
    for peer in peers:
        argv = peer_command(peer, tools, name)
        if argv:
            commands[peer] = argv + arguments
    return commands


def measure_empty(runner, binary, flags, peers, tools, folder):
    """Peak KiB of hello for each contestant, the base of the memory for each task."""
    empty = {}
    for who, argv in commands_for("hello", None, binary, flags, peers, tools, folder).items():
        result = Result()
        run_once(runner, argv, expected("hello"), result)
        if result.peaks:
            empty[who] = result.peak()
    return empty


def run_group(group, names, args, runner, binary, peers, tools, folder):
    table = {}
    flags = args.flags.split()
    for name in names:
        size = SIZES.get(group, {}).get(name)
        commands = commands_for(name, size, binary, flags, peers, tools, folder)
        if not commands:
            continue
        runs = STARTUP_RUNS if name in STARTUP else min(args.runs, MAX_RUNS.get(name, args.runs))
        print(f"  {name} ...", file=sys.stderr, flush=True)
        table[name] = run_benchmark(runner, expected(name, size), commands, runs)
        if name in MEMORY_PER:
            empty = measure_empty(runner, binary, flags, peers, tools, folder)
            add_memory(name, table[name], empty)
    return table


def write_json(path, info, args, results):
    path.parent.mkdir(parents=True, exist_ok=True)
    out = {"machine": info, "runs": args.runs, "flags": args.flags, **results}
    path.write_text(json.dumps(out, indent=1) + "\n")
    print(f"\nwritten to {path}")


def tables_as_json(tables):
    return {"groups": {group: {name: {who: r.as_json() for who, r in results.items()}
                               for name, results in table.items()}
                       for group, table in tables.items()}}


def run_against(args, binary):
    """Langoost against itself; the exit code."""
    info = describe_machine({}, binary)
    print_machine(info)
    flags = (args.flags.split(), args.against.split())
    names = [n for group in GROUPS.values() for n in group if n not in NOT_IN_MEAN]
    with tempfile.TemporaryDirectory(prefix="goost-bench-") as folder:
        runner = Runner(find_tools()["c"], folder, args.timeout)
        benchmarks = [(n, script_path(folder, n)) for n in dict.fromkeys(names)]
        programs = against.compare(
            ROOT, folder, benchmarks, runner, binary, flags, int(args.clock == "cpu"), args.runs,
            [g for g in args.only.split(",") if g], print_rows)
    path = pathlib.Path(args.json or CACHE / "against.json")
    write_json(path, info, args, {"against": args.against, "programs": against.as_json(programs)})
    return 1 if any(p.failure for p in programs) else 0


def main():
    args = parse_args()
    Result.clock = args.clock
    if args.against is not None:
        return run_against(args, find_binary(args))
    chosen = choose(args)
    if args.list:
        for group, names in chosen.items():
            print(f"{group}: {' '.join(names)}")
        return 0
    tools = find_tools()
    binary = find_binary(args)
    peers = choose_peers(args, tools)
    info = describe_machine({p: tools[p] for p in peers}, binary)
    print_machine(info)
    tables = {}
    with tempfile.TemporaryDirectory(prefix="goost-bench-") as folder:
        runner = Runner(tools["c"], folder, args.timeout)
        if not runner.launch:
            print("no C compiler: peaks of memory include this Python process")
        for group, names in chosen.items():
            table = run_group(group, names, args, runner, binary, peers, tools, folder)
            if table:
                tables[group] = table
                print_group(group, table, [SUBJECT, *peers])
    write_json(pathlib.Path(args.json or CACHE / f"{args.group}.json"), info, args,
               tables_as_json(tables))
    wrong = [f"{name} ({who})" for table in tables.values() for name, results in table.items()
             for who, r in results.items() if r.wrong]
    if wrong:
        print(f"wrong: {', '.join(wrong)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
