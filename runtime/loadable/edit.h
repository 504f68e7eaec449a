/* SPDX-License-Identifier: MIT
 * edit.h - the face of goost_edit.so: lines from a terminal, with editing and history, by libedit.
 */
#ifndef GS_RUNTIME_LOADABLE_EDIT_H
#define GS_RUNTIME_LOADABLE_EDIT_H

#include <stdbool.h>
#include <stddef.h>

struct gs_edit_face { /* one caller at a time */
    /* Before the others. history: the file for it, read now and written after each line; NULL: none. False: the terminal can do nothing. */
    bool (*open)(const char *history);
    /* The next line without its end, valid until the next call; NULL at the end of the input. Ctrl-C gives a line that holds this character alone. */
    const char *(*read)(const char *prompt, size_t *n);
};

__attribute__((visibility("default"))) extern const struct gs_edit_face goost_edit;

#endif
