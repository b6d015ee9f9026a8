/* What `cdvm ask` writes: results on stdout, progress on stderr, or one JSON object a line on
 * stdout. */
#include "ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_tree.h"
#include "core/enc.h"
#include "core/loop.h"
#include "core/text.h"
#include "model.h"
#include "pace.h"
#include "sources.h"
#include "table.h"

#define NAMES_TRIED 1000 /* name.csv, name-1.csv, ... */
#define SOURCE_SHOWN 400 /* characters of a passage */
#define PROGRESS_MS 3000 /* between two lines about the guest's progress */

struct ask_out {
    const struct ask_args *a;
    bool simulated; /* known once there is a verdict, true from then on */
    int64_t began;
    struct buf streamed; /* of the answer, as it came in deltas */
    uint64_t shown_done; /* progress is printed when it has moved by a twentieth */
    struct model model;
    struct sources sources; /* of the answer that is being given */
    struct pace pace;
    int64_t shown_at;  /* loop_now of the last line about the guest's progress */
    bool one_terminal; /* answer and progress go to the same screen */
};

struct ask_out *ask_out_new(const struct ask_args *a) {
    struct ask_out *o = mem_new(sizeof *o);

    o->a = a;
    o->began = loop_now();
    o->one_terminal = isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
    return o;
}

void ask_out_free(struct ask_out *o) {
    if (!o)
        return;
    buf_wipe(&o->streamed);
    sources_free(&o->sources);
    free(o);
}

/* --- lines --- */

static char *safe(struct view v, enum text_mode mode) {
    return text_safe_new(v, mode, SIZE_MAX);
}

static void line(struct ask_out *o, struct view text) {
    cleanup_free char *s = safe(text, TEXT_LINE);
    double t = (double)(loop_now() - o->began) / 1000.0;

    if (!o->a->json)
        fprintf(stderr, "%7.1f s  %s%s\n", t, o->simulated ? "SIMULATED  " : "", s);
}

void ask_say(struct ask_out *o, const char *fmt, ...) {
    cleanup_free char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    line(o, view_str(text ? text : ""));
}

/* --- JSON --- */

static struct jw json_begin(const struct ask_out *o, struct buf *b, const char *event) {
    struct jw w = jw_new(b);

    jw_obj(&w);
    jw_kstr(&w, "event", event);
    if (o->simulated)
        jw_kbool(&w, "simulated", true);
    return w;
}

static void json_end(struct jw *w) {
    jw_end_obj(w);
    buf_str(w->out, "\n");
    fwrite(w->out->p, 1, w->out->n, stdout);
    fflush(stdout);
}

/* Outside text in JSON is sanitised too: it ends up on terminals. */
static void json_text(struct jw *w, const char *key, struct view v) {
    cleanup_free char *s = safe(v, TEXT_PROSE);

    jw_kstr(w, key, s);
}

static void json_meta(struct jw *w, const struct xfer_meta *m) {
    jw_kstr(w, "name", m->name);
    jw_kint(w, "size", (int64_t)m->size);
    jw_khex(w, "sha256", view_of(m->sha256, 32));
}

void ask_error(struct ask_out *o, const struct err *e) {
    cleanup_buf struct buf b = {0};
    struct jw w;

    if (!o->a->json) {
        cleanup_free char *s = safe(view_str(e->text), TEXT_LINE);

        fprintf(stderr, "cdvm ask: %s%s (%s)\n", o->simulated ? "SIMULATED " : "", s, e->code);
        return;
    }
    w = json_begin(o, &b, "error");
    jw_kstr(&w, "code", e->code);
    json_text(&w, "text", view_str(e->text));
    json_end(&w);
}

/* --- events, each with its words and its JSON --- */

void ask_offer(struct ask_out *o, const struct offer *offer) {
    cleanup_buf struct buf b = {0};
    struct jw w;
    char key[20];

    npub_short(offer->pubkey, key);
    model_of_offer(offer, &o->model);
    if (!o->a->json) {
        ask_say(o, "offer '%s' by %s, claims %s", offer->name, key, offer->privacy);
        return;
    }
    w = json_begin(o, &b, "offer");
    jw_kstr(&w, "d", offer->d);
    jw_kstr(&w, "name", offer->name);
    jw_khex(&w, "id", view_of(offer->id, 32));
    jw_khex(&w, "provider", view_of(offer->pubkey, 32));
    jw_kstr(&w, "claims", offer->privacy);
    json_end(&w);
}

static void on_state(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    cleanup_buf struct buf b = {0};
    struct jw w;

    if (!o->a->json) {
        ask_say(o, "%s", session_state_name(ev->state));
        if (ev->why &&
            strcmp(ev->why->code, "refused-by-you") != 0) /* said already, with the reason */
            ask_error(o, ev->why);
        return;
    }
    w = json_begin(o, &b, "state");
    jw_kstr(&w, "state", session_state_name(ev->state));
    jw_khex(&w, "job", view_of(session_request(s)->id, 32));
    if (ev->why) {
        jw_kstr(&w, "code", ev->why->code);
        json_text(&w, "text", view_str(ev->why->text));
    }
    json_end(&w);
}

static void on_phase(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    cleanup_buf struct buf b = {0};
    struct jw w;

    (void)s;
    if (!o->a->json) {
        ask_say(o, "provider says: %s%s%.*s", job_phase_name(ev->phase), ev->text.n ? ", " : "",
                (int)ev->text.n, (const char *)ev->text.p);
        return;
    }
    w = json_begin(o, &b, "phase");
    jw_kstr(&w, "phase", job_phase_name(ev->phase));
    json_text(&w, "text", ev->text);
    json_end(&w);
}

static void on_verdict(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    cleanup_buf struct buf b = {0};
    struct jw w;

    (void)s;
    o->simulated = verdict_simulated(ev->verdict);
    if (!o->a->json) {
        verdict_text(ev->verdict, &b);
        fwrite(b.p, 1, b.n, stderr);
        return;
    }
    w = json_begin(o, &b, "verdict");
    jw_key(&w, "tree");
    {
        cleanup_buf struct buf tree = {0};

        verdict_json(ev->verdict, &tree);
        jw_raw(&w, buf_view(&tree));
    }
    json_end(&w);
}

static void on_notice(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    cleanup_buf struct buf b = {0};
    struct jw w;

    (void)s;
    if (!o->a->json) {
        ask_say(o, "note (%s): %.*s", ev->code, (int)ev->text.n, (const char *)ev->text.p);
        return;
    }
    w = json_begin(o, &b, "notice");
    jw_kstr(&w, "code", ev->code);
    json_text(&w, "text", ev->text);
    json_end(&w);
}

static void say_model(struct ask_out *o) {
    const char *caution = model_caution(&o->model);
    char words[160];

    model_words(&o->model, words, sizeof words);
    if (model_named(&o->model))
        ask_say(o, "model: %s%s", words, o->model.by_guest ? "" : ", says the seller");
    if (o->model.owner[0])
        ask_say(o, "its weights are sealed by %s: neither the seller nor you see them",
                o->model.owner);
    if (caution)
        ask_say(o, "%s", caution);
    if (o->model.emulated)
        ask_say(o, "The guest's processor is emulated: an answer takes minutes.");
}

static void json_model(struct jw *w, const struct model *m) {
    jw_key(w, "model");
    jw_obj(w);
    jw_kstr(w, "name", m->name);
    if (m->parameters)
        jw_kint(w, "parameters", (int64_t)m->parameters);
    if (*m->form)
        jw_kstr(w, "quantization", m->form);
    jw_kbool(w, "said_by_guest", m->by_guest);
    jw_end_obj(w);
}

static void on_ready(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    cleanup_buf struct buf b = {0};
    struct jw w;

    (void)s;
    model_learn(&o->model, ev->json);
    if (!o->a->json) {
        ask_say(o, "workload '%.*s' is loaded; sending", (int)ev->text.n, (const char *)ev->text.p);
        say_model(o);
        return;
    }
    w = json_begin(o, &b, "ready");
    json_text(&w, "name", ev->text);
    if (o->model.chats)
        json_model(&w, &o->model);
    json_end(&w);
}

static void on_delta(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    cleanup_free char *text = safe(ev->text, TEXT_PROSE);
    cleanup_buf struct buf b = {0};
    struct jw w;

    (void)s;
    if (!o->a->json) {
        buf_str(&o->streamed, text);
        fputs(text, stdout);
        fflush(stdout);
        return;
    }
    w = json_begin(o, &b, "delta");
    jw_kstr(&w, "text", text);
    json_end(&w);
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

static void on_answer(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    cleanup_free char *text = safe(ev->text, TEXT_PROSE);
    cleanup_buf struct buf b = {0};
    struct err e;
    struct jw w;

    (void)s;
    if (o->a->json) {
        w = json_begin(o, &b, "answer");
        if (ev->code)
            json_text(&w, "code", view_str(ev->code));
        jw_kstr(&w, "text", text);
        json_end(&w);
    } else if (ev->code) {
        cleanup_free char *code = safe(view_str(ev->code), TEXT_LINE);

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
    cleanup_free char *unit = safe(ev->text, TEXT_LINE);
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

static void on_progress(struct ask_out *o, const struct session *s,
                        const struct session_event *ev) {
    cleanup_buf struct buf b = {0};
    struct jw w;

    (void)s;
    if (!o->a->json) {
        say_progress(o, ev);
        return;
    }
    w = json_begin(o, &b, "progress");
    jw_kint(&w, "done", (int64_t)ev->done);
    jw_kint(&w, "total", (int64_t)ev->total);
    json_text(&w, "unit", ev->text);
    if (ev->note)
        json_text(&w, "note", view_str(ev->note));
    json_end(&w);
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
static void on_sources(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    cleanup_buf struct buf b = {0};
    struct jw w;

    (void)s;
    sources_free(&o->sources);
    sources_read(ev->json, &o->sources);
    if (!o->a->json)
        return;
    w = json_begin(o, &b, "sources");
    jw_key(&w, "sources");
    jw_arr(&w);
    for (size_t i = 0; i < o->sources.n; i++)
        json_source(&w, &o->sources.v[i]);
    jw_end_arr(&w);
    json_end(&w);
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

static void on_table(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    cleanup_buf struct buf b = {0};
    struct jw w;

    (void)s;
    if (!o->a->json) {
        print_table(ev->json);
        return;
    }
    w = json_begin(o, &b, "table");
    jw_key(&w, "columns");
    jw_json(&w, json_arr(ev->json, "columns", NULL));
    jw_key(&w, "rows");
    jw_json(&w, json_arr(ev->json, "rows", NULL));
    json_end(&w);
}

static void on_file_moving(struct ask_out *o, const struct session *s,
                           const struct session_event *ev) {
    bool up = ev->type == SE_FILE_UP;
    uint64_t size = ev->meta->size ? ev->meta->size : 1;

    (void)s;
    if (ev->done == 0)
        o->shown_done = 0;
    if (ev->done < size && (ev->done - o->shown_done) * 20 < size)
        return;
    o->shown_done = ev->done;
    ask_say(o, "%s '%s': %llu of %llu bytes", up ? "sending" : "receiving", ev->meta->name,
            (unsigned long long)ev->done, (unsigned long long)ev->meta->size);
}

static void on_file_failed(struct ask_out *o, const struct session *s,
                           const struct session_event *ev) {
    cleanup_free char *text = safe(ev->text, TEXT_LINE);
    cleanup_free char *code = safe(view_str(ev->code ? ev->code : "failed"), TEXT_LINE);
    struct err e;

    (void)s;
    err_set(&e, code, "file '%s': %s", ev->meta->name, text);
    ask_error(o, &e);
}

static void on_receipt(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    const struct receipt *r = ev->receipt;
    cleanup_buf struct buf b = {0};
    struct jw w;

    (void)s;
    if (o->a->json) {
        w = json_begin(o, &b, "receipt");
        jw_kstr(&w, "reason", r->reason);
        jw_kint(&w, "messages_in", (int64_t)r->n_in);
        jw_kint(&w, "messages_out", (int64_t)r->n_out);
        jw_kint(&w, "uncovered", ev->uncovered);
        json_end(&w);
    } else if (ev->uncovered < 0) {
        ask_say(o, "receipt does not match: %.*s", (int)ev->text.n, (const char *)ev->text.p);
    } else if (ev->uncovered > 0) {
        ask_say(o, "receipt does not cover your last %d messages", ev->uncovered);
    } else {
        ask_say(o, "receipt signed by the guest covers all %llu messages and %llu answers",
                (unsigned long long)r->n_in, (unsigned long long)r->n_out);
    }
}

static void on_teardown(struct ask_out *o, const struct session *s,
                        const struct session_event *ev) {
    cleanup_buf struct buf b = {0};
    struct jw w;

    (void)s;
    if (!o->a->json) {
        ask_say(o, "provider says: machine gone, exit status %d, its folder %s",
                ev->teardown->exit_status,
                ev->teardown->rundir_removed ? "removed" : "NOT removed");
        return;
    }
    w = json_begin(o, &b, "teardown");
    jw_kint(&w, "exit", ev->teardown->exit_status);
    jw_kbool(&w, "rundir_removed", ev->teardown->rundir_removed);
    json_end(&w);
}

static const struct {
    enum session_event_type type;
    void (*show)(struct ask_out *o, const struct session *s, const struct session_event *ev);
} shows[] = {
    {SE_STATE, on_state},
    {SE_PHASE, on_phase},
    {SE_VERDICT, on_verdict},
    {SE_NOTICE, on_notice},
    {SE_READY, on_ready},
    {SE_DELTA, on_delta},
    {SE_ANSWER, on_answer},
    {SE_PROGRESS, on_progress},
    {SE_TABLE, on_table},
    {SE_SOURCES, on_sources},
    {SE_FILE_UP, on_file_moving},
    {SE_FILE_DOWN, on_file_moving},
    {SE_FILE_FAILED, on_file_failed},
    {SE_RECEIPT, on_receipt},
    {SE_TEARDOWN, on_teardown},
};

void ask_event(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    for (size_t i = 0; i < COUNT(shows); i++)
        if (shows[i].type == ev->type)
            shows[i].show(o, s, ev);
}

/* --- files --- */

/* "dir/name.csv", then "dir/name-1.csv"... */
static char *path_try(const char *dir, const char *name, int i) {
    const char *dot = strrchr(name, '.');
    size_t stem = dot && dot != name ? (size_t)(dot - name) : strlen(name);

    if (i == 0)
        return mem_fmt("%s/%s", dir, name);
    return mem_fmt("%s/%.*s-%d%s", dir, (int)stem, name, i, name + stem);
}

static void show_saved(struct ask_out *o, const char *path, const struct xfer_meta *m) {
    cleanup_free char *hex = hex_new(view_of(m->sha256, 32));
    cleanup_buf struct buf b = {0};
    struct jw w;

    if (!o->a->json) {
        printf("%s  %llu bytes  sha256 %s%s\n", path, (unsigned long long)m->size, hex,
               o->simulated ? "  SIMULATED" : "");
        fflush(stdout);
        return;
    }
    w = json_begin(o, &b, "file");
    jw_kstr(&w, "path", path);
    json_meta(&w, m);
    json_end(&w);
}

int ask_save(struct ask_out *o, const struct xfer_meta *m, struct view data, struct err *e) {
    const char *dir = o->a->set.out ? o->a->set.out : ".";
    struct stat st;

    for (int i = 0; i < NAMES_TRIED; i++) {
        cleanup_free char *path = path_try(dir, m->name, i);

        if (lstat(path, &st) == 0) /* a link that leads nowhere is in the way too */
            continue;
        if (file_write(path, data, 0600, false, e))
            return -1;
        show_saved(o, path, m);
        return 0;
    }
    return err_set(e, "exists", "'%s' and %d names like it exist", m->name, NAMES_TRIED - 1);
}

void ask_bundle_saved(struct ask_out *o, const char *path) {
    cleanup_buf struct buf b = {0};
    struct jw w;

    if (!o->a->json) {
        ask_say(o, "receipt and evidence are in %s; check them with `cdvm verify %s`", path, path);
        return;
    }
    w = json_begin(o, &b, "bundle");
    jw_kstr(&w, "path", path);
    json_end(&w);
}
