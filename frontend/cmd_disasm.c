/* SPDX-License-Identifier: MIT
 * cmd_disasm.c - langoost disasm: the bytecode of each function of a script, in source order; with --jit the program is run,
 * and behind the bytecode of a function comes what was compiled of it.
 *
 * Output     Standard output gets the listing and nothing else. What the program writes there while it runs goes to standard
 *            error. The exit code is the program's.
 */
#include <stdio.h>
#include <unistd.h>

#include "cmd.h"
#include "disasm.h"
#include "hot.h"
#include "port/mem.h"

static void print_bytecode(const struct gs_proto *p)
{
    struct gs_buf text = {0};
    gs_disasm_proto(&text, p);
    fwrite(text.p, 1, text.len, stdout);
    gs_buf_free(&text);
}

/* Runs the program with standard output led to standard error. Gives its exit code. */
static int run_aside(struct gs_cli *cli, struct gs_program *p, int argc, char **argv)
{
    fflush(stdout);
    int own = dup(STDOUT_FILENO);
    if (own < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
        fputs("langoost: cannot lead the output of the program aside\n", stderr);
        return GS_EXIT_FAILED;
    }
    int code = goost_run_program(&cli->run, p, argc, argv);
    fflush(stdout);
    dup2(own, STDOUT_FILENO);
    close(own);
    return code;
}

static void print_all(const struct gs_compiled *c, bool listing)
{
    unsigned units = 0;
    for (uint32_t i = 0; i < c->nprotos; i++) {
        if (i > 0)
            putchar('\n');
        print_bytecode(c->protos[i]);
        if (listing)
            units += gs_hot_dump(stdout, c->protos[i]);
    }
    if (listing)
        units += gs_hot_dump(stdout, NULL); /* of imported modules and the library */
    if (listing && units == 0)
        fprintf(stderr, "langoost: nothing was compiled%s%s\n",
                gs_hot_trouble()[0] != '\0' ? ": " : "", gs_hot_trouble());
}

int gs_cmd_disasm(struct gs_cli *cli, int argc, char **argv)
{
    bool listing = cli->run.jit_listing;
    if (argc < 1 || (argc > 1 && !listing))
        return gs_cli_usage(gs_cli_command("disasm"), "disasm wants one file");
    struct gs_compiled c;
    if (!gs_cli_compile(cli, argv[0], &c))
        return GS_EXIT_FAILED;
    int code = listing ? run_aside(cli, c.program, argc - 1, argv + 1) : GS_EXIT_OK;
    print_all(&c, listing);
    gs_mem_free(c.protos);
    return code;
}
