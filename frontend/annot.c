/* SPDX-License-Identifier: MIT
 * annot.c - annotations: names of types, and warnings where a literal contradicts one. They never
 * change what a program computes.
 */
#include "scope_int.h"

#include "ops.h"

enum base { ANY, INT, FLOAT, BOOL, STRING, ARRAY, OBJECT, FUNCTION, VOID, JSON, NAMED };

static const struct {
    const char *name;
    enum base base;
} bases[] = {
    {"int", INT},     {"float", FLOAT}, {"string", STRING},     {"bool", BOOL},
    {"array", ARRAY}, {"any", ANY},     {"object", OBJECT},     {"void", VOID},
    {"fn", FUNCTION}, {"json", JSON},   {"function", FUNCTION},
};

static bool base_of(struct gs_slice name, enum base *out)
{
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        if (gs_slice_is(name, bases[i].name)) {
            *out = bases[i].base;
            return true;
        }
    }
    return false;
}

/* The symbol that a type's name means, through a module or not. */
static struct gs_sym *type_sym(struct gs_walker *w, const struct gs_typeref *t, bool *poison)
{
    *poison = false;
    struct gs_node name = {.kind = GS_N_NAME, .pos = t->pos, .name = t->name};
    struct gs_node mod = {.kind = GS_N_NAME, .pos = t->pos, .name = t->module};
    struct gs_node member = {.kind = GS_N_MEMBER, .pos = t->pos, .name = t->name, .a = &mod};
    gs_value v;
    if (t->module.n == 0) {
        name.info = gs_scope_lookup(w, t->name);
        return gs_scope_type_sym(&name, &v, poison);
    }
    mod.info = gs_scope_lookup(w, t->module);
    return gs_scope_type_sym(&member, &v, poison);
}

static const char *dot(const struct gs_typeref *t)
{
    return t->module.n ? "." : "";
}

void gs_annot_type(struct gs_walker *w, const struct gs_typeref *t)
{
    enum base b;
    bool poison;
    if (t == NULL || (t->module.n == 0 && base_of(t->name, &b)))
        return;
    if (type_sym(w, t, &poison) == NULL && !poison)
        gs_diag_warning(w->c->diag, w->u->src, t->pos, "unknown type \"%.*s%s%.*s\"",
                        GS_SLICE_ARGS(t->module), dot(t), GS_SLICE_ARGS(t->name));
}

static const struct gs_node *behind_sign(const struct gs_node *n)
{
    while (n->kind == GS_N_UNARY && gs_operator_prefix(n->op) == GS_O_NEG)
        n = n->a;
    return n;
}

/* What a literal is; ANY for what is none. */
static enum base literal_base(const struct gs_node *n, const char **word)
{
    n = behind_sign(n);
    switch (n->kind) {
    case GS_N_NIL:
        *word = "nil";
        return VOID;
    case GS_N_BOOL:
        *word = "a bool";
        return BOOL;
    case GS_N_INT:
        *word = "an int";
        return INT;
    case GS_N_FLOAT:
        *word = "a float";
        return FLOAT;
    case GS_N_STR:
    case GS_N_INTERP:
        *word = "a string";
        return STRING;
    case GS_N_ARRAY:
        *word = "an array";
        return ARRAY;
    case GS_N_OBJECT:
    case GS_N_INSTANCE:
        *word = "an object";
        return OBJECT;
    case GS_N_FN:
        *word = "a function";
        return FUNCTION;
    default:
        return ANY;
    }
}

static bool fits(enum base want, enum base is)
{
    switch (want) {
    case ANY:
        return true;
    case FLOAT:
        return is == FLOAT || is == INT;
    case NAMED:
        return is == OBJECT || is == VOID;
    case JSON:
        return is == STRING || is == OBJECT || is == ARRAY || is == VOID;
    default:
        return want == is || (is == VOID && want != VOID && want != INT && want != BOOL);
    }
}

void gs_annot_value(struct gs_walker *w, const struct gs_typeref *t, const struct gs_node *value)
{
    if (t == NULL)
        return;
    const char *word;
    enum base is = literal_base(value, &word), want = NAMED;
    if (is == ANY)
        return;
    if (t->arrays > 0)
        want = ARRAY;
    else if (t->module.n == 0)
        base_of(t->name, &want);
    bool poison;
    if (fits(want, is) || (want == NAMED && type_sym(w, t, &poison) == NULL))
        return;
    gs_diag_warning(w->c->diag, w->u->src, value->pos, "%s where %.*s%s%.*s%s is annotated", word,
                    GS_SLICE_ARGS(t->module), dot(t), GS_SLICE_ARGS(t->name),
                    t->arrays ? "[]" : "");
}

void gs_annot_test(struct gs_walker *w, struct gs_node *n)
{
    const struct gs_typeref *t = n->type;
    enum base b;
    bool poison;
    n->info = NULL;
    if (t->arrays > 0) {
        gs_scope_error(w, t->pos, "element types cannot be tested; write \"array\"");
        return;
    }
    struct gs_sym *s = type_sym(w, t, &poison);
    if (poison)
        return;
    if (s != NULL && s->kind != GS_SYM_TYPE) {
        n->info = s;
        return;
    }
    if (s == NULL && t->module.n == 0 && base_of(t->name, &b) && b != JSON && b != ANY)
        return;
    if (s != NULL)
        gs_scope_error(w, t->pos, "\"%.*s\" is a type, which no value can be tested for",
                       GS_SLICE_ARGS(t->name));
    else
        gs_scope_error(w, t->pos, "\"%.*s%s%.*s\" is not a class, an interface or a primitive type",
                       GS_SLICE_ARGS(t->module), dot(t), GS_SLICE_ARGS(t->name));
}
