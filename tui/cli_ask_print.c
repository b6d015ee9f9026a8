/* What `cdvm ask` writes: results on stdout, progress on stderr, or one JSON object a line on
 * stdout. */
#include "cli_ask_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_tree.h"
#include "core/enc.h"
#include "core/loop.h"

#define NAMES_TRIED 1000 /* name.csv, name-1.csv, ... */

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

char *ask_safe(struct view v, enum text_mode mode) {
    return text_safe_new(v, mode, SIZE_MAX);
}

static void line(struct ask_out *o, struct view text) {
    cleanup_free char *s = ask_safe(text, TEXT_LINE);
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

struct jw ask_json_begin(const struct ask_out *o, struct buf *b, const char *event) {
    struct jw w = jw_new(b);

    jw_obj(&w);
    jw_kstr(&w, "event", event);
    if (o->simulated)
        jw_kbool(&w, "simulated", true);
    return w;
}

void ask_json_end(struct jw *w) {
    jw_end_obj(w);
    buf_str(w->out, "\n");
    fwrite(w->out->p, 1, w->out->n, stdout);
    fflush(stdout);
}

/* Outside text in JSON is sanitised too: it ends up on terminals. */
void ask_json_text(struct jw *w, const char *key, struct view v) {
    cleanup_free char *s = ask_safe(v, TEXT_PROSE);

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
        cleanup_free char *s = ask_safe(view_str(e->text), TEXT_LINE);

        fprintf(stderr, "cdvm ask: %s%s (%s)\n", o->simulated ? "SIMULATED " : "", s, e->code);
        return;
    }
    w = ask_json_begin(o, &b, "error");
    jw_kstr(&w, "code", e->code);
    ask_json_text(&w, "text", view_str(e->text));
    ask_json_end(&w);
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
    w = ask_json_begin(o, &b, "offer");
    jw_kstr(&w, "d", offer->d);
    jw_kstr(&w, "name", offer->name);
    jw_khex(&w, "id", view_of(offer->id, 32));
    jw_khex(&w, "provider", view_of(offer->pubkey, 32));
    jw_kstr(&w, "claims", offer->privacy);
    ask_json_end(&w);
}

static void on_state(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    cleanup_buf struct buf b = {0};
    char model[160];
    struct jw w;

    if (!o->a->json) {
        ask_say(o, "%s", session_state_name(ev->state));
        if (ev->state == SESSION_ACCEPTED && model_named(&o->model)) {
            model_words(&o->model, model, sizeof model);
            ask_say(o, "the guest copies workload and model into its memory: %s", model);
        }
        if (ev->why &&
            strcmp(ev->why->code, "refused-by-you") != 0) /* said already, with the reason */
            ask_error(o, ev->why);
        return;
    }
    w = ask_json_begin(o, &b, "state");
    jw_kstr(&w, "state", session_state_name(ev->state));
    jw_khex(&w, "job", view_of(session_request(s)->id, 32));
    if (ev->why) {
        jw_kstr(&w, "code", ev->why->code);
        ask_json_text(&w, "text", view_str(ev->why->text));
    }
    ask_json_end(&w);
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
    w = ask_json_begin(o, &b, "phase");
    jw_kstr(&w, "phase", job_phase_name(ev->phase));
    ask_json_text(&w, "text", ev->text);
    ask_json_end(&w);
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
    w = ask_json_begin(o, &b, "verdict");
    jw_key(&w, "tree");
    {
        cleanup_buf struct buf tree = {0};

        verdict_json(ev->verdict, &tree);
        jw_raw(&w, buf_view(&tree));
    }
    ask_json_end(&w);
}

static void on_notice(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    cleanup_buf struct buf b = {0};
    struct jw w;

    (void)s;
    if (!o->a->json) {
        ask_say(o, "note (%s): %.*s", ev->code, (int)ev->text.n, (const char *)ev->text.p);
        return;
    }
    w = ask_json_begin(o, &b, "notice");
    jw_kstr(&w, "code", ev->code);
    ask_json_text(&w, "text", ev->text);
    ask_json_end(&w);
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
    w = ask_json_begin(o, &b, "ready");
    ask_json_text(&w, "name", ev->text);
    if (o->model.chats)
        json_model(&w, &o->model);
    ask_json_end(&w);
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
    cleanup_free char *text = ask_safe(ev->text, TEXT_LINE);
    cleanup_free char *code = ask_safe(view_str(ev->code ? ev->code : "failed"), TEXT_LINE);
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
        w = ask_json_begin(o, &b, "receipt");
        jw_kstr(&w, "reason", r->reason);
        jw_kint(&w, "messages_in", (int64_t)r->n_in);
        jw_kint(&w, "messages_out", (int64_t)r->n_out);
        jw_kint(&w, "uncovered", ev->uncovered);
        ask_json_end(&w);
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
    w = ask_json_begin(o, &b, "teardown");
    jw_kint(&w, "exit", ev->teardown->exit_status);
    jw_kbool(&w, "rundir_removed", ev->teardown->rundir_removed);
    ask_json_end(&w);
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
    {SE_DELTA, ask_on_delta},
    {SE_ANSWER, ask_on_answer},
    {SE_PROGRESS, ask_on_progress},
    {SE_TABLE, ask_on_table},
    {SE_SOURCES, ask_on_sources},
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
    w = ask_json_begin(o, &b, "file");
    jw_kstr(&w, "path", path);
    json_meta(&w, m);
    ask_json_end(&w);
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
    w = ask_json_begin(o, &b, "bundle");
    jw_kstr(&w, "path", path);
    ask_json_end(&w);
}
