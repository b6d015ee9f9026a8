#include "conf.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX ((size_t)1 << 20)
#define VALUE_MAX 4096
#define LIST_MAX 1000

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static struct view trim(struct view v) {
    while (v.n && is_blank(v.p[0]))
        v = view_of(v.p + 1, v.n - 1);
    while (v.n && is_blank(v.p[v.n - 1]))
        v.n--;
    return v;
}

static int bad_value(const struct conf_key *key, struct view value, const char *want,
                     struct err *e) {
    cleanup_free char *safe = text_safe_new(value, TEXT_LINE, 60);

    return err_set(e, "bad-config", "%s: '%s' is not %s", key->name, safe, want);
}

static void *field(const struct conf_key *key, void *out) {
    return (char *)out + key->offset;
}

/* A value becomes a C string, a path or a URL: what cannot be in one is refused here, once. */
static int check_text(const struct conf_key *key, struct view value, struct err *e) {
    uint64_t max = key->max ? key->max : VALUE_MAX;

    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] < 0x20 || value.p[i] == 0x7f)
            return bad_value(key, value, "text without control characters", e);
    if (!utf8_valid(value))
        return bad_value(key, value, "UTF-8", e);
    if (value.n > max)
        return err_set(e, "bad-config", "%s: longer than %llu bytes", key->name,
                       (unsigned long long)max);
    return 0;
}

static int set_string(const struct conf_key *key, struct view value, void *out, struct err *e) {
    char **s = field(key, out);

    if (check_text(key, value, e) < 0)
        return -1;
    free(*s);
    *s = mem_strn(value.p, value.n);
    return 0;
}

static int add_list(const struct conf_key *key, struct view value, void *out, struct err *e) {
    struct conf_list *l = field(key, out);

    if (check_text(key, value, e) < 0)
        return -1;
    if (l->n == LIST_MAX)
        return err_set(e, "bad-config", "%s: given more than %d times", key->name, LIST_MAX);
    l->v = mem_grow(l->v, (l->n + 1) * sizeof *l->v);
    l->v[l->n++] = mem_strn(value.p, value.n);
    return 0;
}

static int set_number(const struct conf_key *key, struct view value, void *out, struct err *e) {
    uint64_t x = 0;
    bool ok = value.n > 0;

    for (size_t i = 0; ok && i < value.n; i++)
        ok = value.p[i] >= '0' && value.p[i] <= '9' && !__builtin_mul_overflow(x, 10, &x) &&
             !__builtin_add_overflow(x, (uint64_t)(value.p[i] - '0'), &x);
    if (!ok)
        return bad_value(key, value, "a whole number", e);
    if (x < key->min || x > key->max)
        return err_set(e, "bad-config", "%s: %llu is not between %llu and %llu", key->name,
                       (unsigned long long)x, (unsigned long long)key->min,
                       (unsigned long long)key->max);
    *(uint64_t *)field(key, out) = x;
    return 0;
}

static int set_bool(const struct conf_key *key, struct view value, void *out, struct err *e) {
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true},   {"yes", true}, {"on", true},   {"1", true},
                 {"false", false}, {"no", false}, {"off", false}, {"0", false}};

    for (size_t i = 0; i < COUNT(words); i++)
        if (view_is(value, words[i].word)) {
            *(bool *)field(key, out) = words[i].value;
            return 0;
        }
    return bad_value(key, value, "yes or no", e);
}

static int set_choice(const struct conf_key *key, struct view value, void *out, struct err *e) {
    cleanup_buf struct buf want = {0};

    for (unsigned i = 0; key->choices[i]; i++) {
        if (view_is(value, key->choices[i])) {
            *(unsigned *)field(key, out) = i;
            return 0;
        }
        buf_fmt(&want, "%s%s", i ? ", " : "one of ", key->choices[i]);
    }
    return bad_value(key, value, (const char *)want.p, e);
}

static int set_value(const struct conf_key *key, struct view value, void *out, struct err *e) {
    static int (*const setter[])(const struct conf_key *, struct view, void *, struct err *) = {
        [CONF_STRING] = set_string, [CONF_LIST] = add_list,     [CONF_NUMBER] = set_number,
        [CONF_BOOL] = set_bool,     [CONF_CHOICE] = set_choice,
    };

    return setter[key->type](key, value, out, e);
}

static const struct conf_key *find(const struct conf_key *keys, size_t n, struct view name,
                                   struct err *e) {
    cleanup_free char *safe = NULL;

    for (size_t i = 0; i < n; i++)
        if (view_is(name, keys[i].name))
            return &keys[i];
    safe = text_safe_new(name, TEXT_LINE, 60);
    err_set(e, "bad-config", "unknown key '%s'", safe);
    return NULL;
}

int conf_set(const struct conf_key *keys, size_t n, const char *name, struct view value, void *out,
             struct err *e) {
    const struct conf_key *key = find(keys, n, view_str(name), e);

    return key ? set_value(key, value, out, e) : -1;
}

static void list_clear(struct conf_list *l) {
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i]);
    free(l->v);
    *l = (struct conf_list){0};
}

static struct view take_line(struct view *text) {
    const uint8_t *end = text->n ? memchr(text->p, '\n', text->n) : NULL;
    struct view line = view_of(text->p, end ? (size_t)(end - text->p) : text->n);
    size_t used = line.n + (end != NULL);

    *text = view_of(text->p + used, text->n - used);
    return line;
}

/* `seen` has one byte a key. A second mention is an error, but for a list, whose first mention
 * clears the default. */
static int first_mention(const struct conf_key *key, uint8_t *seen, void *out, struct err *e) {
    bool again = *seen;

    *seen = 1;
    if (again && key->type != CONF_LIST)
        return err_set(e, "bad-config", "'%s' is given twice", key->name);
    if (!again && key->type == CONF_LIST)
        list_clear(field(key, out));
    return 0;
}

static int parse_line(struct view line, const struct conf_key *keys, size_t n, uint8_t *seen,
                      void *out, struct err *e) {
    const struct conf_key *key;
    const uint8_t *eq;
    struct view value;

    line = trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return 0;
    eq = memchr(line.p, '=', line.n);
    if (!eq)
        return err_set(e, "bad-config", "a line must read 'key = value'");
    value = trim(view_of(eq + 1, line.n - (size_t)(eq + 1 - line.p)));
    key = find(keys, n, trim(view_of(line.p, (size_t)(eq - line.p))), e);
    if (!key || first_mention(key, &seen[key - keys], out, e) < 0)
        return -1;
    return set_value(key, value, out, e);
}

int conf_parse(struct view text, const char *file, const struct conf_key *keys, size_t n, void *out,
               struct err *e) {
    cleanup_free uint8_t *seen = mem_new(n);

    for (size_t line = 1; text.n; line++)
        if (parse_line(take_line(&text), keys, n, seen, out, e) < 0)
            return err_wrap(e, "%s:%zu", file, line);
    return 0;
}

int conf_load(const char *path, const struct conf_key *keys, size_t n, void *out, struct err *e) {
    cleanup_buf struct buf text = {0};

    if (access(path, F_OK) != 0 && errno == ENOENT)
        return 0;
    if (file_read(path, FILE_MAX, &text, e) < 0)
        return -1;
    return conf_parse(buf_view(&text), path, keys, n, out, e);
}

void conf_free(const struct conf_key *keys, size_t n, void *out) {
    for (size_t i = 0; i < n; i++) {
        void *p = field(&keys[i], out);

        if (keys[i].type == CONF_LIST)
            list_clear(p);
        if (keys[i].type == CONF_STRING) {
            free(*(char **)p);
            *(char **)p = NULL;
        }
    }
}
