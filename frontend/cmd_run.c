/* SPDX-License-Identifier: MIT
 * cmd_run.c - langoost run: compile and run a script.
 */
#include "cmd.h"
#include "compile.h"
#include "port/mem.h"

int gs_cmd_run(struct gs_cli *cli, int argc, char **argv)
{
    if (argc < 1)
        return gs_cli_usage(gs_cli_command("run"), "run wants a file");
    struct gs_diag *d = gs_diag_new();
    struct gs_compiled c;
    bool ok = gs_compile_file(argv[0], d, &c);
    if (c.io_error != 0) {
        gs_diag_free(d);
        return gs_cli_cannot_read(argv[0], c.io_error);
    }
    gs_cli_messages(cli, d);
    gs_diag_free(d);
    gs_mem_free(c.protos);
    if (!ok)
        return GS_EXIT_FAILED;
    return goost_run_program(&cli->run, c.program, argc - 1, argv + 1);
}
