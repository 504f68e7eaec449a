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
#include "parse.h"
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

/* --- sessions --------------------------------------------------------------------------------- */

/* The main VM has a place for each from the start, and tasks read the table of names while it grows: neither ever moves. */
#define MAX_GLOBALS 65536u

struct gs_dialog {
    struct gs_compiler c;
    struct gs_str **gnames; /* MAX_GLOBALS, */
    uint32_t named;         /* of which so many are filled in */
};

struct gs_dialog *gs_dialog_new(void)
{
    struct gs_dialog *s = gs_perm_alloc(sizeof(*s));
    compiler_init(&s->c, NULL);
    s->gnames = gs_perm_alloc(MAX_GLOBALS * sizeof(*s->gnames));
    return s;
}

struct gs_program *gs_dialog_program(const struct gs_dialog *s, struct gs_proto *main)
{
    struct gs_program *p = gs_perm_alloc(sizeof(*p));
    p->main = main;
    p->mod = main->mod;
    p->nglobals = MAX_GLOBALS;
    p->gnames = s->gnames;
    return p;
}

static void keep_sym(struct gs_dialog *s, struct gs_sym *sym)
{
    for (uint32_t i = 0; i < s->c.session.n; i++) {
        if (s->c.session.v[i]->ident == sym->ident) {
            s->c.session.v[i] = sym;
            return;
        }
    }
    GS_VEC_PUSH(&s->c.session, sym);
}

/* What the unit has declared is there for the next ones. */
static void keep(struct gs_dialog *s, const struct gs_unit *u)
{
    for (; s->named < s->c.globals.n; s->named++)
        s->gnames[s->named] = s->c.globals.v[s->named];
    for (uint32_t i = 0; i < u->syms.n; i++)
        keep_sym(s, u->syms.v[i]);
}

/* Modules that the unit was the first to import have not run: the next one that names them compiles them anew. */
static void forget_units(struct gs_dialog *s, uint32_t first)
{
    for (uint32_t i = first; i < s->c.units.n; i++)
        s->c.units.v[i]->real = NULL;
}

/* As many newlines in front of the text as it takes. */
static char *at_line(const char *text, size_t len, uint32_t line)
{
    char *p = gs_perm_alloc(line + len);
    memset(p, '\n', line - 1);
    memcpy(p + line - 1, text, len);
    return p;
}

struct gs_func *gs_dialog_compile(struct gs_dialog *s, const char *text, size_t len, uint32_t line, bool more, struct gs_diag *d)
{
    struct gs_compiler *c = &s->c;
    uint32_t nunits = c->units.n;
    if (more && gs_parse_incomplete(&(struct gs_source){.path = "repl", .text = text, .len = len})) /* before anything is kept of it */
        return NULL;
    struct gs_unit *u = gs_module_unit(c, "repl", "main", NULL, ".", at_line(text, len, line), line - 1 + len);
    c->diag = d;
    u->grows = true;
    gs_module_compile(u);
    if (c->globals.n > MAX_GLOBALS)
        gs_diag_error(d, u->src, (struct gs_pos){line, 1}, "too many variables: a session has at most %u", MAX_GLOBALS);
    if (gs_diag_errors(d) != 0) {
        forget_units(s, nunits);
        return NULL;
    }
    keep(s, u);
    return u->main->func;
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
