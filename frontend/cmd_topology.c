/* SPDX-License-Identifier: MIT
 * cmd_topology.c - langoost topology: the machine as the scheduler sees it, and where its workers
 * go.
 */
#include "cmd.h"
#include "sched.h"

int gs_cmd_topology(struct gs_cli *cli, int argc, char **argv)
{
    if (argc != 0)
        return gs_cli_usage(gs_cli_command("topology"), "topology takes no argument %s", argv[0]);
    struct gs_sched_config cfg = {
        .workers = cli->run.workers, .pin = cli->run.pin, .topology = cli->run.topology};
    return gs_sched_topology_print(&cfg, stdout) == 0 ? GS_EXIT_OK : GS_EXIT_FAILED;
}
