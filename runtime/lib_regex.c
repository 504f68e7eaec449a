/* SPDX-License-Identifier: MIT
 * lib_regex.c - the module regex: regular expressions in linear time, by RE2 in a loadable part
 * (loadable.h).
 *
 *   match(pattern, s) -> bool              whether it matches anywhere in s; ^ and $ in the pattern
 *                                          anchor
 *   find(pattern, s) -> string             the leftmost match; nil when there is none
 *   findAll(pattern, s) -> array           of all matches, from left to right without overlaps; []
 *                                          when there is none
 *   groups(pattern, s) -> array            the leftmost match and what its groups matched, nil for
 *                                          a group that took no part; nil without a match
 *   findAllGroups(pattern, s) -> array     as groups, for all matches; [] when there is none
 *   replace(pattern, s, by) -> string      every match replaced; in by, $1 $2 ... and ${1} are
 *                                          groups ($0: the match), $name and ${name} named groups,
 *                                          $$ is $, any other $ stands for itself. Digits and names
 *                                          reach as far as they can: ${1}0 is group 1 and a 0. A
 *                                          group that took no part is empty, one that the pattern
 *                                          lacks a ValueError
 *   split(pattern, s) -> array             what stands between the matches; an empty match does not
 *                                          split at the ends of s
 *   groupCount(pattern) -> int             groups in the pattern
 *   valid(pattern) -> bool
 *   escape(s) -> string                    a pattern that matches s itself: a backslash before each
 *                                          of \.+*?()|[]{}^$
 *
 * Arguments are strings, else TypeError. A pattern that is malformed or too large: ValueError with
 * RE2's reason.
 *
 * Syntax     RE2's, which is Go's: Perl's without back references and look-around. Of alternatives
 *            the first that leads to a match wins, as in Perl. Flags (?i) (?s) (?m) (?U); \d \w \s
 *            \b know ASCII, \pL and [[:alpha:]] as usual. Patterns must be UTF-8 and at most 256
 *            KiB; a byte of s that is no UTF-8 is matched by \C alone.
 * Empty      matches right behind another match do not count, as in Go: findAll("a*", "baac") is
 *            ["", "aa", ""].
 * Why RE2    The contract: groups, leftmost-first, UTF-8, and time linear in s whatever the
 *            pattern. PCRE2, Oniguruma and the like backtrack (seconds for (a+)+$ on 30 letters);
 *            their limits turn that into errors. TRE is linear in s, but matches by the rules of
 *            POSIX (the longest), is unmaintained, and allocates by states times groups. An
 *            automaton of our own would load 0.6 ms sooner, once per program that uses it; against
 *            the library that Google and Debian have fuzzed for fifteen years that is a poor trade.
 *            It costs the rest nothing: hello world never opens it.
 * Cache      Each worker thread keeps the expressions that it used last, compiled: WAYS for each of
 *            SETS hashes, the least recently used one goes. Not one for all workers, because RE2
 *            takes a lock in the expression for each search, on which eight cores would meet;
 *            compiling eight times is cheaper.
 */
#include <pthread.h>
#include <string.h>

#include "lib.h"
#include "loadable.h"
#include "loadable/regex.h"
#include "port/mem.h"

#define NATIVE(name) static int name(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)

static struct gs_loadable engine = {.file = "goost_regex.so", .symbol = "goost_regex"};

/* ---- compiled expressions, by thread ---- */

#define SETS 16u
#define WAYS 4u

struct expression {
    struct gs_regex *re; /* NULL: free */
    size_t groups;
    char *pattern;
    size_t len;
    uint32_t hash;
    uint32_t used;    /* the clock when it was used last */
    bool not_at_word; /* has a \B */
};

struct cache {
    const struct gs_regex_face *face;
    uint32_t clock;
    struct expression sets[SETS][WAYS];
};

static _Thread_local struct cache *cache;
static pthread_key_t cache_key; /* for its destructor */
static pthread_once_t cache_once = PTHREAD_ONCE_INIT;

static void expression_free(const struct gs_regex_face *face, struct expression *e)
{
    if (e->re != NULL)
        face->free(e->re);
    gs_mem_free(e->pattern);
    *e = (struct expression){0};
}

static void cache_free(void *p)
{
    struct cache *c = p;
    for (uint32_t i = 0; i < SETS; i++)
        for (uint32_t k = 0; k < WAYS; k++)
            expression_free(c->face, &c->sets[i][k]);
    gs_mem_free(c);
    cache = NULL;
}

static void cache_key_make(void)
{
    (void)pthread_key_create(&cache_key, cache_free);
}

/* This thread's; NULL with *st. */
static struct cache *cache_get(struct gs_vm *vm, int *st)
{
    if (GS_LIKELY(cache != NULL))
        return cache;
    *st = GS_E_THROWN;
    const struct gs_regex_face *face = gs_loadable_face(vm, &engine);
    if (face == NULL)
        return NULL;
    *st = GS_E_NOMEM;
    struct cache *c = gs_mem_zalloc(sizeof *c);
    if (c == NULL)
        return NULL;
    c->face = face;
    (void)pthread_once(&cache_once, cache_key_make);
    (void)pthread_setspecific(cache_key, c);
    return cache = c;
}

static bool has_not_at_word(const struct gs_str *p)
{
    for (size_t i = 0; i + 1 < p->len; i++)
        if (p->data[i] == '\\' && p->data[i + 1] == 'B')
            return true;
    return false;
}

/* The place of a pattern: where it is, or where it may go. */
static struct expression *place_of(struct cache *c, const struct gs_str *p, uint32_t hash)
{
    struct expression *set = c->sets[hash % SETS], *oldest = set;
    for (struct expression *e = set; e < set + WAYS; e++) {
        if (e->hash == hash && e->len == p->len && e->re != NULL &&
            memcmp(e->pattern, p->data, p->len) == 0)
            return e;
        if (e->re == NULL || (oldest->re != NULL && c->clock - e->used > c->clock - oldest->used))
            oldest = e;
    }
    expression_free(c->face, oldest);
    return oldest;
}

/* fn NULL: a malformed pattern is GS_E_INVALID and nothing is thrown. Valid until this thread's
 * next call. */
static int compiled(struct gs_vm *vm, const char *fn, struct gs_str *p, struct expression **out)
{
    int st = GS_OK;
    struct cache *c = cache_get(vm, &st);
    if (c == NULL)
        return st;
    struct expression *e = place_of(c, p, gs_str_hash(p));
    if (e->re == NULL) {
        char why[256];
        char *text = gs_mem_alloc(p->len + 1);
        struct gs_regex *re =
            text != NULL ? c->face->compile(p->data, p->len, why, sizeof why) : NULL;
        if (re == NULL) {
            gs_mem_free(text);
            if (text == NULL || why[0] == '\0')
                return GS_E_NOMEM;
            return fn != NULL ? gs_throw(vm, GS_ERR_VALUE, "%s: bad pattern: %s", fn, why)
                              : GS_E_INVALID;
        }
        memcpy(text, p->data, p->len);
        *e = (struct expression){re, c->face->groups(re), text, p->len, gs_str_hash(p),
                                 0,  has_not_at_word(p)};
    }
    e->used = c->clock++;
    *out = e;
    return GS_OK;
}

/* ---- going through the matches ---- */

#define SPANS 10 /* groups without an allocation */

struct search {
    struct expression *e;
    struct gs_str *s;
    size_t from;
    size_t last; /* end of the match before; GS_SPAN_NONE: none yet */
    struct gs_span *spans;
    size_t nspans;
    struct gs_span few[SPANS];
};

/* args: pattern, string. groups: all spans are wanted, not only that of the whole match. To be
 * ended with search_end when GS_OK. */
static int search_begin(struct gs_vm *vm, const char *fn, gs_value *args, bool groups,
                        struct search *q)
{
    struct gs_str *p;
    int st = gs_arg_str(vm, fn, args, 0, &p);
    if (st == GS_OK)
        st = gs_arg_str(vm, fn, args, 1, &q->s);
    if (st == GS_OK)
        st = compiled(vm, fn, p, &q->e);
    if (st != GS_OK)
        return st;
    q->from = 0;
    q->last = GS_SPAN_NONE;
    q->nspans = groups ? q->e->groups + 1 : 1;
    q->spans = q->nspans <= SPANS ? q->few : gs_mem_alloc(q->nspans * sizeof *q->spans);
    return q->spans != NULL ? GS_OK : GS_E_NOMEM;
}

static void search_end(struct search *q)
{
    if (q->spans != q->few)
        gs_mem_free(q->spans);
}

/* Whether s[at] is inside a code point, and where the next one begins. */
static bool inside(const struct gs_str *s, size_t at, size_t *next)
{
    for (size_t back = 1; back <= 3 && back <= at; back++) {
        uint32_t cp;
        size_t from = at - back, k = gs_utf8_decode(s->data + from, s->len - from, &cp);
        *next = from + k;
        if (k > back)
            return true;
    }
    return false;
}

/* The leftmost match from q->from on. RE2 looks between bytes: at \B it finds empty matches inside
 * a code point, which are none. (Without a \B what matches there would have matched at q->from.) */
static enum gs_regex_result search_once(struct search *q, size_t nspans)
{
    size_t from = q->from, n = q->e->not_at_word && nspans == 0 ? 1 : nspans;
    for (;;) {
        enum gs_regex_result r =
            cache->face->find(q->e->re, q->s->data, q->s->len, from, q->spans, n);
        if (!q->e->not_at_word || r != GS_REGEX_FOUND || q->spans[0].from != q->spans[0].to ||
            q->spans[0].from == q->s->len || !inside(q->s, q->spans[0].from, &from))
            return r;
    }
}

/* The next match that counts. */
static enum gs_regex_result search_next(struct search *q)
{
    while (q->from <= q->s->len) {
        enum gs_regex_result r = search_once(q, q->nspans);
        if (r != GS_REGEX_FOUND)
            return r;
        struct gs_span m = q->spans[0];
        bool counts = m.from != m.to || m.from != q->last;
        if (m.to == q->from) { /* empty, and here: the next search begins one code point on */
            uint32_t cp;
            size_t left = q->s->len - q->from;
            q->from += left > 0 ? gs_utf8_decode(q->s->data + q->from, left, &cp) : 1;
        } else {
            q->from = m.to;
        }
        q->last = m.to;
        if (counts)
            return GS_REGEX_FOUND;
    }
    return GS_REGEX_NONE;
}

/* ---- results ---- */

static int push_part(struct gs_vm *vm, struct gs_array *a, const struct search *q, size_t from,
                     size_t to)
{
    struct gs_str *t = gs_str_sub(&vm->heap, q->s, from, to);
    return t != NULL && gs_array_push(&vm->heap, a, gs_strv(t)) == GS_OK ? GS_OK : GS_E_NOMEM;
}

static int push_match(struct gs_vm *vm, struct gs_array *a, const struct search *q)
{
    return push_part(vm, a, q, q->spans[0].from, q->spans[0].to);
}

/* The spans of a match as an array; NULL: out of memory. */
static struct gs_array *spans_array(struct gs_vm *vm, const struct search *q)
{
    struct gs_array *a = gs_array_new(&vm->heap);
    gs_status st = a != NULL ? GS_OK : GS_E_NOMEM;
    for (size_t i = 0; i < q->nspans && st == GS_OK; i++) {
        if (q->spans[i].from == GS_SPAN_NONE)
            st = gs_array_push(&vm->heap, a, gs_nil());
        else
            st = (gs_status)push_part(vm, a, q, q->spans[i].from, q->spans[i].to);
    }
    return st == GS_OK ? a : NULL;
}

static int push_spans(struct gs_vm *vm, struct gs_array *a, const struct search *q)
{
    struct gs_array *spans = spans_array(vm, q);
    return spans != NULL && gs_array_push(&vm->heap, a, gs_objv(GS_T_ARRAY, spans)) == GS_OK
               ? GS_OK
               : GS_E_NOMEM;
}

/* An array of what `push` makes of each match. */
static int all(struct gs_vm *vm, struct search *q,
               int (*push)(struct gs_vm *, struct gs_array *, const struct search *), gs_value *ret)
{
    struct gs_array *a = gs_array_new(&vm->heap);
    int st = a != NULL ? GS_OK : GS_E_NOMEM;
    while (st == GS_OK) {
        enum gs_regex_result r = search_next(q);
        if (r == GS_REGEX_NONE)
            break;
        st = r == GS_REGEX_FOUND ? push(vm, a, q) : GS_E_NOMEM;
    }
    if (st == GS_OK)
        *ret = gs_objv(GS_T_ARRAY, a);
    search_end(q);
    return st;
}

/* ---- the functions ---- */

NATIVE(regex_match)
{
    (void)n;
    struct search q;
    int st = search_begin(vm, "match", args, false, &q);
    if (st != GS_OK)
        return st;
    enum gs_regex_result r = search_once(&q, 0);
    search_end(&q);
    *ret = gs_bool(r == GS_REGEX_FOUND);
    return r == GS_REGEX_NOMEM ? GS_E_NOMEM : GS_OK;
}

NATIVE(regex_find)
{
    (void)n;
    struct search q;
    int st = search_begin(vm, "find", args, false, &q);
    if (st != GS_OK)
        return st;
    enum gs_regex_result r = search_once(&q, 1);
    if (r == GS_REGEX_FOUND)
        st = gs_ret_str(ret, gs_str_sub(&vm->heap, q.s, q.spans[0].from, q.spans[0].to));
    search_end(&q);
    return r == GS_REGEX_NOMEM ? GS_E_NOMEM : st;
}

NATIVE(regex_groups)
{
    (void)n;
    struct search q;
    int st = search_begin(vm, "groups", args, true, &q);
    if (st != GS_OK)
        return st;
    enum gs_regex_result r = search_once(&q, q.nspans);
    struct gs_array *a = r == GS_REGEX_FOUND ? spans_array(vm, &q) : NULL;
    if (a != NULL)
        *ret = gs_objv(GS_T_ARRAY, a);
    search_end(&q);
    return a != NULL || r == GS_REGEX_NONE ? GS_OK : GS_E_NOMEM;
}

NATIVE(regex_find_all)
{
    (void)n;
    struct search q;
    int st = search_begin(vm, "findAll", args, false, &q);
    return st == GS_OK ? all(vm, &q, push_match, ret) : st;
}

NATIVE(regex_find_all_groups)
{
    (void)n;
    struct search q;
    int st = search_begin(vm, "findAllGroups", args, true, &q);
    return st == GS_OK ? all(vm, &q, push_spans, ret) : st;
}

NATIVE(regex_split)
{
    (void)n;
    struct search q;
    int st = search_begin(vm, "split", args, false, &q);
    if (st != GS_OK)
        return st;
    struct gs_array *a = gs_array_new(&vm->heap);
    st = a != NULL ? GS_OK : GS_E_NOMEM;
    size_t from = 0;
    enum gs_regex_result r = GS_REGEX_NONE;
    while (st == GS_OK && (r = search_next(&q)) == GS_REGEX_FOUND) {
        struct gs_span m = q.spans[0];
        if (m.from == m.to && (m.to == 0 || m.from == q.s->len))
            continue;
        st = push_part(vm, a, &q, from, m.from);
        from = m.to;
    }
    if (st == GS_OK)
        st = r == GS_REGEX_NOMEM ? GS_E_NOMEM : push_part(vm, a, &q, from, q.s->len);
    search_end(&q);
    if (st == GS_OK)
        *ret = gs_objv(GS_T_ARRAY, a);
    return st;
}

/* ---- replace ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* A reference at by[at], which is a $: how many bytes it takes, and what it names in *name and
 * *len. 1: a $ that stands for itself. */
static size_t reference(const struct gs_str *by, size_t at, const char **name, size_t *len)
{
    const char *p = by->data + at + 1, *end = by->data + by->len;
    bool braced = p < end && *p == '{';
    p += braced;
    const char *q = p;
    if (q < end && is_digit(*q) && !braced) {
        while (q < end && is_digit(*q))
            q++;
    } else {
        while (q < end && is_word(*q))
            q++;
    }
    *name = p;
    *len = (size_t)(q - p);
    if (q == p || (braced && (q == end || *q != '}')))
        return 1;
    return (size_t)(q - by->data) - at + braced;
}

/* The number of the group that a reference names; SIZE_MAX: there is none. */
static size_t group_of(const struct search *q, const char *name, size_t len)
{
    size_t group = 0;
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(name[i])) {
            group = cache->face->group_named(q->e->re, name, len);
            return group != 0 ? group : SIZE_MAX;
        }
        group = group * 10 + (size_t)(name[i] - '0');
        if (group > q->e->groups)
            return SIZE_MAX;
    }
    return group;
}

/* A replacement in pieces: text that stands for itself, each but the last followed by a group. */
struct piece {
    size_t from, to;
    size_t group; /* SIZE_MAX: none */
};

/* Cuts `by` into pieces of a vector in *b. */
static int cut(struct gs_vm *vm, const struct search *q, const struct gs_str *by, struct gs_buf *b)
{
    struct piece p = {.from = 0, .group = SIZE_MAX};
    for (size_t i = 0; i < by->len;) {
        const char *name;
        size_t len, k = 1;
        if (by->data[i] != '$') {
            i++;
            continue;
        }
        p.to = i;
        if (i + 1 < by->len &&
            by->data[i + 1] == '$') { /* the first $ ends a piece, the second is left out */
            p.to = i + 1;
            k = 2;
        } else if ((k = reference(by, i, &name, &len)) > 1) {
            p.group = group_of(q, name, len);
            if (p.group == SIZE_MAX)
                return gs_throw(vm, GS_ERR_VALUE, "replace: the pattern has no group %.*s",
                                len < 100 ? (int)len : 100, name);
        }
        i += k;
        if (k == 1)
            continue;
        gs_buf_put(b, (const char *)&p, sizeof p);
        p = (struct piece){.from = i, .group = SIZE_MAX};
    }
    p.to = by->len;
    gs_buf_put(b, (const char *)&p, sizeof p);
    return b->failed ? GS_E_NOMEM : GS_OK;
}

static void put_replacement(struct gs_buf *out, const struct search *q, const struct gs_str *by,
                            const struct gs_buf *cuts)
{
    struct piece p;
    for (size_t i = 0; i < cuts->len; i += sizeof p) {
        memcpy(&p, cuts->p + i, sizeof p);
        gs_buf_put(out, by->data + p.from, p.to - p.from);
        if (p.group == SIZE_MAX || q->spans[p.group].from == GS_SPAN_NONE)
            continue;
        gs_buf_put(out, q->s->data + q->spans[p.group].from,
                   q->spans[p.group].to - q->spans[p.group].from);
    }
}

static int replace_all(struct gs_vm *vm, struct search *q, const struct gs_str *by,
                       const struct gs_buf *cuts, gs_value *ret)
{
    struct gs_buf out = {0};
    size_t from = 0, matches = 0;
    enum gs_regex_result r;
    while ((r = search_next(q)) == GS_REGEX_FOUND && !out.failed) {
        gs_buf_put(&out, q->s->data + from, q->spans[0].from - from);
        put_replacement(&out, q, by, cuts);
        from = q->spans[0].to;
        matches++;
    }
    int st = GS_OK;
    if (matches == 0) {
        *ret = gs_strv(q->s);
    } else {
        gs_buf_put(&out, q->s->data + from, q->s->len - from);
        st = out.failed ? GS_E_NOMEM : gs_ret_str(ret, gs_str_new(&vm->heap, out.p, out.len));
    }
    gs_buf_free(&out);
    return r == GS_REGEX_NOMEM ? GS_E_NOMEM : st;
}

NATIVE(regex_replace)
{
    (void)n;
    struct gs_str *by;
    struct search q;
    int st = gs_arg_str(vm, "replace", args, 2, &by);
    if (st == GS_OK)
        st = search_begin(vm, "replace", args, memchr(by->data, '$', by->len) != NULL, &q);
    if (st != GS_OK)
        return st;
    struct gs_buf cuts = {0};
    st = cut(vm, &q, by, &cuts);
    if (st == GS_OK)
        st = replace_all(vm, &q, by, &cuts, ret);
    gs_buf_free(&cuts);
    search_end(&q);
    return st;
}

/* ---- patterns ---- */

NATIVE(regex_group_count)
{
    (void)n;
    struct gs_str *p;
    struct expression *e;
    int st = gs_arg_str(vm, "groupCount", args, 0, &p);
    if (st == GS_OK)
        st = compiled(vm, "groupCount", p, &e);
    if (st == GS_OK)
        *ret = gs_int((int64_t)e->groups);
    return st;
}

NATIVE(regex_valid)
{
    (void)n;
    struct gs_str *p;
    struct expression *e;
    int st = gs_arg_str(vm, "valid", args, 0, &p);
    if (st == GS_OK)
        st = compiled(vm, NULL, p, &e);
    *ret = gs_bool(st == GS_OK);
    return st == GS_E_INVALID ? GS_OK : st;
}

NATIVE(regex_escape)
{
    static const char special[] = "\\.+*?()|[]{}^$";
    (void)n;
    struct gs_str *s;
    int st = gs_arg_str(vm, "escape", args, 0, &s);
    if (st != GS_OK)
        return st;
    size_t more = 0;
    for (size_t i = 0; i < s->len; i++)
        more += memchr(special, s->data[i], sizeof special - 1) != NULL;
    char *to;
    struct gs_str *t = gs_str_make(&vm->heap, s->len + more, &to);
    if (t == NULL)
        return GS_E_NOMEM;
    for (size_t i = 0; i < s->len; i++) {
        if (memchr(special, s->data[i], sizeof special - 1) != NULL)
            *to++ = '\\';
        *to++ = s->data[i];
    }
    return gs_ret_str(ret, t);
}

static const struct gs_lib_entry entries[] = {
    GS_FN("match", regex_match, 2, 2, GS_NF_PURE | GS_NF_NOPARK),
    GS_FN("find", regex_find, 2, 2, GS_NF_PURE | GS_NF_NOPARK),
    GS_FN("findAll", regex_find_all, 2, 2, GS_NF_PURE | GS_NF_NOPARK),
    GS_FN("groups", regex_groups, 2, 2, GS_NF_PURE | GS_NF_NOPARK),
    GS_FN("findAllGroups", regex_find_all_groups, 2, 2, GS_NF_PURE | GS_NF_NOPARK),
    GS_FN("replace", regex_replace, 3, 3, GS_NF_PURE | GS_NF_NOPARK),
    GS_FN("split", regex_split, 2, 2, GS_NF_PURE | GS_NF_NOPARK),
    GS_FN("groupCount", regex_group_count, 1, 1, GS_NF_PURE | GS_NF_NOPARK),
    GS_FN("valid", regex_valid, 1, 1, GS_NF_PURE | GS_NF_NOPARK),
    GS_FN("escape", regex_escape, 1, 1, GS_NF_PURE | GS_NF_NOPARK),
};
GS_LIB_MODULE(gs_lib_regex, "regex", false, entries);
