/* SPDX-License-Identifier: MIT
 * intrinsic.c - which calls of natives compiled code does itself (runtime/intrinsic.def), for what kinds of arguments. Contract: types.h.
 *
 * Kinds      Arguments whose kind is not known are taken to be floats where a float makes a difference: whoever has ints seldom rounds
 *            them or takes their sine. A guard that fails makes the call one of the native in the next unit.
 */
#include "types.h"

static const struct {
    enum gs_form form;
    const char *function;
} table[] = {
#define GS_INTRINSIC(id, form, function) {GS_FORM_##form, function},
#include "intrinsic.def"
#undef GS_INTRINSIC
};

enum gs_form gs_intrinsic_form(enum gs_intrinsic i)
{
    return table[i].form;
}

const char *gs_intrinsic_function(enum gs_intrinsic i)
{
    return table[i].function[0] != '\0' ? table[i].function : NULL;
}

bool gs_intrinsic_repeats(enum gs_intrinsic i)
{
    return table[i].form != GS_FORM_ATOMIC || i == GS_INTRINSIC_ATOMIC_LOAD;
}

/* A number that is to become a float. 0: it is none. */
static gs_kinds as_float(gs_kinds k)
{
    if ((k & ~GS_K_NUM) == 0)
        return k;
    return k & GS_K_FLOAT ? GS_K_FLOAT : k & GS_K_INT;
}

static bool floats(const gs_kinds *arg, uint32_t n, struct gs_step *s)
{
    for (uint32_t i = 0; i < n; i++) {
        s->want[i] = as_float(arg[i]);
        if (s->want[i] == 0)
            return false;
    }
    s->result = GS_K_FLOAT;
    return true;
}

static bool bits(const gs_kinds *arg, uint32_t n, struct gs_step *s)
{
    for (uint32_t i = 0; i < n; i++) {
        s->want[i] = GS_K_INT;
        if (!(arg[i] & GS_K_INT))
            return false;
    }
    s->result = GS_K_INT;
    return true;
}

static bool rounds(const gs_kinds *arg, struct gs_step *s)
{
    s->want[0] = arg[0] & GS_K_FLOAT ? GS_K_FLOAT : arg[0] & GS_K_INT;
    s->result = GS_K_INT;
    return s->want[0] != 0;
}

static bool keeps(const gs_kinds *arg, uint32_t n, struct gs_step *s)
{
    if (arg[0] != GS_K_INT && arg[0] != GS_K_FLOAT)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        s->want[i] = arg[0];
        if (!(arg[i] & arg[0]))
            return false;
    }
    s->result = arg[0];
    return true;
}

/* The handle's object is looked at where it is used: that may be another kind of object. */
static bool atomic(enum gs_intrinsic is, const gs_kinds *arg, uint32_t n, struct gs_step *s)
{
    s->want[0] = GS_K(GS_T_HANDLE);
    bool ok = (arg[0] & GS_K(GS_T_HANDLE)) != 0;
    for (uint32_t i = 1; i < n; i++) {
        s->want[i] = GS_K_INT;
        ok = ok && (arg[i] & GS_K_INT);
    }
    s->result = is == GS_INTRINSIC_ATOMIC_STORE ? GS_K_NIL : is == GS_INTRINSIC_ATOMIC_CAS ? GS_K_BOOL : GS_K_INT;
    return ok;
}

/* What the natives of the form TRY give. */
static gs_kinds tried(enum gs_intrinsic is, gs_kinds any)
{
    switch (is) {
    case GS_INTRINSIC_LOCK:
    case GS_INTRINSIC_UNLOCK:
    case GS_INTRINSIC_RLOCK:
    case GS_INTRINSIC_RUNLOCK:
        return GS_K_NIL;
    case GS_INTRINSIC_SEND:
        return GS_K_BOOL;
    default:
        return any;
    }
}

bool gs_intrinsic_step(const struct gs_node *n, const struct gs_native *nat, const gs_kinds *arg, struct gs_step *s)
{
    enum gs_intrinsic is = gs_intrinsic_of(nat);
    bool ok = false;
    if (is == GS_INTRINSIC_TEXT) {
        s->how = GS_HOW_TEXT;
        s->result = GS_K(GS_T_STR);
        return true;
    }
    if (is == GS_INTRINSIC_NONE)
        return false;
    if (table[is].form == GS_FORM_TRY) {
        s->how = GS_HOW_TRY;
        s->result = tried(is, s->result);
        return true;
    }
    if (n->miss != 0 || n->b > (table[is].form == GS_FORM_ATOMIC ? 3u : 2u))
        return false;
    switch (table[is].form) {
    case GS_FORM_FLOATS:
        ok = floats(arg, n->b, s);
        break;
    case GS_FORM_BITS:
        ok = bits(arg, n->b, s);
        break;
    case GS_FORM_ROUND:
        ok = rounds(arg, s);
        break;
    case GS_FORM_KEEP:
        ok = keeps(arg, n->b, s);
        break;
    case GS_FORM_ATOMIC:
        ok = atomic(is, arg, n->b, s);
        break;
    case GS_FORM_TRY:
        break;
    case GS_FORM_OTHER: /* BYTE_AT */
        s->want[0] = GS_K(GS_T_STR);
        s->want[1] = GS_K_INT;
        s->result = GS_K_INT;
        ok = (arg[0] & GS_K(GS_T_STR)) && (arg[1] & GS_K_INT);
    }
    if (ok)
        s->how = GS_HOW_INTRINSIC;
    else
        s->want[0] = s->want[1] = s->want[2] = 0;
    return ok;
}
