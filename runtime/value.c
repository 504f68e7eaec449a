/* SPDX-License-Identifier: MIT
 * value.c - what is the same for values of all kinds: truth, equality, comparison of numbers, names
 * of kinds.
 */
#include "value.h"

#include "object.h"
#include "str.h"

_Static_assert(GS_T_NIL == 0, "zeroed memory is nil");
_Static_assert(GS_T_STR == GS_T_FRAME + 1, "all kinds from STR on are pointers");
_Static_assert(GS_T_COUNT_ <= 64, "shape ids below GS_SHAPE_FIRST are kinds");

bool gs_truthy_slow(gs_value v)
{
    switch (gs_kind(v)) {
    case GS_T_NIL:
    case GS_T_UNSET:
        return false;
    case GS_T_BOOL:
        return v.u != 0;
    case GS_T_INT:
    case GS_T_HANDLE:
        return v.i != 0;
    case GS_T_FLOAT:
        return v.d != 0.0; /* NaN is no falsy value */
    case GS_T_STR:
        return v.s->len != 0;
    default:
        return true;
    }
}

int gs_cmp_int_float(int64_t i, double d)
{
    if (d != d)
        return 2;
    if (d >= 0x1p63)
        return -1;
    if (d < -0x1p63)
        return 1;
    int64_t whole = (int64_t)d; /* exact: toward zero, and in range */
    if (i != whole)
        return i < whole ? -1 : 1;
    double frac = d - (double)whole; /* exact: |whole| has at most 53 significant bits */
    return frac > 0 ? -1 : frac < 0 ? 1 : 0;
}

bool gs_equal_slow(gs_value a, gs_value b)
{
    enum gs_kind ka = gs_kind(a), kb = gs_kind(b);
    if (ka == GS_T_HANDLE)
        ka = GS_T_INT;
    if (kb == GS_T_HANDLE)
        kb = GS_T_INT;
    if (ka != kb) {
        if (ka == GS_T_INT && kb == GS_T_FLOAT)
            return gs_cmp_int_float(a.i, b.d) == 0;
        if (ka == GS_T_FLOAT && kb == GS_T_INT)
            return gs_cmp_int_float(b.i, a.d) == 0;
        return false;
    }
    switch (ka) {
    case GS_T_NIL:
    case GS_T_UNSET:
        return true;
    case GS_T_FLOAT:
        return a.d == b.d;
    case GS_T_STR:
        return a.s == b.s || gs_str_equal(a.s, b.s);
    default:
        return a.u == b.u;
    }
}

const char *gs_typeof_name(gs_value v)
{
    switch (gs_kind(v)) {
    case GS_T_BOOL:
        return "bool";
    case GS_T_INT:
    case GS_T_HANDLE:
        return "int";
    case GS_T_FLOAT:
        return "float";
    case GS_T_STR:
        return "string";
    case GS_T_ARRAY:
        return "array";
    case GS_T_OBJECT:
        return "object";
    case GS_T_FUNC:
    case GS_T_NATIVE:
    case GS_T_BOUND:
        return "function";
    case GS_T_CLASS:
        return "class";
    case GS_T_IFACE:
        return "interface";
    case GS_T_TYPE:
        return "type";
    case GS_T_MODULE:
        return "module";
    case GS_T_RANGE:
        return "range";
    default:
        return "void";
    }
}
