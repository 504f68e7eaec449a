/* SPDX-License-Identifier: MIT
 * unit_vm.h - running code in a VM without a scheduler: hand-made prototypes, and pieces of source.
 */
#ifndef GS_TESTS_UNIT_VM_H
#define GS_TESTS_UNIT_VM_H

#include "unit_compile.h"

#include "error.h"
#include "lib.h"
#include "proto.h"
#include "rt.h"
#include "text.h"
#include "vm.h"

/* ---- hand-made functions ---- */

#define I_ABC(op, a, b, c) gs_insn_abc(GS_OP_##op, (unsigned)(a), (unsigned)(b), (unsigned)(c))
#define I_ABX(op, a, bx) gs_insn_abx(GS_OP_##op, (unsigned)(a), (bx))

/* What a prototype is made from; what is left out is empty. Line numbers are 1, 2, 3, ... */
struct unit_code {
    const char *name;
    const gs_insn *code;
    uint32_t n;
    uint16_t nregs, nparams, nreq, flags;
    const gs_value *k;
    uint32_t nk;
    const char *ic[8]; /* keys of the caches; "" for one without a key */
    uint32_t nics;
    const struct gs_handler *handlers;
    uint32_t nhandlers;
    struct gs_proto **protos;
    uint32_t nprotos;
    const struct gs_capture *caps;
    uint32_t ncaps;
    const uint32_t *gnames;
    uint32_t ngnames;
};

static inline struct gs_proto *unit_proto(const struct unit_code *u)
{
    static struct gs_modinfo module = {.path = "unit"};
    struct gs_proto *p = gs_perm_alloc(sizeof *p);
    uint32_t *lines = gs_perm_alloc((u->n + 1) * sizeof *lines);
    gs_insn *code = gs_perm_alloc((u->n + 1) * sizeof *code);
    struct gs_ic *ics = gs_perm_alloc((u->nics + 1) * sizeof *ics);
    struct gs_func *self = gs_perm_alloc(sizeof *self);
    for (uint32_t i = 0; i < u->n; i++) {
        lines[i] = i + 1;
        code[i] = u->code[i];
    }
    for (uint32_t i = 0; i < u->nics; i++)
        ics[i].key = u->ic[i][0] != '\0' ? gs_atomz(u->ic[i]) : NULL;
    p->name = gs_atomz(u->name != NULL ? u->name : "f");
    p->mod = &module;
    p->code = code;
    p->ncode = u->n;
    p->k = u->k;
    p->nk = u->nk;
    p->lines = lines;
    p->nregs = u->nregs;
    p->nparams = u->nparams;
    p->nreq = u->nreq;
    p->flags = u->flags;
    p->ics = ics;
    p->nics = u->nics;
    p->fb = gs_perm_alloc(u->n + 1);
    p->handlers = u->handlers;
    p->nhandlers = u->nhandlers;
    p->protos = u->protos;
    p->nprotos = u->nprotos;
    p->caps = u->caps;
    p->ncaps = u->ncaps;
    p->gnames = u->gnames;
    p->ngnames = u->ngnames;
    if (u->ncaps == 0) {
        self->h.kind = GS_T_FUNC;
        self->h.flags = GS_OF_IMMORTAL;
        self->proto = p;
        p->self = self;
    }
    return p;
}

static inline bool unit_verifies(const struct gs_proto *p)
{
    char msg[200] = "";
    bool ok = gs_bytecode_verify(p, msg, sizeof msg) == GS_OK;
    if (!ok)
        printf("\n  %s\n", msg);
    return ok;
}

/* A VM about to call p with these arguments. */
static inline struct gs_vm *unit_vm(struct gs_proto *p, const gs_value *args, uint32_t n)
{
    struct gs_vm *vm = gs_vm_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
    CU_ASSERT_EQUAL_FATAL(gs_vm_start(vm, gs_objv(GS_T_FUNC, p->self), args, n), GS_OK);
    return vm;
}

/* ---- text of results ---- */

/* Valid until the call after next. */
static inline const char *unit_text(gs_value v)
{
    static char text[2][4096];
    static unsigned turn;
    struct gs_buf b = {0};
    gs_text_value(&b, v, true);
    char *to = text[turn++ & 1];
    (void)snprintf(to, sizeof text[0], "%.*s", (int)b.len, b.p != NULL ? b.p : "");
    gs_buf_free(&b);
    return to;
}

static inline const char *unit_error(const struct gs_vm *vm)
{
    static char text[8192];
    struct gs_buf b = {0};
    gs_vm_error_report(&b, vm);
    (void)snprintf(text, sizeof text, "%.*s", (int)b.len, b.p != NULL ? b.p : "");
    gs_buf_free(&b);
    return text;
}

static inline bool unit_same(const char *got, const char *want)
{
    bool same = strcmp(got, want) == 0;
    if (!same)
        printf("\n  want %s\n  got  %s\n", want, got);
    return same;
}

/* Runs p and compares the text of its result, or of its uncaught error. */
static inline bool unit_gives(struct gs_proto *p, const gs_value *args, uint32_t n,
                              const char *want)
{
    if (!unit_verifies(p))
        return false;
    struct gs_vm *vm = unit_vm(p, args, n);
    gs_status st = gs_interp_run(vm);
    bool same = unit_same(st == GS_OK ? unit_text(vm->result) : unit_error(vm), want);
    gs_vm_free(vm);
    return same;
}

/* ---- source ---- */

/* A VM about to run a source text as the main script; NULL with the messages printed. A variable of
 * the top level is a global only when some function names it: `r`, for the answers, gets one that
 * does. */
static inline struct gs_vm *unit_vm_of(const char *text)
{
    char whole[4096];
    (void)snprintf(whole, sizeof whole, "%s%s", text,
                   strstr(text, "let r = ") != NULL ? "\nfn names_r() { return r }" : "");
    struct compiled r = compile_text(whole);
    struct gs_program *p = r.c.program;
    if (p == NULL)
        printf("\n  %s\n", r.messages);
    compiled_free(&r);
    if (p == NULL)
        return NULL;
    gs_rt.program = p;
    struct gs_vm *vm = gs_vm_new();
    vm->globals = gs_mem_must_alloc((p->nglobals + 1) * sizeof *vm->globals);
    for (uint32_t i = 0; i < p->nglobals; i++)
        vm->globals[i] = gs_unset();
    vm->flags |= GS_VM_MAIN | GS_VM_FOREIGN_GLOBALS;
    CU_ASSERT_EQUAL_FATAL(gs_vm_start(vm, gs_objv(GS_T_FUNC, p->main->self), NULL, 0), GS_OK);
    return vm;
}

/* The global of that name. */
static inline gs_value unit_global(const struct gs_vm *vm, const char *name)
{
    for (uint32_t i = 0; i < gs_rt.program->nglobals; i++) {
        if (strcmp(gs_rt.program->gnames[i]->data, name) == 0)
            return vm->globals[i];
    }
    return gs_unset();
}

/* Runs a text whose answer is in the global `r`, or whose uncaught error is wanted. */
static inline bool unit_runs(const char *text, const char *want)
{
    struct gs_vm *vm = unit_vm_of(text);
    if (vm == NULL)
        return false;
    gs_status st = gs_interp_run(vm);
    bool same = unit_same(st == GS_OK ? unit_text(unit_global(vm, "r")) : unit_error(vm), want);
    gs_vm_free(vm);
    return same;
}

#endif
