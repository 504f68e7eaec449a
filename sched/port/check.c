/* SPDX-License-Identifier: MIT
 * check.c - the way out when an invariant is broken.
 *
 * Rules      No allocation and no locks: the process may be in any state.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn GS_COLD void gs_panic_at(const char *file, int line, const char *what)
{
    char text[512];
    int n = snprintf(text, sizeof text, "langoost: internal error: %s (%s:%d)\n", what, file, line);
    if (n > (int)sizeof text - 1)
        n = (int)sizeof text - 1;
    /* Not stdio: its lock may be held by the very thread that broke. */
    ssize_t wrote = n > 0 ? write(STDERR_FILENO, text, (size_t)n) : 0;
    (void)wrote;
    abort();
}
