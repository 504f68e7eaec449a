/* SPDX-License-Identifier: MIT
 * interp.c - the dispatch loop and nothing else.
 *
 * Design     Threaded code: each instruction ends in its own indirect jump, so that the branch
 *            predictor sees which instruction follows which. pc, base and the proto live in machine
 *            registers; what is rare is a call into slow.c behind which nothing of the loop's state
 *            is live but these. Fast paths test for ints first, then floats; everything else is
 *            slow.c's.
 *
 * Rules for whoever edits this file
 *   1. SAVE() before every call that may throw, collect, park or look at the frame: vm->pc and
 *      vm->base must be true then. pc is already behind the instruction.
 *   2. After a call marked "moves" in slow.h reload base from vm->base and recompute every register
 *      pointer.
 *   3. Copy values by COPY(), two words one by one. A 16-byte load of a value that was written as
 *      two words waits until both stores have left the store buffer.
 *   4. Write no feedback on the int path; elsewhere by FB(), which writes only what is new.
 *   5. A taken jump that may go backward goes through TAKE(), the only place where loops poll. TAKE
 *      and ENTER are also where heat is counted (hot.h).
 *   6. Never trust a register's kind: the verifier does not track values. A wrong one ends in
 *      slow.c or gs_slow_malformed. Payloads may be changed without looking at the tag only where
 *      the tag is written too.
 *   7. Reading array storage masks GS_STORE_COW away; writing compares with the plain kind, which
 *      also tests that the storage is this VM's alone.
 *   8. Whoever calls with a window that may reach beyond the frame (spread, defer, bound methods)
 *      goes through call_any; slow.c sets vm->top for the collector, and it is NULL again before
 *      the next instruction.
 *   9. No new local that lives across instructions without a look at the assembly: there are six
 *      registers for all of them.
 */
#if defined(__GNUC__) && !defined(__clang__)
/* Rule 3 would be undone by vectorising pairs of words; merging equal instruction tails would undo
 * the threading. */
#pragma GCC optimize("no-tree-slp-vectorize", "no-crossjumping", "no-gcse")
#endif
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wpedantic" /* computed goto */
#endif

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GS_CLANG_TSAN
#endif
#endif

#include <math.h>

#include "array.h"
#include "error.h"
#include "hot.h"
#include "shape.h"
#include "slow.h"
#include "slow_int.h"
#include "str.h"

/* How gs_interp_run goes on after a park. */
enum resume_how { RESUME_PLAIN, RESUME_VALUE, RESUME_ITERATION };

/* ---- operands ---- */

/* Read from the instruction where they are needed. Loads are cheaper than picking a 64-bit word
 * apart, and no register holds it. */

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "operands are read at little-endian places"
#endif
typedef uint8_t __attribute__((may_alias)) byte_field;
typedef uint16_t __attribute__((may_alias)) unsigned_field;
typedef int16_t __attribute__((may_alias)) signed_field;
typedef int32_t __attribute__((may_alias)) wide_field;
#define FIELD(type, offset)                                                                        \
    (*(const type *)(const void *)((const char *)pc - sizeof(gs_insn) + (offset)))

#define UX (MARKS & 3u)
#define UA FIELD(unsigned_field, 2)
#define UB FIELD(unsigned_field, 4)
#define UC FIELD(unsigned_field, 6)
#define SB FIELD(signed_field, 4)
#define SC FIELD(signed_field, 6)
#define SBX FIELD(wide_field, 4)
#define RA (&base[UA])
#define RB (&base[UB])
#define RC (&base[UC])
#define KB (&p->k[UB])
#define KC (&p->k[UC])
#define ICC (&p->ics[UC])

/* [H1] Relaxed: an opcode is patched while others run it, and whoever finds GS_OP_JIT asks hot.c. */
#if defined(__SANITIZE_THREAD__) || defined(GS_CLANG_TSAN)
#define OPCODE(at) gs_load_rlx((const _Atomic uint8_t *)(const void *)(at))
#else
#define OPCODE(at) (*(const byte_field *)(const void *)(at))
#endif
#define NEXT() goto *table[OPCODE(pc++)]

#define SAVE() (vm->pc = pc, vm->base = base)

/* Rule 1 for slow paths that give GS_OK or GS_E_THROWN and move nothing. */
#define SLOW(call)                                                                                 \
    do {                                                                                           \
        SAVE();                                                                                    \
        if (GS_UNLIKELY((call) != GS_OK))                                                          \
            goto thrown;                                                                           \
        NEXT();                                                                                    \
    } while (0)

/* Rule 3. */
#define COPY(to, from)                                                                             \
    do {                                                                                           \
        gs_value *to_ = (to);                                                                      \
        const gs_value *from_ = (from);                                                            \
        uint64_t word_ = from_->u, tag_ = from_->tag;                                              \
        to_->u = word_;                                                                            \
        to_->tag = tag_;                                                                           \
    } while (0)
#define SET(to, field, value, kind)                                                                \
    do {                                                                                           \
        gs_value *to_ = (to);                                                                      \
        to_->field = (value);                                                                      \
        to_->tag = (kind);                                                                         \
    } while (0)
#define SET_INT(to, value) SET(to, i, value, GS_T_INT)
#define SET_FLOAT(to, value) SET(to, d, value, GS_T_FLOAT)
#define SET_BOOL(to, value) SET(to, u, (uint64_t)(value), GS_T_BOOL)

/* Rule 4. What has been recorded is also marked in the instruction itself, so that asking costs one
 * test (bytecode.h). The marks are set by other VMs at any time; one that is not seen costs a
 * second record. */
#if defined(__SANITIZE_THREAD__) || defined(GS_CLANG_TSAN)
#define MARKS gs_load_rlx(&FIELD(_Atomic uint8_t, 1))
#else
#define MARKS FIELD(byte_field, 1)
#endif
#define FB(bit)                                                                                    \
    do {                                                                                           \
        if (GS_UNLIKELY(!(MARKS & (bit) << 2)))                                                    \
            record(p, pc - 1, (bit));                                                              \
    } while (0)

static GS_COLD void record(const struct gs_proto *p, const gs_insn *at, unsigned bit)
{
    _Atomic uint8_t *f = &p->fb[at - p->code];
    gs_store_rlx(f,
                 (uint8_t)(gs_load_rlx(f) | bit)); /* relaxed, lost updates included: see proto.h */
    _Atomic uint8_t *marks = (_Atomic uint8_t *)((uintptr_t)at + 1);
    (void)gs_or_rlx(marks, (uint8_t)(bit << 2)); /* relaxed: means nothing but itself */
}

#define INTS(x, y) GS_LIKELY((x)->tag == GS_T_INT && (y)->tag == GS_T_INT)
#define FLOATS(x, y) ((x)->tag == GS_T_FLOAT && (y)->tag == GS_T_FLOAT)

/* Rule 5. A poke makes sp_limit 0, otherwise it is beyond every frame. */
#define POKED() ((uintptr_t)base > gs_load_rlx(&vm->task.sp_limit))
#define FULL(w, q) ((uintptr_t)((w) + 2 + (q)->nregs) > gs_load_rlx(&vm->task.sp_limit))
#define TAKE(offset)                                                                               \
    do {                                                                                           \
        int32_t by_ = (offset);                                                                    \
        if (by_ < 0 && GS_UNLIKELY(POKED() || --vm->heat < 0)) {                                   \
            jump = by_;                                                                            \
            goto poll;                                                                             \
        }                                                                                          \
        pc += by_;                                                                                 \
        NEXT();                                                                                    \
    } while (0)
#define TAKE_IF(condition, offset)                                                                 \
    do {                                                                                           \
        if (condition)                                                                             \
            TAKE(offset);                                                                          \
        NEXT();                                                                                    \
    } while (0)

/* Enters q with its window at w, arguments fitting. */
#define ENTER(w, q)                                                                                \
    do {                                                                                           \
        gs_value *to_ = (w) + 2;                                                                   \
        if (GS_UNLIKELY(FULL(w, q) || --vm->heat < 0)) {                                           \
            win = (w);                                                                             \
            goto enter_slow;                                                                       \
        }                                                                                          \
        to_[-1].u = (uint64_t)(uintptr_t)pc;                                                       \
        to_[-1].tag = (uint64_t)((char *)to_ - (char *)base) << 28 | GS_T_FRAME;                   \
        base = to_;                                                                                \
        p = (q);                                                                                   \
        pc = p->code;                                                                              \
        NEXT();                                                                                    \
    } while (0)
#define FITS(q, n) GS_LIKELY((q)->nparams == (n) && !((q)->flags & GS_PF_REST))

#define WRAP(x, op, y) ((int64_t)((uint64_t)(x)op(uint64_t)(y)))

/* Division by 0 and -1 is slow.c's; of two numbers below 2^32, which is the usual case, half as
 * long. */
GS_INLINE int64_t divide(int64_t x, int64_t y)
{
    if ((((uint64_t)x | (uint64_t)y) >> 32) == 0)
        return (int64_t)((uint32_t)x / (uint32_t)y);
    return x / y;
}
GS_INLINE int64_t remainder_of(int64_t x, int64_t y)
{
    if ((((uint64_t)x | (uint64_t)y) >> 32) == 0)
        return (int64_t)((uint32_t)x % (uint32_t)y);
    return x % y;
}
#define DIVISIBLE(y) GS_LIKELY((uint64_t)(y) + 1 > 1)

#define ADD_(x, y) WRAP(x, +, y)
#define SUB_(x, y) WRAP(x, -, y)
#define MUL_(x, y) WRAP(x, *, y)
#define FADD_(x, y) ((x) + (y))
#define FSUB_(x, y) ((x) - (y))
#define FMUL_(x, y) ((x) * (y))
#define FDIV_(x, y) ((x) / (y))
#define ANY_(y) true

/* x and y point to the operands; guard: what must hold of the right int. */
#define ARITHMETIC(x, y, guard, int_op, float_op, code)                                            \
    do {                                                                                           \
        const gs_value *x_ = (x), *y_ = (y);                                                       \
        if (INTS(x_, y_) && guard(y_->i)) {                                                        \
            SET_INT(RA, int_op(x_->i, y_->i));                                                     \
            NEXT();                                                                                \
        }                                                                                          \
        if (FLOATS(x_, y_)) {                                                                      \
            FB(GS_FB_FLOAT);                                                                       \
            SET_FLOAT(RA, float_op(x_->d, y_->d));                                                 \
            NEXT();                                                                                \
        }                                                                                          \
        SLOW(gs_slow_arith(vm, code, *x_, *y_, RA));                                               \
    } while (0)

#define ARITHMETIC_I(guard, int_op, float_op, code)                                                \
    do {                                                                                           \
        const gs_value *x_ = RB;                                                                   \
        int64_t y_ = SC;                                                                           \
        if (GS_LIKELY(x_->tag == GS_T_INT) && guard(y_)) {                                         \
            SET_INT(RA, int_op(x_->i, y_));                                                        \
            NEXT();                                                                                \
        }                                                                                          \
        if (x_->tag == GS_T_FLOAT) {                                                               \
            FB(GS_FB_MIXED);                                                                       \
            SET_FLOAT(RA, float_op(x_->d, (double)y_));                                            \
            NEXT();                                                                                \
        }                                                                                          \
        SLOW(gs_slow_arith(vm, code, *x_, gs_int(y_), RA));                                        \
    } while (0)

#define BITS(int_op, code)                                                                         \
    do {                                                                                           \
        const gs_value *x_ = RB, *y_ = RC;                                                         \
        if (INTS(x_, y_)) {                                                                        \
            SET_INT(RA, int_op(x_->i, y_->i));                                                     \
            NEXT();                                                                                \
        }                                                                                          \
        SLOW(gs_slow_arith(vm, code, *x_, *y_, RA));                                               \
    } while (0)
#define BITS_I(int_op, code)                                                                       \
    do {                                                                                           \
        const gs_value *x_ = RB;                                                                   \
        int64_t y_ = SC;                                                                           \
        if (GS_LIKELY(x_->tag == GS_T_INT)) {                                                      \
            SET_INT(RA, int_op(x_->i, y_));                                                        \
            NEXT();                                                                                \
        }                                                                                          \
        SLOW(gs_slow_arith(vm, code, *x_, gs_int(y_), RA));                                        \
    } while (0)
#define AND_(x, y) ((x) & (y))
#define OR_(x, y) ((x) | (y))
#define XOR_(x, y) ((x) ^ (y))
#define SHL_(x, y) ((int64_t)((uint64_t)(x) << ((y)&63)))
#define SHR_(x, y) ((x) >> ((y)&63))

/* hit(condition) is what happens with the answer. */
#define COMPARE(x, y, op, or_equal, swapped, hit)                                                  \
    do {                                                                                           \
        const gs_value *x_ = (x), *y_ = (y);                                                       \
        if (INTS(x_, y_))                                                                          \
            hit(x_->i op y_->i);                                                                   \
        if (FLOATS(x_, y_)) {                                                                      \
            FB(GS_FB_FLOAT);                                                                       \
            hit(x_->d op y_->d);                                                                   \
        }                                                                                          \
        SAVE();                                                                                    \
        int r_ = gs_slow_compare(vm, or_equal, swapped, *x_, *y_);                                 \
        if (GS_UNLIKELY(r_ < 0))                                                                   \
            goto thrown;                                                                           \
        hit(r_ != 0);                                                                              \
    } while (0)
/* With the small int in the instruction: a OP n; slow: how slow.c compares them. */
#define COMPARE_I(op, slow, hit)                                                                   \
    do {                                                                                           \
        const gs_value *x_ = RA;                                                                   \
        int64_t y_ = SB;                                                                           \
        if (GS_LIKELY(x_->tag == GS_T_INT))                                                        \
            hit(x_->i op y_);                                                                      \
        if (x_->tag == GS_T_FLOAT) {                                                               \
            FB(GS_FB_MIXED);                                                                       \
            hit(x_->d op(double) y_);                                                              \
        }                                                                                          \
        SAVE();                                                                                    \
        int r_ = slow(*x_, gs_int(y_));                                                            \
        if (GS_UNLIKELY(r_ < 0))                                                                   \
            goto thrown;                                                                           \
        hit(r_ != 0);                                                                              \
    } while (0)
#define SLOW_LT(x, y) gs_slow_compare(vm, false, UX != 0, x, y)
#define SLOW_LE(x, y) gs_slow_compare(vm, true, UX != 0, x, y)
#define SLOW_GT(x, y) gs_slow_compare(vm, false, UX == 0, y, x)
#define SLOW_GE(x, y) gs_slow_compare(vm, true, UX == 0, y, x)
#define JUMP_IF(answer)                                                                            \
    do {                                                                                           \
        TAKE_IF(answer, SC);                                                                       \
    } while (0)
#define JUMP_UNLESS(answer)                                                                        \
    do {                                                                                           \
        TAKE_IF(!(answer), SC);                                                                    \
    } while (0)
#define STORE_ANSWER(answer)                                                                       \
    do {                                                                                           \
        SET_BOOL(RA, answer);                                                                      \
        NEXT();                                                                                    \
    } while (0)
#define STORE_DENIAL(answer)                                                                       \
    do {                                                                                           \
        SET_BOOL(RA, !(answer));                                                                   \
        NEXT();                                                                                    \
    } while (0)

#define EQUALITY(x, y, hit)                                                                        \
    do {                                                                                           \
        const gs_value *x_ = (x), *y_ = (y);                                                       \
        if (INTS(x_, y_))                                                                          \
            hit(x_->i == y_->i);                                                                   \
        unsigned kind_ = x_->tag == GS_T_STR ? GS_FB_STR : GS_FB_OTHER;                            \
        if (x_->tag == GS_T_FLOAT || y_->tag == GS_T_FLOAT)                                        \
            kind_ = GS_FB_FLOAT;                                                                   \
        FB(kind_);                                                                                 \
        hit(gs_equal_slow(*x_, *y_));                                                              \
    } while (0)
#define EQUALITY_I(hit)                                                                            \
    do {                                                                                           \
        const gs_value *x_ = RA;                                                                   \
        int64_t y_ = SB;                                                                           \
        if (GS_LIKELY(x_->tag == GS_T_INT))                                                        \
            hit(x_->i == y_);                                                                      \
        unsigned kind_ = x_->tag == GS_T_FLOAT ? GS_FB_MIXED : GS_FB_OTHER;                        \
        FB(kind_);                                                                                 \
        hit(gs_equal_slow(*x_, gs_int(y_)));                                                       \
    } while (0)

/* The outcome of the park that the VM was resumed from, into its registers. */
static int resume(struct gs_vm *vm)
{
    gs_value ret;
    int st = gs_slow_resume(vm, &ret);
    if (st == GS_PARK || st == GS_EXIT)
        return st;
    enum resume_how how = (enum resume_how)vm->resume_how;
    vm->resume_how = RESUME_PLAIN;
    if (st == GS_E_THROWN)
        return st;
    if (how == RESUME_VALUE) {
        vm->base[vm->resume_dst] = gs_value_words(&ret);
        return st;
    }
    gs_insn i = gs_insn_load(vm->pc - 1);
    if (!gs_slow_iterdone(vm->base + gs_insn_a(i), gs_value_words(&ret), vm->base + gs_insn_b(i), gs_insn_x(i)))
        return st;
    /* The loop's only back-edge, and a loop that always waits here has no other safe point: a poke that nobody answers would
     * keep it out of compiled code for good. As at other back-edges an error belongs to the jump. */
    if (GS_UNLIKELY((uintptr_t)vm->base > gs_load_rlx(&vm->task.sp_limit))) {
        int polled = gs_slow_poll(vm);
        if (polled == GS_E_THROWN)
            return polled;
        if (polled != GS_OK)
            st = polled;
    }
    vm->pc += gs_insn_sc(i);
    return st;
}

gs_status gs_interp_run(struct gs_vm *vm)
{
    static const void *const labels[] = {
#define GS_OP(name, a, b, c, fx, meaning) &&L_##name,
#include "opcode.def"
#undef GS_OP
    };
    const gs_insn *pc;
    gs_value *base;
    const struct gs_proto *p;
    const void *const *table = labels;
    __asm__("" : "+r"(table)); /* or its address would be computed at every dispatch */
    int32_t jump;              /* of a back-edge that polls */
    gs_value *win;             /* call window on its way to call_any or enter_slow */
    uint32_t nargs;            /* in it */
    bool method; /* its first argument is a receiver that arity messages do not count */
    int st;

    if (vm->resume_how != RESUME_PLAIN) {
        st = resume(vm);
        if (st == GS_E_THROWN)
            goto thrown;
        if (st != GS_OK)
            return (gs_status)st;
    }
    pc = vm->pc;
    base = vm->base;
    p = base[-2].f->proto;
    if (pc == p->code && --vm->heat < 0) /* a task's function, which no call enters */
        gs_hot_count(vm, p, 0);
    NEXT();

    /* ---- loads ---- */

L_MOVE:
    COPY(RA, RB);
    NEXT();
L_LOADK:
    COPY(RA, &p->k[SBX]);
    NEXT();
L_LOADI:
    SET_INT(RA, SBX);
    NEXT();
L_LOADNIL: {
    gs_value *r = RA;
    for (unsigned n = UB; n > 0; n--, r++)
        SET(r, u, 0, GS_T_NIL);
    NEXT();
}
L_LOADBOOL:
    SET_BOOL(RA, UB != 0);
    NEXT();
L_LOADUNSET:
    SET(RA, u, 0, GS_T_UNSET);
    NEXT();
L_GETUP:
    COPY(RA, &base[-2].f->up[UB]);
    NEXT();
L_GETFN:
    COPY(RA, &base[-2]);
    NEXT();
L_CELLNEW:
    SLOW(gs_slow_cellnew(vm, *RB, RA));
L_CELLGET: {
    const gs_value *r = RB;
    if (GS_UNLIKELY(r->tag != GS_T_CELL))
        goto malformed;
    const gs_value *v = &((const struct gs_cell *)r->p)->v;
    if (GS_UNLIKELY(v->tag == GS_T_UNSET))
        SLOW(gs_slow_unset(vm, *KC));
    COPY(RA, v);
    NEXT();
}
L_CELLSET: {
    const gs_value *r = RA;
    if (GS_UNLIKELY(r->tag != GS_T_CELL))
        goto malformed;
    COPY(&((struct gs_cell *)r->p)->v, RB);
    NEXT();
}
L_UPGET: {
    const gs_value *r = &base[-2].f->up[UB];
    if (GS_UNLIKELY(r->tag != GS_T_CELL))
        goto malformed;
    const gs_value *v = &((const struct gs_cell *)r->p)->v;
    if (GS_UNLIKELY(v->tag == GS_T_UNSET))
        SLOW(gs_slow_unset(vm, *KC));
    COPY(RA, v);
    NEXT();
}
L_UPSET: {
    const gs_value *r = &base[-2].f->up[UA];
    if (GS_UNLIKELY(r->tag != GS_T_CELL))
        goto malformed;
    COPY(&((struct gs_cell *)r->p)->v, RB);
    NEXT();
}
L_CHECKSET:
    if (GS_UNLIKELY(RA->tag == GS_T_UNSET))
        SLOW(gs_slow_unset(vm, *KB));
    NEXT();
L_GETGLOBAL: {
    const gs_value *g = gs_vm_global(vm, (uint32_t)SBX);
    if (GS_LIKELY(g != NULL && g->tag != GS_T_UNSET)) {
        COPY(RA, g);
        NEXT();
    }
    SLOW(gs_slow_getglobal(vm, (uint32_t)SBX, RA));
}
L_SETGLOBAL: {
    gs_value *g = gs_vm_global(vm, (uint32_t)SBX);
    if (GS_LIKELY(g != NULL)) {
        COPY(g, RA);
        NEXT();
    }
    SLOW(gs_slow_setglobal(vm, (uint32_t)SBX, *RA));
}
L_CLOSURE:
    SLOW(gs_slow_closure(vm, p->protos[SBX], RA));

    /* ---- arithmetic ---- */

L_ADD:
    ARITHMETIC(RB, RC, ANY_, ADD_, FADD_, GS_AR_ADD);
L_SUB:
    ARITHMETIC(RB, RC, ANY_, SUB_, FSUB_, GS_AR_SUB);
L_MUL:
    ARITHMETIC(RB, RC, ANY_, MUL_, FMUL_, GS_AR_MUL);
L_DIV:
    ARITHMETIC(RB, RC, DIVISIBLE, divide, FDIV_, GS_AR_DIV);
L_MOD:
    ARITHMETIC(RB, RC, DIVISIBLE, remainder_of, fmod, GS_AR_MOD);
L_ADDI:
    ARITHMETIC_I(ANY_, ADD_, FADD_, GS_AR_ADD);
L_SUBI:
    ARITHMETIC_I(ANY_, SUB_, FSUB_, GS_AR_SUB);
L_MULI:
    ARITHMETIC_I(ANY_, MUL_, FMUL_, GS_AR_MUL);
L_DIVI:
    ARITHMETIC_I(DIVISIBLE, divide, FDIV_, GS_AR_DIV);
L_MODI:
    ARITHMETIC_I(DIVISIBLE, remainder_of, fmod, GS_AR_MOD);
L_ADDK:
    ARITHMETIC(RB, KC, ANY_, ADD_, FADD_, GS_AR_ADD);
L_SUBK:
    ARITHMETIC(RB, KC, ANY_, SUB_, FSUB_, GS_AR_SUB);
L_MULK:
    ARITHMETIC(RB, KC, ANY_, MUL_, FMUL_, GS_AR_MUL);
L_DIVK:
    ARITHMETIC(RB, KC, DIVISIBLE, divide, FDIV_, GS_AR_DIV);
L_MODK:
    ARITHMETIC(RB, KC, DIVISIBLE, remainder_of, fmod, GS_AR_MOD);
L_KSUB:
    ARITHMETIC(KB, RC, ANY_, SUB_, FSUB_, GS_AR_SUB);
L_KDIV:
    ARITHMETIC(KB, RC, DIVISIBLE, divide, FDIV_, GS_AR_DIV);
L_BAND:
    BITS(AND_, GS_AR_AND);
L_BOR:
    BITS(OR_, GS_AR_OR);
L_BXOR:
    BITS(XOR_, GS_AR_XOR);
L_SHL:
    BITS(SHL_, GS_AR_SHL);
L_SHR:
    BITS(SHR_, GS_AR_SHR);
L_BANDI:
    BITS_I(AND_, GS_AR_AND);
L_SHLI:
    BITS_I(SHL_, GS_AR_SHL);
L_SHRI:
    BITS_I(SHR_, GS_AR_SHR);
L_NEG: {
    const gs_value *x = RB;
    if (GS_LIKELY(x->tag == GS_T_INT)) {
        SET_INT(RA, WRAP(0, -, x->i));
        NEXT();
    }
    if (x->tag == GS_T_FLOAT) {
        FB(GS_FB_FLOAT);
        SET_FLOAT(RA, -x->d);
        NEXT();
    }
    SLOW(gs_slow_neg(vm, *x, RA));
}
L_BNOT: {
    const gs_value *x = RB;
    if (GS_LIKELY(x->tag == GS_T_INT)) {
        SET_INT(RA, ~x->i);
        NEXT();
    }
    SLOW(gs_slow_bnot(vm, *x, RA));
}
L_NOT:
    SET_BOOL(RA, !gs_truthy(*RB));
    NEXT();
L_TOBOOL:
    SET_BOOL(RA, gs_truthy(*RB));
    NEXT();
L_EQ:
    EQUALITY(RB, RC, STORE_ANSWER);
L_NE:
    EQUALITY(RB, RC, STORE_DENIAL);
L_LT:
    COMPARE(RB, RC, <, false, UX != 0, STORE_ANSWER);
L_LE:
    COMPARE(RB, RC, <=, true, UX != 0, STORE_ANSWER);
L_CONCAT:
    SLOW(gs_slow_concat(vm, RB, UC, RA));

    /* ---- jumps ---- */

L_JMP:
    TAKE(SBX);
L_JT:
    TAKE_IF(gs_truthy(*RA), SBX);
L_JF:
    TAKE_IF(!gs_truthy(*RA), SBX);
L_JNIL:
    TAKE_IF(RA->tag == GS_T_NIL, SBX);
L_JNNIL:
    TAKE_IF(RA->tag != GS_T_NIL, SBX);
L_JSET:
    TAKE_IF(RA->tag != GS_T_UNSET, SBX);
L_JEQ:
    EQUALITY(RA, RB, JUMP_IF);
L_JNE:
    EQUALITY(RA, RB, JUMP_UNLESS);
L_JEQK:
    EQUALITY(RA, KB, JUMP_IF);
L_JNEK:
    EQUALITY(RA, KB, JUMP_UNLESS);
L_JEQI:
    EQUALITY_I(JUMP_IF);
L_JNEI:
    EQUALITY_I(JUMP_UNLESS);
L_JLT:
    COMPARE(RA, RB, <, false, UX != 0, JUMP_IF);
L_JNLT:
    COMPARE(RA, RB, <, false, UX != 0, JUMP_UNLESS);
L_JLE:
    COMPARE(RA, RB, <=, true, UX != 0, JUMP_IF);
L_JNLE:
    COMPARE(RA, RB, <=, true, UX != 0, JUMP_UNLESS);
L_JLTI:
    COMPARE_I(<, SLOW_LT, JUMP_IF);
L_JNLTI:
    COMPARE_I(<, SLOW_LT, JUMP_UNLESS);
L_JLEI:
    COMPARE_I(<=, SLOW_LE, JUMP_IF);
L_JNLEI:
    COMPARE_I(<=, SLOW_LE, JUMP_UNLESS);
L_JGTI:
    COMPARE_I(>, SLOW_GT, JUMP_IF);
L_JNGTI:
    COMPARE_I(>, SLOW_GT, JUMP_UNLESS);
L_JGEI:
    COMPARE_I(>=, SLOW_GE, JUMP_IF);
L_JNGEI:
    COMPARE_I(>=, SLOW_GE, JUMP_UNLESS);

    /* ---- calls ---- */

L_CALL: {
    gs_value *w = RA;
    nargs = UB;
    if (GS_LIKELY(w->tag == GS_T_FUNC)) {
        const struct gs_proto *q = w->f->proto;
        struct gs_ic *ic = ICC;
        if (GS_UNLIKELY(gs_load_rlx(&ic->w[0]) !=
                        (uint64_t)(uintptr_t)q)) /* relaxed: see gs_slow_note_callee */
            gs_slow_note_callee(ic, q);
        if (FITS(q, nargs))
            ENTER(w, q);
    }
    win = w;
    method = false;
    goto call_any;
}
L_CALLV: {
    uint32_t a = UA;
    nargs = UB;
    SAVE();
    if (GS_UNLIKELY(gs_slow_spread(vm, a, &nargs) != GS_OK))
        goto thrown;
    base = vm->base;
    win = base + a;
    method = false;
    goto call_any;
}
L_CALLM: {
    gs_value *w = RA;
    struct gs_ic *ic = ICC;
    uint32_t shape = gs_shape_of(w[2]);
    nargs = UB;
    for (unsigned way = 0; way < GS_IC_WAYS; way++) {
        const struct gs_mcache *m =
            (const struct gs_mcache *)(uintptr_t)gs_load_acq(&ic->w[way]); /* [I1] */
        if (m == NULL)
            break;
        if (m->shape != shape)
            continue;
        COPY(w, &m->fn);
        win = w;
        method = true;
        if (GS_UNLIKELY(m->fn.tag != GS_T_FUNC))
            goto call_native;
        const struct gs_proto *q = m->fn.f->proto;
        if (FITS(q, nargs))
            ENTER(w, q);
        goto call_any;
    }
    SAVE();
    if (GS_UNLIKELY(gs_slow_method(vm, ic, UA, &nargs) != GS_OK))
        goto thrown;
    win = w;
    method = nargs == UB;
    goto call_any;
}
L_CALLMV: {
    uint32_t a = UA, given;
    nargs = UB;
    SAVE();
    if (GS_UNLIKELY(gs_slow_spread(vm, a, &nargs) != GS_OK))
        goto thrown;
    given = nargs;
    if (GS_UNLIKELY(gs_slow_method(vm, ICC, a, &nargs) != GS_OK))
        goto thrown;
    base = vm->base;
    win = base + a;
    method = nargs == given;
    goto call_any;
}
L_CALLNAT:
    win = RA;
    nargs = UB;
    method = false;
    COPY(win, KC);
    goto call_native;
L_CALLTRIM: {
    gs_value *w = RA;
    if (GS_LIKELY(w->tag == GS_T_FUNC)) {
        const struct gs_proto *q = w->f->proto;
        struct gs_ic *ic = ICC;
        if (GS_UNLIKELY(gs_load_rlx(&ic->w[0]) != (uint64_t)(uintptr_t)q)) /* relaxed: as for CALL */
            gs_slow_note_callee(ic, q);
        if (GS_LIKELY(q->nparams <= UB && !(q->flags & GS_PF_REST)))
            ENTER(w, q);
    }
    win = w;
    nargs = gs_slow_trim(*w, UB);
    method = false;
    goto call_any;
}
L_GETSUPER:
    SLOW(gs_slow_getsuper(vm, KB->s, RA));
L_RET: {
    const gs_value *r = RA;
    uint64_t word = r->u, tag = r->tag, back = base[-1].u, frame = base[-1].tag;
    base[-2].u = word;
    base[-2].tag = tag;
    if (GS_UNLIKELY(back == 0))
        goto finished;
    base = (gs_value *)(void *)((char *)base - (frame >> 32 << 4));
    pc = (const gs_insn *)(uintptr_t)back;
    p = base[-2].f->proto;
    NEXT();
}
L_RETNIL:
    SET(&base[-2], u, 0, GS_T_NIL);
returned: {
    uint64_t back = base[-1].u, frame = base[-1].tag;
    if (GS_UNLIKELY(back == 0))
        goto finished;
    base = (gs_value *)(void *)((char *)base - (frame >> 32 << 4));
    pc = (const gs_insn *)(uintptr_t)back;
    p = base[-2].f->proto;
    NEXT();
}

    /* ---- containers ---- */

L_NEWARRAY:
    SLOW(gs_slow_newarray(vm, RB, UC, RA));
L_ARRPUSH:
    SLOW(gs_slow_arrpush(vm, *RA, RB, UC));
L_ARRSPREAD:
    SLOW(gs_slow_arrspread(vm, *RA, *RB));
L_NEWOBJ:
    SLOW(gs_slow_newobj(vm, KC->p, RB, RA));
L_PUTFIELD:
    SLOW(gs_slow_putfield(vm, *RA, KC->s, *RB));
L_GETFIELD: {
    const gs_value *o = RB;
    struct gs_ic *ic = ICC;
    if (GS_LIKELY(o->tag == GS_T_OBJECT)) {
        const struct gs_object *m = o->m;
        uint64_t shape = m->h.aux32;
        uint64_t w = gs_load_rlx(&ic->w[0]); /* [I1], here and below */
        if (GS_LIKELY((w & 0xffffffu) == shape)) {
            COPY(RA, &m->slots[w >> 48]);
            NEXT();
        }
        w = gs_load_rlx(&ic->w[1]);
        if ((w & 0xffffffu) == shape) {
            COPY(RA, &m->slots[w >> 48]);
            NEXT();
        }
        w = gs_load_rlx(&ic->w[2]);
        if ((w & 0xffffffu) == shape) {
            COPY(RA, &m->slots[w >> 48]);
            NEXT();
        }
    }
    SLOW(gs_slow_getfield(vm, ic, *o, RA));
}
L_SETFIELD: {
    const gs_value *o = RA, *v = RB;
    struct gs_ic *ic = ICC;
    if (GS_LIKELY(o->tag == GS_T_OBJECT && v->tag != GS_T_NIL)) {
        struct gs_object *m = o->m;
        uint64_t shape = m->h.aux32;
        uint64_t w = gs_load_rlx(&ic->w[0]); /* [I1], here and below */
        if (GS_UNLIKELY((w & 0xffffffu) != shape)) {
            w = gs_load_rlx(&ic->w[1]);
            if ((w & 0xffffffu) != shape)
                w = gs_load_rlx(&ic->w[2]);
        }
        uint32_t to = (uint32_t)(w >> 24) & 0xffffffu;
        if (GS_LIKELY((w & 0xffffffu) == shape && (to == shape || (uint32_t)(w >> 48) < m->cap))) {
            if (GS_UNLIKELY(to != shape))
                m->h.aux32 = to;
            COPY(&m->slots[w >> 48], v);
            NEXT();
        }
    }
    SLOW(gs_slow_setfield(vm, ic, *o, *v));
}
L_GETINDEX: {
    const gs_value *o = RB, *x = RC;
    if (GS_LIKELY(o->tag == GS_T_ARRAY && x->tag == GS_T_INT)) {
        const struct gs_array *a = o->a;
        uint64_t at = x->u;
        if (GS_LIKELY(at < (uint64_t)a->len)) {
            unsigned store = a->h.aux16 & 0xffu; /* rule 7 */
            if (store == GS_STORE_INT) {
                SET_INT(RA, a->i[at]);
                NEXT();
            }
            if (store == GS_STORE_VALUE) {
                FB(GS_FB_VALUE);
                COPY(RA, &a->v[at]);
                NEXT();
            }
            if (store == GS_STORE_FLOAT) {
                FB(GS_FB_FLOAT);
                SET_FLOAT(RA, a->d[at]);
                NEXT();
            }
            if (store == GS_STORE_BOOL) {
                FB(GS_FB_BYTE);
                SET_BOOL(RA, a->b[at]);
                NEXT();
            }
        }
    } else if (o->tag == GS_T_OBJECT && x->tag == GS_T_STR) {
        if (gs_object_get(o->m, x->s, RA)) {
            FB(GS_FB_OTHER);
            NEXT();
        }
    }
    SLOW(gs_slow_getindex(vm, *o, *x, RA));
}
L_SETINDEX: {
    const gs_value *o = RA, *x = RB, *v = RC;
    if (GS_LIKELY(o->tag == GS_T_ARRAY && x->tag == GS_T_INT)) {
        struct gs_array *a = o->a;
        uint64_t at = x->u;
        if (GS_LIKELY(at < (uint64_t)a->len)) {
            unsigned store = a->h.aux16; /* rule 7 */
            if (store == GS_STORE_INT && v->tag == GS_T_INT) {
                a->i[at] = v->i;
                NEXT();
            }
            if (store == GS_STORE_VALUE) {
                FB(GS_FB_VALUE);
                COPY(&a->v[at], v);
                NEXT();
            }
            if (store == GS_STORE_FLOAT && v->tag == GS_T_FLOAT) {
                FB(GS_FB_FLOAT);
                a->d[at] = v->d;
                NEXT();
            }
            if (store == GS_STORE_BOOL && v->tag == GS_T_BOOL) {
                FB(GS_FB_BYTE);
                a->b[at] = (uint8_t)v->u;
                NEXT();
            }
        }
    }
    SLOW(gs_slow_setindex(vm, *o, *x, *v));
}
L_GETINDEXI: {
    const gs_value *o = RB;
    int64_t at = SC;
    if (GS_LIKELY(o->tag == GS_T_ARRAY)) {
        const struct gs_array *a = o->a;
        if (GS_LIKELY((uint64_t)at < (uint64_t)a->len)) {
            unsigned store = a->h.aux16 & 0xffu; /* rule 7 */
            if (store == GS_STORE_INT) {
                SET_INT(RA, a->i[at]);
                NEXT();
            }
            if (store == GS_STORE_VALUE) {
                FB(GS_FB_VALUE);
                COPY(RA, &a->v[at]);
                NEXT();
            }
            if (store == GS_STORE_FLOAT) {
                FB(GS_FB_FLOAT);
                SET_FLOAT(RA, a->d[at]);
                NEXT();
            }
        }
    }
    SLOW(gs_slow_getindex(vm, *o, gs_int(at), RA));
}
L_LEN: {
    const gs_value *v = RB;
    if (GS_LIKELY(v->tag == GS_T_ARRAY)) {
        SET_INT(RA, v->a->len);
        NEXT();
    }
    if (v->tag == GS_T_STR) {
        FB(GS_FB_STR);
        SET_INT(RA, (int64_t)v->s->len);
        NEXT();
    }
    FB(GS_FB_OTHER);
    SLOW(gs_slow_len(vm, *v, RA));
}

    /* ---- loops ---- */

L_FORPREP: {
    gs_value *it = RA;
    if (INTS(&it[0], &it[1]) && it[2].tag == GS_T_INT && it[2].i == 1) {
        if (GS_LIKELY(it[0].i < it[1].i)) {
            it[1].u -= it[0].u + 1;
            SET_INT(&it[3], it[0].i);
            NEXT();
        }
        pc += SBX;
        NEXT();
    }
    bool any;
    SAVE();
    if (GS_UNLIKELY(gs_slow_forprep(vm, it, UX, &any) != GS_OK))
        goto thrown;
    if (!any)
        pc += SBX;
    NEXT();
}
L_FORLOOP: {
    gs_value *it = RA;
    if (GS_UNLIKELY(it[0].tag != GS_T_INT || it[1].tag != GS_T_INT)) /* rule 6 */
        goto malformed;
    uint64_t left = it[1].u;
    if (left != 0) {
        uint64_t next = it[0].u + it[2].u;
        it[1].u = left - 1;
        it[0].u = next;
        SET(&it[3], u, next, GS_T_INT);
        TAKE(SBX);
    }
    NEXT();
}
L_ITERNEW:
    SLOW(gs_slow_iternew(vm, RA, UB));
L_ITERNEXT: {
    gs_value *it = RA, *to = RB;
    unsigned nvars = UX;
    if (GS_LIKELY(it->tag == GS_T_ARRAY && it[1].tag == GS_T_INT)) {
        const struct gs_array *a = it->a;
        uint64_t at = it[1].u;
        if (GS_LIKELY(at < (uint64_t)a->len)) {
            unsigned store = a->h.aux16 & 0xffu; /* rule 7 */
            it[1].u = at + 1;
            if (nvars == 2) {
                SET_INT(to, (int64_t)at);
                to++;
            }
            if (store == GS_STORE_INT) {
                SET_INT(to, a->i[at]);
            } else if (store == GS_STORE_VALUE) {
                FB(GS_FB_VALUE);
                COPY(to, &a->v[at]);
            } else if (store == GS_STORE_FLOAT) {
                FB(GS_FB_FLOAT);
                SET_FLOAT(to, a->d[at]);
            } else {
                FB(GS_FB_BYTE);
                gs_value v = gs_array_at(a, (int64_t)at);
                COPY(to, &v);
            }
            TAKE(SC);
        }
        NEXT();
    }
    bool more;
    SAVE();
    st = gs_slow_iternext(vm, it, to, nvars, &more);
    if (GS_LIKELY(st == GS_OK))
        TAKE_IF(more, SC);
    if (st == GS_YIELD && more)
        vm->pc = pc + SC;
    if (st == GS_PARK)
        vm->resume_how = RESUME_ITERATION;
    goto left;
}

    /* ---- errors, defer ---- */

L_THROW:
    SAVE();
    (void)gs_throw_value(vm, *RA);
    goto thrown;
L_RETHROW:
    SAVE();
    (void)gs_rethrow(vm, *RA);
    goto thrown;
L_DEFERPUSH:
    SLOW(gs_slow_deferpush(vm, RA, RB, UC));
L_DEFERCALL: {
    uint32_t a = UA;
    bool any;
    SAVE();
    if (GS_UNLIKELY(gs_slow_deferpop(vm, *RB, a, &nargs, &any) != GS_OK))
        goto thrown;
    base = vm->base;
    if (!any)
        TAKE(SC);
    win = base + a;
    method = false;
    goto call_any;
}

    /* ---- types ---- */

L_IS:
    SET_BOOL(RA, gs_slow_is(*RB, *KC));
    NEXT();
L_AS:
    SAVE();
    if (GS_UNLIKELY(gs_slow_as(vm, *RB, *KC) != GS_OK))
        goto thrown;
    COPY(RA, RB);
    NEXT();

    /* ---- machine code ---- */

L_JIT:
    vm->base = base;
    vm->pc = pc - 1;
    switch (gs_hot_run(vm, p)) {
    case GS_LEFT_RETURN:
        base = vm->base;
        goto returned;
    case GS_LEFT_ENTER:
        /* The call is made once more, from the caller's side. */
        win = vm->base - 2;
        pc = win[1].p;
        base = vm->base - (win[1].tag >> 32);
        p = base[-2].f->proto;
        goto enter_slow;
    case GS_LEFT_THROWN:
        goto thrown;
    case GS_LEFT_PARK: {
        enum gs_op op = gs_insn_op(gs_hot_insn(gs_vm_proto(vm), vm->pc - 1));
        vm->resume_how = op == GS_OP_ITERNEXT ? RESUME_ITERATION : RESUME_VALUE;
        return GS_PARK;
    }
    case GS_LEFT_YIELD:
        return GS_YIELD;
    case GS_LEFT_EXIT:
        return GS_EXIT;
    default: /* L3: never GS_OP_JIT again */
        base = vm->base;
        pc = vm->pc;
        p = base[-2].f->proto;
        goto *table[gs_insn_op(gs_hot_insn(p, pc++))];
    }

    /* ---- what several instructions share ---- */

    /* win[0] is a native; its nargs arguments have not been counted. */
call_native: {
    const struct gs_native *nat = win->p;
    gs_value ret = gs_nil();
    SAVE();
    if (GS_UNLIKELY(nargs < nat->min || nargs > nat->max || gs_vm_wants_gc(vm))) {
        st = gs_slow_native(vm, nat, win + 2, nargs, method, &ret);
    } else {
        st = nat->fn(vm, win + 2, nargs, &ret);
        if (st == GS_PARK)
            vm->top = NULL;
        else if (GS_UNLIKELY(st != GS_OK))
            st = gs_slow_native_failed(vm, nat, win + 2, nargs, st, &ret);
    }
    if (GS_LIKELY(st == GS_OK)) {
        COPY(win, &ret);
        NEXT();
    }
    if (st == GS_YIELD)
        COPY(win, &ret);
    if (st == GS_PARK) {
        vm->resume_dst = (uint32_t)(win - base);
        vm->resume_how = RESUME_VALUE;
    }
    goto left;
}

    /* Any callee, any number of arguments. */
call_any: {
    ptrdiff_t a = win - base;
    SAVE();
    if (GS_UNLIKELY(gs_slow_prepare(vm, (uint32_t)a, &nargs) != GS_OK))
        goto thrown;
    base = vm->base;
    win = base + a;
    if (win->tag != GS_T_FUNC) {
        gs_value ret = gs_nil();
        st = gs_slow_native(vm, win->p, win + 2, nargs, method, &ret);
        if (GS_LIKELY(st == GS_OK)) {
            COPY(win, &ret);
            NEXT();
        }
        if (st == GS_YIELD)
            COPY(win, &ret);
        if (st == GS_PARK) {
            vm->resume_dst = (uint32_t)a;
            vm->resume_how = RESUME_VALUE;
        }
        goto left;
    }
    vm->top = NULL;
    const struct gs_proto *q = win->f->proto;
    ENTER(win, q);
}

    /* The frame of win[0] would reach the limit: the stack must grow, or somebody wants attention.
     * Or a sample is due, or compiled code had no room left on the C stack. */
enter_slow: {
    const struct gs_proto *q = win->f->proto;
    ptrdiff_t a = win - base;
    SAVE();
    st = GS_OK;
    if (FULL(win, q)) {
        vm->heat--; /* not counted yet */
        st = gs_slow_enter(vm, win + 2, q);
    }
    if (GS_UNLIKELY(st == GS_E_THROWN))
        goto thrown;
    base = vm->base + a + 2;
    base[-1].u = (uint64_t)(uintptr_t)pc;
    base[-1].tag = (uint64_t)(a + 2) << 32 | GS_T_FRAME;
    p = q;
    pc = q->code;
    SAVE();
    if (vm->heat < 0)
        gs_hot_count(vm, p, 0);
    if (st == GS_OK)
        NEXT();
    return (gs_status)st;
}

    /* A back-edge was asked to look up, or a sample is due. An error belongs to the jump, a yield
     * comes back at its target. */
poll:
    SAVE();
    st = POKED() ? gs_slow_poll(vm) : GS_OK;
    if (GS_UNLIKELY(st == GS_E_THROWN))
        goto thrown;
    pc += jump;
    SAVE();
    if (vm->heat < 0)
        gs_hot_count(vm, p, (uint32_t)(pc - p->code));
    if (st == GS_OK)
        NEXT();
    return (gs_status)st;

malformed:
    SAVE();
    (void)gs_slow_malformed(vm);

    /* vm->error is set; vm->pc and vm->base are saved. */
thrown:
    if (!gs_unwind(vm))
        return GS_E_THROWN;
    pc = vm->pc;
    base = vm->base;
    p = base[-2].f->proto;
    NEXT();

    /* A call gave something else than GS_OK. */
left:
    if (st == GS_E_THROWN)
        goto thrown;
    return (gs_status)st;

    /* The bottom frame has returned; its result lies where its function was. No frame is left. */
finished:
    COPY(&vm->result, &base[-2]);
    vm->base = NULL;
    vm->pc = NULL;
    return GS_OK;
}
