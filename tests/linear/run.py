#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py [--operations N] [--seeds N] [--first-seed N] [--workers 1,2,8] [--jit on,off] [--timeout SECONDS] [--flag FLAG]... [--only NAME] BINARY

Records histories of channels, locks, the store and atomics, and checks that they are linearizable: each program of this folder with each
number of workers, with and without compiled code, for some seeds; before them, once, the test of the checkers themselves. What went wrong
is printed with the command that did it; a program that hangs gets SIGQUIT first. The exit code is 1 when anything went wrong.
"""

import argparse
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = ["queue", "lock", "store"]
SHOWN = 100  # lines of a failure


def run(command, timeout):
    """(what went wrong or None, output, seconds)"""
    begin = time.monotonic()
    env = {k: v for k, v in os.environ.items() if not k.startswith("LANGOOST_")}
    with subprocess.Popen(command, cwd=HERE, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", errors="replace") as process:
        wrong = None
        try:
            output = process.communicate(timeout=timeout)[0]
        except subprocess.TimeoutExpired:
            wrong = f"took more than {timeout} s"
            process.send_signal(signal.SIGQUIT)
            try:
                output = process.communicate(timeout=10)[0]
            except subprocess.TimeoutExpired:
                process.kill()
                output = process.communicate()[0]
    if wrong is None and process.returncode != 0:
        wrong = f"exit code {process.returncode}" if process.returncode > 0 else f"signal {-process.returncode}"
    if wrong is None and output.count("\n") != 1:
        wrong = "printed more than its result"
    return wrong, output, time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1], usage=__doc__.split("\n\n")[0])
    parser.add_argument("binary")
    parser.add_argument("--operations", help="of a program, about; by default the program's own number")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=int(time.time()) % 1000000)
    parser.add_argument("--workers", default="1,2,8")
    parser.add_argument("--jit", default="on,off")
    parser.add_argument("--timeout", type=float, default=120)
    parser.add_argument("--flag", action="append", default=[], help="for the binary, before the file")
    parser.add_argument("--only", action="append", choices=PROGRAMS + ["selftest"])
    args = parser.parse_args()
    binary = os.path.abspath(args.binary)

    jobs = []
    if args.only is None or "selftest" in args.only:
        jobs.append([binary, "run", *args.flag, "selftest.goost"])
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        for program in PROGRAMS:
            if args.only is not None and program not in args.only:
                continue
            for workers in args.workers.split(","):
                for jit in args.jit.split(","):
                    flags = [f"--workers={workers}", f"--jit={jit}", *args.flag]
                    jobs.append([binary, "run", *flags, f"{program}.goost", *([args.operations] if args.operations else ["0"]), str(seed)])
    failed = 0
    for command in jobs:
        wrong, output, seconds = run(command, args.timeout)
        shown = " ".join(command[1:])
        if wrong is None:
            print(f"{shown}: {output.strip()} ({seconds:.1f} s)", flush=True)
            continue
        failed += 1
        lines = output.splitlines()
        print(f"FAILED {shown}: {wrong}")
        print("\n".join("    " + line for line in lines[:SHOWN]))
        if len(lines) > SHOWN:
            print(f"    ... {len(lines) - SHOWN} lines more")
        sys.stdout.flush()
    print(f"{len(jobs) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
