/* SPDX-License-Identifier: MIT
 * inspect.h - what disasm --jit prints: each compiled unit, a source line at a time, as bytecode, IR and machine code.
 *
 *     --- loop of sum, sum.goost:3-4: 2 instructions of bytecode, 30 of IR, 21 of machine code; compile 1, generation 1
 *
 *     sum.goost:4 |         s += i
 *       bytecode
 *         0005 [   4] ADD        r1 r1 r5
 *       IR
 *       loop b:
 *         0005  %12 = add i64 %9, %8
 *       machine code
 *       loop .LBB0_2:
 *         0005  addq    %rcx, %rax
 *
 * The number before an instruction is that of the bytecode it comes from, in the function that stands on the line;
 * blank: it comes from several. The word before a label is the LLVM function's: `loop`; `entry`, what the interpreter calls; `code`, what
 * compiled code calls. Inlined functions appear at their own lines. What has no line at all comes last.
 *
 * Threads    As the session: one at a time.
 */
#ifndef GS_JIT_INSPECT_H
#define GS_JIT_INSPECT_H

#include "graph.h"

/* Somebody will ask for the listing: texts are to be kept. */
bool gs_inspect_wanted(void);
/* The first source line of the unit: of the function, or of the loop. */
uint32_t gs_inspect_line(const struct gs_graph *g);
/* "function file:line", what tools call the unit; cut to n bytes. */
void gs_inspect_label(char *out, size_t n, const struct gs_graph *g);
/* The session has just compiled the unit of g: keeps its texts. */
void gs_inspect_unit(const struct gs_graph *g);
/* The request came to nothing. why: immortal. */
void gs_inspect_declined(const struct gs_hot_request *r, const char *why);
/* Prints what was kept of p's units (of all functions': NULL) and not printed yet, in the order of the compiles; their number. */
unsigned gs_inspect_dump(void *FILE_out, const struct gs_proto *p);

#endif
