/* A workload that speaks like `chat` and has no model, for tests/e2e/chat_tui.sh: it answers with
 * the paragraph that shares the most words with the question, word by word, names that and the
 * second best as its sources, and counts up while it "reads". A question with the word "slowly" is
 * answered twenty times over. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/workloads/lib/lines.h"

#define DOCS 16
#define STEP_MS 40
#define READING 200 /* steps before the first word: long enough to be seen on a busy machine */
#define WORD 4      /* steps for a word */

struct passage {
    const char *doc;
    size_t offset, n;
    const char *text;
    int64_t score;
};
static struct doc {
    char name[256];
    struct buf text;
} docs[DOCS];
static size_t n_docs;
static struct lines *out;

static void say(const char *type, const char *id, struct buf *body) {
    cleanup_buf struct buf all = {0};
    struct jw w = jw_new(&all);

    if (id)
        jw_kstr(&w, "id", id);
    if (body && body->n)
        buf_fmt(&all, "%s%.*s", id ? "," : "", (int)body->n, (char *)body->p);
    if (!lines_say(out, type, buf_view(&all)))
        exit(0);
}

static void take_file(const cJSON *o) {
    struct doc *d = &docs[n_docs];
    const char *id = json_opt(o, "id"), *path = json_opt(o, "path"), *name = json_opt(o, "name");
    struct err e;

    if (n_docs == DOCS || !path || !name || file_read(path, 1 << 20, &d->text, &e))
        exit(1);
    snprintf(d->name, sizeof d->name, "%s", name);
    n_docs++;
    say("done", id, NULL);
}

/* Words of four letters and more of the question that stand in the text. */
static int64_t shared(const char *question, struct view text) {
    int64_t n = 0;

    for (const char *w = question; *w;) {
        size_t len = 0;

        while (isalpha((unsigned char)w[len]))
            len++;
        if (len >= 4)
            for (size_t i = 0; i + len <= text.n; i++)
                n += !strncasecmp((const char *)text.p + i, w, len);
        w += len ? len : 1;
    }
    return n;
}

static void consider(struct passage best[2], struct passage p) {
    if (p.score > best[0].score) {
        best[1] = best[0];
        best[0] = p;
    } else if (p.score > best[1].score) {
        best[1] = p;
    }
}

static void look(const char *question, struct passage best[2]) {
    for (size_t i = 0; i < n_docs; i++) {
        const char *all = (const char *)docs[i].text.p, *p = all, *end;

        for (; p && *p; p = end[0] ? end + 2 : NULL) {
            end = strstr(p, "\n\n");
            end = end ? end : p + strlen(p);
            consider(best, (struct passage){docs[i].name, (size_t)(p - all), (size_t)(end - p), p,
                                            shared(question, view_of(p, (size_t)(end - p)))});
        }
    }
}

static void say_sources(const char *id, const struct passage best[2]) {
    cleanup_buf struct buf body = {0};
    struct jw w = jw_new(&body);

    jw_key(&w, "sources");
    jw_arr(&w);
    for (size_t i = 0; i < 2 && best[i].score > 0; i++) {
        jw_obj(&w);
        jw_kstr(&w, "doc", best[i].doc);
        jw_kint(&w, "offset", (int64_t)best[i].offset);
        jw_kint(&w, "score", best[i].score);
        jw_key(&w, "snippet");
        jw_view(&w, view_of(best[i].text, best[i].n));
        jw_end_obj(&w);
    }
    jw_end_arr(&w);
    say("sources", id, &body);
}

/* True when the customer wants no more of it. */
static bool pause_stopped(void) {
    cJSON *o = NULL;
    int rc = lines_next(out, STEP_MS, &o);
    const char *t = rc == 1 ? json_opt(o, "t") : NULL;
    bool stop = t && strcmp(t, "cancel") == 0;

    if (rc < 0 || (t && strcmp(t, "end") == 0))
        exit(0);
    cJSON_Delete(o);
    return stop;
}

static bool read_on(const char *id) {
    for (int i = 1; i <= READING; i++) {
        cleanup_buf struct buf body = {0};
        struct jw w = jw_new(&body);

        jw_kint(&w, "done", i * 4);
        jw_kint(&w, "total", (int64_t)READING * 4);
        jw_kstr(&w, "unit", "tokens");
        jw_kstr(&w, "note", "reading the prompt (emulated CPU)");
        say("progress", id, &body);
        if (pause_stopped())
            return false;
    }
    return true;
}

static bool stream(const char *id, const struct passage *p, int steps) {
    for (size_t at = 0; at < p->n;) {
        cleanup_buf struct buf body = {0};
        struct jw w = jw_new(&body);
        size_t n = 1;

        while (at + n < p->n && p->text[at + n] != ' ')
            n++;
        jw_key(&w, "text");
        jw_view(&w, view_of(p->text + at, n));
        say("delta", id, &body);
        at += n;
        for (int i = 0; i < steps; i++)
            if (pause_stopped())
                return false;
    }
    return true;
}

static bool answer(const char *id, const char *question) {
    struct passage best[2] = {{.doc = "", .text = "Nothing.", .n = 8}, {.doc = ""}};
    int times = strstr(question, "slowly") ? 20 : 1, steps = times > 1 ? 1 : WORD;

    look(question, best);
    say_sources(id, best);
    if (!read_on(id))
        return false;
    while (times-- > 0)
        if (!stream(id, &best[0], steps))
            return false;
    return true;
}

static void take_question(const cJSON *o) {
    cleanup_buf struct buf body = {0};
    struct jw w = jw_new(&body);

    if (answer(json_opt(o, "id"), json_opt(o, "text"))) {
        say("done", json_opt(o, "id"), NULL);
        return;
    }
    jw_kstr(&w, "code", "cancelled");
    jw_kstr(&w, "message", "stopped as asked");
    say("error", json_opt(o, "id"), &body);
}

static void ready(void) {
    static const char *const CAPS[] = {"model:double-of-a-model", "parameters:260000",
                                       "quantization:F32", "emulated"};
    cleanup_buf struct buf body = {0};
    struct jw w = jw_new(&body);

    jw_kstr(&w, "name", "double");
    jw_key(&w, "caps");
    jw_arr(&w);
    for (size_t i = 0; i < COUNT(CAPS); i++)
        jw_str(&w, CAPS[i]);
    jw_end_arr(&w);
    say("ready", NULL, &body);
}

int main(void) {
    cJSON *o;

    out = lines_new(0, 1);
    while (lines_next(out, -1, &o) == 1) {
        const char *t = json_opt(o, "t");

        if (t && strcmp(t, "start") == 0)
            ready();
        else if (t && strcmp(t, "file") == 0)
            take_file(o);
        else if (t && strcmp(t, "ask") == 0)
            take_question(o);
        else if (t && strcmp(t, "end") == 0)
            return 0;
        cJSON_Delete(o);
    }
    return 0;
}
