/* SPDX-License-Identifier: MIT
 * cmd_bench.c - langoost bench: times the benchmark programs that lie inside the binary (bench/script) and checks what they print.
 *
 * Process    Each run is a child of its own (cmd.h). Its time is that of compiling, running and ending; what it prints goes to a file and is compared afterwards.
 * Notes      A line "# name value unit" is a figure that the program has measured itself, and no part of the answer; those of the last run are shown.
 * Beside others: bench/run.py, from a checkout.
 */
#include "cmd_bench.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "port/mem.h"

#define SOURCE ".goost"
#define ANSWER ".expect"
#define NAME_WIDTH 22

struct program {
    char name[NAME_WIDTH + 1];
    const struct gs_embedded *source, *answer;
};

struct bench {
    struct gs_cli *cli;
    FILE *out; /* of the run under way */
    const struct program *program;
    unsigned measured, failed;
    double log_sum; /* of the medians */
};

/* --- the programs ----------------------------------------------------------------------------- */

static const struct gs_embedded *file_of(const char *name, size_t n, const char *ending)
{
    for (size_t i = 0; i < gs_bench_nfiles; i++) {
        const struct gs_embedded *f = &gs_bench_files[i];
        if (strncmp(f->name, name, n) == 0 && strcmp(f->name + n, ending) == 0)
            return f;
    }
    return NULL;
}

/* False: there is none of this name. */
static bool find(const char *name, size_t n, struct program *p)
{
    *p = (struct program){.source = file_of(name, n, SOURCE), .answer = file_of(name, n, ANSWER)};
    if (p->source == NULL || p->answer == NULL)
        return false;
    snprintf(p->name, sizeof(p->name), "%.*s", (int)n, name);
    return true;
}

/* The length of the i-th file's name without its ending if that is a program's; 0: it is none. */
static size_t program_at(size_t i)
{
    size_t n = strcspn(gs_bench_files[i].name, ".");
    return strcmp(gs_bench_files[i].name + n, SOURCE) == 0 ? n : 0;
}

static int unknown(const char *name)
{
    fprintf(stderr, "langoost: there is no benchmark %s; there are", name);
    for (size_t i = 0; i < gs_bench_nfiles; i++) {
        size_t n = program_at(i);
        if (n != 0)
            fprintf(stderr, " %.*s", (int)n, gs_bench_files[i].name);
    }
    fputs("\n", stderr);
    return GS_EXIT_USAGE;
}

/* --- one run ---------------------------------------------------------------------------------- */

/* In the child. */
static int run_program(void *ctx)
{
    struct bench *b = ctx;
    const struct gs_embedded *source = b->program->source;
    struct gs_diag *d = gs_diag_new();
    struct gs_compiled c = {0};
    bool ok = dup2(fileno(b->out), STDOUT_FILENO) >= 0 && gs_compile_text(source->name, source->text, source->len, d, &c);
    gs_cli_messages(b->cli, d);
    gs_diag_free(d);
    gs_mem_free(c.protos);
    return ok ? goost_run_program(&b->cli->run, c.program, 0, NULL) : GS_EXIT_FAILED;
}

static bool is_note(const char *line)
{
    return line[0] == '#' && line[1] == ' ';
}

static size_t line_end(const char *text, size_t at, size_t n)
{
    const char *nl = memchr(text + at, '\n', n - at);
    return nl != NULL ? (size_t)(nl - text) + 1 : n;
}

/* Whether the lines that are no notes are the answer. */
static bool is_answer(const char *text, size_t n, const struct gs_embedded *want)
{
    size_t done = 0;
    for (size_t at = 0, end; at < n; at = end) {
        end = line_end(text, at, n);
        if (is_note(text + at))
            continue;
        if (end - at > want->len - done || memcmp(text + at, want->text + done, end - at) != 0)
            return false;
        done += end - at;
    }
    return done == want->len;
}

static void print_notes(const char *text, size_t n)
{
    for (size_t at = 0, end; at < n; at = end) {
        end = line_end(text, at, n);
        if (is_note(text + at))
            printf("  %.*s", (int)(end - at - 2), text + at + 2);
    }
}

/* All that was printed, with a NUL behind it, for the caller to free. */
static char *read_back(FILE *f, size_t *n)
{
    off_t size = lseek(fileno(f), 0, SEEK_END);
    *n = size > 0 ? (size_t)size : 0;
    char *text = gs_mem_must_alloc(*n + 1);
    ssize_t got = pread(fileno(f), text, *n, 0);
    *n = got > 0 ? (size_t)got : 0;
    text[*n] = '\0';
    return text;
}

/* --- a program -------------------------------------------------------------------------------- */

struct times {
    double *wall; /* milliseconds, sorted in the end */
    double cpu;   /* most of all runs */
    long peak_kib;
    char *text; /* the last run's output */
    size_t len;
};

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Run i; gives what is wrong with it, into text, or NULL. */
static const char *run_once(struct bench *b, struct times *t, unsigned i, char *text, size_t size)
{
    struct gs_child child;
    b->out = tmpfile();
    if (b->out == NULL) {
        snprintf(text, size, "no temporary file: %s", strerror(errno));
        return text;
    }
    bool ran = gs_child_run(run_program, b, b->cli->timeout, &child);
    gs_mem_free(t->text);
    t->text = read_back(b->out, &t->len);
    (void)fclose(b->out);
    if (!ran)
        return "no process";
    t->wall[i] = (double)child.wall_ns / 1e6;
    if ((double)child.cpu_ns / 1e6 > t->cpu)
        t->cpu = (double)child.cpu_ns / 1e6;
    if (child.peak_kib > t->peak_kib)
        t->peak_kib = child.peak_kib;
    const char *trouble = gs_child_trouble(&child, b->cli->timeout, text, size);
    if (trouble == NULL && !is_answer(t->text, t->len, b->program->answer))
        trouble = "wrong answer";
    return trouble;
}

static void progress(const struct bench *b, unsigned i)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%-*s run %u of %u\r", NAME_WIDTH, b->program->name, i + 1, b->cli->runs);
}

static void no_progress(void)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%-*s\r", NAME_WIDTH + 24, "");
}

static void bench_program(struct bench *b, const struct program *p)
{
    unsigned runs = b->cli->runs;
    struct times t = {.wall = gs_mem_must_alloc(runs * sizeof(double))};
    char text[160];
    const char *trouble = NULL;
    b->program = p;
    for (unsigned i = 0; i < runs && trouble == NULL; i++) {
        progress(b, i);
        trouble = run_once(b, &t, i, text, sizeof(text));
    }
    no_progress();
    if (trouble != NULL) {
        printf("%-*s %s\n", NAME_WIDTH, p->name, trouble);
        b->failed++;
    } else {
        qsort(t.wall, runs, sizeof(double), by_size);
        double median = (t.wall[(runs - 1) / 2] + t.wall[runs / 2]) / 2;
        printf("%-*s %10.1f %10.1f %10.1f %10.1f %10.1f\n", NAME_WIDTH, p->name, t.wall[0], median, t.wall[runs - 1], t.cpu, (double)t.peak_kib / 1024);
        print_notes(t.text, t.len);
        b->log_sum += log(median);
        b->measured++;
    }
    fflush(stdout);
    gs_mem_free(t.wall);
    gs_mem_free(t.text);
}

int gs_cmd_bench(struct gs_cli *cli, int argc, char **argv)
{
    struct bench b = {.cli = cli};
    struct program p;
    for (int i = 0; i < argc; i++)
        if (!find(argv[i], strlen(argv[i]), &p))
            return unknown(argv[i]);
    printf("%-*s %10s %10s %10s %10s %10s\n", NAME_WIDTH, "ms", "least", "median", "most", "cpu", "MiB");
    for (int i = 0; i < argc; i++)
        if (find(argv[i], strlen(argv[i]), &p))
            bench_program(&b, &p);
    for (size_t i = 0; i < gs_bench_nfiles && argc == 0; i++)
        if (find(gs_bench_files[i].name, program_at(i), &p))
            bench_program(&b, &p);
    if (b.measured > 1)
        printf("%-*s %10s %10.1f\n", NAME_WIDTH, "geometric mean", "", exp(b.log_sum / b.measured));
    return b.failed == 0 ? GS_EXIT_OK : GS_EXIT_FAILED;
}
