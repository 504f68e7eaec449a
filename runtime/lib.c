/* SPDX-License-Identifier: MIT
 * lib.c - finding library modules and their members; argument helpers. Contract: lib.h, hooks.h.
 *
 * Modules    lib.def lists the tables. Parents that have no table of their own ("thread" of
 *            "thread.core") are made on demand. All lookups are linear: they happen when code is
 *            compiled and when an inline cache misses.
 * Threads    The tables are constant. [L1] What is made on demand is published with release and
 *            read with acquire; lib_lock serialises the makers.
 */
#include "lib.h"

#include <pthread.h>
#include <string.h>

#include "handle.h"
#include "hooks.h"
#include "prelude_int.h"

#define GS_LIB(sym) extern const struct gs_lib_module sym;
#include "lib.def"
#undef GS_LIB

static const struct gs_lib_module *const modules[] = {
#define GS_LIB(sym) &sym,
#include "lib.def"
#undef GS_LIB
};
#define NMODULES (sizeof modules / sizeof modules[0])

static pthread_mutex_t lib_lock = PTHREAD_MUTEX_INITIALIZER;

static bool named(const char *z, const char *name, size_t n)
{
    return strlen(z) == n && memcmp(z, name, n) == 0;
}

/* z is "NAME.something". */
static bool below(const char *z, const char *name, size_t n)
{
    return strlen(z) > n && memcmp(z, name, n) == 0 && z[n] == '.'; /* a name may hold NULs */
}

/* ---- modules ---- */

/* Modules without a table, and the values of all that were asked for. Only added to. */
struct known {
    struct known *next;
    const struct gs_lib_module *m;
    struct gs_module value;
};
static _Atomic(struct known *) known; /* [L1] */

static struct known *known_find(const char *name, size_t n)
{
    for (struct known *k = gs_load_acq(&known); k != NULL; k = k->next) { /* [L1] */
        if (named(k->m->name, name, n))
            return k;
    }
    return NULL;
}

static struct known *known_add(const struct gs_lib_module *m)
{
    struct known *k = gs_perm_alloc(sizeof *k);
    k->m = m;
    k->value.h.kind = GS_T_MODULE;
    k->value.h.flags = GS_OF_IMMORTAL;
    k->value.name = gs_atomz(m->name);
    k->value.lib = m;
    k->next = gs_load_rlx(&known); /* relaxed: under the lock */
    gs_store_rel(&known, k);       /* [L1] */
    return k;
}

static const struct gs_lib_module *table_of(const char *name, size_t n)
{
    for (size_t i = 0; i < NMODULES; i++) {
        if (named(modules[i]->name, name, n))
            return modules[i];
    }
    return NULL;
}

static const struct gs_lib_module *parent_new(const char *name, size_t n)
{
    struct gs_lib_module *m = gs_perm_alloc(sizeof *m);
    m->name = gs_atom(name, n)->data;
    return m;
}

static struct known *module_known(const char *name, size_t n)
{
    struct known *k = known_find(name, n);
    if (k != NULL)
        return k;
    const struct gs_lib_module *m = table_of(name, n);
    bool parent = false;
    for (size_t i = 0; i < NMODULES && m == NULL; i++)
        parent = parent || below(modules[i]->name, name, n);
    if (m == NULL && !parent)
        return NULL;
    (void)pthread_mutex_lock(&lib_lock);
    k = known_find(name, n);
    if (k == NULL)
        k = known_add(m != NULL ? m : parent_new(name, n));
    (void)pthread_mutex_unlock(&lib_lock);
    return k;
}

const struct gs_lib_module *gs_lib_find(const char *name, size_t n)
{
    if (n == 0 || name[0] == '<') /* not for programs */
        return NULL;
    struct known *k = module_known(name, n);
    return k != NULL ? k->m : NULL;
}

gs_value gs_lib_module_value(const struct gs_lib_module *m)
{
    struct known *k = module_known(m->name, strlen(m->name));
    GS_CHECK(k != NULL);
    return gs_objv(GS_T_MODULE, &k->value);
}

/* ---- members ---- */

static gs_value entry_value(const struct gs_lib_module *m, const struct gs_lib_entry *e)
{
    switch (e->kind) {
    case GS_ENT_FN:
        return gs_objv(GS_T_NATIVE, &e->fn);
    case GS_ENT_PRELUDE:
        return gs_objv(GS_T_FUNC, gs_prelude_find(m->name, e->prelude));
    case GS_ENT_INT:
        return gs_int(e->i);
    case GS_ENT_FLOAT:
        return gs_float(e->d);
    case GS_ENT_STR:
        return gs_strv(gs_atomz(e->prelude));
    }
    GS_UNREACHABLE();
}

static bool entry_in(const struct gs_lib_module *m, const char *name, size_t n, gs_value *out)
{
    for (uint32_t i = 0; i < m->n; i++) {
        if (named(m->entries[i].name, name, n)) {
            *out = entry_value(m, &m->entries[i]);
            return true;
        }
    }
    return false;
}

/* In all tables of that name. */
static bool entry_named(const char *module, const char *name, size_t n, gs_value *out)
{
    for (size_t i = 0; i < NMODULES; i++) {
        if (strcmp(modules[i]->name, module) == 0 && entry_in(modules[i], name, n, out))
            return true;
    }
    return false;
}

bool gs_lib_member(const struct gs_lib_module *m, const char *name, size_t n, gs_value *out)
{
    if (entry_named(m->name, name, n, out))
        return true;
    char full[96];
    size_t stem = strlen(m->name);
    if (stem + 1 + n < sizeof full) {
        memcpy(full, m->name, stem);
        full[stem] = '.';
        memcpy(full + stem + 1, name, n);
        const struct gs_lib_module *sub = gs_lib_find(full, stem + 1 + n);
        if (sub != NULL) {
            *out = gs_lib_module_value(sub);
            return true;
        }
    }
    for (size_t i = 0; i < NMODULES; i++) {
        if (modules[i]->flat && below(modules[i]->name, m->name, stem) &&
            entry_in(modules[i], name, n, out))
            return true;
    }
    return false;
}

bool gs_lib_method(enum gs_kind receiver, const struct gs_str *name, gs_value *out)
{
    if (receiver == GS_T_ARRAY)
        return entry_named("<array>", name->data, name->len, out);
    if (receiver != GS_T_STR)
        return false;
    if (entry_named("<string>", name->data, name->len, out))
        return true;
    return entry_named("strings", name->data, name->len, out) &&
           (gs_is(*out, GS_T_NATIVE) || gs_is(*out, GS_T_FUNC));
}

void gs_lib_each_prelude(void (*fn)(void *ctx, const struct gs_lib_module *m,
                                    const struct gs_lib_entry *e),
                         void *ctx)
{
    for (size_t i = 0; i < NMODULES; i++) {
        for (uint32_t k = 0; k < modules[i]->n; k++) {
            if (modules[i]->entries[k].kind == GS_ENT_PRELUDE)
                fn(ctx, modules[i], &modules[i]->entries[k]);
        }
    }
}

/* ---- services for the front end ---- */

bool gs_hook_lib_module(const char *name, size_t n, gs_value *out)
{
    const struct gs_lib_module *m = gs_lib_find(name, n);
    if (m != NULL)
        *out = gs_lib_module_value(m);
    return m != NULL;
}

bool gs_hook_lib_member(gs_value module, const char *name, size_t n, gs_value *out)
{
    const struct gs_module *m = module.p;
    return m->lib != NULL && gs_lib_member(m->lib, name, n, out);
}

bool gs_hook_builtin(const char *name, size_t n, gs_value *out)
{
    if (entry_named("<builtin>", name, n, out))
        return true;
    return named("array", name, n) && gs_hook_lib_module(name, n, out);
}

bool gs_hook_intrinsic(const char *name, size_t n, gs_value *out)
{
    return entry_named("<intrinsic>", name, n, out);
}

uint32_t gs_hook_proto_id(void)
{
    static _Atomic uint32_t last;
    return gs_add_rlx(&last, 1u) + 1u; /* relaxed: only uniqueness counts */
}

uint32_t gs_hook_shape_empty(struct gs_class *c)
{
    return c != NULL ? c->shape : gs_shape_plain;
}

bool gs_hook_shape_add(uint32_t *shape, struct gs_str *key)
{
    const struct gs_shape *s = gs_shape_add(gs_shape_get(*shape), key);
    if (s->flags & GS_SHAPE_DICT)
        return false;
    *shape = s->id;
    return true;
}

void gs_hook_class_ready(struct gs_class *c)
{
    gs_shape_for_class(c);
}

/* ---- argument helpers ---- */

static int bad_argument(struct gs_vm *vm, const char *fn, const char *want, gs_value *args,
                        uint32_t i)
{
    return gs_throw(vm, GS_ERR_TYPE, "%s expects %s as argument %u, got %s", fn, want, i + 1,
                    gs_kind_word(args[i]));
}

int gs_arg_int(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i, int64_t *out)
{
    if (!gs_is_intlike(args[i]))
        return bad_argument(vm, fn, "int", args, i);
    if (!gs_is(args[i], GS_T_INT))
        gs_handle_pin(gs_handle_obj(args[i])); /* the number becomes visible */
    *out = args[i].i;
    return GS_OK;
}

int gs_arg_num(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i, double *out)
{
    if (gs_is(args[i], GS_T_FLOAT))
        *out = args[i].d;
    else if (gs_is_intlike(args[i]))
        *out = (double)args[i].i;
    else
        return bad_argument(vm, fn, "a number", args, i);
    return GS_OK;
}

int gs_arg_str(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i, struct gs_str **out)
{
    if (!gs_is(args[i], GS_T_STR))
        return bad_argument(vm, fn, "string", args, i);
    *out = args[i].s;
    return GS_OK;
}

int gs_arg_array(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i,
                 struct gs_array **out)
{
    if (!gs_is(args[i], GS_T_ARRAY))
        return bad_argument(vm, fn, "array", args, i);
    *out = args[i].a;
    return GS_OK;
}

int gs_arg_object(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i,
                  struct gs_object **out)
{
    if (!gs_is(args[i], GS_T_OBJECT))
        return bad_argument(vm, fn, "object", args, i);
    *out = args[i].m;
    return GS_OK;
}

int gs_arg_fn(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i)
{
    if (gs_is(args[i], GS_T_FUNC) || gs_is(args[i], GS_T_NATIVE) || gs_is(args[i], GS_T_BOUND))
        return GS_OK;
    return bad_argument(vm, fn, "function", args, i);
}
