/* SPDX-License-Identifier: MIT
 * sched_unit.h - the main of a CUnit program of sched/: CASES(suite, {"name", function}, ...).
 */
#ifndef GS_TESTS_SCHED_UNIT_H
#define GS_TESTS_SCHED_UNIT_H

#include <CUnit/Basic.h>
#include <stddef.h>

#define CASE(f)                                                                                    \
    {                                                                                              \
#f, f                                                                                      \
    }

static inline int run_cases(const char *suite_name, const CU_TestInfo *cases, size_t n)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (size_t i = 0; i < n; i++)
        CU_add_test(suite, cases[i].pName, cases[i].pTestFunc);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failed ? 1 : 0;
}

#endif
