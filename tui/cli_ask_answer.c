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
        ask_write(o, view_str(text));
        return;
    }
    w = ask_json_begin(o, &b, "delta");
    jw_kstr(&w, "text", text);
    ask_json_end(o, &w);
}

/* The whole answer, of which the beginning may stand on the screen already. */
static void print_answer(struct ask_out *o, const char *text) {
    cleanup_buf struct buf out = {0};
    size_t n = o->streamed.n;

    if (n && strncmp(text, (const char *)o->streamed.p, n) == 0)
        buf_str(&out, text + n);
    else
        buf_fmt(&out, "%s%s", n ? "\n" : "", text);
    if (text[0] && text[strlen(text) - 1] != '\n')
        buf_str(&out, "\n");
    ask_write(o, buf_view(&out));
    buf_reset(&o->streamed);
}

/* What the answer was made from, under it. */
static void print_sources(struct ask_out *o) {
    cleanup_buf struct buf out = {0};

    if (o->sources.n > 0)
        buf_str(&out, "\nFrom these passages:\n");
    for (size_t i = 0; i < o->sources.n; i++) {
        source_words(&o->sources.v[i], i + 1, SOURCE_SHOWN, &out);
        buf_str(&out, "\n");
    }
    ask_write(o, buf_view(&out));
}

static void json_answer(struct ask_out *o, const struct session_event *ev, const char *text) {
    cleanup_buf struct buf b = {0};
    struct jw w = ask_json_begin(o, &b, "answer");

    if (ev->code)
        ask_json_text(&w, "code", view_str(ev->code));
    jw_kstr(&w, "text", text);
    if (ev->usage) {
        jw_key(&w, "usage");
        jw_obj(&w);
        jw_kint(&w, "prompt", (int64_t)ev->usage->prompt);
        jw_kint(&w, "completion", (int64_t)ev->usage->completion);
        ask_json_text(&w, "finish", view_str(ev->usage->finish));
        jw_end_obj(&w);
    }
    ask_json_end(o, &w);
}

/* Standard output took none of it, or not all: the disk behind it is full. */
static void keep_answer(struct ask_out *o, const char *text) {
    cleanup_free char *path = NULL;
    struct err e;

    if (!*o->failed.code || !strcmp(o->failed.code, "broken-pipe"))
        return;
    if (ask_rescue("answer.txt", view_str(text), &path, &e))
        ask_error(o, &e);
    else
        ask_say(o, "the answer could not be written to standard output; it is in %s", path);
}

void ask_on_answer(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    cleanup_free char *text = ask_safe(ev->text, TEXT_PROSE);
    struct err e;

    (void)s;
    if (o->a->json) {
        json_answer(o, ev, text);
    } else if (ev->code) {
        cleanup_free char *code = ask_safe(view_str(ev->code), TEXT_LINE);

        err_set(&e, code, "%s", text);
        ask_error(o, &e);
    } else {
        print_answer(o, text);
        print_sources(o);
    }
    keep_answer(o, text);
    o->answering = false;
    sources_free(&o->sources);
    o->pace = (struct pace){0};
}

static void live_progress(struct ask_out *o, const struct session_event *ev, const char *unit) {
    cleanup_free char *line = NULL;
    char words[160];

    pace_words(&o->pace, unit, words, sizeof words);
    line = mem_fmt("%s%s%s", words, ev->note ? ", " : "", ev->note ? ev->note : "");
    ask_live(o, line);
}

/* Not into the middle of an answer that is being written on the same screen. */
static void say_progress(struct ask_out *o, const struct session_event *ev) {
    cleanup_free char *unit = ask_safe(ev->text, TEXT_LINE);
    int64_t now = loop_now();
    char words[160];

    pace_at(&o->pace, now, ev->done, ev->total);
    if (o->one_terminal && o->streamed.n > 0)
        return;
    if (o->live && ev->done != ev->total) {
        live_progress(o, ev, unit);
        return;
    }
    if ((o->shown_at && now - o->shown_at < PROGRESS_MS && ev->done != ev->total))
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
    ask_json_end(o, &w);
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
    sources_json(&o->sources, &w);
    ask_json_end(o, &w);
}

static void print_table(struct ask_out *o, const cJSON *json) {
    struct table *t = table_of_json(json);
    cleanup_buf struct buf text = {0};
    uint64_t total;

    table_text(t, false, &text);
    buf_str(&text, "\n");
    if (json_u64(json, "total", &total, NULL) && total > table_rows(t))
        buf_fmt(&text, "(%zu of %llu rows; the file has all)\n", table_rows(t),
                (unsigned long long)total);
    ask_write(o, buf_view(&text));
    table_free(t);
}

/* The guest's strings, disarmed; of what may stand in a table there is nothing else. */
static void json_cells(struct jw *w, const cJSON *cells) {
    const cJSON *v;

    jw_arr(w);
    cJSON_ArrayForEach(v, cells) {
        cleanup_free char *text = NULL;

        if (!cJSON_IsString(v)) {
            if (cJSON_IsNumber(v))
                jw_json(w, v);
            else
                jw_null(w);
            continue;
        }
        text = ask_safe(view_str(v->valuestring), TEXT_PROSE);
        jw_str(w, text);
    }
    jw_end_arr(w);
}

static void json_table(struct ask_out *o, const cJSON *json) {
    cleanup_buf struct buf b = {0};
    struct jw w = ask_json_begin(o, &b, "table");
    const cJSON *row;
    uint64_t total;

    jw_key(&w, "columns");
    json_cells(&w, json_arr(json, "columns", NULL));
    jw_key(&w, "rows");
    jw_arr(&w);
    cJSON_ArrayForEach(row, json_arr(json, "rows", NULL)) {
        json_cells(&w, row);
    }
    jw_end_arr(&w);
    if (json_u64(json, "total", &total, NULL))
        jw_kint(&w, "total", (int64_t)total);
    ask_json_end(o, &w);
}

void ask_on_table(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    (void)s;
    if (o->a->json)
        json_table(o, ev->json);
    else
        print_table(o, ev->json);
}
