/* SPDX-License-Identifier: MIT
 * atomic.h - C11 atomics named by their memory order.
 *
 * Purpose    The order is part of the operation's name, so that the set in use can be read at a glance and
 *            nobody passes an order by habit. Every use stronger than relaxed carries a label ([P1] ...) that
 *            stands at both ends of the pairing.
 * Rules      Fences are not offered: ThreadSanitizer does not model them. But for a pair, light and heavy, on which nothing that is
 *            not atomic itself may rest.
 */
#ifndef GS_SCHED_PORT_ATOMIC_H
#define GS_SCHED_PORT_ATOMIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Two lines: the adjacent-line prefetcher of x86 pairs them, so false sharing reaches 128 bytes. */
#define GS_CACHE_LINE 128

#define gs_load_rlx(p) atomic_load_explicit((p), memory_order_relaxed)
#define gs_load_acq(p) atomic_load_explicit((p), memory_order_acquire)
#define gs_load_seq(p) atomic_load_explicit((p), memory_order_seq_cst)

#define gs_store_rlx(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)
#define gs_store_rel(p, v) atomic_store_explicit((p), (v), memory_order_release)
#define gs_store_seq(p, v) atomic_store_explicit((p), (v), memory_order_seq_cst)

#define gs_xchg_acq(p, v) atomic_exchange_explicit((p), (v), memory_order_acquire)
#define gs_xchg_rel(p, v) atomic_exchange_explicit((p), (v), memory_order_release)
#define gs_xchg_acq_rel(p, v) atomic_exchange_explicit((p), (v), memory_order_acq_rel)
#define gs_xchg_seq(p, v) atomic_exchange_explicit((p), (v), memory_order_seq_cst)

#define gs_add_rlx(p, v) atomic_fetch_add_explicit((p), (v), memory_order_relaxed)
#define gs_add_acq_rel(p, v) atomic_fetch_add_explicit((p), (v), memory_order_acq_rel)
#define gs_add_seq(p, v) atomic_fetch_add_explicit((p), (v), memory_order_seq_cst)
#define gs_sub_rlx(p, v) atomic_fetch_sub_explicit((p), (v), memory_order_relaxed)
#define gs_sub_rel(p, v) atomic_fetch_sub_explicit((p), (v), memory_order_release)
#define gs_sub_acq_rel(p, v) atomic_fetch_sub_explicit((p), (v), memory_order_acq_rel)
#define gs_sub_seq(p, v) atomic_fetch_sub_explicit((p), (v), memory_order_seq_cst)
#define gs_or_rel(p, v) atomic_fetch_or_explicit((p), (v), memory_order_release)
#define gs_or_acq_rel(p, v) atomic_fetch_or_explicit((p), (v), memory_order_acq_rel)
#define gs_or_rlx(p, v) atomic_fetch_or_explicit((p), (v), memory_order_relaxed)

/* A compare-and-swap writes what it found into *expected when it fails. */
#define gs_cas_rlx(p, e, v)                                                                        \
    atomic_compare_exchange_strong_explicit((p), (e), (v), memory_order_relaxed,                   \
                                            memory_order_relaxed)
#define gs_cas_acq(p, e, v)                                                                        \
    atomic_compare_exchange_strong_explicit((p), (e), (v), memory_order_acquire,                   \
                                            memory_order_acquire)
#define gs_cas_rel(p, e, v)                                                                        \
    atomic_compare_exchange_strong_explicit((p), (e), (v), memory_order_release,                   \
                                            memory_order_relaxed)
#define gs_cas_acq_rel(p, e, v)                                                                    \
    atomic_compare_exchange_strong_explicit((p), (e), (v), memory_order_acq_rel,                   \
                                            memory_order_acquire)
#define gs_cas_seq(p, e, v)                                                                        \
    atomic_compare_exchange_strong_explicit((p), (e), (v), memory_order_seq_cst,                   \
                                            memory_order_seq_cst)

/* An asymmetric pair of fences, for a side that is passed all the time and another one that is passed seldom. Between them it is as
 * if both were seq_cst fences: of two threads that store a word each, pass their fence and load the other's word, one at least sees
 * what the other has stored. Two light ones give nothing. The heavy one makes the kernel interrupt every processor that runs this process
 * (membarrier, 1 to 3 us), which is why the light one keeps only the compiler from moving things; where the kernel does not know it
 * both are real fences. Design: Dice, Huang and Yang, "Asymmetric Dekker Synchronization", 2001. */
extern bool gs_fence_by_kernel; /* thread.c; constant once there are threads */

static inline void gs_fence_full(void)
{
#if defined(__x86_64__)
    __asm__ volatile("lock; orl $0, (%%rsp)" ::: "memory", "cc"); /* faster than mfence */
#elif defined(__aarch64__)
    __asm__ volatile("dmb ish" ::: "memory");
#else
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

static inline void gs_fence_light(void)
{
    if (__builtin_expect(gs_fence_by_kernel, 1))
        atomic_signal_fence(memory_order_seq_cst);
    else
        gs_fence_full();
}

/* Any thread, also in a signal handler. */
void gs_fence_heavy(void);
/* Before there are other threads that use fences; again as often as you like. */
void gs_fence_init(void);

static inline void gs_cpu_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* A test-and-test-and-set spin lock for sections of a few dozen instructions that never block, allocate
 * or call out. Zero-initialised means unlocked. Yields the processor after a bounded spin, because its
 * holder may have been descheduled (more threads than cores). */
struct gs_spin {
    _Atomic uint32_t word;
};

void gs_spin_lock_slow(struct gs_spin *s); /* thread.c */

static inline void gs_spin_lock(struct gs_spin *s)
{
    uint32_t zero = 0;
    /* [SPIN] acquire: pairs with the release in unlock; all writes of the previous section are visible. */
    if (!gs_cas_acq(&s->word, &zero, 1u))
        gs_spin_lock_slow(s);
}

static inline bool gs_spin_trylock(struct gs_spin *s)
{
    uint32_t zero = 0;
    return gs_cas_acq(&s->word, &zero, 1u); /* [SPIN] */
}

static inline void gs_spin_unlock(struct gs_spin *s)
{
    gs_store_rel(&s->word, 0u); /* [SPIN] release */
}

#endif
