/* SPDX-License-Identifier: MIT
 * payload.c - the shared buffers behind arrays and long strings; the counting rules stand in
 * payload.h.
 */
#include "payload.h"

#include "port/mem.h"

/* Absurdly large sizes are refused before they can wrap around. */
#define LARGEST (SIZE_MAX / 4)

/* Payloads of so many bytes are coloured (payload.h); smaller ones share their lines with neighbours of all sorts. */
#define COLOURED_MIN 4096u
#define COLOURS 8u
#define LINE 64u /* data is aligned to it, so that no vector lies across two */

/* What stands before a payload in its block, at most. */
static size_t room_before(size_t bytes)
{
    return bytes >= COLOURED_MIN ? LINE + COLOURS * LINE : 0;
}

/* The payload in a block of `size` bytes. */
static struct gs_payload *place(unsigned char *block, size_t size, size_t bytes)
{
    static _Thread_local unsigned next; /* any start will do */
    struct gs_payload *p = (struct gs_payload *)block;
    if (bytes >= COLOURED_MIN) {
        uintptr_t data = (uintptr_t)block + offsetof(struct gs_payload, data);
        size_t lead = (LINE - data % LINE) % LINE + next++ % COLOURS * LINE;
        p = (struct gs_payload *)(block + lead);
        p->lead = (uint32_t)lead;
    } else {
        p->lead = 0;
    }
    atomic_init(&p->refs, 1u);
    p->bytes = size - sizeof *p - p->lead;
    return p;
}

static unsigned char *block_of(struct gs_payload *p)
{
    return (unsigned char *)p - p->lead;
}

/* 0: too large */
static size_t block_size(size_t bytes, size_t lead)
{
    if (bytes > LARGEST)
        return 0;
    size_t size = sizeof(struct gs_payload) + bytes + lead;
    size_t good = gs_mem_good_size(size);
    return good > size ? good : size;
}

static struct gs_payload *make(size_t bytes, bool zeroed)
{
    size_t size = block_size(bytes, room_before(bytes));
    unsigned char *block = size == 0 ? NULL : zeroed ? gs_mem_zalloc(size) : gs_mem_alloc(size);
    return block != NULL ? place(block, size, bytes) : NULL;
}

struct gs_payload *gs_payload_new(size_t bytes)
{
    return make(bytes, false);
}

struct gs_payload *gs_payload_new_zeroed(size_t bytes)
{
    return make(bytes, true);
}

struct gs_payload *gs_payload_resize(struct gs_payload *p, size_t bytes)
{
    size_t lead = p->lead, size = block_size(bytes, lead);
    unsigned char *block = size != 0 ? gs_mem_realloc(block_of(p), size) : NULL;
    if (block == NULL)
        return NULL;
    p = (struct gs_payload *)(block + lead);
    p->bytes = size - sizeof *p - lead;
    return p;
}

void gs_payload_retain(struct gs_payload *p)
{
    gs_add_rlx(&p->refs,
               1u); /* relaxed: the caller holds a share, so the buffer cannot go away meanwhile */
}

void gs_payload_release(struct gs_payload *p)
{
    if (p && gs_sub_acq_rel(&p->refs, 1u) == 1) /* [Y1] */
        gs_mem_free(block_of(p));
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
