/* SPDX-License-Identifier: MIT
 * lib_array.c - methods of arrays, the namespace `array`, and what the array functions of the
 * prelude need. Methods with callbacks are in prelude/array.goost.
 */
#include <string.h>

#include "lib.h"
#include "slow.h"
#include "slow_int.h"

#define METHOD (GS_NF_PURE | GS_NF_NOPARK | GS_NF_METHOD)
#define QUIET (GS_NF_PURE | GS_NF_NOPARK)

/* The receiver; methods reach these functions by other ways than a call on an array, too:
 * strings.x(1), a bound method. */
static int receiver(struct gs_vm *vm, const char *fn, gs_value *args, struct gs_array **a)
{
    return gs_arg_array(vm, fn, args, 0, a);
}

/* Argument i as the messages count it: behind the receiver. */
static int int_argument(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i, int64_t *out)
{
    return gs_arg_int(vm, fn, args + 1, i - 1, out);
}

static int array_result(gs_value *ret, struct gs_array *a)
{
    if (a == NULL)
        return GS_E_NOMEM;
    *ret = gs_objv(GS_T_ARRAY, a);
    return GS_OK;
}

/* ---- methods ---- */

static int a_push(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    struct gs_array *a;
    int st = receiver(vm, "push", args, &a);
    if (st != GS_OK)
        return st;
    if (n != 2 || !gs_array_push_fast(a, args[1]))
        st = (int)gs_array_push_n(&vm->heap, a, args + 1, (int64_t)n - 1);
    if (st == GS_OK)
        *ret = gs_int(a->len);
    return st;
}

static int a_pop(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_array *a;
    int st = receiver(vm, "pop", args, &a);
    if (st != GS_OK || a->len == 0)
        return st;
    gs_value last = gs_array_at(a, a->len - 1);
    st = (int)gs_array_truncate(&vm->heap, a, a->len - 1);
    if (st == GS_OK)
        *ret = last;
    return st;
}

static int a_first(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_array *a;
    int st = receiver(vm, "first", args, &a);
    if (st == GS_OK && a->len > 0)
        *ret = gs_array_at(a, 0);
    return st;
}

static int a_last(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_array *a;
    int st = receiver(vm, "last", args, &a);
    if (st == GS_OK && a->len > 0)
        *ret = gs_array_at(a, a->len - 1);
    return st;
}

static int64_t clamp_index(int64_t i, int64_t len)
{
    if (i < 0)
        i += len;
    return i < 0 ? 0 : i > len ? len : i;
}

static int a_slice(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    struct gs_array *a;
    int st = receiver(vm, "slice", args, &a);
    int64_t from = 0, to = INT64_MAX;
    if (st == GS_OK && n > 1)
        st = int_argument(vm, "slice", args, 1, &from);
    if (st == GS_OK && n > 2 && args[2].tag != GS_T_NIL) /* nil: to the end, as for strings */
        st = int_argument(vm, "slice", args, 2, &to);
    if (st != GS_OK)
        return st;
    from = clamp_index(from, a->len);
    to = clamp_index(to, a->len);
    return array_result(ret, gs_array_slice(&vm->heap, a, from, to < from ? from : to));
}

static int a_contains(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_array *a;
    int st = receiver(vm, "contains", args, &a);
    if (st == GS_OK)
        *ret = gs_bool(gs_array_index_of(a, args[1], 0) >= 0);
    return st;
}

static int a_index_of(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_array *a;
    int st = receiver(vm, "indexOf", args, &a);
    if (st == GS_OK)
        *ret = gs_int(gs_array_index_of(a, args[1], 0));
    return st;
}

static int a_join(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_array *a;
    struct gs_str *sep;
    int st = receiver(vm, "join", args, &a);
    if (st == GS_OK)
        st = gs_arg_str(vm, "join", args + 1, 0, &sep);
    if (st != GS_OK)
        return st;
    struct gs_buf b = {0};
    for (int64_t i = 0; i < a->len; i++) {
        if (i > 0)
            gs_buf_put(&b, sep->data, sep->len);
        gs_text_value(&b, gs_array_at(a, i), true);
    }
    st = b.failed ? GS_E_NOMEM : gs_ret_str(ret, gs_str_new(&vm->heap, b.p, b.len));
    gs_buf_free(&b);
    return st;
}

static int a_reverse(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_array *a;
    int st = receiver(vm, "reverse", args, &a);
    if (st == GS_OK)
        st = (int)gs_array_reverse(&vm->heap, a);
    if (st == GS_OK)
        *ret = args[0];
    return st;
}

static int a_flatten(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_array *a;
    int st = receiver(vm, "flatten", args, &a);
    struct gs_array *out = gs_array_new(&vm->heap);
    for (int64_t i = 0; st == GS_OK && out != NULL && i < a->len; i++) {
        gs_value v = gs_array_at(a, i);
        st = gs_is(v, GS_T_ARRAY) ? (int)gs_array_append_array(&vm->heap, out, v.a)
                                  : (int)gs_array_push(&vm->heap, out, v);
    }
    return st == GS_OK ? array_result(ret, out) : st;
}

static int out_of_bounds(struct gs_vm *vm, int64_t i, int64_t len)
{
    return gs_throw(vm, GS_ERR_INDEX, "array index %lld out of bounds (len=%lld)", (long long)i,
                    (long long)len);
}

static int a_insert(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_array *a;
    int64_t i;
    int st = receiver(vm, "insert", args, &a);
    if (st == GS_OK)
        st = int_argument(vm, "insert", args, 1, &i);
    if (st != GS_OK)
        return st;
    int64_t at = i < 0 ? i + a->len : i;
    if (at < 0 || at > a->len)
        return out_of_bounds(vm, i, a->len);
    st = (int)gs_array_insert(&vm->heap, a, at, args[2]);
    if (st == GS_OK)
        *ret = gs_int(a->len);
    return st;
}

static int a_remove_at(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_array *a;
    int64_t i;
    int st = receiver(vm, "removeAt", args, &a);
    if (st == GS_OK)
        st = int_argument(vm, "removeAt", args, 1, &i);
    if (st != GS_OK)
        return st;
    int64_t at = i < 0 ? i + a->len : i;
    if (at < 0 || at >= a->len)
        return out_of_bounds(vm, i, a->len);
    return (int)gs_array_remove(&vm->heap, a, at, ret);
}

static int a_clear(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_array *a;
    int st = receiver(vm, "clear", args, &a);
    if (st == GS_OK)
        st = (int)gs_array_truncate(&vm->heap, a, 0);
    if (st == GS_OK)
        *ret = args[0];
    return st;
}

static int a_fill(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_array *a;
    int st = receiver(vm, "fill", args, &a);
    if (st == GS_OK)
        st = (int)gs_array_fill(&vm->heap, a, args[1]);
    if (st == GS_OK)
        *ret = args[0];
    return st;
}

static int a_concat(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    struct gs_array *a, *b;
    int st = receiver(vm, "concat", args, &a);
    if (st != GS_OK)
        return st;
    struct gs_array *out = gs_array_slice(&vm->heap, a, 0, a->len);
    for (uint32_t i = 1; i < n && st == GS_OK && out != NULL; i++) {
        st = gs_arg_array(vm, "concat", args + 1, i - 1, &b);
        if (st == GS_OK)
            st = (int)gs_array_append_array(&vm->heap, out, b);
    }
    return st == GS_OK ? array_result(ret, out) : st;
}

static int sum_values(struct gs_vm *vm, const struct gs_array *a, gs_value *ret)
{
    uint64_t ints = 0;
    double floats = 0;
    bool is_float = false;
    for (int64_t i = 0; i < a->len; i++) {
        gs_value v = gs_array_at(a, i);
        if (gs_is(v, GS_T_FLOAT)) {
            floats = (is_float ? floats : (double)(int64_t)ints) + v.d;
            is_float = true;
        } else if (!gs_is_intlike(v)) {
            return gs_throw(vm, GS_ERR_TYPE, "cannot add %s and %s", is_float ? "float" : "int",
                            gs_kind_word(v));
        } else if (is_float) {
            floats += (double)gs_visible_int(v).i;
        } else {
            ints += (uint64_t)gs_visible_int(v).i;
        }
    }
    *ret = is_float ? gs_float(floats) : gs_int((int64_t)ints);
    return GS_OK;
}

static int a_sum(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_array *a;
    int st = receiver(vm, "sum", args, &a);
    if (st != GS_OK)
        return st;
    uint64_t ints = 0;
    double floats = 0;
    switch (gs_array_store(a)) {
    case GS_STORE_INT:
        for (int64_t i = 0; i < a->len; i++)
            ints += (uint64_t)a->i[i];
        *ret = gs_int((int64_t)ints);
        return GS_OK;
    case GS_STORE_FLOAT:
        for (int64_t i = 0; i < a->len; i++)
            floats += a->d[i];
        *ret = a->len > 0 ? gs_float(floats) : gs_int(0);
        return GS_OK;
    default:
        return sum_values(vm, a, ret);
    }
}

static const struct gs_lib_entry methods[] = {
    GS_FN("push", a_push, 1, GS_ARGS_ANY, METHOD),
    GS_FN("pop", a_pop, 1, 1, METHOD),
    GS_FN("first", a_first, 1, 1, METHOD),
    GS_FN("last", a_last, 1, 1, METHOD),
    GS_FN("slice", a_slice, 1, 3, METHOD),
    GS_FN("contains", a_contains, 2, 2, METHOD),
    GS_FN("indexOf", a_index_of, 2, 2, METHOD),
    GS_FN("join", a_join, 2, 2, METHOD),
    GS_FN("reverse", a_reverse, 1, 1, METHOD),
    GS_FN("flatten", a_flatten, 1, 1, METHOD),
    GS_FN("insert", a_insert, 3, 3, METHOD),
    GS_FN("removeAt", a_remove_at, 2, 2, METHOD),
    GS_FN("clear", a_clear, 1, 1, METHOD),
    GS_FN("fill", a_fill, 2, 2, METHOD),
    GS_FN("concat", a_concat, 1, GS_ARGS_ANY, METHOD),
    GS_FN("sum", a_sum, 1, 1, METHOD),
    GS_PRELUDE_FN("sort", "arraySort"),
    GS_PRELUDE_FN("map", "arrayMap"),
    GS_PRELUDE_FN("filter", "arrayFilter"),
    GS_PRELUDE_FN("reduce", "arrayReduce"),
    GS_PRELUDE_FN("forEach", "arrayForEach"),
    GS_PRELUDE_FN("find", "arrayFind"),
    GS_PRELUDE_FN("findIndex", "arrayFindIndex"),
    GS_PRELUDE_FN("every", "arrayEvery"),
    GS_PRELUDE_FN("some", "arraySome"),
};
GS_LIB_MODULE(gs_lib_array_methods, "<array>", false, methods);

/* ---- the namespace array ---- */

static int length_argument(struct gs_vm *vm, const char *fn, gs_value *args, int64_t *n)
{
    int st = gs_arg_int(vm, fn, args, 0, n);
    if (st == GS_OK && *n < 0)
        return gs_throw(vm, GS_ERR_VALUE, "%s: length %lld is negative", fn, (long long)*n);
    if (st == GS_OK && *n > INT64_MAX / 32)
        return GS_E_NOMEM;
    return st;
}

static enum gs_store store_for(gs_value v)
{
    switch (v.tag) {
    case GS_T_INT:
        return GS_STORE_INT;
    case GS_T_FLOAT:
        return GS_STORE_FLOAT;
    case GS_T_BOOL:
        return GS_STORE_BOOL;
    default:
        return GS_STORE_VALUE;
    }
}

static int make(struct gs_vm *vm, const char *fn, gs_value *args, gs_value v, gs_value *ret)
{
    int64_t n;
    int st = length_argument(vm, fn, args, &n);
    if (st != GS_OK)
        return st;
    struct gs_array *a =
        n == 0 ? gs_array_new(&vm->heap) : gs_array_make(&vm->heap, store_for(v), n);
    if (a != NULL && n > 0 && v.u != 0) /* a zeroed one is right already: 0, 0.0, false, nil */
        st = (int)gs_array_fill(&vm->heap, a, v);
    return st == GS_OK ? array_result(ret, a) : st;
}

static int n_new(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    return make(vm, "array.new", args, n > 1 ? args[1] : gs_nil(), ret);
}

static int n_ints(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    return make(vm, "array.ints", args, gs_int(0), ret);
}

static int n_floats(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    return make(vm, "array.floats", args, gs_float(0), ret);
}

static const struct gs_lib_entry namespace_entries[] = {
    GS_FN("new", n_new, 1, 2, QUIET),
    GS_FN("ints", n_ints, 1, 1, QUIET),
    GS_FN("floats", n_floats, 1, 1, QUIET),
};
GS_LIB_MODULE(gs_lib_array, "array", false, namespace_entries);

/* ---- intrinsics of prelude/array.goost ---- */

/* __wantFn(name, f): f must be callable; it is argument 1 of the method called name. */
static int i_want_fn(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    (void)ret;
    return gs_arg_fn(vm, args[0].s->data, args + 1, 0);
}

/* __missing stands for an argument that was not given; it is never called. */
static int i_missing(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)vm;
    (void)args;
    (void)n;
    (void)ret;
    return GS_OK;
}

/* __sort(a): without a comparison function. */
static int i_sort(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_array *a;
    int64_t bad;
    int st = receiver(vm, "sort", args, &a);
    if (st == GS_OK)
        st = (int)gs_array_sort(&vm->heap, a, &bad);
    if (st == GS_E_INVALID)
        return gs_throw(vm, GS_ERR_TYPE, "cannot compare %s and %s",
                        gs_kind_word(gs_array_at(a, bad)), gs_kind_word(gs_array_at(a, bad + 1)));
    if (st == GS_OK)
        *ret = args[0];
    return st;
}

/* What a comparison function's answer says: its first argument comes first. GS_E_THROWN: nothing. */
static int answer_of(struct gs_vm *vm, gs_value r, bool *before)
{
    if (gs_is(r, GS_T_BOOL))
        *before = r.u != 0;
    else if (gs_is_intlike(r))
        *before = r.i < 0;
    else if (gs_is(r, GS_T_FLOAT))
        *before = r.d < 0;
    else
        return gs_throw(vm, GS_ERR_TYPE, "the comparison of sort gave %s, not an int or a bool",
                        gs_kind_word(r));
    return GS_OK;
}

/* A bottom-up merge sort that stops wherever it needs a comparison: the prelude asks the program's
 * function and comes back. It works on two copies, so that a comparison that looks at the array,
 * changes it or throws finds it unchanged. The right one of two goes first only when it is before
 * the left one: that makes it stable. Parts that are in order already are not merged.
 *
 * State, an array of the program's heap that the program never sees: [0] and [1] the copies,
 * [2] and [3] what is to be compared (at the end [2] is the sorted copy), [4] the numbers below. */
enum { WIDTH, LOW, MIDDLE, HIGH, LEFT, RIGHT, OUT, STEP, NUMBERS };
enum { STEP_PART, STEP_ORDERED, STEP_MERGE };

struct merge {
    gs_value *state;
    int64_t *n;
    const struct gs_array *from;
    struct gs_array *to;
    size_t size; /* of an element */
};

static size_t element_size(const struct gs_array *a)
{
    switch (gs_array_store(a)) {
    case GS_STORE_VALUE:
        return sizeof(gs_value);
    case GS_STORE_INT:
    case GS_STORE_FLOAT:
        return 8;
    default:
        return 1;
    }
}

static int i_sort_begin(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_array *a, *copy[2], *numbers, *state;
    struct gs_heap *h = &vm->heap;
    int st = receiver(vm, "sort", args, &a);
    if (st != GS_OK)
        return st;
    state = gs_array_make(h, GS_STORE_VALUE, 5);
    numbers = gs_array_make(h, GS_STORE_INT, NUMBERS);
    if (state == NULL || numbers == NULL)
        return GS_E_NOMEM;
    for (int i = 0; i < 2; i++) {
        copy[i] = gs_array_slice(h, a, 0, a->len);
        if (copy[i] == NULL || gs_array_unshare(h, copy[i]) != GS_OK)
            return GS_E_NOMEM;
        state->v[i] = gs_objv(GS_T_ARRAY, copy[i]);
    }
    numbers->i[WIDTH] = 1;
    state->v[4] = gs_objv(GS_T_ARRAY, numbers);
    *ret = gs_objv(GS_T_ARRAY, state);
    return GS_OK;
}

/* Moves count elements to the output. */
static void emit(struct merge *m, int64_t from, int64_t count)
{
    memcpy(m->to->b + (size_t)m->n[OUT] * m->size, m->from->b + (size_t)from * m->size,
           (size_t)count * m->size);
    m->n[OUT] += count;
}

static bool ask(struct merge *m, int step, int64_t first, int64_t second)
{
    m->n[STEP] = step;
    m->state[2] = gs_array_at(m->from, first);
    m->state[3] = gs_array_at(m->from, second);
    return true;
}

/* The next two parts; false when everything is sorted. */
static bool next_part(struct merge *m)
{
    int64_t *n = m->n, len = m->from->len;
    for (;;) {
        if (n[LOW] >= len) { /* a level is done: the copies change places */
            gs_value other = m->state[0];
            m->state[0] = m->state[1];
            m->state[1] = other;
            m->from = m->state[0].a;
            m->to = m->state[1].a;
            n[LOW] = 0;
            n[WIDTH] *= 2;
        }
        if (n[WIDTH] >= len) {
            m->state[2] = m->state[0];
            return false;
        }
        n[MIDDLE] = n[LOW] + n[WIDTH] < len ? n[LOW] + n[WIDTH] : len;
        n[HIGH] = n[MIDDLE] + n[WIDTH] < len ? n[MIDDLE] + n[WIDTH] : len;
        n[LEFT] = n[OUT] = n[LOW];
        n[RIGHT] = n[MIDDLE];
        if (n[MIDDLE] < n[HIGH])
            return ask(m, STEP_ORDERED, n[MIDDLE], n[MIDDLE] - 1);
        emit(m, n[LOW], n[HIGH] - n[LOW]);
        n[LOW] = n[HIGH];
    }
}

static bool end_part(struct merge *m)
{
    int64_t *n = m->n;
    emit(m, n[LEFT], n[MIDDLE] - n[LEFT]);
    emit(m, n[RIGHT], n[HIGH] - n[RIGHT]);
    n[LOW] = n[HIGH];
    return next_part(m);
}

/* __sortNext(state, answer): true: [2] and [3] are to be compared. The first answer is nil. */
static int i_sort_next(struct gs_vm *vm, gs_value *args, uint32_t argc, gs_value *ret)
{
    (void)argc;
    gs_value *state = args[0].a->v;
    struct merge m = {.state = state,
                      .n = state[4].a->i,
                      .from = state[0].a,
                      .to = state[1].a,
                      .size = element_size(state[0].a)};
    int64_t *n = m.n;
    bool before = false, more;
    int st = n[STEP] == STEP_PART ? GS_OK : answer_of(vm, args[1], &before);
    if (st != GS_OK)
        return st;
    if (n[STEP] == STEP_PART) {
        more = next_part(&m);
    } else if (n[STEP] == STEP_ORDERED) {
        more = before ? ask(&m, STEP_MERGE, n[RIGHT], n[LEFT]) : end_part(&m);
    } else {
        if (before)
            emit(&m, n[RIGHT]++, 1);
        else
            emit(&m, n[LEFT]++, 1);
        if (n[LEFT] < n[MIDDLE] && n[RIGHT] < n[HIGH])
            more = ask(&m, STEP_MERGE, n[RIGHT], n[LEFT]);
        else
            more = end_part(&m);
    }
    *ret = gs_bool(more);
    return GS_OK;
}

/* __assign(a, from): the elements of from become those of a. When they are a's own in another order
 * nothing can fail. */
static int i_assign(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_array *a, *from;
    int st = gs_arg_array(vm, "sort", args, 0, &a);
    if (st == GS_OK)
        st = gs_arg_array(vm, "sort", args, 1, &from);
    if (st == GS_OK && a->len != from->len) { /* the comparison has changed the array */
        st = (int)gs_array_truncate(&vm->heap, a, 0);
        if (st == GS_OK)
            st = (int)gs_array_append_array(&vm->heap, a, from);
    } else {
        for (int64_t i = 0; st == GS_OK && i < from->len; i++)
            st = (int)gs_array_set(&vm->heap, a, i, gs_array_at(from, i));
    }
    if (st == GS_OK)
        *ret = args[0];
    return st;
}

static const struct gs_lib_entry intrinsics[] = {
    GS_FN("wantFn", i_want_fn, 2, 2, QUIET),     GS_FN("missing", i_missing, 0, 0, QUIET),
    GS_FN("sort", i_sort, 1, 1, QUIET),          GS_FN("sortBegin", i_sort_begin, 1, 1, QUIET),
    GS_FN("sortNext", i_sort_next, 2, 2, QUIET), GS_FN("assign", i_assign, 2, 2, QUIET),
};
GS_LIB_MODULE(gs_lib_core_intrinsics, "<intrinsic>", false, intrinsics);
