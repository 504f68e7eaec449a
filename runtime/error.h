/* SPDX-License-Identifier: MIT
 * error.h - raising script errors, stack traces, and the report of uncaught ones.
 */
#ifndef GS_RUNTIME_ERROR_H
#define GS_RUNTIME_ERROR_H

#include <stdio.h>

#include "vm.h"

/* Sets vm->error to {kind, message, file, line, stack} of the current place (vm->base, vm->pc must
 * be saved) and returns GS_E_THROWN. Formats as printf. The heap's limit is lifted
 * while the error is made; when the allocator itself has nothing more, the error is an immortal
 * string that says so. */
int gs_throw(struct gs_vm *vm, enum gs_errkind k, const char *fmt, ...) GS_PRINTF(3, 4);
int gs_throw_nomem(struct gs_vm *vm);
/* Throws a value of the program: an object that is an error already (has a stack) keeps its place;
 * any other object with a `message` gets those of file, line and stack that it lacks, of the throw;
 * other values are kept beside their place for the report (error.c). */
int gs_throw_value(struct gs_vm *vm, gs_value v);
/* Goes on with an error that was raised before (finally): nothing about its place changes. */
int gs_rethrow(struct gs_vm *vm, gs_value v);
/* An error object of kind k with one more field (`want` of InterfaceMismatch). */
int gs_throw_with(struct gs_vm *vm, enum gs_errkind k, const char *field, gs_value v,
                  const char *fmt, ...) GS_PRINTF(5, 6);

/* "cannot call void" and the like: the names that messages use. */
const char *gs_kind_word(gs_value v); /* typeof name */
int gs_throw_arity(struct gs_vm *vm, const char *name, uint32_t min, uint32_t max, bool any,
                   uint32_t got);

/* Finds the handler of an error raised at vm->pc[-1], unwinding frames. True: vm->base, vm->pc are
 * set and the error is in its register; false: it left the bottom frame and is in vm->error. */
bool gs_unwind(struct gs_vm *vm);

/* The text of an uncaught error: "FILE:LINE: Kind: message\n" and the stack trace lines ("  at
 * FILE:LINE in NAME\n"). */
struct gs_buf;
void gs_error_report(struct gs_buf *out, gs_value err);
/* The same for the error that has left vm's bottom frame (vm->error): knows also where a value was
 * thrown that is no error object (a string, say). */
void gs_vm_error_report(struct gs_buf *out, const struct gs_vm *vm);
void gs_places_fini(struct gs_vm *vm); /* the VM ends */
struct gs_marker;
void gs_places_mark(const struct gs_vm *vm, struct gs_marker *m);
/* Stack of a VM that is not running, or of the caller's own: lines as in `stack`. */
struct gs_array *gs_stack_trace(struct gs_vm *vm, struct gs_heap *h);
/* The same as text, each line with `indent` before it. */
void gs_stack_text(const struct gs_vm *vm, struct gs_buf *out, const char *indent);
/* Place of the innermost frame outside the prelude. */
void gs_vm_place(const struct gs_vm *vm, const char **file, uint32_t *line);

#endif
