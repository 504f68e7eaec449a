/* SPDX-License-Identifier: MIT
 * proto.h - function prototypes: code, constants, feedback and inline caches; modules and programs.
 *
 * Sharing    A proto is made by the front end, verified, published once and then shared by all VMs
 *            for ever. After publication only the words marked _Atomic change, six bits of each
 *            instruction (bytecode.h, gs_insn_x), and the opcodes of entries with machine code
 *            (hot.h, [H1]): code lies in writable memory.
 * Caches     [I1] An inline cache entry is one word, written relaxed. For fields it is complete in
 *            itself: shape, new shape and slot. For methods it is the address of an immortal struct
 *            gs_mcache, stored with release and loaded with acquire (free on x86), so that its
 *            fields are visible.
 * Feedback   One byte for each instruction (enum gs_fb bits), written only when a bit is new, on
 *            paths that are not the fastest one: an arithmetic site without bits has seen ints
 *            only, or nothing. Losing a bit in a race costs a later guard failure, nothing more.
 */
#ifndef GS_RUNTIME_PROTO_H
#define GS_RUNTIME_PROTO_H

#include "bytecode.h"
#include "object.h"

enum gs_fb {
    GS_FB_FLOAT = 1, /* two floats (arithmetic, comparison), FLOAT storage (index) */
    GS_FB_MIXED = 2, /* int with float */
    GS_FB_STR = 4,
    GS_FB_OTHER = 8,
    GS_FB_VALUE = 16, /* index: VALUE storage */
    GS_FB_BYTE = 32,  /* index: BOOL or BYTE storage */
    GS_FB_GROW = 64,
    GS_FB_SLOW = 128, /* ended in an error or a fallback */
};

struct gs_mcache {  /* immortal */
    uint32_t shape; /* gs_shape_of the receiver */
    uint32_t flags; /* 1: fn takes the receiver as its first argument */
    gs_value fn;
};

#define GS_IC_WAYS 3

struct gs_ic {
    struct gs_str *key; /* atom: field or method name; NULL for CALL and CALLTRIM sites */
    /* Fields: shape | new shape << 24 | slot << 48. Methods: struct gs_mcache *. CALL sites: w[0]
     * the callee's proto, w[1] is 1 once there were several. 0 is empty. */
    _Atomic uint64_t w[GS_IC_WAYS];
};
#define GS_IC_FIELD(shape, next, slot)                                                             \
    ((uint64_t)(shape) | (uint64_t)(next) << 24 | (uint64_t)(slot) << 48)

struct gs_capture { /* how CLOSURE fills captured value i */
    uint16_t index;
    bool from_up; /* from the maker's captures, else from its registers */
};

/* Errors raised at pc in [from, to) go to `target` with the error in register `reg`; innermost
 * first. */
struct gs_handler {
    uint32_t from, to, target;
    uint16_t reg;
    uint16_t pad;
};

enum gs_proto_flag {
    GS_PF_METHOD = 1u,  /* register 0 is self */
    GS_PF_REST = 2u,    /* the last parameter collects the rest */
    GS_PF_PRELUDE = 4u, /* left out of stack traces; its errors are reported at its caller */
    GS_PF_MAIN = 8u,    /* top-level code of a module: "main" in traces */
    GS_PF_COLD = 16u,   /* lies in constant memory: neither sampled nor compiled */
};

struct gs_modinfo;

struct gs_proto {
    struct gs_str *name; /* atom; "anonymous" for function literals */
    struct gs_modinfo *mod;
    const gs_insn *code;
    uint32_t ncode;
    uint32_t nk;
    const gs_value *k;
    const uint32_t *lines; /* one for each instruction */
    /* Registers used, call windows of callees' links and arguments included. */
    uint16_t nregs;
    uint16_t nparams; /* declared, self and the rest parameter counted */
    uint16_t nreq;    /* parameters without default, self counted, the rest parameter not */
    uint16_t flags;   /* enum gs_proto_flag */
    struct gs_proto **protos;
    uint32_t nprotos;
    uint32_t ncaps;
    const struct gs_capture *caps;
    const struct gs_handler *handlers;
    uint32_t nhandlers;
    uint32_t nics;
    struct gs_ic *ics;
    _Atomic uint8_t *fb;  /* ncode bytes */
    struct gs_class *cls; /* class it is a method of, or NULL */
    uint32_t line;        /* of the declaration */
    uint32_t id;          /* number of the proto in the process, for hotness tables and traces */
    struct gs_func *self; /* immortal closure when ncaps == 0, else NULL */
    /* Globals that the code names itself (slot numbers), nested protos included, sorted; and
     * constants it names through which more can be reached are in k. */
    const uint32_t *gnames;
    uint32_t ngnames;
    _Atomic(void *) reach; /* copy.c: globals reachable through constants, computed once */
    _Atomic(void *) jit;   /* hot.h: struct gs_hot, once it has been sampled */
};

/* One script module. */
struct gs_modinfo {
    struct gs_str *name;
    /* As shown in messages: the main script as given, others relative to the working directory
     * where below it. */
    const char *path;
    struct gs_proto *main; /* top-level code */
    struct gs_str **gname; /* names of its exports that are globals, and their slots */
    uint32_t *gslot;
    uint32_t nglobals;
    /* Names of its exports that are constants (functions, classes, ...) and their values. */
    struct gs_str **cname;
    gs_value *cvalue;
    uint32_t nconsts;
    struct gs_module *value; /* the module as a value */
};

struct gs_program {
    /* Runs the main script's top level; calls the imported modules' top levels first. */
    struct gs_proto *main;
    struct gs_modinfo *mod; /* of the main script */
    uint32_t nglobals;      /* slots in all */
    struct gs_str **gnames; /* name of each slot, for NameError */
};

#endif
