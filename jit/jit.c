/* SPDX-License-Identifier: MIT
 * jit.c - the face of the module: from a request to a unit. Contract: runtime/hot.h.
 *
 * Callees    A function that compiled code calls needs code of its own before its caller: unit_of compiles it on the way, for the kinds
 *            of the arguments at the first site that asks, and keeps it in a table for the next caller. A site whose arguments have not
 *            fitted gets code for all kinds. A function that is being compiled further up (mutual recursion) has an empty cell until then.
 * Ways       What a call passes and gets back is a way (struct gs_own) with a cell for the code. A function has one for each that was ever
 *            needed: code that is made anew for the same kinds comes into the cell of the old, and its callers go on with it.
 *            Cells may be emptied at any time by threads that drop units. Within a request that must not change what unit_of answers, so the
 *            table is brought up to date when a function is first asked for in a request.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decline.h"
#include "emit.h"
#include "graph.h"
#include "hot.h"
#include "inspect.h"
#include "rest.h"
#include "session.h"
#include "types.h"

#define CALLEE_DEPTH 6u
#define BIG_NODES 1500u /* a unit of more is made QUICK and stays so: 0.2 s, where FULL would take 0.3 */

struct known {
    struct known *next;
    const struct gs_proto *p;
    struct gs_own *own;    /* the newest that was asked for by itself, or the first; NULL: none */
    struct gs_own *wide;   /* takes arguments of any kinds; NULL: none */
    struct gs_own *making; /* being compiled */
    struct gs_own *later;  /* the same, for those it calls */
    unsigned seen;         /* the request in which own and wide were last compared with their cells */
    unsigned better;       /* the request for a FULL unit that has made it FULL, too */
    unsigned denied;       /* the request during which there was no code for it; see unit_of */
};
static struct known *known[1024]; /* by number of the function; the compile thread's */
static unsigned depth;
static unsigned requests;
static enum gs_level level; /* of the request */

/* With what belongs to it. In a list, so that leak checkers find it. */
struct unit {
    struct gs_unit u;
    struct gs_hot_site *sites;
    void *code;
    struct unit *next, **at;
};
static struct unit *units;
static unsigned nunits;
/* A unit takes two mappings, and the kernel allows a process 65,530. */
#define MAX_UNITS 20000u

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

static struct gs_unit *compile(const struct gs_hot_request *r, const char **why);

static bool same_way(const struct gs_own *a, const struct gs_own *b)
{
    return a->nparams == b->nparams && a->ret == b->ret && memcmp(a->param, b->param, a->nparams * sizeof a->param[0]) == 0;
}

/* The function's way that is like `want`, which is temporary. */
static struct gs_own *way(struct gs_hot_entry *e, const struct gs_own *want)
{
    for (struct gs_hot_cell *c = e->cells; c != NULL; c = c->next) {
        struct gs_own *o = (struct gs_own *)c; /* the cell is its first member */
        if (same_way(o, want))
            return o;
    }
    struct gs_own *o = gs_perm_alloc(sizeof *o); /* callers' code refers to it */
    *o = *want;
    o->cell = (struct gs_hot_cell){0};
    gs_hot_cell_add(e, &o->cell);
    return o;
}

/* The function is being compiled: its code as others may call it. What it gives is not known yet. */
static struct gs_own *later(struct known *k)
{
    if (k->later == NULL) {
        struct gs_own like = *k->making;
        like.ret = GS_K_ANY & ~GS_K(GS_T_UNSET);
        k->later = way(gs_hot_entry_get((struct gs_proto *)(uintptr_t)k->p, 0), &like);
    }
    return k->later;
}

static void look_again(struct known *k)
{
    if (k->seen == requests)
        return;
    k->seen = requests;
    if (k->own != NULL && gs_load_acq(&k->own->cell.code) == NULL) /* [H2] */
        k->own = NULL;
    if (k->wide != NULL && gs_load_acq(&k->wide->cell.code) == NULL)
        k->wide = NULL;
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
    look_again(k);
    if (k->own != NULL && takes(k->own, args) && (k->own->full || level == GS_LEVEL_QUICK || k->better == requests))
        return k->own;
    if (k->making != NULL)
        return takes(k->making, args) ? later(k) : NULL;
    if (k->own != NULL && !takes(k->own, args))
        args = NULL;
    if (args == NULL && k->wide != NULL && (k->wide->full || level == GS_LEVEL_QUICK || k->better == requests))
        return k->wide;
    struct gs_own *had = args == NULL ? k->wide : k->own;
    k->better = requests;
    if (depth >= CALLEE_DEPTH || k->denied == requests)
        return had;
    struct gs_hot_entry *entry = hot != NULL ? gs_hot_entry_get((struct gs_proto *)(uintptr_t)p, 0) : NULL;
    gs_value *regs = calloc(p->nregs + 1u, sizeof *regs);
    if (entry != NULL && regs != NULL) {
        for (uint32_t i = 0; i < p->nparams; i++)
            regs[i].tag = args != NULL && gs_kinds_single(args[i]) ? (uint64_t)__builtin_ctz(args[i]) : GS_T_HANDLE;
        struct gs_hot_request r = {.p = (struct gs_proto *)(uintptr_t)p, .hot = (struct gs_hot *)(uintptr_t)hot, .entry = entry,
                                   .generation = 1, .level = level, .regs = regs};
        const char *why;
        struct gs_unit *u = entry->inner < GS_HOT_INNER ? compile(&r, &why) : NULL;
        if (u != NULL) {
            if (!gs_hot_options()->remake)
                entry->inner++;
            gs_hot_inner(entry, u);
        }
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

/* What the inference begins with. */
static void own_begin(struct gs_own *o, const struct gs_hot_request *r)
{
    memset(o, 0, sizeof *o);
    o->p = r->p;
    o->nparams = r->p->nparams;
    for (uint32_t i = 0; i < o->nparams; i++)
        o->param[i] = param_kind(r, i);
}

static struct gs_unit *unit_make(const struct gs_types *t, const struct gs_hot_request *r, void *const *code, struct gs_hot_site *sites)
{
    struct unit *u = calloc(1, sizeof *u);
    if (u == NULL)
        return NULL;
    u->sites = sites;
    u->code = gs_session_code(&u->u.bytes);
    u->next = units;
    u->at = &units;
    if (units != NULL)
        units->at = &u->next;
    units = u;
    nunits++;
    memcpy(&u->u.enter, &code[0], sizeof u->u.enter);
    u->u.generation = r->generation;
    u->u.level = t->g->nnodes > BIG_NODES ? GS_LEVEL_FULL : r->level;
    u->u.slots = t->g->nslots;
    u->u.own = u;
    u->u.code = code[1];
    return &u->u;
}

static void release(struct gs_unit *unit)
{
    struct unit *u = unit->own;
    nunits--;
    *u->at = u->next;
    if (u->next != NULL)
        u->next->at = u->at;
    gs_session_free(u->code);
    free(u->sites);
    free(u);
}

static struct gs_unit *build(struct gs_types *t, const struct gs_hot_request *r, struct known *k, const char **why)
{
    const char *names[2] = {t->g->is_loop ? "loop" : "entry", "code"};
    char label[512];
    void *code[2] = {NULL, NULL};
    if (!gs_types_infer(t)) {
        *why = GS_DECLINE(NOMEM);
        return NULL;
    }
    if (k != NULL)
        t->self = k->making = way(r->entry, t->self);
    gs_inspect_label(label, sizeof label, t->g);
    struct gs_hot_site *sites = NULL;
    LLVMModuleRef m = gs_emit_unit(t, names[0], names[1], &sites, why);
    struct gs_unit *u = NULL;
    bool big = t->g->nnodes > BIG_NODES;
    if (m != NULL && gs_session_compile(m, big ? GS_LEVEL_QUICK : r->level, names, code, t->g->is_loop ? 1 : 2, label, why)) {
        if (gs_inspect_wanted())
            gs_inspect_unit(t->g);
        u = unit_make(t, r, code, sites);
    }
    if (u == NULL) {
        free(sites);
        return NULL;
    }
    if (k != NULL) {
        t->self->full = u->level == GS_LEVEL_FULL;
        u->cell[0] = &t->self->cell;
        if (k->later != NULL) {
            k->later->full = t->self->full;
            u->cell[1] = &k->later->cell;
        }
    }
    return u;
}

static struct gs_unit *compile(const struct gs_hot_request *r, const char **why)
{
    struct gs_unit *u = NULL;
    struct known *k = r->entry->pc == 0 ? known_of(r->p) : NULL;
    struct gs_own begun;
    if (!gs_session_open(why))
        return NULL;
    if (r->entry->pc == 0 && (k == NULL || r->p->nparams > GS_OWN_PARAMS)) {
        *why = GS_DECLINE(TOO_MANY_REGS);
        return NULL;
    }
    if (nunits >= MAX_UNITS) {
        *why = GS_DECLINE(TOO_MANY);
        return NULL;
    }
    if (depth == 0) {
        requests++;
        level = r->level;
        gs_session_rest();
    }
    struct gs_graph *g = gs_graph_make(r, why);
    if (g == NULL)
        return NULL;
    struct gs_types t = {.g = g, .self = k != NULL ? &begun : NULL, .unit_of = unit_of};
    if (k != NULL) {
        look_again(k);
        own_begin(&begun, r);
        k->making = &begun;
    }
    depth++;
    u = build(&t, r, k, why);
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
static struct gs_unit *serve(const struct gs_hot_request *r, const char **why)
{
    bool listing = gs_inspect_wanted();
    gs_session_keep_text(listing);
    struct gs_unit *u = compile(r, why);
    if (u == NULL && listing)
        gs_inspect_declined(r, *why);
    return u;
}

extern const struct gs_jit_face goost_jit_face;
GS_API const struct gs_jit_face goost_jit_face = {.compile = serve, .release = release, .rest = gs_jit_rest, .dump = gs_inspect_dump};
