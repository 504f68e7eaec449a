/* SPDX-License-Identifier: MIT
 * loadable.c - finding and opening the loadable parts. Contract: loadable.h.
 *
 * Where      Beside the program (a build folder), in ../lib beside its folder (installed), and one
 *            folder up (the test programs of a build).
 */
#define _GNU_SOURCE
#include "loadable.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"

static const char *const places[] = {"", "../lib/", "../"};

/* The folder of the program, with a slash at its end; n its room. */
static bool own_folder(char *out, size_t n)
{
    ssize_t len = readlink("/proc/self/exe", out, n - 1);
    if (len <= 0)
        return false;
    out[len] = '\0';
    char *slash = strrchr(out, '/');
    if (slash == NULL)
        return false;
    slash[1] = '\0';
    return true;
}

static const void *open_at(const char *path, const char *symbol)
{
    void *lib = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    return lib != NULL ? dlsym(lib, symbol) : NULL;
}

const void *gs_loadable_open(struct gs_vm *vm, struct gs_loadable *l)
{
    char folder[PATH_MAX], path[PATH_MAX + 64];
    bool known = own_folder(folder, sizeof folder);
    const char *tried = NULL;
    for (size_t i = 0; known && i < sizeof places / sizeof places[0]; i++) {
        (void)snprintf(path, sizeof path, "%s%s%s", folder, places[i], l->file);
        if (access(path, R_OK) != 0)
            continue;
        const void *face = open_at(path, l->symbol);
        if (face != NULL) {
            gs_store_rel(&l->face, face); /* [LD1] */
            return face;
        }
        tried = dlerror();
        break;
    }
    (void)gs_throw(vm, GS_ERR_IO, "cannot open %s: %s", l->file,
                   tried != NULL ? tried
                                 : "it is neither beside the program nor in ../lib from there");
    return NULL;
}
