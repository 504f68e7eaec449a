/* SPDX-License-Identifier: MIT
 * lib_encode.c - the module encode: bytes as text and back.
 *
 *   base64.encode(s) -> string   RFC 4648, with padding, in one line
 *   base64.decode(s) -> string   white space is skipped; other characters, missing padding and bits
 *                                that no encoder leaves: ValueError
 *   hex.encode(s) -> string      lower case
 *   hex.decode(s) -> string      either case; white space is skipped; other characters and an odd
 *                                number of digits: ValueError
 *
 * s is a string, else TypeError; what is decoded may be any bytes.
 *
 * By Nettle  whose strict decoders are what we would write ourselves. From its static library:
 *            these two objects have no constructor, so that nothing is paid at start.
 */
#include <nettle/base16.h>
#include <nettle/base64.h>

#include "lib.h"

#define ENCODE_MAX ((size_t)1 << 40) /* above any real use, below what would wrap a size */

static int base64_encode_fn(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_str *s;
    int st = gs_arg_str(vm, "encode", args, 0, &s);
    if (st != GS_OK)
        return st;
    if (s->len > ENCODE_MAX)
        return gs_throw_nomem(vm);
    char *p;
    struct gs_str *t = gs_str_make(&vm->heap, BASE64_ENCODE_RAW_LENGTH(s->len), &p);
    if (t != NULL)
        base64_encode_raw(p, s->len, (const uint8_t *)s->data);
    return gs_ret_str(ret, t);
}

static int hex_encode_fn(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_str *s;
    int st = gs_arg_str(vm, "encode", args, 0, &s);
    if (st != GS_OK)
        return st;
    if (s->len > ENCODE_MAX)
        return gs_throw_nomem(vm);
    char *p;
    struct gs_str *t = gs_str_make(&vm->heap, BASE16_ENCODE_LENGTH(s->len), &p);
    if (t != NULL)
        base16_encode_update(p, s->len, (const uint8_t *)s->data);
    return gs_ret_str(ret, t);
}

/* The text's length is known only afterwards: through a buffer. */
static int decoded(struct gs_vm *vm, const char *what, bool good, struct gs_buf *b, size_t n,
                   gs_value *ret)
{
    int st = good ? gs_ret_str(ret, gs_str_new(&vm->heap, b->p, n))
                  : gs_throw(vm, GS_ERR_VALUE, "decode: malformed %s", what);
    gs_buf_free(b);
    return st;
}

static int base64_decode_fn(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_str *s;
    int st = gs_arg_str(vm, "decode", args, 0, &s);
    if (st != GS_OK)
        return st;
    struct gs_buf b = {0};
    size_t got = BASE64_DECODE_LENGTH(s->len);
    char *p = gs_buf_reserve(&b, got + 1);
    if (p == NULL)
        return GS_E_NOMEM;
    struct base64_decode_ctx c;
    base64_decode_init(&c);
    bool good =
        base64_decode_update(&c, &got, (uint8_t *)p, s->len, s->data) && base64_decode_final(&c);
    return decoded(vm, "base64", good, &b, got, ret);
}

static int hex_decode_fn(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_str *s;
    int st = gs_arg_str(vm, "decode", args, 0, &s);
    if (st != GS_OK)
        return st;
    struct gs_buf b = {0};
    size_t got = BASE16_DECODE_LENGTH(s->len);
    char *p = gs_buf_reserve(&b, got + 1);
    if (p == NULL)
        return GS_E_NOMEM;
    struct base16_decode_ctx c;
    base16_decode_init(&c);
    bool good =
        base16_decode_update(&c, &got, (uint8_t *)p, s->len, s->data) && base16_decode_final(&c);
    return decoded(vm, "hex", good, &b, got, ret);
}

static const struct gs_lib_entry base64_entries[] = {
    GS_FN("encode", base64_encode_fn, 1, 1, GS_NF_PURE | GS_NF_NOPARK),
    GS_FN("decode", base64_decode_fn, 1, 1, GS_NF_PURE | GS_NF_NOPARK),
};
GS_LIB_MODULE(gs_lib_encode_base64, "encode.base64", false, base64_entries);

static const struct gs_lib_entry hex_entries[] = {
    GS_FN("encode", hex_encode_fn, 1, 1, GS_NF_PURE | GS_NF_NOPARK),
    GS_FN("decode", hex_decode_fn, 1, 1, GS_NF_PURE | GS_NF_NOPARK),
};
GS_LIB_MODULE(gs_lib_encode_hex, "encode.hex", false, hex_entries);
