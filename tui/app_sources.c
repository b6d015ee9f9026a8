/* Passages: the lines under an answer, and a page that shows one of them where it stands. The
 * document on that page is the person's own file, read again and only if it is still the one that
 * was sent; nothing is fetched from the guest. */
#include "tui/app.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"

#define LINE_MAX_CHARS 160             /* of a passage under the answer */
#define DOCUMENT_MAX ((size_t)4 << 20) /* of a document on the page */

static const struct app_turn *turn_with_sources(const struct app_job *j) {
    for (size_t i = j->n_turns; i-- > 0;)
        if (j->turn[i].sources.n > 0)
            return &j->turn[i];
    return NULL;
}

bool app_has_sources(const struct app *a) {
    return turn_with_sources(a->job) != NULL;
}

void app_on_sources(struct app *a, struct app_job *j, const struct session_event *ev) {
    struct app_turn *t = app_turn_of(j, ev->id);

    if (!t)
        return;
    sources_free(&t->sources);
    sources_read(ev->json, &t->sources);
    if (!t->open)
        app_sources_under(a, j, t);
}

void app_sources_under(struct app *a, struct app_job *j, const struct app_turn *t) {
    for (size_t i = 0; i < t->sources.n; i++) {
        cleanup_buf struct buf line = {0};

        source_words(&t->sources.v[i], i + 1, LINE_MAX_CHARS, &line);
        app_job_chat(a, j, i == 0 ? "source" : "", ROLE_DIM, false, buf_view(&line));
    }
    if (t->sources.n > 0)
        app_job_note(a, j, ROLE_DIM, "Alt-s shows passage 1 in its document, /source N another.");
}

const struct source *app_source(const struct app *a, size_t *of) {
    const struct app_job *j = a->job;

    for (size_t i = 0; i < j->n_turns; i++) {
        const struct app_turn *t = &j->turn[i];

        *of = t->sources.n;
        if (!memcmp(t->id, j->source_of, 32) && j->source < t->sources.n)
            return &t->sources.v[j->source];
    }
    *of = 0;
    return NULL;
}

/* --- the document --- */

static const struct app_file *file_sent(const struct app_job *j, const char *name) {
    for (size_t i = j->n_files; i-- > 0;)
        if (j->file[i].up && j->file[i].path && !strcmp(j->file[i].name, name))
            return &j->file[i];
    return NULL;
}

static int read_document(const struct app *a, const struct source *s, struct buf *doc,
                         struct err *e) {
    const struct app_file *f = file_sent(a->job, s->doc);
    uint8_t sha[32];

    if (!f)
        return err_set(e, "no-file", "you sent no document of that name in this job");
    if (file_read(f->path, DOCUMENT_MAX, doc, e))
        return -1;
    sha256(buf_view(doc), sha);
    if (memcmp(sha, f->sha256, 32) != 0)
        return err_set(e, "no-file", "your file has changed since it was sent");
    if (!utf8_valid(buf_view(doc)))
        return err_set(e, "no-file",
                       "the file is not plain text: the guest read it by other means");
    return 0;
}

static void put_passage(struct app *a, struct view before, struct view passage, struct view after) {
    struct pager *p = a->job->source_page;
    size_t id;

    pager_clear(p);
    if (before.n > 0)
        pager_add(p, "", ROLE_TEXT, false, before);
    id = pager_add(p, "", ROLE_ACCENT, false, passage);
    if (after.n > 0 && after.p[0] == '\n') /* the passage's own line end */
        after = view_of(after.p + 1, after.n - 1);
    if (after.n > 0)
        pager_add(p, "", ROLE_TEXT, false, after);
    pager_show(p, id);
}

static void fill_page(struct app *a, const struct source *s) {
    struct app_job *j = a->job;
    struct buf doc = {0};
    size_t from = 0, to = 0;
    struct err e = {0};

    buf_init(&doc, DOCUMENT_MAX);
    j->source_note[0] = 0;
    if (read_document(a, s, &doc, &e) == 0 && source_find(s, buf_view(&doc), &from, &to)) {
        put_passage(a, view_of(doc.p, from), view_of(doc.p + from, to - from),
                    view_of(doc.p + to, doc.n - to));
    } else {
        snprintf(j->source_note, sizeof j->source_note, "The passage alone: %.120s.",
                 *e.code ? e.text : "it does not stand in your file word for word");
        put_passage(a, view_str(""), view_str(s->snippet), view_str(""));
    }
    buf_wipe(&doc);
}

static void show(struct app *a) {
    size_t of;
    const struct source *s = app_source(a, &of);

    if (!s)
        return;
    if (!a->job->source_page)
        a->job->source_page = pager_new(16);
    fill_page(a, s);
    app_go(a, SCR_SOURCE);
}

void app_source_open(struct app *a, size_t number) {
    const struct app_turn *t = turn_with_sources(a->job);

    if (!t) {
        app_say(a, ROLE_WARN, "no answer has named a passage yet");
        return;
    }
    if (number < 1 || number > t->sources.n) {
        app_say(a, ROLE_WARN, "the newest answer has passages 1 to %zu", t->sources.n);
        return;
    }
    memcpy(a->job->source_of, t->id, 32);
    a->job->source = number - 1;
    show(a);
}

void app_source_step(struct app *a, int by) {
    struct app_job *j = a->job;
    size_t of;

    if (!app_source(a, &of))
        return;
    if (by < 0 ? j->source == 0 : j->source + 1 >= of) {
        app_say(a, ROLE_DIM, by < 0 ? "that is the first passage" : "that is the last passage");
        return;
    }
    j->source = by < 0 ? j->source - 1 : j->source + 1;
    show(a);
}
