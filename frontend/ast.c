/* SPDX-License-Identifier: MIT
 * ast.c - the arena that owns a syntax tree.
 *
 * Design     Bump allocation in chunks that double from 8 KiB to 512 KiB: a hello world takes one
 *            page or two, a large file few chunks. What is larger than a quarter of a chunk gets a
 *            chunk of its own, put behind the current one so that the room left in that one is not
 *            lost.
 * Zeroing    Each piece when it is handed out, not the chunk: the bytes are then in cache for the
 *            caller's writes.
 */
#include "ast.h"

#include <string.h>

#include "port/mem.h"

#define FIRST_CHUNK ((size_t)8 << 10)
#define LAST_CHUNK ((size_t)512 << 10)
#define ALIGN ((size_t)16)

struct chunk {
    struct chunk *next;
    size_t pad; /* keeps what follows 16-aligned */
};

struct gs_arena {
    char *p, *end; /* free room in the first chunk of the list */
    struct chunk *chunks;
    size_t size; /* of the next chunk */
};

struct gs_arena *gs_arena_new(void)
{
    struct gs_arena *a = gs_mem_must_zalloc(sizeof *a);
    a->size = FIRST_CHUNK;
    return a;
}

void gs_arena_free(struct gs_arena *a)
{
    if (!a)
        return;
    for (struct chunk *c = a->chunks, *next; c; c = next) {
        next = c->next;
        gs_mem_free(c);
    }
    gs_mem_free(a);
}

static void *alloc_alone(struct gs_arena *a, size_t n)
{
    struct chunk *c = gs_mem_must_alloc(sizeof *c + n);
    if (a->chunks) {
        c->next = a->chunks->next;
        a->chunks->next = c;
    } else {
        c->next = NULL;
        a->chunks = c; /* p and end stay empty: the next small piece opens a chunk before it */
    }
    return memset(c + 1, 0, n);
}

static void open_chunk(struct gs_arena *a)
{
    struct chunk *c = gs_mem_must_alloc(a->size);
    c->next = a->chunks;
    a->chunks = c;
    a->p = (char *)(c + 1);
    a->end = (char *)c + a->size;
    if (a->size < LAST_CHUNK)
        a->size *= 2;
}

void *gs_arena_alloc(struct gs_arena *a, size_t n)
{
    n = (n + ALIGN - 1) & ~(ALIGN - 1);
    if ((size_t)(a->end - a->p) < n) {
        if (n > a->size / 4)
            return alloc_alone(a, n);
        open_chunk(a);
    }
    void *r = a->p;
    a->p += n;
    return memset(r, 0, n);
}
