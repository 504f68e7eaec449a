/* SPDX-License-Identifier: MIT
 * compile.c - the face of the front end. See compile.h.
 */
#include "compile.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hooks.h"
#include "object.h"
#include "proto.h"

#include "module.h"
#include "scope.h"

static void compiler_init(struct gs_compiler *c, struct gs_diag *d)
{
    *c = (struct gs_compiler){.arena = gs_arena_new(), .diag = d, .script_dir = ".", .cwd = "/"};
    char *cwd = gs_arena_alloc(c->arena, PATH_MAX);
    if (getcwd(cwd, PATH_MAX) != NULL)
        c->cwd = cwd;
}

static void free_unit(struct gs_unit *u)
{
    for (uint32_t i = 0; i < u->fns.n; i++) {
        struct gs_fnscope *f = u->fns.v[i];
        GS_VEC_FREE(&f->caps);
        GS_VEC_FREE(&f->loops);
        gs_table_free(&f->capidx);
    }
    for (uint32_t i = 0; i < u->blocks.n; i++) {
        struct gs_block *b = u->blocks.v[i];
        GS_VEC_FREE(&b->fns);
        GS_VEC_FREE(&b->early);
    }
    GS_VEC_FREE(&u->fns);
    GS_VEC_FREE(&u->blocks);
    GS_VEC_FREE(&u->imports);
    GS_VEC_FREE(&u->syms);
    gs_table_free(&u->exports);
}

static void compiler_fini(struct gs_compiler *c)
{
    for (uint32_t i = 0; i < c->units.n; i++)
        free_unit(c->units.v[i]);
    GS_VEC_FREE(&c->units);
    GS_VEC_FREE(&c->globals);
    GS_VEC_FREE(&c->protos);
    gs_mem_free(c->idents);
    gs_arena_free(c->arena);
}

static struct gs_program *make_program(const struct gs_compiler *c, const struct gs_unit *u)
{
    struct gs_program *p = gs_perm_alloc(sizeof(*p));
    p->main = u->main->proto;
    p->mod = u->info;
    p->nglobals = c->globals.n;
    p->gnames = gs_perm_alloc((c->globals.n + (size_t)1) * sizeof(*p->gnames));
    if (c->globals.n != 0)
        memcpy(p->gnames, c->globals.v, c->globals.n * sizeof(*p->gnames));
    return p;
}

/* Protos of the main script; those of its modules came before. */
static void hand_out_protos(const struct gs_compiler *c, const struct gs_unit *u,
                            struct gs_compiled *out)
{
    out->protos = gs_mem_must_alloc((c->protos.n + 1u) * sizeof(*out->protos));
    for (uint32_t i = 0; i < c->protos.n; i++) {
        if (c->protos.v[i]->mod == u->info)
            out->protos[out->nprotos++] = c->protos.v[i];
    }
}

static bool compile(struct gs_compiler *c, struct gs_unit *u, struct gs_compiled *out)
{
    u->is_main = true;
    gs_module_compile(u);
    if (gs_diag_errors(c->diag) == 0) {
        out->program = make_program(c, u);
        hand_out_protos(c, u, out);
    }
    compiler_fini(c);
    return out->program != NULL;
}

bool gs_compile_file(const char *path, struct gs_diag *d, struct gs_compiled *out)
{
    struct gs_compiler c;
    char *text, real[PATH_MAX];
    size_t len;
    *out = (struct gs_compiled){0};
    out->io_error = gs_module_read(path, &text, &len);
    if (out->io_error != 0)
        return false;
    compiler_init(&c, d);
    c.script_dir = gs_module_dir(&c, path);
    const char *canonical = realpath(path, real);
    return compile(&c, gs_module_unit(&c, path, "main", canonical, c.script_dir, text, len), out);
}

bool gs_compile_text(const char *path, const char *text, size_t len, struct gs_diag *d,
                     struct gs_compiled *out)
{
    struct gs_compiler c;
    *out = (struct gs_compiled){0};
    char *copy = gs_perm_alloc(len + 1);
    memcpy(copy, text, len);
    compiler_init(&c, d);
    return compile(&c, gs_module_unit(&c, path, "main", NULL, ".", copy, len), out);
}

/* import "./FILE" as m;, as many newlines as it takes, m.name(). Any byte may stand in a file's name. */
static char *call_text(const char *path, const char *name, uint32_t line, size_t *len)
{
    const char *slash = strrchr(path, '/');
    const char *file = slash != NULL ? slash + 1 : path;
    size_t size = strlen(file) * 4 + line + strlen(name) + 64, n = 0;
    char *text = gs_perm_alloc(size);
    n += (size_t)snprintf(text, size, "import \"./");
    for (const char *p = file; *p != '\0'; p++)
        n += (size_t)snprintf(text + n, size - n, "\\x%02x", (unsigned)(unsigned char)*p);
    n += (size_t)snprintf(text + n, size - n, "\" as m;");
    for (uint32_t i = 1; i < line; i++)
        text[n++] = '\n';
    n += (size_t)snprintf(text + n, size - n, "m.%s()", name);
    *len = n;
    return text;
}

bool gs_compile_call(const char *path, const char *name, uint32_t line, struct gs_diag *d,
                     struct gs_compiled *out)
{
    struct gs_compiler c;
    *out = (struct gs_compiled){0};
    compiler_init(&c, d);
    c.script_dir = gs_module_dir(&c, path);
    size_t len;
    char *text = call_text(path, name, line, &len);
    return compile(&c, gs_module_unit(&c, path, "main", NULL, c.script_dir, text, len), out);
}

bool gs_compile_prelude(const char *name, const char *text, size_t len, struct gs_func ***fns,
                        uint32_t *n)
{
    struct gs_diag *d = gs_diag_new();
    struct gs_compiler c;
    compiler_init(&c, d);
    struct gs_unit *u = gs_module_unit(&c, name, name, NULL, ".", text, len);
    u->prelude = true;
    gs_module_compile(u);
    bool ok = gs_diag_errors(d) == 0 && c.globals.n == 0;
    if (!ok) {
        gs_diag_print(d, stderr, true, false);
        if (c.globals.n != 0)
            fprintf(stderr, "%s: the prelude can have no globals\n", name);
    } else {
        *fns = gs_perm_alloc((u->syms.n + (size_t)1) * sizeof(struct gs_func *));
        *n = 0;
        for (uint32_t i = 0; i < u->syms.n; i++) {
            if (u->syms.v[i]->kind == GS_SYM_TOPFN)
                (*fns)[(*n)++] = u->syms.v[i]->value.f;
        }
    }
    compiler_fini(&c);
    gs_diag_free(d);
    return ok;
}
