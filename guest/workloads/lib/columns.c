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
static bool is_real(struct view v) {
    size_t at = sign(v), whole = digits(v, at), part = 0, power;

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
    return at == v.n;
}

static enum column_type type_of(const struct csv_field *f) {
    if (!f->text.n)
        return COLUMN_EMPTY;
    if (f->text.n > 64)
        return COLUMN_TEXT;
    return is_int(f->text) ? COLUMN_INT : is_real(f->text) ? COLUMN_REAL : COLUMN_TEXT;
}

enum column_type column_widen(enum column_type so_far, const struct csv_field *f) {
    enum column_type t = so_far == COLUMN_TEXT ? COLUMN_TEXT : type_of(f);

    return t > so_far ? t : so_far;
}

const char *column_sql_type(enum column_type t) {
    static const char *const names[] = {"TEXT", "INTEGER", "REAL", "TEXT"};

    return names[t];
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
