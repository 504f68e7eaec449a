/* SPDX-License-Identifier: MIT
 * unit_mutate.h - changes the bytecode of a small program that uses nearly every instruction, and
 * runs it when the verifier lets it through. For test_verify.c and fuzz_verify.c.
 *
 * Every change is undone afterwards, the inline caches included: what a cache holds is trusted for
 * as long as its instruction is the same.
 */
#ifndef GS_TESTS_UNIT_MUTATE_H
#define GS_TESTS_UNIT_MUTATE_H

#include <stdlib.h>
#include <string.h>

#include "compile.h"
#include "hooks.h"
#include "port/mem.h"
#include "rt.h"
#include "vm.h"

#define MUTANT_PROTOS 64u
#define MUTANT_TURNS 4000u /* yields after which a run is abandoned */

static const char mutant_text[] =
    "interface Sized { fn size() }\n"
    "class Box { fn size() { return self.n } fn grow(d = 2, ...more) { self.n += d + len(more); "
    "self.tag = nil; return self } }\n"
    "class Big extends Box { fn size() { return super.size() * 10 } }\n"
    "let total = 0\n"
    "let log = []\n"
    "fn arith(a, b, c) {\n"
    "    let x = a + b * 3 - 1; let y = c / 2.5 + a % 7; let z = -x; let w = 5 - a\n"
    "    if x < y && x <= b || y > 2 && b >= 1 { x = x << 2 ^ b } else { y = 1.5 / y }\n"
    "    if x == 3 || y != 2.5 || a == nil { z = ~z & 255 | w >> 1 }\n"
    "    return x + z * (w - y)\n"
    "}\n"
    "fn closures(n) {\n"
    "    let sum = 0\n"
    "    let add = fn(k) { sum += k; return fn() { return sum * k } }\n"
    "    let f = nil\n"
    "    for i in range(n) { f = add(i) }\n"
    "    let down = fn(k) { if k < 1 { return later } return down(k - 1) + 1 }\n"
    "    try { down(2) } catch e { log.push(e.kind) }\n"
    "    return down(n) + sum\n"
    "}\n"
    "fn containers(n) {\n"
    "    let a = [1, 2, 3, ...[4, 5]]; let o = {a: 1, b: [2.5], c: \"x\"}; let s = \"text\"\n"
    "    a[0] = 7; a.push(n); o.d = a[1]; o[\"e\" + s] = a[-1]; o.a = nil\n"
    "    for x in a { total += x }\n"
    "    for i, x in [1.5, true, \"z\"] { o[`k${i}`] = x }\n"
    "    for k, v in o { s += k }\n"
    "    for c in s { n += len(c) }\n"
    "    for x in range(3, n, 2) { if x > 9 { break } n -= 1 }\n"
    "    let r = range(n)\n"
    "    for x in r { total += x }\n"
    "    return [len(a), len(o), s, a.map(fn(x, i) { return x * i }), o.b[0] ?? 1, a.slice(1, 3)]\n"
    "}\n"
    "fn objects(k) {\n"
    "    let list = [Box{n: 1}, Big{n: 2, tag: 1}, {n: 3, size: fn() { return 4 }}]\n"
    "    let sum = 0\n"
    "    for b in list { sum += b.size() }\n"
    "    let m = list[0].grow\n"
    "    m(k); m(); list[1].grow(1, ...[2, 3])\n"
    "    if list[0] is Sized && list[1] is Box && sum is int { sum = sum + 1 }\n"
    "    try { list[2] as Sized } catch e { sum += len(e.want) }\n"
    "    return sum\n"
    "}\n"
    "fn variadic(a, ...rest) { return len(rest) + a }\n"
    "fn errors(n) {\n"
    "    defer log.push(n)\n"
    "    defer fn() { total += 1 }()\n"
    "    try { if n > 2 { throw {message: \"m\", n: n} } return variadic(n, ...[1, n]) }\n"
    "    catch e { n = e.n; try { throw n } finally { n += 1 } }\n"
    "    finally { total += n }\n"
    "}\n"
    "let i = 0\n"
    "while i < 4 {\n"
    "    try { log.push(arith(i, 2, 3.5)) } catch e { log.push(e) }\n"
    "    try { log.push(closures(i)) } catch e { log.push(e) }\n"
    "    try { log.push(containers(i)) } catch e { log.push(e) }\n"
    "    try { log.push(objects(i)) } catch e { log.push(e) }\n"
    "    try { log.push(errors(i)) } catch e { log.push(e) }\n"
    "    i += 1\n"
    "}\n"
    "let later = 5\n"
    "log.push(closures(3))\n";

struct unit_mutant {
    struct gs_program *program;
    struct gs_proto *protos[MUTANT_PROTOS]; /* of the text */
    gs_insn *code[MUTANT_PROTOS];           /* as compiled */
    uint32_t n;
};

static inline bool unit_mutant_init(struct unit_mutant *m)
{
    struct gs_compiled c;
    struct gs_diag *d = gs_diag_new();
    memset(m, 0, sizeof *m);
    gs_hooks.compile_prelude = gs_compile_prelude;
    if (!gs_compile_text("mutant", mutant_text, sizeof mutant_text - 1, d, &c)) {
        gs_diag_print(d, stderr, false, false);
        gs_diag_free(d);
        return false;
    }
    m->program = c.program;
    for (uint32_t i = 0; i < c.nprotos && i < MUTANT_PROTOS; i++) {
        size_t size = c.protos[i]->ncode * sizeof(gs_insn);
        m->protos[i] = c.protos[i];
        m->code[i] = gs_perm_alloc(size);
        memcpy(m->code[i], c.protos[i]->code, size);
        m->n = i + 1;
    }
    gs_mem_free(c.protos);
    gs_diag_free(d);
    gs_rt.opt.stack_limit = 256u << 10;
    return true;
}

static inline void mutant_restore(const struct unit_mutant *m)
{
    for (uint32_t i = 0; i < m->n; i++) {
        struct gs_proto *p = m->protos[i];
        memcpy((void *)(uintptr_t)p->code, m->code[i], p->ncode * sizeof(gs_insn));
        for (uint32_t k = 0; k < p->nics; k++) {
            for (int w = 0; w < GS_IC_WAYS; w++)
                gs_store_rlx(&p->ics[k].w[w], (uint64_t)0); /* nobody else runs */
        }
    }
}

/* Eight bytes are one change: function, instruction, and either a field and its new value, or a
 * copy of another instruction. */
static inline struct gs_proto *mutant_change(const struct unit_mutant *m, const uint8_t *d)
{
    struct gs_proto *p = m->protos[d[0] % m->n];
    gs_insn *code = (gs_insn *)(uintptr_t)p->code;
    uint32_t at = (d[1] | (uint32_t)d[2] << 8) % p->ncode;
    uint16_t v = (uint16_t)(d[4] | d[5] << 8);
    uint8_t *bytes = (uint8_t *)&code[at];
    switch (d[3] % 8) {
    case 0:
        bytes[0] = (uint8_t)(v % GS_OP_COUNT_);
        break;
    case 1:
        bytes[1] = (uint8_t)(v & 3);
        break;
    case 2:
        memcpy(bytes + 2, &v, 2);
        break;
    case 3:
        memcpy(bytes + 4, &v, 2);
        break;
    case 4:
        memcpy(bytes + 6, &v, 2);
        break;
    case 5: /* a small change of one operand: the likeliest to pass */
        bytes[2 + 2 * (d[6] % 3)] = (uint8_t)(bytes[2 + 2 * (d[6] % 3)] + (d[4] & 7) - 3);
        break;
    case 6:
        code[at] = code[v % p->ncode];
        break;
    default:
        code[at] = gs_insn_abc((enum gs_op)(d[4] % GS_OP_COUNT_), d[5] & 15, d[6] & 15, d[7] & 15);
        break;
    }
    return p;
}

static inline void mutant_execute(const struct unit_mutant *m)
{
    struct gs_vm *vm = gs_vm_new();
    GS_CHECK(vm != NULL);
    gs_rt.program = m->program;
    vm->heap.limit = 1u << 20; /* more makes texts that grow with each turn take minutes */
    vm->globals = gs_mem_must_alloc((m->program->nglobals + 1) * sizeof *vm->globals);
    for (uint32_t i = 0; i < m->program->nglobals; i++)
        vm->globals[i] = gs_unset();
    vm->flags |= GS_VM_FOREIGN_GLOBALS;
    GS_CHECK(gs_vm_start(vm, gs_objv(GS_T_FUNC, m->program->main->self), NULL, 0) == GS_OK);
    for (unsigned turn = 0; turn < MUTANT_TURNS; turn++) {
        /* With a poke waiting every loop and call yields: endless loops are abandoned after so many
         * turns. */
        gs_task_poke_mt(&vm->task, GS_POKE_PREEMPT | (turn % 16 == 0 ? GS_POKE_GC : 0u));
        if (gs_interp_run(vm) != GS_YIELD)
            break;
    }
    gs_vm_free(vm);
}

/* True: the verifier let the changes through, and the program ran. */
static inline bool unit_mutant_run(const struct unit_mutant *m, const uint8_t *data, size_t n)
{
    bool valid = true;
    char msg[160];
    struct gs_proto *changed[16];
    size_t nchanged = 0;
    for (size_t i = 0; i + 8 <= n && nchanged < 16; i += 8)
        changed[nchanged++] = mutant_change(m, data + i);
    for (size_t i = 0; i < nchanged && valid; i++)
        valid = gs_bytecode_verify(changed[i], msg, sizeof msg) == GS_OK;
    if (valid)
        mutant_execute(m);
    mutant_restore(m);
    return valid;
}

#endif
