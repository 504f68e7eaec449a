/* SPDX-License-Identifier: MIT
 * types.c - the inference. Contract: types.h.
 */
#include "types.h"

#include <stdlib.h>
#include <string.h>

#include "shape.h"

enum { MISS_WIDEN = 1, MISS_CALL = 3, MISS_ELEMENT = 6 };

#define FB_STORES (GS_FB_FLOAT | GS_FB_VALUE | GS_FB_BYTE)
#define FB_NO_ARRAY (GS_FB_STR | GS_FB_OTHER | GS_FB_MIXED | GS_FB_SLOW) /* of an ITERNEXT, see gs_slow_iternext */
#define FB_ODD (GS_FB_STR | GS_FB_OTHER | GS_FB_SLOW)

static gs_kinds kind_of(gs_value v)
{
    return GS_K(gs_kind(v));
}

static bool within(gs_kinds k, gs_kinds set)
{
    return (k & ~set) == 0;
}

/* ---- arithmetic ---- */

static struct gs_step by_call(gs_kinds result)
{
    struct gs_step s = {.how = GS_HOW_CALL, .result = result};
    return s;
}

static struct gs_step with(enum gs_how how, gs_kinds x, gs_kinds y, gs_kinds result)
{
    struct gs_step s = {.how = how, .result = result};
    s.want[1] = x;
    s.want[2] = y;
    return s;
}

/* x and y: kinds of the operands; imm: y is a small int of the instruction, so that feedback MIXED means a float x. */
static struct gs_step arith(const struct gs_node *n, gs_kinds x, gs_kinds y, bool imm, bool adds)
{
    gs_kinds all = adds ? GS_K_ANY : GS_K_NUM;
    bool divides = n->op == GS_OP_DIV || n->op == GS_OP_DIVI || n->op == GS_OP_DIVK || n->op == GS_OP_KDIV || n->op == GS_OP_MOD ||
                   n->op == GS_OP_MODI || n->op == GS_OP_MODK;
    if ((x & GS_K_NUM) == 0 || (y & GS_K_NUM) == 0)
        return by_call(all);
    if (within(x, GS_K_INT) && within(y, GS_K_INT))
        return with(divides && n->miss >= MISS_WIDEN ? GS_HOW_DIVIDE : GS_HOW_INT, GS_K_INT, GS_K_INT, GS_K_INT);
    bool numbers = within(x, GS_K_NUM) && within(y, GS_K_NUM);
    if (numbers && (x == GS_K_FLOAT || y == GS_K_FLOAT))
        return with(GS_HOW_FLOAT, x, y, GS_K_FLOAT);
    if ((n->fb & FB_ODD) != 0 || n->miss >= MISS_CALL)
        return numbers ? with(GS_HOW_NUM, x, y, GS_K_NUM) : by_call(all);
    bool widen = n->miss >= MISS_WIDEN;
    if ((n->fb & (GS_FB_FLOAT | GS_FB_MIXED)) == 0 && !widen && (x & y & GS_K_INT))
        return with(GS_HOW_INT, GS_K_INT, GS_K_INT, GS_K_INT);
    if (!widen && imm && (n->fb & GS_FB_MIXED) && (x & GS_K_FLOAT))
        return with(GS_HOW_FLOAT, GS_K_FLOAT, y, GS_K_FLOAT);
    if (!widen && !imm && !(n->fb & GS_FB_MIXED) && (n->fb & GS_FB_FLOAT) && (x & y & GS_K_FLOAT))
        return with(GS_HOW_FLOAT, GS_K_FLOAT, GS_K_FLOAT, GS_K_FLOAT);
    if (x == GS_K_FLOAT || y == GS_K_FLOAT)
        return with(GS_HOW_FLOAT, x & GS_K_NUM, y & GS_K_NUM, GS_K_FLOAT);
    return with(GS_HOW_NUM, x & GS_K_NUM, y & GS_K_NUM, GS_K_NUM);
}

static struct gs_step bits(const struct gs_node *n, gs_kinds x, gs_kinds y)
{
    if ((x & y & GS_K_INT) && (n->miss == 0 || (x | y) == GS_K_INT))
        return with(GS_HOW_INT, GS_K_INT, GS_K_INT, GS_K_INT);
    return by_call(GS_K_INT);
}

/* imm: as above. Mixed comparisons are exact and left to the helper. */
static struct gs_step compare(const struct gs_node *n, gs_kinds x, gs_kinds y, bool imm)
{
    if (within(x, GS_K_INT) && within(y, GS_K_INT))
        return with(GS_HOW_INT, GS_K_INT, GS_K_INT, GS_K_BOOL);
    if (x == GS_K_FLOAT && (imm || y == GS_K_FLOAT))
        return with(GS_HOW_FLOAT, x, y, GS_K_BOOL);
    if ((n->fb & FB_ODD) != 0 || n->miss >= MISS_WIDEN)
        return by_call(GS_K_BOOL);
    if (imm && (n->fb & GS_FB_MIXED))
        return x & GS_K_FLOAT ? with(GS_HOW_FLOAT, GS_K_FLOAT, y, GS_K_BOOL) : by_call(GS_K_BOOL);
    if (n->fb & GS_FB_FLOAT)
        return (x & y & GS_K_FLOAT) && !(n->fb & GS_FB_MIXED) ? with(GS_HOW_FLOAT, GS_K_FLOAT, GS_K_FLOAT, GS_K_BOOL)
                                                               : by_call(GS_K_BOOL);
    if ((x & y & GS_K_INT) && n->fb == 0)
        return with(GS_HOW_INT, GS_K_INT, GS_K_INT, GS_K_BOOL);
    return by_call(GS_K_BOOL);
}

/* ---- containers ---- */

static bool storage(const struct gs_node *n, enum gs_store *store, gs_kinds *element)
{
    if (n->miss >= MISS_CALL)
        return false;
    switch (n->fb) {
    case 0:
        *store = GS_STORE_INT;
        *element = GS_K_INT;
        return true;
    case GS_FB_FLOAT:
        *store = GS_STORE_FLOAT;
        *element = GS_K_FLOAT;
        return true;
    case GS_FB_BYTE:
        *store = GS_STORE_BOOL;
        *element = GS_K_BOOL;
        return true;
    case GS_FB_VALUE:
        *store = GS_STORE_VALUE;
        *element = GS_K_ANY & ~GS_K(GS_T_UNSET);
        return true;
    default:
        return false;
    }
}

static struct gs_step element(const struct gs_node *n, gs_kinds o, gs_kinds index, bool writes)
{
    struct gs_step s = by_call(GS_K_ANY);
    gs_kinds e;
    if ((o & GS_K(GS_T_ARRAY)) == 0 || (index & GS_K_INT) == 0)
        return s;
    if (!storage(n, &s.store, &e)) {
        if (!writes && within(n->fb, FB_STORES) && n->miss < MISS_ELEMENT) {
            s.how = GS_HOW_ELEMENT;
            s.result = GS_K_ANY & ~GS_K(GS_T_UNSET);
            s.want[1] = GS_K(GS_T_ARRAY);
            s.want[2] = GS_K_INT;
        }
        return s;
    }
    s.how = GS_HOW_STORE;
    s.result = e;
    s.want[writes ? 0 : 1] = GS_K(GS_T_ARRAY);
    s.want[writes ? 1 : 2] = GS_K_INT;
    if (writes && s.store != GS_STORE_VALUE)
        s.want[2] = e;
    return s;
}

static bool cached(const struct gs_node *n)
{
    return n->ic[0] != 0 && n->miss < MISS_CALL;
}

/* ---- iterations ---- */

static struct gs_step iternew(const struct gs_node *n, gs_kinds *a)
{
    struct gs_step s = {.how = GS_HOW_PLAIN};
    bool array = a[0] == GS_K(GS_T_ARRAY) || (n->miss == 0 && (n->fb & FB_NO_ARRAY) == 0 && (a[0] & GS_K(GS_T_ARRAY)) != 0);
    if (array)
        a[0] = s.want[0] = GS_K(GS_T_ARRAY);
    else
        s.how = GS_HOW_CALL;
    a[1] = GS_K_INT;
    a[2] = array ? GS_K_NIL : GS_ITER_STATE;
    return s;
}

/* b: the variables. */
static struct gs_step iternext(const struct gs_node *n, gs_kinds *a, gs_kinds *b)
{
    struct gs_step s = {.how = GS_HOW_PLAIN};
    gs_kinds some = GS_K_ANY & ~GS_K(GS_T_UNSET), first = GS_K_INT, v = some;
    bool expected = n->miss < MISS_ELEMENT && (a[1] & GS_K_INT) != 0;
    if (a[0] == GS_K(GS_T_ARRAY) || (expected && (n->fb & FB_NO_ARRAY) == 0 && (a[0] & GS_K(GS_T_ARRAY)) != 0)) {
        if (!storage(n, &s.store, &v))
            s.how = GS_HOW_ELEMENT;
        a[0] = GS_K(GS_T_ARRAY);
    } else if (expected && n->fb == GS_FB_MIXED && (a[0] & GS_K(GS_T_RANGE)) != 0 && (a[2] & GS_K_INT) != 0) {
        s.how = GS_HOW_RANGE;
        a[0] = GS_K(GS_T_RANGE);
        a[2] = v = GS_K_INT;
    } else {
        s.how = GS_HOW_CALL;
        first = some;
    }
    a[1] = GS_K_INT;
    if (n->x == 2)
        b[0] |= first;
    b[n->x == 2 ? 1 : 0] |= v;
    s.result = v;
    return s;
}

/* ---- calls ---- */

/* max is GS_ARGS_ANY, more than any call gives, when there is no limit. */
static bool takes(const struct gs_native *nat, uint32_t n)
{
    return n >= nat->min && n <= nat->max;
}

static struct gs_step native(const struct gs_node *n, const gs_kinds *k)
{
    struct gs_step s = by_call(GS_K_ANY & ~GS_K(GS_T_UNSET));
    gs_value f = n->frame->p->k[n->c];
    s.native = f.p; /* by the verifier */
    if (!takes(s.native, n->b)) {
        s.how = GS_HOW_LEAVE;
        return s;
    }
    (void)gs_intrinsic_step(n, s.native, k + n->frame->off + n->a + 2, &s);
    return s;
}

/* The native that a method call site has always found: s.want[2] is the receiver's kind. */
static bool native_method(const struct gs_node *n, const gs_kinds *k, struct gs_step *s)
{
    const struct gs_mcache *m = (const struct gs_mcache *)(uintptr_t)n->ic[0];
    if (m == NULL || n->ic[1] != 0 || !gs_is(m->fn, GS_T_NATIVE) || m->shape >= GS_T_COUNT_ || n->miss != 0)
        return false;
    const struct gs_native *nat = m->fn.p;
    if (!takes(nat, n->b) || !(k[n->frame->off + n->a + 2] & GS_K(m->shape)))
        return false;
    s->how = GS_HOW_CALL;
    s->native = nat;
    s->want[2] = GS_K(m->shape);
    (void)gs_intrinsic_step(n, nat, k + n->frame->off + n->a + 2, s);
    return true;
}

/* The kinds of a callee's parameters, from those of the arguments. */
static void adapt(const struct gs_node *n, gs_kinds *args)
{
    uint32_t from, to;
    int rest = gs_node_missing(n, &from, &to);
    for (uint32_t i = from; i < to; i++)
        args[i] = GS_K(GS_T_UNSET);
    if (rest >= 0)
        args[rest] = GS_K(GS_T_ARRAY);
}

static struct gs_step call(const struct gs_types *t, const struct gs_node *n, gs_kinds *k)
{
    struct gs_step s = {.how = GS_HOW_LEAVE, .result = GS_K_ANY & ~GS_K(GS_T_UNSET)};
    if (n->op == GS_OP_CALLM && native_method(n, k, &s)) {
        k[n->frame->off + n->a + 2] &= s.want[2];
        return s;
    }
    if (gs_node_never_called(n) && n->miss < MISS_CALL)
        return s;
    const struct gs_proto *q = n->callee;
    bool fits = n->fits && q->nparams <= GS_OWN_PARAMS;
    bool itself = fits && t->self != NULL && q == t->self->p;
    if (fits) {
        gs_kinds args[GS_OWN_PARAMS];
        memcpy(args, k + n->frame->off + n->a + 2, q->nparams * sizeof *args);
        adapt(n, args);
        s.unit = itself ? t->self : t->unit_of(q, n->miss == 0 ? args : NULL);
    }
    if (s.unit == NULL) {
        s.how = GS_HOW_ANY;
        return s;
    }
    s.how = GS_HOW_UNIT;
    s.result = s.unit->ret;
    return s;
}

/* ---- one instruction ---- */

static gs_kinds truth(gs_kinds k)
{
    return within(k, GS_K_NIL | GS_K_BOOL | GS_K_INT) ? k : 0;
}

struct gs_step gs_types_step(const struct gs_types *t, const struct gs_node *n, gs_kinds *k)
{
    const struct gs_proto *p = n->frame->p;
    uint32_t off = n->frame->off;
    gs_kinds *a = k + off + n->a, *b = k + off + n->b, *c = k + off + n->c;
    struct gs_step s = {.how = GS_HOW_PLAIN};
    gs_kinds some = GS_K_ANY & ~GS_K(GS_T_UNSET);
    enum { NO, A } dst = A;
    bool rb = gs_opinfo[n->op].b == GS_OPND_R, rc = gs_opinfo[n->op].c == GS_OPND_R;
    if (n->kind == GS_N_GOTO || n->kind == GS_N_LEAVE || n->kind == GS_N_TEST)
        return s;
    if (n->kind == GS_N_CATCH) {
        *a = GS_K_ANY;
        return s;
    }
    if (n->kind == GS_N_RETURN) {
        k[off - 2] = n->op == GS_OP_RETNIL ? GS_K_NIL : *a;
        return s;
    }
    if (n->kind == GS_N_INLINE) {
        adapt(n, k + off + n->a + 2);
        for (uint32_t i = n->callee->nparams; i < n->callee->nregs; i++)
            k[off + n->a + 2 + i] = 0;
        k[off + n->a] = GS_K(GS_T_FUNC);
        return s;
    }
    switch ((enum gs_op)n->op) {
    case GS_OP_MOVE:
        s.result = *b;
        break;
    case GS_OP_LOADK:
        s.result = kind_of(p->k[n->bx]);
        break;
    case GS_OP_LOADI:
        s.result = GS_K_INT;
        break;
    case GS_OP_LOADNIL:
        for (uint32_t i = 0; i < n->b; i++)
            a[i] = GS_K_NIL;
        dst = NO;
        break;
    case GS_OP_LOADBOOL:
        s.result = GS_K_BOOL;
        break;
    case GS_OP_LOADUNSET:
        s.result = GS_K(GS_T_UNSET);
        break;
    case GS_OP_GETUP:
        s.result = GS_K_ANY;
        break;
    case GS_OP_GETFN:
        s.result = GS_K(GS_T_FUNC);
        break;
    case GS_OP_CELLNEW:
        s.how = gs_alloc_how(n);
        s.result = GS_K(GS_T_CELL);
        break;
    case GS_OP_CELLGET:
        s.want[1] = GS_K(GS_T_CELL);
        s.result = some;
        break;
    case GS_OP_CELLSET:
        s.want[0] = GS_K(GS_T_CELL);
        dst = NO;
        break;
    case GS_OP_UPGET:
    case GS_OP_GETGLOBAL:
        s.result = some;
        break;
    case GS_OP_UPSET:
    case GS_OP_SETGLOBAL:
        dst = NO;
        break;
    case GS_OP_CHECKSET:
        s.want[0] = *a & some;
        dst = NO;
        break;
    case GS_OP_CLOSURE:
        s.how = gs_alloc_how(n);
        s.result = GS_K(GS_T_FUNC);
        break;
    case GS_OP_ADD:
        s = arith(n, *b, *c, false, true);
        break;
    case GS_OP_SUB:
    case GS_OP_MUL:
    case GS_OP_DIV:
    case GS_OP_MOD:
        s = arith(n, *b, *c, false, false);
        break;
    case GS_OP_ADDI:
        s = arith(n, *b, GS_K_INT, true, true);
        break;
    case GS_OP_SUBI:
    case GS_OP_MULI:
    case GS_OP_DIVI:
    case GS_OP_MODI:
        s = arith(n, *b, GS_K_INT, true, false);
        break;
    case GS_OP_ADDK:
        s = arith(n, *b, kind_of(p->k[n->c]), false, true);
        break;
    case GS_OP_SUBK:
    case GS_OP_MULK:
    case GS_OP_DIVK:
    case GS_OP_MODK:
        s = arith(n, *b, kind_of(p->k[n->c]), false, false);
        break;
    case GS_OP_KSUB:
    case GS_OP_KDIV:
        s = arith(n, kind_of(p->k[n->b]), *c, false, false);
        break;
    case GS_OP_BAND:
    case GS_OP_BOR:
    case GS_OP_BXOR:
    case GS_OP_SHL:
    case GS_OP_SHR:
        s = bits(n, *b, *c);
        break;
    case GS_OP_BANDI:
    case GS_OP_SHLI:
    case GS_OP_SHRI:
        s = bits(n, *b, GS_K_INT);
        break;
    case GS_OP_NEG:
        if (*b == GS_K_FLOAT || ((n->fb & GS_FB_FLOAT) && (*b & GS_K_FLOAT) && n->miss == 0))
            s = with(GS_HOW_FLOAT, GS_K_FLOAT, 0, GS_K_FLOAT);
        else if (*b == GS_K_INT || (n->fb == 0 && n->miss == 0 && (*b & GS_K_INT)))
            s = with(GS_HOW_INT, GS_K_INT, 0, GS_K_INT);
        else
            s = by_call(GS_K_NUM);
        break;
    case GS_OP_BNOT:
        s = bits(n, *b, GS_K_INT);
        break;
    case GS_OP_NOT:
    case GS_OP_TOBOOL:
        s.how = truth(*b) ? GS_HOW_PLAIN : GS_HOW_CALL;
        s.result = GS_K_BOOL;
        break;
    case GS_OP_EQ:
    case GS_OP_NE:
    case GS_OP_LT:
    case GS_OP_LE:
        s = compare(n, *b, *c, false);
        break;
    case GS_OP_CONCAT:
        s = by_call(GS_K(GS_T_STR));
        break;
    case GS_OP_JMP:
        dst = NO;
        break;
    case GS_OP_JT:
    case GS_OP_JF:
        s.how = truth(*a) ? GS_HOW_PLAIN : GS_HOW_CALL;
        dst = NO;
        break;
    case GS_OP_JNIL:
    case GS_OP_JNNIL:
    case GS_OP_JSET:
        dst = NO;
        break;
    case GS_OP_JEQ:
    case GS_OP_JNE:
    case GS_OP_JLT:
    case GS_OP_JNLT:
    case GS_OP_JLE:
    case GS_OP_JNLE:
        s = compare(n, *a, *b, false);
        s.want[0] = s.want[1];
        s.want[1] = s.want[2];
        s.want[2] = 0;
        dst = NO;
        break;
    case GS_OP_JEQK:
    case GS_OP_JNEK:
        s = compare(n, *a, kind_of(p->k[n->b]), false);
        s.want[0] = s.want[1];
        s.want[1] = s.want[2] = 0;
        dst = NO;
        break;
    case GS_OP_JEQI:
    case GS_OP_JNEI:
    case GS_OP_JLTI:
    case GS_OP_JNLTI:
    case GS_OP_JLEI:
    case GS_OP_JNLEI:
    case GS_OP_JGTI:
    case GS_OP_JNGTI:
    case GS_OP_JGEI:
    case GS_OP_JNGEI:
        s = compare(n, *a, GS_K_INT, true);
        s.want[0] = s.want[1];
        s.want[1] = s.want[2] = 0;
        dst = NO;
        break;
    case GS_OP_CALL:
    case GS_OP_CALLM:
    case GS_OP_CALLV:
    case GS_OP_CALLMV:
    case GS_OP_CALLTRIM:
        s = call(t, n, k);
        break;
    case GS_OP_CALLNAT:
        s = native(n, k);
        break;
    case GS_OP_RET:
    case GS_OP_RETNIL:
        if (t->self != NULL)
            t->self->ret |= n->op == GS_OP_RETNIL ? GS_K_NIL : *a;
        return s;
    case GS_OP_NEWARRAY:
        s = by_call(GS_K(GS_T_ARRAY));
        break;
    case GS_OP_ARRPUSH:
    case GS_OP_ARRSPREAD:
        s = by_call(0);
        dst = NO;
        break;
    case GS_OP_NEWOBJ:
        s.how = gs_alloc_how(n);
        s.result = GS_K(GS_T_OBJECT);
        break;
    case GS_OP_PUTFIELD:
        s = by_call(0);
        dst = NO;
        break;
    case GS_OP_GETFIELD:
        s = by_call(some);
        rc = false;
        if ((*b & GS_K(GS_T_OBJECT)) && cached(n)) {
            s.how = GS_HOW_SHAPE;
            s.want[1] = GS_K(GS_T_OBJECT);
        }
        break;
    case GS_OP_SETFIELD:
        s = by_call(0);
        if ((*a & GS_K(GS_T_OBJECT)) && cached(n) && (*b & ~GS_K_NIL)) {
            s.how = GS_HOW_SHAPE;
            s.want[0] = GS_K(GS_T_OBJECT);
            s.want[1] = *b & ~GS_K_NIL;
        }
        dst = NO;
        break;
    case GS_OP_GETINDEX:
        s = element(n, *b, *c, false);
        break;
    case GS_OP_GETINDEXI:
        s = element(n, *b, GS_K_INT, false);
        s.want[2] = 0;
        break;
    case GS_OP_SETINDEX:
        s = element(n, *a, *b, true);
        if (s.how == GS_HOW_STORE && s.store != GS_STORE_VALUE && (*c & s.want[2]) == 0)
            s = by_call(0);
        dst = NO;
        break;
    case GS_OP_LEN:
        s = by_call(GS_K_INT);
        if ((n->fb & (GS_FB_OTHER | GS_FB_SLOW)) == 0 && n->miss == 0) {
            bool str = (n->fb & GS_FB_STR) != 0;
            gs_kinds want = str ? GS_K(GS_T_STR) : GS_K(GS_T_ARRAY);
            if (*b & want) {
                s = with(str ? GS_HOW_STR : GS_HOW_PLAIN, want, 0, GS_K_INT);
            }
        }
        break;
    case GS_OP_FORPREP:
        if (!(a[0] & a[1] & a[2] & GS_K_INT) || n->miss != 0)
            s.how = GS_HOW_LEAVE;
        for (int i = 0; i < 3; i++)
            a[i] = GS_K_INT;
        a[3] |= GS_K_INT;
        dst = NO;
        break;
    case GS_OP_FORLOOP:
        if (!(a[0] & a[1] & a[2] & GS_K_INT))
            s.how = GS_HOW_LEAVE;
        for (int i = 0; i < 4; i++)
            a[i] = GS_K_INT;
        dst = NO;
        break;
    case GS_OP_ITERNEW:
        s = iternew(n, a);
        dst = NO;
        break;
    case GS_OP_ITERNEXT:
        s = iternext(n, a, b);
        dst = NO;
        break;
    case GS_OP_IS:
        s = by_call(GS_K_BOOL);
        break;
    case GS_OP_AS:
        s.how = n->miss >= MISS_CALL ? GS_HOW_CALL : GS_HOW_PLAIN; /* when it fails often, it throws by itself */
        s.result = *b;
        break;
    case GS_OP_THROW:
    case GS_OP_RETHROW:
        dst = NO;
        break;
    case GS_OP_DEFERPUSH:
        s = by_call(GS_K(GS_T_ARRAY));
        break;
    case GS_OP_DEFERCALL:
        s = by_call(GS_K_ANY);
        s.want[1] = *b & (GS_K(GS_T_ARRAY) | GS_K_NIL);
        break;
    case GS_OP_GETSUPER:
        s.result = GS_K(GS_T_FUNC);
        if (p->cls == NULL || p->cls->super == NULL || gs_class_method(p->cls->super, p->k[n->b].s) == NULL)
            s.how = GS_HOW_LEAVE;
        break;
    default:
        s.how = GS_HOW_LEAVE;
        dst = NO;
        break;
    }
    /* Behind its guards an operand is what was wanted. */
    if (s.want[0] != 0)
        *a &= s.want[0];
    if (s.want[1] != 0 && (rb || n->op == GS_OP_CELLGET || n->op == GS_OP_LEN))
        *b &= s.want[1];
    if (s.want[2] != 0 && rc)
        *c &= s.want[2];
    if (dst == A)
        *a = s.result;
    return s;
}

/* ---- inference ---- */

void gs_types_entry(const struct gs_types *t, gs_kinds *k)
{
    const struct gs_graph *g = t->g;
    const struct gs_hot_request *r = g->r;
    memset(k, 0, g->nslots * sizeof *k);
    if (!g->is_loop) {
        for (uint32_t i = 0; i < r->p->nparams; i++)
            k[i] = t->self->param[i];
        return;
    }
    for (uint32_t i = 0; i < r->p->nregs; i++) {
        gs_kinds seen = kind_of(r->regs[i]);
        k[i] = r->generation <= 1 && gs_kinds_single(seen) ? seen : GS_K_ANY;
    }
}

unsigned gs_types_ways(const struct gs_node *n, const gs_kinds *k)
{
    if (n->kind != GS_N_OP || n->op != GS_OP_JSET)
        return 3;
    gs_kinds param = k[n->frame->off + n->a];
    return (param & ~GS_K(GS_T_UNSET) ? 1u : 0u) | (param & GS_K(GS_T_UNSET) ? 2u : 0u);
}

static bool flow(struct gs_types *t, uint32_t to, const gs_kinds *k)
{
    uint32_t n = t->g->nslots;
    gs_kinds *in = t->in + (size_t)to * n;
    bool changed = !t->seen[to];
    t->seen[to] = true;
    for (uint32_t i = 0; i < n; i++) {
        gs_kinds was = in[i];
        in[i] |= k[i];
        changed |= in[i] != was;
    }
    return changed;
}

/* From the end of a block. Behind a JSET that is taken the parameter has a value. */
static bool flow_on(struct gs_types *t, const struct gs_block *b, gs_kinds *k)
{
    const struct gs_node *last = &t->g->node[b->first + b->n - 1];
    unsigned ways = gs_types_ways(last, k);
    bool changed = false;
    for (uint32_t j = b->nsucc; j-- > 0;) {
        if (j == 0 && last->kind == GS_N_OP && last->op == GS_OP_JSET)
            k[last->frame->off + last->a] &= ~GS_K(GS_T_UNSET);
        if (ways >> j & 1)
            changed |= flow(t, b->succ[j], k);
    }
    return changed;
}

bool gs_types_infer(struct gs_types *t)
{
    struct gs_graph *g = t->g;
    t->in = calloc((size_t)g->nblocks * g->nslots, sizeof *t->in);
    t->seen = calloc(g->nblocks, sizeof *t->seen);
    gs_kinds *k = malloc(2 * g->nslots * sizeof *k), *before = NULL;
    bool changed = t->in != NULL && t->seen != NULL && k != NULL;
    if (!changed) {
        free(k);
        return false;
    }
    before = k + g->nslots;
    gs_types_entry(t, k);
    (void)flow(t, 0, k);
    while (changed) {
        changed = false;
        gs_kinds ret = t->self != NULL ? t->self->ret : 0;
        for (uint32_t i = 0; i < g->nrpo; i++) {
            const struct gs_block *b = &g->block[g->rpo[i]];
            if (!t->seen[g->rpo[i]])
                continue;
            memcpy(k, t->in + (size_t)g->rpo[i] * g->nslots, g->nslots * sizeof *k);
            bool left = false;
            for (uint32_t j = 0; j < b->n && !left; j++) {
                const struct gs_node *n = &g->node[b->first + j];
                if (b->caught != GS_NO_BLOCK)
                    memcpy(before, k, g->nslots * sizeof *k);
                struct gs_step s = gs_types_step(t, n, k);
                if (b->caught != GS_NO_BLOCK && gs_node_throws(n, &s))
                    changed |= flow(t, b->caught, before);
                left = s.how == GS_HOW_LEAVE || (s.how == GS_HOW_UNIT && s.result == 0);
            }
            if (!left)
                changed |= flow_on(t, b, k);
        }
        changed |= t->self != NULL && t->self->ret != ret;
    }
    free(k);
    return true;
}
