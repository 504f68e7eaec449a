/* SPDX-License-Identifier: MIT
 * cmd_options.c - flags, their environment variables, and help.
 */
#include "cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_COUNT 4096
#define CHILD_SECONDS 600 /* as go test */
#define BENCH_RUNS 3

enum kind { COUNT, SIZE, NUMBER, TEXT, ON, OFF, JIT, LISTING, STRESS, DEADLOCK, COLOR };

#define STRESS_GUARDS 97u /* odd, so that all the guards of a loop have their turn */

struct flag {
    const char *name; /* without the -- */
    const char *env;
    const char *value; /* what help calls it; NULL: takes none; in brackets: may be left out */
    const char *help;
    enum kind kind;
    unsigned commands;
    size_t offset; /* of what it sets in struct gs_cli */
};

#define AT(field) offsetof(struct gs_cli, field)
#define CHILDREN (GS_CMD_TEST | GS_CMD_BENCH)
#define MESSAGES (GS_CMD_RUN | GS_CMD_DISASM | GS_CMD_CHECK | GS_CMD_REPL | CHILDREN)
#define RUNS (GS_CMD_RUN | GS_CMD_DISASM | GS_CMD_REPL | CHILDREN) /* disasm --jit runs the program, too */

static const struct flag flags[] = {
    {"workers", "LANGOOST_WORKERS", "N", "worker threads (default: one for each usable core)",
     COUNT, RUNS | GS_CMD_TOPOLOGY, AT(run.workers)},
    {"no-pin", "LANGOOST_NO_PIN", NULL, "do not pin workers to cores", OFF,
     RUNS | GS_CMD_TOPOLOGY, AT(run.pin)},
    {"jit", "LANGOOST_JIT", "off|on|eager", "the compiler to machine code (default: on)", JIT,
     GS_CMD_RUN | GS_CMD_REPL | CHILDREN, AT(run.jit)},
    {"jit", "LANGOOST_JIT", "[=on|eager]",
     "run the program (its output goes to stderr) and show the machine code, too", LISTING,
     GS_CMD_DISASM, AT(run.jit)},
    {"jit-threshold", "LANGOOST_JIT_THRESHOLD", "N",
     "for tests: calls and iterations before a function is compiled", NUMBER, RUNS,
     AT(run.jit_threshold)},
    {"jit-stress", "LANGOOST_JIT_STRESS", "[=N]",
     "for tests: one of N assumptions of machine code fails (default: 97)", STRESS, RUNS,
     AT(run.jit_stress)},
    {"jit-remake", "LANGOOST_JIT_REMAKE", NULL, "for tests: machine code is dropped and made again at random", ON, RUNS,
     AT(run.jit_remake)},
    {"stats", "LANGOOST_STATS", NULL, "print a table of counters at exit", ON, RUNS,
     AT(run.stats)},
    {"trace", "LANGOOST_TRACE", "FILE", "write what happens when, for ui.perfetto.dev", TEXT, RUNS & ~CHILDREN,
     AT(run.trace)},
    {"filter", "LANGOOST_FILTER", "TEXT", "only tests whose names contain it", TEXT, GS_CMD_TEST, AT(filter)},
    {"timeout", "LANGOOST_TIMEOUT", "SECONDS", "what is not over then has failed (default: 600)", COUNT, CHILDREN, AT(timeout)},
    {"runs", "LANGOOST_RUNS", "N", "how often each program is run (default: 3)", COUNT, GS_CMD_BENCH, AT(runs)},
    {"stack-limit", "LANGOOST_STACK_LIMIT", "SIZE", "stack of one task (K, M and G are understood)",
     SIZE, RUNS, AT(run.stack_limit)},
    {"heap-limit", "LANGOOST_HEAP_LIMIT", "SIZE", "heap of one task and of the process", SIZE, RUNS,
     AT(run.heap_limit)},
    {"deadlock", "LANGOOST_DEADLOCK", "warn|error|off", "tasks that are blocked for good while others go on (default: warn)", DEADLOCK, RUNS,
     AT(run.deadlock)},
    {"seed", "LANGOOST_SEED", "N", "seed of the scheduler's choices", NUMBER, RUNS,
     AT(run.seed)},
    {"topology", "LANGOOST_TOPOLOGY", "TEXT", "a synthetic machine in hwloc's notation, for tests",
     TEXT, RUNS | GS_CMD_TOPOLOGY, AT(run.topology)},
    {"debug", "LANGOOST_DEBUG", NULL, "check more while running", ON, RUNS, AT(run.debug)},
    {"color", "LANGOOST_COLOR", "auto|always|never", "colour messages and show the source line",
     COLOR, MESSAGES, AT(color)},
};
#define NFLAGS (sizeof(flags) / sizeof(flags[0]))

const struct gs_command *gs_cli_command(const char *name)
{
    for (unsigned i = 0; i < gs_ncommands; i++) {
        if (strcmp(gs_commands[i].name, name) == 0)
            return &gs_commands[i];
    }
    return NULL;
}

int gs_cli_usage(const struct gs_command *cmd, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("langoost: ", stderr);
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\nTry langoost %s%s--help\n", cmd ? cmd->name : "", cmd ? " " : "");
    va_end(ap);
    return GS_EXIT_USAGE;
}

/* --- values ----------------------------------------------------------------------------------- */

static bool number(const char *s, unsigned long long *out)
{
    char *end;
    if (s[0] < '0' || s[0] > '9')
        return false;
    errno = 0;
    *out = strtoull(s, &end, 10);
    return *end == '\0' && errno == 0;
}

static bool size(const char *s, size_t *out)
{
    static const char units[] = "KMG";
    char *end;
    if (s[0] < '0' || s[0] > '9')
        return false;
    errno = 0;
    unsigned long long n = strtoull(s, &end, 10);
    unsigned shift = 0;
    if (*end != '\0') {
        const char *u = strchr(units, *end >= 'a' ? *end - 'a' + 'A' : *end);
        if (u == NULL || end[1] != '\0')
            return false;
        shift = 10u * (unsigned)(u - units + 1);
    }
    if (errno != 0 || n > (SIZE_MAX >> shift))
        return false;
    *out = (size_t)n << shift;
    return true;
}

static bool one_of(const char *s, const char *const *words, int *out)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(s, words[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool set(struct gs_cli *cli, const struct flag *f, const char *value)
{
    static const char *const colors[] = {"auto", "always", "never", NULL};
    static const char *const jits[] = {
        [GOOST_JIT_ON] = "on", [GOOST_JIT_OFF] = "off", [GOOST_JIT_EAGER] = "eager", NULL};
    static const char *const deadlocks[] = {
        [GOOST_DEADLOCK_OFF] = "off", [GOOST_DEADLOCK_WARN] = "warn", [GOOST_DEADLOCK_ERROR] = "error", NULL};
    static const char *const *const words[] = {[JIT] = jits, [LISTING] = jits, [DEADLOCK] = deadlocks, [COLOR] = colors};
    _Static_assert(sizeof(enum goost_jit) == sizeof(unsigned) && sizeof(enum goost_deadlock) == sizeof(unsigned) && sizeof(enum gs_color) == sizeof(unsigned), "set as one");
    void *at = (char *)cli + f->offset;
    unsigned long long n;
    int i;
    switch (f->kind) {
    case COUNT:
        if (!number(value, &n) || n < 1 || n > MAX_COUNT)
            return false;
        *(unsigned *)at = (unsigned)n;
        return true;
    case SIZE:
        return size(value, at);
    case NUMBER:
        return number(value, at);
    case TEXT:
        *(const char **)at = value;
        return true;
    case ON:
    case OFF:
        *(bool *)at = f->kind == ON;
        return true;
    case STRESS:
        if (!number(value, &n) || n > UINT32_MAX)
            return false;
        *(unsigned *)at = (unsigned)n;
        return true;
    case JIT:
    case LISTING: /* the environment may say off, but asks for no listing */
    case DEADLOCK:
    case COLOR:
        if (!one_of(value, words[f->kind], &i))
            return false;
        *(unsigned *)at = (unsigned)i; /* an enum without negative values */
        return true;
    }
    return false;
}

/* --- environment and command line ------------------------------------------------------------- */

static bool is_no(const char *s)
{
    return strcmp(s, "") == 0 || strcmp(s, "0") == 0 || strcmp(s, "no") == 0 ||
           strcmp(s, "off") == 0 || strcmp(s, "false") == 0;
}

static const char *expected(const struct flag *f)
{
    switch (f->kind) {
    case COUNT:
        return "a number from 1 to 4096";
    case SIZE:
        return "a size in bytes, or with K, M or G behind it";
    case NUMBER:
    case STRESS:
        return "a number";
    case LISTING:
        return "on or eager";
    default:
        return f->value;
    }
}

static bool from_environment(struct gs_cli *cli, const struct gs_command *cmd)
{
    for (size_t i = 0; i < NFLAGS; i++) {
        const struct flag *f = &flags[i];
        const char *v = (f->commands & cmd->bit) ? getenv(f->env) : NULL;
        if (v == NULL || (f->value == NULL ? is_no(v) : v[0] == '\0'))
            continue;
        if (!set(cli, f, v)) {
            gs_cli_usage(cmd, "%s=%s: expected %s", f->env, v, expected(f));
            return false;
        }
    }
    return true;
}

static const struct flag *find_flag(const struct gs_command *cmd, const char *name, size_t n)
{
    for (size_t i = 0; i < NFLAGS; i++) {
        if ((flags[i].commands & cmd->bit) && strlen(flags[i].name) == n &&
            memcmp(flags[i].name, name, n) == 0)
            return &flags[i];
    }
    return NULL;
}

/* disasm --jit, --jit=eager: a value must stand in the same argument, for it may be left out. */
static bool set_listing(struct gs_cli *cli, const struct flag *f, const char *value)
{
    if (value == NULL && cli->run.jit == GOOST_JIT_OFF) /* by the environment */
        cli->run.jit = GOOST_JIT_ON;
    cli->run.jit_listing = true;
    return value == NULL || (set(cli, f, value) && cli->run.jit != GOOST_JIT_OFF);
}

/* The flag argv[0]; gives the arguments used, or -1. */
static int take_flag(struct gs_cli *cli, const struct gs_command *cmd, int argc, char **argv)
{
    const char *arg = argv[0];
    if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
        cli->help = true;
        return 1;
    }
    const char *eq = strchr(arg, '=');
    size_t n = eq ? (size_t)(eq - arg) : strlen(arg);
    const struct flag *f = n > 2 && arg[1] == '-' ? find_flag(cmd, arg + 2, n - 2) : NULL;
    if (f == NULL) {
        gs_cli_usage(cmd, "unknown flag %.*s", (int)n, arg);
        return -1;
    }
    const char *value = eq ? eq + 1 : NULL;
    int used = 1;
    if (f->kind == LISTING) {
        if (!set_listing(cli, f, value)) {
            gs_cli_usage(cmd, "--%s=%s: expected %s", f->name, value, expected(f));
            return -1;
        }
        return 1;
    }
    if (f->kind == STRESS && value == NULL) {
        cli->run.jit_stress = STRESS_GUARDS;
        return 1;
    }
    if (f->value == NULL) {
        if (value != NULL) {
            gs_cli_usage(cmd, "--%s takes no value", f->name);
            return -1;
        }
    } else if (value == NULL) {
        if (argc < 2) {
            gs_cli_usage(cmd, "--%s wants a value: %s", f->name, expected(f));
            return -1;
        }
        value = argv[1];
        used = 2;
    }
    if (!set(cli, f, value)) {
        gs_cli_usage(cmd, "--%s %s: expected %s", f->name, value, expected(f));
        return -1;
    }
    return used;
}

int gs_cli_parse(struct gs_cli *cli, const struct gs_command *cmd, int argc, char **argv)
{
    *cli = (struct gs_cli){0};
    goost_options_init(&cli->run);
    cli->timeout = CHILD_SECONDS;
    cli->runs = BENCH_RUNS;
    if (!from_environment(cli, cmd))
        return -1;
    int at = 0;
    while (at < argc && argv[at][0] == '-' && argv[at][1] != '\0') {
        if (strcmp(argv[at], "--") == 0)
            return at + 1;
        int used = take_flag(cli, cmd, argc - at, argv + at);
        if (used < 0)
            return -1;
        at += used;
    }
    return at;
}

/* --- help and messages ------------------------------------------------------------------------ */

static void help_program(FILE *out)
{
    fputs("langoost - the Langoost language\n\n"
          "  langoost FILE [ARGS]            compile and run; the same as langoost run FILE\n",
          out);
    for (unsigned i = 0; i < gs_ncommands; i++)
        fprintf(out, "  langoost %-9s%-14s%s\n", gs_commands[i].name, gs_commands[i].synopsis,
                gs_commands[i].help);
    fputs("\nEach command takes --help. Every flag is also an environment variable: --no-pin is "
          "LANGOOST_NO_PIN=1.\n",
          out);
}

void gs_cli_help(const struct gs_command *cmd, FILE *out)
{
    if (cmd == NULL) {
        help_program(out);
        return;
    }
    fprintf(out, "langoost %s %s\n\n  %s\n", cmd->name, cmd->synopsis, cmd->help);
    bool any = false;
    for (size_t i = 0; i < NFLAGS; i++) {
        if (!(flags[i].commands & cmd->bit))
            continue;
        if (!any)
            fputs("\nflags\n", out);
        any = true;
        char left[64];
        const char *value = flags[i].value;
        snprintf(left, sizeof(left), "--%s%s%s", flags[i].name, value && value[0] != '[' ? " " : "",
                 value ? value : "");
        fprintf(out, "  %-28s %s\n", left, flags[i].help);
    }
}

void gs_cli_messages(const struct gs_cli *cli, const struct gs_diag *d)
{
    bool color = cli->color == GS_COLOR_ALWAYS;
    if (cli->color == GS_COLOR_AUTO) {
        const char *term = getenv("TERM");
        color = isatty(STDERR_FILENO) && getenv("NO_COLOR") == NULL &&
                (term == NULL || strcmp(term, "dumb") != 0);
    }
    gs_diag_print(d, stderr, color, color);
}

int gs_cli_cannot_read(const char *path, int err)
{
    fprintf(stderr, "langoost: cannot read %s: %s\n",
            strcmp(path, "-") == 0 ? "standard input" : path, strerror(err));
    return GS_EXIT_FAILED;
}

bool gs_cli_compile(const struct gs_cli *cli, const char *path, struct gs_compiled *out)
{
    struct gs_diag *d = gs_diag_new();
    bool ok = gs_compile_file(path, d, out);
    gs_cli_messages(cli, d);
    gs_diag_free(d);
    if (out->io_error != 0)
        gs_cli_cannot_read(path, out->io_error);
    return ok;
}
