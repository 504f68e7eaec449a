/* SPDX-License-Identifier: MIT
 * launch.c - run one program for run.py and report its time and peak memory.
 *
 * Usage      launch SECONDS OUT ERR PROGRAM [ARG...]
 * Result     one line on stdout: wall_ns cpu_ns peak_kib exit_code signal timed_out
 * Why        Linux counts the memory of the process that calls exec towards the peak of the program
 *            that it becomes, so nothing started from Python ever seems to need less than Python.
 *            This process is small, and starts its program quickly.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t timed_out;
static pid_t child;

static void on_alarm(int sig)
{
    (void)sig;
    timed_out = 1;
    kill(-child, SIGKILL);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t cpu_ns(const struct rusage *u)
{
    return ((int64_t)u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000000 +
           ((int64_t)u->ru_utime.tv_usec + u->ru_stime.tv_usec) * 1000;
}

static void redirect(const char *path, int flags, int fd)
{
    int file = open(path, flags, 0600);
    if (file < 0 || dup2(file, fd) < 0)
        _exit(126);
    close(file);
}

static _Noreturn void become(char **argv)
{
    setpgid(0, 0); /* its own group, so that a timeout ends its children too */
    redirect("/dev/null", O_RDONLY, STDIN_FILENO);
    redirect(argv[2], O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
    redirect(argv[3], O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
    execvp(argv[4], argv + 4);
    _exit(127);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: launch SECONDS OUT ERR PROGRAM [ARG...]\n");
        return 2;
    }
    int64_t start = now_ns();
    child = fork();
    if (child < 0) {
        perror("fork");
        return 2;
    }
    if (child == 0)
        become(argv);
    setpgid(child, child);     /* in the parent too: whoever comes first */
    signal(SIGALRM, on_alarm); /* restarts wait4 */
    alarm((unsigned)strtoul(argv[1], NULL, 10));

    int status;
    struct rusage usage;
    if (wait4(child, &status, 0, &usage) != child) {
        perror("wait4");
        return 2;
    }
    int64_t wall = now_ns() - start;
    printf("%lld %lld %ld %d %d %d\n", (long long)wall, (long long)cpu_ns(&usage), usage.ru_maxrss,
           WIFEXITED(status) ? WEXITSTATUS(status) : 0, WIFSIGNALED(status) ? WTERMSIG(status) : 0,
           (int)timed_out);
    return 0;
}
