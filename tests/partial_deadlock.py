#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""partial_deadlock.py [--every N] BINARY - tasks that nobody can wake are told of while others go on, and no others ever.

Each way to be blocked for good meets each thing that a program may be doing meanwhile: all must be reported, each task once.
Then each way to wait meets each way in which somebody may still have the handle: none may be reported. With --every N one program
of N is run.
"""

import argparse
import concurrent.futures
import itertools
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import threading

def both(kind, second):
    """A task takes a, and when another has taken b, wants b, too."""
    return f"""
        fn both(a, b, met) {{
            thread.{kind}.lock(a)
            thread.barrier.wait(met)
            thread.{kind}.{second}(b)
        }}"""


# fn stuck() leaves so many tasks blocked for good, itself perhaps among them.
STUCK = {
    "recv": (1, "fn stuck() { thread.channel.recv(thread.channel.new(0)) }"),
    "send": (1, "fn stuck() { thread.channel.send(thread.channel.new(0), 1) }"),
    "full_buffer": (1, """
        fn stuck() {
            let c = thread.channel.new(1)
            thread.channel.send(c, 1)
            thread.channel.send(c, 2)
        }"""),
    "iteration": (1, "fn stuck() { for x in thread.channel.new(2) { println(x) } }"),
    "select": (1, "fn stuck() { thread.channel.select([[thread.channel.new(0)], [thread.channel.new(0), 1]]) }"),
    "waitgroup": (1, "fn stuck() { thread.waitgroup.wait(thread.waitgroup.new(1)) }"),
    "semaphore": (1, "fn stuck() { thread.semaphore.acquire(thread.semaphore.new(0)) }"),
    "barrier": (2, """
        fn arrive(b) { thread.barrier.wait(b) }
        fn stuck() {
            let b = thread.barrier.new(3)
            thread.core.spawn(arrive, b)
            arrive(b)
        }"""),
    "two_mutexes": (2, both("mutex", "lock") + """
        fn stuck() {
            let a = thread.mutex.new()
            let b = thread.mutex.new()
            let met = thread.barrier.new(2)
            thread.core.spawn(both, a, b, met)
            both(b, a, met)
        }"""),
    "two_rwlocks": (2, both("rwlock", "rlock") + """
        fn stuck() {
            let a = thread.rwlock.new()
            let b = thread.rwlock.new()
            let met = thread.barrier.new(2)
            thread.core.spawn(both, a, b, met)
            both(b, a, met)
        }"""),
    # main has handles of the mutexes, but cannot unlock them
    "mutexes_of_main": (2, both("mutex", "lock") + """
        let a = thread.mutex.new()
        let b = thread.mutex.new()
        let met = thread.barrier.new(2)
        fn stuck() {
            thread.core.spawn(both, a, b, met)
            both(b, a, met)
        }"""),
    "holder_is_stuck": (2, """
        fn hold(m, ready) {
            thread.mutex.lock(m)
            thread.waitgroup.done(ready)
            thread.channel.recv(thread.channel.new(0))
        }
        fn stuck() {
            let m = thread.mutex.new()
            let ready = thread.waitgroup.new(1)
            thread.core.spawn(hold, m, ready)
            thread.waitgroup.wait(ready)
            thread.mutex.lock(m)
        }"""),
    "join_chain": (3, """
        fn last() { thread.channel.recv(thread.channel.new(0)) }
        fn middle() { thread.core.join(thread.core.spawn(last)) }
        fn stuck() { thread.core.join(thread.core.spawn(middle)) }"""),
    "join_each_other": (2, """
        fn other(c) { thread.core.join(thread.channel.recv(c)) }
        fn stuck() {
            let c = thread.channel.new(1)
            let d = thread.channel.new(1)
            thread.channel.send(c, thread.core.spawn(other, d))
            thread.channel.send(d, thread.core.spawn(other, c))
        }"""),
    "future": (2, """
        fn work() { thread.channel.recv(thread.channel.new(0)) }
        fn stuck() { thread.async.await(thread.async.run(work)) }"""),
    "all": (3, """
        fn work() { thread.channel.recv(thread.channel.new(0)) }
        fn stuck() { thread.async.all([thread.async.run(work), thread.async.run(work)]) }"""),
    "nested_pool": (3, """
        fn leaf() { return 1 }
        fn job(p, met) {
            thread.barrier.wait(met) // both places are taken
            return thread.async.await(thread.pool.submit(p, leaf))
        }
        fn stuck() {
            let p = thread.pool.new(2)
            let met = thread.barrier.new(2)
            thread.pool.submit(p, job, p, met)
            thread.pool.submit(p, job, p, met)
            thread.pool.wait(p)
        }"""),
    "once": (2, """
        fn slow() { thread.channel.recv(thread.channel.new(0)) }
        fn again(o) { thread.once.do(o, slow) }
        fn stuck() {
            let o = thread.once.new()
            thread.core.spawn(again, o)
            again(o)
        }"""),
    "ring": (3, """
        fn pass(a, b) { thread.channel.send(b, thread.channel.recv(a)) }
        fn stuck() {
            let a = thread.channel.new(0)
            let b = thread.channel.new(0)
            let c = thread.channel.new(0)
            thread.core.spawn(pass, a, b)
            thread.core.spawn(pass, b, c)
            thread.core.spawn(pass, c, a)
        }"""),
}

# What the others do: fn others(over) comes back when over() is true.
OTHERS = {
    "sleep": "fn others(over) { while !over() { thread.core.sleep(7) } }",
    "compute": "fn others(over) { let n = 0\nwhile !over() { for i in range(1000) { n += i } } }",
    "talk": """
        fn echo(a, b) { for x in a { thread.channel.send(b, x) } }
        fn others(over) {
            let a = thread.channel.new(0)
            let b = thread.channel.new(0)
            thread.core.spawn(echo, a, b)
            while !over() {
                thread.channel.send(a, 1)
                thread.channel.recv(b)
            }
            thread.channel.close(a)
        }""",
    "allocate": "fn others(over) { let all = []\nwhile !over() { all = [all.slice(0, 10), [1, 2, 3], thread.channel.new(0)] } }",
    "spawn": """
        fn nothing(n) { return n }
        fn others(over) { while !over() { thread.core.join(thread.core.spawn(nothing, 1)) } }""",
}

# make, block, wake
WAITS = {
    "recv": ("thread.channel.new(0)", "thread.channel.recv(h)", "thread.channel.send(h, 1)"),
    "send": ("thread.channel.new(0)", "thread.channel.send(h, 1)", "thread.channel.recv(h)"),
    "waitgroup": ("thread.waitgroup.new(1)", "thread.waitgroup.wait(h)", "thread.waitgroup.done(h)"),
    "semaphore": ("thread.semaphore.new(0)", "thread.semaphore.acquire(h)", "thread.semaphore.release(h)"),
    "barrier": ("thread.barrier.new(2)", "thread.barrier.wait(h)", "thread.barrier.wait(h)"),
}

# Where the handle is meanwhile: what keeps it, and what uses it in the end.
KEEPERS = {
    "variable": ("kept = h", "wake(kept)"),
    "object": ("kept = {a: [h]}", "wake(kept.a[0])"),
    "queue": ("kept = thread.channel.new(1)\nthread.channel.send(kept, h)", "wake(thread.channel.recv(kept))"),
    "queue_in_queue": ("""
        kept = thread.channel.new(1)
        let inner = thread.channel.new(1)
        thread.channel.send(inner, {h: h})
        thread.channel.send(kept, [inner])""", "wake(thread.channel.recv(thread.channel.recv(kept)[0]).h)"),
    "store": ('runtime.core.share("kept", h)', 'wake(runtime.core.fetch("kept"))'),
    "number": ("kept = toString(h)", "wake(toInt(kept))"),
    "sleeper": ("thread.core.spawn(later, h)", ""),
    "cancel": ("kept = task", "thread.core.cancel(kept)"),
}


def stuck_program(stuck, others):
    return f"""
import io; import thread
{textwrap.dedent(STUCK[stuck][1])}
{textwrap.dedent(OTHERS[others])}
fn reader(flag) {{
    io.stdin.readLine()
    thread.atomic.store(flag, 1)
}}
let flag = thread.atomic.new(0)
thread.core.spawn(reader, flag)
thread.core.spawn(stuck)
others(fn() {{ return thread.atomic.load(flag) == 1 }})
exit(0)
"""


def healthy_program(wait, keeper, others):
    make, block, wake = WAITS[wait]
    keep, use = KEEPERS[keeper]
    return f"""
import thread; import time; import runtime
{textwrap.dedent(OTHERS[others])}
fn block(h) {{
    try {{
        {block}
    }} catch e {{
        if e.kind != "Cancelled" {{ throw e }}
    }}
}}
fn wake(h) {{
    {wake}
}}
fn later(h) {{
    thread.core.sleep(150)
    wake(h)
}}
let kept = nil
fn begin() {{
    let h = {make}
    let task = thread.core.spawn(block, h)
    {textwrap.dedent(keep)}
}}
begin()
runtime.core.gc()
let start = time.clock.monotonic()
others(fn() {{ return time.clock.monotonic() - start > 250_000_000 }})
{use}
"""


def clean_environment():
    env = {k: v for k, v in os.environ.items() if not k.startswith("LANGOOST_")}
    env["TSAN_OPTIONS"] = os.environ.get("TSAN_OPTIONS", "") + " report_thread_leaks=0"
    return env


def write(folder, name, source):
    path = os.path.join(folder, name + ".goost")
    with open(path, "w", encoding="utf-8") as f:
        f.write(source)
    return path


def run_stuck(folder, stuck, others):
    """What is wrong, or None. The program ends when all have been told of and its input is closed."""
    name = f"stuck_{stuck}_{others}"
    want = STUCK[stuck][0]
    path = write(folder, name, stuck_program(stuck, others))
    told, text = [], ""
    with subprocess.Popen([BINARY, "run", "--workers", "2", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=clean_environment()) as p:
        timer = threading.Timer(60, p.kill)
        timer.start()
        try:
            while len(told) < want:
                line = p.stderr.readline()
                text += line
                if line == "":
                    break
                found = re.match(r"task (\d+): waiting in ", line)
                if found:
                    told.append(found.group(1))
            out, rest = p.communicate("\n", timeout=60)
        finally:
            timer.cancel()
            p.kill()
    text += rest
    if len(told) != want or len(set(told)) != want or "waiting" in rest:
        return f"{name}: {len(told)} of {want} told\n{text}"
    if not text.startswith("warning: ") or out != "" or p.returncode != 0:
        return f"{name}: exit code {p.returncode}\n{out}{text}"
    return None


def run_healthy(folder, wait, keeper, others):
    name = f"healthy_{wait}_{keeper}_{others}"
    path = write(folder, name, healthy_program(wait, keeper, others))
    p = subprocess.run([BINARY, "run", "--workers", "2", path], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, env=clean_environment(),
                       check=False)
    if p.returncode != 0 or p.stdout != "" or p.stderr != "":
        return f"{name}: exit code {p.returncode}\n{p.stdout}{p.stderr}"
    return None


def main():
    global BINARY
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("-j", type=int, default=os.cpu_count())
    parser.add_argument("binary")
    args = parser.parse_args()
    BINARY = os.path.abspath(args.binary)
    stuck = list(itertools.product(STUCK, OTHERS))[:: args.every]
    healthy = list(itertools.product(WAITS, KEEPERS, OTHERS))[:: args.every]
    with tempfile.TemporaryDirectory(prefix="goost-test-") as folder, concurrent.futures.ThreadPoolExecutor(args.j) as pool:
        jobs = [pool.submit(run_stuck, folder, *s) for s in stuck] + [pool.submit(run_healthy, folder, *h) for h in healthy]
        wrong = [w for w in (j.result() for j in jobs) if w]
    for w in wrong:
        print(w)
    print(f"{len(stuck)} blocked for good, {len(healthy)} not: {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
