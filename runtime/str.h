/* SPDX-License-Identifier: MIT
 * str.h - strings and atoms.
 *
 * Functions that allocate take the heap and return NULL when memory is out. Strings handed in are borrowed; they may live in the same
 * heap or be immortal. Any string of another VM's heap must go through the copier first.
 */
#ifndef GS_RUNTIME_STR_H
#define GS_RUNTIME_STR_H

#include <string.h>

#include "heap.h"

/* Copies n bytes. n may be 0. One-byte strings come from a table of atoms. */
struct gs_str *gs_str_new(struct gs_heap *h, const char *p, size_t n);
struct gs_str *gs_str_newz(struct gs_heap *h, const char *z);
/* A fresh string of n bytes to be filled by the caller at once through *out (before anything else sees it). */
struct gs_str *gs_str_make(struct gs_heap *h, size_t n, char **out);
/* a + b; linear overall when used as s = s + t in a loop. */
struct gs_str *gs_str_concat(struct gs_heap *h, struct gs_str *a, struct gs_str *b);
/* For the copier: a string in heap h that shares s's buffer, or is a copy of an inline one; immortal ones are themselves. s may belong to
 * another heap that nobody changes meanwhile. */
struct gs_str *gs_str_share(struct gs_heap *h, struct gs_str *s);
/* Bytes [from, to) of s, 0 <= from <= to <= len. Shares the buffer of long strings when the part is long too. */
struct gs_str *gs_str_sub(struct gs_heap *h, struct gs_str *s, size_t from, size_t to);

/* ---- hashing ---- */

#define GS_HASH_K1 0x9e3779b97f4a7c15u
#define GS_HASH_K2 0xd6e8feb86659fd93u

GS_INLINE uint64_t gs_load64(const char *p)
{
    uint64_t x;
    memcpy(&x, p, 8);
    return x;
}
GS_INLINE uint64_t gs_load32(const char *p)
{
    uint32_t x;
    memcpy(&x, p, 4);
    return x;
}
/* Both halves of the product: every bit of a and b reaches the result. */
GS_INLINE uint64_t gs_hash_fold(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 u128;
    u128 x = (u128)a * b;
    return (uint64_t)x ^ (uint64_t)(x >> 64);
}
GS_INLINE uint64_t gs_hash_words(uint64_t a, uint64_t b)
{
    return gs_hash_fold(a ^ GS_HASH_K1, b ^ GS_HASH_K2);
}

uint32_t gs_str_hash_bytes(const char *p, size_t n); /* never 0 */
uint32_t gs_str_hash_slow(struct gs_str *s);
GS_INLINE uint32_t gs_str_hash(struct gs_str *s)
{
    return s->h.aux32 ? s->h.aux32 : gs_str_hash_slow(s);
}
bool gs_str_equal(const struct gs_str *a, const struct gs_str *b);
bool gs_str_equal_bytes(const struct gs_str *a, const char *p, size_t n);
int gs_str_compare(const struct gs_str *a, const struct gs_str *b); /* bytewise, -1 0 1 */

/* ---- atoms: interned, immortal; any thread (a lock on the slow path) ---- */
struct gs_str *gs_atom(const char *p, size_t n);
struct gs_str *gs_atomz(const char *z);
/* The atom with the content of s, or NULL when there is none; takes no lock. */
struct gs_str *gs_atom_find(struct gs_str *s);
/* As gs_atom for names that data brings (JSON keys, computed keys): NULL once the budget of such atoms is spent, so that data cannot
 * grow the table without bound; the caller then uses a dictionary object. */
struct gs_str *gs_atom_data(struct gs_str *s);
struct gs_str *gs_str_byte(uint8_t b);  /* the atom of one byte */
struct gs_str *gs_str_empty(void);

/* An immortal string that is no atom (constants of the code). */
struct gs_str *gs_str_immortal(const char *p, size_t n);

/* UTF-8: length in bytes (1..4) of the code point at p, *cp set; invalid bytes count 1 with *cp = 0xFFFFFFFF. n > 0. */
unsigned gs_utf8_decode(const char *p, size_t n, uint32_t *cp);
unsigned gs_utf8_encode(uint32_t cp, char out[4]); /* 0 for what is no scalar value */

#endif
