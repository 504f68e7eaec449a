/* SPDX-License-Identifier: MIT
 * ops.h - what the operator tokens mean to the emitter, so that it need not know the token list.
 */
#ifndef GS_FRONTEND_OPS_H
#define GS_FRONTEND_OPS_H

#include <stdint.h>

enum gs_operator {
    GS_O_NONE, /* plain assignment */
    GS_O_ADD,
    GS_O_SUB,
    GS_O_MUL,
    GS_O_DIV,
    GS_O_MOD,
    GS_O_BAND,
    GS_O_BOR,
    GS_O_BXOR,
    GS_O_SHL,
    GS_O_SHR,
    GS_O_EQ,
    GS_O_NE,
    GS_O_LT,
    GS_O_LE,
    GS_O_GT,
    GS_O_GE,
    GS_O_NEG,
    GS_O_BNOT,
    GS_O_NOT,
};

/* Of a binary operator's or an assignment's token. */
enum gs_operator gs_operator_binary(uint8_t token);
enum gs_operator gs_operator_prefix(uint8_t token);

#endif
