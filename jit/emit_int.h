/* SPDX-License-Identifier: MIT
 * emit_int.h - what the files of the emitter share.
 *
 * Values     An SSA value stands for what a slot holds: of a single kind (types.h) the payload alone, a double for floats and
 *            an i64 for all else; of several kinds payload and tag, both i64. A slot without a value (w NULL) was never stored.
 * Order      Within a node: first the guards, which leave with the state before it; then effects; then gs_set.
 * Memory     Everything is reached by address arithmetic with offsets from the C headers (offsetof), so that layouts cannot drift,
 *            and each access names its kind of memory (enum gs_mem) for LLVM's alias analysis.
 */
#ifndef GS_JIT_EMIT_INT_H
#define GS_JIT_EMIT_INT_H

#include "compiled.h"
#include "escape.h"
#include "loops.h"
#include "session.h"
#include "types.h"

enum gs_mem {
    GS_MEM_STACK,  /* the VM's stack */
    GS_MEM_VM,     /* struct gs_vm */
    GS_MEM_ARRAY,  /* struct gs_array */
    GS_MEM_OBJECT, /* struct gs_object, headers of others */
    GS_MEM_SLOTS,  /* fields of objects */
    GS_MEM_SLOT_TAGS,
    GS_MEM_INTS,
    GS_MEM_FLOATS,
    GS_MEM_BYTES,
    GS_MEM_VALUES, /* elements */
    GS_MEM_VALUE_TAGS,
    GS_MEM_CELL,   /* cells, captured values, globals */
    GS_MEM_LAYOUT, /* struct gs_glayout and its map, which nobody changes */
    GS_MEM_COUNT_
};

struct gs_val {
    LLVMValueRef w, tag;
    gs_kinds k;
};

/* The tag of field `field` of the object in o is of kinds k; or (GS_FACT_SHAPE) the id of its shape is k. See emit_fact.c. */
struct gs_fact {
    LLVMValueRef o;
    LLVMValueRef w; /* as which the field was loaded; NULL: it was not, or may have been written since */
    uint32_t field;
    gs_kinds k;
};
#define GS_FACTS 32u
#define GS_FACT_SHAPE UINT32_MAX
#define GS_FACT_SOME (UINT32_MAX - 1u) /* gs_fact_stored: it is not known which field */

/* The block before the head of a loop: see "Strips" in emit_loop.c. */
struct gs_strip {
    LLVMBasicBlockRef block;
    struct gs_val *phi; /* of each slot, as the block begins */
    struct gs_val *cur; /* as it ends: what the loop does not store is this all through it */
    LLVMValueRef turns;  /* in the head: how many turns of the strip follow; NULL: the loop has no strips */
    LLVMValueRef behind; /* how many turns follow the strip */
    struct gs_fact fact[GS_FACTS]; /* what holds in the whole loop */
    uint32_t nfacts;
};

/* An object that does not escape (escape.h). Slots that hold it have its place as their word, the only words that are pointers. */
struct gs_virtual {
    LLVMValueRef place;   /* laid out as the object; only shape and fields are there */
    LLVMBasicBlockRef at; /* where it has been made for the interpreter, and what as */
    LLVMValueRef made;
};

/* What a strip has checked already for a node. */
enum gs_sure {
    GS_SURE_STORE = 1, /* the array's storage */
    GS_SURE_INDEX = 2, /* the index is within it */
};

/* The links of frames that are written before a call of a unit: what stands between two instructions. */
struct gs_links {
    LLVMBasicBlockRef block, left; /* left: where a callee that was left comes back to */
    LLVMValueRef before, call;     /* before NULL: from the beginning of the block */
};

struct gs_emit {
    struct gs_types *t;
    struct gs_graph *g;
    LLVMContextRef c;
    LLVMModuleRef m;
    LLVMBuilderRef b;
    LLVMTypeRef i1, i8, i16, i32, i64, f64, ptr, pair;
    LLVMValueRef fn, vm, base;
    LLVMMetadataRef tbaa[GS_MEM_COUNT_];
    unsigned md_tbaa, md_prof;
    LLVMValueRef unlikely; /* branch weights */
    struct gs_val *cur;    /* of each slot */
    gs_kinds *k;           /* of each slot, by types.c */
    LLVMBasicBlockRef *block;
    struct gs_val *phi;    /* nslots for each block; w NULL: not live there */
    LLVMValueRef *frame_fn; /* closure of each inlined frame, as i64; by number of frame */
    const struct gs_node *n; /* the node on its way */
    uint32_t id;             /* its block */
    /* The segment of nodes that can all be done again from its first: see "Exits" in emit.c. */
    bool in_segment;
    const struct gs_node *first;
    struct gs_val *start;        /* the slots as it begins */
    LLVMBasicBlockRef exit;      /* made when first needed */
    LLVMValueRef exit_how, exit_site; /* its phis */
    struct gs_hot_site *site; /* of each node */
    uint8_t *sure;            /* enum gs_sure, of each node */
    struct gs_loops loops;
    struct gs_strip *strip;   /* of each loop */
    uint32_t *in_loop;        /* of each block: number of its loop plus 1, 0: none that has a strip */
    struct gs_fact fact[GS_FACTS];
    uint32_t nfacts;
    struct gs_escape escape;
    struct gs_virtual virtual[GS_ESCAPE_SITES]; /* of each site */
    struct gs_links *links; /* of the unit's calls of itself */
    uint32_t nlinks;
    bool looks;            /* the unit may look at links while it runs: it calls helpers or other units, or takes its own function from there */
    bool throws;           /* the inference has taken the node's registers to its handler */
    bool ended;            /* nothing follows the node: its block has its terminator */
    struct gs_debug *debug; /* debug.h; NULL: not wanted */
};

/* ---- building blocks: emit.c ---- */

LLVMValueRef gs_i64(struct gs_emit *e, int64_t v);
LLVMValueRef gs_i32(struct gs_emit *e, uint32_t v);
LLVMValueRef gs_load(struct gs_emit *e, LLVMTypeRef t, LLVMValueRef p, enum gs_mem m);
void gs_store_to(struct gs_emit *e, LLVMValueRef v, LLVMValueRef p, enum gs_mem m);
LLVMValueRef gs_at(struct gs_emit *e, LLVMValueRef p, int64_t bytes); /* p + bytes */
LLVMValueRef gs_pointer(struct gs_emit *e, LLVMValueRef word); /* that of a virtual object: its place */
LLVMValueRef gs_constant_pointer(struct gs_emit *e, const void *p);
LLVMBasicBlockRef gs_new_block(struct gs_emit *e, const char *name);
LLVMValueRef gs_helper(struct gs_emit *e, const char *name, LLVMValueRef *args, unsigned n);
/* The address of a slot in the VM's stack. */
LLVMValueRef gs_slot_at(struct gs_emit *e, uint32_t slot);

/* Values. */
struct gs_val gs_val_single(enum gs_kind kind, LLVMValueRef w);
struct gs_val gs_val_constant(struct gs_emit *e, gs_value v);
LLVMValueRef gs_word(struct gs_emit *e, struct gs_val v); /* payload as i64 */
LLVMValueRef gs_tag(struct gs_emit *e, struct gs_val v);
struct gs_val gs_as(struct gs_emit *e, struct gs_val v, gs_kinds k); /* v, known to be of kinds k, in their form */
struct gs_val gs_get(struct gs_emit *e, uint32_t reg);               /* register of the node's frame */
void gs_set(struct gs_emit *e, uint32_t reg, struct gs_val v);
struct gs_val gs_load_value(struct gs_emit *e, LLVMValueRef p, gs_kinds k, enum gs_mem m);
void gs_store_value(struct gs_emit *e, struct gs_val v, LLVMValueRef p, enum gs_mem m);
LLVMValueRef gs_load_tag(struct gs_emit *e, LLVMValueRef p, enum gs_mem m);
void gs_store_payload(struct gs_emit *e, struct gs_val v, LLVMValueRef p, enum gs_mem m); /* the tag is there already */
LLVMValueRef gs_is_kind(struct gs_emit *e, struct gs_val v, gs_kinds k); /* i1; constants fold */
LLVMValueRef gs_to_double(struct gs_emit *e, struct gs_val v);           /* of a number */

/* Goes on only when cond holds, else leaves as a miss. */
void gs_guard(struct gs_emit *e, LLVMValueRef cond);
/* Register reg becomes a value of kinds k (guarded when it may be another). */
struct gs_val gs_want(struct gs_emit *e, uint32_t reg, gs_kinds k);
/* Where to branch from the block in which the builder stands, once: a guard of the node failed, or the interpreter is to do it. */
LLVMBasicBlockRef gs_miss(struct gs_emit *e);
LLVMBasicBlockRef gs_again(struct gs_emit *e);
LLVMBasicBlockRef gs_stuck(struct gs_emit *e); /* the code does not do such things */
LLVMBasicBlockRef gs_stale(struct gs_emit *e); /* there is no code to be called any more */
void gs_branch(struct gs_emit *e, LLVMValueRef cond, LLVMBasicBlockRef likely, LLVMBasicBlockRef unlikely);
/* vm->base, vm->pc and the links of inlined frames are those of the node, for helpers that may fail. */
void gs_save(struct gs_emit *e);
/* status (i32) must be GS_OK; otherwise leaves as it says. Behind a helper of compiled.h. */
void gs_check(struct gs_emit *e, LLVMValueRef status);
/* The error of the node is under way (vm->error): to the handler in the unit, or leaves. Ends the block. */
void gs_thrown(struct gs_emit *e);
/* What was called has left as `how` (i32) says: the node's handler in the unit takes an error. Gives how the unit is to leave otherwise. */
LLVMValueRef gs_catch_first(struct gs_emit *e, LLVMValueRef how);
/* Writes the registers [reg, reg + n) of the node's frame to memory: arguments of helpers and calls. */
void gs_spill(struct gs_emit *e, uint32_t reg, uint32_t n);
/* What the slots behind pc need is written to memory: that are live there (and, with an operation on its way at catch_pc, what its handlers need). */
void gs_write_live(struct gs_emit *e, uint32_t pc, uint32_t catch_pc, uint32_t end /* see gs_graph_live */);
void gs_write_catch(struct gs_emit *e); /* what the handlers of the node need */
void gs_leave(struct gs_emit *e, uint32_t how, uint32_t pc); /* stores base, pc, links; returns */
void gs_return_status(struct gs_emit *e, LLVMValueRef how);  /* i32 */

/* Looks whether anybody wants attention; leaves with the state before the segment then. */
void gs_poll(struct gs_emit *e);
/* What follows can be done again up to the first effect. */
void gs_begin_segment(struct gs_emit *e);
/* The strip of the loop with this head, or NULL. */
struct gs_strip *gs_strip_of(struct gs_emit *e, uint32_t head);
/* Edges: from a strip or the end of a turn to the head; from the end of a strip to the next. */
void gs_next_turn(struct gs_emit *e, uint32_t head, LLVMValueRef turns);
void gs_goto_strip(struct gs_emit *e, struct gs_strip *p);

/* ---- what is known about fields: emit_fact.c ---- */

void gs_facts_forget(struct gs_emit *e);
bool gs_fact_shape(struct gs_emit *e, LLVMValueRef o, uint32_t shape); /* o surely has this shape */
void gs_fact_is_shape(struct gs_emit *e, LLVMValueRef o, uint32_t shape);
gs_kinds gs_fact_kinds(struct gs_emit *e, LLVMValueRef o, uint32_t field);
void gs_fact_loaded(struct gs_emit *e, LLVMValueRef o, uint32_t field, struct gs_val v);
void gs_fact_stored(struct gs_emit *e, LLVMValueRef o, uint32_t field, gs_kinds k);
void gs_fact_narrowed(struct gs_emit *e, LLVMValueRef w, gs_kinds k); /* what was loaded as w is of kinds k */

/* The object that had the word o is no more. */
void gs_fact_ends(struct gs_emit *e, LLVMValueRef o);

/* ---- objects that do not escape: emit_escape.c ---- */

void gs_virtual_places(struct gs_emit *e); /* as the function begins */
/* The node, a NEWOBJ, makes one. False: its object escapes. */
bool gs_virtual_new(struct gs_emit *e);
/* The slots that hold virtual objects as block id begins: the others stay as they are. */
void gs_virtual_begin(struct gs_emit *e, uint32_t id);
/* v for the interpreter: made where the builder stands, where the code is about to leave. */
struct gs_val gs_virtual_real(struct gs_emit *e, struct gs_val v);

/* ---- instructions: emit_ops.c, emit_loop.c, emit_iter.c, emit_call.c, emit_any.c ---- */

enum gs_arith gs_arith_of(enum gs_op op);
/* Arrays: their storage must be this; their length; the address of an element; an element. */
void gs_guard_store(struct gs_emit *e, LLVMValueRef a, enum gs_store store, bool writes);
LLVMValueRef gs_len_of(struct gs_emit *e, LLVMValueRef a);
LLVMValueRef gs_element_at(struct gs_emit *e, LLVMValueRef a, enum gs_store store, LLVMValueRef at);
struct gs_val gs_load_element(struct gs_emit *e, LLVMValueRef p, enum gs_store store);
/* Fields: what the cache of the node says of them, when there is one shape in it, else GS_FACT_SOME; whether every shape in it has the
 * field already; the shape of the object whose word is o must be this; the address of a field. */
uint32_t gs_only_field(const struct gs_node *n);
bool gs_only_existing(const struct gs_node *n);
void gs_guard_shape(struct gs_emit *e, LLVMValueRef o, uint32_t shape);
LLVMValueRef gs_field_at(struct gs_emit *e, LLVMValueRef o, LLVMValueRef field);
void gs_emit_strip(struct gs_emit *e, const struct gs_loop *l, struct gs_strip *p);
void gs_emit_forprep(struct gs_emit *e, uint32_t block);
void gs_emit_forloop(struct gs_emit *e, uint32_t block);
/* An element of whatever storage a has, at an index within it; spare: a place of a value in the stack that may be written. */
struct gs_val gs_load_any_element(struct gs_emit *e, LLVMValueRef a, LLVMValueRef at, LLVMValueRef spare);
void gs_emit_iternew(struct gs_emit *e, const struct gs_step *s);
void gs_emit_iternext(struct gs_emit *e, const struct gs_step *s, uint32_t block);

/* True: what was done so far in the segment can be done again. */
bool gs_emit_node(struct gs_emit *e, const struct gs_node *n, uint32_t block);
void gs_emit_call(struct gs_emit *e, const struct gs_step *s);
void gs_emit_native(struct gs_emit *e, const struct gs_step *s);
void gs_emit_alloc(struct gs_emit *e); /* emit_alloc.c; how BUMP */
/* The address of captured value i of the node's function. */
LLVMValueRef gs_captured_at(struct gs_emit *e, uint32_t i);
void gs_emit_intrinsic(struct gs_emit *e, const struct gs_step *s, enum gs_intrinsic is); /* emit_intrinsic.c */
/* Locks or unlocks a mutex, if it is one, that nobody else wants; else goes to other, and nothing has happened. */
void gs_emit_mutex(struct gs_emit *e, bool lock, struct gs_val mutex, LLVMBasicBlockRef other);
/* The arguments of the node become its callee's parameters. */
void gs_emit_fit(struct gs_emit *e);
void gs_emit_any_call(struct gs_emit *e, const struct gs_step *s);
void gs_emit_inline(struct gs_emit *e);
void gs_emit_throw(struct gs_emit *e);
void gs_emit_catch(struct gs_emit *e);
void gs_emit_deferpush(struct gs_emit *e);
void gs_emit_defercall(struct gs_emit *e, uint32_t block);
LLVMValueRef gs_shape_test(struct gs_emit *e); /* i1: the receiver's shape is in one of the node's ways */
void gs_goto(struct gs_emit *e, uint32_t to); /* an edge: phis, then the branch */
/* The two edges of a conditional jump; cond: taken. */
void gs_goto_if(struct gs_emit *e, uint32_t block, LLVMValueRef cond);
LLVMValueRef gs_frame_fn(struct gs_emit *e, const struct gs_frame *f); /* i64 */
/* What the interpreter's ENTER writes for a frame at slot `off`, called from `by` slots below it: the callee f (i64), and where it returns to. */
void gs_write_link(struct gs_emit *e, uint32_t off, uint32_t by, LLVMValueRef f, const gs_insn *back);
/* Those of f and of the inlined frames that it was called from. */
void gs_write_links(struct gs_emit *e, const struct gs_frame *f);
/* The types of the arguments of the code of o, vm and base first; their number. */
unsigned gs_own_types(const struct gs_emit *e, const struct gs_own *o, LLVMTypeRef *t);

#define GS_STATUS_TAG 0xfeu /* tag word of a return that is none: the payload is enum gs_left */

#endif
