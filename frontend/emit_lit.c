/* SPDX-License-Identifier: MIT
 * emit_lit.c - array, object and instance literals, interpolated strings.
 */
#include "emit_int.h"

#include "object.h"

#define CHUNK 64 /* values that are in registers at once */

/* --- arrays ----------------------------------------------------------------------------------- */

void gs_array_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    const struct gs_list *l = &n->list;
    uint32_t top = e->top;
    /* The whole array at once when it is short and has no spreads; else it grows in a register. */
    bool simple = l->n <= CHUNK;
    for (uint32_t i = 0; simple && i < l->n; i++)
        simple = l->v[i]->kind != GS_N_SPREAD;
    uint32_t a = simple ? dst : gs_fresh(e, dst) ? dst : gs_alloc(e, 1);
    if (!simple) {
        e->line = n->pos.line;
        gs_put_abc(e, GS_OP_NEWARRAY, a, 0, 0);
    }
    uint32_t base = e->top, m = 0;
    for (uint32_t i = 0; i < l->n; i++) {
        bool spread = l->v[i]->kind == GS_N_SPREAD;
        if (m != 0 && (spread || m == CHUNK)) {
            gs_put_abc(e, GS_OP_ARRPUSH, a, base, m);
            gs_free_to(e, base);
            m = 0;
        }
        uint32_t r = gs_alloc(e, 1);
        gs_expr_to(e, spread ? l->v[i]->a : l->v[i], r);
        if (spread) {
            e->line = l->v[i]->pos.line;
            gs_put_abc(e, GS_OP_ARRSPREAD, a, r, 0);
            gs_free_to(e, base);
        } else {
            m++;
        }
    }
    if (simple) {
        e->line = n->pos.line;
        gs_put_abc(e, GS_OP_NEWARRAY, dst, m ? base : 0, m);
    } else if (m != 0) {
        gs_put_abc(e, GS_OP_ARRPUSH, a, base, m);
    }
    if (!simple)
        gs_move(e, dst, a);
    gs_free_to(e, top);
}

/* --- objects ---------------------------------------------------------------------------------- */

static gs_value literal_of(uint32_t shape, uint32_t n)
{
    struct gs_objlit *l = gs_perm_alloc(sizeof(*l));
    l->h.kind = GS_T_OBJLIT;
    l->h.flags = GS_OF_IMMORTAL;
    l->shape = shape;
    l->n = n;
    return gs_objv(GS_T_OBJLIT, l);
}

static uint32_t empty_shape(const struct gs_node *n)
{
    gs_value v;
    bool poison;
    if (n->kind != GS_N_INSTANCE)
        return gs_hook_shape_empty(NULL);
    const struct gs_sym *s = gs_scope_type_sym(n->a, &v, &poison);
    return gs_hook_shape_empty(s != NULL && s->kind == GS_SYM_CLASS ? v.p : NULL);
}

/* slots[i]: which value register field i goes to (a repeated key shares one). False: too many keys
 * for a shape. */
static bool plan(const struct gs_node *n, uint32_t *shape, uint32_t *slots, uint32_t *nslots)
{
    struct gs_table seen = {0};
    bool ok = true;
    *nslots = 0;
    for (uint32_t i = 0; ok && i < n->fields.n; i++) {
        struct gs_str *key = gs_slice_atom(n->fields.v[i].key);
        const struct gs_table_entry *t = gs_table_find(&seen, (uint64_t)(uintptr_t)key);
        if (t != NULL) {
            slots[i] = t->value;
            continue;
        }
        ok = gs_hook_shape_add(shape, key);
        gs_table_put(&seen, (uint64_t)(uintptr_t)key, *nslots);
        slots[i] = (*nslots)++;
    }
    gs_table_free(&seen);
    return ok;
}

static void object_by_shape(struct gs_emit *e, const struct gs_node *n, uint32_t dst, uint32_t k,
                            const uint32_t *slots)
{
    uint32_t base = e->top;
    for (uint32_t i = 0; i < n->fields.n; i++) {
        uint32_t r = base + slots[i];
        if (r == e->top)
            gs_alloc(e, 1);
        gs_expr_to(e, n->fields.v[i].value, r);
    }
    e->line = n->pos.line;
    gs_put_abc(e, GS_OP_NEWOBJ, dst, n->fields.n ? base : 0, k);
}

static void object_by_field(struct gs_emit *e, const struct gs_node *n, uint32_t dst, uint32_t k)
{
    uint32_t o = gs_fresh(e, dst) ? dst : gs_alloc(e, 1);
    e->line = n->pos.line;
    gs_put_abc(e, GS_OP_NEWOBJ, o, 0, k);
    for (uint32_t i = 0; i < n->fields.n; i++) {
        uint32_t top = e->top;
        uint32_t r = gs_expr(e, n->fields.v[i].value);
        e->line = n->fields.v[i].pos.line;
        gs_put_abc(e, GS_OP_PUTFIELD, o, r, gs_k(e, gs_strv(gs_slice_atom(n->fields.v[i].key))));
        gs_free_to(e, top);
    }
    gs_move(e, dst, o);
}

void gs_object_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    uint32_t top = e->top, nslots, empty = empty_shape(n), shape = empty;
    uint32_t *slots = gs_mem_must_alloc((n->fields.n + 1u) * sizeof(*slots));
    if (plan(n, &shape, slots, &nslots))
        object_by_shape(e, n, dst, gs_k(e, literal_of(shape, nslots)), slots);
    else
        object_by_field(e, n, dst, gs_k(e, literal_of(empty, 0)));
    gs_mem_free(slots);
    gs_free_to(e, top);
}

/* --- interpolation ---------------------------------------------------------------------------- */

void gs_interp_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    uint32_t top = e->top, base = top, m = 0;
    for (uint32_t i = 0; i < n->list.n; i++) {
        const struct gs_node *p = n->list.v[i];
        if (p->kind == GS_N_STR && p->str.n == 0 && n->list.n > 1)
            continue;
        if (m == CHUNK) { /* what is there so far becomes the first part */
            gs_put_abc(e, GS_OP_CONCAT, base, base, m);
            gs_free_to(e, base + 1);
            m = 1;
        }
        gs_expr_to(e, p, gs_alloc(e, 1));
        m++;
    }
    e->line = n->pos.line;
    if (m == 0)
        gs_load(e, dst, gs_strv(gs_literal_str(gs_slice_z(""))));
    else
        gs_put_abc(e, GS_OP_CONCAT, dst, base, m);
    gs_free_to(e, top);
}
