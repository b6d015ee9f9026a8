#include "filter.h"
#include "enc.h"
#include "json.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define ELEMENTS_MAX 500 /* of all lists of one filter together */

struct parse {
    struct filter *f;
    const char *key;
    size_t elements;
    struct err *e;
};

static int invalid(struct parse *p, const char *why) {
    cleanup_free char *key = text_safe_new(view_str(p->key), TEXT_LINE, 40);

    return err_set(p->e, "invalid", "filter key '%s' %s", key, why);
}

/* Counts the list against the filter's limit; -1 when v is no list. */
static int list_size(struct parse *p, const cJSON *v, size_t *n) {
    *n = 0;
    if (!cJSON_IsArray(v))
        return invalid(p, "must be a list");
    for (const cJSON *m = v->child; m; m = m->next)
        ++*n;
    p->elements += *n;
    return p->elements <= ELEMENTS_MAX ? 0 : invalid(p, "brings the filter over 500 elements");
}

static int parse_hex_list(struct parse *p, const cJSON *v, uint8_t (**out)[32], size_t *n) {
    size_t i = 0;

    if (list_size(p, v, n) < 0)
        return -1;
    *out = mem_new(*n * sizeof **out);
    for (const cJSON *m = v->child; m; m = m->next, i++)
        if (!hex_decode_str(cJSON_GetStringValue(m), (*out)[i], 32))
            return invalid(p, "must hold 64 lower-case hex digits each");
    return 0;
}

static int parse_ids(struct parse *p, const cJSON *v) {
    p->f->has_ids = true;
    return parse_hex_list(p, v, &p->f->ids, &p->f->n_ids);
}

static int parse_authors(struct parse *p, const cJSON *v) {
    p->f->has_authors = true;
    return parse_hex_list(p, v, &p->f->authors, &p->f->n_authors);
}

static int parse_kinds(struct parse *p, const cJSON *v) {
    int64_t kind;
    size_t i = 0;

    p->f->has_kinds = true;
    if (list_size(p, v, &p->f->n_kinds) < 0)
        return -1;
    p->f->kinds = mem_new(p->f->n_kinds * sizeof *p->f->kinds);
    for (const cJSON *m = v->child; m; m = m->next) {
        if (!json_int_of(m, &kind) || kind < 0 || kind > UINT16_MAX)
            return invalid(p, "must hold numbers from 0 to 65535");
        p->f->kinds[i++] = (uint32_t)kind;
    }
    return 0;
}

static int parse_number(struct parse *p, const cJSON *v, int64_t *out) {
    if (json_int_of(v, out) && *out >= 0)
        return 0;
    *out = -1;
    return invalid(p, "must be a whole number, not negative");
}

static int parse_since(struct parse *p, const cJSON *v) {
    return parse_number(p, v, &p->f->since);
}

static int parse_until(struct parse *p, const cJSON *v) {
    return parse_number(p, v, &p->f->until);
}

static int parse_limit(struct parse *p, const cJSON *v) {
    return parse_number(p, v, &p->f->limit);
}

static bool is_tag_key(const char *key) {
    char c = key[0] == '#' ? key[1] : 0;

    return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) && key[2] == 0;
}

/* NIP-01: values of #e and #p are exact ids; a wrong one would silently match nothing. */
static bool tag_value_ok(char name, const char *s) {
    uint8_t id[32];

    return s && ((name != 'e' && name != 'p') || hex_decode_str(s, id, 32));
}

static int parse_tag(struct parse *p, const cJSON *v) {
    struct filter *f = p->f;
    struct filter_tag *t;
    size_t n;

    if (list_size(p, v, &n) < 0)
        return -1;
    f->tags = mem_grow(f->tags, (f->n_tags + 1) * sizeof *f->tags);
    t = &f->tags[f->n_tags++];
    *t = (struct filter_tag){.name = p->key[1], .v = mem_new(n * sizeof *t->v)};
    for (const cJSON *m = v->child; m; m = m->next) {
        if (!tag_value_ok(t->name, cJSON_GetStringValue(m)))
            return invalid(p, "holds a value that no tag of this name can have");
        t->v[t->n++] = mem_str(m->valuestring);
    }
    return 0;
}

static int parse_member(struct parse *p, const cJSON *v) {
    static const struct {
        const char *key;
        int (*parse)(struct parse *p, const cJSON *v);
    } known[] = {
        {"ids", parse_ids},     {"authors", parse_authors}, {"kinds", parse_kinds},
        {"since", parse_since}, {"until", parse_until},     {"limit", parse_limit},
    };

    p->key = v->string;
    for (size_t i = 0; i < COUNT(known); i++)
        if (strcmp(p->key, known[i].key) == 0)
            return known[i].parse(p, v);
    return is_tag_key(p->key) ? parse_tag(p, v) : invalid(p, "is not known here");
}

struct filter *filter_parse(const cJSON *o, struct err *e) {
    struct parse p = {.e = e};

    if (!cJSON_IsObject(o)) {
        err_set(e, "invalid", "a filter must be an object");
        return NULL;
    }
    p.f = mem_new(sizeof *p.f);
    *p.f = (struct filter){.since = -1, .until = -1, .limit = -1};
    for (const cJSON *m = o->child; m; m = m->next)
        if (parse_member(&p, m) < 0) {
            filter_free(p.f);
            return NULL;
        }
    return p.f;
}

static bool holds(uint8_t (*list)[32], size_t n, const uint8_t *id) {
    for (size_t i = 0; i < n; i++)
        if (memcmp(list[i], id, 32) == 0)
            return true;
    return false;
}

static bool holds_kind(const struct filter *f, uint32_t kind) {
    for (size_t i = 0; i < f->n_kinds; i++)
        if (f->kinds[i] == kind)
            return true;
    return false;
}

static bool holds_value(const struct filter_tag *want, const char *value) {
    for (size_t i = 0; i < want->n; i++)
        if (strcmp(want->v[i], value) == 0)
            return true;
    return false;
}

/* Only the first value of a tag counts (NIP-01). */
static bool tag_matches(const struct filter_tag *want, const struct fields *ev) {
    for (size_t i = 0; i < ev->n_tags; i++) {
        const struct tag *t = &ev->tags[i];

        if (t->n > 1 && t->v[0][0] == want->name && t->v[0][1] == 0 && holds_value(want, t->v[1]))
            return true;
    }
    return false;
}

bool filter_match(const struct filter *f, const struct fields *ev) {
    if ((f->has_ids && !holds(f->ids, f->n_ids, ev->id)) ||
        (f->has_authors && !holds(f->authors, f->n_authors, ev->pubkey)) ||
        (f->has_kinds && !holds_kind(f, ev->kind)) ||
        (f->since >= 0 && ev->created_at < f->since) ||
        (f->until >= 0 && ev->created_at > f->until))
        return false;
    for (size_t i = 0; i < f->n_tags; i++)
        if (!tag_matches(&f->tags[i], ev))
            return false;
    return true;
}

void filter_free(struct filter *f) {
    if (!f)
        return;
    for (size_t i = 0; i < f->n_tags; i++) {
        for (size_t j = 0; j < f->tags[i].n; j++)
            free(f->tags[i].v[j]);
        free(f->tags[i].v);
    }
    free(f->tags);
    free(f->ids);
    free(f->authors);
    free(f->kinds);
    free(f);
}
