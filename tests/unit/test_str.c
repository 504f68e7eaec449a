/* SPDX-License-Identifier: MIT
 * test_str.c - strings, building by concatenation, atoms, UTF-8.
 */
#include <pthread.h>

#include "payload.h"
#include "port/mem.h"
#include "str.h"
#include "unit.h"
#include "unit_heap.h"

static struct unit_heap u;

static struct gs_strbuf *buf_of(const struct gs_str *s)
{
    return gs_xstr_buf((const struct gs_xstr *)s);
}

static struct gs_str *filled(struct gs_heap *h, char c, size_t n)
{
    char *to;
    struct gs_str *s = gs_str_make(h, n, &to);
    memset(to, c, n);
    return s;
}

static void short_strings_are_inline_and_terminated(void)
{
    struct gs_str *s = gs_str_newz(&u.h, "hello");
    CU_ASSERT_EQUAL(s->len, 5);
    CU_ASSERT_STRING_EQUAL(s->data, "hello");
    CU_ASSERT_FALSE(s->h.flags & GS_OF_EXT);
    s = filled(&u.h, 'x', GS_STR_INLINE_MAX);
    CU_ASSERT_FALSE(s->h.flags & GS_OF_EXT);
    CU_ASSERT_EQUAL(s->data[s->len], 0);
    s = filled(&u.h, 'x', GS_STR_INLINE_MAX + 1);
    CU_ASSERT_TRUE(s->h.flags & GS_OF_EXT);
    CU_ASSERT_TRUE(s->h.flags & GS_OF_FINAL);
}

static void empty_and_one_byte_strings_are_atoms(void)
{
    CU_ASSERT_PTR_EQUAL(gs_str_new(&u.h, NULL, 0), gs_str_empty());
    CU_ASSERT_PTR_EQUAL(gs_str_new(&u.h, "a", 1), gs_str_byte('a'));
    CU_ASSERT_PTR_EQUAL(gs_atom("a", 1), gs_str_byte('a'));
    CU_ASSERT_PTR_EQUAL(gs_atomz(""), gs_str_empty());
    for (int b = 0; b < 256; b++) {
        struct gs_str *s = gs_str_byte((uint8_t)b);
        char c = (char)b;
        CU_ASSERT_TRUE(gs_str_equal_bytes(s, &c, 1));
        CU_ASSERT_EQUAL(s->h.aux32, gs_str_hash_bytes(&c, 1));
    }
}

static void concatenation_gives_both_parts(void)
{
    static const size_t sizes[] = {0, 1, 2, 60, 100, 128, 129, 500, 5000};
    enum { N = sizeof sizes / sizeof sizes[0] };
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            struct gs_str *a = filled(&u.h, 'a', sizes[i]), *b = filled(&u.h, 'b', sizes[j]);
            for (int twice = 0; twice < 2; twice++) {
                struct gs_str *s = gs_str_concat(&u.h, a, b);
                CU_ASSERT_EQUAL_FATAL(s->len, sizes[i] + sizes[j]);
                bool ok = true;
                for (size_t k = 0; k < s->len; k++)
                    ok = ok && s->data[k] == (k < sizes[i] ? 'a' : 'b');
                CU_ASSERT_TRUE(ok);
            }
        }
}

static void building_in_a_loop_is_linear(void)
{
    struct unit_heap w;
    unit_heap_init(&w);
    struct gs_str *s = gs_str_empty(), *t = gs_str_newz(&w.h, "0123456789");
    size_t copied = 0;
    struct gs_strbuf *last = NULL;
    for (int i = 0; i < 100000; i++) {
        s = gs_str_concat(&w.h, s, t);
        if ((s->h.flags & GS_OF_EXT) && buf_of(s) != last) {
            last = buf_of(s);
            copied += s->len;
        }
        w.root[0] = gs_strv(s);
        w.root[1] = gs_strv(t);
        if (i % 5000 == 0)
            CU_ASSERT_TRUE(unit_heap_collect(&w));
    }
    CU_ASSERT_EQUAL(s->len, 1000000);
    CU_ASSERT_TRUE(copied < 4000000);
    bool ok = true;
    for (size_t i = 0; i < s->len; i++)
        ok = ok && s->data[i] == (char)('0' + i % 10);
    CU_ASSERT_TRUE(ok);
    unit_heap_fini(&w);
}

static void older_strings_do_not_see_appends(void)
{
    struct gs_str *a = filled(&u.h, 'a', 200);
    struct gs_str *b = gs_str_concat(&u.h, a, gs_str_newz(&u.h, "bbbb"));
    struct gs_str *c = gs_str_concat(&u.h, b, gs_str_newz(&u.h, "cccc"));
    struct gs_str *d = gs_str_concat(&u.h, b, gs_str_newz(&u.h, "dddd")); /* b is no longer last */
    CU_ASSERT_EQUAL(b->len, 204);
    CU_ASSERT_TRUE(memcmp(b->data + 198, "aabbbb", 6) == 0);
    CU_ASSERT_TRUE(memcmp(c->data + 198, "aabbbbcccc", 10) == 0);
    CU_ASSERT_TRUE(memcmp(d->data + 198, "aabbbbdddd", 10) == 0);
    CU_ASSERT_PTR_EQUAL(buf_of(b), buf_of(c));
    CU_ASSERT_PTR_NOT_EQUAL(buf_of(b), buf_of(d));
}

/* Parts of parts lead to the string that has the share, which lives as long as one of them and no longer. */
static void parts_keep_the_holder_of_their_buffer(void)
{
    struct unit_heap w;
    unit_heap_init(&w);
    struct gs_str *a = filled(&w.h, 'a', 300), *bb = gs_str_newz(&w.h, "bb");
    struct gs_str *b = gs_str_concat(&w.h, gs_str_concat(&w.h, a, bb), bb);
    struct gs_str *c = gs_str_sub(&w.h, b, 1, 303);
    struct gs_strbuf *buf = buf_of(c);
    CU_ASSERT_PTR_EQUAL(buf_of(b), buf);
    CU_ASSERT_TRUE(gs_xstr_is_part((struct gs_xstr *)b));
    CU_ASSERT_PTR_EQUAL(((struct gs_xstr *)c)->root, ((struct gs_xstr *)b)->root);
    CU_ASSERT_EQUAL(gs_load_rlx(&buf->refs), 1);
    CU_ASSERT_EQUAL(gs_heap_rest_of(&w.h)->nfinal, buf_of(a) == buf ? 1 : 2); /* by how much room the allocator gave */
    w.root[0] = gs_strv(c);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_TRUE(unit_heap_collect(&w));
        CU_ASSERT_EQUAL(gs_heap_rest_of(&w.h)->nfinal, 1);
        CU_ASSERT_TRUE(gs_gc_check_value(&w.h, w.root[0]));
        for (int k = 0; k < 1000; k++)
            (void)gs_str_newz(&w.h, "overwrites whatever was forgotten");
        CU_ASSERT_TRUE(c->len == 302 && memcmp(c->data + 297, "aabbb", 5) == 0);
    }
    struct gs_str *there = gs_str_share(&u.h, c);
    CU_ASSERT_EQUAL(gs_load_rlx(&buf->refs), 2);
    CU_ASSERT_FALSE(gs_xstr_is_part((struct gs_xstr *)there));
    w.root[0] = gs_nil();
    CU_ASSERT_TRUE(unit_heap_collect(&w));
    CU_ASSERT_EQUAL(gs_heap_rest_of(&w.h)->nfinal, 0);
    CU_ASSERT_EQUAL(gs_load_rlx(&buf->refs), 1);
    CU_ASSERT_TRUE(there->len == 302 && memcmp(there->data + 297, "aabbb", 5) == 0);
    unit_heap_fini(&w);
}

static void near_the_limit_of_the_heap_buffers_have_less_room(void)
{
    struct unit_heap w;
    unit_heap_init(&w);
    struct gs_str *a = filled(&w.h, 'a', 100000), *b = filled(&w.h, 'b', 1000), *s = a;
    w.h.limit = w.h.used + 150000;
    for (int i = 0; i < 20 && buf_of(s) == buf_of(a); i++)
        s = gs_str_concat(&w.h, s, b);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_PTR_NOT_EQUAL(buf_of(s), buf_of(a));
    CU_ASSERT_TRUE(buf_of(s)->cap < 150000);
    CU_ASSERT_TRUE(s->len > 100000 && s->data[99999] == 'a' && s->data[s->len - 1] == 'b');
    unit_heap_fini(&w);
}

static void adding_the_same_once_more_copies_nothing(void)
{
    struct gs_str *a = gs_str_concat(&u.h, filled(&u.h, 'a', 2000), gs_str_newz(&u.h, "bb")), *s[3];
    CU_ASSERT_EQUAL(buf_of(a)->used, 2002);
    for (int i = 0; i < 3; i++)
        s[i] = gs_str_concat(&u.h, a, gs_str_newz(&u.h, "cdef"));
    CU_ASSERT_EQUAL(buf_of(a)->used, 2006);
    struct gs_str *part = gs_str_concat(&u.h, a, gs_str_newz(&u.h, "cd"));
    struct gs_str *other = gs_str_concat(&u.h, a, gs_str_newz(&u.h, "cdeX"));
    struct gs_str *longer = gs_str_concat(&u.h, a, gs_str_newz(&u.h, "cdefg"));
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_PTR_EQUAL(s[i]->data, a->data);
        CU_ASSERT_TRUE(s[i]->len == 2006 && memcmp(s[i]->data + 2000, "bbcdef", 6) == 0);
    }
    CU_ASSERT_PTR_EQUAL(part->data, a->data);
    CU_ASSERT_EQUAL(part->len, 2004);
    CU_ASSERT_PTR_NOT_EQUAL(other->data, a->data);
    CU_ASSERT_TRUE(memcmp(other->data + 2000, "bbcdeX", 6) == 0);
    CU_ASSERT_PTR_NOT_EQUAL(longer->data, a->data);
    CU_ASSERT_TRUE(longer->len == 2007 && memcmp(longer->data + 2000, "bbcdefg", 7) == 0);
}

static void only_the_owner_appends_in_place(void)
{
    struct unit_heap w;
    unit_heap_init(&w);
    struct gs_str *a = gs_str_concat(&u.h, filled(&u.h, 'a', 200), gs_str_newz(&u.h, "bb"));
    struct gs_str *there = gs_str_share(&w.h, a);
    CU_ASSERT_PTR_EQUAL(there->data, a->data);
    struct gs_str *x = gs_str_concat(&w.h, there, gs_str_newz(&w.h, "xx"));
    struct gs_str *y = gs_str_concat(&u.h, a, gs_str_newz(&u.h, "yy"));
    CU_ASSERT_PTR_NOT_EQUAL(x->data, a->data);
    CU_ASSERT_PTR_EQUAL(y->data, a->data);
    CU_ASSERT_EQUAL(there->len, 202);
    unit_heap_fini(&w);
    CU_ASSERT_EQUAL(a->data[201], 'b');
}

static void one_off_concatenations_waste_little(void)
{
    struct gs_str *a = filled(&u.h, 'a', 100000);
    struct gs_str *s = gs_str_concat(&u.h, gs_str_newz(&u.h, "prefix"), a);
    CU_ASSERT_TRUE(buf_of(s)->cap < 120000);
    struct gs_str *big = gs_str_immortal(a->data, a->len);
    s = gs_str_concat(&u.h, big, gs_str_newz(&u.h, "suffix"));
    CU_ASSERT_TRUE(buf_of(s)->cap < 135000);
}

static void parts_share_long_buffers_only(void)
{
    struct gs_str *a = filled(&u.h, 'a', 1000);
    CU_ASSERT_PTR_EQUAL(gs_str_sub(&u.h, a, 0, 1000), a);
    struct gs_str *s = gs_str_sub(&u.h, a, 10, 900);
    CU_ASSERT_PTR_EQUAL(s->data, a->data + 10);
    CU_ASSERT_EQUAL(s->len, 890);
    s = gs_str_sub(&u.h, a, 10, 20);
    CU_ASSERT_FALSE(s->h.flags & GS_OF_EXT);
    CU_ASSERT_PTR_EQUAL(gs_str_sub(&u.h, a, 5, 5), gs_str_empty());
    CU_ASSERT_PTR_EQUAL(gs_str_sub(&u.h, a, 5, 6), gs_str_byte('a'));
}

static void comparison_is_bytewise(void)
{
    struct gs_str *a = gs_str_newz(&u.h, "abc"), *b = gs_str_newz(&u.h, "abd");
    CU_ASSERT_EQUAL(gs_str_compare(a, b), -1);
    CU_ASSERT_EQUAL(gs_str_compare(b, a), 1);
    CU_ASSERT_EQUAL(gs_str_compare(a, a), 0);
    CU_ASSERT_EQUAL(gs_str_compare(a, gs_str_newz(&u.h, "ab")), 1);
    CU_ASSERT_EQUAL(gs_str_compare(gs_str_empty(), a), -1);
    CU_ASSERT_EQUAL(gs_str_compare(gs_str_new(&u.h, "\xff", 1), a), 1);
    CU_ASSERT_EQUAL(gs_str_compare(gs_str_new(&u.h, "a\0b", 3), gs_str_new(&u.h, "a\0c", 3)), -1);
}

static void equal_contents_hash_equally_and_spread(void)
{
    enum { N = 1 << 16 };
    static uint8_t seen[N];
    memset(seen, 0, sizeof seen);
    char text[64];
    int collisions = 0;
    for (int i = 0; i < N / 4; i++) {
        int n = snprintf(text, sizeof text, "key%d", i);
        struct gs_str *s = gs_str_new(&u.h, text, (size_t)n);
        CU_ASSERT_EQUAL(gs_str_hash(s), gs_str_hash_bytes(text, (size_t)n));
        collisions += seen[gs_str_hash(s) % N]++ != 0;
    }
    CU_ASSERT_TRUE(collisions < 2400); /* random: about 1,900 */
    for (size_t n = 0; n < sizeof text; n++) {
        memset(text, 0, sizeof text);
        uint32_t h = gs_str_hash_bytes(text, n);
        CU_ASSERT_NOT_EQUAL(h, 0);
        for (size_t i = 0; i < n; i++) {
            text[i] ^= 1;
            CU_ASSERT_NOT_EQUAL(gs_str_hash_bytes(text, n), h);
            text[i] ^= 1;
        }
    }
}

static void atoms_are_the_same_pointer(void)
{
    struct gs_str *a = gs_atomz("some name"), *s = gs_str_newz(&u.h, "some name");
    CU_ASSERT_PTR_EQUAL(gs_atomz("some name"), a);
    CU_ASSERT_PTR_EQUAL(gs_atom_find(s), a);
    CU_ASSERT_PTR_EQUAL(gs_atom_find(a), a);
    CU_ASSERT_PTR_NULL(gs_atom_find(gs_str_newz(&u.h, "a name nobody made")));
    CU_ASSERT_TRUE(a->h.flags & GS_OF_IMMORTAL);
    CU_ASSERT_STRING_EQUAL(a->data, "some name");
    CU_ASSERT_TRUE(gs_str_equal(a, s));
    CU_ASSERT_FALSE(gs_str_equal(a, gs_atomz("some nama")));
}

static void many_atoms_survive_growth_of_the_table(void)
{
    enum { N = 20000 };
    static struct gs_str *a[N];
    char text[32];
    for (int i = 0; i < N; i++)
        a[i] = gs_atom(text, (size_t)snprintf(text, sizeof text, "atom number %d", i));
    for (int i = 0; i < N; i++) {
        size_t n = (size_t)snprintf(text, sizeof text, "atom number %d", i);
        CU_ASSERT_PTR_EQUAL(gs_atom(text, n), a[i]);
        CU_ASSERT_PTR_EQUAL(gs_atom_find(gs_str_new(&u.h, text, n)), a[i]);
    }
}

static void atoms_from_data_are_bounded(void)
{
    char text[32];
    int made = 0;
    for (int i = 0; i < 100000; i++) {
        size_t n = (size_t)snprintf(text, sizeof text, "data name %d", i);
        made += gs_atom_data(gs_str_new(&u.h, text, n)) != NULL;
    }
    CU_ASSERT_TRUE(made > 10000 && made < 100000);
    CU_ASSERT_PTR_NOT_NULL(gs_atom_data(gs_str_newz(&u.h, "data name 5")));
}

static _Atomic(struct gs_str *) agreed[3000];

static void *intern_all(void *arg)
{
    char text[32];
    bool *ok = arg;
    *ok = true;
    for (int i = 0; i < 3000; i++) {
        struct gs_str *none = NULL;
        struct gs_str *a = gs_atom(text, (size_t)snprintf(text, sizeof text, "contended %d", i));
        if (!gs_cas_acq_rel(&agreed[i], &none, a) && none != a)
            *ok = false;
    }
    return NULL;
}

static void threads_agree_on_atoms(void)
{
    pthread_t t[4];
    bool ok[4];
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(pthread_create(&t[i], NULL, intern_all, &ok[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
        CU_ASSERT_TRUE(ok[i]);
    }
}

static void utf8_is_decoded_strictly(void)
{
    static const struct {
        const char *bytes;
        unsigned len;
        uint32_t cp;
    } t[] = {
        {"a", 1, 'a'},
        {"\xc3\xa9", 2, 0xe9},
        {"\xe2\x82\xac", 3, 0x20ac},
        {"\xf0\x9f\x98\x80", 4, 0x1f600},
        {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
        {"\xf4\x90\x80\x80", 1, UINT32_MAX}, /* above */
        {"\xc0\x80", 1, UINT32_MAX},         /* overlong */
        {"\xe0\x80\x80", 1, UINT32_MAX},
        {"\xed\xa0\x80", 1, UINT32_MAX}, /* surrogate */
        {"\x80", 1, UINT32_MAX},
        {"\xe2\x82", 1, UINT32_MAX}, /* cut off */
        {"\xe2(\xa1", 1, UINT32_MAX},
        {"\xff", 1, UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        uint32_t cp = 0;
        CU_ASSERT_EQUAL(gs_utf8_decode(t[i].bytes, strlen(t[i].bytes), &cp), t[i].len);
        CU_ASSERT_EQUAL(cp, t[i].cp);
    }
}

static void utf8_round_trips(void)
{
    for (uint32_t cp = 0; cp < 0x110000; cp++) {
        char b[4];
        uint32_t back;
        unsigned n = gs_utf8_encode(cp, b);
        if (cp >= 0xd800 && cp < 0xe000) {
            if (n != 0)
                CU_FAIL("surrogate encoded");
        } else if (gs_utf8_decode(b, n, &back) != n || back != cp) {
            CU_FAIL("round trip");
        }
    }
    char b[4];
    CU_ASSERT_EQUAL(gs_utf8_encode(0x110000, b), 0);
}

static void no_memory_gives_null(void)
{
    struct gs_str *a = filled(&u.h, 'a', 200);
    for (uint64_t n = 1; n < 5; n++) {
        struct unit_heap w;
        unit_heap_init(&w);
        gs_mem_fail_at(n);
        struct gs_str *s = gs_str_share(&w.h, a);
        for (int i = 0; s && i < 100; i++)
            s = gs_str_concat(&w.h, s, a);
        CU_ASSERT_PTR_NULL(s);
        gs_mem_fail_at(0);
        unit_heap_fini(&w);
        CU_ASSERT_EQUAL(gs_load_rlx(&buf_of(a)->refs), 1);
    }
}

static const struct unit_case cases[] = {
    UNIT_CASE(short_strings_are_inline_and_terminated),
    UNIT_CASE(empty_and_one_byte_strings_are_atoms),
    UNIT_CASE(concatenation_gives_both_parts),
    UNIT_CASE(building_in_a_loop_is_linear),
    UNIT_CASE(older_strings_do_not_see_appends),
    UNIT_CASE(parts_keep_the_holder_of_their_buffer),
    UNIT_CASE(near_the_limit_of_the_heap_buffers_have_less_room),
    UNIT_CASE(adding_the_same_once_more_copies_nothing),
    UNIT_CASE(only_the_owner_appends_in_place),
    UNIT_CASE(one_off_concatenations_waste_little),
    UNIT_CASE(parts_share_long_buffers_only),
    UNIT_CASE(comparison_is_bytewise),
    UNIT_CASE(equal_contents_hash_equally_and_spread),
    UNIT_CASE(atoms_are_the_same_pointer),
    UNIT_CASE(many_atoms_survive_growth_of_the_table),
    UNIT_CASE(atoms_from_data_are_bounded),
    UNIT_CASE(threads_agree_on_atoms),
    UNIT_CASE(utf8_is_decoded_strictly),
    UNIT_CASE(utf8_round_trips),
    UNIT_CASE(no_memory_gives_null),
};

int main(void)
{
    unit_heap_init(&u);
    int rc = unit_run("str", cases, sizeof cases / sizeof cases[0]);
    unit_heap_fini(&u);
    return rc;
}
