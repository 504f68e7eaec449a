/* SPDX-License-Identifier: MIT
 * goost.h - embedding API; the only installed header of the runtime. See api.c.
 */
#ifndef GS_RUNTIME_GOOST_H
#define GS_RUNTIME_GOOST_H

#include <stdbool.h>
#include <stddef.h>

struct gs_program;

enum goost_deadlock { GOOST_DEADLOCK_OFF, GOOST_DEADLOCK_WARN, GOOST_DEADLOCK_ERROR };
enum goost_jit { GOOST_JIT_ON, GOOST_JIT_OFF, GOOST_JIT_EAGER };

struct goost_options {
    unsigned workers;      /* 0: one for each usable core */
    bool pin;
    bool stats;            /* print a table at exit */
    bool debug;
    const char *trace;     /* file for a trace in Chrome's format; NULL: none */
    const char *topology;  /* synthetic, for tests; NULL: the real machine */
    size_t stack_limit;    /* bytes of stack for one task; 0: default */
    size_t heap_limit;     /* bytes of one task's heap and of all together; 0: as much as the machine or the control group has */
    unsigned long long seed;
    enum goost_deadlock deadlock; /* what to do about tasks that are blocked for good while others go on */
    enum goost_jit jit;    /* EAGER: whoever asks for code waits for it; for tests */
    unsigned long long jit_threshold; /* calls and iterations before a function is compiled; 0: default */
    unsigned jit_stress;   /* for tests: one of so many guards of compiled code fails; 0: none does */
    bool jit_remake;       /* for tests: machine code is dropped and made again, at random */
    bool *completed;       /* gets true when the program has come to its end by itself: neither exit nor an error, a panic or a deadlock ended it; NULL: nobody asks */
    bool jit_listing;      /* for disasm --jit: texts of what is compiled are kept, and the end waits for the compiler */
};

void goost_options_init(struct goost_options *o);
/* Runs a compiled program to its end, with argv[0..argc) as args(). Returns the exit code: 0, 1 uncaught error (reported on stderr), 2 panic, 3 deadlock, or the code
 * given to exit(). Output is flushed. Once per process. When the compiler to machine code is busy at the end, it does not return but ends the process with
 * that code, as _exit does. */
int goost_run_program(const struct goost_options *o, struct gs_program *p, int argc, char **argv);

const char *goost_version(void);

#endif
