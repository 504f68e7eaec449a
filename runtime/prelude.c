/* SPDX-License-Identifier: MIT
 * prelude.c - compiling the library functions that are written in the language, when they are first
 * asked for.
 *
 * Files      runtime/prelude/NAME.goost, inside the binary. Each is compiled by itself and at most
 *            once in a process, so that a program pays only for what it uses.
 * Names      A prelude function is called in messages as its table entry is ("map", not
 *            "arrayMap"), and methods of arrays and strings do not count their receiver: both are
 *            written into the fresh prototypes here, before anybody else can see them.
 * Threads    Any; prelude_lock serialises. The compiler may ask for another prelude function while
 *            it compiles one, hence recursive.
 */
#include "prelude.h"

#include <pthread.h>
#include <string.h>

#include "hooks.h"
#include "port/mem.h"
#include "prelude_int.h"

struct function {
    struct function *next;
    const char *name; /* in the source */
    struct gs_func *fn;
};

/* All guarded by prelude_lock. */
static struct function *functions;
static bool *compiled; /* one for each file */
static pthread_mutex_t prelude_lock;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init(void)
{
    pthread_mutexattr_t attr;
    (void)pthread_mutexattr_init(&attr);
    (void)pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    (void)pthread_mutex_init(&prelude_lock, &attr);
    (void)pthread_mutexattr_destroy(&attr);
    compiled = gs_mem_must_zalloc((gs_prelude_nfiles + 1) * sizeof *compiled);
}

static struct gs_func *find_locked(const char *name)
{
    for (const struct function *f = functions; f != NULL; f = f->next) {
        if (strcmp(f->name, name) == 0)
            return f->fn;
    }
    return NULL;
}

static void name_function(void *ctx, const struct gs_lib_module *m, const struct gs_lib_entry *e)
{
    const struct function *f = ctx;
    if (strcmp(e->prelude, f->name) != 0)
        return;
    struct gs_proto *p = (struct gs_proto *)(uintptr_t)f->fn->proto; /* not published yet */
    p->name = gs_atomz(e->name);
    if (strcmp(m->name, "<array>") == 0 || strcmp(m->name, "<string>") == 0)
        p->flags |= GS_PF_METHOD;
}

static void compile_locked(size_t file)
{
    if (compiled[file])
        return;
    compiled[file] = true;
    const struct gs_embedded *src = &gs_prelude_files[file];
    struct gs_func **fns;
    uint32_t n;
    GS_CHECK(gs_hooks.compile_prelude != NULL);
    if (!gs_hooks.compile_prelude(src->name, src->text, src->len, &fns, &n))
        gs_panic("the prelude does not compile");
    for (uint32_t i = 0; i < n; i++) {
        struct function *f = gs_perm_alloc(sizeof *f);
        f->name = fns[i]->proto->name->data;
        f->fn = fns[i];
        gs_lib_each_prelude(name_function, f);
        f->next = functions;
        functions = f;
    }
}

/* "thread.core" and "<array>" live in thread.goost and array.goost. */
static bool is_home(const char *file, const char *module)
{
    size_t n;
    if (*module == '<')
        module++;
    n = strcspn(module, ".>");
    return strncmp(file, module, n) == 0 && strcmp(file + n, ".goost") == 0;
}

static struct gs_func *get_locked(const char *module, const char *name)
{
    struct gs_func *fn = find_locked(name);
    for (size_t i = 0; i < gs_prelude_nfiles && fn == NULL; i++) {
        if (is_home(gs_prelude_files[i].name, module)) {
            compile_locked(i);
            fn = find_locked(name);
        }
    }
    for (size_t i = 0; i < gs_prelude_nfiles && fn == NULL; i++) {
        compile_locked(i);
        fn = find_locked(name);
    }
    return fn;
}

struct gs_func *gs_prelude_find(const char *module, const char *name)
{
    (void)pthread_once(&once, init);
    (void)pthread_mutex_lock(&prelude_lock);
    struct gs_func *fn = get_locked(module, name);
    (void)pthread_mutex_unlock(&prelude_lock);
    if (fn == NULL)
        gs_panic(name);
    return fn;
}

struct gs_func *gs_prelude_get(const char *name)
{
    return gs_prelude_find("", name);
}
