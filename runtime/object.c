/* SPDX-License-Identifier: MIT
 * object.c - permanent memory, and the layouts that the collector, the interpreter and compiled
 * code rely on.
 *
 * Permanent memory is a bump allocator over chunks that are never freed. The chunks are linked from
 * one static list, so that a leak checker sees everything as reachable. The first chunk is static:
 * a small program takes no memory from the system for it.
 */
#include "object.h"

#include <string.h>

#include "port/mem.h"

_Static_assert(sizeof(struct gs_obj) == 8, "header is one word");
_Static_assert(sizeof(struct gs_str) == 24, "string body follows the struct");
_Static_assert(sizeof(struct gs_xstr) == 32, "");
_Static_assert(offsetof(struct gs_str, len) == 8, "see gs_truthy");
_Static_assert(sizeof(struct gs_array) == 40, "");
_Static_assert(offsetof(struct gs_array, data) == 24, "");
_Static_assert(sizeof(struct gs_object) == 24, "fields follow the struct");
_Static_assert(sizeof(struct gs_func) == 16, "captures follow the struct");
_Static_assert(sizeof(struct gs_cell) == 24, "");
_Static_assert(offsetof(struct gs_payload, data) == 16, "payload data is 16-aligned");
_Static_assert((int)GS_STORE_VALUE < (int)GS_STORE_COW, "COW is a bit above the kinds");

#define PERM_FIRST (32u << 10)
#define PERM_CHUNK (128u << 10)

struct perm_chunk {
    struct perm_chunk *next;
    size_t pad; /* keeps what follows 16-aligned */
};

static struct gs_spin perm_lock; /* guards the three below */
static _Alignas(16) char perm_first[PERM_FIRST];
static char *perm_cur = perm_first, *perm_end = perm_first + PERM_FIRST;
static struct perm_chunk *perm_chunks;

static void *perm_bump_locked(size_t n)
{
    if ((size_t)(perm_end - perm_cur) < n)
        return NULL;
    void *p = perm_cur;
    perm_cur += n;
    return p;
}

void *gs_perm_alloc(size_t n)
{
    n = (n + 15u) & ~(size_t)15u;
    gs_spin_lock(&perm_lock);
    void *p = perm_bump_locked(n);
    gs_spin_unlock(&perm_lock);
    if (p)
        return p;
    /* The allocator may block, so not under the spin lock. Two threads may both come here: the
     * loser's rest is wasted. */
    bool own = n > PERM_CHUNK / 4;
    size_t size = own ? n : PERM_CHUNK;
    struct perm_chunk *c = gs_mem_must_zalloc(sizeof *c + size);
    gs_spin_lock(&perm_lock);
    c->next = perm_chunks;
    perm_chunks = c;
    p = c + 1;
    if (!own) {
        perm_cur = (char *)p + n;
        perm_end = (char *)p + size;
    }
    gs_spin_unlock(&perm_lock);
    return p;
}
