/* SPDX-License-Identifier: MIT
 * module.c - finding, reading and compiling the modules of a program. See module.h.
 */
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hooks.h"
#include "object.h"

#include "emit.h"
#include "parse.h"
#include "scope.h"

/* --- files ------------------------------------------------------------------------------------ */

static ssize_t read_some(int fd, char *p, size_t n)
{
    ssize_t got;
    do
        got = read(fd, p, n);
    while (got < 0 && errno == EINTR);
    return got;
}

static int read_all(int fd, char **text, size_t *len)
{
    size_t n = 0, cap = 16384;
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
        cap = (size_t)st.st_size + 2;
    char *p = gs_mem_must_alloc(cap);
    for (;;) {
        if (n + 1 >= cap)
            p = gs_mem_must_realloc(p, cap *= 2);
        ssize_t got = read_some(fd, p + n, cap - n - 1);
        if (got < 0) {
            int err = errno;
            gs_mem_free(p);
            return err;
        }
        if (got == 0)
            break;
        n += (size_t)got;
    }
    p[n] = '\0';
    *text = p;
    *len = n;
    return 0;
}

int gs_module_read(const char *path, char **text, size_t *len)
{
    if (strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, text, len);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int err = read_all(fd, text, len);
    close(fd);
    return err;
}

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static bool is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static char *arena_text(struct gs_compiler *c, const char *p, size_t n)
{
    char *s = gs_arena_alloc(c->arena, n + 1);
    memcpy(s, p, n);
    s[n] = '\0';
    return s;
}

const char *gs_module_dir(struct gs_compiler *c, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return ".";
    return arena_text(c, path, slash == path ? 1 : (size_t)(slash - path));
}

/* --- resolution ------------------------------------------------------------------------------- */

/* The file that a directory means, into out; false when it has none. */
static bool file_of_dir(const char *dir, char out[PATH_MAX])
{
    char *text, entry[1024];
    size_t len;
    if (snprintf(out, PATH_MAX, "%s/langoost.json", dir) < PATH_MAX && is_file(out) &&
        gs_module_read(out, &text, &len) == 0) {
        bool found = gs_module_json_main(text, len, entry, sizeof(entry));
        gs_mem_free(text);
        if (found && snprintf(out, PATH_MAX, "%s/%s", dir, entry) < PATH_MAX && is_file(out))
            return true;
    }
    return snprintf(out, PATH_MAX, "%s/main.goost", dir) < PATH_MAX && is_file(out);
}

/* base/name as a file (when `exact`), with .goost, or as a directory. */
static bool try_at(const char *base, struct gs_slice name, bool exact, char out[PATH_MAX])
{
    char path[PATH_MAX];
    const char *sep = base[0] == '\0' ? "" : "/";
    if (snprintf(path, sizeof(path), "%s%s%.*s", base, sep, GS_SLICE_ARGS(name)) >= PATH_MAX)
        return false;
    bool suffixed = name.n > 6 && memcmp(name.p + name.n - 6, ".goost", 6) == 0;
    if ((exact || suffixed) && is_file(path)) {
        memcpy(out, path, strlen(path) + 1);
        return true;
    }
    if (snprintf(out, PATH_MAX, "%s.goost", path) < PATH_MAX && is_file(out))
        return true;
    return is_dir(path) && file_of_dir(path, out);
}

static bool is_path(struct gs_slice from)
{
    if (from.n >= 1 && from.p[0] == '/')
        return true;
    if (from.n >= 2 && from.p[0] == '.' && from.p[1] == '/')
        return true;
    if (from.n >= 3 && memcmp(from.p, "../", 3) == 0)
        return true;
    return gs_slice_is(from, ".") || gs_slice_is(from, "..");
}

static bool find_file(const struct gs_unit *u, struct gs_slice from, char out[PATH_MAX],
                      char *looked, size_t size)
{
    char mods[PATH_MAX];
    if (is_path(from)) {
        snprintf(looked, size, "%s", from.p[0] == '/' ? "/" : u->dir);
        return try_at(from.p[0] == '/' ? "" : u->dir, from, true, out);
    }
    const char *script = u->c->script_dir;
    bool here = strcmp(script, ".") == 0;
    snprintf(looked, size, "the standard library, %s/langoost_modules%s, %s%s", script,
             here ? "" : ", ./langoost_modules", script, here ? "" : ", .");
    if (snprintf(mods, sizeof(mods), "%s/langoost_modules", script) < PATH_MAX &&
        try_at(mods, from, false, out))
        return true;
    return try_at("./langoost_modules", from, false, out) || try_at(script, from, false, out) ||
           try_at(".", from, false, out);
}

/* --- units ------------------------------------------------------------------------------------ */

static const char *shown_path(struct gs_compiler *c, const char *real)
{
    size_t n = strlen(c->cwd);
    if (strncmp(real, c->cwd, n) == 0 && (real[n] == '/' || (n == 1 && c->cwd[0] == '/')))
        return real + n + (n == 1 ? 0 : 1);
    return real;
}

static char *perm_text(const char *p, size_t n)
{
    char *s = gs_perm_alloc(n + 1);
    memcpy(s, p, n);
    return s;
}

static struct gs_modinfo *new_info(struct gs_compiler *c, const char *shown, struct gs_slice name)
{
    (void)c;
    struct gs_modinfo *m = gs_perm_alloc(sizeof(*m));
    m->name = gs_slice_atom(name);
    m->path = perm_text(shown, strlen(shown));
    m->value = gs_perm_alloc(sizeof(*m->value));
    m->value->h.kind = GS_T_MODULE;
    m->value->h.flags = GS_OF_IMMORTAL;
    m->value->name = m->name;
    m->value->mod = m;
    return m;
}

struct gs_unit *gs_module_unit(struct gs_compiler *c, const char *shown, const char *name,
                               const char *real, const char *dir, const char *text, size_t len)
{
    struct gs_unit *u = gs_arena_alloc(c->arena, sizeof(*u));
    struct gs_source *src =
        gs_perm_alloc(sizeof(*src)); /* messages quote it when all else is gone */
    u->c = c;
    u->info = new_info(c, shown, gs_slice_z(name));
    src->path = u->info->path;
    src->text = text;
    src->len = len;
    u->src = src;
    u->real = real;
    u->dir = dir;
    GS_VEC_PUSH(&c->units, u);
    return u;
}

/* The last component without .goost, when it is a name. */
static struct gs_slice stem_of(struct gs_slice from)
{
    struct gs_slice s = from;
    for (size_t i = 0; i < from.n; i++) {
        if (from.p[i] == '/' && i + 1 < from.n)
            s = (struct gs_slice){from.p + i + 1, from.n - i - 1};
    }
    if (s.n > 6 && memcmp(s.p + s.n - 6, ".goost", 6) == 0)
        s.n -= 6;
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        bool word = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' ||
                    (i > 0 && ch >= '0' && ch <= '9');
        if (!word)
            return (struct gs_slice){NULL, 0};
    }
    return s;
}

static void report_cycle(struct gs_unit *u, const struct gs_node *n, const struct gs_unit *back)
{
    char text[400];
    size_t at = 0;
    bool in = false;
    for (uint32_t i = 0; i < u->c->units.n; i++) {
        const struct gs_unit *x = u->c->units.v[i];
        in = in || x == back;
        if (!in || x->state != GS_UNIT_LOADING)
            continue;
        int w = snprintf(text + at, sizeof(text) - at, "%s -> ", x->src->path);
        if (w < 0 || (size_t)w >= sizeof(text) - at) {
            snprintf(text + sizeof(text) - 9, 9, "... -> ");
            break;
        }
        at += (size_t)w;
    }
    gs_diag_error(u->c->diag, u->src, n->imp->from_pos, "import cycle: %s%s", text,
                  back->src->path);
}

static struct gs_unit *load_file(struct gs_unit *u, const struct gs_node *n, const char *path,
                                 bool *first)
{
    struct gs_compiler *c = u->c;
    char real[PATH_MAX];
    char *text;
    size_t len;
    *first = false;
    if (realpath(path, real) == NULL)
        snprintf(real, sizeof(real), "%s", path);
    for (uint32_t i = 0; i < c->units.n; i++) {
        struct gs_unit *x = c->units.v[i];
        if (x->real == NULL || strcmp(x->real, real) != 0)
            continue;
        if (x->state == GS_UNIT_LOADING) {
            report_cycle(u, n, x);
            return NULL;
        }
        return x->state == GS_UNIT_READY ? x : NULL;
    }
    int err = gs_module_read(real, &text, &len);
    if (err != 0) {
        gs_diag_error(c->diag, u->src, n->imp->from_pos, "cannot read \"%s\": %s",
                      shown_path(c, real), strerror(err));
        return NULL;
    }
    const char *keep = arena_text(c, real, strlen(real));
    struct gs_slice stem = stem_of(gs_slice_z(keep));
    if (gs_slice_is(stem, "main") ||
        stem.n == 0) /* a directory's module bears the directory's name */
        stem = stem_of(gs_slice_z(gs_module_dir(c, keep)));
    const char *name = stem.n ? arena_text(c, stem.p, stem.n) : "module";
    struct gs_unit *x =
        gs_module_unit(c, shown_path(c, keep), name, keep, gs_module_dir(c, keep), text, len);
    gs_module_compile(x);
    *first = x->state == GS_UNIT_READY;
    return *first ? x : NULL;
}

static void load_import(struct gs_unit *u, struct gs_node *n)
{
    struct gs_importnode *in = n->imp;
    struct gs_import *imp = gs_arena_alloc(u->c->arena, sizeof(*imp));
    char path[PATH_MAX], looked[PATH_MAX];
    imp->node = n;
    imp->lib = gs_nil();
    n->info = imp;
    GS_VEC_PUSH(&u->imports, imp);
    imp->soft = is_path(in->from) && in->as.n == 0;
    imp->stem = stem_of(in->from);
    bool sane = in->from.n != 0 && memchr(in->from.p, '\0', in->from.n) == NULL;
    if (sane && !is_path(in->from) && gs_hook_lib_module(in->from.p, in->from.n, &imp->lib))
        return;
    imp->lib = gs_nil();
    imp->failed = true;
    looked[0] = '\0';
    if (!sane || !find_file(u, in->from, path, looked, sizeof(looked))) {
        gs_diag_error(u->c->diag, u->src, in->from_pos, "unknown module \"%.*s\"%s%.300s",
                      GS_SLICE_ARGS(in->from), looked[0] ? "; looked in " : "", looked);
        return;
    }
    imp->unit = load_file(u, n, path, &imp->runs_here);
    imp->failed = imp->unit == NULL;
}

/* In a session a function is a variable that is set at the start of its text, so that a later one of its name takes its place everywhere. */
static void loosen_functions(struct gs_arena *a, struct gs_list *l)
{
    struct gs_node **v = gs_arena_alloc(a, (l->n + 1u) * sizeof(*v));
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->n; i++) {
        struct gs_node *decl = l->v[i];
        if (decl->kind != GS_N_FNDECL)
            continue;
        struct gs_node *fn = gs_arena_alloc(a, sizeof(*fn));
        *fn = *decl;
        fn->kind = GS_N_FN;
        *decl = (struct gs_node){.kind = GS_N_LET, .height = fn->height, .pos = fn->pos, .name = fn->fn->name, .a = fn};
        v[n++] = decl;
    }
    for (uint32_t i = 0, k = 0; i < l->n; i++) {
        if (k < n && l->v[i] == v[k])
            k++;
        else
            v[n + i - k] = l->v[i];
    }
    l->v = v;
}

/* The value of a text is that of an expression at its end. */
static void give_value(const struct gs_list *l)
{
    if (l->n > 0 && l->v[l->n - 1]->kind == GS_N_EXPR)
        l->v[l->n - 1]->kind = GS_N_RETURN;
}

void gs_module_compile(struct gs_unit *u)
{
    struct gs_compiler *c = u->c;
    unsigned before = gs_diag_errors(c->diag);
    u->state = GS_UNIT_LOADING;
    u->tree = gs_parse(c->arena, u->src, c->diag);
    if (gs_diag_errors(c->diag) != before) {
        u->state = GS_UNIT_FAILED;
        return;
    }
    if (u->grows) {
        loosen_functions(c->arena, &u->tree->list);
        give_value(&u->tree->list);
    }
    for (uint32_t i = 0; i < u->tree->list.n; i++) {
        if (u->tree->list.v[i]->kind == GS_N_IMPORT)
            load_import(u, u->tree->list.v[i]);
    }
    gs_scope_unit(u);
    if (gs_diag_errors(c->diag) == 0)
        gs_emit_unit(u);
    u->state = gs_diag_errors(c->diag) == before ? GS_UNIT_READY : GS_UNIT_FAILED;
}
