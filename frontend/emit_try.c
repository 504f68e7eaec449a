/* SPDX-License-Identifier: MIT
 * emit_try.c - try, finally, defer, and everything that leaves a block early.
 *
 * Finally    Its code stands once. Two registers say how the body was left: a code, and the value
 *            returned or the error under way. Whoever leaves the body sets them and jumps to the
 *            finally code; behind it a list of tests goes on from there. A return or throw inside
 *            the finally code just leaves, and so wins.
 *                GS_EXIT_NORMAL      go on behind
 *                GS_EXIT_ERROR       unwind further
 *                GS_EXIT_FIRST + i   exits.v[i]
 * Defer      A function with defer has a hidden list; its whole body stands under such a finally
 *            whose code makes the calls, last one first, under a handler of its own that replaces
 *            the error under way and goes on with the rest.
 */
#include "emit_int.h"

/* --- leaving ---------------------------------------------------------------------------------- */

static int32_t exit_code(struct gs_finally *f, struct gs_exit x)
{
    for (uint32_t i = 0; i < f->exits.n; i++) {
        const struct gs_exit *y = &f->exits.v[i];
        if (y->is_return == x.is_return && (x.is_return || y->label == x.label))
            return (int32_t)(GS_EXIT_FIRST + i);
    }
    GS_VEC_PUSH(&f->exits, x);
    return (int32_t)(GS_EXIT_FIRST + f->exits.n - 1);
}

/* Leaves through the innermost finally, or straight when none is on the way. value: register, for a
 * return. */
static void leave(struct gs_emit *e, struct gs_exit x, uint32_t value)
{
    struct gs_finally *f = e->fin;
    if (x.is_return ? f == NULL : f == x.fin) {
        if (!x.is_return) {
            gs_goto(e, x.label);
            return;
        }
        gs_put_abc(e, GS_OP_RET, value, 0, 0);
        e->dead = true;
        return;
    }
    if (x.is_return)
        gs_move(e, f->value, value);
    gs_put_abx(e, GS_OP_LOADI, f->code, exit_code(f, x));
    gs_goto(e, f->entry);
}

void gs_return(struct gs_emit *e, const struct gs_node *n)
{
    if (n->a == NULL && e->fin == NULL) {
        gs_put_abc(e, GS_OP_RETNIL, 0, 0, 0);
        e->dead = true;
        return;
    }
    uint32_t r;
    if (n->a != NULL) {
        r = gs_expr(e, n->a);
    } else {
        r = gs_alloc(e, 1);
        gs_load(e, r, gs_nil());
    }
    e->line = n->pos.line;
    leave(e, (struct gs_exit){.is_return = true}, r);
}

void gs_leave_loop(struct gs_emit *e, bool is_break)
{
    const struct gs_loop *l = e->loop;
    leave(e, (struct gs_exit){.label = is_break ? l->on_break : l->on_continue, .fin = l->fin}, 0);
}

/* --- finally ---------------------------------------------------------------------------------- */

static void finally_begin(struct gs_emit *e, struct gs_finally *f)
{
    *f = (struct gs_finally){.outer = e->fin};
    f->code = gs_alloc(e, 1);
    f->value = gs_alloc(e, 1);
    f->entry = gs_label(e);
    e->vars = e->top;
    e->fin = f;
}

/* The body ends here, having begun at `from`: the ways into the finally code, which follows. */
static void finally_enter(struct gs_emit *e, struct gs_finally *f, uint32_t from)
{
    uint32_t to = gs_here(e);
    e->fin = f->outer;
    gs_put_abx(e, GS_OP_LOADI, f->code, GS_EXIT_NORMAL);
    gs_goto(e, f->entry);
    gs_handler(e, from, to, f->value);
    gs_put_abx(e, GS_OP_LOADI, f->code, GS_EXIT_ERROR);
    gs_place(e, f->entry);
}

/* Behind the finally code: on from where the body was left. */
static void finally_leave(struct gs_emit *e, struct gs_finally *f)
{
    for (uint32_t i = 0; i < f->exits.n; i++) {
        uint32_t next = gs_label(e);
        gs_jump(e, gs_insn_abc(GS_OP_JNEI, f->code, GS_EXIT_FIRST + i, 0), next);
        leave(e, f->exits.v[i], f->value);
        gs_place(e, next);
    }
    uint32_t next = gs_label(e);
    gs_jump(e, gs_insn_abc(GS_OP_JNEI, f->code, GS_EXIT_ERROR, 0), next);
    gs_put_abc(e, GS_OP_RETHROW, f->value, 0, 0);
    e->dead = true;
    gs_place(e, next);
    GS_VEC_FREE(&f->exits);
}

/* --- try -------------------------------------------------------------------------------------- */

static void catch_block(struct gs_emit *e, const struct gs_node *n, uint32_t from)
{
    uint32_t to = gs_here(e), end = gs_label(e), top = e->top, vars = e->vars;
    gs_goto(e, end);
    uint32_t reg = gs_alloc(e, 1);
    gs_handler(e, from, to, reg);
    e->line = n->b->pos.line;
    if (n->info != NULL)
        gs_declare(e, n->info, reg);
    gs_block(e, n->b);
    gs_place(e, end);
    e->top = top;
    e->vars = vars;
}

void gs_try(struct gs_emit *e, const struct gs_node *n)
{
    struct gs_finally f;
    uint32_t top = e->top, vars = e->vars;
    if (n->c != NULL)
        finally_begin(e, &f);
    uint32_t from = gs_here(e);
    gs_block(e, n->a);
    if (n->b != NULL)
        catch_block(e, n, from);
    if (n->c != NULL) {
        e->line = n->c->pos.line;
        finally_enter(e, &f, from);
        gs_block(e, n->c);
        finally_leave(e, &f);
    }
    e->top = top;
    e->vars = vars;
}

/* --- defer ------------------------------------------------------------------------------------ */

void gs_defer(struct gs_emit *e, const struct gs_node *n)
{
    uint32_t top = e->top, base = gs_alloc(e, 1);
    uint32_t nargs = gs_defer_window(e, n->a, base);
    e->line = n->a->pos.line;
    gs_put_abc(e, GS_OP_DEFERPUSH, e->defer_reg, base, nargs);
    gs_free_to(e, top);
}

void gs_defer_begin(struct gs_emit *e, struct gs_finally *f)
{
    e->defer_reg = gs_alloc(e, 1);
    gs_load(e, e->defer_reg, gs_nil());
    finally_begin(e, f);
}

void gs_defer_end(struct gs_emit *e, struct gs_finally *f, uint32_t from, uint32_t line)
{
    uint32_t top = e->top, calls = gs_label(e), done = gs_label(e);
    e->line = line;
    finally_enter(e, f, from);
    gs_place_loop(e, calls);
    uint32_t begin = gs_here(e), base = gs_alloc(e, 2);
    gs_jump(e, gs_insn_abc(GS_OP_DEFERCALL, base, e->defer_reg, 0), done);
    uint32_t end = gs_here(e);
    gs_goto(e, calls);
    gs_handler(e, begin, end, f->value);
    gs_put_abx(e, GS_OP_LOADI, f->code, GS_EXIT_ERROR);
    gs_goto(e, calls);
    gs_free_to(e, top);
    gs_place(e, done);
    finally_leave(e, f);
}
