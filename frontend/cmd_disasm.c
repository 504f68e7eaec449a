/* SPDX-License-Identifier: MIT
 * cmd_disasm.c - langoost disasm: the bytecode of each function of a script, in source order.
 */
#include "cmd.h"
#include "compile.h"
#include "disasm.h"
#include "port/mem.h"

int gs_cmd_disasm(struct gs_cli *cli, int argc, char **argv)
{
    if (argc != 1)
        return gs_cli_usage(gs_cli_command("disasm"), "disasm wants one file");
    struct gs_diag *d = gs_diag_new();
    struct gs_compiled c;
    bool ok = gs_compile_file(argv[0], d, &c);
    gs_cli_messages(cli, d);
    gs_diag_free(d);
    if (c.io_error != 0)
        return gs_cli_cannot_read(argv[0], c.io_error);
    struct gs_buf text = {0};
    for (uint32_t i = 0; i < c.nprotos; i++) {
        if (i > 0)
            gs_buf_putc(&text, '\n');
        gs_disasm_proto(&text, c.protos[i]);
    }
    fwrite(text.p, 1, text.len, stdout);
    gs_buf_free(&text);
    gs_mem_free(c.protos);
    return ok ? GS_EXIT_OK : GS_EXIT_FAILED;
}
