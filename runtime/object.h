/* SPDX-License-Identifier: MIT
 * object.h - layout of everything that lives in a VM's heap or for ever.
 *
 * Header     Eight bytes: kind, flags, and two fields whose meaning depends on the kind. Immortal objects (code, constants,
 *            atoms, classes, builtins) are shared by all VMs and never written after publication, not even their mark bits.
 * Strings    Immutable bytes, NUL-terminated behind the length (the NUL is not counted). Short ones are inline behind the
 *            struct; long ones (> GS_STR_INLINE_MAX) point into a shared reference-counted buffer. `s += t` in a loop is
 *            linear: the VM that made a buffer may append behind its used end, where no older string looks.
 *            Atoms are interned immortal strings: equal atoms are the same pointer. Property keys are atoms.
 * Arrays     A storage kind (enum gs_store) that only widens: EMPTY -> BOOL | BYTE -> INT | FLOAT -> VALUE (BYTE widens to
 *            INT, everything widens to VALUE). Small storage lives in the VM's heap (kind RAW or VALUES); packed storage of
 *            GS_PAYLOAD_MIN bytes and more is a gs_payload, reference-counted and shared between VMs.
 *            GS_STORE_COW in `store` says: somebody else may hold this payload, unshare before the first write. Every store
 *            path therefore compares `store` with a plain kind, and one compare covers kind and sharing.
 * Objects    aux32 is the id of the shape. Slots are inline behind the struct, or a VALUES object once it has outgrown
 *            them. An object whose shape has GS_SHAPE_DICT keeps its fields in a hash map instead.
 */
#ifndef GS_RUNTIME_OBJECT_H
#define GS_RUNTIME_OBJECT_H

#include "port/atomic.h"
#include "value.h"

enum gs_objflag {
    GS_OF_MARK_A = 1u,   /* the two mark colours; see gc.c */
    GS_OF_MARK_B = 2u,
    GS_OF_IMMORTAL = 4u, /* shared by all VMs, never written */
    GS_OF_CHUNK = 8u,    /* in a heap's first, never reclaimed chunks: no line map */
    GS_OF_LARGE = 16u,   /* an allocation of its own, in the heap's large list */
    GS_OF_FINAL = 32u,   /* in the heap's list of objects that hold a share of something outside */
    GS_OF_ATOM = 64u,    /* string: interned */
    GS_OF_EXT = 128u,    /* string: bytes in a gs_strbuf (struct gs_xstr) */
};

struct gs_obj {
    uint8_t kind;  /* enum gs_kind */
    uint8_t flags; /* enum gs_objflag */
    uint16_t aux16;
    uint32_t aux32;
};

#define GS_STR_INLINE_MAX 128 /* bytes; longer strings are shared buffers, so that sending them costs a count */

struct gs_str {
    struct gs_obj h; /* aux32: hash, 0 = not computed yet (immortal ones always have it) */
    size_t len;
    const char *data; /* bytes, data[len] == 0 for inline strings and atoms only */
};

/* A growable shared buffer. [data, data+used) never changes once written. */
struct gs_strbuf {
    _Atomic uint32_t refs;
    uint64_t owner; /* uid of the VM heap that may append; others copy */
    size_t used;    /* owner's */
    size_t cap;
    char data[];
};

/* A long string. Either it holds a share of a buffer (aux16 0; it is in the heap's list of such objects), or it is a part of what
 * another string of the same heap holds (aux16 1): making one of these counts nothing, and the collector drops it unseen. */
struct gs_xstr {
    struct gs_str s;
    union {
        struct gs_strbuf *buf;
        struct gs_xstr *root;
    };
};

GS_INLINE bool gs_xstr_is_part(const struct gs_xstr *x)
{
    return x->s.h.aux16 != 0;
}
GS_INLINE struct gs_strbuf *gs_xstr_buf(const struct gs_xstr *x)
{
    return gs_xstr_is_part(x) ? x->root->buf : x->buf;
}

enum gs_store {
    GS_STORE_EMPTY, /* no element yet, no storage */
    GS_STORE_BOOL,  /* uint8_t 0/1 */
    GS_STORE_BYTE,  /* uint8_t, reads as int 0..255 */
    GS_STORE_INT,   /* int64_t */
    GS_STORE_FLOAT, /* double */
    GS_STORE_VALUE, /* gs_value */
    GS_STORE_COW = 0x100, /* in a byte of its own: a reader compares the lower one */
};

#define GS_PAYLOAD_MIN 512 /* bytes of packed storage from which it is a shared payload */

struct gs_payload {
    _Atomic uint32_t refs;
    uint32_t lead; /* bytes before it in its block: payload.c */
    size_t bytes;  /* capacity */
    _Alignas(16) unsigned char data[];
};

struct gs_array {
    struct gs_obj h; /* aux16: enum gs_store, with GS_STORE_COW when shared */
    int64_t len;
    int64_t cap; /* elements that fit */
    union {
        void *data;
        uint8_t *b;
        int64_t *i;
        double *d;
        gs_value *v;
    };
    struct gs_payload *pay; /* NULL: data lies in a RAW or VALUES object of this heap (or is NULL) */
};

#define GS_OBJECT_DICT UINT32_MAX

struct gs_object {
    struct gs_obj h; /* aux32: shape id; aux16: slots that fit inline */
    union {
        gs_value *slots;
        struct gs_map *map; /* shape has GS_SHAPE_DICT */
    };
    uint32_t cap; /* slots that fit where slots points; GS_OBJECT_DICT when map is in use (no shape to look at in the collector) */
    uint32_t pad;
    gs_value fields[]; /* the inline slots */
};

struct gs_proto;

struct gs_func {
    struct gs_obj h; /* aux16: number of captured values */
    const struct gs_proto *proto;
    gs_value up[]; /* captured: plain values, or CELL objects */
};

struct gs_cell {
    struct gs_obj h;
    gs_value v; /* UNSET before its declaration ran */
};

struct gs_vm;
/* A library function. args point into the VM's stack and stay valid during the call; there are nargs of them, within the
 * bounds of its registration. *ret is nil on entry. Never blocks, never calls back into the language. See lib.h for the results. */
typedef int (*gs_native_fn)(struct gs_vm *vm, gs_value *args, uint32_t nargs, gs_value *ret);

struct gs_native {
    struct gs_obj h; /* aux16: enum gs_intrinsic */
    gs_native_fn fn;
    const char *name; /* "sqrt"; what <fn name> and arity errors show */
    uint16_t min, max; /* arguments; max GS_ARGS_ANY = no limit */
    uint32_t flags;    /* enum gs_native_flag */
    /* The same for a call whose result nobody takes, so that it need not be made; NULL: this one does. */
    const struct gs_native *no_result;
};

#define GS_ARGS_ANY 0xffff

enum gs_native_flag {
    GS_NF_PURE = 1u,    /* no side effect before it can fail: may be run again after a collection */
    GS_NF_METHOD = 2u,  /* args[0] is the receiver and is not counted in arity messages */
    GS_NF_NOPARK = 4u,  /* never returns PARK, YIELD or EXIT */
};

enum gs_intrinsic {
#define GS_INTRINSIC(id, form, function) GS_INTRINSIC_##id,
#include "intrinsic.def"
#undef GS_INTRINSIC
    GS_INTRINSIC_COUNT_
};

GS_INLINE enum gs_intrinsic gs_intrinsic_of(const struct gs_native *nat)
{
    return (enum gs_intrinsic)nat->h.aux16;
}

struct gs_bound {
    struct gs_obj h;
    gs_value self;
    gs_value fn; /* FUNC or NATIVE */
};

struct gs_range {
    struct gs_obj h;
    int64_t start, stop, step; /* step != 0 */
};

struct gs_method {
    struct gs_str *name; /* atom */
    struct gs_func *fn;  /* immortal; its proto has GS_PF_METHOD: parameter 0 is self */
};

/* Classes are made by the linker of the front end, immortal and the same in every VM. */
struct gs_class {
    struct gs_obj h;
    struct gs_str *name;
    struct gs_class *super;    /* NULL: none */
    struct gs_method *methods; /* own ones, sorted by address of the name atom */
    uint32_t nmethods;
    uint32_t shape;      /* id of the empty shape of its instances */
    uint32_t dict_shape; /* id of its dictionary shape */
    struct gs_modinfo *mod;
    _Atomic(void *) reach; /* copy.c: globals that its methods can reach, computed once */
};

struct gs_ifmethod {
    struct gs_str *name;
    uint16_t nargs; /* arguments that a caller of the interface passes */
    bool rest;      /* declared with a rest parameter: nargs are the fixed ones */
};

struct gs_iface {
    struct gs_obj h;
    struct gs_str *name;
    struct gs_ifmethod *methods;
    uint32_t nmethods;
};

struct gs_type {
    struct gs_obj h;
    struct gs_str *name;
    struct gs_str **fields;
    uint32_t nfields;
};

/* A module as a value (`let m = strings`). Script modules look names up in their globals, library modules in lib.c. */
struct gs_module {
    struct gs_obj h;
    struct gs_str *name;
    struct gs_modinfo *mod;       /* script module, or NULL */
    const struct gs_lib_module *lib; /* library module, or NULL */
};

/* Constant of an object or instance literal: the shape it ends up with. */
struct gs_objlit {
    struct gs_obj h;
    uint32_t shape;
    uint32_t n; /* values, in slot order */
};

GS_INLINE enum gs_store gs_array_store(const struct gs_array *a) /* without COW */
{
    return (enum gs_store)(a->h.aux16 & 0xff);
}

/* Permanent memory: zeroed, 16-byte aligned, never freed, reachable for leak checkers. Any thread. Exits when memory is out. */
GS_API void *gs_perm_alloc(size_t n);

#endif
