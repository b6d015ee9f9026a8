#include "columns.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "core/text.h"

#define INT_DIGITS_MAX 18
#define NAME_MAX_CHARS 64

static size_t digits(struct view v, size_t at) {
    size_t n = 0;

    while (at + n < v.n && isdigit(v.p[at + n]))
        n++;
    return n;
}

static size_t sign(struct view v) {
    return v.n && (v.p[0] == '-' || v.p[0] == '+');
}

static bool leading_zero(struct view v, size_t at) {
    return v.p[at] == '0' && at + 1 < v.n && isdigit(v.p[at + 1]);
}

static bool is_int(struct view v) {
    size_t at = sign(v), n = digits(v, at);

    return n && n <= INT_DIGITS_MAX && at + n == v.n && !leading_zero(v, at);
}

/* [sign] digits [. digits] [e [sign] digits], with a digit before or behind the point. */
static bool is_real(struct view v, struct column_scan *s) {
    size_t at = sign(v), whole = digits(v, at), part = 0, power = 0;

    if (whole && leading_zero(v, at))
        return false;
    at += whole;
    if (at < v.n && v.p[at] == '.')
        at += 1 + (part = digits(v, at + 1));
    if (!whole && !part)
        return false;
    if (at < v.n && (v.p[at] == 'e' || v.p[at] == 'E')) {
        at++;
        at += at < v.n && (v.p[at] == '-' || v.p[at] == '+');
        at += power = digits(v, at);
        if (!power)
            return false;
    }
    *s = (struct column_scan){COLUMN_REAL, (unsigned)whole, (unsigned)part, power != 0};
    return at == v.n;
}

/* --- dates --- */

/* Exactly n digits at `at`; -1 when they are not there. */
static int number_at(struct view v, size_t at, size_t n) {
    int out = 0;

    if (at + n > v.n || digits(view_of(v.p, at + n), at) != n)
        return -1;
    for (size_t i = 0; i < n; i++)
        out = out * 10 + (v.p[at + i] - '0');
    return out;
}

static bool char_at(struct view v, size_t at, const char *any) {
    return at < v.n && v.p[at] && strchr(any, v.p[at]);
}

static int days_in(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01 in the Gregorian calendar, counted in years that start in March. */
static int64_t days_since_1970(int year, int month, int day) {
    int64_t y = year - (month <= 2), m = (month + 9) % 12;

    return y * 365 + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1 - 719468;
}

static bool read_date(struct view v, int64_t *days) {
    int y = number_at(v, 0, 4), m = number_at(v, 5, 2), d = number_at(v, 8, 2);

    if (!char_at(v, 4, "-") || !char_at(v, 7, "-") || y < 1 || m < 1 || m > 12 || d < 1 ||
        d > days_in(y, m))
        return false;
    *days = days_since_1970(y, m, d);
    return true;
}

/* One to six digits up to the end of the text, as microseconds. */
static bool read_fraction(struct view v, size_t at, int64_t *micros) {
    size_t n = digits(v, at);
    int f = n && n <= 6 && at + n == v.n ? number_at(v, at, n) : -1;

    for (; n < 6; n++)
        f *= 10;
    *micros += f;
    return f >= 0;
}

/* hh:mm[:ss[.f]] from `at` to the end of the text. */
static bool read_clock(struct view v, size_t at, int64_t *micros) {
    int h = number_at(v, at, 2), m = number_at(v, at + 3, 2), s;

    if (!char_at(v, at + 2, ":") || h < 0 || h > 23 || m < 0 || m > 59)
        return false;
    *micros = (h * 60 + m) * (int64_t)60000000;
    if (at + 5 == v.n)
        return true;
    s = number_at(v, at + 6, 2);
    if (!char_at(v, at + 5, ":") || s < 0 || s > 59)
        return false;
    *micros += s * (int64_t)1000000;
    return at + 8 == v.n || (char_at(v, at + 8, ".") && read_fraction(v, at + 9, micros));
}

bool column_time(struct view v, int64_t *micros) {
    int64_t days, clock = 0;

    if (!read_date(v, &days))
        return false;
    if (v.n > 10 && (!char_at(v, 10, " T") || !read_clock(v, 11, &clock)))
        return false;
    *micros = days * 86400000000 + clock;
    return true;
}

/* --- the type of a column --- */

static struct column_scan scan_of(const struct csv_field *f) {
    struct column_scan s = {.type = COLUMN_TEXT};
    int64_t micros;

    if (!f->text.n)
        return (struct column_scan){.type = COLUMN_EMPTY};
    if (f->text.n > 64)
        return s;
    if (is_int(f->text))
        return (struct column_scan){.type = COLUMN_INT,
                                    .whole = (unsigned)(f->text.n - sign(f->text))};
    if (is_real(f->text, &s))
        return s;
    if (column_time(f->text, &micros))
        return (struct column_scan){.type = f->text.n == 10 ? COLUMN_DATE : COLUMN_TIME};
    return (struct column_scan){.type = COLUMN_TEXT};
}

static enum column_type wider(enum column_type a, enum column_type b) {
    enum column_type low = a < b ? a : b, high = a < b ? b : a;
    bool numbers = high <= COLUMN_REAL, dates = low >= COLUMN_DATE && high <= COLUMN_TIME;

    return low == COLUMN_EMPTY || numbers || dates ? high : COLUMN_TEXT;
}

void column_scan_add(struct column_scan *s, const struct csv_field *f) {
    struct column_scan one;

    if (s->type == COLUMN_TEXT)
        return;
    one = scan_of(f);
    s->type = wider(s->type, one.type);
    s->whole = one.whole > s->whole ? one.whole : s->whole;
    s->frac = one.frac > s->frac ? one.frac : s->frac;
    s->power |= one.power;
}

static bool taken(const char *name, char *const *others, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!strcasecmp(name, others[i]))
            return true;
    return false;
}

char *name_distinct(char *name, char *const *others, size_t n) {
    char *tried = mem_str(name);

    for (unsigned k = 2; taken(tried, others, n); k++) {
        cleanup_free_fn(&tried);
        tried = mem_fmt("%s_%u", name, k);
    }
    cleanup_free_fn(&name);
    return tried;
}

static struct view trim(struct view v) {
    while (v.n && isspace(v.p[0]))
        v = view_of(v.p + 1, v.n - 1);
    while (v.n && isspace(v.p[v.n - 1]))
        v.n--;
    return v;
}

char *column_name(const struct csv_field *f, char *const *names, size_t i) {
    char *name = text_safe_new(trim(f->text), TEXT_LINE, NAME_MAX_CHARS);

    if (!*name) {
        cleanup_free_fn(&name);
        name = mem_fmt("column_%zu", i + 1);
    }
    return name_distinct(name, names, i);
}

/* Letters and digits of any script stay; ASCII letters become small. */
static void word_chars(char *s) {
    for (; *s; s++)
        if (!((unsigned char)*s & 0x80))
            *s = isalnum((unsigned char)*s) ? (char)tolower((unsigned char)*s) : '_';
}

char *table_name(const char *file) {
    char *name = file_name_safe(view_str(file));
    char *dot = strrchr(name, '.');

    if (dot && dot > name)
        *dot = '\0';
    word_chars(name);
    if (isdigit((unsigned char)*name) || !*name) {
        char *longer = mem_fmt("t_%s", name);

        cleanup_free_fn(&name);
        return longer;
    }
    return name;
}
