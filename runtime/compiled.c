/* SPDX-License-Identifier: MIT
 * compiled.c - both sides of compiled code: how the interpreter enters a unit, and what a unit calls. Contract: compiled.h, hot.h.
 *
 * Collecting An operation that needs memory says GS_C_AGAIN instead of collecting. Whoever would change something first looks whether
 *            a collection is due before it begins; who only reads (and may allocate a bound method) looks afterwards whether one was
 *            refused, because making it once more does no harm. Operations that run out of memory have changed nothing (slow.h): the
 *            OutOfMemory that they throw after a refused collection is dropped. The collection is made after leaving, by gs_hot_run.
 */
#include <math.h>

#include "array.h"
#include "compiled_int.h"
#include "error.h"
#include "hot.h"
#include "hot_int.h"
#include "lib.h"
#include "map.h"
#include "port/mem.h"
#include "reclaim.h"
#include "shape.h"
#include "slow_int.h"
#include "str.h"
#include "text.h"

/* ---- entering and leaving ---- */

/* Whose guard failed, as far as that is known. */
static struct gs_hot_entry *guilty(const struct gs_vm *vm, struct gs_hot_entry *entered)
{
    if (vm->missed != NULL)
        return vm->missed->entry;
    struct gs_proto *p = (struct gs_proto *)(uintptr_t)gs_vm_proto(vm);
    if (p == entered->proto)
        return entered;
    /* A function called from compiled code, or copied into it. The two are charged in turns. */
    struct gs_hot_entry *own = gs_hot_entry_get(p, 0);
    bool has = own != NULL && gs_load_rlx(&own->unit) != NULL; /* relaxed: not looked into */
    return has && gs_load_rlx(&own->misses) <= gs_load_rlx(&entered->misses) ? own : entered;
}

static enum gs_left enter(struct gs_vm *vm, const struct gs_unit *unit)
{
    vm->cstack_limit = (uintptr_t)__builtin_frame_address(0) - GS_HOT_STACK;
    vm->missed = NULL;
    vm->refused = false;
    vm->compiled = true;
    enum gs_left left = (enum gs_left)unit->enter(vm, vm->base);
    vm->compiled = false;
    gs_hot_lefts[left]++;
    return left;
}

/* After FULL. False: there was room, so somebody pokes, who is answered by the interpreter; or the stack is at its limit, where
 * only the interpreter may find out whether the program needs more of it. */
static bool make_room(struct gs_vm *vm, const struct gs_unit *unit)
{
    uint32_t n = unit->slots != 0 ? unit->slots : 4u * gs_vm_proto(vm)->nregs + 256u;
    if ((uintptr_t)(vm->base + n) <= vm->task.sp_real)
        return false;
    return gs_vm_try_grow_stack(vm, vm->base, n);
}

/* Poked: what was running may be worth a better compile, and so may what the interpreter had entered. */
static GS_COLD void looked(struct gs_vm *vm, struct gs_hot_entry *entered)
{
    gs_hot_looked(entered);
    if (vm->missed != NULL && vm->missed->entry != entered)
        gs_hot_looked(vm->missed->entry);
}

enum gs_left gs_hot_run(struct gs_vm *vm, const struct gs_proto *p)
{
    ptrdiff_t base = vm->base - vm->stack;
    const gs_insn *at = vm->pc;
    struct gs_hot_entry *e = gs_hot_entry_at(p, (uint32_t)(at - p->code));
    gs_reclaim_quiet(); /* [H2] */
    const struct gs_unit *unit = gs_load_acq(&e->unit); /* [H1] */
    if (GS_UNLIKELY(unit == NULL))
        return GS_LEFT_GO;
    enum gs_left left = enter(vm, unit);
    if (GS_UNLIKELY(left == GS_LEFT_FULL)) {
        vm->base = vm->stack + base;
        vm->pc = at;
        if (make_room(vm, unit)) {
            base = vm->base - vm->stack;
            left = enter(vm, unit);
        }
    }
    /* Poked between the two looks at the limit: the frame is the one that was to be entered, and no call is made once more. */
    if (GS_UNLIKELY(left == GS_LEFT_ENTER && vm->base == vm->stack + base))
        left = GS_LEFT_GO;
    if (GS_UNLIKELY(gs_hot_options()->remake))
        gs_hot_remake(e);
    if (GS_UNLIKELY(gs_load_rlx(&vm->task.sp_limit) == 0)) /* relaxed: a look more or less */
        looked(vm, e);
    switch (left) {
    case GS_LEFT_GO:
        break;
    case GS_LEFT_RETURN:
        vm->base = vm->stack + base; /* slow paths of functions called from it may have set another */
        vm->refused = false;
        return left;
    case GS_LEFT_STUCK:
        gs_hot_stuck(guilty(vm, e));
        break;
    case GS_LEFT_STALE:
        gs_hot_stale(guilty(vm, e));
        break;
    case GS_LEFT_MISS:
        gs_hot_missed(vm, guilty(vm, e), left);
        break;
    case GS_LEFT_REFUSED:
    case GS_LEFT_FULL:
        vm->base = vm->stack + base;
        vm->pc = at;
        if (left == GS_LEFT_REFUSED)
            gs_hot_missed(vm, e, left);
        break;
    case GS_LEFT_CATCH:
        vm->refused = false;
        return GS_LEFT_THROWN; /* gs_unwind looks at all handlers */
    default:
        vm->refused = false;
        return left;
    }
    if (GS_UNLIKELY(vm->refused || gs_vm_wants_gc(vm))) {
        vm->refused = false;
        gs_vm_collect(vm);
    }
    return GS_LEFT_GO;
}

/* ---- what units call ---- */

/* As gs_c_settle, for what only reads: nothing is lost by reading again. */
static int settle_read(struct gs_vm *vm, int st)
{
    return GS_UNLIKELY(vm->refused) ? gs_c_settle(vm, GS_E_THROWN) : st;
}

#define ALLOCATES(vm, operation)                                                                   \
    return GS_UNLIKELY(gs_vm_wants_gc(vm)) ? GS_C_AGAIN : gs_c_settle((vm), (operation))

/* Most of what is added by a call is strings. */
static int add_strings(struct gs_vm *vm, struct gs_str *a, struct gs_str *b, gs_value *dst)
{
    if (GS_UNLIKELY(gs_vm_wants_gc(vm)))
        return GS_C_AGAIN;
    struct gs_str *s = gs_str_concat(&vm->heap, a, b);
    if (GS_UNLIKELY(s == NULL)) {
        vm->refused = true;
        return GS_C_AGAIN;
    }
    *dst = gs_strv(s);
    return GS_OK;
}

int gs_c_arith(struct gs_vm *vm, uint32_t op, gs_value a, gs_value b, gs_value *dst)
{
    if (op == GS_AR_ADD && gs_is(a, GS_T_STR) && gs_is(b, GS_T_STR))
        return add_strings(vm, a.s, b.s, dst);
    return settle_read(vm, gs_slow_arith(vm, (enum gs_arith)op, a, b, dst));
}

int gs_c_neg(struct gs_vm *vm, gs_value a, gs_value *dst)
{
    return gs_slow_neg(vm, a, dst);
}

int gs_c_bnot(struct gs_vm *vm, gs_value a, gs_value *dst)
{
    return gs_slow_bnot(vm, a, dst);
}

int gs_c_compare(struct gs_vm *vm, uint32_t or_equal_and_swapped, gs_value a, gs_value b)
{
    int r = gs_slow_compare(vm, (or_equal_and_swapped & 1u) != 0, (or_equal_and_swapped & 2u) != 0,
                            a, b);
    return r < 0 ? 2 + GS_E_THROWN : r;
}

uint32_t gs_c_equal(gs_value a, gs_value b)
{
    return gs_equal(a, b);
}

uint32_t gs_c_truthy(gs_value v)
{
    return gs_truthy(v);
}

int gs_c_concat(struct gs_vm *vm, const gs_value *v, uint32_t n, gs_value *dst)
{
    ALLOCATES(vm, gs_slow_concat(vm, v, n, dst));
}

gs_value *gs_c_global(struct gs_vm *vm, uint32_t slot)
{
    return gs_vm_global(vm, slot);
}

void *gs_c_alloc(struct gs_vm *vm, size_t bytes)
{
    if (GS_UNLIKELY(gs_vm_wants_gc(vm)))
        return NULL;
    void *p = gs_heap_alloc(&vm->heap, bytes);
    vm->refused = p == NULL;
    return p;
}

/* No limit holds, as for errors: the code cannot go back to where one could be thrown. Only when the system itself has nothing more the
 * process ends, as elsewhere. */
struct gs_object *gs_c_object(struct gs_vm *vm, uint32_t shape, uint32_t n)
{
    bool was = vm->heap.urgent;
    vm->heap.urgent = true;
    struct gs_object *o = gs_mem_must(gs_object_new(&vm->heap, shape, n));
    vm->heap.urgent = was;
    return o;
}

bool gs_c_is_plain(const struct gs_objlit *lit)
{
    const struct gs_shape *s = gs_shape_get(lit->shape);
    return !(s->flags & GS_SHAPE_DICT) && s->nkeys == lit->n;
}

int gs_c_cellnew(struct gs_vm *vm, gs_value v, gs_value *dst)
{
    ALLOCATES(vm, gs_slow_cellnew(vm, v, dst));
}

int gs_c_closure(struct gs_vm *vm, const struct gs_proto *q, gs_value *dst)
{
    ALLOCATES(vm, gs_slow_closure(vm, q, dst));
}

int gs_c_newarray(struct gs_vm *vm, const gs_value *v, uint32_t n, gs_value *dst)
{
    ALLOCATES(vm, gs_slow_newarray(vm, v, n, dst));
}

int gs_c_arrpush(struct gs_vm *vm, gs_value array, const gs_value *v, uint32_t n)
{
    ALLOCATES(vm, gs_slow_arrpush(vm, array, v, n));
}

int gs_c_arrspread(struct gs_vm *vm, gs_value array, gs_value more)
{
    ALLOCATES(vm, gs_slow_arrspread(vm, array, more));
}

void gs_c_element(const struct gs_array *a, int64_t at, gs_value *dst)
{
    *dst = gs_array_at(a, at);
}

int gs_c_iternew(struct gs_vm *vm, gs_value *it, uint32_t nvars)
{
    ALLOCATES(vm, gs_slow_iternew(vm, it, nvars));
}

int gs_c_iternext(struct gs_vm *vm, gs_value *it, gs_value *dst, uint32_t nvars)
{
    if (GS_UNLIKELY(gs_vm_wants_gc(vm)))
        return GS_C_AGAIN;
    if (gs_kind(it[0]) == GS_T_HANDLE) {
        gs_value v = gs_c_try_recv(vm, it[0]);
        if (v.tag != GS_C_DECLINED && gs_slow_iterdone(it, v, dst, nvars))
            return GS_C_MORE;
    }
    bool more = false;
    int st = gs_slow_iternext(vm, it, dst, nvars, &more);
    if (st == GS_OK || st == GS_E_THROWN)
        st = gs_c_settle(vm, st);
    if (st == GS_YIELD && more)
        vm->pc += gs_insn_sc(gs_insn_load(vm->pc - 1)); /* its opcode may be patched, not its operands */
    return st == GS_OK && more ? GS_C_MORE : st;
}

int gs_c_newobj(struct gs_vm *vm, const struct gs_objlit *lit, const gs_value *v, gs_value *dst)
{
    ALLOCATES(vm, gs_slow_newobj(vm, lit, v, dst));
}

int gs_c_putfield(struct gs_vm *vm, gs_value o, struct gs_str *key, gs_value v)
{
    ALLOCATES(vm, gs_slow_putfield(vm, o, key, v));
}

int gs_c_getfield(struct gs_vm *vm, struct gs_ic *ic, gs_value o, gs_value *dst)
{
    return settle_read(vm, gs_slow_getfield(vm, ic, o, dst));
}

int gs_c_setfield(struct gs_vm *vm, struct gs_ic *ic, gs_value o, gs_value v)
{
    ALLOCATES(vm, gs_slow_setfield(vm, ic, o, v));
}

/* The place of key in a dictionary, or NULL. */
GS_INLINE gs_value *in_dictionary(gs_value o, gs_value key)
{
    if (!gs_is(o, GS_T_OBJECT) || !gs_is(key, GS_T_STR) || o.m->cap != GS_OBJECT_DICT)
        return NULL;
    return gs_map_find(o.m->map, key.s);
}

int gs_c_getindex(struct gs_vm *vm, gs_value o, gs_value index, gs_value *dst)
{
    const gs_value *v = in_dictionary(o, index);
    if (v != NULL) {
        *dst = *v;
        return GS_OK;
    }
    return settle_read(vm, gs_slow_getindex(vm, o, index, dst));
}

int gs_c_setindex(struct gs_vm *vm, gs_value o, gs_value index, gs_value v)
{
    gs_value *place = gs_is(v, GS_T_NIL) ? NULL : in_dictionary(o, index);
    if (place != NULL && o.m->map->pay == NULL) { /* nothing is allocated */
        *place = v;
        return GS_OK;
    }
    ALLOCATES(vm, gs_slow_setindex(vm, o, index, v));
}

int gs_c_len(struct gs_vm *vm, gs_value v, gs_value *dst)
{
    return gs_slow_len(vm, v, dst);
}

int gs_c_as(struct gs_vm *vm, gs_value v, gs_value type)
{
    return gs_slow_as(vm, v, type);
}

int gs_c_throw(struct gs_vm *vm, gs_value v)
{
    return gs_throw_value(vm, v);
}

int gs_c_rethrow(struct gs_vm *vm, gs_value v)
{
    return gs_rethrow(vm, v);
}

int gs_c_catch(struct gs_vm *vm, gs_value *dst, uint32_t n)
{
    vm->top = NULL;
    *dst = vm->error;
    for (uint32_t i = 1; i <= n; i++)
        dst[i] = gs_nil();
    vm->error = gs_nil();
    return GS_UNLIKELY(vm->refused || gs_vm_wants_gc(vm)) ? GS_C_AGAIN : GS_OK;
}

int gs_c_deferpush(struct gs_vm *vm, gs_value *list, const gs_value *v, uint32_t n)
{
    ALLOCATES(vm, gs_slow_deferpush(vm, list, v, n));
}

uint32_t gs_c_is(gs_value v, gs_value type)
{
    return gs_slow_is(v, type);
}

int gs_c_text(struct gs_vm *vm, gs_value v, gs_value *dst)
{
    if (GS_UNLIKELY(gs_vm_wants_gc(vm)))
        return GS_C_AGAIN;
    struct gs_str *s = gs_text_str(&vm->heap, v);
    if (GS_UNLIKELY(s == NULL)) {
        vm->refused = true;
        return GS_C_AGAIN;
    }
    *dst = gs_strv(s);
    return GS_OK;
}

/* One that is not pure may have done something before it ran out of memory, so it is not run again,
 * here as in the interpreter. */
int gs_c_native(struct gs_vm *vm, const struct gs_native *nat, gs_value *args, uint32_t n,
                gs_value *dst)
{
    if (GS_UNLIKELY(gs_vm_wants_gc(vm)))
        return GS_C_AGAIN;
    gs_value ret = gs_nil();
    int st = nat->fn(vm, args, n, &ret);
    if (GS_UNLIKELY(st == GS_E_NOMEM)) {
        if (!(nat->flags & GS_NF_PURE))
            return gs_throw_nomem(vm);
        vm->refused = true;
        return GS_C_AGAIN;
    }
    if (GS_LIKELY(st == GS_OK || st == GS_YIELD))
        *dst = gs_value_words(&ret);
    return st;
}

double gs_c_fmod(double a, double b)
{
    return fmod(a, b);
}

#define OF_ONE(name)                                                                               \
    double gs_c_##name(double x)                                                                   \
    {                                                                                              \
        return name(x);                                                                            \
    }
#define OF_TWO(name)                                                                               \
    double gs_c_##name(double x, double y)                                                         \
    {                                                                                              \
        return name(x, y);                                                                         \
    }
OF_ONE(sin)
OF_ONE(cos)
OF_ONE(tan)
OF_ONE(atan)
OF_TWO(atan2)
OF_ONE(log)
OF_ONE(log2)
OF_ONE(log10)
OF_ONE(exp)
OF_TWO(pow)
OF_ONE(cbrt)
OF_TWO(hypot)
