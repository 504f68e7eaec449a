/* SPDX-License-Identifier: MIT
 * unit.c - the table of names.
 */
#include "unit.h"

#include <string.h>

#include "str.h"

#include "scope.h"

static uint32_t hash_slice(struct gs_slice s)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
    return (uint32_t)(h ^ h >> 32);
}

static void grow_idents(struct gs_compiler *c)
{
    uint32_t mask = c->idents ? c->ident_mask * 2 + 1 : 255;
    struct gs_ident **table = gs_mem_must_zalloc((mask + (size_t)1) * sizeof(*table));
    for (uint32_t i = 0; c->idents != NULL && i <= c->ident_mask; i++) {
        if (c->idents[i] == NULL)
            continue;
        uint32_t at = hash_slice(c->idents[i]->text) & mask;
        while (table[at] != NULL)
            at = (at + 1) & mask;
        table[at] = c->idents[i];
    }
    gs_mem_free(c->idents);
    c->idents = table;
    c->ident_mask = mask;
}

struct gs_ident *gs_ident(struct gs_compiler *c, struct gs_slice text)
{
    if (c->idents == NULL || c->nidents >= c->ident_mask / 4 * 3)
        grow_idents(c);
    uint32_t at = hash_slice(text) & c->ident_mask;
    for (; c->idents[at] != NULL; at = (at + 1) & c->ident_mask) {
        struct gs_ident *id = c->idents[at];
        if (id->text.n == text.n && memcmp(id->text.p, text.p, text.n) == 0)
            return id;
    }
    struct gs_ident *id = gs_arena_alloc(c->arena, sizeof(*id));
    id->text = text;
    c->idents[at] = id;
    c->nidents++;
    return id;
}

struct gs_str *gs_slice_atom(struct gs_slice s)
{
    return gs_atom(s.p, s.n);
}

struct gs_str *gs_ident_atom(struct gs_ident *id)
{
    if (id->atom == NULL)
        id->atom = gs_slice_atom(id->text);
    return id->atom;
}

struct gs_sym *gs_unit_export(struct gs_unit *u, struct gs_slice name)
{
    struct gs_ident *id = gs_ident(u->c, name);
    const struct gs_table_entry *e = gs_table_find(&u->exports, (uint64_t)(uintptr_t)id);
    return e ? u->syms.v[e->value] : NULL;
}
