/* SPDX-License-Identifier: MIT
 * test_lex.c - tokens, literals, comments, and what is wrong with them. LANGUAGE sections 1 and 11.
 */
#include "lex.h"
#include "port/mem.h"
#include "unit.h"
#include "unit_source.h"

/* ---- tokens ---- */

struct reader {
    struct gs_source src;
    struct gs_arena *arena;
    struct gs_diag *diag;
    struct gs_lexer lx;
    struct gs_token t;
};

static void open_text(struct reader *r, const char *text)
{
    r->src = (struct gs_source){.path = "t", .text = text, .len = strlen(text)};
    r->arena = gs_arena_new();
    r->diag = gs_diag_new();
    gs_lex_init(&r->lx, r->arena, &r->src, r->diag);
}

static void close_text(struct reader *r)
{
    gs_diag_free(r->diag);
    gs_arena_free(r->arena);
}

static void every_token_of_the_list_is_read_as_itself(void)
{
    for (unsigned k = GS_TK_LPAREN; k < GS_TK_COUNT_; k++) {
        struct reader r;
        open_text(&r, gs_token_text(k));
        gs_lex_next(&r.lx, &r.t);
        CU_ASSERT_EQUAL(r.t.kind, k);
        CU_ASSERT_EQUAL(r.t.text.n, strlen(gs_token_text(k)));
        gs_lex_next(&r.lx, &r.t);
        CU_ASSERT_EQUAL(r.t.kind, GS_TK_END);
        gs_lex_next(&r.lx, &r.t);
        CU_ASSERT_EQUAL(r.t.kind, GS_TK_END);
        CU_ASSERT_EQUAL(gs_diag_errors(r.diag), 0);
        close_text(&r);
    }
}

static void keywords_are_keywords_only_as_whole_words(void)
{
    for (unsigned k = GS_TK_AS; k < GS_TK_COUNT_; k++) {
        char text[64];
        struct reader r;
        snprintf(text, sizeof text, "%sx x%s _%s %s1", gs_token_text(k), gs_token_text(k),
                 gs_token_text(k), gs_token_text(k));
        open_text(&r, text);
        for (int i = 0; i < 4; i++) {
            gs_lex_next(&r.lx, &r.t);
            CU_ASSERT_EQUAL(r.t.kind, GS_TK_NAME);
        }
        close_text(&r);
    }
    TREE("lEt; Let; iF; interfaces; a; z; t; tru; trues", "lEt Let iF interfaces a z t tru trues");
}

static void tokens_know_their_places_and_newlines(void)
{
    struct reader r;
    open_text(&r, "ab /* x */ +\r\n\n  // c\n\tcd`\n` e");
    struct {
        unsigned kind, line, col;
        bool nl;
    } want[] = {{GS_TK_NAME, 1, 1, false}, {GS_TK_PLUS, 1, 12, false}, {GS_TK_NAME, 4, 2, true},
                {GS_TK_STR, 4, 4, false},  {GS_TK_NAME, 5, 3, false},  {GS_TK_END, 5, 4, false}};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        gs_lex_next(&r.lx, &r.t);
        CU_ASSERT_EQUAL(r.t.kind, want[i].kind);
        CU_ASSERT_EQUAL(r.t.pos.line, want[i].line);
        CU_ASSERT_EQUAL(r.t.pos.col, want[i].col);
        CU_ASSERT_EQUAL(r.t.nl, want[i].nl);
    }
    close_text(&r);
}

static void longest_token_wins(void)
{
    TREE("a<<b<c<=d", "(<= (< (<< a b) c) d)");
    TREE("a&&b&c", "(&& a (& b c))");
    TREE("a ?? b ? c : d", "(? (?? a b) c d)");
    TREE("a==b!=!c", "(!= (== a b) (! c))");
    TREE("f(...x)", "(call f ...x)");
    TREE("x-=-1", "(-= x (- 1))");
    TREE("- -1; --1; !!a; ~-a", "(- (- 1)) (- (- 1)) (! (! a)) (~ (- a))");
}

/* ---- numbers ---- */

static void integers_in_all_bases(void)
{
    TREE("0; 7; 42; 007", "0 7 42 7");
    TREE("0xFF; 0xff; 0x7fffffffffffffff", "255 255 9223372036854775807");
    TREE("0b1011; 0o17; 0b0", "11 15 0");
    TREE("1_000_000; 0xFF_FF; 0b1010_1010; 0o7_7", "1000000 65535 170 63");
    TREE("9223372036854775807; 9_223_372_036_854_775_807",
         "9223372036854775807 9223372036854775807");
}

static void integers_above_the_largest_are_errors(void)
{
    const char *big = "t:1:9: integer literal is larger than 9223372036854775807";
    FAILS("let x = 9223372036854775808", big);
    FAILS("let x = 0xFFFFFFFFFFFFFFFF", big);
    FAILS("let x = 0x8000000000000000", big);
    FAILS("let x = 99999999999999999999999999999999", big);
    FAILS("let x = 0b1000000000000000000000000000000000000000000000000000000000000000", big);
    FAILS("let x =-9223372036854775808", big);
}

static void malformed_numbers_are_one_error_each(void)
{
    FAILS("x = 1__0", "t:1:6: _ must stand between digits");
    FAILS("x = 1_", "t:1:6: _ must stand between digits");
    FAILS("x = 1_.5", "t:1:6: _ must stand between digits");
    FAILS("x = 1.5_", "t:1:8: _ must stand between digits");
    FAILS("x = 1_e5", "t:1:6: _ must stand between digits");
    FAILS("x = 1e5_", "t:1:8: _ must stand between digits");
    FAILS("x = 0x_1", "t:1:7: _ must stand between digits");
    FAILS("x = 0x1_", "t:1:8: _ must stand between digits");
    FAILS("x = 0x", "t:1:5: no digits after 0x");
    FAILS("x = 0b + 1", "t:1:5: no digits after 0b");
    FAILS("x = 0o", "t:1:5: no digits after 0o");
    FAILS("x = 0xG", "t:1:7: not a digit of a hexadecimal number");
    FAILS("x = 0b12", "t:1:8: not a digit of a binary number");
    FAILS("x = 0o18", "t:1:8: not a digit of an octal number");
    FAILS("x = 1e", "t:1:6: exponent has no digits");
    FAILS("x = 1e+", "t:1:6: exponent has no digits");
    FAILS("x = 1e_5", "t:1:6: exponent has no digits");
    FAILS("x = 12abc + 1", "t:1:7: a number ends where letters follow");
    FAILS("x = 1.5f", "t:1:8: a number ends where letters follow");
}

static void floats_have_the_nearest_value(void)
{
    TREE("3.14; 1e10; 1.5e-3; 1E5; 1e+5",
         "3.1400000000000001 10000000000.000000 0.0015000000000000000 100000.00000000000 "
         "100000.00000000000");
    static const char *const hard[] = {
        "0.1",
        "1e22",
        "1e23",
        "123456789012345678",
        "9007199254740993.0",
        "2.2250738585072011e-308",
        "4.9e-324",
        "1.7976931348623157e308",
        "1e400",
        "1e-400",
        "0.000000000000000000000000000001",
        "8.5e-23",
        "7.0e22",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017"
        "977587207096330286416692887910"
        "946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069"
        "855571366959622842914819860"
        "834936475292719074168444365510704342711559699508093042880.0",
        "1e99999999999999999999",
        "0e99999999999999999999",
        "5e-99999999999999999999",
    };
    for (size_t i = 0; i < sizeof hard / sizeof hard[0]; i++) {
        char text[400];
        struct reader r;
        snprintf(text, sizeof text, "%s%s", hard[i], strpbrk(hard[i], ".e") ? "" : ".0");
        open_text(&r, text);
        gs_lex_next(&r.lx, &r.t);
        CU_ASSERT_EQUAL(r.t.kind, GS_TK_FLOAT);
        double want = strtod(text, NULL);
        CU_ASSERT_EQUAL(memcmp(&r.t.d, &want, sizeof want), 0);
        close_text(&r);
    }
    TREE("1_000.25; 1.000_1; 1e1_0", "1000.2500000000000 1.0001000000000000 10000000000.000000");
}

static void a_point_needs_digits_on_both_sides(void)
{
    TREE("1.foo", "1.foo");
    FAILS("x = .5", "t:1:5: expected expression, got .");
    FAILS("x = 1.", "t:1:7: expected name, got EOF");
    FAILS("x = 1.2.3", "t:1:9: expected name, got 3");
}

/* ---- strings ---- */

static void quoted_strings_and_their_escapes(void)
{
    TREE("'a'; \"a\"; \"it's\"; 'say \"x\"'; ''", "\"a\" \"a\" \"it's\" \"say \"x\"\" \"\"");
    TREE("'\\n\\t\\r\\\"\\'\\\\\\0'", "\"\\x0a\\x09\\x0d\"'\\\\x00\"");
    TREE("'\\x41\\xff\\x00'", "\"A\\xff\\x00\"");
    TREE("'\\u00e9\\u20AC\\u{1F600}\\u{41}\\u{10FFFF}'",
         "\"\\xc3\\xa9\\xe2\\x82\\xac\\xf0\\x9f\\x98\\x80A\\xf4\\x8f\\xbf\\xbf\"");
    TREE("'${x} $x `'", "\"${x} $x `\"");
    TREE("'// no /* comment'", "\"// no /* comment\"");
    TREE("'a\\0b1'", "\"a\\x00b1\"");
}

static void bad_escapes_are_errors_at_the_backslash(void)
{
    FAILS("f('a\\qb')", "t:1:5: unknown escape \\q");
    FAILS("f('\\$')", "t:1:4: unknown escape \\$");
    FAILS("f('\\`')", "t:1:4: unknown escape \\`");
    FAILS("f('\\\xc3\xa9')", "t:1:4: unknown escape \\\xc3\xa9");
    FAILS("f('\\x4')", "t:1:4: \\x needs two hexadecimal digits");
    FAILS("f('\\xZZ')", "t:1:4: \\x needs two hexadecimal digits");
    FAILS("f('\\u12')", "t:1:4: \\u needs four hexadecimal digits or braces");
    FAILS("f('\\u{}')", "t:1:4: \\u{ needs hexadecimal digits and }");
    FAILS("f('\\u{41')", "t:1:4: \\u{ needs hexadecimal digits and }");
    FAILS("f('\\u{123456789}')", "t:1:4: \\u{ needs hexadecimal digits and }");
    FAILS("f('\\u{110000}')", "t:1:4: U+110000 is no Unicode character");
    FAILS("f('\\uD800')", "t:1:4: U+D800 is no Unicode character");
    FAILS("f('\\q', '\\q')", "t:1:4: unknown escape \\q\nt:1:10: unknown escape \\q");
}

static void a_quoted_string_ends_on_its_line(void)
{
    FAILS("let s = \"abc\nlet t = 1", "t:1:9: newline in string");
    FAILS("let s = \"abc\ndef\"\nlet t = 1", "t:1:9: newline in string");
    FAILS("println(\"abc)\nlet t = = 1",
          "t:1:9: newline in string\nt:2:9: expected expression, got =");
    FAILS("if x == 'abc {\n f() }\n", "t:1:9: newline in string");
    FAILS("let s = 'abc", "t:1:9: unterminated string");
    FAILS("let s = 'abc\\", "t:1:9: unterminated string");
    FAILS("let s = 'abc\\\n'", "t:1:9: newline in string");
    FAILS("let s = '", "t:1:9: unterminated string");
}

static void backtick_strings_interpolate(void)
{
    TREE("`plain`; ``; `a\nb`", "\"plain\" \"\" \"a\\x0ab\"");
    TREE("`hello ${name}`", "(interp \"hello \" name)");
    TREE("`${a}`; `${a}${b}`; `x${a}y`", "(interp a) (interp a b) (interp \"x\" a \"y\")");
    TREE("`$ {a} $5 a$`; `$$${a}`", "\"$ {a} $5 a$\" (interp \"$$\" a)");
    TREE("`\\` \\$ \\${x} \\x41 \\\\`", "\"` $ ${x} A \\\"");
    TREE("`\\\\${x}`", "(interp \"\\\" x)");
    TREE("`say \"hi\" 'x'`", "\"say \"hi\" 'x'\"");
}

static void interpolations_nest(void)
{
    TREE("`x ${`y ${1 + 1}`} z`", "(interp \"x \" (interp \"y \" (+ 1 1)) \" z\")");
    TREE("`${\"}\"}`; `${'`'}`", "(interp \"}\") (interp \"`\")");
    TREE("`${{k: 5}.k}`", "(interp (obj k:5).k)");
    TREE("`${a.map(fn(v) { return `<${v}>` })}`",
         "(interp (call a.map (fn (v) {(return (interp \"<\" v \">\"))})))");
    TREE("`${fn() { let t = 4\n return t }()}`", "(interp (call (fn () {(let t 4) (return t)})))");
    TREE("`${a +\n b}\n${c\n.d}`", "(interp (+ a b) \"\\x0a\" c.d)");
    TREE("`${Point{x: 1}}`", "(interp (new Point x:1))");
    TREE("if `${ {a: 1}.a }` { }", "(if (interp (obj a:1).a) {})");
    TREE("`${ /* } ` */ a // } `\n}`", "(interp a)");
}

static void interpolation_errors_stay_inside(void)
{
    FAILS("f(`x ${}`)\nlet = 1", "t:1:8: expected expression, got }\nt:2:5: expected name, got =");
    FAILS("f(`x ${a b} y ${= 1} z`, 1)\ng()",
          "t:1:10: expected }, got b\nt:1:17: expected expression, got =");
    FAILS("f(`${`${)}`}`)", "t:1:9: expected expression, got )");
    FAILS("f(`${ {a b} }`)\nlet = 1", "t:1:10: expected :, got b\nt:2:5: expected name, got =");
    FAILS("let s = `abc", "t:1:9: unterminated string");
    FAILS("let s = `abc ${x", "t:1:17: expected }, got EOF");
    FAILS("let s = `abc ${", "t:1:16: expected expression, got EOF");
    FAILS("let s = `abc ${x}", "t:1:18: unterminated string");
    FAILS("f(`a\\qb`)", "t:1:5: unknown escape \\q");
    FAILS("f(`a\\\nb`)", "t:1:5: unknown escape");
}

/* ---- comments and the rest ---- */

static void comments_are_space(void)
{
    TREE("a // b\n/* c */ d /* e */ + f", "a (+ d f)");
    TREE("/* a /* b */ c */ x", "x");
    TREE("/* a /* b /* c */ b */ a */ x", "x");
    TREE("/**/ x /***/ /*/**/*/", "x");
    TREE("x //", "x");
    TREE("a /* \n */ b", "a b");
    FAILS("f()\n/* no end", "t:2:1: unterminated comment");
    FAILS("f(\n/* no /* end */", "t:2:1: unterminated comment");
    FAILS("f() /*/", "t:1:5: unterminated comment");
}

static void first_line_and_byte_order_mark(void)
{
    TREE("#!/usr/bin/env langoost\nx", "x");
    TREE("#!", "");
    TREE("\xEF\xBB\xBFx", "x");
    TREE("\xEF\xBB\xBF#!x\ny", "y");
    FAILS("\xEF\xBB\xBFlet = 1", "t:1:5: expected name, got =");
    FAILS("x = 1\n#!x", "t:2:1: unexpected character #");
    FAILS("x = \xEF\xBB\xBF 1", "t:1:5: unexpected character U+FEFF");
}

static void bytes_that_begin_no_token(void)
{
    FAILS("let x = 1 @ 2", "t:1:11: unexpected character @");
    FAILS("let x = #@\\ 2\nlet = 2", "t:1:9: unexpected character #\nt:2:5: expected name, got =");
    FAILS("let \xC3\xA9 = 2", "t:1:5: unexpected character U+00E9");
    FAILS("x =\x0C 1", "t:1:4: unexpected byte 0x0C");
    TREE_N("x = \0 1", "t:1:5: unexpected byte 0x00");
    TREE_N("'a\0b' // \0\n/* \0 */ x", "\"a\\x00b\" x");
}

static void text_that_is_no_utf8_is_one_error(void)
{
    FAILS("let x = '\xFF'", "t:1:10: invalid UTF-8 byte 0xFF");
    FAILS("// \xE9t\xE9\nlet s = 'x\xE9y'\n/* \xE9 */ let t = 1", "t:1:4: invalid UTF-8 byte 0xE9");
    FAILS("let x = 1\n\n  `a\n\xC3`", "t:4:1: invalid UTF-8 byte 0xC3");
    FAILS("let x = \x80 1\nlet y = \x80", "t:1:9: invalid UTF-8 byte 0x80");
    FAILS("f('\xED\xA0\x80')", "t:1:4: invalid UTF-8 byte 0xED");
    FAILS("f('\xC0\x80')", "t:1:4: invalid UTF-8 byte 0xC0");
    FAILS("// \xF0\x9F\x98", "t:1:4: invalid UTF-8 byte 0xF0");
    TREE("'\xF0\x9F\x98\x80' // \xC3\xA9", "\"\\xf0\\x9f\\x98\\x80\"");
}

static void empty_texts(void)
{
    TREE("", "");
    TREE(" \r\n\t\n", "");
    TREE("// x", "");
    TREE(";;\n;", "");
    struct gs_source none = {.path = "t", .text = NULL, .len = 0};
    struct gs_arena *a = gs_arena_new();
    struct gs_diag *d = gs_diag_new();
    CU_ASSERT_EQUAL(gs_parse(a, &none, d)->list.n, 0);
    CU_ASSERT_EQUAL(gs_diag_errors(d), 0);
    gs_diag_free(d);
    gs_arena_free(a);
}

static void long_lines_are_ordinary(void)
{
    size_t n = 10u << 20;
    char *text = malloc(n);
    memset(text, 'a', n);
    memcpy(text, "x = '", 5);
    text[n - 1] = '\'';
    struct source_copy c = source_parse(text, n);
    CU_ASSERT_EQUAL(gs_diag_errors(c.diag), 0);
    CU_ASSERT_EQUAL(c.root->list.v[0]->b->str.n, n - 6);
    source_free(&c);
    memset(text, ' ', n);
    memcpy(text + n - 2, "x?", 2);
    c = source_parse(text, n);
    char *got = source_messages(c.diag);
    CU_ASSERT_STRING_EQUAL(got, "t:1:10485761: expected expression, got EOF\n");
    free(got);
    source_free(&c);
    free(text);
}

static const struct unit_case cases[] = {
    UNIT_CASE(every_token_of_the_list_is_read_as_itself),
    UNIT_CASE(keywords_are_keywords_only_as_whole_words),
    UNIT_CASE(tokens_know_their_places_and_newlines),
    UNIT_CASE(longest_token_wins),
    UNIT_CASE(integers_in_all_bases),
    UNIT_CASE(integers_above_the_largest_are_errors),
    UNIT_CASE(malformed_numbers_are_one_error_each),
    UNIT_CASE(floats_have_the_nearest_value),
    UNIT_CASE(a_point_needs_digits_on_both_sides),
    UNIT_CASE(quoted_strings_and_their_escapes),
    UNIT_CASE(bad_escapes_are_errors_at_the_backslash),
    UNIT_CASE(a_quoted_string_ends_on_its_line),
    UNIT_CASE(backtick_strings_interpolate),
    UNIT_CASE(interpolations_nest),
    UNIT_CASE(interpolation_errors_stay_inside),
    UNIT_CASE(comments_are_space),
    UNIT_CASE(first_line_and_byte_order_mark),
    UNIT_CASE(bytes_that_begin_no_token),
    UNIT_CASE(text_that_is_no_utf8_is_one_error),
    UNIT_CASE(empty_texts),
    UNIT_CASE(long_lines_are_ordinary),
};
UNIT_MAIN("lex", cases)
