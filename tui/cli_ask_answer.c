/* The answer itself as `cdvm ask` writes it: streamed text, the whole, progress, passages, tables.
 */
#include "cli_ask_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/loop.h"
#include "table.h"

#define SOURCE_SHOWN 400 /* characters of a passage */
#define PROGRESS_MS 3000 /* between two lines about the guest's progress */

void ask_on_delta(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    cleanup_free char *text = ask_safe(ev->text, TEXT_PROSE);
    cleanup_buf struct buf b = {0};
    struct jw w;

    (void)s;
    if (!o->a->json) {
        buf_str(&o->streamed, text);
        fputs(text, stdout);
        fflush(stdout);
        return;
    }
    w = ask_json_begin(o, &b, "delta");
    jw_kstr(&w, "text", text);
    ask_json_end(&w);
}

/* The whole answer, of which the beginning may stand on the screen already. */
static void print_answer(struct ask_out *o, const char *text) {
    size_t n = o->streamed.n;

    if (n && strncmp(text, (const char *)o->streamed.p, n) == 0)
        fputs(text + n, stdout);
    else
        printf("%s%s", n ? "\n" : "", text);
    if (text[0] && text[strlen(text) - 1] != '\n')
        putchar('\n');
    fflush(stdout);
    buf_reset(&o->streamed);
}

/* What the answer was made from, under it. */
static void print_sources(struct ask_out *o) {
    if (o->sources.n > 0)
        printf("\nFrom these passages:\n");
    for (size_t i = 0; i < o->sources.n; i++) {
        cleanup_buf struct buf line = {0};

        source_words(&o->sources.v[i], i + 1, SOURCE_SHOWN, &line);
        printf("%.*s\n", (int)line.n, (const char *)line.p);
    }
    fflush(stdout);
}

void ask_on_answer(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    cleanup_free char *text = ask_safe(ev->text, TEXT_PROSE);
    cleanup_buf struct buf b = {0};
    struct err e;
    struct jw w;

    (void)s;
    if (o->a->json) {
        w = ask_json_begin(o, &b, "answer");
        if (ev->code)
            ask_json_text(&w, "code", view_str(ev->code));
        jw_kstr(&w, "text", text);
        ask_json_end(&w);
    } else if (ev->code) {
        cleanup_free char *code = ask_safe(view_str(ev->code), TEXT_LINE);

        err_set(&e, code, "%s", text);
        ask_error(o, &e);
    } else {
        print_answer(o, text);
        print_sources(o);
    }
    sources_free(&o->sources);
    o->pace = (struct pace){0};
}

/* Not into the middle of an answer that is being written on the same screen. */
static void say_progress(struct ask_out *o, const struct session_event *ev) {
    cleanup_free char *unit = ask_safe(ev->text, TEXT_LINE);
    int64_t now = loop_now();
    char words[160];

    pace_at(&o->pace, now, ev->done, ev->total);
    if ((o->one_terminal && o->streamed.n > 0) ||
        (o->shown_at && now - o->shown_at < PROGRESS_MS && ev->done != ev->total))
        return;
    o->shown_at = now;
    pace_words(&o->pace, unit, words, sizeof words);
    ask_say(o, "%s%s%s", words, ev->note ? ", " : "", ev->note ? ev->note : "");
}

void ask_on_progress(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    cleanup_buf struct buf b = {0};
    struct jw w;

    (void)s;
    if (!o->a->json) {
        say_progress(o, ev);
        return;
    }
    w = ask_json_begin(o, &b, "progress");
    jw_kint(&w, "done", (int64_t)ev->done);
    jw_kint(&w, "total", (int64_t)ev->total);
    ask_json_text(&w, "unit", ev->text);
    if (ev->note)
        ask_json_text(&w, "note", view_str(ev->note));
    ask_json_end(&w);
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

/* In words they stand under the answer, whenever they came. */
void ask_on_sources(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    cleanup_buf struct buf b = {0};
    struct jw w;

    (void)s;
    sources_free(&o->sources);
    sources_read(ev->json, &o->sources);
    if (!o->a->json)
        return;
    w = ask_json_begin(o, &b, "sources");
    jw_key(&w, "sources");
    jw_arr(&w);
    for (size_t i = 0; i < o->sources.n; i++)
        json_source(&w, &o->sources.v[i]);
    jw_end_arr(&w);
    ask_json_end(&w);
}

static void cell(struct table *t, const cJSON *v) {
    cleanup_buf struct buf b = {0};
    struct jw w = jw_new(&b);

    if (cJSON_IsString(v)) {
        table_cell(t, view_str(v->valuestring));
    } else if (cJSON_IsNull(v)) {
        table_cell(t, view_str(""));
    } else {
        jw_json(&w, v);
        table_cell(t, buf_view(&b));
    }
}

/* One row of exactly n cells, whatever came. */
static void row(struct table *t, const cJSON *cells, size_t n) {
    const cJSON *v = cJSON_IsArray(cells) ? cells->child : NULL;

    for (size_t i = 0; i < n; i++) {
        if (v)
            cell(t, v);
        else
            table_cell(t, view_str(""));
        v = v ? v->next : NULL;
    }
}

static void print_table(const cJSON *o) {
    const cJSON *columns = json_arr(o, "columns", NULL), *rows = json_arr(o, "rows", NULL), *r;
    size_t n = (size_t)cJSON_GetArraySize(columns);
    struct table *t = table_new(n);
    cleanup_buf struct buf text = {0};
    uint64_t total;

    row(t, columns, n);
    cJSON_ArrayForEach(r, rows) {
        row(t, r, n);
    }
    table_text(t, false, &text);
    printf("%.*s\n", (int)text.n, (const char *)text.p);
    if (json_u64(o, "total", &total, NULL) && total > (uint64_t)cJSON_GetArraySize(rows))
        printf("(%d of %llu rows; the file has all)\n", cJSON_GetArraySize(rows),
               (unsigned long long)total);
    fflush(stdout);
    table_free(t);
}

void ask_on_table(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    cleanup_buf struct buf b = {0};
    struct jw w;

    (void)s;
    if (!o->a->json) {
        print_table(ev->json);
        return;
    }
    w = ask_json_begin(o, &b, "table");
    jw_key(&w, "columns");
    jw_json(&w, json_arr(ev->json, "columns", NULL));
    jw_key(&w, "rows");
    jw_json(&w, json_arr(ev->json, "rows", NULL));
    ask_json_end(&w);
}
