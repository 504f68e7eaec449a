/* SPDX-License-Identifier: MIT
 * disasm.c - the printer of bytecode, from opcode.def's formats. Contract: disasm.h.
 */
#include "disasm.h"

#include <stdarg.h>
#include <stdio.h>

#include "hot.h"
#include "rt.h"

#define GLOSS_MAX 40u /* bytes of a constant's text that are shown */

struct printer {
    struct gs_buf *out;
    struct gs_buf gloss;
    const struct gs_proto *p;
    uint32_t at;
};

static void gloss(struct printer *pr, const char *fmt, ...) GS_PRINTF(2, 3);
static void gloss(struct printer *pr, const char *fmt, ...)
{
    char text[128];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (pr->gloss.len > 0)
        gs_buf_putz(&pr->gloss, ", ");
    gs_buf_putz(&pr->gloss, text);
}

static void gloss_value(struct printer *pr, gs_value v)
{
    if (gs_is(v, GS_T_OBJLIT)) {
        const struct gs_objlit *lit = v.p;
        gloss(pr, "%u fields", lit->n);
        return;
    }
    struct gs_buf text = {0};
    gs_text_value(&text, v, false);
    if (!text.failed)
        gloss(pr, "%.*s%s", (int)(text.len < GLOSS_MAX ? text.len : GLOSS_MAX), text.p,
              text.len > GLOSS_MAX ? "..." : "");
    gs_buf_free(&text);
}

static void constant(struct printer *pr, uint32_t k)
{
    gs_buf_printf(pr->out, " k%u", k);
    if (k < pr->p->nk)
        gloss_value(pr, pr->p->k[k]);
}

static void jump(struct printer *pr, int32_t by)
{
    gs_buf_printf(pr->out, " %+d", by);
    gloss(pr, "-> %04lld", (long long)pr->at + 1 + by);
}

static void cache(struct printer *pr, uint32_t ic)
{
    gs_buf_printf(pr->out, " i%u", ic);
    if (ic < pr->p->nics && pr->p->ics[ic].key != NULL)
        gloss(pr, ".%.60s", pr->p->ics[ic].key->data);
}

static void global(struct printer *pr, uint32_t slot)
{
    gs_buf_printf(pr->out, " g%u", slot);
    const struct gs_program *g = gs_rt.program;
    if (g != NULL && slot < g->nglobals && g->gnames != NULL)
        gloss(pr, "%.60s", g->gnames[slot]->data);
}

static void nested(struct printer *pr, uint32_t n)
{
    gs_buf_printf(pr->out, " f%u", n);
    if (n < pr->p->nprotos)
        gloss(pr, "%.60s", pr->p->protos[n]->name->data);
}

static void operand(struct printer *pr, enum gs_operand kind, uint32_t u, int32_t s)
{
    switch (kind) {
    case GS_OPND_N:
        break;
    case GS_OPND_W:
    case GS_OPND_R:
    case GS_OPND_RW:
    case GS_OPND_RS:
    case GS_OPND_CL:
        gs_buf_printf(pr->out, " r%u", u);
        break;
    case GS_OPND_K:
    case GS_OPND_KX:
        constant(pr, u);
        break;
    case GS_OPND_I:
    case GS_OPND_IX:
        gs_buf_printf(pr->out, " %d", s);
        break;
    case GS_OPND_U:
        gs_buf_printf(pr->out, " %u", u);
        break;
    case GS_OPND_J:
    case GS_OPND_JX:
        jump(pr, s);
        break;
    case GS_OPND_P:
        nested(pr, u);
        break;
    case GS_OPND_GX:
        global(pr, u);
        break;
    case GS_OPND_IC:
        cache(pr, u);
        break;
    case GS_OPND_UP:
        gs_buf_printf(pr->out, " u%u", u);
        break;
    }
}

static bool is_wide(enum gs_operand kind)
{
    return kind == GS_OPND_KX || kind == GS_OPND_IX || kind == GS_OPND_JX || kind == GS_OPND_GX ||
           kind == GS_OPND_P;
}

void gs_disasm_insn(struct gs_buf *out, const struct gs_proto *p, uint32_t at)
{
    struct printer pr = {.out = out, .p = p, .at = at};
    gs_insn i = gs_hot_of(p) != NULL ? gs_hot_insn(p, p->code + at) : p->code[at];
    if (gs_insn_op(i) >= GS_OP_COUNT_) {
        gs_buf_printf(out, "%04u [%4u] ? %016llx\n", at, p->lines[at], (unsigned long long)i);
        return;
    }
    const struct gs_opinfo *o = &gs_opinfo[gs_insn_op(i)];
    gs_buf_printf(out, "%04u [%4u] %-10s", at, p->lines[at], o->name);
    operand(&pr, o->a, gs_insn_a(i), 0);
    if (is_wide(o->b)) {
        operand(&pr, o->b, (uint32_t)gs_insn_bx(i), gs_insn_bx(i));
    } else {
        operand(&pr, o->b, gs_insn_b(i), gs_insn_sb(i));
        operand(&pr, o->c, gs_insn_c(i), gs_insn_sc(i));
    }
    if (gs_insn_x(i) != 0)
        gs_buf_printf(out, " x=%u", gs_insn_x(i));
    if (pr.gloss.len > 0) {
        gs_buf_putz(out, " (");
        gs_buf_put(out, pr.gloss.p, pr.gloss.len);
        gs_buf_putc(out, ')');
    }
    gs_buf_putc(out, '\n');
    gs_buf_free(&pr.gloss);
}

void gs_disasm_proto(struct gs_buf *out, const struct gs_proto *p)
{
    gs_buf_printf(out, "=== %s%s%s (%u instructions) ===\n",
                  p->cls != NULL ? p->cls->name->data : "", p->cls != NULL ? "." : "",
                  p->flags & GS_PF_MAIN ? "main" : p->name->data, p->ncode);
    for (uint32_t at = 0; at < p->ncode; at++)
        gs_disasm_insn(out, p, at);
}
