/* SPDX-License-Identifier: MIT
 * const.c - what is known when a program is compiled: constant expressions, modules and their
 * members.
 */
#include "scope.h"

#include <math.h>

#include "hooks.h"
#include "str.h"

#include "ops.h"

/* Long chains of operators are folded only as deep as this, which keeps the emitter linear. */
#define FOLD_DEPTH 8

static bool fold_at(const struct gs_node *n, gs_value *out, unsigned depth);

static bool is_num(gs_value v)
{
    return gs_is(v, GS_T_INT) || gs_is(v, GS_T_FLOAT);
}

static bool fold_ints(enum gs_operator op, int64_t a, int64_t b, gs_value *out)
{
    uint64_t x = (uint64_t)a, y = (uint64_t)b, r;
    switch (op) {
    case GS_O_ADD:
        r = x + y;
        break;
    case GS_O_SUB:
        r = x - y;
        break;
    case GS_O_MUL:
        r = x * y;
        break;
    case GS_O_DIV:
    case GS_O_MOD:
        if (b == 0)
            return false;
        if (b == -1)
            r = op == GS_O_DIV ? 0 - x : 0;
        else
            r = (uint64_t)(op == GS_O_DIV ? a / b : a % b);
        break;
    case GS_O_BAND:
        r = x & y;
        break;
    case GS_O_BOR:
        r = x | y;
        break;
    case GS_O_BXOR:
        r = x ^ y;
        break;
    case GS_O_SHL:
        r = x << (y & 63);
        break;
    case GS_O_SHR:
        r = a < 0 ? ~(~x >> (y & 63)) : x >> (y & 63);
        break;
    default:
        return false;
    }
    *out = gs_int((int64_t)r);
    return true;
}

static bool fold_floats(enum gs_operator op, double a, double b, gs_value *out)
{
    switch (op) {
    case GS_O_ADD:
        *out = gs_float(a + b);
        return true;
    case GS_O_SUB:
        *out = gs_float(a - b);
        return true;
    case GS_O_MUL:
        *out = gs_float(a * b);
        return true;
    case GS_O_DIV:
        *out = gs_float(a / b);
        return true;
    case GS_O_MOD:
        *out = gs_float(fmod(a, b));
        return true;
    default:
        return false;
    }
}

static double as_float(gs_value v)
{
    return gs_is(v, GS_T_INT) ? (double)v.i : v.d;
}

static bool fold_binary(const struct gs_node *n, gs_value *out, unsigned depth)
{
    gs_value a, b;
    if (!fold_at(n->a, &a, depth) || !is_num(a) || !fold_at(n->b, &b, depth) || !is_num(b))
        return false;
    enum gs_operator op = gs_operator_binary(n->op);
    if (gs_is(a, GS_T_INT) && gs_is(b, GS_T_INT))
        return fold_ints(op, a.i, b.i, out);
    return fold_floats(op, as_float(a), as_float(b), out);
}

static bool fold_unary(const struct gs_node *n, gs_value *out, unsigned depth)
{
    gs_value v;
    enum gs_operator op = gs_operator_prefix(n->op);
    if (op == GS_O_NOT || !fold_at(n->a, &v, depth) || !is_num(v))
        return false;
    if (op == GS_O_BNOT) {
        if (!gs_is(v, GS_T_INT))
            return false;
        *out = gs_int(~v.i);
    } else {
        *out = gs_is(v, GS_T_INT) ? gs_int((int64_t)(0 - (uint64_t)v.i)) : gs_float(-v.d);
    }
    return true;
}

static bool fold_sym(const struct gs_sym *s, gs_value *out)
{
    if (s == NULL)
        return false;
    if (s->kind != GS_SYM_CONST && s->kind != GS_SYM_ALIAS && s->kind != GS_SYM_BUILTIN)
        return false;
    *out = s->value;
    return !gs_is_obj(s->value) || gs_is(s->value, GS_T_STR);
}

static bool fold_at(const struct gs_node *n, gs_value *out, unsigned depth)
{
    struct gs_sym *s;
    switch (n->kind) {
    case GS_N_NIL:
        *out = gs_nil();
        return true;
    case GS_N_BOOL:
        *out = gs_bool(n->i != 0);
        return true;
    case GS_N_INT:
        *out = gs_int(n->i);
        return true;
    case GS_N_FLOAT:
        *out = gs_float(n->d);
        return true;
    case GS_N_STR:
        *out = gs_strv(n->str.n <= 64 ? gs_atom(n->str.p, n->str.n)
                                      : gs_str_immortal(n->str.p, n->str.n));
        return true;
    case GS_N_NAME:
        return fold_sym(n->info, out);
    case GS_N_MEMBER:
        switch (gs_scope_member(n, out, &s)) {
        case GS_MEMBER_VALUE:
            return is_num(*out);
        case GS_MEMBER_SYM:
            return fold_sym(s, out);
        default:
            return false;
        }
    case GS_N_UNARY:
        return depth > 0 && fold_unary(n, out, depth - 1);
    case GS_N_BINARY:
        return depth > 0 && fold_binary(n, out, depth - 1);
    default:
        return false;
    }
}

bool gs_const_fold(const struct gs_node *n, gs_value *out)
{
    return fold_at(n, out, FOLD_DEPTH);
}

/* --- modules ---------------------------------------------------------------------------------- */

static void modref_of_value(gs_value v, struct gs_modref *out)
{
    out->lib = v;
}

bool gs_scope_module(const struct gs_node *n, struct gs_modref *out)
{
    *out = (struct gs_modref){.lib = gs_nil()};
    if (n->kind == GS_N_NAME) {
        const struct gs_sym *s = n->info;
        if (s == NULL)
            return false;
        if (s->kind == GS_SYM_POISON) {
            out->poison = true;
            return true;
        }
        if (s->kind == GS_SYM_MODULE) {
            out->lib = s->imp->lib;
            out->unit = s->imp->unit;
            return true;
        }
        if ((s->kind == GS_SYM_BUILTIN || s->kind == GS_SYM_ALIAS) &&
            gs_is(s->value, GS_T_MODULE)) {
            modref_of_value(s->value, out);
            return true;
        }
        return false;
    }
    if (n->kind != GS_N_MEMBER)
        return false;
    gs_value v;
    struct gs_sym *s;
    switch (gs_scope_member(n, &v, &s)) {
    case GS_MEMBER_VALUE:
        modref_of_value(v, out);
        return gs_is(v, GS_T_MODULE);
    case GS_MEMBER_SYM: /* a module that a module imports */
        if (s->kind == GS_SYM_MODULE) {
            out->lib = s->imp->lib;
            out->unit = s->imp->unit;
            return true;
        }
        return false;
    case GS_MEMBER_POISON:
        out->poison = true;
        return true;
    default:
        return false;
    }
}

enum gs_member gs_scope_member(const struct gs_node *n, gs_value *value, struct gs_sym **sym)
{
    /* A chain of members on what is no module at all is the common case: look at its root first. */
    const struct gs_node *root = n->a;
    unsigned depth = 0;
    for (; root->kind == GS_N_MEMBER; root = root->a) {
        if (++depth > 16)
            return GS_MEMBER_NONE;
    }
    if (root->kind != GS_N_NAME)
        return GS_MEMBER_NONE;
    struct gs_modref m;
    if (!gs_scope_module(n->a, &m))
        return GS_MEMBER_NONE;
    if (m.poison)
        return GS_MEMBER_POISON;
    if (m.unit == NULL)
        return gs_hook_lib_member(m.lib, n->name.p, n->name.n, value) ? GS_MEMBER_VALUE
                                                                      : GS_MEMBER_MISSING;
    struct gs_sym *s = gs_unit_export(m.unit, n->name);
    if (s == NULL)
        return GS_MEMBER_MISSING;
    if (s->kind == GS_SYM_ALIAS && s->target != NULL)
        s = s->target;
    if (s->kind == GS_SYM_POISON)
        return GS_MEMBER_POISON;
    *sym = s;
    if (s->kind != GS_SYM_ALIAS)
        return GS_MEMBER_SYM;
    *value = s->value;
    return GS_MEMBER_VALUE;
}

struct gs_sym *gs_scope_type_sym(const struct gs_node *n, gs_value *value, bool *poison)
{
    struct gs_sym *s = NULL;
    *poison = false;
    if (n->kind == GS_N_NAME) {
        s = n->info;
        if (s != NULL && s->kind == GS_SYM_ALIAS && s->target != NULL)
            s = s->target;
    } else if (n->kind == GS_N_MEMBER) {
        enum gs_member m = gs_scope_member(n, value, &s);
        if (m == GS_MEMBER_POISON)
            *poison = true;
        if (m != GS_MEMBER_SYM)
            return NULL;
    }
    if (s == NULL)
        return NULL;
    if (s->kind == GS_SYM_POISON)
        *poison = true;
    if (s->kind != GS_SYM_CLASS && s->kind != GS_SYM_IFACE && s->kind != GS_SYM_TYPE)
        return NULL;
    *value = s->value;
    return s;
}
