/* SPDX-License-Identifier: MIT
 * string_map.c - a map with string keys that are made at run time: count, look up, remove.
 *
 * Open addressing with linear probing, FNV-1a hashes kept in the slots, keys copied on insertion.
 * A removed slot keeps its key and loses its value, which is enough here: nothing is added later.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct slot {
    uint64_t hash;
    char *key;
    int64_t count;
    bool used;
};

struct map {
    struct slot *slots;
    size_t cap, len;
};

static uint64_t hash_of(const char *s)
{
    uint64_t h = 14695981039346656037u;
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 1099511628211u;
    return h;
}

static struct slot *find(const struct map *m, const char *key, uint64_t hash)
{
    for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct slot *s = &m->slots[i];
        if (!s->key || (s->hash == hash && strcmp(s->key, key) == 0))
            return s;
    }
}

static void resize(struct map *m, size_t cap)
{
    struct map old = *m;
    m->cap = cap;
    m->slots = calloc(cap, sizeof *m->slots);
    if (!m->slots)
        exit(1);
    for (size_t i = 0; i < old.cap; i++) {
        if (old.slots[i].key)
            *find(m, old.slots[i].key, old.slots[i].hash) = old.slots[i];
    }
    free(old.slots);
}

static int64_t get(const struct map *m, const char *key)
{
    struct slot *s = find(m, key, hash_of(key));
    return s->used ? s->count : 0;
}

static void put(struct map *m, const char *key, int64_t count)
{
    uint64_t hash = hash_of(key);
    struct slot *s = find(m, key, hash);
    if (!s->key) {
        if ((m->len + 1) * 4 > m->cap * 3) {
            resize(m, m->cap * 2);
            s = find(m, key, hash);
        }
        s->hash = hash;
        s->key = strdup(key);
        m->len++;
    }
    s->count = count;
    s->used = true;
}

static bool drop(struct map *m, const char *key)
{
    struct slot *s = find(m, key, hash_of(key));
    bool was = s->used;
    s->used = false;
    return was;
}

int main(int argc, char **argv)
{
    int64_t n = argc > 1 ? atoll(argv[1]) : 3000000;
    const int64_t words = 50000;
    struct map m = {0};
    char key[32];
    int64_t x = 42, removed = 0, sum = 0;
    resize(&m, 16);
    for (int64_t i = 0; i < n; i++) {
        x = x * 16807 % 2147483647;
        snprintf(key, sizeof key, "key%" PRId64, x % words);
        put(&m, key, get(&m, key) + 1);
    }
    for (int64_t i = 0; i < words; i += 3) {
        snprintf(key, sizeof key, "key%" PRId64, i);
        removed += drop(&m, key);
    }
    for (int64_t i = 0; i < words; i++) {
        snprintf(key, sizeof key, "key%" PRId64, i);
        sum += get(&m, key) * (i % 7);
    }
    printf("%" PRId64 "\n%" PRId64 "\n", removed, sum);
    for (size_t i = 0; i < m.cap; i++)
        free(m.slots[i].key);
    free(m.slots);
    return 0;
}
