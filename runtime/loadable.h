/* SPDX-License-Identifier: MIT
 * loadable.h - parts of the program that are opened when a script first needs them.
 *
 * Why        A library costs every process that links it: libstdc++ and RE2 about 0.6 ms and 2 MiB,
 *            the processor detection of Nettle 25 us on a virtual machine, where each CPUID traps.
 *            Most scripts need neither. So what uses them is a small shared object of ours
 *            (runtime/loadable/) beside the program, and the libraries come with it.
 * Face       A loadable exports one symbol, a constant struct of function pointers, declared in a
 *            header of runtime/loadable/. It never calls the program. (The compiler to machine code is
 *            opened from here, too, and calls what is marked GS_API; see hot.h.)
 * Threads    Opening twice is harmless. [LD1] The face is published with release and read with
 *            acquire. Nothing is ever closed.
 */
#ifndef GS_RUNTIME_LOADABLE_H
#define GS_RUNTIME_LOADABLE_H

#include "vm.h"

struct gs_loadable {
    const char *file;           /* "goost_regex.so" */
    const char *symbol;         /* of its face */
    _Atomic(const void *) face; /* [LD1] NULL until opened */
};

/* Opens a file and finds its face. NULL: text says why, at most n bytes. */
const void *gs_loadable_find(const char *file, const char *symbol, char *text, size_t n);

/* The face; opens the file the first time. NULL: IOError has been thrown. */
const void *gs_loadable_open(struct gs_vm *vm, struct gs_loadable *l);

GS_INLINE const void *gs_loadable_face(struct gs_vm *vm, struct gs_loadable *l)
{
    const void *face = gs_load_acq(&l->face); /* [LD1] */
    return GS_LIKELY(face != NULL) ? face : gs_loadable_open(vm, l);
}

#endif
