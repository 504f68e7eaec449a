/* SPDX-License-Identifier: MIT
 * slow_call.c - the slow paths of control: calls, polls, parking, loops, defer, types. Contract:
 * slow.h.
 */
#include <string.h>

#include "array.h"
#include "chan.h"
#include "deadlock.h"
#include "error.h"
#include "hold.h"
#include "lib.h"
#include "shape.h"
#include "slow.h"
#include "slow_int.h"
#include "str.h"
#include "taskobj.h"

/* ---- windows ---- */

/* Room for n slots from base[a] on; the window may reach beyond the frame. Moves. */
static int window_room(struct gs_vm *vm, uint32_t a, uint32_t n)
{
    gs_value *w = vm->base + a;
    if ((uintptr_t)(w + n) <= vm->task.sp_real)
        return GS_OK;
    return (int)gs_vm_grow_stack(vm, w, n);
}

/* What lies in base[a] .. base[a + 1 + nargs] must survive a collection, also where it reaches
 * beyond the frame. */
static void keep_window(struct gs_vm *vm, uint32_t a, uint32_t nargs)
{
    gs_value *end = vm->base + a + 2 + nargs;
    vm->top = end > gs_vm_frame_end(vm) ? end : NULL;
}

/* base[a] is a bound method: the receiver becomes the first argument. Moves. */
static int unbind(struct gs_vm *vm, uint32_t a, uint32_t *n)
{
    int st = window_room(vm, a, *n + 3);
    if (st != GS_OK)
        return st;
    gs_value *w = vm->base + a;
    const struct gs_bound *b = w->p;
    memmove(w + 3, w + 2, *n * sizeof *w);
    w[2] = b->self;
    w[0] = b->fn;
    *n += 1;
    keep_window(vm, a, *n);
    return GS_OK;
}

static int arity_error(struct gs_vm *vm, const struct gs_proto *q, uint32_t n)
{
    uint32_t self = (q->flags & GS_PF_METHOD) ? 1 : 0;
    bool rest = (q->flags & GS_PF_REST) != 0;
    uint32_t max = q->nparams - (rest ? 1u : 0u);
    uint32_t min = q->nreq;
    return gs_throw_arity(vm, q->name->data, min > self ? min - self : 0,
                          max > self ? max - self : 0, rest, n > self ? n - self : 0);
}

static int collect_rest(struct gs_vm *vm, gs_value *args, uint32_t fixed, uint32_t n)
{
    struct gs_array *a =
        n > fixed ? gs_array_from(&vm->heap, args + fixed, n - fixed) : gs_array_new(&vm->heap);
    if (a == NULL)
        return GS_E_NOMEM;
    args[fixed] = gs_objv(GS_T_ARRAY, a);
    return GS_OK;
}

/* base[a] is a FUNC: makes its n arguments fit its parameters. Moves. */
static int fit_arguments(struct gs_vm *vm, uint32_t a, uint32_t *n)
{
    const struct gs_proto *q = vm->base[a].f->proto;
    bool rest = (q->flags & GS_PF_REST) != 0;
    uint32_t fixed = q->nparams - (rest ? 1u : 0u);
    if (*n < q->nreq || (*n > fixed && !rest))
        return arity_error(vm, q, *n);
    int st = window_room(vm, a, 2u + (*n > q->nregs ? *n : q->nregs));
    if (st != GS_OK)
        return st;
    gs_value *args = vm->base + a + 2;
    for (uint32_t i = *n; i < fixed; i++)
        args[i] = gs_unset();
    if (rest) {
        keep_window(vm, a, *n > fixed ? *n : fixed);
        GS_COLLECT_IF_DUE(vm);
        st = GS_RETRY(vm, collect_rest(vm, args, fixed, *n));
        if (st != GS_OK)
            return st;
    }
    *n = q->nparams;
    keep_window(vm, a, *n);
    return GS_OK;
}

int gs_slow_prepare(struct gs_vm *vm, uint32_t a, uint32_t *n)
{
    if (gs_is(vm->base[a], GS_T_BOUND)) {
        int st = unbind(vm, a, n);
        if (st != GS_OK)
            return st;
    }
    gs_value callee = vm->base[a];
    if (gs_is(callee, GS_T_FUNC))
        return fit_arguments(vm, a, n);
    if (gs_is(callee, GS_T_NATIVE))
        return GS_OK;
    gs_feedback(vm, GS_FB_SLOW);
    return gs_throw(vm, GS_ERR_TYPE, "cannot call %s", gs_kind_word(callee));
}

int gs_slow_spread(struct gs_vm *vm, uint32_t a, uint32_t *n)
{
    gs_value last = vm->base[a + 1 + *n];
    if (!gs_is(last, GS_T_ARRAY))
        return gs_throw(vm, GS_ERR_TYPE, "cannot spread %s", gs_kind_word(last));
    int64_t more = last.a->len;
    if (more > (int64_t)(UINT32_MAX / 4)) /* no stack is that large */
        return gs_throw(vm, GS_ERR_STACK, "too many arguments");
    int st = window_room(vm, a, *n + 2 + (uint32_t)more);
    if (st != GS_OK)
        return st;
    gs_value *to = vm->base + a + 1 + *n;
    for (int64_t i = 0; i < more; i++)
        to[i] = gs_array_at(last.a, i);
    *n = *n - 1 + (uint32_t)more;
    keep_window(vm, a, *n);
    return GS_OK;
}

uint32_t gs_slow_trim(gs_value callee, uint32_t n)
{
    uint32_t bound = 0;
    if (gs_is(callee, GS_T_BOUND)) {
        callee = ((const struct gs_bound *)callee.p)->fn;
        bound = 1;
    }
    uint32_t takes = n;
    if (gs_is(callee, GS_T_FUNC)) {
        const struct gs_proto *q = callee.f->proto;
        if (!(q->flags & GS_PF_REST))
            takes = q->nparams > bound ? q->nparams - bound : 0;
    } else if (gs_is(callee, GS_T_NATIVE)) {
        const struct gs_native *nat = callee.p;
        if (nat->max != GS_ARGS_ANY)
            takes = nat->max > bound ? nat->max - bound : 0;
    }
    return takes < n ? takes : n;
}

/* ---- entering ---- */

static int answer(struct gs_vm *vm)
{
    uint32_t flags = gs_task_answer(&vm->task);
    if (flags & GS_POKE_GC)
        gs_vm_collect(vm);
    if ((flags & GS_POKE_LOOK) && gs_hold_return_shares()) /* deadlock.c counts them */
        gs_deadlock_note();
    if ((flags & GS_POKE_CANCEL) && gs_vm_take_cancel(vm))
        return gs_throw_cancelled(vm);
    return flags & GS_POKE_PREEMPT ? GS_YIELD : GS_OK;
}

int gs_slow_poll(struct gs_vm *vm)
{
    return answer(vm);
}

int gs_slow_enter(struct gs_vm *vm, gs_value *nb, const struct gs_proto *q)
{
    uint32_t a = (uint32_t)(nb - 2 - vm->base);
    int st = window_room(vm, a, q->nregs + 2u);
    if (st != GS_OK)
        return st;
    keep_window(vm, a, q->nparams);
    st = answer(vm);
    vm->top = NULL;
    return st;
}

void gs_slow_note_callee(struct gs_ic *ic, const struct gs_proto *q)
{
    uint64_t had = gs_load_rlx(&ic->w[0]); /* relaxed: a lost note is made again */
    if (had == 0)
        gs_store_rlx(&ic->w[0], (uint64_t)(uintptr_t)q);
    else if (had != (uint64_t)(uintptr_t)q && gs_load_rlx(&ic->w[1]) == 0) /* written once: other workers read the line */
        gs_store_rlx(&ic->w[1], (uint64_t)1);
}

/* ---- natives ---- */

int gs_slow_native_failed(struct gs_vm *vm, const struct gs_native *nat, gs_value *args, uint32_t n,
                          int st, gs_value *dst)
{
    if (st == GS_E_NOMEM) {
        gs_vm_collect(vm);
        *dst = gs_nil();
        st = (nat->flags & GS_NF_PURE) ? nat->fn(vm, args, n, dst) : GS_E_NOMEM;
        if (st == GS_E_NOMEM)
            st = gs_throw_nomem(vm);
    }
    vm->top = NULL;
    return st;
}

int gs_slow_native(struct gs_vm *vm, const struct gs_native *nat, gs_value *args, uint32_t n,
                   bool method, gs_value *dst)
{
    if (n < nat->min || (n > nat->max && nat->max != GS_ARGS_ANY)) {
        uint32_t self = method || (nat->flags & GS_NF_METHOD) ? 1 : 0;
        vm->top = NULL;
        return gs_throw_arity(vm, nat->name, nat->min > self ? nat->min - self : 0,
                              nat->max > self ? nat->max - self : 0, nat->max == GS_ARGS_ANY,
                              n > self ? n - self : 0);
    }
    GS_COLLECT_IF_DUE(vm);
    gs_value ret = gs_nil();
    int st = nat->fn(vm, args, n, &ret);
    if (GS_UNLIKELY(st != GS_OK))
        st = gs_slow_native_failed(vm, nat, args, n, st, &ret);
    vm->top = NULL;
    if (st == GS_OK || st == GS_YIELD)
        *dst = gs_value_words(&ret);
    return st;
}

int gs_slow_resume(struct gs_vm *vm, gs_value *dst)
{
    gs_value ret = gs_nil();
    int st = GS_RETRY(vm, vm->park.finish(vm, &ret));
    if (st == GS_OK || st == GS_YIELD)
        *dst = gs_value_words(&ret);
    return st;
}

/* ---- methods ---- */

/* [I1] A new entry is complete before its address is stored with release; readers load with
 * acquire. */
static void cache_method(struct gs_ic *ic, uint32_t shape, uint32_t flags, gs_value fn)
{
    for (int i = 0; i < GS_IC_WAYS; i++) {
        const struct gs_mcache *m =
            (const struct gs_mcache *)(uintptr_t)gs_load_acq(&ic->w[i]); /* [I1] */
        if (m != NULL && m->shape == shape)
            return;
        if (m != NULL)
            continue;
        struct gs_mcache *made = gs_perm_alloc(sizeof *made);
        made->shape = shape;
        made->flags = flags;
        made->fn = fn;
        uint64_t none = 0;
        if (!gs_cas_rel(
                &ic->w[i], &none,
                (uint64_t)(uintptr_t)
                    made)) /* [I1] lost: some other entry is there now; ours is a few bytes */
            return;
        return;
    }
    /* Full: the site has many shapes. Entries are immortal, so they are not exchanged for ever
     * newer ones. */
}

/* Methods of a class by shape, for sites that have seen more shapes than they cache: a table of the
 * process, entries immortal. */
#define METHOD_SLOTS 1024u
struct method_entry {
    uint32_t shape;
    const struct gs_str *name;
    struct gs_func *fn;
};
/* [M1] release of an entry's address after its fields; acquire by readers. A slot is filled once.
 * */
static _Atomic(const struct method_entry *) method_table[METHOD_SLOTS];

static struct gs_func *class_method(uint32_t shape, const struct gs_class *c,
                                    const struct gs_str *name)
{
    size_t h = (((uintptr_t)name >> 4) ^ (shape * 0x9E3779B1u)) % METHOD_SLOTS;
    const struct method_entry *e = gs_load_acq(&method_table[h]); /* [M1] */
    if (e != NULL && e->shape == shape && e->name == name)
        return e->fn;
    struct gs_func *f = gs_class_method(c, name);
    if (e == NULL && f != NULL) {
        struct method_entry *made = gs_perm_alloc(sizeof *made);
        made->shape = shape;
        made->name = name;
        made->fn = f;
        (void)gs_cas_acq_rel(&method_table[h], &e,
                             (const struct method_entry *)made); /* [M1] lost: a few bytes */
    }
    return f;
}

/* The receiver leaves the window: its arguments move down. */
static void drop_receiver(gs_value *w, gs_value callee, uint32_t *n)
{
    w[0] = callee;
    memmove(w + 2, w + 3, (*n - 1) * sizeof *w);
    *n -= 1;
}

static int cannot_read(struct gs_vm *vm, const struct gs_str *key, gs_value o)
{
    gs_feedback(vm, GS_FB_SLOW);
    return gs_throw(vm, GS_ERR_TYPE, "cannot read \"%.*s\" of %s", (int)key->len, key->data,
                    gs_kind_word(o));
}

static int object_method(struct gs_vm *vm, struct gs_ic *ic, gs_value *w, uint32_t *n)
{
    struct gs_object *o = w[2].m;
    struct gs_class *c = gs_object_class(o);
    struct gs_func *f = c != NULL ? class_method(o->h.aux32, c, ic->key) : NULL;
    if (f != NULL) {
        w[0] = gs_objv(GS_T_FUNC, f);
        cache_method(ic, o->h.aux32, 1, w[0]);
        return GS_OK;
    }
    gs_value field = gs_nil();
    (void)gs_object_get_atom(o, ic->key, &field);
    gs_feedback(vm, GS_FB_OTHER);
    drop_receiver(w, field, n);
    return GS_OK;
}

int gs_slow_method(struct gs_vm *vm, struct gs_ic *ic, uint32_t a, uint32_t *n)
{
    gs_value *w = vm->base + a;
    gs_value self = w[2], fn;
    switch (gs_kind(self)) {
    case GS_T_OBJECT:
        return object_method(vm, ic, w, n);
    case GS_T_ARRAY:
    case GS_T_STR:
        if (!gs_lib_method(gs_kind(self), ic->key, &fn))
            return cannot_read(vm, ic->key, self);
        cache_method(ic, (uint32_t)gs_kind(self), 1, fn);
        w[0] = fn;
        return GS_OK;
    case GS_T_MODULE:
        if (!gs_module_member(vm, self.p, ic->key, &fn))
            return cannot_read(vm, ic->key, self);
        if (gs_is(fn, GS_T_UNSET))
            return gs_slow_unset(vm, gs_strv(ic->key));
        drop_receiver(w, fn, n);
        return GS_OK;
    default:
        return cannot_read(vm, ic->key, self);
    }
}

int gs_slow_getsuper(struct gs_vm *vm, const struct gs_str *name, gs_value *dst)
{
    struct gs_func *f = gs_class_method(gs_vm_proto(vm)->cls->super, name);
    if (f == NULL)
        return gs_throw(vm, GS_ERR_TYPE, "class %s has no method \"%.*s\"",
                        gs_vm_proto(vm)->cls->super->name->data, (int)name->len, name->data);
    *dst = gs_objv(GS_T_FUNC, f);
    return GS_OK;
}

/* ---- loops ---- */

int gs_slow_forprep(struct gs_vm *vm, gs_value *it, unsigned nargs, bool *any)
{
    /* The registers are start, stop, step; the arguments the program gave are (stop), (start, stop)
     * or all three. */
    static const uint8_t number[4][3] = {{0, 0, 0}, {0, 1, 0}, {1, 2, 0}, {1, 2, 3}};
    for (unsigned i = 0; i < 3; i++) {
        if (gs_is_intlike(it[i])) {
            it[i] = gs_visible_int(it[i]);
            continue;
        }
        unsigned arg = number[nargs & 3][i];
        return gs_throw(vm, GS_ERR_TYPE, "range expects int as argument %u, got %s",
                        arg != 0 ? arg : i + 1, gs_kind_word(it[i]));
    }
    if (it[2].i == 0)
        return gs_throw(vm, GS_ERR_VALUE, "range step is 0");
    int64_t left = gs_range_steps(it[0].i, it[1].i, it[2].i);
    *any = left != 0;
    if (left == 0)
        return GS_OK;
    it[3] = it[0];
    it[1] = gs_int((int64_t)((uint64_t)left - 1));
    return GS_OK;
}

static struct gs_chan *channel_of(struct gs_vm *vm, gs_value v)
{
    return (struct gs_chan *)(void *)gs_handle_check(vm, "for", v, GS_H_CHAN);
}

static int keys_of(struct gs_vm *vm, const struct gs_object *o, gs_value *dst)
{
    struct gs_array *a = gs_object_keys(&vm->heap, o);
    if (a == NULL)
        return GS_E_NOMEM;
    *dst = gs_objv(GS_T_ARRAY, a);
    return GS_OK;
}

/* The state: it[0] what is iterated, it[1] position or count, it[2] depends on the kind (keys of an
 * object, length of a range). */
int gs_slow_iternew(struct gs_vm *vm, gs_value *it, unsigned nvars)
{
    (void)nvars;
    it[1] = gs_int(0);
    it[2] = gs_nil();
    switch (gs_kind(it[0])) {
    case GS_T_ARRAY:
    case GS_T_STR:
        return GS_OK;
    case GS_T_OBJECT:
        GS_COLLECT_IF_DUE(vm);
        return GS_RETRY(vm, keys_of(vm, it[0].m, &it[2]));
    case GS_T_RANGE: {
        const struct gs_range *r = it[0].p;
        it[2] = gs_int(gs_range_steps(r->start, r->stop, r->step));
        return GS_OK;
    }
    case GS_T_INT:
    case GS_T_HANDLE:
        return channel_of(vm, it[0]) != NULL ? GS_OK : GS_E_THROWN;
    default:
        return gs_throw(vm, GS_ERR_TYPE, "cannot iterate %s", gs_kind_word(it[0]));
    }
}

static void deliver(gs_value *dst, unsigned nvars, gs_value first, gs_value second)
{
    dst[0] = nvars == 2 ? first : second;
    if (nvars == 2)
        dst[1] = second;
}

static int next_char(struct gs_vm *vm, gs_value *it, gs_value *dst, unsigned nvars)
{
    struct gs_str *s = it[0].s;
    size_t at = (size_t)it[1].u;
    uint32_t cp;
    unsigned n = gs_utf8_decode(s->data + at, s->len - at, &cp);
    GS_COLLECT_IF_DUE(vm);
    struct gs_str *c = gs_str_new(&vm->heap, s->data + at, n);
    if (c == NULL)
        return GS_E_NOMEM;
    deliver(dst, nvars, gs_int((int64_t)at), gs_strv(c));
    it[1] = gs_int((int64_t)(at + n));
    return GS_OK;
}

bool gs_slow_iterdone(gs_value *it, gs_value received, gs_value *dst, unsigned nvars)
{
    if (gs_is(received, GS_T_UNSET))
        return false;
    deliver(dst, nvars, gs_int(it[1].i), received);
    it[1] = gs_int((int64_t)(it[1].u + 1));
    return true;
}

static int next_received(struct gs_vm *vm, gs_value *it, gs_value *dst, unsigned nvars, bool *more)
{
    struct gs_chan *c = channel_of(vm, it[0]);
    if (c == NULL)
        return GS_E_THROWN;
    GS_COLLECT_IF_DUE(vm);
    gs_value ret = gs_nil();
    int st = GS_RETRY(vm, gs_chan_next(vm, c, &ret));
    if (st == GS_OK || st == GS_YIELD)
        *more = gs_slow_iterdone(it, gs_value_words(&ret), dst, nvars);
    return st;
}

int gs_slow_iternext(struct gs_vm *vm, gs_value *it, gs_value *dst, unsigned nvars, bool *more)
{
    uint64_t i = it[1].u;
    *more = true;
    switch (gs_kind(it[0])) {
    case GS_T_ARRAY:
        if ((int64_t)i < 0 || (int64_t)i >= it[0].a->len)
            break;
        gs_feedback_store(vm, it[0].a);
        deliver(dst, nvars, gs_int((int64_t)i), gs_array_at(it[0].a, (int64_t)i));
        it[1] = gs_int((int64_t)(i + 1));
        return GS_OK;
    case GS_T_STR:
        if (i >= it[0].s->len)
            break;
        gs_feedback(vm, GS_FB_STR);
        return GS_RETRY(vm, next_char(vm, it, dst, nvars));
    case GS_T_OBJECT: {
        gs_feedback(vm, GS_FB_OTHER);
        if (!gs_is(it[2], GS_T_ARRAY) || i >= (uint64_t)it[2].a->len)
            break;
        gs_value key = gs_array_at(it[2].a, (int64_t)i), v = gs_nil();
        if (nvars == 2 && gs_is(key, GS_T_STR))
            (void)gs_object_get(it[0].m, key.s, &v);
        dst[0] = key;
        if (nvars == 2)
            dst[1] = v;
        it[1] = gs_int((int64_t)(i + 1));
        return GS_OK;
    }
    case GS_T_RANGE: {
        const struct gs_range *r = it[0].p;
        if (i >= it[2].u)
            break;
        gs_feedback(vm, GS_FB_MIXED);
        deliver(dst, nvars, gs_int((int64_t)i),
                gs_int((int64_t)((uint64_t)r->start + i * (uint64_t)r->step)));
        it[1] = gs_int((int64_t)(i + 1));
        return GS_OK;
    }
    case GS_T_INT:
    case GS_T_HANDLE:
        gs_feedback(vm, GS_FB_SLOW);
        return next_received(vm, it, dst, nvars, more);
    default:
        return gs_slow_malformed(vm);
    }
    *more = false;
    return GS_OK;
}

/* ---- defer ---- */

static int defer_push(struct gs_vm *vm, gs_value *list, const gs_value *v, uint32_t n)
{
    struct gs_array *record = gs_array_make(&vm->heap, GS_STORE_VALUE, n);
    struct gs_array *all = gs_is(*list, GS_T_ARRAY) ? list->a : gs_array_new(&vm->heap);
    if (record == NULL || all == NULL)
        return GS_E_NOMEM;
    memcpy(record->v, v, n * sizeof *v);
    if (gs_array_push(&vm->heap, all, gs_objv(GS_T_ARRAY, record)) != GS_OK)
        return GS_E_NOMEM;
    *list = gs_objv(GS_T_ARRAY, all);
    return GS_OK;
}

/* As in Go the callee is looked at when the call is deferred. */
int gs_slow_deferpush(struct gs_vm *vm, gs_value *list, const gs_value *v, uint32_t n)
{
    if (!gs_is(*v, GS_T_FUNC) && !gs_is(*v, GS_T_NATIVE) && !gs_is(*v, GS_T_BOUND))
        return gs_throw(vm, GS_ERR_TYPE, "cannot call %s", gs_kind_word(*v));
    GS_COLLECT_IF_DUE(vm);
    return GS_RETRY(vm, defer_push(vm, list, v, n + 1));
}

int gs_slow_deferpop(struct gs_vm *vm, gs_value list, uint32_t a, uint32_t *n, bool *any)
{
    *any = false;
    if (gs_is(list, GS_T_NIL))
        return GS_OK;
    if (!gs_is(list, GS_T_ARRAY))
        return gs_slow_malformed(vm);
    int64_t len = list.a->len;
    if (len == 0)
        return GS_OK;
    gs_value record = gs_array_at(list.a, len - 1);
    if (!gs_is(record, GS_T_ARRAY) || record.a->len == 0)
        return gs_slow_malformed(vm);
    uint32_t nargs = (uint32_t)record.a->len - 1;
    int st = window_room(vm, a, nargs + 2);
    if (st == GS_OK)
        st = GS_RETRY(vm, (int)gs_array_truncate(&vm->heap, list.a, len - 1));
    if (st != GS_OK)
        return st;
    gs_value *w = vm->base + a;
    w[0] = gs_array_at(record.a, 0);
    for (uint32_t i = 0; i < nargs; i++)
        w[2 + i] = gs_array_at(record.a, (int64_t)i + 1);
    *n = nargs;
    *any = true;
    keep_window(vm, a, nargs);
    return GS_OK;
}

/* ---- types ---- */

/* Answers of "does this class satisfy this interface": entries are immortal and only added, at most
 * one for each pair (a race may add two equal ones). [F1] release of the head, acquire by readers:
 * an entry's fields before its address. */
#define FITS_SLOTS 256u
struct fits_entry {
    const struct fits_entry *next;
    const struct gs_class *c;
    const struct gs_iface *i;
    bool fits;
};
static _Atomic(const struct fits_entry *) fits_table[FITS_SLOTS];

static bool method_fits(const struct gs_class *c, const struct gs_ifmethod *want)
{
    const struct gs_func *f = gs_class_method(c, want->name);
    if (f == NULL)
        return false;
    const struct gs_proto *q = f->proto;
    bool rest = (q->flags & GS_PF_REST) != 0;
    uint32_t n = want->nargs + 1u; /* self */
    if (n < q->nreq)
        return false;
    return rest || (!want->rest && n <= q->nparams);
}

static bool class_fits(const struct gs_class *c, const struct gs_iface *f)
{
    size_t h = ((uintptr_t)c >> 4 ^ (uintptr_t)f >> 9) % FITS_SLOTS;
    const struct fits_entry *head = gs_load_acq(&fits_table[h]); /* [F1] */
    for (const struct fits_entry *e = head; e != NULL; e = e->next) {
        if (e->c == c && e->i == f)
            return e->fits;
    }
    struct fits_entry *made = gs_perm_alloc(sizeof *made);
    made->c = c;
    made->i = f;
    made->fits = true;
    for (uint32_t k = 0; k < f->nmethods && made->fits; k++)
        made->fits = method_fits(c, &f->methods[k]);
    do
        made->next = head;
    while (!gs_cas_acq_rel(&fits_table[h], &head, (const struct fits_entry *)made)); /* [F1] */
    return made->fits;
}

static bool is_primitive(gs_value v, const struct gs_str *name)
{
    if (gs_str_equal_bytes(name, "any", 3))
        return true;
    if (gs_str_equal_bytes(name, "json", 4))
        return gs_is(v, GS_T_STR);
    if (gs_str_equal_bytes(name, "fn", 2))
        return strcmp(gs_typeof_name(v), "function") == 0;
    const char *t = gs_typeof_name(v);
    return gs_str_equal_bytes(name, t, strlen(t));
}

bool gs_slow_is(gs_value v, gs_value type)
{
    if (gs_is(type, GS_T_STR))
        return is_primitive(v, type.s);
    if (!gs_is(v, GS_T_OBJECT))
        return false;
    const struct gs_class *c = gs_object_class(v.m);
    if (gs_is(type, GS_T_TYPE))
        return c == NULL;
    if (c == NULL)
        return false;
    return gs_is(type, GS_T_CLASS) ? gs_class_is(c, type.p) : class_fits(c, type.p);
}

static struct gs_str *type_name(gs_value type)
{
    switch (gs_kind(type)) {
    case GS_T_CLASS:
        return ((struct gs_class *)type.p)->name;
    case GS_T_IFACE:
        return ((struct gs_iface *)type.p)->name;
    case GS_T_TYPE:
        return ((struct gs_type *)type.p)->name;
    default:
        return type.s;
    }
}

int gs_slow_as(struct gs_vm *vm, gs_value v, gs_value type)
{
    if (gs_slow_is(v, type))
        return GS_OK;
    struct gs_str *want = type_name(type);
    const struct gs_class *c = gs_is(v, GS_T_OBJECT) ? gs_object_class(v.m) : NULL;
    const char *have = c != NULL ? c->name->data : gs_kind_word(v);
    return gs_throw_with(vm, GS_ERR_INTERFACE, "want", gs_strv(want), "%s is no %.*s", have,
                         (int)want->len, want->data);
}
