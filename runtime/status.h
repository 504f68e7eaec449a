/* SPDX-License-Identifier: MIT
 * status.h - result codes and error kinds, each from one list.
 */
#ifndef GS_RUNTIME_STATUS_H
#define GS_RUNTIME_STATUS_H

typedef enum {
#define GS_STATUS(name, text) GS_ST_##name,
#include "status.def"
#undef GS_STATUS
} gs_status;

/* Short names for the ones that every file uses. */
#define GS_OK GS_ST_OK
#define GS_E_THROWN GS_ST_THROWN
#define GS_E_NOMEM GS_ST_NOMEM
#define GS_E_INVALID GS_ST_INVALID
#define GS_PARK GS_ST_PARK
#define GS_YIELD GS_ST_YIELD
#define GS_EXIT GS_ST_EXIT

enum gs_errkind {
#define GS_ERRKIND(name, text) GS_ERR_##name,
#include "errkind.def"
#undef GS_ERRKIND
    GS_ERR_COUNT_
};

const char *gs_status_text(gs_status st);
const char *gs_errkind_text(enum gs_errkind k);

#endif
