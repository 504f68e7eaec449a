/* SPDX-License-Identifier: MIT
 * cmd_run.c - langoost run: compile and run a script.
 */
#include "cmd.h"
#include "port/mem.h"

int gs_cmd_run(struct gs_cli *cli, int argc, char **argv)
{
    if (argc < 1)
        return gs_cli_usage(gs_cli_command("run"), "run wants a file");
    struct gs_compiled c;
    if (!gs_cli_compile(cli, argv[0], &c))
        return GS_EXIT_FAILED;
    gs_mem_free(c.protos);
    return goost_run_program(&cli->run, c.program, argc - 1, argv + 1);
}
