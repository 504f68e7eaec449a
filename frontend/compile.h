/* SPDX-License-Identifier: MIT
 * compile.h - the face of the front end: source text to a program.
 */
#ifndef GS_FRONTEND_COMPILE_H
#define GS_FRONTEND_COMPILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diag.h"

struct gs_func;
struct gs_program;
struct gs_proto;

struct gs_compiled {
    struct gs_program *program; /* immortal; NULL when there were errors */
    int io_error;             /* errno of the main script's reading, else 0; then d holds nothing */
    struct gs_proto **protos; /* all functions of the main script, in source order; the caller frees
                                 it by gs_mem_free */
    uint32_t nprotos;
};

/* Compiles a script and the modules that it imports. path is shown as given. False: the errors are
 * in d, or io_error is set. Any thread. */
bool gs_compile_file(const char *path, struct gs_diag *d, struct gs_compiled *out);
/* The same of a text that stands in no file; its imports are looked for in the working directory.
 * The text is copied. */
bool gs_compile_text(const char *path, const char *text, size_t len, struct gs_diag *d,
                     struct gs_compiled *out);

/* A program that imports the script at path as a module and then calls its function `name`, a word of
 * the language, without arguments; the call stands in the given line. */
bool gs_compile_call(const char *path, const char *name, uint32_t line, struct gs_diag *d,
                     struct gs_compiled *out);

/* A program that grows, for the REPL: texts are compiled one after the other, and each sees what the ones before it have declared. A name may be declared again; what has been
 * compiled before sees the new variable or function, but the old constant or class. One thread. */
struct gs_dialog;
struct gs_dialog *gs_dialog_new(void); /* lives until the process ends */
/* A program of the session, which begins with main. */
struct gs_program *gs_dialog_program(const struct gs_dialog *s, struct gs_proto *main);
/* The text, of which the first line has this number in messages, as a function without parameters: its value is that of the expression at its end, else nil. NULL: the errors are in
 * d, or there are none because the text ends too early and more may come. */
struct gs_func *gs_dialog_compile(struct gs_dialog *s, const char *text, size_t len, uint32_t line, bool more, struct gs_diag *d);

/* For gs_hooks: one source text of the prelude. */
bool gs_compile_prelude(const char *name, const char *text, size_t len, struct gs_func ***fns,
                        uint32_t *n);

#endif
