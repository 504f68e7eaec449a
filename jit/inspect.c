/* SPDX-License-Identifier: MIT
 * inspect.c - the listing of compiled units. Contract: inspect.h.
 *
 * Design     The texts that the session keeps are taken apart when the listing is printed: each instruction becomes a row that
 *            knows its place (file, line, bytecode), the rows are sorted by place, and instructions of a place keep their order.
 * Places     IR: by the !dbg node at its end, which leads to a line and, through its scope, to a file. Machine code: by the
 *            .loc directive before it. The column is the number of the bytecode instruction plus one (debug.h).
 */
#include "inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disasm.h"
#include "session.h"

enum part { BYTECODE, IR, MACHINE, PARTS };

struct place {
    const char *file; /* NULL: none */
    uint32_t line;    /* 0: none */
    uint32_t column;  /* of the bytecode, plus one; 0: not known */
};

struct row {
    struct place at;
    enum part part;
    uint32_t seq; /* rows of a part keep their order */
    const struct gs_proto *p; /* BYTECODE */
    const char *fn, *label;   /* of the block */
    const char *text;
};

struct spot {
    const struct gs_proto *p;
    uint32_t pc;
};

/* A unit, or what was declined. */
struct listed {
    struct listed *next;
    const struct gs_proto *p;
    const char *why; /* NULL: compiled */
    uint32_t pc, first, last; /* entry; lines */
    uint32_t generation, number;
    char *ir, *assembly;
    struct spot *spot; /* bytecode that is in it, inlined functions included */
    uint32_t nspots;
    bool printed;
};

static struct listed *units, **tail = &units;
static uint32_t compiles;

bool gs_inspect_wanted(void)
{
    return gs_hot_options()->listing;
}

/* ---- what is kept ---- */

static void line_range(const struct gs_graph *g, uint32_t *first, uint32_t *last)
{
    const struct gs_proto *p = g->root->p;
    *first = *last = p->lines[g->r->entry->pc];
    if (!g->is_loop && p->line != 0)
        *first = p->line;
    for (uint32_t i = 0; i < g->nnodes; i++) {
        const struct gs_node *n = &g->node[i];
        if (n->frame->parent != NULL || n->kind == GS_N_LEAVE || n->kind == GS_N_GOTO || n->pc >= p->ncode)
            continue;
        uint32_t line = p->lines[n->pc];
        *first = line < *first ? line : *first;
        *last = line > *last ? line : *last;
    }
}

uint32_t gs_inspect_line(const struct gs_graph *g)
{
    uint32_t first, last;
    line_range(g, &first, &last);
    return first;
}

static const char *name_of(const struct gs_proto *p)
{
    return p->flags & GS_PF_MAIN ? "main" : p->name->data;
}

void gs_inspect_label(char *out, size_t n, const struct gs_graph *g)
{
    const struct gs_proto *p = g->root->p;
    (void)snprintf(out, n, "%s%s%s %s:%u", p->cls != NULL ? p->cls->name->data : "", p->cls != NULL ? "." : "", name_of(p),
                   p->mod->path, gs_inspect_line(g));
}

static bool is_code(const struct gs_node *n)
{
    return n->kind != GS_N_LEAVE && n->kind != GS_N_GOTO && n->pc < n->frame->p->ncode;
}

/* The instructions of p in the graph, once each. */
static void take_function(struct listed *l, const struct gs_graph *g, const struct gs_proto *p)
{
    bool *in = calloc(p->ncode, sizeof *in);
    if (in == NULL)
        return;
    for (uint32_t i = 0; i < g->nnodes; i++) {
        if (g->node[i].frame->p == p && is_code(&g->node[i]))
            in[g->node[i].pc] = true;
    }
    for (uint32_t pc = 0; pc < p->ncode; pc++) {
        if (in[pc])
            l->spot[l->nspots++] = (struct spot){p, pc};
    }
    free(in);
}

static void take_bytecode(struct listed *l, const struct gs_graph *g)
{
    l->spot = calloc(g->nnodes + 1u, sizeof *l->spot);
    for (uint32_t i = 0; l->spot != NULL && i < g->nframes; i++) {
        bool had = false;
        for (uint32_t k = 0; k < i; k++)
            had |= g->frames[k]->p == g->frames[i]->p;
        if (!had)
            take_function(l, g, g->frames[i]->p);
    }
}

static struct listed *add(const struct gs_hot_request *r)
{
    struct listed *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    l->p = r->p;
    l->pc = r->entry->pc;
    l->generation = r->generation;
    *tail = l;
    tail = &l->next;
    return l;
}

static char *copy(const char *text)
{
    return strdup(text != NULL ? text : "");
}

void gs_inspect_unit(const struct gs_graph *g)
{
    struct listed *l = add(g->r);
    if (l == NULL)
        return;
    l->number = ++compiles;
    line_range(g, &l->first, &l->last);
    l->ir = copy(gs_session_ir());
    l->assembly = copy(gs_session_asm());
    take_bytecode(l, g);
}

void gs_inspect_declined(const struct gs_hot_request *r, const char *why)
{
    for (const struct listed *l = units; l != NULL; l = l->next) {
        if (l->why == why && l->p == r->p && l->pc == r->entry->pc)
            return;
    }
    struct listed *l = add(r);
    if (l == NULL)
        return;
    l->why = why != NULL ? why : "no reason given";
    l->first = l->last = r->entry->pc == 0 && r->p->line != 0 ? r->p->line : r->p->lines[r->entry->pc];
}

/* ---- rows ---- */

struct rows {
    struct row *v;
    uint32_t n, cap, count[PARTS];
};

static struct row *add_row(struct rows *r, enum part part, struct place at)
{
    if (r->n == r->cap) {
        uint32_t cap = r->cap != 0 ? r->cap * 2 : 256;
        struct row *v = realloc(r->v, cap * sizeof *v);
        if (v == NULL)
            return NULL;
        r->v = v;
        r->cap = cap;
    }
    struct row *row = &r->v[r->n];
    *row = (struct row){.at = at, .part = part, .seq = r->n++};
    r->count[part]++;
    return row;
}

static void bytecode_rows(struct rows *r, const struct listed *l)
{
    for (uint32_t i = 0; i < l->nspots; i++) {
        const struct spot *s = &l->spot[i];
        struct place at = {s->p->mod->path, s->p->lines[s->pc], s->pc + 1};
        struct row *row = add_row(r, BYTECODE, at);
        if (row != NULL)
            row->p = s->p;
    }
}

/* The next line of *at, its end made a NUL; NULL at the end. */
static char *next_line(char **at)
{
    char *line = *at;
    if (line == NULL || *line == '\0')
        return NULL;
    char *end = strchr(line, '\n');
    *at = end != NULL ? end + 1 : line + strlen(line);
    if (end != NULL)
        *end = '\0';
    return line;
}

static bool starts(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

static int digit(char c, int base)
{
    int v = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
    return v < base ? v : -1;
}

/* A quoted text, in place: `s` behind its first quote. A backslash stands before itself, a quote, or n digits of the base: LLVM
 * writes two hexadecimal ones in IR and three octal ones in assembly. Gives what follows the closing quote. */
static char *unquote(char *s, int base, int n)
{
    char *out = s;
    while (*s != '\0' && *s != '"') {
        int value = 0, k = 0;
        if (*s == '\\' && (s[1] == '\\' || s[1] == '"')) {
            *out++ = s[1];
            s += 2;
            continue;
        }
        while (*s == '\\' && k < n && digit(s[k + 1], base) >= 0)
            value = value * base + digit(s[++k], base);
        *out++ = k == n ? (char)value : *s;
        s += k == n ? n + 1 : 1;
    }
    char *behind = *s == '"' ? s + 1 : s;
    *out = '\0';
    return behind;
}

/* What to call an LLVM function: the last word of its symbol without its number ("sum sum.goost:3 loop#1"). Cuts the line. */
static const char *short_name(char *symbol)
{
    char *end = strrchr(symbol, '#');
    if (end != NULL)
        *end = '\0';
    char *space = strrchr(symbol, ' ');
    return space != NULL ? space + 1 : symbol;
}

/* ---- IR ---- */

/* A metadata node: of places and of what leads from them to a file. */
struct node {
    uint32_t line, column;
    uint32_t to;      /* the scope of a place, the file of a scope; 0: neither */
    const char *name; /* of a file */
};

struct nodes {
    struct node *v;
    uint32_t n;
};

/* The number behind `key` in text, 0 when it is not there. */
static uint32_t field(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at != NULL ? (uint32_t)strtoul(at + strlen(key), NULL, 10) : 0;
}

static void read_node(struct node *n, char *text)
{
    char *name = strstr(text, "filename: \"");
    n->line = field(text, "(line: ");
    n->column = field(text, ", column: ");
    if (starts(text, "!DILocation(")) {
        n->to = field(text, "scope: !");
    } else if (strstr(text, "!DISubprogram(") != NULL) {
        n->to = field(text, ", file: !");
    } else if (starts(text, "!DIFile(") && name != NULL) {
        n->name = name + strlen("filename: \"");
        (void)unquote(name + strlen("filename: \""), 16, 2);
    }
}

/* `!12 = ...`: the lines behind all functions. Cuts them. */
static struct nodes read_nodes(char *text)
{
    struct nodes m = {NULL, 0};
    for (char *line = strncmp(text, "!0 = ", 5) == 0 ? text : strstr(text, "\n!0 = "); line != NULL && *line != '\0';) {
        char *l = next_line(&line);
        if (l[0] != '!' || digit(l[1], 10) < 0)
            continue;
        char *is;
        uint32_t number = (uint32_t)strtoul(l + 1, &is, 10);
        if (number >= m.n) {
            struct node *v = realloc(m.v, (number + 64) * sizeof *v);
            if (v == NULL)
                break;
            memset(v + m.n, 0, (number + 64 - m.n) * sizeof *v);
            m.v = v;
            m.n = number + 64;
        }
        if (starts(is, " = "))
            read_node(&m.v[number], is + 3);
    }
    return m;
}

static struct place place_of(const struct nodes *m, const char *instruction)
{
    struct place at = {NULL, 0, 0};
    uint32_t number = field(instruction, "!dbg !");
    if (number == 0 || number >= m->n)
        return at;
    const struct node *n = &m->v[number];
    uint32_t scope = n->to < m->n ? n->to : 0, file = m->n != 0 ? m->v[scope].to : 0;
    if (n->line == 0 || file >= m->n || m->v[file].name == NULL)
        return at;
    return (struct place){m->v[file].name, n->line, n->column};
}

/* Cuts what is attached behind the instruction (`, !dbg !5, !tbaa !7`) and the number of a call's attributes. */
static void cut_attachments(char *text)
{
    bool quoted = false;
    for (char *c = text; *c != '\0'; c++) {
        quoted ^= *c == '"';
        if (!quoted && starts(c, ", !")) {
            *c = '\0';
            break;
        }
    }
    char *end = text + strlen(text);
    while (end > text && digit(end[-1], 10) >= 0)
        end--;
    if (end - text > 2 && end[-1] == '#' && end[-2] == ' ')
        end[-2] = '\0';
}

/* A `switch` goes over several lines: they become one, in the room that they have. */
static void join_switch(char *line, char **at)
{
    char *end = line + strlen(line), *more = line;
    if (end == line || end[-1] != '[')
        return;
    for (bool last = false; !last && (more = next_line(at)) != NULL;) {
        const char *word = more + strspn(more, " ");
        size_t n = strlen(word);
        last = word[0] == ']';
        *end++ = ' ';
        memmove(end, word, n + 1);
        end += n;
    }
}

/* The function that a `define` line begins. */
static const char *defined(char *line)
{
    char *at = strchr(line, '@');
    if (at == NULL)
        return "";
    if (at[1] == '"')
        (void)unquote(at + 2, 16, 2);
    else
        at[1 + strcspn(at + 1, "(")] = '\0';
    return short_name(at + (at[1] == '"' ? 2 : 1));
}

static void ir_rows(struct rows *r, char *text, struct nodes *m)
{
    const char *fn = NULL, *label = "";
    char *at = text, *metadata = strstr(text, "\n!0 = ");
    if (metadata != NULL) {
        *metadata = '\0';
        *m = read_nodes(metadata + 1);
    }
    for (char *line = next_line(&at); line != NULL; line = next_line(&at)) {
        if (starts(line, "define ")) {
            fn = defined(line);
            label = "";
        } else if (line[0] == '}') {
            fn = NULL;
        } else if (fn != NULL && line[0] == ' ') {
            join_switch(line, &at);
            struct row *row = add_row(r, IR, place_of(m, line));
            cut_attachments(line);
            if (row != NULL) {
                row->fn = fn;
                row->label = label;
                row->text = line + strspn(line, " ");
            }
        } else if (fn != NULL && strchr(line, ':') != NULL) {
            *strchr(line, ':') = '\0';
            label = line;
        }
    }
}

/* ---- machine code ---- */

#define MAX_FILES 256u

struct assembly {
    const char *file[MAX_FILES]; /* by .file */
    struct place at;
    const char *fn, *label;
    bool code;      /* in a section of code */
    bool constants; /* in one of constants that code uses */
};

/* .file 3 "directory" "name" (one of the two may be missing) */
static void file_directive(struct assembly *a, char *rest)
{
    char *at;
    uint32_t number = (uint32_t)strtoul(rest, &at, 10);
    if (at == rest || number >= MAX_FILES)
        return;
    char *quote;
    while ((quote = strchr(at, '"')) != NULL) {
        at = unquote(quote + 1, 8, 3);
        a->file[number] = quote + 1;
    }
}

/* .loc 3 12 5 ... */
static void loc_directive(struct assembly *a, const char *rest)
{
    char *at;
    uint32_t file = (uint32_t)strtoul(rest, &at, 10);
    uint32_t line = (uint32_t)strtoul(at, &at, 10), column = (uint32_t)strtoul(at, &at, 10);
    a->at = (struct place){NULL, 0, 0};
    if (file < MAX_FILES && a->file[file] != NULL && line != 0)
        a->at = (struct place){a->file[file], line, column};
}

static void directive(struct assembly *a, char *text)
{
    char *rest = text + strcspn(text, "\t ");
    rest += strspn(rest, "\t ");
    if (starts(text, ".file")) {
        file_directive(a, rest);
    } else if (starts(text, ".loc")) {
        loc_directive(a, rest);
    } else if (starts(text, ".text")) {
        a->code = true;
        a->constants = false;
    } else if (starts(text, ".section")) {
        a->code = starts(rest, ".text") || starts(rest, "\".text");
        a->constants = !a->code && (starts(rest, ".rodata") || starts(rest, ".lrodata"));
    }
}

static void label_line(struct assembly *a, char *line)
{
    bool quoted = line[0] == '"';
    char *end = quoted ? unquote(line + 1, 8, 3) : line + strcspn(line, ":");
    *end = '\0';
    if (!starts(line, ".L")) {
        a->fn = short_name(line + quoted);
        a->label = "";
        a->at = (struct place){NULL, 0, 0};
    } else if (starts(line, ".LBB") || (!a->code && starts(line, ".L"))) {
        a->label = line;
    }
}

/* Tabs out: the operands of all instructions stand below one another. */
static char *spaced(const char *text)
{
    size_t word = strcspn(text, "\t"), n = strlen(text) + 16;
    char *s = malloc(n);
    if (s == NULL)
        return NULL;
    const char *rest = text[word] != '\0' ? text + word + 1 : "";
    (void)snprintf(s, n, *rest != '\0' ? "%-7.*s %s" : "%.*s%s", (int)word, text, rest);
    for (char *c = s; *c != '\0'; c++)
        if (*c == '\t')
            *c = ' ';
    for (char *c = s + strlen(s); c > s && c[-1] == ' ';)
        *--c = '\0';
    return s;
}

static void machine_row(struct rows *r, struct assembly *a, const char *text)
{
    struct row *row = add_row(r, MACHINE, a->code ? a->at : (struct place){NULL, 0, 0});
    if (row == NULL)
        return;
    row->fn = a->code ? a->fn : "constants";
    row->label = a->label;
    row->text = spaced(text);
    r->count[MACHINE] -= !a->code;
}

static bool is_data(const char *text)
{
    static const char *const data[] = {".quad", ".long", ".short", ".byte", ".zero", ".ascii", ".asciz"};
    for (size_t i = 0; i < sizeof data / sizeof data[0]; i++) {
        if (starts(text, data[i]))
            return true;
    }
    return false;
}

static void machine_rows(struct rows *r, char *text)
{
    struct assembly a = {.fn = "", .label = ""};
    for (char *at = text, *line = next_line(&at); line != NULL; line = next_line(&at)) {
        if (line[0] == '#' || line[0] == '\0' || (line[0] == '\t' && line[1] == '#'))
            continue;
        if (line[0] != '\t')
            label_line(&a, line);
        else if (line[1] == '.' && !(a.constants && is_data(line + 1)))
            directive(&a, line + 1);
        else if (a.code || a.constants)
            machine_row(r, &a, line + 1);
    }
}

/* ---- printing ---- */

static const char *own_file; /* of the unit that is being printed: comes first */

static int compare_files(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return (a == NULL) - (b == NULL);
    int foreign = (strcmp(a, own_file) != 0) - (strcmp(b, own_file) != 0);
    return foreign != 0 ? foreign : strcmp(a, b);
}

static bool same_line(const struct row *a, const struct row *b)
{
    return a->at.line == b->at.line && compare_files(a->at.file, b->at.file) == 0;
}

static int by_place(const void *x, const void *y)
{
    const struct row *a = x, *b = y;
    int file = compare_files(a->at.file, b->at.file);
    if (file != 0)
        return file;
    if (a->at.line != b->at.line)
        return a->at.line < b->at.line ? -1 : 1;
    if (a->part != b->part)
        return a->part < b->part ? -1 : 1;
    return a->seq < b->seq ? -1 : a->seq > b->seq;
}

/* The text of a source line, if its file can still be read. The last file is kept. */
struct source {
    char *path, *text;
};

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return NULL;
    char *text = NULL;
    size_t n = 0;
    ssize_t got = getdelim(&text, &n, '\0', f);
    (void)fclose(f);
    if (got < 0) {
        free(text);
        return NULL;
    }
    return text;
}

static void print_source(FILE *out, struct source *s, const char *path, uint32_t line)
{
    if (s->path == NULL || strcmp(s->path, path) != 0) {
        free(s->path);
        free(s->text);
        s->path = strdup(path);
        s->text = read_file(path);
    }
    const char *at = s->text;
    while (at != NULL && --line > 0) {
        at = strchr(at, '\n');
        at = at != NULL ? at + 1 : NULL;
    }
    if (at != NULL)
        (void)fprintf(out, " | %.*s", (int)strcspn(at, "\r\n"), at);
}

static void print_row(FILE *out, const struct row *r)
{
    if (r->part == BYTECODE) {
        struct gs_buf text = {0};
        gs_disasm_insn(&text, r->p, r->at.column - 1);
        (void)fprintf(out, "    %.*s", (int)text.len, text.p != NULL ? text.p : "");
        gs_buf_free(&text);
    } else if (r->at.column != 0) {
        (void)fprintf(out, "    %04u  %s\n", r->at.column - 1, r->text != NULL ? r->text : "");
    } else {
        (void)fprintf(out, "          %s\n", r->text != NULL ? r->text : "");
    }
}

/* What stands above a row, unless it stands above the one before it already. */
static void print_heads(FILE *out, const struct row *r, const struct row *before, const struct gs_proto *own)
{
    static const char *const parts[PARTS] = {"bytecode", "IR", "machine code"};
    bool first = before == NULL || before->part != r->part;
    if (r->part == BYTECODE) {
        if (first || before->p != r->p)
            (void)fprintf(out, r->p == own ? "  bytecode\n" : "  bytecode of %s, inlined\n", name_of(r->p));
        return;
    }
    if (first)
        (void)fprintf(out, "  %s\n", parts[r->part]);
    if (first || before->fn != r->fn || before->label != r->label)
        (void)fprintf(out, "  %s%s%s:\n", r->fn, *r->label != '\0' ? " " : "", r->label);
}

static void print_rows(FILE *out, const struct rows *r, const struct gs_proto *own)
{
    struct source s = {NULL, NULL};
    for (uint32_t i = 0; i < r->n; i++) {
        const struct row *row = &r->v[i], *before = i > 0 && same_line(row, row - 1) ? row - 1 : NULL;
        if (before == NULL && row->at.file == NULL) {
            (void)fputs("\nno line\n", out);
        } else if (before == NULL) {
            (void)fprintf(out, "\n%s:%u", row->at.file, row->at.line);
            print_source(out, &s, row->at.file, row->at.line);
            (void)fputc('\n', out);
        }
        print_heads(out, row, before, own);
        print_row(out, row);
    }
    free(s.path);
    free(s.text);
}

static void print_head(FILE *out, const struct listed *l, const struct rows *r)
{
    (void)fprintf(out, "\n--- %s%s%s%s, %s:%u", l->pc != 0 ? "loop of " : "function ",
                  l->p->cls != NULL ? l->p->cls->name->data : "", l->p->cls != NULL ? "." : "", name_of(l->p),
                  l->p->mod->path, l->first);
    if (l->last != l->first)
        (void)fprintf(out, "-%u", l->last);
    if (l->why != NULL)
        (void)fprintf(out, ": not compiled: %s\n", l->why);
    else
        (void)fprintf(out, ": %u instructions of bytecode, %u of IR, %u of machine code; compile %u, generation %u\n",
                      r->count[BYTECODE], r->count[IR], r->count[MACHINE], l->number, l->generation);
}

static void print_unit(FILE *out, const struct listed *l)
{
    struct rows r = {NULL, 0, 0, {0}};
    struct nodes m = {NULL, 0};
    char *ir = l->why == NULL ? copy(l->ir) : NULL, *assembly = l->why == NULL ? copy(l->assembly) : NULL;
    if (ir != NULL && assembly != NULL) {
        bytecode_rows(&r, l);
        ir_rows(&r, ir, &m);
        machine_rows(&r, assembly);
    }
    own_file = l->p->mod->path;
    if (r.n > 0)
        qsort(r.v, r.n, sizeof r.v[0], by_place);
    print_head(out, l, &r);
    print_rows(out, &r, l->p);
    for (uint32_t i = 0; i < r.n; i++) {
        if (r.v[i].part == MACHINE)
            free((char *)(uintptr_t)r.v[i].text);
    }
    free(r.v);
    free(m.v);
    free(ir);
    free(assembly);
}

unsigned gs_inspect_dump(void *FILE_out, const struct gs_proto *p)
{
    unsigned n = 0;
    for (struct listed *l = units; l != NULL; l = l->next) {
        if (l->printed || (p != NULL && l->p != p))
            continue;
        print_unit(FILE_out, l);
        l->printed = true;
        n += l->why == NULL;
    }
    return n;
}
