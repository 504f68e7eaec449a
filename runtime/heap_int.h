/* SPDX-License-Identifier: MIT
 * heap_int.h - blocks, large objects and storage objects; for the files that implement the heap and
 * the objects in it.
 */
#ifndef GS_RUNTIME_HEAP_INT_H
#define GS_RUNTIME_HEAP_INT_H

#include "heap.h"

#define GS_BLOCK_LINES (GS_BLOCK_SIZE / GS_LINE_SIZE)
#define GS_BLOCK_FIRST_LINE 1u /* the block's own header takes line 0 */
#define GS_HOLE_MIN 2u         /* lines; a shorter hole is not worth a refill of the bump run */
#define GS_GC_FIRST (1u << 20) /* no collection is asked for below; about one second-level cache */

#define GS_OF_COLOUR ((uint32_t)(GS_OF_MARK_A | GS_OF_MARK_B))

struct gs_block {
    struct gs_block *next;        /* in heap->blocks or heap->reserve */
    struct gs_block *recycle;     /* in heap->recycle */
    uint8_t line[GS_BLOCK_LINES]; /* 1: the last collection found something living in the line */
};
_Static_assert(sizeof(struct gs_block) <= GS_LINE_SIZE, "the header fits in line 0");

GS_INLINE struct gs_block *gs_block_of(const void *p)
{
    return (struct gs_block *)((uintptr_t)p & ~(uintptr_t)(GS_BLOCK_SIZE - 1));
}

/* In front of each object with GS_OF_LARGE. */
struct gs_large {
    size_t size;    /* of the object, without this */
    uint32_t index; /* in heap->large */
    uint32_t pad;
};
_Static_assert(sizeof(struct gs_large) == 16, "keeps the object 16-aligned");

GS_INLINE struct gs_large *gs_large_of(const struct gs_obj *o)
{
    return (struct gs_large *)((uintptr_t)o - sizeof(struct gs_large));
}

/* Storage objects (RAW: bytes, VALUES: values): the data starts 16 bytes behind the header. Each is
 * referenced by exactly one array, object or map, never by a value, so that its owner may free or
 * move it at any time. aux32 is the data's size in units of 16. */
#define GS_STORAGE_HEAD 16u

GS_INLINE struct gs_obj *gs_storage_obj(const void *data)
{
    return (struct gs_obj *)((uintptr_t)data - GS_STORAGE_HEAD);
}
GS_INLINE size_t gs_storage_bytes(const void *data)
{
    return (size_t)gs_storage_obj(data)->aux32 * 16u;
}
/* The data of a new storage object of at least n bytes; NULL when out. Not zeroed. */
void *gs_storage_new(struct gs_heap *h, enum gs_kind kind, size_t n);
/* Makes data's object hold at least n bytes, in place or moved, contents kept; NULL when out:
 * unchanged. data may be NULL. */
void *gs_storage_grow(struct gs_heap *h, enum gs_kind kind, void *data, size_t used, size_t n);
/* Gives data's object back where that is possible at once (large, or last in the bump run). data
 * may be NULL. */
void gs_storage_free(struct gs_heap *h, void *data);

/* A bigger object than a block takes, or any that asks for it. The header is the caller's to write,
 * with GS_OF_LARGE. */
void *gs_large_new(struct gs_heap *h, size_t n);
void gs_large_free(struct gs_heap *h, struct gs_obj *o);

/* h's rest, made if there was none; NULL when out. */
struct gs_heap_rest *gs_heap_make_rest(struct gs_heap *h);
/* Blocks for gc.c. */
void gs_block_free(struct gs_heap *h, struct gs_block *b);
void gs_heap_report(struct gs_heap *h);
/* Drops what o, a member of the final list, holds outside. */
void gs_obj_release_outside(struct gs_obj *o);

/* Free memory inside blocks: invisible to AddressSanitizer's eye unless told. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GS_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define GS_ASAN 1
#endif
#if defined(GS_ASAN)
#include <sanitizer/asan_interface.h>
#define GS_POISON(p, n) __asan_poison_memory_region((p), (n))
#define GS_UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#else
#define GS_POISON(p, n) ((void)(p), (void)(n))
#define GS_UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#endif
