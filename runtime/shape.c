/* SPDX-License-Identifier: MIT
 * shape.c - the process-wide tree of shapes. Objects' fields are in shape_object.c.
 *
 * Table      Ids lead to shapes through segments of SEG shapes. [S1] a segment pointer and a
 *            shape's entry are stored with release once the shape is complete, and loaded with
 *            acquire.
 * Lookup     The keys of a shape are in a table made at the first lookup (struct keys): in slot
 *            order, and for more than LINEAR of them with an index by hash of the atom's address.
 *            [S2] published by pointer, release and acquire; made under the lock, so it is made
 *            once.
 * Next       The shape with one key more: a single one is the transition pointer itself with bit 0
 *            set, more are in a hash table by key. [S3] entries and tables are published with
 *            release; a reader that misses a fresh one comes to the lock.
 * Limits     Data can make any number of key sets, and shapes are for ever: after BUDGET shapes new
 *            ones are refused, and objects turn into dictionaries (GS_SHAPE_LIMIT bounds what an
 *            inline cache can name; the budget is about memory).
 * Lock       tree_lock guards making shapes and everything published from them. Held for a few
 *            hundred instructions with permanent allocations inside, so it is a mutex, not a spin
 *            lock.
 */
#include "shape.h"

#include <pthread.h>
#include <string.h>

#include "port/mem.h"
#include "shape_int.h"
#include "sort_int.h"
#include "str.h"

#define SEG_BITS GS_SHAPE_SEG_BITS
#define SEG GS_SHAPE_SEG
#define BUDGET (1u << 18) /* about 50 MiB of shapes with their tables */
#define COMPUTED_BUDGET (BUDGET / 8)
#define COMPUTED_KEYS 32u /* keys of an object; records read from data seldom have more */
#define COMPUTED_NEXT 64u /* successors of a shape; more look like words, not like field names */
#define LINEAR 8u         /* keys: one cache line of pointers */

uint32_t gs_shape_plain, gs_shape_plain_dict;

struct keys {
    uint32_t mask;  /* of index; 0: none */
    uint8_t *index; /* slot + 1; 0: free */
    struct gs_str *key[];
};

struct next_table {
    uint32_t mask;
    _Atomic uint32_t n; /* written under the lock */
    _Atomic(struct gs_shape *) *slot;
};

static pthread_mutex_t tree_lock = PTHREAD_MUTEX_INITIALIZER;
_Atomic(_Atomic(struct gs_shape *) *) gs_shape_segs[GS_SHAPE_LIMIT / GS_SHAPE_SEG];
static uint32_t nshapes = GS_SHAPE_FIRST; /* next id; guarded by tree_lock */

/* ---- making ---- */

static struct gs_shape *new_shape_locked(struct gs_class *cls, uint32_t flags)
{
    uint32_t id = nshapes++;
    _Atomic(struct gs_shape *) *seg =
        gs_load_rlx(&gs_shape_segs[id >> SEG_BITS]); /* relaxed: under the lock */
    if (!seg) {
        seg = gs_perm_alloc(SEG * sizeof *seg);
        gs_store_rel(&gs_shape_segs[id >> SEG_BITS], seg); /* [S1] */
    }
    struct gs_shape *s = gs_perm_alloc(sizeof *s);
    s->id = id;
    s->flags = flags;
    s->cls = cls;
    s->root = id;
    return s;
}

static void publish_locked(struct gs_shape *s)
{
    gs_store_rel(&gs_load_rlx(&gs_shape_segs[s->id >> SEG_BITS])[s->id & (SEG - 1)], s); /* [S1] */
}

static void new_roots_locked(struct gs_class *cls, uint32_t *plain, uint32_t *dict)
{
    GS_CHECK(nshapes + 2 < GS_SHAPE_LIMIT); /* millions of classes: no program has them */
    struct gs_shape *s = new_shape_locked(cls, 0);
    struct gs_shape *d = new_shape_locked(cls, GS_SHAPE_DICT);
    d->root = s->id;
    publish_locked(s);
    publish_locked(d);
    *plain = s->id;
    *dict = d->id;
}

void gs_shape_for_class(struct gs_class *c)
{
    pthread_mutex_lock(&tree_lock);
    new_roots_locked(c, &c->shape, &c->dict_shape);
    pthread_mutex_unlock(&tree_lock);
}

__attribute__((constructor)) static void plain_init(void)
{
    pthread_mutex_lock(&tree_lock);
    new_roots_locked(NULL, &gs_shape_plain, &gs_shape_plain_dict);
    pthread_mutex_unlock(&tree_lock);
}

/* ---- keys ---- */

GS_INLINE uint32_t hash_ptr(const void *p)
{
    return (uint32_t)(((uint64_t)(uintptr_t)p >> 4) * 0x9e3779b97f4a7c15u >> 40);
}

static struct keys *make_keys(const struct gs_shape *s)
{
    uint32_t n = s->nkeys, size = 0;
    struct keys *k = gs_perm_alloc(sizeof *k + n * sizeof k->key[0]);
    if (n > LINEAR) {
        for (size = 16; size < n * 2; size *= 2)
            ;
        k->index = gs_perm_alloc(size);
        k->mask = size - 1;
    }
    for (const struct gs_shape *p = s; p->nkeys; p = p->parent) {
        k->key[p->nkeys - 1] = p->key;
        if (!size)
            continue;
        uint32_t i = hash_ptr(p->key) & k->mask;
        while (k->index[i])
            i = (i + 1) & k->mask;
        k->index[i] = (uint8_t)p->nkeys;
    }
    return k;
}

static GS_COLD struct keys *keys_slow(struct gs_shape *s)
{
    pthread_mutex_lock(&tree_lock);
    struct keys *k = gs_load_rlx(&s->table);
    if (!k) {
        k = make_keys(s);
        gs_store_rel(&s->table, (void *)k); /* [S2] */
    }
    pthread_mutex_unlock(&tree_lock);
    return k;
}

GS_INLINE struct keys *keys_of(struct gs_shape *s)
{
    struct keys *k = gs_load_acq(&s->table); /* [S2] */
    return GS_LIKELY(k != NULL) ? k : keys_slow(s);
}

int32_t gs_shape_slot(struct gs_shape *s, const struct gs_str *atom)
{
    uint32_t n = s->nkeys;
    if (n == 0)
        return -1;
    if (s->key == atom)
        return (int32_t)n - 1;
    const struct keys *k = keys_of(s);
    if (!k->mask) {
        for (uint32_t i = 0; i < n; i++)
            if (k->key[i] == atom)
                return (int32_t)i;
        return -1;
    }
    for (uint32_t i = hash_ptr(atom) & k->mask; k->index[i]; i = (i + 1) & k->mask)
        if (k->key[k->index[i] - 1] == atom)
            return k->index[i] - 1;
    return -1;
}

struct gs_str *gs_shape_key(struct gs_shape *s, uint32_t slot)
{
    return slot + 1 == s->nkeys ? s->key : keys_of(s)->key[slot];
}

static uint32_t *make_sorted(struct gs_shape *s)
{
    uint32_t n = s->nkeys;
    const struct keys *k = keys_of(s);
    uint32_t *v = gs_perm_alloc((n ? n : 1) * sizeof *v);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = i;
        for (; j > 0 && gs_str_compare(k->key[i], k->key[v[j - 1]]) < 0; j--)
            v[j] = v[j - 1];
        v[j] = i;
    }
    return v;
}

const uint32_t *gs_shape_sorted(struct gs_shape *s)
{
    uint32_t *v = gs_load_acq(&s->sorted); /* [S2] */
    if (v)
        return v;
    v = make_sorted(s);
    uint32_t *first = NULL;
    /* Two threads may make it: the second one's is the same and wasted. */
    return gs_cas_acq_rel(&s->sorted, &first, v) ? v : first; /* [S2] */
}

/* ---- the next shape ---- */

static struct gs_shape *next_find(struct gs_shape *s, const struct gs_str *atom)
{
    uintptr_t word = (uintptr_t)gs_load_acq(&s->trans); /* [S3] */
    if (!word)
        return NULL;
    if (word & 1) {
        struct gs_shape *t = (struct gs_shape *)(word - 1);
        return t->key == atom ? t : NULL;
    }
    const struct next_table *x = (const struct next_table *)word;
    for (uint32_t i = hash_ptr(atom) & x->mask;; i = (i + 1) & x->mask) {
        struct gs_shape *t = gs_load_acq(&x->slot[i]); /* [S3] */
        if (!t || t->key == atom)
            return t;
    }
}

static void next_put(struct next_table *x, struct gs_shape *t)
{
    uint32_t i = hash_ptr(t->key) & x->mask;
    while (gs_load_rlx(&x->slot[i])) /* relaxed: under the lock */
        i = (i + 1) & x->mask;
    gs_store_rel(&x->slot[i], t); /* [S3] */
    gs_store_rlx(&x->n, gs_load_rlx(&x->n) + 1);
}

static struct next_table *next_table_new(uint32_t size)
{
    struct next_table *x = gs_perm_alloc(sizeof *x);
    x->mask = size - 1;
    x->slot = gs_perm_alloc(size * sizeof *x->slot);
    return x;
}

static void next_add_locked(struct gs_shape *s, struct gs_shape *t)
{
    uintptr_t word = (uintptr_t)gs_load_rlx(&s->trans);
    if (!word) {
        gs_store_rel(&s->trans, (void *)((uintptr_t)t | 1)); /* [S3] */
        return;
    }
    struct next_table *x = (struct next_table *)word, *old = x;
    if (word & 1) {
        x = next_table_new(8);
        next_put(x, (struct gs_shape *)(word - 1));
    } else if (gs_load_rlx(&old->n) >= old->mask / 4 * 3) {
        x = next_table_new((old->mask + 1) * 2);
        for (uint32_t i = 0; i <= old->mask; i++) {
            struct gs_shape *y = gs_load_rlx(&old->slot[i]);
            if (y)
                next_put(x, y);
        }
    }
    next_put(x, t);
    if (x != old)
        gs_store_rel(&s->trans, (void *)x); /* [S3] */
}

struct gs_shape *gs_shape_dict_of(const struct gs_shape *s)
{
    return gs_shape_get(s->cls ? s->cls->dict_shape : gs_shape_plain_dict);
}

static struct gs_shape *add_slow(struct gs_shape *s, struct gs_str *atom, uint32_t budget)
{
    pthread_mutex_lock(&tree_lock);
    struct gs_shape *t = next_find(s, atom);
    if (!t && nshapes < budget) {
        t = new_shape_locked(s->cls, 0);
        t->nkeys = s->nkeys + 1;
        t->root = s->root;
        t->parent = s;
        t->key = atom;
        publish_locked(t);
        next_add_locked(s, t);
    }
    pthread_mutex_unlock(&tree_lock);
    return t;
}

struct gs_shape *gs_shape_add(struct gs_shape *s, struct gs_str *atom)
{
    if (s->flags & GS_SHAPE_DICT)
        return s;
    if (s->nkeys >= GS_SHAPE_MAX_KEYS)
        return gs_shape_dict_of(s);
    struct gs_shape *t = next_find(s, atom);
    if (!t)
        t = add_slow(s, atom, BUDGET);
    return t ? t : gs_shape_dict_of(s);
}

static uint32_t count_next(struct gs_shape *s)
{
    uintptr_t word = (uintptr_t)gs_load_acq(&s->trans); /* [S3] */
    if (!word || (word & 1))
        return word & 1;
    /* relaxed: a stale count makes a few successors more */
    return gs_load_rlx(&((struct next_table *)word)->n);
}

struct gs_shape *gs_shape_add_computed(struct gs_shape *s, struct gs_str *atom)
{
    if (s->nkeys >= COMPUTED_KEYS || count_next(s) >= COMPUTED_NEXT)
        return NULL;
    return add_slow(s, atom, COMPUTED_BUDGET);
}

struct gs_shape *gs_shape_next(struct gs_shape *s, const struct gs_str *atom)
{
    return next_find(s, atom);
}

/* ---- classes ---- */

struct gs_func *gs_class_method(const struct gs_class *c, const struct gs_str *atom)
{
    for (; c; c = c->super) {
        uint32_t lo = 0, hi = c->nmethods;
        while (lo < hi) {
            uint32_t mid = lo + (hi - lo) / 2;
            if ((uintptr_t)c->methods[mid].name < (uintptr_t)atom)
                lo = mid + 1;
            else
                hi = mid;
        }
        if (lo < c->nmethods && c->methods[lo].name == atom)
            return c->methods[lo].fn;
    }
    return NULL;
}

bool gs_class_is(const struct gs_class *c, const struct gs_class *ancestor)
{
    for (; c; c = c->super)
        if (c == ancestor)
            return true;
    return false;
}
