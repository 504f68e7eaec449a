#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Unit tests of layering.py: trees of a few files, each with one include that must be found or let through."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True

import layering  # noqa: E402

HEADERS = ("sched/port/mem.h", "sched/sched.h", "sched/sched_int.h", "runtime/vm.h", "runtime/value.h", "runtime/gc.h",
           "frontend/parse.h", "jit/jit.h", "tests/unit.h")


class Layering(unittest.TestCase):
    def offences(self, source, text):
        with tempfile.TemporaryDirectory() as root:
            for name in (*HEADERS, source):
                path = os.path.join(root, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as f:
                    f.write(text if name == source else "")
            return [(file, line) for file, line, _ in layering.offences(root)]

    def allowed(self, source, *names):
        for name in names:
            self.assertEqual(self.offences(source, f"#include {name}\n"), [], f"{source} includes {name}")

    def refused(self, source, *names):
        for name in names:
            self.assertEqual(self.offences(source, f"\n#include {name}\n"), [(source, 2)], f"{source} includes {name}")

    def test_port_sees_libc_only(self):
        self.allowed("sched/port/x.c", "<stdio.h>", "<sys/mman.h>", "<linux/futex.h>", '"mem.h"', '"port/mem.h"')
        self.refused("sched/port/x.c", '"sched.h"', '"../sched.h"', "<hwloc.h>", "<mimalloc.h>", '"value.h"')
        self.allowed("sched/port/mem.c", "<mimalloc.h>")

    def test_sched_never_sees_runtime(self):
        self.allowed("sched/x.c", '"port/mem.h"', '"sched_int.h"', "<hwloc.h>")
        self.refused("sched/x.c", '"runtime/vm.h"', '"vm.h"', '"../runtime/vm.h"', '"parse.h"', "<mimalloc.h>", "<llvm-c/Core.h>")

    def test_runtime_sees_sched_but_nothing_above(self):
        self.allowed("runtime/x.c", '"sched.h"', '"port/mem.h"', '"sched/port/mem.h"', '"gc.h"')
        self.refused("runtime/x.c", '"parse.h"', '"jit/jit.h"', '"sched_int.h"', "<hwloc.h>", "<llvm-c/Core.h>", "<mimalloc.h>")

    def test_frontend_sees_a_little_of_runtime(self):
        self.allowed("frontend/x.c", '"value.h"', '"port/mem.h"', '"parse.h"')
        self.refused("frontend/x.c", '"vm.h"', '"gc.h"', '"sched.h"', '"jit/jit.h"')

    def test_the_program_sees_more_and_main_alone_sees_jit(self):
        self.allowed("frontend/cmd_x.c", '"vm.h"', '"sched.h"')
        self.refused("frontend/cmd_x.c", '"gc.h"', '"jit/jit.h"')
        self.allowed("frontend/main.c", '"vm.h"', '"jit/jit.h"')

    def test_jit_never_sees_frontend(self):
        self.allowed("jit/x.c", '"gc.h"', '"port/mem.h"', "<llvm-c/Core.h>")
        self.refused("jit/x.c", '"frontend/parse.h"', '"parse.h"')

    def test_tests_see_all(self):
        self.allowed("tests/unit/test_x.c", '"sched_int.h"', '"gc.h"', '"jit/jit.h"', "<CUnit/Basic.h>")
        self.refused("runtime/x.c", '"tests/unit.h"', "<CUnit/Basic.h>")

    def test_unknown_libraries_are_refused(self):
        self.refused("runtime/x.c", "<zstd.h>")

    def test_loadable_parts_alone_see_their_libraries(self):
        self.allowed("runtime/loadable/regex.cc", "<re2/re2.h>", "<vector>", '"regex.h"')
        self.allowed("runtime/loadable/digest.c", "<nettle/sha2.h>")
        self.refused("runtime/x.c", "<re2/re2.h>", "<vector>", "<nettle/sha2.h>")
        self.refused("runtime/loadable/regex.cc", '"parse.h"')

    def test_comments_and_strings_are_no_includes(self):
        text = '/*\n#include "parse.h"\n*/ // #include "parse.h"\nconst char *s = "/*";\n'
        self.assertEqual(self.offences("runtime/x.c", text), [])
        self.assertEqual(self.offences("runtime/x.c", text + '#  include "parse.h"\n'), [("runtime/x.c", 5)])

    def test_a_file_that_is_not_there_yet_is_judged_by_its_folder(self):
        self.refused("sched/x.c", '"runtime/later.h"')


if __name__ == "__main__":
    unittest.main()
