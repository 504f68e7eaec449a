/* SPDX-License-Identifier: MIT
 * cmd_child.c - a part of a command's work in a process of its own. Contract: cmd.h.
 *
 * The parent has one thread, so the child may go on in what it inherited: a plain fork, without exec.
 */
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "port/clock.h"

#define REPORT_NS 5000000000 /* what a child that hangs has for its report on SIGQUIT */

/* False: the child has not ended until then. SIGCHLD is blocked, and stays pending from the moment when it ends. */
static bool wait_until(pid_t child, int64_t until_ns, struct gs_child *out, struct rusage *use)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (;;) {
        pid_t got = wait4(child, &out->status, WNOHANG, use);
        if (got == child || (got < 0 && errno != EINTR))
            return true;
        int64_t left = until_ns - gs_clock_mono_ns();
        if (left <= 0)
            return false;
        const struct timespec ts = {left / 1000000000, left % 1000000000};
        (void)sigtimedwait(&set, NULL, &ts);
    }
}

static void wait_and_end(pid_t child, int64_t until_ns, struct gs_child *out, struct rusage *use)
{
    out->late = !wait_until(child, until_ns, out, use);
    if (!out->late)
        return;
    kill(child, SIGQUIT);
    if (!wait_until(child, gs_clock_mono_ns() + REPORT_NS, out, use)) {
        kill(child, SIGKILL);
        while (wait4(child, &out->status, 0, use) < 0 && errno == EINTR) {
        }
    }
}

static int64_t nanoseconds(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000000000 + (int64_t)t.tv_usec * 1000;
}

static _Noreturn void be_child(int (*body)(void *ctx), void *ctx, const sigset_t *mask)
{
    (void)sigprocmask(SIG_SETMASK, mask, NULL);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC); /* nobody sits there to type something */
    if (null >= 0)
        (void)dup2(null, STDIN_FILENO);
    exit(body(ctx));
}

bool gs_child_run(int (*body)(void *ctx), void *ctx, unsigned seconds, struct gs_child *out)
{
    sigset_t chld, mask;
    struct rusage use = {0};
    *out = (struct gs_child){0};
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &chld, &mask);
    fflush(NULL);
    int64_t begin = gs_clock_mono_ns();
    pid_t child = fork();
    if (child == 0)
        be_child(body, ctx, &mask);
    if (child > 0)
        wait_and_end(child, begin + (int64_t)seconds * 1000000000, out, &use);
    else
        fprintf(stderr, "langoost: cannot start a process: %s\n", strerror(errno));
    out->wall_ns = gs_clock_mono_ns() - begin;
    out->cpu_ns = nanoseconds(use.ru_utime) + nanoseconds(use.ru_stime);
    out->peak_kib = use.ru_maxrss;
    (void)sigprocmask(SIG_SETMASK, &mask, NULL);
    return child > 0;
}

const char *gs_child_trouble(const struct gs_child *c, unsigned seconds, char *text, size_t size)
{
    int code = WIFEXITED(c->status) ? WEXITSTATUS(c->status) : -1;
    if (c->late)
        snprintf(text, size, "not over after %u s", seconds);
    else if (WIFSIGNALED(c->status))
        snprintf(text, size, "ended by signal %d (%s)", WTERMSIG(c->status), strsignal(WTERMSIG(c->status)));
    else if (code != 0)
        snprintf(text, size, "ended with code %d", code);
    else
        return NULL;
    return text;
}
