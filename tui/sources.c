#include "tui/sources.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"

#define DOC_MAX 200
#define REACH ((size_t)64 << 10) /* how far from the stated offset a passage is looked for */
#define ANCHOR 48                /* its first bytes decide where it stands */

static char *safe(const char *s, enum text_mode mode, size_t max) {
    return text_safe_new(view_str(s), mode, max);
}

static void source_read(const cJSON *o, struct source *s) {
    int64_t offset;

    *s = (struct source){.doc = safe(json_opt(o, "doc"), TEXT_LINE, DOC_MAX),
                         .snippet = safe(json_opt(o, "snippet"), TEXT_PROSE, SOURCE_SNIPPET_MAX)};
    if (json_int_of(cJSON_GetObjectItemCaseSensitive(o, "offset"), &offset) && offset >= 0) {
        s->has_offset = true;
        s->offset = (uint64_t)offset;
    }
    s->has_score = json_int_of(cJSON_GetObjectItemCaseSensitive(o, "score"), &s->score);
}

void sources_read(const cJSON *list, struct sources *out) {
    const cJSON *o;

    *out = (struct sources){.v = mem_new(SOURCES_MAX * sizeof *out->v)};
    cJSON_ArrayForEach(o, list) {
        const char *doc = json_opt(o, "doc"), *snippet = json_opt(o, "snippet");

        if (out->n < SOURCES_MAX && doc && *doc && snippet && *snippet)
            source_read(o, &out->v[out->n++]);
    }
}

static void text_free(char *s) {
    explicit_bzero(s, strlen(s));
    free(s);
}

void sources_free(struct sources *s) {
    for (size_t i = 0; i < s->n; i++) {
        text_free(s->v[i].doc);
        text_free(s->v[i].snippet);
    }
    free(s->v);
    *s = (struct sources){0};
}

void source_words(const struct source *s, size_t number, size_t max, struct buf *out) {
    cleanup_free char *snippet = safe(s->snippet, TEXT_LINE, max);

    buf_fmt(out, "[%zu] %s", number, s->doc);
    if (s->has_offset)
        buf_fmt(out, ", at byte %llu", (unsigned long long)s->offset);
    buf_fmt(out, ": \"%s\"", snippet);
}

/* --- where it stands --- */

static bool blank(uint8_t c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static size_t skip_blank(struct view v, size_t at) {
    while (at < v.n && blank(v.p[at]))
        at++;
    return at;
}

/* Bytes of doc from `at` on that read like the passage, at most `max` of its bytes; 0 when they
 * differ. */
static size_t reads_like(struct view doc, size_t at, struct view passage, size_t max) {
    size_t d = at, p = 0;

    if (passage.n > max)
        passage.n = max;
    while (p < passage.n) {
        if (blank(passage.p[p])) {
            p = skip_blank(passage, p);
            if (p < passage.n && d < doc.n && !blank(doc.p[d]))
                return 0;
            if (p < passage.n)
                d = skip_blank(doc, d);
        } else if (d < doc.n && doc.p[d] == passage.p[p]) {
            d++;
            p++;
        } else {
            return 0;
        }
    }
    return d - at;
}

/* Without the marks where it was cut out of its surroundings, and without outer white space. */
static struct view bare(const char *s) {
    static const char *const CUTS[] = {"\xe2\x80\xa6", "..."};
    struct view v = view_str(s);

    for (size_t i = 0; i < COUNT(CUTS); i++) {
        size_t n = strlen(CUTS[i]);

        if (v.n > n && !memcmp(v.p + v.n - n, CUTS[i], n))
            v.n -= n;
        if (v.n > n && !memcmp(v.p, CUTS[i], n))
            v = view_of(v.p + n, v.n - n);
    }
    while (v.n > 0 && blank(v.p[v.n - 1]))
        v.n--;
    return view_of(v.p + skip_blank(v, 0), v.n - skip_blank(v, 0));
}

static bool stands_at(struct view doc, size_t at, struct view passage, size_t *to) {
    size_t n;

    if (at >= doc.n || !reads_like(doc, at, passage, ANCHOR))
        return false;
    n = reads_like(doc, at, passage, SIZE_MAX);
    *to = at + n;
    return n > 0;
}

bool source_find(const struct source *s, struct view doc, size_t *from, size_t *to) {
    struct view passage = bare(s->snippet);
    size_t near = s->has_offset && s->offset < doc.n ? (size_t)s->offset : 0;
    size_t reach = s->has_offset ? REACH : doc.n;

    if (!passage.n)
        return false;
    for (size_t step = 0; step <= reach; step++) {
        if (stands_at(doc, near + step, passage, to)) {
            *from = near + step;
            return true;
        }
        if (step <= near && stands_at(doc, near - step, passage, to)) {
            *from = near - step;
            return true;
        }
    }
    return false;
}

static void json_source(struct jw *w, const struct source *s) {
    jw_obj(w);
    jw_kstr(w, "doc", s->doc);
    if (s->has_offset)
        jw_kint(w, "offset", (int64_t)s->offset);
    if (s->has_score)
        jw_kint(w, "score", s->score);
    jw_kstr(w, "snippet", s->snippet);
    jw_end_obj(w);
}

void sources_json(const struct sources *s, struct jw *w) {
    jw_key(w, "sources");
    jw_arr(w);
    for (size_t i = 0; i < s->n; i++)
        json_source(w, &s->v[i]);
    jw_end_arr(w);
}
