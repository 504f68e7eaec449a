/* SPDX-License-Identifier: MIT
 * test_gc.c - what survives a collection, what is freed, and a collector that runs out of memory itself.
 */
#include "array.h"
#include "heap_int.h"
#include "map.h"
#include "port/mem.h"
#include "shape.h"
#include "str.h"
#include "unit.h"
#include "unit_heap.h"

static gs_value arrv(const struct gs_array *a)
{
    return gs_objv(GS_T_ARRAY, a);
}

static struct gs_array *pair(struct gs_heap *h, gs_value a, gs_value b)
{
    gs_value v[2] = {a, b};
    return gs_array_from(h, v, 2);
}

static void garbage_is_reused_without_growing(void)
{
    struct unit_heap u;
    unit_heap_init(&u);
    size_t peak = 0;
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 20000; i++)
            u.root[0] = arrv(pair(&u.h, gs_int(i), gs_nil()));
        CU_ASSERT_TRUE(unit_heap_collect(&u));
        if (round == 1)
            peak = u.h.used;
        CU_ASSERT_TRUE(round < 1 || u.h.used <= peak + 4 * GS_BLOCK_SIZE);
    }
    CU_ASSERT_EQUAL(u.root[0].a->v[0].i, 19999);
    unit_heap_fini(&u);
}

static void holes_between_survivors_are_filled(void)
{
    struct unit_heap u;
    unit_heap_init(&u);
    struct gs_array *keep = gs_array_new(&u.h);
    u.root[0] = arrv(keep);
    for (int i = 0; i < 30000; i++) {
        gs_value v = arrv(pair(&u.h, gs_int(i), gs_nil()));
        if (i % 20 == 0)
            CU_ASSERT_EQUAL(gs_array_push(&u.h, keep, v), GS_OK);
    }
    CU_ASSERT_TRUE(unit_heap_collect(&u));
    size_t used = u.h.used;
    uint32_t blocks = gs_heap_rest_of(&u.h)->nblocks;
    for (int i = 0; i < 10000; i++)
        (void)pair(&u.h, gs_int(-1), gs_int(-2));
    CU_ASSERT_TRUE(u.h.used <= used);
    CU_ASSERT_TRUE(gs_heap_rest_of(&u.h)->nblocks <= blocks + 1);
    for (int i = 0; i < 1500; i++)
        CU_ASSERT_EQUAL(keep->v[i].a->v[0].i, i * 20);
    CU_ASSERT_TRUE(gs_gc_check_value(&u.h, u.root[0]));
    unit_heap_fini(&u);
}

static void medium_objects_do_not_break_holes(void)
{
    struct unit_heap u;
    unit_heap_init(&u);
    uint64_t seed = 7;
    struct gs_array *keep = gs_array_make(&u.h, GS_STORE_VALUE, 500);
    u.root[0] = arrv(keep);
    for (int i = 0; i < 60000; i++) {
        int64_t n = 1 + (int64_t)(unit_random(&seed) % (i % 7 ? 8 : 300));
        struct gs_array *a = gs_array_make(&u.h, GS_STORE_VALUE, n);
        CU_ASSERT_PTR_NOT_NULL_FATAL(a);
        for (int64_t k = 0; k < n; k++)
            a->v[k] = gs_int(n + k);
        keep->v[unit_random(&seed) % 500] = arrv(a);
        if (i % 5000 == 0)
            CU_ASSERT_TRUE(unit_heap_collect(&u));
    }
    CU_ASSERT_TRUE(gs_gc_check_value(&u.h, u.root[0]));
    for (int i = 0; i < 500; i++) {
        struct gs_array *a = keep->v[i].a;
        for (int64_t k = 0; a && k < a->len; k++)
            CU_ASSERT_EQUAL(a->v[k].i, a->len + k);
    }
    unit_heap_fini(&u);
}

static void cycles_die(void)
{
    struct unit_heap u;
    unit_heap_init(&u);
    for (int i = 0; i < 100; i++) {
        struct gs_array *a = gs_array_make(&u.h, GS_STORE_VALUE, 600);
        struct gs_array *b = pair(&u.h, arrv(a), gs_nil());
        a->v[0] = arrv(b);
        b->v[1] = arrv(b);
    }
    CU_ASSERT_EQUAL(gs_heap_rest_of(&u.h)->nlarge, 100);
    CU_ASSERT_TRUE(unit_heap_collect(&u));
    CU_ASSERT_EQUAL(gs_heap_rest_of(&u.h)->nlarge, 0);
    unit_heap_fini(&u);
}

static void every_kind_keeps_its_children(void)
{
    struct unit_heap u;
    unit_heap_init(&u);
    gs_value s[6];
    for (int i = 0; i < 6; i++)
        s[i] = gs_strv(gs_str_newz(&u.h, "a string that is kept"));
    struct gs_func *f = gs_heap_new(&u.h, GS_T_FUNC, sizeof *f + 2 * sizeof(gs_value));
    f->h.aux16 = 2;
    f->proto = NULL;
    f->up[0] = s[0];
    struct gs_cell *c = gs_heap_new(&u.h, GS_T_CELL, sizeof *c);
    c->v = s[1];
    f->up[1] = gs_objv(GS_T_CELL, c);
    struct gs_bound *b = gs_heap_new(&u.h, GS_T_BOUND, sizeof *b);
    b->self = s[2];
    b->fn = gs_objv(GS_T_FUNC, f);
    struct gs_object *o = gs_object_new(&u.h, gs_shape_plain, 1);
    CU_ASSERT_EQUAL(gs_object_put(&u.h, o, gs_atomz("one"), s[3]), GS_OK);
    CU_ASSERT_EQUAL(gs_object_put(&u.h, o, gs_atomz("two"), gs_objv(GS_T_BOUND, b)), GS_OK);
    struct gs_object *d = gs_object_new(&u.h, gs_shape_plain_dict, 0);
    CU_ASSERT_EQUAL(gs_object_put(&u.h, d, s[4].s, s[5]), GS_OK);
    CU_ASSERT_EQUAL(gs_object_put(&u.h, d, gs_atomz("o"), gs_objv(GS_T_OBJECT, o)), GS_OK);
    u.root[5] = gs_objv(GS_T_OBJECT, d);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_TRUE(unit_heap_collect(&u));
        for (int k = 0; k < 5000; k++)
            (void)gs_str_newz(&u.h, "overwrites whatever was forgotten");
        CU_ASSERT_TRUE(gs_gc_check_value(&u.h, u.root[5]));
        for (int k = 0; k < 6; k++)
            CU_ASSERT_TRUE(gs_str_equal_bytes(s[k].s, "a string that is kept", 21));
    }
    unit_heap_fini(&u);
}

static void outside_buffers_are_released_with_their_holders(void)
{
    struct unit_heap u;
    unit_heap_init(&u);
    struct gs_array *a = gs_array_make(&u.h, GS_STORE_FLOAT, 100000);
    struct gs_payload *p = a->pay;
    struct gs_array *b = gs_array_share(&u.h, a);
    CU_ASSERT_EQUAL(gs_load_rlx(&p->refs), 2);
    u.root[0] = arrv(b);
    CU_ASSERT_TRUE(u.h.used >= 800000);
    CU_ASSERT_TRUE(unit_heap_collect(&u));
    CU_ASSERT_EQUAL(gs_load_rlx(&p->refs), 1);
    CU_ASSERT_TRUE(u.h.used >= 800000);
    char text[1000];
    memset(text, 'x', sizeof text);
    struct gs_str *s = gs_str_new(&u.h, text, sizeof text);
    u.root[1] = gs_strv(gs_str_sub(&u.h, s, 100, 900));
    struct gs_strbuf *buf = ((struct gs_xstr *)s)->buf;
    gs_strbuf_retain(buf);
    CU_ASSERT_EQUAL(gs_load_rlx(&buf->refs), 2); /* the part counts nothing */
    u.root[0] = gs_nil();
    CU_ASSERT_TRUE(unit_heap_collect(&u));
    CU_ASSERT_EQUAL(gs_load_rlx(&buf->refs), 2);
    CU_ASSERT_TRUE(u.h.used < 100000);
    CU_ASSERT_EQUAL(gs_heap_rest_of(&u.h)->nfinal, 1);
    u.root[1] = gs_nil();
    CU_ASSERT_TRUE(unit_heap_collect(&u));
    CU_ASSERT_EQUAL(gs_load_rlx(&buf->refs), 1);
    CU_ASSERT_EQUAL(gs_heap_rest_of(&u.h)->nfinal, 0);
    gs_strbuf_release(buf);
    unit_heap_fini(&u);
}

static void widened_arrays_leave_the_final_list(void)
{
    struct unit_heap u;
    unit_heap_init(&u);
    struct gs_array *a = gs_array_make(&u.h, GS_STORE_INT, 1000);
    u.root[0] = arrv(a);
    CU_ASSERT_EQUAL(gs_heap_rest_of(&u.h)->nfinal, 1);
    CU_ASSERT_EQUAL(gs_array_set(&u.h, a, 5, gs_nil()), GS_OK);
    CU_ASSERT_PTR_NULL(a->pay);
    CU_ASSERT_TRUE(unit_heap_collect(&u));
    CU_ASSERT_EQUAL(gs_heap_rest_of(&u.h)->nfinal, 0);
    CU_ASSERT_EQUAL(gs_heap_rest_of(&u.h)->nlarge, 1);
    CU_ASSERT_TRUE(gs_gc_check_value(&u.h, u.root[0]));
    unit_heap_fini(&u);
}

static gs_value deep_list(struct gs_heap *h, int n, bool first)
{
    gs_value v = gs_nil();
    for (int i = 0; i < n; i++)
        v = arrv(first ? pair(h, v, gs_int(i)) : pair(h, gs_int(i), v));
    return v;
}

static int list_length(gs_value v, bool first)
{
    int n = 0;
    for (; v.tag == GS_T_ARRAY; v = v.a->v[first ? 0 : 1])
        n++;
    return n;
}

static void deep_structures_do_not_recurse(void)
{
    for (int first = 0; first < 2; first++) {
        struct unit_heap u;
        unit_heap_init(&u);
        u.root[0] = deep_list(&u.h, 1000000, first);
        CU_ASSERT_TRUE(unit_heap_collect(&u));
        CU_ASSERT_EQUAL(list_length(u.root[0], first), 1000000);
        unit_heap_fini(&u);
    }
}

static void wide_arrays_are_scanned_piecewise(void)
{
    struct unit_heap u;
    unit_heap_init(&u);
    struct gs_array *a = gs_array_make(&u.h, GS_STORE_VALUE, 100000);
    u.root[0] = arrv(a);
    for (int64_t i = 0; i < a->len; i++)
        a->v[i] = arrv(pair(&u.h, gs_int(i), gs_nil()));
    CU_ASSERT_TRUE(unit_heap_collect(&u));
    for (int i = 0; i < 100000; i++)
        (void)pair(&u.h, gs_int(-1), gs_nil());
    for (int64_t i = 0; i < a->len; i++)
        if (a->v[i].a->v[0].i != i) {
            CU_FAIL("an element was lost");
            break;
        }
    unit_heap_fini(&u);
}

static void handles_are_reported(void)
{
    struct unit_heap u;
    unit_heap_init(&u);
    struct gs_hobj *one = (struct gs_hobj *)(uintptr_t)0x1000;
    struct gs_hobj *two = (struct gs_hobj *)(uintptr_t)0x2000;
    u.root[0] = gs_handlev(1, one);
    u.root[1] = arrv(pair(&u.h, gs_handlev(2, two), gs_nil()));
    CU_ASSERT_EQUAL(gs_array_store(u.root[1].a), GS_STORE_VALUE);
    CU_ASSERT_TRUE(unit_heap_collect(&u));
    CU_ASSERT_EQUAL(u.nhandles, 2);
    CU_ASSERT_PTR_EQUAL(u.handle[0], one);
    CU_ASSERT_PTR_EQUAL(u.handle[1], two);
    unit_heap_fini(&u);
}

static void a_collection_without_memory_frees_nothing(void)
{
    struct unit_heap u;
    unit_heap_init(&u);
    u.root[0] = deep_list(&u.h, 20000, true);
    struct gs_array *wide = gs_array_make(&u.h, GS_STORE_VALUE, 5000);
    u.root[1] = arrv(wide);
    for (int i = 0; i < 5000; i++)
        wide->v[i] = arrv(pair(&u.h, deep_list(&u.h, 3, true), deep_list(&u.h, 3, true)));
    CU_ASSERT_TRUE(unit_heap_collect(&u));
    for (int i = 0; i < 4; i++) {
        gs_mem_fail_at(1);
        bool done = unit_heap_collect(&u);
        gs_mem_fail_at(0);
        CU_ASSERT_TRUE(gs_gc_check_value(&u.h, u.root[0]));
        CU_ASSERT_TRUE(gs_gc_check_value(&u.h, u.root[1]));
        CU_ASSERT_EQUAL(list_length(u.root[0], true), 20000);
        (void)done;
        if (i == 0)
            CU_ASSERT_TRUE(unit_heap_collect(&u));
    }
    for (int i = 0; i < 3; i++) {
        (void)unit_heap_collect(&u);
        for (int k = 0; k < 20000; k++)
            (void)pair(&u.h, gs_int(k), gs_nil());
        CU_ASSERT_EQUAL(list_length(u.root[0], true), 20000);
    }
    unit_heap_fini(&u);
}

static void collections_are_asked_for_in_proportion(void)
{
    struct unit_heap u;
    unit_heap_init(&u);
    u.root[0] = deep_list(&u.h, 100000, false); /* some 10 MB */
    CU_ASSERT_TRUE(unit_heap_collect(&u));
    uint32_t before = gs_heap_rest_of(&u.h)->ngc;
    size_t allocated = 0;
    while (allocated < ((size_t)100 << 20)) {
        (void)pair(&u.h, gs_int(1), gs_nil());
        allocated += 48 + 80;
        if (u.h.used > u.h.threshold)
            CU_ASSERT_TRUE(unit_heap_collect(&u));
    }
    uint32_t n = gs_heap_rest_of(&u.h)->ngc - before;
    CU_ASSERT_TRUE(n >= 4 && n <= 20);
    unit_heap_fini(&u);
}

/* ---- a random graph beside a model of it ---- */

#define NODES 400

struct model {
    int64_t id[NODES];
    int edge[NODES][6]; /* -1: none */
    bool live[NODES];
};

static gs_value make_node(struct gs_heap *h, struct model *m, int i, uint64_t *seed)
{
    m->id[i] = (int64_t)unit_random(seed);
    for (int e = 0; e < 6; e++)
        m->edge[i][e] = -1;
    m->live[i] = true;
    if (i % 3 == 0) {
        struct gs_array *a = gs_array_make(h, GS_STORE_VALUE, 7);
        a->v[6] = gs_int(m->id[i]);
        return arrv(a);
    }
    struct gs_object *o = gs_object_new(h, i % 3 == 1 ? gs_shape_plain : gs_shape_plain_dict, 2);
    CU_ASSERT_EQUAL(gs_object_put(h, o, gs_atomz("id"), gs_int(m->id[i])), GS_OK);
    return gs_objv(GS_T_OBJECT, o);
}

static void set_edge(struct gs_heap *h, gs_value from, int e, gs_value to)
{
    char name[16];
    snprintf(name, sizeof name, "e%d", e);
    gs_status st = from.tag == GS_T_ARRAY ? gs_array_set(h, from.a, e, to)
                                          : gs_object_set(h, from.m, gs_str_newz(h, name), to);
    CU_ASSERT_EQUAL(st, GS_OK);
}

static gs_value get_edge(gs_value from, int e)
{
    char name[16];
    gs_value v = gs_nil();
    snprintf(name, sizeof name, "e%d", e);
    if (from.tag == GS_T_ARRAY)
        return gs_array_at(from.a, e);
    (void)gs_object_get(from.m, gs_atomz(name), &v);
    return v;
}

static int64_t get_id(gs_value v)
{
    gs_value id = gs_nil();
    if (v.tag == GS_T_ARRAY)
        return v.a->v[6].i;
    (void)gs_object_get(v.m, gs_atomz("id"), &id);
    return id.i;
}

static void a_random_graph_agrees_with_its_model(void)
{
    static struct model m;
    struct unit_heap u;
    unit_heap_init(&u);
    uint64_t seed = 42;
    struct gs_array *node = gs_array_make(&u.h, GS_STORE_VALUE, NODES);
    u.root[0] = arrv(node);
    for (int i = 0; i < NODES; i++)
        node->v[i] = make_node(&u.h, &m, i, &seed);
    for (int step = 0; step < 60000; step++) {
        uint64_t r = unit_random(&seed);
        int i = (int)(r % NODES), j = (int)(r / NODES % NODES), e = (int)(r >> 40) % 6;
        if (r >> 60 ==
            0) { /* a fresh node in i's place: nobody may refer to the old one any more */
            node->v[i] = make_node(&u.h, &m, i, &seed);
            for (int k = 0; k < NODES; k++)
                for (int x = 0; x < 6; x++)
                    if (m.edge[k][x] == i) {
                        m.edge[k][x] = -1;
                        set_edge(&u.h, node->v[k], x, gs_nil());
                    }
        } else {
            bool cut = (r >> 50 & 3) == 0;
            m.edge[i][e] = cut ? -1 : j;
            set_edge(&u.h, node->v[i], e, cut ? gs_nil() : node->v[j]);
        }
        if (step % 499 == 0)
            CU_ASSERT_TRUE(unit_heap_collect(&u));
    }
    CU_ASSERT_TRUE(gs_gc_check_value(&u.h, u.root[0]));
    for (int i = 0; i < NODES; i++) {
        CU_ASSERT_EQUAL(get_id(node->v[i]), m.id[i]);
        for (int e = 0; e < 6; e++) {
            gs_value v = get_edge(node->v[i], e);
            CU_ASSERT_TRUE(m.edge[i][e] < 0 ? v.tag == GS_T_NIL
                                            : gs_same(v, node->v[m.edge[i][e]]));
        }
    }
    unit_heap_fini(&u);
}

static const struct unit_case cases[] = {
    UNIT_CASE(garbage_is_reused_without_growing),
    UNIT_CASE(holes_between_survivors_are_filled),
    UNIT_CASE(medium_objects_do_not_break_holes),
    UNIT_CASE(cycles_die),
    UNIT_CASE(every_kind_keeps_its_children),
    UNIT_CASE(outside_buffers_are_released_with_their_holders),
    UNIT_CASE(widened_arrays_leave_the_final_list),
    UNIT_CASE(deep_structures_do_not_recurse),
    UNIT_CASE(wide_arrays_are_scanned_piecewise),
    UNIT_CASE(handles_are_reported),
    UNIT_CASE(a_collection_without_memory_frees_nothing),
    UNIT_CASE(collections_are_asked_for_in_proportion),
    UNIT_CASE(a_random_graph_agrees_with_its_model),
};

UNIT_MAIN("gc", cases)
