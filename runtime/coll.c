/* SPDX-License-Identifier: MIT
 * coll.c - values and keys at rest in collections, and what all collections have in common.
 * Contract: coll_int.h.
 *
 * Texts      Counted, because a reader takes a share under the lock and makes its string after it.
 *            [CT1] dropping is acq_rel; the last one frees.
 */
#include "coll_int.h"

#include <string.h>

#include "port/mem.h"

/* ---- collections ---- */

void *gs_coll_new(size_t size, enum gs_hkind k)
{
    struct gs_coll *c = gs_mem_zalloc(size);
    if (c == NULL)
        return NULL;
    (void)pthread_mutex_init(&c->lock, NULL); /* cannot fail without attributes */
    gs_hobj_init(&c->h, k);
    return c;
}

void gs_coll_fini(struct gs_coll *c)
{
    (void)pthread_mutex_destroy(&c->lock);
    gs_mem_free(c);
}

void *gs_coll_enter(struct gs_vm *vm, const char *fn, gs_value v, enum gs_hkind k)
{
    struct gs_coll *c = (struct gs_coll *)gs_handle_check(vm, fn, v, k);
    if (c == NULL)
        return NULL;
    (void)pthread_mutex_lock(&c->lock);
    if (GS_LIKELY(!(gs_load_rlx(&c->h.flags) & GS_HF_FREED))) /* relaxed: set under the lock */
        return c;
    (void)pthread_mutex_unlock(&c->lock);
    (void)gs_handle_check(vm, fn, v, k); /* throws */
    return NULL;
}

void gs_coll_leave(void *coll)
{
    (void)pthread_mutex_unlock(&((struct gs_coll *)coll)->lock);
}

/* ---- texts ---- */

#define TEXT_MAX                                                                                   \
    512 /* longer strings are shared buffers, which a parcel passes on without copying */

struct text {
    _Atomic uint32_t refs;
    uint32_t hash;
    size_t len;
    char bytes[];
};

static gs_value text_value(struct text *t)
{
    return gs_objv(GS_T_RAW, t);
}

static struct text *text_of(gs_value v)
{
    return v.p;
}

static gs_status text_new(struct gs_str *s, gs_value *out)
{
    struct text *t = gs_mem_alloc(sizeof *t + s->len);
    if (t == NULL)
        return GS_E_NOMEM;
    gs_store_rlx(&t->refs, 1u); /* nobody else knows it yet */
    t->hash = gs_str_hash(s);
    t->len = s->len;
    memcpy(t->bytes, s->data, s->len);
    *out = text_value(t);
    return GS_OK;
}

static void text_drop(struct text *t)
{
    if (gs_sub_acq_rel(&t->refs, 1u) == 1) /* [CT1] */
        gs_mem_free(t);
}

static gs_status text_open(struct gs_vm *vm, const struct text *t, gs_value *out)
{
    struct gs_str *s = gs_str_new(&vm->heap, t->bytes, t->len);
    if (s == NULL)
        return GS_E_NOMEM;
    *out = gs_strv(s);
    return GS_OK;
}

/* ---- values ---- */

gs_status gs_item_pack(struct gs_vm *vm, gs_value v, struct gs_parcel *out)
{
    if (!gs_is(v, GS_T_STR) || v.s->len > TEXT_MAX || (v.o->flags & GS_OF_IMMORTAL))
        return gs_parcel_pack(vm, v, out);
    *out = (struct gs_parcel){0};
    return text_new(v.s, &out->v);
}

gs_status gs_item_open(struct gs_vm *vm, const struct gs_parcel *p, gs_value *out)
{
    if (gs_is(p->v, GS_T_RAW))
        return text_open(vm, text_of(p->v), out);
    return gs_parcel_open(vm, p, out);
}

gs_status gs_item_take(struct gs_vm *vm, struct gs_parcel *p, gs_value *out)
{
    if (!gs_is(p->v, GS_T_RAW))
        return gs_parcel_take(vm, p, out);
    gs_status st = text_open(vm, text_of(p->v), out);
    if (st == GS_OK)
        gs_item_drop(p);
    return st;
}

void gs_item_dup(const struct gs_parcel *p, struct gs_parcel *out)
{
    if (!gs_is(p->v, GS_T_RAW)) {
        gs_parcel_dup(p, out);
        return;
    }
    (void)gs_add_rlx(&text_of(p->v)->refs, 1u); /* relaxed: the caller has a share to stand on */
    *out = *p;
}

void gs_item_drop(struct gs_parcel *p)
{
    if (gs_is(p->v, GS_T_RAW)) {
        text_drop(text_of(p->v));
        *p = (struct gs_parcel){0};
    } else {
        gs_parcel_drop(p);
    }
}

int gs_item_list(struct gs_vm *vm, struct gs_parcel *items, size_t n, gs_value *ret)
{
    struct gs_array *a = gs_array_new(&vm->heap);
    gs_status st = a != NULL ? GS_OK : GS_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        gs_value v;
        if (st == GS_OK)
            st = gs_item_take(vm, &items[i], &v);
        if (st == GS_OK)
            st = gs_array_push(&vm->heap, a, v);
        gs_item_drop(&items[i]);
    }
    gs_mem_free(items);
    if (st == GS_OK)
        *ret = gs_objv(GS_T_ARRAY, a);
    return (int)st;
}

/* ---- keys ---- */

/* The finaliser of MurmurHash3: every bit of the input reaches every bit of the output. */
static uint32_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53u;
    return (uint32_t)(x >> 32);
}

static struct gs_key int_key(int64_t i)
{
    return (struct gs_key){.kind = GS_KEY_INT, .hash = mix((uint64_t)i), .i = i};
}

static struct gs_key float_key(double d)
{
    if (d >= -0x1p63 && d < 0x1p63 && d == (double)(int64_t)d)
        return int_key((int64_t)d);
    uint64_t bits = 0x7ff8000000000000u; /* one NaN for all */
    if (d == d)
        memcpy(&bits, &d, sizeof bits);
    return (struct gs_key){.kind = GS_KEY_FLOAT, .hash = mix(bits), .d = d};
}

static struct gs_key str_key(const char *p, size_t len, uint32_t hash)
{
    return (struct gs_key){.kind = GS_KEY_STR, .hash = hash, .p = p, .len = len};
}

struct gs_key gs_key_of(gs_value v)
{
    switch (gs_kind(v)) {
    case GS_T_NIL:
        return (struct gs_key){.kind = GS_KEY_NIL, .hash = 1};
    case GS_T_BOOL:
        return (struct gs_key){.kind = GS_KEY_BOOL, .hash = 2 + (uint32_t)v.u, .i = (int64_t)v.u};
    case GS_T_INT:
    case GS_T_HANDLE:
        return int_key(v.i);
    case GS_T_FLOAT:
        return float_key(v.d);
    case GS_T_STR:
        return str_key(v.s->data, v.s->len, gs_str_hash(v.s));
    case GS_T_RAW:
        return str_key(text_of(v)->bytes, text_of(v)->len, text_of(v)->hash);
    default:
        return (struct gs_key){.kind = GS_KEY_NONE};
    }
}

bool gs_key_equal(const struct gs_key *a, const struct gs_key *b)
{
    if (a->kind != b->kind || a->hash != b->hash)
        return false;
    switch (a->kind) {
    case GS_KEY_FLOAT:
        return a->d == b->d || (a->d != a->d && b->d != b->d);
    case GS_KEY_STR:
        return a->len == b->len && memcmp(a->p, b->p, a->len) == 0;
    default:
        return a->i == b->i;
    }
}

int gs_key_arg(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i, struct gs_key *out)
{
    *out = gs_key_of(args[i]);
    if (GS_LIKELY(out->kind != GS_KEY_NONE))
        return GS_OK;
    return gs_throw(vm, GS_ERR_TYPE,
                    "%s expects nil, bool, number, string or handle as argument %u, got %s", fn,
                    i + 1, gs_kind_word(args[i]));
}

gs_status gs_key_pack(gs_value v, gs_value *out)
{
    if (gs_is(v, GS_T_STR) && !(v.o->flags & GS_OF_IMMORTAL))
        return text_new(v.s, out);
    if (gs_kind(v) == GS_T_HANDLE)
        gs_hobj_retain(gs_handle_obj(v));
    *out = v;
    return GS_OK;
}

void gs_key_dup(gs_value v, gs_value *out)
{
    struct gs_parcel p = {.v = v}, q;
    gs_item_dup(&p, &q);
    *out = q.v;
}

void gs_key_drop(gs_value v)
{
    struct gs_parcel p = {.v = v};
    gs_item_drop(&p);
}
