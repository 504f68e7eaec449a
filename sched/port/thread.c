/* SPDX-License-Identifier: MIT
 * thread.c - OS threads and futexes.
 *
 * Design     The process's affinity mask is read once, before anything here could have narrowed it.
 *            A new thread inherits its creator's mask, so once any thread has been pinned every new
 *            one gets the original mask back first.
 */
#define _GNU_SOURCE
#include "thread.h"

#include "atomic.h"
#include "check.h"
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* 8192 processors; the kernel refuses a buffer that is too small for the machine. */
#define MASK_SETS 8

static cpu_set_t original[MASK_SETS];
static size_t original_bytes; /* 0: could not be read */
static pthread_once_t original_once = PTHREAD_ONCE_INIT;
static _Atomic bool pinned_any;

bool gs_fence_by_kernel;

void gs_fence_init(void)
{
#if !defined(__SANITIZE_THREAD__) && !defined(GS_CLANG_TSAN) /* so that there the other way is tested */
    if (!gs_fence_by_kernel)
        gs_fence_by_kernel = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
#endif
}

void gs_fence_heavy(void)
{
    if (!gs_fence_by_kernel)
        gs_fence_full();
    else if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0)
        gs_panic("membarrier does not work any more"); /* a process that goes on would lose memory */
}

static void read_original(void)
{
    long n = syscall(SYS_sched_getaffinity, 0, sizeof original, original);
    original_bytes = n > 0 ? (size_t)n : 0;
}

static bool restore_mask(int id)
{
    pthread_once(&original_once, read_original);
    return original_bytes != 0 && sched_setaffinity(id, original_bytes, original) == 0;
}

bool gs_thread_mask_has(unsigned os_cpu)
{
    pthread_once(&original_once, read_original);
    return os_cpu < 8 * original_bytes && CPU_ISSET_S(os_cpu, original_bytes, original);
}

unsigned gs_thread_mask_count(void)
{
    pthread_once(&original_once, read_original);
    return original_bytes ? (unsigned)CPU_COUNT_S(original_bytes, original) : 0;
}

struct start {
    void *(*fn)(void *);
    void *arg;
    char name[16];
};

static void *trampoline(void *p)
{
    struct start s = *(struct start *)p;
    gs_mem_free(p);
    prctl(PR_SET_NAME, (unsigned long)s.name, 0, 0, 0);
    /* Relaxed: the thread that pinned itself and then started us is our creator, so we see its
     * write; a pin made by somebody else's thread does not concern our mask. */
    if (gs_load_rlx(&pinned_any))
        restore_mask(0);
    return s.fn(s.arg);
}

int gs_thread_start(pthread_t *out, const char *name, void *(*fn)(void *), void *arg)
{
    struct start *s = gs_mem_alloc(sizeof *s);
    if (!s)
        return ENOMEM;
    s->fn = fn;
    s->arg = arg;
    snprintf(s->name, sizeof s->name, "%s", name);
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int err = pthread_create(out, NULL, trampoline, s);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (err)
        gs_mem_free(s);
    return err;
}

int gs_thread_self_id(void)
{
    return (int)syscall(SYS_gettid);
}

bool gs_thread_pin(int id, unsigned os_cpu)
{
    pthread_once(&original_once, read_original);
    cpu_set_t set[MASK_SETS];
    if (os_cpu >= 8 * sizeof set)
        return false;
    CPU_ZERO_S(sizeof set, set);
    CPU_SET_S(os_cpu, sizeof set, set);
    gs_store_rlx(&pinned_any, true);
    return sched_setaffinity(id, sizeof set, set) == 0;
}

void gs_thread_unpin(int id)
{
    restore_mask(id);
}

bool gs_thread_pin_self(unsigned os_cpu)
{
    return gs_thread_pin(0, os_cpu);
}

void gs_thread_unpin_self(void)
{
    restore_mask(0);
}

/* The kernel's struct sched_attr, first version; libc has no name for it. */
struct attr {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime;
    uint64_t deadline;
    uint64_t period;
};

void gs_thread_prompt_self(bool short_slice)
{
    prctl(PR_SET_TIMERSLACK, 5000ul, 0, 0, 0);
    if (!short_slice)
        return;
    /* Since Linux 6.12 the runtime of an ordinary thread is its slice: a thread that asks for a
     * short one may interrupt those with longer ones when it wakes. Older kernels refuse or ignore
     * it. */
    struct attr a = {.size = sizeof a, .runtime = 100000};
    (void)syscall(SYS_sched_setattr, 0, &a, 0u);
}

void gs_thread_background_self(void)
{
    (void)setpriority(PRIO_PROCESS, (id_t)gs_thread_self_id(), 19);
}

void gs_thread_low_self(void)
{
    struct sched_param none = {0};
    (void)sched_setscheduler(0, SCHED_BATCH, &none); /* never interrupts who is running */
    id_t self = (id_t)gs_thread_self_id();
    (void)setpriority(PRIO_PROCESS, self, getpriority(PRIO_PROCESS, self) + 1); /* four fifths of a worker's share */
}

bool gs_thread_times(int id, int64_t *run_ns, int64_t *delay_ns)
{
    char path[64], text[96];
    snprintf(path, sizeof path, "/proc/self/task/%d/schedstat", id);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return false;
    text[n] = 0;
    char *end;
    *run_ns = (int64_t)strtoull(text, &end, 10);
    if (end == text)
        return false;
    char *second = end;
    *delay_ns = (int64_t)strtoull(second, &end, 10);
    return end != second;
}

void gs_futex_wait(_Atomic uint32_t *word, uint32_t seen, int64_t timeout_ns)
{
    struct timespec ts, *limit = NULL;
    if (timeout_ns >= 0) {
        ts.tv_sec = (time_t)(timeout_ns / 1000000000);
        ts.tv_nsec = (long)(timeout_ns % 1000000000);
        limit = &ts;
    }
    /* The kernel compares the word itself, so a wake between the caller's look and this call is not
     * lost. */
    (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, limit, NULL, 0);
}

void gs_futex_wake(_Atomic uint32_t *word, int n)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

#define WAIT_MAX 32u /* pauses: one or two microseconds */
#define YIELD_LOOKS 8u

void gs_spin_lock_slow(struct gs_spin *s)
{
    /* Each look takes the line away from who holds it, or is about to hold it again: with looks ever farther apart it gets several turns done meanwhile, from its own cache
     * (bench mpmc_4x4; Anderson 1990). */
    unsigned wait = 4, looks = 0;
    for (;;) {
        for (unsigned i = 0; i < wait; i++)
            gs_cpu_relax();
        if (gs_load_rlx(&s->word) == 0 && gs_spin_trylock(s)) /* relaxed: only a hint */
            return;
        if (wait < WAIT_MAX)
            wait *= 2;
        if (++looks % YIELD_LOOKS == 0)
            sched_yield(); /* who holds it may have lost its processor */
    }
}

bool gs_signal_take(int sig, void (*handler)(int))
{
    struct sigaction is, a = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&a.sa_mask);
    return sigaction(sig, NULL, &is) == 0 && !(is.sa_flags & SA_SIGINFO) && is.sa_handler == SIG_DFL &&
           sigaction(sig, &a, NULL) == 0;
}
