/* SPDX-License-Identifier: MIT
 * jit.c - the face of the module: from a request to a unit. Contract: runtime/hot.h.
 *
 * Callees    A function that compiled code calls needs code of its own before its caller: unit_of compiles it on the way, with the
 *            kinds of its parameters as they come, and keeps it in a table for the next caller. A function that is being compiled
 *            further up (mutual recursion) has none yet: such a call leaves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decline.h"
#include "emit.h"
#include "graph.h"
#include "hot.h"
#include "session.h"
#include "types.h"

#define CALLEE_DEPTH 6u

struct known {
    struct known *next;
    const struct gs_proto *p;
    struct gs_own *own; /* the newest; NULL: declined */
    bool working;       /* being compiled */
    unsigned denied;    /* the request during which there was no code for it; see unit_of */
};
static struct known *known[1024]; /* by number of the function; the compile thread's */
static unsigned depth;
static unsigned serial;
static unsigned requests;
static enum gs_level level = GS_LEVEL_FULL;

static struct known *known_of(const struct gs_proto *p)
{
    struct known **at = &known[p->id % (sizeof known / sizeof known[0])];
    for (struct known *k = *at; k != NULL; k = k->next) {
        if (k->p == p)
            return k;
    }
    struct known *k = calloc(1, sizeof *k);
    if (k != NULL) {
        k->p = p;
        k->next = *at;
        *at = k;
    }
    return k;
}

static const struct gs_unit *compile(const struct gs_hot_request *r, const char **why);

/* The code for calls of p. Who asks during one compile always gets the same answer: the emitter must decide as the inference did. */
static struct gs_own *unit_of(const struct gs_proto *p)
{
    struct known *k = known_of(p);
    const struct gs_hot *hot = gs_hot_of(p);
    if (k == NULL)
        return NULL;
    if (k->own != NULL || k->working)
        return k->own;
    if (depth >= CALLEE_DEPTH || k->denied == requests)
        return NULL;
    if (hot == NULL) {
        k->denied = requests;
        return NULL;
    }
    gs_value *regs = calloc(p->nregs + 1u, sizeof *regs);
    if (regs == NULL)
        return NULL;
    for (uint32_t i = 0; i < p->nparams; i++)
        regs[i] = gs_unset(); /* nothing is known */
    struct gs_hot_entry *entry = gs_hot_entry_get((struct gs_proto *)(uintptr_t)p, 0);
    struct gs_hot_request r = {(struct gs_proto *)(uintptr_t)p, (struct gs_hot *)(uintptr_t)hot, entry, 2, regs};
    const char *why;
    if (entry != NULL)
        (void)compile(&r, &why);
    free(regs);
    if (k->own == NULL)
        k->denied = requests;
    return k->own;
}

static gs_kinds param_kind(const struct gs_hot_request *r, uint32_t i)
{
    gs_kinds k = GS_K(gs_kind(r->regs[i]));
    return r->generation <= 1 && gs_kinds_single(k) && !gs_is(r->regs[i], GS_T_UNSET) ? k : GS_K_ANY;
}

static struct gs_own *own_make(const struct gs_hot_request *r)
{
    struct gs_own *o = gs_perm_alloc(sizeof *o); /* callers' code refers to it */
    o->p = r->p;
    o->nparams = r->p->nparams;
    for (uint32_t i = 0; i < o->nparams; i++)
        o->param[i] = param_kind(r, i);
    return o;
}

static struct gs_unit *build(struct gs_types *t, const struct gs_hot_request *r, const char **why)
{
    char enter[64], own[64], label[256];
    const char *names[2] = {enter, own};
    void *code[2] = {NULL, NULL};
    if (!gs_types_infer(t)) {
        *why = GS_DECLINE(NOMEM);
        return NULL;
    }
    (void)snprintf(enter, sizeof enter, "goost_enter_%u", serial);
    (void)snprintf(own, sizeof own, "goost_own_%u", serial++);
    (void)snprintf(label, sizeof label, "%.*s %s:%u", (int)r->p->name->len, r->p->name->data, r->p->mod->path,
                   r->p->lines[r->entry->pc]);
    LLVMModuleRef m = gs_emit_unit(t, enter, own, why);
    if (m == NULL || !gs_session_compile(m, level, names, code, t->g->is_loop ? 1 : 2, label, why))
        return NULL;
    struct gs_unit *u = gs_perm_alloc(sizeof *u); /* frames may be in it at any time */
    memcpy(&u->enter, &code[0], sizeof u->enter);
    u->generation = r->generation;
    u->slots = t->g->nslots;
    if (t->self != NULL) {
        t->self->code = code[1];
        u->own = t->self;
    }
    return u;
}

static const struct gs_unit *compile(const struct gs_hot_request *r, const char **why)
{
    struct gs_unit *u = NULL;
    struct known *k = r->entry->pc == 0 ? known_of(r->p) : NULL;
    if (!gs_session_open(why))
        return NULL;
    if (r->entry->pc == 0 && (k == NULL || r->p->nparams > GS_OWN_PARAMS || (r->p->flags & GS_PF_REST))) {
        *why = GS_DECLINE(TOO_MANY_REGS);
        return NULL;
    }
    struct gs_graph *g = gs_graph_make(r, why);
    if (g == NULL)
        return NULL;
    struct gs_types t = {.g = g, .self = k != NULL ? own_make(r) : NULL, .unit_of = unit_of};
    bool outer = k != NULL && k->working;
    requests += depth == 0;
    depth++;
    if (k != NULL)
        k->working = true;
    u = build(&t, r, why);
    if (k != NULL)
        k->working = outer;
    depth--;
    if (u != NULL && k != NULL)
        k->own = t.self;
    free(t.in);
    free(t.seen);
    gs_graph_free(g);
    return u;
}

static void dump(void *out, const struct gs_proto *p)
{
    (void)p;
    const char *ir = gs_session_ir(), *text = gs_session_asm();
    if (ir != NULL)
        fputs(ir, out);
    if (text != NULL)
        fputs(text, out);
}

extern const struct gs_jit_face goost_jit_face;
GS_API const struct gs_jit_face goost_jit_face = {compile, dump};
