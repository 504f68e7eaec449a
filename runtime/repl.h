/* SPDX-License-Identifier: MIT
 * repl.h - the REPL's part in the runtime: repl.c.
 */
#ifndef GS_RUNTIME_REPL_H
#define GS_RUNTIME_REPL_H

/* The watch thread (quit.c): passes on a Ctrl-C to what the REPL runs. */
void gs_repl_look(void);

#endif
