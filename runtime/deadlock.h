/* SPDX-License-Identifier: MIT
 * deadlock.h - partial deadlocks: tasks that nobody can ever wake any more while others go on. (When nothing goes on, the scheduler notices: api.c.)
 *
 * Told       Once for each task, on stderr: a warning, or with GOOST_DEADLOCK_ERROR the end of the process with code 3. Never falsely; what it may miss is said in deadlock.c.
 * When       Whoever changes what may matter (a task parks, ends, drops handles) says so by gs_deadlock_note; then the watch thread (quit.c) looks, WAIT_MS
 *            later, and no more often than costs 2 % of a processor. While nothing changes nobody wakes up.
 */
#ifndef GS_RUNTIME_DEADLOCK_H
#define GS_RUNTIME_DEADLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "port/atomic.h"
#include "value.h"

/* [N1] Who has changed something passes a light fence and loads it; a look takes it back, passes a heavy fence and begins. So what the look does not see asks for another. */
extern _Atomic bool gs_deadlock_noted;
void gs_deadlock_note_first(void);

/* Any worker; costs a load when it has been said already. */
static inline void gs_deadlock_note(void)
{
    gs_fence_light(); /* [N1] */
    if (GS_UNLIKELY(!gs_load_rlx(&gs_deadlock_noted)))
        gs_deadlock_note_first();
}

/* The watch thread: looks if it is time; gives the nanoseconds until it will be, -1: nothing has changed. */
int64_t gs_deadlock_look(void);
/* No look is under way when this returns, nor will be one. Before anybody reports on or frees tasks. Any thread. */
void gs_deadlock_end(void);

#endif
