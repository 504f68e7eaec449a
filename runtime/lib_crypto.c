/* SPDX-License-Identifier: MIT
 * lib_crypto.c - the module crypto: digests of bytes.
 *
 *   sha1(s) sha256(s) md5(s) -> string    the digest in lower-case hex; md5 and sha1 are for old
 *                                         formats, not for secrets
 *   hmac.sha256(key, s) -> string         RFC 2104, in lower-case hex
 *   crc32(s) -> int                       the checksum of gzip, PNG and zip, 0 to 2^32 - 1
 *
 * s and key are strings, else TypeError.
 *
 * Digests    by Nettle, in a loadable part (loadable.h). crc32 by zlib, from its static library:
 *            one object without a constructor, which costs nothing at start.
 */
#include <nettle/base16.h>
#include <zlib.h>

#include "lib.h"
#include "loadable.h"
#include "loadable/digest.h"

#define NATIVE(name) static int name(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)

static struct gs_loadable digests = {.file = "goost_digest.so", .symbol = "goost_digest"};

static int in_hex(struct gs_vm *vm, const uint8_t *digest, size_t n, gs_value *ret)
{
    char text[BASE16_ENCODE_LENGTH(GS_DIGEST_MAX)];
    base16_encode_update(text, n, digest);
    return gs_ret_str(ret, gs_str_new(&vm->heap, text, BASE16_ENCODE_LENGTH(n)));
}

#define DIGEST(fn)                                                                                 \
    NATIVE(crypto_##fn)                                                                            \
    {                                                                                              \
        (void)n;                                                                                   \
        struct gs_str *s;                                                                          \
        int st = gs_arg_str(vm, #fn, args, 0, &s);                                                 \
        const struct gs_digest_face *face = st == GS_OK ? gs_loadable_face(vm, &digests) : NULL;   \
        if (face == NULL)                                                                          \
            return GS_E_THROWN;                                                                    \
        uint8_t digest[GS_DIGEST_MAX];                                                             \
        return in_hex(vm, digest, face->fn(s->data, s->len, digest), ret);                         \
    }

DIGEST(md5)
DIGEST(sha1)
DIGEST(sha256)

NATIVE(crypto_hmac_sha256)
{
    (void)n;
    struct gs_str *key, *s;
    int st = gs_arg_str(vm, "sha256", args, 0, &key);
    if (st == GS_OK)
        st = gs_arg_str(vm, "sha256", args, 1, &s);
    const struct gs_digest_face *face = st == GS_OK ? gs_loadable_face(vm, &digests) : NULL;
    if (face == NULL)
        return GS_E_THROWN;
    uint8_t digest[GS_DIGEST_MAX];
    return in_hex(vm, digest, face->hmac_sha256(key->data, key->len, s->data, s->len, digest), ret);
}

NATIVE(crypto_crc32)
{
    (void)n;
    struct gs_str *s;
    int st = gs_arg_str(vm, "crc32", args, 0, &s);
    if (st == GS_OK)
        *ret = gs_int((int64_t)crc32_z(0, (const Bytef *)s->data, s->len));
    return st;
}

static const struct gs_lib_entry entries[] = {
    GS_FN("sha1", crypto_sha1, 1, 1, GS_NF_PURE | GS_NF_NOPARK),
    GS_FN("sha256", crypto_sha256, 1, 1, GS_NF_PURE | GS_NF_NOPARK),
    GS_FN("md5", crypto_md5, 1, 1, GS_NF_PURE | GS_NF_NOPARK),
    GS_FN("crc32", crypto_crc32, 1, 1, GS_NF_PURE | GS_NF_NOPARK),
};
GS_LIB_MODULE(gs_lib_crypto, "crypto", false, entries);

static const struct gs_lib_entry hmac_entries[] = {
    GS_FN("sha256", crypto_hmac_sha256, 2, 2, GS_NF_PURE | GS_NF_NOPARK),
};
GS_LIB_MODULE(gs_lib_crypto_hmac, "crypto.hmac", false, hmac_entries);
