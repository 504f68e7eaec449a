/* SPDX-License-Identifier: MIT
 * unit_source.h - parsing a piece of source in a test: its tree, or its messages, as text to
 * compare.
 */
#ifndef GS_TESTS_UNIT_SOURCE_H
#define GS_TESTS_UNIT_SOURCE_H

#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "unit_tree.h"

/* Copied to a block of just that size, so that a sanitizer sees every byte read too far. */
struct source_copy {
    struct gs_source *src;
    char *text;
    struct gs_arena *arena;
    struct gs_diag *diag;
    struct gs_node *root;
};

static inline struct source_copy source_parse(const char *text, size_t n)
{
    struct source_copy c = {.src = malloc(sizeof *c.src), .text = malloc(n ? n : 1)};
    memcpy(c.text, text, n);
    *c.src = (struct gs_source){.path = "t", .text = c.text, .len = n};
    c.arena = gs_arena_new();
    c.diag = gs_diag_new();
    c.root = gs_parse(c.arena, c.src, c.diag);
    return c;
}

static inline void source_free(struct source_copy *c)
{
    gs_diag_free(c->diag);
    gs_arena_free(c->arena);
    free(c->text);
    free(c->src);
}

/* All messages, a line each; the caller frees. */
static inline char *source_messages(const struct gs_diag *d)
{
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);
    gs_diag_print(d, f, false, false);
    fclose(f);
    return out;
}

static inline void source_compare(int line, const char *file, const char *text, const char *got,
                                  const char *want)
{
    bool same = !strcmp(got, want);
    if (!same)
        fprintf(stderr, "\n%s:%d: of: %s\n  want: %s\n  got:  %s\n", file, line, text, want, got);
    CU_assertImplementation(same, (unsigned)line, text, file, "", CU_FALSE);
}

/* The file's statements between braces, or its messages when there are any. */
static inline void source_check(int line, const char *file, const char *text, size_t n,
                                const char *want)
{
    struct source_copy c = source_parse(text, n);
    char *got = NULL;
    size_t len = 0;
    if (gs_diag_errors(c.diag)) {
        got = source_messages(c.diag);
        len = strlen(got);
        while (len && got[len - 1] == '\n')
            got[--len] = '\0';
    } else {
        FILE *f = open_memstream(&got, &len);
        tree_list(f, c.root, false);
        fclose(f);
    }
    source_compare(line, file, text, got, want);
    free(got);
    source_free(&c);
}

#define TREE(text, want) source_check(__LINE__, __FILE__, text, strlen(text), want)
#define FAILS(text, want) TREE(text, want)
/* For text with NUL bytes: a literal. */
#define TREE_N(text, want) source_check(__LINE__, __FILE__, text, sizeof(text) - 1, want)

#endif
