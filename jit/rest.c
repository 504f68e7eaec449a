/* SPDX-License-Identifier: MIT
 * rest.c - what the compiler gives back while nothing is asked of it.
 *
 * What       The code and the constants of LLVM, 30 MB of the file goost_jit.so that a few compiles touch nearly all of. They lie in the kernel's page
 *            cache anyway; but as long as they are mapped they are charged to us. Mapping them again costs the next compile half a millisecond.
 */
#define _GNU_SOURCE
#include "rest.h"

#include <link.h>
#include <llvm-c/Core.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static bool holds(const struct dl_phdr_info *m, uintptr_t at)
{
    for (unsigned i = 0; i < m->dlpi_phnum; i++) {
        const ElfW(Phdr) *s = &m->dlpi_phdr[i];
        if (s->p_type == PT_LOAD && at - (m->dlpi_addr + s->p_vaddr) < s->p_memsz)
            return true;
    }
    return false;
}

/* Of the file that holds LLVM, what nobody ever writes. */
static int give_back(struct dl_phdr_info *m, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    if (!holds(m, (uintptr_t)&LLVMContextCreate))
        return 0;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (unsigned i = 0; i < m->dlpi_phnum; i++) {
        const ElfW(Phdr) *s = &m->dlpi_phdr[i];
        if (s->p_type != PT_LOAD || (s->p_flags & PF_W) != 0)
            continue;
        uintptr_t from = m->dlpi_addr + s->p_vaddr, to = from + s->p_memsz;
        from = (from + page - 1) / page * page;
        to = to / page * page;
        if (from < to)
            (void)madvise((void *)from, to - from, MADV_DONTNEED); /* a file's pages that were never written come again as they were */
    }
    return 1;
}

void gs_jit_rest(void)
{
    (void)dl_iterate_phdr(give_back, NULL);
}
