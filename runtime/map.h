/* SPDX-License-Identifier: MIT
 * map.h - the hash table behind dictionary objects: string keys, open addressing over an entry array in insertion order.
 *
 * Lives in the VM's heap (kind MAP) with its arrays as RAW storage; the collector knows its layout.
 * Keys are any strings. Those of up to GS_MAP_SHORT bytes are kept as their bytes in the entry, not as a string of the heap:
 * whoever needs such a key as a string makes one (gs_object_keys).
 *
 * Sharing    A large map without anything in it that belongs to one heap can have its arrays in a payload (payload.h), which maps of other VMs
 *            use, too: then nobody writes to them, and a map that is to change gets arrays of its own first (gs_map_own).
 */
#ifndef GS_RUNTIME_MAP_H
#define GS_RUNTIME_MAP_H

#include "heap.h"
#include "object.h"

#define GS_MAP_SHORT 15u
#define GS_MAP_LONG 0x10u /* marks in the place of the length */
#define GS_MAP_GONE 0x11u

/* A key as two words. Short: the bytes, zeros behind them, and the length in the last byte. Long: the address of the string, its hash
 * below the mark. Equal short keys have equal words, and no other key has. */
struct gs_map_key {
    uint64_t w[2];
};
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the last byte is the top one");

struct gs_map_entry {
    gs_value v;
    struct gs_map_key key;
};
_Static_assert(sizeof(struct gs_map_entry) == 32, "two in a cache line");

struct gs_map {
    struct gs_obj h;
    uint32_t count;  /* keys present */
    uint32_t nused;  /* entries used, removed ones included */
    uint32_t cap;    /* entries that fit */
    uint32_t mask;   /* index size - 1 */
    struct gs_map_entry *entries; /* body of a RAW-like heap object, or of a large one */
    uint32_t *index; /* entry number + 1 and bits of the hash, see map.c; 0 free */
    struct gs_payload *pay; /* has both, and is not written to; NULL: they are the map's own */
};

/* The length of a short key, else GS_MAP_LONG or (the entry was removed) GS_MAP_GONE. */
GS_INLINE unsigned gs_map_key_kind(const struct gs_map_entry *e)
{
    return (unsigned)(e->key.w[1] >> 56);
}
GS_INLINE bool gs_map_is_gone(const struct gs_map_entry *e)
{
    return gs_map_key_kind(e) == GS_MAP_GONE;
}
/* The string of a long key, NULL when it is short or gone. */
GS_INLINE struct gs_str *gs_map_long_key(const struct gs_map_entry *e)
{
    return gs_map_key_kind(e) == GS_MAP_LONG ? (struct gs_str *)(uintptr_t)e->key.w[0] : NULL;
}
/* A short key as a string that no heap owns and that is good as long as the map does not change. */
void gs_map_short_key(const struct gs_map_entry *e, struct gs_str *out);

struct gs_map *gs_map_new(struct gs_heap *h, uint32_t cap);
gs_value *gs_map_find(const struct gs_map *m, struct gs_str *key); /* NULL: absent. Valid until the next change */
gs_status gs_map_put(struct gs_heap *h, struct gs_map *m, struct gs_str *key, gs_value v);
/* m has arrays of its own. */
bool gs_map_delete(struct gs_map *m, struct gs_str *key);

/* m, of the heap `from`, as a map in another heap (or the same) with the same contents and without copying them. from NULL: m is in a fragment, which other threads may be
 * reading; then only what is shared already is. NULL: it cannot be, is too small to be worth it, or memory is out. */
struct gs_map *gs_map_share(struct gs_heap *from, struct gs_map *m, struct gs_heap *to);
/* Before m is written to. GS_OK, GS_E_NOMEM. */
gs_status gs_map_own(struct gs_heap *h, struct gs_map *m);
/* Whether nothing in it belongs to a heap. */
bool gs_map_is_flat(const struct gs_map *m);

#endif
