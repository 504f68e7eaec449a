/* SPDX-License-Identifier: MIT
 * test_shape.c - shapes, objects' fields, classes.
 */
#include <pthread.h>

#include "array.h"
#include "port/mem.h"
#include "shape.h"
#include "str.h"
#include "unit.h"
#include "unit_heap.h"

static struct unit_heap u;

static struct gs_str *name(int i)
{
    char text[32];
    return gs_atom(text, (size_t)snprintf(text, sizeof text, "field%d", i));
}

static struct gs_str *computed(int i)
{
    char text[32];
    return gs_str_new(&u.h, text, (size_t)snprintf(text, sizeof text, "computed %d", i));
}

static struct gs_object *plain(void)
{
    return gs_object_new(&u.h, gs_shape_plain, 0);
}

static bool well(const struct gs_object *o)
{
    return gs_gc_check_value(&u.h, gs_objv(GS_T_OBJECT, o));
}

static bool is_dict(const struct gs_object *o)
{
    return gs_shape_get(o->h.aux32)->flags & GS_SHAPE_DICT;
}

static int64_t field(const struct gs_object *o, struct gs_str *key)
{
    gs_value v = gs_int(-1);
    return gs_object_get(o, key, &v) ? v.i : -1;
}

static void equal_key_orders_give_the_same_shape(void)
{
    struct gs_object *a = plain(), *b = plain(), *c = plain();
    for (int i = 0; i < 20; i++) {
        CU_ASSERT_EQUAL(gs_object_set(&u.h, a, name(i), gs_int(i)), GS_OK);
        CU_ASSERT_EQUAL(gs_object_set(&u.h, b, name(i), gs_int(i)), GS_OK);
        CU_ASSERT_EQUAL(gs_object_set(&u.h, c, name(19 - i), gs_int(i)), GS_OK);
    }
    CU_ASSERT_EQUAL(a->h.aux32, b->h.aux32);
    CU_ASSERT_NOT_EQUAL(a->h.aux32, c->h.aux32);
    struct gs_shape *s = gs_shape_get(a->h.aux32);
    CU_ASSERT_EQUAL(s->nkeys, 20);
    CU_ASSERT_EQUAL(s->root, gs_shape_plain);
    for (int i = 0; i < 20; i++) {
        CU_ASSERT_EQUAL(gs_shape_slot(s, name(i)), i);
        CU_ASSERT_PTR_EQUAL(gs_shape_key(s, (uint32_t)i), name(i));
        CU_ASSERT_EQUAL(field(a, name(i)), i);
        CU_ASSERT_EQUAL(field(c, name(i)), 19 - i);
    }
    CU_ASSERT_EQUAL(gs_shape_slot(s, name(99)), -1);
    CU_ASSERT_EQUAL(gs_shape_slot(gs_shape_get(gs_shape_plain), name(0)), -1);
    CU_ASSERT_TRUE(well(a) && well(c));
}

static void shape_of_tells_kinds_and_shapes_apart(void)
{
    CU_ASSERT_EQUAL(gs_shape_of(gs_int(3)), GS_T_INT);
    CU_ASSERT_EQUAL(gs_shape_of(gs_objv(GS_T_OBJECT, plain())), gs_shape_plain);
    CU_ASSERT_TRUE(gs_shape_plain >= GS_SHAPE_FIRST);
}

static void many_fields_turn_an_object_into_a_dictionary(void)
{
    struct gs_object *o = plain();
    for (int i = 0; i < 500; i++) {
        CU_ASSERT_EQUAL(gs_object_set(&u.h, o, name(i), gs_int(i)), GS_OK);
        CU_ASSERT_EQUAL(is_dict(o), i >= (int)GS_SHAPE_MAX_KEYS);
        CU_ASSERT_EQUAL(gs_object_count(o), (uint32_t)i + 1);
    }
    for (int i = 0; i < 500; i++)
        CU_ASSERT_EQUAL(field(o, name(i)), i);
    CU_ASSERT_TRUE(well(o));
}

static void computed_keys_make_dictionaries_sooner(void)
{
    struct gs_object *o = plain();
    for (int i = 0; i < 100; i++)
        CU_ASSERT_EQUAL(gs_object_set(&u.h, o, computed(i), gs_int(i)), GS_OK);
    CU_ASSERT_TRUE(is_dict(o));
    struct gs_object *p = plain();
    for (int i = 0; i < 20; i++)
        CU_ASSERT_EQUAL(gs_object_set(&u.h, p, computed(i), gs_int(i)), GS_OK);
    CU_ASSERT_FALSE(is_dict(p));
    for (int i = 0; i < 100; i++) {
        CU_ASSERT_EQUAL(field(o, computed(i)), i);
        CU_ASSERT_EQUAL(field(p, computed(i)), i < 20 ? i : -1);
    }
    CU_ASSERT_TRUE(well(o) && well(p));
}

static void characters_as_keys_do_not_use_shapes_up(void)
{
    uint64_t seed = 8;
    struct gs_object *o = NULL, *before = plain();
    for (int i = 0; i < 20000; i++) {
        o = plain();
        for (int k = 0; k < 12; k++) {
            struct gs_str *c = gs_str_byte((uint8_t)unit_random(&seed));
            CU_ASSERT_EQUAL(gs_object_set_computed(&u.h, o, c, gs_int(k)), GS_OK);
            CU_ASSERT_EQUAL(field(o, c), k);
        }
        if (i % 1000 == 0)
            CU_ASSERT_TRUE(well(o));
    }
    CU_ASSERT_TRUE(is_dict(o));
    CU_ASSERT_EQUAL(gs_object_set(&u.h, before, name(700), gs_int(1)), GS_OK);
    CU_ASSERT_EQUAL(gs_object_set(&u.h, before, name(701), gs_int(1)), GS_OK);
    CU_ASSERT_FALSE(is_dict(before)); /* the program's own names still make shapes */
    CU_ASSERT_EQUAL(gs_object_set_computed(&u.h, before, name(701), gs_nil()), GS_OK);
    CU_ASSERT_EQUAL(gs_object_put_computed(&u.h, before, name(700), gs_nil()), GS_OK);
    CU_ASSERT_EQUAL(gs_object_count(before), 1);
}

static void assigning_nil_removes_and_put_keeps(void)
{
    struct gs_object *o = plain();
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(gs_object_set(&u.h, o, name(i), gs_int(i)), GS_OK);
    uint32_t four = o->h.aux32;
    CU_ASSERT_EQUAL(gs_object_set(&u.h, o, name(3), gs_nil()), GS_OK);
    CU_ASSERT_EQUAL(gs_object_count(o), 3);
    CU_ASSERT_FALSE(is_dict(o)); /* the last one: back to the parent */
    CU_ASSERT_EQUAL(gs_object_set(&u.h, o, name(3), gs_int(3)), GS_OK);
    CU_ASSERT_EQUAL(o->h.aux32, four);
    CU_ASSERT_EQUAL(gs_object_set(&u.h, o, name(50), gs_nil()), GS_OK);
    CU_ASSERT_EQUAL(o->h.aux32, four);
    CU_ASSERT_EQUAL(gs_object_set(&u.h, o, name(1), gs_nil()), GS_OK);
    CU_ASSERT_TRUE(is_dict(o));
    CU_ASSERT_EQUAL(gs_object_count(o), 3);
    CU_ASSERT_EQUAL(field(o, name(1)), -1);
    CU_ASSERT_EQUAL(field(o, name(2)), 2);
    gs_value v = gs_int(1);
    CU_ASSERT_EQUAL(gs_object_put(&u.h, o, name(9), gs_nil()), GS_OK);
    CU_ASSERT_TRUE(gs_object_get(o, name(9), &v));
    CU_ASSERT_EQUAL(v.tag, GS_T_NIL);
    bool was;
    CU_ASSERT_EQUAL(gs_object_delete(&u.h, o, name(9), &was), GS_OK);
    CU_ASSERT_TRUE(was);
    CU_ASSERT_EQUAL(gs_object_delete(&u.h, o, name(9), &was), GS_OK);
    CU_ASSERT_FALSE(was);
    CU_ASSERT_TRUE(well(o));
}

static void keys_come_sorted(void)
{
    static const char *const names[] = {"b", "a", "zz", "z", "", "A", "aa", "\xff", "fifteen letters and more", "fifteen letters",
                                        "a\x01"};
    static const char *const order[] = {"", "A", "a", "a\x01", "aa", "b", "fifteen letters", "fifteen letters and more", "z", "zz",
                                        "\xff"};
    for (int dict = 0; dict < 2; dict++) {
        struct gs_object *o = gs_object_new(&u.h, dict ? gs_shape_plain_dict : gs_shape_plain, 3);
        for (int i = 0; i < 11; i++)
            CU_ASSERT_EQUAL(gs_object_set(&u.h, o, gs_str_newz(&u.h, names[i]), gs_int(i)), GS_OK);
        for (int twice = 0; twice < 2; twice++) {
            struct gs_array *k = gs_object_keys(&u.h, o);
            CU_ASSERT_EQUAL_FATAL(k->len, 11);
            for (int i = 0; i < 11; i++)
                CU_ASSERT_TRUE(gs_str_equal_bytes(k->v[i].s, order[i], strlen(order[i])));
        }
    }
    CU_ASSERT_EQUAL(gs_object_keys(&u.h, plain())->len, 0);
    CU_ASSERT_EQUAL(gs_object_keys(&u.h, gs_object_new(&u.h, gs_shape_plain_dict, 0))->len, 0);
}

static void inline_slots_then_grown_ones(void)
{
    struct gs_object *o = gs_object_new(&u.h, gs_shape_plain, 2);
    CU_ASSERT_EQUAL(o->cap, 2);
    struct gs_shape *s = gs_shape_get(gs_shape_plain);
    for (int i = 0; i < 30; i++) {
        s = gs_shape_add(s, name(100 + i));
        CU_ASSERT_EQUAL(gs_object_append_slot(&u.h, o, s->id, gs_int(i)), GS_OK);
        CU_ASSERT_EQUAL(o->slots == o->fields, i < 2);
        CU_ASSERT_TRUE(well(o));
    }
    for (int i = 0; i < 30; i++)
        CU_ASSERT_EQUAL(field(o, name(100 + i)), i);
}

static struct gs_func *method(int i)
{
    static uint64_t place[10]; /* only the address counts */
    return (struct gs_func *)(void *)&place[i];
}

static void classes_have_shapes_methods_and_ancestors(void)
{
    static struct gs_method am[3], bm[1];
    static struct gs_class a, b;
    for (int i = 0; i < 3; i++)
        am[i] = (struct gs_method){name(i), method(i)};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j + 1 < 3; j++)
            if ((uintptr_t)am[j].name > (uintptr_t)am[j + 1].name) {
                struct gs_method x = am[j];
                am[j] = am[j + 1];
                am[j + 1] = x;
            }
    bm[0] = (struct gs_method){name(1), method(5)};
    a = (struct gs_class){.name = gs_atomz("A"), .methods = am, .nmethods = 3};
    b = (struct gs_class){.name = gs_atomz("B"), .super = &a, .methods = bm, .nmethods = 1};
    gs_shape_for_class(&a);
    gs_shape_for_class(&b);
    CU_ASSERT_PTR_EQUAL(gs_class_method(&a, name(1)), method(1));
    CU_ASSERT_PTR_EQUAL(gs_class_method(&b, name(1)), method(5));
    CU_ASSERT_PTR_EQUAL(gs_class_method(&b, name(2)), method(2));
    CU_ASSERT_PTR_NULL(gs_class_method(&b, name(7)));
    CU_ASSERT_TRUE(gs_class_is(&b, &a));
    CU_ASSERT_FALSE(gs_class_is(&a, &b));
    struct gs_object *o = gs_object_new(&u.h, b.shape, 1);
    CU_ASSERT_PTR_EQUAL(gs_object_class(o), &b);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(gs_object_set(&u.h, o, name(i), gs_int(i)), GS_OK);
    CU_ASSERT_PTR_EQUAL(gs_object_class(o), &b);
    CU_ASSERT_EQUAL(gs_object_set(&u.h, o, name(0), gs_nil()), GS_OK);
    CU_ASSERT_TRUE(is_dict(o));
    CU_ASSERT_EQUAL(o->h.aux32, b.dict_shape);
    CU_ASSERT_PTR_EQUAL(gs_object_class(o), &b);
    CU_ASSERT_PTR_NULL(gs_object_class(plain()));
    CU_ASSERT_NOT_EQUAL(a.shape, b.shape);
}

static void a_shape_with_many_successors_finds_all(void)
{
    struct gs_shape *root = gs_shape_add(gs_shape_get(gs_shape_plain), gs_atomz("fan"));
    struct gs_shape *to[300];
    for (int i = 0; i < 300; i++)
        to[i] = gs_shape_add(root, name(1000 + i));
    for (int i = 0; i < 300; i++) {
        CU_ASSERT_PTR_EQUAL(gs_shape_add(root, name(1000 + i)), to[i]);
        CU_ASSERT_PTR_EQUAL(gs_shape_get(to[i]->id), to[i]);
    }
}

static _Atomic uint32_t agreed[64];

static void *build(void *arg)
{
    bool *ok = arg;
    *ok = true;
    for (int round = 0; round < 50; round++) {
        struct gs_shape *s = gs_shape_get(gs_shape_plain);
        for (int i = 0; i < 60; i++) {
            s = gs_shape_add(s, name(2000 + (i * 7 + round) % 60));
            *ok = *ok && gs_shape_slot(s, name(2000 + round)) == 0;
            *ok = *ok && gs_shape_sorted(s) != NULL;
        }
        uint32_t none = 0;
        if (!gs_cas_acq_rel(&agreed[round], &none, s->id) && none != s->id)
            *ok = false;
    }
    return NULL;
}

static void threads_agree_on_shapes(void)
{
    pthread_t t[4];
    bool ok[4];
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(pthread_create(&t[i], NULL, build, &ok[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
        CU_ASSERT_TRUE(ok[i]);
    }
}

static void no_memory_leaves_objects_unchanged(void)
{
    for (uint64_t n = 1; n < 8; n++) {
        struct unit_heap w;
        unit_heap_init(&w);
        struct gs_object *o = gs_object_new(&w.h, gs_shape_plain, 2);
        for (int i = 0; i < 63; i++)
            CU_ASSERT_EQUAL(gs_object_set(&w.h, o, name(i), gs_int(i)), GS_OK);
        gs_mem_fail_at(n);
        gs_status st = GS_OK;
        int i = 63;
        for (; i < 200 && st == GS_OK; i++)
            st = gs_object_set(&w.h, o, name(i), gs_int(i));
        st = gs_object_set(&w.h, o, name(3), gs_nil());
        gs_mem_fail_at(0);
        CU_ASSERT_TRUE(gs_gc_check_value(&w.h, gs_objv(GS_T_OBJECT, o)));
        CU_ASSERT_EQUAL(field(o, name(62)), 62);
        CU_ASSERT_EQUAL(field(o, name(3)), st == GS_OK ? -1 : 3);
        unit_heap_fini(&w);
    }
}

/* Last, for it uses the budget up. */
static void endless_key_sets_end_in_dictionaries(void)
{
    uint64_t seed = 17;
    int dicts = 0;
    for (int i = 0; i < 40000; i++) {
        struct gs_object *o = gs_object_new(&u.h, gs_shape_plain, 8);
        for (int k = 0; k < 10; k++) {
            int j = 3000 + (int)(unit_random(&seed) % 2000);
            CU_ASSERT_EQUAL(gs_object_set(&u.h, o, name(j), gs_int(j)), GS_OK);
            CU_ASSERT_EQUAL(field(o, name(j)), j);
        }
        dicts += is_dict(o);
        if (i % 1000 == 0) {
            CU_ASSERT_TRUE(well(o));
            CU_ASSERT_TRUE(unit_heap_collect(&u));
        }
    }
    CU_ASSERT_TRUE(dicts > 5000);
}

static const struct unit_case cases[] = {
    UNIT_CASE(equal_key_orders_give_the_same_shape),
    UNIT_CASE(shape_of_tells_kinds_and_shapes_apart),
    UNIT_CASE(many_fields_turn_an_object_into_a_dictionary),
    UNIT_CASE(computed_keys_make_dictionaries_sooner),
    UNIT_CASE(characters_as_keys_do_not_use_shapes_up),
    UNIT_CASE(assigning_nil_removes_and_put_keeps),
    UNIT_CASE(keys_come_sorted),
    UNIT_CASE(inline_slots_then_grown_ones),
    UNIT_CASE(classes_have_shapes_methods_and_ancestors),
    UNIT_CASE(a_shape_with_many_successors_finds_all),
    UNIT_CASE(threads_agree_on_shapes),
    UNIT_CASE(no_memory_leaves_objects_unchanged),
    UNIT_CASE(endless_key_sets_end_in_dictionaries),
};

int main(void)
{
    unit_heap_init(&u);
    int rc = unit_run("shape", cases, sizeof cases / sizeof cases[0]);
    unit_heap_fini(&u);
    return rc;
}
