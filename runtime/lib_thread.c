/* SPDX-License-Identifier: MIT
 * lib_thread.c - the module thread: core, async, channel, atomic, scheduler, ticker. Locks: lock.c; pools: pool.c; several-step functions: prelude/thread.goost.
 */
#include <math.h>
#include <string.h>

#include "chan.h"
#include "error.h"
#include "lib.h"
#include "lock.h"
#include "port/clock.h"
#include "port/mem.h"
#include "rt.h"
#include "taskobj.h"

/* ---- arguments ---- */

/* Milliseconds, also with a fraction, as nanoseconds from now; negative and NaN are 0. */
static int arg_delay_ns(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i, int64_t *ns)
{
    double ms;
    int st = gs_arg_num(vm, fn, args, i, &ms);
    if (st != GS_OK)
        return st;
    *ns = !(ms > 0) ? 0 : ms > 9e12 ? INT64_MAX / 2 : (int64_t)ceil(ms * 1e6);
    return GS_OK;
}

/* An optional timeout in milliseconds: absent or nil: -1 (for ever); negative: 0. */
static int arg_timeout(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i, uint32_t n, int64_t *ms)
{
    *ms = -1;
    if (i >= n || args[i].tag == GS_T_NIL)
        return GS_OK;
    int st = gs_arg_int(vm, fn, args, i, ms);
    if (st == GS_OK && *ms < 0)
        *ms = 0;
    return st;
}

/* ---- thread.core ---- */

static int core_spawn(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    int st = gs_arg_fn(vm, "spawn", args, 0);
    return st != GS_OK ? st : (int)gs_task_spawn(vm, GS_TS_SPAWN, args[0], args + 1, n - 1, ret);
}

GS_TWIN(core_spawn, "spawn", 1, GS_ARGS_ANY);

static int sleep_finish(struct gs_vm *vm, gs_value *ret)
{
    if (gs_wait_end(vm) == GS_WAIT_CANCELLED) {
        (void)gs_vm_take_cancel(vm);
        return gs_throw_cancelled(vm);
    }
    *ret = gs_nil();
    return GS_OK;
}

static int park_until(struct gs_vm *vm, int64_t when_ns, const char *what)
{
    if (gs_wait_ext(vm) == NULL)
        return GS_E_NOMEM;
    gs_wait_begin(vm);
    vm->park.finish = sleep_finish;
    vm->park.what = what;
    vm->park.obj = NULL;
    gs_wait_until(vm, when_ns);
    return GS_PARK;
}

int gs_native_sleep(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    (void)ret;
    int64_t ns;
    int st = arg_delay_ns(vm, "sleep", args, 0, &ns);
    if (st != GS_OK)
        return st;
    if (gs_vm_take_cancel(vm))
        return gs_throw_cancelled(vm);
    return ns == 0 ? GS_YIELD : park_until(vm, gs_clock_mono_ns() + ns, "sleep");
}

static int core_cpus(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)vm;
    (void)args;
    (void)n;
    *ret = gs_int(gs_sched_usable_cpus());
    return GS_OK;
}

static int core_goroutines(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)vm;
    (void)args;
    (void)n;
    *ret = gs_int(gs_rt_tasks());
    return GS_OK;
}

static int core_join(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    int64_t ms;
    struct gs_taskobj *o = (struct gs_taskobj *)gs_handle_check(vm, "join", args[0], GS_H_TASK);
    if (o == NULL)
        return GS_E_THROWN;
    int st = arg_timeout(vm, "join", args, 1, n, &ms);
    return st != GS_OK ? st : gs_taskobj_wait(vm, o, "join", ms, ret);
}

static int core_yield(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    (void)ret;
    if (gs_vm_take_cancel(vm))
        return gs_throw_cancelled(vm);
    return GS_YIELD;
}

static int core_id(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    return (int)gs_taskobj_self(vm, ret);
}

/* Tasks, and the tasks behind futures. */
static int core_cancel(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    (void)ret;
    struct gs_hobj *o = gs_handle_find(args[0]);
    if (o == NULL || o->kind != GS_H_FUTURE)
        o = gs_handle_check(vm, "cancel", args[0], GS_H_TASK);
    if (o == NULL)
        return GS_E_THROWN;
    gs_taskobj_cancel((struct gs_taskobj *)o);
    return GS_OK;
}

static const struct gs_lib_entry core_entries[] = {
    GS_FN_TWIN("spawn", core_spawn, 1, GS_ARGS_ANY),
    GS_FN("sleep", gs_native_sleep, 1, 1, 0),
    GS_FN("cpus", core_cpus, 0, 0, GS_NF_PURE),
    GS_FN("goroutines", core_goroutines, 0, 0, GS_NF_PURE),
    GS_FN("join", core_join, 1, 2, 0),
    GS_FN("yield", core_yield, 0, 0, 0),
    GS_FN("id", core_id, 0, 0, 0),
    GS_FN("current", core_id, 0, 0, 0),
    GS_FN("cancel", core_cancel, 1, 1, 0),
};
GS_LIB_MODULE(gs_lib_thread_core, "thread.core", false, core_entries);

/* ---- thread.async ---- */

static int async_run(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    int st = gs_arg_fn(vm, "run", args, 0);
    return st != GS_OK ? st : (int)gs_task_spawn(vm, GS_TS_FUTURE, args[0], args + 1, n - 1, ret);
}

GS_TWIN(async_run, "run", 1, GS_ARGS_ANY);

static int async_await(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    int64_t ms;
    struct gs_taskobj *o = (struct gs_taskobj *)gs_handle_check(vm, "await", args[0], GS_H_FUTURE);
    if (o == NULL)
        return GS_E_THROWN;
    int st = arg_timeout(vm, "await", args, 1, n, &ms);
    return st != GS_OK ? st : gs_taskobj_wait(vm, o, "await", ms, ret);
}

static int async_done(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_taskobj *o = (struct gs_taskobj *)gs_handle_check(vm, "done", args[0], GS_H_FUTURE);
    if (o == NULL)
        return GS_E_THROWN;
    *ret = gs_bool(gs_taskobj_is_done(o));
    return GS_OK;
}

static int wait_several(struct gs_vm *vm, gs_value *args, bool all, const char *what, gs_value *ret)
{
    struct gs_array *fs;
    int st = gs_arg_array(vm, what, args, 0, &fs);
    if (st != GS_OK)
        return st;
    for (int64_t i = 0; i < fs->len; i++)
        if (gs_handle_check(vm, what, gs_array_at(fs, i), GS_H_FUTURE) == NULL)
            return GS_E_THROWN;
    return gs_taskobj_wait_several(vm, fs, all, what, ret);
}

/* waitAny(futures, name): the index of one that has ended; waitAll: -1, or the index of one that has failed. name: of the function the program called, an atom. */
static int async_wait_any(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    return wait_several(vm, args, false, args[1].s->data, ret);
}

static int async_wait_all(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    return wait_several(vm, args, true, args[1].s->data, ret);
}

static const struct gs_lib_entry async_entries[] = {
    GS_FN_TWIN("run", async_run, 1, GS_ARGS_ANY),
    GS_FN("await", async_await, 1, 2, 0),
    GS_FN("done", async_done, 1, 1, 0),
    GS_PRELUDE_FN("all", "asyncAll"),
    GS_PRELUDE_FN("any", "asyncAny"),
    GS_PRELUDE_FN("race", "asyncRace"),
};
GS_LIB_MODULE(gs_lib_thread_async, "thread.async", false, async_entries);

/* ---- thread.channel ---- */

#define CHAN(fn)                                                                                                       \
    struct gs_chan *c = (struct gs_chan *)gs_handle_check(vm, fn, args[0], GS_H_CHAN);                                 \
    (void)n;                                                                                                           \
    if (c == NULL)                                                                                                     \
    return GS_E_THROWN

static int channel_new(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    int64_t cap = 0;
    int st = n > 0 ? gs_arg_int(vm, "new", args, 0, &cap) : GS_OK;
    if (st != GS_OK)
        return st;
    if (cap < 0 || cap > UINT32_MAX)
        return gs_throw(vm, GS_ERR_VALUE, "channel capacity must be between 0 and 4294967295, got %lld", (long long)cap);
    struct gs_chan *c = gs_chan_new((uint32_t)cap);
    return c == NULL ? GS_E_NOMEM : (int)gs_handle_adopt(vm, &c->h, ret);
}

static int channel_send(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    CHAN("send");
    return gs_chan_send(vm, c, args[1], -1, "send", ret);
}

static int channel_try_send(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    CHAN("trySend");
    return gs_chan_send(vm, c, args[1], 0, "trySend", ret);
}

static int channel_send_timeout(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    CHAN("sendTimeout");
    int64_t ms;
    int st = arg_timeout(vm, "sendTimeout", args, 2, n, &ms);
    return st != GS_OK ? st : gs_chan_send(vm, c, args[1], ms, "sendTimeout", ret);
}

static int channel_recv(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    CHAN("recv");
    return gs_chan_recv(vm, c, -1, "recv", ret);
}

static int channel_try_recv(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    CHAN("tryRecv");
    return gs_chan_recv(vm, c, 0, "tryRecv", ret);
}

static int channel_recv_timeout(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    CHAN("recvTimeout");
    int64_t ms;
    int st = arg_timeout(vm, "recvTimeout", args, 1, n, &ms);
    return st != GS_OK ? st : gs_chan_recv(vm, c, ms, "recvTimeout", ret);
}

static int channel_close(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    CHAN("close");
    *ret = gs_bool(gs_chan_close(c));
    return GS_OK;
}

static int channel_len(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    CHAN("len");
    gs_chan_lock(c);
    *ret = gs_int((int64_t)gs_chan_len_locked(c));
    gs_chan_unlock(c);
    return GS_OK;
}

static int channel_cap(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    CHAN("cap");
    *ret = gs_int((int64_t)c->cap);
    return GS_OK;
}

static int channel_is_closed(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    CHAN("isClosed");
    gs_chan_lock(c);
    *ret = gs_bool(gs_load_rlx(&c->closed)); /* under the locks */
    gs_chan_unlock(c);
    return GS_OK;
}

static int channel_select(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    struct gs_array *cases;
    int64_t ms;
    int st = gs_arg_array(vm, "select", args, 0, &cases);
    if (st == GS_OK)
        st = arg_timeout(vm, "select", args, 1, n, &ms);
    return st != GS_OK ? st : gs_chan_select(vm, cases, ms, ret);
}

static const struct gs_lib_entry channel_entries[] = {
    GS_FN("new", channel_new, 0, 1, 0),
    GS_FN_AS(SEND, "send", channel_send, 2, 2, 0),
    GS_FN_AS(RECV, "recv", channel_recv, 1, 1, 0),
    GS_FN("recvTimeout", channel_recv_timeout, 2, 2, 0),
    GS_FN("close", channel_close, 1, 1, 0),
    GS_FN("len", channel_len, 1, 1, 0),
    GS_FN("cap", channel_cap, 1, 1, 0),
    GS_FN_AS(SEND, "trySend", channel_try_send, 2, 2, 0),
    GS_FN_AS(RECV, "tryRecv", channel_try_recv, 1, 1, 0),
    GS_FN("sendTimeout", channel_send_timeout, 3, 3, 0),
    GS_FN("isClosed", channel_is_closed, 1, 1, 0),
    GS_FN("select", channel_select, 1, 2, 0),
};
GS_LIB_MODULE(gs_lib_thread_channel, "thread.channel", false, channel_entries);

/* ---- thread.atomic: every operation is sequentially consistent ---- */

#define ATOMIC(fn)                                                                                                     \
    struct gs_atomic *a = (struct gs_atomic *)gs_handle_check(vm, fn, args[0], GS_H_ATOMIC);                           \
    (void)n;                                                                                                           \
    if (a == NULL)                                                                                                     \
    return GS_E_THROWN

static int atomic_new(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    int64_t v = 0;
    int st = n > 0 ? gs_arg_int(vm, "new", args, 0, &v) : GS_OK;
    if (st != GS_OK)
        return st;
    struct gs_atomic *a = gs_mem_alloc_aligned(sizeof *a, GS_CACHE_LINE);
    if (a == NULL)
        return GS_E_NOMEM;
    memset(a, 0, sizeof *a);
    gs_hobj_init(&a->h, GS_H_ATOMIC);
    gs_store_rlx(&a->v, v); /* nobody else knows it yet */
    return (int)gs_handle_adopt(vm, &a->h, ret);
}

void gs_atomic_drop(struct gs_hobj *h)
{
    gs_mem_free(h);
}

static int atomic_load_fn(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    ATOMIC("load");
    *ret = gs_int(gs_load_seq(&a->v));
    return GS_OK;
}

static int atomic_store_fn(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)ret;
    ATOMIC("store");
    int64_t v;
    int st = gs_arg_int(vm, "store", args, 1, &v);
    if (st == GS_OK)
        gs_store_seq(&a->v, v);
    return st;
}

/* gs_arg_int without a call for what is an int: atomics are called in tight loops. */
static inline int arg_int(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i, int64_t *out)
{
    if (GS_UNLIKELY(args[i].tag != GS_T_INT))
        return gs_arg_int(vm, fn, args, i, out);
    *out = args[i].i;
    return GS_OK;
}

static inline int add_to(struct gs_vm *vm, const char *fn, gs_value *args, int64_t d, gs_value *ret)
{
    struct gs_atomic *a = (struct gs_atomic *)gs_handle_check(vm, fn, args[0], GS_H_ATOMIC);
    if (a == NULL)
        return GS_E_THROWN;
    *ret = gs_int((int64_t)((uint64_t)gs_add_seq(&a->v, d) + (uint64_t)d)); /* wraps */
    return GS_OK;
}

static int atomic_add(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    int64_t d;
    int st = arg_int(vm, "add", args, 1, &d);
    return st != GS_OK ? st : add_to(vm, "add", args, d, ret);
}

static int atomic_sub(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    int64_t d;
    int st = arg_int(vm, "sub", args, 1, &d);
    return st != GS_OK ? st : add_to(vm, "sub", args, (int64_t)(0 - (uint64_t)d), ret);
}

static int atomic_inc(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    return add_to(vm, "inc", args, 1, ret);
}

static int atomic_dec(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    return add_to(vm, "dec", args, -1, ret);
}

static int atomic_cas(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    ATOMIC("cas");
    int64_t old, new;
    int st = arg_int(vm, "cas", args, 1, &old);
    if (st == GS_OK)
        st = arg_int(vm, "cas", args, 2, &new);
    if (st != GS_OK)
        return st;
    *ret = gs_bool(gs_cas_seq(&a->v, &old, new));
    return GS_OK;
}

static int atomic_exchange_fn(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    ATOMIC("exchange");
    int64_t v;
    int st = arg_int(vm, "exchange", args, 1, &v);
    if (st == GS_OK)
        *ret = gs_int(gs_xchg_seq(&a->v, v));
    return st;
}

static int extreme(struct gs_vm *vm, const char *fn, gs_value *args, bool max, gs_value *ret)
{
    struct gs_atomic *a = (struct gs_atomic *)gs_handle_check(vm, fn, args[0], GS_H_ATOMIC);
    if (a == NULL)
        return GS_E_THROWN;
    int64_t v;
    int st = arg_int(vm, fn, args, 1, &v);
    if (st != GS_OK)
        return st;
    int64_t seen = gs_load_seq(&a->v);
    while ((max ? v > seen : v < seen) && !gs_cas_seq(&a->v, &seen, v))
        ;
    *ret = gs_int((max ? v > seen : v < seen) ? v : seen);
    return GS_OK;
}

static int atomic_min(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    return extreme(vm, "min", args, false, ret);
}

static int atomic_max(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    return extreme(vm, "max", args, true, ret);
}

static const struct gs_lib_entry atomic_entries[] = {
    GS_FN("new", atomic_new, 0, 1, 0),
    GS_FN_AS(ATOMIC_LOAD, "load", atomic_load_fn, 1, 1, 0),
    GS_FN_AS(ATOMIC_STORE, "store", atomic_store_fn, 2, 2, 0),
    GS_FN_AS(ATOMIC_ADD, "add", atomic_add, 2, 2, 0),
    GS_FN_AS(ATOMIC_CAS, "cas", atomic_cas, 3, 3, 0),
    GS_FN_AS(ATOMIC_SUB, "sub", atomic_sub, 2, 2, 0),
    GS_FN_AS(ATOMIC_INC, "inc", atomic_inc, 1, 1, 0),
    GS_FN_AS(ATOMIC_DEC, "dec", atomic_dec, 1, 1, 0),
    GS_FN_AS(ATOMIC_EXCHANGE, "exchange", atomic_exchange_fn, 2, 2, 0),
    GS_FN_AS(ATOMIC_MIN, "min", atomic_min, 2, 2, 0),
    GS_FN_AS(ATOMIC_MAX, "max", atomic_max, 2, 2, 0),
};
GS_LIB_MODULE(gs_lib_thread_atomic, "thread.atomic", false, atomic_entries);

/* ---- thread.scheduler: functions kept as parcels until start runs them in order (prelude) ---- */

struct gs_scheduler {
    struct gs_hobj h;
    struct gs_spin lock;
    struct gs_parcel *fns;
    uint32_t n, cap;
};

static int scheduler_new(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    struct gs_scheduler *s = gs_mem_zalloc(sizeof *s);
    if (s == NULL)
        return GS_E_NOMEM;
    gs_hobj_init(&s->h, GS_H_SCHEDULER);
    return (int)gs_handle_adopt(vm, &s->h, ret);
}

void gs_scheduler_drop(struct gs_hobj *h)
{
    struct gs_scheduler *s = (struct gs_scheduler *)h;
    for (uint32_t i = 0; i < s->n; i++)
        gs_parcel_drop(&s->fns[i]);
    gs_mem_free(s->fns);
    gs_mem_free(s);
}

/* Gives the number of functions. */
static int scheduler_add(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_scheduler *s = (struct gs_scheduler *)gs_handle_check(vm, "add", args[0], GS_H_SCHEDULER);
    if (s == NULL)
        return GS_E_THROWN;
    int st = gs_arg_fn(vm, "add", args, 1);
    if (st != GS_OK)
        return st;
    struct gs_parcel p;
    if (gs_parcel_pack(vm, args[1], &p) != GS_OK)
        return GS_E_NOMEM;
    gs_spin_lock(&s->lock);
    bool ok = s->n < s->cap;
    if (!ok) {
        uint32_t cap = s->cap != 0 ? s->cap * 2 : 8;
        struct gs_parcel *v = gs_mem_realloc(s->fns, cap * sizeof *v);
        ok = v != NULL;
        if (ok) {
            s->fns = v;
            s->cap = cap;
        }
    }
    if (ok) {
        s->fns[s->n++] = p;
        *ret = gs_int((int64_t)s->n);
    }
    gs_spin_unlock(&s->lock);
    if (!ok)
        gs_parcel_drop(&p);
    return ok ? GS_OK : GS_E_NOMEM;
}

/* The functions added so far, which leave the scheduler. */
static int scheduler_take(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_scheduler *s = (struct gs_scheduler *)gs_handle_check(vm, "start", args[0], GS_H_SCHEDULER);
    if (s == NULL)
        return GS_E_THROWN;
    gs_spin_lock(&s->lock);
    struct gs_parcel *v = s->fns;
    uint32_t count = s->n;
    s->fns = NULL;
    s->n = s->cap = 0;
    gs_spin_unlock(&s->lock);
    struct gs_array *a = gs_array_make(&vm->heap, GS_STORE_VALUE, count);
    int st = a != NULL ? GS_OK : GS_E_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        gs_value f = gs_nil();
        if (st == GS_OK)
            st = (int)gs_parcel_take(vm, &v[i], &f);
        gs_parcel_drop(&v[i]);
        if (st == GS_OK)
            a->v[i] = f;
    }
    gs_mem_free(v);
    if (st == GS_OK)
        *ret = gs_objv(GS_T_ARRAY, a);
    return st;
}

static const struct gs_lib_entry scheduler_entries[] = {
    GS_PRELUDE_FN("run", "schedulerRun"),
    GS_FN("new", scheduler_new, 0, 0, 0),
    GS_FN("add", scheduler_add, 2, 2, 0),
    GS_PRELUDE_FN("start", "schedulerStart"),
};
GS_LIB_MODULE(gs_lib_thread_scheduler, "thread.scheduler", false, scheduler_entries);

/* ---- thread.ticker ---- */

static int ticker_new(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    int64_t ns;
    int st = arg_delay_ns(vm, "new", args, 0, &ns);
    if (st != GS_OK)
        return st;
    if (ns == 0)
        return gs_throw(vm, GS_ERR_VALUE, "ticker period must be positive");
    struct gs_ticker *t = gs_mem_zalloc(sizeof *t);
    if (t == NULL)
        return GS_E_NOMEM;
    gs_hobj_init(&t->h, GS_H_TICKER);
    t->start_ns = gs_clock_mono_ns();
    t->period_ns = ns;
    t->next = 1;
    return (int)gs_handle_adopt(vm, &t->h, ret);
}

void gs_ticker_drop(struct gs_hobj *h)
{
    gs_mem_free(h);
}

#define TICKER(fn)                                                                                                     \
    struct gs_ticker *t = (struct gs_ticker *)gs_handle_check(vm, fn, args[0], GS_H_TICKER);                           \
    (void)n;                                                                                                           \
    if (t == NULL)                                                                                                     \
    return GS_E_THROWN

static int tick_finish(struct gs_vm *vm, gs_value *ret)
{
    int64_t k = vm->park.first.item.v.i;
    int st = sleep_finish(vm, ret);
    if (st == GS_OK)
        *ret = gs_int(k);
    return st;
}

/* The number of the next tick, once its time has come; nil when the ticker has been stopped. */
static int ticker_wait(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    TICKER("wait");
    if (gs_vm_take_cancel(vm))
        return gs_throw_cancelled(vm);
    gs_spin_lock(&t->lock);
    bool stopped = t->stopped;
    int64_t k = t->next, now = gs_clock_mono_ns(), last = (now - t->start_ns) / t->period_ns;
    if (last > k)
        k = last; /* older ones are dropped */
    t->next = k + 1;
    int64_t when; /* centuries from now at the most */
    if (__builtin_mul_overflow(k, t->period_ns, &when) || __builtin_add_overflow(when, t->start_ns, &when))
        when = INT64_MAX;
    gs_spin_unlock(&t->lock);
    if (stopped)
        return GS_OK;
    *ret = gs_int(k);
    if (when <= now)
        return GS_OK;
    int st = park_until(vm, when, "wait for a tick");
    if (st == GS_PARK) {
        vm->park.finish = tick_finish;
        vm->park.first.item.v = gs_int(k);
    }
    return st;
}

static int ticker_stop(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    TICKER("stop");
    gs_spin_lock(&t->lock);
    *ret = gs_bool(!t->stopped);
    t->stopped = true;
    gs_spin_unlock(&t->lock);
    return GS_OK;
}

static const struct gs_lib_entry ticker_entries[] = {
    GS_FN("new", ticker_new, 1, 1, 0),
    GS_FN("wait", ticker_wait, 1, 1, 0),
    GS_FN("stop", ticker_stop, 1, 1, 0),
};
GS_LIB_MODULE(gs_lib_thread_ticker, "thread.ticker", false, ticker_entries);

/* ---- for the prelude ---- */

static const struct gs_lib_entry intrinsics[] = {
    GS_FN("asyncRun", async_run, 1, GS_ARGS_ANY, 0),
    GS_FN("await", async_await, 1, 2, 0),
    GS_FN("waitAny", async_wait_any, 2, 2, 0),
    GS_FN("waitAll", async_wait_all, 2, 2, 0),
    GS_FN("schedulerTake", scheduler_take, 1, 1, 0),
};
GS_LIB_MODULE(gs_lib_thread_intrinsics, "<intrinsic>", false, intrinsics);
