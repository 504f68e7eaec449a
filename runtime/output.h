/* SPDX-License-Identifier: MIT
 * output.h - standard output: one buffer, one lock, whole lines.
 *
 * Each call is atomic: texts of parallel tasks never interleave inside one. Buffered when stdout is no terminal; flushed when it is a terminal after each
 * call, when a worker goes idle, before anything on stderr, and at every kind of exit.
 */
#ifndef GS_RUNTIME_OUTPUT_H
#define GS_RUNTIME_OUTPUT_H

#include <stddef.h>

void gs_out_write(const char *p, size_t n);
void gs_out_flush(void);
/* Flushes, and drops whatever is written from here on, to stderr too: exit() has been called, and tasks on other workers may still be printing. Until gs_out_open. */
void gs_out_close(void);
void gs_out_open(void);
/* One whole message to stderr, after flushing stdout. */
void gs_err_write(const char *p, size_t n);

#endif
