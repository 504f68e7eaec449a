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
 */
#include "map.h"

#include <string.h>

#include "heap_int.h"
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

static void compact(struct gs_map *m)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->nused; i++)
        if (m->entries[i].key)
            m->entries[n++] = m->entries[i];
    m->nused = n;
}

static void reindex(struct gs_map *m)
{
    memset(m->index, 0, ((size_t)m->mask + 1) * sizeof *m->index);
    for (uint32_t i = 0; i < m->nused; i++)
        index_put(m, m->entries[i].hash, i);
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
    if (cap > CAP_MAX || !resize(h, m, cap < CAP_MIN ? CAP_MIN : cap))
        return NULL;
    return m;
}

static struct gs_map_entry *find(const struct gs_map *m, struct gs_str *key)
{
    uint32_t hash = gs_str_hash(key), mask = m->mask, place;
    for (uint32_t i = hash & mask; (place = m->index[i]) != 0; i = (i + 1) & mask) {
        if ((place ^ hash) & ~mask)
            continue;
        struct gs_map_entry *e = &m->entries[(place & mask) - 1];
        if (e->hash == hash && e->key && (e->key == key || gs_str_equal(e->key, key)))
            return e;
    }
    return NULL;
}

gs_value *gs_map_find(const struct gs_map *m, struct gs_str *key)
{
    struct gs_map_entry *e = find(m, key);
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
    struct gs_map_entry *e = find(m, key);
    if (e) {
        e->v = v;
        return GS_OK;
    }
    if (m->nused == m->cap && !make_room(h, m))
        return GS_E_NOMEM;
    uint32_t hash = gs_str_hash(key);
    m->entries[m->nused] = (struct gs_map_entry){.key = key, .v = v, .hash = hash};
    index_put(m, hash, m->nused);
    m->nused++;
    m->count++;
    return GS_OK;
}

bool gs_map_delete(struct gs_map *m, struct gs_str *key)
{
    struct gs_map_entry *e = find(m, key);
    if (!e)
        return false;
    e->key = NULL;
    e->v = gs_nil();
    m->count--;
    return true;
}
