/* SPDX-License-Identifier: MIT
 * reach.c - which globals code can name, and the layouts of tables that hold them. Contract: reach.h.
 *
 * Reach      The set of slots a proto (class, module) can reach through constants is closed once, without a lock, and published in proto->reach / class->reach.
 *            [R1] release there, acquire here. Sets are immortal: there is one for each function that ever crossed.
 * Layouts    Hash-consed by their sorted slots under layouts_lock, so that all VMs of one function share one.
 */
#include "reach.h"

#include <stdlib.h>
#include <string.h>

#include "port/mem.h"
#include "shape.h"

/* ---- which globals code can name ---- */

struct u32vec {
    uint32_t *v;
    uint32_t n, cap;
};

static void u32_push(struct u32vec *a, uint32_t x)
{
    if (a->n == a->cap) {
        a->cap = a->cap != 0 ? a->cap * 2 : 16;
        a->v = gs_mem_must_realloc(a->v, a->cap * sizeof *a->v);
    }
    a->v[a->n++] = x;
}

static int u32_cmp(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Gives how many are left. */
static uint32_t sort_unique(uint32_t *v, uint32_t n)
{
    if (n < 2)
        return n;
    qsort(v, n, sizeof *v, u32_cmp);
    uint32_t k = 1;
    for (uint32_t i = 1; i < n; i++)
        if (v[i] != v[k - 1])
            v[k++] = v[i];
    return k;
}

/* A set of pointers, and a work list in the order of insertion. */
struct ptrset {
    const void **list;
    uint32_t n, cap;
    const void **tab;
    uint32_t mask;
};

static void ptrset_rehash(struct ptrset *s)
{
    uint32_t cap = s->tab != NULL ? (s->mask + 1) * 2 : 64;
    gs_mem_free(s->tab);
    s->tab = gs_mem_must_zalloc(cap * sizeof *s->tab);
    s->mask = cap - 1;
    for (uint32_t i = 0; i < s->n; i++) {
        uint32_t h = (uint32_t)(((uintptr_t)s->list[i] * 0x9E3779B97F4A7C15u) >> 32) & s->mask;
        while (s->tab[h] != NULL)
            h = (h + 1) & s->mask;
        s->tab[h] = s->list[i];
    }
}

static void ptrset_add(struct ptrset *s, const void *p)
{
    if (s->tab == NULL || s->n * 2 >= s->mask)
        ptrset_rehash(s);
    uint32_t h = (uint32_t)(((uintptr_t)p * 0x9E3779B97F4A7C15u) >> 32) & s->mask;
    for (; s->tab[h] != NULL; h = (h + 1) & s->mask)
        if (s->tab[h] == p)
            return;
    s->tab[h] = p;
    if (s->n == s->cap) {
        s->cap = s->cap != 0 ? s->cap * 2 : 32;
        s->list = gs_mem_must_realloc(s->list, s->cap * sizeof *s->list);
    }
    s->list[s->n++] = p;
}

static void ptrset_free(struct ptrset *s)
{
    gs_mem_free(s->list);
    gs_mem_free(s->tab);
}

/* What is in the set is told apart by the low bits of the address. */
enum { REACH_PROTO, REACH_CLASS, REACH_MODULE, REACH_TAGS = 3 };

static void visit_proto(struct ptrset *s, const struct gs_proto *p)
{
    ptrset_add(s, p);
}

static void visit_class(struct ptrset *s, const struct gs_class *c)
{
    if (c != NULL)
        ptrset_add(s, (const char *)c + REACH_CLASS);
}

static void visit_module(struct ptrset *s, const struct gs_modinfo *m)
{
    if (m != NULL)
        ptrset_add(s, (const char *)m + REACH_MODULE);
}

static void visit_const(struct ptrset *s, gs_value v)
{
    switch (gs_kind(v)) {
    case GS_T_FUNC:
        visit_proto(s, v.f->proto);
        break;
    case GS_T_CLASS:
        visit_class(s, (const struct gs_class *)v.p);
        break;
    case GS_T_MODULE:
        visit_module(s, ((const struct gs_module *)v.p)->mod);
        break;
    case GS_T_OBJLIT:
        visit_class(s, gs_shape_get(((const struct gs_objlit *)v.p)->shape)->cls);
        break;
    default:
        break;
    }
}

static void close_over_class(struct ptrset *s, const struct gs_class *c)
{
    visit_class(s, c->super);
    for (uint32_t k = 0; k < c->nmethods; k++)
        visit_proto(s, c->methods[k].fn->proto);
}

static void close_over_module(struct ptrset *s, struct u32vec *slots, const struct gs_modinfo *m)
{
    for (uint32_t i = 0; i < m->nglobals; i++)
        u32_push(slots, m->gslot[i]);
    for (uint32_t i = 0; i < m->nconsts; i++)
        visit_const(s, m->cvalue[i]);
}

static void close_over_proto(struct ptrset *s, struct u32vec *slots, const struct gs_proto *p)
{
    for (uint32_t k = 0; k < p->ngnames; k++)
        u32_push(slots, p->gnames[k]);
    for (uint32_t k = 0; k < p->nk; k++)
        visit_const(s, p->k[k]);
    for (uint32_t k = 0; k < p->nprotos; k++)
        visit_proto(s, p->protos[k]);
    visit_class(s, p->cls); /* super.m */
}

static void close_over(struct ptrset *s, struct u32vec *slots)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const char *what = s->list[i];
        uintptr_t tag = (uintptr_t)what & REACH_TAGS;
        if (tag == REACH_CLASS)
            close_over_class(s, (const struct gs_class *)(const void *)(what - REACH_CLASS));
        else if (tag == REACH_MODULE)
            close_over_module(s, slots, (const struct gs_modinfo *)(const void *)(what - REACH_MODULE));
        else
            close_over_proto(s, slots, (const struct gs_proto *)(const void *)what);
    }
}

/* ---- layouts ---- */

static struct layout_link {
    struct layout_link *next;
    uint32_t hash;
    struct gs_glayout l;
} * layouts[1024]; /* under layouts_lock */
static struct gs_spin layouts_lock;

static uint32_t slots_hash(const uint32_t *v, uint32_t n)
{
    uint64_t h = n;
    for (uint32_t i = 0; i < n; i++)
        h = (h ^ v[i]) * 0x9E3779B97F4A7C15u;
    return (uint32_t)(h >> 32);
}

static bool map_fill(struct gs_glayout *l, uint32_t size, bool perfect)
{
    struct gs_gentry *m = gs_mem_must_zalloc(size * sizeof *m);
    for (uint32_t i = 0; i < l->n; i++) {
        uint32_t h = l->slots[i] & (size - 1);
        if (perfect && m[h].slot != 0) {
            gs_mem_free(m);
            return false;
        }
        while (m[h].slot != 0)
            h = (h + 1) & (size - 1);
        m[h].slot = l->slots[i] + 1;
        m[h].place = i;
    }
    l->map = m;
    l->mask = size - 1;
    return true;
}

/* The layout with these slots (sorted, unique). layouts_lock is held. */
static const struct gs_glayout *layout_locked(const uint32_t *slots, uint32_t n)
{
    uint32_t hash = slots_hash(slots, n);
    struct layout_link **head = &layouts[hash % 1024];
    for (struct layout_link *k = *head; k != NULL; k = k->next)
        if (k->hash == hash && k->l.n == n && (n == 0 || memcmp(k->l.slots, slots, n * sizeof *slots) == 0))
            return &k->l;
    struct layout_link *k = gs_perm_alloc(sizeof *k);
    uint32_t *copy = gs_perm_alloc((n + 1u) * sizeof *copy);
    if (n > 0)
        memcpy(copy, slots, n * sizeof *copy);
    k->hash = hash;
    k->l.n = n;
    k->l.slots = copy;
    uint32_t size = 1;
    while (size < n * 2)
        size *= 2;
    uint32_t most = size * 8; /* sparse enough for no collision, or probed */
    uint32_t s = size;
    while (s <= most && !map_fill(&k->l, s, true))
        s *= 2;
    if (s > most)
        (void)map_fill(&k->l, size * 2, false);
    k->next = *head;
    *head = k;
    return &k->l;
}

const struct gs_glayout *gs_glayout_of(uint32_t *slots, uint32_t n)
{
    n = sort_unique(slots, n);
    gs_spin_lock(&layouts_lock);
    const struct gs_glayout *l = layout_locked(slots, n);
    gs_spin_unlock(&layouts_lock);
    return l;
}

/* ---- sets ---- */

/* Takes both. */
static const struct gs_reach *publish(struct ptrset *set, struct u32vec *slots, _Atomic(void *) *where)
{
    close_over(set, slots);
    slots->n = sort_unique(slots->v, slots->n);
    struct gs_reach *r = gs_perm_alloc(sizeof *r + slots->n * sizeof(uint32_t));
    r->n = slots->n;
    if (slots->n > 0)
        memcpy(r->slots, slots->v, slots->n * sizeof(uint32_t));
    r->layout = gs_glayout_of(slots->v, slots->n);
    void *none = NULL;
    if (where != NULL && !gs_cas_acq_rel(where, &none, (void *)r)) /* [R1] */
        r = none; /* another thread was first; ours is a few lost bytes */
    ptrset_free(set);
    gs_mem_free(slots->v);
    return r;
}

const struct gs_reach *gs_reach_of_proto(const struct gs_proto *p)
{
    _Atomic(void *) *where = &((struct gs_proto *)(uintptr_t)p)->reach; /* the one word of a proto that changes */
    const struct gs_reach *r = gs_load_acq(where); /* [R1] */
    if (r != NULL)
        return r;
    struct ptrset set = {0};
    struct u32vec slots = {0};
    visit_proto(&set, p);
    return publish(&set, &slots, where);
}

const struct gs_reach *gs_reach_of_class(struct gs_class *c)
{
    const struct gs_reach *r = gs_load_acq(&c->reach); /* [R1] */
    if (r != NULL)
        return r;
    struct ptrset set = {0};
    struct u32vec slots = {0};
    visit_class(&set, c);
    return publish(&set, &slots, &c->reach);
}

/* Modules as values are rare; their set is not kept. */
const struct gs_reach *gs_reach_of_module(const struct gs_modinfo *m)
{
    struct ptrset set = {0};
    struct u32vec slots = {0};
    visit_module(&set, m);
    return publish(&set, &slots, NULL);
}
