/* SPDX-License-Identifier: MIT
 * test_port.c - threads, futexes, clocks, memory and the count of processors.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sched_unit.h"
#include "cpus.h"
#include "port/atomic.h"
#include "port/check.h"
#include "port/clock.h"
#include "port/mem.h"
#include "port/thread.h"

/* -- memory ------------------------------------------------------------------------------------ */

static void zeroed_memory_is_zero(void)
{
    unsigned char *p = gs_mem_zalloc(1000);
    for (int i = 0; i < 1000; i++)
        CU_ASSERT_FATAL(p[i] == 0);
    memset(p, 7, 1000);
    p = gs_mem_realloc(p, 5000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT_EQUAL(p[999], 7);
    gs_mem_free(p);
    gs_mem_free(NULL);
}

static size_t count_others(const unsigned char *p, size_t n, unsigned char want)
{
    size_t others = 0;
    for (size_t i = 0; i < n; i++)
        others += p[i] != want;
    return others;
}

/* Blocks that hold whole huge pages get them, and are zeroed by giving pages back. */
static void large_memory_is_zero_and_keeps_what_is_in_it(void)
{
    static const size_t sizes[] = {(4u << 20) - 1, 4u << 20, (4u << 20) + 1, 9999999, (16u << 20) - 1, 16u << 20, 33u << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t n = sizes[i];
        unsigned char *dirty = gs_mem_alloc(n);
        CU_ASSERT_PTR_NOT_NULL_FATAL(dirty);
        memset(dirty, 0xaa, n);
        gs_mem_free(dirty);
        unsigned char *p = gs_mem_zalloc(n);
        CU_ASSERT_PTR_NOT_NULL_FATAL(p);
        CU_ASSERT_EQUAL(count_others(p, n, 0), 0);
        memset(p, 0x55, n);
        p = gs_mem_realloc(p, n * 2 + 3);
        CU_ASSERT_PTR_NOT_NULL_FATAL(p);
        CU_ASSERT_EQUAL(count_others(p, n, 0x55), 0);
        memset(p + n, 0x66, n + 3);
        p = gs_mem_realloc(p, n / 2);
        CU_ASSERT_PTR_NOT_NULL_FATAL(p);
        CU_ASSERT_EQUAL(count_others(p, n / 2, 0x55), 0);
        gs_mem_free(p);
    }
}

static void nothing_can_be_allocated_and_freed(void)
{
    void *p = gs_mem_alloc(0);
    CU_ASSERT_PTR_NOT_NULL(p);
    gs_mem_free(p);
    p = gs_mem_realloc(NULL, 10);
    CU_ASSERT_PTR_NOT_NULL(p);
    gs_mem_free(p);
}

static void aligned_memory_is_aligned(void)
{
    for (size_t align = 8; align <= 4096; align *= 2) {
        void *p = gs_mem_alloc_aligned(24, align);
        CU_ASSERT_PTR_NOT_NULL_FATAL(p);
        CU_ASSERT_EQUAL((uintptr_t)p % align, 0);
        gs_mem_free(p);
    }
}

static void a_good_size_is_no_smaller(void)
{
    for (size_t n = 1; n < 100000; n = n * 3 / 2 + 1)
        CU_ASSERT(gs_mem_good_size(n) >= n);
}

static void the_third_allocation_and_all_after_it_fail(void)
{
    gs_mem_fail_at(3);
    void *a = gs_mem_alloc(8), *b = gs_mem_zalloc(8);
    CU_ASSERT_PTR_NOT_NULL(a);
    CU_ASSERT_PTR_NOT_NULL(b);
    CU_ASSERT_PTR_NULL(gs_mem_alloc(8));
    CU_ASSERT_PTR_NULL(gs_mem_realloc(a, 16));
    CU_ASSERT_PTR_NULL(gs_mem_alloc_aligned(8, 64));
    gs_mem_fail_at(0);
    void *c = gs_mem_alloc(8);
    CU_ASSERT_PTR_NOT_NULL(c);
    gs_mem_free(a);
    gs_mem_free(b);
    gs_mem_free(c);
}

static void what_must_not_fail_ends_the_process_with_70(void)
{
    pid_t child = fork();
    if (child == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        gs_mem_fail_at(1);
        (void)gs_mem_must_alloc(8);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 70);
}

static void a_panic_aborts(void)
{
    pid_t child = fork();
    if (child == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        gs_panic("on purpose");
    }
    int status = 0;
    waitpid(child, &status, 0);
    CU_ASSERT(WIFSIGNALED(status));
}

static void the_allocator_says_who_it_is(void)
{
    CU_ASSERT(strlen(gs_mem_version()) > 0);
}

/* -- clock and futex --------------------------------------------------------------------------- */

static void time_does_not_run_backwards(void)
{
    int64_t before = gs_clock_mono_ns();
    for (int i = 0; i < 1000; i++) {
        int64_t now = gs_clock_mono_ns();
        CU_ASSERT_FATAL(now >= before);
        before = now;
    }
    CU_ASSERT(gs_clock_wall_ns() > (int64_t)1600000000 * 1000000000);
}

static void a_futex_wait_ends_when_its_time_is_over(void)
{
    static _Atomic uint32_t word;
    int64_t start = gs_clock_mono_ns();
    while (gs_clock_mono_ns() - start < 2000000) /* it may return early */
        gs_futex_wait(&word, 0, 2000000);
    CU_ASSERT(gs_clock_mono_ns() - start < 5000000000);
    gs_futex_wait(&word, 1, -1); /* the word differs: returns at once */
}

static _Atomic uint32_t gate;

static void *open_gate(void *arg)
{
    (void)arg;
    usleep(1000);
    gs_store_rel(&gate, 1u);
    gs_futex_wake(&gate, 1);
    return NULL;
}

static void a_futex_wake_ends_a_wait(void)
{
    pthread_t th;
    CU_ASSERT_EQUAL_FATAL(gs_thread_start(&th, "opener", open_gate, NULL), 0);
    while (gs_load_acq(&gate) == 0)
        gs_futex_wait(&gate, 0, -1);
    pthread_join(th, NULL);
}

/* -- threads ----------------------------------------------------------------------------------- */

static void *count_mask(void *arg)
{
    (void)arg;
    cpu_set_t set;
    CPU_ZERO(&set);
    (void)sched_getaffinity(0, sizeof set, &set);
    return (void *)(intptr_t)CPU_COUNT(&set);
}

static unsigned my_mask(void)
{
    return (unsigned)(intptr_t)count_mask(NULL);
}

static void a_thread_started_by_a_pinned_one_is_not_pinned(void)
{
    unsigned all = gs_thread_mask_count();
    CU_ASSERT(all >= 1);
    unsigned cpu = 0;
    while (!gs_thread_mask_has(cpu))
        cpu++;
    CU_ASSERT_FATAL(gs_thread_pin_self(cpu));
    CU_ASSERT_EQUAL(my_mask(), 1);
    pthread_t th;
    void *result;
    CU_ASSERT_EQUAL_FATAL(gs_thread_start(&th, "helper", count_mask, NULL), 0);
    pthread_join(th, &result);
    CU_ASSERT_EQUAL((unsigned)(intptr_t)result, all);
    gs_thread_unpin_self();
    CU_ASSERT_EQUAL(my_mask(), all);
}

static void pinning_to_a_processor_that_is_not_there_is_refused(void)
{
    CU_ASSERT_FALSE(gs_thread_pin_self(100000));
    CU_ASSERT_EQUAL(my_mask(), gs_thread_mask_count());
}

static void *read_name(void *arg)
{
    pthread_getname_np(pthread_self(), arg, 16);
    sigset_t set;
    pthread_sigmask(SIG_BLOCK, NULL, &set);
    return (void *)(intptr_t)(sigismember(&set, SIGTERM) && sigismember(&set, SIGINT));
}

static void a_thread_has_its_name_and_no_signals(void)
{
    char name[16] = "";
    pthread_t th;
    void *blocked;
    CU_ASSERT_EQUAL_FATAL(gs_thread_start(&th, "a name that is too long", read_name, name), 0);
    pthread_join(th, &blocked);
    CU_ASSERT_STRING_EQUAL(name, "a name that is ");
    CU_ASSERT(blocked != NULL);
    sigset_t set;
    pthread_sigmask(SIG_BLOCK, NULL, &set);
    CU_ASSERT_FALSE(sigismember(&set, SIGTERM));
}

static struct gs_spin spin;
static long long counter;

static void *count_up(void *arg)
{
    (void)arg;
    for (int i = 0; i < 100000; i++) {
        gs_spin_lock(&spin);
        counter++;
        gs_spin_unlock(&spin);
    }
    return NULL;
}

static void a_spin_lock_excludes(void)
{
    pthread_t th[4];
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(gs_thread_start(&th[i], "counter", count_up, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(th[i], NULL);
    CU_ASSERT_EQUAL(counter, 400000);
    CU_ASSERT(gs_spin_trylock(&spin));
    CU_ASSERT_FALSE(gs_spin_trylock(&spin));
    gs_spin_unlock(&spin);
}

/* -- quotas: made-up trees of files ------------------------------------------------------------ */

static char root[64];

static void put(const char *path, const char *text)
{
    char full[512];
    snprintf(full, sizeof full, "%s%s", root, path);
    for (char *p = full + 1; *p; p++) {
        if (*p == '/') {
            *p = 0;
            mkdir(full, 0700);
            *p = '/';
        }
    }
    FILE *f = fopen(full, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs(text, f);
    fclose(f);
}

static void new_root(void)
{
    static int n;
    const char *tmp = getenv("TMPDIR");
    snprintf(root, sizeof root, "%.40s/gs-port-%d-%d", tmp ? tmp : "/tmp", (int)getpid(), n++);
    CU_ASSERT_EQUAL_FATAL(mkdir(root, 0700), 0);
}

static void drop_root(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    CU_ASSERT_EQUAL(system(command), 0);
}

#define V2_MOUNT "30 1 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"
#define V1_MOUNT "31 1 0:27 / /cg/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"

static void a_machine_without_groups_has_no_quota(void)
{
    new_root();
    CU_ASSERT_EQUAL(gs_cpus_quota(root), 0);
    put("/proc/self/cgroup", "");
    put("/proc/self/mountinfo", "");
    CU_ASSERT_EQUAL(gs_cpus_quota(root), 0);
    drop_root();
}

static void the_quota_of_version_2_is_rounded_up(void)
{
    new_root();
    put("/proc/self/cgroup", "0::/a/b\n");
    put("/proc/self/mountinfo", "1 0 0:1 / / rw - ext4 /dev/x rw\n" V2_MOUNT);
    put("/sys/fs/cgroup/a/b/cpu.max", "250000 100000\n");
    CU_ASSERT_EQUAL(gs_cpus_quota(root), 3);
    put("/sys/fs/cgroup/a/b/cpu.max", "50000 100000\n");
    CU_ASSERT_EQUAL(gs_cpus_quota(root), 1);
    put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    CU_ASSERT_EQUAL(gs_cpus_quota(root), 0);
    drop_root();
}

static void the_tightest_ancestor_counts(void)
{
    new_root();
    put("/proc/self/cgroup", "0::/a/b/c\n");
    put("/proc/self/mountinfo", V2_MOUNT);
    put("/sys/fs/cgroup/a/b/c/cpu.max", "500000 100000\n");
    put("/sys/fs/cgroup/a/b/cpu.max", "200000 100000\n");
    put("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
    CU_ASSERT_EQUAL(gs_cpus_quota(root), 2);
    put("/sys/fs/cgroup/cpu.max", "100000 100000\n");
    CU_ASSERT_EQUAL(gs_cpus_quota(root), 1);
    drop_root();
}

static void version_1_is_read_with_its_ancestors(void)
{
    new_root();
    put("/proc/self/cgroup", "5:memory:/x\n4:cpuset:/y\n3:cpu,cpuacct:/pod/me\n0::/\n");
    put("/proc/self/mountinfo", V1_MOUNT);
    put("/cg/cpu,cpuacct/pod/me/cpu.cfs_quota_us", "-1\n");
    put("/cg/cpu,cpuacct/pod/me/cpu.cfs_period_us", "100000\n");
    CU_ASSERT_EQUAL(gs_cpus_quota(root), 0);
    put("/cg/cpu,cpuacct/pod/cpu.cfs_quota_us", "300000\n");
    put("/cg/cpu,cpuacct/pod/cpu.cfs_period_us", "100000\n");
    CU_ASSERT_EQUAL(gs_cpus_quota(root), 3);
    drop_root();
}

static void both_versions_at_once_give_the_tighter(void)
{
    new_root();
    put("/proc/self/cgroup", "3:cpu,cpuacct:/\n0::/u\n");
    put("/proc/self/mountinfo", V1_MOUNT V2_MOUNT);
    put("/cg/cpu,cpuacct/cpu.cfs_quota_us", "400000\n");
    put("/cg/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    put("/sys/fs/cgroup/u/cpu.max", "150000 50000\n");
    CU_ASSERT_EQUAL(gs_cpus_quota(root), 3);
    drop_root();
}

static void a_container_sees_its_group_at_the_mount_point(void)
{
    new_root();
    /* The host's path, and only our part of the tree mounted. */
    put("/proc/self/cgroup", "0::/docker/abc\n");
    put("/proc/self/mountinfo",
        "30 1 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw,nsdelegate\n");
    put("/sys/fs/cgroup/cpu.max", "200000 100000\n");
    CU_ASSERT_EQUAL(gs_cpus_quota(root), 2);
    put("/proc/self/cgroup", "0::/docker/abc/inner\n");
    put("/sys/fs/cgroup/inner/cpu.max", "100000 100000\n");
    CU_ASSERT_EQUAL(gs_cpus_quota(root), 1);
    put("/proc/self/cgroup", "0::/../elsewhere\n");
    CU_ASSERT_EQUAL(gs_cpus_quota(root), 2);
    put("/proc/self/cgroup", "0::/docker/abcdef\n");
    CU_ASSERT_EQUAL(gs_cpus_quota(root), 2);
    drop_root();
}

static void a_mount_point_with_a_blank_is_found(void)
{
    new_root();
    put("/proc/self/cgroup", "0::/\n");
    put("/proc/self/mountinfo", "30 1 0:26 / /my\\040groups rw - cgroup2 none rw\n");
    put("/my groups/cpu.max", "700000 100000\n");
    CU_ASSERT_EQUAL(gs_cpus_quota(root), 7);
    drop_root();
}

static void nonsense_in_the_files_is_no_quota(void)
{
    static const char *const texts[] = {"",  "abc", "-5 100000",
                                        "5", "0 0", "99999999999999999999 1"};
    new_root();
    put("/proc/self/cgroup", "rubbish\n::\n0:\n0::/\n");
    put("/proc/self/mountinfo", "- \n1 2 3\n - cgroup2\n - cgroup2 x y\n" V2_MOUNT);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        put("/sys/fs/cgroup/cpu.max", texts[i]);
        CU_ASSERT(gs_cpus_quota(root) <= 1); /* "5" is a quota, per the usual period */
    }
    drop_root();
}

static void there_is_at_least_one_processor(void)
{
    unsigned n = gs_cpus_usable();
    CU_ASSERT(n >= 1);
    CU_ASSERT(n <= gs_thread_mask_count());
}

static const CU_TestInfo cases[] = {
    CASE(zeroed_memory_is_zero),
    CASE(large_memory_is_zero_and_keeps_what_is_in_it),
    CASE(nothing_can_be_allocated_and_freed),
    CASE(aligned_memory_is_aligned),
    CASE(a_good_size_is_no_smaller),
    CASE(the_third_allocation_and_all_after_it_fail),
    CASE(what_must_not_fail_ends_the_process_with_70),
    CASE(a_panic_aborts),
    CASE(the_allocator_says_who_it_is),
    CASE(time_does_not_run_backwards),
    CASE(a_futex_wait_ends_when_its_time_is_over),
    CASE(a_futex_wake_ends_a_wait),
    CASE(a_thread_started_by_a_pinned_one_is_not_pinned),
    CASE(pinning_to_a_processor_that_is_not_there_is_refused),
    CASE(a_thread_has_its_name_and_no_signals),
    CASE(a_spin_lock_excludes),
    CASE(a_machine_without_groups_has_no_quota),
    CASE(the_quota_of_version_2_is_rounded_up),
    CASE(the_tightest_ancestor_counts),
    CASE(version_1_is_read_with_its_ancestors),
    CASE(both_versions_at_once_give_the_tighter),
    CASE(a_container_sees_its_group_at_the_mount_point),
    CASE(a_mount_point_with_a_blank_is_found),
    CASE(nonsense_in_the_files_is_no_quota),
    CASE(there_is_at_least_one_processor),
};

int main(void)
{
    return run_cases("port", cases, sizeof cases / sizeof cases[0]);
}
