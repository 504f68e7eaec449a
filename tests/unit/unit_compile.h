/* SPDX-License-Identifier: MIT
 * unit_compile.h - compiling a piece of source in a test, and looking at its messages or its code.
 */
#ifndef GS_TESTS_UNIT_COMPILE_H
#define GS_TESTS_UNIT_COMPILE_H

#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "compile.h"
#include "disasm.h"
#include "hooks.h"
#include "port/mem.h"
#include "str.h"

struct compiled {
    struct gs_compiled c;
    char *messages; /* as printed, without excerpts */
};

static inline char *messages_of(const struct gs_diag *d)
{
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);
    gs_diag_print(d, f, false, false);
    fclose(f);
    return out;
}

static inline struct compiled compile_text(const char *text)
{
    struct compiled r;
    struct gs_diag *d = gs_diag_new();
    gs_hooks.compile_prelude = gs_compile_prelude;
    gs_compile_text("t", text, strlen(text), d, &r.c);
    r.messages = messages_of(d);
    gs_diag_free(d);
    return r;
}

static inline struct compiled compile_path(const char *path)
{
    struct compiled r;
    struct gs_diag *d = gs_diag_new();
    gs_hooks.compile_prelude = gs_compile_prelude;
    gs_compile_file(path, d, &r.c);
    r.messages = messages_of(d);
    gs_diag_free(d);
    return r;
}

static inline void compiled_free(struct compiled *r)
{
    gs_mem_free(r->c.protos);
    free(r->messages);
}

/* The function of that name, or NULL. */
static inline const struct gs_proto *proto_named(const struct compiled *r, const char *name)
{
    for (uint32_t i = 0; i < r->c.nprotos; i++) {
        if (strcmp(r->c.protos[i]->name->data, name) == 0)
            return r->c.protos[i];
    }
    return NULL;
}

/* The opcodes of a function, with a space between them. */
static inline const char *ops_of(const struct gs_proto *p)
{
    static char text[8192];
    size_t at = 0;
    text[0] = '\0';
    for (uint32_t i = 0; p != NULL && i < p->ncode && at < sizeof(text) - 32; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i ? " " : "",
                               gs_opinfo[gs_insn_op(p->code[i])].name);
    return text;
}

static inline unsigned count_op(const struct gs_proto *p, enum gs_op op)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < p->ncode; i++)
        n += gs_insn_op(p->code[i]) == op;
    return n;
}

/* Compiles, compares the opcodes of one function, and shows both when they differ. */
static inline bool ops_are(const char *text, const char *function, const char *want)
{
    struct compiled r = compile_text(text);
    const char *got = ops_of(proto_named(&r, function));
    bool same = strcmp(got, want) == 0;
    if (!same)
        printf("\n  want %s\n  got  %s\n  %s", want, got, r.messages);
    compiled_free(&r);
    return same;
}

static inline bool messages_are(const char *text, const char *want)
{
    struct compiled r = compile_text(text);
    bool same = strcmp(r.messages, want) == 0;
    if (!same)
        printf("\n  want %s\n  got  %s\n", want, r.messages);
    compiled_free(&r);
    return same;
}

#endif
