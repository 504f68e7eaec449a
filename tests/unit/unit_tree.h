/* SPDX-License-Identifier: MIT
 * unit_tree.h - a syntax tree as one line of text, for comparing: (+ a (call f b)), {...} for
 * blocks.
 */
#ifndef GS_TESTS_UNIT_TREE_H
#define GS_TESTS_UNIT_TREE_H

#include <inttypes.h>
#include <stdio.h>

#include "lex.h"
#include "parse.h"

static void tree_put(FILE *f, const struct gs_node *n);

static void tree_slice(FILE *f, struct gs_slice s)
{
    if (s.n)
        fwrite(s.p, 1, s.n, f);
}

static void tree_quoted(FILE *f, struct gs_slice s)
{
    putc('"', f);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c > 0x7E)
            fprintf(f, "\\x%02x", c);
        else
            putc(c, f);
    }
    putc('"', f);
}

static void tree_type(FILE *f, const struct gs_typeref *t)
{
    if (!t)
        return;
    putc(':', f);
    if (t->module.n) {
        tree_slice(f, t->module);
        putc('.', f);
    }
    tree_slice(f, t->name);
    for (uint32_t i = 0; i < t->arrays; i++)
        fputs("[]", f);
}

static void tree_fn(FILE *f, const struct gs_fnnode *fn)
{
    fputs(fn->method ? "(method " : "(fn ", f);
    tree_slice(f, fn->name);
    putc('(', f);
    for (uint32_t i = 0; i < fn->nparams; i++) {
        const struct gs_param *p = &fn->params[i];
        fputs(i ? " " : "", f);
        fputs(p->rest ? "..." : "", f);
        tree_slice(f, p->name);
        tree_type(f, p->type);
        if (p->def) {
            putc('=', f);
            tree_put(f, p->def);
        }
    }
    putc(')', f);
    tree_type(f, fn->ret);
    if (fn->body) {
        putc(' ', f);
        tree_put(f, fn->body);
    }
    putc(')', f);
}

static void tree_fields(FILE *f, const struct gs_node *n)
{
    for (uint32_t i = 0; i < n->fields.n; i++) {
        fputs(i ? " " : "", f);
        tree_slice(f, n->fields.v[i].key);
        putc(':', f);
        tree_put(f, n->fields.v[i].value);
    }
}

static void tree_list(FILE *f, const struct gs_node *n, bool lead)
{
    for (uint32_t i = 0; i < n->list.n; i++) {
        if (i || lead)
            putc(' ', f);
        tree_put(f, n->list.v[i]);
    }
}

/* (head a b c), absent parts left out */
static void tree_form(FILE *f, const char *head, const struct gs_node *a, const struct gs_node *b,
                      const struct gs_node *c)
{
    fprintf(f, "(%s", head);
    const struct gs_node *parts[] = {a, b, c};
    for (int i = 0; i < 3; i++) {
        if (!parts[i])
            continue;
        putc(' ', f);
        tree_put(f, parts[i]);
    }
    putc(')', f);
}

static void tree_let(FILE *f, const struct gs_node *n)
{
    fputs(n->flag ? "(const " : "(let ", f);
    tree_slice(f, n->name);
    tree_type(f, n->type);
    if (n->a) {
        putc(' ', f);
        tree_put(f, n->a);
    }
    putc(')', f);
}

static void tree_import(FILE *f, const struct gs_importnode *imp)
{
    fputs("(import", f);
    for (uint32_t i = 0; i < imp->nnames; i++) {
        fputs(i ? "," : " ", f);
        tree_slice(f, imp->names[i].name);
        if (imp->names[i].as.n) {
            putc('>', f);
            tree_slice(f, imp->names[i].as);
        }
    }
    fputs(imp->names ? " from " : " ", f);
    if (imp->quoted)
        tree_quoted(f, imp->from);
    else
        tree_slice(f, imp->from);
    if (imp->as.n) {
        fputs(" as ", f);
        tree_slice(f, imp->as);
    }
    putc(')', f);
}

static void tree_methods(FILE *f, struct gs_fnnode **v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        putc(' ', f);
        tree_fn(f, v[i]);
    }
    putc(')', f);
}

static void tree_typedecl(FILE *f, const struct gs_typenode *t)
{
    fputs("(type ", f);
    tree_slice(f, t->name);
    for (uint32_t i = 0; i < t->nfields; i++) {
        putc(' ', f);
        tree_slice(f, t->fields[i]);
        tree_type(f, t->types[i]);
    }
    putc(')', f);
}

static void tree_try(FILE *f, const struct gs_node *n)
{
    fputs("(try ", f);
    tree_put(f, n->a);
    if (n->b) {
        fputs(" catch ", f);
        tree_slice(f, n->name);
        tree_put(f, n->b);
    }
    if (n->c) {
        fputs(" finally ", f);
        tree_put(f, n->c);
    }
    putc(')', f);
}

static void tree_for(FILE *f, const struct gs_node *n)
{
    fputs("(for ", f);
    const struct gs_node *parts[] = {n->init, n->a, n->step};
    for (int i = 0; i < 3; i++) {
        if (parts[i])
            tree_put(f, parts[i]);
        fputs(i < 2 ? ";" : " ", f);
    }
    tree_put(f, n->b);
    putc(')', f);
}

static void tree_forin(FILE *f, const struct gs_node *n)
{
    fputs("(for ", f);
    tree_slice(f, n->name);
    if (n->name2.n) {
        putc(',', f);
        tree_slice(f, n->name2);
    }
    tree_form(f, "in", n->a, n->b, NULL);
    putc(')', f);
}

static void tree_put(FILE *f, const struct gs_node *n)
{
    switch ((enum gs_node_kind)n->kind) {
    case GS_N_NIL:
        fputs("nil", f);
        break;
    case GS_N_BOOL:
        fputs(n->i ? "true" : "false", f);
        break;
    case GS_N_INT:
        fprintf(f, "%" PRId64, n->i);
        break;
    case GS_N_FLOAT:
        fprintf(f, "%#.17g", n->d);
        break;
    case GS_N_STR:
        tree_quoted(f, n->str);
        break;
    case GS_N_INTERP:
        fputs("(interp", f);
        tree_list(f, n, true);
        putc(')', f);
        break;
    case GS_N_NAME:
        tree_slice(f, n->name);
        break;
    case GS_N_SELF:
        fputs("self", f);
        break;
    case GS_N_SUPER:
        fputs("super.", f);
        tree_slice(f, n->name);
        break;
    case GS_N_ARRAY:
        putc('[', f);
        tree_list(f, n, false);
        putc(']', f);
        break;
    case GS_N_OBJECT:
        fputs("(obj ", f);
        tree_fields(f, n);
        putc(')', f);
        break;
    case GS_N_INSTANCE:
        fputs("(new ", f);
        tree_put(f, n->a);
        putc(' ', f);
        tree_fields(f, n);
        putc(')', f);
        break;
    case GS_N_FN:
    case GS_N_FNDECL:
        tree_fn(f, n->fn);
        break;
    case GS_N_CALL:
        fputs("(call ", f);
        tree_put(f, n->a);
        tree_list(f, n, true);
        putc(')', f);
        break;
    case GS_N_INDEX:
        tree_form(f, "at", n->a, n->b, NULL);
        break;
    case GS_N_MEMBER:
        tree_put(f, n->a);
        putc('.', f);
        tree_slice(f, n->name);
        break;
    case GS_N_UNARY:
    case GS_N_BINARY:
    case GS_N_AND:
    case GS_N_OR:
    case GS_N_COALESCE:
    case GS_N_ASSIGN:
        tree_form(f, gs_token_text(n->op), n->a, n->b, NULL);
        break;
    case GS_N_COND:
        tree_form(f, "?", n->a, n->b, n->c);
        break;
    case GS_N_IS:
    case GS_N_AS:
        fputs(n->kind == GS_N_IS ? "(is " : "(as ", f);
        tree_put(f, n->a);
        putc(' ', f);
        tree_type(f, n->type);
        putc(')', f);
        break;
    case GS_N_SPREAD:
        fputs("...", f);
        tree_put(f, n->a);
        break;
    case GS_N_LET:
        tree_let(f, n);
        break;
    case GS_N_CLASS:
        fputs("(class ", f);
        tree_slice(f, n->cls->name);
        if (n->cls->super) {
            putc('<', f);
            tree_put(f, n->cls->super);
        }
        tree_methods(f, n->cls->methods, n->cls->nmethods);
        break;
    case GS_N_INTERFACE:
        fputs("(interface ", f);
        tree_slice(f, n->iface->name);
        tree_methods(f, n->iface->methods, n->iface->nmethods);
        break;
    case GS_N_TYPE:
        tree_typedecl(f, n->tdecl);
        break;
    case GS_N_IMPORT:
        tree_import(f, n->imp);
        break;
    case GS_N_EXPR:
        tree_put(f, n->a);
        break;
    case GS_N_RETURN:
        tree_form(f, "return", n->a, NULL, NULL);
        break;
    case GS_N_IF:
        tree_form(f, "if", n->a, n->b, n->c);
        break;
    case GS_N_WHILE:
        tree_form(f, "while", n->a, n->b, NULL);
        break;
    case GS_N_FORIN:
        tree_forin(f, n);
        break;
    case GS_N_FOR:
        tree_for(f, n);
        break;
    case GS_N_BREAK:
        fputs("break", f);
        break;
    case GS_N_CONTINUE:
        fputs("continue", f);
        break;
    case GS_N_BLOCK:
        putc('{', f);
        tree_list(f, n, false);
        putc('}', f);
        break;
    case GS_N_TRY:
        tree_try(f, n);
        break;
    case GS_N_THROW:
        tree_form(f, "throw", n->a, NULL, NULL);
        break;
    case GS_N_DEFER:
        tree_form(f, "defer", n->a, NULL, NULL);
        break;
    case GS_N_ERROR:
        fputs("<error>", f);
        break;
    }
}

#endif
