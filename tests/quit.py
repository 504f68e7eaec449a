#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""quit.py BINARY - SIGQUIT ends a program with code 2 and tells what its tasks were doing, whatever that is."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

LOOP = """\
fn spin(n) {
    while true { n += 1 }
}
"""

WAITING = """\
import io; import thread
fn wait(ch) {
    return thread.channel.recv(ch)
}
let ch = thread.channel.new(0)
let m = thread.mutex.new()
thread.mutex.lock(m)
thread.core.spawn(wait, ch)
thread.core.spawn(fn() { thread.mutex.lock(m) })
io.write("ready", "")
thread.core.sleep(100000)
"""

MANY = LOOP + """\
import io; import thread
for i in range(5) {
    thread.core.spawn(spin, i)
}
io.write("ready", "")
spin(0)
"""


class Quit(unittest.TestCase):
    def quit(self, source, *flags, more=0, pause=0):
        """Runs it, sends SIGQUIT once it has made the file `ready`, and some more; what it has printed and says then."""
        with tempfile.TemporaryDirectory(prefix="goost-test-") as folder:
            path = os.path.join(folder, "q.goost")
            with open(path, "w", encoding="utf-8") as f:
                f.write(source)
            clean = {k: v for k, v in os.environ.items() if not k.startswith("LANGOOST_")}
            # A process that ends without a task takes its worker with it.
            clean["TSAN_OPTIONS"] = os.environ.get("TSAN_OPTIONS", "") + " report_thread_leaks=0"
            with subprocess.Popen([BINARY, "run", *flags, path], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, env=clean) as p:
                while not os.path.exists(os.path.join(folder, "ready")) and p.poll() is None:
                    time.sleep(0.005)
                for _ in range(1 + more):
                    p.send_signal(signal.SIGQUIT)
                    time.sleep(pause)
                try:
                    out, err = p.communicate(timeout=60)
                except subprocess.TimeoutExpired:
                    p.kill()
                    raise
            self.assertEqual(p.returncode, 2, err)
            return out, err.replace(path, "q.goost")

    def test_a_loop_of_the_main_task(self):
        for jit in "off", "on":
            with self.subTest(jit):
                _, err = self.quit(LOOP + "import io; io.write(\"ready\", \"\")\nspin(1)\n", f"--jit={jit}")
                self.assertEqual(err, "fatal: SIGQUIT: 1 task\ntask 1 (main): runnable at q.goost:2\n    q.goost:2 in spin\n    q.goost:5 in main\n")

    def test_tasks_that_wait(self):
        for workers in "1", "2", "8":
            with self.subTest(workers):
                _, err = self.quit(WAITING, "--workers", workers)
                number = r" \d+"
                text = re.sub(number, " N", re.sub(r"(channel|mutex)" + number, r"\1 N", err))
                lines = text.splitlines()
                self.assertEqual(lines[0], "fatal: SIGQUIT: N tasks")
                self.assertIn("task N (main): waiting in sleep at q.goost:11", lines)
                self.assertIn("    q.goost:11 in main", lines)
                # Both may not have begun yet, or be on their way.
                self.assertTrue({"task N: waiting in recv on channel N at q.goost:3, spawned at q.goost:8",
                                 "task N: runnable at q.goost:2, spawned at q.goost:8",
                                 "task N: runnable at q.goost:3, spawned at q.goost:8"} & set(lines), text)
                self.assertEqual(len([x for x in lines if x.startswith("task ")]), 3)

    def test_more_loops_than_workers(self):
        for workers in "1", "2", "8":
            with self.subTest(workers):
                _, err = self.quit(MANY, "--workers", workers, more=3)
                self.assertTrue(err.startswith("fatal: SIGQUIT: 6 tasks\ntask 1 (main): runnable at q.goost:2\n    q.goost:2 in spin\n    q.goost:9 in main\n"), err)
                self.assertEqual(len(re.findall(r"^task \d+: runnable at q\.goost:[12], spawned at q\.goost:6$", err, re.M)), 5)

    def test_who_asks_again_while_the_report_is_made_gets_it(self):
        for pause in 0.0005, 0.001, 0.002, 0.003:
            with self.subTest(pause):
                _, err = self.quit(MANY, more=20, pause=pause)
                self.assertTrue(err.startswith("fatal: SIGQUIT: 6 tasks\n"), err)

    def test_a_library_function_that_does_not_come_back(self):
        source = "import crypto; import io\nio.write(\"ready\", \"\")\ncrypto.sha256(\"a\".repeat(1_000_000_000))\ncrypto.sha256(\"b\".repeat(1_000_000_000))\ncrypto.sha256(\"b\".repeat(1_000_000_000))\n"
        _, err = self.quit(source)
        self.assertTrue(err.startswith("fatal: SIGQUIT: "), err)
        _, err = self.quit("import thread\nthread.core.spawn(fn() { thread.core.sleep(100000) })\nthread.core.sleep(1)\n" + source)
        self.assertTrue(err.startswith("fatal: SIGQUIT: 2 task"), err)

    def test_what_was_printed_is_not_lost(self):
        out, _ = self.quit(LOOP + "import io\nfor i in range(1000) { println(i) }\nio.write(\"ready\", \"\")\nspin(1)\n")
        self.assertEqual(out, "".join(f"{i}\n" for i in range(1000)))

    def test_a_handler_of_the_shell_is_left_alone(self):
        with tempfile.TemporaryDirectory(prefix="goost-test-") as folder:
            path = os.path.join(folder, "q.goost")
            with open(path, "w", encoding="utf-8") as f:
                f.write("import io\nprintln(\"ready\")\nio.stdin.readLine()\nprintln(\"goes on\")\n")
            with subprocess.Popen(["sh", "-c", "trap '' QUIT; exec \"$0\" \"$@\"", BINARY, "run", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
                p.stdout.readline()
                p.send_signal(signal.SIGQUIT)
                rest, _ = p.communicate("x\n", timeout=120)
            self.assertEqual((p.returncode, rest), (0, "goes on\n"))


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
