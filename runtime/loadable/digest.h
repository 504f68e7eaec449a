/* SPDX-License-Identifier: MIT
 * digest.h - the face of goost_digest.so: digests of bytes.
 */
#ifndef GS_RUNTIME_LOADABLE_DIGEST_H
#define GS_RUNTIME_LOADABLE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define GS_DIGEST_MAX 32 /* bytes */

/* Each returns how many bytes of out it has set. */
struct gs_digest_face {
    size_t (*md5)(const void *p, size_t n, uint8_t out[GS_DIGEST_MAX]);
    size_t (*sha1)(const void *p, size_t n, uint8_t out[GS_DIGEST_MAX]);
    size_t (*sha256)(const void *p, size_t n, uint8_t out[GS_DIGEST_MAX]);
    size_t (*hmac_sha256)(const void *key, size_t nkey, const void *p, size_t n,
                          uint8_t out[GS_DIGEST_MAX]);
};

extern const struct gs_digest_face goost_digest __attribute__((visibility("default")));

#endif
