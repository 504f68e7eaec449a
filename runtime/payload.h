/* SPDX-License-Identifier: MIT
 * payload.h - packed array storage outside the heaps, shared between VMs and copied before the first write.
 *
 * Counting   A count is taken or dropped when a VM takes or drops an array that uses the payload, never at an element access.
 *            [Y1] drop: fetch_sub acq_rel; the dropper that finds 1 frees, having seen all writes of the others.
 *            [Y2] an owner that finds refs == 1 (acquire) may write: whoever shared it before has dropped it, and its reads are over.
 * Colours    Allocators hand out large blocks at multiples of large powers of two. Rows of a matrix that begin like this share few sets of
 *            the caches: walking down a column of 1,000 rows of 1,000 floats took 2.2 times as long (bench matmul_nested, Go likewise). So
 *            payloads of a page and more begin at changing distances of whole cache lines from their block (Bonwick, The Slab
 *            Allocator, 1994, section 4), and their data on a line.
 */
#ifndef GS_RUNTIME_PAYLOAD_H
#define GS_RUNTIME_PAYLOAD_H

#include "object.h"

/* NULL when out. refs 1, data undefined. bytes is rounded up to what the allocator gives. */
struct gs_payload *gs_payload_new(size_t bytes);
struct gs_payload *gs_payload_new_zeroed(size_t bytes);
/* Grows or shrinks; the caller must be the only owner. NULL when out: p is unchanged. */
struct gs_payload *gs_payload_resize(struct gs_payload *p, size_t bytes);
void gs_payload_retain(struct gs_payload *p);
void gs_payload_release(struct gs_payload *p); /* p may be NULL */

struct gs_strbuf *gs_strbuf_new(size_t cap, uint64_t owner); /* refs 1, used 0; NULL when out */
void gs_strbuf_retain(struct gs_strbuf *b);
void gs_strbuf_release(struct gs_strbuf *b);

#endif
