/* SPDX-License-Identifier: MIT
 * bytecode.h - encoding of instructions, tables from opcode.def, and the verifier.
 */
#ifndef GS_RUNTIME_BYTECODE_H
#define GS_RUNTIME_BYTECODE_H

#include <stddef.h>
#include <stdint.h>

#include "port/check.h"
#include "status.h"

typedef uint64_t gs_insn;

enum gs_op {
#define GS_OP(name, a, b, c, fx, meaning) GS_OP_##name,
#include "opcode.def"
#undef GS_OP
    GS_OP_COUNT_
};

enum gs_operand {
    GS_OPND_N,
    GS_OPND_W,
    GS_OPND_R,
    GS_OPND_RW,
    GS_OPND_K,
    GS_OPND_I,
    GS_OPND_U,
    GS_OPND_J,
    GS_OPND_P,
    GS_OPND_KX,
    GS_OPND_IX,
    GS_OPND_JX,
    GS_OPND_GX,
    GS_OPND_IC,
    GS_OPND_UP,
    GS_OPND_RS,
    GS_OPND_CL,
};

enum gs_effect {
    GS_FX_T = 1,
    GS_FX_A = 2,
    GS_FX_P = 4,
    GS_FX_B = 8,
    GS_FX_C = 16,
    GS_FX_K = 32,
    GS_FX_Q = 0,
};

struct gs_opinfo {
    const char *name;
    uint8_t a, b, c; /* enum gs_operand */
    uint8_t fx;      /* enum gs_effect */
    const char *meaning;
};
GS_API extern const struct gs_opinfo gs_opinfo[GS_OP_COUNT_];

GS_INLINE gs_insn gs_insn_abc(enum gs_op op, unsigned a, unsigned b, unsigned c)
{
    return (gs_insn)op | (gs_insn)(a & 0xffffu) << 16 | (gs_insn)(b & 0xffffu) << 32 |
           (gs_insn)(c & 0xffffu) << 48;
}
GS_INLINE gs_insn gs_insn_abx(enum gs_op op, unsigned a, int32_t bx)
{
    return (gs_insn)op | (gs_insn)(a & 0xffffu) << 16 | (gs_insn)(uint32_t)bx << 32;
}
/* x is 0..3. The upper six bits of its byte belong to the interpreter: bit (b << 2) says that
 * feedback bit b (enum gs_fb) of the instruction has been recorded, so that a hot path finds that
 * out without leaving the instruction. They are set while the code runs. */
GS_INLINE gs_insn gs_insn_with_x(gs_insn i, unsigned x)
{
    return (i & ~(gs_insn)0xff00) | (gs_insn)(x & 3u) << 8;
}
GS_INLINE enum gs_op gs_insn_op(gs_insn i)
{
    return (enum gs_op)(i & 0xff);
}
GS_INLINE unsigned gs_insn_x(gs_insn i)
{
    return (unsigned)(i >> 8) & 3u;
}
GS_INLINE unsigned gs_insn_a(gs_insn i)
{
    return (unsigned)(i >> 16) & 0xffffu;
}
GS_INLINE unsigned gs_insn_b(gs_insn i)
{
    return (unsigned)(i >> 32) & 0xffffu;
}
GS_INLINE unsigned gs_insn_c(gs_insn i)
{
    return (unsigned)(i >> 48);
}
GS_INLINE int gs_insn_sb(gs_insn i)
{
    return (int16_t)(uint16_t)(i >> 32);
}
GS_INLINE int gs_insn_sc(gs_insn i)
{
    return (int16_t)(uint16_t)(i >> 48);
}
GS_INLINE int32_t gs_insn_bx(gs_insn i)
{
    return (int32_t)(uint32_t)(i >> 32);
}

#define GS_MAX_REGS 60000u /* registers of a function, call windows included */

struct gs_proto;
/* Checks a function (and its nested ones) so that the interpreter can trust it: operands in range
 * for the function's registers, constants, captures, caches and nested protos, constants of the
 * right kind, jumps onto instructions, call windows inside the frame, no way to fall off the end,
 * handlers well nested. GS_OK, or GS_E_INVALID with a message in msg (at most n bytes). Nothing of
 * the proto's pointers but its arrays is trusted. */
gs_status gs_bytecode_verify(const struct gs_proto *p, char *msg, size_t n);

#endif
