/* SPDX-License-Identifier: MIT
 * emit_fn.c - functions, closures, methods, and a unit's top-level code.
 */
#include "emit_int.h"

#include "object.h"

/* Registers of the frame are the parameters first, self before them. */
static uint32_t params(struct gs_emit *e, uint32_t *nreq, uint32_t *flags)
{
    const struct gs_fnnode *fn = e->f->node;
    uint32_t n = fn->nparams + (e->f->self ? 1u : 0u);
    gs_alloc(e, n);
    e->vars = e->top;
    uint32_t reg = 0;
    if (e->f->self != NULL) {
        gs_declare(e, e->f->self, reg++);
        *flags |= GS_PF_METHOD;
    }
    *nreq = reg;
    for (uint32_t i = 0; i < fn->nparams; i++, reg++) {
        const struct gs_param *p = &fn->params[i];
        e->line = p->pos.line;
        if (p->rest) {
            *flags |= GS_PF_REST;
        } else if (p->def != NULL) {
            uint32_t given = gs_label(e);
            gs_jump(e, gs_insn_abx(GS_OP_JSET, reg, 0), given);
            gs_expr_to(e, p->def, reg);
            gs_place(e, given);
        } else {
            *nreq = reg + 1;
        }
        gs_declare(e, e->f->params[i], reg);
    }
    return n;
}

static void body(struct gs_emit *e, const struct gs_node *block, uint32_t line)
{
    struct gs_finally f;
    uint32_t from = 0;
    if (e->f->self_reg) {
        e->self_reg = gs_alloc(e, 1);
        e->vars = e->top;
        gs_put_abc(e, GS_OP_GETFN, e->self_reg, 0, 0);
    }
    if (e->f->has_defer) {
        gs_defer_begin(e, &f);
        from = gs_here(e);
    }
    gs_body(e, block);
    e->line = line;
    if (e->f->has_defer)
        gs_defer_end(e, &f, from, line);
}

/* Where the maker finds what f captures. */
static struct gs_capture *captures(const struct gs_emit *maker, const struct gs_fnscope *f)
{
    struct gs_capture *caps = gs_mem_must_zalloc((f->caps.n + 1u) * sizeof(*caps));
    for (uint32_t i = 0; i < f->caps.n; i++) {
        const struct gs_sym *s = f->caps.v[i].sym;
        if (s->fn == maker->f) {
            caps[i].index = (uint16_t)s->reg;
        } else if (maker->f->own == s && !s->assigned) {
            caps[i].index = (uint16_t)maker->self_reg;
        } else {
            caps[i].index = (uint16_t)gs_scope_capture(maker->f, s);
            caps[i].from_up = true;
        }
    }
    return caps;
}

static struct gs_str *name_of(const struct gs_fnscope *f)
{
    return gs_slice_atom(f->node->name.n ? f->node->name : gs_slice_z("anonymous"));
}

void gs_emit_fn(struct gs_emit *outer, struct gs_fnscope *f)
{
    struct gs_emit *e = gs_mem_must_alloc(sizeof(*e)); /* too large to nest on the C stack */
    uint32_t nreq = 0, flags = 0;
    GS_VEC_PUSH(&outer->c->protos, f->proto);
    gs_emit_begin(e, outer, outer->u, f);
    e->depth = outer->depth;
    uint32_t n = params(e, &nreq, &flags);
    body(e, f->node->body, f->node->end.line);
    if (f->caps.n > 65535)
        gs_limit(e, "65535 captured variables");
    struct gs_capture *caps = captures(outer, f);
    gs_emit_end(e, name_of(f), n, nreq, flags, caps, f->caps.n);
    gs_mem_free(caps);
    gs_mem_free(e);
}

void gs_emit_closure(struct gs_emit *e, struct gs_fnscope *f, uint32_t dst)
{
    uint32_t line = e->line;
    gs_emit_fn(e, f);
    e->line = line;
    if (f->func != NULL) {
        gs_load(e, dst, gs_objv(GS_T_FUNC, f->func));
        return;
    }
    GS_VEC_PUSH(&e->protos, f->proto);
    gs_put_abx(e, GS_OP_CLOSURE, dst, (int32_t)(e->protos.n - 1));
}

void gs_emit_methods(struct gs_emit *e, const struct gs_classnode *cn)
{
    for (uint32_t i = 0; i < cn->nmethods; i++)
        gs_emit_fn(e, cn->methods[i]->scope);
}

/* --- units ------------------------------------------------------------------------------------ */

/* Modules that this one is the first to import run first. */
static void run_imports(struct gs_emit *e)
{
    for (uint32_t i = 0; i < e->u->imports.n; i++) {
        const struct gs_import *imp = e->u->imports.v[i];
        if (!imp->runs_here)
            continue;
        uint32_t base = gs_alloc(e, 2);
        e->line = imp->node->pos.line;
        gs_load(e, base, gs_objv(GS_T_FUNC, imp->unit->main->func));
        gs_put_abc(e, GS_OP_CALL, base, 0, gs_ic(e, NULL));
        gs_free_to(e, base);
    }
}

static struct gs_sym *export_target(struct gs_sym *s)
{
    return s->kind == GS_SYM_ALIAS && s->target != NULL ? s->target : s;
}

static void fill_exports(struct gs_unit *u)
{
    struct gs_modinfo *m = u->info;
    m->gname = gs_perm_alloc((u->syms.n + 1u) * sizeof(*m->gname));
    m->gslot = gs_perm_alloc((u->syms.n + 1u) * sizeof(*m->gslot));
    m->cname = gs_perm_alloc((u->syms.n + 1u) * sizeof(*m->cname));
    m->cvalue = gs_perm_alloc((u->syms.n + 1u) * sizeof(*m->cvalue));
    for (uint32_t i = 0; i < u->syms.n; i++) {
        struct gs_sym *s = export_target(u->syms.v[i]);
        struct gs_str *name = gs_ident_atom(u->syms.v[i]->ident);
        if (s->kind == GS_SYM_GLOBAL) {
            m->gname[m->nglobals] = name;
            m->gslot[m->nglobals++] = s->slot;
            continue;
        }
        if (s->promoted || s->kind == GS_SYM_POISON)
            continue;
        gs_value v = s->value;
        if (s->kind == GS_SYM_MODULE)
            v = s->imp->unit ? gs_objv(GS_T_MODULE, s->imp->unit->info->value) : s->imp->lib;
        m->cname[m->nconsts] = name;
        m->cvalue[m->nconsts++] = v;
    }
}

void gs_emit_unit(struct gs_unit *u)
{
    struct gs_emit *e = gs_mem_must_alloc(sizeof(*e));
    fill_exports(u);
    GS_VEC_PUSH(&u->c->protos, u->main->proto);
    gs_emit_begin(e, NULL, u, u->main);
    run_imports(e);
    body(e, u->tree, u->tree->end.line ? u->tree->end.line : 1);
    gs_emit_end(e, gs_slice_atom(gs_slice_z("main")), 0, 0, GS_PF_MAIN, NULL, 0);
    u->info->main = u->main->proto;
    gs_mem_free(e);
}
