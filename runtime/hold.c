/* SPDX-License-Identifier: MIT
 * hold.c - a worker's own stock: beginning, resting, ending. Contract: hold.h.
 */
#include "hold.h"

_Thread_local struct gs_hold gs_hold;

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
    gs_hold_return_vms();
    gs_hold_return_tasks();
    gs_hold_return_leave();
}

void gs_hold_stop(void)
{
    gs_hold_idle();
    gs_hold.on = false;
}
