/* SPDX-License-Identifier: MIT
 * reclaim.h - when something that was taken away from all readers may be freed.
 *
 * Problem    Readers follow a pointer, use what they find for a while, and pay nothing for saying so: no lock, no count, no barrier
 *            on the way in.
 * Design     Quiet points. There is one clock for the process, moved on by whoever takes something away (gs_reclaim_next_mt). A thread that
 *            reads says now and then, when it holds nothing, which hour it sees (gs_reclaim_quiet: two loads and a compare when the clock has
 *            not moved). What was taken away at hour h may be freed once no thread's last word is older than h.
 * Away       A thread that sleeps or ends says so before (gs_reclaim_away) and does not count until its next quiet point.
 * Orders     [U1] taker: unlink (a store), move the clock (seq_cst RMW, gives h), read all words (seq_cst). Reader at a quiet point: load the clock
 *                 (acquire), store it as its word (release), later look for things. If its word is h or younger, it has read what the RMW
 *                 wrote, so the unlinking is visible to all its later looks; and by the release its earlier uses are over when the taker has
 *                 read the word.
 *            [U2] a reader that comes back from being away: store its word (seq_cst), load the clock once more (seq_cst), look. A taker that
 *                 still read "away" did so before that store in the one order of seq_cst, so its RMW came before the reader's load,
 *                 which then sees the unlinking as in [U1].
 * Rejected   A hazard pointer for each entry into compiled code: a full barrier for each (5 ns where a call takes 20).
 */
#ifndef GS_SCHED_RECLAIM_H
#define GS_SCHED_RECLAIM_H

#include <stdint.h>

#include "port/atomic.h"

/* The clock; never 0. */
extern _Atomic uint64_t gs_reclaim_clock;
/* This thread's last word; 0: away. */
extern _Thread_local uint64_t gs_reclaim_said;

void gs_reclaim_say(void);

/* The calling thread holds nothing that was taken away before. It becomes a reader by its first call. */
static inline void gs_reclaim_quiet(void)
{
    if (__builtin_expect(gs_load_acq(&gs_reclaim_clock) != gs_reclaim_said, 0)) /* [U1] */
        gs_reclaim_say();
}

/* The calling thread holds nothing, and will not look for anything before its next gs_reclaim_quiet. */
void gs_reclaim_away(void);
/* Whoever has taken something away; it may be freed when gs_reclaim_passed_mt gives this or more. */
uint64_t gs_reclaim_next_mt(void);
uint64_t gs_reclaim_passed_mt(void);

#endif
