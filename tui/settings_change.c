/* Settings that change while the program runs, and the way back into the file. */
#include "tui/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/conf_edit.h"

#define FILE_MAX ((size_t)1 << 20)

static const char FIRST_LINES[] = "# What `cdvm`, `cdvm ask` and `cdvm offers` read; cdvm.conf(5) "
                                  "explains each key.\n\n";

static size_t row_of(const struct conf_key *key) {
    return (size_t)(key - settings_keys);
}

static void *field(struct settings *s, const struct conf_key *key) {
    return (char *)s + key->offset;
}

static bool listed(const struct conf_list *l, const char *entry) {
    for (size_t i = 0; i < l->n; i++)
        if (!strcmp(l->v[i], entry))
            return true;
    return false;
}

static void mark(struct settings *s, const struct conf_key *key) {
    s->changed |= UINT64_C(1) << row_of(key);
}

/* Kept until the end: a job may have borrowed it. */
static void retire(struct settings *s, void *p) {
    struct conf_list *l = &s->retired;

    l->v = mem_grow(l->v, (l->n + 1) * sizeof *l->v);
    l->v[l->n++] = p;
}

/* --- values --- */

static int check_policy(const struct settings *s, const struct conf_key *key, struct err *e) {
    struct policy p;

    return key == settings_key("policy") ? settings_policy(s->policy, false, &p, e) : 0;
}

static int put_text(struct settings *s, const struct conf_key *key, struct view value,
                    struct err *e) {
    char **at = field(s, key), *old = *at;

    *at = NULL;
    if (value.n > 0 && (conf_set(settings_keys, settings_n_keys, key->name, value, s, e) != 0 ||
                        check_policy(s, key, e) != 0)) {
        free(*at);
        *at = old;
        return -1;
    }
    if (old)
        retire(s, old);
    return 0;
}

/* A longer array beside the old one, which a job may be reading. */
static void list_put(struct settings *s, struct conf_list *l, const char *entry) {
    char **v = mem_new((l->n + 1) * sizeof *v);

    if (l->n > 0)
        memcpy(v, l->v, l->n * sizeof *v);
    v[l->n] = mem_str(entry);
    if (l->v)
        retire(s, l->v);
    l->v = v;
    l->n++;
}

static void list_drop(struct settings *s, struct conf_list *l, const char *entry) {
    char **v = mem_new((l->n + 1) * sizeof *v);
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++)
        if (!strcmp(l->v[i], entry))
            retire(s, l->v[i]);
        else
            v[n++] = l->v[i];
    if (l->v)
        retire(s, l->v);
    *l = (struct conf_list){v, n};
}

static int put_entry(struct settings *s, const struct conf_key *key, struct view value,
                     struct err *e) {
    struct settings alone = {0};
    struct conf_list *given = field(&alone, key), *l = field(s, key);
    size_t nth;
    int rc = conf_set(settings_keys, settings_n_keys, key->name, value, &alone, e);

    if (rc == 0 && settings_bad_entry(&alone, &nth, e))
        rc = -1;
    if (rc == 0 && !listed(l, given->v[0])) {
        list_put(s, l, given->v[0]);
        settings_suggest(s, key, given->v[0]);
    }
    settings_free(&alone);
    return rc;
}

static int put_plain(struct settings *s, const struct conf_key *key, struct view value,
                     struct err *e) {
    return conf_set(settings_keys, settings_n_keys, key->name, value, s, e);
}

int settings_put(struct settings *s, const struct conf_key *key, struct view value, struct err *e) {
    typedef int put_fn(struct settings *, const struct conf_key *, struct view, struct err *);
    static put_fn *const PUT[] = {
        [CONF_STRING] = put_text, [CONF_LIST] = put_entry,   [CONF_NUMBER] = put_plain,
        [CONF_BOOL] = put_plain,  [CONF_CHOICE] = put_plain,
    };

    if (PUT[key->type](s, key, value, e) != 0)
        return -1;
    mark(s, key);
    return 0;
}

/* From a policy file back to standard: its name can be typed again. */
static bool next_policy(struct settings *s, const struct conf_key *key) {
    bool strict = s->policy && !strcmp(s->policy, "strict");
    struct err e;

    return settings_put(s, key, view_str(strict ? "standard" : "strict"), &e) == 0;
}

bool settings_next(struct settings *s, const struct conf_key *key) {
    unsigned *choice = field(s, key);
    bool *on = field(s, key);

    if (key == settings_key("policy"))
        return next_policy(s, key);
    if (key->type == CONF_BOOL)
        *on = !*on;
    else if (key->type == CONF_CHOICE)
        *choice = key->choices[*choice + 1] ? *choice + 1 : 0;
    else
        return false;
    mark(s, key);
    return true;
}

/* --- lists --- */

void settings_suggest(struct settings *s, const struct conf_key *key, const char *entry) {
    struct conf_list *known = &s->known[row_of(key)];

    if (!listed(known, entry))
        settings_list_add(known, entry);
}

const struct conf_list *settings_known(struct settings *s, const struct conf_key *key) {
    const struct conf_list *l = field(s, key);

    for (size_t i = 0; i < l->n; i++)
        settings_suggest(s, key, l->v[i]);
    return &s->known[row_of(key)];
}

bool settings_in_use(const struct settings *s, const struct conf_key *key, const char *entry) {
    return listed((const void *)((const char *)s + key->offset), entry);
}

void settings_toggle(struct settings *s, const struct conf_key *key, const char *entry) {
    struct conf_list *l = field(s, key);

    settings_suggest(s, key, entry);
    if (listed(l, entry))
        list_drop(s, l, entry);
    else
        list_put(s, l, entry);
    mark(s, key);
}

/* --- the file --- */

/* Of a list: what the file has and nobody switched off, then what is in use. */
static void values_now(const struct settings *s, const struct settings *of_file,
                       const struct conf_key *key, struct conf_list *out) {
    const struct conf_list *now = field((struct settings *)s, key);
    const struct conf_list *then = field((struct settings *)of_file, key);

    if (key->type != CONF_LIST) {
        conf_values(key, s, out);
        return;
    }
    *out = (struct conf_list){0};
    for (size_t i = 0; i < then->n; i++)
        if (listed(now, then->v[i]) || !listed(&s->known[row_of(key)], then->v[i]))
            settings_list_add(out, then->v[i]);
    for (size_t i = 0; i < now->n; i++)
        if (!listed(out, now->v[i]))
            settings_list_add(out, now->v[i]);
}

static void edit_key(const struct settings *s, const struct settings *of_file,
                     const struct conf_key *key, struct buf *text) {
    cleanup_buf struct buf next = {0};
    struct conf_list values;
    struct buf old = *text;

    values_now(s, of_file, key, &values);
    conf_edit(buf_view(text), key->name, &values, &next);
    *text = next;
    next = old;
    settings_list_free(&values);
}

static int edit_text(const struct settings *s, const char *path, struct buf *text, struct err *e) {
    struct settings was = {0}, then = {0};
    int rc = conf_parse(buf_view(text), path, settings_keys, settings_n_keys, &was, e);

    for (size_t i = 0; rc == 0 && i < settings_n_keys; i++)
        if (s->changed & UINT64_C(1) << i)
            edit_key(s, &was, &settings_keys[i], text);
    if (rc == 0)
        rc = conf_parse(buf_view(text), path, settings_keys, settings_n_keys, &then, e);
    settings_free(&was);
    settings_free(&then);
    return rc;
}

int settings_save(struct settings *s, const char *path, struct err *e) {
    cleanup_free char *real = realpath(path, NULL);
    cleanup_buf struct buf text = {0};

    if (!real && errno != ENOENT)
        return err_sys(e, errno, "cannot read '%s'", path);
    if (!real)
        buf_str(&text, FIRST_LINES);
    else if (file_read(real, FILE_MAX, &text, e) != 0)
        return -1;
    if (edit_text(s, path, &text, e) != 0)
        return err_wrap(e, "nothing was written");
    if (file_write(real ? real : path, buf_view(&text), 0600, true, e) != 0)
        return -1;
    s->changed = 0;
    return 0;
}
