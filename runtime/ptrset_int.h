/* SPDX-License-Identifier: MIT
 * ptrset_int.h - a set of pointers: open addressing, removal by moving back. Zero-initialised is
 * empty.
 */
#ifndef GS_RUNTIME_PTRSET_INT_H
#define GS_RUNTIME_PTRSET_INT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "port/mem.h"

struct gs_ptrset {
    const void **slot;
    size_t n, mask; /* mask: size - 1, when slot is not NULL */
};

static inline size_t gs_ptrset_home(const struct gs_ptrset *s, const void *p)
{
    return (size_t)((uint64_t)(uintptr_t)p / 16 * 0x9e3779b97f4a7c15u >> 20) & s->mask;
}

/* The place of p, or the free one where it would go. The set is not empty. */
static inline size_t gs_ptrset_at(const struct gs_ptrset *s, const void *p)
{
    size_t i = gs_ptrset_home(s, p);
    while (s->slot[i] && s->slot[i] != p)
        i = (i + 1) & s->mask;
    return i;
}

static inline bool gs_ptrset_has(const struct gs_ptrset *s, const void *p)
{
    return s->slot && s->slot[gs_ptrset_at(s, p)] == p;
}

static inline bool gs_ptrset_grow(struct gs_ptrset *s)
{
    size_t size = s->slot ? (s->mask + 1) * 2 : 64;
    const void **slot = (const void **)gs_mem_zalloc(size * sizeof *slot);
    if (!slot)
        return false;
    struct gs_ptrset old = *s;
    s->slot = slot;
    s->mask = size - 1;
    for (size_t i = 0; old.slot && i <= old.mask; i++)
        if (old.slot[i])
            s->slot[gs_ptrset_at(s, old.slot[i])] = old.slot[i];
    gs_mem_free(old.slot);
    return true;
}

/* False when memory is out. p may be in already. */
static inline bool gs_ptrset_add(struct gs_ptrset *s, const void *p)
{
    if ((!s->slot || s->n > s->mask / 2) && !gs_ptrset_grow(s))
        return false;
    size_t i = gs_ptrset_at(s, p);
    if (!s->slot[i]) {
        s->slot[i] = p;
        s->n++;
    }
    return true;
}

static inline void gs_ptrset_remove(struct gs_ptrset *s, const void *p)
{
    if (!gs_ptrset_has(s, p))
        return;
    size_t hole = gs_ptrset_at(s, p);
    for (size_t i = (hole + 1) & s->mask; s->slot[i]; i = (i + 1) & s->mask) {
        /* An entry may move back to the hole unless its home lies behind the hole. */
        size_t home = gs_ptrset_home(s, s->slot[i]);
        if (((i - home) & s->mask) >= ((i - hole) & s->mask)) {
            s->slot[hole] = s->slot[i];
            hole = i;
        }
    }
    s->slot[hole] = NULL;
    s->n--;
}

static inline void gs_ptrset_fini(struct gs_ptrset *s)
{
    gs_mem_free(s->slot);
    memset(s, 0, sizeof *s);
}

#endif
