/* SPDX-License-Identifier: MIT
 * scope_fin.c - decisions that need the whole unit: constants, functions that are constants,
 * hoisting, cells, slots.
 *
 * Order      Which functions capture nothing must be known first: a use of such a function is no
 *            capture. Then which nested functions are made early, for that moves their captures;
 *            then who needs a cell.
 */
#include "scope_int.h"

#include "object.h"

#include "hooks.h"

/* Top-level lets in registers of main: plenty for scripts that people write. */
#define MAX_PROMOTED 250

/* --- functions that capture nothing ----------------------------------------------------------- */

static bool is_own(const struct gs_fnscope *f, const struct gs_sym *s)
{
    return f->own == s && !s->assigned;
}

struct users { /* functions that capture a nested function */
    struct gs_fnscope *f;
    uint32_t next; /* number of the next one; 0: none */
};

static void find_impure(struct gs_walker *w)
{
    struct gs_table first = {0}; /* nested function's symbol -> index in `list` + 1 */
    GS_VEC(struct users) list = {0};
    GS_VEC(struct gs_fnscope *) work = {0};
    for (uint32_t i = 0; i < w->u->fns.n; i++) {
        struct gs_fnscope *f = w->u->fns.v[i];
        for (uint32_t k = 0; k < f->caps.n; k++) {
            struct gs_sym *s = f->caps.v[k].sym;
            if (is_own(f, s))
                continue;
            if (s->kind != GS_SYM_FN) {
                if (!f->impure)
                    GS_VEC_PUSH(&work, f);
                f->impure = true;
                continue;
            }
            struct gs_table_entry *e = gs_table_find(&first, (uint64_t)(uintptr_t)s);
            GS_VEC_PUSH(&list, (struct users){f, e ? e->value : 0});
            if (e != NULL)
                e->value = list.n;
            else
                gs_table_put(&first, (uint64_t)(uintptr_t)s, list.n);
        }
    }
    while (work.n > 0) {
        struct gs_fnscope *f = work.v[--work.n];
        if (f->own == NULL || f->own->kind != GS_SYM_FN)
            continue;
        const struct gs_table_entry *e = gs_table_find(&first, (uint64_t)(uintptr_t)f->own);
        for (uint32_t at = e ? e->value : 0; at != 0;) {
            const struct users *x = &list.v[at - 1];
            if (!x->f->impure) {
                x->f->impure = true;
                GS_VEC_PUSH(&work, x->f);
            }
            at = x->next;
        }
    }
    GS_VEC_FREE(&list);
    GS_VEC_FREE(&work);
    gs_table_free(&first);
}

/* Is s the own name of a function between f and the one that declares s? */
static bool names_outer(const struct gs_fnscope *f, const struct gs_sym *s)
{
    if (s->body == NULL || s->assigned)
        return false;
    for (const struct gs_fnscope *g = f->parent; g != NULL && g != s->fn; g = g->parent) {
        if (g->own == s)
            return true;
    }
    return false;
}

/* Takes constants and own names out of the captures. */
static void prune(struct gs_fnscope *f)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->caps.n; i++) {
        struct gs_sym *s = f->caps.v[i].sym;
        if (is_own(f, s) || (s->kind == GS_SYM_FN && !s->body->impure))
            continue;
        f->caps.v[n] = f->caps.v[i];
        f->caps.v[n++].by_own = names_outer(f, s);
        if (f->parent != NULL && is_own(f->parent, s))
            f->parent->self_reg = true;
    }
    f->caps.n = n;
    gs_table_free(&f->capidx);
    if (n > 8) {
        for (uint32_t i = 0; i < n; i++)
            gs_table_put(&f->capidx, (uint64_t)(uintptr_t)f->caps.v[i].sym, i);
    }
    if (n == 0 && f->func == NULL)
        gs_fn_constant(f);
}

static void name_constant(struct gs_fnscope *f)
{
    if (f->func != NULL && f->own != NULL && f->own->kind == GS_SYM_FN) {
        f->own->kind = GS_SYM_TOPFN;
        f->own->value = gs_objv(GS_T_FUNC, f->func);
    }
}

/* --- hoisting --------------------------------------------------------------------------------- */

/* A function made at the start of its block needs the functions that it captures there, too. */
static void spread_hoisting(struct gs_block *b)
{
    GS_VEC(struct gs_sym *) work = {0};
    for (uint32_t i = 0; i < b->fns.n; i++) {
        if (b->fns.v[i]->hoisted && b->fns.v[i]->kind == GS_SYM_FN)
            GS_VEC_PUSH(&work, b->fns.v[i]);
    }
    while (work.n > 0) {
        struct gs_sym *s = work.v[--work.n];
        for (uint32_t i = 0; i < s->body->caps.n; i++) {
            struct gs_sym *t = s->body->caps.v[i].sym;
            if (t->kind == GS_SYM_FN && t->block == b && !t->hoisted) {
                t->hoisted = true;
                GS_VEC_PUSH(&work, t);
            }
        }
    }
    GS_VEC_FREE(&work);
    for (uint32_t i = 0; i < b->fns.n; i++) {
        struct gs_sym *s = b->fns.v[i];
        if (s->hoisted)
            s->body->seq = b->seq + 1 + i;
        s->let_seq = s->init_seq = s->body->seq;
    }
}

/* --- captures --------------------------------------------------------------------------------- */

static void note_captures(const struct gs_fnscope *f)
{
    for (uint32_t i = 0; i < f->caps.n; i++) {
        struct gs_sym *s = f->caps.v[i].sym;
        if (s->fn != f->parent || is_own(f->parent, s))
            continue;
        uint32_t at = f->caps.v[i].loop ? f->caps.v[i].loop : f->seq;
        s->captured = true;
        if (at < s->first_cap)
            s->first_cap = at;
    }
}

static void decide_cell(struct gs_sym *s)
{
    s->early = s->first_cap < s->init_seq;
    s->cell = s->early || s->nested_assign || s->last_assign > s->first_cap || s->force_cell;
}

static void decide_cells(struct gs_walker *w)
{
    for (uint32_t i = 0; i < w->u->fns.n; i++) {
        const struct gs_fnscope *f = w->u->fns.v[i];
        for (uint32_t k = 0; k < f->caps.n; k++) {
            struct gs_sym *s = f->caps.v[k].sym;
            if (s->fn != f->parent || !s->captured || s->cell)
                continue;
            decide_cell(s);
            if (s->early && s->first_cap < s->let_seq && s->block != NULL)
                GS_VEC_PUSH(&s->block->early, s);
        }
    }
}

/* --- top-level lets --------------------------------------------------------------------------- */

static bool const_init(const struct gs_sym *s, gs_value *v)
{
    const struct gs_node *n = s->node;
    if (n->a == NULL) {
        *v = gs_nil();
        return true;
    }
    if (n->a->kind == GS_N_FN) {
        *v = gs_objv(GS_T_FUNC, s->body->func);
        return s->body->func != NULL;
    }
    return gs_const_fold(n->a, v);
}

void gs_sym_place(struct gs_walker *w, struct gs_sym *s)
{
    s->slot = w->c->globals.n;
    GS_VEC_PUSH(&w->c->globals, gs_ident_atom(s->ident));
}

/* In a session: the global of this name that earlier texts know, or have named without knowing it; NULL: none. */
static const struct gs_sym *earlier(const struct gs_walker *w, const struct gs_sym *s)
{
    const struct gs_sym *old = s->outer != NULL ? s->outer : s->ident->builtin;
    return w->u->grows && old != NULL && old->kind == GS_SYM_GLOBAL ? old : NULL;
}

static void place_globals(struct gs_walker *w)
{
    struct gs_compiler *c = w->c;
    for (uint32_t i = 0; i < w->u->syms.n; i++) {
        struct gs_sym *s = w->u->syms.v[i];
        if (s->kind != GS_SYM_GLOBAL)
            continue;
        gs_value v;
        const struct gs_sym *old = earlier(w, s);
        bool final = !w->u->grows || (s->is_const && old == NULL); /* nobody can assign to it later, nor reads a slot */
        if (s->quiet && !s->assigned && final && const_init(s, &v)) {
            s->kind = GS_SYM_CONST;
            s->value = v;
        } else if (w->u->is_main && !s->named_in_fn && c->syms_promoted < MAX_PROMOTED) {
            s->kind = GS_SYM_LET;
            s->promoted = true;
            c->syms_promoted++;
        } else if (old != NULL) {
            s->slot = old->slot; /* so functions that name the old one see the new one */
        } else {
            gs_sym_place(w, s);
        }
    }
}

void gs_scope_finish(struct gs_walker *w)
{
    find_impure(w);
    for (uint32_t i = 0; i < w->u->fns.n; i++)
        prune(w->u->fns.v[i]);
    for (uint32_t i = 0; i < w->u->fns.n; i++)
        name_constant(w->u->fns.v[i]);
    for (uint32_t i = 0; i < w->u->blocks.n; i++)
        spread_hoisting(w->u->blocks.v[i]);
    for (uint32_t i = 0; i < w->u->fns.n; i++) {
        if (w->u->fns.v[i]->parent != NULL)
            note_captures(w->u->fns.v[i]);
    }
    decide_cells(w);
    place_globals(w);
}
