#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""generate.py - random programs that always end and always print the same, for differential.py.

    generate.py [--seed S] [--count N] [--size SIZE] [--work F]     prints one script that holds the programs S .. S+N-1

Problem    A compiler from feedback goes wrong where what it saw stops being true: an int that becomes a float in turn 900, an
           array that changes its kind, a callee that was always the same. Such programs must be many and must end.
Design     A program is a set of functions, classes and globals and a main part, all named after its seed, so that many fit in
           one script and each prints under its own heading. It is drawn from a grammar over variables whose types are known
           loosely: int, float, num (either), bool, str, any, arrays of these, obj, inst (of one of the program's classes), fn
           (one number to a number). Every draw counts its cost, times the turns of the loops around it; what would pass the
           budget is not drawn. A condition that first holds late in a loop (`late`) guards what breaks the feedback.
Rules      Counters of loops are assigned by nobody else. Only functions drawn before are called; recursion comes from templates that
           count down. Arrays keep at least one element and grow to a cap, strings are clipped. Only the main part prints. No handle, time,
           address or depth of the stack is ever printed.
"""

import argparse
import random
import sys

import hot_loops

PRELUDE = """\
import thread
import math
import strings
import crypto
import runtime
let gen_digest = 0
fn out(tag, v) {
    let s = toString(v)
    gen_digest = crypto.crc32(s + toString(gen_digest))
    if len(s) > 150 { s = s.slice(0, 120) + "~" + toString(len(s)) }
    println(tag, s, gen_digest)
}
fn text(e) {
    if typeof(e) == "object" && has(e, "message") {
        if e.kind == "StackOverflow" { return "StackOverflow" }
        return `${e.kind}: ${e.message} @${e.line} ${e.stack}`
    }
    return toString(e)
}
fn alias(a, b) { a.z = 1; let n = b.z == 1 ? 3 : 5; a.z = nil; return n }
let gen_checks = [alias]
fn hash(e) { return crypto.crc32(text(e)) }
fn clip(s) { return len(s) > 60 ? s.slice(0, 20) + s.slice(-15) : s }
fn int_of(x) {
    if typeof(x) == "int" { return x }
    if typeof(x) == "float" { return x == x && abs(x) < 1e15 ? toInt(x) : 7 }
    return x == nil ? -1 : len(toString(x))
}
fn num_of(x) {
    if typeof(x) == "int" || typeof(x) == "float" { return x }
    return x ? 3 : -2.5
}
"""

INTS = ["0", "1", "-1", "2", "3", "5", "7", "8", "-3", "10", "13", "31", "63", "64", "65", "100", "127", "255", "256", "-128", "1000",
        "32767", "32768", "-32768", "-32769", "65535", "65536", "2147483647", "-2147483648", "4294967296", "9007199254740991",
        "9007199254740992", "9007199254740993", "-9007199254740993", "9223372036854775807", "(-9223372036854775807 - 1)",
        "4611686018427387904", "-4611686018427387905", "math.MIN_INT", "140737488355328", "-140737488355329"]
FLOATS = ["0.0", "-0.0", "1.0", "-1.0", "0.5", "1.5", "-2.5", "0.1", "3.0", "100.0", "1e10", "1e-7", "1e308", "5e-324", "1e16",
          "math.NAN", "math.INF", "(-math.INF)", "9007199254740992.0", "9007199254740994.0", "9223372036854775807.0",
          "-9223372036854775808.0", "9223372036854774784.0", "4294967296.5", "2147483648.0", "0.30000000000000004", "math.PI"]
STRINGS = ['""', '"a"', '"ab"', '"z"', '"0"', '"hello"', '"\\u00e9t\\u00e9"', '"x,y,z"', '"key"', '"\\n"', '"Zz"', '"12"', "'q'"]
FIELDS = ["a", "b", "p", "q", "r", "s"]  # a and b are numbers in every object; the others come and go
NUMERIC = ("int", "float", "num")
ELEMENT = {"[int]": "int", "[float]": "float", "[num]": "num", "[str]": "str", "[bool]": "bool", "[any]": "any",
           "[[int]]": "[int]", "[obj]": "obj", "[inst]": "inst", "[fn]": "fn"}
ACCEPTS = {"num": ("int", "float", "num"), "obj": ("obj", "inst"),
           "any": ("int", "float", "num", "bool", "str", "any", "[int]", "[float]", "[num]", "obj")}
# What an operation refuses, each with its own text; {n} is a number, {a} an array, {o} an object.
WRONG = ["{n} + \"s\"", "\"s\" + {n}", "nil + {n}", "{n} - nil", "{n} * \"x\"", "[1] + [2]", "-\"s\"", "~1.5", "1.5 << {n}", "{n} & 2.0", "nil.x",
         "{a}.nope", "{n}.x", "{a}[len({a})]", "{a}[-1 - len({a})]", "{a}[1.0]", "{a}[\"k\"]", "{a}[nil]", "{o}[1]", "nil[0]", "5[0]",
         "\"abc\"[3]", "1 / ({n} == {n} ? 0 : 0)", "{n} % 0 + 1 / 0", "1 < \"a\"", "\"a\" >= 1", "nil < 1", "{a} < {a}", "{n}(1)", "{o}.nope()",
         "{a}.nope(1)", "nil()", "len({n})", "int_of()", "int_of(1, 2)", "toInt(\"z\")", "toInt(math.NAN)", "5 as string", "{o} as int",
         "range(1, 2, 0)", "[].reduce(fn(a, b) { return a })", "[1, \"a\"].sort()", "\"%d\".format(\"x\")", "{a}.removeAt(1000)",
         "array.new(-1)", "\"a\".repeat(-1)", "math.floor(math.INF)", "abs(\"x\")", "{a}.map(3)", "[...{n}]", "hash(...{n})",
         "true + true", "{n} | true", "{o} - 1", "{a}.slice(\"q\")", "json_missing ?? nil.x.y", "min()", "thread.core.join({n} & 0)"]


class Var:
    """A variable in scope. fixed: a counter, which nothing else may assign. cap: the length an array may reach."""
    __slots__ = ("name", "type", "fixed", "cap")

    def __init__(self, name, type_, fixed=False, cap=0):
        self.name, self.type, self.fixed, self.cap = name, type_, fixed, cap


class Fn:
    """A function that can be called: types of its parameters, of its result, its cost, how many arguments it needs."""
    __slots__ = ("name", "params", "result", "cost", "least", "rest")

    def __init__(self, name, params, result, cost, least=None, rest=False):
        self.name, self.params, self.result, self.cost = name, params, result, cost
        self.least, self.rest = len(params) if least is None else least, rest


class Loop:
    """An enclosing loop: its int counter, if it has one, the values that it takes, and whether `continue` is harmless."""
    __slots__ = ("name", "low", "high", "turns")

    def __init__(self, name, low, high, turns):
        self.name, self.low, self.high, self.turns = name, low, high, turns


class Program:
    """Draws one program; text() is the whole of it, without the prelude."""
    INTS, FLOATS, STRINGS = INTS, FLOATS, STRINGS

    def __init__(self, seed, size=30, work=1.0, final=False):
        self.rng = random.Random(f"langoost {seed}")
        self.seed, self.size, self.factor, self.final = seed, size, work, final
        self.prefix = f"p{seed}_"
        self.lines, self.level, self.names = [], 0, 0
        self.scopes = [[]]
        self.functions, self.classes = [], []
        self.loops = []             # of the function being drawn
        self.base = 0               # index of the first scope that assignments may reach
        self.work, self.mult = 0.0, 1
        self.budget = 0.0
        self.main = False           # may print, may start tasks
        self.plain = False          # only expressions that cannot throw
        self.inside = False         # of a function: may return
        self.result = None
        self.program()

    def text(self):
        return "\n".join(self.lines) + "\n"

    # --- drawing ---------------------------------------------------------------------------------------------------

    def chance(self, p):
        return self.rng.random() < p

    def pick(self, sequence):
        return sequence[int(self.rng.random() * len(sequence))]

    def weighted(self, table):
        """table: (weight, value) pairs."""
        at = self.rng.random() * sum(w for w, _ in table)
        for weight, value in table:
            at -= weight
            if at < 0:
                return value
        return table[-1][1]

    def number(self, low, high):
        return low + int(self.rng.random() * (high - low + 1))

    def name(self, stem):
        self.names += 1
        return f"{stem}{self.names}"

    def emit(self, line):
        self.lines.append("    " * self.level + line)

    def spend(self, cost):
        self.work += cost * self.mult

    def fits(self, cost):
        return self.work + cost * self.mult < self.budget

    def declare(self, name, type_, fixed=False, cap=0):
        var = Var(name, type_, fixed, cap)
        self.scopes[-1].append(var)
        return var

    def visible(self, type_, assignable=False):
        accepted = (type_,) if assignable else ACCEPTS.get(type_, (type_,))
        return [v for scope in self.scopes for v in scope if v.type in accepted and not (assignable and v.fixed)]

    def var(self, type_, assignable=False):
        """A variable of the type, the younger the likelier, or None."""
        found = self.visible(type_, assignable)
        if not found:
            return None
        if self.chance(0.5):
            found = found[-4:]
        return self.pick(found)

    def array(self):
        kinds = [v for scope in self.scopes for v in scope if v.type in ELEMENT]
        return self.pick(kinds) if kinds else None

    # --- expressions -----------------------------------------------------------------------------------------------

    def late(self):
        """A condition that is false for long; None outside loops and where there is nothing to count with."""
        loops = [l for l in self.loops[-2:] if l.name]
        if not loops:
            counters = self.visible("int") if self.inside else []
            if not counters:
                return None
            return f"{self.pick(counters).name} == {self.number(0, 300)}"
        loop = self.pick(loops)
        span = loop.high - loop.low
        at = self.pick([loop.high - 1, loop.high - 2, loop.low + span // 2, loop.low + span * 3 // 4, loop.low + 100,
                        self.number(loop.low, max(loop.low, loop.high - 1))])
        at = max(loop.low, min(at, loop.high))
        return self.weighted([(5, f"{loop.name} == {at}"), (2, f"{loop.name} >= {at}"), (1, f"{loop.name} > {at}"),
                              (2, f"{loop.name} % {max(2, span // 3)} == {max(1, span // 3 - 1)}")])

    def expr(self, type_, depth=2):
        self.spend(1)
        if self.plain:
            depth = 0
        if type_ in NUMERIC and self.loops and self.chance(0.03):
            late = self.late()
            if late:
                odd = self.leaf(type_) if type_ == "int" else self.expr("num", 0)
                return f"({late} ? {odd} : {self.expr(type_, depth - 1)})"
        if type_ == "int":
            return self.int_expr(depth)
        if type_ == "float":
            return self.float_expr(depth)
        if type_ == "num":
            return self.num_expr(depth)
        if type_ == "bool":
            return self.bool_expr(depth)
        if type_ == "str":
            return self.str_expr(depth)
        if type_ == "any":
            return self.any_expr(depth)
        if type_ == "obj":
            return self.obj_expr(depth)
        if type_ == "inst":
            return self.inst_expr()
        if type_ == "fn":
            return self.fn_expr()
        return self.array_expr(type_)

    def leaf(self, type_):
        var = self.var(type_)
        if var and self.chance(0.85):
            return var.name
        if type_ == "int":
            if self.chance(0.6):
                return str(self.number(-9, 99))
            return self.pick(INTS)
        if type_ == "float":
            if self.chance(0.75):
                return self.pick(["0.5", "1.25", "-3.75", "2.0", "0.001", "12.5", "0.1", "3.0"])
            return self.pick(FLOATS)
        if type_ == "num":
            return self.leaf(self.pick(("int", "float")))
        if type_ == "bool":
            return self.pick(("true", "false"))
        if type_ == "str":
            return self.pick(STRINGS)
        return "nil"

    def call(self, type_, depth):
        """A call of a function with such a result, or None."""
        accepted = ACCEPTS.get(type_, (type_,)) if type_ != "any" else ("any",)
        fits = [f for f in self.functions if f.result in accepted and self.fits(f.cost)]
        if not fits:
            return None
        f = self.pick(fits)
        self.spend(f.cost + 3)
        count = len(f.params)
        if f.least < count and self.chance(0.5):
            count = self.number(f.least, count)
        args = [self.argument(t, depth) for t in f.params[:count]]
        if f.rest and count == len(f.params):
            args += [self.expr("num", 0) for _ in range(self.number(0, 3))]
            if self.chance(0.3):
                var = self.var("[num]") or self.var("[int]")
                if var and var.cap < 50:
                    args.append("..." + var.name)
        return f"{f.name}({', '.join(args)})"

    def argument(self, type_, depth):
        if type_ == "num" and self.chance(0.6):
            return self.expr("int", depth - 1)
        return self.expr(type_, depth - 1)

    def index(self, array, depth=1):
        """An index that is inside most of the time."""
        for loop in reversed(self.loops):
            if loop.name and 0 <= loop.low and self.chance(0.6):
                return f"{loop.name} % len({array.name})"
        if self.chance(0.25):
            return self.pick(("0", "-1", "len({0}) - 1", "-len({0})")).format(array.name)
        return f"{self.expr('int', depth - 1)} % len({array.name})"

    def element(self, type_, depth):
        kinds = [k for k, v in ELEMENT.items() if v == type_]
        arrays = [v for k in kinds for v in self.visible(k)]
        if not arrays:
            return None
        var = self.pick(arrays)
        self.spend(3)
        if type_ in ("int", "float", "str") and self.chance(0.1):
            return f"{var.name}.{self.pick(('first', 'last'))}()"
        return f"{var.name}[{self.index(var, depth)}]"

    def int_expr(self, depth):
        if depth <= 0 or self.chance(0.2):
            return self.leaf("int")
        d = depth - 1
        kind = self.weighted([(10, "arith"), (5, "lit"), (4, "div"), (4, "shift"), (4, "bits"), (1, "unary"), (2, "choice"), (2, "len"),
                              (5, "element"), (4, "call"), (2, "lib"), (1, "truth"), (2, "of"), (1, "raw")])
        if kind == "lit":
            return f"({self.expr('int', d)} {self.pick('+-*')} {self.pick(INTS)})"
        if kind == "div":
            by = self.pick(["-1", "2", "3", "7", "-3", "10", "64", "1000", "-9223372036854775807", "4294967296"]) if self.chance(0.6) \
                else f"({self.expr('int', d)} | 1)"
            return f"({self.expr('int', d)} {self.pick('/%')} {by})"
        if kind == "shift":
            by = self.pick(["1", "3", "7", "31", "32", "33", "63", "64", "65", "-1", "-63", "100"]) if self.chance(0.6) else self.expr("int", d)
            return f"({self.expr('int', d)} {self.pick(('<<', '>>'))} {by})"
        if kind == "bits":
            return f"({self.expr('int', d)} {self.pick('&|^')} {self.expr('int', d)})"
        if kind == "unary":
            return f"{self.pick('-~')}({self.expr('int', d)})"
        if kind == "choice":
            return f"({self.expr('bool', d)} ? {self.expr('int', d)} : {self.expr('int', d)})"
        if kind == "len":
            var = self.array() or self.var("str")
            if var:
                return f"len({var.name})"
        if kind == "element":
            found = self.element("int", d)
            if found:
                return found
        if kind == "call":
            found = self.call("int", d)
            if found:
                return found
        if kind == "lib":
            a = self.expr("int", d)
            return self.pick([f"abs({a})", f"min({a}, {self.leaf('int')})", f"max({self.leaf('int')}, {a})", f"math.popcount({a})",
                              f"math.sign({a})", f"math.clz({a})", f"math.rotl({a}, 9)", f"math.clamp({a}, -50, 5000)",
                              f"math.ctz({a})", f"math.rotl({a}, {self.leaf('int')})", f"math.bitwise.shr({a}, {self.leaf('int')})",
                              f"math.bitwise.and({a}, {self.leaf('int')})", f"math.{self.pick(('floor', 'ceil', 'round', 'trunc'))}({a})",
                              f"math.{self.pick(('floor', 'ceil', 'round', 'trunc'))}(math.sin({self.expr('num', d)}) * 9.75)",
                              f"strings.byteAt(\"goose\", {a} & 3)", f"len(toString({a}))"])
        if kind == "truth":
            return f"({self.expr('bool', d)} ? 1 : 0)"
        if kind == "of":
            return f"int_of({self.expr(self.pick(('num', 'float', 'any')), d)})"
        if kind == "raw" and self.chance(0.1):
            return f"({self.expr('int', d)} {self.pick('/%')} {self.leaf('int')})"
        return f"({self.expr('int', d)} {self.pick('+-*')} {self.expr('int', d)})"

    def float_expr(self, depth):
        if depth <= 0 or self.chance(0.2):
            return self.leaf("float")
        d = depth - 1
        kind = self.weighted([(8, "arith"), (4, "mixed"), (3, "lit"), (2, "choice"), (4, "element"), (4, "call"), (3, "lib"), (1, "of")])
        if kind == "mixed":
            pair = [self.expr("float", d), self.expr("int", d)]
            if self.chance(0.5):
                pair.reverse()
            return f"({pair[0]} {self.pick('+-*/%')} {pair[1]})"
        if kind == "lit":
            return f"({self.expr('float', d)} {self.pick('+-*/')} {self.pick(FLOATS)})"
        if kind == "choice":
            return f"({self.expr('bool', d)} ? {self.expr('float', d)} : {self.expr('float', d)})"
        if kind == "element":
            found = self.element("float", d)
            if found:
                return found
        if kind == "call":
            found = self.call("float", d)
            if found:
                return found
        if kind == "lib":
            a = self.expr("num", d)
            return self.pick([f"math.sqrt({a})", f"toFloat({a})", f"abs({self.expr('float', d)})", f"-({self.expr('float', d)})",
                              f"math.pow({a}, 2)", f"min(0.5, {self.expr('float', d)})", f"({a} * 1.0)", f"({a} / 2.0)",
                              f"max({self.expr('float', d)}, {self.leaf('float')})", f"min({a}, {self.expr('num', d)})",
                              f"math.{self.pick(('sin', 'cos', 'exp', 'ln', 'cbrt', 'atan'))}({a})",
                              f"math.{self.pick(('atan2', 'hypot', 'pow'))}({a}, {self.expr('num', d)})"])
        if kind == "of":
            return f"toFloat({self.expr('int', d)})"
        return f"({self.expr('float', d)} {self.pick('+-*/')} {self.expr('float', d)})"

    def num_expr(self, depth):
        if depth <= 0 or self.chance(0.2):
            return self.leaf("num")
        d = depth - 1
        kind = self.weighted([(4, "int"), (3, "float"), (5, "arith"), (5, "field"), (5, "method"), (5, "call"), (4, "element"),
                              (3, "fn"), (2, "maybe"), (1, "of")])
        if kind in ("int", "float"):
            return self.expr(kind, d)
        if kind == "field":
            var = self.var("obj")
            if var:
                return f"{var.name}.{self.pick('ab')}"
        if kind == "method":
            var = self.var("inst")
            if var and self.fits(30):
                self.spend(30)
                return f"{var.name}.{self.pick(('m0', 'm1', 'm2'))}({self.argument('num', d)})"
        if kind == "call":
            found = self.call("num", d)
            if found:
                return found
        if kind == "element":
            found = self.element("num", d)
            if found:
                return found
        if kind == "fn" and self.fits(20):
            var = self.var("fn")
            if var:
                self.spend(20)
                return f"{var.name}({self.argument('num', d)})"
            found = self.element("fn", d)
            if found:
                self.spend(20)
                return f"{found}({self.argument('num', d)})"
        if kind == "maybe":
            var = self.var("obj")
            if var:
                field = self.pick(FIELDS[2:])
                return f"num_of({var.name}.{field})" if self.chance(0.5) else f"(({var.name}[\"{field}\"] ?? 1) is string ? 4 : 5)"
        if kind == "of":
            return f"num_of({self.expr('any', d)})"
        return f"({self.expr('num', d)} {self.pick('+-*/') if self.chance(0.2) else self.pick('+-*')} {self.expr('num', d)})" \
            if self.chance(0.6) else f"({self.expr('num', d)} {self.pick('+-*')} {self.pick(INTS[:14])})"

    def bool_expr(self, depth):
        if depth <= 0:
            return self.leaf("bool") if self.chance(0.3) else f"{self.leaf('num')} {self.pick(('<', '<=', '>', '>=', '==', '!='))} {self.leaf('num')}"
        d = depth - 1
        kind = self.weighted([(8, "int"), (3, "float"), (4, "num"), (2, "edge"), (2, "str"), (2, "and"), (1, "not"), (2, "equal"), (2, "is"),
                              (1, "contains"), (2, "truthy"), (1, "call")])
        compare = self.pick(("<", "<=", ">", ">=", "==", "!="))
        if kind in ("int", "float", "num", "str"):
            return f"({self.expr(kind, d)} {compare} {self.expr(kind, d)})"
        if kind == "edge":
            return f"({self.expr('num', d)} {compare} {self.pick(INTS + FLOATS)})"
        if kind == "and":
            return f"({self.expr('bool', d)} {self.pick(('&&', '||'))} {self.expr('bool', d)})"
        if kind == "not":
            return f"!({self.expr(self.pick(('bool', 'num', 'str', 'any')), d)})"
        if kind == "equal":
            return f"({self.expr('any', d)} {self.pick(('==', '!='))} {self.expr('any', d)})"
        if kind == "is" and self.classes and self.chance(0.6):
            var = self.var("inst") or self.var("any")
            if var:
                return f"({var.name} is {self.pick(self.classes + [self.prefix + 'I'])})"
        if kind == "is":
            return f"({self.expr('any', d)} is {self.pick(('int', 'float', 'string', 'bool', 'array', 'object'))})"
        if kind == "contains":
            var = self.array()
            if var and self.fits(var.cap) and var.type not in ("[inst]", "[obj]", "[fn]", "[[int]]"):
                self.spend(var.cap)
                return f"{var.name}.contains({self.expr(ELEMENT[var.type], d)})"
        if kind == "call":
            found = self.call("bool", d)
            if found:
                return found
        return f"!!{self.leaf(self.pick(('num', 'str', 'int')))}" if kind == "truthy" else f"({self.expr('int', d)} & 1 == 0)"

    def str_expr(self, depth):
        if depth <= 0 or self.chance(0.2):
            return self.leaf("str")
        d = depth - 1
        kind = self.weighted([(5, "join"), (4, "template"), (3, "text"), (2, "byte"), (2, "method"), (2, "element"), (1, "format"), (2, "choice"),
                              (2, "call")])
        if kind == "template":
            self.spend(5)
            return f"`{self.pick(('', 'v='))}${{{self.expr(self.pick(('int', 'float', 'str', 'num', 'bool')), d)}}}{self.pick(('', ';', ' '))}${{{self.leaf('any')}}}`"
        if kind == "text":
            self.spend(5)
            return f"toString({self.expr(self.pick(('int', 'float', 'num', 'bool', 'any')), d)})"
        if kind == "byte":
            var = self.var("str")
            if var:
                return f"(len({var.name}) > 0 ? {var.name}[{self.expr('int', d)} % len({var.name})] : \"-\")"
        if kind == "method":
            self.spend(10)
            a = self.expr("str", d)
            return self.pick([f"{a}.upper()", f"{a}.lower()", f"{a}.slice({self.number(-3, 3)})", f"{a}.replace(\"a\", \"bb\")", f"{a}.reverse()",
                              f"{a}.trim()", f"{a}.padLeft(5, \"*\")", f"clip({a})", f"{a}.split(\",\").join(\"-\")", f"typeof({self.expr('any', d)})"])
        if kind == "element":
            found = self.element("str", d)
            if found:
                return found
        if kind == "format":
            self.spend(10)
            return f"\"%d|%5.2f|%x\".format({self.expr('int', d)}, {self.expr('float', d)}, {self.leaf('int')})"
        if kind == "choice":
            return f"({self.expr('bool', d)} ? {self.expr('str', d)} : {self.expr('str', d)})"
        if kind == "call":
            found = self.call("str", d)
            if found:
                return found
        return f"({self.expr('str', d)} + {self.expr('str', d)})"

    def any_expr(self, depth):
        if self.chance(0.15):
            return "nil"
        found = self.element("any", depth - 1) if self.chance(0.3) else self.call("any", depth - 1) if self.chance(0.2) else None
        if found:
            return found
        if self.chance(0.3):
            var = self.var("any")
            if var:
                return var.name
        return self.expr(self.pick(("int", "int", "float", "str", "bool", "num")), depth - 1)

    def obj_expr(self, depth=1):
        var = self.var("obj")
        if var and self.chance(0.2):
            return var.name
        self.spend(8)
        fields = ["a", "b"]
        if self.chance(0.25):
            fields.reverse()
        for extra in FIELDS[2:]:
            if self.chance(0.2):
                fields.insert(self.number(0, len(fields)), extra)
        def value(field):
            if field in "ab":
                return self.expr("int" if self.chance(0.6) else "num", depth - 1)
            return self.expr("any", depth - 1)
        return "{" + ", ".join(f"{f}: {value(f)}" for f in fields) + "}"

    def inst_expr(self):
        if not self.classes:
            return "nil"
        self.spend(8)
        extra = f", {self.pick(FIELDS[2:])}: {self.leaf('int')}" if self.chance(0.2) else ""
        return f"{self.pick(self.classes)}{{a: {self.expr('num', 0)}, b: {self.expr('int', 0)}{extra}}}"

    def fn_expr(self):
        """A small closure over what is visible, on one line; sometimes a bound method or a built-in."""
        self.spend(5)
        if self.chance(0.15):
            var = self.var("inst")
            return f"{var.name}.{self.pick(('m0', 'm1', 'm2'))}" if var else self.pick(("abs", "num_of", "math.sign"))
        kept = self.work, self.mult
        p = self.name("x")
        self.mult = 0
        self.scopes.append([Var(p, "num")])
        body = f"return {self.expr('num', 1)}" if self.chance(0.7) else f"return {p} {self.pick('+-*')} {self.expr('num', 1)}"
        target = self.var("int", True)
        if target and self.base == 0 and self.chance(0.4):
            body = f"{target.name} = {target.name} + {self.number(1, 9)}; " + body
        self.scopes.pop()
        self.work, self.mult = kept
        return f"fn({p}) {{ {body} }}"

    def array_expr(self, type_, count=None):
        element = ELEMENT[type_]
        if count is None:
            count = self.number(1, 5)
        self.spend(count)
        if element == "bool" or count <= 8:
            return "[" + ", ".join(self.expr(element, 0) for _ in range(min(count, 8))) + "]"
        if element == "int":
            return self.pick([f"array.ints({count})", f"array.new({count}, {self.leaf('int')})",
                              f"array.ints({count}).map(fn(x, i) {{ return i {self.pick('+-*^&')} {self.leaf('int')} }})"])
        if element == "float":
            return self.pick([f"array.floats({count})", f"array.new({count}, {self.pick(FLOATS)})",
                              f"array.ints({count}).map(fn(x, i) {{ return i * {self.pick(('0.5', '0.1', '-1.5', '1e300'))} }})"])
        if element == "num":
            return f"array.ints({count}).map(fn(x, i) {{ return i == {self.number(0, count)} ? i * 0.5 : i }})"
        return f"array.new({count}, {self.leaf(element) if element in ('str', 'any') else self.expr(element, 0)})"

    def wrong(self):
        """An expression that throws."""
        self.spend(40)
        if self.functions and self.chance(0.15):
            f = self.pick(self.functions)
            count = self.number(0, f.least - 1) if f.least and (f.rest or self.chance(0.5)) else len(f.params) + self.number(1, 3)
            return f"{f.name}({', '.join(self.leaf('int') for _ in range(count))})"
        if self.classes and self.chance(0.1):
            c = self.pick(self.classes)
            return self.pick([f"{c}{{a: 1, b: nil}}.m0(\"s\")", f"{c}{{a: 1, b: 2}}.m0()", f"{c}{{}}.m1(1)", f"{c}{{a: \"s\", b: 2}}.m2({self.leaf('int')})",
                              f"{self.leaf('any')} as {self.pick([c, self.prefix + 'I'])}", f"{c}(1)", f"{c}{{a: 1}}.m9()"])
        a = self.array()
        o = self.var("obj")
        text = self.pick(WRONG).replace("json_missing", "nil")
        return text.replace("{a}", a.name if a else "[1, 2]").replace("{o}", o.name if o else "({a: 1})").replace("{n}", self.leaf("int"))

    # --- statements ------------------------------------------------------------------------------------------------

    def open(self, header):
        self.emit((header + " {").lstrip())
        self.level += 1
        self.scopes.append([])

    def close(self, tail=""):
        self.scopes.pop()
        self.level -= 1
        self.emit("}" + tail)

    def reopen(self, header):
        """} else {, } catch e { and the like. A header that names variables is a function: they must be in scope behind the }."""
        self.scopes.pop()
        self.level -= 1
        self.emit("} " + (header if isinstance(header, str) else header()) + " {")
        self.level += 1
        self.scopes.append([])

    def block(self, count, depth):
        for _ in range(count):
            self.statement(depth)

    def statement(self, depth):
        if not self.fits(4):
            return
        kind = self.weighted([(12, "assign"), (6, "accumulate"), (5, "let"), (5, "if"), (7 if depth > 0 else 0, "loop"), (6, "array"),
                              (4, "object"), (3 if depth > 0 else 0, "try"), (3, "shift"), (2, "closure"), (2, "jump"), (2, "call"),
                              (2 if depth > 0 else 0, "higher"), (1 if self.main else 0, "print"), (1 if self.inside else 0, "defer"), (1, "wrong"),
                              (14 if self.main and not self.loops else 1, "hot"), (1, "nested"), (1, "string"), (1, "spread"), (1, "poly"), (3, "pair")])
        getattr(self, "do_" + kind)(depth)

    def do_assign(self, depth):
        types = ["int"] * 5 + ["num"] * 3 + ["float"] * 3 + ["str", "bool", "any"]
        var = self.var(self.pick(types), True)
        if not var:
            return self.do_let(depth)
        if var.type in NUMERIC and self.chance(0.5):
            op = self.pick(("+=", "-=", "*=", "+=", "-=")) if var.type != "float" else self.pick(("+=", "-=", "*=", "/="))
            self.emit(f"{var.name} {op} {self.expr(var.type, 2)}")
            if var.type != "int" and self.loops and self.chance(0.7):    # a NaN would swallow all that comes
                self.emit(f"if !(abs({var.name}) < 1e{self.number(6, 17)}) {{ {var.name} = {self.pick(('0.5', '-1.25', '3.0') if var.type == 'float' else ('1', '-2', '0.5'))} }}")
        elif var.type == "str":
            self.emit(f"{var.name} = clip({self.expr('str', 2)})")
            self.spend(8)
        else:
            self.emit(f"{var.name} = {self.expr(var.type, 3)}")

    def do_accumulate(self, depth):
        var = self.var("int", True)
        if not var:
            return self.do_let(depth)
        near = [v for v in self.scopes[-1] if v is not var and v.type not in ("int", "[fn]", "fn")]
        if near and self.fits(150) and self.chance(0.5):
            self.spend(100)
            self.emit(f"{var.name} = {var.name} * 31 + hash({self.pick(near).name})")
            return
        step = self.pick(["{0} = {0} * 31 + {1}", "{0} = {0} ^ {1}", "{0} = ({0} << 5) - {0} + {1}", "{0} = {0} + {1}", "{0} = ({0} >> 1) + {1}",
                          "{0} += {1} & 255", "{0} = ({0} * 1103515245 + {1}) % 2147483648"])
        self.emit(step.format(var.name, self.expr("int", 2)))

    def do_let(self, depth, type_=None):
        type_ = type_ or self.weighted([(6, "int"), (4, "float"), (4, "num"), (1, "bool"), (2, "str"), (1, "any"), (2, "[int]"), (1, "[float]"),
                                        (2, "[num]"), (1, "[any]"), (1, "[str]"), (1, "[bool]"), (1, "[[int]]"), (3, "obj"), (1, "[obj]"),
                                        (2 if self.classes else 0, "inst"), (2 if self.classes else 0, "[inst]"), (1, "fn"), (1, "[fn]")])
        name = self.name("a" + type_.strip("[]")[0] if type_ in ELEMENT else type_[0])
        if not self.inside and len(self.scopes) == 1:
            name = self.prefix + name
        note = ""
        if self.chance(0.15):
            note = {"int": ": int", "float": ": float", "num": ": any", "[int]": ": int[]", "[any]": ": array"}.get(type_, "")
        cap = 0
        if type_ in ELEMENT:
            most = 12 if ELEMENT[type_] in ("obj", "inst", "fn", "[int]") else 120
            count = self.number(1, 8) if self.chance(0.6) or not self.fits(most) else self.number(9, most)
            value = self.array_expr(type_, count)
            cap = max(count, 8) + self.number(0, 24)
        elif type_ == "str":
            value = f"clip({self.expr('str', 2)})"
        else:
            value = self.expr(type_, 2)
        self.emit(f"let {name}{note} = {value}")
        self.declare(name, type_, cap=cap)

    def do_if(self, depth):
        condition = self.late() if self.loops and self.chance(0.4) else None
        kept = self.mult
        self.open(f"if {condition or self.expr('bool', 2)}")
        if condition:
            self.mult = max(1, self.mult // 8)
        self.block(self.number(1, 2), depth - 1)
        self.mult = kept
        while self.chance(0.3):
            self.reopen(lambda: f"else if {self.expr('bool', 2)}")
            self.block(self.number(1, 2), depth - 1)
        if self.chance(0.4):
            self.reopen("else")
            self.block(self.number(1, 2), depth - 1)
        self.close()

    def turns(self, cost=40):
        """How often the next loop may go round when one turn costs that much."""
        most = int((self.budget - self.work) / (self.mult * cost))
        want = self.weighted([(2, self.number(1, 5)), (3, self.number(6, 40)), (4, self.number(41, 300)), (3, self.number(301, 1500)),
                              (1, self.number(1501, 5000))])
        return max(1, min(want, most))

    def do_loop(self, depth):
        n = self.turns()
        kept = self.mult
        kind = self.weighted([(6, "range"), (2, "span"), (2, "step"), (4, "while"), (3, "for"), (4, "array"), (3, "indexes"), (1, "object"),
                              (1, "string"), (1, "float"), (1, "down"), (1, "edge"), (2, "true"), (1, "kept")])
        counter = self.name("i")
        loop = Loop(counter, 0, n, n)
        before, variables = [], [Var(counter, "int", True)]
        first = None                # the statement that makes the loop end stands first, so that `continue` is harmless
        if kind == "array" and self.array():
            var = self.array()
            if not self.fits(var.cap * 10):
                return
            item = self.name("v")
            loop, n = Loop(None, 0, 0, var.cap), var.cap
            header = f"for {item} in {var.name}"
            variables = [Var(item, ELEMENT[var.type])]
            if self.chance(0.4):
                header = f"for {counter}, {item} in {var.name}"
                variables.append(Var(counter, "int", True))
                loop = Loop(counter, 0, var.cap, var.cap)
            if var.type == "[int]" and self.chance(0.2):
                first = f"if len({var.name}) < {var.cap} {{ {var.name}.push({item} + 1) }}"
        elif kind == "indexes" and self.array():
            var = self.array()
            if not self.fits(var.cap * 10):
                return
            loop, n = Loop(counter, 0, var.cap, var.cap), var.cap
            header = f"for {counter} in range(len({var.name}))"
            value = f"{var.name}[{counter}]"
            if var.type in ("[int]", "[float]", "[num]", "[any]") and self.chance(0.7):
                first = f"{value} = {self.expr(ELEMENT[var.type], 2)}"
            else:
                item = self.name("v")
                first = f"let {item} = {value}"
                variables.append(Var(item, ELEMENT[var.type]))
        elif kind == "object" and self.var("obj"):
            var = self.var("obj")
            loop, n = Loop(None, 0, 0, 6), 6
            value = self.name("v")
            header = f"for {counter}, {value} in {var.name}"
            variables = [Var(counter, "str", True), Var(value, "any")]
        elif kind == "string" and self.var("str"):
            var = self.var("str")
            loop, n = Loop(None, 0, 0, 40), 40
            header = f"for {counter} in {var.name}"
            variables = [Var(counter, "str")]
        elif kind == "span":
            low = self.pick([-5, -100, 1, 1000, 1 << 31, -(1 << 31) - 3, (1 << 53) - 2, (1 << 62)])
            loop = Loop(counter, low, low + n, n)
            header = f"for {counter} in range({low}, {low + n})"
        elif kind == "step":
            step = self.pick((2, 3, 7, -1, -2, 100))
            low, high = (0, n * step) if step > 0 else (n * step, 0)
            loop = Loop(counter, low, high, n)
            header = f"for {counter} in range({0 if step > 0 else n * -0}, {n * step}, {step})"
        elif kind == "while":
            before = [f"let {counter} = 0"]
            header, first = f"while {counter} < {n}", f"{counter} += 1"
        elif kind == "down":
            before = [f"let {counter} = {n}"]
            header, first = f"while {counter} > 0", f"{counter} -= 1"
        elif kind == "for":
            header = f"for let {counter} = 0; {counter} < {n}; {counter} += 1"
        elif kind == "float":
            before = [f"let {counter} = 0.0"]
            header, first = f"while {counter} < {n}", f"{counter} += 1.0"
            loop = Loop(None, 0, 0, n)
            variables = [Var(counter, "float", True)]
        elif kind == "edge":
            n = min(n, 9)
            loop = Loop(counter, 9223372036854775807 - n, 9223372036854775807, n)
            header = f"for let {counter} = 9223372036854775807 - {n}; {counter} > 0; {counter} += 1"
        elif kind == "true":
            before = [f"let {counter} = 0"]
            header = "while true"
            first = f"{counter} = {counter} + 1; if {counter} > {n} {{ break }}"
        elif kind == "kept":
            bound = self.name("r")
            before = [f"let {bound} = range({n})"]
            header = f"for {counter} in {bound}"
        else:
            header = f"for {counter} in range({n})"
        for line in before:
            self.emit(line)
        self.mult = kept * max(1, n)
        self.open(header)
        self.scopes[-1] += variables
        self.loops.append(loop)
        if first:
            self.spend(4)
            self.emit(first)
        self.block(self.number(2, 6), depth - 1)
        self.do_accumulate(0)
        self.loops.pop()
        self.mult = kept
        self.close()
        if self.main and self.chance(0.4):
            self.do_print(depth)

    def do_hot(self, depth):
        """One of the loops of hot_loops.py."""
        if self.turns(120) < 4 or self.mult > 200:
            return self.do_assign(depth)
        hot_loops.draw(self)

    def show(self, what):
        """Makes a value visible: the main part prints it, a function adds it to a number."""
        if self.main and self.mult <= 20:
            self.emit(f"out(\"{self.name('hot')}\", {what})")
            return
        var = self.var("int", True)
        if var:
            self.emit(f"{var.name} = {var.name} * 31 + hash({what})")

    def do_shift(self, depth):
        """What the feedback has not seen: another type for a num, another kind of element."""
        late = self.late()
        if not late:
            return self.do_assign(depth)
        var = self.var("num", True)
        array = self.var("[num]", True) if self.chance(0.5) else self.var("[any]", True)
        if array and self.chance(0.5):
            value = self.expr("float", 1) if array.type == "[num]" else self.expr("any", 1)
            self.emit(f"if {late} {{ {array.name}[{self.index(array)}] = {value} }}")
        elif var:
            self.emit(f"if {late} {{ {var.name} = {self.expr(self.pick(('float', 'int', 'num')), 1)} }}")
        else:
            var = self.var("any", True)
            if var:
                self.emit(f"if {late} {{ {var.name} = {self.expr('any', 1)} }}")

    def do_array(self, depth):
        var = self.array()
        if not var:
            return self.do_let(depth, "[int]")
        element = ELEMENT[var.type]
        name = var.name
        value = self.expr(element, 1)
        kind = self.weighted([(8, "set"), (4, "push"), (3, "pop"), (2, "compound"), (1, "insert"), (1, "remove"), (1, "reverse"), (1, "sort"),
                              (1, "fill"), (1, "swap"), (1, "odd")])
        if kind == "push":
            self.emit(f"if len({name}) < {var.cap} {{ {name}.push({value}) }}")
        elif kind == "pop":
            self.emit(f"if len({name}) > {self.number(1, 4)} {{ {name}.pop() }}")
        elif kind == "compound" and element in NUMERIC:
            self.emit(f"{name}[{self.index(var)}] {self.pick(('+=', '-=', '*='))} {value}")
        elif kind == "insert":
            self.emit(f"if len({name}) < {var.cap} {{ {name}.insert({self.pick(('0', '1', '-1', f'len({name})'))}, {value}) }}")
        elif kind == "remove":
            self.emit(f"if len({name}) > 2 {{ {name}.removeAt({self.pick(('0', '1', '-1'))}) }}")
        elif kind == "reverse" and self.fits(var.cap):
            self.spend(var.cap)
            self.emit(f"{name}.reverse()")
        elif kind == "sort" and element in ("int", "float", "num", "str") and self.fits(var.cap * 8):
            self.spend(var.cap * 8)
            self.emit(f"{name}.sort({self.pick(('', 'fn(x, y) { return y < x }', 'fn(x, y) { return x < y }'))})")
        elif kind == "fill" and self.fits(var.cap):
            self.spend(var.cap)
            self.emit(f"{name}.fill({value})")
        elif kind == "swap":
            self.emit(f"let {self.name('t')} = {name}[0]")
            self.emit(f"{name}[0] = {name}[-1]")
            self.emit(f"{name}[-1] = t{self.names}")
        elif kind == "odd" and var.type in ("[num]", "[any]"):
            self.emit(f"{name} = {self.array_expr(self.pick(('[int]', '[float]', var.type)), self.number(1, 20))}")
        else:
            self.emit(f"{name}[{self.index(var)}] = {value}")

    def do_object(self, depth):
        var = self.var("obj")
        if not var:
            return self.do_let(depth, "obj")
        field = self.pick(FIELDS[2:])
        late = self.late()
        kind = self.weighted([(6, "number"), (2, "field"), (2, "remove"), (1, "delete"), (2, "dynamic"), (2, "late"), (1, "replace"), (1, "method")])
        if kind == "field":
            self.emit(f"{var.name}.{field} = {self.expr('any', 1)}")
        elif kind == "remove":
            self.emit(f"{var.name}.{field} = nil")
        elif kind == "delete":
            self.emit(f"delete({var.name}, \"{field}\")")
        elif kind == "dynamic":
            self.emit(f"{var.name}[\"k\" + toString({self.expr('int', 1)} & 3)] = {self.expr('any', 1)}")
        elif kind == "late" and late:
            self.emit(f"if {late} {{ {var.name}.{self.pick([field, 'a', 'b'])} = {self.expr('num', 1)} }}")
        elif kind == "replace" and var.type == "obj" and not var.fixed:
            self.emit(f"{var.name} = {self.obj_expr()}")
        elif kind == "method" and late and self.fits(40):
            name = self.pick(("m0", "m1"))
            if var.type == "inst":
                self.emit(f"if {late} {{ {var.name}.{field} = {var.name}.{name} }}")
        else:
            target = f"{var.name}.{self.pick('ab')}"
            self.emit(f"{target} {self.pick(('=', '+=', '-=', '*='))} {self.expr(self.pick(('int', 'int', 'num')), 1)}")

    def do_try(self, depth):
        kept = self.mult
        self.spend(30)
        self.open("try")
        self.block(self.number(1, 2), depth - 1)
        late = self.late()
        what = self.wrong() if self.chance(0.6) else None
        if what:
            what = f"let {self.name('w')} = {what}"
        else:
            odd = f'{{kind: "Odd", message: "m", n: {self.leaf("int")}}}'
            what = f"throw {self.pick([self.expr('any', 1), self.leaf('int'), odd])}"
        if late:
            self.emit(f"if {late} {{ {what} }}")
        elif self.fits(400) or self.chance(0.2):
            self.emit(f"if {self.expr('bool', 2)} {{ {what} }}")
        self.block(self.number(0, 1), depth - 1)
        if self.chance(0.85):
            e = self.name("e")
            self.reopen(f"catch {e}")
            target, text = self.var("int", True), self.var("str", True)
            if text and self.chance(0.3):
                self.emit(f"{text.name} = clip(text({e}))")
            if target:
                self.emit(f"{target.name} = {target.name} * 31 + hash({e})")
            if self.chance(0.1):
                self.emit(f"throw {e}")
            if self.chance(0.4):
                self.reopen("finally")
                self.block(1, depth - 1)
        else:
            self.reopen("finally")
            self.block(self.number(1, 2), depth - 1)
        self.close()
        self.mult = kept

    def do_closure(self, depth):
        """A counter that several closures share, or a closure made in each turn."""
        if self.mult > 300 or not self.fits(40):
            return self.do_let(depth, "fn")
        n, f, g = self.name("n"), self.name("f"), self.name("g")
        self.spend(20)
        self.emit(f"let {n} = {self.leaf('num')}")
        self.emit(f"let {f} = fn(x) {{ {n} = {n} + x; return {n} }}")
        self.emit(f"let {g} = fn(x) {{ {n} = {self.pick([f'x - {n}', f'{n} * 0.5', f'{n} ^ 1 > 0 ? 1 : 2', 'int_of(x)'])}; return {n} }}"
                  if self.chance(0.7) else f"let {g} = fn(x = 2, ...y) {{ return {n} + x + len(y) }}")
        self.declare(n, "num", fixed=True)
        self.declare(f, "fn", fixed=True)
        self.declare(g, "fn", fixed=True)

    def do_jump(self, depth):
        if not self.loops:
            return self.do_assign(depth)
        what = self.weighted([(4, "continue"), (2, "break"), (2 if self.inside and self.result else 0, "return")])
        condition = self.late() if what != "continue" or self.chance(0.3) else None
        if not condition:
            condition = f"{self.expr('int', 1)} % {self.number(3, 17)} == {self.number(0, 2)}"
            what = "continue"
        if what == "return":
            what += " " + self.expr(self.result, 1)
        self.emit(f"if {condition} {{ {what} }}")

    def do_call(self, depth):
        type_ = self.pick(("int", "num", "float", "str", "any"))
        call = self.call(type_, 2)
        if not call:
            return self.do_assign(depth)
        target = self.var(type_, True)
        if target and type_ != "str":
            self.emit(f"{target.name} = {call}")
        else:
            self.emit(call)

    def do_higher(self, depth):
        var = self.pick(self.visible("[int]") + self.visible("[num]") + self.visible("[float]") or [None])
        if not var or not self.fits(var.cap * 25):
            return self.do_array(depth)
        self.spend(var.cap * 20)
        kept = self.mult
        self.mult *= var.cap
        element = ELEMENT[var.type]
        x, y, out = self.name("x"), self.name("y"), self.name("o")
        start = self.leaf("num"), self.leaf(element)
        self.scopes.append([Var(x, element), Var(y, "int")])
        loops, self.loops = self.loops, [Loop(y, 0, var.cap, var.cap)]
        kind = self.pick(("map", "map", "filter", "reduce", "sort", "forEach", "every", "chain"))
        result = {"map": "[num]", "filter": var.type, "reduce": "num", "sort": var.type, "every": "bool", "chain": "num"}.get(kind)
        if kind == "map":
            text = f"{var.name}.map(fn({x}, {y}) {{ return {self.expr('num', 2)} }})"
        elif kind == "filter":
            text = f"{var.name}.filter(fn({x}, {y}) {{ return {self.expr('bool', 2)} }})"
            text = f"[{start[1]}, ...{text}]"
        elif kind == "reduce":
            text = f"{var.name}.reduce(fn(acc, {x}, {y}) {{ return acc {self.pick('+-*')} {self.expr('num', 2)} }}, {start[0]})"
        elif kind == "sort":
            text = f"{var.name}.slice(0).sort(fn({x}, {y}) {{ return {self.pick([f'{x} - {y}', f'{y} < {x}', f'{x} % 7 - {y} % 7', f'{x} > {y} ? -1 : 1'])} }})"
        elif kind == "every":
            text = f"{var.name}.{self.pick(('every', 'some'))}(fn({x}, {y}) {{ return {self.expr('bool', 2)} }})"
        elif kind == "chain":
            text = f"{var.name}.map(fn({x}, {y}) {{ return {self.expr('num', 1)} }}).filter(fn({x}) {{ return {x} > 0 }}).reduce(fn(p, q) {{ return p + q }}, 0)"
        else:
            target = self.var("int", True)
            text = f"{var.name}.forEach(fn({x}, {y}) {{ {target.name if target else x} += {self.expr('int', 1)} }})"
        self.scopes.pop()
        self.loops = loops
        self.mult = kept
        if result:
            self.emit(f"let {out} = {text}")
            self.declare(out, result, cap=var.cap + 1)
        else:
            self.emit(text)

    def do_print(self, depth):
        var = self.pick([v for scope in self.scopes for v in scope] or [None])
        if not var or var.type in ("fn", "[fn]"):
            return
        if self.mult > 20:
            late = self.late()
            if late and "%" not in late and ">" not in late:
                self.emit(f"if {late} {{ out(\"{var.name}\", {var.name}) }}")
            return
        self.spend(100)
        self.emit(f"out(\"{var.name}\", {var.name})")

    def do_defer(self, depth):
        var = self.var("int", True)
        if not var or self.mult > 1000:
            return self.do_assign(depth)
        self.spend(15)
        self.emit(f"defer fn(x) {{ {var.name} = {var.name} {self.pick('+-^')} {self.pick((self.leaf('int'), 'int_of(x)'))} }}({self.expr('int', 1)})")

    def do_wrong(self, depth):
        """An error in the middle of hot code that only an outer handler takes."""
        late = self.late()
        if late and self.chance(0.12):      # over several lines: the line of the error must be right
            self.open(f"if {late}")
            self.emit(f"let {self.name('w')} = [")
            self.emit(f"    {self.expr('int', 1)},")
            self.emit(f"    {self.wrong()},")
            self.emit(f"    {self.leaf('int')}]")
            self.close()
        elif late and self.chance(0.2):
            self.emit(f"if {late} {{ let {self.name('w')} = {self.wrong()} }}")
        else:
            self.do_assign(depth)

    def do_nested(self, depth):
        var = self.var("[[int]]")
        if not var:
            return self.do_let(depth, "[[int]]")
        row = f"{var.name}[{self.index(var)}]"
        kind = self.pick(("set", "push", "share", "sum"))
        if kind == "set":
            self.emit(f"{row}[0] {self.pick(('=', '+='))} {self.expr('int', 1)}")
        elif kind == "push":
            self.emit(f"if len({row}) < 20 {{ {row}.push({self.expr('int', 0)}) }}")
        elif kind == "share":
            self.emit(f"{var.name}[0] = {var.name}[-1]")
        else:
            target = self.var("int", True)
            if target and self.fits(200):
                self.spend(100)
                r, x = self.name("r"), self.name("x")
                self.emit(f"for {r} in {var.name} {{ for {x} in {r} {{ {target.name} += {x} }} }}")

    def do_string(self, depth):
        var = self.var("str", True)
        if not var:
            return self.do_let(depth, "str")
        self.spend(12)
        self.emit(f"{var.name} += {self.expr('str', 1)}; if len({var.name}) > {self.number(40, 90)} {{ {var.name} = {var.name}.slice(-{self.number(5, 30)}) }}")

    def do_spread(self, depth):
        var = self.var("[int]")
        if not var or not self.fits(var.cap * 2):
            return
        self.spend(var.cap * 2)
        name = self.name("z")
        self.emit(f"let {name} = [{self.leaf('int')}, ...{var.name}, {self.leaf('int')}]")
        self.declare(name, "[int]", cap=var.cap + 2)

    def do_poly(self, depth):
        """One site, many shapes: a loop over objects or instances, an odd one among them from some turn on."""
        late = self.late()
        kind = "[inst]" if self.classes and self.chance(0.6) else "[obj]"
        var = self.var(kind)
        target = self.var("num", True) or self.var("float", True)
        if not var or not target:
            return self.do_let(depth, kind)
        if not self.fits(60):
            return
        self.spend(40)
        item = f"{var.name}[{self.index(var)}]"
        if late and self.chance(0.4):
            self.emit(f"if {late} {{ {item} = {self.expr(kind[1:-1], 1)} }}")
        if kind == "[inst]" and self.chance(0.7):
            use = f"{item}.{self.pick(('m0', 'm1', 'm2'))}({self.argument('num', 1)})"
        else:
            use = f"{item}.{self.pick('ab')}"
        self.emit(f"{target.name} = {target.name} * 0.5 + {use}" if target.type == "float" or self.chance(0.5) else f"{target.name} = {use}")

    def do_pair(self, depth):
        """Small objects that nobody else sees: several names for one, writes, sums of them; now and then one is seen after all."""
        target = self.var("int", True)
        if not target or not self.fits(60):
            return self.do_let(depth)
        self.spend(40)
        late = self.late()
        one, two = self.name("v"), self.name("v")
        self.emit(f"let {one} = {{p: {self.expr('int', 1)}, q: {self.expr('num', 1)}}}")
        self.emit(f"let {two} = {self.pick((one, one, f'{{p: {one}.p + 1, q: {one}.q}}', f'{{p: {one}.q, q: {one}.p}}'))}")
        for _ in range(self.number(1, 3)):
            field = f"{self.pick((one, two))}.{self.pick('pq')}"
            kind = self.weighted([(6, "write"), (3, "odd"), (2, "branch"), (1, "seen"), (1, "add"), (3, "same"), (1, "try")])
            if kind == "odd" and late:
                self.emit(f"if {late} {{ {field} = {self.pick((chr(34) + 's' + chr(34), 'nil', '0.5', self.expr('any', 1)))} }}")
            elif kind == "branch":
                number = self.leaf("num")
                self.emit(f"if {self.expr('bool', 1)} {{ {two} = {self.pick((one, f'{{p: 1, q: {number}}}'))} }}")
            elif kind == "seen" and self.var("obj"):
                self.emit(f"if {late or self.expr('bool', 1)} {{ {self.var('obj').name}.{self.pick(FIELDS[2:])} = {self.pick((one, two))} }}")
            elif kind == "add":
                self.emit(f"if {late or self.expr('bool', 1)} {{ {one}.r = {two}.p }}")
            elif kind == "same":
                self.emit(f"if {late or 'false'} {{ {target.name} += gen_checks[0]({one}, {two}) }}")
            elif kind == "try":
                self.emit(f"try {{ {field} = {self.expr('int', 1)}; {one}.q = {self.expr('num', 1)} % int_of({one}.p) }} catch {self.name('e')} {{ {two}.q = {one}.q }}")
            else:
                self.emit(f"{field} = {self.expr(self.pick(('int', 'int', 'num')), 1)}")
        self.emit(f"{target.name} = {target.name} * 31 + (int_of({one}.p) ^ int_of({two}.q))")

    # --- declarations ----------------------------------------------------------------------------------------------

    def in_function(self, header, params, result, budget, count, depth):
        """Draws a function declaration; gives its cost."""
        kept = (self.scopes, self.loops, self.work, self.mult, self.budget, self.inside, self.result, self.main)
        self.scopes = [self.scopes[0]]
        self.loops, self.work, self.mult, self.budget = [], 0.0, 1, budget
        self.inside, self.result, self.main = True, result, False
        self.open(header)
        self.scopes[-1] += params
        for type_ in ("int", self.pick(("num", "float"))):
            if self.chance(0.5):
                self.do_let(depth, type_)
        self.block(count, depth)
        if result:
            self.emit(f"return {self.expr(result, 2)}")
        self.close()
        cost = self.work
        (self.scopes, self.loops, self.work, self.mult, self.budget, self.inside, self.result, self.main) = kept
        return cost + 5

    def function(self):
        name = self.prefix + self.name("f")
        types = [self.weighted([(5, "int"), (3, "float"), (5, "num"), (1, "str"), (1, "any"), (1, "bool"), (1, "[int]"), (1, "[num]"), (1, "obj"),
                                (1, "fn")]) for _ in range(self.number(0, 3))]
        params, texts, least = [], [], None
        for i, type_ in enumerate(types):
            p = self.name("q")
            note = self.pick(("", "", "", {"int": ": int", "float": ": float", "num": ": int"}.get(type_, "")))
            default = ""
            if type_ in NUMERIC and (least is not None or i == len(types) - 1) and self.chance(0.3):
                least = i if least is None else least
                default = f" = {self.pick([params[-1].name + ' + 1'] if params and params[-1].type in NUMERIC and type_ == 'num' else [self.constant(type_)])}"
            elif least is not None:
                default = f" = {self.constant(type_)}"
            params.append(Var(p, type_, cap=40))
            texts.append(p + note + default)
        rest = least is None and self.chance(0.12)
        if rest:
            p = self.name("rest")
            texts.append("..." + p)
            params.append(Var(p, "any"))
        result = self.weighted([(5, "int"), (3, "float"), (5, "num"), (1, "str"), (1, "bool"), (1, "any")])
        heavy = self.chance(0.2)
        cost = self.in_function(f"fn {name}({', '.join(texts)})", params, result, 4000 if heavy else 150, self.number(1, 4), 2 if heavy else 1)
        self.functions.append(Fn(name, types, result, cost, least, rest))

    def constant(self, type_):
        return {"int": self.pick(INTS[:12]), "float": "0.5", "num": self.pick(("1", "2.5")), "bool": "true", "str": '"d"', "any": "nil",
                "[int]": "[1, 2]", "[num]": "[1, 2.5]", "obj": "{a: 1, b: 2}", "fn": "num_of"}[type_]

    def class_family(self):
        """A base with three methods of one number, and classes that override some of them."""
        base = self.prefix + self.name("K")
        known = []
        self.emit(f"interface {self.prefix}I {{ fn m0(x) {self.pick(('fn m2(x)', 'fn m3()', 'fn m1(x, y)'))} }}")
        for i in range(self.number(1, 4)):
            name = base if i == 0 else self.prefix + self.name("K")
            parent = self.pick(known) if known else None
            self.emit(f"class {name}{f' extends {parent}' if parent else ''} {{")
            self.level += 1
            for m in ("m0", "m1", "m2"):
                if parent and self.chance(0.5):
                    continue
                x = self.name("x")
                body = self.pick([f"return self.a + {x}", f"return self.b * {x} - {self.pick(INTS[:20])}", f"self.a = self.a + 1; return {x} - self.a",
                                  f"self.b += int_of({x}) & 15; return self.b", f"return {x} > 10 ? self.a : self.b", f"return {self.leaf('num')}",
                                  f"if {x} == {self.number(0, 50)} {{ self.a = self.a * 0.5 }}; return self.a",
                                  f"self.{self.pick(FIELDS[2:])} = {x}; return self.a"])
                if m == "m2":
                    body = self.pick([body, f"return self.m0({x}) + self.m1({x})", f"let s = 0; for i in range(4) {{ s = s + self.m0(i) }}; return s"])
                if parent and self.chance(0.5):
                    body = f"return super.{m}({x}) {self.pick('+-*')} {self.pick(('1', '0.5', x, '2'))}"
                self.emit(f"fn {m}({x}) {{ {body} }}")
            self.level -= 1
            self.emit("}")
            known.append(name)
        self.classes += known

    def recursion(self):
        """A recursive function from a template; all count n down. Gives a call that prints well."""
        f, g = self.prefix + self.name("rec"), self.prefix + self.name("rec")
        k = self.pick(INTS[:12])
        odd = self.number(0, 12)
        thrown = self.pick(["17", '{kind: "Deep", message: "end"}', '"s"'])
        templates = [
            ([f"fn {f}(n) {{ return n < 2 ? n : {f}(n - 1) + {f}(n - 2) }}"], f"{f}({self.number(3, 15)})", 1500 * 6),
            ([f"fn {f}(n) {{ if n == {odd} {{ return {f}(n - 1) + 0.5 }}; return n <= 0 ? {k} : {f}(n - 1) + n }}"], f"{f}({self.number(5, 1500)})", 9000),
            ([f"fn {f}(n, acc) {{ if n == 0 {{ return acc }}; return {g}(n - 1, acc * 3 + n) }}",
              f"fn {g}(n, acc) {{ if n == 0 {{ return -acc }}; return {f}(n - 1, acc ^ {k}) }}"], f"{f}({self.number(1, 900)}, {self.leaf('int')})", 9000),
            ([f"fn {f}(d) {{ return d == 0 ? [1] : [{f}(d - 1), d, {f}(d - 1)] }}",
              f"fn {g}(t) {{ return len(t) == 1 ? t[0] : {g}(t[0]) + t[1] * 2 - {g}(t[2]) }}"], f"{g}({f}({self.number(1, 7)}))", 6000),
            ([f"fn {f}(d) {{ return d == 0 ? nil : {{a: d, b: {k}, l: {f}(d - 1), r: {f}(d - 2 > 0 ? d - 2 : 0)}} }}",
              f"fn {g}(t) {{ if t == nil {{ return 1 }}; return t.a * {g}(t.l) + {g}(t.r) - t.b }}"], f"{g}({f}({self.number(1, 9)}))", 6000),
            ([f"fn {f}(n) {{ if n == 0 {{ throw {thrown} }}",
              f"    try {{ return 1 + {f}(n - 1) }} finally {{ {self.prefix}g0 += n }} }}"],
             f"fn() {{ try {{ return {f}({self.number(1, 90)}) }} catch e {{ return text(e) }} }}()", 6000),
            ([f"fn {f}(n, ...r) {{ return n == 0 ? len(r) : {f}(n - 1, n, ...r) }}"], f"{f}({self.number(1, 40)})", 3000),
            ([f"fn {f}(a, b) {{ return b == 0 ? a : {f}(b, a % b) }}"], f"{f}({self.number(1, 10**6)}, {self.number(1, 10**6)})", 300),
            ([f"fn {f}(a, lo, hi) {{",
              "    if lo >= hi { return a }",
              "    let p = a[hi]; let i = lo",
              "    for j in range(lo, hi) { if a[j] < p { let t = a[i]; a[i] = a[j]; a[j] = t; i += 1 } }",
              "    let t = a[i]; a[i] = a[hi]; a[hi] = t",
              f"    {f}(a, lo, i - 1); return {f}(a, i + 1, hi)",
              "}"], f"{f}(array.ints(60).map(fn(x, i) {{ return {self.pick(['i * 7919 % 61', 'i * 37 % 61 * 0.5', 'i % 5 == 4 ? i * 0.25 : -i'])} }}), 0, 59)", 6000),
            ([f"fn {f}(n) {{ return 1 + {f}(n + 1) }}"], f"fn() {{ try {{ return {f}(0) }} catch e {{ return e.kind }} }}()", 300000)
            if self.chance(0.06) else
            ([f"fn {f}(n) {{ let s = 0; while n != 1 && s < 200 {{ n = n % 2 == 0 ? n / 2 : 3 * n + 1; s += 1 }}; return s }}"],
             f"{f}({self.number(1, 9999)})", 2000),
        ]
        lines, call, cost = self.pick(templates)
        for line in lines:
            self.emit(line)
        return call, cost

    # --- tasks -----------------------------------------------------------------------------------------------------

    def task_part(self):
        """Tasks whose results do not depend on who runs first."""
        fs = [f for f in self.functions if f.cost < 2000 and len(f.params) >= 1 and f.params[0] in NUMERIC and f.least <= 1]
        f = self.pick(fs).name if fs else "num_of"
        arrays = self.visible("[int]") + self.visible("[num]") + self.visible("[float]")
        a = self.pick(arrays).name if arrays else "[1, 2, 3]"
        n = self.number(1, 5)
        turns = self.number(5, 400)
        v, t = self.name("v"), self.name("t")
        self.spend(3000 + n * turns * 10)
        loop = f"for i in range({turns}) {{ {v}[i % len({v})] {self.pick(('+=', '='))} {self.pick(('i', 'i * k', 'k + 0.5', 'i ^ k'))} }}"
        kind = self.pick(("async", "pool", "map", "channel", "spawn", "cow", "scheduler", "atomic", "atomics", "buffer", "mutex", "store"))
        put = self.emit
        if kind == "async":
            put(f"let {t} = range_list({n}).map(fn(k) {{ return thread.async.run({f}, k) }})".replace(f"range_list({n})", f"array.ints({n}).map(fn(x, i) {{ return i }})"))
            put(f"for k in {t} {{ try {{ out(\"{t}\", thread.async.await(k)) }} catch e {{ out(\"{t}\", text(e)) }} }}")
        elif kind == "pool":
            put(f"let {t} = thread.pool.new({self.number(1, 3)})")
            put(f"for k in range({n}) {{ thread.pool.submit({t}, fn(k) {{ let {v} = {a}; {loop}; return {v} }}, k) }}")
            put(f"out(\"{t}\", thread.pool.wait({t}))")
            put(f"out(\"{t}\", {a})")
        elif kind == "map":
            put(f"let {t} = thread.pool.new(2)")
            put(f"try {{ out(\"{t}\", thread.pool.map({t}, {a}, fn(x, k) {{ return {f}(x) }})) }} catch e {{ out(\"{t}\", text(e)) }}")
        elif kind == "channel":
            put(f"let {t} = thread.channel.new({self.number(0, 4)})")
            put(f"let {v} = thread.async.run(fn() {{ for i in range({turns}) {{ thread.channel.send({t}, i % 50 == 49 ? i * 0.5 : i) }}; thread.channel.close({t}) }})")
            s = self.name("s")
            put(f"let {s} = 0")
            put(f"for x in {t} {{ {s} = {s} * 3 + x }}")
            put(f"thread.async.await({v})")
            put(f"out(\"{s}\", {s})")
        elif kind == "spawn":
            put(f"let {t} = thread.core.spawn(fn(k, {v}) {{ {loop}; return {v} }}, {n}, {a})")
            put(f"out(\"{t}\", thread.core.join({t}))")
        elif kind == "cow":
            put(f"let {v} = {a}.slice(0)")
            put(f"let {t} = thread.async.run(fn(k) {{ {loop}; return {v} }}, {n})")
            put(f"for i in range({turns}) {{ {v}[i % len({v})] = {self.pick(('i', 'i * 2.5', '-i'))} }}")
            put(f"out(\"{v}\", {v})")
            put(f"out(\"{t}\", thread.async.await({t}))")
        elif kind == "scheduler":
            put(f"try {{ out(\"{t}\", thread.scheduler.run([fn() {{ return {f}(1) }}, fn() {{ {self.prefix}g0 += 1; return {self.prefix}g0 }}, fn() {{ return {f}(2.5) }}])) }} catch e {{ out(\"{t}\", text(e)) }}")
        elif kind == "atomic":
            put(f"let {t} = thread.atomic.new({self.leaf('int')})")
            put(f"let {v} = array.ints({n}).map(fn(x, k) {{ return thread.async.run(fn() {{ for i in range({turns}) {{ thread.atomic.add({t}, i * k) }}; return k }}) }})")
            put(f"out(\"{t}\", [thread.async.all({v}), thread.atomic.load({t})])")
        elif kind == "atomics":
            ops = ("add({t}, i)", "sub({t}, i * 3)", "inc({t})", "dec({t})", "exchange({t}, i ^ 5)", "min({t}, 40 - i)", "max({t}, i - 9)",
                   "cas({t}, i, k)", "store({t}, i)", "load({t})", "add({t}, 9223372036854775807)", "add({t}, i == 30 ? 0.5 : 1)")
            calls = "; ".join(f"k = thread.atomic.{self.pick(ops).format(t=t)}{self.pick(('', ' ?? i', ''))}" for _ in range(self.number(1, 4)))
            put(f"let {t} = thread.atomic.new({self.leaf('int')})")
            put(f"let {v} = fn({t}) {{ let k = 1; for i in range({turns}) {{ {calls} }}; return k }}")
            put(f"try {{ out(\"{v}\", {v}({t})) }} catch e {{ out(\"{v}\", text(e)) }}")
            put(f"out(\"{t}\", thread.atomic.load({t}))")
        elif kind == "buffer":
            item = self.pick(("i", "i * 0.5", "i % 7 == 0 ? nil : i", "i % 9 == 0 ? [i] : i", "toString(i)", "i > 60 ? thread.atomic.new(i) : i"))
            put(f"let {t} = thread.channel.new({self.number(1, 6)})")
            put(f"let {v} = fn({t}) {{ let k = 0; let s = \"\"; for i in range({turns}) {{")
            put(f"    if thread.channel.trySend({t}, {item.format(t=t)}) {{ k += 1 }}")
            put(f"    if i % {self.number(2, 5)} != 0 {{ let x = thread.channel.tryRecv({t}); s = typeof(x); if typeof(x) == \"int\" && i < 50 {{ k = k * 3 + x }} }}")
            put(f"    if i == {self.number(3, 500)} {{ thread.channel.close({t}) }}")
            put("    }; return [k, s] }")
            put(f"try {{ out(\"{v}\", {v}({t})) }} catch e {{ out(\"{v}\", text(e)) }}")
            put(f"out(\"{t}\", thread.channel.len({t}))")
        elif kind == "mutex":
            put(f"let {t} = thread.mutex.new()")
            put(f"let {v} = thread.atomic.new(0)")
            put(f"let {v}f = fn(n) {{ for i in range(n) {{ thread.mutex.lock({t}); thread.atomic.store({v}, thread.atomic.load({v}) + i); thread.mutex.unlock({t}) }}; return n }}")
            put(f"let {v}t = [{', '.join(f'thread.async.run({v}f, {turns})' for _ in range(n))}]")
            put(f"out(\"{v}\", [thread.async.all({v}t), thread.atomic.load({v})])")
            put(f"try {{ {self.pick((f'thread.mutex.unlock({t})', f'{v}f({turns}); thread.mutex.lock({t}); {v}f(2)', f'thread.mutex.lock({v})'))} }} catch e {{ out(\"{t}\", e.kind) }}")
        else:
            put(f"runtime.core.share(\"{self.prefix}\", {a})")
            put(f"let {t} = thread.async.run(fn(k) {{ let {v} = runtime.core.fetch(\"{self.prefix}\"); {loop}; return {v} }}, {n})")
            put(f"out(\"{t}\", [thread.async.await({t}), runtime.core.fetch(\"{self.prefix}\")])")

    # --- the whole -------------------------------------------------------------------------------------------------

    def program(self):
        size = max(4, self.size)
        self.emit(f"// --- program {self.seed}")
        self.emit(f"let {self.prefix}g0 = {self.number(-5, 5)}")
        self.declare(f"{self.prefix}g0", "int")
        self.budget, self.plain = 1e9, True
        for type_ in self.rng.sample(["int", "float", "num", "str", "[int]", "[num]", "obj", "any"], self.number(1, 4)):
            self.do_let(0, type_)
        self.plain = False
        if self.chance(0.6):
            self.class_family()
        recursion = self.recursion() if self.chance(0.4) else None
        for _ in range(self.number(1, 2 + size // 12)):
            self.function()
        self.work, self.budget = 0.0, self.weighted([(3, 1e5), (4, 5e5), (3, 2e6), (1, 1e7)]) * self.factor * min(4.0, size / 30)
        self.main_part(size, recursion)

    def main_part(self, size, recursion):
        ends = self.weighted([(9, "caught"), (2, "uncaught"), (1, "exit")]) if self.final else "caught"
        module = self.chance(0.3)
        self.emit(f"println(\"== {self.seed}\")")
        if module:
            if ends == "caught" or self.chance(0.5):
                self.emit("try {")
                self.level += 1
                self.scopes.append([])
                tried = True
            else:
                tried = False
        else:
            self.open(f"fn {self.prefix}main()")
            self.inside, tried = True, False
        self.main = True
        for type_ in ("int", "float", "num", "[int]", self.pick(("str", "obj", "[num]", "[any]", "inst" if self.classes else "obj"))):
            self.do_let(0, type_)
        count = 0
        while count < size // 2 and self.fits(50):
            count += 1
            self.statement(self.number(1, 3))
            if self.chance(0.3):
                self.do_loop(2)
        if recursion and self.fits(1):
            call, _ = recursion
            self.emit(f"out(\"rec\", {call})")
            if self.chance(0.3):
                n = self.number(2, 6)
                self.emit(f"for {self.name('i')} in range({n}) {{ out(\"rec\", {call}) }}")
        if self.chance(0.2) or self.size < 10 and self.chance(0.1):
            self.task_part()
        for scope in self.scopes:
            for var in scope:
                if var.type not in ("fn", "[fn]"):
                    self.emit(f"out(\"{var.name}\", {var.name})")
        if ends == "uncaught":
            self.emit(f"let {self.prefix if module else ''}w = {self.wrong()}" if self.chance(0.6) else f"throw {self.expr('any', 1)}")
        self.main = False
        handler = "} catch e { out(\"caught\", text(e)) }"
        if module:
            if tried:
                self.scopes.pop()
                self.level -= 1
                self.emit(handler if ends != "uncaught" else "} finally { println(\"leaving\") }")
        else:
            self.inside = False
            self.close()
            if ends == "uncaught":
                self.emit(f"{self.prefix}main()")
            else:
                self.emit(f"try {{ {self.prefix}main() }} catch e {{ out(\"caught\", text(e)) }}")
        if ends == "exit":
            self.emit(f"exit({self.number(0, 9)})")


def script(seeds, size=30, work=1.0, final=True):
    """The text of a script that holds these programs. work multiplies how long they run. With final the last one may also end in
    an uncaught error or by exit."""
    seeds = list(seeds)
    parts = [PRELUDE]
    for seed in seeds:
        parts.append(Program(seed, size, work, final and seed == seeds[-1]).text())
    return "".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--seed", type=int, default=1, help="of the first program (%(default)s)")
    parser.add_argument("--count", type=int, default=1, metavar="N", help="programs (%(default)s)")
    parser.add_argument("--size", type=int, default=30, help="about the statements of a program (%(default)s)")
    parser.add_argument("--work", type=float, default=1.0, metavar="F", help="multiplies how long they run")
    options = parser.parse_args()
    sys.stdout.write(script(range(options.seed, options.seed + options.count), options.size, options.work))


if __name__ == "__main__":
    main()
