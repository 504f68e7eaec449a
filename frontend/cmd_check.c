/* SPDX-License-Identifier: MIT
 * cmd_check.c - langoost check: compile only; warnings, too.
 */
#include "cmd.h"
#include "port/mem.h"

static int check(const struct gs_cli *cli, const char *path)
{
    struct gs_compiled c;
    bool ok = gs_cli_compile(cli, path, &c);
    gs_mem_free(c.protos);
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
