/* SPDX-License-Identifier: MIT
 * text.h - the text form of values (LANGUAGE section 2), numbers to text and back.
 */
#ifndef GS_RUNTIME_TEXT_H
#define GS_RUNTIME_TEXT_H

#include "heap.h"

/* A growable byte buffer in plain memory (not in a heap). Zero-initialised is empty. failed sticks once memory was out. */
struct gs_buf {
    char *p;
    size_t len, cap;
    bool failed;
};
void gs_buf_put(struct gs_buf *b, const char *p, size_t n);
void gs_buf_putz(struct gs_buf *b, const char *z);
void gs_buf_putc(struct gs_buf *b, char c);
void gs_buf_printf(struct gs_buf *b, const char *fmt, ...) GS_PRINTF(2, 3);
char *gs_buf_reserve(struct gs_buf *b, size_t n); /* room for n more bytes at the returned place; NULL: out */
GS_API void gs_buf_free(struct gs_buf *b);

#define GS_NUM_MAX 40 /* bytes that any number's text fits in */
size_t gs_text_int(int64_t i, char out[GS_NUM_MAX]);
size_t gs_text_float(double d, char out[GS_NUM_MAX]); /* shortest digits that read back equal; see LANGUAGE */
/* Appends the text form; top: strings raw (println) instead of quoted. Deep nesting does not recurse on the C stack without bound. */
void gs_text_value(struct gs_buf *b, gs_value v, bool top);
/* Appends a JSON-escaped, double-quoted string. Invalid UTF-8 bytes pass as they are. */
void gs_text_quote(struct gs_buf *b, const char *p, size_t n);
/* A string value holding the text form (top level); NULL when out. Strings give themselves. */
struct gs_str *gs_text_str(struct gs_heap *h, gs_value v);

/* Whole-string parses for toInt/toFloat and JSON: decimal int, optional sign, nothing else; false when malformed or out of range. */
bool gs_text_parse_int(const char *p, size_t n, int64_t *out);
bool gs_text_parse_float(const char *p, size_t n, double *out); /* also "Inf" "-Inf" "NaN" */

#endif
