#include "tui/engine_priv.h"

#include <stdlib.h>

#include "tui/present.h"

static void show_verdict(const struct running *r, const struct session_event *ev) {
    struct app_verdict view;
    struct facts facts;

    present_verdict(r->session, ev->verdict, &facts, &view);
    view.took_us = ev->done;
    app_on_verdict(r->engine->app, r->job, &view);
}

bool engine_all_closed(const struct engine *g) {
    const struct running *r = g->running;

    while (r && r->closed)
        r = r->next;
    return !r;
}

static void on_session(void *arg, const struct session_event *ev) {
    struct running *r = arg;
    struct engine *g = r->engine;

    engine_clock(g);
    if (ev->type == SE_VERDICT)
        show_verdict(r, ev);
    else
        app_on_session(g->app, r->job, ev);
    r->closed |= ev->type == SE_CLOSED;
    if (g->leaving && engine_all_closed(g))
        loop_quit(g->loop);
    engine_touch(g);
}

static void running_free(struct running *r) {
    session_free(r->session);
    free(r);
}

void engine_reap(struct engine *g) {
    for (struct running **p = &g->running; *p;) {
        struct running *r = *p;

        if (r->job || !r->closed) {
            p = &r->next;
            continue;
        }
        *p = r->next;
        running_free(r);
    }
}

void engine_free_jobs(struct engine *g) {
    for (struct running *r = g->running, *next; r; r = next) {
        next = r->next;
        running_free(r);
    }
    g->running = NULL;
}

static struct running *running_of(const struct engine *g, unsigned job) {
    struct running *r = g->running;

    while (r && r->job != job)
        r = r->next;
    return r;
}

static struct session_conf job_conf(struct engine *g) {
    const struct settings *set = g->conf->set;

    return (struct session_conf){
        .net = g->net,
        .http = g->http,
        .browse = g->browse,
        .relays = (const char *const *)set->relay.v,
        .n_relays = set->relay.n < JOB_RELAYS_MAX ? set->relay.n : JOB_RELAYS_MAX,
        .blossom = (const char *const *)set->blossom.v,
        .n_blossom = set->blossom.n,
        .policy = &g->policy,
        .look_only = set->look_only,
        .trust = &g->trust,
        .params = g->app->params,
        .n_params = g->app->n_params,
        .resume = g->resume,
    };
}

static struct running *running_new(struct engine *g) {
    struct running *r = mem_new(sizeof *r);

    r->engine = g;
    return r;
}

/* r has a session, or none and e says why. */
static int running_add(struct running *r) {
    struct engine *g = r->engine;

    if (!r->session) {
        free(r);
        return -1;
    }
    r->next = g->running;
    g->running = r;
    r->job = app_on_started(g->app, session_offer(r->session), session_request(r->session)->id);
    return 0;
}

int engine_room(const struct engine *g, struct err *e) {
    return app_jobs_full(g->app)
               ? err_set(e, "too-many", "%d jobs are running: end one first", APP_JOBS)
               : 0;
}

int engine_launch(struct engine *g, const struct offer *o, struct opening *op, struct err *e) {
    struct session_conf c = job_conf(g);
    struct running *r = running_new(g);

    c.max_msat = o->price_msat;
    c.opening = op;
    r->session = session_new(&c, o, on_session, r, e);
    return running_add(r);
}

int engine_resume(void *arg, struct view text, struct err *e) {
    struct engine *g = arg;
    struct session_conf c = job_conf(g);
    struct running *r;

    if (engine_room(g, e))
        return -1;
    r = running_new(g);
    r->session = session_resume(&c, text, on_session, r, e);
    if (running_add(r))
        return -1;
    app_job_note(g->app, app_job_of(g->app, r->job), ROLE_WARN,
                 "Picked up again after this program ended. What was said before is not here.");
    return 0;
}

/* The session of a job that the model knows; it asks of no other. NULL with e when there is none.
 */
static struct session *session_of(const void *engine, unsigned job, struct err *e) {
    const struct engine *g = engine;
    const struct running *r = job ? running_of(g, job) : NULL;

    if (!r)
        err_set(e, "no-job", "there is no such job");
    return r ? r->session : NULL;
}

/* The session itself goes when it has closed: its last words may still be on their way. */
void engine_forget(void *arg, unsigned job) {
    struct engine *g = arg;
    struct running *r = running_of(g, job);

    if (r)
        r->job = 0;
    engine_touch(g); /* the next frame reaps */
}

/* --- what the model asks of one job is its session's --- */

int engine_confirm(void *arg, unsigned job, const char *id, bool remembered, struct err *e) {
    struct session *s = session_of(arg, job, e);

    return s ? session_confirm(s, id, remembered, e) : -1;
}

int engine_accept(void *arg, unsigned job, bool simulated_ok, struct err *e) {
    struct session *s = session_of(arg, job, e);

    return s ? session_accept(s, simulated_ok, e) : -1;
}

void engine_refuse(void *arg, unsigned job) {
    struct err e;
    struct session *s = session_of(arg, job, &e);

    if (s)
        session_refuse(s);
}

int engine_text(void *arg, unsigned job, struct view text, uint8_t id[static 32], struct err *e) {
    struct session *s = session_of(arg, job, e);

    return s ? session_ask(s, text, id, e) : -1;
}

int engine_attach(void *arg, unsigned job, const char *path, const char *mime,
                  const uint8_t sha256[static 32], uint8_t xid[static 16], struct err *e) {
    struct session *s = session_of(arg, job, e);

    return s ? session_attach(s, path, mime, sha256, xid, e) : -1;
}

int engine_cancel(void *arg, unsigned job, const uint8_t id[static 32], struct err *e) {
    struct session *s = session_of(arg, job, e);

    return s ? session_cancel(s, id, e) : -1;
}

int engine_route(void *arg, unsigned job, uint64_t size, const char **server, struct err *e) {
    struct session *s = session_of(arg, job, e);

    return s ? session_route(s, size, server, e) : -1;
}

int engine_save(void *arg, unsigned job, const char *path, struct err *e) {
    struct session *s = session_of(arg, job, e);

    return s ? session_bundle_save(s, path, e) : -1;
}

void engine_end(void *arg, unsigned job) {
    struct err e;
    struct session *s = session_of(arg, job, &e);

    if (s)
        session_end(s);
}
