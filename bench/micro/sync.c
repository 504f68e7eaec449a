/* SPDX-License-Identifier: MIT
 * sync.c - channels, locks and the copier by themselves, as library functions of one VM that never has to wait: what they cost when nobody is in the way.
 *
 * Every case checks its answer; a wrong one ends the program with code 1. Each is run ROUNDS times; the median and the best are printed, in nanoseconds for one turn.
 *
 * Usage      bench_sync [case...]
 */
#include "micro.h"

#include "array.h"
#include "chan.h"
#include "lib.h"
#include "port/clock.h"
#include "port/mem.h"
#include "rt.h"
#include "shape.h"
#include "str.h"
#include "taskobj.h"

static struct gs_vm *vm;
static struct gs_chan *chan;

/* The task that a scheduler would be running. */
static void set_up(void)
{
    static const struct gs_sched_config cfg = {.workers = 1};
    gs_rt.sched = gs_sched_new(&cfg);
    vm = gs_vm_new();
    chan = gs_chan_new(64);
    struct gs_taskobj *o = gs_taskobj_new(NULL, GS_TS_SPAWN, GS_H_TASK);
    expect(gs_rt.sched != NULL && vm != NULL && chan != NULL && o != NULL, "memory");
    vm->self = o;
    o->vm = vm;
}

static gs_native_fn native(const char *module, const char *name)
{
    gs_value f = gs_nil();
    const struct gs_lib_module *m = gs_lib_find(module, strlen(module));
    expect(m != NULL && gs_lib_member(m, name, strlen(name), &f) && gs_is(f, GS_T_NATIVE), name);
    return ((struct gs_native *)f.p)->fn;
}

static gs_value call(gs_native_fn fn, gs_value *args, uint32_t n)
{
    gs_value ret = gs_nil();
    expect(fn(vm, args, n, &ret) == GS_OK, "a call");
    return ret;
}

static void pass(gs_value v)
{
    gs_value got = gs_nil(), ok = gs_nil();
    expect(gs_chan_send(vm, chan, v, -1, "send", &ok) == GS_OK && gs_chan_recv(vm, chan, -1, "recv", &got) == GS_OK && got.tag == v.tag, "a value");
}

/* What is passed on is in vm->result, which a collection keeps. */
static void pass_result(void)
{
    pass(vm->result);
    if (gs_heap_wants_gc(&vm->heap))
        gs_vm_collect(vm);
}

/* ---- channels ---- */

static int64_t chan_int(void)
{
    enum { N = 5000000 };
    for (int64_t i = 0; i < N; i++)
        pass(gs_int(i));
    return N;
}

static int64_t chan_chunk(void)
{
    enum { N = 100000, EACH = 50 };
    gs_value got = gs_nil(), ok = gs_nil();
    for (int64_t i = 0; i < N; i++) {
        for (int64_t k = 0; k < EACH; k++)
            expect(gs_chan_send(vm, chan, gs_int(k), -1, "send", &ok) == GS_OK, "send");
        for (int64_t k = 0; k < EACH; k++)
            expect(gs_chan_recv(vm, chan, -1, "recv", &got) == GS_OK && got.i == k, "order");
    }
    return (int64_t)N * EACH;
}

static int64_t chan_array(void)
{
    enum { N = 200000, LEN = 1000000 };
    struct gs_array *a = gs_array_new(&vm->heap);
    for (int64_t i = 0; i < LEN; i++)
        expect(gs_array_push(&vm->heap, a, gs_int(i)) == GS_OK, "memory");
    vm->result = gs_objv(GS_T_ARRAY, a);
    for (int64_t i = 0; i < N; i++)
        pass_result();
    return N;
}

/* ---- the copier ---- */

static int64_t object_passed(void)
{
    enum { N = 300000 };
    gs_value names[] = {gs_strv(gs_atomz("a")), gs_strv(gs_atomz("b")), gs_strv(gs_atomz("c"))};
    struct gs_object *o = gs_object_new(&vm->heap, gs_shape_plain, 3);
    for (int i = 0; i < 3; i++)
        expect(gs_object_put(&vm->heap, o, names[i].s, gs_int(i)) == GS_OK, "memory");
    vm->result = gs_objv(GS_T_OBJECT, o);
    for (int64_t i = 0; i < N; i++)
        pass_result();
    return N;
}

/* ---- locks ---- */

static int64_t turns(const char *module, const char *in, const char *out)
{
    enum { N = 5000000 };
    gs_value l = call(native(module, "new"), NULL, 0);
    gs_native_fn enter = native(module, in), leave = native(module, out);
    for (int64_t i = 0; i < N; i++) {
        (void)call(enter, &l, 1);
        (void)call(leave, &l, 1);
    }
    return N;
}

static int64_t mutex(void)
{
    return turns("thread.mutex", "lock", "unlock");
}

static int64_t rwlock_write(void)
{
    return turns("thread.rwlock", "lock", "unlock");
}

static int64_t rwlock_read(void)
{
    return turns("thread.rwlock", "rlock", "runlock");
}

static int64_t waitgroup(void)
{
    enum { N = 5000000 };
    gs_value args[] = {call(native("thread.waitgroup", "new"), NULL, 0), gs_int(N)};
    (void)call(native("thread.waitgroup", "add"), args, 2);
    gs_native_fn done = native("thread.waitgroup", "done");
    for (int64_t i = 0; i < N; i++)
        (void)call(done, args, 1);
    (void)call(native("thread.waitgroup", "wait"), args, 1);
    return N;
}

static const struct bench {
    const char *name, *what;
    int64_t (*run)(void);
} benches[] = {
    {"chan", "int sent and received", chan_int},
    {"chunk", "... fifty at a time", chan_chunk},
    {"array", "array of 1,000,000 ints", chan_array},
    {"object", "object of three fields", object_passed},
    {"mutex", "mutex locked and unlocked", mutex},
    {"rwlock", "rwlock, writing", rwlock_write},
    {"rlock", "rwlock, reading", rwlock_read},
    {"waitgroup", "waitgroup, done", waitgroup},
};

static void measure(const struct bench *b)
{
    double ns[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        set_up();
        int64_t start = gs_clock_mono_ns(), n = b->run();
        ns[i] = (double)(gs_clock_mono_ns() - start) / (double)n;
        gs_hobj_release(&chan->h);
        gs_hobj_release(&vm->self->h);
        gs_vm_free(vm);
        gs_sched_free(gs_rt.sched);
    }
    report(b->what, ns, "ns");
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++)
        if (wanted(benches[i].name, argc, argv))
            measure(&benches[i]);
    return 0;
}
