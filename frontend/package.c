/* SPDX-License-Identifier: MIT
 * package.c - what we need of langoost.json: the string at the top-level key "main". A small reader
 * of its own, because the library's JSON parser makes values in a VM's heap, and nothing runs yet.
 */
#include "module.h"

#include <string.h>

#define MAX_NESTING 64

struct reader {
    const char *p, *end;
};

static void blanks(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
        r->p++;
}

static bool take(struct reader *r, char c)
{
    blanks(r);
    if (r->p >= r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

/* A string into out (cut at size). Escapes other than the one-letter ones have no place in a file
 * name: refused. */
static bool string(struct reader *r, char *out, size_t size)
{
    size_t n = 0;
    if (!take(r, '"'))
        return false;
    for (; r->p < r->end && *r->p != '"'; r->p++) {
        char c = *r->p;
        if (c == '\\') {
            if (++r->p >= r->end)
                return false;
            switch (*r->p) {
            case 'n':
                c = '\n';
                break;
            case 't':
                c = '\t';
                break;
            case 'u':
            case 'b':
            case 'f':
            case 'r':
                c = '?';
                break;
            default:
                c = *r->p;
                break;
            }
        }
        if (n + 1 < size)
            out[n++] = c;
    }
    out[n] = '\0';
    return take(r, '"');
}

/* Skips one value. */
static bool value(struct reader *r)
{
    char skipped[8];
    unsigned depth = 0;
    do {
        blanks(r);
        if (r->p >= r->end)
            return false;
        switch (*r->p) {
        case '"':
            if (!string(r, skipped, sizeof(skipped)))
                return false;
            break;
        case '{':
        case '[':
            if (++depth > MAX_NESTING)
                return false;
            r->p++;
            break;
        case '}':
        case ']':
            if (depth == 0)
                return false;
            depth--;
            r->p++;
            break;
        case ',':
        case ':':
            if (depth == 0)
                return false;
            r->p++;
            break;
        default:
            if (strchr("0123456789+-.eEtrufalsn", *r->p) == NULL)
                return false;
            while (r->p < r->end && strchr("0123456789+-.eEtrufalsn", *r->p) != NULL &&
                   *r->p != '\0')
                r->p++;
            break;
        }
    } while (depth > 0);
    return true;
}

bool gs_module_json_main(const char *text, size_t n, char *out, size_t size)
{
    struct reader r = {text, text + n};
    char key[16];
    if (!take(&r, '{'))
        return false;
    do {
        if (!string(&r, key, sizeof(key)) || !take(&r, ':'))
            return false;
        if (strcmp(key, "main") == 0)
            return string(&r, out, size);
        if (!value(&r))
            return false;
    } while (take(&r, ','));
    return false;
}
