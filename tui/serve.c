/* `cdvm ask --serve`: the questions come from other programs, by HTTP. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "ask_course.h"
#include "cli_tree.h"
#include "core/enc.h"
#include "endpoint.h"
#include "model.h"

struct serve {
    struct ask *k;
    struct door door;
    struct endpoint *endpoint;
    struct model model;
    char guest[65], provider[24], verdict[32];
    int64_t since; /* of ready, Unix seconds */
    bool ready, ended;
    struct err why; /* of the end */
};

/* --- the port --- */

static struct session *session_of(const struct serve *s) {
    return ask_session(s->k);
}

/* What a client is told to wait for. */
static int not_yet(const struct serve *s, struct err *e) {
    const struct session *job = session_of(s);

    if (s->ended)
        return err_set(e, s->why.code, "%s", s->why.text);
    return err_set(e, "not-ready",
                   "the guest is not ready (%s): nothing is taken before it has been verified",
                   job ? session_state_name(session_state(job)) : "looking for the offer");
}

static int port_ready(void *arg, struct endpoint_who *who, struct err *why) {
    const struct serve *s = arg;
    const struct session *job = session_of(s);

    if (s->ended || !s->ready || !job || session_state(job) != SESSION_READY ||
        !verdict_allows(session_verdict(job)))
        return not_yet(s, why);
    *who = (struct endpoint_who){
        .model = {.id = model_named(&s->model) ? s->model.name : session_offer(job)->d,
                  .owner = s->provider,
                  .created = s->since},
        .offer = session_offer(job)->d,
        .guest = s->guest,
        .verdict = s->verdict,
        .simulated = verdict_simulated(session_verdict(job)),
        .turns = s->model.chats,
    };
    return 0;
}

static int port_ask(void *arg, struct view text, uint8_t id[static 32], struct err *e) {
    return session_ask(session_of(arg), text, id, e);
}

/* A question that has not left yet cannot be taken back: its answer is dropped when it comes. With
 * the job all of them end. */
static void port_cancel(void *arg, const uint8_t id[static 32]) {
    struct session *job = session_of(arg);
    struct err e;

    if (session_state(job) == SESSION_READY && session_cancel(job, id, &e) &&
        strcmp(e.code, "unknown-question") != 0)
        ask_error(ask_out_of(((struct serve *)arg)->k), &e);
}

static void offer_members(const struct session *job, struct jw *w) {
    const struct offer *o = session_offer(job);

    jw_key(w, "offer");
    jw_obj(w);
    jw_kstr(w, "d", o->d);
    jw_khex(w, "id", view_of(o->id, 32));
    jw_khex(w, "provider", view_of(o->pubkey, 32));
    jw_end_obj(w);
    jw_khex(w, "job", view_of(session_request(job)->id, 32));
}

static void port_attestation(void *arg, struct jw *w) {
    const struct serve *s = arg;
    const struct session *job = session_of(s);
    const struct verdict *v = job ? session_verdict(job) : NULL;

    jw_kstr(w, "state", job ? session_state_name(session_state(job)) : "looking for the offer");
    jw_kbool(w, "ready", s->ready && !s->ended);
    if (job)
        offer_members(job, w);
    if (s->guest[0])
        jw_kstr(w, "guest", s->guest);
    if (!v)
        return;
    jw_key(w, "evidence");
    jw_obj(w);
    verdict_members(v, w);
    jw_end_obj(w);
}

static const struct endpoint_port port = {port_ready, port_ask, port_cancel, port_attestation};

/* --- the token --- */

/* A file that is there is written over only where it holds an earlier token. */
static int token_file_ok(const char *path, struct err *e) {
    cleanup_buf struct buf old = {0};
    struct stat st;

    if (lstat(path, &st) != 0)
        return errno == ENOENT ? 0 : err_sys(e, errno, "'%s'", path);
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
        file_read(path, DOOR_TOKEN_LEN + 1, &old, e) ||
        strncmp((const char *)old.p, "cdvm-", 5) != 0)
        return err_set(e, "exists", "'%s' exists and holds no token: it is not written over", path);
    return 0;
}

static int write_token(const struct serve *s, const char *path, struct err *e) {
    struct buf line = {0};
    int rc;

    if (token_file_ok(path, e))
        return -1;
    buf_add(&line, secret_get(s->door.token), secret_len(s->door.token));
    buf_str(&line, "\n");
    rc = file_write(path, buf_view(&line), 0600, true, e);
    buf_wipe(&line);
    return rc;
}

/* Shown once, to a person: not into a log. */
static int give_token(const struct serve *s, struct err *e) {
    const char *path = ask_args_of(s->k)->token_file;
    cleanup_buf struct buf address = {0};

    if (path && write_token(s, path, e))
        return -1;
    door_address(&s->door, &address);
    if (!path && !isatty(STDERR_FILENO))
        return err_set(e, "no-terminal",
                       "there is no terminal to show the token on: --token-file FILE");
    ask_served(ask_out_of(s->k), (const char *)address.p, path ? NULL : s->door.token, path);
    return 0;
}

/* --- the course --- */

static void serve_free(void *arg) {
    struct serve *s = arg;
    const char *path = ask_args_of(s->k)->token_file;

    if (s->endpoint && path)
        unlink(path);
    endpoint_free(s->endpoint);
    door_close(&s->door);
    free(s);
}

static void *serve_open(struct ask *k, struct err *e) {
    struct serve *s = mem_new(sizeof *s);

    s->k = k;
    if (door_open(ask_args_of(k)->serve, &s->door, e) ||
        !(s->endpoint = endpoint_new(ask_net(k), &s->door, &port, s, e)) || give_token(s, e)) {
        endpoint_free(s->endpoint);
        s->endpoint = NULL;
        serve_free(s);
        return NULL;
    }
    return s;
}

static void learn(struct serve *s, const struct session_event *ev) {
    const struct session *job = session_of(s);
    const struct verdict *v = session_verdict(job);

    model_of_offer(session_offer(job), &s->model);
    model_learn(&s->model, ev->json);
    hex_encode(view_of(session_guest(job), 32), s->guest);
    npub_short(session_offer(job)->pubkey, s->provider);
    snprintf(s->verdict, sizeof s->verdict, "%s%s", verdict_simulated(v) ? "SIMULATED " : "",
             check_state_name(verdict_state(v)));
    s->since = unix_now();
}

static void on_ready(void *arg) {
    struct serve *s = arg;

    s->ready = true;
    ask_say(ask_out_of(s->k), "verified and ready: questions are taken; Ctrl-C ends the job");
}

static void on_event(void *arg, const struct session_event *ev) {
    struct serve *s = arg;

    switch (ev->type) {
    case SE_READY:
        learn(s, ev);
        return;
    case SE_DELTA:
        endpoint_delta(s->endpoint, ev->id, ev->text);
        return;
    case SE_TABLE:
        endpoint_table(s->endpoint, ev->id, ev->json);
        return;
    case SE_SOURCES:
        endpoint_sources(s->endpoint, ev->id, ev->json);
        return;
    case SE_PROGRESS:
        endpoint_progress(s->endpoint, ev->id, ev->done, ev->total);
        return;
    case SE_ANSWER:
        endpoint_answer(s->endpoint, ev->id, ev->text, ev->code, ev->usage);
        return;
    case SE_STATE:
    case SE_PHASE:
    case SE_VERDICT:
    case SE_NOTICE:
    case SE_SENT:
    case SE_FILE_UP:
    case SE_FILE_DOWN:
    case SE_FILE:
    case SE_FILE_FAILED:
    case SE_RECEIPT:
    case SE_TEARDOWN:
    case SE_CLOSED:
        return;
    }
}

static bool interrupt(void *arg) {
    struct serve *s = arg;

    return endpoint_stop(s->endpoint);
}

static bool done(void *arg) {
    (void)arg;
    return true;
}

static void over(void *arg, const struct err *why, bool leaving) {
    struct serve *s = arg;

    s->ended = true;
    s->why = *why;
    endpoint_over(s->endpoint, why);
    if (!leaving)
        ask_say(ask_out_of(s->k), "the job is over: requests are answered 503 until Ctrl-C");
}

const struct ask_course serve_course = {
    .stays = true,
    .open = serve_open,
    .free = serve_free,
    .ready = on_ready,
    .event = on_event,
    .interrupt = interrupt,
    .done = done,
    .over = over,
};
