/* SPDX-License-Identifier: MIT
 * hold.c - a worker's own stock: beginning, resting, ending. Contract: hold.h.
 */
#include "hold.h"

#include <string.h>

#include "port/mem.h"
#include "seed.h"
#include "taskobj.h"

_Thread_local struct gs_hold gs_hold;

const uint32_t gs_hold_bytes[GS_HOLD_KINDS] = {[GS_HOLD_VM] = GS_VM_BYTES, [GS_HOLD_TASK] = sizeof(struct gs_taskobj), [GS_HOLD_SEED] = GS_SEED_BYTES};

/* ---- blocks ---- */

/* Blocks that no worker holds, by the batch: who ends what others start hands them back through here, one lock for GS_HOLD_BATCH of them,
 * where the allocator would make each a message to the thread it came from. */
#define DEPOT_BATCHES 16u

static struct depot {
    struct gs_spin lock;
    _Atomic uint32_t n; /* batches; read without the lock as a hint */
    void *block[DEPOT_BATCHES][GS_HOLD_BATCH];
} depots[GS_HOLD_KINDS]; /* all under lock */

static bool depot_take(struct depot *d, struct gs_hold_blocks *b)
{
    gs_spin_lock(&d->lock);
    uint32_t n = gs_load_rlx(&d->n);
    bool got = n > 0;
    if (got) {
        memcpy(b->block, d->block[n - 1], sizeof d->block[0]);
        gs_store_rlx(&d->n, n - 1);
        b->n = GS_HOLD_BATCH;
    }
    gs_spin_unlock(&d->lock);
    return got;
}

void *gs_hold_take_slow(enum gs_hold_kind k)
{
    struct depot *d = &depots[k];
    if (!gs_hold.on || gs_load_rlx(&d->n) == 0 || !depot_take(d, &gs_hold.blocks[k]))
        return NULL;
    return gs_hold_take(k);
}

static void free_block(enum gs_hold_kind k, void *p)
{
    GS_UNPOISON(p, gs_hold_bytes[k]);
    gs_mem_free(p);
}

/* The blocks that have been here longest go. */
void gs_hold_give_slow(enum gs_hold_kind k, void *p)
{
    struct depot *d = &depots[k];
    struct gs_hold_blocks *b = &gs_hold.blocks[k];
    if (!gs_hold.on) {
        gs_mem_free(p);
        return;
    }
    gs_spin_lock(&d->lock);
    uint32_t n = gs_load_rlx(&d->n);
    bool room = n < DEPOT_BATCHES;
    if (room) {
        memcpy(d->block[n], b->block, sizeof d->block[0]);
        gs_store_rlx(&d->n, n + 1);
    }
    gs_spin_unlock(&d->lock);
    for (uint32_t i = 0; !room && i < GS_HOLD_BATCH; i++)
        free_block(k, b->block[i]);
    b->n -= GS_HOLD_BATCH;
    memmove(b->block, b->block + GS_HOLD_BATCH, b->n * sizeof b->block[0]);
    gs_hold_give(k, p);
}

static void return_blocks(enum gs_hold_kind k)
{
    struct gs_hold_blocks *b = &gs_hold.blocks[k];
    while (b->n > 0)
        free_block(k, b->block[--b->n]);
}

/* ---- beginning, resting, ending ---- */

void gs_hold_start(void)
{
    gs_hold.on = true;
    gs_hold.runs = GS_HOLD_RUNS;
}

/* Shares first: dropping the last one may free what a VM or a pool of jobs holds. Leave last: it may
 * stop the scheduler. */
void gs_hold_idle(void)
{
    (void)gs_hold_return_shares();
    for (int k = 0; k < GS_HOLD_KINDS; k++)
        return_blocks((enum gs_hold_kind)k);
    gs_hold_return_leave();
}

void gs_hold_stop(void)
{
    gs_hold_idle();
    gs_hold.on = false;
}
