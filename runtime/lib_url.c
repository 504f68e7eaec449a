/* SPDX-License-Identifier: MIT
 * lib_url.c - the module url: percent-encoding of RFC 3986.
 *
 *   encode(s) -> string    all bytes but A-Z a-z 0-9 - _ . ~ as %XX: safe in every part of a URL; a
 *                          space is %20
 *   decode(s) -> string    %XX, in either case, as bytes; everything else, + too, stays. A %
 *                          without two hex digits: ValueError
 *
 * s is a string, else TypeError. decode(encode(s)) == s for any bytes.
 */
#include "lib.h"

static bool unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int url_encode(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_str *s;
    int st = gs_arg_str(vm, "encode", args, 0, &s);
    if (st != GS_OK)
        return st;
    size_t more = 0;
    for (size_t i = 0; i < s->len; i++)
        more += unreserved((unsigned char)s->data[i]) ? 0 : 2;
    if (more == 0) {
        *ret = args[0];
        return GS_OK;
    }
    char *p;
    struct gs_str *t = gs_str_make(&vm->heap, s->len + more, &p);
    if (t == NULL)
        return GS_E_NOMEM;
    for (size_t i = 0; i < s->len; i++) {
        unsigned char c = (unsigned char)s->data[i];
        if (unreserved(c)) {
            *p++ = (char)c;
            continue;
        }
        *p++ = '%';
        *p++ = "0123456789ABCDEF"[c >> 4];
        *p++ = "0123456789ABCDEF"[c & 15];
    }
    return gs_ret_str(ret, t);
}

static int url_decode(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_str *s;
    int st = gs_arg_str(vm, "decode", args, 0, &s);
    if (st != GS_OK)
        return st;
    size_t escapes = 0;
    for (size_t i = 0; i < s->len; i++) {
        if (s->data[i] != '%')
            continue;
        if (s->len - i < 3 || digit(s->data[i + 1]) < 0 || digit(s->data[i + 2]) < 0)
            return gs_throw(vm, GS_ERR_VALUE, "decode: malformed escape at byte %zu", i);
        escapes++;
        i += 2;
    }
    if (escapes == 0) {
        *ret = args[0];
        return GS_OK;
    }
    char *p;
    struct gs_str *t = gs_str_make(&vm->heap, s->len - 2 * escapes, &p);
    if (t == NULL)
        return GS_E_NOMEM;
    for (size_t i = 0; i < s->len; i++) {
        if (s->data[i] != '%') {
            *p++ = s->data[i];
            continue;
        }
        *p++ = (char)(digit(s->data[i + 1]) << 4 | digit(s->data[i + 2]));
        i += 2;
    }
    return gs_ret_str(ret, t);
}

static const struct gs_lib_entry entries[] = {
    GS_FN("encode", url_encode, 1, 1, GS_NF_PURE | GS_NF_NOPARK),
    GS_FN("decode", url_decode, 1, 1, GS_NF_PURE | GS_NF_NOPARK),
};
GS_LIB_MODULE(gs_lib_url, "url", false, entries);
