/* SPDX-License-Identifier: MIT
 * test_diag.c - collecting and printing messages.
 */
#include "diag.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static struct gs_source source(const char *path, const char *text)
{
    return (struct gs_source){.path = path, .text = text, .len = strlen(text)};
}

static struct gs_pos at(unsigned line, unsigned col)
{
    return (struct gs_pos){line, col};
}

static void prints(const struct gs_diag *d, bool excerpt, bool colour, const char *want)
{
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);
    gs_diag_print(d, f, excerpt, colour);
    fclose(f);
    CU_ASSERT_STRING_EQUAL(out, want);
    if (strcmp(out, want))
        fprintf(stderr, "\nwant: %s\ngot:  %s\n", want, out);
    free(out);
}

static void each_kind_has_its_format(void)
{
    struct gs_source s = source("a.goost", "x\ny\nz\n");
    struct gs_diag *d = gs_diag_new();
    prints(d, true, true, "");
    gs_diag_parse_error(d, &s, at(1, 2), "expected %s, got %s", "}", "EOF");
    gs_diag_error(d, &s, at(2, 3), "undefined variable \"%s\"", "x");
    gs_diag_warning(d, &s, at(3, 1), "odd");
    CU_ASSERT_EQUAL(gs_diag_errors(d), 2);
    CU_ASSERT_EQUAL(gs_diag_warnings(d), 1);
    prints(d, false, false,
           "a.goost:1:2: expected }, got EOF\na.goost:2: undefined variable \"x\"\na.goost:3: "
           "warning: odd\n");
    gs_diag_free(d);
    gs_diag_free(NULL);
}

static void messages_come_by_file_line_and_column(void)
{
    struct gs_source a = source("z.goost", ""), b = source("a.goost", "");
    struct gs_diag *d = gs_diag_new();
    gs_diag_error(d, &a, at(9, 1), "1");
    gs_diag_error(d, &b, at(5, 1), "2");
    gs_diag_parse_error(d, &a, at(2, 7), "3");
    gs_diag_parse_error(d, &a, at(2, 3), "4");
    gs_diag_warning(d, &b, at(1, 1), "5");
    gs_diag_error(d, &a, at(9, 1), "6");
    gs_diag_error(d, &a, at(0, 0), "7");
    prints(d, false, false,
           "z.goost: 7\nz.goost:2:3: 4\nz.goost:2:7: 3\nz.goost:9: 1\nz.goost:9: 6\na.goost:1: "
           "warning: 5\na.goost:5: 2\n");
    gs_diag_free(d);
}

static void errors_behind_the_twentieth_are_counted_only(void)
{
    struct gs_source s = source("a", "");
    struct gs_diag *d = gs_diag_new();
    for (unsigned i = 1; i <= GS_DIAG_MAX + 5; i++)
        gs_diag_error(d, &s, at(i, 1), "e");
    gs_diag_warning(d, &s, at(100, 1), "w");
    CU_ASSERT_EQUAL(gs_diag_errors(d), GS_DIAG_MAX + 5);
    char *out = NULL;
    size_t n = 0, lines = 0;
    FILE *f = open_memstream(&out, &n);
    gs_diag_print(d, f, false, false);
    fclose(f);
    for (size_t i = 0; i < n; i++)
        lines += out[i] == '\n';
    CU_ASSERT_EQUAL(lines, GS_DIAG_MAX + 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "a:100: warning: w\n5 more errors are not shown\n"));
    free(out);
    gs_diag_free(d);
}

static void excerpts_show_the_line_with_a_caret(void)
{
    struct gs_source s = source("a", "one\n\ttwo \xC3\xA9 three\r\nfour");
    struct gs_diag *d = gs_diag_new();
    gs_diag_parse_error(d, &s, at(1, 4), "a");
    gs_diag_parse_error(d, &s, at(2, 9), "b");
    gs_diag_parse_error(d, &s, at(3, 5), "c");
    gs_diag_parse_error(d, &s, at(3, 99), "d");
    gs_diag_error(d, &s, at(4, 1), "no such line");
    gs_diag_error(d, &s, at(0, 0), "no line");
    prints(d, true, false,
           "a: no line\n"
           "a:1:4: a\n    one\n       ^\n"
           "a:2:9: b\n    \ttwo \xC3\xA9 three\n    \t      ^\n"
           "a:3:5: c\n    four\n        ^\n"
           "a:3:99: d\n    four\n        ^\n"
           "a:4: no such line\n");
    gs_diag_free(d);
}

static void excerpts_are_safe_and_short(void)
{
    char text[3001];
    memset(text, 'x', 3000);
    text[3000] = '\0';
    memcpy(text + 1500, "\033[31m\xFF", 6);
    struct gs_source s = source("a", text), mark = source("b", "\xEF\xBB\xBFlet\n");
    struct gs_diag *d = gs_diag_new();
    gs_diag_parse_error(d, &s, at(1, 1507), "e");
    gs_diag_parse_error(d, &mark, at(1, 1), "m");
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);
    gs_diag_print(d, f, true, false);
    fclose(f);
    CU_ASSERT_TRUE(n < 300);
    CU_ASSERT_PTR_NULL(strchr(out, '\033'));
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "x [31m?x"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "    ...x"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "x...\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "b:1:1: m\n    let\n    ^\n"));
    free(out);
    gs_diag_free(d);
}

static void colour_adds_nothing_but_colour(void)
{
    struct gs_source s = source("a", "x y");
    struct gs_diag *d = gs_diag_new();
    gs_diag_warning(d, &s, at(1, 3), "w");
    prints(d, true, true,
           "\033[1ma:1:\033[0m \033[1m\033[35mwarning:\033[0m w\n    x y\n      "
           "\033[1m\033[31m^\033[0m\n");
    gs_diag_free(d);
}

static void long_messages_are_cut_between_characters(void)
{
    struct gs_source s = source("a", "");
    struct gs_diag *d = gs_diag_new();
    char text[1200];
    for (size_t i = 0; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "\xC3\xA9", 2);
    text[1198] = '\0';
    gs_diag_error(d, &s, at(1, 1), "%s", text);
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);
    gs_diag_print(d, f, false, false);
    fclose(f);
    CU_ASSERT_TRUE(n > 400 && n < 520);
    CU_ASSERT_EQUAL((unsigned char)out[n - 2], 0xA9);
    free(out);
    gs_diag_free(d);
}

static const struct unit_case cases[] = {
    UNIT_CASE(each_kind_has_its_format),
    UNIT_CASE(messages_come_by_file_line_and_column),
    UNIT_CASE(errors_behind_the_twentieth_are_counted_only),
    UNIT_CASE(excerpts_show_the_line_with_a_caret),
    UNIT_CASE(excerpts_are_safe_and_short),
    UNIT_CASE(colour_adds_nothing_but_colour),
    UNIT_CASE(long_messages_are_cut_between_characters),
};
UNIT_MAIN("diag", cases)
