/* SPDX-License-Identifier: MIT
 * string_build.c - one long string grown piece by piece, then read byte by byte with a stride.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text {
    char *data;
    size_t len, cap;
};

static void add(struct text *t, const char *piece, size_t n)
{
    if (t->len + n > t->cap) {
        t->cap = (t->len + n) * 2;
        t->data = realloc(t->data, t->cap);
        if (!t->data)
            exit(1);
    }
    memcpy(t->data + t->len, piece, n);
    t->len += n;
}

static void build(struct text *t, int64_t n)
{
    char digits[24];
    for (int64_t i = 0; i < n; i++) {
        int len = snprintf(digits, sizeof digits, "%" PRId64, i);
        add(t, digits, (size_t)len);
        add(t, ",", 1);
    }
}

static int64_t checksum(const struct text *t)
{
    int64_t h = 0;
    for (size_t i = 0; i < t->len; i += 3)
        h = (h * 31 + (unsigned char)t->data[i]) % 1000000007;
    return h;
}

int main(int argc, char **argv)
{
    int64_t n = argc > 1 ? atoll(argv[1]) : 2000000;
    struct text t = {0};
    build(&t, n);
    printf("%zu\n%" PRId64 "\n", t.len, checksum(&t));
    free(t.data);
    return 0;
}
