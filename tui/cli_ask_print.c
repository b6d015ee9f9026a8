/* What `cdvm ask` writes: results on stdout, progress on stderr, or one JSON object a line on
 * stdout. */
#include "cli_ask_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli_tree.h"
#include "core/enc.h"
#include "core/loop.h"

struct ask_out *ask_out_new(const struct ask_args *a) {
    struct ask_out *o = mem_new(sizeof *o);

    o->a = a;
    o->began = loop_now();
    ask_term_init(o);
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

    if (o->a->json)
        return;
    ask_live_clear(o);
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

void ask_write(struct ask_out *o, struct view text) {
    if (*o->failed.code || !text.n)
        return;
    if (o->one_terminal)
        ask_live_clear(o);
    if (fwrite(text.p, 1, text.n, stdout) == text.n && fflush(stdout) == 0)
        return;
    if (errno == EPIPE)
        err_set(&o->failed, "broken-pipe", "nobody reads standard output any more");
    else
        err_set(&o->failed, "no-output", "standard output takes no more: %s", strerror(errno));
}

/* An answer that is on its way is waited for, to be kept somewhere else; not where the reader has
 * gone, who wants none. */
bool ask_out_failed(const struct ask_out *o, struct err *why) {
    if (!*o->failed.code || (o->answering && strcmp(o->failed.code, "broken-pipe") != 0))
        return false;
    *why = o->failed;
    return true;
}

/* --- JSON --- */

struct jw ask_json_begin(const struct ask_out *o, struct buf *b, const char *event) {
    struct jw w = jw_new(b);

    jw_obj(&w);
    jw_kstr(&w, "event", event);
    jw_kint(&w, "ms", loop_now() - o->began);
    if (o->question)
        jw_kint(&w, "question", (int64_t)o->question);
    if (o->simulated)
        jw_kbool(&w, "simulated", true);
    return w;
}

void ask_json_end(struct ask_out *o, struct jw *w) {
    jw_end_obj(w);
    buf_str(w->out, "\n");
    ask_write(o, buf_view(w->out));
}

/* Outside text in JSON is sanitised too: it ends up on terminals. */
void ask_json_text(struct jw *w, const char *key, struct view v) {
    cleanup_free char *s = ask_safe(v, TEXT_PROSE);

    jw_kstr(w, key, s);
}

void ask_json_meta(struct jw *w, const struct xfer_meta *m) {
    ask_json_text(w, "name", view_str(m->name));
    jw_kint(w, "size", (int64_t)m->size);
    jw_khex(w, "sha256", view_of(m->sha256, 32));
}

void ask_error(struct ask_out *o, const struct err *e) {
    cleanup_buf struct buf b = {0};
    struct jw w;

    if (!o->a->json || *o->failed.code) { /* then nobody reads the events */
        cleanup_free char *s = ask_safe(view_str(e->text), TEXT_LINE);

        ask_live_clear(o);
        fprintf(stderr, "cdvm ask: %s%s (%s)\n", o->simulated ? "SIMULATED " : "", s, e->code);
        return;
    }
    w = ask_json_begin(o, &b, "error");
    ask_json_text(&w, "code", view_str(e->code));
    ask_json_text(&w, "text", view_str(e->text));
    ask_json_end(o, &w);
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
    ask_json_text(&w, "d", view_str(offer->d));
    ask_json_text(&w, "name", view_str(offer->name));
    jw_khex(&w, "id", view_of(offer->id, 32));
    jw_khex(&w, "provider", view_of(offer->pubkey, 32));
    ask_json_text(&w, "claims", view_str(offer->privacy));
    ask_json_end(o, &w);
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
        ask_json_text(&w, "code", view_str(ev->why->code));
        ask_json_text(&w, "text", view_str(ev->why->text));
    }
    ask_json_end(o, &w);
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
    ask_json_end(o, &w);
}

static void on_verdict(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    cleanup_buf struct buf b = {0};
    struct jw w;

    (void)s;
    o->simulated = verdict_simulated(ev->verdict);
    if (!o->a->json) {
        verdict_text(ev->verdict, &b);
        ask_tree(o, buf_view(&b));
        return;
    }
    w = ask_json_begin(o, &b, "verdict");
    jw_key(&w, "tree");
    {
        cleanup_buf struct buf tree = {0};

        verdict_json(ev->verdict, &tree);
        jw_raw(&w, buf_view(&tree));
    }
    ask_json_end(o, &w);
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
    ask_json_text(&w, "code", view_str(ev->code));
    ask_json_text(&w, "text", ev->text);
    ask_json_end(o, &w);
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
    ask_json_text(w, "name", view_str(m->name));
    if (m->parameters)
        jw_kint(w, "parameters", (int64_t)m->parameters);
    if (*m->form)
        ask_json_text(w, "quantization", view_str(m->form));
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
    ask_json_end(o, &w);
}

/* Each twentieth is told; on a terminal in one line, as it goes. */
static bool transfer_due(struct ask_out *o, const struct session_event *ev) {
    uint64_t size = ev->meta->size ? ev->meta->size : 1;

    if (ev->done == 0)
        o->shown_done = 0;
    if (ev->done < size && (ev->done - o->shown_done) * 20 < size)
        return false;
    o->shown_done = ev->done;
    return true;
}

static void json_transfer(struct ask_out *o, const struct session_event *ev) {
    cleanup_buf struct buf b = {0};
    struct jw w = ask_json_begin(o, &b, "transfer");

    jw_kstr(&w, "direction", ev->type == SE_FILE_UP ? "up" : "down");
    ask_json_meta(&w, ev->meta);
    jw_kint(&w, "done", (int64_t)ev->done);
    ask_json_end(o, &w);
}

static void on_file_moving(struct ask_out *o, const struct session *s,
                           const struct session_event *ev) {
    const char *verb = ev->type == SE_FILE_UP ? "sending" : "receiving";
    cleanup_free char *words =
        mem_fmt("%s '%s': %llu of %llu bytes", verb, ev->meta->name, (unsigned long long)ev->done,
                (unsigned long long)ev->meta->size);
    bool due = transfer_due(o, ev);

    (void)s;
    if (o->a->json && due)
        json_transfer(o, ev);
    else if (!o->a->json && o->live && ev->done < ev->meta->size)
        ask_live(o, words);
    else if (!o->a->json && due)
        ask_say(o, "%s", words);
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
        ask_json_text(&w, "reason", view_str(r->reason));
        jw_kint(&w, "messages_in", (int64_t)r->n_in);
        jw_kint(&w, "messages_out", (int64_t)r->n_out);
        jw_kint(&w, "uncovered", ev->uncovered);
        ask_json_end(o, &w);
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
        ask_say(o, "provider says: machine gone, exit status %d, its folder %s%s",
                ev->teardown->exit_status, ev->teardown->rundir_removed ? "removed" : "NOT removed",
                !ev->teardown->gpus       ? ""
                : ev->teardown->gpu_reset ? ", its GPU reset"
                                          : ", its GPU NOT reset");
        return;
    }
    w = ask_json_begin(o, &b, "teardown");
    jw_kint(&w, "exit", ev->teardown->exit_status);
    jw_kbool(&w, "rundir_removed", ev->teardown->rundir_removed);
    if (ev->teardown->gpus)
        jw_kbool(&w, "gpu_reset", ev->teardown->gpu_reset);
    ask_json_end(o, &w);
}

/* --- several questions --- */

#define QUESTION_SHOWN 70 /* characters of it over its answer */

/* One question needs no head over its answer. */
void ask_question(struct ask_out *o, size_t number, size_t of, const char *text) {
    cleanup_free char *line = text_safe_new(view_str(text), TEXT_LINE, QUESTION_SHOWN);
    cleanup_buf struct buf b = {0};
    struct jw w;

    o->question = number;
    o->of = of;
    o->answering = true;
    if (o->a->json) {
        w = ask_json_begin(o, &b, "question");
        jw_kint(&w, "of", (int64_t)of);
        ask_json_text(&w, "text", view_str(text));
        ask_json_end(o, &w);
    } else if (of > 1) {
        buf_fmt(&b, "%s--- %zu of %zu: %s\n", number > 1 ? "\n" : "", number, of, line);
        ask_write(o, buf_view(&b));
    }
}

void ask_served(struct ask_out *o, const char *address, const struct secret *token,
                const char *file) {
    ask_say(o, "serving http://%s/v1; nothing is taken before the guest has been verified",
            address);
    if (file) {
        ask_say(o, "the token is in %s", file);
        return;
    }
    fprintf(stderr,
            "\n    OPENAI_BASE_URL=http://%s/v1\n    OPENAI_API_KEY=%.*s\n\n"
            "Whoever has this key can ask the guest. It is good until this program ends.\n\n",
            address, (int)secret_len(token), (const char *)secret_get(token));
}

void ask_ended(struct ask_out *o, int code) {
    cleanup_buf struct buf b = {0};
    struct jw w;

    ask_live_clear(o);
    if (!o->a->json)
        return;
    o->question = 0;
    w = ask_json_begin(o, &b, "end");
    jw_kint(&w, "exit", code);
    ask_json_end(o, &w);
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

/* Where other programs ask, answers are theirs and not this terminal's. */
static bool of_an_answer(enum session_event_type t) {
    return t == SE_DELTA || t == SE_ANSWER || t == SE_TABLE || t == SE_SOURCES || t == SE_PROGRESS;
}

void ask_event(struct ask_out *o, const struct session *s, const struct session_event *ev) {
    if (o->a->serve && of_an_answer(ev->type))
        return;
    for (size_t i = 0; i < COUNT(shows); i++)
        if (shows[i].type == ev->type)
            shows[i].show(o, s, ev);
}
