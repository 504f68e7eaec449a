/* SPDX-License-Identifier: MIT
 * map.h - the hash table behind dictionary objects: string keys, open addressing over an entry array in insertion order.
 *
 * Lives in the VM's heap (kind MAP) with its arrays as RAW/VALUES-like parts; the collector knows its layout. Keys are any strings.
 */
#ifndef GS_RUNTIME_MAP_H
#define GS_RUNTIME_MAP_H

#include "heap.h"

struct gs_map_entry {
    struct gs_str *key; /* NULL: removed */
    gs_value v;
    uint32_t hash;
    uint32_t pad;
};

struct gs_map {
    struct gs_obj h;
    uint32_t count;  /* keys present */
    uint32_t nused;  /* entries used, removed ones included */
    uint32_t cap;    /* entries that fit */
    uint32_t mask;   /* index size - 1 */
    struct gs_map_entry *entries; /* body of a RAW-like heap object, or of a large one */
    uint32_t *index; /* entry number + 1 and bits of the hash, see map.c; 0 free */
};

struct gs_map *gs_map_new(struct gs_heap *h, uint32_t cap);
gs_value *gs_map_find(const struct gs_map *m, struct gs_str *key); /* NULL: absent. Valid until the next change */
gs_status gs_map_put(struct gs_heap *h, struct gs_map *m, struct gs_str *key, gs_value v);
bool gs_map_delete(struct gs_map *m, struct gs_str *key);

#endif
