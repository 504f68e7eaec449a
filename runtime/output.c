/* SPDX-License-Identifier: MIT
 * output.c - standard output behind one lock. Contract: output.h.
 *
 * Errors     A write that fails for good (disk full) ends the process with code 74 and one message; a closed pipe ends it quietly by SIGPIPE as usual, also when our
 *            parent had that signal ignored. EINTR and EAGAIN are waited out.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "insight.h"
#include "output.h"
#include "port/atomic.h"

#define OUT_CAP 65536

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards everything below */
static char buf[OUT_CAP];
static size_t used;
static int terminal = -1;               /* -1: not asked yet */
static bool closed;
static _Atomic bool dirty;              /* used != 0; lets idle workers look without the lock */

static void end_by_sigpipe(void)
{
    sigset_t set;
    gs_insight_end();
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    signal(SIGPIPE, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    raise(SIGPIPE);
    _exit(128 + SIGPIPE);
}

static void write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = write(fd, p, n);
        if (k >= 0) {
            p += k;
            n -= (size_t)k;
        } else if (errno == EAGAIN) {
            struct pollfd f = {.fd = fd, .events = POLLOUT};
            (void)poll(&f, 1, -1);
        } else if (errno != EINTR) {
            if (errno == EPIPE && fd == STDOUT_FILENO)
                end_by_sigpipe();
            if (fd == STDOUT_FILENO) {
                char m[128];
                int len = snprintf(m, sizeof m, "langoost: cannot write to standard output: %s\n",
                                   strerror(errno));
                (void)!write(STDERR_FILENO, m, (size_t)len);
                gs_insight_end();
                _exit(74);
            }
            return;
        }
    }
}

static void flush_locked(void)
{
    if (used > 0) {
        size_t n = used;
        used = 0; /* first: a signal handler's exit must not write it twice */
        write_all(STDOUT_FILENO, buf, n);
    }
    gs_store_rlx(&dirty, false); /* a hint only */
}

static void put_locked(const char *p, size_t n)
{
    if (terminal < 0)
        terminal = isatty(STDOUT_FILENO);
    if (n > OUT_CAP - used)
        flush_locked();
    if (n > OUT_CAP) {
        write_all(STDOUT_FILENO, p, n);
        return;
    }
    memcpy(buf + used, p, n);
    used += n;
    if (!gs_load_rlx(&dirty))
        gs_store_rlx(&dirty, true);
    if (terminal)
        flush_locked();
}

void gs_out_write(const char *p, size_t n)
{
    pthread_mutex_lock(&lock);
    if (!closed)
        put_locked(p, n);
    pthread_mutex_unlock(&lock);
}

void gs_out_flush(void)
{
    if (!gs_load_rlx(&dirty))
        return; /* a racing writer flushes later, at the latest at exit */
    pthread_mutex_lock(&lock);
    flush_locked();
    pthread_mutex_unlock(&lock);
}

void gs_err_write(const char *p, size_t n)
{
    pthread_mutex_lock(&lock);
    if (!closed) {
        flush_locked();
        write_all(STDERR_FILENO, p, n);
    }
    pthread_mutex_unlock(&lock);
}

static void set_closed(bool to)
{
    pthread_mutex_lock(&lock);
    flush_locked();
    closed = to;
    pthread_mutex_unlock(&lock);
}

void gs_out_close(void)
{
    set_closed(true);
}

void gs_out_open(void)
{
    set_closed(false);
}
