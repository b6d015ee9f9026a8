/* The course of `cdvm ask`: find the offer, run the session, decide by what the options said. */
#include "ask_course.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "ask_memory.h"
#include "cli_tree.h"
#include "core/loop.h"
#include "core/secret.h"
#include "errand.h"
#include "path.h"
#include "shelf.h"

#define SETTLE_MS 10000 /* for relays to show their offers */
#define WARNS_MAX 64

struct ask {
    const struct ask_args *a;
    struct ask_out *out;
    struct loop *loop;
    struct ws_net *net;
    struct http *http;
    struct browse *browse;
    struct shelf *shelf;
    struct trust trust;
    struct ask_memory *memory;
    struct session *session;
    struct errand *errand;    /* a remote signer is being asked; NULL: none is, or it has signed */
    struct session_conf conf; /* of the session, meanwhile */
    struct loop_timer *settle, *deadline;
    const struct ask_course *course;
    void *asking; /* the course's own */
    uint8_t xid[ASK_ATTACH_MAX][16];
    size_t n_sent;
    int code;
    bool coded;     /* the first reason stands */
    bool over;      /* no guest, and none to come */
    struct err why; /* of that, where it was decided here; code "" else */
    unsigned signals;
};

const struct ask_args *ask_args_of(const struct ask *k) {
    return k->a;
}
struct ask_out *ask_out_of(const struct ask *k) {
    return k->out;
}
struct session *ask_session(const struct ask *k) {
    return k->session;
}
struct ws_net *ask_net(const struct ask *k) {
    return k->net;
}

void ask_set_code(struct ask *k, int code) {
    if (!k->coded)
        k->code = code;
    k->coded = true;
}

static void job_over(struct ask *k, const struct err *why) {
    bool leaving = !k->course->stays || k->signals;

    if (!k->over)
        k->course->over(k->asking, why, leaving);
    k->over = true;
    if (leaving)
        loop_quit(k->loop);
}

void ask_end(struct ask *k) {
    if (k->session)
        session_end(k->session);
}

void ask_fail(struct ask *k, const struct err *e, int code) {
    ask_error(k->out, e);
    ask_set_code(k, code);
    k->why = *e;
    ask_end(k);
    if (!k->session)
        job_over(k, e);
}

/* --- decision --- */

static bool confirmed(const struct ask_args *a, const char *id) {
    for (size_t i = 0; i < a->n_confirm; i++)
        if (!strcmp(a->confirm[i], id))
            return true;
    return a->accept_warn;
}

/* One warning: by what the options said, else by what was remembered. */
static int confirm_warn(struct ask *k, const struct check *c, struct err *e) {
    bool said = confirmed(k->a, c->id);
    int64_t when = said ? 0 : ask_memory_accepted(k->memory, c);
    char day[32];

    if (!said && !when)
        return err_set(e, "not-accepted",
                       "%s is WARN: %s. Nothing was sent. To accept it: --yes-warn %s", c->id,
                       c->why, c->id);
    if (when) {
        time_rfc3339(when, day);
        ask_say(k->out, "%s is WARN; this value of this machine and image was accepted on %s",
                c->id, day);
    }
    return session_confirm(k->session, c->id, when != 0, e);
}

static int confirm_warns(struct ask *k, struct err *e) {
    const struct check *open[WARNS_MAX];
    size_t n = verdict_open(session_verdict(k->session), open, WARNS_MAX);

    for (size_t i = 0; i < n && i < WARNS_MAX; i++)
        if (open[i]->state == CHECK_WARN && confirm_warn(k, open[i], e))
            return -1;
    return 0;
}

static int accept_simulated(const struct ask *k, struct err *e) {
    if (!verdict_simulated(session_verdict(k->session)) || k->a->accept_simulated)
        return 0;
    return err_set(e, "not-accepted",
                   "this machine is SIMULATED: it protects nothing. Nothing was sent. To try it "
                   "anyway: --accept-simulated");
}

static void decide(struct ask *k) {
    struct err e;

    if (confirm_warns(k, &e) || accept_simulated(k, &e) || session_accept(k->session, true, &e)) {
        ask_error(k->out, &e);
        ask_set_code(k, 2);
        k->why = e;
        session_refuse(k->session);
    }
}

static void send_all(struct ask *k) {
    const struct ask_args *a = k->a;
    struct err e;

    for (; k->n_sent < a->n_attach; k->n_sent++) {
        const char *path = a->attach[k->n_sent];

        if (session_attach(k->session, path, path_mime(path), NULL, k->xid[k->n_sent], &e)) {
            ask_fail(k, &e, EX_NOINPUT);
            return;
        }
    }
    k->course->ready(k->asking);
}

/* --- events --- */

static int failure_code(const struct session *s) {
    const struct verdict *v = session_verdict(s);

    if (session_state(s) == SESSION_REFUSED && v && verdict_exit_code(v))
        return verdict_exit_code(v);
    return session_state(s) == SESSION_REFUSED ? 2 : EX_PROTOCOL;
}

static void save_messages(struct ask *k) {
    struct err e;

    if (!k->a->messages || !session_guest(k->session))
        return;
    if (session_messages_save(k->session, k->a->messages, &e)) {
        ask_error(k->out, &e);
        ask_set_code(k, EX_CANTCREAT);
    }
}

static void save_bundle(struct ask *k) {
    struct err e;

    if (!k->a->bundle || !session_guest(k->session))
        return;
    if (session_bundle_save(k->session, k->a->bundle, &e)) {
        ask_error(k->out, &e);
        ask_set_code(k, EX_CANTCREAT);
        return;
    }
    ask_bundle_saved(k->out, k->a->bundle);
}

static void on_state(struct ask *k, const struct session_event *ev) {
    switch (ev->state) {
    case SESSION_DECISION:
        decide(k);
        return;
    case SESSION_REFUSED:
    case SESSION_FAILED:
        ask_set_code(k, failure_code(k->session));
        return;
    case SESSION_ENDED:
        ask_set_code(k, k->course->done(k->asking) ? EX_OK : EX_TEMPFAIL);
        return;
    case SESSION_REQUESTED:
    case SESSION_STARTING:
    case SESSION_VERIFYING:
    case SESSION_ACCEPTED:
    case SESSION_READY:
    case SESSION_ENDING:
        return;
    }
}

static void on_file(struct ask *k, const struct session_event *ev) {
    struct err e;

    if (!ask_save(k->out, ev->meta, ev->data, &e))
        return;
    ask_error(k->out, &e);
    ask_set_code(k, EX_CANTCREAT);
}

/* Without a file of ours the questions make no sense. */
static void on_file_failed(struct ask *k, const struct session_event *ev) {
    ask_set_code(k, EX_DATAERR);
    for (size_t i = 0; i < k->n_sent; i++)
        if (!memcmp(k->xid[i], ev->meta->xid, 16)) {
            ask_end(k);
            return;
        }
}

static void on_closed(struct ask *k) {
    struct err why = *k->why.code ? k->why : *session_why(k->session);

    save_bundle(k);
    save_messages(k);
    if (!*why.code)
        err_set(&why, "ended", "the job has ended");
    job_over(k, &why);
}

/* Nobody hears what is said: what was said is kept by ask_on_answer and the rest is not asked. */
static void check_output(struct ask *k) {
    struct err e;

    if (!ask_out_failed(k->out, &e) || k->signals)
        return;
    k->signals = 1;
    ask_fail(k, &e, EX_IOERR);
}

static void remember(struct ask *k, const struct session_event *ev) {
    struct err e;

    if (ask_memory_event(k->memory, k->session, ev, &e))
        ask_say(k->out, "%s", e.text);
}

static void on_session(void *arg, const struct session_event *ev) {
    struct ask *k = arg;

    ask_event(k->out, k->session, ev);
    remember(k, ev);
    if (ev->type == SE_STATE)
        on_state(k, ev);
    else if (ev->type == SE_READY)
        send_all(k);
    else if (ev->type == SE_FILE)
        on_file(k, ev);
    else if (ev->type == SE_FILE_FAILED)
        on_file_failed(k, ev);
    check_output(k);
    k->course->event(k->asking, ev);
    if (ev->type == SE_CLOSED)
        on_closed(k);
}

/* --- finding the offer --- */

static const struct shelf_row *find_offer(struct ask *k, struct err *e) {
    const struct shelf_row *row;

    if (browse_relays_up(k->browse) == 0) {
        settings_unreached(&k->a->set, e);
        return NULL;
    }
    row = k->a->offer ? shelf_find(k->shelf, k->a->offer, unix_now(), e)
                      : shelf_only(k->shelf, unix_now(), e);
    if (!row)
        browse_explain(k->browse, e);
    return row;
}

/* Before anything is rented: every file is there and can be sent. */
static int check_files(const struct ask_args *a, const struct session_conf *c,
                       const struct offer *o, struct err *e) {
    const char *server;
    struct stat st;

    for (size_t i = 0; i < a->n_attach; i++) {
        if (stat(a->attach[i], &st) != 0)
            return err_sys(e, errno, "cannot read '%s'", a->attach[i]);
        if (!S_ISREG(st.st_mode) || access(a->attach[i], R_OK) != 0)
            return err_set(e, "bad-file", "'%s' is not a file that can be read", a->attach[i]);
        if (session_conf_route(c, o, (uint64_t)st.st_size, &server, e))
            return err_wrap(e, "'%s'", a->attach[i]);
    }
    return 0;
}

/* Before anything is rented as well: what comes back can be kept. */
static int check_places(const struct ask_args *a, struct err *e) {
    const char *const files[] = {a->bundle, a->messages};
    const char *dir = a->set.out ? a->set.out : ".";

    if (access(dir, W_OK | X_OK) != 0)
        return err_sys(e, errno, "result files cannot be saved in '%s'", dir);
    for (size_t i = 0; i < COUNT(files); i++)
        if (files[i] && path_creatable(files[i], e))
            return -1;
    return 0;
}

/* 0, or the exit code. Takes over op. */
static int launch(struct ask *k, const struct offer *o, struct opening *op, struct err *e) {
    k->conf.opening = op;
    k->session = session_new(&k->conf, o, on_session, k, e);
    if (!k->session)
        return EX_UNAVAILABLE;
    ask_say(k->out, "request sent; nothing of your question is in it");
    return 0;
}

/* --- a remote signer --- */

static void errand_over(struct ask *k) {
    errand_free(k->errand);
    k->errand = NULL;
}

static void on_waits(void *arg, int64_t until, const char *visit) {
    struct ask *k = arg;
    long long left = (long long)((until - loop_now() + 999) / 1000);

    if (visit)
        ask_say(k->out,
                "your signer wants you to say yes at this address, within %lld s (it is not opened "
                "for you): %s",
                left, visit);
    else
        ask_say(k->out, "your signer is asked to sign, for at most %lld s; nothing was sent yet",
                left);
}

static void on_unsigned(void *arg, const struct err *why) {
    struct ask *k = arg;
    struct err e = *why;

    errand_over(k);
    err_wrap(&e, "nothing was sent");
    ask_fail(k, &e, EX_NOPERM);
}

static void on_introduced(void *arg, struct opening *op, const struct offer *o) {
    struct ask *k = arg;
    struct err e;
    int rc = launch(k, o, op, &e);

    errand_over(k);
    if (rc)
        ask_fail(k, &e, rc);
}

static const struct errand_handler ERRAND = {
    .waits = on_waits, .introduced = on_introduced, .failed = on_unsigned};

/* 0, or the exit code: the session is there, or will be when its signer has signed. */
static int start_session(struct ask *k, const struct offer *o, struct err *e) {
    struct session_conf c = {
        .net = k->net,
        .http = k->http,
        .browse = k->browse,
        .relays = (const char *const *)k->a->set.relay.v,
        .n_relays = k->a->set.relay.n,
        .blossom = (const char *const *)k->a->set.blossom.v,
        .n_blossom = k->a->set.blossom.n,
        .policy = &k->a->policy,
        .trust = &k->trust,
        .params = k->a->params,
        .n_params = k->a->n_params,
        .look_only = k->a->set.look_only,
        .keep_messages = k->a->messages != NULL,
    };
    struct opening *op;

    ask_offer(k->out, o);
    if (check_files(k->a, &c, o, e))
        return EX_NOINPUT;
    k->conf = c;
    if (errand_wanted(k->a->identities)) {
        k->errand = errand_introduce(k->net, k->a->identities, o, &ERRAND, k, e);
        return k->errand ? 0 : EX_NOPERM;
    }
    return opening_by(k->a->identities, o, &op, e) ? EX_NOPERM : launch(k, o, op, e);
}

static void choose(struct ask *k) {
    const struct shelf_row *row;
    struct offer *o = NULL;
    struct err e;
    int rc;

    if (k->session || k->errand || k->over)
        return;
    row = find_offer(k, &e);
    o = row ? shelf_offer(row, &e) : NULL;
    rc = o ? start_session(k, o, &e) : EX_UNAVAILABLE;
    if (rc)
        ask_fail(k, &e, rc);
    offer_free(o);
}

static void on_offer(void *arg, const struct offer *o, const struct event *ev, const char *relay) {
    struct ask *k = arg;

    (void)shelf_put(k->shelf, o, ev, relay);
}

static void on_beat(void *arg, const struct heartbeat *h) {
    struct ask *k = arg;

    (void)shelf_beat(k->shelf, h);
}

static void on_settled(void *arg) {
    choose(arg);
}

static void on_deadline(void *arg) {
    struct ask *k = arg;
    struct err e;

    errand_over(k);
    err_set(&e, "timeout", "not done within %d seconds", k->a->timeout_s);
    ask_fail(k, &e, EX_TEMPFAIL);
}

/* Ctrl-C stops the answer that is being given; then, and with any other signal, the job is ended in
 * good order; once more, and the program leaves at once. */
static void on_signal(void *arg, int sig) {
    struct ask *k = arg;

    if (!k->course->stays) /* else that is how it ends */
        ask_set_code(k, 128 + sig);
    if (sig == SIGINT && !k->signals && !k->over && k->course->interrupt(k->asking)) {
        ask_say(k->out, "stopping the answer; Ctrl-C again ends the job");
        return;
    }
    if (k->signals++ || k->over || !k->session) {
        loop_quit(k->loop);
        return;
    }
    ask_say(k->out, "ending the job; once more to leave at once");
    ask_end(k);
}

/* --- the whole --- */

static int open_all(struct ask *k, struct err *e) {
    static const struct browse_handler bh = {
        .offer = on_offer, .beat = on_beat, .settled = on_settled};
    const struct conf_list *relays = &k->a->set.relay;
    const char *unlocked = secret_lock_warning();
    bool demo = k->a->policy.profile == POLICY_DEMO;
    struct err note;

    if (unlocked)
        ask_say(k->out, "%s", unlocked);
    k->memory = ask_memory_new((unsigned)k->a->set.history_days, &note, e);
    if (!k->memory)
        return -1;
    if (*note.code)
        ask_say(k->out, "%s", note.text);
    if (trust_load(&k->trust, demo, e) || !(k->loop = loop_new(e)) ||
        !(k->net = ws_net_new(k->loop, e)) || !(k->http = http_new(k->loop, e)) ||
        !(k->browse =
              browse_new(k->net, (const char *const *)relays->v, relays->n, demo, &bh, k, e)))
        return -1;
    loop_signal(k->loop, SIGINT, on_signal, k);
    loop_signal(k->loop, SIGTERM, on_signal, k);
    loop_signal(k->loop, SIGHUP, on_signal, k);
    k->settle = loop_timer_add(k->loop, loop_now() + SETTLE_MS, on_settled, k);
    if (k->a->timeout_s)
        k->deadline =
            loop_timer_add(k->loop, loop_now() + k->a->timeout_s * INT64_C(1000), on_deadline, k);
    return 0;
}

static void close_all(struct ask *k) {
    errand_free(k->errand);
    session_free(k->session);
    if (k->asking)
        k->course->free(k->asking);
    browse_free(k->browse);
    shelf_free(k->shelf);
    loop_timer_del(k->settle);
    loop_timer_del(k->deadline);
    http_free(k->http);
    ws_net_free(k->net);
    loop_free(k->loop);
    trust_free(&k->trust);
    ask_memory_free(k->memory);
    ask_out_free(k->out);
}

int ask_run(const struct ask_args *a) {
    struct ask k = {
        .a = a, .out = ask_out_new(a), .course = &questions_course, .shelf = shelf_new()};
    struct err e;

    if (a->serve)
        k.course = &serve_course;
    if (check_places(a, &e)) {
        ask_error(k.out, &e);
        k.code = EX_CANTCREAT;
    } else if (open_all(&k, &e)) {
        ask_error(k.out, &e);
        k.code = EX_CONFIG;
    } else if (!(k.asking = k.course->open(&k, &e))) {
        ask_error(k.out, &e);
        k.code = strcmp(e.code, "system") ? EX_CONFIG : EX_UNAVAILABLE; /* a port that is taken */
    } else {
        loop_run(k.loop);
    }
    ask_ended(k.out, k.code);
    close_all(&k);
    return k.code;
}
