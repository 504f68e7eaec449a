/* SPDX-License-Identifier: MIT
 * cmd_test.c - langoost test: runs the functions test_* of the files *_test.goost below folders.
 *
 * Process    Each test is a process of its own: a child that imports the file as a module, so that its top level runs, and calls the function. Whatever a test does - an
 *            error that nobody caught, one in a task, exit, panic, a deadlock, a crash, tasks that never end - is its own result, told by the child as a script's would be, and
 *            the tests behind it find nothing of it.
 * Passed     The child came back from the call and all its tasks have ended without an error: exit code 0. A test that ends itself by exit(0) has not come back.
 * Order      Files by path, functions as they stand in the file, one at a time: a test may use all cores.
 */
#include "cmd.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "object.h"
#include "port/clock.h"
#include "port/mem.h"
#include "proto.h"

#include "vec.h"

#define SUFFIX "_test.goost"
#define PREFIX "test_"

struct session {
    struct gs_cli *cli;
    GS_VEC(char *) files;
    unsigned passed, failed;
    bool trouble; /* something could not be read */
};

/* --- finding ---------------------------------------------------------------------------------- */

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

/* Folders of packages and hidden ones are not ours to test. */
static bool is_foreign(const char *name)
{
    return name[0] == '.' || strcmp(name, "langoost_modules") == 0;
}

static void cannot_read(struct session *s, const char *path, int err)
{
    gs_cli_cannot_read(path, err);
    s->trouble = true;
}

static void add_file(struct session *s, const char *path)
{
    size_t n = strlen(path) + 1;
    GS_VEC_PUSH(&s->files, memcpy(gs_mem_must_alloc(n), path, n));
}

/* Links to folders are not followed, so that there is an end. */
static void add_folder(struct session *s, const char *folder)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, NULL, alphasort);
    if (n < 0) {
        cannot_read(s, folder, errno);
        return;
    }
    for (int i = 0; i < n; i++) {
        const char *name = entries[i]->d_name;
        char path[PATH_MAX];
        struct stat st;
        int w = strcmp(folder, ".") == 0 ? snprintf(path, sizeof(path), "%s", name)
                                         : snprintf(path, sizeof(path), "%s%s%s", folder, ends_with(folder, "/") ? "" : "/", name);
        if (w < 0 || (size_t)w >= sizeof(path))
            cannot_read(s, folder, ENAMETOOLONG);
        else if (!is_foreign(name) && lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
            add_folder(s, path);
        else if (!is_foreign(name) && ends_with(name, SUFFIX))
            add_file(s, path);
        free(entries[i]);
    }
    free(entries);
}

static void add(struct session *s, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        cannot_read(s, path, errno);
    else if (S_ISDIR(st.st_mode))
        add_folder(s, path);
    else
        add_file(s, path);
}

/* --- one test --------------------------------------------------------------------------------- */

struct test {
    const struct gs_cli *cli;
    const char *path;
    const char *name;
    uint32_t line;
};

/* In the child. */
static int call_test(void *ctx)
{
    const struct test *t = ctx;
    struct gs_diag *d = gs_diag_new();
    struct gs_compiled c;
    bool ok = gs_compile_call(t->path, t->name, t->line, d, &c);
    if (!ok)
        gs_cli_messages(t->cli, d); /* the file has changed since it was looked at */
    gs_diag_free(d);
    gs_mem_free(c.protos);
    return ok ? goost_run_program(&t->cli->run, c.program, 0, NULL) : GS_EXIT_FAILED;
}

static void run_test(struct session *s, struct test *t)
{
    unsigned seconds = s->cli->timeout;
    struct gs_child child;
    char text[160];
    *s->cli->run.completed = false;
    if (!gs_child_run(call_test, t, seconds, &child)) {
        s->failed++;
        return;
    }
    const char *trouble = gs_child_trouble(&child, seconds, text, sizeof(text));
    if (trouble == NULL && !*s->cli->run.completed)
        trouble = "exit(0) before its end";
    bool told = WIFEXITED(child.status) && WEXITSTATUS(child.status) == GS_EXIT_FAILED; /* by the language's own message */
    const char *why = trouble == NULL || told ? "" : trouble;
    printf("%s %s %s (%.1f ms)%s%s\n", trouble == NULL ? "ok  " : "FAIL", t->path, t->name, (double)child.wall_ns / 1e6, why[0] != '\0' ? ": " : "", why);
    fflush(stdout);
    if (trouble == NULL)
        s->passed++;
    else
        s->failed++;
}

/* --- all of them ------------------------------------------------------------------------------ */

static int by_line(const void *a, const void *b)
{
    const struct test *x = a, *y = b;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return strcmp(x->name, y->name);
}

struct tests {
    struct test *v;
    uint32_t n, cap;
};

/* Those of the module itself, in source order; what it imports is exported, too. */
static void find_tests(const struct session *s, const char *path, const struct gs_modinfo *m, struct tests *out)
{
    for (uint32_t i = 0; i < m->nconsts; i++) {
        const char *name = m->cname[i]->data;
        bool own = gs_kind(m->cvalue[i]) == GS_T_FUNC && m->cvalue[i].f->proto->mod == m;
        if (own && strncmp(name, PREFIX, strlen(PREFIX)) == 0 && (s->cli->filter == NULL || strstr(name, s->cli->filter) != NULL))
            GS_VEC_PUSH(out, (struct test){s->cli, path, name, m->cvalue[i].f->proto->line});
    }
    if (out->n > 0)
        qsort(out->v, out->n, sizeof(*out->v), by_line);
}

static void run_file(struct session *s, const char *path)
{
    struct gs_compiled c;
    bool ok = gs_cli_compile(s->cli, path, &c);
    gs_mem_free(c.protos);
    if (c.io_error != 0) {
        s->trouble = true;
        return;
    }
    if (!ok) {
        printf("FAIL %s: does not compile\n", path);
        fflush(stdout);
        s->failed++;
        return;
    }
    struct tests tests = {0};
    find_tests(s, path, c.program->mod, &tests);
    for (uint32_t i = 0; i < tests.n; i++)
        run_test(s, &tests.v[i]);
    GS_VEC_FREE(&tests);
}

int gs_cmd_test(struct gs_cli *cli, int argc, char **argv)
{
    struct session s = {.cli = cli};
    void *shared = mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        fprintf(stderr, "langoost: %s\n", strerror(errno));
        return GS_EXIT_FAILED;
    }
    cli->run.completed = shared;
    if (argc == 0)
        add(&s, ".");
    for (int i = 0; i < argc; i++)
        add(&s, argv[i]);
    int64_t begin = gs_clock_mono_ns();
    for (uint32_t i = 0; i < s.files.n; i++)
        run_file(&s, s.files.v[i]);
    printf("%u passed, %u failed in %.2f s\n", s.passed, s.failed, (double)(gs_clock_mono_ns() - begin) / 1e9);
    for (uint32_t i = 0; i < s.files.n; i++)
        gs_mem_free(s.files.v[i]);
    GS_VEC_FREE(&s.files);
    munmap(shared, sizeof(bool));
    return s.failed == 0 && !s.trouble ? GS_EXIT_OK : GS_EXIT_FAILED;
}
