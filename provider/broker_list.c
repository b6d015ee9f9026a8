#include "broker_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dvm.h"
#include "core/enc.h"
#include "core/text.h"

#define LINE_MAX_BYTES 1024
#define COUNT_MAX 1000000000

static bool take_release(struct broker_row *r, const char *s) {
    return hex_decode_str(s, r->release, sizeof r->release);
}

static bool take_work(struct broker_row *r, const char *s) {
    return volume_parse(s, &r->work);
}

static bool take_model(struct broker_row *r, const char *s) {
    return volume_parse(s, &r->model);
}

static bool take_key(struct broker_row *r, const char *s) {
    return *s && snprintf(r->key, sizeof r->key, "%s", s) < (int)sizeof r->key;
}

static bool number(const char *s, uint64_t min, uint64_t max, uint64_t *out) {
    return decimal_parse(s, out) && *out >= min && *out <= max;
}

static bool take_max(struct broker_row *r, const char *s) {
    return number(s, 1, COUNT_MAX, &r->max);
}

static bool take_total(struct broker_row *r, const char *s) {
    return number(s, 1, COUNT_MAX, &r->total);
}

static bool take_gpus(struct broker_row *r, const char *s) {
    uint64_t n;
    const bool ok = number(s, 0, 16, &n);

    r->gpus = ok ? (uint32_t)n : 0;
    return ok;
}

static bool take_vcpus(struct broker_row *r, const char *s) {
    uint64_t n;
    const bool ok = number(s, 1, BROKER_VCPUS_MAX, &n);

    r->vcpus = ok ? (uint32_t)n : 0;
    return ok;
}

static const struct {
    const char *name;
    bool needed;
    bool (*take)(struct broker_row *r, const char *s);
} words[] = {
    {"release", true, take_release}, {"work", true, take_work},    {"model", true, take_model},
    {"key", true, take_key},         {"max", true, take_max},      {"total", false, take_total},
    {"gpus", false, take_gpus},      {"vcpus", false, take_vcpus},
};

static int take_word(struct broker_row *r, char *word, unsigned *seen, struct err *e) {
    char *value = strchr(word, '=');

    if (value)
        *value++ = '\0';
    for (size_t i = 0; value && i < COUNT(words); i++) {
        if (strcmp(words[i].name, word))
            continue;
        if (*seen & 1u << i)
            return err_set(e, "bad-list", "'%s' stands twice", word);
        *seen |= 1u << i;
        if (!words[i].take(r, value))
            return err_set(e, "bad-list", "%s: '%.100s' is not a value of its kind", word, value);
        return 0;
    }
    return err_set(e, "bad-list", "'%.60s' is not a word of a row", word);
}

/* A line that holds a row, in line: 1; a blank one: 0. */
static int parse_row(char *line, struct broker_row *r, struct err *e) {
    char *word, *rest = line;
    unsigned seen = 0;

    *r = (struct broker_row){.vcpus = 64};
    line[strcspn(line, "#")] = '\0';
    while ((word = strsep(&rest, " \t")))
        if (*word && take_word(r, word, &seen, e))
            return -1;
    for (size_t i = 0; seen && i < COUNT(words); i++)
        if (words[i].needed && !(seen & 1u << i))
            return err_set(e, "bad-list", "the row has no '%s='", words[i].name);
    return seen != 0;
}

static bool same_guest(const struct broker_row *a, const struct broker_row *b) {
    return !memcmp(a->release, b->release, 32) && !memcmp(&a->work.root, &b->work.root, 32) &&
           a->work.blocks == b->work.blocks && !memcmp(a->model.root, b->model.root, 32);
}

static int add_row(struct broker_list *l, const struct broker_row *r, struct err *e) {
    if (l->n == BROKER_ROWS_MAX)
        return err_set(e, "bad-list", "more than %d rows", BROKER_ROWS_MAX);
    for (size_t i = 0; i < l->n; i++)
        if (same_guest(&l->row[i], r))
            return err_set(e, "bad-list", "the same guest and model as line %u", l->row[i].line);
    l->row = mem_grow(l->row, (l->n + 1) * sizeof *l->row);
    l->row[l->n++] = *r;
    return 0;
}

static int take_line(struct broker_list *l, struct view line, unsigned n, struct err *e) {
    char text[LINE_MAX_BYTES + 1];
    struct broker_row r;
    int rc;

    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n > LINE_MAX_BYTES)
        return err_set(e, "bad-list", "longer than %d bytes", LINE_MAX_BYTES);
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] != '\t' && (line.p[i] < 0x20 || line.p[i] > 0x7e))
            return err_set(e, "bad-list", "not printable ASCII");
    if (line.n)
        memcpy(text, line.p, line.n);
    text[line.n] = '\0';
    rc = parse_row(text, &r, e);
    r.line = n;
    return rc == 1 ? add_row(l, &r, e) : rc;
}

int broker_list_parse(struct view text, const char *file, struct broker_list *out, struct err *e) {
    unsigned n = 0;

    *out = (struct broker_list){0};
    while (text.n) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        struct view line = view_of(text.p, end ? (size_t)(end - text.p) : text.n);

        if (take_line(out, line, ++n, e))
            return err_wrap(e, "%s:%u", file, n);
        text = view_of(text.p + line.n + (end != NULL), text.n - line.n - (end != NULL));
    }
    return 0;
}

void broker_list_free(struct broker_list *l) {
    free(l->row);
    *l = (struct broker_list){0};
}
