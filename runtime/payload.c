/* SPDX-License-Identifier: MIT
 * payload.c - the shared buffers behind arrays and long strings; the counting rules stand in
 * payload.h.
 */
#include "payload.h"

#include "port/mem.h"

static struct gs_payload *payload_init(struct gs_payload *p, size_t size)
{
    if (!p)
        return NULL;
    atomic_init(&p->refs, 1u);
    p->pad = 0;
    p->bytes = size - sizeof *p;
    return p;
}

/* 0: absurdly large */
static size_t payload_size(size_t bytes)
{
    if (bytes > SIZE_MAX / 4)
        return 0;
    size_t size = sizeof(struct gs_payload) + bytes;
    size_t good = gs_mem_good_size(size);
    return good > size ? good : size;
}

struct gs_payload *gs_payload_new(size_t bytes)
{
    size_t size = payload_size(bytes);
    return size ? payload_init(gs_mem_alloc(size), size) : NULL;
}

struct gs_payload *gs_payload_new_zeroed(size_t bytes)
{
    size_t size = payload_size(bytes);
    return size ? payload_init(gs_mem_zalloc(size), size) : NULL;
}

struct gs_payload *gs_payload_resize(struct gs_payload *p, size_t bytes)
{
    size_t size = payload_size(bytes);
    struct gs_payload *q = size ? gs_mem_realloc(p, size) : NULL;
    if (q)
        q->bytes = size - sizeof *q;
    return q;
}

void gs_payload_retain(struct gs_payload *p)
{
    gs_add_rlx(&p->refs,
               1u); /* relaxed: the caller holds a share, so the buffer cannot go away meanwhile */
}

void gs_payload_release(struct gs_payload *p)
{
    if (p && gs_sub_acq_rel(&p->refs, 1u) == 1) /* [Y1] */
        gs_mem_free(p);
}

struct gs_strbuf *gs_strbuf_new(size_t cap, uint64_t owner)
{
    if (cap > SIZE_MAX / 4)
        return NULL;
    size_t size = sizeof(struct gs_strbuf) + cap;
    size_t good = gs_mem_good_size(size);
    if (good > size)
        size = good;
    struct gs_strbuf *b = gs_mem_alloc(size);
    if (!b)
        return NULL;
    atomic_init(&b->refs, 1u);
    b->owner = owner;
    b->used = 0;
    b->cap = size - sizeof *b;
    return b;
}

void gs_strbuf_retain(struct gs_strbuf *b)
{
    gs_add_rlx(&b->refs, 1u); /* relaxed: see gs_payload_retain */
}

void gs_strbuf_release(struct gs_strbuf *b)
{
    if (b && gs_sub_acq_rel(&b->refs, 1u) == 1) /* [Y1] */
        gs_mem_free(b);
}
