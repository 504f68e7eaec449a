/* SPDX-License-Identifier: MIT
 * session.h - LLVM itself: one context, a target machine a level, one ORC LLJIT for the process; passes; symbols; code by name.
 *
 * Threads    One thread at a time (runtime/hot.c sees to that). Opened by the first use, never closed.
 * Names      Of a module's functions, those named to gs_session_compile get addresses; all others become internal. Names are the
 *            module's own: two modules may use the same.
 * Floats     Nothing here may change a result: no fast-math flag is set, and no multiplication is contracted with an addition.
 */
#ifndef GS_JIT_SESSION_H
#define GS_JIT_SESSION_H

#include <llvm-c/Core.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hot.h"

/* False: LLVM does not work here (said once by *why). */
bool gs_session_open(const char **why);
/* The context of the modules on their way. */
LLVMContextRef gs_session_context(void);
/* No module is on its way: the context may be exchanged for a new one, since what constants and types take is never given back. */
void gs_session_rest(void);
/* A new module with triple and layout of this machine. The caller's until gs_session_compile. */
LLVMModuleRef gs_session_module(const char *name);
/* A helper of helpers.def declared in m; the type comes from its signature. Every V is two i64, payload and tag. A V that would
 * lie half in a register and half on the stack is not passed like that in C: the type then has i64 parameters before it
 * that nobody reads. Calls by gs_session_call need not know. */
LLVMValueRef gs_session_helper(LLVMModuleRef m, const char *name, LLVMTypeRef *type);
/* A call of a helper in the block where b stands; args as in its signature, a V as two. */
LLVMValueRef gs_session_call(LLVMBuilderRef b, const char *name, const LLVMValueRef *args, unsigned n);
/* Verifies, optimizes, generates code, and gives the addresses of the n named functions, which m must define. Takes m in any
 * case. label: what perf and gdb show for the module's functions: "name file:line"; may be NULL. False: *why, of decline.def. */
bool gs_session_compile(LLVMModuleRef m, enum gs_level level, const char *const *names, void **addresses, unsigned n,
                        const char *label, const char **why);
/* The code of the last compile, for gs_session_free; its bytes. NULL: it stays, since tools were told of it. */
void *gs_session_code(uint32_t *bytes);
void gs_session_free(void *code);
/* What LLVM said about the last failure, "" if nothing; the session's. */
const char *gs_session_detail(void);

/* For disasm --jit and golden tests: keeps the text of IR (after the passes) and the machine code of each compile while on. */
void gs_session_keep_text(bool on);
/* Modules should carry debug information: text is kept, or gdb looks on. */
bool gs_session_debug(void);
/* The texts of the last compile, or NULL; the session's. The assembly is that of a second code generation from the same IR. */
const char *gs_session_ir(void);
const char *gs_session_asm(void);

/* What it has cost so far; of the last compile by difference. */
struct gs_session_cost {
    uint64_t compiles, failed;
    uint64_t verify_ns, passes_ns, codegen_ns, link_ns;
    uint64_t object_bytes;
};
const struct gs_session_cost *gs_session_cost(void);

#endif
