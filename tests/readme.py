#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the programs in documents: each ```goost block, with its `// expect:` comments, through run_script.py.

usage: readme.py BINARY FILE.md...
"""
import os
import re
import subprocess
import sys
import tempfile


def main():
    binary = os.path.abspath(sys.argv[1])
    runner = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run_script.py")
    with tempfile.TemporaryDirectory() as folder:
        for path in sys.argv[2:]:
            with open(path, encoding="utf-8") as f:
                blocks = re.findall(r"^```goost\n(.*?)^```", f.read(), re.S | re.M)
            if not blocks:
                sys.exit("readme.py: no ```goost block in " + path)
            name = os.path.splitext(os.path.basename(path))[0].lower()
            for i, text in enumerate(blocks, 1):
                with open(os.path.join(folder, "%s_block%d.goost" % (name, i)), "w", encoding="utf-8") as f:
                    f.write(text)
        return subprocess.call([sys.executable, runner, "--binary", binary, "--mode", "w1,w2", folder])


if __name__ == "__main__":
    sys.exit(main())
