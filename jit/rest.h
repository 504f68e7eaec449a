/* SPDX-License-Identifier: MIT
 * rest.h - what the compiler gives back while nothing is asked of it.
 */
#ifndef GS_JIT_REST_H
#define GS_JIT_REST_H

/* The compile thread, between two compiles: takes LLVM's code out of this process's memory until it is needed again. */
void gs_jit_rest(void);

#endif
