/* SPDX-License-Identifier: MIT
 * json.h - JSON text to values and back. Results as those of a library function (lib.h).
 */
#ifndef GS_RUNTIME_JSON_H
#define GS_RUNTIME_JSON_H

#include "handle.h"
#include "lib.h"

int gs_json_parse(struct gs_vm *vm, const char *p, size_t n, gs_value *out);
/* indent NULL: compact. */
int gs_json_write(struct gs_vm *vm, gs_value v, const char *indent, size_t nindent, gs_value *out);

#endif
