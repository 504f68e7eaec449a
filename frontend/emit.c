/* SPDX-License-Identifier: MIT
 * emit.c - the code of one function under construction: instructions, labels, constants, caches;
 * and its finished proto.
 *
 * Long jumps  Comparing jumps have 16 bits for their offset. Functions are rarely that long, so
 *             offsets are checked once at the end: a jump that spans more than a third of the range
 *             becomes itself over two long jumps. Code grows at most threefold, so no other jump
 *             comes to need it: one pass, no fixed point.
 */
#include "emit_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "object.h"

#define SHORT_JUMP 10900 /* times three fits 16 bits */

/* --- instructions ----------------------------------------------------------------------------- */

void gs_put(struct gs_emit *e, gs_insn i)
{
    if (e->dead)
        return;
    GS_VEC_PUSH(&e->code, i);
    GS_VEC_PUSH(&e->lines, e->line);
}

void gs_put_abc(struct gs_emit *e, enum gs_op op, uint32_t a, uint32_t b, uint32_t c)
{
    gs_put(e, gs_insn_abc(op, a, b, c));
}

void gs_put_abx(struct gs_emit *e, enum gs_op op, uint32_t a, int32_t bx)
{
    gs_put(e, gs_insn_abx(op, a, bx));
}

uint32_t gs_here(struct gs_emit *e)
{
    return e->pinned = e->code.n;
}

uint32_t gs_label(struct gs_emit *e)
{
    GS_VEC_PUSH(&e->labels, GS_LABEL_NONE);
    GS_VEC_PUSH(&e->label_used, 0);
    return e->labels.n - 1;
}

/* A jump to what follows it is taken back, unless something else refers to the place behind it. */
static void drop_idle_jump(struct gs_emit *e, uint32_t label)
{
    const struct gs_jump *j = e->jumps.n ? &e->jumps.v[e->jumps.n - 1] : NULL;
    if (j == NULL || !e->dead || j->label != label || j->pc + 1 != e->code.n ||
        e->pinned == e->code.n || gs_insn_op(e->code.v[j->pc]) != GS_OP_JMP)
        return;
    e->jumps.n--;
    e->code.n--;
    e->lines.n--;
}

void gs_place(struct gs_emit *e, uint32_t label)
{
    if (!e->label_used.v[label])
        return;
    drop_idle_jump(e, label);
    e->labels.v[label] = gs_here(e);
    e->dead = false;
}

void gs_place_loop(struct gs_emit *e, uint32_t label)
{
    e->labels.v[label] = gs_here(e);
}

void gs_jump(struct gs_emit *e, gs_insn i, uint32_t label)
{
    if (e->dead)
        return;
    GS_VEC_PUSH(&e->jumps, (struct gs_jump){e->code.n, label});
    e->label_used.v[label] = 1;
    gs_put(e, i);
}

void gs_goto(struct gs_emit *e, uint32_t label)
{
    gs_jump(e, gs_insn_abx(GS_OP_JMP, 0, 0), label);
    e->dead = true;
}

void gs_handler(struct gs_emit *e, uint32_t from, uint32_t to, uint32_t reg)
{
    if (from == to)
        return;
    GS_VEC_PUSH(&e->handlers, (struct gs_range_handler){from, to, gs_here(e), reg});
    e->dead = false;
}

/* --- registers -------------------------------------------------------------------------------- */

void gs_limit(struct gs_emit *e, const char *what)
{
    if (e->limit == NULL)
        e->limit = what;
}

uint32_t gs_alloc(struct gs_emit *e, uint32_t n)
{
    uint32_t r = e->top;
    e->top += n;
    if (e->top > e->max)
        e->max = e->top;
    if (e->max > GS_MAX_REGS) {
        gs_limit(e, "60000 registers");
        e->top = r = e->vars; /* go on harmlessly */
    }
    return r;
}

void gs_move(struct gs_emit *e, uint32_t dst, uint32_t src)
{
    if (dst != src)
        gs_put_abc(e, GS_OP_MOVE, dst, src, 0);
}

/* --- constants -------------------------------------------------------------------------------- */

static uint64_t const_key(gs_value v)
{
    uint64_t k = gs_table_hash(v.u + v.tag * 0x9e3779b1u);
    return k ? k : 1;
}

static struct gs_kentry *const_find(const struct gs_emit *e, gs_value v)
{
    const struct gs_table_entry *t = gs_table_find(&e->kindex, const_key(v));
    for (uint32_t i = t ? t->value : 0; i != 0; i = e->kentries.v[i - 1].next) {
        if (gs_same(e->kentries.v[i - 1].v, v))
            return &e->kentries.v[i - 1];
    }
    return NULL;
}

static void const_add(struct gs_emit *e, gs_value v, uint32_t index)
{
    struct gs_table_entry *t = gs_table_find(&e->kindex, const_key(v));
    GS_VEC_PUSH(&e->kentries, (struct gs_kentry){v, index, t ? t->value : 0});
    if (t != NULL)
        t->value = e->kentries.n;
    else
        gs_table_put(&e->kindex, const_key(v), e->kentries.n);
}

static uint32_t const_any(struct gs_emit *e, gs_value v)
{
    const struct gs_kentry *x = const_find(e, v);
    if (x != NULL)
        return x->index;
    uint32_t index;
    if (e->k.n < GS_KWIDE_FROM / 2) { /* the rest is for operands, natives that are called above all */
        index = e->k.n;
        GS_VEC_PUSH(&e->k, v);
    } else {
        index = GS_KNARROW + e->kwide.n;
        GS_VEC_PUSH(&e->kwide, v);
    }
    const_add(e, v, index);
    return index;
}

static bool const_near(struct gs_emit *e, gs_value v, uint32_t limit, uint32_t *out)
{
    const struct gs_kentry *x = const_find(e, v);
    if (x != NULL && x->index < GS_KNARROW) {
        *out = x->index;
        return true;
    }
    if (e->k.n >= limit)
        return false;
    *out = e->k.n;
    GS_VEC_PUSH(&e->k, v);
    const_add(e, v, *out);
    return true;
}

bool gs_k_try(struct gs_emit *e, gs_value v, uint32_t *out)
{
    return const_near(e, v, GS_KWIDE_FROM, out);
}

uint32_t gs_k(struct gs_emit *e, gs_value v)
{
    uint32_t i = 0;
    if (!const_near(e, v, GS_KNARROW, &i))
        gs_limit(e, "65536 constants");
    return i;
}

struct gs_str *gs_literal_str(struct gs_slice s)
{
    return s.n <= 64 ? gs_atom(s.p, s.n) : gs_str_immortal(s.p, s.n);
}

void gs_load(struct gs_emit *e, uint32_t dst, gs_value v)
{
    if (gs_is(v, GS_T_NIL))
        gs_put_abc(e, GS_OP_LOADNIL, dst, 1, 0);
    else if (gs_is(v, GS_T_BOOL))
        gs_put_abc(e, GS_OP_LOADBOOL, dst, v.u != 0, 0);
    else if (gs_is(v, GS_T_INT) && v.i == (int32_t)v.i)
        gs_put_abx(e, GS_OP_LOADI, dst, (int32_t)v.i);
    else
        gs_put_abx(e, GS_OP_LOADK, dst, (int32_t)const_any(e, v));
}

void gs_load_str(struct gs_emit *e, uint32_t dst, struct gs_slice s)
{
    gs_load(e, dst, gs_strv(gs_literal_str(s)));
}

/* From so many sites on, sites of one name share a cache: slower, but any number of them fits. */
#define IC_SHARE 60000u

uint32_t gs_ic(struct gs_emit *e, struct gs_str *key)
{
    if (e->ics.n >= IC_SHARE) {
        uint64_t id = key ? (uint64_t)(uintptr_t)key : 1;
        const struct gs_table_entry *t = gs_table_find(&e->ic_of_key, id);
        if (t != NULL)
            return t->value;
        if (e->ics.n >= 65535) {
            gs_limit(e, "65535 member accesses");
            return 0;
        }
        gs_table_put(&e->ic_of_key, id, e->ics.n);
    }
    GS_VEC_PUSH(&e->ics, key);
    return e->ics.n - 1;
}

void gs_name_global(struct gs_emit *e, uint32_t slot)
{
    if (e->gnames.n == 0 || e->gnames.v[e->gnames.n - 1] != slot)
        GS_VEC_PUSH(&e->gnames, slot);
}

/* --- finishing -------------------------------------------------------------------------------- */

static bool is_short(gs_insn i)
{
    return gs_opinfo[gs_insn_op(i)].b != GS_OPND_JX;
}

static void set_offset(gs_insn *i, int64_t offset)
{
    if (is_short(*i))
        *i = (*i & 0x0000ffffffffffffu) | (gs_insn)(uint16_t)(int16_t)offset << 48;
    else
        *i = (*i & 0xffffffffu) | (gs_insn)(uint32_t)(int32_t)offset << 32;
}

static const struct gs_jump *jump_at(const struct gs_emit *e, uint32_t pc)
{
    uint32_t lo = 0, hi = e->jumps.n; /* in order of pc */
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (e->jumps.v[mid].pc < pc)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < e->jumps.n && e->jumps.v[lo].pc == pc ? &e->jumps.v[lo] : NULL;
}

/* A jump to a jump goes where that one goes. Every circle keeps a backward jump, and so its poll.
 */
static void thread_jumps(struct gs_emit *e)
{
    for (uint32_t i = 0; i < e->jumps.n; i++) {
        struct gs_jump *j = &e->jumps.v[i];
        for (int hops = 0; hops < 4; hops++) {
            uint32_t to = e->labels.v[j->label];
            if (gs_insn_op(e->code.v[to]) != GS_OP_JMP)
                break;
            const struct gs_jump *next = jump_at(e, to);
            if (next == NULL || next->pc == j->pc)
                break;
            j->label = next->label;
        }
    }
}

static void resolve_jumps(struct gs_emit *e)
{
    for (uint32_t i = 0; i < e->jumps.n; i++) {
        const struct gs_jump *j = &e->jumps.v[i];
        set_offset(&e->code.v[j->pc], (int64_t)e->labels.v[j->label] - (int64_t)j->pc - 1);
    }
}

static bool needs_long(const struct gs_emit *e, const struct gs_jump *j)
{
    int64_t d = (int64_t)e->labels.v[j->label] - (int64_t)j->pc;
    return is_short(e->code.v[j->pc]) && (d > SHORT_JUMP || d < -SHORT_JUMP);
}

/* Replaces each short jump over a long way by itself to the second of two long ones behind it. */
static void lengthen(struct gs_emit *e)
{
    uint32_t n = e->code.n, at = 0, grow = 0;
    for (uint32_t i = 0; i < e->jumps.n; i++)
        grow += needs_long(e, &e->jumps.v[i]) ? 2u : 0u;
    if (grow == 0)
        return;
    uint32_t *map = gs_mem_must_alloc((n + (size_t)1) * sizeof(*map));
    gs_insn *code = gs_mem_must_alloc((n + (size_t)grow) * sizeof(*code));
    uint32_t *lines = gs_mem_must_alloc((n + (size_t)grow) * sizeof(*lines));
    uint32_t njumps = e->jumps.n;
    for (uint32_t pc = 0, j = 0; pc < n; pc++) { /* jumps are in order of pc */
        map[pc] = at;
        code[at] = e->code.v[pc];
        lines[at++] = e->lines.v[pc];
        if (j == njumps || e->jumps.v[j].pc != pc)
            continue;
        struct gs_jump *jump = &e->jumps.v[j++];
        if (!needs_long(e, jump)) {
            jump->pc = at - 1;
            continue;
        }
        set_offset(&code[at - 1], 1);
        code[at] = gs_insn_abx(GS_OP_JMP, 0, 1);
        code[at + 1] = gs_insn_abx(GS_OP_JMP, 0, 0);
        lines[at] = lines[at + 1] = lines[at - 1];
        jump->pc = at + 1;
        at += 2;
    }
    map[n] = at;
    for (uint32_t i = 0; i < e->labels.n; i++) {
        if (e->labels.v[i] != GS_LABEL_NONE)
            e->labels.v[i] = map[e->labels.v[i]];
    }
    for (uint32_t i = 0; i < e->handlers.n; i++) {
        struct gs_range_handler *h = &e->handlers.v[i];
        h->from = map[h->from];
        h->to = map[h->to];
        h->target = map[h->target];
    }
    gs_mem_free(map);
    GS_VEC_FREE(&e->code);
    GS_VEC_FREE(&e->lines);
    e->code.v = code;
    e->lines.v = lines;
    e->code.n = e->code.cap = e->lines.n = e->lines.cap = at;
}

static void *perm_copy(const void *p, size_t n)
{
    void *q = gs_perm_alloc(n ? n : 1);
    if (n != 0)
        memcpy(q, p, n);
    return q;
}

static gs_value *perm_constants(const struct gs_emit *e, uint32_t *n)
{
    *n = e->kwide.n ? GS_KNARROW + e->kwide.n : e->k.n;
    gs_value *k = gs_perm_alloc((*n + (size_t)1) * sizeof(*k)); /* zeroed: nils in the gap */
    if (e->k.n != 0)
        memcpy(k, e->k.v, e->k.n * sizeof(*k));
    if (e->kwide.n != 0)
        memcpy(k + GS_KNARROW, e->kwide.v, e->kwide.n * sizeof(*k));
    return k;
}

static struct gs_ic *perm_ics(const struct gs_emit *e)
{
    struct gs_ic *ics = gs_perm_alloc((e->ics.n + (size_t)1) * sizeof(*ics));
    for (uint32_t i = 0; i < e->ics.n; i++)
        ics[i].key = e->ics.v[i];
    return ics;
}

static struct gs_handler *perm_handlers(const struct gs_emit *e)
{
    struct gs_handler *h = gs_perm_alloc((e->handlers.n + (size_t)1) * sizeof(*h));
    for (uint32_t i = 0; i < e->handlers.n; i++) {
        const struct gs_range_handler *r = &e->handlers.v[i];
        h[i] = (struct gs_handler){r->from, r->to, r->target, (uint16_t)r->reg, 0};
    }
    return h;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Sorts, drops duplicates, and tells the function around it. */
static void finish_gnames(struct gs_emit *e)
{
    if (e->gnames.n > 1)
        qsort(e->gnames.v, e->gnames.n, sizeof(uint32_t), by_number);
    uint32_t n = 0;
    for (uint32_t i = 0; i < e->gnames.n; i++) {
        if (n == 0 || e->gnames.v[n - 1] != e->gnames.v[i])
            e->gnames.v[n++] = e->gnames.v[i];
    }
    e->gnames.n = n;
}

static void free_emit(struct gs_emit *e)
{
    GS_VEC_FREE(&e->code);
    GS_VEC_FREE(&e->lines);
    GS_VEC_FREE(&e->jumps);
    GS_VEC_FREE(&e->labels);
    GS_VEC_FREE(&e->label_used);
    GS_VEC_FREE(&e->handlers);
    GS_VEC_FREE(&e->k);
    GS_VEC_FREE(&e->kwide);
    GS_VEC_FREE(&e->kentries);
    GS_VEC_FREE(&e->ics);
    GS_VEC_FREE(&e->protos);
    GS_VEC_FREE(&e->gnames);
    gs_table_free(&e->kindex);
    gs_table_free(&e->ic_of_key);
}

void gs_emit_begin(struct gs_emit *e, struct gs_emit *outer, struct gs_unit *u,
                   struct gs_fnscope *f)
{
    *e = (struct gs_emit){.outer = outer, .u = u, .c = u->c, .f = f, .pinned = UINT32_MAX};
    e->line = f->node ? f->node->pos.line : 1;
}

static void check(struct gs_emit *e, struct gs_proto *p)
{
    char msg[256];
    if (gs_diag_errors(e->c->diag) != 0 || gs_bytecode_verify(p, msg, sizeof(msg)) == GS_OK)
        return;
    fprintf(stderr, "langoost: internal error: malformed code for %s (line %u): %s\n",
            p->name->data, p->line, msg);
    abort();
}

void gs_emit_end(struct gs_emit *e, struct gs_str *name, uint32_t nparams, uint32_t nreq,
                 uint32_t flags, const struct gs_capture *caps, uint32_t ncaps)
{
    struct gs_proto *p = e->f->proto;
    gs_put_abc(e, GS_OP_RETNIL, 0, 0, 0);
    if (e->limit == NULL) {
        thread_jumps(e);
        lengthen(e);
        resolve_jumps(e);
    } else {
        struct gs_pos at = e->f->node ? e->f->node->pos : (struct gs_pos){1, 1};
        gs_emit_error(e, at, "function \"%s\" is too large: more than %s", name->data, e->limit);
    }
    finish_gnames(e);
    if (ncaps != 0) {
        for (uint32_t i = 0; e->outer != NULL && i < e->gnames.n; i++)
            gs_name_global(e->outer, e->gnames.v[i]);
    }
    p->name = name;
    p->mod = e->u->info;
    p->code = perm_copy(e->code.v, e->code.n * sizeof(gs_insn));
    p->ncode = e->code.n;
    p->k = perm_constants(e, &p->nk);
    p->lines = perm_copy(e->lines.v, e->lines.n * sizeof(uint32_t));
    p->nregs = (uint16_t)(e->max > GS_MAX_REGS ? GS_MAX_REGS : e->max);
    p->nparams = (uint16_t)nparams;
    p->nreq = (uint16_t)nreq;
    p->flags = (uint16_t)(flags | (e->u->prelude ? GS_PF_PRELUDE : 0u));
    p->protos = perm_copy(e->protos.v, e->protos.n * sizeof(struct gs_proto *));
    p->nprotos = e->protos.n;
    p->ncaps = ncaps;
    p->caps = perm_copy(caps, ncaps * sizeof(*caps));
    p->handlers = perm_handlers(e);
    p->nhandlers = e->handlers.n;
    p->nics = e->ics.n;
    p->ics = perm_ics(e);
    p->fb = gs_perm_alloc(e->code.n + 1u);
    p->cls = e->f->cls;
    p->line = e->f->node ? e->f->node->pos.line : 1;
    p->id = gs_hook_proto_id();
    p->gnames = perm_copy(e->gnames.v, e->gnames.n * sizeof(uint32_t));
    p->ngnames = e->gnames.n;
    if (ncaps == 0)
        check(e, p);
    free_emit(e);
}
