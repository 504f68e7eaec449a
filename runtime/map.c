/* SPDX-License-Identifier: MIT
 * map.c - the hash table behind dictionary objects.
 *
 * Entries lie in insertion order; the index maps hashes to entry numbers, with linear probing. A
 * removed key leaves its entry (key NULL) and its place in the index, which later probes pass over.
 * When the entries are used up they are compacted, or doubled when few of them are removed ones;
 * the index is then built anew, so no removed place survives. The index has at least 4/3 as many
 * places as there are entries, so a probe always ends. A place holds the entry's number + 1 in its
 * low bits and as much of the hash as fits in the others, so that a probe looks into (almost) no
 * entry but the right one.
 *
 * Keys       A short key (map.h) is compared as two words and hashed from them, so a lookup reads
 *            the index, one entry, and nothing of the heap: with 50,000 keys made at run time, the
 *            strings of the keys lay scattered over lines of their own, and bench string_map took
 *            three times as long. Nor does the map keep such strings alive for the collector.
 */
#include "map.h"

#include <string.h>

#include "heap_int.h"
#include "payload.h"
#include "str.h"

#define CAP_MIN 8u
#define CAP_MAX (1u << 30)

static uint32_t index_size(uint32_t cap)
{
    uint32_t n = 16;
    while (n - n / 4 < cap)
        n *= 2;
    return n;
}

/* mask covers entry + 1, for the index has more places than there are entries; the hash's bits
 * above it are not used for the home. */
static void index_put(struct gs_map *m, uint32_t hash, uint32_t entry)
{
    uint32_t i = hash & m->mask;
    while (m->index[i])
        i = (i + 1) & m->mask;
    m->index[i] = (hash & ~m->mask) | (entry + 1);
}

/* n < 16 bytes at p as the words of a short key; never reads outside of them. */
GS_INLINE struct gs_map_key short_key(const char *p, size_t n)
{
    uint64_t a = 0, b = 0;
    if (n >= 8) {
        a = gs_load64(p);
        b = gs_load64(p + n - 8) >> (8 * (15 - n)) >> 8;
    } else if (n >= 4) {
        a = gs_load32(p) | gs_load32(p + n - 4) << (8 * (n - 4));
    } else if (n > 0) {
        a = (uint64_t)(uint8_t)p[0] | (uint64_t)(uint8_t)p[n / 2] << (8 * (n / 2)) |
            (uint64_t)(uint8_t)p[n - 1] << (8 * (n - 1));
    }
    return (struct gs_map_key){{a, b | (uint64_t)n << 56}};
}

GS_INLINE struct gs_map_key key_of(struct gs_str *s)
{
    if (GS_LIKELY(s->len <= GS_MAP_SHORT))
        return short_key(s->data, s->len);
    return (struct gs_map_key){
        {(uint64_t)(uintptr_t)s, (uint64_t)GS_MAP_LONG << 56 | gs_str_hash(s)}};
}

GS_INLINE bool is_long(struct gs_map_key k)
{
    return k.w[1] >> 56 == GS_MAP_LONG;
}

GS_INLINE uint32_t hash_of(struct gs_map_key k)
{
    if (GS_UNLIKELY(is_long(k)))
        return (uint32_t)k.w[1];
    uint64_t h = gs_hash_words(k.w[0], k.w[1]);
    return (uint32_t)(h ^ h >> 32);
}

GS_INLINE bool same_key(struct gs_map_key a, struct gs_map_key b)
{
    if (a.w[1] != b.w[1])
        return false;
    if (a.w[0] == b.w[0])
        return true;
    return is_long(a) && gs_str_equal((const struct gs_str *)(uintptr_t)a.w[0],
                                      (const struct gs_str *)(uintptr_t)b.w[0]);
}

void gs_map_short_key(const struct gs_map_entry *e, struct gs_str *out)
{
    memset(&out->h, 0, sizeof out->h);
    out->h.kind = GS_T_STR;
    out->len = gs_map_key_kind(e);
    out->data = (const char *)e->key.w;
}

static void compact(struct gs_map *m)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->nused; i++)
        if (!gs_map_is_gone(&m->entries[i]))
            m->entries[n++] = m->entries[i];
    m->nused = n;
}

static void reindex(struct gs_map *m)
{
    memset(m->index, 0, ((size_t)m->mask + 1) * sizeof *m->index);
    for (uint32_t i = 0; i < m->nused; i++)
        index_put(m, hash_of(m->entries[i].key), i);
}

/* Room for cap entries, cap >= m->count. */
static bool resize(struct gs_heap *h, struct gs_map *m, uint32_t cap)
{
    uint32_t size = index_size(cap);
    uint32_t *index = m->index;
    if (!index || size > m->mask + 1) {
        index = gs_storage_new(h, GS_T_RAW, (size_t)size * sizeof *index);
        if (!index)
            return false;
    } else {
        size = m->mask + 1;
    }
    size_t bytes = (size_t)cap * sizeof *m->entries;
    size_t used = (size_t)m->nused * sizeof *m->entries;
    struct gs_map_entry *e = gs_storage_grow(h, GS_T_RAW, m->entries, used, bytes);
    if (!e) {
        if (index != m->index)
            gs_storage_free(h, index);
        return false;
    }
    if (index != m->index)
        gs_storage_free(h, m->index);
    m->entries = e;
    m->cap = cap;
    m->index = index;
    m->mask = size - 1;
    compact(m);
    reindex(m);
    return true;
}

struct gs_map *gs_map_new(struct gs_heap *h, uint32_t cap)
{
    struct gs_map *m = gs_heap_alloc(h, sizeof *m);
    if (!m)
        return NULL;
    gs_obj_init(h, &m->h, GS_T_MAP);
    m->count = m->nused = m->cap = m->mask = 0;
    m->entries = NULL;
    m->index = NULL;
    m->pay = NULL;
    if (cap > CAP_MAX || !resize(h, m, cap < CAP_MIN ? CAP_MIN : cap))
        return NULL;
    return m;
}

/* NULL: absent. The hash of a key that is gone stays in the index, but no key equals it. */
GS_INLINE struct gs_map_entry *find(const struct gs_map *m, struct gs_map_key key, uint32_t hash)
{
    uint32_t mask = m->mask, place;
    for (uint32_t i = hash & mask; (place = m->index[i]) != 0; i = (i + 1) & mask) {
        if ((place ^ hash) & ~mask)
            continue;
        struct gs_map_entry *e = &m->entries[(place & mask) - 1];
        if (GS_LIKELY(same_key(e->key, key)))
            return e;
    }
    return NULL;
}

gs_value *gs_map_find(const struct gs_map *m, struct gs_str *key)
{
    struct gs_map_key k = key_of(key);
    struct gs_map_entry *e = find(m, k, hash_of(k));
    return e ? &e->v : NULL;
}

static bool make_room(struct gs_heap *h, struct gs_map *m)
{
    if (m->count <= m->cap - m->cap / 4) {
        compact(m);
        reindex(m);
        return true;
    }
    return m->cap < CAP_MAX && resize(h, m, m->cap * 2);
}

gs_status gs_map_put(struct gs_heap *h, struct gs_map *m, struct gs_str *key, gs_value v)
{
    struct gs_map_key k = key_of(key);
    uint32_t hash = hash_of(k);
    if (GS_UNLIKELY(m->pay != NULL) && gs_map_own(h, m) != GS_OK)
        return GS_E_NOMEM;
    struct gs_map_entry *e = find(m, k, hash);
    if (e) {
        e->v = v;
        return GS_OK;
    }
    if (m->nused == m->cap && !make_room(h, m))
        return GS_E_NOMEM;
    m->entries[m->nused] = (struct gs_map_entry){.v = v, .key = k};
    index_put(m, hash, m->nused);
    m->nused++;
    m->count++;
    return GS_OK;
}

bool gs_map_delete(struct gs_map *m, struct gs_str *key)
{
    struct gs_map_key k = key_of(key);
    struct gs_map_entry *e = find(m, k, hash_of(k));
    if (!e)
        return false;
    e->key = (struct gs_map_key){{0, (uint64_t)GS_MAP_GONE << 56}};
    e->v = gs_nil();
    m->count--;
    return true;
}

/* ---- sharing ---- */

#define SHARE_MIN 64u /* keys: a payload and its counting cost about what copying so many does */

static size_t entries_bytes(const struct gs_map *m)
{
    return (size_t)m->cap * sizeof *m->entries;
}

static size_t index_bytes(const struct gs_map *m)
{
    return ((size_t)m->mask + 1) * sizeof *m->index;
}

/* Stands for itself in any heap. */
static bool is_flat(gs_value v)
{
    if (!gs_is_obj(v))
        return gs_kind(v) != GS_T_HANDLE;
    return v.tag == GS_T_STR && (v.o->flags & GS_OF_IMMORTAL); /* functions lead to globals */
}

bool gs_map_is_flat(const struct gs_map *m)
{
    for (uint32_t i = 0; i < m->nused; i++) {
        const struct gs_str *key = gs_map_long_key(&m->entries[i]);
        if ((key != NULL && !(key->h.flags & GS_OF_IMMORTAL)) || !is_flat(m->entries[i].v))
            return false;
    }
    return true;
}

static void use_payload(struct gs_map *m, struct gs_payload *p)
{
    m->pay = p;
    m->entries = (struct gs_map_entry *)(void *)p->data;
    m->index = (uint32_t *)(void *)((char *)p->data + entries_bytes(m));
}

/* Moves m's arrays into a payload. */
static bool to_payload(struct gs_heap *h, struct gs_map *m)
{
    struct gs_payload *p = gs_payload_new(entries_bytes(m) + index_bytes(m));
    if (p == NULL)
        return false;
    if (m->h.flags & GS_OF_FINAL) {
        gs_heap_outside(h, 0, p->bytes);
    } else if (!gs_heap_add_final(h, &m->h, p->bytes)) {
        gs_payload_release(p);
        return false;
    }
    struct gs_map_entry *entries = m->entries;
    uint32_t *index = m->index;
    use_payload(m, p);
    memcpy(m->entries, entries, m->nused * sizeof *entries);
    memcpy(m->index, index, index_bytes(m));
    gs_storage_free(h, entries);
    gs_storage_free(h, index);
    return true;
}

struct gs_map *gs_map_share(struct gs_heap *from, struct gs_map *m, struct gs_heap *to)
{
    if (m->pay == NULL && (from == NULL || m->count < SHARE_MIN || !gs_map_is_flat(m) || !to_payload(from, m)))
        return NULL;
    struct gs_map *t = gs_heap_alloc(to, sizeof *t);
    if (t == NULL)
        return NULL;
    gs_obj_init(to, &t->h, GS_T_MAP);
    t->count = m->count;
    t->nused = m->nused;
    t->cap = m->cap;
    t->mask = m->mask;
    t->pay = NULL;
    t->entries = NULL;
    t->index = NULL;
    if (!gs_heap_add_final(to, &t->h, 0)) {
        t->nused = 0;
        return NULL;
    }
    gs_payload_retain(m->pay);
    use_payload(t, m->pay);
    gs_heap_pressure_share(to, t->pay->bytes);
    return t;
}

gs_status gs_map_own(struct gs_heap *h, struct gs_map *m)
{
    if (m->pay == NULL)
        return GS_OK;
    struct gs_map_entry *entries = gs_storage_new(h, GS_T_RAW, entries_bytes(m));
    uint32_t *index = entries != NULL ? gs_storage_new(h, GS_T_RAW, index_bytes(m)) : NULL;
    if (index == NULL) {
        if (entries != NULL)
            gs_storage_free(h, entries);
        return GS_E_NOMEM;
    }
    memcpy(entries, m->entries, m->nused * sizeof *entries);
    memcpy(index, m->index, index_bytes(m));
    gs_heap_outside(h, m->pay->bytes, 0);
    gs_payload_release(m->pay); /* the final list forgets the map at the next collection */
    m->pay = NULL;
    m->entries = entries;
    m->index = index;
    return GS_OK;
}
