/* SPDX-License-Identifier: MIT
 * quit.h - SIGQUIT (Ctrl-\ on a terminal): the program ends with code 2 and tells on stderr what each of its tasks was doing, as Go does.
 */
#ifndef GS_RUNTIME_QUIT_H
#define GS_RUNTIME_QUIT_H

#include <stdbool.h>

/* Before the run, main thread: from here on the signal is ours, unless it is ignored or handled already. */
void gs_quit_arm(void);
/* Somebody is about to sleep, or there is a second worker. Any worker; cheap when called again. */
void gs_quit_watch(void);
/* The thread looks up: at the signal, or by gs_deadlock_look. Also from a handler. */
void gs_quit_nudge(void);
/* The workers have stopped. True: because of the signal; then nothing else may be printed before the report, whose tasks hold still now. */
bool gs_quit_end(void);

#endif
