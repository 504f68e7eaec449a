/* SPDX-License-Identifier: MIT
 * thread.h - OS threads: start, join, pin, sleep and wake on a word.
 */
#ifndef GS_SCHED_PORT_THREAD_H
#define GS_SCHED_PORT_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts a thread with the process's original affinity mask (never the one-core mask of a pinned worker),
 * all signals blocked and a name of at most 15 bytes. Returns 0 or an errno. */
int gs_thread_start(pthread_t *out, const char *name, void *(*fn)(void *), void *arg);

/* Pins the calling thread to one operating-system CPU; false when the kernel refuses. */
bool gs_thread_pin_self(unsigned os_cpu);
/* Gives the calling thread the process's original mask back. */
void gs_thread_unpin_self(void);

/* Sleeps while *word == seen, at most timeout_ns (negative: no limit). Spurious returns are allowed.
 * FUTEX_WAIT_PRIVATE on Linux. */
void gs_futex_wait(_Atomic uint32_t *word, uint32_t seen, int64_t timeout_ns);
/* Wakes up to n sleepers of word. */
void gs_futex_wake(_Atomic uint32_t *word, int n);

#endif
