/* SPDX-License-Identifier: MIT
 * vm.c - making, starting, growing and collecting a VM. Contract: vm.h.
 */
#include "vm.h"

#include <string.h>

#include "array.h"
#include "error.h"
#include "handle.h"
#include "hold.h"
#include "port/mem.h"
#include "rt.h"
#include "str.h"
#include "trace.h"
#include "waitq.h"

#define CHUNK_OFFSET ((sizeof(struct gs_vm) + 15u) & ~(size_t)15u)
#define STACK_OFFSET (GS_VM_BYTES - GS_VM_STACK0 * sizeof(gs_value))
_Static_assert(CHUNK_OFFSET + 96 <= STACK_OFFSET, "a chunk of 96 bytes: four captured variables and a little more");

/* The mark moves up in steps of this many slots at least: 4 KiB of stack. */
#define MARK_STEP 256u
/* The next job of a runner keeps a stack of so many slots: it will need as much, and growing it again takes a part of the job out of compiled code each time. */
#define STACK_KEPT 512
/* Stacks above this many slots grow by 4, below by 2, and are given back after an unwinding that
 * leaves them nearly empty. */
#define LARGE_STACK (1u << 16)

/* ---- memory ---- */

/* All of it from an offset on but the chunk, where objects are written before they are read. */
static void clear(struct gs_vm *vm, size_t from)
{
    size_t n = CHUNK_OFFSET - from, slots = GS_VM_BYTES - STACK_OFFSET;
    __asm__("" : "+r"(n), "+r"(slots)); /* sizes that gcc knows become a `rep stos`, which takes twice as long */
    memset((char *)vm + from, 0, n);
    memset((char *)vm + STACK_OFFSET, 0, slots);
}

static struct gs_vm *block_new(void)
{
    struct gs_vm *vm = gs_hold_take(GS_HOLD_VM);
    if (vm == NULL)
        return gs_mem_zalloc(GS_VM_BYTES);
    clear(vm, 0);
    return vm;
}

static void place_parts(struct gs_vm *vm)
{
    vm->stack = (gs_value *)(void *)((char *)vm + STACK_OFFSET);
    vm->stack_end = vm->stack + GS_VM_STACK0;
    gs_heap_init(&vm->heap, (char *)vm + CHUNK_OFFSET, STACK_OFFSET - CHUNK_OFFSET);
}

struct gs_vm *gs_vm_new(void)
{
    struct gs_vm *vm = block_new();
    if (vm == NULL)
        return NULL;
    place_parts(vm);
    vm->task.sp_real = (uintptr_t)vm->stack_end;
    gs_store_rlx(&vm->task.sp_limit, vm->task.sp_real); /* nobody else knows it yet */
    return vm;
}

/* As most tasks at their end. */
static bool has_no_parts(const struct gs_vm *vm)
{
    return vm->park.ext == NULL && gs_parcel_is_plain(&vm->park.first.item) && vm->places == NULL &&
           gs_heap_is_bare(&vm->heap) && !(vm->flags & GS_VM_FOREIGN_GLOBALS) && vm->lib == NULL;
}

bool gs_vm_is_light(const struct gs_vm *vm)
{
    return has_no_parts(vm) && vm->stack_end - vm->stack <= STACK_KEPT;
}

/* All that vm has outside of its own block, but for a stack. */
static void drop_parts(struct gs_vm *vm)
{
    if (vm->ledger.n != 0 || vm->ledger.v != NULL)
        gs_ledger_fini(vm);
    if (GS_LIKELY(has_no_parts(vm)))
        return;
    gs_wait_fini(vm);
    gs_places_fini(vm);
    if (!gs_heap_is_bare(&vm->heap))
        gs_heap_fini(&vm->heap);
    if (vm->flags & GS_VM_FOREIGN_GLOBALS)
        gs_mem_free(vm->globals);
    gs_mem_free(vm->lib);
}

void gs_vm_free(struct gs_vm *vm)
{
    if (vm == NULL)
        return;
    drop_parts(vm);
    if (vm->flags & GS_VM_FOREIGN_STACK)
        gs_mem_free(vm->stack);
    gs_hold_give(GS_HOLD_VM, vm);
}

/* ---- stack ---- */

gs_value *gs_vm_frame_end(const struct gs_vm *vm)
{
    return vm->base + gs_vm_proto(vm)->nregs;
}

/* The running task moves its own mark. A poke that came before the store of the limit is found by
 * the exchange and made again. */
static void set_mark(struct gs_vm *vm, gs_value *mark)
{
    vm->task.sp_real = (uintptr_t)mark;
    uint32_t flags = gs_task_answer(&vm->task);
    if (flags != 0)
        gs_task_poke_mt(&vm->task, flags);
}

void gs_vm_renew(struct gs_vm *vm)
{
    gs_value *grown = vm->flags & GS_VM_FOREIGN_STACK ? vm->stack : NULL;
    size_t slots = grown != NULL ? (size_t)(vm->stack_end - grown) : 0;
    if (vm->flags & GS_VM_LIVE)
        gs_rt_live_remove(vm); /* others may look at those */
    drop_parts(vm);
    clear(vm, sizeof vm->task);
    place_parts(vm);
    if (slots > STACK_KEPT) {
        gs_mem_free(grown);
        set_mark(vm, vm->stack_end);
    } else if (grown != NULL) {
        memset(grown, 0, vm->task.sp_real - (uintptr_t)grown); /* above the mark it is clear */
        vm->stack = grown;
        vm->stack_end = grown + slots;
        vm->flags = GS_VM_FOREIGN_STACK;
    }
}

static size_t limit_slots(void)
{
    size_t bytes = gs_rt.opt.stack_limit != 0 ? gs_rt.opt.stack_limit : GS_STACK_LIMIT_DEFAULT;
    return bytes / sizeof(gs_value);
}

/* A stack of `slots`, of which the first `used` are the old one's. */
static bool move_stack(struct gs_vm *vm, size_t slots, size_t used)
{
    gs_value *to = gs_mem_zalloc(slots * sizeof *to);
    if (to == NULL)
        return false;
    memcpy(to, vm->stack, used * sizeof *to);
    ptrdiff_t base = vm->base - vm->stack, top = vm->top != NULL ? vm->top - vm->stack : 0;
    if (vm->flags & GS_VM_FOREIGN_STACK)
        gs_mem_free(vm->stack);
    vm->flags |= GS_VM_FOREIGN_STACK;
    vm->base = vm->base != NULL ? to + base : NULL;
    vm->top = vm->top != NULL ? to + top : NULL;
    vm->stack = to;
    vm->stack_end = to + slots;
    return true;
}

enum room { ROOM, AT_LIMIT, NO_MEMORY };

static enum room grow_stack(struct gs_vm *vm, gs_value *top, uint32_t n)
{
    gs_value *mark = (gs_value *)vm->task.sp_real;
    size_t have = (size_t)(vm->stack_end - vm->stack), at = (size_t)(top - vm->stack),
           need = at + n;
    if (need > have) {
        if (need > limit_slots())
            return AT_LIMIT;
        size_t slots = have * (have >= LARGE_STACK ? 4 : 2);
        if (slots < need)
            slots = need;
        if (slots > limit_slots())
            slots = limit_slots();
        size_t used = (size_t)(mark - vm->stack);
        if (!move_stack(vm, slots, used) && !move_stack(vm, need, used))
            return NO_MEMORY;
        mark = vm->stack + used;
    }
    gs_value *wanted = vm->stack + need + (need / 2 > MARK_STEP ? need / 2 : MARK_STEP);
    if (wanted > vm->stack_end)
        wanted = vm->stack_end;
    set_mark(vm, wanted > mark ? wanted : mark);
    return ROOM;
}

gs_status gs_vm_grow_stack(struct gs_vm *vm, gs_value *top, uint32_t n)
{
    enum room r = grow_stack(vm, top, n);
    if (r == AT_LIMIT)
        return (gs_status)gs_throw(vm, GS_ERR_STACK, "stack limit of %zu bytes reached",
                                   limit_slots() * sizeof(gs_value));
    return r == ROOM ? GS_OK : (gs_status)gs_throw_nomem(vm);
}

bool gs_vm_try_grow_stack(struct gs_vm *vm, gs_value *top, uint32_t n)
{
    return grow_stack(vm, top, n) == ROOM;
}

void gs_vm_trim_stack(struct gs_vm *vm)
{
    size_t have = (size_t)(vm->stack_end - vm->stack),
           used = (size_t)(gs_vm_frame_end(vm) - vm->stack);
    if (have <= 4 * LARGE_STACK || used > have / 16)
        return;
    if (move_stack(vm, have / 16 > used ? have / 16 : used, used))
        set_mark(vm, vm->stack + used);
}

/* ---- starting ---- */

/* A function whose arguments do not fit its parameters as they are, and everything else that can be
 * called, is entered from a frame of this code, so that wrong argument counts and natives need no
 * path of their own. R[0] the callee, R[2] an array of the arguments. */
static const gs_insn stub_code[] = {(gs_insn)GS_OP_CALLV | (gs_insn)1 << 32, (gs_insn)GS_OP_RET};
static const uint32_t stub_lines[] = {0, 0};
static _Atomic uint8_t stub_feedback[] = {0, 0};
static const struct gs_proto stub_proto = {.code = stub_code,
                                           .ncode = 2,
                                           .lines = stub_lines,
                                           .nregs = 3,
                                           .flags = GS_PF_PRELUDE | GS_PF_COLD,
                                           .fb = stub_feedback};
static const struct gs_func stub_func = {.h = {.kind = GS_T_FUNC, .flags = GS_OF_IMMORTAL},
                                         .proto = &stub_proto};

static bool fits(gs_value fn, uint32_t n)
{
    return gs_is(fn, GS_T_FUNC) && !(fn.f->proto->flags & GS_PF_REST) && fn.f->proto->nparams == n;
}

/* An empty stack gets n slots, if the first chunk can spare them. */
static void widen_stack(struct gs_vm *vm, uint32_t n)
{
    struct gs_heap *h = &vm->heap;
    uint32_t have = (uint32_t)(vm->stack_end - vm->stack), spare = (uint32_t)(h->end - h->cur) / sizeof(gs_value);
    if (n <= have || n - have > spare || h->end != (char *)vm->stack)
        return;
    vm->stack -= n - have;
    h->end = (char *)vm->stack;
    memset(vm->stack, 0, (n - have) * sizeof(gs_value));
}

/* The bottom frame is that of f, about to run. Its registers have been set. */
static void enter_bottom(struct gs_vm *vm, const struct gs_func *f)
{
    gs_value *base = vm->stack + 2;
    base[-2] = gs_objv(GS_T_FUNC, f);
    base[-1] = (gs_value){.p = NULL, .tag = GS_T_FRAME};
    vm->base = base;
    vm->pc = f->proto->code;
}

gs_status gs_vm_start(struct gs_vm *vm, gs_value fn, const gs_value *args, uint32_t n)
{
    bool direct = fits(fn, n);
    struct gs_array *all = direct ? NULL : gs_array_from(&vm->heap, args, n);
    uint32_t room = 2u + (direct ? fn.f->proto->nregs : stub_proto.nregs);
    if (!direct && all == NULL)
        return GS_E_NOMEM;
    widen_stack(vm, room);
    if ((uintptr_t)(vm->stack + room) > vm->task.sp_real &&
        gs_vm_grow_stack(vm, vm->stack, room) != GS_OK)
        return GS_E_NOMEM;
    gs_value *base = vm->stack + 2;
    if (direct) {
        for (uint32_t i = 0; i < n; i++) /* not memcpy: they have just been written by words */
            base[i] = gs_value_words(&args[i]);
    } else {
        base[0] = fn;
        base[2] = gs_objv(GS_T_ARRAY, all);
    }
    enter_bottom(vm, direct ? fn.f : &stub_func);
    return GS_OK;
}

static size_t chunk_used(const struct gs_vm *vm)
{
    return (size_t)(vm->heap.cur - ((const char *)vm + CHUNK_OFFSET));
}

void gs_vm_mark(struct gs_vm *vm)
{
    const struct gs_func *fn = vm->base[-2].f;
    bool can = fn != &stub_func && vm->ledger.n <= UINT8_MAX && gs_heap_is_bare(&vm->heap);
    vm->marked_fn = can ? fn : NULL;
    vm->marked_shares = (uint8_t)vm->ledger.n;
    vm->marked_used = (uint16_t)chunk_used(vm);
}

bool gs_vm_rewind(struct gs_vm *vm)
{
    bool same = vm->marked_fn != NULL && gs_vm_is_light(vm) && chunk_used(vm) == vm->marked_used && vm->ledger.n == vm->marked_shares && gs_load_rlx(&vm->park.number) == 0 &&
                (vm->flags & ~GS_VM_FOREIGN_STACK) == 0;
    if (same)
        enter_bottom(vm, vm->marked_fn);
    return same;
}

/* ---- collecting ---- */

static uint32_t nglobals(const struct gs_vm *vm)
{
    if (vm->globals == NULL)
        return 0;
    if (vm->layout != NULL)
        return vm->layout->n;
    return gs_rt.program != NULL ? gs_rt.program->nglobals : 0;
}

static gs_value *stack_top(const struct gs_vm *vm)
{
    if (vm->base == NULL)
        return vm->stack;
    gs_value *end = gs_vm_frame_end(vm);
    return vm->top != NULL && vm->top > end ? vm->top : end;
}

static void mark_roots(void *ctx, struct gs_marker *m)
{
    const struct gs_vm *vm = ctx;
    gs_gc_mark_values(m, vm->stack, (size_t)(stack_top(vm) - vm->stack));
    gs_gc_mark_values(m, vm->globals, nglobals(vm));
    gs_gc_mark_value(m, vm->error);
    gs_gc_mark_value(m, vm->result);
    gs_places_mark(vm, m);
}

static void met_handle(void *ctx, struct gs_hobj *o)
{
    gs_ledger_seen(ctx, o);
}

/* [G1] Everything above the top frame is cleared, and the mark comes down to where clearing next
 * time is cheap. */
static void clear_above(struct gs_vm *vm)
{
    gs_value *top = stack_top(vm), *mark = (gs_value *)vm->task.sp_real;
    if (mark > top)
        memset(top, 0, (size_t)(mark - top) * sizeof *top);
    gs_value *lower = top + MARK_STEP + (top - vm->stack) / 2;
    if (lower < mark)
        set_mark(vm, lower);
}

void gs_vm_collect(struct gs_vm *vm)
{
    if (GS_UNLIKELY(vm->compiled)) { /* hot.h, L2 */
        vm->refused = true;
        return;
    }
    bool traced = gs_trace_begin(GS_TRACE_GC, NULL, vm->heap.used);
    clear_above(vm);
    gs_ledger_begin(vm);
    bool done = gs_gc_collect(&vm->heap, mark_roots, met_handle, vm);
    struct gs_hobj **held = vm->ledger.v != NULL ? vm->ledger.v : vm->ledger.first;
    for (uint32_t i = 0; !done && i < vm->ledger.n; i++)
        gs_ledger_seen(vm, held[i]);
    gs_ledger_end(vm);
    gs_trace_end(traced, GS_TRACE_GC, NULL, vm->heap.used);
}
