/* SPDX-License-Identifier: MIT
 * parse_decl.c - functions, types, classes, interfaces, imports.
 */
#include "parse_int.h"

#include <string.h>

/* ---- types ---- */

/* The dotted path before the last name, as one slice. It is one in the source, too, unless blanks
 * stand around a dot. */
static struct gs_slice join_path(struct gs_parser *p, struct gs_slice path, struct gs_slice name)
{
    if (path.n == 0)
        return name;
    if (path.p + path.n + 1 == name.p) {
        path.n += 1 + name.n;
        return path;
    }
    char *both = gs_arena_alloc(p->arena, path.n + 1 + name.n);
    memcpy(both, path.p, path.n);
    both[path.n] = '.';
    memcpy(both + path.n + 1, name.p, name.n);
    return (struct gs_slice){both, path.n + 1 + name.n};
}

static void array_suffix(struct gs_parser *p, struct gs_typeref *t)
{
    while (!p->panic && gs_parse_at(p, GS_TK_LBRACKET) && !gs_parse_broken(p)) {
        gs_parse_advance(p);
        if (gs_parse_expect(p, GS_TK_RBRACKET))
            t->arrays++;
    }
}

struct gs_typeref *gs_parse_type(struct gs_parser *p)
{
    struct gs_typeref *t = gs_arena_alloc(p->arena, sizeof *t);
    t->pos = p->tok.pos;
    t->name = p->tok.text;
    if (gs_parse_at(p, GS_TK_FN)) {
        gs_parse_advance(p);
    } else if (gs_parse_at(p, GS_TK_NAME)) {
        gs_parse_advance(p);
        while (!p->panic && gs_parse_accept(p, GS_TK_DOT)) {
            t->module = join_path(p, t->module, t->name);
            t->pos = p->tok.pos;
            t->name = p->tok.text;
            if (gs_parse_at(p, GS_TK_NAME))
                gs_parse_advance(p);
            else
                gs_parse_fail(p, "type");
        }
    } else {
        gs_parse_fail(p, "type");
    }
    array_suffix(p, t);
    return t;
}

struct gs_typeref *gs_parse_annotation(struct gs_parser *p)
{
    if (!gs_parse_at(p, GS_TK_COLON) || gs_parse_broken(p))
        return NULL;
    gs_parse_advance(p);
    if (gs_parse_broken(p)) {
        gs_parse_fail_line(p, "type");
        return NULL;
    }
    return gs_parse_type(p);
}

/* ---- functions ---- */

static void param(struct gs_parser *p, struct gs_param *out)
{
    out->pos = p->tok.pos;
    out->rest = gs_parse_accept(p, GS_TK_ELLIPSIS);
    if (gs_parse_at(p, GS_TK_END)) {
        gs_parse_fail(p, ")");
        return;
    }
    out->name = gs_parse_name(p);
    if (p->panic)
        return;
    out->type = gs_parse_annotation(p);
    if (!p->panic && !out->rest && gs_parse_accept(p, GS_TK_ASSIGN))
        out->def = gs_parse_expr(p);
}

static void check_order(struct gs_parser *p, const struct gs_param *last,
                        const struct gs_param *now)
{
    if (last->rest)
        gs_parse_complain(p, last->pos, "a rest parameter must be the last one");
    else if (last->def && !now->def && !now->rest)
        gs_parse_complain(p, now->pos, "a parameter without a default follows one with a default");
}

/* ( a, b: int, c = 1, ...d ) */
static void params(struct gs_parser *p, struct gs_fnnode *fn)
{
    size_t mark = p->used;
    struct gs_param last = {0};
    if (!gs_parse_expect(p, GS_TK_LPAREN))
        return;
    struct gs_parse_mode mode = gs_parse_open(p, &p->open_round);
    while (!p->panic && !gs_parse_at(p, GS_TK_RPAREN)) {
        struct gs_param now = {0};
        param(p, &now);
        check_order(p, &last, &now);
        memcpy(gs_parse_push(p, sizeof now), &now, sizeof now);
        last = now;
        if (p->panic || !gs_parse_accept(p, GS_TK_COMMA))
            break;
    }
    fn->end = p->tok.pos;
    gs_parse_close(p, mode, &p->open_round, GS_TK_RPAREN);
    fn->params = gs_parse_take(p, mark, sizeof last, &fn->nparams);
}

struct gs_fnnode *gs_parse_function(struct gs_parser *p, enum gs_parse_fn what, struct gs_pos at)
{
    struct gs_fnnode *fn = gs_arena_alloc(p->arena, sizeof *fn);
    fn->pos = at;
    fn->method = what == GS_PARSE_METHOD || what == GS_PARSE_SIGNATURE;
    if (what == GS_PARSE_NAMED)
        fn->name = gs_parse_name(p);
    else if (fn->method)
        fn->name = gs_parse_word(p);
    /* A level besides its block's: nothing else that nests takes as much stack. */
    if (p->panic || !gs_parse_enter(p))
        return fn;
    params(p, fn);
    if (!p->panic)
        fn->ret = gs_parse_annotation(p);
    if (!p->panic && what != GS_PARSE_SIGNATURE) {
        fn->body = gs_parse_block(p);
        fn->end = fn->body->end;
    }
    p->depth--;
    return fn;
}

void gs_parse_lift_fn(struct gs_parser *p, struct gs_node *n, const struct gs_fnnode *fn)
{
    gs_parse_lift(p, n, fn->body);
    for (uint32_t i = 0; i < fn->nparams; i++)
        gs_parse_lift(p, n, fn->params[i].def);
}

/* ---- classes and interfaces ---- */

static struct gs_node *superclass(struct gs_parser *p)
{
    struct gs_node *n = gs_parse_node(p, GS_N_NAME, p->tok.pos);
    n->name = gs_parse_name(p);
    while (!p->panic && gs_parse_accept(p, GS_TK_DOT)) {
        struct gs_node *m = gs_parse_node(p, GS_N_MEMBER, p->tok.pos);
        m->a = n;
        m->name = gs_parse_name(p);
        gs_parse_lift(p, m, n);
        n = m;
    }
    return n;
}

/* One `fn name(...)`; false when nothing like it stands here. */
static bool method(struct gs_parser *p, struct gs_node *owner, enum gs_parse_fn what)
{
    struct gs_pos at = p->tok.pos;
    if (!gs_parse_accept(p, GS_TK_FN)) {
        gs_parse_fail(p, gs_parse_at(p, GS_TK_END) ? "}" : "fn");
        return false;
    }
    struct gs_fnnode *fn = gs_parse_function(p, what, at);
    gs_parse_lift_fn(p, owner, fn);
    *(struct gs_fnnode **)gs_parse_push(p, sizeof fn) = fn;
    return true;
}

/* The members between braces. Each recovers by itself, as statements do. */
static struct gs_fnnode **methods(struct gs_parser *p, struct gs_node *owner, enum gs_parse_fn what,
                                  uint32_t *n)
{
    *n = 0;
    if (!gs_parse_expect(p, GS_TK_LBRACE))
        return NULL;
    size_t mark = p->used;
    struct gs_parse_mode mode = {p->nl_off, p->header};
    unsigned braces = p->open_braces, round = p->open_round;
    p->nl_off = p->header = false;
    while (!gs_parse_at(p, GS_TK_END) && !gs_parse_at(p, GS_TK_RBRACE)) {
        if (gs_parse_accept(p, GS_TK_SEMI))
            continue;
        p->open_braces = p->open_round = 0;
        bool is_fn = method(p, owner, what);
        if (p->panic && !is_fn && !gs_parse_at(p, GS_TK_LBRACE))
            gs_parse_advance(p);
        else if (!is_fn)
            p->tok.nl = false; /* the block goes, with all that is in it */
        if (p->panic)
            gs_parse_recover(p, is_fn && what == GS_PARSE_METHOD ? GS_TK_FN : GS_TK_NAME);
    }
    p->open_braces = braces;
    p->open_round = round;
    if (!gs_parse_accept(p, GS_TK_RBRACE))
        gs_parse_fail(p, "}");
    p->nl_off = mode.nl_off;
    p->header = mode.header;
    return gs_parse_take(p, mark, sizeof(struct gs_fnnode *), n);
}

struct gs_node *gs_parse_class(struct gs_parser *p)
{
    struct gs_node *n = gs_parse_node(p, GS_N_CLASS, p->tok.pos);
    struct gs_classnode *c = n->cls = gs_arena_alloc(p->arena, sizeof *c);
    gs_parse_advance(p);
    c->name = gs_parse_name(p);
    if (!p->panic && gs_parse_at(p, GS_TK_EXTENDS) && !gs_parse_broken(p)) {
        gs_parse_advance(p);
        c->super = superclass(p);
        gs_parse_lift(p, n, c->super);
    }
    if (!p->panic)
        c->methods = methods(p, n, GS_PARSE_METHOD, &c->nmethods);
    return n;
}

struct gs_node *gs_parse_interface(struct gs_parser *p)
{
    struct gs_node *n = gs_parse_node(p, GS_N_INTERFACE, p->tok.pos);
    struct gs_ifacenode *c = n->iface = gs_arena_alloc(p->arena, sizeof *c);
    gs_parse_advance(p);
    c->name = gs_parse_name(p);
    if (!p->panic)
        c->methods = methods(p, n, GS_PARSE_SIGNATURE, &c->nmethods);
    return n;
}

/* ---- type Name = { field: T, ... } ---- */

static void type_fields(struct gs_parser *p, struct gs_typenode *t)
{
    struct pair {
        struct gs_slice name;
        struct gs_typeref *type;
    };
    size_t mark = p->used;
    while (!p->panic && !gs_parse_at(p, GS_TK_RBRACE)) {
        struct pair f = {gs_parse_at(p, GS_TK_STR) ? p->tok.str : p->tok.text, NULL};
        if (!gs_parse_at(p, GS_TK_STR) && !gs_token_is_word(p->tok.kind)) {
            gs_parse_fail(p, gs_parse_at(p, GS_TK_END) ? "}" : "key");
            break;
        }
        gs_parse_advance(p);
        f.type = gs_parse_annotation(p);
        memcpy(gs_parse_push(p, sizeof f), &f, sizeof f);
        if (p->panic || !gs_parse_accept(p, GS_TK_COMMA))
            break;
    }
    struct pair *v = gs_parse_take(p, mark, sizeof *v, &t->nfields);
    t->fields = gs_arena_alloc(p->arena, t->nfields * sizeof *t->fields);
    t->types = gs_arena_alloc(p->arena, t->nfields * sizeof *t->types);
    for (uint32_t i = 0; i < t->nfields; i++) {
        t->fields[i] = v[i].name;
        t->types[i] = v[i].type;
    }
}

struct gs_node *gs_parse_typedecl(struct gs_parser *p)
{
    struct gs_node *n = gs_parse_node(p, GS_N_TYPE, p->tok.pos);
    struct gs_typenode *t = n->tdecl = gs_arena_alloc(p->arena, sizeof *t);
    gs_parse_advance(p);
    t->name = gs_parse_name(p);
    if (p->panic || !gs_parse_expect(p, GS_TK_ASSIGN))
        return n;
    if (!gs_parse_at(p, GS_TK_LBRACE)) {
        gs_parse_fail(p, "{");
        return n;
    }
    gs_parse_advance(p);
    struct gs_parse_mode mode = gs_parse_open(p, &p->open_braces);
    type_fields(p, t);
    gs_parse_close(p, mode, &p->open_braces, GS_TK_RBRACE);
    return n;
}

/* ---- imports ---- */

/* A module by name or path. */
static void import_from(struct gs_parser *p, struct gs_importnode *imp)
{
    imp->from_pos = p->tok.pos;
    if (gs_parse_at(p, GS_TK_STR) && !gs_parse_broken(p)) {
        imp->quoted = true;
        imp->from = p->tok.str;
        gs_parse_advance(p);
    } else if (gs_parse_at(p, GS_TK_NAME) && !gs_parse_broken(p)) {
        imp->from = p->tok.text;
        gs_parse_advance(p);
    } else {
        gs_parse_fail_line(p, "module name");
    }
}

/* a, or a as b. A keyword may be imported only under another name. */
static void import_name(struct gs_parser *p)
{
    struct gs_importname name = {.pos = p->tok.pos};
    if (gs_parse_at(p, GS_TK_END)) {
        gs_parse_fail(p, "}");
        return;
    }
    bool renamed = gs_token_is_word(p->tok.kind) && gs_parse_peek(p)->kind == GS_TK_AS;
    name.name = renamed ? gs_parse_word(p) : gs_parse_name(p);
    if (!p->panic && gs_parse_accept(p, GS_TK_AS))
        name.as = gs_parse_name(p);
    memcpy(gs_parse_push(p, sizeof name), &name, sizeof name);
}

static void import_names(struct gs_parser *p, struct gs_importnode *imp)
{
    size_t mark = p->used;
    gs_parse_advance(p);
    struct gs_parse_mode mode = gs_parse_open(p, &p->open_braces);
    do
        import_name(p);
    while (!p->panic && gs_parse_accept(p, GS_TK_COMMA) && !gs_parse_at(p, GS_TK_RBRACE));
    gs_parse_close(p, mode, &p->open_braces, GS_TK_RBRACE);
    imp->names = gs_parse_take(p, mark, sizeof *imp->names, &imp->nnames);
}

struct gs_node *gs_parse_import(struct gs_parser *p)
{
    struct gs_node *n = gs_parse_node(p, GS_N_IMPORT, p->tok.pos);
    struct gs_importnode *imp = n->imp = gs_arena_alloc(p->arena, sizeof *imp);
    if (p->blocks > 0)
        gs_parse_complain(p, p->tok.pos, "import stands only at the top level");
    gs_parse_advance(p);
    if (gs_parse_at(p, GS_TK_LBRACE) && !gs_parse_broken(p)) {
        import_names(p, imp);
        if (!p->panic && gs_parse_expect(p, GS_TK_FROM))
            import_from(p, imp);
        return n;
    }
    import_from(p, imp);
    if (!p->panic && gs_parse_at(p, GS_TK_AS) && !gs_parse_broken(p)) {
        gs_parse_advance(p);
        if (gs_parse_broken(p) && gs_parse_at(p, GS_TK_NAME))
            p->tok.nl = false; /* after `as` a line may break */
        imp->as = gs_parse_name(p);
    }
    return n;
}
