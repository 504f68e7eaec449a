/* SPDX-License-Identifier: MIT
 * test_topology.c - synthetic machines: the order of places and how far they are apart.
 */
#include "sched_unit.h"

#include <stdlib.h>
#include <string.h>

#include "sched.h"
#include "topology.h"
#include "port/mem.h"
#include "port/thread.h"

static struct gs_topology *load(const char *text)
{
    struct gs_topology *t = NULL;
    CU_ASSERT_EQUAL_FATAL(gs_topology_load(text, &t), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    return t;
}

static void a_single_core_has_one_place(void)
{
    struct gs_topology *t = load("core:1 pu:1");
    CU_ASSERT_EQUAL(t->count, 1);
    CU_ASSERT_EQUAL(t->cores, 1);
    CU_ASSERT_EQUAL(t->nodes, 1);
    CU_ASSERT_EQUAL(gs_topology_distance(t, 0, 0), 0);
    CU_ASSERT_PTR_EQUAL(gs_topology_place(t, 5), gs_topology_place(t, 0));
    gs_topology_free(t);
}

static void two_packages_are_far_apart_and_siblings_near(void)
{
    struct gs_topology *t = load("pack:2 core:4 pu:2");
    CU_ASSERT_EQUAL(t->count, 16);
    CU_ASSERT_EQUAL(t->cores, 8);
    CU_ASSERT_EQUAL(t->packages, 2);
    CU_ASSERT_EQUAL(gs_topology_distance(t, 0, 8), 0); /* its second hardware thread */
    CU_ASSERT_EQUAL(gs_topology_distance(t, 0, 1), 1);
    CU_ASSERT_EQUAL(gs_topology_distance(t, 0, 3), 1);
    CU_ASSERT_EQUAL(gs_topology_distance(t, 0, 4), 3);
    CU_ASSERT_EQUAL(gs_topology_distance(t, 0, 12), 3);
    gs_topology_free(t);
}

static void cores_are_filled_before_their_second_threads(void)
{
    struct gs_topology *t = load("pack:2 core:4 pu:2");
    for (uint32_t i = 0; i < 8; i++) {
        for (uint32_t k = 0; k < i; k++)
            CU_ASSERT_NOT_EQUAL(t->place[i].core, t->place[k].core);
        CU_ASSERT_EQUAL(t->place[i].core, t->place[i + 8].core);
    }
    gs_topology_free(t);
}

static void l3_groups_lie_between_core_and_node(void)
{
    struct gs_topology *t = load("numa:2 l3:2 core:2 pu:1");
    CU_ASSERT_EQUAL(t->count, 8);
    CU_ASSERT_EQUAL(t->nodes, 2);
    CU_ASSERT_EQUAL(t->l3s, 4);
    CU_ASSERT_EQUAL(gs_topology_distance(t, 0, 1), 1);
    CU_ASSERT_EQUAL(gs_topology_distance(t, 0, 2), 2);
    CU_ASSERT_EQUAL(gs_topology_distance(t, 0, 3), 2);
    CU_ASSERT_EQUAL(gs_topology_distance(t, 0, 4), 3);
    gs_topology_free(t);
}

static void distances_are_symmetric_on_eight_nodes(void)
{
    struct gs_topology *t = load("pack:4 numa:2 l3:2 core:4 pu:2");
    CU_ASSERT_EQUAL(t->count, 128);
    CU_ASSERT_EQUAL(t->nodes, 8);
    int seen[4] = {0};
    for (uint32_t a = 0; a < t->count; a++) {
        for (uint32_t b = 0; b < t->count; b++) {
            unsigned x = gs_topology_distance(t, a, b);
            CU_ASSERT_FATAL(x <= 3);
            CU_ASSERT_EQUAL_FATAL(x, gs_topology_distance(t, b, a));
            seen[x]++;
        }
    }
    CU_ASSERT_EQUAL(seen[0], 128 * 2);
    CU_ASSERT_EQUAL(seen[1], 128 * 6);
    CU_ASSERT_EQUAL(seen[2], 128 * 8);
    CU_ASSERT_EQUAL(seen[3], 128 * 112);
    gs_topology_free(t);
}

static void a_bad_description_is_refused(void)
{
    static const char *const bad[] = {"nonsense", "core:0", "pack:2 core:", "core:2 pu:x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct gs_topology *t = NULL;
        CU_ASSERT_EQUAL(gs_topology_load(bad[i], &t), -1);
        CU_ASSERT_PTR_NULL(t);
        struct gs_sched_config cfg = {.topology = bad[i]};
        CU_ASSERT_PTR_NULL(gs_sched_new(&cfg));
    }
}

static void the_real_machine_has_the_processors_we_may_use(void)
{
    struct gs_topology *t = load(NULL);
    CU_ASSERT_FALSE(t->synthetic);
    CU_ASSERT(t->count >= 1);
    CU_ASSERT(t->count <= gs_thread_mask_count());
    for (uint32_t i = 0; i < t->count; i++)
        CU_ASSERT(gs_thread_mask_has(t->place[i].os_cpu));
    gs_topology_free(t);
}

static void without_memory_nothing_is_loaded_and_nothing_lost(void)
{
    for (uint64_t n = 1; n <= 2; n++) {
        struct gs_topology *t = NULL;
        gs_mem_fail_at(n);
        CU_ASSERT_EQUAL(gs_topology_load("core:4 pu:1", &t), -1);
        gs_mem_fail_at(0);
    }
}

static void the_table_names_every_worker(void)
{
    struct gs_sched_config cfg = {.workers = 3, .pin = true, .topology = "pack:1 core:2 pu:1"};
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    CU_ASSERT_EQUAL(gs_sched_topology_print(&cfg, out), 0);
    fclose(out);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "2 cores"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "3 workers"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n     2 "));
    free(text);
    CU_ASSERT(strlen(gs_sched_hwloc_version()) >= 5);
}

static const CU_TestInfo cases[] = {
    CASE(a_single_core_has_one_place),
    CASE(two_packages_are_far_apart_and_siblings_near),
    CASE(cores_are_filled_before_their_second_threads),
    CASE(l3_groups_lie_between_core_and_node),
    CASE(distances_are_symmetric_on_eight_nodes),
    CASE(a_bad_description_is_refused),
    CASE(the_real_machine_has_the_processors_we_may_use),
    CASE(without_memory_nothing_is_loaded_and_nothing_lost),
    CASE(the_table_names_every_worker),
};

int main(void)
{
    return run_cases("topology", cases, sizeof cases / sizeof cases[0]);
}
