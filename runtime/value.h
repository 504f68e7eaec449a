/* SPDX-License-Identifier: MIT
 * value.h - the 16-byte tagged value.
 *
 * Layout     Eight bytes of payload and a tag word. The low byte of the tag is the kind (enum gs_kind). For every kind but
 *            HANDLE the rest of the tag is zero, so a kind test is one compare of the whole word. A HANDLE is an int to
 *            the program: its payload is the number, and the upper 48 bits of its tag hold the address of the object
 *            behind it, which the VM's ledger keeps alive (handle.h). Test handles with gs_kind(v) == GS_T_HANDLE.
 * ABI        A gs_value is passed and returned in two integer registers.
 * Words      A value is two words to the processor, too: loading as sixteen bytes what has just been stored as two times eight waits until both
 *            stores have left the store buffer, a dozen cycles or more, and in front of a locked instruction nothing hides them. Where that can happen on a
 *            short path, pass values in registers and read them by gs_value_words.
 * Rules      nil is all zero bits: zeroed memory is an array of nils. GS_T_UNSET is never seen by a program: it marks a
 *            global, a captured variable or a parameter that has no value yet. GS_T_FRAME marks a frame link in a VM's
 *            stack (vm.h).
 */
#ifndef GS_RUNTIME_VALUE_H
#define GS_RUNTIME_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port/check.h"

enum gs_kind {
    /* immediate */
    GS_T_NIL = 0,
    GS_T_BOOL,
    GS_T_INT,
    GS_T_FLOAT,
    GS_T_HANDLE, /* an int that remembers its object */
    GS_T_UNSET,
    GS_T_FRAME,
    /* pointers to objects; payload is a struct gs_obj * of the same kind number */
    GS_T_STR, /* first pointer kind: see gs_is_obj */
    GS_T_ARRAY,
    GS_T_OBJECT,
    GS_T_FUNC,   /* struct gs_func: a closure, or the immortal one of a function that captures nothing */
    GS_T_NATIVE, /* struct gs_native */
    GS_T_BOUND,  /* struct gs_bound: method with its receiver */
    GS_T_CLASS,
    GS_T_IFACE,
    GS_T_TYPE,
    GS_T_MODULE,
    GS_T_RANGE,
    /* internal objects, never in a program's hands */
    GS_T_CELL,   /* a captured variable that is assigned after capture */
    GS_T_RAW,    /* untyped bytes: small array storage */
    GS_T_VALUES, /* gs_value[]: small general storage, overflow slots */
    GS_T_MAP,    /* hash table of a dictionary-mode object */
    GS_T_OBJLIT, /* constant: keys of an object literal */
    GS_T_FRAGMENT, /* struct gs_fragment: in parcels only (copy.h) */
    GS_T_COUNT_
};

struct gs_obj;
struct gs_str;
struct gs_array;
struct gs_object;
struct gs_func;
struct gs_hobj;

typedef struct gs_value {
    union {
        int64_t i;
        double d;
        uint64_t u;
        void *p;
        struct gs_obj *o;
        struct gs_str *s;
        struct gs_array *a;
        struct gs_object *m;
        struct gs_func *f;
    };
    uint64_t tag;
} gs_value;

_Static_assert(sizeof(gs_value) == 16, "a value is two words");

GS_INLINE enum gs_kind gs_kind(gs_value v) { return (enum gs_kind)(v.tag & 0xff); }
/* The kind as the program sees it: a handle is an int. */
GS_INLINE bool gs_is_intlike(gs_value v)
{
    return v.tag == GS_T_INT || gs_kind(v) == GS_T_HANDLE;
}
GS_INLINE bool gs_is_obj(gs_value v) { return gs_kind(v) >= GS_T_STR; }
GS_INLINE bool gs_is(gs_value v, enum gs_kind k) { return v.tag == (uint64_t)k; }
/* A number, a bool or nil: it means the same in every VM. */
GS_INLINE bool gs_value_is_plain(gs_value v) { return v.tag <= GS_T_FLOAT; }
/* *p, by two loads of eight bytes. */
GS_INLINE gs_value gs_value_words(const gs_value *p)
{
    uint64_t u = p->u, tag = p->tag;
    __asm__("" : "+r"(u), "+r"(tag)); /* else gcc makes one load of both */
    return (gs_value){.u = u, .tag = tag};
}

GS_INLINE gs_value gs_nil(void) { return (gs_value){.u = 0, .tag = GS_T_NIL}; }
GS_INLINE gs_value gs_unset(void) { return (gs_value){.u = 0, .tag = GS_T_UNSET}; }
GS_INLINE gs_value gs_bool(bool b) { return (gs_value){.u = b ? 1u : 0u, .tag = GS_T_BOOL}; }
GS_INLINE gs_value gs_int(int64_t i) { return (gs_value){.i = i, .tag = GS_T_INT}; }
GS_INLINE gs_value gs_float(double d) { return (gs_value){.d = d, .tag = GS_T_FLOAT}; }
GS_INLINE gs_value gs_objv(enum gs_kind k, const void *p)
{
    return (gs_value){.u = (uint64_t)(uintptr_t)p, .tag = (uint64_t)k};
}
GS_INLINE gs_value gs_strv(const struct gs_str *s) { return gs_objv(GS_T_STR, s); }
/* The VM that holds the result must have an entry in its ledger for h (handle.h does both). */
GS_INLINE gs_value gs_handlev(int64_t id, const struct gs_hobj *h)
{
    return (gs_value){.i = id, .tag = GS_T_HANDLE | ((uint64_t)(uintptr_t)h << 16)};
}
GS_INLINE struct gs_hobj *gs_handle_obj(gs_value v)
{
    return (struct gs_hobj *)(uintptr_t)(v.tag >> 16);
}

/* Falsy: nil false 0 0.0 "". A string is falsy when its length (third word, see struct gs_str) is 0. */
bool gs_truthy_slow(gs_value v);
GS_INLINE bool gs_truthy(gs_value v)
{
    if (v.tag <= GS_T_INT)
        return v.u != 0; /* nil's payload is 0 */
    return gs_truthy_slow(v);
}

/* == of the language: never throws. Numbers compare exactly across int and float; strings by content. */
bool gs_equal_slow(gs_value a, gs_value b);
GS_INLINE bool gs_equal(gs_value a, gs_value b)
{
    if (a.tag == GS_T_INT && b.tag == GS_T_INT)
        return a.i == b.i;
    return gs_equal_slow(a, b);
}
/* Same kind, same bits (floats by bit pattern): what a constant pool and `Object.is` compare. */
GS_INLINE bool gs_same(gs_value a, gs_value b) { return a.tag == b.tag && a.u == b.u; }

/* Exact comparison of an int with a float: -1, 0, 1, or 2 when d is NaN. */
int gs_cmp_int_float(int64_t i, double d);

/* What `typeof` says: "void", "int", ... Static strings. */
const char *gs_typeof_name(gs_value v);

#endif
