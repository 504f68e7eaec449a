/* SPDX-License-Identifier: MIT
 * unit.h - what the CUnit programs of runtime/ share: running a table of cases, and a root set for collections.
 */
#ifndef GS_TESTS_UNIT_H
#define GS_TESTS_UNIT_H

#include <CUnit/Basic.h>
#include <stdint.h>
#include <stdio.h>

struct unit_case {
    const char *name;
    void (*fn)(void);
};

/* Runs the cases as one suite; what main returns. */
static inline int unit_run(const char *suite, const struct unit_case *cases, size_t n)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    CU_pSuite s = CU_add_suite(suite, NULL, NULL);
    for (size_t i = 0; s && i < n; i++)
        if (!CU_add_test(s, cases[i].name, cases[i].fn))
            return 2;
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return s && failures == 0 ? 0 : 1;
}

#define UNIT_CASE(fn)                                                                              \
    {                                                                                              \
#fn, fn                                                                                    \
    }
#define UNIT_MAIN(suite, cases)                                                                    \
    int main(void)                                                                                 \
    {                                                                                              \
        return unit_run(suite, cases, sizeof(cases) / sizeof((cases)[0]));                         \
    }

/* A small generator (xorshift64*): the same numbers in every run. */
static inline uint64_t unit_random(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545f4914f6cdd1du;
}

#endif
