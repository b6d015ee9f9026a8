/* The course of `cdvm ask`: find the offer, run the session, decide by what the options said. */
#include "ask.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/loop.h"
#include "core/secret.h"
#include "tui/path.h"

#define SETTLE_MS 10000 /* for relays to show their offers */
#define WARNS_MAX 64

struct ask {
    const struct ask_args *a;
    struct ask_out *out;
    struct loop *loop;
    struct ws_net *net;
    struct http *http;
    struct browse *browse;
    struct trust trust;
    struct session *session;
    struct loop_timer *settle, *deadline;
    uint8_t question[32];
    bool answered;
    int code;
    bool coded; /* the first reason stands */
    unsigned signals;
};

static void set_code(struct ask *k, int code) {
    if (!k->coded)
        k->code = code;
    k->coded = true;
}

static void give_up(struct ask *k, const struct err *e, int code) {
    ask_error(k->out, e);
    set_code(k, code);
    if (k->session)
        session_end(k->session);
    if (!k->session || session_state_final(session_state(k->session)))
        loop_quit(k->loop);
}

/* --- decision --- */

static bool confirmed(const struct ask_args *a, const char *id) {
    for (size_t i = 0; i < a->n_confirm; i++)
        if (!strcmp(a->confirm[i], id))
            return true;
    return a->accept_warn;
}

static int confirm_warns(struct ask *k, struct err *e) {
    const struct check *open[WARNS_MAX];
    size_t n = verdict_open(session_verdict(k->session), open, WARNS_MAX);

    for (size_t i = 0; i < n && i < WARNS_MAX; i++) {
        if (open[i]->state != CHECK_WARN)
            continue;
        if (!confirmed(k->a, open[i]->id))
            return err_set(e, "not-accepted",
                           "%s is WARN: %s. Nothing was sent. To accept it: --yes-warn %s",
                           open[i]->id, open[i]->why, open[i]->id);
        if (session_confirm(k->session, open[i]->id, false, e))
            return -1;
    }
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
        set_code(k, 2);
        session_refuse(k->session);
    }
}

static void send_all(struct ask *k) {
    const struct ask_args *a = k->a;
    uint8_t xid[16];
    struct err e;

    for (size_t i = 0; i < a->n_attach; i++)
        if (session_attach(k->session, a->attach[i], path_mime(a->attach[i]), xid, &e)) {
            give_up(k, &e, EX_NOINPUT);
            return;
        }
    if (session_ask(k->session, view_str(a->question), k->question, &e))
        give_up(k, &e, EX_DATAERR);
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
        set_code(k, EX_CANTCREAT);
    }
}

static void save_bundle(struct ask *k) {
    struct err e;

    if (!k->a->bundle || !session_guest(k->session))
        return;
    if (session_bundle_save(k->session, k->a->bundle, &e)) {
        ask_error(k->out, &e);
        set_code(k, EX_CANTCREAT);
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
        set_code(k, failure_code(k->session));
        return;
    case SESSION_ENDED:
        set_code(k, k->answered ? EX_OK : EX_TEMPFAIL);
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

static void end_when_whole(struct ask *k) {
    if (k->answered && session_files_open(k->session) == 0)
        session_end(k->session);
}

static void on_file(struct ask *k, const struct session_event *ev) {
    struct err e;

    if (ask_save(k->out, ev->meta, ev->data, &e)) {
        ask_error(k->out, &e);
        set_code(k, EX_CANTCREAT);
    }
    end_when_whole(k);
}

static void on_answer(struct ask *k, const struct session_event *ev) {
    if (memcmp(ev->id, k->question, 32) != 0)
        return;
    k->answered = true;
    if (ev->code)
        set_code(k, EX_DATAERR);
    end_when_whole(k);
}

/* Without its file the question makes no sense. */
static void on_file_failed(struct ask *k, const struct session_event *ev) {
    (void)ev;
    set_code(k, EX_DATAERR);
    if (k->answered)
        end_when_whole(k);
    else
        session_end(k->session);
}

static void on_session(void *arg, const struct session_event *ev) {
    struct ask *k = arg;

    ask_event(k->out, k->session, ev);
    switch (ev->type) {
    case SE_STATE:
        on_state(k, ev);
        return;
    case SE_READY:
        send_all(k);
        return;
    case SE_ANSWER:
        on_answer(k, ev);
        return;
    case SE_FILE:
        on_file(k, ev);
        return;
    case SE_FILE_FAILED:
        on_file_failed(k, ev);
        return;
    case SE_CLOSED:
        save_bundle(k);
        save_messages(k);
        loop_quit(k->loop);
        return;
    case SE_PHASE:
    case SE_VERDICT:
    case SE_NOTICE:
    case SE_SENT:
    case SE_DELTA:
    case SE_PROGRESS:
    case SE_SOURCES:
    case SE_TABLE:
    case SE_FILE_UP:
    case SE_FILE_DOWN:
    case SE_RECEIPT:
    case SE_TEARDOWN:
        return;
    }
}

/* --- finding the offer --- */

static int only_one(struct browse *b, struct listing *out, struct err *e) {
    size_t alive = 0;

    for (size_t i = 0, n = browse_count(b); i < n; i++) {
        struct listing l = browse_at(b, i);

        if (l.alive && alive++ == 0)
            *out = l;
    }
    if (alive == 1)
        return 0;
    return err_set(e, alive ? "ambiguous-offer" : "unknown-offer",
                   alive
                       ? "%zu offers are alive; choose one with --offer (`cdvm offers` lists them)"
                       : "%zu offers are alive on your relays",
                   alive);
}

static int find_offer(struct ask *k, struct listing *out, struct err *e) {
    if (browse_relays_up(k->browse) == 0)
        return err_set(e, "no-relay", "none of your relays could be reached");
    return k->a->offer ? browse_find(k->browse, k->a->offer, out, e) : only_one(k->browse, out, e);
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

/* 0, or the exit code. */
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

    ask_offer(k->out, o);
    if (check_files(k->a, &c, o, e))
        return EX_NOINPUT;
    k->session = session_new(&c, o, on_session, k, e);
    if (!k->session)
        return EX_UNAVAILABLE;
    ask_say(k->out, "request sent; nothing of your question is in it");
    return 0;
}

static void choose(struct ask *k) {
    struct listing l;
    struct err e;
    int rc;

    if (k->session)
        return;
    rc = find_offer(k, &l, &e);
    rc = rc ? EX_UNAVAILABLE : start_session(k, l.offer, &e);
    if (rc)
        give_up(k, &e, rc);
}

static void on_settled(void *arg) {
    choose(arg);
}

static void on_deadline(void *arg) {
    struct ask *k = arg;
    struct err e;

    err_set(&e, "timeout", "not done within %d seconds", k->a->timeout_s);
    give_up(k, &e, EX_TEMPFAIL);
}

/* Once: an orderly end. Twice: now. */
static void on_signal(void *arg, int sig) {
    struct ask *k = arg;
    set_code(k, 128 + sig);
    if (k->signals++ || !k->session || session_state_final(session_state(k->session))) {
        loop_quit(k->loop);
        return;
    }
    ask_say(k->out, "ending the job; once more to leave at once");
    session_end(k->session);
}

/* --- the whole --- */

static int open_all(struct ask *k, struct err *e) {
    static const struct browse_handler bh = {.settled = on_settled};
    const struct conf_list *relays = &k->a->set.relay;
    const char *unlocked = secret_lock_warning();
    bool demo = k->a->policy.profile == POLICY_DEMO;

    if (unlocked)
        ask_say(k->out, "%s", unlocked);
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
    session_free(k->session);
    browse_free(k->browse);
    loop_timer_del(k->settle);
    loop_timer_del(k->deadline);
    http_free(k->http);
    ws_net_free(k->net);
    loop_free(k->loop);
    trust_free(&k->trust);
    ask_out_free(k->out);
}

int ask_run(const struct ask_args *a) {
    struct ask k = {.a = a, .out = ask_out_new(a)};
    struct err e;

    if (open_all(&k, &e)) {
        ask_error(k.out, &e);
        k.code = EX_CONFIG;
    } else {
        loop_run(k.loop);
    }
    close_all(&k);
    return k.code;
}
