/* SPDX-License-Identifier: MIT
 * text_num.c - numbers to text and back.
 *
 * Float out  The shortest decimal that reads back equal, and among the shortest the closest:
 *            Giulietti's Schubfach ("The Schubfach way to render doubles", 2020-22), written from
 *            the paper. For v = c * 2^q it scales the ends and the middle of v's rounding interval
 *            by a 126-bit power of ten, so that integers of at most 17 digits are left, keeping a
 *            sticky bit each; comparisons of these are exact by the paper's bounds. One multiple of
 *            ten at most lies in the interval when fewer digits suffice; stripping its zeros gives
 *            the shortest.
 * Float in   Digits w * 10^k. Small ones are exact in double arithmetic. Others are multiplied with
 *            the same table, whose error is known: unless the product lies within that error of a
 *            rounding boundary, the result is decided; the few undecided, very long, denormal and
 *            huge ones go to strtod, which rounds correctly.
 */
#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint64_t hi, lo; /* 63 bits each */
} pow10_entry;

#define POW10_MIN (-292)
#define POW10_MAX 324

static const pow10_entry pow10_table[] = {
#define GS_POW10(k, high, low) {high, low},
#include "pow10.def"
#undef GS_POW10
};
_Static_assert(sizeof pow10_table / sizeof pow10_table[0] == POW10_MAX - POW10_MIN + 1, "");

__extension__ typedef unsigned __int128 u128;

/* Floors of logarithms by multiplication; exact for all exponents of doubles (checked for each when
 * the constants were made). */
static int floor_log10_pow2(int e)
{
    return (int)((int64_t)e * 661971961083 >> 41);
}
static int floor_log10_three_quarters_pow2(int e)
{
    return (int)(((int64_t)e * 661971961083 - 274743187321) >> 41);
}
static int floor_log2_pow10(int e)
{
    return (int)((int64_t)e * 913124641741 >> 38);
}

/* ---- ints ---- */

static const char digit_pairs[] = "00010203040506070809"
                                  "10111213141516171819"
                                  "20212223242526272829"
                                  "30313233343536373839"
                                  "40414243444546474849"
                                  "50515253545556575859"
                                  "60616263646566676869"
                                  "70717273747576777879"
                                  "80818283848586878889"
                                  "90919293949596979899";

static unsigned count_digits(uint64_t u)
{
    unsigned n = 1;
    for (;; n += 4, u /= 10000) {
        if (u < 10)
            return n;
        if (u < 100)
            return n + 1;
        if (u < 1000)
            return n + 2;
        if (u < 10000)
            return n + 3;
    }
}

/* Exactly n digits, with leading zeros. */
static void put_digits(char *out, uint64_t u, unsigned n)
{
    while (n >= 2) {
        n -= 2;
        memcpy(out + n, digit_pairs + u % 100 * 2, 2);
        u /= 100;
    }
    if (n)
        out[0] = (char)('0' + u % 10);
}

#define E8 100000000u

/* The eight digits of u < 10^8 as numbers 0 to 9, the first in the lowest byte: split by four, by two and by one, all parts at once. The
 * multiplications divide exactly: 10486 / 2^20 by 100 up to 10^4, 103 / 2^10 by 10 up to 100. */
GS_INLINE uint64_t eight_digits(uint64_t u)
{
    uint64_t x = u / 10000 | (u % 10000) << 32;
    uint64_t q = (x * 10486 >> 20) & 0x0000007f0000007fu;
    x = q | (x - q * 100) << 16;
    q = (x * 103 >> 10) & 0x000f000f000f000fu;
    return q | (x - q * 10) << 8;
}

#define ASCII_ZEROS 0x3030303030303030u

GS_INLINE void put_eight(char *out, uint64_t u)
{
    uint64_t text = eight_digits(u) | ASCII_ZEROS;
    memcpy(out, &text, 8);
}

/* u < 10^8 without leading zeros; gives their number. Writes eight bytes in one piece, so that whoever copies the text at once need not wait
 * for bytes to come together. */
GS_INLINE size_t put_up_to_eight(char *out, uint64_t u)
{
    uint64_t digits = eight_digits(u);
    unsigned zeros = (unsigned)__builtin_ctzll(digits | (uint64_t)1 << 56) & 0x38u; /* bits of leading zeros; the last digit stays */
    uint64_t text = (digits | ASCII_ZEROS) >> zeros;
    memcpy(out, &text, 8);
    return 8 - zeros / 8;
}

size_t gs_text_int(int64_t i, char out[GS_NUM_MAX])
{
    char *p = out;
    uint64_t u = (uint64_t)i;
    if (i < 0) {
        *p++ = '-';
        u = 0 - u;
    }
    if (GS_LIKELY(u < E8))
        return (size_t)(p - out) + put_up_to_eight(p, u);
    uint64_t high = u / E8;
    if (high >= E8) {
        p += put_up_to_eight(p, high / E8);
        put_eight(p, high % E8);
        p += 8;
    } else {
        p += put_up_to_eight(p, high);
    }
    put_eight(p, u % E8);
    return (size_t)(p - out) + 8;
}

/* ---- float to shortest decimal ---- */

/* cp * g / 2^127 rounded down, with bit 0 set when something was lost: compares like the exact
 * number with multiples of two. */
GS_INLINE uint64_t scale_to_odd(const pow10_entry *g, uint64_t cp)
{
    uint64_t x1 = (uint64_t)((u128)g->lo * cp >> 64);
    u128 y = (u128)g->hi * cp;
    uint64_t mask = UINT64_MAX >> 1;
    uint64_t z = ((uint64_t)y >> 1) + x1;
    uint64_t w = (uint64_t)(y >> 64) + (z >> 63);
    return w | (((z & mask) + mask) >> 63);
}

/* v = c * 2^q to d * 10^(*exp). */
static uint64_t shortest(uint64_t c, int q, int *exp)
{
    bool even_spacing = c != (uint64_t)1 << 52 || q == -1074;
    uint64_t odd = c & 1; /* the interval's ends round to v only when c is even */
    uint64_t cb = c << 2;
    int k = even_spacing ? floor_log10_pow2(q) : floor_log10_three_quarters_pow2(q);
    int h = q + floor_log2_pow10(-k) + 2;
    const pow10_entry *g = &pow10_table[-k - POW10_MIN];
    uint64_t v = scale_to_odd(g, cb << h);
    uint64_t low = scale_to_odd(g, (cb - (even_spacing ? 2 : 1)) << h) + odd;
    uint64_t high = scale_to_odd(g, (cb + 2) << h);
    *exp = k;
    uint64_t s = v >> 2;
    if (s >= 10) {
        uint64_t down = s / 10 * 10, up = down + 10;
        bool down_in = low <= down << 2, up_in = (up << 2) + odd <= high;
        if (down_in != up_in)
            return down_in ? down : up;
    }
    uint64_t t = s + 1;
    bool s_in = low <= s << 2, t_in = (t << 2) + odd <= high;
    if (s_in != t_in)
        return s_in ? s : t;
    uint64_t middle = (s + t) << 1;
    return v < middle || (v == middle && (s & 1) == 0) ? s : t;
}

static uint64_t strip_zeros(uint64_t d, int *exp)
{
    while (d % 10 == 0) {
        d /= 10;
        ++*exp;
    }
    return d;
}

/* ---- layout ---- */

/* d of n digits times 10^exp, 10^-6 <= value < 10^21. */
static size_t put_positional(char *out, uint64_t d, unsigned n, int exp)
{
    char digits[24];
    put_digits(digits, d, n);
    int point = (int)n + exp; /* digits before the point */
    char *p = out;
    if (point <= 0) {
        *p++ = '0';
        *p++ = '.';
        memset(p, '0', (size_t)-point);
        p += -point;
        memcpy(p, digits, n);
        return (size_t)(p - out) + n;
    }
    if (exp >= 0) {
        memcpy(p, digits, n);
        memset(p + n, '0', (size_t)exp);
        p += point;
        memcpy(p, ".0", 2);
        return (size_t)(p - out) + 2;
    }
    memcpy(p, digits, (size_t)point);
    p[point] = '.';
    memcpy(p + point + 1, digits + point, n - (unsigned)point);
    return n + 1;
}

static size_t put_exponent(char *out, uint64_t d, unsigned n, int exp)
{
    char *p = out + 1;
    put_digits(p, d, n);
    out[0] = out[1]; /* the digits stand one to the right: room for the point */
    if (n > 1) {
        out[1] = '.';
        p = out + n + 1;
    }
    int e = exp + (int)n - 1;
    *p++ = 'e';
    *p++ = e < 0 ? '-' : '+';
    uint64_t ue = (uint64_t)(e < 0 ? -e : e);
    unsigned ne = count_digits(ue);
    put_digits(p, ue, ne);
    return (size_t)(p - out) + ne;
}

static size_t put_special(char *out, const char *z)
{
    size_t n = strlen(z);
    memcpy(out, z, n);
    return n;
}

size_t gs_text_float(double v, char out[GS_NUM_MAX])
{
    if (v != v)
        return put_special(out, "NaN");
    uint64_t bits;
    memcpy(&bits, &v, 8);
    size_t sign = bits >> 63;
    char *p = out;
    if (sign)
        *p++ = '-';
    uint64_t c = bits & (((uint64_t)1 << 52) - 1);
    int be = (int)(bits >> 52 & 0x7ff);
    if (be == 0x7ff)
        return sign + put_special(p, "Inf");
    if (be == 0 && c == 0)
        return sign + put_special(p, "0.0");
    double a = sign ? -v : v;
    if (a < 0x1p53 && a == (double)(uint64_t)a) {
        size_t n = gs_text_int((int64_t)a, p);
        memcpy(p + n, ".0", 2);
        return sign + n + 2;
    }
    int exp;
    uint64_t d = be ? shortest(c | (uint64_t)1 << 52, be - 1075, &exp) : shortest(c, -1074, &exp);
    d = strip_zeros(d, &exp);
    unsigned n = count_digits(d);
    int e = exp + (int)n - 1;
    bool positional = e >= -6 && e < 21;
    return sign + (positional ? put_positional(p, d, n, exp) : put_exponent(p, d, n, exp));
}

/* ---- text to numbers ---- */

bool gs_text_parse_int(const char *p, size_t n, int64_t *out)
{
    bool neg = n > 0 && *p == '-';
    if (n > 0 && (*p == '-' || *p == '+')) {
        p++;
        n--;
    }
    if (n == 0)
        return false;
    uint64_t u = 0, max = (uint64_t)INT64_MAX + neg;
    for (size_t i = 0; i < n; i++) {
        unsigned d = (unsigned)(uint8_t)p[i] - '0';
        if (d > 9 || u > (max - d) / 10)
            return false;
        u = u * 10 + d;
    }
    *out = neg ? (int64_t)(0 - u) : (int64_t)u;
    return true;
}

struct decimal {
    uint64_t w;         /* the first 19 significant digits */
    int64_t exp;        /* value is w * 10^exp, when not `more` */
    bool more;          /* there are more digits than w holds */
    const char *digits; /* where the number starts, sign excluded */
    const char *end;    /* of the mantissa */
    int64_t given_exp;  /* as written behind e */
};

GS_INLINE bool is_digit(char c)
{
    return (unsigned)(uint8_t)c - '0' <= 9;
}

static const char *scan_exponent(const char *p, const char *end, int64_t *exp)
{
    bool neg = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (p == end || !is_digit(*p))
        return NULL;
    int64_t e = 0;
    for (; p < end && is_digit(*p); p++)
        if (e < 100000000)
            e = e * 10 + (*p - '0');
    *exp = neg ? -e : e;
    return p;
}

/* digits [. digits] [e [sign] digits], a digit at least before or behind the point; false unless
 * all of it is that. */
static bool scan_decimal(const char *p, const char *end, struct decimal *d)
{
    memset(d, 0, sizeof *d);
    d->digits = p;
    unsigned n = 0;
    bool any = false, point = false;
    for (; p < end; p++) {
        if (*p == '.' && !point) {
            point = true;
            continue;
        }
        if (!is_digit(*p))
            break;
        any = true;
        if (n < 19) {
            d->w = d->w * 10 + (uint64_t)(*p - '0');
            n += d->w != 0;
            d->exp -= point;
        } else {
            d->more = d->more || *p != '0';
            d->exp += !point;
        }
    }
    d->end = p;
    if (!any)
        return false;
    if (p < end && (*p == 'e' || *p == 'E'))
        p = scan_exponent(p + 1, end, &d->given_exp);
    d->exp += d->given_exp;
    return p == end;
}

static const double exact_pow10[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Both operands exact, so one rounding. */
static bool convert_exact(const struct decimal *d, double *out)
{
    if (d->w > (uint64_t)1 << 53 || d->exp < -22 || d->exp > 22)
        return false;
    double w = (double)d->w;
    *out = d->exp < 0 ? w / exact_pow10[-d->exp] : w * exact_pow10[d->exp];
    return true;
}

/* By the table; false when undecided. */
static bool convert_table(const struct decimal *d, double *out)
{
    if (d->exp < POW10_MIN || d->exp > 308)
        return false;
    const pow10_entry *g = &pow10_table[d->exp - POW10_MIN];
    int lz = __builtin_clzll(d->w);
    uint64_t w = d->w << lz;
    /* P = w * g has 189 or 190 bits; the exact product lies in [P - w, P). top: P / 2^64. */
    u128 g128 = (u128)g->hi << 63 | g->lo;
    u128 lo = (u128)w * (uint64_t)g128, hi = (u128)w * (uint64_t)(g128 >> 64);
    u128 top = hi + (uint64_t)(lo >> 64);
    /* value = top * 2^(64 - lz + r), r = floor(log2(10^exp)) - 125 */
    int e2 = 64 - lz + floor_log2_pow10((int)d->exp) - 125;
    int width = (uint64_t)(top >> 64) >> 61 & 1 ? 126 : 125;
    int shift = width - 53;
    uint64_t m = (uint64_t)(top >> shift);
    u128 rest = top & (((u128)1 << shift) - 1), half = (u128)1 << (shift - 1);
    if (rest >= half - 2 && rest <= half + 2)
        return false; /* too near to the middle for the table's error */
    m += rest > half;
    e2 += shift;
    if (e2 < -1074 || e2 > 960) /* near the ends of the range: not here */
        return false;
    *out = ldexp((double)m, e2); /* exact: m has at most 54 bits with a zero last when 54 */
    return true;
}

/* The rest: a canonical copy for strtod. 800 digits decide any double (767 suffice); a further one
 * stands for all behind. */
static bool convert_long(const struct decimal *d, double *out)
{
    char buf[900];
    size_t n = 0;
    int64_t exp = d->given_exp;
    bool point = false, lost = false;
    for (const char *p = d->digits; p < d->end; p++) {
        if (*p == '.') {
            point = true;
        } else if (n < 800 && (n > 0 || *p != '0')) {
            buf[n++] = *p;
            exp -= point;
        } else {
            lost = lost || *p != '0';
            exp += n > 0 ? !point : -(int64_t)point;
        }
    }
    if (lost) {
        buf[n++] = '1';
        exp--;
    }
    if (n == 0)
        buf[n++] = '0';
    if (exp < -100000)
        exp = -100000;
    if (exp > 100000)
        exp = 100000;
    buf[n++] = 'e';
    n += gs_text_int(exp, buf + n);
    buf[n] = 0;
    *out = strtod(buf, NULL);
    return true;
}

static bool parse_word(const char *p, size_t n, double *out)
{
    if (n == 3 && memcmp(p, "Inf", 3) == 0) {
        *out = INFINITY;
        return true;
    }
    if (n == 3 && memcmp(p, "NaN", 3) == 0) {
        *out = NAN;
        return true;
    }
    return false;
}

bool gs_text_parse_float(const char *p, size_t n, double *out)
{
    bool neg = n > 0 && *p == '-';
    if (n > 0 && (*p == '-' || *p == '+')) {
        p++;
        n--;
    }
    double v;
    if (!parse_word(p, n, &v)) {
        struct decimal d;
        if (!scan_decimal(p, p + n, &d))
            return false;
        if (d.w == 0)
            v = 0; /* w has all digits: leading zeros are not counted */
        else if (d.more || (!convert_exact(&d, &v) && !convert_table(&d, &v)))
            (void)convert_long(&d, &v);
        if (isinf(v))
            return false;
    }
    *out = neg ? -v : v;
    return true;
}
