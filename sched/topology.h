/* SPDX-License-Identifier: MIT
 * topology.h - which processors there are and how far apart, from hwloc; real or made up.
 */
#ifndef GS_SCHED_TOPOLOGY_H
#define GS_SCHED_TOPOLOGY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A processor (hardware thread) that a worker may sit on. The numbers name groups: equal means
 * together. */
struct gs_place {
    uint32_t os_cpu;
    uint32_t core;
    uint32_t l3; /* or the package, where no L3 is known */
    uint32_t node;
    uint32_t package;
};

struct gs_topology {
    bool synthetic;
    uint32_t count;
    uint32_t cores, l3s, nodes, packages; /* how many of each hold usable processors */
    /* In the order in which workers take them: one hardware thread of each core, neighbours first,
     * then the second ones. */
    struct gs_place place[];
};

/* The machine (NULL: a place for each processor in our affinity mask) or an hwloc synthetic
 * description. 0, or -1 when the description is bad or memory is out, then *out is untouched. The
 * real one takes 5 to 40 ms. */
int gs_topology_load(const char *synthetic, struct gs_topology **out);
void gs_topology_free(struct gs_topology *t);

/* Between the places of workers a and b: 0 same core, 1 same L3, 2 same memory node and package, 3
 * further. */
unsigned gs_topology_distance(const struct gs_topology *t, uint32_t a, uint32_t b);
/* Where worker i sits; with more workers than places they share. */
const struct gs_place *gs_topology_place(const struct gs_topology *t, uint32_t i);
void gs_topology_print(const struct gs_topology *t, unsigned workers, bool pinned, FILE *out);

#endif
