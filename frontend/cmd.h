/* SPDX-License-Identifier: MIT
 * cmd.h - the program's commands and their flags.
 *
 * Flags      One table (in cmd_options.c) has all of them: name, environment variable, commands
 *            that take it, help text. The command line wins over the environment. --flag VALUE and
 *            --flag=VALUE are the same.
 * Codes      0 fine; 1 the script failed (compile error, uncaught error) or cannot be read; 2 wrong
 *            usage.
 */
#ifndef GS_FRONTEND_CMD_H
#define GS_FRONTEND_CMD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "goost.h"

#include "compile.h"

enum gs_color { GS_COLOR_AUTO, GS_COLOR_ALWAYS, GS_COLOR_NEVER };

enum { GS_EXIT_OK = 0, GS_EXIT_FAILED = 1, GS_EXIT_USAGE = 2 };

struct gs_cli {
    struct goost_options run;
    enum gs_color color;
    bool help;
    unsigned timeout;   /* seconds for one test or run of a benchmark */
    unsigned runs;      /* of each benchmark */
    const char *filter; /* only tests with this in their names; NULL: all */
};

struct gs_command {
    const char *name;
    const char *synopsis; /* what follows the name */
    const char *help;     /* one line */
    unsigned bit;         /* in the flags' command sets */
    /* argv[0..argc) are the arguments behind the flags; argv[-1] exists. */
    int (*main)(struct gs_cli *cli, int argc, char **argv);
};
extern const struct gs_command gs_commands[];
extern const unsigned gs_ncommands;

enum {
    GS_CMD_RUN = 1,
    GS_CMD_DISASM = 2,
    GS_CMD_CHECK = 4,
    GS_CMD_TOPOLOGY = 8,
    GS_CMD_VERSION = 16,
    GS_CMD_TEST = 32,
    GS_CMD_BENCH = 64,
    GS_CMD_REPL = 128
};

int gs_cmd_run(struct gs_cli *cli, int argc, char **argv);
int gs_cmd_disasm(struct gs_cli *cli, int argc, char **argv);
int gs_cmd_check(struct gs_cli *cli, int argc, char **argv);
int gs_cmd_test(struct gs_cli *cli, int argc, char **argv);
int gs_cmd_bench(struct gs_cli *cli, int argc, char **argv);
int gs_cmd_repl(struct gs_cli *cli, int argc, char **argv);
int gs_cmd_topology(struct gs_cli *cli, int argc, char **argv);
int gs_cmd_version(struct gs_cli *cli, int argc, char **argv);

/* cmd_options.c: reads the environment, then flags up to the first other argument (or --). Gives
 * the number of arguments used, or -1 after a message. */
int gs_cli_parse(struct gs_cli *cli, const struct gs_command *cmd, int argc, char **argv);
void gs_cli_help(const struct gs_command *cmd, FILE *out); /* cmd NULL: of the whole program */
/* The usage error: a line on stderr and where to read more; gives GS_EXIT_USAGE. */
int gs_cli_usage(const struct gs_command *cmd, const char *fmt, ...) GS_PRINTF(2, 3);
const struct gs_command *gs_cli_command(const char *name);
/* Prints the collected messages on stderr the way --color asks for. */
void gs_cli_messages(const struct gs_cli *cli, const struct gs_diag *d);
int gs_cli_cannot_read(const char *path, int err); /* gives GS_EXIT_FAILED */
/* Compiles a script and prints the messages, also that it cannot be read. False: there were errors. out->protos is the caller's. */
bool gs_cli_compile(const struct gs_cli *cli, const char *path, struct gs_compiled *out);

struct gs_child {
    int status; /* wait's */
    bool late;  /* it had to be ended */
    int64_t wall_ns, cpu_ns;
    long peak_kib;
};

/* cmd_child.c: a process that calls body, whose value is its exit code, with an empty standard input. One that is not over after so many seconds is asked for its report by
 * SIGQUIT and ended. False after a message: there is no process. Only while this process has one thread. */
bool gs_child_run(int (*body)(void *ctx), void *ctx, unsigned seconds, struct gs_child *out);
/* Why it has not ended well, into text; NULL: exit code 0. */
const char *gs_child_trouble(const struct gs_child *c, unsigned seconds, char *text, size_t size);

#endif
