/* SPDX-License-Identifier: MIT
 * mem.h - the only caller of mimalloc.
 *
 * Every allocation of the runtime goes through here, so that the allocator can be exchanged (plain malloc under
 * sanitizers) and the n-th allocation can be made to fail (tests). All functions may be called from any thread;
 * memory may be freed on another thread than the one that took it.
 */
#ifndef GS_SCHED_PORT_MEM_H
#define GS_SCHED_PORT_MEM_H

#include <stddef.h>
#include <stdint.h>

/* NULL when memory is out (or when the failure counter says so). Contents undefined. n may be 0. */
void *gs_mem_alloc(size_t n);
/* As gs_mem_alloc, zeroed. */
void *gs_mem_zalloc(size_t n);
/* Grows or shrinks; on failure NULL and p stays valid. p may be NULL. */
void *gs_mem_realloc(void *p, size_t n);
/* align: a power of two. Freed by gs_mem_free. */
void *gs_mem_alloc_aligned(size_t n, size_t align);
/* p may be NULL. */
void gs_mem_free(void *p);
/* The bytes that an allocation of n really takes (>= n): growing buffers use them all. */
size_t gs_mem_good_size(size_t n);

/* For data without which the process cannot go on (tables made at start, the compiler's arenas): prints
 * "fatal: out of memory" and ends the process with code 70 instead of returning NULL. */
void *gs_mem_must_alloc(size_t n);
/* p, unless it is NULL: then as above. For what was allocated otherwise. */
void *gs_mem_must(void *p);
void *gs_mem_must_zalloc(size_t n);
void *gs_mem_must_realloc(void *p, size_t n);

/* Fault injection: the n-th allocation from now (1 = the next) and all after it fail; 0 switches it off.
 * The environment variable LANGOOST_FAIL_ALLOC does the same from outside (tests). */
void gs_mem_fail_at(uint64_t n);

/* Bytes of memory that this process may use at most: the machine's, or the limit of its control group (v1, v2) when that is lower.
 * Reads files; not for hot paths. */
size_t gs_mem_machine_bytes(void);

const char *gs_mem_version(void); /* "mimalloc 2.0.9", or "malloc" in a sanitizer build */

#endif
