/* SPDX-License-Identifier: MIT
 * status.c - texts of result codes and error kinds, from the two lists.
 */
#include "status.h"

#include <stddef.h>

const char *gs_status_text(gs_status st)
{
    static const char *const text[] = {
#define GS_STATUS(name, text) [GS_ST_##name] = text,
#include "status.def"
#undef GS_STATUS
    };
    size_t i = (size_t)st;
    return i < sizeof text / sizeof text[0] ? text[i] : "unknown status";
}

const char *gs_errkind_text(enum gs_errkind k)
{
    static const char *const text[] = {
#define GS_ERRKIND(name, text) [GS_ERR_##name] = text,
#include "errkind.def"
#undef GS_ERRKIND
    };
    size_t i = (size_t)k;
    return i < sizeof text / sizeof text[0] ? text[i] : "Error";
}
