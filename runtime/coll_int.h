/* SPDX-License-Identifier: MIT
 * coll_int.h - what the files of the module collections share: values at rest, keys, and the common
 * head.
 *
 * Values     A collection is shared by tasks, so what goes in and comes out is copied, as through a
 *            channel: parcels. A short string would need a fragment of several hundred bytes; it is
 *            kept as a counted text instead, in a parcel whose value has the internal kind RAW.
 *            Only the functions gs_item_* may touch parcels that may hold a text.
 * Keys       What == compares by content: nil, bools, numbers, strings, handles (by number, like
 *            ints). 1 and 1.0 are one key, as are 0.0 and -0.0; NaN equals itself here, so that it
 *            can be found again. A key at rest is a single value: nil, bool, int, float, handle
 *            (with a share), an immortal string or a text.
 * Locking    One mutex for each collection makes every operation atomic. A mutex and no spin lock:
 *            growing and snapshots are long, and a holder that the system takes from its core
 *            should let the others sleep. Values are packed before it is taken and opened after it
 *            was given back (but for a ring's push).
 * Freed      gs_coll_enter looks at GS_HF_FREED again under the lock, so that no operation works on
 *            a collection after `free` has returned.
 * Epoch      free and clear count it up. Who popped a value that then did not fit into its VM puts
 *            it back only when the epoch is still the same.
 */
#ifndef GS_RUNTIME_COLL_INT_H
#define GS_RUNTIME_COLL_INT_H

#include <pthread.h>

#include "handle.h"
#include "lib.h"
#include "waitq.h"

struct gs_coll {
    struct gs_hobj h;
    pthread_mutex_t lock; /* guards epoch and all that follows in the kinds' structs */
    uint32_t epoch;
};

#define GS_COLL_FN(name)                                                                           \
    static int name(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
/* Nothing has changed when it fails for want of memory; it never parks. */
#define GS_COLL_ENTRY(nm, f, lo, hi) GS_FN(nm, f, lo, hi, GS_NF_PURE | GS_NF_NOPARK)

/* Zeroed memory of `size` bytes for a collection of kind k, one share; NULL: out. */
void *gs_coll_new(size_t size, enum gs_hkind k);
/* Ends the head and frees c; the contents are gone already. */
void gs_coll_fini(struct gs_coll *c);
/* The collection behind v with its lock held; NULL with HandleError thrown. */
void *gs_coll_enter(struct gs_vm *vm, const char *fn, gs_value v, enum gs_hkind k);
void gs_coll_leave(void *coll);

/* ---- values at rest ---- */

/* GS_OK or GS_E_NOMEM with *out nil. */
gs_status gs_item_pack(struct gs_vm *vm, gs_value v, struct gs_parcel *out);
gs_status gs_item_open(struct gs_vm *vm, const struct gs_parcel *p, gs_value *out);
/* On GS_E_NOMEM the item stays. */
gs_status gs_item_take(struct gs_vm *vm, struct gs_parcel *p, gs_value *out);
void gs_item_dup(const struct gs_parcel *p, struct gs_parcel *out);
void gs_item_drop(struct gs_parcel *p);
/* Taking it cannot fail and copies nothing: may be done under the lock. */
GS_INLINE bool gs_item_is_plain(const struct gs_parcel *p)
{
    return gs_kind(p->v) != GS_T_FRAGMENT && gs_kind(p->v) != GS_T_HANDLE && gs_kind(p->v) != GS_T_RAW;
}

/* Opens n items into a new array, *ret; drops and frees the items whatever happens. */
int gs_item_list(struct gs_vm *vm, struct gs_parcel *items, size_t n, gs_value *ret);

/* ---- keys and priorities ---- */

enum gs_keykind { GS_KEY_NONE, GS_KEY_NIL, GS_KEY_BOOL, GS_KEY_INT, GS_KEY_FLOAT, GS_KEY_STR };

struct gs_key { /* borrows the bytes of a string */
    enum gs_keykind kind;
    uint32_t hash;
    union {
        int64_t i; /* bools, too */
        double d;  /* no integral number within int64 */
        const char *p;
    };
    size_t len;
};

/* Of a value of a program, or of a key at rest. kind is NONE for what is no key. */
struct gs_key gs_key_of(gs_value v);
bool gs_key_equal(const struct gs_key *a, const struct gs_key *b);
/* The key of argument i, or TypeError. */
int gs_key_arg(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i, struct gs_key *out);

/* A key or priority at rest; GS_E_NOMEM. v has a kind other than NONE. */
gs_status gs_key_pack(gs_value v, gs_value *out);
void gs_key_dup(gs_value v, gs_value *out);
void gs_key_drop(gs_value v);

/* ---- one for each family: takes the contents out under the lock and drops them after ---- */
void gs_seq_empty(
    struct gs_coll *c); /* lib_collections.c; the caller holds the lock, which is given up */
void gs_table_empty(struct gs_coll *c); /* lib_collections_map.c */
void gs_pq_empty(struct gs_coll *c);    /* lib_collections_heap.c */

/* `clear` of every family: empties the collection in args[0], which must be of kind k. */
int gs_coll_clear(struct gs_vm *vm, enum gs_hkind k, gs_value *args);

#endif
