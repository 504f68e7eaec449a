/* SPDX-License-Identifier: MIT
 * thread.h - OS threads: start, join, pin, sleep and wake on a word.
 */
#ifndef GS_SCHED_PORT_THREAD_H
#define GS_SCHED_PORT_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts a thread with the process's original affinity mask (never the one-core mask of a pinned
 * worker), all signals blocked and a name of at most 15 bytes. Returns 0 or an errno. */
int gs_thread_start(pthread_t *out, const char *name, void *(*fn)(void *), void *arg);

/* Pins the calling thread to one operating-system CPU; false when the kernel refuses. */
bool gs_thread_pin_self(unsigned os_cpu);
/* Gives the calling thread the process's original mask back. */
void gs_thread_unpin_self(void);

/* The same for another thread of this process, by the number that gs_thread_self_id gave it. */
int gs_thread_self_id(void);
bool gs_thread_pin(int id, unsigned os_cpu);
void gs_thread_unpin(int id);
/* The process's original affinity mask: whether it has os_cpu, and how many it has. */
bool gs_thread_mask_has(unsigned os_cpu);
unsigned gs_thread_mask_count(void);

/* Asks the kernel to wake the calling thread promptly: small timer slack, and with short_slice a
 * short scheduling slice (for a thread that runs for microseconds at a time). Hints; nothing
 * happens where the kernel does not know them. */
void gs_thread_prompt_self(bool short_slice);
/* Puts the calling thread behind all others of the machine (background work such as loading the
 * topology). */
void gs_thread_background_self(void);
/* Lets others go first, but not starve it: work for which somebody will be glad soon, such as compiling. */
void gs_thread_low_self(void);
/* Time that a thread of this process has run, and has waited for a processor while runnable. False
 * when the kernel does not say. */
bool gs_thread_times(int id, int64_t *run_ns, int64_t *delay_ns);

/* Installs a handler (SA_RESTART) for a signal that still does what it does by default. False: it is ignored, or somebody else's. */
bool gs_signal_take(int sig, void (*handler)(int));

/* Sleeps while *word == seen, at most timeout_ns (negative: no limit). Spurious returns are
 * allowed. FUTEX_WAIT_PRIVATE on Linux. */
void gs_futex_wait(_Atomic uint32_t *word, uint32_t seen, int64_t timeout_ns);
/* Wakes up to n sleepers of word. */
void gs_futex_wake(_Atomic uint32_t *word, int n);

#endif
