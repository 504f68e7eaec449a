/* SPDX-License-Identifier: MIT
 * ops.c - operator tokens to operators.
 */
#include "ops.h"

#include "lex.h"

enum gs_operator gs_operator_binary(uint8_t token)
{
    switch (token) {
    case GS_TK_PLUS:
    case GS_TK_PLUS_ASSIGN:
        return GS_O_ADD;
    case GS_TK_MINUS:
    case GS_TK_MINUS_ASSIGN:
        return GS_O_SUB;
    case GS_TK_STAR:
    case GS_TK_STAR_ASSIGN:
        return GS_O_MUL;
    case GS_TK_SLASH:
    case GS_TK_SLASH_ASSIGN:
        return GS_O_DIV;
    case GS_TK_PERCENT:
    case GS_TK_PERCENT_ASSIGN:
        return GS_O_MOD;
    case GS_TK_AMP:
        return GS_O_BAND;
    case GS_TK_PIPE:
        return GS_O_BOR;
    case GS_TK_CARET:
        return GS_O_BXOR;
    case GS_TK_SHL:
        return GS_O_SHL;
    case GS_TK_SHR:
        return GS_O_SHR;
    case GS_TK_EQ:
        return GS_O_EQ;
    case GS_TK_NE:
        return GS_O_NE;
    case GS_TK_LT:
        return GS_O_LT;
    case GS_TK_LE:
        return GS_O_LE;
    case GS_TK_GT:
        return GS_O_GT;
    case GS_TK_GE:
        return GS_O_GE;
    default:
        return GS_O_NONE;
    }
}

enum gs_operator gs_operator_prefix(uint8_t token)
{
    switch (token) {
    case GS_TK_MINUS:
        return GS_O_NEG;
    case GS_TK_TILDE:
        return GS_O_BNOT;
    case GS_TK_BANG:
        return GS_O_NOT;
    default:
        return GS_O_NONE;
    }
}
