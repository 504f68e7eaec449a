/* SPDX-License-Identifier: MIT
 * lib_time.c - the module time: clock, timer, date. Dates are UTC seconds since 1970, in the proleptic Gregorian calendar.
 *
 * Calendar   Days to year-month-day and back by the usual count from 1 March of year 0, in eras of 400 years: exact for every int64 second whose year fits.
 */
#include <stdio.h>
#include <time.h>

#include "lib.h"
#include "port/clock.h"

/* ---- the calendar ---- */

struct civil {
    int64_t year;
    int month, day, hour, minute, second, weekday; /* weekday: 0 Sunday */
};

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b != 0 && (a < 0) != (b < 0));
}

static int64_t days_from_civil(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = floor_div(y, 400), yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static struct civil civil_from(int64_t sec)
{
    int64_t days = floor_div(sec, 86400), rest = sec - days * 86400;
    int64_t z = days + 719468, era = floor_div(z, 146097), doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    struct civil c;
    c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
    c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
    c.year = yoe + era * 400 + (c.month <= 2);
    c.hour = (int)(rest / 3600);
    c.minute = (int)(rest / 60 % 60);
    c.second = (int)(rest % 60);
    c.weekday = (int)(((days % 7) + 7 + 4) % 7);
    return c;
}

static bool is_leap(int64_t y)
{
    return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

/* ---- time.clock ---- */

static int clock_now(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    struct civil c = civil_from(gs_clock_wall_ns() / 1000000000);
    char t[64];
    int len = snprintf(t, sizeof t, "%04lld-%02d-%02dT%02d:%02d:%02dZ", (long long)c.year, c.month, c.day, c.hour, c.minute,
                       c.second);
    return gs_ret_str(ret, gs_str_new(&vm->heap, t, (size_t)len));
}

#define CLOCK(name, expr)                                                                                              \
    static int clock_##name(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)                               \
    {                                                                                                                  \
        (void)vm;                                                                                                      \
        (void)args;                                                                                                    \
        (void)n;                                                                                                       \
        *ret = gs_int(expr);                                                                                           \
        return GS_OK;                                                                                                  \
    }
CLOCK(unix, gs_clock_wall_ns() / 1000000000)
CLOCK(unixMilli, gs_clock_wall_ns() / 1000000)
CLOCK(unixMicro, gs_clock_wall_ns() / 1000)
CLOCK(unixNano, gs_clock_wall_ns())
CLOCK(monotonic, gs_clock_mono_ns())

static const struct gs_lib_entry clock_entries[] = {
    GS_FN("now", clock_now, 0, 0, GS_NF_PURE),
    GS_FN("unix", clock_unix, 0, 0, GS_NF_PURE),
    GS_FN("unixMilli", clock_unixMilli, 0, 0, GS_NF_PURE),
    GS_FN("unixMicro", clock_unixMicro, 0, 0, GS_NF_PURE),
    GS_FN("unixNano", clock_unixNano, 0, 0, GS_NF_PURE),
    GS_FN("monotonic", clock_monotonic, 0, 0, GS_NF_PURE),
};
GS_LIB_MODULE(gs_lib_time_clock, "time.clock", true, clock_entries);

/* ---- time.timer: since and until take a reading of clock.unixMilli and give milliseconds ---- */

static int distance(struct gs_vm *vm, const char *fn, gs_value *args, bool until, gs_value *ret)
{
    int64_t t;
    int st = gs_arg_int(vm, fn, args, 0, &t);
    if (st != GS_OK)
        return st;
    uint64_t now = (uint64_t)(gs_clock_wall_ns() / 1000000);
    *ret = gs_int((int64_t)(until ? (uint64_t)t - now : now - (uint64_t)t));
    return GS_OK;
}

static int timer_since(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    return distance(vm, "since", args, false, ret);
}

static int timer_until(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    return distance(vm, "until", args, true, ret);
}

static const struct gs_lib_entry timer_entries[] = {
    GS_FN("sleep", gs_native_sleep, 1, 1, 0),
    GS_FN("since", timer_since, 1, 1, GS_NF_PURE),
    GS_FN("until", timer_until, 1, 1, GS_NF_PURE),
};
GS_LIB_MODULE(gs_lib_time_timer, "time.timer", true, timer_entries);

/* ---- time.date ---- */

#define PART(name)                                                                                                     \
    static int date_##name(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)                                \
    {                                                                                                                  \
        (void)n;                                                                                                       \
        int64_t t;                                                                                                     \
        int st = gs_arg_int(vm, #name, args, 0, &t);                                                                   \
        if (st == GS_OK)                                                                                               \
            *ret = gs_int(civil_from(t).name);                                                                         \
        return st;                                                                                                     \
    }
PART(year)
PART(month)
PART(day)
PART(hour)
PART(minute)
PART(second)
PART(weekday)

static int date_isLeapYear(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    int64_t y;
    int st = gs_arg_int(vm, "isLeapYear", args, 0, &y);
    if (st == GS_OK)
        *ret = gs_bool(is_leap(y));
    return st;
}

/* fromParts(year, month, day[, hour, minute, second]); each part must be in its range. */
static int date_fromParts(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    static const char *const names[] = {"year", "month", "day", "hour", "minute", "second"};
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t v[6] = {0};
    for (uint32_t i = 0; i < n; i++) {
        int st = gs_arg_int(vm, "fromParts", args, i, &v[i]);
        if (st != GS_OK)
            return st;
    }
    int64_t lo[] = {-200000000000, 1, 1, 0, 0, 0}, hi[] = {200000000000, 12, 31, 23, 59, 59};
    for (int i = 0; i < 6; i++) {
        if (i == 2)
            hi[2] = days[v[1] - 1] + (v[1] == 2 && is_leap(v[0]));
        if (v[i] < lo[i] || v[i] > hi[i])
            return gs_throw(vm, GS_ERR_VALUE, "fromParts: %s must be between %lld and %lld, got %lld", names[i], (long long)lo[i],
                            (long long)hi[i], (long long)v[i]);
    }
    *ret = gs_int(days_from_civil(v[0], v[1], v[2]) * 86400 + v[3] * 3600 + v[4] * 60 + v[5]);
    return GS_OK;
}

static const struct gs_lib_entry date_entries[] = {
    GS_FN("year", date_year, 1, 1, GS_NF_PURE),       GS_FN("month", date_month, 1, 1, GS_NF_PURE),
    GS_FN("day", date_day, 1, 1, GS_NF_PURE),         GS_FN("hour", date_hour, 1, 1, GS_NF_PURE),
    GS_FN("minute", date_minute, 1, 1, GS_NF_PURE),   GS_FN("second", date_second, 1, 1, GS_NF_PURE),
    GS_FN("weekday", date_weekday, 1, 1, GS_NF_PURE), GS_FN("isLeapYear", date_isLeapYear, 1, 1, GS_NF_PURE),
    GS_FN("fromParts", date_fromParts, 3, 6, GS_NF_PURE),
};
GS_LIB_MODULE(gs_lib_time_date, "time.date", false, date_entries);
