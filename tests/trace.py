#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""trace.py BINARY - the files of --trace: what they hold, that they are well formed, and that they agree with --stats."""

import collections
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest

CHANNELS = """\
import thread
fn echo(ping, pong) {
    for v in ping {
        thread.channel.send(pong, v + 1)
    }
    thread.channel.close(pong)
}
let ping = thread.channel.new(0)
let pong = thread.channel.new(0)
let t = thread.core.spawn(echo, ping, pong)
let v = 0
for i in range(ROUNDS) {
    thread.channel.send(ping, v)
    v = thread.channel.recv(pong)
}
thread.channel.close(ping)
thread.core.join(t)
println(v)
"""

POOL = """\
import thread
fn square(n) {
    thread.core.sleep(1)
    return n * n
}
let p = thread.pool.new(4)
let ns = []
for i in range(40) {
    ns.push(i)
}
println(thread.pool.map(p, ns, square).reduce(fn(a, b) { return a + b }, 0))
"""

LOCKS = """\
import thread
let m = thread.mutex.new()
fn add() {
    for i in range(50) {
        thread.mutex.lock(m)
        thread.core.yield()
        thread.mutex.unlock(m)
    }
}
let ts = []
for i in range(20) {
    ts.push(thread.core.spawn(add))
}
for t in ts {
    thread.core.join(t)
}
println("done")
"""

HOT = """\
import thread
fn mix(n) {
    let s = 0
    for i in range(n) {
        s = (s * 31 + i) % 1000003
    }
    return s
}
fn busy(c) {
    thread.channel.send(c, mix(400000))
}
let c = thread.channel.new(8)
for i in range(6) {
    thread.core.spawn(busy, c)
}
let s = 0
for i in range(6) {
    s += thread.channel.recv(c)
}
let keep = []
for i in range(40000) {
    keep.push(`text ${i}`)
}
println(s > 0, len(keep))
"""


class Trace(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="goost-test-")
        self.addCleanup(self.folder.cleanup)

    def run_script(self, source, *flags, code=0, script="test.goost", **env):
        """Runs it and gives its output, messages, and the trace."""
        with open(os.path.join(self.folder.name, script), "w", encoding="utf-8") as f:
            f.write(source)
        clean = {k: v for k, v in os.environ.items() if not k.startswith("LANGOOST_")}
        done = subprocess.run([BINARY, "run", "--trace", "out.json", *flags, script], cwd=self.folder.name, env={**clean, **env},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout, done.stderr, self.read()

    def read(self, name="out.json"):
        with open(os.path.join(self.folder.name, name), encoding="utf-8") as f:
            events = json.load(f)["traceEvents"]
        return self.check(events)

    def check(self, events):
        """What holds in every trace. Gives its slices: dicts with name, category, thread, begin, end and arguments."""
        names = {e["tid"]: e["args"]["name"] for e in events if e.get("name") == "thread_name"}
        stacks, last, slices = collections.defaultdict(list), collections.defaultdict(float), []
        begun, ended = {}, {}
        for e in events:
            if e["ph"] == "M":
                continue
            self.assertGreaterEqual(e["ts"], last[e["tid"]], e)
            last[e["tid"]] = e["ts"]
            stack = stacks[e["tid"]]
            if e["ph"] == "B":
                stack.append({"name": e["name"], "cat": e["cat"], "thread": names[e["tid"]], "begin": e["ts"], "args": e.get("args", {}),
                              "in": stack[-1]["name"] if stack else None})
            elif e["ph"] == "E":
                self.assertTrue(stack, e)
                s = stack.pop()
                s["end"] = e["ts"]
                s["args"].update(e.get("args", {}))
                slices.append(s)
            elif e["ph"] in "sf":
                self.assertTrue(stack, e)  # an arrow needs a slice at each end
                side = begun if e["ph"] == "s" else ended
                self.assertNotIn(e["id"], side)
                side[e["id"]] = e
            else:
                self.assertIn(e["ph"], "iC")
        for thread, stack in stacks.items():
            self.assertEqual(stack, [], names[thread])
        self.assertEqual(begun.keys(), ended.keys())
        for i, e in begun.items():
            self.assertEqual(e["name"], ended[i]["name"])
            self.assertLessEqual(e["ts"], ended[i]["ts"])
        self.arrows = collections.Counter(e["name"] for e in begun.values())
        self.points = [e for e in events if e["ph"] in "iC"]
        self.names = set(names.values())
        return slices

    @staticmethod
    def stats(err):
        """The last row of the table: the sum of all workers."""
        rows = [line.split() for line in err.splitlines()]
        head = next(r for r in rows if r and r[0] == "worker")
        total = next(r for r in rows if r and r[0] == "all")
        return dict(zip(head[1:], map(int, total[1:])))

    def agree(self, slices, err):
        stats = self.stats(err)
        runs = [s for s in slices if s["cat"] == "task" and s["name"] != "many runs"]
        many = sum(s["args"]["runs"] for s in slices if s["name"] == "many runs")
        self.assertEqual(len(runs) + many, stats["runs"])
        if many:
            return
        how = collections.Counter(s["args"]["ended"].split(" in ")[0] for s in runs)
        self.assertEqual(how["done"], stats["done"])
        self.assertEqual(how["waits"] + how["stopped"], stats.get("parks", 0))
        self.assertEqual(how["yielded"] + how["time slice over"], stats.get("yields", 0))
        self.assertEqual(sum(1 for s in slices if s["name"] == "asleep"), stats.get("sleeps", 0))
        self.assertEqual(sum(p["args"]["tasks"] for p in self.points if p["name"] == "steal"), sum(v for k, v in stats.items() if k.startswith("st-") and k != "st-lost"))
        self.assertEqual(self.arrows["spawn"], stats.get("spawns", 0))

    def both(self, source, out, rest=()):
        """The same with two workers and with eight; gives the slices of the latter."""
        for workers in ("2", "8"):
            got, err, slices = self.run_script(source, "--stats", "--workers", workers, *rest)
            self.assertEqual(got, out)
            self.agree(slices, err)
        return slices

    def test_tasks_and_channels(self):
        slices = self.both(CHANNELS.replace("ROUNDS", "500"), "500\n")
        echo = [s for s in slices if s["name"] == "echo"]
        self.assertTrue(echo)
        self.assertEqual({s["args"]["function"] for s in echo}, {"test.goost:2"})
        first = min(echo, key=lambda s: s["begin"])
        self.assertEqual(first["args"]["spawned"], "test.goost:10")
        # Where it meets the other side depends on who is faster.
        waits = {(s["args"]["ended"], s["args"].get("stopped at")) for s in echo if s["args"]["ended"].startswith("waits")}
        self.assertTrue(waits & {("waits in send", "test.goost:4"), ("waits in for over a channel", "test.goost:3")}, waits)
        self.assertEqual(len({s["args"]["task"] for s in echo}), 1)
        self.assertGreater(self.arrows["wake"], 400)

    def test_a_pool_that_sleeps(self):
        slices = self.both(POOL, "20540\n")
        self.assertGreaterEqual(sum(s["name"] == "square" for s in slices), 40)
        self.assertTrue([s for s in slices if s["name"] == "timers" and s["args"]["fired"] > 0])
        self.assertTrue([s for s in slices if s["name"] == "asleep"])

    def test_locks_and_yields(self):
        slices = self.both(LOCKS, "done\n")
        self.assertIn("yielded", {s["args"]["ended"] for s in slices if s["name"] == "add"})

    def test_hot_code_and_collections(self):
        slices = self.both(HOT, "true 40000\n", ("--jit-threshold", "100"))
        gc = [s for s in slices if s["name"] == "collection"]
        self.assertTrue(gc)
        for s in gc:
            self.assertIn("bytes before", s["args"])
            self.assertIn("bytes after", s["args"])
        self.assertTrue([p for p in self.points if p["ph"] == "C"])

    def test_compiles_have_the_names_of_their_functions(self):
        _, err, slices = self.run_script(HOT, "--stats", "--workers", "1", LANGOOST_JIT="eager", LANGOOST_JIT_THRESHOLD="100")
        if "jit:" not in err:
            self.skipTest("without the compiler")
        compiles = [s for s in slices if s["name"].startswith("compile ")]
        counted = re.search(r"jit: (\d+) compiled, (\d+) declined", err)
        results = collections.Counter(s["args"]["result"].split(":")[0] for s in compiles)
        self.assertEqual((results["compiled"], results["declined"]), (int(counted[1]), int(counted[2])))
        mix = [s for s in compiles if s["name"] == "compile mix"]
        self.assertTrue(mix)
        self.assertIn(mix[0]["args"]["at"], ("test.goost:2", "test.goost:4", "test.goost:5"))
        self.assertEqual(mix[0]["args"]["attempt"], 1)
        self.assertTrue(mix[0]["in"])  # eager: in the middle of a run

    def test_the_compiler_has_a_track_of_its_own(self):
        source = HOT + "import time\nlet until = time.clock.monotonic() + 300_000_000\nlet k = 0\nwhile time.clock.monotonic() < until { k += mix(100) }\n"
        _, err, slices = self.run_script(source, "--stats", "--jit-threshold", "100")
        if "jit:" not in err:
            self.skipTest("without the compiler")
        self.assertIn("compiler", self.names)
        self.assertTrue([s for s in slices if s["thread"] == "compiler" and s["name"].startswith("compile ")])

    def test_a_million_switches_are_told_in_a_few(self):
        _, err, slices = self.run_script(CHANNELS.replace("ROUNDS", "200000"), "--stats", "--workers", "2")
        self.agree(slices, err)
        many = [s for s in slices if s["name"] == "many runs"]
        self.assertTrue(many)
        self.assertGreater(sum(s["args"]["runs"] for s in many), 10000)  # far more in a build that is not slow

    def test_a_long_run_among_many_is_told(self):
        source = CHANNELS.replace("ROUNDS", "60000").replace("    v = thread.channel.recv(pong)\n", "    v = thread.channel.recv(pong)\n    if i == 59000 { wait() }\n")
        source = "import time\nfn wait() {\n    let until = time.clock.monotonic() + 30_000_000\n    while time.clock.monotonic() < until { let x = 1 }\n}\n" + source
        _, err, slices = self.run_script(source, "--stats", "--workers", "1")
        self.agree(slices, err)
        self.assertGreater(sum(s["end"] - s["begin"] for s in slices if s["name"] == "main" and s["end"] - s["begin"] > 500), 25000)

    def test_however_it_ends(self):
        ends = {"exit(7)": 7, "throw \"x\"": 1, "import runtime\nruntime.panic.throw(\"x\")": 2,
                "import thread\nthread.channel.recv(thread.channel.new(0))": 3}
        for last, code in ends.items():
            with self.subTest(last):
                _, _, slices = self.run_script("let x = 1\n" + last + "\n", code=code)
                self.assertEqual({s["name"] for s in slices if s["cat"] == "task"}, {"main"})

    def test_an_exit_that_does_not_wait(self):
        source = "import thread\nimport crypto\nfn stuck() {\n    crypto.sha256(\"a\".repeat(1_000_000_000))\n}\nthread.core.spawn(stuck)\nthread.core.sleep(50)\nexit(4)\n"
        _, _, slices = self.run_script(source, "--workers", "2", code=4)
        self.assertTrue([s for s in slices if s["name"] == "main"])

    def test_signals_that_end_it(self):
        source = "import thread\nfn spin() {\n    let n = 0\n    while true { n += 1 }\n}\nthread.core.spawn(spin)\nprintln(1)\nthread.core.sleep(100000)\n"
        with open(os.path.join(self.folder.name, "t.goost"), "w", encoding="utf-8") as f:
            f.write(source)
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGABRT):
            with self.subTest(sig):
                with subprocess.Popen([BINARY, "run", "--workers", "2", "--trace", "out.json", "t.goost"], cwd=self.folder.name,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
                    process.stdout.readline()
                    process.send_signal(sig)
                    _, err = process.communicate(timeout=60)
                self.assertEqual((process.returncode, err), (-sig, ""))
                self.assertEqual({s["name"] for s in self.read() if s["cat"] == "task"}, {"main", "spin"})

    def test_the_file_cannot_be_made(self):
        with open(os.path.join(self.folder.name, "t.goost"), "w", encoding="utf-8") as f:
            f.write("println(1)\n")
        done = subprocess.run([BINARY, "run", "--trace", "no/such/folder.json", "t.goost"], cwd=self.folder.name, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (1, "", "langoost: cannot write no/such/folder.json: No such file or directory\n"))

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full")
    def test_the_file_cannot_be_written(self):
        with open(os.path.join(self.folder.name, "t.goost"), "w", encoding="utf-8") as f:
            f.write("println(1)\n")
        done = subprocess.run([BINARY, "run", "--trace", "/dev/full", "t.goost"], cwd=self.folder.name, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "1\n", "langoost: cannot write /dev/full: No space left on device\n"))

    def test_the_environment_asks_for_it(self):
        with open(os.path.join(self.folder.name, "t.goost"), "w", encoding="utf-8") as f:
            f.write("println(1)\n")
        subprocess.run([BINARY, "t.goost"], cwd=self.folder.name, env={**os.environ, "LANGOOST_TRACE": "env.json"}, capture_output=True, check=True)
        self.assertTrue(self.read("env.json"))

    def test_names_of_files_are_escaped(self):
        _, _, slices = self.run_script("println(1)\n", script="a \"b\" ä.goost")
        runs = [s for s in slices if s["cat"] == "task"]
        self.assertEqual(runs[0]["args"]["function"].split(":")[0], "a \"b\" ä.goost")


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
