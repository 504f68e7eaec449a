/* SPDX-License-Identifier: MIT
 * slow.c - the slow paths of values: arithmetic, comparison, containers, variables. Calls, loops
 * and types are in slow_call.c. Contract: slow.h.
 */
#include "slow.h"

#include <math.h>
#include <string.h>

#include "array.h"
#include "error.h"
#include "lib.h"
#include "rt.h"
#include "shape.h"
#include "slow_int.h"
#include "str.h"
#include "text.h"

void gs_feedback(const struct gs_vm *vm, unsigned bit)
{
    const struct gs_proto *p = gs_vm_proto(vm);
    _Atomic uint8_t *f = &p->fb[vm->pc - 1 - p->code];
    uint8_t old = gs_load_rlx(f); /* relaxed, lost updates included: see proto.h */
    if ((old & bit) != bit)
        gs_store_rlx(f, (uint8_t)(old | bit));
}

int gs_slow_malformed(struct gs_vm *vm)
{
    return gs_throw(vm, GS_ERR_TYPE, "malformed code");
}

/* ---- arithmetic ---- */

static const char *const arith_verb[] = {
    [GS_AR_ADD] = "add",         [GS_AR_SUB] = "subtract",   [GS_AR_MUL] = "multiply",
    [GS_AR_DIV] = "divide",      [GS_AR_MOD] = "divide",     [GS_AR_AND] = "apply & to",
    [GS_AR_OR] = "apply | to",   [GS_AR_XOR] = "apply ^ to", [GS_AR_SHL] = "apply << to",
    [GS_AR_SHR] = "apply >> to",
};

static int arith_error(struct gs_vm *vm, enum gs_arith op, gs_value a, gs_value b)
{
    bool swapped = gs_insn_x(gs_insn_load(vm->pc - 1)) != 0; /* a constant written on the left */
    gs_feedback(vm, GS_FB_SLOW);
    return gs_throw(vm, GS_ERR_TYPE, "cannot %s %s and %s", arith_verb[op],
                    gs_kind_word(swapped ? b : a), gs_kind_word(swapped ? a : b));
}

static int int_arith(struct gs_vm *vm, enum gs_arith op, int64_t a, int64_t b, gs_value *dst)
{
    uint64_t x = (uint64_t)a, y = (uint64_t)b;
    switch (op) {
    case GS_AR_ADD:
        x += y;
        break;
    case GS_AR_SUB:
        x -= y;
        break;
    case GS_AR_MUL:
        x *= y;
        break;
    case GS_AR_DIV:
    case GS_AR_MOD:
        if (b == 0)
            return gs_throw(vm, GS_ERR_ZERODIV,
                            op == GS_AR_DIV ? "division by zero" : "remainder by zero");
        if (b == -1) /* MinInt / -1 overflows in C */
            x = op == GS_AR_DIV ? 0 - x : 0;
        else
            x = (uint64_t)(op == GS_AR_DIV ? a / b : a % b);
        break;
    case GS_AR_AND:
        x &= y;
        break;
    case GS_AR_OR:
        x |= y;
        break;
    case GS_AR_XOR:
        x ^= y;
        break;
    case GS_AR_SHL:
        x <<= y & 63u;
        break;
    case GS_AR_SHR:
        x = (uint64_t)(a >> (y & 63u));
        break;
    }
    *dst = gs_int((int64_t)x);
    return GS_OK;
}

static double float_arith(enum gs_arith op, double a, double b)
{
    switch (op) {
    case GS_AR_ADD:
        return a + b;
    case GS_AR_SUB:
        return a - b;
    case GS_AR_MUL:
        return a * b;
    case GS_AR_DIV:
        return a / b;
    default:
        return fmod(a, b);
    }
}

static int concat2(struct gs_vm *vm, struct gs_str *a, struct gs_str *b, gs_value *dst)
{
    struct gs_str *s = gs_str_concat(&vm->heap, a, b);
    if (s == NULL)
        return GS_E_NOMEM;
    *dst = gs_strv(s);
    return GS_OK;
}

static bool is_number(gs_value v)
{
    return gs_is(v, GS_T_FLOAT) || gs_is_intlike(v);
}

int gs_slow_arith(struct gs_vm *vm, enum gs_arith op, gs_value a, gs_value b, gs_value *dst)
{
    if (gs_is(a, GS_T_STR) && gs_is(b, GS_T_STR) && op == GS_AR_ADD) {
        gs_feedback(vm, GS_FB_STR);
        GS_COLLECT_IF_DUE(vm);
        return GS_RETRY(vm, concat2(vm, a.s, b.s, dst));
    }
    if (!is_number(a) || !is_number(b))
        return arith_error(vm, op, a, b);
    bool fa = gs_is(a, GS_T_FLOAT), fb = gs_is(b, GS_T_FLOAT);
    if (!fa && !fb) {
        a = gs_visible_int(a);
        b = gs_visible_int(b);
        return int_arith(vm, op, a.i, b.i, dst);
    }
    if (op >= GS_AR_AND)
        return arith_error(vm, op, a, b);
    gs_feedback(vm, fa && fb ? GS_FB_FLOAT : GS_FB_MIXED);
    *dst = gs_float(float_arith(op, fa ? a.d : (double)gs_visible_int(a).i,
                                fb ? b.d : (double)gs_visible_int(b).i));
    return GS_OK;
}

int gs_slow_neg(struct gs_vm *vm, gs_value a, gs_value *dst)
{
    if (gs_is(a, GS_T_FLOAT)) {
        gs_feedback(vm, GS_FB_FLOAT);
        *dst = gs_float(-a.d);
        return GS_OK;
    }
    if (gs_is_intlike(a)) {
        *dst = gs_int((int64_t)(0 - (uint64_t)gs_visible_int(a).i));
        return GS_OK;
    }
    gs_feedback(vm, GS_FB_SLOW);
    return gs_throw(vm, GS_ERR_TYPE, "cannot negate %s", gs_kind_word(a));
}

int gs_slow_bnot(struct gs_vm *vm, gs_value a, gs_value *dst)
{
    if (gs_is_intlike(a)) {
        *dst = gs_int(~gs_visible_int(a).i);
        return GS_OK;
    }
    gs_feedback(vm, GS_FB_SLOW);
    return gs_throw(vm, GS_ERR_TYPE, "cannot apply ~ to %s", gs_kind_word(a));
}

/* The order of two values as -1, 0, 1; 2: unordered (NaN); 3: not comparable. */
static int order(const struct gs_vm *vm, gs_value a, gs_value b)
{
    bool fa = gs_is(a, GS_T_FLOAT), fb = gs_is(b, GS_T_FLOAT);
    if (gs_is(a, GS_T_STR) && gs_is(b, GS_T_STR)) {
        gs_feedback(vm, GS_FB_STR);
        return gs_str_compare(a.s, b.s);
    }
    if (!is_number(a) || !is_number(b))
        return 3;
    if (!fa && !fb)
        return a.i < b.i ? -1 : a.i > b.i;
    gs_feedback(vm, fa && fb ? GS_FB_FLOAT : GS_FB_MIXED);
    if (!fa)
        return gs_cmp_int_float(a.i, b.d);
    if (!fb) {
        int c = gs_cmp_int_float(b.i, a.d);
        return c == 2 ? 2 : -c;
    }
    if (a.d != a.d || b.d != b.d)
        return 2;
    return a.d < b.d ? -1 : a.d > b.d;
}

int gs_slow_compare(struct gs_vm *vm, bool or_equal, bool swapped, gs_value a, gs_value b)
{
    int c = order(vm, a, b);
    if (c <= 1)
        return c < 0 || (or_equal && c == 0);
    if (c == 2)
        return 0;
    gs_feedback(vm, GS_FB_SLOW);
    (void)gs_throw(vm, GS_ERR_TYPE, "cannot compare %s and %s", gs_kind_word(swapped ? b : a),
                   gs_kind_word(swapped ? a : b));
    return -1;
}

/* ---- text ---- */

static int concat_strings(struct gs_vm *vm, const gs_value *v, uint32_t n, gs_value *dst)
{
    size_t total = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (__builtin_add_overflow(total, v[i].s->len, &total))
            return GS_E_NOMEM;
    }
    char *out;
    struct gs_str *s = gs_str_make(&vm->heap, total, &out);
    if (s == NULL)
        return GS_E_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        memcpy(out, v[i].s->data, v[i].s->len);
        out += v[i].s->len;
    }
    *dst = gs_strv(s);
    return GS_OK;
}

static int concat_texts(struct gs_vm *vm, const gs_value *v, uint32_t n, gs_value *dst)
{
    struct gs_buf b = {0};
    for (uint32_t i = 0; i < n; i++)
        gs_text_value(&b, v[i], true);
    struct gs_str *s = b.failed ? NULL : gs_str_new(&vm->heap, b.p, b.len);
    gs_buf_free(&b);
    if (s == NULL)
        return GS_E_NOMEM;
    *dst = gs_strv(s);
    return GS_OK;
}

int gs_slow_concat(struct gs_vm *vm, const gs_value *v, uint32_t n, gs_value *dst)
{
    GS_COLLECT_IF_DUE(vm);
    bool strings = true;
    for (uint32_t i = 0; i < n; i++)
        strings = strings && gs_is(v[i], GS_T_STR);
    if (!strings)
        return GS_RETRY(vm, concat_texts(vm, v, n, dst));
    if (n == 2)
        return GS_RETRY(vm, concat2(vm, v[0].s, v[1].s, dst));
    return GS_RETRY(vm, concat_strings(vm, v, n, dst));
}

/* ---- variables ---- */

int gs_slow_unset(struct gs_vm *vm, gs_value name)
{
    const char *text = gs_is(name, GS_T_STR) ? name.s->data : "?";
    int n = gs_is(name, GS_T_STR) ? (int)name.s->len : 1;
    return gs_throw(vm, GS_ERR_NAME, "variable \"%.*s\" has no value yet", n, text);
}

static gs_value global_name(uint32_t slot)
{
    const struct gs_program *g = gs_rt.program;
    if (g == NULL || slot >= g->nglobals)
        return gs_nil();
    return gs_strv(g->gnames[slot]);
}

int gs_slow_getglobal(struct gs_vm *vm, uint32_t slot, gs_value *dst)
{
    gs_value *g = gs_vm_global(vm, slot);
    if (g == NULL || gs_is(*g, GS_T_UNSET))
        return gs_slow_unset(vm, global_name(slot));
    *dst = *g;
    return GS_OK;
}

int gs_slow_setglobal(struct gs_vm *vm, uint32_t slot, gs_value v)
{
    gs_value *g = gs_vm_global(vm, slot);
    if (g == NULL) /* the copier brings a place for every global that the code names */
        return gs_slow_unset(vm, global_name(slot));
    *g = v;
    return GS_OK;
}

static int cell_new(struct gs_vm *vm, gs_value v, gs_value *dst)
{
    struct gs_cell *c = gs_heap_new(&vm->heap, GS_T_CELL, sizeof *c);
    if (c == NULL)
        return GS_E_NOMEM;
    c->v = v;
    *dst = gs_objv(GS_T_CELL, c);
    return GS_OK;
}

int gs_slow_cellnew(struct gs_vm *vm, gs_value v, gs_value *dst)
{
    GS_COLLECT_IF_DUE(vm);
    return GS_RETRY(vm, cell_new(vm, v, dst));
}

static int closure_new(struct gs_vm *vm, const struct gs_proto *q, gs_value *dst)
{
    struct gs_func *f = gs_heap_new(&vm->heap, GS_T_FUNC, sizeof *f + q->ncaps * sizeof f->up[0]);
    if (f == NULL)
        return GS_E_NOMEM;
    const struct gs_func *maker = vm->base[-2].f;
    f->h.aux16 = (uint16_t)q->ncaps;
    f->proto = q;
    for (uint32_t i = 0; i < q->ncaps; i++)
        f->up[i] = q->caps[i].from_up ? maker->up[q->caps[i].index] : vm->base[q->caps[i].index];
    *dst = gs_objv(GS_T_FUNC, f);
    return GS_OK;
}

int gs_slow_closure(struct gs_vm *vm, const struct gs_proto *q, gs_value *dst)
{
    if (q->ncaps == 0) {
        *dst = gs_objv(GS_T_FUNC, q->self);
        return GS_OK;
    }
    GS_COLLECT_IF_DUE(vm);
    return GS_RETRY(vm, closure_new(vm, q, dst));
}

/* ---- making containers ---- */

static int new_array(struct gs_vm *vm, const gs_value *v, uint32_t n, gs_value *dst)
{
    struct gs_array *a = gs_array_from(&vm->heap, v, n);
    if (a == NULL)
        return GS_E_NOMEM;
    *dst = gs_objv(GS_T_ARRAY, a);
    return GS_OK;
}

int gs_slow_newarray(struct gs_vm *vm, const gs_value *v, uint32_t n, gs_value *dst)
{
    GS_COLLECT_IF_DUE(vm);
    return GS_RETRY(vm, new_array(vm, v, n, dst));
}

int gs_slow_arrpush(struct gs_vm *vm, gs_value array, const gs_value *v, uint32_t n)
{
    if (!gs_is(array, GS_T_ARRAY))
        return gs_slow_malformed(vm);
    GS_COLLECT_IF_DUE(vm);
    return GS_RETRY(vm, (int)gs_array_push_n(&vm->heap, array.a, v, n));
}

int gs_slow_arrspread(struct gs_vm *vm, gs_value array, gs_value more)
{
    if (!gs_is(array, GS_T_ARRAY))
        return gs_slow_malformed(vm);
    if (!gs_is(more, GS_T_ARRAY))
        return gs_throw(vm, GS_ERR_TYPE, "cannot spread %s", gs_kind_word(more));
    GS_COLLECT_IF_DUE(vm);
    return GS_RETRY(vm, (int)gs_array_append_array(&vm->heap, array.a, more.a));
}

static int new_object(struct gs_vm *vm, const struct gs_objlit *lit, const gs_value *v,
                      gs_value *dst)
{
    struct gs_object *o = gs_object_new(&vm->heap, lit->shape, lit->n);
    if (o == NULL)
        return GS_E_NOMEM;
    for (uint32_t i = 0; i < lit->n; i++)
        o->slots[i] = v[i];
    *dst = gs_objv(GS_T_OBJECT, o);
    return GS_OK;
}

int gs_slow_newobj(struct gs_vm *vm, const struct gs_objlit *lit, const gs_value *v, gs_value *dst)
{
    GS_COLLECT_IF_DUE(vm);
    return GS_RETRY(vm, new_object(vm, lit, v, dst));
}

int gs_slow_putfield(struct gs_vm *vm, gs_value o, struct gs_str *key, gs_value v)
{
    if (!gs_is(o, GS_T_OBJECT))
        return gs_slow_malformed(vm);
    GS_COLLECT_IF_DUE(vm);
    return GS_RETRY(vm, (int)gs_object_put(&vm->heap, o.m, key, v));
}

/* ---- fields ---- */

static bool is_dict(uint32_t shape)
{
    return (gs_shape_get(shape)->flags & GS_SHAPE_DICT) != 0;
}

/* Puts a word into the first free way, else pushes the others down: sites with more shapes than
 * ways keep the newest ones. */
static void cache_word(struct gs_ic *ic, uint64_t w)
{
    for (int i = 0; i < GS_IC_WAYS; i++) {
        uint64_t old = gs_load_rlx(&ic->w[i]); /* [I1] complete in itself */
        if (old == w)
            return;
        if (old == 0 || (old & 0xffffffu) == GS_SHAPE_NONE ||
            (old & 0xffffffu) == (w & 0xffffffu)) {
            gs_store_rlx(&ic->w[i], w); /* [I1] */
            return;
        }
    }
    for (int i = GS_IC_WAYS - 1; i > 0; i--)
        gs_store_rlx(&ic->w[i], gs_load_rlx(&ic->w[i - 1])); /* [I1] */
    gs_store_rlx(&ic->w[0], w);                              /* [I1] */
}

static int bound_new(struct gs_vm *vm, gs_value self, gs_value fn, gs_value *dst)
{
    struct gs_bound *b = gs_heap_new(&vm->heap, GS_T_BOUND, sizeof *b);
    if (b == NULL)
        return GS_E_NOMEM;
    b->self = self;
    b->fn = fn;
    *dst = gs_objv(GS_T_BOUND, b);
    return GS_OK;
}

static int bind(struct gs_vm *vm, gs_value self, gs_value fn, gs_value *dst)
{
    GS_COLLECT_IF_DUE(vm);
    return GS_RETRY(vm, bound_new(vm, self, fn, dst));
}

/* A field, else a method of the class, bound; else nil. */
static int object_member(struct gs_vm *vm, gs_value o, struct gs_str *key, gs_value *dst)
{
    if (gs_object_get(o.m, key, dst))
        return GS_OK;
    struct gs_class *c = gs_object_class(o.m);
    if (c != NULL) {
        struct gs_str *atom = gs_atom_find(key);
        struct gs_func *f = atom != NULL ? gs_class_method(c, atom) : NULL;
        if (f != NULL)
            return bind(vm, o, gs_objv(GS_T_FUNC, f), dst);
    }
    *dst = gs_nil();
    return GS_OK;
}

bool gs_module_member(const struct gs_vm *vm, const struct gs_module *m, const struct gs_str *name,
                      gs_value *out)
{
    if (m->lib != NULL)
        return gs_lib_member(m->lib, name->data, name->len, out);
    const struct gs_modinfo *info = m->mod;
    for (uint32_t i = 0; info != NULL && i < info->nconsts; i++) {
        if (gs_str_equal(info->cname[i], name)) {
            *out = info->cvalue[i];
            return true;
        }
    }
    for (uint32_t i = 0; info != NULL && i < info->nglobals; i++) {
        if (!gs_str_equal(info->gname[i], name))
            continue;
        const gs_value *g = gs_vm_global(vm, info->gslot[i]);
        *out = g != NULL ? *g : gs_unset();
        return true;
    }
    return false;
}

static int cannot_read(struct gs_vm *vm, const struct gs_str *key, gs_value o)
{
    gs_feedback(vm, GS_FB_SLOW);
    return gs_throw(vm, GS_ERR_TYPE, "cannot read \"%.*s\" of %s", (int)key->len, key->data,
                    gs_kind_word(o));
}

/* Member of anything by name. */
static int member(struct gs_vm *vm, gs_value o, struct gs_str *key, gs_value *dst)
{
    gs_value fn;
    switch (gs_kind(o)) {
    case GS_T_OBJECT:
        return object_member(vm, o, key, dst);
    case GS_T_ARRAY:
    case GS_T_STR:
        if (!gs_lib_method(gs_kind(o), key, &fn))
            return cannot_read(vm, key, o);
        return bind(vm, o, fn, dst);
    case GS_T_MODULE:
        if (!gs_module_member(vm, o.p, key, dst))
            return cannot_read(vm, key, o);
        return gs_is(*dst, GS_T_UNSET) ? gs_slow_unset(vm, gs_strv(key)) : GS_OK;
    default:
        return cannot_read(vm, key, o);
    }
}

int gs_slow_getfield(struct gs_vm *vm, struct gs_ic *ic, gs_value o, gs_value *dst)
{
    if (gs_is(o, GS_T_OBJECT)) {
        struct gs_shape *s = gs_shape_get(o.o->aux32);
        int32_t slot = (s->flags & GS_SHAPE_DICT) ? -1 : gs_shape_slot(s, ic->key);
        if (slot >= 0) {
            cache_word(ic, GS_IC_FIELD(s->id, s->id, (uint32_t)slot));
            *dst = o.m->slots[slot];
            return GS_OK;
        }
    }
    gs_feedback(vm, GS_FB_OTHER);
    return member(vm, o, ic->key, dst);
}

/* The store of v under a key that is no nil: the cached transition, when there is one. */
static void cache_store(struct gs_ic *ic, uint32_t before, const struct gs_object *o)
{
    uint32_t after = o->h.aux32;
    if (is_dict(after))
        return;
    int32_t slot = gs_shape_slot(gs_shape_get(after), ic->key);
    if (slot < 0 || (after != before && (uint32_t)slot + 1 != gs_shape_get(after)->nkeys))
        return;
    cache_word(ic, GS_IC_FIELD(before, after, (uint32_t)slot));
}

static int cannot_write(struct gs_vm *vm, const struct gs_str *key, gs_value o)
{
    gs_feedback(vm, GS_FB_SLOW);
    return gs_throw(vm, GS_ERR_TYPE, "cannot write \"%.*s\" of %s", (int)key->len, key->data,
                    gs_kind_word(o));
}

int gs_slow_setfield(struct gs_vm *vm, struct gs_ic *ic, gs_value o, gs_value v)
{
    if (!gs_is(o, GS_T_OBJECT))
        return cannot_write(vm, ic->key, o);
    GS_COLLECT_IF_DUE(vm);
    uint32_t before = o.o->aux32;
    int st = GS_RETRY(vm, (int)gs_object_set(&vm->heap, o.m, ic->key, v));
    if (st == GS_OK && !gs_is(v, GS_T_NIL))
        cache_store(ic, before, o.m);
    return st;
}

/* ---- indexes ---- */

static int index_error(struct gs_vm *vm, const char *what, int64_t i, int64_t len)
{
    return gs_throw(vm, GS_ERR_INDEX, "%s index %lld out of bounds (len=%lld)", what, (long long)i,
                    (long long)len);
}

/* True: *at is a place in [0, len). */
static bool resolve(gs_value index, int64_t len, int64_t *at)
{
    int64_t i = index.i;
    if (i < 0)
        i += len; /* no overflow: i is negative, len is not */
    *at = i;
    return i >= 0 && i < len;
}

static int bad_index(struct gs_vm *vm, const char *what, const char *want, gs_value index)
{
    gs_feedback(vm, GS_FB_SLOW);
    return gs_throw(vm, GS_ERR_TYPE, "%s must be %s, not %s", what, want, gs_kind_word(index));
}

void gs_feedback_store(const struct gs_vm *vm, const struct gs_array *a)
{
    switch (gs_array_store(a)) {
    case GS_STORE_FLOAT:
        gs_feedback(vm, GS_FB_FLOAT);
        break;
    case GS_STORE_VALUE:
        gs_feedback(vm, GS_FB_VALUE);
        break;
    case GS_STORE_BOOL:
    case GS_STORE_BYTE:
        gs_feedback(vm, GS_FB_BYTE);
        break;
    default:
        break;
    }
}

int gs_slow_getindex(struct gs_vm *vm, gs_value o, gs_value index, gs_value *dst)
{
    int64_t at;
    switch (gs_kind(o)) {
    case GS_T_ARRAY:
        if (!gs_is_intlike(index))
            return bad_index(vm, "array index", "an int", index);
        if (!resolve(gs_visible_int(index), o.a->len, &at))
            return index_error(vm, "array", index.i, o.a->len);
        gs_feedback_store(vm, o.a);
        *dst = gs_array_at(o.a, at);
        return GS_OK;
    case GS_T_STR:
        gs_feedback(vm, GS_FB_STR);
        if (!gs_is_intlike(index))
            return bad_index(vm, "string index", "an int", index);
        if (!resolve(gs_visible_int(index), (int64_t)o.s->len, &at))
            return index_error(vm, "string", index.i, (int64_t)o.s->len);
        *dst = gs_strv(gs_str_byte((uint8_t)o.s->data[at]));
        return GS_OK;
    case GS_T_OBJECT:
        gs_feedback(vm, GS_FB_OTHER);
        if (!gs_is(index, GS_T_STR))
            return bad_index(vm, "object key", "a string", index);
        return object_member(vm, o, index.s, dst);
    default:
        gs_feedback(vm, GS_FB_SLOW);
        if (gs_is(index, GS_T_STR))
            return member(vm, o, index.s, dst);
        return gs_throw(vm, GS_ERR_TYPE, "cannot index %s", gs_kind_word(o));
    }
}

int gs_slow_setindex(struct gs_vm *vm, gs_value o, gs_value index, gs_value v)
{
    int64_t at;
    switch (gs_kind(o)) {
    case GS_T_ARRAY:
        if (!gs_is_intlike(index))
            return bad_index(vm, "array index", "an int", index);
        if (!resolve(gs_visible_int(index), o.a->len, &at))
            return index_error(vm, "array", index.i, o.a->len);
        GS_COLLECT_IF_DUE(vm);
        int st = GS_RETRY(vm, (int)gs_array_set(&vm->heap, o.a, at, v));
        gs_feedback_store(vm, o.a);
        return st;
    case GS_T_OBJECT:
        gs_feedback(vm, GS_FB_OTHER);
        if (!gs_is(index, GS_T_STR))
            return bad_index(vm, "object key", "a string", index);
        GS_COLLECT_IF_DUE(vm);
        return GS_RETRY(vm, (int)gs_object_set(&vm->heap, o.m, index.s, v));
    default:
        gs_feedback(vm, GS_FB_SLOW);
        if (gs_is(index, GS_T_STR))
            return cannot_write(vm, index.s, o);
        return gs_throw(vm, GS_ERR_TYPE, "cannot write an element of %s", gs_kind_word(o));
    }
}

static uint64_t count_steps(int64_t start, int64_t stop, int64_t step)
{
    if (step > 0 && start < stop)
        return ((uint64_t)stop - (uint64_t)start - 1) / (uint64_t)step + 1;
    if (step < 0 && start > stop)
        return ((uint64_t)start - (uint64_t)stop - 1) / (0 - (uint64_t)step) + 1;
    return 0;
}

/* Saturates: a loop never gets that far. */
int64_t gs_range_steps(int64_t start, int64_t stop, int64_t step)
{
    uint64_t n = count_steps(start, stop, step);
    return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

int gs_slow_len(struct gs_vm *vm, gs_value v, gs_value *dst)
{
    switch (gs_kind(v)) {
    case GS_T_ARRAY:
        *dst = gs_int(v.a->len);
        return GS_OK;
    case GS_T_STR:
        *dst = gs_int((int64_t)v.s->len);
        return GS_OK;
    case GS_T_OBJECT:
        *dst = gs_int(gs_object_count(v.m));
        return GS_OK;
    case GS_T_RANGE: {
        const struct gs_range *r = v.p;
        uint64_t steps = count_steps(r->start, r->stop, r->step);
        if (steps > INT64_MAX)
            return gs_throw(vm, GS_ERR_VALUE, "the length of this range does not fit an int");
        *dst = gs_int((int64_t)steps);
        return GS_OK;
    }
    default:
        return gs_throw(vm, GS_ERR_TYPE, "%s has no length", gs_kind_word(v));
    }
}
