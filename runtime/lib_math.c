/* SPDX-License-Identifier: MIT
 * lib_math.c - the module math: basic, trig, log, random, bitwise, constants; every sub-module also flat (math.sqrt).
 *
 * Kinds      abs min max sign clamp keep the kind of their arguments; floor ceil round trunc give ints; the rest floats.
 * Random     xoshiro256** (Blackman and Vigna, 2018), one state for each VM, seeded from the system's entropy when a task first draws, or by seed(n), which expands n
 *            with SplitMix64. So tasks draw from unrelated sequences unless they seed themselves.
 */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/random.h>

#include "lib.h"
#include "port/clock.h"
#include "port/mem.h"

/* ---- arguments ---- */

static int bad_number(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i)
{
    double d;
    return gs_arg_num(vm, fn, args, i, &d);
}

static bool is_number(gs_value v)
{
    return gs_is_intlike(v) || v.tag == GS_T_FLOAT;
}

#define FLOAT1(name, expr)                                                                                             \
    static int m_##name(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)                                   \
    {                                                                                                                  \
        (void)n;                                                                                                       \
        double x;                                                                                                      \
        int st = gs_arg_num(vm, #name, args, 0, &x);                                                                   \
        if (st == GS_OK)                                                                                               \
            *ret = gs_float(expr);                                                                                     \
        return st;                                                                                                     \
    }

#define FLOAT2(name, expr)                                                                                             \
    static int m_##name(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)                                   \
    {                                                                                                                  \
        (void)n;                                                                                                       \
        double x, y;                                                                                                   \
        int st = gs_arg_num(vm, #name, args, 0, &x);                                                                   \
        if (st == GS_OK)                                                                                               \
            st = gs_arg_num(vm, #name, args, 1, &y);                                                                   \
        if (st == GS_OK)                                                                                               \
            *ret = gs_float(expr);                                                                                     \
        return st;                                                                                                     \
    }

/* ---- math.basic ---- */

FLOAT1(sqrt, sqrt(x))
FLOAT1(cbrt, cbrt(x))
FLOAT2(pow, pow(x, y))
FLOAT2(hypot, hypot(x, y))

static int to_int(struct gs_vm *vm, const char *fn, gs_value *args, double (*round_fn)(double), gs_value *ret)
{
    if (gs_is_intlike(args[0])) {
        *ret = args[0];
        return GS_OK;
    }
    double x;
    int st = gs_arg_num(vm, fn, args, 0, &x);
    if (st != GS_OK)
        return st;
    double r = round_fn(x);
    if (!(r >= -0x1p63 && r < 0x1p63)) {
        char t[GS_NUM_MAX];
        t[gs_text_float(x, t)] = '\0';
        return gs_throw(vm, GS_ERR_VALUE, "%s of %s does not fit an int", fn, t);
    }
    *ret = gs_int((int64_t)r);
    return GS_OK;
}

#define TO_INT(name)                                                                                                   \
    static int m_##name(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)                                   \
    {                                                                                                                  \
        (void)n;                                                                                                       \
        return to_int(vm, #name, args, name, ret);                                                                     \
    }
TO_INT(floor)
TO_INT(ceil)
TO_INT(round) /* C's round is half away from zero */
TO_INT(trunc)

static int m_abs(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    if (gs_is_intlike(args[0]))
        *ret = gs_int(args[0].i < 0 ? (int64_t)(0 - args[0].u) : args[0].i); /* MIN_INT stays itself: it wraps */
    else if (args[0].tag == GS_T_FLOAT)
        *ret = gs_float(fabs(args[0].d));
    else
        return bad_number(vm, "abs", args, 0);
    return GS_OK;
}

static int m_sign(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    if (gs_is_intlike(args[0]))
        *ret = gs_int((args[0].i > 0) - (args[0].i < 0));
    else if (args[0].tag == GS_T_FLOAT)
        *ret = gs_float(args[0].d > 0 ? 1.0 : args[0].d < 0 ? -1.0 : args[0].d); /* 0.0, -0.0 and NaN stay */
    else
        return bad_number(vm, "sign", args, 0);
    return GS_OK;
}

/* a < b of numbers, exact; false when one is NaN. */
static bool less(gs_value a, gs_value b)
{
    if (gs_is_intlike(a))
        return gs_is_intlike(b) ? a.i < b.i : gs_cmp_int_float(a.i, b.d) == -1;
    return gs_is_intlike(b) ? gs_cmp_int_float(b.i, a.d) == 1 : a.d < b.d;
}

static bool is_nan(gs_value v)
{
    return v.tag == GS_T_FLOAT && isnan(v.d);
}

/* The winner itself; the first of equals; a NaN anywhere wins. */
static int extreme(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t n, bool max, gs_value *ret)
{
    for (uint32_t i = 0; i < n; i++)
        if (!is_number(args[i]))
            return bad_number(vm, fn, args, i);
    gs_value best = args[0];
    for (uint32_t i = 1; i < n && !is_nan(best); i++)
        if (is_nan(args[i]) || (max ? less(best, args[i]) : less(args[i], best)))
            best = args[i];
    *ret = best;
    return GS_OK;
}

static int m_min(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    return extreme(vm, "min", args, n, false, ret);
}

static int m_max(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    return extreme(vm, "max", args, n, true, ret);
}

static int m_clamp(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    for (uint32_t i = 0; i < n; i++)
        if (!is_number(args[i]))
            return bad_number(vm, "clamp", args, i);
    if (less(args[2], args[1]))
        return gs_throw(vm, GS_ERR_VALUE, "clamp: the lower bound is above the upper bound");
    *ret = less(args[0], args[1]) ? args[1] : less(args[2], args[0]) ? args[2] : args[0];
    return GS_OK;
}

static int m_gcd(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    int64_t x, y;
    int st = gs_arg_int(vm, "gcd", args, 0, &x);
    if (st == GS_OK)
        st = gs_arg_int(vm, "gcd", args, 1, &y);
    if (st != GS_OK)
        return st;
    uint64_t a = x < 0 ? 0 - (uint64_t)x : (uint64_t)x, b = y < 0 ? 0 - (uint64_t)y : (uint64_t)y;
    while (b != 0) {
        uint64_t t = a % b;
        a = b;
        b = t;
    }
    *ret = gs_int((int64_t)a);
    return GS_OK;
}

static const struct gs_lib_entry basic[] = {
    GS_FN_AS(FLOOR, "floor", m_floor, 1, 1, GS_NF_PURE), GS_FN_AS(CEIL, "ceil", m_ceil, 1, 1, GS_NF_PURE),
    GS_FN_AS(ROUND, "round", m_round, 1, 1, GS_NF_PURE), GS_FN_AS(TRUNC, "trunc", m_trunc, 1, 1, GS_NF_PURE),
    GS_FN_AS(ABS, "abs", m_abs, 1, 1, GS_NF_PURE),     GS_FN_AS(MIN, "min", m_min, 1, GS_ARGS_ANY, GS_NF_PURE),
    GS_FN_AS(MAX, "max", m_max, 1, GS_ARGS_ANY, GS_NF_PURE), GS_FN("sign", m_sign, 1, 1, GS_NF_PURE),
    GS_FN("clamp", m_clamp, 3, 3, GS_NF_PURE), GS_FN_AS(SQRT, "sqrt", m_sqrt, 1, 1, GS_NF_PURE),
    GS_FN_AS(POW, "pow", m_pow, 2, 2, GS_NF_PURE),     GS_FN_AS(CBRT, "cbrt", m_cbrt, 1, 1, GS_NF_PURE),
    GS_FN_AS(HYPOT, "hypot", m_hypot, 2, 2, GS_NF_PURE), GS_FN("gcd", m_gcd, 2, 2, GS_NF_PURE),
};
GS_LIB_MODULE(gs_lib_math_basic, "math.basic", true, basic);

/* ---- math.trig ---- */

#define PI 3.141592653589793
FLOAT1(sin, sin(x))
FLOAT1(cos, cos(x))
FLOAT1(tan, tan(x))
FLOAT1(asin, asin(x))
FLOAT1(acos, acos(x))
FLOAT1(atan, atan(x))
FLOAT2(atan2, atan2(x, y))
FLOAT1(deg, x * 180.0 / PI)
FLOAT1(rad, x * PI / 180.0)
FLOAT1(sinh, sinh(x))
FLOAT1(cosh, cosh(x))
FLOAT1(tanh, tanh(x))

static const struct gs_lib_entry trig[] = {
    GS_FN_AS(SIN, "sin", m_sin, 1, 1, GS_NF_PURE),   GS_FN_AS(COS, "cos", m_cos, 1, 1, GS_NF_PURE),   GS_FN_AS(TAN, "tan", m_tan, 1, 1, GS_NF_PURE),
    GS_FN("asin", m_asin, 1, 1, GS_NF_PURE), GS_FN("acos", m_acos, 1, 1, GS_NF_PURE), GS_FN_AS(ATAN, "atan", m_atan, 1, 1, GS_NF_PURE),
    GS_FN_AS(ATAN2, "atan2", m_atan2, 2, 2, GS_NF_PURE), GS_FN("deg", m_deg, 1, 1, GS_NF_PURE), GS_FN("rad", m_rad, 1, 1, GS_NF_PURE),
    GS_FN("sinh", m_sinh, 1, 1, GS_NF_PURE), GS_FN("cosh", m_cosh, 1, 1, GS_NF_PURE), GS_FN("tanh", m_tanh, 1, 1, GS_NF_PURE),
};
GS_LIB_MODULE(gs_lib_math_trig, "math.trig", true, trig);

/* ---- math.log ---- */

FLOAT1(ln, log(x))
FLOAT1(log2, log2(x))
FLOAT1(log10, log10(x))
FLOAT1(exp, exp(x))

static const struct gs_lib_entry logs[] = {
    GS_FN_AS(LN, "ln", m_ln, 1, 1, GS_NF_PURE),
    GS_FN_AS(LOG2, "log2", m_log2, 1, 1, GS_NF_PURE),
    GS_FN_AS(LOG10, "log10", m_log10, 1, 1, GS_NF_PURE),
    GS_FN_AS(EXP, "exp", m_exp, 1, 1, GS_NF_PURE),
};
GS_LIB_MODULE(gs_lib_math_log, "math.log", true, logs);

/* ---- math.random ---- */

struct rng { /* vm->lib */
    uint64_t s[4];
};

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = *x += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static void rng_seed(struct rng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        r->s[i] = splitmix(&seed);
}

/* The VM's generator; NULL when memory is out. Freed by gs_vm_free with vm->lib. */
static struct rng *rng_of(struct gs_vm *vm)
{
    if (vm->lib == NULL) {
        struct rng *r = gs_mem_alloc(sizeof *r);
        if (r == NULL)
            return NULL;
        uint64_t seed;
        if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
            seed = (uint64_t)gs_clock_wall_ns() ^ (uint64_t)(uintptr_t)r;
        rng_seed(r, seed);
        vm->lib = r;
    }
    return vm->lib;
}

static uint64_t rotl(uint64_t x, unsigned k)
{
    return x << (k & 63) | x >> (-k & 63);
}

static uint64_t rng_next(struct rng *r)
{
    uint64_t *s = r->s, out = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return out;
}

/* Evenly below n (n > 0), by Lemire's multiplication with rejection. */
static uint64_t rng_below(struct rng *r, uint64_t n)
{
    __extension__ typedef unsigned __int128 u128;
    u128 m = (u128)rng_next(r) * n;
    if ((uint64_t)m < n)
        for (uint64_t t = -n % n; (uint64_t)m < t;)
            m = (u128)rng_next(r) * n;
    return (uint64_t)(m >> 64);
}

static int r_int(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    int64_t lo, hi;
    int st = gs_arg_int(vm, "int", args, 0, &lo);
    if (st == GS_OK)
        st = gs_arg_int(vm, "int", args, 1, &hi);
    if (st != GS_OK)
        return st;
    if (lo > hi)
        return gs_throw(vm, GS_ERR_VALUE, "int: empty range, %lld is above %lld", (long long)lo, (long long)hi);
    struct rng *r = rng_of(vm);
    if (r == NULL)
        return GS_E_NOMEM;
    uint64_t span = (uint64_t)hi - (uint64_t)lo + 1; /* both ends belong to it; 0: all 2^64 */
    *ret = gs_int((int64_t)((uint64_t)lo + (span == 0 ? rng_next(r) : rng_below(r, span))));
    return GS_OK;
}

static int r_float(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    struct rng *r = rng_of(vm);
    if (r == NULL)
        return GS_E_NOMEM;
    *ret = gs_float((double)(rng_next(r) >> 11) * 0x1p-53); /* in [0, 1) */
    return GS_OK;
}

static int r_seed(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    (void)ret;
    int64_t seed;
    int st = gs_arg_int(vm, "seed", args, 0, &seed);
    if (st != GS_OK)
        return st;
    struct rng *r = rng_of(vm);
    if (r == NULL)
        return GS_E_NOMEM;
    rng_seed(r, (uint64_t)seed);
    return GS_OK;
}

/* In place (Fisher and Yates); gives the array. */
static int r_shuffle(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_array *a;
    int st = gs_arg_array(vm, "shuffle", args, 0, &a);
    if (st != GS_OK)
        return st;
    struct rng *r = rng_of(vm);
    if (r == NULL || gs_array_unshare(&vm->heap, a) != GS_OK)
        return GS_E_NOMEM;
    for (int64_t i = a->len - 1; i > 0; i--) {
        int64_t j = (int64_t)rng_below(r, (uint64_t)i + 1);
        gs_value x = gs_array_at(a, i), y = gs_array_at(a, j);
        if (gs_array_set(&vm->heap, a, i, y) != GS_OK || gs_array_set(&vm->heap, a, j, x) != GS_OK)
            return GS_E_NOMEM; /* cannot be: same kinds, own storage */
    }
    *ret = args[0];
    return GS_OK;
}

static int r_choice(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_array *a;
    int st = gs_arg_array(vm, "choice", args, 0, &a);
    if (st != GS_OK)
        return st;
    if (a->len == 0)
        return gs_throw(vm, GS_ERR_VALUE, "choice from an empty array");
    struct rng *r = rng_of(vm);
    if (r == NULL)
        return GS_E_NOMEM;
    *ret = gs_array_at(a, (int64_t)rng_below(r, (uint64_t)a->len));
    return GS_OK;
}

static const struct gs_lib_entry random_entries[] = {
    GS_FN("int", r_int, 2, 2, 0),         GS_FN("float", r_float, 0, 0, 0),   GS_FN("seed", r_seed, 1, 1, 0),
    GS_FN("shuffle", r_shuffle, 1, 1, 0), GS_FN("choice", r_choice, 1, 1, 0),
};
GS_LIB_MODULE(gs_lib_math_random, "math.random", true, random_entries);

/* ---- math.bitwise ---- */

static int two_ints(struct gs_vm *vm, const char *fn, gs_value *args, uint64_t *x, uint64_t *y)
{
    int st = gs_arg_int(vm, fn, args, 0, (int64_t *)x);
    return st != GS_OK ? st : gs_arg_int(vm, fn, args, 1, (int64_t *)y);
}

#define BITS2(name, text, expr)                                                                                        \
    static int b_##name(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)                                   \
    {                                                                                                                  \
        (void)n;                                                                                                       \
        uint64_t x = 0, y = 0;                                                                                         \
        int st = two_ints(vm, text, args, &x, &y);                                                                     \
        if (st == GS_OK)                                                                                               \
            *ret = gs_int((int64_t)(expr));                                                                            \
        return st;                                                                                                     \
    }
BITS2(and, "and", x & y)
BITS2(or, "or", x | y)
BITS2(xor, "xor", x ^ y)
BITS2(shl, "shl", x << (y & 63))
BITS2(shr, "shr", (int64_t)x >> (y & 63))
BITS2(rotl, "rotl", rotl(x, (unsigned)y))

#define BITS1(name, text, expr)                                                                                        \
    static int b_##name(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)                                   \
    {                                                                                                                  \
        (void)n;                                                                                                       \
        int64_t i = 0;                                                                                                 \
        int st = gs_arg_int(vm, text, args, 0, &i);                                                                    \
        uint64_t x = (uint64_t)i;                                                                                      \
        if (st == GS_OK)                                                                                               \
            *ret = gs_int((int64_t)(expr));                                                                            \
        return st;                                                                                                     \
    }
BITS1(not, "not", ~x)
BITS1(popcount, "popcount", __builtin_popcountll(x))
BITS1(clz, "clz", x == 0 ? 64 : __builtin_clzll(x))
BITS1(ctz, "ctz", x == 0 ? 64 : __builtin_ctzll(x))

static const struct gs_lib_entry bitwise[] = {
    GS_FN_AS(AND, "and", b_and, 2, 2, GS_NF_PURE), GS_FN_AS(OR, "or", b_or, 2, 2, GS_NF_PURE),   GS_FN_AS(XOR, "xor", b_xor, 2, 2, GS_NF_PURE),
    GS_FN_AS(NOT, "not", b_not, 1, 1, GS_NF_PURE), GS_FN_AS(SHL, "shl", b_shl, 2, 2, GS_NF_PURE), GS_FN_AS(SHR, "shr", b_shr, 2, 2, GS_NF_PURE),
    GS_FN_AS(POPCOUNT, "popcount", b_popcount, 1, 1, GS_NF_PURE), GS_FN_AS(CLZ, "clz", b_clz, 1, 1, GS_NF_PURE),
    GS_FN_AS(CTZ, "ctz", b_ctz, 1, 1, GS_NF_PURE), GS_FN_AS(ROTL, "rotl", b_rotl, 2, 2, GS_NF_PURE),
};
GS_LIB_MODULE(gs_lib_math_bitwise, "math.bitwise", true, bitwise);

/* ---- constants ---- */

static const struct gs_lib_entry constants[] = {
    GS_FLOAT_CONST("PI", PI),           GS_FLOAT_CONST("E", 2.718281828459045),
    GS_FLOAT_CONST("INF", INFINITY),    GS_FLOAT_CONST("NAN", NAN),
    GS_INT_CONST("MAX_INT", INT64_MAX), GS_INT_CONST("MIN_INT", INT64_MIN),
};
GS_LIB_MODULE(gs_lib_math, "math", false, constants);
