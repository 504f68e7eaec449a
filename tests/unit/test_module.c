/* SPDX-License-Identifier: MIT
 * test_module.c - where modules are found, that each is compiled once, cycles, and what
 * langoost.json says. LANGUAGE section 6. Works in a folder of its own that it makes and removes.
 */
#define _GNU_SOURCE /* nftw */
#include "unit_compile.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "module.h"

static char root[] = "/tmp/test_module.XXXXXX";

static void put_file(const char *path, const char *text)
{
    char dir[256];
    snprintf(dir, sizeof(dir), "%s", path);
    for (char *p = dir; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        mkdir(dir, 0777);
        *p = '/';
    }
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs(text, f);
    fclose(f);
}

static bool says(const char *path, const char *want)
{
    struct compiled r = compile_path(path);
    bool same = strcmp(r.messages, want) == 0;
    if (!same)
        printf("\n  want %s\n  got  %s\n", want, r.messages);
    compiled_free(&r);
    return same;
}

/* The script imports one module and asks it for a member that is not there: the message then names
 * the module found. */
static bool finds(const char *import, const char *file)
{
    char text[256], want[512];
    snprintf(text, sizeof(text), "import %s\n", import);
    put_file("find.goost", text);
    struct compiled r = compile_path("find.goost");
    snprintf(want, sizeof(want), "%s:1: undefined variable \"mark\"\n", file);
    bool same = strcmp(r.messages, want) == 0;
    if (!same)
        printf("\n  import %s: want %s\n  got  %s\n", import, want, r.messages);
    compiled_free(&r);
    return same;
}

#define MARK "println(mark)\n" /* an error that tells which file was compiled */

static void bare_names_are_looked_for_in_order(void)
{
    put_file("one.goost", MARK);
    CU_ASSERT(finds("one", "one.goost"));
    CU_ASSERT(finds("\"one\"", "one.goost"));
    put_file("langoost_modules/one.goost", MARK);
    CU_ASSERT(finds("one", "langoost_modules/one.goost"));
    put_file("two/main.goost", MARK);
    CU_ASSERT(finds("two", "two/main.goost"));
    put_file("two.goost", MARK);
    CU_ASSERT(finds("two", "two.goost"));
}

static void the_standard_library_is_never_shadowed(void)
{
    put_file("math.goost", MARK);
    put_file("std.goost",
             "import math\nimport { sin } from \"math.trig\"\nprintln(math.sqrt(sin(1.0)))\n");
    CU_ASSERT(says("std.goost", ""));
}

static void the_scripts_folder_comes_before_the_working_directory(void)
{
    put_file("app/main.goost", "import helper\nimport common\n");
    put_file("app/helper.goost", MARK);
    put_file("helper.goost", MARK);
    put_file("common.goost", MARK);
    CU_ASSERT(says("app/main.goost", "app/helper.goost:1: undefined variable \"mark\"\n"
                                     "common.goost:1: undefined variable \"mark\"\n"));
}

static void paths_are_relative_to_the_importing_file(void)
{
    put_file("rel/a.goost",
             "import \"./b.goost\" as b\nimport \"../up.goost\" as u\nimport \"./b\" as again\n");
    put_file("rel/b.goost", "let x = 1\n");
    put_file("up.goost", MARK);
    put_file("useRel.goost", "import \"./rel/a.goost\" as a\n");
    CU_ASSERT(says("useRel.goost", "up.goost:1: undefined variable \"mark\"\n"));
    put_file("dir/main.goost", MARK);
    CU_ASSERT(finds("\"./dir\" as d", "dir/main.goost"));
    CU_ASSERT(finds("\"./rel/../dir\" as d", "dir/main.goost"));
}

static void packages_name_their_entry(void)
{
    put_file(
        "langoost_modules/pkg/langoost.json",
        "{\"name\": \"pkg\", \"deps\": [1, {\"main\": \"no\"}], \"main\": \"src/entry.goost\"}");
    put_file("langoost_modules/pkg/src/entry.goost", MARK);
    put_file("langoost_modules/pkg/part.goost", MARK);
    CU_ASSERT(finds("pkg", "langoost_modules/pkg/src/entry.goost"));
    CU_ASSERT(finds("\"pkg/part\"", "langoost_modules/pkg/part.goost"));
}

static void an_unknown_module_says_where_it_was_looked_for(void)
{
    put_file("lost.goost", "import nowhere\nprintln(nowhere.x, nowhere.f(1))\n");
    CU_ASSERT(says("lost.goost", "lost.goost:1: unknown module \"nowhere\"; looked in the standard "
                                 "library, ./langoost_modules, .\n"));
    put_file("app/lost.goost", "import { a } from \"nowhere\"\na()\nlet x = a{b: 1}\n");
    CU_ASSERT(says("app/lost.goost",
                   "app/lost.goost:1: unknown module \"nowhere\"; looked in the standard library, "
                   "app/langoost_modules, ./langoost_modules, app, .\n"));
    put_file("lost2.goost", "import \"./nope.goost\" as n\n");
    CU_ASSERT(says("lost2.goost", "lost2.goost:1: unknown module \"./nope.goost\"; looked in .\n"));
}

static void a_missing_name_is_an_error_at_its_place(void)
{
    put_file("lib.goost", "let a = 1\nfn f() { }\n");
    put_file("names.goost",
             "import { a, nope } from \"./lib.goost\"\nimport \"./lib.goost\" as lib\n"
             "println(lib.nope)\nlib.f()\n");
    CU_ASSERT(says("names.goost", "names.goost:1: module \"./lib.goost\" has no member \"nope\"\n"
                                  "names.goost:3: module \"lib\" has no member \"nope\"\n"));
}

static void cycles_name_all_their_files(void)
{
    put_file("cyc/a.goost", "import \"./b.goost\" as b\n");
    put_file("cyc/b.goost", "import \"./c.goost\" as c\n");
    put_file("cyc/c.goost", "import \"./b.goost\" as b\n");
    CU_ASSERT(says("cyc/a.goost",
                   "cyc/c.goost:1: import cycle: cyc/b.goost -> cyc/c.goost -> cyc/b.goost\n"));
    put_file("self.goost", "import \"./self.goost\" as me\n");
    CU_ASSERT(says("self.goost", "self.goost:1: import cycle: self.goost -> self.goost\n"));
}

static void a_module_is_compiled_once_and_run_by_its_first_importer(void)
{
    put_file("once/d.goost", "let n = input()\n");
    put_file("once/b.goost", "import \"./d.goost\" as d\nfn f() { return d.n }\n");
    put_file("once/c.goost", "import \"../once/d.goost\" as d\nfn f() { return d.n }\n");
    put_file("once/main.goost",
             "import \"./b.goost\" as b\nimport \"./c.goost\" as c\nb.f()\nc.f()\n");
    struct compiled r = compile_path("once/main.goost");
    CU_ASSERT_STRING_EQUAL(r.messages, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(r.c.program);
    CU_ASSERT_EQUAL(r.c.program->nglobals, 1);
    /* b, c, and then the two calls */
    CU_ASSERT_STRING_EQUAL(ops_of(r.c.program->main),
                           "LOADK CALL LOADK CALL LOADK CALL LOADK CALL RETNIL");
    compiled_free(&r);
}

static void errors_of_a_module_do_not_lead_to_more_in_its_importer(void)
{
    put_file("bad.goost", "let a = (1\n");
    put_file("useBad.goost",
             "import { a, b } from \"./bad.goost\"\nimport \"./bad.goost\" as bad\n"
             "a()\nprintln(bad.c)\nclass C extends b { }\nprintln(1 is b)\nprintln(other)\n");
    struct compiled r = compile_path("useBad.goost");
    CU_ASSERT_PTR_NOT_NULL(strstr(r.messages, "bad.goost:"));
    CU_ASSERT_PTR_NOT_NULL(strstr(r.messages, "useBad.goost:7: undefined variable \"other\"\n"));
    CU_ASSERT_PTR_NULL(strstr(r.messages, "useBad.goost:3"));
    CU_ASSERT_PTR_NULL(strstr(r.messages, "useBad.goost:4"));
    CU_ASSERT_PTR_NULL(strstr(r.messages, "useBad.goost:5"));
    CU_ASSERT_PTR_NULL(strstr(r.messages, "useBad.goost:6"));
    compiled_free(&r);
}

static void a_path_without_a_name_gives_way(void)
{
    put_file("soft.goost", "import \"./rel/b.goost\"\nlet b = 2\nprintln(b)\n");
    CU_ASSERT(says("soft.goost", ""));
    put_file("soft2.goost", "import \"./rel/b.goost\"\nprintln(b.x)\n");
    CU_ASSERT(says("soft2.goost", ""));
}

static void files_that_cannot_be_read_are_told_from_errors_in_them(void)
{
    struct compiled r = compile_path("no/such/file.goost");
    CU_ASSERT_EQUAL(r.c.io_error, 2); /* ENOENT */
    CU_ASSERT_STRING_EQUAL(r.messages, "");
    compiled_free(&r);
    r = compile_path(".");
    CU_ASSERT_EQUAL(r.c.io_error, 21); /* EISDIR */
    compiled_free(&r);
    put_file("empty.goost", "");
    CU_ASSERT(says("empty.goost", ""));
}

static void json_main_is_read_by_a_reader_that_survives_anything(void)
{
    char out[16];
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "{}",
                                      "{\"main\"",
                                      "{\"main\":",
                                      "{\"main\": 5}",
                                      "{\"a\": [}",
                                      "{\"a\": nul\\, \"main\": \"x\"}",
                                      "{\"main\": \"x",
                                      "{\"a\" 5}",
                                      "x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_FALSE(gs_module_json_main(bad[i], strlen(bad[i]), out, sizeof(out)));
    const char *good =
        " { \"x\" : [ 1 , { \"main\" : \"no\" } , \"\\\"}\" ] , \"main\" : \"a\\/b\" }";
    CU_ASSERT(gs_module_json_main(good, strlen(good), out, sizeof(out)));
    CU_ASSERT_STRING_EQUAL(out, "a/b");
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *f)
{
    (void)st, (void)type, (void)f;
    return remove(path);
}

static const struct unit_case cases[] = {
    UNIT_CASE(bare_names_are_looked_for_in_order),
    UNIT_CASE(the_standard_library_is_never_shadowed),
    UNIT_CASE(the_scripts_folder_comes_before_the_working_directory),
    UNIT_CASE(paths_are_relative_to_the_importing_file),
    UNIT_CASE(packages_name_their_entry),
    UNIT_CASE(an_unknown_module_says_where_it_was_looked_for),
    UNIT_CASE(a_missing_name_is_an_error_at_its_place),
    UNIT_CASE(cycles_name_all_their_files),
    UNIT_CASE(a_module_is_compiled_once_and_run_by_its_first_importer),
    UNIT_CASE(errors_of_a_module_do_not_lead_to_more_in_its_importer),
    UNIT_CASE(a_path_without_a_name_gives_way),
    UNIT_CASE(files_that_cannot_be_read_are_told_from_errors_in_them),
    UNIT_CASE(json_main_is_read_by_a_reader_that_survives_anything),
};

int main(void)
{
    if (mkdtemp(root) == NULL || chdir(root) != 0)
        return 2;
    int code = unit_run("module", cases, sizeof(cases) / sizeof(cases[0]));
    if (chdir("/") == 0)
        nftw(root, drop, 16, FTW_DEPTH | FTW_PHYS);
    return code;
}
