/* SPDX-License-Identifier: MIT
 * format.h - strings.format: Go's verbs over our values.
 */
#ifndef GS_RUNTIME_FORMAT_H
#define GS_RUNTIME_FORMAT_H

#include "lib.h"

/* Appends f (n bytes) with its verbs filled from args. GS_OK, or ValueError: unknown verb, argument missing, left over, or of the wrong type. out may hold a part then. */
int gs_format(struct gs_vm *vm, struct gs_buf *out, const char *f, size_t n, const gs_value *args, uint32_t nargs);

#endif
