/* SPDX-License-Identifier: MIT
 * compiled_call.c - calls of whatever it is, from compiled code: where the compiler does not know the callee, or the arguments must be
 * made to fit. Contract: compiled.h.
 *
 * Callees    A function that has code is run here and now, by the entry that the interpreter uses (arguments in memory). For one that has none
 *            yet compiled code is left as if the frame were full (GS_LEFT_ENTER): the interpreter enters the callee, and so counts its
 *            heat, and comes back to compiled code at the next loop header of the caller. That ends when the callee is compiled. A callee
 *            that never will be counts as a thing that the calling code cannot do (GS_LEFT_STUCK).
 * Stack      Nothing here may move it: what needs more than there is below the mark is left to the interpreter.
 */
#include "array.h"
#include "compiled_int.h"
#include "error.h"
#include "hot.h"
#include "hot_int.h"
#include "lib.h"
#include "slow_int.h"

/* Whether n slots from w on are there without moving the stack. */
GS_INLINE bool has_room(const struct gs_vm *vm, const gs_value *w, uint64_t n)
{
    return n <= (vm->task.sp_real - (uintptr_t)w) / sizeof *w;
}

static GS_COLD int no_code(struct gs_vm *vm, gs_value *frame, const struct gs_proto *q)
{
    const struct gs_hot *hot = gs_hot_of(q);
    bool hopeless = (q->flags & GS_PF_COLD) != 0 || (hot != NULL && gs_load_rlx(&hot->hopeless)); /* relaxed: a hint */
    vm->base = frame;
    vm->pc = q->code;
    if (hopeless && (uintptr_t)(frame + q->nregs) <= gs_load_rlx(&vm->task.sp_limit))
        return GS_LEFT_STUCK;
    vm->heat--; /* counted by the interpreter, which is told so */
    return GS_LEFT_ENTER;
}

/* w[0] is a FUNC, its arguments fit. */
GS_INLINE int call_function(struct gs_vm *vm, gs_value *w)
{
    const struct gs_proto *q = w->f->proto;
    const struct gs_hot *hot = gs_hot_of(q);
    const struct gs_unit *unit = hot != NULL ? gs_load_acq(&hot->whole) : NULL; /* [H1] */
    gs_value *frame = w + 2;
    frame[-1].u = (uint64_t)(uintptr_t)vm->pc;
    frame[-1].tag = (uint64_t)(frame - vm->base) << 32 | GS_T_FRAME;
    if (GS_LIKELY(unit != NULL)) {
        uint32_t left = unit->enter(vm, frame);
        if (GS_LIKELY(left != GS_LEFT_REFUSED && left != GS_LEFT_FULL))
            return (int)left;
    }
    return no_code(vm, frame, q);
}

static int call_native(struct gs_vm *vm, gs_value *w, uint32_t n)
{
    const struct gs_native *nat = w->p;
    if (GS_UNLIKELY(n < nat->min || n > nat->max))
        return GS_C_AGAIN; /* the interpreter says what is wrong */
    int st = gs_c_native(vm, nat, w + 2, n, w);
    switch (st) {
    case GS_OK:
        return GS_LEFT_RETURN;
    case GS_C_AGAIN:
        return GS_C_AGAIN;
    case GS_PARK:
        vm->resume_dst = (uint32_t)(w - vm->base);
        return GS_LEFT_PARK;
    case GS_YIELD:
        return GS_LEFT_YIELD;
    case GS_EXIT:
        return GS_LEFT_EXIT;
    default:
        return GS_LEFT_THROWN;
    }
}

/* Any callee, any number of arguments. */
static int call_any(struct gs_vm *vm, gs_value *w, uint32_t n)
{
    gs_value callee = gs_is(*w, GS_T_BOUND) ? ((const struct gs_bound *)w->p)->fn : *w;
    uint64_t room = n + 4u; /* callee, link, and the receiver of a bound method */
    if (gs_is(callee, GS_T_FUNC))
        room += callee.f->proto->nregs;
    if (GS_UNLIKELY(gs_vm_wants_gc(vm) || !has_room(vm, w, room)))
        return GS_C_AGAIN;
    int st = gs_c_settle(vm, gs_slow_prepare(vm, (uint32_t)(w - vm->base), &n));
    vm->top = NULL;
    if (GS_UNLIKELY(st != GS_OK))
        return st == GS_C_AGAIN ? st : GS_LEFT_THROWN;
    return gs_is(*w, GS_T_FUNC) ? call_function(vm, w) : call_native(vm, w, n);
}

GS_INLINE int call_fitting(struct gs_vm *vm, gs_value *w, uint32_t n)
{
    if (GS_LIKELY(gs_is(*w, GS_T_FUNC))) {
        const struct gs_proto *q = w->f->proto;
        if (GS_LIKELY(q->nparams == n && !(q->flags & GS_PF_REST)))
            return call_function(vm, w);
    } else if (gs_is(*w, GS_T_NATIVE)) {
        return call_native(vm, w, n);
    }
    return call_any(vm, w, n);
}

/* As the interpreter does. */
GS_INLINE void note(struct gs_ic *ic, const gs_value *w)
{
    if (!gs_is(*w, GS_T_FUNC))
        return;
    const struct gs_proto *q = w->f->proto;
    /* Relaxed: see gs_slow_note_callee. There is nothing to note once there were several. */
    if (gs_load_rlx(&ic->w[1]) == 0 && gs_load_rlx(&ic->w[0]) != (uint64_t)(uintptr_t)q)
        gs_slow_note_callee(ic, q);
}

int gs_c_call(struct gs_vm *vm, uint32_t a, uint32_t n, struct gs_ic *ic)
{
    gs_value *w = vm->base + a;
    note(ic, w);
    return call_fitting(vm, w, n);
}

int gs_c_calltrim(struct gs_vm *vm, uint32_t a, uint32_t n, struct gs_ic *ic)
{
    gs_value *w = vm->base + a;
    note(ic, w);
    return call_fitting(vm, w, gs_slow_trim(*w, n));
}

/* The record is taken off the list once it is sure that the call is made, which is not too late: nobody but this frame sees the list. */
int gs_c_defercall(struct gs_vm *vm, uint32_t a, struct gs_array *list)
{
    gs_value record = gs_array_at(list, list->len - 1), *w = vm->base + a;
    if (GS_UNLIKELY(!gs_is(record, GS_T_ARRAY) || record.a->len == 0 || !has_room(vm, w, (uint64_t)record.a->len + 1)))
        return GS_C_AGAIN;
    uint32_t n = (uint32_t)record.a->len - 1;
    w[0] = gs_array_at(record.a, 0);
    for (uint32_t i = 0; i < n; i++)
        w[2 + i] = gs_array_at(record.a, (int64_t)i + 1);
    int how = call_fitting(vm, w, n);
    if (GS_LIKELY(how != GS_C_AGAIN))
        (void)gs_array_truncate(&vm->heap, list, list->len - 1); /* never fails */
    return how;
}

int gs_c_callm(struct gs_vm *vm, uint32_t a, uint32_t n, struct gs_ic *ic)
{
    gs_value *w = vm->base + a;
    uint32_t shape = gs_shape_of(w[2]);
    for (unsigned way = 0; way < GS_IC_WAYS; way++) {
        const struct gs_mcache *m = (const struct gs_mcache *)(uintptr_t)gs_load_acq(&ic->w[way]); /* [I1] */
        if (m == NULL)
            break;
        if (m->shape == shape) {
            *w = m->fn;
            return call_fitting(vm, w, n);
        }
    }
    int st = gs_c_settle(vm, gs_slow_method(vm, ic, a, &n));
    if (GS_UNLIKELY(st != GS_OK))
        return st == GS_C_AGAIN ? st : GS_LEFT_THROWN;
    return call_fitting(vm, w, n);
}

/* The last of the n arguments is spread; afterwards there are *n. GS_OK or what the call gives. */
static int spread(struct gs_vm *vm, uint32_t a, uint32_t *n)
{
    gs_value last = vm->base[a + 1 + *n];
    if (gs_is(last, GS_T_ARRAY) && !has_room(vm, vm->base + a, *n + 2 + (uint64_t)last.a->len))
        return GS_C_AGAIN;
    int st = gs_c_settle(vm, gs_slow_spread(vm, a, n));
    vm->top = NULL;
    return st == GS_OK || st == GS_C_AGAIN ? st : GS_LEFT_THROWN;
}

int gs_c_callv(struct gs_vm *vm, uint32_t a, uint32_t n)
{
    int st = spread(vm, a, &n);
    return st == GS_OK ? call_fitting(vm, vm->base + a, n) : st;
}

int gs_c_callmv(struct gs_vm *vm, uint32_t a, uint32_t n, struct gs_ic *ic)
{
    int st = spread(vm, a, &n);
    return st == GS_OK ? gs_c_callm(vm, a, n, ic) : st;
}
