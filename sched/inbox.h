/* SPDX-License-Identifier: MIT
 * inbox.h - tasks that other threads have made ready for a worker: many producers, taken all at
 * once by anybody.
 *
 * Design     A stack linked through the tasks themselves, so that a push never fails and a million
 *            tasks cost nothing. The only removal is "take everything", an exchange with empty, so
 *            a node can never be removed under a pusher's feet (no ABA), and thieves may take as
 *            well as the owner.
 * Orders     [I1] push: CAS (seq_cst, so at least release) publishes the task; take: exchange
 *                 (acquire) sees it and all tasks below it, since pushes form a release sequence.
 *            [P1] push is seq_cst and the look of a worker going to sleep too: they cannot miss
 *                 each other (park.c).
 */
#ifndef GS_SCHED_INBOX_H
#define GS_SCHED_INBOX_H

#include <stdalign.h>
#include <stdbool.h>

#include "port/atomic.h"
#include "task.h"

struct gs_inbox {
    alignas(GS_CACHE_LINE) _Atomic(struct gs_task *) head; /* the newest; linked by task.next */
};

/* Any thread. True when the box was empty. */
static inline bool gs_inbox_push_mt(struct gs_inbox *in, struct gs_task *t)
{
    struct gs_task *head = gs_load_rlx(&in->head); /* a wrong guess costs one more round */
    do {
        t->next = head;
    } while (!gs_cas_seq(&in->head, &head, t)); /* [I1] [P1] */
    return head == NULL;
}

/* Any thread. Everything, newest first, linked by next; NULL when empty. */
static inline struct gs_task *gs_inbox_take_mt(struct gs_inbox *in)
{
    if (gs_load_rlx(&in->head) == NULL) /* a task missed now is found at the next look */
        return NULL;
    return gs_xchg_acq(&in->head, NULL); /* [I1] */
}

/* Any thread. */
static inline bool gs_inbox_nonempty_mt(const struct gs_inbox *in)
{
    return gs_load_rlx(&in->head) != NULL; /* a hint */
}

/* Any thread. [P1] */
static inline bool gs_inbox_nonempty_seq_mt(const struct gs_inbox *in)
{
    return gs_load_seq(&in->head) != NULL;
}

#endif
