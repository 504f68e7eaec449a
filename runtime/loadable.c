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

const void *gs_loadable_find(const char *file, const char *symbol, char *text, size_t n)
{
    char folder[PATH_MAX], path[PATH_MAX + 64];
    bool known = own_folder(folder, sizeof folder);
    const char *tried = NULL;
    for (size_t i = 0; known && i < sizeof places / sizeof places[0]; i++) {
        (void)snprintf(path, sizeof path, "%s%s%s", folder, places[i], file);
        if (access(path, R_OK) != 0)
            continue;
        const void *face = open_at(path, symbol);
        if (face != NULL)
            return face;
        tried = dlerror();
        break;
    }
    (void)snprintf(text, n, "cannot open %s: %s", file,
                   tried != NULL ? tried
                                 : "it is neither beside the program nor in ../lib from there");
    return NULL;
}

const void *gs_loadable_open(struct gs_vm *vm, struct gs_loadable *l)
{
    char text[512];
    const void *face = gs_loadable_find(l->file, l->symbol, text, sizeof text);
    if (face != NULL)
        gs_store_rel(&l->face, face); /* [LD1] */
    else
        (void)gs_throw(vm, GS_ERR_IO, "%s", text);
    return face;
}
