# SPDX-License-Identifier: MIT
"""hot_loops.py - loops that tempt a compiler, for generate.py: each about one thing that is easily got wrong.

Problem    A grammar reaches the corners of arithmetic and the changes of heart of a call site far too rarely: a comparison of 2^53 + 1 with a
           float, a -0.0 that shows, a site that meets its second class after a thousand calls.
Design     Templates. $N is the number of turns and $K a turn late among them, both drawn once; a word in capitals is drawn anew
           wherever it stands (the table in `words`). Each stands in a block of its own, so that names need not be fresh. `show x`
           prints x in the main part and counts it elsewhere.
Rules      The shrinker reads lines: a block opens at the end of a line or lies within it.
"""

import re

TEMPLATES = [
    # --- numbers ---
    """
    let s = 0
    for i in range($N) {
        let x = $EDGE + i % 5 - 2
        let y = i % $ODD == 0 ? $EDGEF : toFloat($EDGE + i % 3 - 1)
        if x <= y { s += 1 }
        if x $REL y { s += 10 }
        if y $REL x { s += 1000 }
        if x == y { s = s * 3 }
        if i == $K { y = x }
        s = s * 2 + (x $REL y ? 1 : 0)
    }
    show s
    """,
    """
    let s = 0
    let d = [-1, 1, 2, -2, 3, math.MIN_INT, math.MAX_INT, $INT, $SMALL | 1]
    for i in range($N) {
        let x = $EDGE + i % 3 - 1
        s = s * 31 + int_of(x / d[i % 8]) - int_of(x % d[i % 8])
        s = s ^ (x / -1) ^ (x % -1) ^ x / $ODD ^ x % -$ODD
        if i == $K { d[3] = 0.5 }
        if i > $K { s = s + int_of(x % d[3]) }
    }
    show s
    """,
    """
    let s = 0
    let z = [0.0, -0.0, $FLOAT, 1.0, -1.0]
    for i in range($N) {
        let x = z[i % $ONE5]
        let y = -x
        let p = 1.0 / (y * 0.0 + -x)
        s = s * 31 + (p < 0 ? 1 : 2) + (y == 0 ? 4 : 0)
        if i == $K { s += hash([x, y, x * -1, 0 - x, x - x, -(x - x), x + y, x * 0.0, y % 1.0, abs(y), min(x, y), max(x, y)]) }
        if i == $K { z[0] = i % 2 == 0 ? 0 : "" }
        if i > $K && typeof(x) == "string" { break }
    }
    show s
    """,
    """
    let s = 0
    for i in range(-70, $N) {
        s = s ^ ($INT << i) ^ ($EDGE >> i) ^ (s >> 3) + (i << $SHIFT) - (i >> $SHIFT)
        s = s & ~(1 << i) | i << 3 ^ -i
    }
    show s
    """,
    """
    let x = $SMALL
    let s = 0
    for i in range($N) {
        x = x $MUL $SMALL + i
        if i == $K { x = x $ADD $HALF }
        if !(abs(x) < 1e15) { x = i }
        s = s * 31 + int_of(x)
    }
    show x
    show s
    """,
    """
    let a = $FLOAT3
    let b = $FLOAT3
    let s = 0.0
    let c = 0.0
    for i in range(1, $N) {
        s = s * 0.999 + a * i
        c += 1.0 / i - b * s
        c = c * a - s * b
        if !(abs(c) < 1e30) { c = 1.0 / i }
        if i == $K { a = 3 }
    }
    show [s, c]
    """,
    """
    let s = 0
    for i in range($N) {
        let x = (i - $K) * $FLOAT3
        let y = i % $ODD == 1 ? $EDGEF : x
        try {
            s = s * 7 + math.$ROUND(y) + toInt(x) - math.$ROUND(x / 3)
        } catch e {
            s = s * 31 + hash(e)
        }
        s += int_of(math.sqrt(abs(x)) * 1000) + int_of(x % $FLOAT3 * 100) + math.sign(x)
    }
    show s
    """,
    """
    let x = $EDGE
    let s = 0
    let i = 0
    while i < $N {
        i += 1
        x += $INT
        x *= $ODD
        x -= s
        s = s + (x > s ? 1 : -1) * i
        if x $REL $INT { s = s ^ 5 }
        if i == $K { x = x * 1.0 }
        if typeof(x) == "float" && i % 4 == 0 { x = i }
    }
    show [x, s]
    """,
    """
    let f = $FLOAT
    let g = $EDGEF
    let s = 0
    for i in range($N) {
        if f < g { s += 1 } else { s += 2 }
        if !(f >= g) { s += 4 }
        if f <= i { s += 8 } else if f > i { s += 16 } else { s += 32 }
        if f != f { s = s * 3 }
        while f < -1e3 && f > -1e300 { f = f / 2 + 1.0 }
        f = i % $ODD == 0 ? 0.0 / (i - i % 2 * i) : f * 0.5 - i
        if i == $K { f = math.NAN }
        if i == $K + 1 { f = $INT }
    }
    show [s, f]
    """,
    """
    let s = 0
    for let i = math.MAX_INT - $SPAN; i > 0; i += 1 { s = s * 3 + i % 7 }
    for let i = math.MIN_INT + $SPAN; i < 0; i -= 1 { s = s * 3 + i % 7 }
    for i in range(math.MAX_INT - $SPAN, math.MAX_INT, $STEP) { s = s ^ i + 1 }
    for i in range(math.MIN_INT + $SPAN, math.MIN_INT, -$STEP) { s = s ^ i - 1 }
    for i in range($N, -$SPAN, -2) { s = s * 5 + i }
    for i in range($SMALL, $SMALL) { s += i }
    show s
    """,
    # --- truth, equality, types ---
    """
    let a = [0, 1, 0.0, -0.0, math.NAN, $FLOAT, "", "0", "a", nil, false, true, [], [0], {a: 1}, num_of, range(0), $EDGE, $EDGEF, 1.0]
    let s = 0
    for i in range($N) {
        let x = a[i % len(a)]
        let y = a[i * $ODD % len(a)]
        if x { s += 1 }
        if !y { s += 2 }
        if x && y || !x && i > 5 { s += 4 }
        if x == y { s = s * 3 + 1 }
        if x != nil { s = s * 5 }
        s = s ^ (x is int ? 1 : 0) ^ (y is float ? 2 : 0) ^ (x is string ? 4 : y is object ? 8 : x is fn ? 16 : 0)
        s += len(typeof(x ?? y)) * i
        let z = x ?? "none"
        if z == x { s += 7 }
        s = s & 1048575
    }
    show s
    """,
    """
    let a = array.new($COUNT, $BOOLNIL)
    let s = 0
    for i in range($N) {
        let v = a[i % len(a)] ?? $SMALL
        if v == true { s += 1 } else if v == false { s += 2 } else { s += 3 }
        if i == $K { a[$SMALL % len(a)] = $PLAIN }
        s = s * 3 % 1000003
    }
    show [s, a]
    """,
    """
    let a = [$INT, $FLOAT, $TEXT, $INT, nil, true]
    let s = 0
    for i in range($N) {
        let x = a[i < $K ? i % 2 : i % len(a)]
        try {
            if x < a[i % 2] { s += 1 } else { s += 2 }
            s = s + int_of(x $ADD a[(i + 1) % 2])
        } catch e {
            s = s * 31 + hash(e)
        } finally {
            s += 3
        }
    }
    show s
    """,
    # --- calls ---
    """
    class A { fn m(x) { return self.v + x } fn n(x) { return self.m(x) * 2 } }
    class B extends A { fn m(x) { return super.m(x) - self.w } }
    class C extends B { fn n(x) { return super.n(x) $ADD $HALF } }
    class D { fn m(x, y = 3) { self.v = x; return y } fn n(x) { self.u = x; return self.v } }
    class E extends D { fn m(x) { return x == $K ? nil : x } }
    let o = [A{v: 1}, A{v: 2}, B{v: 3, w: 1}, C{w: 1, v: $NUM}, D{v: 5}, A{v: $NUM, z: 1}, E{v: 0}]
    let s = 0
    for i in range($N) {
        let t = o[i < $K ? i % $ONE2 : i % $TO7]
        try {
            s = s * 3 + int_of(t.m(i)) - int_of(t.n(i % 7))
        } catch e {
            s = s * 31 + hash(e)
        }
        if i == $K + 20 { o[1].m = 5; o[0].w = 1; o[0].x = 1 }
    }
    show s
    show o
    """,
    """
    fn f(x) { return x + 1 }
    fn g(x, y = 2) { return x * y }
    fn h(x, ...r) { return x - len(r) }
    let n = 0
    let fs = [f, f, g, h, fn(x) { n = n + x; return n }, abs, num_of, math.sign, $WRONGFN]
    let s = 0
    for i in range($N) {
        let c = fs[i < $K ? 0 : i % $TO9]
        try { s = s * 3 + int_of(c(i % 100 - 50)) } catch e { s = s * 31 + hash(e) }
    }
    show [s, n]
    """,
    """
    let n = 0
    fn f(x) { if x == $K { throw {kind: "Odd", message: "at", x: x} }; return x * 3 }
    fn g(x) { return f(x) + f(x + 1) }
    fn h(x) {
        try { return g(x) } finally { n += 1 }
    }
    let s = 0
    for i in range($N) {
        try { s = s * 3 + h(i) } catch e { s = s + hash(e) }
    }
    show [s, n]
    """,
    """
    fn f(a, b = a + 1, c = b * 2, ...r) { return a * 3 + b + (c ?? 5) + len(r) }
    let s = 0
    let l = [1, 2, 3]
    for i in range($N) {
        s = s * 5 + f(i) - f(i, 2) + f(1, i, 3) - f(i, 1, 2, 3) * f(i, ...l)
        if i == $K { l.push(4); s += int_of(f(0.5)) }
        if i == $K + 3 { l = [$NUM] }
        s = int_of(s)
    }
    show s
    try { f(...[]) } catch e { s = hash(e) }
    show s
    """,
    """
    fn f(x) { return x < $K ? x : x < $K + 50 ? x * 0.5 : x % 2 == 0 ? "s" : nil }
    let s = 0
    for i in range($N) {
        try { s = s * 3 + int_of(f(i) + 1) } catch e { s = s * 31 + hash(e) }
    }
    show s
    """,
    """
    let f = fn(x) { return x + 1 }
    let s = 0
    for i in range($N) {
        s = s + f(i) * 3 & 4095
        if i == $K { f = fn(x) { return s - x } }
        if i == $K + 40 { f = fn(x) { return x * i } }
    }
    show s
    """,
    """
    fn f(n, k) { return n == 0 ? k : n % 2 == 0 ? f(n - 1, k + n) : g(n - 1, k * 3) }
    fn g(n, k) { if n == 0 { return -k }; if n == $SPAN { return f(n - 1, k + 0.5) }; return f(n - 1, k ^ n) }
    let s = 0
    for i in range($FEW) { try { s = s * 31 + int_of(f(i % 90, i)) } catch e { s = s ^ hash(e) } }
    show s
    """,
    """
    class V { fn m(a, ...r) { return a + len(r) - self.b } }
    class W extends V { fn m(...r) { let f = super.m; return f(...r) } fn n(x) { return x == $K ? super.n(x) : super.m(x, ...[x, x]) } }
    let r = fn(n) { return n <= 0 ? 0 : 1 + r(n - 1) }
    let o = [V{b: 1}, V{b: $NUM}, W{b: 2}, {m: fn(...x) { return x[0] }, b: 1}]
    let l = [1, 2]
    let s = 0
    for i in range($N) {
        let p = i > 5 && s % 3 == 1
        let q = p || i % $ODD == 2
        let t = o[i < $K ? i % $ONE2 : i % 4]
        if !(i > $SMALL) { s += 1 }
        if i <= $SMALL || s <= $INT || i % 3 == 0 { s += 2 }
        let v = s && i
        let z = t || l
        s = s * 3 + (p == z ? 1 : 2) + (v ? 1 : 0) + (q == true ? 3 : 0) + r(i % 9) & 1048575
        try { s += int_of(t.m(i, ...l)) - int_of(i % 7 == 0 ? t.n(i) : t.b) } catch e { s = s * 31 + hash(e) & 1048575 }
        let u = {a: i, b: 1, a: p, c: nil, "d e": q}
        s += len(u) + len(toString(u))
        if i == $K { l.push(i); l.push(0.5) }
        if i == $K + 2 { l = [] }
    }
    show s
    """,
    """
    let s = 0
    for i in range($FEW) {
        let o = {$MANY, q: i, f3: nil}
        o.f5 += i
        o.f1 = i % 5 == 3 ? nil : s
        if i % 7 == 1 { delete(o, "f2"); o.g = i }
        for k, v in o { s = s * 3 + int_of(v) & 1048575 }
        s += len(o) + o.q
    }
    show s
    """,
    """
    let s = 0
    for i in range($N) {
        if i % 7 == 3 || i == $K {
            try { s += f() } catch e { s = s * 31 + hash(e) & 1048575 }
            try { g(i) } catch e { s = s * 31 + hash(e) & 1048575 }
        }
        let w = i == $K ? 0.5 : i
        fn f() { return w + i }
        fn g(x) { w = x; return x }
        s += int_of(f()) + g(i % 5) - w
    }
    show s
    """,
    # --- closures ---
    """
    let a = []
    let t = 0
    for i in range($FEW) {
        let k = i * 2
        a.push(fn(x) { k += x; t += k; return k - i })
        if i % 3 == 0 { k = k + 100 }
        i += 1000
    }
    let s = 0
    for j in range($N) {
        s = s * 3 + a[j % len(a)](j % 5) & 1048575
        if j == $K { t = 0.5 }
    }
    show [s, t]
    """,
    """
    fn mk(x) {
        let n = x
        return {up: fn(d) { n = n + d; return n }, get: fn() { return n }, a: 1}
    }
    let o = [mk(0), mk(100), mk($NUM)]
    let s = 0
    for i in range($N) {
        let c = o[i % 3]
        s = s + int_of(c.up(i % 7)) - c.a
        if i == $K { c.up = fn(d) { return c.get() - d } }
        if i == $K + 5 { o[0].up("x" == "y" ? 1 : 0.25) }
    }
    show [s, o.map(fn(c) { return c.get() })]
    """,
    # --- arrays ---
    """
    let a = []
    for i in range($COUNT) { a.push(i == $SPAN ? $PLAIN : i * $SMALL) }
    let s = 0
    for i in range($N) {
        let j = i % len(a)
        a[j] = i < $K ? i : i % 3 == 0 ? i * 0.5 : i
        s = s * 3 + int_of(a[j]) + int_of(a[-1 - j]) & 1048575
        if i == $K + 9 { a[j] = $PLAIN }
        if i % 50 == 7 { a.push(i) }
        if i % 50 == 31 { a.pop() }
    }
    show [s, a]
    """,
    """
    let a = array.$INTSFLOATS($COUNT)
    let b = a
    let c = a.slice(0)
    let n = len(a)
    for r in range($ROUNDS) {
        for i in range(1, n) { a[i] = a[i - 1] + b[i] * 3 + i }
        for i in range(n - 1) { c[i] = b[i + 1] - c[i] }
        for i in range(n) { b[i] = a[n - 1 - i] - c[i] }
        if r == $ROUNDS - 2 { b = c }
    }
    show [a, c, a == b]
    """,
    """
    let a = array.ints($COUNT).map(fn(x, i) { return i * $SMALL })
    let s = 0
    for i in range($N) {
        try {
            s = s * 3 + a[i % $OVER - 3] & 1048575
        } catch e {
            s = s * 31 + hash(e)
        }
        if i == $K { a = a.map(fn(x) { return x * 0.5 }).map(fn(x) { return int_of(x) }) }
        if i == $K + 30 { a.push($PLAIN); a.pop(); a.pop() }
        if i == $K + 60 { a = "abcdef".split(""); a = [s, s, s] }
    }
    show s
    """,
    """
    let a = [1, 2, 3]
    let s = 0
    for x in a {
        if len(a) < $COUNT { a.push(len(a) == $SPAN ? x + 0.5 : x * 2 % 1001) }
        s = s + int_of(x)
        if s % 11 == 3 { continue }
        if len(a) > 20 && s % 5 == 1 { a.pop() }
    }
    let i = 0
    while i < len(a) { s = s * 3 + int_of(a[i]); i += 1; if i % 9 == 8 { a.removeAt(0) } }
    show [s, a]
    """,
    """
    let m = array.new(6).map(fn(x, i) { return array.$INTSFLOATS(6).map(fn(y, j) { return i * $ODD + j }) })
    let s = 0
    for r in range($ROUNDS) {
        for i in range(6) {
            for j in range(6) {
                m[i][j] = int_of(m[j][i] * 2 - m[i][5 - j]) & 4095
                if m[i][j] % 97 == 5 { break }
                s = s + m[j][i] * r
            }
        }
        if r == $ROUNDS - 3 { m[2] = m[3]; m[1][1] = $NUM; m[4] = m[4].map(fn(x) { return int_of(x) }) }
        if r == $ROUNDS - 3 { m[1][1] = int_of(m[1][1]) }
    }
    show [s, m]
    """,
    """
    let a = array.new($COUNT, false)
    let s = 0
    for i in range($N) {
        let j = i * $ODD % len(a)
        a[j] = !a[j]
        if a[(j + 1) % len(a)] { s += 1 }
        if i == $K { a[0] = $PLAIN }
    }
    show [s, a]
    """,
    """
    let a = strings.toBytes("hello, world")
    let s = 0
    for i in range($N) {
        let j = i % len(a)
        a[j] = a[j] * 3 + i & 255
        s = s + a[j] ^ a[-1]
        if i == $K { a[j] = 256 }
        if i == $K + 9 { a[j] = -1; a[j] += $NUM }
        if i == $K + 10 { a = a.map(fn(x) { return int_of(x) & 255 }) }
    }
    show [s, a]
    """,
    """
    let a = array.ints($COUNT).map(fn(x, i) { return i * $ODD % 101 })
    let n = 0
    for r in range($ROUNDS) {
        a.sort(fn(x, y) { n += 1; return r % 2 == 0 ? x - y : y < x })
        n += a.reduce(fn(p, x, i) { return p + x * i }, 0) - a.filter(fn(x) { return x > $SMALL }).map(fn(x, i) { return x ^ i }).sum()
        a.forEach(fn(x, i) { a[i] = (x * 3 + r) % 101 })
        if r == $ROUNDS - 2 { a[0] = 0.5 }
        if r == $ROUNDS - 2 { a = a.map(fn(x) { return int_of(x) }) }
        try { a.map(fn(x, i) { if i == 5 { throw i }; return x }) } catch e { n += e }
    }
    show [n, a]
    """,
    # --- objects ---
    """
    let o = [{a: 1, b: 2}, {b: 2, a: 1}, {a: 1, b: 2, c: 3}, {c: 0, b: $NUM, a: $NUM}, {a: "s", b: nil}]
    let s = 0
    for i in range($N) {
        let t = o[i < $K ? i % $ONE2 : i % $TO5]
        try {
            t.a = t.a + t.b
            s = s * 3 + int_of(t.a) & 1048575
        } catch e {
            s = s * 31 + hash(e)
        }
        if i % 500 == 3 { t.a = 0 }
        if i == $K { o[0].a = 0.5; o[1].d = 1 }
        if i == $K + 7 { delete(o[0], "b"); o[0].b = 7 }
        if i == $K + 9 { o[1].b = nil }
    }
    show [s, o]
    """,
    """
    let s = 0
    for i in range($N) {
        let o = {}
        if i % 2 == 0 { o.a = i; o.b = 1 } else { o.b = 2; o.a = i }
        if i > $K { o.c = i * 0.5 }
        o["k" + toString(i % 3)] = i
        if i % 7 == 0 { o.a = nil }
        for k, v in o { s = s * 3 + len(k) + int_of(v) & 1048575 }
        s += o.k0 == nil ? 1 : 2
        s += (o.a ?? -1) + len(o)
    }
    show s
    """,
    """
    let o = {n: 0}
    let s = 0
    for i in range($FEW) { o["key" + toString(i * 7 % 61)] = i }
    for i in range($N) {
        let k = "key" + toString(i % 64)
        if has(o, k) { s += o[k] } else { s -= 1 }
        o.n += 1
        if i % 90 == 5 { o[k] = nil }
        if i % 90 == 50 { o[k] = i }
        if i == $K { o.n = 0.5 }
    }
    show [s, o.n, len(o), keys(o).join(",")]
    """,
    # --- strings ---
    """
    let t = $TEXT
    let s = 0
    for i in range($N) {
        t += i < $K ? toString(i % 10) : `${i * 0.5}`
        if len(t) > 50 { t = t.slice(-10) }
        if t[-1] == "5" { s += 1 }
        if t < "5" { s += 2 } else if t >= "9" { s += 4 }
        s = s * 3 + len(t) & 1048575
        if i % 100 == 9 { for c in t { s = s + t.indexOf(c) } }
    }
    show [s, t]
    """,
    """
    let w = ["a", "b", "ab", $TEXT, "a"]
    let s = 0
    for i in range($N) {
        let x = w[i % $TO5]
        if x == "a" { s += 1 } else if x == "b" { s += 2 } else if x == "ab" { s += 3 } else { s += 4 }
        try { if x + "b" == "ab" { s = s * 3 & 1048575 } } catch e { s = s ^ hash(e) }
        if i == $K { w[1] = 5; w[2] = nil; w[4] = "a" }
        if i > $K && typeof(x) != "string" { w[1] = "b"; w[2] = "ab" }
        s += int_of(x is string ? x.upper() : 3)
    }
    show s
    """,
    # --- leaving ---
    """
    let z = 0
    fn f(n) {
        let t = 0
        for i in range(n) {
            defer fn(x) { z += x }(i)
            try {
                if i % 5 == 4 { continue }
                if i == 13 { break }
                if i == 11 && n > 11 { return t }
                if i == 7 { throw i }
                t += i
            } catch e {
                t += e * 100
            } finally {
                t += 1000
                if n == $SPAN { break }
            }
        }
        return -t
    }
    let s = 0
    for i in range($FEW) { s = s * 3 + f(i % 20) }
    show [s, z]
    """,
    """
    let s = 0
    for i in range($N) {
        try {
            try {
                if i % $ODD == 1 { throw i }
                if i == $K { let q = nil + i }
                s += 1
            } finally {
                s += 2
                if i % 13 == 5 { continue }
            }
        } catch e {
            s = s * 3 + (typeof(e) == "int" ? e : hash(e)) & 1048575
            if i > $K { break }
        }
    }
    show s
    """,
    """
    fn f(x) {
        let a = [1, 2, 3]
        if x == $K { return a[
            x] }
        return a[x % 3] +
            (x == $K + 1 ? nil : 1)
    }
    let s = 0
    for i in range($N) {
        try { s += f(i) } catch e { s = s * 31 + hash(e) }
    }
    show s
    """,
    """
    class Own { fn get() { return self.v } }
    fn often(i) {
        if i % $ODD == 0 { throw i }
        if i % 4 == 1 { throw {message: "four", v: i % 7} }
        if i % 4 == 2 { return (i % 3 == 0 ? Own{v: i} : {v: i}) as Own }
        return i
    }
    fn twice(i) { return often(
        i) }
    let s = 0
    let x = nil
    for i in range($N) {
        x = $PLAIN
        try {
            x = 0.5
            let o = i % $ONE5 == 0 ? twice(i) : often(i)
            x = i
            if typeof(o) == "object" { x = o.get() }
            if i == $K { x = $PLAIN }
        } catch e {
            s = s * 31 + (typeof(e) == "int" ? e : hash(e)) + (x == 0.5 ? 1 : 1000)
        }
        s = (s ^ hash(x)) & 1048575
    }
    show [s, x]
    """,
    """
    let a = [1, 2, 3]
    let s = 0
    let z = 0
    for i in range($N) {
        z = i
        try {
            z = s % 7
            s += a[i % $ONE5] + i $DIV (i % $TO5 - 1)
            z = -1
        } catch e {
            s = s * 3 + z + e.line + len(e.message)
            if i == $K { a = [0.5, nil, 2, 1] }
            if i % $ODD == 3 { continue }
        } finally {
            s = (s + z) & 65535
            if i > $K && i % 11 == 5 { break }
        }
        s = s ^ i
    }
    show [s, z]
    """,
    """
    let log = 0
    fn note(x) { log = (log * 7 + int_of(x)) & 1048575 }
    fn f(i) {
        let x = i
        if i % $TO5 == 0 { defer note(x) }
        if i % $TO7 == 1 { defer fn(k) { note(k + x); if x % $ODD == 2 { throw {message: "late", k: k} } }(i % 5) }
        x += 1
        for j in range(i % 4) { defer note(j) }
        if i == $K { defer $WRONGFN(i) }
        if i % $ODD == 1 { throw x }
        try { if i % 3 == 0 { return x } } finally { x += 100; note(x) }
        return -x
    }
    let s = 0
    for i in range($N) {
        try { s = (s * 5 + f(i)) & 1048575 } catch e { s = s + (typeof(e) == "int" ? e : hash(e)) & 1048575 }
    }
    show [s, log]
    """,
    """
    fn down(n, k) {
        try {
            if n == k { throw n }
            if n == 0 { return 1 }
            return down(n - 1, k) * 3 + n & 65535
        } catch e {
            if e % $TO5 == 0 { throw e + 1 }
            return e * n
        } finally { n = n - 1 }
    }
    let s = 0
    for i in range($N) {
        try { s = s * 31 + down(i % 9, i % $TO9) & 1048575 } catch e { s += e }
    }
    show s
    """,
    # --- search and calculation ---
    """
    let n = 0
    for i in range(2, $SIEVE) {
        let p = true
        for let j = 2; j * j <= i; j += 1 {
            if i % j == 0 { p = false; break }
        }
        if p { n += i }
    }
    show n
    """,
    """
    let p = array.new($COUNT, true)
    let n = 0
    for i in range(2, len(p)) {
        if !p[i] { continue }
        n += i
        for let j = i * i; j < len(p); j += i { p[j] = false }
    }
    show [n, p.indexOf(false)]
    """,
    """
    let h = 2166136261
    let x = $INT
    for i in range($N) {
        x = x ^ x << 13
        x = x ^ x >> 7
        x = x ^ x << 17
        h = (h ^ x & 255) * 16777619
        if h % $ODD == 0 { h += i }
    }
    show [h, x]
    """,
    """
    let x = 0.1
    let y = 0.2
    let n = 0
    for i in range($N) {
        let t = x * x - y * y + $FLOAT3 * 0.1
        y = 2 * x * y + 0.1
        x = t
        if x * x + y * y > 4 { x = 0.1; y = 0.2 / (n + 1); n += 1 }
        if i == $K { y = 0 }
    }
    show [x, y, n]
    """,
    # --- callees found out while running, arguments made to fit ---
    """
    let fs = [fn(a, b) { return a $ADD b }, fn(a, b = $NUM) { return a $MUL b }, fn(a, ...r) { return a + len(r) }, max, fn(a = 3, b = a, c = a + b) { return a $ADD c }, [$NUM, 2].push]
    let s = 0
    for i in range($N) {
        let f = fs[i < $K ? i % $ONE5 : i % 6]
        try { s = s * 3 + int_of(f(i, $NUM)) } catch e { s += hash(e) }
        if i % $ODD == 0 { s += int_of(fs[4](i)) - int_of(fs[1](i)) }
        if i == $K { fs[i % 6] = $WRONGFN }
    }
    show s
    """,
    """
    let f = fn(a, b = $NUM, ...r) {
        for x in r { a += x }
        return a * b
    }
    let v = [$NUM, 2, 3]
    let s = 0
    for i in range($N) {
        v[i % len(v)] = i == $K ? $FLOAT3 : i
        s += int_of(f(...v)) + int_of(f(i)) + int_of(f(i, i, 1, $NUM)) - [i, ...v, i][2]
        try { s += len(v.slice(...[0, i % 4])) + max(...v) } catch e { s += hash(e) }
        if i > $K && len(v) < 9 { v.push($NUM) }
        if i == $N - 3 { v = i % 2 == 0 ? [] : [$TEXT] }
        if i > $N - 2 { try { f(...v) } catch e { s += hash(e) } }
    }
    show s
    """,
    """
    let o = {f: fn(x) { return x $ADD $NUM }, g: abs, h: nil}
    let s = 0
    for i in range($N) {
        s = s * 3 + int_of(o.f(i)) + int_of(o.g(i - 3))
        if i == $K { o["f"] = fn(x, y = 2) { return x $MUL y } }
        try { if i % $ODD == 1 { s += int_of(o.h(i)) } } catch e { s += hash(e) }
        if i == $N - 4 { o["g"] = $WRONGFN }
        if i > $N - 3 { try { s += int_of(o.g(i)) } catch e { s += hash(e) } }
    }
    show s
    """,
    # --- callbacks ---
    """
    let a = [1, $NUM, 3, 4]
    let f = fn(x) { return x $MUL $NUM }
    let s = 0
    for i in range($FEW) {
        let k = i % 5
        let b = a.map(f).map(fn(x, at) { return x $ADD k + at })
        s = s * 31 + int_of(b.filter(fn(x) { return x $REL k }).reduce(fn(p, q) { return p $ADD q }, i))
        b.forEach(fn(x) { s += int_of(x) & 15 })
        s += b.findIndex(fn(x) { return x > k }) + (b.some(fn(x) { return x == k }) ? 7 : 1) + (b.every(fn(x) { return x < 50 }) ? 3 : 0)
        if i == $K { f = fn(x, at, ...r) { return x + at - len(r) } }
        if i % 9 == 8 { a[i % 4] = i * 0.5 }
        a.sort(fn(p, q) { return i % 2 == 0 ? p - q : q < p })
        s = s ^ int_of(a[0])
        if i > $K { try { s += len(a.map($WRONGFN)) } catch e { s += hash(e) } }
    }
    show [s, a]
    """,
    """
    let each = fn(a, f) { return a.map(f) }
    let s = 0
    let all = [[1, 2], [0.5], [$TEXT, "b"], [nil, 3], [true]]
    for i in range($FEW) {
        let t = i % $TO5
        for x in each(all[i < $K ? t % 2 : t % 5], i % 3 == 0 ? typeof : fn(x) { return x }) { s = s * 3 + int_of(x) }
        s += each(each([i], fn(x) { return fn(y) { return x + y } }), fn(g) { return g(2) })[0]
        try { all[0].forEach(fn(x) { if x == 2 && i == $K { throw i } s += x }) } catch e { s += int_of(e) * 100 }
    }
    show s
    """,
    # --- iterations ---
    """
    let all = [[1, 2, 3], {b: 1, a: 2}, "a\\u00e9z", range(4), range(7, -2, -$STEP), [0.5, 1], [$TEXT, nil], $WRONGFN]
    let s = 0
    for i in range($N) {
        let v = all[i < $K ? i % $ONE5 : i % 8]
        try {
            for x in v { s = s * 3 + int_of(x) }
            for at, x in v { s = s ^ int_of(at) + int_of(x) }
        } catch e { s += hash(e) }
        if i == $K { all[1]["c"] = i }
    }
    show s
    """,
]

EDGES = ["9007199254740992", "9007199254740993", "9007199254740995", "-9007199254740993", "math.MAX_INT", "math.MIN_INT", "math.MIN_INT", "4611686018427387904", "2147483647", "-2147483648",
         "140737488355328", "0", "9223372036854774784", "1152921504606846976", "72057594037927937"]
EDGE_FLOATS = ["9007199254740992.0", "9007199254740994.0", "9007199254740996.0", "-9007199254740992.0", "9223372036854775807.0", "-9223372036854775808.0",
               "9223372036854774784.0", "4611686018427387904.0", "1152921504606846976.0", "72057594037927940.0", "1e300", "math.NAN", "math.INF", "-0.0"]


def words(g, turns):
    """What the words in capitals stand for."""
    late = [turns // 2, turns * 3 // 4, turns - 1, max(0, turns - 30), g.number(0, max(0, turns - 1)), 3]
    fixed = {"N": str(turns), "K": str(g.pick(late)), "ROUNDS": str(max(4, min(60, turns // 10))), "COUNT": str(g.pick((4, 9, 40, 64, 65, 130, 300)))}
    fixed["OVER"] = str(int(fixed["COUNT"]) + g.number(-2, 8))
    return fixed, {
        "INT": lambda: g.pick(g.INTS), "SMALL": lambda: str(g.number(-9, 99)), "ODD": lambda: g.pick(("3", "5", "7", "11", "17", "101")),
        "EDGE": lambda: g.pick(EDGES), "EDGEF": lambda: g.pick(EDGE_FLOATS), "FLOAT": lambda: g.pick(g.FLOATS),
        "FLOAT3": lambda: g.pick(("0.1", "1.1", "0.7", "-0.3", "1.0000001", "2.5", "3.0")), "HALF": lambda: g.pick(("0.5", "0.25", "1.0", "1")),
        "NUM": lambda: g.pick(("1", "2.5", "-3", "0.1", "7")), "TEXT": lambda: g.pick(g.STRINGS), "PLAIN": lambda: g.leaf(g.pick(("int", "float", "str", "bool", "any"))),
        "BOOLNIL": lambda: g.pick(("nil", "true", "false", "nil", "0", "1.5")), "REL": lambda: g.pick(("<", "<=", ">", ">=", "==", "!=")),
        "DIV": lambda: g.pick(("/", "%")), "ADD": lambda: g.pick("+-*"), "MUL": lambda: g.pick("*+-"), "SHIFT": lambda: g.pick(("1", "7", "31", "33", "63", "64", "-1")),
        "ROUND": lambda: g.pick(("floor", "ceil", "round", "trunc")), "SPAN": lambda: str(g.number(1, 12)), "STEP": lambda: str(g.number(1, 4)),
        "FEW": lambda: str(min(turns, g.number(3, 120))), "MANY": lambda: ", ".join(f"f{i}: {i}" for i in range(g.pick((30, 63, 64, 70, 140)))), "SIEVE": lambda: str(min(turns, 500)),
        "ONE2": lambda: g.pick("12"), "ONE5": lambda: g.pick("12345"), "TO5": lambda: g.pick("12345"), "TO7": lambda: g.pick("234567"),
        "TO9": lambda: g.pick("123456789"), "INTSFLOATS": lambda: g.pick(("ints", "floats")),
        "WRONGFN": lambda: g.pick(("3", "nil", "hash", "fn() { return 1 }", "fn(x, y) { return x }")),
    }


def draw(g):
    """Emits one of the loops in a block of its own. g is the generate.Program."""
    turns = g.turns(120)
    g.spend(turns * 100)
    fixed, drawn = words(g, turns)

    def word(m):
        return fixed.get(m.group(1)) or drawn[m.group(1)]()

    g.open("")
    for line in g.pick(TEMPLATES).strip("\n").split("\n"):
        text = re.sub(r"\$([A-Z]+[0-9]?)", word, line.strip())
        g.level -= text.startswith("}")
        if text.startswith("show "):
            g.show(text[5:])
        elif text:
            g.emit(text)
        g.level += text.endswith("{")
    g.close()
