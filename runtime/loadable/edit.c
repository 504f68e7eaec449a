/* SPDX-License-Identifier: MIT
 * edit.c - goost_edit.so: line editing by libedit. Contract: edit.h.
 *
 * Locale     libedit asks the locale how characters are written. The process stays in "C", in which the runtime prints numbers; the thread that edits is in the user's meanwhile.
 * End        There is none: between lines the terminal is as it was, and the history is written. (el_end would lose the names of added functions.)
 * Ctrl-C     is a key here and no signal: while a line is edited, the terminal sends none. (setty "intr=" does not last: libedit takes the terminal's own characters over when it begins.)
 */
#define _GNU_SOURCE
#include "edit.h"

#include <histedit.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HISTORY 1000 /* lines */

static EditLine *el;
static History *lines;
static char *file;
static const char *prompt_text;
static bool dropped;
static locale_t users;

static char *prompt(EditLine *e)
{
    (void)e;
    return (char *)(uintptr_t)prompt_text; /* libedit only reads it */
}

static unsigned char drop_line(EditLine *e, int key)
{
    (void)e;
    (void)key;
    dropped = true;
    return CC_NEWLINE;
}

static bool open_editor(const char *history_path)
{
    HistEvent ev;
    users = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    locale_t before = uselocale(users); /* none: nothing changes */
    el = el_init("langoost", stdin, stdout, stderr);
    lines = history_init();
    bool ok = el != NULL && lines != NULL;
    if (ok) {
        el_set(el, EL_PROMPT, prompt);
        el_set(el, EL_EDITOR, "emacs");
        el_set(el, EL_HIST, history, lines);
        el_set(el, EL_ADDFN, "drop-line", "Leave the text", drop_line);
        el_set(el, EL_BIND, "^C", "drop-line", NULL);
        el_set(el, EL_BIND, "^R", "em-inc-search-prev", NULL);
        el_set(el, EL_SETTY, "-d", "-isig", NULL);
        (void)el_source(el, NULL); /* the user's ~/.editrc */
        history(lines, &ev, H_SETSIZE, HISTORY);
        history(lines, &ev, H_SETUNIQUE, 1);
        file = history_path != NULL ? strdup(history_path) : NULL;
        if (file != NULL)
            history(lines, &ev, H_LOAD, file); /* there may be none yet */
    }
    uselocale(before);
    return ok;
}

static void remember(const char *line)
{
    HistEvent ev;
    history(lines, &ev, H_ENTER, line);
    if (file != NULL)
        history(lines, &ev, H_SAVE, file); /* at once: the process may end in any way */
}

static const char *read_line(const char *p, size_t *n)
{
    locale_t before = uselocale(users);
    int count;
    dropped = false;
    prompt_text = p;
    el_resize(el); /* the window may have changed since the last line */
    el_set(el, EL_PREP_TERM, 1); /* before the prompt is seen, which el_gets shows first: no key gets lost */
    const char *line = el_gets(el, &count);
    if (dropped) {
        puts("^C"); /* nothing has ended the line yet */
        line = "\x03";
        count = 1;
    } else if (line != NULL && count > 0) {
        if (line[count - 1] == '\n')
            count--;
        if (count > 0) {
            char *copy = strndup(line, (size_t)count);
            if (copy != NULL)
                remember(copy);
            free(copy);
        }
    }
    uselocale(before);
    *n = count > 0 ? (size_t)count : 0;
    return line;
}

const struct gs_edit_face goost_edit = {open_editor, read_line};
