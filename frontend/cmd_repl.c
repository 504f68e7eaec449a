/* SPDX-License-Identifier: MIT
 * cmd_repl.c - langoost repl: reads, runs and prints. The loop itself is the runtime's (repl.c); here is what compiles.
 */
#include "cmd.h"
#include "hooks.h"
#include "object.h"

static struct gs_dialog *session;
static const struct gs_cli *options;
static uint32_t line = 1; /* of the next text: lines are counted through the whole session */

static uint32_t lines_of(const char *text, size_t len)
{
    uint32_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += text[i] == '\n';
    return n;
}

/* gs_hooks.compile_text. */
static struct gs_func *compile_text(const char *text, size_t len, bool more, bool *done)
{
    struct gs_diag *d = gs_diag_new();
    struct gs_func *fn = gs_dialog_compile(session, text, len, line, more, d);
    *done = fn != NULL || gs_diag_errors(d) != 0;
    if (*done)
        line += lines_of(text, len);
    gs_cli_messages(options, d);
    gs_diag_free(d);
    return fn;
}

int gs_cmd_repl(struct gs_cli *cli, int argc, char **argv)
{
    if (argc > 0)
        return gs_cli_usage(gs_cli_command("repl"), "repl takes no %s", argv[0]);
    options = cli;
    session = gs_dialog_new();
    gs_hooks.compile_text = compile_text;
    struct gs_func *loop = gs_hook_repl();
    /* Not published yet. */
    return goost_run_program(&cli->run, gs_dialog_program(session, (struct gs_proto *)(uintptr_t)loop->proto), 0, NULL);
}
