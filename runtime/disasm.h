/* SPDX-License-Identifier: MIT
 * disasm.h - bytecode as text.
 *
 *     === name (N instructions) ===
 *     0004 [  12] OPCODE operands (gloss)
 *
 * number of the instruction, source line, operands in the order a b c (registers r1, constants k1,
 * captured u1, caches i1, nested functions f1, globals g1), and what the numbers stand for.
 */
#ifndef GS_RUNTIME_DISASM_H
#define GS_RUNTIME_DISASM_H

#include "proto.h"
#include "text.h"

/* One instruction as a line, as it was before any patching (hot.h). */
GS_API void gs_disasm_insn(struct gs_buf *out, const struct gs_proto *p, uint32_t at);
/* The function with its header; not the nested ones. */
void gs_disasm_proto(struct gs_buf *out, const struct gs_proto *p);

#endif
