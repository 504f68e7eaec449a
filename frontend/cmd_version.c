/* SPDX-License-Identifier: MIT
 * cmd_version.c - langoost version.
 */
#include "cmd.h"
#include "port/mem.h"
#include "sched.h"

int gs_cmd_version(struct gs_cli *cli, int argc, char **argv)
{
    (void)cli;
    if (argc != 0)
        return gs_cli_usage(gs_cli_command("version"), "version takes no argument %s", argv[0]);
    printf("langoost %s\n", GS_VERSION);
    printf("LLVM     not built in\n");
    printf("hwloc    %s\n", gs_sched_hwloc_version());
    printf("malloc   %s\n", gs_mem_version());
    return GS_EXIT_OK;
}
