/* SPDX-License-Identifier: MIT
 * hooks.h - what the runtime and its upper neighbours ask of each other: the only doors between
 * runtime, frontend and jit.
 */
#ifndef GS_RUNTIME_HOOKS_H
#define GS_RUNTIME_HOOKS_H

#include "proto.h"

/* Filled in by main.c before anything runs. */
struct gs_hooks {
    /* Compiles one source text of the prelude. Its top-level functions become *fns (n of them,
     * immortal). False with a message on stderr. In a prelude source `__name` with two leading
     * underscores is an intrinsic: __call(f, a...) is CALLTRIM, and every other __x is the entry x
     * of the library module "<intrinsic>". */
    bool (*compile_prelude)(const char *name, const char *text, size_t len, struct gs_func ***fns,
                            uint32_t *n);
    /* The REPL's next text, as gs_dialog_compile; errors are told on stderr. NULL without *done: it ends too early, and more may come. Main task. */
    struct gs_func *(*compile_text)(const char *text, size_t len, bool more, bool *done);
};
extern struct gs_hooks gs_hooks;

/* ---- services of the runtime for the front end ---- */

/* What `langoost repl` runs: reads texts, has them compiled, runs them. repl.c. */
struct gs_func *gs_hook_repl(void);

/* A library module by its full dotted name: its MODULE value. */
bool gs_hook_lib_module(const char *name, size_t n, gs_value *out);
/* Member of a library module: constant, NATIVE, prelude FUNC, or sub-module value. */
bool gs_hook_lib_member(gs_value module, const char *name, size_t n, gs_value *out);
/* Built-in function or module name of the outermost scope (println, len, array, ...). */
bool gs_hook_builtin(const char *name, size_t n, gs_value *out);
bool gs_hook_intrinsic(const char *name, size_t n, gs_value *out);
/* Fresh number for a proto. */
uint32_t gs_hook_proto_id(void);
/* Shape ids for literals. */
uint32_t gs_hook_shape_empty(struct gs_class *c); /* c NULL: plain objects */
/* False: would become a dictionary; use PUTFIELD. */
bool gs_hook_shape_add(uint32_t *shape, struct gs_str *key);
/* Makes its shapes; super is ready already. */
void gs_hook_class_ready(struct gs_class *c);

#endif
