/* SPDX-License-Identifier: MIT
 * hot.h - how hot code is found, compiled and entered; the contract between the interpreter and jit/.
 *
 * Heat       Each VM has a counter (vm->heat, carried from task to task by the worker) that goes down at every frame entry
 *            and every taken back-edge of the interpreter. When it is below zero, gs_hot_count charges the function that is
 *            running with one sample: no shared line is written at each event, and a function that a million short tasks run
 *            becomes hot as well as one that loops in a single task.
 * Entries    What gets compiled is an entry: a function (pc 0) or one of its loops (the pc of a loop header, that is, of the
 *            target of a back-edge). A compiled loop is its natural loop and nothing else: leaving the loop leaves the
 *            compiled code.
 * Patching   [H1] The first instruction of an entry that has code gets the opcode GS_OP_JIT; operands and marks stay. The
 *            opcode byte is stored with release after the entry's unit, and the dispatch that finds GS_OP_JIT loads the unit
 *            with acquire. So code that is not compiled pays nothing. Whoever wants the opcode of an instruction of a
 *            published function asks gs_hot_insn.
 * Units      [H2] A unit is immutable once published. Two ways lead to its code: the unit of its entry, for the interpreter, and cells, for the code of
 *            other functions, which holds the address of the cell and never that of the code. A unit that neither names any more was
 *            dropped or replaced; it is freed, code and sites, once no worker can be in it. A worker holds units only inside
 *            gs_hot_run (vm->missed included), so it is enough that each has been outside since (sched/reclaim.h). Cells and entries live for ever:
 *            a function has one for each way its code was ever called.
 * Levels     First a unit is made QUICK. What the compile thread then finds running (it pokes the workers every few milliseconds, and the code that leaves
 *            because of that says whose it is) is made once more, FULL, and takes the place of the first.
 * Never wait A VM never waits for the compiler: a request copies what it needs (the kinds in the registers) and goes into a
 *            queue that one compile thread serves. --jit=eager compiles in the thread that asks, before it goes on.
 *
 * Compiled code runs on the C stack of its worker, each call of a compiled function a C call, at most GS_HOT_STACK bytes deep.
 * The VM's stack keeps the frames' places: the window of a call and the link are written before the call, registers only when
 * the code leaves. Leaving means: every compiled frame of the chain writes its live registers to its place and returns, and
 * the interpreter goes on at vm->base, vm->pc. A guard that fails, a poll, a call that parks, an error: all leave this way.
 *   L1  When compiled code leaves, vm->base and vm->pc are those of the innermost frame; links of all frames are right, and
 *       each register that is live where its frame goes on holds its value. Other registers hold what they held (rule G1 of vm.h).
 *   L2  Nothing collects while compiled code is on the C stack (vm->compiled): what wants to is refused and done again by the
 *       interpreter after leaving (compiled.h).
 *       Leaving with GO or MISS is a safe point: when a collection is due, the interpreter makes it there.
 *   L3  After leaving, the interpreter runs the original instruction at vm->pc, never GS_OP_JIT, so that each round makes progress.
 *   L4  An error is caught by compiled code when the handler lies in the unit that learns of it first: the unit in which it was thrown, or that
 *       called what came back with THROWN. Before it says THROWN itself, every frame that it stands for (inlined ones, too) has been
 *       asked. So each unit on the way looks at its own handlers only, and the innermost one wins, as in gs_unwind. When the
 *       handler lies outside the loop that was compiled it leaves with CATCH, at which nobody on the way looks at handlers: gs_unwind finds the same one. Errors from outside (Cancelled) come by polls, which the
 *       interpreter answers, or by natives, as any other.
 */
#ifndef GS_RUNTIME_HOT_H
#define GS_RUNTIME_HOT_H

#include "vm.h"

/* How an entry's code came back to the interpreter. */
enum gs_left {
    GS_LEFT_RETURN,  /* a function: its result is in base[-2] of its frame; do what RET does after that */
    GS_LEFT_GO,      /* go on at vm->base, vm->pc (end of a loop, a poll, a callee without code) */
    GS_LEFT_MISS,    /* as GO: a guard failed at the instruction *vm->pc of the frame vm->base. The code may say in vm->missed which
                        guard it was; else the entry that the interpreter entered is charged, or
                        that of the frame's function */
    GS_LEFT_ENTER,   /* the frame vm->base (vm->pc its first instruction, link written) was to be entered, but reaches the limit of
                        the stack, or somebody wants attention, or the C stack is used up */
    GS_LEFT_THROWN,  /* vm->error is set, vm->base and vm->pc saved: unwind. From vm->base down to the frame of the code that says so none
                        has a handler for it (L4) */
    GS_LEFT_PARK,    /* a native parked; vm->resume_dst is set (relative to vm->base), its outcome goes there */
    GS_LEFT_YIELD,   /* go on at vm->pc, but let others run first */
    GS_LEFT_EXIT,
    GS_LEFT_REFUSED, /* the entry's own assumptions about its registers fail: nothing has happened */
    GS_LEFT_FULL,    /* the frame, with all the code may write, does not fit below the limit: nothing has happened; no miss */
    GS_LEFT_STUCK,   /* as GO: the code cannot do the instruction; vm->missed says whose code. Too often in a short time: dropped for good */
    GS_LEFT_STALE,   /* as GO: a cell was empty. vm->missed says whose code it was: dropped, and made anew when it is asked for again */
    GS_LEFT_CATCH,   /* as THROWN, but one of those frames has a handler, which the interpreter shall find */
    GS_LEFT_COUNT_
};

/* Bytes of C stack that compiled code may use below the interpreter. */
#define GS_HOT_STACK (256u * 1024u)

enum gs_level {
    GS_LEVEL_QUICK, /* soon there */
    GS_LEVEL_FULL,  /* runs fast */
    GS_LEVEL_COUNT_
};

/* Where compiled code finds the code of a function for calls of one kind. NULL: there is none, or no more. */
struct gs_hot_cell {
    _Atomic(void *) code;     /* [H2] written under the lock of hot.c: by release; loaded by whoever calls */
    struct gs_hot_cell *next; /* of the entry; immutable once there */
};
#define GS_UNIT_CELLS 2u

struct gs_unit {
    /* base: the frame, entered or at the loop header, all registers in memory. Gives enum gs_left. */
    uint32_t (*enter)(struct gs_vm *vm, gs_value *base);
    uint32_t generation;
    uint32_t slots; /* of the stack from base on that it may write; 0: not said. After FULL room is made for so many */
    uint32_t bytes; /* of machine code */
    enum gs_level level; /* QUICK: making it FULL would be worth something */
    void *code;                              /* what the cells get, of a function; else NULL */
    struct gs_hot_cell *cell[GS_UNIT_CELLS]; /* which ones; NULL: none */
    void *own;                               /* jit/'s: what is freed with it */
    /* hot.c's */
    struct gs_hot_entry *entry;
    struct gs_unit *next; /* of the entry's, then of those that wait to be freed; under the lock */
    uint64_t hour;        /* when it was taken away: reclaim.h */
};

struct gs_hot_entry {
    struct gs_hot_entry *next; /* of the function; immutable once published by [H3] */
    uint32_t pc;
    uint8_t original;          /* opcode at pc */
    bool patched;              /* under the lock of hot.c */
    _Atomic(const struct gs_unit *) unit; /* [H1] NULL: none (yet, or dropped) */
    struct gs_unit *units;     /* all that may run: `unit`, and what only cells name; under the lock */
    struct gs_hot_cell *cells; /* under the lock; the compile thread, which alone adds some, reads them without */
    _Atomic uint32_t looks;    /* how often the current unit was found running; a lost one does not matter */
    _Atomic uint32_t misses;   /* of the current unit: guards that failed, refusals */
    uint32_t generation;       /* compiles so far, GS_HOT_GENERATIONS at most; under the lock of hot.c */
    _Atomic bool asked;        /* a request is on its way, or would be in vain */
    bool declined;             /* the last request was; under the lock */
    uint8_t tries;             /* declined so often, GS_HOT_TRIES at most; under the lock */
    uint8_t inner;             /* units made for callers only, GS_HOT_INNER at most; the compile thread's */
    uint8_t stale;             /* dropped so often because code that it calls was, GS_HOT_STALE at most; under the lock */
    _Atomic uint32_t not_before; /* samples of the function before it is asked for again */
    _Atomic uint32_t stuck;    /* how often it left because it was, since stuck_ns */
    int64_t stuck_ns;          /* under the lock */
    int64_t since_ns;          /* when the misses of the last generation began to be counted; under the lock */
    struct gs_proto *proto;
};
#define GS_HOT_TRIES 3u       /* what declines for want of feedback may not do so later */
#define GS_HOT_GENERATIONS 6u /* the last one takes no assumption that has ever failed */
#define GS_HOT_INNER 16u
#define GS_HOT_STALE 16u
#define GS_HOT_STUCK 1000u    /* times in GS_HOT_STUCK microseconds: such code is worth less than the interpreter */
/* Failures of a unit that lead to a new one. What the first did not know shows at once; what goes on failing in the next may be rare. */
#define GS_HOT_MISSES(generation) (2u << (generation))

/* A guard: whose code it is in, and the instruction that it stands for (not always one of the function of vm->base: a guard may stand
 * before a loop that calls). It goes with the code. */
struct gs_hot_site {
    struct gs_hot_entry *entry;
    struct gs_proto *proto;
    const gs_insn *at;
};

/* One for each function that has been sampled; immortal, at proto->jit. */
struct gs_hot {
    _Atomic uint32_t samples;
    _Atomic uint32_t requests; /* on their way */
    _Atomic bool called;       /* a sample was taken as it began */
    _Atomic bool hopeless;     /* the function will never have code as a whole; a hint */
    _Atomic(const struct gs_unit *) whole; /* [H1] the unit of the entry at 0, for calls from compiled code; NULL: none */
    _Atomic(struct gs_hot_entry *) entries; /* [H3] pushed by release CAS, read by acquire */
    /* For each instruction: how often a guard there failed (stops at 255); the compiler asks less of what failed. */
    _Atomic uint8_t miss[];
};

GS_INLINE struct gs_hot *gs_hot_of(const struct gs_proto *p)
{
    return (struct gs_hot *)gs_load_acq(&((struct gs_proto *)(uintptr_t)p)->jit); /* [H3] published by release CAS */
}

/* A request; the compiler's to read until compile returns. */
struct gs_hot_request {
    struct gs_proto *p;
    struct gs_hot *hot;
    struct gs_hot_entry *entry;
    uint32_t generation; /* of the unit to be made: 1 .. GS_HOT_GENERATIONS */
    enum gs_level level;
    /* What the registers held when the request was made: kinds (enum gs_kind) and payloads of ints (for loop constants such as a step of
     * 1); of pointers only the kind may be trusted. nregs of them. */
    const gs_value *regs;
};

/* What libgoost-jit exports as `goost_jit_face`. */
struct gs_jit_face {
    /* Compiles; NULL and *why (a static string from the list in jit/decline.def) when it does not. Called by one thread at a time. */
    struct gs_unit *(*compile)(const struct gs_hot_request *r, const char **why);
    /* Frees a unit that nobody can be in. As compile, by one thread at a time. NULL: units stay. */
    void (*release)(struct gs_unit *u);
    /* Nothing has been asked for some time: gives back memory that it can have again. As compile, by one thread at a time. NULL: there is none. */
    void (*rest)(void);
    /* Prints bytecode, IR and machine code of p's units (NULL: of all functions'), when they were kept, each unit once; gives
     * how many. */
    unsigned (*dump)(void *FILE_out, const struct gs_proto *p);
};

/* ---- options, before the first run ---- */

enum gs_jit_mode { GS_JIT_ON, GS_JIT_OFF, GS_JIT_EAGER };
struct gs_hot_options {
    enum gs_jit_mode mode;
    uint32_t threshold; /* events before a function is compiled; 0: the default */
    uint32_t stress;    /* every so many guards one leaves although it holds, for tests; 0: none */
    bool remake;        /* for tests: units are dropped at random, and made again without end */
    bool listing;       /* the compiler keeps what gs_hot_dump prints; the program's end waits for all requests */
};

/* Before the first run; without it nothing is sampled. Starts no thread yet. */
void gs_hot_start(const struct gs_hot_options *o);
GS_API const struct gs_hot_options *gs_hot_options(void);

/* ---- called by the interpreter ---- */

/* What vm->heat of the task that ran last on this thread is; the next one goes on with it. */
extern _Thread_local int32_t gs_heat;

/* compiled.c: runs the unit of the GS_OP_JIT at *vm->pc, in the frame vm->base. MISS and REFUSED have been charged, after FULL
 * the stack has grown and the unit been tried once more, and a collection been made if one was due: all these come as GO. So does an
 * entry without a unit. May move the stack; vm->base is true for RETURN, too. */
enum gs_left gs_hot_run(struct gs_vm *vm, const struct gs_proto *p);

/* vm->heat is below zero: charges p, sets the counter anew, and may ask for the entry at pc (0 or a loop header) to be compiled.
 * vm->base is saved, the registers are in memory. */
void gs_hot_count(struct gs_vm *vm, const struct gs_proto *p, uint32_t pc);
/* The entry at an instruction that was found to be GS_OP_JIT. Never NULL. */
struct gs_hot_entry *gs_hot_entry_at(const struct gs_proto *p, uint32_t pc);
/* After GS_LEFT_MISS or GS_LEFT_REFUSED: counts, and asks for a new unit when it happens often. */
void gs_hot_missed(struct gs_vm *vm, struct gs_hot_entry *e, enum gs_left left);
/* After GS_LEFT_STUCK, GS_LEFT_STALE. */
void gs_hot_stuck(struct gs_hot_entry *e);
void gs_hot_stale(struct gs_hot_entry *e);
/* For options.remake, before an entry. */
void gs_hot_remake(struct gs_hot_entry *e);
/* It was found running. */
void gs_hot_looked(struct gs_hot_entry *e);

/* ---- for everybody ---- */

/* The instruction at `at` with its own opcode, marks as they are. */
GS_API gs_insn gs_hot_insn(const struct gs_proto *p, const gs_insn *at);
/* The entry at pc, made when there is none; pc of a loop header or 0. */
GS_API struct gs_hot_entry *gs_hot_entry_get(struct gs_proto *p, uint32_t pc);
/* The compiler's: one more cell of the entry, empty. */
GS_API void gs_hot_cell_add(struct gs_hot_entry *e, struct gs_hot_cell *c);
/* The compiler's: a unit that was made on the way, for callers only: its cells get its code. */
GS_API void gs_hot_inner(struct gs_hot_entry *e, struct gs_unit *unit);
/* Ends the compile thread, before the process leaves; what is queued is dropped. False: it is in the middle of a
 * compile. Then the process must end by _exit: LLVM's destructors would run under its feet. */
bool gs_hot_stop(void);
/* A worker is about to end: what it has counted is added up. */
void gs_hot_worker_stop(void);
/* Lines for --stats: compiles, nanoseconds in the compiler, nanoseconds that VMs waited for it (eager only), exits by kind,
 * declines by reason. */
void gs_hot_stats(void *FILE_out);
/* For disasm --jit, after the run: the compiler's listing of p's units (NULL: of those not printed yet); how many there were. */
unsigned gs_hot_dump(void *FILE_out, const struct gs_proto *p);
/* Why there is no compiler although it was wanted, "" if there is no such reason. */
const char *gs_hot_trouble(void);

#endif
