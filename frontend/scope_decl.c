/* SPDX-License-Identifier: MIT
 * scope_decl.c - declarations: imports, functions, classes, interfaces and types, before any
 * statement is walked.
 *
 * Classes    are immortal objects made here, with the (still empty) functions of their methods, so
 *            that the order of declarations does not matter. A class becomes ready once its
 *            superclass is.
 */
#include "scope_int.h"

#include <stdlib.h>
#include <string.h>

#include "hooks.h"
#include "object.h"

struct gs_sym *gs_sym_new(struct gs_walker *w, enum gs_sym_kind kind, struct gs_slice name,
                          struct gs_pos pos)
{
    struct gs_sym *s = gs_arena_alloc(w->c->arena, sizeof(*s));
    s->kind = (uint8_t)kind;
    s->name = name;
    s->pos = pos;
    s->unit = w->u;
    s->fn = w->fn;
    s->block = w->block;
    s->ident = gs_ident(w->c, name);
    s->first_cap = UINT32_MAX;
    return s;
}

static bool later(struct gs_pos a, struct gs_pos b)
{
    return a.line != b.line ? a.line > b.line : a.col > b.col;
}

bool gs_sym_bind(struct gs_walker *w, struct gs_sym *s)
{
    struct gs_sym *old = s->ident->sym;
    s->scope = w->scope;
    if (old != NULL && old->scope == w->scope) {
        bool swap = later(old->pos, s->pos);
        gs_scope_error(w, swap ? old->pos : s->pos, "\"%.*s\" is already declared (line %u)",
                       GS_SLICE_ARGS(s->name), swap ? s->pos.line : old->pos.line);
        return false;
    }
    s->outer = old;
    s->ident->sym = s;
    GS_VEC_PUSH(&w->bound, s);
    return true;
}

struct gs_fnscope *gs_fn_new(struct gs_walker *w, struct gs_fnnode *node, struct gs_fnscope *parent)
{
    struct gs_fnscope *f = gs_arena_alloc(w->c->arena, sizeof(*f));
    f->parent = parent;
    f->node = node;
    f->unit = w->u;
    f->cls = parent ? parent->cls : NULL;
    f->proto = gs_perm_alloc(sizeof(*f->proto));
    if (node != NULL)
        node->scope = f;
    GS_VEC_PUSH(&w->u->fns, f);
    return f;
}

static void *immortal(enum gs_kind kind, size_t n)
{
    struct gs_obj *o = gs_perm_alloc(n);
    o->kind = (uint8_t)kind;
    o->flags = GS_OF_IMMORTAL;
    return o;
}

void gs_fn_constant(struct gs_fnscope *f)
{
    f->func = immortal(GS_T_FUNC, sizeof(*f->func));
    f->func->proto = f->proto;
    f->proto->self = f->func;
}

/* --- classes ---------------------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
    const struct gs_method *x = a, *y = b;
    return x->name < y->name ? -1 : x->name > y->name;
}

static void report_twice(struct gs_walker *w, const struct gs_classnode *cn)
{
    struct gs_table seen = {0};
    for (uint32_t i = 0; i < cn->nmethods; i++) {
        const struct gs_fnnode *m = cn->methods[i];
        uint64_t key = (uint64_t)(uintptr_t)gs_ident(w->c, m->name);
        if (gs_table_find(&seen, key) != NULL)
            gs_scope_error(w, m->pos, "method \"%.*s\" is already declared in class \"%.*s\"",
                           GS_SLICE_ARGS(m->name), GS_SLICE_ARGS(cn->name));
        else
            gs_table_put(&seen, key, i);
    }
    gs_table_free(&seen);
}

static void make_class(struct gs_walker *w, struct gs_sym *s)
{
    struct gs_classnode *cn = s->node->cls;
    struct gs_class *c = immortal(GS_T_CLASS, sizeof(*c));
    c->name = gs_slice_atom(cn->name);
    c->mod = w->u->info;
    c->nmethods = cn->nmethods;
    c->methods = gs_perm_alloc((cn->nmethods + 1u) * sizeof(*c->methods));
    for (uint32_t i = 0; i < cn->nmethods; i++) {
        struct gs_fnscope *f = gs_fn_new(w, cn->methods[i], w->fn);
        f->cls = c;
        f->sealed = true;
        gs_fn_constant(f);
        c->methods[i] = (struct gs_method){gs_slice_atom(cn->methods[i]->name), f->func};
    }
    report_twice(w, cn);
    qsort(c->methods, c->nmethods, sizeof(*c->methods), by_address);
    s->value = gs_objv(GS_T_CLASS, c);
}

static void make_iface(struct gs_walker *w, struct gs_sym *s)
{
    const struct gs_ifacenode *in = s->node->iface;
    struct gs_iface *f = immortal(GS_T_IFACE, sizeof(*f));
    f->name = gs_slice_atom(in->name);
    f->nmethods = in->nmethods;
    f->methods = gs_perm_alloc((in->nmethods + 1u) * sizeof(*f->methods));
    for (uint32_t i = 0; i < in->nmethods; i++) {
        const struct gs_fnnode *m = in->methods[i];
        bool rest = m->nparams > 0 && m->params[m->nparams - 1].rest;
        f->methods[i].name = gs_slice_atom(m->name);
        f->methods[i].nargs = (uint16_t)(m->nparams - (rest ? 1u : 0u));
        f->methods[i].rest = rest;
        for (uint32_t k = 0; k < i; k++) {
            if (f->methods[k].name == f->methods[i].name) {
                gs_scope_error(w, m->pos,
                               "method \"%.*s\" is already declared in interface \"%.*s\"",
                               GS_SLICE_ARGS(m->name), GS_SLICE_ARGS(in->name));
                break;
            }
        }
    }
    s->value = gs_objv(GS_T_IFACE, f);
}

static void make_type(struct gs_sym *s)
{
    const struct gs_typenode *tn = s->node->tdecl;
    struct gs_type *t = immortal(GS_T_TYPE, sizeof(*t));
    t->name = gs_slice_atom(tn->name);
    t->nfields = tn->nfields;
    t->fields = gs_perm_alloc((tn->nfields + 1u) * sizeof(*t->fields));
    for (uint32_t i = 0; i < tn->nfields; i++)
        t->fields[i] = gs_slice_atom(tn->fields[i]);
    s->value = gs_objv(GS_T_TYPE, t);
}

static struct gs_class *class_of(gs_value v)
{
    return v.p;
}

/* Superclasses, once all classes of the scope are bound. */
static void link_class(struct gs_walker *w, struct gs_sym *s)
{
    struct gs_node *sup = s->node->cls->super;
    if (sup == NULL)
        return;
    struct gs_node *base = sup;
    while (base->kind == GS_N_MEMBER)
        base = base->a;
    if (base->kind == GS_N_NAME) {
        /* A let further down is no class, but it is not undefined either. */
        struct gs_sym *bound = gs_ident(w->c, base->name)->sym;
        base->info = bound ? bound : gs_scope_lookup(w, base->name);
        if (base->info == NULL) {
            gs_scope_error(w, base->pos, "undefined variable \"%.*s\"", GS_SLICE_ARGS(base->name));
            return;
        }
    }
    gs_value v;
    bool poison;
    struct gs_sym *t = gs_scope_type_sym(sup, &v, &poison);
    if (poison)
        return;
    if (t == NULL || t->kind != GS_SYM_CLASS) {
        gs_scope_error(w, sup->pos, "\"%.*s\" is not a class", GS_SLICE_ARGS(sup->name));
        return;
    }
    /* A step back to s on the way up closes a cycle; the others of the cycle are reported at the
     * link that would close it. */
    for (struct gs_class *c = class_of(v); c != NULL; c = c->super) {
        if (c == class_of(s->value)) {
            gs_scope_error(w, sup->pos, "class \"%.*s\" extends itself%s", GS_SLICE_ARGS(s->name),
                           class_of(v) == c ? "" : " through its superclasses");
            return;
        }
    }
    class_of(s->value)->super = class_of(v);
}

static void ready_class(struct gs_class *c)
{
    /* Not recursive: a chain of superclasses may be long. A class with a shape is ready. */
    for (;;) {
        struct gs_class *k = c;
        while (k->super != NULL && k->super->shape == 0)
            k = k->super;
        gs_hook_class_ready(k);
        if (k == c)
            return;
    }
}

static void declare_one(struct gs_walker *w, struct gs_node *n, struct gs_block *b)
{
    struct gs_sym *s;
    switch (n->kind) {
    case GS_N_FNDECL:
        s = gs_sym_new(w, b ? GS_SYM_FN : GS_SYM_TOPFN, n->fn->name, n->fn->pos);
        s->body = gs_fn_new(w, n->fn, b ? w->fn : NULL);
        s->body->own = s;
        if (b != NULL) {
            s->slot = b->fns.n;
            s->made_seq = b->seq;
            GS_VEC_PUSH(&b->fns, s);
        } else {
            gs_fn_constant(s->body);
            s->value = gs_objv(GS_T_FUNC, s->body->func);
        }
        break;
    case GS_N_CLASS:
        s = gs_sym_new(w, GS_SYM_CLASS, n->cls->name, n->pos);
        s->node = n;
        make_class(w, s);
        break;
    case GS_N_INTERFACE:
        s = gs_sym_new(w, GS_SYM_IFACE, n->iface->name, n->pos);
        s->node = n;
        make_iface(w, s);
        break;
    case GS_N_TYPE:
        s = gs_sym_new(w, GS_SYM_TYPE, n->tdecl->name, n->pos);
        s->node = n;
        make_type(s);
        break;
    default:
        return;
    }
    s->node = n;
    n->info = s;
    gs_sym_bind(w, s);
}

static void link_classes(struct gs_walker *w, const struct gs_list *l)
{
    for (uint32_t i = 0; i < l->n; i++) {
        if (l->v[i]->kind == GS_N_CLASS)
            link_class(w, l->v[i]->info);
    }
    for (uint32_t i = 0; i < l->n; i++) {
        if (l->v[i]->kind == GS_N_CLASS) {
            struct gs_sym *s = l->v[i]->info;
            if (class_of(s->value)->shape == 0)
                ready_class(class_of(s->value));
        }
    }
}

void gs_declare_block(struct gs_walker *w, const struct gs_list *l, struct gs_block *b)
{
    bool classes = false;
    for (uint32_t i = 0; i < l->n; i++) {
        declare_one(w, l->v[i], b);
        classes |= l->v[i]->kind == GS_N_CLASS;
    }
    if (classes)
        link_classes(w, l);
}

/* --- units ------------------------------------------------------------------------------------ */

static void export(struct gs_walker *w, struct gs_sym *s)
{
    gs_table_put(&w->u->exports, (uint64_t)(uintptr_t)s->ident, w->u->syms.n);
    GS_VEC_PUSH(&w->u->syms, s);
}

static void bind_top(struct gs_walker *w, struct gs_sym *s)
{
    if (gs_sym_bind(w, s))
        export(w, s);
}

static void declare_import_name(struct gs_walker *w, struct gs_import *imp,
                                const struct gs_importname *in)
{
    struct gs_slice as = in->as.n ? in->as : in->name;
    struct gs_sym *s = gs_sym_new(w, GS_SYM_ALIAS, as, in->pos);
    s->imp = imp;
    if (imp->failed) {
        s->kind = GS_SYM_POISON;
    } else if (imp->unit != NULL) {
        s->target = gs_unit_export(imp->unit, in->name);
        if (s->target != NULL && s->target->kind == GS_SYM_POISON)
            s->kind = GS_SYM_POISON;
    } else if (gs_hook_lib_member(imp->lib, in->name.p, in->name.n, &s->value)) {
        if (gs_kind(s->value) == GS_T_MODULE) { /* import { bitwise } from "math" */
            struct gs_import *sub = gs_arena_alloc(w->c->arena, sizeof(*sub));
            *sub = *imp;
            sub->lib = s->value;
            s->imp = sub;
            s->kind = GS_SYM_MODULE;
        }
        bind_top(w, s);
        return;
    }
    if (s->kind == GS_SYM_ALIAS && s->target == NULL) {
        gs_scope_error(w, in->pos, "module \"%.*s\" has no member \"%.*s\"",
                       GS_SLICE_ARGS(imp->node->imp->from), GS_SLICE_ARGS(in->name));
        s->kind = GS_SYM_POISON;
    }
    bind_top(w, s);
}

static void declare_import(struct gs_walker *w, struct gs_node *n)
{
    struct gs_import *imp = n->info;
    const struct gs_importnode *in = n->imp;
    if (in->names != NULL || in->nnames != 0) {
        for (uint32_t i = 0; i < in->nnames; i++)
            declare_import_name(w, imp, &in->names[i]);
        return;
    }
    struct gs_slice name = in->as.n ? in->as : imp->stem;
    if (name.n == 0)
        return;
    struct gs_sym *s = gs_sym_new(w, imp->failed ? GS_SYM_POISON : GS_SYM_MODULE, name, n->pos);
    s->imp = imp;
    if (imp->soft && in->as.n == 0) {
        const struct gs_sym *old = s->ident->sym;
        if (old != NULL && old->scope == w->scope)
            return;
    }
    bind_top(w, s);
}

void gs_declare_unit(struct gs_walker *w)
{
    const struct gs_list *l = &w->u->tree->list;
    for (uint32_t i = 0; i < l->n; i++) {
        struct gs_node *n = l->v[i];
        if (n->kind == GS_N_IMPORT && !((struct gs_import *)n->info)->soft)
            declare_import(w, n);
        declare_one(w, n, NULL);
        if (n->kind == GS_N_LET) {
            struct gs_sym *s = gs_sym_new(w, GS_SYM_GLOBAL, n->name, n->pos);
            s->node = n;
            s->is_const = n->flag;
            n->info = s;
            bind_top(w, s);
        } else if (n->kind == GS_N_FNDECL || n->kind == GS_N_CLASS || n->kind == GS_N_INTERFACE ||
                   n->kind == GS_N_TYPE) {
            struct gs_sym *s = n->info;
            if (s->ident->sym == s)
                export(w, s);
        }
    }
    for (uint32_t i = 0; i < l->n; i++) {
        if (l->v[i]->kind == GS_N_IMPORT && ((struct gs_import *)l->v[i]->info)->soft)
            declare_import(w, l->v[i]);
    }
    link_classes(w, l);
}
