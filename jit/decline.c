/* SPDX-License-Identifier: MIT
 * decline.c - the texts of decline.def. Contract: decline.h.
 */
#include "decline.h"

const char *const gs_decline_text[GS_DECLINE_COUNT_] = {
#define GS_REASON(id, text) [GS_DECLINE_##id] = (text),
#include "decline.def"
#undef GS_REASON
};
