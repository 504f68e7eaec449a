/* SPDX-License-Identifier: MIT
 * digest.c - goost_digest.so: digests by Nettle, which uses the processor's SHA instructions where
 * there are any.
 */
#include "digest.h"

#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

static size_t md5(const void *p, size_t n, uint8_t out[GS_DIGEST_MAX])
{
    struct md5_ctx c;
    md5_init(&c);
    md5_update(&c, n, p);
    md5_digest(&c, MD5_DIGEST_SIZE, out);
    return MD5_DIGEST_SIZE;
}

static size_t sha1(const void *p, size_t n, uint8_t out[GS_DIGEST_MAX])
{
    struct sha1_ctx c;
    sha1_init(&c);
    sha1_update(&c, n, p);
    sha1_digest(&c, SHA1_DIGEST_SIZE, out);
    return SHA1_DIGEST_SIZE;
}

static size_t sha256(const void *p, size_t n, uint8_t out[GS_DIGEST_MAX])
{
    struct sha256_ctx c;
    sha256_init(&c);
    sha256_update(&c, n, p);
    sha256_digest(&c, SHA256_DIGEST_SIZE, out);
    return SHA256_DIGEST_SIZE;
}

static size_t hmac_sha256(const void *key, size_t nkey, const void *p, size_t n,
                          uint8_t out[GS_DIGEST_MAX])
{
    struct hmac_sha256_ctx c;
    hmac_sha256_set_key(&c, nkey, key);
    hmac_sha256_update(&c, n, p);
    hmac_sha256_digest(&c, SHA256_DIGEST_SIZE, out);
    return SHA256_DIGEST_SIZE;
}

const struct gs_digest_face goost_digest = {md5, sha1, sha256, hmac_sha256};
