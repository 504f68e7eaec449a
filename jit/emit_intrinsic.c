/* SPDX-License-Identifier: MIT
 * emit_intrinsic.c - natives as instructions (intrinsic.c decides which). Rules: emit_int.h.
 *
 * Exact      Each gives the bits that the native gives: what LLVM's intrinsics leave open (the sign of a zero, which NaN) is not used.
 *            libm's functions are called by names that LLVM does not know, so that it computes none of them itself.
 * Atomics    The object's kind never changes and atomics are never freed (handle.h), so one look at the kind is enough. What is done to
 *            them is no effect on the VM: an exit behind a load may do it again, behind all else it may not.
 */
#include <string.h>

#include "emit_int.h"
#include "lock.h"
#include "taskobj.h"

/* A call of LLVM's `name` for the type of its first argument. */
static LLVMValueRef llvm(struct gs_emit *e, const char *name, LLVMValueRef *args, unsigned n)
{
    LLVMTypeRef of = LLVMTypeOf(args[0]);
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMTypeRef t = LLVMIntrinsicGetType(e->c, id, &of, 1);
    return LLVMBuildCall2(e->b, t, LLVMGetIntrinsicDeclaration(e->m, id, &of, 1), args, n, "");
}

static LLVMValueRef llvm1(struct gs_emit *e, const char *name, LLVMValueRef x)
{
    return llvm(e, name, &x, 1);
}

static struct gs_val from_floats(struct gs_emit *e, enum gs_intrinsic is, const struct gs_val *arg, uint32_t n)
{
    LLVMValueRef x[2];
    for (uint32_t i = 0; i < n; i++)
        x[i] = gs_to_double(e, arg[i]);
    const char *function = gs_intrinsic_function(is);
    LLVMValueRef r = x[0]; /* TO_FLOAT */
    if (function != NULL)
        r = gs_session_call(e->b, function, x, n); /* a function of its arguments: forgets nothing */
    else if (is == GS_INTRINSIC_SQRT)
        r = llvm1(e, "llvm.sqrt", r);
    return gs_val_single(GS_T_FLOAT, r);
}

/* clz, ctz: of zero 64. */
static LLVMValueRef count_zeros(struct gs_emit *e, const char *name, LLVMValueRef x)
{
    LLVMValueRef args[2] = {x, LLVMConstInt(e->i1, 0, 0)};
    return llvm(e, name, args, 2);
}

static LLVMValueRef bits(struct gs_emit *e, enum gs_intrinsic is, LLVMValueRef x, LLVMValueRef y)
{
    LLVMValueRef rotate[3] = {x, x, y};
    switch (is) {
    case GS_INTRINSIC_AND:
        return LLVMBuildAnd(e->b, x, y, "");
    case GS_INTRINSIC_OR:
        return LLVMBuildOr(e->b, x, y, "");
    case GS_INTRINSIC_XOR:
        return LLVMBuildXor(e->b, x, y, "");
    case GS_INTRINSIC_NOT:
        return LLVMBuildNot(e->b, x, "");
    case GS_INTRINSIC_SHL:
        return LLVMBuildShl(e->b, x, LLVMBuildAnd(e->b, y, gs_i64(e, 63), ""), "");
    case GS_INTRINSIC_SHR:
        return LLVMBuildAShr(e->b, x, LLVMBuildAnd(e->b, y, gs_i64(e, 63), ""), "");
    case GS_INTRINSIC_ROTL: /* counts modulo 64 */
        return llvm(e, "llvm.fshl", rotate, 3);
    case GS_INTRINSIC_POPCOUNT:
        return llvm1(e, "llvm.ctpop", x);
    case GS_INTRINSIC_CLZ:
        return count_zeros(e, "llvm.ctlz", x);
    default:
        return count_zeros(e, "llvm.cttz", x);
    }
}

static struct gs_val rounded(struct gs_emit *e, enum gs_intrinsic is, struct gs_val x)
{
    if (x.k == GS_K_INT)
        return x;
    const char *name = is == GS_INTRINSIC_FLOOR  ? "llvm.floor"
                       : is == GS_INTRINSIC_CEIL ? "llvm.ceil"
                       : is == GS_INTRINSIC_ROUND ? "llvm.round"
                                                  : "llvm.trunc";
    LLVMValueRef r = llvm1(e, name, x.w);
    LLVMValueRef above = LLVMBuildFCmp(e->b, LLVMRealOGE, r, LLVMConstReal(e->f64, -0x1p63), "");
    LLVMValueRef below = LLVMBuildFCmp(e->b, LLVMRealOLT, r, LLVMConstReal(e->f64, 0x1p63), "");
    gs_guard(e, LLVMBuildAnd(e->b, above, below, "")); /* the native throws */
    return gs_val_single(GS_T_INT, LLVMBuildFPToSI(e->b, r, e->i64, ""));
}

/* The first of equals; the first NaN wins. */
static LLVMValueRef extreme(struct gs_emit *e, bool max, struct gs_val a, struct gs_val b)
{
    LLVMValueRef better;
    if (a.k == GS_K_INT) {
        better = LLVMBuildICmp(e->b, max ? LLVMIntSGT : LLVMIntSLT, b.w, a.w, "");
    } else {
        better = LLVMBuildFCmp(e->b, max ? LLVMRealUGT : LLVMRealULT, b.w, a.w, "");
        better = LLVMBuildAnd(e->b, better, LLVMBuildFCmp(e->b, LLVMRealORD, a.w, a.w, ""), "");
    }
    return LLVMBuildSelect(e->b, better, b.w, a.w, "");
}

static LLVMValueRef absolute(struct gs_emit *e, struct gs_val x)
{
    if (x.k == GS_K_FLOAT)
        return llvm1(e, "llvm.fabs", x.w);
    LLVMValueRef negative = LLVMBuildICmp(e->b, LLVMIntSLT, x.w, gs_i64(e, 0), "");
    return LLVMBuildSelect(e->b, negative, LLVMBuildSub(e->b, gs_i64(e, 0), x.w, ""), x.w, "");
}

static struct gs_val keeps(struct gs_emit *e, enum gs_intrinsic is, const struct gs_val *arg, uint32_t n)
{
    LLVMValueRef r = is == GS_INTRINSIC_ABS ? absolute(e, arg[0])
                     : n == 1               ? arg[0].w
                                            : extreme(e, is == GS_INTRINSIC_MAX, arg[0], arg[1]);
    return (struct gs_val){r, NULL, arg[0].k};
}

static LLVMValueRef byte_at(struct gs_emit *e, LLVMValueRef str, LLVMValueRef at)
{
    LLVMValueRef s = gs_pointer(e, str);
    LLVMValueRef len = gs_load(e, e->i64, gs_at(e, s, offsetof(struct gs_str, len)), GS_MEM_OBJECT);
    gs_guard(e, LLVMBuildICmp(e->b, LLVMIntULT, at, len, ""));
    LLVMValueRef data = gs_load(e, e->ptr, gs_at(e, s, offsetof(struct gs_str, data)), GS_MEM_OBJECT);
    LLVMValueRef byte = gs_load(e, e->i8, LLVMBuildInBoundsGEP2(e->b, e->i8, data, &at, 1, ""), GS_MEM_BYTES);
    return LLVMBuildZExt(e->b, byte, e->i64, "");
}

static LLVMValueRef fetch(struct gs_emit *e, LLVMAtomicRMWBinOp op, LLVMValueRef at, LLVMValueRef x)
{
    return LLVMBuildAtomicRMW(e->b, op, at, x, LLVMAtomicOrderingSequentiallyConsistent, 0);
}

/* The object behind a handle. */
static LLVMValueRef object_of(struct gs_emit *e, LLVMValueRef tag)
{
    return gs_pointer(e, LLVMBuildLShr(e->b, tag, gs_i64(e, 16), ""));
}

static LLVMValueRef equals(struct gs_emit *e, LLVMValueRef byte, unsigned value)
{
    return LLVMBuildICmp(e->b, LLVMIntEQ, byte, LLVMConstInt(e->i8, value, 0), "");
}

static LLVMValueRef is_a(struct gs_emit *e, LLVMValueRef object, enum gs_hkind kind)
{
    return equals(e, gs_load(e, e->i8, gs_at(e, object, offsetof(struct gs_hobj, kind)), GS_MEM_OBJECT), kind);
}

/* Others may write to it meanwhile. */
static LLVMValueRef load_shared(struct gs_emit *e, LLVMTypeRef t, LLVMValueRef p, LLVMAtomicOrdering order, unsigned bytes)
{
    LLVMValueRef r = LLVMBuildLoad2(e->b, t, p, "");
    LLVMSetOrdering(r, order);
    LLVMSetAlignment(r, bytes);
    return r;
}

/* Loads give what they found, stores nil, cas whether it took place, all else the new value; exchange the old one. */
static struct gs_val atomic(struct gs_emit *e, enum gs_intrinsic is, const struct gs_val *arg)
{
    LLVMValueRef o = object_of(e, arg[0].tag);
    gs_guard(e, is_a(e, o, GS_H_ATOMIC));
    LLVMValueRef at = gs_at(e, o, offsetof(struct gs_atomic, v)), x = arg[1].w, r, better;
    bool max = is == GS_INTRINSIC_ATOMIC_MAX;
    switch (is) {
    case GS_INTRINSIC_ATOMIC_LOAD:
        r = load_shared(e, e->i64, at, LLVMAtomicOrderingSequentiallyConsistent, 8);
        break;
    case GS_INTRINSIC_ATOMIC_STORE:
        r = LLVMBuildStore(e->b, x, at);
        LLVMSetOrdering(r, LLVMAtomicOrderingSequentiallyConsistent);
        LLVMSetAlignment(r, 8);
        return gs_val_constant(e, gs_nil());
    case GS_INTRINSIC_ATOMIC_CAS:
        r = LLVMBuildAtomicCmpXchg(e->b, at, x, arg[2].w, LLVMAtomicOrderingSequentiallyConsistent,
                                   LLVMAtomicOrderingSequentiallyConsistent, 0);
        r = LLVMBuildExtractValue(e->b, r, 1, "");
        return gs_val_single(GS_T_BOOL, LLVMBuildZExt(e->b, r, e->i64, ""));
    case GS_INTRINSIC_ATOMIC_EXCHANGE:
        r = fetch(e, LLVMAtomicRMWBinOpXchg, at, x);
        break;
    case GS_INTRINSIC_ATOMIC_MIN:
    case GS_INTRINSIC_ATOMIC_MAX:
        r = fetch(e, max ? LLVMAtomicRMWBinOpMax : LLVMAtomicRMWBinOpMin, at, x);
        better = LLVMBuildICmp(e->b, max ? LLVMIntSGT : LLVMIntSLT, x, r, "");
        r = LLVMBuildSelect(e->b, better, x, r, "");
        break;
    default:
        if (is == GS_INTRINSIC_ATOMIC_SUB)
            x = LLVMBuildNeg(e->b, x, "");
        else if (is != GS_INTRINSIC_ATOMIC_ADD)
            x = gs_i64(e, is == GS_INTRINSIC_ATOMIC_INC ? 1 : -1);
        r = LLVMBuildAdd(e->b, fetch(e, LLVMAtomicRMWBinOpAdd, at, x), x, "");
    }
    return gs_val_single(GS_T_INT, r);
}

static LLVMValueRef load_byte(struct gs_emit *e, LLVMValueRef p, size_t offset)
{
    return load_shared(e, e->i8, gs_at(e, p, (int64_t)offset), LLVMAtomicOrderingMonotonic, 1);
}

void gs_emit_mutex(struct gs_emit *e, bool lock, struct gs_val mutex, LLVMBasicBlockRef other)
{
    LLVMBasicBlockRef handle = gs_new_block(e, ""), ready = gs_new_block(e, ""), done = gs_new_block(e, "");
    gs_branch(e, gs_is_kind(e, mutex, GS_K(GS_T_HANDLE)), handle, other);
    LLVMPositionBuilderAtEnd(e->b, handle);
    LLVMValueRef o = object_of(e, gs_tag(e, mutex));
    LLVMValueRef freed = LLVMBuildAnd(e->b, load_byte(e, o, offsetof(struct gs_hobj, flags)), LLVMConstInt(e->i8, GS_HF_FREED, 0), "");
    LLVMValueRef ok = LLVMBuildAnd(e->b, is_a(e, o, GS_H_MUTEX), equals(e, freed, 0), "");
    LLVMValueRef self = gs_load(e, e->ptr, gs_at(e, e->vm, offsetof(struct gs_vm, self)), GS_MEM_VM);
    if (lock)
        ok = LLVMBuildAnd(e->b, ok, equals(e, load_byte(e, self, offsetof(struct gs_taskobj, cancel)), 0), "");
    gs_branch(e, ok, ready, other);
    LLVMPositionBuilderAtEnd(e->b, ready);
    LLVMValueRef id = gs_load(e, e->i64, gs_at(e, self, offsetof(struct gs_taskobj, h.id)), GS_MEM_OBJECT);
    LLVMValueRef held = LLVMBuildShl(e->b, id, gs_i64(e, GS_MUTEX_SHIFT), ""), free = gs_i64(e, 0);
    LLVMValueRef r = LLVMBuildAtomicCmpXchg(e->b, gs_at(e, o, offsetof(struct gs_mutex, word)), lock ? free : held, lock ? held : free,
                                            lock ? LLVMAtomicOrderingAcquire : LLVMAtomicOrderingRelease, LLVMAtomicOrderingMonotonic, 0); /* [M1] in mutex.c */
    gs_branch(e, LLVMBuildExtractValue(e->b, r, 1, ""), done, other);
    LLVMPositionBuilderAtEnd(e->b, done);
}

void gs_emit_intrinsic(struct gs_emit *e, const struct gs_step *s, enum gs_intrinsic is)
{
    const struct gs_node *n = e->n;
    struct gs_val arg[3] = {{NULL, NULL, 0}, {NULL, NULL, 0}, {NULL, NULL, 0}}, r;
    for (uint32_t i = 0; i < n->b; i++)
        arg[i] = gs_want(e, n->a + 2u + i, s->want[i]);
    switch (gs_intrinsic_form(is)) {
    case GS_FORM_FLOATS:
        r = from_floats(e, is, arg, n->b);
        break;
    case GS_FORM_BITS:
        r = gs_val_single(GS_T_INT, bits(e, is, arg[0].w, arg[1].w));
        break;
    case GS_FORM_ROUND:
        r = rounded(e, is, arg[0]);
        break;
    case GS_FORM_KEEP:
        r = keeps(e, is, arg, n->b);
        break;
    case GS_FORM_ATOMIC:
        r = atomic(e, is, arg);
        break;
    default:
        r = gs_val_single(GS_T_INT, byte_at(e, arg[0].w, arg[1].w));
    }
    gs_set(e, n->a, r);
}
