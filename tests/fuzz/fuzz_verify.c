/* SPDX-License-Identifier: MIT
 * fuzz_verify.c - changed bytecode: the verifier refuses it, or the interpreter survives it.
 */
#include <stdint.h>
#include <stdio.h>

#include "../unit/unit_mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct unit_mutant m;
    if (m.n == 0)
        GS_CHECK(unit_mutant_init(&m));
    (void)unit_mutant_run(&m, data, size);
    return 0;
}
