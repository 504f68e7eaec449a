/* SPDX-License-Identifier: MIT
 * topology.c - hwloc's tree, boiled down to a flat list of places.
 *
 * Design     The scheduler asks only two things: where worker i sits, and how far two workers are
 *            apart. So the tree is read once and thrown away. I/O devices and everything below
 *            instruction caches is not even looked for: that is most of the time a load takes.
 * Order      Workers fill cores before they double up on hardware threads, and neighbours in
 *            hwloc's logical order first, so that few workers share one cache and node.
 */
#include "topology.h"

#include <hwloc.h>
#include <stdlib.h>
#include <string.h>

#include "sched.h"
#include "port/mem.h"
#include "port/thread.h"

struct found {
    struct gs_place place;
    uint32_t rank; /* among the hardware threads of its core */
    uint32_t order;
};

static uint32_t group_of(hwloc_topology_t h, hwloc_obj_t pu, hwloc_obj_type_t type,
                         uint32_t otherwise)
{
    hwloc_obj_t o = hwloc_get_ancestor_obj_by_type(h, type, pu);
    return o ? o->logical_index : otherwise;
}

static uint32_t node_of(hwloc_topology_t h, hwloc_obj_t pu)
{
    int os_index = pu->nodeset ? hwloc_bitmap_first(pu->nodeset) : -1;
    hwloc_obj_t node =
        os_index < 0 ? NULL : hwloc_get_numanode_obj_by_os_index(h, (unsigned)os_index);
    return node ? node->logical_index : 0;
}

static int by_order(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static uint32_t distinct(const struct gs_topology *t, size_t offset)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t x, y;
        memcpy(&x, (const char *)&t->place[i] + offset, sizeof x);
        bool first = true;
        for (uint32_t j = 0; j < i && first; j++) {
            memcpy(&y, (const char *)&t->place[j] + offset, sizeof y);
            first = x != y;
        }
        n += first;
    }
    return n;
}

static struct gs_topology *flatten(struct found *f, uint32_t n, bool synthetic)
{
    struct gs_topology *t = gs_mem_alloc(sizeof *t + n * sizeof t->place[0]);
    if (!t)
        return NULL;
    qsort(f, n, sizeof *f, by_order);
    t->synthetic = synthetic;
    t->count = n;
    for (uint32_t i = 0; i < n; i++)
        t->place[i] = f[i].place;
    t->cores = distinct(t, offsetof(struct gs_place, core));
    t->l3s = distinct(t, offsetof(struct gs_place, l3));
    t->nodes = distinct(t, offsetof(struct gs_place, node));
    t->packages = distinct(t, offsetof(struct gs_place, package));
    return t;
}

static struct found read_pu(hwloc_topology_t h, hwloc_obj_t pu)
{
    struct found f = {.order = pu->logical_index};
    f.place.os_cpu = pu->os_index;
    f.place.package = group_of(h, pu, HWLOC_OBJ_PACKAGE, 0);
    f.place.core = group_of(h, pu, HWLOC_OBJ_CORE, pu->logical_index);
    f.place.l3 = group_of(h, pu, HWLOC_OBJ_L3CACHE, f.place.package);
    f.place.node = node_of(h, pu);
    return f;
}

static struct gs_topology *read_places(hwloc_topology_t h, bool synthetic)
{
    int n = hwloc_get_nbobjs_by_type(h, HWLOC_OBJ_PU);
    if (n <= 0)
        return NULL;
    struct found *f = gs_mem_alloc((size_t)n * sizeof *f);
    if (!f)
        return NULL;
    uint32_t have = 0;
    for (int i = 0; i < n; i++) {
        hwloc_obj_t pu = hwloc_get_obj_by_type(h, HWLOC_OBJ_PU, (unsigned)i);
        /* hwloc leaves out what the cpuset forbids, but knows nothing of our own mask. */
        if (!synthetic && !gs_thread_mask_has(pu->os_index))
            continue;
        f[have] = read_pu(h, pu);
        uint32_t rank = 0;
        for (uint32_t k = 0; k < have; k++)
            rank += f[k].place.core == f[have].place.core;
        f[have++].rank = rank;
    }
    struct gs_topology *t = have ? flatten(f, have, synthetic) : NULL;
    gs_mem_free(f);
    return t;
}

int gs_topology_load(const char *synthetic, struct gs_topology **out)
{
    hwloc_topology_t h;
    struct gs_topology *t = NULL;
    if (hwloc_topology_init(&h) != 0)
        return -1;
    hwloc_topology_set_io_types_filter(h, HWLOC_TYPE_FILTER_KEEP_NONE);
    hwloc_topology_set_type_filter(h, HWLOC_OBJ_MISC, HWLOC_TYPE_FILTER_KEEP_NONE);
    hwloc_topology_set_icache_types_filter(h, HWLOC_TYPE_FILTER_KEEP_NONE);
    if (synthetic && hwloc_topology_set_synthetic(h, synthetic) != 0)
        goto done;
    if (hwloc_topology_load(h) != 0)
        goto done;
    t = read_places(h, synthetic != NULL);
done:
    hwloc_topology_destroy(h);
    if (!t)
        return -1;
    *out = t;
    return 0;
}

void gs_topology_free(struct gs_topology *t)
{
    gs_mem_free(t);
}

const struct gs_place *gs_topology_place(const struct gs_topology *t, uint32_t i)
{
    return &t->place[i % t->count];
}

unsigned gs_topology_distance(const struct gs_topology *t, uint32_t a, uint32_t b)
{
    const struct gs_place *x = gs_topology_place(t, a), *y = gs_topology_place(t, b);
    if (x->core == y->core)
        return 0;
    if (x->node != y->node || x->package != y->package)
        return 3;
    return x->l3 == y->l3 ? 1 : 2;
}

static const char *plural(uint32_t n)
{
    return n == 1 ? "" : "s";
}

void gs_topology_print(const struct gs_topology *t, unsigned workers, bool pinned, FILE *out)
{
    fprintf(out, "%s: %u package%s, %u memory node%s, %u L3 group%s, %u core%s, %u processor%s\n",
            t->synthetic ? "synthetic machine" : "machine", t->packages, plural(t->packages),
            t->nodes, plural(t->nodes), t->l3s, plural(t->l3s), t->cores, plural(t->cores),
            t->count, plural(t->count));
    fprintf(out, "%u worker%s, %s\n", workers, plural(workers),
            pinned ? "pinned once the machine is known" : "not pinned");
    fprintf(out, "%6s %9s %6s %6s %6s %8s\n", "worker", "processor", "core", "L3", "node",
            "package");
    for (unsigned i = 0; i < workers; i++) {
        const struct gs_place *p = gs_topology_place(t, i);
        fprintf(out, "%6u %9u %6u %6u %6u %8u\n", i, p->os_cpu, p->core, p->l3, p->node,
                p->package);
    }
}

int gs_sched_topology_print(const struct gs_sched_config *cfg, FILE *out)
{
    struct gs_topology *t;
    if (gs_topology_load(cfg->topology, &t) != 0) {
        if (cfg->topology)
            fprintf(stderr, "langoost: bad topology description \"%s\"\n", cfg->topology);
        else
            fprintf(stderr, "langoost: the topology of this machine cannot be read\n");
        return -1;
    }
    unsigned workers = cfg->workers   ? cfg->workers
                       : t->synthetic ? t->count
                                      : gs_sched_usable_cpus();
    gs_topology_print(t, workers, cfg->pin && !t->synthetic, out);
    gs_topology_free(t);
    return 0;
}

const char *gs_sched_hwloc_version(void)
{
    static char text[24];
    static struct gs_spin lock;
    gs_spin_lock(&lock);
    if (!text[0]) {
        unsigned v = hwloc_get_api_version();
        snprintf(text, sizeof text, "%u.%u.%u", v >> 16, v >> 8 & 0xff, v & 0xff);
    }
    gs_spin_unlock(&lock);
    return text;
}
