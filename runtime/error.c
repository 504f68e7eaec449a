/* SPDX-License-Identifier: MIT
 * error.c - script errors: raising, unwinding, traces, the report of uncaught ones. Contract:
 * error.h.
 *
 * Objects    Runtime errors are plain objects of one shape {kind, message, file, line, stack};
 *            `stack` is made at the throw, because the frames are gone when somebody looks.
 * Values     A thrown object with a `message` gets the place fields that it lacks. Other values
 *            cannot carry a place: it is remembered beside them in vm->places (the last PLACES of
 *            them, found again by identity when a `finally` throws them on), and used by the report
 *            of an uncaught one.
 * Traces     Frames of the prelude are left out. Of more than 2 * TRACE_ENDS frames the middle is
 *            left out, with one line that says how many.
 * Memory     Errors are raised when memory is out, too: while one is being made the heap's limit is
 *            lifted. When even the allocator has nothing more, the error is an immortal string.
 */
#include "error.h"

#include <stdarg.h>
#include <string.h>

#include "array.h"
#include "port/mem.h"
#include "shape.h"
#include "slow.h"
#include "str.h"
#include "text.h"

#define TRACE_ENDS 50u
#define PLACES 4u

const char *gs_kind_word(gs_value v)
{
    return gs_typeof_name(v);
}

/* ---- walking frames ---- */

struct frame {
    gs_value *base;
    const gs_insn *pc; /* behind the instruction it is at */
};

static bool frame_first(const struct gs_vm *vm, struct frame *f)
{
    f->base = vm->base;
    f->pc = vm->pc;
    return f->base != NULL;
}

static bool frame_next(struct frame *f)
{
    gs_value link = f->base[-1];
    f->pc = link.p;
    f->base -= link.tag >> 32;
    return f->pc != NULL;
}

static const struct gs_proto *frame_proto(const struct frame *f)
{
    return f->base[-2].f->proto;
}

static uint32_t frame_line(const struct frame *f)
{
    const struct gs_proto *p = frame_proto(f);
    ptrdiff_t at = f->pc - p->code;
    return p->lines[at > 0 ? at - 1 : 0];
}

static bool frame_shown(const struct frame *f)
{
    return (frame_proto(f)->flags & GS_PF_PRELUDE) == 0;
}

static const char *proto_file(const struct gs_proto *p)
{
    return p->mod != NULL && p->mod->path != NULL ? p->mod->path : "?";
}

static const char *proto_name(const struct gs_proto *p)
{
    return p->flags & GS_PF_MAIN ? "main" : p->name->data;
}

void gs_vm_place(const struct gs_vm *vm, const char **file, uint32_t *line)
{
    struct frame f;
    *file = "?";
    *line = 0;
    if (!frame_first(vm, &f))
        return;
    do {
        if (!frame_shown(&f))
            continue;
        *file = proto_file(frame_proto(&f));
        *line = frame_line(&f);
        return;
    } while (frame_next(&f));
    /* A task whose function has not been entered (wrong number of arguments): the place of the
     * function. */
    if (gs_is(f.base[0], GS_T_FUNC)) {
        *file = proto_file(f.base[0].f->proto);
        *line = f.base[0].f->proto->line;
    }
}

/* A trace, innermost frame first: fr[0..n) and, when total > n, `total - n` frames left out behind
 * the first TRACE_ENDS. */
struct trace {
    uint32_t n, total;
    struct trace_frame {
        const struct gs_proto *p;
        uint32_t line;
    } fr[2 * TRACE_ENDS];
};

static void trace_take(const struct gs_vm *vm, struct trace *t)
{
    struct frame f;
    t->n = t->total = 0;
    if (!frame_first(vm, &f))
        return;
    do {
        if (!frame_shown(&f))
            continue;
        /* The second half is a ring that ends up holding the outermost frames. */
        uint32_t i =
            t->total < TRACE_ENDS ? t->total : TRACE_ENDS + (t->total - TRACE_ENDS) % TRACE_ENDS;
        t->fr[i].p = frame_proto(&f);
        t->fr[i].line = frame_line(&f);
        t->total++;
    } while (frame_next(&f));
    t->n = t->total < 2 * TRACE_ENDS ? t->total : 2 * TRACE_ENDS;
}

/* Entry i of [0, n), the ring unrolled. */
static const struct trace_frame *trace_at(const struct trace *t, uint32_t i)
{
    if (i < TRACE_ENDS || t->total <= 2 * TRACE_ENDS)
        return &t->fr[i];
    return &t->fr[TRACE_ENDS + (i - TRACE_ENDS + (t->total - TRACE_ENDS)) % TRACE_ENDS];
}

static void trace_entry(struct gs_buf *b, const struct trace_frame *f)
{
    gs_buf_printf(b, "%s:%u in %s", proto_file(f->p), f->line, proto_name(f->p));
}

static void trace_gap(struct gs_buf *b, const struct trace *t)
{
    gs_buf_printf(b, "... %u more ...", t->total - t->n);
}

static bool trace_has_gap(const struct trace *t, uint32_t i)
{
    return i == TRACE_ENDS && t->total > t->n;
}

static bool push_text(struct gs_heap *h, struct gs_array *a, struct gs_buf *b)
{
    struct gs_str *s = b->failed ? NULL : gs_str_new(h, b->p, b->len);
    b->len = 0;
    return s != NULL && gs_array_push(h, a, gs_strv(s)) == GS_OK;
}

static struct gs_array *trace_array(const struct trace *t, struct gs_heap *h)
{
    struct gs_array *a = gs_array_new(h);
    struct gs_buf b = {0};
    bool ok = a != NULL;
    for (uint32_t i = 0; i < t->n && ok; i++) {
        if (trace_has_gap(t, i)) {
            trace_gap(&b, t);
            ok = push_text(h, a, &b);
        }
        trace_entry(&b, trace_at(t, i));
        ok = ok && push_text(h, a, &b);
    }
    gs_buf_free(&b);
    return ok ? a : NULL;
}

struct gs_array *gs_stack_trace(struct gs_vm *vm, struct gs_heap *h)
{
    struct trace t;
    trace_take(vm, &t);
    return trace_array(&t, h);
}

void gs_stack_text(const struct gs_vm *vm, struct gs_buf *out, const char *indent)
{
    struct trace t;
    trace_take(vm, &t);
    for (uint32_t i = 0; i < t.n; i++) {
        if (trace_has_gap(&t, i)) {
            gs_buf_putz(out, indent);
            trace_gap(out, &t);
            gs_buf_putc(out, '\n');
        }
        gs_buf_putz(out, indent);
        trace_entry(out, trace_at(&t, i));
        gs_buf_putc(out, '\n');
    }
}

/* ---- places of values that carry none ---- */

struct gs_places {
    uint32_t next;
    struct place {
        bool used;
        gs_value v;
        struct trace *t; /* only as large as it has frames */
    } at[PLACES];
};

static struct place *place_find(const struct gs_vm *vm, gs_value v)
{
    for (uint32_t i = 0; vm->places != NULL && i < PLACES; i++) {
        struct place *p = &vm->places->at[i];
        if (p->used && gs_same(p->v, v))
            return p;
    }
    return NULL;
}

/* Best effort: without memory the report merely lacks the place. */
static void place_record(struct gs_vm *vm, gs_value v)
{
    if (vm->places == NULL)
        vm->places = gs_mem_zalloc(sizeof *vm->places);
    if (vm->places == NULL)
        return;
    struct place *p = place_find(vm, v);
    if (p == NULL)
        p = &vm->places->at[vm->places->next++ % PLACES];
    struct trace t;
    trace_take(vm, &t);
    size_t size = offsetof(struct trace, fr) + t.n * sizeof t.fr[0];
    struct trace *kept = gs_mem_realloc(p->t, size);
    p->used = kept != NULL;
    if (kept == NULL)
        return;
    memcpy(kept, &t, size);
    p->t = kept;
    p->v = v;
}

void gs_places_fini(struct gs_vm *vm)
{
    for (uint32_t i = 0; vm->places != NULL && i < PLACES; i++)
        gs_mem_free(vm->places->at[i].t);
    gs_mem_free(vm->places);
    vm->places = NULL;
}

void gs_places_mark(const struct gs_vm *vm, struct gs_marker *m)
{
    for (uint32_t i = 0; vm->places != NULL && i < PLACES; i++)
        gs_gc_mark_value(m, vm->places->at[i].v);
}

/* ---- making errors ---- */

enum { F_KIND, F_MESSAGE, F_FILE, F_LINE, F_STACK, F_COUNT };

static struct gs_str *field_atom(int f)
{
    static const char *const names[F_COUNT] = {"kind", "message", "file", "line", "stack"};
    static _Atomic(struct gs_str *) atoms[F_COUNT];
    struct gs_str *a =
        gs_load_acq(&atoms[f]); /* [E1] the atom is complete before it is published */
    if (a == NULL) {
        a = gs_atomz(names[f]);
        gs_store_rel(&atoms[f], a); /* [E1] */
    }
    return a;
}

static uint32_t error_shape(void)
{
    static _Atomic uint32_t known;
    uint32_t id = gs_load_acq(&known); /* [E2] as [E1], for the shape */
    if (id == 0) {
        struct gs_shape *s = gs_shape_get(gs_shape_plain);
        for (int f = 0; f < F_COUNT; f++)
            s = gs_shape_add(s, field_atom(f));
        id = s->id;
        gs_store_rel(&known, id); /* [E2] */
    }
    return id;
}

/* NULL when memory is out. */
static struct gs_object *error_object(struct gs_vm *vm, const char *kind, const char *msg, size_t n)
{
    struct gs_heap *h = &vm->heap;
    const char *file;
    uint32_t line;
    gs_vm_place(vm, &file, &line);
    struct gs_array *stack = gs_stack_trace(vm, h);
    struct gs_str *text = gs_str_new(h, msg, n);
    struct gs_object *o = gs_object_new(h, error_shape(), F_COUNT);
    if (o == NULL || text == NULL || stack == NULL)
        return NULL;
    gs_value v[F_COUNT] = {gs_strv(gs_atomz(kind)), gs_strv(text), gs_strv(gs_atomz(file)),
                           gs_int(line), gs_objv(GS_T_ARRAY, stack)};
    for (uint32_t f = 0; f < F_COUNT; f++) {
        if (gs_shape_get(o->h.aux32)->flags & GS_SHAPE_DICT) { /* all shapes are used up */
            if (gs_object_put(h, o, field_atom((int)f), v[f]) != GS_OK)
                return NULL;
        } else {
            o->slots[f] = v[f];
        }
    }
    return o;
}

static gs_value last_resort(void)
{
    static _Atomic(struct gs_str *) text;
    struct gs_str *s = gs_load_acq(&text); /* [E3] as [E1] */
    if (s == NULL) {
        s = gs_str_immortal("OutOfMemory: out of memory", 26);
        gs_store_rel(&text, s); /* [E3] */
    }
    return gs_strv(s);
}

static int throw_text(struct gs_vm *vm, enum gs_errkind k, const char *field, gs_value extra,
                      const char *msg, size_t n)
{
    vm->heap.urgent = true;
    struct gs_object *o = error_object(vm, gs_errkind_text(k), msg, n);
    if (o != NULL && field != NULL && gs_object_put(&vm->heap, o, gs_atomz(field), extra) != GS_OK)
        o = NULL;
    vm->heap.urgent = false;
    if (o != NULL) {
        vm->error = gs_objv(GS_T_OBJECT, o);
        return GS_E_THROWN;
    }
    vm->error = last_resort();
    place_record(vm, vm->error);
    return GS_E_THROWN;
}

static int throw_format(struct gs_vm *vm, enum gs_errkind k, const char *field, gs_value extra,
                        const char *fmt, va_list ap) __attribute__((format(printf, 5, 0)));
static int throw_format(struct gs_vm *vm, enum gs_errkind k, const char *field, gs_value extra,
                        const char *fmt, va_list ap)
{
    char small[256];
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    char *large = n >= (int)sizeof small ? gs_mem_alloc((size_t)n + 1) : NULL;
    const char *msg = small;
    if (large != NULL) {
        (void)vsnprintf(large, (size_t)n + 1, fmt, again);
        msg = large;
    } else if (n >= (int)sizeof small) {
        n = (int)sizeof small - 1;
    }
    va_end(again);
    int st = throw_text(vm, k, field, extra, msg, n > 0 ? (size_t)n : 0);
    gs_mem_free(large);
    return st;
}

int gs_throw(struct gs_vm *vm, enum gs_errkind k, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int st = throw_format(vm, k, NULL, gs_nil(), fmt, ap);
    va_end(ap);
    return st;
}

int gs_throw_with(struct gs_vm *vm, enum gs_errkind k, const char *field, gs_value v,
                  const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int st = throw_format(vm, k, field, v, fmt, ap);
    va_end(ap);
    return st;
}

int gs_throw_nomem(struct gs_vm *vm)
{
    return gs_throw(vm, GS_ERR_MEMORY, "out of memory");
}

int gs_throw_arity(struct gs_vm *vm, const char *name, uint32_t min, uint32_t max, bool any,
                   uint32_t got)
{
    if (any)
        return gs_throw(vm, GS_ERR_ARITY, "function \"%s\" expects at least %u argument%s, got %u",
                        name, min, min == 1 ? "" : "s", got);
    if (min != max)
        return gs_throw(vm, GS_ERR_ARITY, "function \"%s\" expects %u to %u arguments, got %u",
                        name, min, max, got);
    return gs_throw(vm, GS_ERR_ARITY, "function \"%s\" expects %u argument%s, got %u", name, min,
                    min == 1 ? "" : "s", got);
}

/* ---- throwing values ---- */

static bool lacks(const struct gs_object *o, int f)
{
    gs_value v;
    return !gs_object_get_atom(o, field_atom(f), &v);
}

/* An object with a message gets what it lacks of file, line and stack; best effort when memory is
 * out. */
static void complete(struct gs_vm *vm, struct gs_object *o)
{
    struct gs_heap *h = &vm->heap;
    const char *file;
    uint32_t line;
    h->urgent = true;
    gs_vm_place(vm, &file, &line);
    if (lacks(o, F_FILE))
        (void)gs_object_put(h, o, field_atom(F_FILE), gs_strv(gs_atomz(file)));
    if (lacks(o, F_LINE))
        (void)gs_object_put(h, o, field_atom(F_LINE), gs_int(line));
    struct gs_array *stack = gs_stack_trace(vm, h);
    if (stack != NULL)
        (void)gs_object_put(h, o, field_atom(F_STACK), gs_objv(GS_T_ARRAY, stack));
    h->urgent = false;
}

int gs_throw_value(struct gs_vm *vm, gs_value v)
{
    vm->error = v;
    if (!gs_is(v, GS_T_OBJECT) || lacks(v.m, F_MESSAGE))
        place_record(vm, v);
    else if (lacks(v.m, F_STACK))
        complete(vm, v.m);
    return GS_E_THROWN;
}

int gs_rethrow(struct gs_vm *vm, gs_value v)
{
    vm->error = v;
    return GS_E_THROWN;
}

/* ---- unwinding ---- */

static const struct gs_handler *handler_of(const struct gs_proto *p, const gs_insn *pc)
{
    if (pc == p->code) /* raised at the entry: the call's business */
        return NULL;
    uint32_t at = (uint32_t)(pc - p->code) - 1;
    for (uint32_t i = 0; i < p->nhandlers; i++) {
        if (at >= p->handlers[i].from && at < p->handlers[i].to)
            return &p->handlers[i];
    }
    return NULL;
}

bool gs_unwind(struct gs_vm *vm)
{
    struct frame f = {.base = vm->base, .pc = vm->pc};
    vm->top = NULL;
    do {
        const struct gs_proto *p = frame_proto(&f);
        const struct gs_handler *h = handler_of(p, f.pc);
        if (h == NULL)
            continue;
        f.base[h->reg] = vm->error;
        /* The registers behind it are free as a handler begins (emit_try.c). Cleared, so that what filled the memory, say, does not outlive
         * the error in them. */
        for (uint32_t i = h->reg + 1u; i < p->nregs; i++)
            f.base[i] = gs_nil();
        vm->error = gs_nil();
        vm->base = f.base;
        vm->pc = p->code + h->target;
        gs_vm_trim_stack(vm);
        if (gs_vm_wants_gc(vm)) /* making errors asks for no collection, and a loop may do nothing else */
            gs_vm_collect(vm);
        return true;
    } while (frame_next(&f));
    return false;
}

/* ---- reports ---- */

static bool field(const struct gs_object *o, int f, gs_value *out)
{
    return gs_object_get_atom(o, field_atom(f), out);
}

static void report_stack(struct gs_buf *out, const struct gs_object *o)
{
    gs_value stack;
    if (!field(o, F_STACK, &stack) || !gs_is(stack, GS_T_ARRAY))
        return;
    for (int64_t i = 0; i < stack.a->len; i++) {
        gs_buf_putz(out, "  at ");
        gs_text_value(out, gs_array_at(stack.a, i), true);
        gs_buf_putc(out, '\n');
    }
}

static void report_object(struct gs_buf *out, const struct gs_object *o, gs_value message)
{
    gs_value file, line, kind;
    if (field(o, F_FILE, &file) && gs_is(file, GS_T_STR) && field(o, F_LINE, &line) &&
        gs_is(line, GS_T_INT)) {
        gs_buf_put(out, file.s->data, file.s->len);
        gs_buf_printf(out, ":%lld: ", (long long)line.i);
    }
    if (field(o, F_KIND, &kind) && !gs_is(kind, GS_T_NIL)) {
        gs_text_value(out, kind, true);
        gs_buf_putz(out, ": ");
    }
    gs_text_value(out, message, true);
    gs_buf_putc(out, '\n');
    report_stack(out, o);
}

static void report_placed(struct gs_buf *out, gs_value err, const struct trace *t)
{
    if (t != NULL && t->n > 0)
        gs_buf_printf(out, "%s:%u: ", proto_file(t->fr[0].p), t->fr[0].line);
    gs_text_value(out, err, true);
    gs_buf_putc(out, '\n');
    for (uint32_t i = 0; t != NULL && i < t->n; i++) {
        if (trace_has_gap(t, i)) {
            gs_buf_putz(out, "  ");
            trace_gap(out, t);
            gs_buf_putc(out, '\n');
        }
        gs_buf_putz(out, "  at ");
        trace_entry(out, trace_at(t, i));
        gs_buf_putc(out, '\n');
    }
}

static void report(struct gs_buf *out, gs_value err, const struct trace *t)
{
    gs_value message;
    if (gs_is(err, GS_T_OBJECT) && field(err.m, F_MESSAGE, &message))
        report_object(out, err.m, message);
    else
        report_placed(out, err, t);
}

void gs_error_report(struct gs_buf *out, gs_value err)
{
    report(out, err, NULL);
}

void gs_vm_error_report(struct gs_buf *out, const struct gs_vm *vm)
{
    const struct place *p = place_find(vm, vm->error);
    report(out, vm->error, p != NULL ? p->t : NULL);
}
