#include "csv.h"

#include <string.h>
#include "core/text.h"

struct csv {
    struct view all;
    size_t at;     /* offset of the next byte */
    uint64_t line; /* its line, from 1 */
    char separator;
    size_t n_fields; /* of the header; 0 before it is read */
    size_t cap;      /* room in field and start */
    struct csv_field *field;
    size_t *start;       /* of a quoted field's text in `unquoted` */
    struct buf unquoted; /* text of the row's quoted fields, one after the other */
};

static const char separators[] = ",;\t|";

static bool starts_with(struct view v, const char *bytes, size_t n) {
    return v.n >= n && !memcmp(v.p, bytes, n);
}

static int check_kind(struct view v, struct err *e) {
    if (!v.n)
        return err_set(e, "bad-csv", "the file is empty");
    if (starts_with(v, "\xff\xfe", 2) || starts_with(v, "\xfe\xff", 2))
        return err_set(e, "bad-csv", "the file is UTF-16 text: save it as UTF-8");
    if (starts_with(v, "PK\x03\x04", 4))
        return err_set(e, "bad-csv",
                       "the file is a ZIP archive or a spreadsheet: export it as CSV");
    return 0;
}

static const char *separator_at(struct view v, size_t i) {
    return v.p[i] ? strchr(separators, v.p[i]) : NULL;
}

/* A quote opens where a field may begin, and closes anywhere. */
static bool quote_turns(struct view v, size_t i, bool quoted) {
    return v.p[i] == '"' && (quoted || i == 0 || separator_at(v, i - 1));
}

/* The separator that the first line has most of, outside quotes. */
static char find_separator(struct view v) {
    size_t count[sizeof separators] = {0}, best = 0;
    bool quoted = false;

    for (size_t i = 0; i < v.n && (quoted || (v.p[i] != '\n' && v.p[i] != '\r')); i++) {
        const char *s = separator_at(v, i);

        if (quote_turns(v, i, quoted))
            quoted = !quoted;
        else if (s && !quoted)
            count[s - separators]++;
    }
    for (size_t i = 1; separators[i]; i++)
        if (count[i] > count[best])
            best = i;
    return separators[best];
}

struct csv *csv_new(struct view bytes, struct err *e) {
    struct csv *c;

    if (starts_with(bytes, "\xef\xbb\xbf", 3))
        bytes = view_of(bytes.p + 3, bytes.n - 3);
    if (check_kind(bytes, e))
        return NULL;
    c = mem_new(sizeof *c);
    c->all = bytes;
    c->line = 1;
    c->separator = find_separator(bytes);
    buf_str(&c->unquoted, ""); /* so that it has a place in memory */
    return c;
}

void csv_free(struct csv *c) {
    if (!c)
        return;
    buf_wipe(&c->unquoted);
    cleanup_free_fn(&c->field);
    cleanup_free_fn(&c->start);
    cleanup_free_fn(&c);
}

void csv_rewind(struct csv *c) {
    c->at = 0;
    c->line = 1;
    c->n_fields = 0;
}

size_t csv_offset(const struct csv *c) {
    return c->at;
}

static bool at_end(const struct csv *c) {
    return c->at == c->all.n;
}

static uint8_t here(const struct csv *c) {
    return c->all.p[c->at];
}

static bool at_line_end(const struct csv *c) {
    return at_end(c) || here(c) == '\n' || here(c) == '\r';
}

static void skip_line_end(struct csv *c) {
    if (at_end(c))
        return;
    if (here(c) == '\r' && c->at + 1 < c->all.n && c->all.p[c->at + 1] == '\n')
        c->at++;
    c->at++;
    c->line++;
}

static int too_long(const struct csv *c, struct err *e) {
    return err_set(e, "bad-csv", "line %llu: a field of more than %zu bytes",
                   (unsigned long long)c->line, CSV_FIELD_MAX);
}

static int plain_field(struct csv *c, size_t i, struct err *e) {
    size_t start = c->at;

    while (!at_line_end(c) && here(c) != (uint8_t)c->separator)
        c->at++;
    c->field[i] = (struct csv_field){view_of(c->all.p + start, c->at - start), false};
    return c->at - start > CSV_FIELD_MAX ? too_long(c, e) : 0;
}

/* Copies up to the closing quote. Line ends inside count, so that later messages name the right
 * line. */
static int copy_quoted(struct csv *c, struct err *e) {
    uint64_t opened = c->line;
    size_t start = c->unquoted.n;

    for (; !at_end(c); c->at++) {
        if (here(c) == '"' && (c->at + 1 == c->all.n || c->all.p[c->at + 1] != '"'))
            return 0;
        if (here(c) == '"')
            c->at++;
        c->line += here(c) == '\n';
        buf_u8(&c->unquoted, here(c));
        if (c->unquoted.full || c->unquoted.n - start > CSV_FIELD_MAX)
            return too_long(c, e);
    }
    return err_set(e, "bad-csv", "line %llu: a quote is opened and never closed",
                   (unsigned long long)opened);
}

/* The buffer may move until the row is complete: settle() turns starts into pointers. */
static int quoted_field(struct csv *c, size_t i, struct err *e) {
    size_t start = c->unquoted.n;

    c->at++;
    if (copy_quoted(c, e))
        return -1;
    c->at++;
    if (!at_line_end(c) && here(c) != (uint8_t)c->separator)
        return err_set(e, "bad-csv", "line %llu: text behind a closing quote",
                       (unsigned long long)c->line);
    c->start[i] = start;
    c->field[i] = (struct csv_field){{NULL, c->unquoted.n - start}, true};
    return 0;
}

static void settle(struct csv *c, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (c->field[i].quoted && c->field[i].text.n)
            c->field[i].text.p = c->unquoted.p + c->start[i];
}

static int check_text(const struct csv *c, size_t from, uint64_t line, struct err *e) {
    struct view row = view_of(c->all.p + from, c->at - from);

    if (memchr(row.p, 0, row.n))
        return err_set(e, "bad-csv", "line %llu has a NUL byte: this is not a CSV file",
                       (unsigned long long)line);
    if (!utf8_valid(row))
        return err_set(e, "bad-csv", "line %llu is not UTF-8 text: save the file as UTF-8",
                       (unsigned long long)line);
    return 0;
}

static void make_room(struct csv *c, size_t n) {
    if (n < c->cap)
        return;
    c->cap = c->cap ? 2 * c->cap : 16;
    c->field = mem_grow(c->field, c->cap * sizeof *c->field);
    c->start = mem_grow(c->start, c->cap * sizeof *c->start);
}

static int read_fields(struct csv *c, size_t *n, struct err *e) {
    for (*n = 0;; c->at++) {
        if (*n == CSV_COLUMNS_MAX)
            return err_set(e, "bad-csv", "line %llu has more than %d fields",
                           (unsigned long long)c->line, CSV_COLUMNS_MAX);
        make_room(c, *n);
        if (!at_end(c) && here(c) == '"' ? quoted_field(c, *n, e) : plain_field(c, *n, e))
            return -1;
        ++*n;
        if (at_line_end(c))
            return 0;
    }
}

static int check_count(struct csv *c, size_t n, uint64_t line, struct err *e) {
    if (!c->n_fields)
        c->n_fields = n;
    if (n != c->n_fields)
        return err_set(e, "bad-csv", "line %llu has %zu field%s where the header has %zu",
                       (unsigned long long)line, n, n == 1 ? "" : "s", c->n_fields);
    return 0;
}

int csv_next(struct csv *c, struct csv_row *row, struct err *e) {
    size_t n, from;

    while (!at_end(c) && at_line_end(c))
        skip_line_end(c);
    if (at_end(c))
        return 0;
    buf_reset(&c->unquoted);
    from = c->at;
    row->line = c->line;
    if (read_fields(c, &n, e) || check_text(c, from, row->line, e) ||
        check_count(c, n, row->line, e))
        return -1;
    settle(c, n);
    skip_line_end(c);
    row->field = c->field;
    row->n = n;
    return 1;
}
