#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run_ir.py - checks facts about the code that hot functions and loops are compiled to.

    run_ir.py --binary BINARY [-v] DIR|FILE...

A fact stands on the line where a function or a loop begins, and speaks of the last code compiled for it:

    for i in range(n) { // ir loop: no call, at most 1 load, no tag compare

    // ir WHERE: FACT, ...

WHERE is `loop` or `function`: the unit that begins on this line. What is looked at: of a loop its innermost loops, of a function all of
it; `loop anywhere`, `function innermost` say otherwise, `loop machine`, `function machine` speak of the machine code.
FACT is `no WHAT`, `N WHAT`, `at most N WHAT` or `at least N WHAT`. With several innermost loops, `at least` is about the
best of them and the rest about each. WHAT is

    call          of anything but LLVM's intrinsics
    guard         a conditional branch that leaves the loop, its end and the poll included
    tag compare   of a word with a small number that is not 0, or a switch over such: the tests of tags look so (scripts avoid such
                  comparisons of their own)
    vector        a vector type
    instruction   any
    /REGEX/       an instruction that it is found in
    add load ...  an opcode of LLVM, or of the machine

Facts, not texts: a change of LLVM or of the order of blocks breaks none of them, a tag that creeps back into a loop does. What is only wished
for stands in plain comments. Scripts also say what they print, as for run_script.py. They are run with --jit=eager and one worker, but with
enough events before a compile that the interpreter has seen the types, so that each run compiles the same.
"""

import argparse
import collections
import os
import re
import sys

import run_script

COMMAND = "disasm --jit=eager --jit-threshold=1000 --workers=1"
DIRECTIVE = re.compile(r"//[ \t]*ir[ \t]+(loop|function)(?:[ \t]+(innermost|anywhere|machine))?:(.*)$")
FACT = re.compile(r"(?:(no)|(at most|at least)?[ ]*(\d+))[ ]+(.+)$")
UNIT = re.compile(r"--- (loop of|function) (.*), (.*):(\d+)(?:-\d+)?: (\d+ instructions|not compiled: (.*))")
ROW = re.compile(r"    (?:(\d+) |    )? +(\S.*)$")
TERMINATORS = {"br", "switch", "ret", "unreachable", "indirectbr"}

Instruction = collections.namedtuple("Instruction", "opcode text")


class Bad(Exception):
    """A directive or a listing that makes no sense."""


class Unit:
    """A compiled unit of the listing: blocks of IR by (LLVM function, label), and machine instructions."""

    def __init__(self, kind, name, line, why):
        self.kind, self.name, self.line, self.why = kind, name, line, why
        self.blocks = {}
        self.machine = []

    def instructions(self):
        return [i for block in self.blocks.values() for i in block]


def opcode(text):
    """Of an instruction of IR or of the machine."""
    text = re.sub(r"^%\S+ = ", "", text)
    words = text.split()
    return words[1] if words[0] in ("tail", "musttail", "notail") and len(words) > 1 else words[0]


def read_listing(text):
    units, unit, part, block = [], None, None, None
    for line in run_script.lines_of(text):
        head = UNIT.match(line)
        if head:
            unit = Unit("loop" if head[1] == "loop of" else "function", head[2], int(head[4]), head[6])
            units.append(unit)
            part = None
        elif line.startswith("==="):
            unit = None
        elif unit is None or not line.startswith("  "):
            continue
        elif re.fullmatch(r"  (IR|machine code|bytecode.*)", line):
            part, block = line.strip(), None
        elif re.fullmatch(r"  \S.*:", line):
            block = tuple((line.strip()[:-1] + " ").split(" ", 2)[:2])
        elif not part.startswith("bytecode"):
            row = ROW.match(line)
            if not row or block is None:
                raise Bad(f"not understood in the listing: {line}")
            if part == "IR":
                unit.blocks.setdefault(block, []).append(Instruction(opcode(row[2]), row[2]))
            elif part == "machine code" and block[0] != "constants":
                unit.machine.append(Instruction(opcode(row[2]), row[2]))
    return units


# --- loops ----------------------------------------------------------------------------------------------------------------


def successors(block, key):
    for i in block:
        if i.opcode in TERMINATORS:
            return [(key[0], label) for label in re.findall(r"label %([\w.$-]+)", i.text)]
    raise Bad(f"block {' '.join(key)} has no end")


def dominators(graph, entry):
    """For each block reached from entry: the set of its dominators."""
    order, seen = [], set()
    stack = [(entry, iter(graph[entry]))]
    seen.add(entry)
    while stack:
        node, rest = stack[-1]
        step = next(rest, None)
        if step is None:
            order.append(node)
            stack.pop()
        elif step not in seen:
            seen.add(step)
            stack.append((step, iter(graph[step])))
    order.reverse()
    predecessors = collections.defaultdict(list)
    for node in order:
        for to in graph[node]:
            predecessors[to].append(node)
    dom = {node: set(order) for node in order}
    dom[entry] = {entry}
    changed = True
    while changed:
        changed = False
        for node in order[1:]:
            new = set.intersection(*(dom[p] for p in predecessors[node])) | {node}
            changed |= new != dom[node]
            dom[node] = new
    return dom, predecessors


def innermost_loops(unit):
    """The natural loops without others inside, each as a set of blocks."""
    graph = {key: successors(block, key) for key, block in unit.blocks.items()}
    loops = {}
    targets = {to for tos in graph.values() for to in tos}
    for entry in (key for key in graph if key not in targets):
        dom, predecessors = dominators(graph, entry)
        for node in dom:
            for header in graph[node]:
                if header in dom[node]:
                    body = loops.setdefault(header, {header})
                    work = [node]
                    while work:
                        at = work.pop()
                        if at not in body:
                            body.add(at)
                            work += predecessors[at]
    inner = [body for header, body in loops.items() if not any(h in body for h in loops if h != header)]
    return inner, graph


# --- facts ----------------------------------------------------------------------------------------------------------------


def is_call(i):
    return i.opcode in ("call", "invoke") and not re.search(r"@llvm\.", i.text)


def is_tag_compare(i):
    if i.opcode == "switch":
        cases = re.findall(r" i64 (-?\d+), label", i.text)
        return bool(cases) and all(0 <= int(n) <= 15 for n in cases)
    found = re.match(r".*icmp (?:eq|ne|ult|ugt|ule|uge) i64 \S+, (\d+)$", i.text)
    return bool(found) and 1 <= int(found[1]) <= 15


def matcher(what):
    if what.startswith("/") and what.endswith("/") and len(what) > 1:
        pattern = re.compile(what[1:-1])
        return lambda i: pattern.search(i.text)
    kinds = {
        "call": is_call,
        "tag compare": is_tag_compare,
        "vector": lambda i: re.search(r"<\d+ x \w+>", i.text),
        "instruction": lambda i: True,
    }
    if what in kinds:
        return kinds[what]
    if not re.fullmatch(r"\w+", what):
        raise Bad(f"not understood: {what}")
    return lambda i: i.opcode == what


def count_guards(unit, loop, graph):
    return sum(1 for key in loop for i in unit.blocks[key]
               if i.opcode == "br" and "br i1" in i.text and any(to not in loop for to in graph[key]))


def counts(unit, scope, what):
    """How many there are: in each innermost loop, or in all."""
    if scope == "machine":
        return [sum(1 for i in unit.machine if matcher(what)(i))]
    if scope == "anywhere":
        if what == "guard":
            raise Bad("guards are of loops")
        return [sum(1 for i in unit.instructions() if matcher(what)(i))]
    loops, graph = innermost_loops(unit)
    if not loops:
        raise Bad("the unit has no loop")
    if what == "guard":
        return [count_guards(unit, loop, graph) for loop in loops]
    return [sum(1 for key in loop for i in unit.blocks[key] if matcher(what)(i)) for loop in loops]


def check(unit, scope, fact):
    """What is wrong with a fact, or None."""
    found = FACT.match(fact)
    if not found:
        raise Bad(f"not understood: {fact}")
    no, bound, number, what = found.groups()
    what = re.sub(r"^(call|guard|tag compare|vector|instruction|load|store)s$", r"\1", what.strip())
    n, got = 0 if no else int(number), counts(unit, scope, what)
    if bound == "at most":
        good = max(got) <= n
    elif bound == "at least":
        good = max(got) >= n
    else:
        good = all(g == n for g in got)
    return None if good else f"{fact}: there are {' and '.join(map(str, got))}"


def split_facts(text):
    """At the commas that stand outside /.../."""
    return [f.strip() for f in re.findall(r"(?:/(?:\\.|[^/\\])*/|[^,/])+", text) if f.strip()]


def facts_of(path):
    """(line, kind, scope, fact) in source order."""
    with open(path, encoding="utf-8") as f:
        source = f.read()
    for start in run_script.comment_starts(source)[0]:
        found = DIRECTIVE.match(source[start:].split("\n", 1)[0])
        if found:
            kind, scope, facts = found.groups()
            for fact in split_facts(facts):
                yield source.count("\n", 0, start) + 1, kind, scope or ("innermost" if kind == "loop" else "anywhere"), fact


def find_unit(units, kind, line):
    fitting = [u for u in units if u.kind == kind and u.line == line and not u.why]
    if fitting:
        return fitting[-1]
    there = [f"{u.kind} at {u.line}{': ' + u.why if u.why else ''}" for u in units]
    raise Bad(f"no {kind} was compiled here; there are: {', '.join(there) or 'none'}")


def run_one(binary, path, slowness):
    """Problems as lines, and the listing."""
    script = run_script.Script(os.path.abspath(path))
    script.command = COMMAND
    outcome = run_script.execute(binary, script, "default", slowness)
    listing, outcome.stdout, outcome.stderr = outcome.stdout, outcome.stderr, ""
    problems = run_script.judge(script, outcome)
    try:
        units = read_listing(listing)
    except Bad as e:
        return problems + [str(e)], listing
    said = 0
    for line, kind, scope, fact in facts_of(path):
        said += 1
        try:
            wrong = check(find_unit(units, kind, line), scope, fact)
        except Bad as e:
            wrong = str(e)
        if wrong:
            problems.append(f"line {line}: {wrong}")
    return problems if said else problems + ["no facts"], listing


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--binary", required=True, help="the program")
    parser.add_argument("--slowness", type=float, default=1.0, metavar="F", help="multiplies the time limits")
    parser.add_argument("-v", action="store_true", help="print the listing of what fails")
    parser.add_argument("paths", nargs="+", metavar="DIR|FILE")
    options = parser.parse_args()
    binary = os.path.abspath(options.binary)
    passed = failed = 0
    for path in run_script.find_scripts(options.paths):
        try:
            problems, listing = run_one(binary, path, options.slowness)
        except run_script.BadScript as e:
            problems, listing = [str(e)], ""
        if problems:
            failed += 1
            print(f"FAIL {os.path.relpath(path)}")
            for line in problems + (listing.split("\n") if options.v else []):
                print("    " + line)
        else:
            passed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
