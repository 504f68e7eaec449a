/* SPDX-License-Identifier: MIT
 * regex.h - the face of goost_regex.so: regular expressions in linear time. Also read by C++.
 */
#ifndef GS_RUNTIME_LOADABLE_REGEX_H
#define GS_RUNTIME_LOADABLE_REGEX_H

#include <stddef.h>

struct gs_regex;

struct gs_span { /* bytes [from, to); from == GS_SPAN_NONE: a group that took no part */
    size_t from, to;
};
#define GS_SPAN_NONE ((size_t)-1)

enum gs_regex_result { GS_REGEX_NONE, GS_REGEX_FOUND, GS_REGEX_NOMEM };

struct gs_regex_face {
    /* NULL: malformed, or too large; why (room bytes) says so, or is "" when memory is out. */
    struct gs_regex *(*compile)(const char *p, size_t n, char *why, size_t room);
    void (*free)(struct gs_regex *);
    /* Number of groups, the whole match not counted. */
    size_t (*groups)(const struct gs_regex *);
    /* Number of a named group; 0: there is none. */
    size_t (*group_named)(const struct gs_regex *, const char *p, size_t n);
    /* The leftmost match in s at or after `from` (<= n); what stands before counts as context. Sets
     * nspans spans: the whole match, then its groups; fewer are faster. An object may be used by
     * one thread at a time only, so that threads do not meet in its cache. */
    enum gs_regex_result (*find)(struct gs_regex *, const char *s, size_t n, size_t from,
                                 struct gs_span *spans, size_t nspans);
};

#ifdef __cplusplus
extern "C" {
#endif
extern const struct gs_regex_face goost_regex __attribute__((visibility("default")));
#ifdef __cplusplus
}
#endif

#endif
