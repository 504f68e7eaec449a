/* SPDX-License-Identifier: MIT
 * fuzz_parse.c - any bytes through the lexer and the parser: no crash, no hang, and what the rest
 * of the front end relies on:
 *
 *   - a text either has errors or gives a tree without GS_N_ERROR, with all parts that its kinds
 * promise; - no tree is higher than GS_NODE_HEIGHT, and no text has more than GS_DIAG_MAX errors;
 *   - the messages can be printed, with excerpts.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct gs_node *n, uint32_t below);

static void check_fn(const struct gs_fnnode *fn, uint32_t below, bool body)
{
    GS_CHECK(!fn->body == !body);
    for (uint32_t i = 0; i < fn->nparams; i++) {
        GS_CHECK(fn->params[i].name.n > 0);
        if (fn->params[i].def)
            check(fn->params[i].def, below);
    }
    if (fn->body)
        check(fn->body, below);
}

static void check_part(const struct gs_node *part, uint32_t below)
{
    GS_CHECK(part);
    check(part, below);
}

static void check_option(const struct gs_node *part, uint32_t below)
{
    if (part)
        check(part, below);
}

static void check_list(const struct gs_node *n)
{
    for (uint32_t i = 0; i < n->list.n; i++)
        check_part(n->list.v[i], n->height);
}

static void check_fields(const struct gs_node *n)
{
    for (uint32_t i = 0; i < n->fields.n; i++)
        check_part(n->fields.v[i].value, n->height);
}

static void check_methods(struct gs_fnnode *const *v, uint32_t n, uint32_t below, bool body)
{
    for (uint32_t i = 0; i < n; i++) {
        GS_CHECK(v[i]->name.n > 0 && v[i]->method);
        check_fn(v[i], below, body);
    }
}

static void check(const struct gs_node *n, uint32_t below)
{
    GS_CHECK(n->height > 0 && n->height < below);
    GS_CHECK(n->pos.line > 0 && n->pos.col > 0);
    uint32_t h = n->height;
    switch ((enum gs_node_kind)n->kind) {
    case GS_N_NIL:
    case GS_N_BOOL:
    case GS_N_INT:
    case GS_N_FLOAT:
    case GS_N_STR:
    case GS_N_SELF:
    case GS_N_BREAK:
    case GS_N_CONTINUE:
    case GS_N_TYPE:
        break;
    case GS_N_IMPORT:
        GS_CHECK(n->imp->quoted || n->imp->from.n > 0);
        break;
    case GS_N_NAME:
    case GS_N_SUPER:
        GS_CHECK(n->name.n > 0);
        break;
    case GS_N_INTERP:
    case GS_N_ARRAY:
    case GS_N_BLOCK:
        check_list(n);
        break;
    case GS_N_OBJECT:
        check_fields(n);
        break;
    case GS_N_INSTANCE:
        check_part(n->a, h);
        check_fields(n);
        break;
    case GS_N_FN:
    case GS_N_FNDECL:
        GS_CHECK((n->fn->name.n > 0) == (n->kind == GS_N_FNDECL));
        check_fn(n->fn, h, true);
        break;
    case GS_N_CALL:
        check_part(n->a, h);
        check_list(n);
        break;
    case GS_N_MEMBER:
        GS_CHECK(n->name.n > 0);
        check_part(n->a, h);
        break;
    case GS_N_IS:
    case GS_N_AS:
        GS_CHECK(n->type && n->type->name.n > 0);
        check_part(n->a, h);
        break;
    case GS_N_UNARY:
    case GS_N_SPREAD:
    case GS_N_EXPR:
    case GS_N_THROW:
    case GS_N_DEFER:
        check_part(n->a, h);
        break;
    case GS_N_INDEX:
    case GS_N_BINARY:
    case GS_N_AND:
    case GS_N_OR:
    case GS_N_COALESCE:
    case GS_N_ASSIGN:
    case GS_N_WHILE:
        check_part(n->a, h);
        check_part(n->b, h);
        break;
    case GS_N_COND:
        check_part(n->a, h);
        check_part(n->b, h);
        check_part(n->c, h);
        break;
    case GS_N_LET:
        GS_CHECK(n->name.n > 0);
        check_option(n->a, h);
        break;
    case GS_N_RETURN:
        check_option(n->a, h);
        break;
    case GS_N_CLASS:
        check_option(n->cls->super, h);
        check_methods(n->cls->methods, n->cls->nmethods, h, true);
        break;
    case GS_N_INTERFACE:
        check_methods(n->iface->methods, n->iface->nmethods, h, false);
        break;
    case GS_N_IF:
        check_part(n->a, h);
        check_part(n->b, h);
        check_option(n->c, h);
        break;
    case GS_N_FORIN:
        GS_CHECK(n->name.n > 0);
        check_part(n->a, h);
        check_part(n->b, h);
        break;
    case GS_N_FOR:
        check_option(n->init, h);
        check_option(n->a, h);
        check_option(n->step, h);
        check_part(n->b, h);
        break;
    case GS_N_TRY:
        GS_CHECK(n->b || n->c);
        check_part(n->a, h);
        check_option(n->b, h);
        check_option(n->c, h);
        break;
    case GS_N_ERROR:
        GS_UNREACHABLE();
    }
}

static void print(const struct gs_diag *d)
{
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);
    gs_diag_print(d, f, true, false);
    fclose(f);
    GS_CHECK(n > 0);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1); /* exactly as long, so that a byte too far is seen */
    if (size)
        memcpy(text, data, size);
    struct gs_source src = {.path = "fuzz", .text = text, .len = size};
    struct gs_arena *a = gs_arena_new();
    struct gs_diag *d = gs_diag_new();
    const struct gs_node *root = gs_parse(a, &src, d);
    GS_CHECK(gs_diag_errors(d) <= GS_DIAG_MAX);
    if (gs_diag_errors(d) == 0)
        check(root, GS_NODE_HEIGHT + 1);
    else
        print(d);
    gs_diag_free(d);
    gs_arena_free(a);
    free(text);
    return 0;
}
