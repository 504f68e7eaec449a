/* SPDX-License-Identifier: MIT
 * fuzz_compile.c - any bytes through the whole compiler: no crash, no hang, and every function that
 * comes out passes the verifier (the emitter aborts when one does not). Imports of files are not
 * followed far: the fuzzer runs where no module lies.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "compile.h"
#include "hooks.h"
#include "port/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gs_compiled c;
    struct gs_diag *d = gs_diag_new();
    gs_hooks.compile_prelude = gs_compile_prelude;
    bool ok = gs_compile_text("fuzz", (const char *)data, size, d, &c);
    GS_CHECK(ok == (gs_diag_errors(d) == 0));
    GS_CHECK(ok == (c.program != NULL));
    gs_mem_free(c.protos);
    gs_diag_free(d);
    return 0;
}
