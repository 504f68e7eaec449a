/* SPDX-License-Identifier: MIT
 * reclaim.c - the words of the threads. Contract and orders: reclaim.h.
 *
 * Records    One for each thread that ever read, in a list that only grows, for ever: a thread that ends stays in it as away. Their
 *            number is that of the workers.
 */
#include "reclaim.h"

#include <stdalign.h>
#include <stddef.h>

#include "port/mem.h"

struct record {
    alignas(GS_CACHE_LINE) _Atomic uint64_t said; /* written by its thread alone; 0: away */
    struct record *next;                          /* immutable once in the list */
};

_Atomic uint64_t gs_reclaim_clock = 1;
_Thread_local uint64_t gs_reclaim_said;
static _Thread_local struct record *own;
static _Atomic(struct record *) records; /* [U2] pushed and read seq_cst: who does not see a record comes before all looks of its thread */

/* Memory is short: this thread might hold anything for ever, so nothing is freed any more. */
static _Atomic bool blind;

static struct record *own_record(void)
{
    if (own != NULL)
        return own;
    own = gs_mem_alloc_aligned(sizeof *own, GS_CACHE_LINE);
    if (own == NULL) {
        gs_store_seq(&blind, true); /* [U2] as a word, but for ever */
        (void)gs_load_seq(&gs_reclaim_clock);
        return NULL;
    }
    gs_store_rlx(&own->said, 0u); /* nobody else knows it yet */
    own->next = gs_load_rlx(&records);
    while (!gs_cas_seq(&records, &own->next, own)) /* [U2] */
        continue;
    return own;
}

void gs_reclaim_say(void)
{
    struct record *r = own_record();
    if (r == NULL)
        return;
    uint64_t now = gs_load_acq(&gs_reclaim_clock); /* [U1] */
    if (gs_reclaim_said == 0) {
        gs_store_seq(&r->said, now); /* [U2] */
        now = gs_load_seq(&gs_reclaim_clock);
    }
    gs_store_rel(&r->said, now); /* [U1] */
    gs_reclaim_said = now;
}

void gs_reclaim_away(void)
{
    if (gs_reclaim_said == 0)
        return;
    gs_reclaim_said = 0;
    gs_store_rel(&own->said, 0u); /* [U1] all uses are over */
}

uint64_t gs_reclaim_next_mt(void)
{
    return gs_add_seq(&gs_reclaim_clock, 1u) + 1; /* [U1] [U2] */
}

uint64_t gs_reclaim_passed_mt(void)
{
    uint64_t least = gs_load_seq(&gs_reclaim_clock);
    if (gs_load_seq(&blind))
        return 0;
    for (struct record *r = gs_load_seq(&records); r != NULL; r = r->next) {
        uint64_t said = gs_load_seq(&r->said); /* [U1] [U2] */
        if (said != 0 && said < least)
            least = said;
    }
    return least;
}
