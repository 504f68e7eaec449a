/* SPDX-License-Identifier: MIT
 * str.c - strings, atoms, UTF-8.
 *
 * Building   `s = s + t` must be linear over a loop. The first concatenation whose result is long
 *            makes a buffer; when its left side is the longer one (it looks like building) the
 *            buffer has room, and later ones whose left side ends where the buffer's used part ends
 *            append there. No older string looks behind its own length, so nobody sees the append.
 *            A result in the same buffer is a part of the string that holds the buffer (object.h):
 *            with a share for each, counting and dropping them was a fifth of bench string_build.
 *            When the same text is added to the same string once more, its bytes are there: compiled
 *            code that leaves for a collection does the last instructions again, and copied the
 *            whole buffer for it.
 *            A buffer that is full is left to its strings and a doubled one goes on. A
 *            concatenation to the middle of a buffer, to somebody else's or to a constant gets a
 *            little room only: it may be the only one.
 * Atoms      One open-addressing table of pointers. Readers probe it without a lock: [A1] an entry
 *            is stored with release after its atom is complete and loaded with acquire; the table
 *            pointer likewise. Growing publishes a new table and leaves the old one to late
 *            readers, who at worst miss an atom and come to the lock. Empty and one-byte strings
 *            have a static table of their own and are not in it.
 */
#include "str.h"

#include <string.h>

#include "heap_int.h"
#include "payload.h"
#include "port/mem.h"

/* ---- hashing ---- */

/* The last 0 to 16 bytes as two words; which bytes overlap depends on n alone. */
GS_INLINE uint64_t hash_tail(const char *p, size_t n, uint64_t h)
{
    uint64_t a, b;
    if (n >= 8) {
        a = gs_load64(p);
        b = gs_load64(p + n - 8);
    } else if (n >= 4) {
        a = gs_load32(p);
        b = gs_load32(p + n - 4);
    } else if (n > 0) {
        a = (uint64_t)(uint8_t)p[0] | (uint64_t)(uint8_t)p[n / 2] << 8 |
            (uint64_t)(uint8_t)p[n - 1] << 16;
        b = 0;
    } else {
        a = b = 0;
    }
    return gs_hash_fold(a ^ GS_HASH_K1, b ^ h);
}

uint32_t gs_str_hash_bytes(const char *p, size_t n)
{
    uint64_t h = n * GS_HASH_K2 ^ GS_HASH_K1;
    while (n > 16) {
        h = gs_hash_fold(gs_load64(p) ^ GS_HASH_K2, gs_load64(p + 8) ^ h);
        p += 16;
        n -= 16;
    }
    h = hash_tail(p, n, h);
    uint32_t r = (uint32_t)(h ^ h >> 32);
    return r ? r : 1u;
}

uint32_t gs_str_hash_slow(struct gs_str *s)
{
    return s->h.aux32 = gs_str_hash_bytes(s->data, s->len);
}

/* ---- atoms ---- */

struct atom_table {
    uint32_t mask;
    _Atomic(struct gs_str *) *slot; /* mask + 1 of them */
};

#define ATOM_FIRST 1024u
#define ATOM_DATA_MAX 65536u /* names that data may add; about 4 MiB of short names */

struct byte_atom {
    struct gs_str s;
    char text[8];
};

static struct byte_atom byte_atoms[257]; /* [256] is the empty string */
static _Atomic(struct gs_str *) atom_first_slots[ATOM_FIRST];
static struct atom_table atom_first = {.mask = ATOM_FIRST - 1, .slot = atom_first_slots};
static _Atomic(struct atom_table *) atoms = &atom_first;
static uint32_t natoms;              /* guarded by atom_lock */
static _Atomic uint32_t natoms_data; /* may overshoot by the number of threads; it is a budget */
static struct gs_spin atom_lock;     /* guards writers of the table */

static void immortal_init(struct gs_str *s, const char *data, size_t n, unsigned flags)
{
    s->h.kind = GS_T_STR;
    s->h.flags = (uint8_t)(GS_OF_IMMORTAL | flags);
    s->h.aux32 = gs_str_hash_bytes(data, n);
    s->len = n;
    s->data = data;
}

__attribute__((constructor)) static void byte_atoms_init(void)
{
    for (unsigned b = 0; b < 256; b++) {
        byte_atoms[b].text[0] = (char)b;
        immortal_init(&byte_atoms[b].s, byte_atoms[b].text, 1, GS_OF_ATOM);
    }
    immortal_init(&byte_atoms[256].s, byte_atoms[256].text, 0, GS_OF_ATOM);
}

struct gs_str *gs_str_byte(uint8_t b)
{
    return &byte_atoms[b].s;
}

struct gs_str *gs_str_empty(void)
{
    return &byte_atoms[256].s;
}

/* NULL when absent; *at is then the free slot where the probe ended. n > 1. */
static struct gs_str *probe(struct atom_table *t, const char *p, size_t n, uint32_t hash,
                            uint32_t *at)
{
    for (uint32_t i = hash & t->mask;; i = (i + 1) & t->mask) {
        struct gs_str *s = gs_load_acq(&t->slot[i]); /* [A1] */
        if (!s) {
            *at = i;
            return NULL;
        }
        if (s->h.aux32 == hash && s->len == n && memcmp(s->data, p, n) == 0)
            return s;
    }
}

static void table_put(struct atom_table *t, struct gs_str *s)
{
    uint32_t i = s->h.aux32 & t->mask;
    while (gs_load_rlx(&t->slot[i])) /* relaxed: only lock holders write */
        i = (i + 1) & t->mask;
    gs_store_rel(&t->slot[i], s); /* [A1] */
}

static struct atom_table *bigger_table(const struct atom_table *old)
{
    uint32_t size = (old->mask + 1) * 2;
    struct atom_table *t = gs_perm_alloc(sizeof *t);
    t->mask = size - 1;
    t->slot = gs_perm_alloc(size * sizeof *t->slot);
    return t;
}

/* Inserts s unless its content is there already; gives the one in the table. */
static struct gs_str *intern(struct gs_str *s)
{
    struct atom_table *spare = NULL;
    for (;;) {
        gs_spin_lock(&atom_lock);
        struct atom_table *t = gs_load_rlx(&atoms); /* relaxed: under the lock */
        uint32_t at;
        struct gs_str *found = probe(t, s->data, s->len, s->h.aux32, &at);
        bool full = natoms >= t->mask / 2;
        if (!found && full && spare && spare->mask > t->mask) {
            for (uint32_t i = 0; i <= t->mask; i++) {
                struct gs_str *x = gs_load_rlx(&t->slot[i]);
                if (x)
                    table_put(spare, x);
            }
            gs_store_rel(&atoms, spare); /* [A1] */
            t = spare;
            full = false;
        }
        if (!found && !full) {
            table_put(t, s);
            natoms++;
            found = s;
        }
        gs_spin_unlock(&atom_lock);
        if (found)
            return found;
        spare = bigger_table(t); /* outside the spin lock; wasted when another thread was faster */
    }
}

static struct gs_str *atom_lookup(const char *p, size_t n, uint32_t hash)
{
    uint32_t at;
    return probe(gs_load_acq(&atoms), p, n, hash, &at); /* [A1] */
}

static struct gs_str *immortal_new(const char *p, size_t n, unsigned flags)
{
    struct gs_str *s = gs_perm_alloc(sizeof *s + n + 1);
    char *data = (char *)(s + 1);
    if (n)
        memcpy(data, p, n);
    data[n] = 0;
    immortal_init(s, data, n, flags);
    return s;
}

struct gs_str *gs_atom(const char *p, size_t n)
{
    if (n <= 1)
        return n ? gs_str_byte((uint8_t)*p) : gs_str_empty();
    struct gs_str *s = atom_lookup(p, n, gs_str_hash_bytes(p, n));
    return s ? s : intern(immortal_new(p, n, GS_OF_ATOM));
}

struct gs_str *gs_atomz(const char *z)
{
    return gs_atom(z, strlen(z));
}

struct gs_str *gs_atom_find(struct gs_str *s)
{
    if (s->h.flags & GS_OF_ATOM)
        return s;
    if (s->len <= 1)
        return gs_atom(s->data, s->len);
    return atom_lookup(s->data, s->len, gs_str_hash(s));
}

struct gs_str *gs_atom_data(struct gs_str *s)
{
    struct gs_str *a = gs_atom_find(s);
    if (a || gs_load_rlx(&natoms_data) >= ATOM_DATA_MAX)
        return a;
    gs_add_rlx(&natoms_data, 1u); /* relaxed: a budget, nothing depends on it */
    return gs_atom(s->data, s->len);
}

struct gs_str *gs_str_immortal(const char *p, size_t n)
{
    return immortal_new(p, n, 0);
}

/* ---- making strings ---- */

static struct gs_str *inline_new(struct gs_heap *h, size_t n)
{
    struct gs_str *s = gs_heap_alloc(h, sizeof *s + n + 1);
    if (!s)
        return NULL;
    gs_obj_init(h, &s->h, GS_T_STR);
    char *data = (char *)(s + 1);
    data[n] = 0;
    s->len = n;
    s->data = data;
    return s;
}

/* A string of n bytes from data, in buf. Takes the caller's share of buf, also on failure. bytes:
 * what h is charged. */
static struct gs_str *ext_new(struct gs_heap *h, struct gs_strbuf *buf, const char *data, size_t n,
                              size_t bytes)
{
    struct gs_xstr *x = gs_heap_alloc(h, sizeof *x);
    if (!x)
        goto drop;
    gs_obj_init(h, &x->s.h, GS_T_STR);
    x->s.h.flags |= GS_OF_EXT;
    x->s.len = n;
    x->s.data = data;
    x->buf = buf;
    if (!gs_heap_add_final(h, &x->s.h, bytes))
        goto drop; /* x is unreachable garbage then */
    return &x->s;
drop:
    gs_strbuf_release(buf);
    return NULL;
}

/* A string of n bytes from data, in the buffer that x has. */
static struct gs_str *part_new(struct gs_heap *h, struct gs_xstr *x, const char *data, size_t n)
{
    struct gs_xstr *p = gs_heap_alloc(h, sizeof *p);
    if (!p)
        return NULL;
    gs_obj_init(h, &p->s.h, GS_T_STR);
    p->s.h.flags |= GS_OF_EXT;
    p->s.h.aux16 = 1;
    p->s.len = n;
    p->s.data = data;
    p->root = gs_xstr_is_part(x) ? x->root : x;
    return &p->s;
}

/* A new buffer with n bytes used of at least cap, to be filled by the caller. */
static struct gs_str *buffer_new(struct gs_heap *h, size_t n, size_t cap)
{
    if (!gs_heap_has_room(h, cap))
        return NULL;
    struct gs_strbuf *b = gs_strbuf_new(cap, h->uid);
    if (!b)
        return NULL;
    b->used = n;
    return ext_new(h, b, b->data, n, b->cap);
}

struct gs_str *gs_str_make(struct gs_heap *h, size_t n, char **out)
{
    struct gs_str *s = n <= GS_STR_INLINE_MAX ? inline_new(h, n) : buffer_new(h, n, n);
    if (s)
        *out = (char *)(uintptr_t)s->data;
    return s;
}

/* Most pieces are shorter than a call of memcpy is worth. */
GS_INLINE void copy_piece(char *to, const char *from, size_t n)
{
    if (n > 16) {
        memcpy(to, from, n);
    } else if (n >= 8) {
        uint64_t a = gs_load64(from), b = gs_load64(from + n - 8);
        memcpy(to, &a, 8);
        memcpy(to + n - 8, &b, 8);
    } else if (n >= 4) {
        uint32_t a = (uint32_t)gs_load32(from), b = (uint32_t)gs_load32(from + n - 4);
        memcpy(to, &a, 4);
        memcpy(to + n - 4, &b, 4);
    } else if (n > 0) {
        char a = from[0], b = from[n / 2], c = from[n - 1];
        to[0] = a;
        to[n / 2] = b;
        to[n - 1] = c;
    }
}

struct gs_str *gs_str_new(struct gs_heap *h, const char *p, size_t n)
{
    if (n <= 1)
        return n ? gs_str_byte((uint8_t)*p) : gs_str_empty();
    char *to;
    struct gs_str *s = gs_str_make(h, n, &to);
    if (s)
        copy_piece(to, p, n);
    return s;
}

struct gs_str *gs_str_newz(struct gs_heap *h, const char *z)
{
    return gs_str_new(h, z, strlen(z));
}

struct gs_str *gs_str_share(struct gs_heap *h, struct gs_str *s)
{
    if (s->h.flags & GS_OF_IMMORTAL)
        return s;
    if (!(s->h.flags & GS_OF_EXT)) {
        struct gs_str *c = inline_new(h, s->len);
        if (c) {
            memcpy((char *)(c + 1), s->data, s->len);
            c->h.aux32 = s->h.aux32;
        }
        return c;
    }
    struct gs_strbuf *b = gs_xstr_buf((struct gs_xstr *)s);
    gs_strbuf_retain(b);
    struct gs_str *c = ext_new(h, b, s->data, s->len, 0);
    if (c) {
        c->h.aux32 = s->h.aux32;
        gs_heap_pressure(h, b->cap / 2 < GS_GC_FIRST / 4 ? b->cap / 2 : GS_GC_FIRST / 4);
    }
    return c;
}

/* ---- concatenation and parts ---- */

/* True when b's bytes can be put behind a in a's own buffer. */
static bool can_append(const struct gs_heap *h, const struct gs_str *a, size_t more)
{
    if (!(a->h.flags & GS_OF_EXT))
        return false;
    const struct gs_strbuf *buf = gs_xstr_buf((const struct gs_xstr *)a);
    return buf->owner == h->uid && a->data + a->len == buf->data + buf->used &&
           buf->cap - buf->used >= more;
}

/* True when b's bytes stand behind a already. */
static bool has_appended(const struct gs_heap *h, const struct gs_str *a, const struct gs_str *b)
{
    if (!(a->h.flags & GS_OF_EXT))
        return false;
    const struct gs_strbuf *buf = gs_xstr_buf((const struct gs_xstr *)a);
    const char *end = a->data + a->len;
    return buf->owner == h->uid && (size_t)(buf->data + buf->used - end) >= b->len &&
           memcmp(end, b->data, b->len) == 0;
}

/* Room for a long result a + b; see the head of the file. */
static size_t concat_cap(const struct gs_heap *h, const struct gs_str *a, const struct gs_str *b,
                         size_t n)
{
    if (a->len < b->len)
        return n;
    if (!(a->h.flags & GS_OF_EXT))
        return a->len <= GS_STR_INLINE_MAX ? n * 2 : n + n / 8;
    const struct gs_strbuf *buf = gs_xstr_buf((const struct gs_xstr *)a);
    bool building = buf->owner == h->uid && a->data + a->len == buf->data + buf->used &&
                    buf->used > buf->cap / 2 + 64;
    return !building ? n + n / 8 : n * 2;
}

static struct gs_str *concat_long(struct gs_heap *h, struct gs_str *a, struct gs_str *b, size_t n)
{
    if (can_append(h, a, b->len)) {
        struct gs_strbuf *buf = gs_xstr_buf((struct gs_xstr *)a);
        struct gs_str *s = part_new(h, (struct gs_xstr *)a, a->data, n);
        if (s) {
            copy_piece(buf->data + buf->used, b->data, b->len);
            buf->used += b->len;
        }
        return s;
    }
    if (has_appended(h, a, b))
        return part_new(h, (struct gs_xstr *)a, a->data, n);
    size_t cap = concat_cap(h, a, b, n);
    struct gs_str *s = buffer_new(h, n, cap);
    if (!s && cap > n + n / 8) /* near the limit of the heap: less room */
        s = buffer_new(h, n, n + n / 8);
    if (s) {
        char *to = (char *)(uintptr_t)s->data;
        memcpy(to, a->data, a->len);
        memcpy(to + a->len, b->data, b->len);
    }
    return s;
}

struct gs_str *gs_str_concat(struct gs_heap *h, struct gs_str *a, struct gs_str *b)
{
    if (b->len == 0)
        return a;
    if (a->len == 0)
        return b;
    if (a->len > SIZE_MAX / 4 - b->len)
        return NULL;
    size_t n = a->len + b->len;
    if (n > GS_STR_INLINE_MAX)
        return concat_long(h, a, b, n);
    struct gs_str *s = inline_new(h, n);
    if (s) {
        char *to = (char *)(s + 1);
        copy_piece(to, a->data, a->len);
        copy_piece(to + a->len, b->data, b->len);
    }
    return s;
}

struct gs_str *gs_str_sub(struct gs_heap *h, struct gs_str *s, size_t from, size_t to)
{
    size_t n = to - from;
    if (n == s->len)
        return s;
    if (n <= GS_STR_INLINE_MAX || !(s->h.flags & GS_OF_EXT))
        return gs_str_new(h, s->data + from, n);
    return part_new(h, (struct gs_xstr *)s, s->data + from, n);
}

/* ---- comparing ---- */

bool gs_str_equal_bytes(const struct gs_str *a, const char *p, size_t n)
{
    return a->len == n && memcmp(a->data, p, n) == 0;
}

bool gs_str_equal(const struct gs_str *a, const struct gs_str *b)
{
    if (a == b)
        return true;
    if (a->len != b->len)
        return false;
    if (a->h.flags & b->h.flags & GS_OF_ATOM)
        return false;
    if (a->h.aux32 && b->h.aux32 && a->h.aux32 != b->h.aux32)
        return false;
    return memcmp(a->data, b->data, a->len) == 0;
}

int gs_str_compare(const struct gs_str *a, const struct gs_str *b)
{
    size_t n = a->len < b->len ? a->len : b->len;
    int c = n ? memcmp(a->data, b->data, n) : 0;
    if (c)
        return c < 0 ? -1 : 1;
    return a->len == b->len ? 0 : a->len < b->len ? -1 : 1;
}

/* ---- UTF-8 ---- */

unsigned gs_utf8_decode(const char *s, size_t n, uint32_t *cp)
{
    const uint8_t *p = (const uint8_t *)s;
    uint32_t c = p[0];
    unsigned len = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if (len == 1) {
        *cp = c;
        return 1;
    }
    if (len == 0 || len > n)
        goto invalid;
    c &= 0x7fu >> len;
    for (unsigned i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            goto invalid;
        c = c << 6 | (p[i] & 0x3fu);
    }
    /* Overlong forms of two bytes were excluded by the first byte. */
    if ((len == 3 && c < 0x800) || (len == 4 && (c < 0x10000 || c > 0x10ffff)) ||
        (c >= 0xd800 && c < 0xe000))
        goto invalid;
    *cp = c;
    return len;
invalid:
    *cp = 0xffffffffu;
    return 1;
}

unsigned gs_utf8_encode(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xc0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
        return 0;
    if (cp < 0x10000) {
        out[0] = (char)(0xe0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (char)(0x80 | (cp & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (char)(0x80 | (cp & 0x3f));
    return 4;
}
