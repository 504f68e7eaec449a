/* SPDX-License-Identifier: MIT
 * repl.c - what `langoost repl` runs: a loop in the prelude (repl.goost) and the natives that it calls.
 *
 * Texts      are compiled by a hook of the front end, which knows what the ones before have declared, and called like any function in the main task. So tasks
 *            that were spawned go on while the loop waits for a line.
 * Terminal   Lines come from an editor with history, a loadable part (loadable/edit.h). Otherwise they are read as they are.
 * Ctrl-C     At the prompt it drops the text. While a text runs, the signal's handler asks the watch thread (quit.c) to cancel the main task: the text ends with Cancelled, and the
 *            loop goes on. [RP1] interrupted: stored (release) by the handler, taken (acquire) by the watch thread. The loop itself is never cancelled: the watch thread does it only
 *            while `running` is set, under a lock, and a cancel that the text has not met is taken back when it is over.
 * Deadlock   At a terminal somebody can still press Ctrl-C, so the loop counts as waiting on the outside world. Otherwise a text that waits for good ends the process as in a script.
 */
#include "repl.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "goost.h"
#include "handle.h"
#include "hooks.h"
#include "lib.h"
#include "loadable.h"
#include "loadable/edit.h"
#include "output.h"
#include "port/mem.h"
#include "port/thread.h"
#include "prelude_int.h"
#include "quit.h"
#include "rt.h"
#include "taskobj.h"

static const struct gs_edit_face *edit; /* NULL: there is no terminal, or no editor */
static struct gs_taskobj *self;         /* at a terminal: the loop's task, with a share of ours */
static _Atomic bool interrupted;        /* [RP1] */
static struct gs_spin running_lock;
static bool running; /* a text, which may be cancelled; under running_lock */

struct gs_func *gs_hook_repl(void)
{
    return gs_prelude_find("<repl>", "replLoop");
}

/* ---- Ctrl-C ---- */

static void on_interrupt(int sig)
{
    (void)sig;
    gs_store_rel(&interrupted, true); /* [RP1] */
    gs_quit_nudge();
}

void gs_repl_look(void)
{
    if (!gs_load_rlx(&interrupted) || !gs_xchg_acq_rel(&interrupted, false)) /* [RP1] */
        return;
    gs_spin_lock(&running_lock);
    if (running)
        gs_taskobj_cancel(self);
    gs_spin_unlock(&running_lock);
}

/* ---- natives of the loop ---- */

/* Where history is kept, to be freed; NULL: nowhere. */
static char *history_file(void)
{
    const char *own = getenv("LANGOOST_HISTORY"), *home = getenv("HOME");
    struct gs_buf path = {0};
    if (own != NULL)
        gs_buf_putz(&path, own);
    else if (home != NULL)
        gs_buf_printf(&path, "%s/.langoost_history", home);
    if (path.len != 0)
        gs_buf_putc(&path, '\0');
    if (path.len == 0 || path.failed) {
        gs_buf_free(&path);
        return NULL;
    }
    return path.p;
}

static void greet(void)
{
    char text[96];
    int n = snprintf(text, sizeof text, "Langoost %s. Ctrl-D ends, Ctrl-C interrupts.\n", goost_version());
    gs_out_write(text, (size_t)n);
}

static int begin(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    (void)ret;
    char text[512];
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return GS_OK;
    self = vm->self;
    gs_hobj_retain(&self->h);
    gs_sched_outside_begin_mt(gs_rt.sched);
    gs_quit_watch();
    (void)gs_signal_take(SIGINT, on_interrupt);
    edit = gs_loadable_find("goost_edit.so", "goost_edit", text, sizeof text);
    char *file = history_file();
    if (edit != NULL && !edit->open(file))
        edit = NULL;
    gs_mem_free(file);
    greet();
    return GS_OK;
}

static int end(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)vm;
    (void)args;
    (void)n;
    (void)ret;
    gs_out_write("\n", 1);
    if (self == NULL)
        return GS_OK;
    (void)signal(SIGINT, SIG_DFL); /* tasks that are left can be interrupted as those of a script */
    gs_sched_outside_end_mt(gs_rt.sched);
    gs_hobj_release(&self->h); /* nothing runs any more that could be cancelled */
    return GS_OK;
}

/* On an auxiliary thread, or the main task's. */
static bool edit_line(const char *prompt, struct gs_buf *line)
{
    size_t n;
    const char *p = edit->read(prompt, &n);
    if (p != NULL)
        gs_buf_put(line, p, n);
    return p != NULL;
}

/* read(first): the next line of the input, behind the prompt of a new text or of one that goes on; nil at the end. */
static int read_line(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    return gs_read_prompted(vm, gs_truthy(args[0]) ? "> " : ". ", edit != NULL ? edit_line : NULL, ret);
}

/* compile(text, more): the text as a function; false: it has errors, which have been told; nil: it ends too early, and more may come. */
static int compile(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    struct gs_str *text;
    bool done = true;
    (void)n;
    if (gs_arg_str(vm, "compile", args, 0, &text) != GS_OK)
        return GS_E_THROWN;
    gs_out_flush();
    struct gs_func *fn = gs_hooks.compile_text(text->data, text->len, gs_truthy(args[1]), &done);
    if (fn != NULL)
        *ret = gs_objv(GS_T_FUNC, fn);
    else if (done)
        *ret = gs_bool(false);
    return GS_OK;
}

/* running(is): a text begins or is over. */
static int set_running(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    (void)ret;
    gs_spin_lock(&running_lock);
    running = gs_truthy(args[0]);
    gs_spin_unlock(&running_lock);
    if (!running)
        (void)gs_vm_take_cancel(vm);
    return GS_OK;
}

/* show(v): as it stands in containers, so that a string can be told from a number. */
static int show(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    struct gs_buf text = {0};
    (void)vm;
    (void)n;
    (void)ret;
    gs_text_value(&text, args[0], false);
    gs_buf_putc(&text, '\n');
    bool failed = text.failed;
    if (!failed)
        gs_out_write(text.p, text.len);
    gs_buf_free(&text);
    return failed ? GS_E_NOMEM : GS_OK;
}

/* report(e): as an error that nobody caught. */
static int report(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    struct gs_buf text = {0};
    (void)n;
    (void)ret;
    vm->error = args[0];
    gs_vm_error_report(&text, vm);
    vm->error = gs_nil();
    gs_err_write(text.p, text.len);
    gs_buf_free(&text);
    return GS_OK;
}

static const struct gs_lib_entry intrinsics[] = {
    GS_FN("replBegin", begin, 0, 0, 0), GS_FN("replEnd", end, 0, 0, 0),
    GS_FN("replRunning", set_running, 1, 1, 0),
    GS_FN("replRead", read_line, 1, 1, 0), GS_FN("replCompile", compile, 2, 2, 0),
    GS_FN("replShow", show, 1, 1, 0), GS_FN("replReport", report, 1, 1, 0),
};
GS_LIB_MODULE(gs_lib_repl_intrinsics, "<intrinsic>", false, intrinsics);
