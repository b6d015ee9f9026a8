#include "conf_edit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void add(struct conf_list *l, char *owned) {
    l->v = mem_grow(l->v, (l->n + 1) * sizeof *l->v);
    l->v[l->n++] = owned;
}

void conf_values(const struct conf_key *key, const void *in, struct conf_list *out) {
    const void *at = (const char *)in + key->offset;
    const struct conf_list *l = at;

    *out = (struct conf_list){0};
    switch (key->type) {
    case CONF_STRING:
        if (*(char *const *)at)
            add(out, mem_str(*(char *const *)at));
        return;
    case CONF_LIST:
        for (size_t i = 0; i < l->n; i++)
            add(out, mem_str(l->v[i]));
        return;
    case CONF_NUMBER:
        add(out, mem_fmt("%" PRIu64, *(const uint64_t *)at));
        return;
    case CONF_BOOL:
        add(out, mem_str(*(const bool *)at ? "yes" : "no"));
        return;
    case CONF_CHOICE:
        add(out, mem_str(key->choices[*(const unsigned *)at]));
        return;
    }
}

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct view trim(const uint8_t *p, const uint8_t *end) {
    while (p < end && is_blank(*p))
        p++;
    while (p < end && is_blank(end[-1]))
        end--;
    return view_of(p, (size_t)(end - p));
}

static struct view line_of(struct view text) {
    const uint8_t *end = text.n ? memchr(text.p, '\n', text.n) : NULL;

    return view_of(text.p, end ? (size_t)(end - text.p) + 1 : text.n);
}

/* Is this a line of `key`? Then *value is what it says. */
static bool says(struct view line, const char *key, struct view *value) {
    struct view name = trim(line.p, line.p + line.n);
    const uint8_t *eq = name.n && name.p[0] != '#' ? memchr(name.p, '=', name.n) : NULL;

    if (!eq)
        return false;
    *value = trim(eq + 1, name.p + name.n);
    return view_is(trim(name.p, eq), key);
}

static size_t lines_of(struct view text, const char *key) {
    struct view line, value;
    size_t n = 0;

    for (; text.n; text = view_of(text.p + line.n, text.n - line.n)) {
        line = line_of(text);
        n += says(line, key, &value);
    }
    return n;
}

struct wanted {
    const char *key;
    const struct conf_list *values;
    bool *there; /* one for each value */
};

static bool take(struct wanted *w, struct view value) {
    for (size_t i = 0; i < w->values->n; i++)
        if (!w->there[i] && view_is(value, w->values->v[i]))
            return w->there[i] = true;
    return false;
}

/* Those that no line of the text says. */
static void add_missing(const struct wanted *w, struct buf *out) {
    for (size_t i = 0; i < w->values->n; i++) {
        if (w->there[i])
            continue;
        if (out->n > 0 && out->p[out->n - 1] != '\n')
            buf_str(out, "\n");
        buf_fmt(out, "%s = %s\n", w->key, w->values->v[i]);
    }
}

static void mark_kept(struct view text, struct wanted *w) {
    struct view line, value;

    for (; text.n; text = view_of(text.p + line.n, text.n - line.n)) {
        line = line_of(text);
        if (says(line, w->key, &value))
            (void)take(w, value);
    }
}

void conf_edit(struct view text, const char *key, const struct conf_list *values, struct buf *out) {
    cleanup_free bool *missing = mem_new(values->n + 1), *kept = mem_new(values->n + 1);
    struct wanted all = {key, values, missing}, each = {key, values, kept};
    size_t left = lines_of(text, key);
    struct view line, value;

    mark_kept(text, &all);
    for (; text.n; text = view_of(text.p + line.n, text.n - line.n)) {
        bool ours;

        line = line_of(text);
        ours = says(line, key, &value);
        if (!ours || take(&each, value))
            buf_add(out, line.p, line.n);
        if (ours && --left == 0) {
            add_missing(&all, out);
            memset(missing, true, values->n);
        }
    }
    add_missing(&all, out);
}

size_t conf_line(struct view text, const char *key, size_t nth) {
    struct view line, value;

    for (size_t n = 1; text.n; n++, text = view_of(text.p + line.n, text.n - line.n)) {
        line = line_of(text);
        if (says(line, key, &value) && nth-- == 0)
            return n;
    }
    return 0;
}
