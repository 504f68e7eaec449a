/* SPDX-License-Identifier: MIT
 * cpus.c - how many processors this process may use.
 *
 * Design     /proc/self/cgroup says which group we are in, in each hierarchy; /proc/self/mountinfo
 *            says where the hierarchies are mounted and which part of them is visible there. The
 *            limit of a group binds all below it, so every directory from our own up to the mount
 *            point is read: cpu.max (v2), cpu.cfs_quota_us and cpu.cfs_period_us (v1). Both
 *            versions may be mounted at once; the tightest limit counts. When our path does not lie
 *            below the mount's root (a container that sees the host's path) the mount point itself
 *            is our group.
 */
#define _GNU_SOURCE
#include "cpus.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "port/atomic.h"
#include "port/clock.h"
#include "port/mem.h"
#include "port/thread.h"

/* How long an answer holds: reading all the files takes 60 us. */
#define KNOWN_MS 1000

/* A line of mountinfo is a few hundred bytes; containers have hundreds of lines. */
#define FILE_MAX (1u << 20)

/* The whole file, ended by 0; NULL when it cannot be read. The caller frees it. */
static char *read_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    size_t have = 0, room = 4096;
    char *text = gs_mem_alloc(room);
    while (text) {
        ssize_t n = read(fd, text + have, room - have - 1);
        if (n <= 0)
            break;
        have += (size_t)n;
        if (room - have > 1)
            continue;
        if (room >= FILE_MAX)
            break;
        char *bigger = gs_mem_realloc(text, room *= 2);
        if (!bigger) {
            gs_mem_free(text);
            text = NULL;
        } else {
            text = bigger;
        }
    }
    close(fd);
    if (text)
        text[have] = 0;
    return text;
}

/* Cuts off the first line; NULL at the end. */
static char *next_line(char **rest)
{
    char *line = *rest;
    if (!line || !*line)
        return NULL;
    char *end = strchr(line, '\n');
    *rest = end ? end + 1 : NULL;
    if (end)
        *end = 0;
    return line;
}

/* Whether the comma-separated list has the word. */
static bool list_has(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; p; p = strchr(p, ',')) {
        p += *p == ',';
        if (strncmp(p, word, n) == 0 && (p[n] == 0 || p[n] == ','))
            return true;
    }
    return false;
}

/* Octal escapes of mountinfo, in place. */
static void unescape(char *s)
{
    char *out = s;
    for (; *s; s++) {
        if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
            s[3] >= '0' && s[3] <= '7') {
            *out++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
            s += 3;
        } else {
            *out++ = *s;
        }
    }
    *out = 0;
}

struct mount {
    bool v2;
    const char *root;  /* the part of the hierarchy that is mounted */
    const char *point; /* where */
};

/* A cgroup mount that may hold CPU limits? Cuts the line up. */
static bool parse_mount(char *line, struct mount *m)
{
    char *tail = strstr(line, " - ");
    if (!tail)
        return false;
    *tail = 0;
    char *save = NULL;
    const char *type = strtok_r(tail + 3, " ", &save);
    (void)strtok_r(NULL, " ", &save);
    const char *options = strtok_r(NULL, " ", &save);
    if (!type || !options)
        return false;
    m->v2 = strcmp(type, "cgroup2") == 0;
    if (!m->v2 && (strcmp(type, "cgroup") != 0 || !list_has(options, "cpu")))
        return false;
    char *field = strtok_r(line, " ", &save);
    for (int i = 1; field && i < 4; i++)
        field = strtok_r(NULL, " ", &save);
    char *point = strtok_r(NULL, " ", &save);
    if (!field || !point)
        return false;
    unescape(field);
    unescape(point);
    m->root = field;
    m->point = point;
    return true;
}

/* Our path in the hierarchy of the mount; false when there is none. groups is /proc/self/cgroup. */
static bool find_path(const char *groups, bool v2, char *path, size_t room)
{
    for (const char *line = groups; line && *line;) {
        const char *end = strchrnul(line, '\n');
        const char *list = memchr(line, ':', (size_t)(end - line));
        const char *at = list ? memchr(list + 1, ':', (size_t)(end - list - 1)) : NULL;
        if (at) {
            char names[256];
            size_t n = (size_t)(at - list - 1);
            if (n >= sizeof names)
                n = sizeof names - 1;
            memcpy(names, list + 1, n);
            names[n] = 0;
            size_t len = (size_t)(end - at - 1);
            if ((v2 ? n == 0 : list_has(names, "cpu")) && len < room) {
                memcpy(path, at + 1, len);
                path[len] = 0;
                return true;
            }
        }
        line = *end ? end + 1 : end;
    }
    return false;
}

static int64_t read_number(const char *dir, const char *name)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        return -1;
    char *text = read_file(path);
    int64_t n = text ? strtoll(text, NULL, 10) : -1;
    gs_mem_free(text);
    return n;
}

/* Processors that quota per period is worth, rounded up; 0 for no limit. */
static unsigned processors(int64_t quota, int64_t period)
{
    if (quota <= 0 || period <= 0)
        return 0;
    int64_t n = quota / period + (quota % period != 0);
    return n > 1 << 20 ? 0 : (unsigned)n;
}

static unsigned limit_of_dir(const char *dir, bool v2)
{
    if (!v2)
        return processors(read_number(dir, "cpu.cfs_quota_us"),
                          read_number(dir, "cpu.cfs_period_us"));
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/cpu.max", dir) >= (int)sizeof path)
        return 0;
    char *text = read_file(path);
    if (!text)
        return 0;
    unsigned n = 0;
    if (strncmp(text, "max", 3) != 0) {
        char *end;
        int64_t quota = strtoll(text, &end, 10);
        int64_t period = strtoll(end, NULL, 10);
        n = processors(quota, period ? period : 100000);
    }
    gs_mem_free(text);
    return n;
}

static unsigned tighter(unsigned a, unsigned b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* The tightest limit from our group up to the mount point. */
static unsigned limit_of_mount(const char *root, const struct mount *m, const char *path)
{
    char dir[PATH_MAX];
    size_t skip = strcmp(m->root, "/") == 0 ? 0 : strlen(m->root);
    const char *below = "";
    if (strncmp(path, m->root, skip) == 0 && (path[skip] == '/' || path[skip] == 0) &&
        !strstr(path, "/.."))
        below = path + skip;
    if (strcmp(below, "/") == 0)
        below = "";
    int n = snprintf(dir, sizeof dir, "%s%s", root, m->point);
    if (n < 0 || n + (int)strlen(below) >= (int)sizeof dir)
        return 0;
    size_t top = (size_t)n;
    strcpy(dir + top, below);
    unsigned limit = 0;
    for (;;) {
        limit = tighter(limit, limit_of_dir(dir, m->v2));
        char *cut = strrchr(dir + top, '/');
        if (!cut)
            return limit;
        *cut = 0;
    }
}

unsigned gs_cpus_quota(const char *root)
{
    char path[PATH_MAX], group[PATH_MAX];
    unsigned limit = 0;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    char *groups = read_file(path);
    snprintf(path, sizeof path, "%s/proc/self/mountinfo", root);
    char *mounts = groups ? read_file(path) : NULL;
    char *rest = mounts;
    for (char *line; (line = next_line(&rest));) {
        struct mount m;
        if (parse_mount(line, &m) && find_path(groups, m.v2, group, sizeof group))
            limit = tighter(limit, limit_of_mount(root, &m, group));
    }
    gs_mem_free(mounts);
    gs_mem_free(groups);
    return limit;
}

unsigned gs_cpus_in_mask(void)
{
    unsigned n = gs_thread_mask_count();
    if (n == 0) {
        long online = sysconf(_SC_NPROCESSORS_ONLN);
        n = online > 0 ? (unsigned)online : 1;
    }
    return n;
}

unsigned gs_cpus_usable(void)
{
    /* Milliseconds above, the answer in the low 16 bits; one word, so no reader sees half of it. */
    static _Atomic uint64_t known;
    uint64_t now = (uint64_t)gs_clock_mono_ns() / 1000000;
    uint64_t k = gs_load_rlx(&known); /* nothing else belongs to it */
    if (k != 0 && now - (k >> 16) < KNOWN_MS)
        return (unsigned)(k & 0xffff);
    unsigned n = tighter(gs_cpus_in_mask(), gs_cpus_quota(""));
    if (n > 0xffff)
        n = 0xffff;
    gs_store_rlx(&known, now << 16 | n);
    return n;
}
