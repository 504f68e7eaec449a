/* SPDX-License-Identifier: MIT
 * cmd_check.c - langoost check: compile only; warnings, too.
 */
#include "cmd.h"
#include "compile.h"
#include "port/mem.h"

static int check(const struct gs_cli *cli, const char *path)
{
    struct gs_diag *d = gs_diag_new();
    struct gs_compiled c;
    bool ok = gs_compile_file(path, d, &c);
    gs_cli_messages(cli, d);
    gs_diag_free(d);
    gs_mem_free(c.protos);
    if (c.io_error != 0)
        return gs_cli_cannot_read(path, c.io_error);
    return ok ? GS_EXIT_OK : GS_EXIT_FAILED;
}

int gs_cmd_check(struct gs_cli *cli, int argc, char **argv)
{
    if (argc < 1)
        return gs_cli_usage(gs_cli_command("check"), "check wants a file");
    int code = GS_EXIT_OK;
    for (int i = 0; i < argc; i++) {
        if (check(cli, argv[i]) != GS_EXIT_OK)
            code = GS_EXIT_FAILED;
    }
    return code;
}
