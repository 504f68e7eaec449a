/* SPDX-License-Identifier: MIT
 * compiled.h - what compiled code calls: the slow paths of slow.h under the rules of compiled code (hot.h, L2).
 *
 * Calling    vm->base and vm->pc are saved as slow.h says, links of inlined frames are written. Every function gives GS_OK,
 *            GS_E_THROWN (vm->error set, its trace right), or GS_C_AGAIN: nothing has happened; the code must leave so that the
 *            interpreter runs the instruction from its start, with its registers in memory (it collects then). Values come as two words.
 * GC         vm->compiled is set as long as compiled code is on the C stack; gs_vm_collect then only notes that it was asked (vm->refused).
 *            What wants to collect first says GS_C_AGAIN instead; what runs out of memory half way has had no effect by the rules of
 *            slow.h and says GS_C_AGAIN, too.
 */
#ifndef GS_RUNTIME_COMPILED_H
#define GS_RUNTIME_COMPILED_H

#include "slow.h"

#define GS_C_AGAIN 64 /* beside enum gs_status */
#define GS_C_MORE 65  /* gs_c_iternext: the variables are set */

GS_API int gs_c_arith(struct gs_vm *vm, uint32_t op, gs_value a, gs_value b, gs_value *dst);
GS_API int gs_c_neg(struct gs_vm *vm, gs_value a, gs_value *dst);
GS_API int gs_c_bnot(struct gs_vm *vm, gs_value a, gs_value *dst);
/* 1, 0, or 2 + the status of a failure. */
GS_API int gs_c_compare(struct gs_vm *vm, uint32_t or_equal_and_swapped /* bits 0 and 1 */, gs_value a, gs_value b);
GS_API uint32_t gs_c_equal(gs_value a, gs_value b);
GS_API uint32_t gs_c_truthy(gs_value v);
GS_API int gs_c_concat(struct gs_vm *vm, const gs_value *v, uint32_t n, gs_value *dst);
/* The place of a global, or NULL. */
GS_API gs_value *gs_c_global(struct gs_vm *vm, uint32_t slot);
/* Memory for an object, `bytes` a multiple of 16 below GS_LARGE_MIN; NULL: a collection is due, or there is none: leave with GO. */
GS_API void *gs_c_alloc(struct gs_vm *vm, size_t bytes);
/* An object with n inline slots of nil, for an exit of compiled code: neither a limit nor a collection that is due stands in the way. */
GS_API struct gs_object *gs_c_object(struct gs_vm *vm, uint32_t shape, uint32_t n);
/* Whether its objects have all their fields in inline slots. For the compiler. */
GS_API bool gs_c_is_plain(const struct gs_objlit *lit);
GS_API int gs_c_cellnew(struct gs_vm *vm, gs_value v, gs_value *dst);
/* The running function (vm->base[-2]) makes the closure, from registers in memory. */
GS_API int gs_c_closure(struct gs_vm *vm, const struct gs_proto *q, gs_value *dst);
GS_API int gs_c_newarray(struct gs_vm *vm, const gs_value *v, uint32_t n, gs_value *dst);
GS_API int gs_c_arrpush(struct gs_vm *vm, gs_value array, const gs_value *v, uint32_t n);
GS_API int gs_c_newobj(struct gs_vm *vm, const struct gs_objlit *lit, const gs_value *v, gs_value *dst);
GS_API int gs_c_putfield(struct gs_vm *vm, gs_value o, struct gs_str *key, gs_value v);
GS_API int gs_c_getfield(struct gs_vm *vm, struct gs_ic *ic, gs_value o, gs_value *dst);
GS_API int gs_c_setfield(struct gs_vm *vm, struct gs_ic *ic, gs_value o, gs_value v);
GS_API int gs_c_getindex(struct gs_vm *vm, gs_value o, gs_value index, gs_value *dst);
GS_API int gs_c_setindex(struct gs_vm *vm, gs_value o, gs_value index, gs_value v);
GS_API int gs_c_len(struct gs_vm *vm, gs_value v, gs_value *dst);
GS_API uint32_t gs_c_is(gs_value v, gs_value type);
GS_API int gs_c_as(struct gs_vm *vm, gs_value v, gs_value type);
/* Always GS_E_THROWN. */
GS_API int gs_c_throw(struct gs_vm *vm, gs_value v);
GS_API int gs_c_rethrow(struct gs_vm *vm, gs_value v);
/* The unit has a handler for vm->error, which becomes *dst; the n registers behind it are free (gs_unwind). GS_C_AGAIN: it has, too, but a collection is due: making errors asks for none,
 * and a loop may do nothing else. */
GS_API int gs_c_catch(struct gs_vm *vm, gs_value *dst, uint32_t n);
GS_API int gs_c_deferpush(struct gs_vm *vm, gs_value *list, const gs_value *v, uint32_t n);
/* toString */
GS_API int gs_c_text(struct gs_vm *vm, gs_value v, gs_value *dst);
/* A native with fitting arguments at args (in the window of the frame vm->base). GS_PARK, GS_YIELD (*dst set) and GS_EXIT also. */
GS_API int gs_c_native(struct gs_vm *vm, const struct gs_native *nat, gs_value *args, uint32_t n, gs_value *dst);
/* Functions of numbers: libm's, under names that LLVM knows nothing about. */
GS_API double gs_c_sin(double x);
GS_API double gs_c_cos(double x);
GS_API double gs_c_tan(double x);
GS_API double gs_c_atan(double x);
GS_API double gs_c_atan2(double x, double y);
GS_API double gs_c_log(double x);
GS_API double gs_c_log2(double x);
GS_API double gs_c_log10(double x);
GS_API double gs_c_exp(double x);
GS_API double gs_c_pow(double x, double y);
GS_API double gs_c_cbrt(double x);
GS_API double gs_c_hypot(double x, double y);
/* Calls of whatever it is: the window base[a] with n arguments in memory, of the frame vm->base. Nothing moves. Gives GS_LEFT_RETURN with the
 * result in base[a], GS_C_AGAIN, or how compiled code is to be left, the callee's frame (if any) on top. */
GS_API int gs_c_call(struct gs_vm *vm, uint32_t a, uint32_t n, struct gs_ic *ic);
GS_API int gs_c_callm(struct gs_vm *vm, uint32_t a, uint32_t n, struct gs_ic *ic);
GS_API int gs_c_callv(struct gs_vm *vm, uint32_t a, uint32_t n);
GS_API int gs_c_callmv(struct gs_vm *vm, uint32_t a, uint32_t n, struct gs_ic *ic);
GS_API int gs_c_calltrim(struct gs_vm *vm, uint32_t a, uint32_t n, struct gs_ic *ic);
/* The last record of the list, which has one, becomes the window. */
GS_API int gs_c_defercall(struct gs_vm *vm, uint32_t a, struct gs_array *list);
GS_API int gs_c_arrspread(struct gs_vm *vm, gs_value array, gs_value more);
/* An element of an array of any storage; the index is within it. */
GS_API void gs_c_element(const struct gs_array *a, int64_t at, gs_value *dst);
/* Iterations: the three registers at it, in memory. The second gives GS_C_MORE, GS_OK at the end, GS_PARK (the instruction at vm->pc[-1] goes on by
 * itself then), GS_YIELD (all is done, vm->pc too), and what all give. */
GS_API int gs_c_iternew(struct gs_vm *vm, gs_value *it, uint32_t nvars);
GS_API int gs_c_iternext(struct gs_vm *vm, gs_value *it, gs_value *dst, uint32_t nvars);
/* Natives of the form TRY (intrinsic.def): the result, or the tag GS_C_DECLINED: nothing has happened, and the native is to be called. They allocate
 * nothing, never throw and never park, so vm->base and vm->pc need not be saved. chan.c, mutex.c. */
#define GS_C_DECLINED 0xfdu /* the tag of no value */
GS_API gs_value gs_c_try_send(struct gs_vm *vm, gs_value chan, gs_value v);
GS_API gs_value gs_c_try_recv(struct gs_vm *vm, gs_value chan);
GS_API gs_value gs_c_try_rlock(struct gs_vm *vm, gs_value rwlock);
GS_API gs_value gs_c_try_runlock(struct gs_vm *vm, gs_value rwlock);
/* The % of floats. */
GS_API double gs_c_fmod(double a, double b);

#endif
