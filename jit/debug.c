/* SPDX-License-Identifier: MIT
 * debug.c - debug information through LLVM's DIBuilder. Contract: debug.h.
 *
 * Scopes     The unit's own frame has the subprogram of the LLVM function that is being built; each inlined frame one of its
 *            own. Both are made when first needed and forgotten when the next LLVM function begins.
 */
#include "debug.h"

#include <limits.h>
#include <llvm-c/DebugInfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inspect.h"

#define MAX_COLUMN 65535u /* LLVM keeps 16 bits */
#define DWARF 4u          /* the names of files stand in the line table itself */

struct scope {
    LLVMMetadataRef sub; /* subprogram; NULL: not made yet */
    LLVMMetadataRef at;  /* inlined frames: the place of the call */
};

struct gs_debug {
    LLVMDIBuilderRef b;
    LLVMMetadataRef type; /* of every function: nothing is said about arguments */
    char directory[PATH_MAX];
    struct scope scope[]; /* by number of the frame */
};

static LLVMMetadataRef file_of(struct gs_debug *d, const struct gs_proto *p)
{
    const char *path = p->mod->path;
    return LLVMDIBuilderCreateFile(d->b, path, strlen(path), d->directory, strlen(d->directory));
}

static void add_flag(struct gs_emit *e, const char *name, unsigned value)
{
    LLVMMetadataRef v = LLVMValueAsMetadata(gs_i32(e, value));
    LLVMAddModuleFlag(e->m, LLVMModuleFlagBehaviorWarning, name, strlen(name), v);
}

void gs_debug_begin(struct gs_emit *e)
{
    if (!gs_session_debug())
        return;
    struct gs_debug *d = calloc(1, sizeof *d + e->g->nframes * sizeof d->scope[0]);
    if (d == NULL)
        return;
    static const char producer[] = "langoost";
    if (getcwd(d->directory, sizeof d->directory) == NULL)
        d->directory[0] = '\0';
    d->b = LLVMCreateDIBuilder(e->m);
    LLVMMetadataRef file = file_of(d, e->g->root->p);
    (void)LLVMDIBuilderCreateCompileUnit(d->b, LLVMDWARFSourceLanguageC99, file, producer, sizeof producer - 1, 1, "", 0, 0,
                                         "", 0, LLVMDWARFEmissionFull, 0, 0, 0, "", 0, "", 0);
    d->type = LLVMDIBuilderCreateSubroutineType(d->b, file, NULL, 0, LLVMDIFlagZero);
    add_flag(e, "Debug Info Version", LLVMDebugMetadataVersion());
    add_flag(e, "Dwarf Version", DWARF);
    e->debug = d;
}

void gs_debug_end(struct gs_emit *e)
{
    if (e->debug == NULL)
        return;
    LLVMDIBuilderFinalize(e->debug->b);
    LLVMDisposeDIBuilder(e->debug->b);
    free(e->debug);
    e->debug = NULL;
}

static LLVMMetadataRef new_subprogram(struct gs_debug *d, const struct gs_proto *p, const char *kind)
{
    char name[256];
    bool top = p->flags & GS_PF_MAIN;
    const struct gs_str *before = top ? p->mod->name : p->cls != NULL ? p->cls->name : NULL;
    (void)snprintf(name, sizeof name, "%s%s%s%s", before != NULL ? before->data : "", before != NULL ? "." : "",
                   top ? "main" : p->name->data, kind);
    uint32_t line = p->line != 0 ? p->line : p->lines[0];
    LLVMMetadataRef file = file_of(d, p);
    return LLVMDIBuilderCreateFunction(d->b, file, name, strlen(name), "", 0, file, line, d->type, 1, 1, line,
                                       LLVMDIFlagZero, 1);
}

/* The place of an instruction of f. Parents first: no deeper than functions are inlined. */
static LLVMMetadataRef place(struct gs_emit *e, const struct gs_frame *f, uint32_t pc)
{
    struct gs_debug *d = e->debug;
    struct scope *s = &d->scope[f->number];
    if (s->sub == NULL) { /* of an inlined frame: gs_debug_function has made the unit's own */
        s->sub = new_subprogram(d, f->p, "");
        s->at = place(e, f->parent, f->call_pc);
    }
    uint32_t column = pc < MAX_COLUMN ? pc + 1 : 0;
    return LLVMDIBuilderCreateDebugLocation(e->c, f->p->lines[pc], column, s->sub, s->at);
}

void gs_debug_place(struct gs_emit *e, const struct gs_node *n)
{
    uint32_t pc = n->pc < n->frame->p->ncode ? n->pc : n->frame->p->ncode - 1;
    LLVMSetCurrentDebugLocation2(e->b, place(e, n->frame, pc));
}

void gs_debug_function(struct gs_emit *e, const char *kind)
{
    struct gs_debug *d = e->debug;
    if (d == NULL)
        return;
    memset(d->scope, 0, e->g->nframes * sizeof d->scope[0]);
    struct scope *root = &d->scope[e->g->root->number];
    root->sub = new_subprogram(d, e->g->root->p, kind);
    LLVMSetSubprogram(e->fn, root->sub);
    LLVMSetCurrentDebugLocation2(e->b, LLVMDIBuilderCreateDebugLocation(e->c, gs_inspect_line(e->g), 0, root->sub, NULL));
}
