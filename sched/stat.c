/* SPDX-License-Identifier: MIT
 * stat.c - the table of --stats.
 *
 * Counters that are zero everywhere are left out, so that a small program prints a small table.
 */
#include "stat.h"

#include <stdio.h>

#include "sched_int.h"

const char *gs_stat_heading(enum gs_stat which)
{
    static const char *const headings[] = {
#define GS_STAT(name, heading, meaning) heading,
#include "stat.def"
#undef GS_STAT
    };
    return headings[which];
}

static void add_up(uint64_t sum[GS_STAT_COUNT], const struct gs_stats *st)
{
    for (int i = 0; i < GS_STAT_COUNT; i++)
        sum[i] += gs_load_rlx(&st->count[i]);
}

static void print_row(FILE *out, const char *name, const uint64_t row[GS_STAT_COUNT],
                      const uint64_t sum[GS_STAT_COUNT])
{
    fprintf(out, "%-9s", name);
    for (int i = 0; i < GS_STAT_COUNT; i++) {
        if (sum[i])
            fprintf(out, " %10llu", (unsigned long long)row[i]);
    }
    fputc('\n', out);
}

void gs_sched_stats_print(struct gs_sched *s, FILE *out)
{
    uint64_t sum[GS_STAT_COUNT] = {0};
    unsigned n = gs_sched_started(s);
    for (unsigned i = 0; i < n; i++)
        add_up(sum, &gs_sched_worker(s, i)->stats);
    add_up(sum, &s->others);

    fprintf(out, "%-9s", "worker");
    for (int i = 0; i < GS_STAT_COUNT; i++) {
        if (sum[i])
            fprintf(out, " %10s", gs_stat_heading((enum gs_stat)i));
    }
    fputc('\n', out);
    for (unsigned i = 0; i < n; i++) {
        uint64_t row[GS_STAT_COUNT] = {0};
        char name[16];
        add_up(row, &gs_sched_worker(s, i)->stats);
        snprintf(name, sizeof name, "%u", i);
        print_row(out, name, row, sum);
    }
    uint64_t row[GS_STAT_COUNT] = {0};
    add_up(row, &s->others);
    print_row(out, "others", row, sum);
    print_row(out, "all", sum, sum);
}
