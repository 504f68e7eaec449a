/* SPDX-License-Identifier: MIT
 * decline.h - the reasons of decline.def as static strings: what compile functions give as *why.
 */
#ifndef GS_JIT_DECLINE_H
#define GS_JIT_DECLINE_H

enum gs_decline {
#define GS_REASON(id, text) GS_DECLINE_##id,
#include "decline.def"
#undef GS_REASON
    GS_DECLINE_COUNT_
};

extern const char *const gs_decline_text[GS_DECLINE_COUNT_];

/* *why = GS_DECLINE(TOO_BIG); */
#define GS_DECLINE(id) (gs_decline_text[GS_DECLINE_##id])

#endif
