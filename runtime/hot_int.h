/* SPDX-License-Identifier: MIT
 * hot_int.h - what hot.c, hot_queue.c and compiled.c share, and what their unit test needs.
 */
#ifndef GS_RUNTIME_HOT_INT_H
#define GS_RUNTIME_HOT_INT_H

#include "hot.h"

/* hot_queue.c: asks for the entry's code, with the registers of the frame vm->base. The caller has set e->asked. False: it could not. */
bool gs_hot_submit(struct gs_vm *vm, struct gs_hot_entry *e, uint32_t generation);
/* hot.c: a request has been served. Any thread. */
void gs_hot_publish(struct gs_hot_entry *e, struct gs_unit *unit, uint32_t generation);
/* hot.c: unit takes the place of `instead`; false: that is no longer there, and unit was put aside. */
bool gs_hot_replace(struct gs_hot_entry *e, const struct gs_unit *instead, struct gs_unit *unit);
/* hot_queue.c: nobody finds the unit any more; to be freed some time. Under the lock of hot.c. */
void gs_hot_retire(struct gs_unit *unit);
void gs_hot_decline(struct gs_hot_entry *e);
/* hot.c: a request is on its way no more, served or not, and another one may be made. Any thread. */
void gs_hot_request_over(struct gs_hot_entry *e);
/* hot.c: whether this program is worth a compiler. Once true it stays so. Any thread. */
bool gs_hot_worth(void);
/* hot.c: whether compiled code is wanted only where it pays. Any thread. */
bool gs_hot_patient(void);
/* hot_queue.c: it has become so: what has been asked for is served from now on. */
void gs_hot_begin(void);
/* hot.c: there is no compiler; sampling ends. */
void gs_hot_give_up(void);

/* How this thread has left compiled code so far; gs_hot_worker_stop adds it to what is printed. */
extern _Thread_local uint64_t gs_hot_lefts[GS_LEFT_COUNT_];

/* Unit test: this face instead of the one in goost_jit.so. NULL: as if there were none. */
void gs_hot_use_face(const struct gs_jit_face *face);
/* Waits until all requests have been served: at the end of a run for its listing, and in unit tests. */
void gs_hot_settle(void);

#endif
