/* SPDX-License-Identifier: MIT
 * lib_io.c - the module io: files as a whole, streams, standard input.
 *
 * Blocking   Calls on files run on the worker: they end soon. Reading standard input may wait for a person: while other tasks are alive it runs on an auxiliary thread and the task
 *            parks; the only task reads by itself, so that a simple filter starts no thread.
 * Errors     IOError "cannot VERB PATH: REASON".
 * Lines      End with "\n" or "\r\n", which are not part of them; the last one need not end.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handle.h"
#include "lib.h"
#include "output.h"
#include "port/mem.h"
#include "rt.h"
#include "waitq.h"
#include "taskobj.h"

static int io_error(struct gs_vm *vm, const char *verb, const char *path, int err)
{
    return gs_throw(vm, GS_ERR_IO, "cannot %s %s: %s", verb, path, strerror(err));
}

/* ---- whole files ---- */

/* Everything from fd into b. 0 or an errno. */
static int slurp(int fd, struct gs_buf *b)
{
    struct stat st;
    size_t guess = fstat(fd, &st) == 0 && st.st_size > 0 ? (size_t)st.st_size + 1 : 65536;
    for (;;) {
        char *p = gs_buf_reserve(b, guess);
        if (p == NULL)
            return ENOMEM;
        ssize_t k = read(fd, p, guess);
        if (k > 0)
            b->len += (size_t)k;
        else if (k == 0)
            return 0;
        else if (errno != EINTR)
            return errno;
        guess = 65536;
    }
}

static int file_read(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    char *path;
    int st = gs_arg_cstr(vm, "read", args, 0, &path);
    if (st != GS_OK)
        return st;
    struct gs_buf b = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int err = fd < 0 ? errno : slurp(fd, &b);
    if (fd >= 0)
        close(fd);
    if (err == ENOMEM)
        st = GS_E_NOMEM;
    else if (err != 0)
        st = io_error(vm, "read", path, err);
    else
        st = gs_ret_str(ret, gs_str_new(&vm->heap, b.p, b.len));
    gs_buf_free(&b);
    gs_mem_free(path);
    return st;
}

static int write_fd(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno != EINTR)
            return errno;
        if (k > 0) {
            p += k;
            n -= (size_t)k;
        }
    }
    return 0;
}

static int put_file(struct gs_vm *vm, const char *fn, gs_value *args, int flags)
{
    char *path;
    struct gs_str *s;
    int st = gs_arg_str(vm, fn, args, 1, &s);
    if (st == GS_OK)
        st = gs_arg_cstr(vm, fn, args, 0, &path);
    if (st != GS_OK)
        return st;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);
    int err = fd < 0 ? errno : write_fd(fd, s->data, s->len);
    if (fd >= 0 && close(fd) != 0 && err == 0)
        err = errno;
    if (err != 0)
        st = io_error(vm, "write", path, err);
    gs_mem_free(path);
    return st;
}

static int file_write(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    (void)ret;
    return put_file(vm, "write", args, O_TRUNC);
}

static int file_append(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    (void)ret;
    return put_file(vm, "append", args, O_APPEND);
}

/* The mode bits of a path; 0 when it does not exist. */
static int mode_of(struct gs_vm *vm, const char *fn, gs_value *args, unsigned *mode)
{
    char *path;
    int st = gs_arg_cstr(vm, fn, args, 0, &path);
    if (st != GS_OK)
        return st;
    struct stat sb;
    *mode = stat(path, &sb) == 0 ? (unsigned)sb.st_mode : 0;
    gs_mem_free(path);
    return GS_OK;
}

#define TEST(name, cond)                                                                                               \
    static int file_##name(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)                                \
    {                                                                                                                  \
        (void)n;                                                                                                       \
        unsigned mode;                                                                                                 \
        int st = mode_of(vm, #name, args, &mode);                                                                      \
        if (st == GS_OK)                                                                                               \
            *ret = gs_bool(cond);                                                                                      \
        return st;                                                                                                     \
    }
TEST(exists, mode != 0)
TEST(isFile, S_ISREG(mode))
TEST(isDir, S_ISDIR(mode))

static int file_delete(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    (void)ret;
    char *path;
    int st = gs_arg_cstr(vm, "delete", args, 0, &path);
    if (st != GS_OK)
        return st;
    if (remove(path) != 0) /* also an empty directory */
        st = io_error(vm, "delete", path, errno);
    gs_mem_free(path);
    return st;
}

static int file_size(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    char *path;
    int st = gs_arg_cstr(vm, "size", args, 0, &path);
    if (st != GS_OK)
        return st;
    struct stat sb;
    if (stat(path, &sb) != 0)
        st = io_error(vm, "read", path, errno);
    else
        *ret = gs_int((int64_t)sb.st_size);
    gs_mem_free(path);
    return st;
}

/* With all parents; one that is there already is fine. */
static int make_dirs(char *path)
{
    for (char *p = path + 1;; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char c = *p;
        *p = '\0';
        int err = mkdir(path, 0777) == 0 ? 0 : errno;
        struct stat sb;
        if (err == EEXIST && stat(path, &sb) == 0 && S_ISDIR(sb.st_mode))
            err = 0;
        *p = c;
        if (err != 0 || c == '\0')
            return err;
    }
}

static int file_mkdir(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    (void)ret;
    char *path;
    int st = gs_arg_cstr(vm, "mkdir", args, 0, &path);
    if (st != GS_OK)
        return st;
    int err = *path == '\0' ? ENOENT : make_dirs(path);
    if (err != 0)
        st = io_error(vm, "create", path, err);
    gs_mem_free(path);
    return st;
}

/* The names, sorted, without . and .. */
static int file_readDir(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    char *path;
    int st = gs_arg_cstr(vm, "readDir", args, 0, &path);
    if (st != GS_OK)
        return st;
    DIR *d = opendir(path);
    if (d == NULL) {
        st = io_error(vm, "read", path, errno);
        gs_mem_free(path);
        return st;
    }
    gs_mem_free(path);
    struct gs_array *a = gs_array_new(&vm->heap);
    bool ok = a != NULL;
    struct dirent *e;
    while (ok && (e = readdir(d)) != NULL) { /* each DIR has one user */
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        struct gs_str *s = gs_str_newz(&vm->heap, e->d_name);
        ok = s != NULL && gs_array_push(&vm->heap, a, gs_strv(s)) == GS_OK;
    }
    closedir(d);
    int64_t bad;
    if (!ok || gs_array_sort(&vm->heap, a, &bad) == GS_E_NOMEM)
        return GS_E_NOMEM;
    *ret = gs_objv(GS_T_ARRAY, a);
    return GS_OK;
}

/* 0 or an errno; *which: the path that it is about (0 source, 1 target). */
static int copy_file(const char *from, const char *to, int *which)
{
    char buf[65536];
    struct stat sb;
    *which = 0;
    int in = open(from, O_RDONLY | O_CLOEXEC), err = 0;
    if (in < 0)
        return errno;
    if (fstat(in, &sb) == 0 && S_ISDIR(sb.st_mode)) {
        close(in);
        return EISDIR;
    }
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, sb.st_mode & 0777);
    if (out < 0) {
        err = errno;
        *which = 1;
    }
    while (err == 0) {
        ssize_t k = read(in, buf, sizeof buf);
        if (k == 0)
            break;
        if (k < 0) {
            err = errno == EINTR ? 0 : errno;
        } else if ((err = write_fd(out, buf, (size_t)k)) != 0) {
            *which = 1;
        }
    }
    close(in);
    if (out >= 0 && close(out) != 0 && err == 0) {
        err = errno;
        *which = 1;
    }
    return err;
}

static int two_paths(struct gs_vm *vm, const char *fn, gs_value *args, int (*op)(const char *, const char *, int *))
{
    char *p[2];
    int which = 0;
    int st = gs_arg_cstr(vm, fn, args, 0, &p[0]);
    if (st != GS_OK)
        return st;
    st = gs_arg_cstr(vm, fn, args, 1, &p[1]);
    if (st == GS_OK) {
        int err = op(p[0], p[1], &which);
        if (err != 0)
            st = io_error(vm, fn, p[which], err);
        gs_mem_free(p[1]);
    }
    gs_mem_free(p[0]);
    return st;
}

static int rename_file(const char *from, const char *to, int *which)
{
    *which = 0;
    return rename(from, to) == 0 ? 0 : errno;
}

static int file_copy(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    (void)ret;
    return two_paths(vm, "copy", args, copy_file);
}

static int file_rename(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    (void)ret;
    return two_paths(vm, "rename", args, rename_file);
}

static const struct gs_lib_entry file_entries[] = {
    GS_FN("read", file_read, 1, 1, GS_NF_PURE),     GS_FN("write", file_write, 2, 2, 0),
    GS_FN("append", file_append, 2, 2, 0),          GS_FN("exists", file_exists, 1, 1, GS_NF_PURE),
    GS_FN("isFile", file_isFile, 1, 1, GS_NF_PURE), GS_FN("isDir", file_isDir, 1, 1, GS_NF_PURE),
    GS_FN("delete", file_delete, 1, 1, 0),          GS_FN("copy", file_copy, 2, 2, 0),
    GS_FN("rename", file_rename, 2, 2, 0),          GS_FN("size", file_size, 1, 1, GS_NF_PURE),
    GS_FN("mkdir", file_mkdir, 1, 1, 0),            GS_FN("readDir", file_readDir, 1, 1, GS_NF_PURE),
};
GS_LIB_MODULE(gs_lib_io_file, "io.file", true, file_entries);

/* ---- streams ---- */

struct gs_file {
    struct gs_hobj h;
    pthread_mutex_t lock; /* guards f: one task may close what another reads */
    FILE *f;              /* NULL once closed */
};

void gs_file_drop(struct gs_hobj *h)
{
    struct gs_file *s = (struct gs_file *)h;
    if (s->f != NULL)
        fclose(s->f);
    pthread_mutex_destroy(&s->lock);
    gs_mem_free(s);
}

/* open(path, mode = "r"): r w a, with + for both directions. */
static int stream_open(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    static const char *const modes[] = {"r", "w", "a", "r+", "w+", "a+"};
    char *path;
    const char *mode = n < 2 ? modes[0] : NULL;
    struct gs_str *m;
    int st = n < 2 ? GS_OK : gs_arg_str(vm, "open", args, 1, &m);
    if (st != GS_OK)
        return st;
    for (unsigned i = 0; mode == NULL && i < sizeof modes / sizeof modes[0]; i++)
        if (gs_str_equal_bytes(m, modes[i], strlen(modes[i])))
            mode = modes[i];
    if (mode == NULL)
        return gs_throw(vm, GS_ERR_VALUE, "open: mode must be one of r w a r+ w+ a+, got \"%.*s\"", (int)m->len, m->data);
    st = gs_arg_cstr(vm, "open", args, 0, &path);
    if (st != GS_OK)
        return st;
    struct gs_file *s = gs_mem_zalloc(sizeof *s);
    FILE *f = s != NULL ? fopen(path, mode) : NULL;
    struct stat sb;
    int err = f == NULL ? errno : fstat(fileno(f), &sb) == 0 && S_ISDIR(sb.st_mode) ? EISDIR : 0;
    if (s == NULL)
        st = GS_E_NOMEM;
    else if (err != 0)
        st = io_error(vm, "open", path, err);
    gs_mem_free(path);
    if (st != GS_OK) {
        if (f != NULL)
            fclose(f);
        gs_mem_free(s);
        return st;
    }
    pthread_mutex_init(&s->lock, NULL);
    s->f = f;
    gs_hobj_init(&s->h, GS_H_FILE);
    return (int)gs_handle_adopt(vm, &s->h, ret);
}

/* The open stream, locked; NULL with an error thrown. */
static struct gs_file *take(struct gs_vm *vm, const char *fn, gs_value *args)
{
    struct gs_file *s = (struct gs_file *)gs_handle_check(vm, fn, args[0], GS_H_FILE);
    if (s == NULL)
        return NULL;
    pthread_mutex_lock(&s->lock);
    if (s->f != NULL)
        return s;
    pthread_mutex_unlock(&s->lock);
    gs_throw(vm, GS_ERR_IO, "%s: the stream is closed", fn);
    return NULL;
}

static int stream_error(struct gs_vm *vm, struct gs_file *s, const char *fn, int err)
{
    clearerr(s->f);
    pthread_mutex_unlock(&s->lock);
    return gs_throw(vm, GS_ERR_IO, "%s: %s", fn, strerror(err));
}

static int stream_close(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    (void)ret;
    struct gs_file *s = take(vm, "close", args);
    if (s == NULL)
        return GS_E_THROWN;
    int err = fclose(s->f) == 0 ? 0 : errno;
    s->f = NULL;
    pthread_mutex_unlock(&s->lock);
    return err == 0 ? GS_OK : gs_throw(vm, GS_ERR_IO, "close: %s", strerror(err));
}

/* Without the end of the line; false at the end of the file. */
static bool read_line(FILE *f, struct gs_buf *b)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t k = getline(&line, &cap, f);
    if (k > 0) {
        size_t len = (size_t)k;
        if (line[len - 1] == '\n')
            len--;
        if (len > 0 && len < (size_t)k && line[len - 1] == '\r')
            len--;
        gs_buf_put(b, line, len);
    }
    free(line); /* libc's */
    return k > 0;
}

static void read_all(FILE *f, struct gs_buf *b)
{
    size_t k;
    do {
        char *p = gs_buf_reserve(b, 65536);
        if (p == NULL)
            return;
        k = fread(p, 1, 65536, f);
        b->len += k;
    } while (k > 0);
}

/* Ends a read: the bytes as a string, nil when there were none and `end` says that this is the end. Frees b; unlocks s. */
static int stream_result(struct gs_vm *vm, struct gs_file *s, const char *fn, struct gs_buf *b, bool end, gs_value *ret)
{
    int st = GS_OK;
    if (ferror(s->f)) {
        gs_buf_free(b);
        return stream_error(vm, s, fn, errno);
    }
    pthread_mutex_unlock(&s->lock);
    if (b->failed)
        st = GS_E_NOMEM;
    else if (!end)
        st = gs_ret_str(ret, gs_str_new(&vm->heap, b->p, b->len));
    gs_buf_free(b);
    return st;
}

/* read(s, n): at most n bytes; nil at the end. */
static int stream_read(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    int64_t want;
    int st = gs_arg_int(vm, "read", args, 1, &want);
    if (st != GS_OK)
        return st;
    if (want < 0 || want > (int64_t)1 << 40)
        return gs_throw(vm, GS_ERR_VALUE, "read: cannot read %lld bytes", (long long)want);
    struct gs_file *s = take(vm, "read", args);
    if (s == NULL)
        return GS_E_THROWN;
    struct gs_buf b = {0};
    while ((int64_t)b.len < want) {
        size_t part = (size_t)want - b.len < 65536 ? (size_t)want - b.len : 65536;
        char *p = gs_buf_reserve(&b, part);
        size_t k = p != NULL ? fread(p, 1, part, s->f) : 0;
        b.len += k;
        if (k == 0)
            break;
    }
    return stream_result(vm, s, "read", &b, b.len == 0 && want > 0, ret);
}

static int stream_readLine(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_file *s = take(vm, "readLine", args);
    if (s == NULL)
        return GS_E_THROWN;
    struct gs_buf b = {0};
    bool got = read_line(s->f, &b);
    return stream_result(vm, s, "readLine", &b, !got, ret);
}

static int stream_readAll(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_file *s = take(vm, "readAll", args);
    if (s == NULL)
        return GS_E_THROWN;
    struct gs_buf b = {0};
    read_all(s->f, &b);
    return stream_result(vm, s, "readAll", &b, false, ret);
}

static int stream_write(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    (void)ret;
    struct gs_str *t;
    int st = gs_arg_str(vm, "write", args, 1, &t);
    if (st != GS_OK)
        return st;
    struct gs_file *s = take(vm, "write", args);
    if (s == NULL)
        return GS_E_THROWN;
    if (t->len > 0 && fwrite(t->data, 1, t->len, s->f) != t->len)
        return stream_error(vm, s, "write", errno);
    pthread_mutex_unlock(&s->lock);
    return GS_OK;
}

static int stream_flush(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    (void)ret;
    struct gs_file *s = take(vm, "flush", args);
    if (s == NULL)
        return GS_E_THROWN;
    if (fflush(s->f) != 0)
        return stream_error(vm, s, "flush", errno);
    pthread_mutex_unlock(&s->lock);
    return GS_OK;
}

static const struct gs_lib_entry stream_entries[] = {
    GS_FN("open", stream_open, 1, 2, 0),         GS_FN("close", stream_close, 1, 1, 0),
    GS_FN("read", stream_read, 2, 2, 0),         GS_FN("readLine", stream_readLine, 1, 1, 0),
    GS_FN("readAll", stream_readAll, 1, 1, 0),   GS_FN("write", stream_write, 2, 2, 0),
    GS_FN("flush", stream_flush, 1, 1, 0),
};
GS_LIB_MODULE(gs_lib_io_stream, "io.stream", false, stream_entries);

/* ---- standard input ---- */

/* One call for a line or for all the rest. It belongs to the task and, while that runs, to the auxiliary thread: who lets go last frees it. */
struct input {
    struct gs_spin lock; /* guards vm and done */
    struct gs_vm *vm;    /* NULL once the task has given up */
    bool done, all, end;
    const char *prompt; /* with edit */
    bool (*edit)(const char *prompt, struct gs_buf *line); /* gs_read_prompted */
    struct gs_buf text;
};

static pthread_mutex_t stdin_lock = PTHREAD_MUTEX_INITIALIZER; /* guards stdin and unread */
static struct gs_buf unread;                                   /* what a reader that was cancelled had already taken */
static bool unread_line;

static void read_input_locked(struct input *in)
{
    if (unread_line) {
        in->text = unread;
        unread = (struct gs_buf){0};
        unread_line = false;
        if (in->all) {
            gs_buf_putc(&in->text, '\n');
            read_all(stdin, &in->text);
        }
    } else if (in->all) {
        read_all(stdin, &in->text);
    } else if (in->edit != NULL) {
        in->end = !in->edit(in->prompt, &in->text);
    } else {
        in->end = !read_line(stdin, &in->text);
    }
}

static void input_free(struct input *in)
{
    gs_buf_free(&in->text);
    gs_mem_free(in);
}

/* On the auxiliary thread. stdin_lock is held from the read until it is settled who gets what was read: a reader that waits for the lock
 * finds what a cancelled one has left behind. */
static void read_aside(void *arg)
{
    struct input *in = arg;
    pthread_mutex_lock(&stdin_lock);
    read_input_locked(in);
    gs_spin_lock(&in->lock);
    in->done = true;
    struct gs_vm *vm = in->vm;
    /* The task frees `in` only after it has seen done, or set vm to NULL, under this lock; until it is woken it cannot do either but by a cancel, whose
     * finish waits for the lock. */
    bool mine = vm != NULL && gs_wait_claim(vm, GS_WAIT_WOKEN);
    if (!mine && !in->end) { /* what nobody takes any more is there for the next reader */
        unread = in->text;
        in->text = (struct gs_buf){0};
        unread_line = true;
    }
    gs_spin_unlock(&in->lock);
    pthread_mutex_unlock(&stdin_lock);
    if (mine)
        gs_task_ready_mt(gs_rt.sched, &vm->task);
    else if (vm == NULL)
        input_free(in);
}

static int input_result(struct gs_vm *vm, struct input *in, gs_value *ret)
{
    int st = GS_OK;
    if (in->text.failed)
        st = GS_E_NOMEM;
    else if (!in->end)
        st = gs_ret_str(ret, gs_str_new(&vm->heap, in->text.p, in->text.len));
    return st;
}

/* Runs again after GS_E_NOMEM: the word is IDLE then, and the text still there. */
static int input_finish(struct gs_vm *vm, gs_value *ret)
{
    struct gs_waiter *w = &vm->park.first;
    struct input *in = (struct input *)w->item.v.p;
    bool cancelled = gs_wait_end(vm) == GS_WAIT_CANCELLED;
    gs_spin_lock(&in->lock);
    in->vm = NULL;
    bool done = in->done;
    gs_spin_unlock(&in->lock);
    int st;
    if (cancelled) {
        (void)gs_vm_take_cancel(vm);
        st = gs_throw_cancelled(vm);
        if (done)
            input_free(in); /* else the auxiliary thread does it */
    } else {
        st = input_result(vm, in, ret);
        if (st == GS_E_NOMEM)
            return st;
        input_free(in);
    }
    w->item = (struct gs_parcel){0};
    return st;
}

static int read_stdin(struct gs_vm *vm, const struct input *how, const char *what, gs_value *ret)
{
    if (gs_vm_take_cancel(vm))
        return gs_throw_cancelled(vm);
    gs_out_flush(); /* a prompt must be seen */
    struct input *in = gs_mem_alloc(sizeof *in);
    if (in == NULL)
        return GS_E_NOMEM;
    *in = *how;
    if (gs_rt_tasks() > 1) {
        in->vm = vm;
        gs_wait_begin(vm);
        vm->park.finish = input_finish;
        vm->park.what = what;
        vm->park.obj = NULL;
        vm->park.first.item.v = (gs_value){.p = in, .tag = GS_T_UNSET}; /* no object of the language */
        if (gs_sched_offload_mt(gs_rt.sched, read_aside, in) == 0)
            return GS_PARK;
        if (!gs_wait_claim(vm, GS_WAIT_WOKEN)) { /* cancelled meanwhile; nobody else has `in` */
            in->done = in->end = true;
            return GS_PARK;
        }
        (void)gs_wait_end(vm); /* no thread to be had: read here */
        vm->park.first.item = (struct gs_parcel){0};
    }
    pthread_mutex_lock(&stdin_lock);
    read_input_locked(in);
    pthread_mutex_unlock(&stdin_lock);
    int st = input_result(vm, in, ret);
    input_free(in);
    return st;
}

int gs_native_read_line(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    return read_stdin(vm, &(struct input){0}, "readLine of standard input", ret);
}

int gs_read_prompted(struct gs_vm *vm, const char *prompt, bool (*edit)(const char *prompt, struct gs_buf *line), gs_value *ret)
{
    if (edit == NULL)
        gs_out_write(prompt, strlen(prompt));
    return read_stdin(vm, &(struct input){.prompt = prompt, .edit = edit}, "the prompt", ret);
}

static int stdin_readAll(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    return read_stdin(vm, &(struct input){.all = true}, "readAll of standard input", ret);
}

static const struct gs_lib_entry stdin_entries[] = {
    GS_FN("readLine", gs_native_read_line, 0, 0, 0),
    GS_FN("readAll", stdin_readAll, 0, 0, 0),
};
GS_LIB_MODULE(gs_lib_io_stdin, "io.stdin", false, stdin_entries);
