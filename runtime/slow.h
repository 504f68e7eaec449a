/* SPDX-License-Identifier: MIT
 * slow.h - what the fast paths of instructions fall back to; shared by the interpreter and compiled
 * code.
 *
 * Calling    vm->base and vm->pc are saved (pc behind the instruction, so that errors find their
 *            line and handler). Results go to *dst, a register or a local of the caller. Each gives
 *            GS_OK or GS_E_THROWN (vm->error set) unless it says more; never GS_E_NOMEM: they
 *            collect and try again by themselves, and then throw OutOfMemory.
 * Memory     Those that allocate may collect, but only before they have any effect, and then every
 *            live value must be in a register, a global or another root. Nothing here moves the
 *            stack unless it says so ("moves").
 * Feedback   Recorded here for the paths that come here; the fast paths record only what they
 *            handle themselves.
 */
#ifndef GS_RUNTIME_SLOW_H
#define GS_RUNTIME_SLOW_H

#include "vm.h"

enum gs_arith {
    GS_AR_ADD,
    GS_AR_SUB,
    GS_AR_MUL,
    GS_AR_DIV,
    GS_AR_MOD,
    GS_AR_AND,
    GS_AR_OR,
    GS_AR_XOR,
    GS_AR_SHL,
    GS_AR_SHR,
};

/* Adds a bit to the feedback of the instruction at vm->pc[-1]. */
void gs_feedback(const struct gs_vm *vm, unsigned bit);
void gs_feedback_store(const struct gs_vm *vm,
                       const struct gs_array *a); /* the bit of a's storage kind */

/* True when the VM should collect before it allocates more. A full ledger says so through the
 * heap's threshold. */
GS_INLINE bool gs_vm_wants_gc(const struct gs_vm *vm)
{
    return gs_heap_wants_gc(&vm->heap);
}

/* ---- arithmetic and comparison ---- */

int gs_slow_arith(struct gs_vm *vm, enum gs_arith op, gs_value a, gs_value b, gs_value *dst);
int gs_slow_neg(struct gs_vm *vm, gs_value a, gs_value *dst);
int gs_slow_bnot(struct gs_vm *vm, gs_value a, gs_value *dst);
/* a < b, or a <= b. swapped: the program wrote the operands the other way round (for the message).
 * 1, 0, or -1: thrown. */
int gs_slow_compare(struct gs_vm *vm, bool or_equal, bool swapped, gs_value a, gs_value b);
/* Text forms of v[0..n), joined. */
int gs_slow_concat(struct gs_vm *vm, const gs_value *v, uint32_t n, gs_value *dst);

/* ---- variables ---- */

int gs_slow_unset(struct gs_vm *vm,
                  gs_value name); /* throws the NameError of a variable without a value */
int gs_slow_getglobal(struct gs_vm *vm, uint32_t slot, gs_value *dst);
int gs_slow_setglobal(struct gs_vm *vm, uint32_t slot, gs_value v);
int gs_slow_cellnew(struct gs_vm *vm, gs_value v, gs_value *dst);
int gs_slow_closure(struct gs_vm *vm, const struct gs_proto *q, gs_value *dst);
/* The verifier does not track values: a register was not what the emitter always puts there.
 * Throws. */
int gs_slow_malformed(struct gs_vm *vm);

/* ---- containers ---- */

int gs_slow_newarray(struct gs_vm *vm, const gs_value *v, uint32_t n, gs_value *dst);
int gs_slow_arrpush(struct gs_vm *vm, gs_value array, const gs_value *v, uint32_t n);
int gs_slow_arrspread(struct gs_vm *vm, gs_value array, gs_value more);
int gs_slow_newobj(struct gs_vm *vm, const struct gs_objlit *lit, const gs_value *v, gs_value *dst);
int gs_slow_putfield(struct gs_vm *vm, gs_value o, struct gs_str *key, gs_value v);
int gs_slow_getfield(struct gs_vm *vm, struct gs_ic *ic, gs_value o, gs_value *dst);
int gs_slow_setfield(struct gs_vm *vm, struct gs_ic *ic, gs_value o, gs_value v);
int gs_slow_getindex(struct gs_vm *vm, gs_value o, gs_value index, gs_value *dst);
int gs_slow_setindex(struct gs_vm *vm, gs_value o, gs_value index, gs_value v);
int gs_slow_len(struct gs_vm *vm, gs_value v, gs_value *dst);

/* ---- calls: the window is base[a] callee, base[a + 1] link, base[a + 2].. *n arguments ---- */

/* Makes the window ready for its callee: bound methods get their receiver, rest and missing
 * parameters are filled in, the stack has room. Afterwards base[a] is a FUNC to be entered, or a
 * NATIVE to be called by gs_slow_native, with *n arguments that fit. Moves. */
int gs_slow_prepare(struct gs_vm *vm, uint32_t a, uint32_t *n);
/* Finds the method `ic->key` of the receiver base[a + 2] and puts it into base[a]; a callable field
 * loses the receiver. May fill the cache. */
int gs_slow_method(struct gs_vm *vm, struct gs_ic *ic, uint32_t a, uint32_t *n);
/* The last argument is an array: its elements take its place. Moves; sets vm->top. */
int gs_slow_spread(struct gs_vm *vm, uint32_t a, uint32_t *n);
/* How many of n arguments the callee takes (callbacks). */
uint32_t gs_slow_trim(gs_value callee, uint32_t n);
/* Calls a native whose window is ready; *dst gets the result. Also GS_PARK, GS_YIELD (with *dst
 * set), GS_EXIT. method: the receiver is not counted in an arity message. Collects first when due.
 */
int gs_slow_native(struct gs_vm *vm, const struct gs_native *nat, gs_value *args, uint32_t n,
                   bool method, gs_value *dst);
/* The second half of the above for a caller that has made the call itself: st is what it gave. */
int gs_slow_native_failed(struct gs_vm *vm, const struct gs_native *nat, gs_value *args, uint32_t n,
                          int st, gs_value *dst);
/* Room for the frame of q at `nb` (in the window of the running frame); answers a poke. The CALL is
 * at vm->pc[-1]. GS_OK | GS_E_THROWN | GS_YIELD: enter the frame, then yield. Moves. */
int gs_slow_enter(struct gs_vm *vm, gs_value *nb, const struct gs_proto *q);
/* Answers a poke at a back-edge: GS_OK | GS_E_THROWN | GS_YIELD. */
int gs_slow_poll(struct gs_vm *vm);
/* Outcome of the park that the VM was resumed from: GS_OK with *dst | GS_E_THROWN | GS_PARK. */
int gs_slow_resume(struct gs_vm *vm, gs_value *dst);
/* Remembers at a CALL site whom it called; the first word is the callee's proto, the second is 1
 * once there were several. */
void gs_slow_note_callee(struct gs_ic *ic, const struct gs_proto *q);
int gs_slow_getsuper(struct gs_vm *vm, const struct gs_str *name, gs_value *dst);

/* ---- loops, defer, types ---- */

int gs_slow_forprep(struct gs_vm *vm, gs_value *it, unsigned nargs, bool *any);
int gs_slow_iternew(struct gs_vm *vm, gs_value *it, unsigned nvars);
/* *more false at the end. Also GS_PARK; then gs_slow_iterdone with what gs_slow_resume gave. */
int gs_slow_iternext(struct gs_vm *vm, gs_value *it, gs_value *dst, unsigned nvars, bool *more);
bool gs_slow_iterdone(gs_value *it, gs_value received, gs_value *dst, unsigned nvars);
int gs_slow_deferpush(struct gs_vm *vm, gs_value *list, const gs_value *v, uint32_t n);
/* Takes the last record into the window base[a]; *any false when there is none. Moves; sets
 * vm->top. */
int gs_slow_deferpop(struct gs_vm *vm, gs_value list, uint32_t a, uint32_t *n, bool *any);
bool gs_slow_is(gs_value v, gs_value type);
int gs_slow_as(struct gs_vm *vm, gs_value v, gs_value type);

#endif
