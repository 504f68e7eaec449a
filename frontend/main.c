/* SPDX-License-Identifier: MIT
 * main.c - the program: finds the command and hands over.
 */
#include <stdio.h>
#include <string.h>

#include "hooks.h"

#include "cmd.h"
#include "compile.h"

const struct gs_command gs_commands[] = {
    {"run", "FILE [ARGS]", "compile and run a script; - reads standard input", GS_CMD_RUN,
     gs_cmd_run},
    {"repl", "", "read, run and print, a line at a time", GS_CMD_REPL, gs_cmd_repl},
    {"check", "FILE...", "compile only, and say what looks wrong", GS_CMD_CHECK, gs_cmd_check},
    {"disasm", "FILE [ARGS]", "print the bytecode of each function, with --jit its machine code", GS_CMD_DISASM, gs_cmd_disasm},
    {"test", "[DIR...]", "run the functions test_* of all files *_test.goost below the folder", GS_CMD_TEST, gs_cmd_test},
    {"bench", "[NAME...]", "time the built-in benchmark programs and check what they print", GS_CMD_BENCH, gs_cmd_bench},
    {"topology", "", "the machine as the scheduler sees it", GS_CMD_TOPOLOGY, gs_cmd_topology},
    {"version", "", "versions of langoost and its libraries", GS_CMD_VERSION, gs_cmd_version},
};
const unsigned gs_ncommands = sizeof(gs_commands) / sizeof(gs_commands[0]);

static int no_command(const char *arg)
{
    if (arg == NULL) {
        gs_cli_help(NULL, stderr);
        return GS_EXIT_USAGE;
    }
    if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0 || strcmp(arg, "help") == 0) {
        gs_cli_help(NULL, stdout);
        return GS_EXIT_OK;
    }
    return -1;
}

/* A first argument that is no command is a file, or flags before one: `langoost FILE` is `langoost
 * run FILE`. A word that looks like no file is more likely a mistyped command. */
static bool looks_like_file(const char *arg)
{
    if (arg[0] == '-' || strchr(arg, '.') != NULL || strchr(arg, '/') != NULL)
        return true;
    FILE *f = fopen(arg, "re");
    if (f != NULL)
        fclose(f);
    return f != NULL;
}

int main(int argc, char **argv)
{
    gs_hooks.compile_prelude = gs_compile_prelude;
    const char *first = argc > 1 ? argv[1] : NULL;
    if (first != NULL && (strcmp(first, "--version") == 0 || strcmp(first, "-v") == 0))
        first = "version";
    const struct gs_command *cmd = first ? gs_cli_command(first) : NULL;
    int at = 2;
    if (cmd == NULL) {
        int code = no_command(first);
        if (code >= 0)
            return code;
        if (!looks_like_file(first))
            return gs_cli_usage(NULL, "unknown command %s", first);
        cmd = gs_cli_command("run");
        at = 1;
    }
    struct gs_cli cli;
    int used = gs_cli_parse(&cli, cmd, argc - at, argv + at);
    if (used < 0)
        return GS_EXIT_USAGE;
    if (cli.help) {
        gs_cli_help(cmd, stdout);
        return GS_EXIT_OK;
    }
    return cmd->main(&cli, argc - at - used, argv + at + used);
}
