/* SPDX-License-Identifier: MIT
 * heap.c - what lives in one VM's heap, by itself: allocation and collection, strings, arrays,
 * maps, numbers as text.
 *
 * Every case checks its answer; a wrong one ends the program with code 1. Each is run ROUNDS times;
 * the median and the best are printed, in nanoseconds for one operation. Collections happen when
 * the heap asks for them, as in the interpreter.
 *
 * Usage      bench_heap [case...]
 */
#include "micro.h"

#include "array.h"
#include "map.h"
#include "port/clock.h"
#include "shape.h"
#include "str.h"
#include "text.h"

static struct gs_heap h;
static gs_value root[8];

static void roots(void *ctx, struct gs_marker *m)
{
    (void)ctx;
    gs_gc_mark_values(m, root, 8);
}

static void safe_point(void)
{
    if (gs_heap_wants_gc(&h))
        expect(gs_gc_collect(&h, roots, NULL, NULL), "collection");
}

/* ---- allocation ---- */

static int64_t garbage(void)
{
    enum { N = 5000000 };
    for (int i = 0; i < N; i++) {
        struct gs_cell *c = gs_heap_new(&h, GS_T_CELL, sizeof *c);
        c->v = gs_int(i);
        safe_point();
    }
    return N;
}

static gs_value tree(struct gs_shape *two, int depth)
{
    struct gs_object *o = gs_object_new(&h, two->id, 2);
    if (depth > 0) {
        o->slots[0] = tree(two, depth - 1);
        o->slots[1] = tree(two, depth - 1);
    }
    return gs_objv(GS_T_OBJECT, o);
}

static int64_t count(gs_value v)
{
    return v.tag == GS_T_OBJECT ? 1 + count(v.m->slots[0]) + count(v.m->slots[1]) : 0;
}

static struct gs_shape *two_fields(void)
{
    struct gs_shape *s = gs_shape_add(gs_shape_get(gs_shape_plain), gs_atomz("left"));
    return gs_shape_add(s, gs_atomz("right"));
}

/* A tree that stays and many that go, as in the binary-trees benchmark. */
static int64_t trees(void)
{
    enum { LONG = 18, SHORT = 10, N = 500 };
    struct gs_shape *two = two_fields();
    root[0] = tree(two, LONG);
    int64_t n = (1 << (LONG + 1)) - 1, each = (1 << (SHORT + 1)) - 1;
    for (int i = 0; i < N; i++) {
        expect(count(tree(two, SHORT)) == each, "trees");
        safe_point();
    }
    expect(count(root[0]) == n, "trees");
    return n + N * each;
}

/* Marking and sweeping a million living objects, for each object. */
static int64_t live_heap(void)
{
    enum { DEPTH = 19, N = 3 };
    root[0] = tree(two_fields(), DEPTH);
    return ((1 << (DEPTH + 1)) - 1) * (int64_t)N;
}

static void collect_live_heap(void)
{
    for (int i = 0; i < 3; i++)
        expect(gs_gc_collect(&h, roots, NULL, NULL), "collection");
}

/* A message of 100 bytes: a heap, two objects, gone. */
static int64_t fragment(void)
{
    enum { N = 1000000 };
    for (int i = 0; i < N; i++) {
        struct gs_heap f = {0};
        gs_heap_init(&f, NULL, 0);
        struct gs_array *a = gs_array_make(&f, GS_STORE_INT, 4);
        expect(a && a->len == 4, "fragment");
        gs_heap_fini(&f);
    }
    return N;
}

/* ---- strings ---- */

static int64_t build(void)
{
    enum { N = 2000000 };
    struct gs_str *s = gs_str_empty(), *t = gs_str_byte('x');
    for (int i = 0; i < N; i++) {
        s = gs_str_concat(&h, s, t);
        root[0] = gs_strv(s);
        safe_point();
    }
    expect(s->len == N && s->data[N - 1] == 'x', "build");
    return N;
}

static int64_t concat_short(void)
{
    enum { N = 5000000 };
    struct gs_str *a = gs_str_newz(&h, "hello, "), *b = gs_str_newz(&h, "world");
    size_t sum = 0;
    root[0] = gs_strv(a);
    root[1] = gs_strv(b);
    for (int i = 0; i < N; i++) {
        sum += gs_str_concat(&h, a, b)->len;
        safe_point();
    }
    expect(sum == (size_t)N * 12, "concat");
    return N;
}

static int64_t hash_words(void)
{
    enum { N = 10000000 };
    char text[32] = "some_identifier_00";
    uint32_t x = 0;
    for (int i = 0; i < N; i++) {
        text[i & 15] = (char)('a' + (i & 7));
        x ^= gs_str_hash_bytes(text, 12 + (i & 7));
    }
    expect(x != 1, "hash");
    return N;
}

static int64_t atoms(void)
{
    enum { N = 5000000 };
    struct gs_str *name[64], *atom[64];
    char text[32];
    for (int i = 0; i < 64; i++) {
        size_t n = (size_t)snprintf(text, sizeof text, "property%d", i);
        name[i] = gs_str_new(&h, text, n);
        atom[i] = gs_atom(text, n);
    }
    for (int i = 0; i < N; i++)
        expect(gs_atom_find(name[i & 63]) == atom[i & 63], "atoms");
    return N;
}

/* ---- arrays ---- */

static int64_t push_ints(void)
{
    enum { N = 10000000 };
    struct gs_array *a = gs_array_new(&h);
    root[0] = gs_objv(GS_T_ARRAY, a);
    for (int i = 0; i < N; i++) {
        if (!gs_array_push_fast(a, gs_int(i)))
            expect(gs_array_push(&h, a, gs_int(i)) == GS_OK, "push");
        safe_point();
    }
    expect(a->i[N - 1] == N - 1, "push");
    return N;
}

static int64_t push_values(void)
{
    enum { N = 5000000 };
    struct gs_array *a = gs_array_new(&h);
    root[0] = gs_objv(GS_T_ARRAY, a);
    for (int i = 0; i < N; i++) {
        gs_value v = i & 1 ? gs_int(i) : gs_nil();
        if (!gs_array_push_fast(a, v))
            expect(gs_array_push(&h, a, v) == GS_OK, "push");
        safe_point();
    }
    expect(a->v[N - 1].i == N - 1, "push");
    return N;
}

static int64_t small_arrays(void)
{
    enum { N = 1000000 };
    for (int i = 0; i < N; i++) {
        struct gs_array *a = gs_array_new(&h);
        for (int k = 0; k < 5; k++)
            expect(gs_array_push(&h, a, gs_int(k)) == GS_OK, "push");
        safe_point();
    }
    return N;
}

static uint64_t seed = 1;

static int64_t any(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)seed >> 16;
}

static void sort(struct gs_array *a)
{
    int64_t bad;
    expect(gs_array_sort(&h, a, &bad) == GS_OK, "sort");
}

static int64_t sort_ints(void)
{
    enum { N = 1000000 };
    struct gs_array *a = gs_array_make(&h, GS_STORE_INT, N);
    for (int i = 0; i < N; i++)
        a->i[i] = any();
    sort(a);
    for (int i = 1; i < N; i++)
        expect(a->i[i - 1] <= a->i[i], "sort");
    return N;
}

static int64_t sort_strings(void)
{
    enum { N = 200000 };
    struct gs_array *a = gs_array_make(&h, GS_STORE_VALUE, N);
    char text[32];
    for (int i = 0; i < N; i++) {
        size_t n = (size_t)snprintf(text, sizeof text, "word%lld", (long long)(any() & 0xfffff));
        a->v[i] = gs_strv(gs_str_new(&h, text, n));
    }
    sort(a);
    return N;
}

/* ---- objects ---- */

static int64_t map_words(void)
{
    enum { WORDS = 20000, N = 2000000 };
    static struct gs_str *word[WORDS];
    char text[32];
    for (int i = 0; i < WORDS; i++)
        word[i] = gs_str_new(&h, text, (size_t)snprintf(text, sizeof text, "word%d", i * 7));
    struct gs_map *m = gs_map_new(&h, 0);
    for (int i = 0; i < N; i++) {
        struct gs_str *w = word[(uint64_t)any() % WORDS];
        gs_value *v = gs_map_find(m, w);
        expect(gs_map_put(&h, m, w, gs_int(v ? v->i + 1 : 1)) == GS_OK, "map");
    }
    expect(m->count == WORDS, "map");
    return N;
}

static int64_t fields(void)
{
    enum { N = 5000000 };
    struct gs_object *o = gs_object_new(&h, gs_shape_plain, 8);
    struct gs_str *name[16];
    char text[32];
    for (int i = 0; i < 16; i++) {
        name[i] = gs_atom(text, (size_t)snprintf(text, sizeof text, "f%d", i));
        expect(gs_object_set(&h, o, name[i], gs_int(i)) == GS_OK, "fields");
    }
    int64_t sum = 0;
    for (int i = 0; i < N; i++) {
        gs_value v;
        expect(gs_object_get_atom(o, name[i & 15], &v), "fields");
        sum += v.i;
    }
    expect(sum == N / 16 * 120 + (N % 16) * (N % 16 - 1) / 2, "fields");
    return N;
}

/* ---- numbers ---- */

static int64_t floats_out(void)
{
    enum { N = 1000000 };
    char text[GS_NUM_MAX];
    size_t sum = 0;
    for (int i = 0; i < N; i++)
        sum += gs_text_float((double)any() / 1e9, text);
    expect(sum > N * 10, "text");
    return N;
}

static int64_t floats_in(void)
{
    enum { N = 1000000 };
    static char text[1000][GS_NUM_MAX];
    static size_t len[1000];
    for (int i = 0; i < 1000; i++)
        len[i] = gs_text_float((double)any() / 1e9, text[i]);
    double d, sum = 0;
    for (int i = 0; i < N; i++) {
        expect(gs_text_parse_float(text[i % 1000], len[i % 1000], &d), "parse");
        sum += d;
    }
    expect(sum == sum, "parse");
    return N;
}

static int64_t ints_out(void)
{
    enum { N = 5000000 };
    char text[GS_NUM_MAX];
    size_t sum = 0;
    for (int i = 0; i < N; i++)
        sum += gs_text_int(any() >> (i & 31), text);
    expect(sum > N, "text");
    return N;
}

/* ---- running ---- */

static const struct bench {
    const char *name;
    int64_t (*run)(void); /* gives the number of operations */
    void (*timed)(void);  /* when set, run only prepares */
} benches[] = {
    {"garbage", garbage, NULL},
    {"trees", trees, NULL},
    {"live_heap", live_heap, collect_live_heap},
    {"fragment", fragment, NULL},
    {"build", build, NULL},
    {"concat_short", concat_short, NULL},
    {"hash_words", hash_words, NULL},
    {"atoms", atoms, NULL},
    {"push_ints", push_ints, NULL},
    {"push_values", push_values, NULL},
    {"small_arrays", small_arrays, NULL},
    {"sort_ints", sort_ints, NULL},
    {"sort_strings", sort_strings, NULL},
    {"map_words", map_words, NULL},
    {"fields", fields, NULL},
    {"floats_out", floats_out, NULL},
    {"floats_in", floats_in, NULL},
    {"ints_out", ints_out, NULL},
};

static void measure(const struct bench *b)
{
    double ns[ROUNDS];
    uint32_t collections = 0;
    double in_gc = 0;
    for (int i = 0; i < ROUNDS; i++) {
        memset(&h, 0, sizeof h);
        memset(root, 0, sizeof root);
        gs_heap_init(&h, NULL, 0);
        int64_t start = gs_clock_mono_ns();
        int64_t n = b->run();
        if (b->timed) {
            start = gs_clock_mono_ns();
            b->timed();
        }
        ns[i] = (double)(gs_clock_mono_ns() - start) / (double)n;
        collections = gs_heap_rest_of(&h)->ngc;
        in_gc = (double)gs_heap_rest_of(&h)->gc_ns / (double)n;
        gs_heap_fini(&h);
    }
    sort_values(ns, ROUNDS);
    printf("%-14s %8.1f ns   best %8.1f   collections %4u, %.1f ns\n", b->name, ns[ROUNDS / 2],
           ns[0], collections, in_gc);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++)
        if (wanted(benches[i].name, argc, argv))
            measure(&benches[i]);
    return 0;
}
