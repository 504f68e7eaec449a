/* SPDX-License-Identifier: MIT
 * jit.c - the face of the module: from a request to a unit. Contract: runtime/hot.h.
 *
 * Callees    A function that compiled code calls needs code of its own before its caller: unit_of compiles it on the way, for the kinds
 *            of the arguments at the first site that asks, and keeps it in a table for the next caller. A site whose arguments have not
 *            fitted gets code for all kinds. A function that is being compiled further up (mutual recursion) has no address yet: such
 *            a call loads it when it is made.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decline.h"
#include "emit.h"
#include "graph.h"
#include "hot.h"
#include "inspect.h"
#include "session.h"
#include "types.h"

#define CALLEE_DEPTH 6u

struct known {
    struct known *next;
    const struct gs_proto *p;
    struct gs_own *own;    /* the newest that was asked for by itself, or the first; NULL: none */
    struct gs_own *wide;   /* takes arguments of any kinds; NULL: none */
    struct gs_own *making; /* being compiled */
    struct gs_own *later;  /* the same, for those it calls */
    unsigned denied;       /* the request during which there was no code for it; see unit_of */
};
static struct known *known[1024]; /* by number of the function; the compile thread's */
static unsigned depth;
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

/* The function is being compiled: its code as others may call it. What it gives is not known yet. */
static struct gs_own *later(struct known *k)
{
    if (k->later == NULL) {
        k->later = gs_perm_alloc(sizeof *k->later);
        *k->later = *k->making;
        k->later->ret = GS_K_ANY & ~GS_K(GS_T_UNSET);
        k->later->later = &k->making->code;
    }
    return k->later;
}

/* Whether arguments of kinds args (NULL: any) may be what o takes. */
static bool takes(const struct gs_own *o, const gs_kinds *args)
{
    for (uint32_t i = 0; i < o->nparams; i++) {
        if (args == NULL ? o->param[i] != GS_K_ANY : args[i] != 0 && (o->param[i] & args[i]) == 0)
            return false;
    }
    return true;
}

/* Contract: types.h. During one compile the answer depends on args alone: the emitter must decide as the inference did. */
static struct gs_own *unit_of(const struct gs_proto *p, const gs_kinds *args)
{
    struct known *k = known_of(p);
    const struct gs_hot *hot = gs_hot_of(p);
    if (k == NULL)
        return NULL;
    if (k->own != NULL && takes(k->own, args))
        return k->own;
    if (k->making != NULL)
        return takes(k->making, args) ? later(k) : NULL;
    if (k->own != NULL)
        args = NULL;
    if (args == NULL && k->wide != NULL)
        return k->wide;
    if (depth >= CALLEE_DEPTH || k->denied == requests)
        return NULL;
    struct gs_hot_entry *entry = hot != NULL ? gs_hot_entry_get((struct gs_proto *)(uintptr_t)p, 0) : NULL;
    gs_value *regs = calloc(p->nregs + 1u, sizeof *regs);
    if (entry != NULL && regs != NULL) {
        for (uint32_t i = 0; i < p->nparams; i++)
            regs[i].tag = args != NULL && gs_kinds_single(args[i]) ? (uint64_t)__builtin_ctz(args[i]) : GS_T_HANDLE;
        struct gs_hot_request r = {(struct gs_proto *)(uintptr_t)p, (struct gs_hot *)(uintptr_t)hot, entry, 1, regs};
        const char *why;
        (void)compile(&r, &why);
    }
    free(regs);
    struct gs_own *made = k->own != NULL && takes(k->own, args) ? k->own : k->wide;
    if (made == NULL)
        k->denied = requests;
    return made;
}

static gs_kinds param_kind(const struct gs_hot_request *r, uint32_t i)
{
    gs_kinds k = GS_K(gs_kind(r->regs[i]));
    /* Of a request of the runtime a parameter without value tells nothing: another call gives one. */
    bool told = depth != 0 || !gs_is(r->regs[i], GS_T_UNSET);
    return r->generation <= 1 && gs_kinds_single(k) && told ? k : GS_K_ANY;
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
    const char *names[2] = {t->g->is_loop ? "loop" : "entry", "code"};
    char label[512];
    void *code[2] = {NULL, NULL};
    if (!gs_types_infer(t)) {
        *why = GS_DECLINE(NOMEM);
        return NULL;
    }
    gs_inspect_label(label, sizeof label, t->g);
    LLVMModuleRef m = gs_emit_unit(t, names[0], names[1], why);
    if (m == NULL || !gs_session_compile(m, level, names, code, t->g->is_loop ? 1 : 2, label, why))
        return NULL;
    if (gs_inspect_wanted())
        gs_inspect_unit(t->g);
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
    if (r->entry->pc == 0 && (k == NULL || r->p->nparams > GS_OWN_PARAMS)) {
        *why = GS_DECLINE(TOO_MANY_REGS);
        return NULL;
    }
    struct gs_graph *g = gs_graph_make(r, why);
    if (g == NULL)
        return NULL;
    struct gs_types t = {.g = g, .self = k != NULL ? own_make(r) : NULL, .unit_of = unit_of};
    requests += depth == 0;
    depth++;
    if (k != NULL)
        k->making = t.self;
    u = build(&t, r, why);
    depth--;
    if (k != NULL) {
        k->making = k->later = NULL;
        bool wide = takes(t.self, NULL);
        if (u != NULL && wide)
            k->wide = t.self;
        if (u != NULL && (depth == 0 || !wide || k->own == NULL)) /* what the callers on their way have seen stays */
            k->own = t.self;
    }
    free(t.in);
    free(t.seen);
    gs_graph_free(g);
    return u;
}

/* A request of the runtime; unit_of makes others on the way. */
static const struct gs_unit *serve(const struct gs_hot_request *r, const char **why)
{
    bool listing = gs_inspect_wanted();
    gs_session_keep_text(listing);
    const struct gs_unit *u = compile(r, why);
    if (u == NULL && listing)
        gs_inspect_declined(r, *why);
    return u;
}

extern const struct gs_jit_face goost_jit_face;
GS_API const struct gs_jit_face goost_jit_face = {serve, gs_inspect_dump};
