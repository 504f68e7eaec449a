/* SPDX-License-Identifier: MIT
 * vec.h - growable arrays and a pointer table for the compiler. Memory that runs out ends the
 * process (gs_mem_must_*).
 */
#ifndef GS_FRONTEND_VEC_H
#define GS_FRONTEND_VEC_H

#include <stddef.h>
#include <stdint.h>

#include "port/mem.h"

/* A struct with an array v of n elements of which cap fit. Zeroed memory is an empty one. */
#define GS_VEC(type)                                                                               \
    struct {                                                                                       \
        type *v;                                                                                   \
        uint32_t n, cap;                                                                           \
    }

/* Appends; evaluates `vec` several times. */
#define GS_VEC_PUSH(vec, ...)                                                                      \
    do {                                                                                           \
        if ((vec)->n == (vec)->cap)                                                                \
            (vec)->v = gs_vec_grow((vec)->v, &(vec)->cap, sizeof(*(vec)->v));                      \
        (vec)->v[(vec)->n++] = __VA_ARGS__;                                                        \
    } while (0)

#define GS_VEC_FREE(vec) (gs_mem_free((vec)->v), (vec)->v = NULL, (vec)->n = (vec)->cap = 0)

static inline void *gs_vec_grow(void *v, uint32_t *cap, size_t size)
{
    *cap = *cap ? *cap * 2 : 8;
    return gs_mem_must_realloc(v, *cap * size);
}

/* 64-bit keys (pointers, packed numbers; never 0) to 32-bit numbers. Open addressing. */
struct gs_table {
    struct gs_table_entry {
        uint64_t key;
        uint32_t value;
    } * v;
    uint32_t n, mask; /* mask + 1 places; 0 with v == NULL: none */
};

static inline uint64_t gs_table_hash(uint64_t k)
{
    k *= 0x9e3779b97f4a7c15u;
    return k ^ k >> 32;
}

static inline struct gs_table_entry *gs_table_find(const struct gs_table *t, uint64_t key)
{
    if (t->v == NULL)
        return NULL;
    for (uint32_t i = (uint32_t)gs_table_hash(key) & t->mask;; i = (i + 1) & t->mask) {
        if (t->v[i].key == key)
            return &t->v[i];
        if (t->v[i].key == 0)
            return NULL;
    }
}

/* The key must be new. */
static inline void gs_table_put(struct gs_table *t, uint64_t key, uint32_t value)
{
    if (t->v == NULL || t->n >= (t->mask + 1) / 4 * 3) {
        struct gs_table old = *t;
        t->mask = old.v ? old.mask * 2 + 1 : 15;
        t->v = gs_mem_must_zalloc((t->mask + (size_t)1) * sizeof(*t->v));
        t->n = 0;
        for (uint32_t i = 0; old.v != NULL && i <= old.mask; i++) {
            if (old.v[i].key != 0)
                gs_table_put(t, old.v[i].key, old.v[i].value);
        }
        gs_mem_free(old.v);
    }
    uint32_t i = (uint32_t)gs_table_hash(key) & t->mask;
    while (t->v[i].key != 0)
        i = (i + 1) & t->mask;
    t->v[i] = (struct gs_table_entry){key, value};
    t->n++;
}

static inline void gs_table_free(struct gs_table *t)
{
    gs_mem_free(t->v);
    *t = (struct gs_table){0};
}

#endif
