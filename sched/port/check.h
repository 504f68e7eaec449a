/* SPDX-License-Identifier: MIT
 * check.h - assertions, panic, branch hints.
 */
#ifndef GS_SCHED_PORT_CHECK_H
#define GS_SCHED_PORT_CHECK_H

#define GS_LIKELY(x) __builtin_expect(!!(x), 1)
#define GS_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define GS_COLD __attribute__((cold, noinline))
#define GS_NOINLINE __attribute__((noinline))
#define GS_INLINE static inline __attribute__((always_inline))
#define GS_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define GS_API __attribute__((visibility("default")))

/* Prints "langoost: internal error: ..." with file and line on stderr and aborts. */
GS_API _Noreturn void gs_panic_at(const char *file, int line, const char *what);
#define gs_panic(what) gs_panic_at(__FILE__, __LINE__, (what))

/* Always on: for what would corrupt memory. */
#define GS_CHECK(c) ((c) ? (void)0 : gs_panic("check failed: " #c))
/* Debug builds only. */
#if defined(GS_DEBUG)
#define GS_ASSERT(c) ((c) ? (void)0 : gs_panic("assertion failed: " #c))
#else
#define GS_ASSERT(c) ((void)sizeof(!(c)))
#endif
#define GS_UNREACHABLE() gs_panic("unreachable")

#endif
