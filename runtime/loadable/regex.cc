/* SPDX-License-Identifier: MIT
 * regex.cc - goost_regex.so: the regular expressions of RE2 behind a C face. The only C++ in the
 * project, kept to what the face needs.
 *
 * Errors     No exception leaves: RE2 throws none of its own, and std::bad_alloc becomes an answer.
 * Limits     RE2 bounds its automata, but not what parsing takes, nor the capture positions of a
 *            search with groups. A pattern from outside could take gigabytes that way, so we refuse
 *            it first.
 */
#include "regex.h"

#include <cstring>
#include <new>
#include <string>
#include <vector>

#include <re2/re2.h>

namespace
{

/* For one expression, both directions and their caches of states. RE2's own default; beyond it a
 * search goes on with the slower automaton. */
constexpr int64_t MEMORY = 8 << 20;
constexpr size_t LENGTH_MAX = 256 << 10;
/* Each \p is expanded while parsing, to about 40 KB: 10,000 of them took 390 MB and seconds. */
constexpr size_t UNICODE_CLASSES_MAX = 2000;
/* A search with groups may keep two positions a group for each instruction: 10,000 nested groups
 * took 1.6 GB. */
constexpr size_t CAPTURES_MAX = 256 << 20;
constexpr size_t FEW = 10; /* groups without an allocation */

const RE2 *re2_of(const gs_regex *r)
{
    return reinterpret_cast<const RE2 *>(r);
}

void explain(char *why, size_t room, const std::string &text)
{
    size_t n = text.size() < room - 1 ? text.size() : room - 1;
    std::memcpy(why, text.data(), n);
    why[n] = '\0';
}

size_t unicode_classes(const char *p, size_t n)
{
    size_t found = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        if (p[i] != '\\')
            continue;
        i++; /* so that an escaped backslash escapes nothing */
        found += p[i] == 'p' || p[i] == 'P';
    }
    return found;
}

/* Bytes of capture positions that a search may take. */
size_t captures(const RE2 *re)
{
    return static_cast<size_t>(re->ProgramSize()) *
           (static_cast<size_t>(re->NumberOfCapturingGroups()) + 1) * 2 * sizeof(char *);
}

gs_regex *compile(const char *p, size_t n, char *why, size_t room)
try {
    if (n > LENGTH_MAX || unicode_classes(p, n) > UNICODE_CLASSES_MAX) {
        explain(why, room, "pattern too large");
        return nullptr;
    }
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(MEMORY);
    RE2 *re = new RE2(re2::StringPiece(p, n), options);
    if (re->ok() && captures(re) <= CAPTURES_MAX)
        return reinterpret_cast<gs_regex *>(re);
    explain(why, room, re->ok() ? "pattern too large: too many groups" : re->error());
    delete re;
    return nullptr;
} catch (const std::bad_alloc &) {
    why[0] = '\0';
    return nullptr;
}

void destroy(gs_regex *r)
{
    delete re2_of(r);
}

size_t groups(const gs_regex *r)
{
    return static_cast<size_t>(re2_of(r)->NumberOfCapturingGroups());
}

size_t group_named(const gs_regex *r, const char *p, size_t n)
try {
    const auto &names = re2_of(r)->NamedCapturingGroups();
    auto it = names.find(std::string(p, n));
    return it != names.end() ? static_cast<size_t>(it->second) : 0;
} catch (const std::bad_alloc &) {
    return 0;
}

gs_regex_result find(gs_regex *r, const char *s, size_t n, size_t from, gs_span *spans,
                     size_t nspans)
try {
    re2::StringPiece few[FEW];
    std::vector<re2::StringPiece> many(nspans > FEW ? nspans : 0);
    re2::StringPiece *parts = nspans > FEW ? many.data() : few;
    if (!re2_of(r)->Match(re2::StringPiece(s, n), from, n, RE2::UNANCHORED, parts,
                          static_cast<int>(nspans)))
        return GS_REGEX_NONE;
    for (size_t i = 0; i < nspans; i++) {
        bool took_part = parts[i].data() != nullptr;
        spans[i].from = took_part ? static_cast<size_t>(parts[i].data() - s) : GS_SPAN_NONE;
        spans[i].to = took_part ? spans[i].from + parts[i].size() : GS_SPAN_NONE;
    }
    return GS_REGEX_FOUND;
} catch (const std::bad_alloc &) {
    return GS_REGEX_NOMEM;
}

} // namespace

extern "C" const gs_regex_face goost_regex = {compile, destroy, groups, group_named, find};
