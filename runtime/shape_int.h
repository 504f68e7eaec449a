/* SPDX-License-Identifier: MIT
 * shape_int.h - between shape.c and shape_object.c.
 */
#ifndef GS_RUNTIME_SHAPE_INT_H
#define GS_RUNTIME_SHAPE_INT_H

#include "shape.h"

/* The dictionary shape of s's root. */
struct gs_shape *gs_shape_dict_of(const struct gs_shape *s);
/* The shape with one key more if it exists already: atom is then no key of s. */
struct gs_shape *gs_shape_next(struct gs_shape *s, const struct gs_str *atom);
/* As gs_shape_add for a key that the program computed or read: with a small part of the budget and
 * few successors a shape, so that data cannot use up what the program's own objects need. NULL when
 * it is better to make a dictionary. */
struct gs_shape *gs_shape_add_computed(struct gs_shape *s, struct gs_str *atom);

#endif
