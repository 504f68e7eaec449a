/* SPDX-License-Identifier: MIT
 * reach.h - which globals code can name, and the layouts of tables that hold them: what the copier has to know of a function before it crosses.
 */
#ifndef GS_RUNTIME_REACH_H
#define GS_RUNTIME_REACH_H

#include "vm.h"

/* Immortal. */
struct gs_reach {
    uint32_t n;
    const struct gs_glayout *layout; /* of a VM that has these and no others */
    uint32_t slots[]; /* of the program's globals; sorted */
};

/* All slots that may be read or written by running the function, a method of the class, or something in the module, as far as constants lead. The first call for
 * each walks over the code, later ones look it up (not for modules). Any thread. */
const struct gs_reach *gs_reach_of_proto(const struct gs_proto *p);
const struct gs_reach *gs_reach_of_class(struct gs_class *c);
const struct gs_reach *gs_reach_of_module(const struct gs_modinfo *m);

/* The layout with these slots, which are sorted in place; immortal. Any thread. */
const struct gs_glayout *gs_glayout_of(uint32_t *slots, uint32_t n);

#endif
