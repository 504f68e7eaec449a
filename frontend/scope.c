/* SPDX-License-Identifier: MIT
 * scope.c - the walk over a unit's tree: bindings, uses, captures, and errors about them. See
 * scope.h.
 *
 * Depth      The parser bounds how deeply blocks and operands nest, but not how long a chain of
 *            left operands (a + b + c ...), of else ifs or of statements is: those are walked by
 *            loops.
 */
#include "scope_int.h"

#include "hooks.h"
#include "object.h"

static void walk_expr(struct gs_walker *w, struct gs_node *n);
static void walk_stmt(struct gs_walker *w, struct gs_node *n);
static void walk_block(struct gs_walker *w, struct gs_node *n);

/* --- scopes ----------------------------------------------------------------------------------- */

struct saved_scope {
    uint32_t scope, bound;
};

static struct saved_scope enter(struct gs_walker *w)
{
    struct saved_scope s = {w->scope, w->bound.n};
    w->scope = ++w->scopes;
    return s;
}

static void leave(struct gs_walker *w, struct saved_scope s)
{
    while (w->bound.n > s.bound) {
        struct gs_sym *b = w->bound.v[--w->bound.n];
        b->ident->sym = b->outer;
    }
    w->scope = s.scope;
}

static void loop_begin(struct gs_walker *w)
{
    GS_VEC_PUSH(&w->fn->loops, ++w->seq);
}

static void loop_end(struct gs_walker *w)
{
    w->fn->loops.n--;
}

/* --- uses ------------------------------------------------------------------------------------- */

static struct gs_sym *builtin(struct gs_walker *w, struct gs_ident *id)
{
    if (id->builtin_known)
        return id->builtin;
    id->builtin_known = true;
    gs_value v;
    bool found = w->u->prelude && id->text.n > 2 && id->text.p[0] == '_' && id->text.p[1] == '_'
                     ? gs_slice_is(id->text, "__call") ||
                           gs_hook_intrinsic(id->text.p + 2, id->text.n - 2, &v)
                     : gs_hook_builtin(id->text.p, id->text.n, &v);
    if (!found)
        return NULL;
    struct gs_sym *s = gs_arena_alloc(w->c->arena, sizeof(*s));
    s->kind = GS_SYM_BUILTIN;
    s->name = id->text;
    s->ident = id;
    s->declared = true;
    s->value = gs_slice_is(id->text, "__call") ? gs_nil() : v;
    return id->builtin = s;
}

struct gs_sym *gs_scope_lookup(struct gs_walker *w, struct gs_slice name)
{
    struct gs_ident *id = gs_ident(w->c, name);
    struct gs_sym *s = id->sym;
    /* In straight top-level code a let is visible from its end on, and before that what an earlier text of a session has declared; functions see all of them. */
    if (s != NULL && s->kind == GS_SYM_GLOBAL && !s->declared && w->fn == w->u->main)
        s = s->outer;
    return s != NULL ? s : builtin(w, id);
}

static bool is_local(const struct gs_sym *s)
{
    return s->kind <= GS_SYM_FN;
}

static int32_t capture_index(const struct gs_fnscope *f, const struct gs_sym *s)
{
    if (f->capidx.v != NULL) {
        const struct gs_table_entry *e = gs_table_find(&f->capidx, (uint64_t)(uintptr_t)s);
        return e ? (int32_t)e->value : -1;
    }
    for (uint32_t i = 0; i < f->caps.n; i++) {
        if (f->caps.v[i].sym == s)
            return (int32_t)i;
    }
    return -1;
}

static void add_capture(struct gs_fnscope *f, struct gs_capref c)
{
    if (f->caps.n == 8) {
        for (uint32_t i = 0; i < 8; i++)
            gs_table_put(&f->capidx, (uint64_t)(uintptr_t)f->caps.v[i].sym, i);
    }
    if (f->caps.n >= 8)
        gs_table_put(&f->capidx, (uint64_t)(uintptr_t)c.sym, f->caps.n);
    GS_VEC_PUSH(&f->caps, c);
}

static bool in_header(const struct gs_walker *w, const struct gs_sym *s)
{
    for (const struct gs_header *h = w->header; s->loop_id != 0 && h != NULL; h = h->up) {
        if (h->id == s->loop_id)
            return true;
    }
    return false;
}

static uint32_t loop_around(const struct gs_sym *s)
{
    const uint32_t *v = s->fn->loops.v;
    uint32_t lo = 0, hi = s->fn->loops.n;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (v[mid] > s->made_seq)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo < s->fn->loops.n ? v[lo] : 0;
}

/* The walker's function uses the local variable s of another one. */
static void capture(struct gs_walker *w, struct gs_sym *s, struct gs_pos at)
{
    if (in_header(w, s))
        s->force_cell = true;
    for (struct gs_fnscope *f = w->fn; f != s->fn; f = f->parent) {
        if (f->sealed) {
            gs_scope_error(
                w, at, "a method of a local class cannot use \"%.*s\" of the function around it",
                GS_SLICE_ARGS(s->name));
            return;
        }
        if (capture_index(f, s) >= 0)
            return;
        bool direct = f->parent == s->fn;
        add_capture(f, (struct gs_capref){s, direct ? loop_around(s) : 0, false});
    }
}

static void use(struct gs_walker *w, struct gs_sym *s, struct gs_pos at)
{
    if (s->kind == GS_SYM_GLOBAL && w->fn != w->u->main)
        s->named_in_fn = true;
    if (s->kind == GS_SYM_FN && !s->declared)
        s->hoisted = true;
    if (is_local(s) && s->fn != w->fn)
        capture(w, s, at);
}

/* A function of a session may name what a later text will declare: a global that has no value yet, in the outermost scope. */
static struct gs_sym *expect(struct gs_walker *w, struct gs_slice name, struct gs_pos at)
{
    struct gs_sym *s = gs_sym_new(w, GS_SYM_GLOBAL, name, at);
    s->declared = true;
    gs_sym_place(w, s);
    s->ident->builtin_known = true;
    return s->ident->builtin = s;
}

static bool is_expected(const struct gs_sym *s)
{
    return s != NULL && s->kind == GS_SYM_GLOBAL && s == s->ident->builtin;
}

static struct gs_sym *resolve(struct gs_walker *w, struct gs_slice name, struct gs_pos at, bool value)
{
    struct gs_sym *s = gs_scope_lookup(w, name);
    bool later = value && w->u->grows && w->fn != w->u->main;
    if (s == NULL && later)
        s = expect(w, name, at);
    if (s == NULL || (is_expected(s) && !later)) {
        gs_scope_error(w, at, "undefined variable \"%.*s\"", GS_SLICE_ARGS(name));
        return NULL;
    }
    use(w, s, at);
    return s;
}

static void walk_name(struct gs_walker *w, struct gs_node *n)
{
    struct gs_sym *s = resolve(w, n->name, n->pos, true);
    n->info = s != NULL && s->kind == GS_SYM_ALIAS && s->target != NULL ? s->target : s;
}

static void walk_self(struct gs_walker *w, struct gs_node *n)
{
    const char *what = n->kind == GS_N_SELF ? "self" : "super";
    struct gs_fnscope *f = w->fn;
    while (f != NULL && f->self == NULL)
        f = f->parent;
    if (f == NULL) {
        gs_scope_error(w, n->pos, "%s outside a method", what);
        return;
    }
    n->info = f->self;
    if (n->kind == GS_N_SUPER && f->cls->super == NULL) {
        gs_scope_error(w, n->pos, "class \"%.*s\" has no superclass", (int)f->cls->name->len,
                       f->cls->name->data);
        return;
    }
    use(w, f->self, n->pos);
}

/* --- functions -------------------------------------------------------------------------------- */

static void walk_params(struct gs_walker *w, struct gs_fnscope *f)
{
    const struct gs_fnnode *fn = f->node;
    f->params = gs_arena_alloc(w->c->arena, (fn->nparams + 1u) * sizeof(struct gs_sym *));
    for (uint32_t i = 0; i < fn->nparams; i++) {
        const struct gs_param *p = &fn->params[i];
        gs_annot_type(w, p->type);
        if (p->def != NULL) {
            gs_annot_value(w, p->type, p->def);
            walk_expr(w, p->def);
        }
        struct gs_sym *s = gs_sym_new(w, GS_SYM_PARAM, p->name, p->pos);
        s->declared = true;
        s->made_seq = s->let_seq = s->init_seq = ++w->seq;
        gs_sym_bind(w, s);
        f->params[i] = s;
    }
}

static struct gs_block *new_block(struct gs_walker *w, struct gs_node *n)
{
    struct gs_block *b = gs_arena_alloc(w->c->arena, sizeof(*b));
    n->info = b;
    b->seq = ++w->seq;
    GS_VEC_PUSH(&w->u->blocks, b);
    return b;
}

/* The statements of a block in the innermost scope. */
static void walk_body(struct gs_walker *w, struct gs_node *n)
{
    struct gs_block *outer = w->block;
    struct gs_block *b = new_block(w, n);
    w->block = b;
    gs_declare_block(w, &n->list, b);
    w->seq += b->fns.n;
    for (uint32_t i = 0; i < n->list.n; i++)
        walk_stmt(w, n->list.v[i]);
    w->block = outer;
}

static void walk_fn(struct gs_walker *w, struct gs_fnscope *f)
{
    struct gs_fnscope *outer = w->fn;
    struct gs_block *outer_block = w->block;
    w->fn = f;
    w->block = NULL;
    struct saved_scope s = enter(w);
    if (f->node->method) {
        f->self = gs_sym_new(w, GS_SYM_SELF, gs_slice_z("self"), f->node->pos);
        f->self->declared = true;
        f->self->made_seq = f->self->init_seq = ++w->seq;
    }
    walk_params(w, f);
    gs_annot_type(w, f->node->ret);
    walk_body(w, f->node->body);
    leave(w, s);
    w->fn = outer;
    w->block = outer_block;
}

static struct gs_fnscope *walk_literal(struct gs_walker *w, struct gs_node *n, struct gs_sym *own)
{
    struct gs_fnscope *f = gs_fn_new(w, n->fn, w->fn);
    f->own = own;
    f->seq = ++w->seq;
    if (own != NULL)
        own->body = f;
    walk_fn(w, f);
    return f;
}

/* --- expressions ------------------------------------------------------------------------------ */

static void walk_list(struct gs_walker *w, const struct gs_list *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        walk_expr(w, l->v[i]);
}

static void walk_fields(struct gs_walker *w, const struct gs_node *n)
{
    for (uint32_t i = 0; i < n->fields.n; i++)
        walk_expr(w, n->fields.v[i].value);
}

static void walk_instance(struct gs_walker *w, struct gs_node *n)
{
    walk_expr(w, n->a);
    gs_value v;
    bool poison;
    const struct gs_node *base = n->a;
    while (base->kind == GS_N_MEMBER)
        base = base->a;
    const struct gs_sym *t = gs_scope_type_sym(n->a, &v, &poison);
    if (!poison && (t == NULL || t->kind == GS_SYM_IFACE) &&
        !(base->kind == GS_N_NAME && base->info == NULL))
        gs_scope_error(w, n->a->pos, "\"%.*s\" is not a class or type", GS_SLICE_ARGS(n->a->name));
    walk_fields(w, n);
}

static bool has_left(const struct gs_node *n)
{
    switch (n->kind) {
    case GS_N_BINARY:
    case GS_N_AND:
    case GS_N_OR:
    case GS_N_COALESCE:
    case GS_N_COND:
    case GS_N_INDEX:
    case GS_N_MEMBER:
    case GS_N_CALL:
    case GS_N_IS:
    case GS_N_AS:
    case GS_N_UNARY:
    case GS_N_SPREAD:
        return true;
    default:
        return false;
    }
}

static void check_member(struct gs_walker *w, const struct gs_node *n)
{
    gs_value v;
    struct gs_sym *s;
    struct gs_modref m;
    if (gs_scope_member(n, &v, &s) != GS_MEMBER_MISSING || !gs_scope_module(n->a, &m))
        return;
    const char *name =
        m.unit ? m.unit->info->name->data : ((struct gs_module *)m.lib.p)->name->data;
    gs_scope_error(w, n->pos, "module \"%s\" has no member \"%.*s\"", name, GS_SLICE_ARGS(n->name));
}

/* A module cannot be called, so assert(x) beside `import assert` means the built-in function. */
static void call_beside_module(struct gs_walker *w, struct gs_node *callee)
{
    struct gs_modref m;
    if (callee->kind != GS_N_NAME || callee->info == NULL || !gs_scope_module(callee, &m))
        return;
    struct gs_sym *s = builtin(w, gs_ident(w->c, callee->name));
    if (s != NULL && s->kind == GS_SYM_BUILTIN && !gs_is(s->value, GS_T_MODULE))
        callee->info = s;
}

/* What follows the left operand. */
static void walk_rest(struct gs_walker *w, struct gs_node *n)
{
    switch (n->kind) {
    case GS_N_COND:
        walk_expr(w, n->b);
        walk_expr(w, n->c);
        break;
    case GS_N_CALL:
        call_beside_module(w, n->a);
        walk_list(w, &n->list);
        break;
    case GS_N_IS:
    case GS_N_AS:
        gs_annot_test(w, n);
        break;
    case GS_N_MEMBER:
        check_member(w, n);
        break;
    default:
        if (n->b != NULL)
            walk_expr(w, n->b);
        break;
    }
}

static void walk_leaf(struct gs_walker *w, struct gs_node *n)
{
    switch (n->kind) {
    case GS_N_NAME:
        walk_name(w, n);
        break;
    case GS_N_SELF:
    case GS_N_SUPER:
        walk_self(w, n);
        break;
    case GS_N_INTERP:
    case GS_N_ARRAY:
        walk_list(w, &n->list);
        break;
    case GS_N_OBJECT:
        walk_fields(w, n);
        break;
    case GS_N_INSTANCE:
        walk_instance(w, n);
        break;
    case GS_N_FN:
        walk_literal(w, n, NULL);
        break;
    default:
        break;
    }
}

static void walk_expr(struct gs_walker *w, struct gs_node *n)
{
    uint32_t base = w->spine.n;
    while (has_left(n)) {
        GS_VEC_PUSH(&w->spine, n);
        n = n->a;
    }
    walk_leaf(w, n);
    while (w->spine.n > base)
        walk_rest(w, w->spine.v[--w->spine.n]);
}

/* --- assignment ------------------------------------------------------------------------------- */

static const char *kind_word(const struct gs_sym *s)
{
    switch (s->kind) {
    case GS_SYM_FN:
    case GS_SYM_TOPFN:
        return "function";
    case GS_SYM_CLASS:
        return "class";
    case GS_SYM_IFACE:
        return "interface";
    case GS_SYM_TYPE:
        return "type";
    case GS_SYM_MODULE:
    case GS_SYM_ALIAS:
        return "imported name";
    case GS_SYM_BUILTIN:
        return "built-in";
    default:
        return s->is_const ? "constant" : NULL;
    }
}

static void walk_assign_name(struct gs_walker *w, struct gs_node *n)
{
    struct gs_sym *s = resolve(w, n->name, n->pos, false);
    n->info = s;
    if (s == NULL || s->kind == GS_SYM_POISON)
        return;
    const char *word = kind_word(s);
    if (word != NULL) {
        gs_scope_error(w, n->pos, "cannot assign to %s \"%.*s\"", word, GS_SLICE_ARGS(n->name));
        return;
    }
    s->assigned = true;
    if (is_local(s) && s->fn != w->fn)
        s->nested_assign = true;
    else if (!in_header(w, s))
        s->last_assign = ++w->seq;
}

static void walk_assign(struct gs_walker *w, struct gs_node *n)
{
    struct gs_node *t = n->a;
    if (t->kind == GS_N_NAME) {
        /* The variable changes after the value is known; a closure made in the value is a capture
         * before it. */
        walk_expr(w, n->b);
        walk_assign_name(w, t);
        return;
    }
    walk_expr(w, t);
    gs_value v;
    struct gs_sym *s;
    if (t->kind == GS_N_MEMBER) {
        enum gs_member m = gs_scope_member(t, &v, &s);
        if (m != GS_MEMBER_NONE && m != GS_MEMBER_POISON)
            gs_scope_error(w, t->pos, "cannot assign to member \"%.*s\" of a module",
                           GS_SLICE_ARGS(t->name));
    }
    walk_expr(w, n->b);
}

/* --- statements ------------------------------------------------------------------------------- */

/* Could running n call a function of the program? Function literals only make one. */
static bool may_call(const struct gs_node *n, unsigned depth)
{
    if (n == NULL)
        return false;
    if (depth == 0)
        return true;
    switch (n->kind) {
    case GS_N_NIL:
    case GS_N_BOOL:
    case GS_N_INT:
    case GS_N_FLOAT:
    case GS_N_STR:
    case GS_N_NAME:
    case GS_N_FN:
        return false;
    case GS_N_ARRAY:
    case GS_N_INTERP:
        for (uint32_t i = 0; i < n->list.n; i++) {
            if (may_call(n->list.v[i], depth - 1))
                return true;
        }
        return false;
    case GS_N_OBJECT:
    case GS_N_INSTANCE:
        for (uint32_t i = 0; i < n->fields.n; i++) {
            if (may_call(n->fields.v[i].value, depth - 1))
                return true;
        }
        return false;
    case GS_N_MEMBER:
    case GS_N_INDEX:
    case GS_N_UNARY:
    case GS_N_BINARY:
        return may_call(n->a, depth - 1) || may_call(n->b, depth - 1);
    default:
        return true;
    }
}

static void walk_init(struct gs_walker *w, struct gs_node *n, struct gs_sym *s)
{
    if (n->a == NULL)
        return;
    if (n->a->kind == GS_N_FN)
        walk_literal(w, n->a, s);
    else
        walk_expr(w, n->a);
    gs_annot_value(w, n->type, n->a);
}

static void walk_let(struct gs_walker *w, struct gs_node *n)
{
    gs_annot_type(w, n->type);
    if (w->scope == w->top) {
        struct gs_sym *s = n->info;
        walk_init(w, n, s);
        w->quiet = w->quiet && !may_call(n->a, 16);
        s->quiet = w->quiet;
        s->declared = true;
        return;
    }
    struct gs_sym *s = gs_sym_new(w, GS_SYM_LET, n->name, n->pos);
    s->node = n;
    s->is_const = n->flag;
    s->declared = true;
    n->info = s;
    s->let_seq = s->made_seq = ++w->seq;
    bool literal = n->a != NULL && n->a->kind == GS_N_FN;
    if (literal)
        gs_sym_bind(w, s);
    walk_init(w, n, s);
    if (!literal)
        gs_sym_bind(w, s);
    s->init_seq = ++w->seq;
}

static void walk_if(struct gs_walker *w, struct gs_node *n)
{
    for (; n != NULL && n->kind == GS_N_IF; n = n->c) {
        walk_expr(w, n->a);
        walk_block(w, n->b);
    }
    if (n != NULL)
        walk_block(w, n);
}

static struct gs_sym *loop_var(struct gs_walker *w, struct gs_slice name, struct gs_pos pos)
{
    struct gs_sym *s = gs_sym_new(w, GS_SYM_LOOP, name, pos);
    s->declared = true;
    s->made_seq = s->let_seq = s->init_seq = ++w->seq;
    gs_sym_bind(w, s);
    return s;
}

static void walk_forin(struct gs_walker *w, struct gs_node *n)
{
    walk_expr(w, n->a);
    struct saved_scope s = enter(w);
    loop_begin(w);
    struct gs_forin_info *info = gs_arena_alloc(w->c->arena, sizeof(*info));
    info->v1 = loop_var(w, n->name, n->pos);
    if (n->name2.n != 0)
        info->v2 = loop_var(w, n->name2, n->pos);
    walk_block(w, n->b);
    n->info = info;
    loop_end(w);
    leave(w, s);
}

static void walk_for(struct gs_walker *w, struct gs_node *n)
{
    struct saved_scope s = enter(w);
    struct gs_sym *v = NULL;
    if (n->init != NULL) {
        walk_stmt(w, n->init);
        if (n->init->kind == GS_N_LET)
            v = n->init->info;
    }
    loop_begin(w);
    struct gs_header h = {++w->fors, w->header};
    if (v != NULL) {
        v->loop_id = h.id;
        v->made_seq = ++w->seq; /* each iteration makes it anew */
    }
    w->header = &h;
    if (n->a != NULL)
        walk_expr(w, n->a);
    w->header = h.up;
    walk_block(w, n->b);
    w->header = &h;
    if (n->step != NULL)
        walk_stmt(w, n->step);
    w->header = h.up;
    loop_end(w);
    leave(w, s);
    n->info = v;
}

static void walk_try(struct gs_walker *w, struct gs_node *n)
{
    walk_block(w, n->a);
    if (n->b != NULL) {
        struct saved_scope s = enter(w);
        if (n->name.n != 0) {
            struct gs_sym *v = loop_var(w, n->name, n->pos);
            v->kind = GS_SYM_CATCH;
            n->info = v;
        }
        walk_block(w, n->b);
        leave(w, s);
    }
    if (n->c != NULL)
        walk_block(w, n->c);
}

static void walk_class(struct gs_walker *w, struct gs_node *n)
{
    for (uint32_t i = 0; i < n->cls->nmethods; i++)
        walk_fn(w, n->cls->methods[i]->scope);
}

static void walk_fndecl(struct gs_walker *w, struct gs_node *n)
{
    struct gs_sym *s = n->info;
    s->body->seq = ++w->seq;
    s->declared = true;
    walk_fn(w, s->body);
}

static void walk_return(struct gs_walker *w, struct gs_node *n)
{
    if (n->a == NULL)
        return;
    walk_expr(w, n->a);
    if (w->fn->node != NULL)
        gs_annot_value(w, w->fn->node->ret, n->a);
}

static void walk_stmt(struct gs_walker *w, struct gs_node *n)
{
    switch (n->kind) {
    case GS_N_LET:
        walk_let(w, n);
        return; /* it has said whether it is quiet */
    case GS_N_FNDECL:
        walk_fndecl(w, n);
        return;
    case GS_N_CLASS:
        walk_class(w, n);
        return;
    case GS_N_INTERFACE:
    case GS_N_TYPE:
        return;
    case GS_N_IMPORT:
        if (w->scope != w->top)
            gs_scope_error(w, n->pos, "imports belong at the top level");
        return;
    case GS_N_EXPR:
    case GS_N_THROW:
        walk_expr(w, n->a);
        break;
    case GS_N_DEFER:
        w->fn->has_defer = true;
        walk_expr(w, n->a);
        break;
    case GS_N_ASSIGN:
        walk_assign(w, n);
        break;
    case GS_N_RETURN:
        walk_return(w, n);
        break;
    case GS_N_IF:
        walk_if(w, n);
        break;
    case GS_N_WHILE:
        loop_begin(w);
        walk_expr(w, n->a);
        walk_block(w, n->b);
        loop_end(w);
        break;
    case GS_N_FORIN:
        walk_forin(w, n);
        break;
    case GS_N_FOR:
        walk_for(w, n);
        break;
    case GS_N_BREAK:
    case GS_N_CONTINUE:
        if (w->fn->loops.n == 0)
            gs_scope_error(w, n->pos, "%s outside a loop",
                           n->kind == GS_N_BREAK ? "break" : "continue");
        break;
    case GS_N_BLOCK:
        walk_block(w, n);
        break;
    case GS_N_TRY:
        walk_try(w, n);
        break;
    default:
        break;
    }
    if (w->fn == w->u->main)
        w->quiet = false;
}

static void walk_block(struct gs_walker *w, struct gs_node *n)
{
    struct saved_scope s = enter(w);
    walk_body(w, n);
    leave(w, s);
}

/* --- units ------------------------------------------------------------------------------------ */

void gs_scope_unit(struct gs_unit *u)
{
    struct gs_walker w = {.u = u, .c = u->c, .quiet = true};
    u->main = gs_fn_new(&w, NULL, NULL);
    gs_fn_constant(u->main);
    w.fn = u->main;
    struct saved_scope outer = enter(&w);
    for (uint32_t i = 0; u->grows && i < u->c->session.n; i++)
        gs_sym_bind(&w, u->c->session.v[i]);
    struct saved_scope s = enter(&w);
    w.top = w.scope;
    gs_declare_unit(&w);
    new_block(&w, u->tree);
    for (uint32_t i = 0; i < u->tree->list.n; i++)
        walk_stmt(&w, u->tree->list.v[i]);
    gs_scope_finish(&w);
    leave(&w, s);
    leave(&w, outer);
    GS_VEC_FREE(&w.bound);
    GS_VEC_FREE(&w.spine);
}

int32_t gs_scope_capture(const struct gs_fnscope *f, const struct gs_sym *s)
{
    return capture_index(f, s);
}
