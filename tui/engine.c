#include "tui/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/enc.h"
#include "core/secret.h"
#include "tui/app.h"
#include "tui/clipboard.h"
#include "tui/draw.h"
#include "tui/option_facts.h"
#include "tui/editor.h"
#include "tui/engine_job.h"
#include "tui/errand.h"
#include "tui/present.h"
#include "tui/notify.h"
#include "tui/plain_run.h"
#include "tui/probe.h"
#include "tui/scr.h"
#include "tui/verify_bundle.h"

#define TICK_MS 1000          /* while something on the screen counts seconds */
#define MINUTE_MS 60000       /* otherwise: the clock in the corner */
#define LEAVE_MS 10000        /* for receipt and teardown */
#define LEAVE_AT_ONCE_MS 1000 /* for the bytes of `end` to go out */

/* A job that has a session. It outlives being forgotten until its last words have gone out. */
struct running {
    struct running *next;
    struct engine *engine;
    struct session *session;
    unsigned job; /* its number; 0: forgotten, no event of it is wanted */
    bool closed;
};

struct engine {
    const struct engine_conf *conf;
    struct loop *loop;
    struct ws_net *net;
    struct http *http;
    struct browse *browse; /* NULL without relays */
    struct trust trust;
    struct identities *identities;
    struct resume *resume;
    struct policy policy; /* of the next job */
    struct probes *probes;
    struct running *running;
    struct errand *errand; /* a remote signer is being asked; NULL: none is */
    struct app *app;
    struct tui *tui;         /* NULL without screens */
    struct plain_run *plain; /* then this */
    struct editor *editor;   /* the person's own, while it runs */
    struct loop_timer *tick, *leave;
    bool leaving;
    int64_t tick_at;
};

/* --- what happens --- */

static void touch(struct engine *g) {
    if (g->tui)
        tui_dirty(g->tui);
    else if (g->plain)
        plain_run_dirty(g->plain);
}

static void clock_now(struct engine *g) {
    app_clock(g->app, loop_now(), unix_now());
}

/* Offers come by thousands: the list is drawn when it is due, never for each. */
static void offers_news(struct engine *g) {
    int64_t due = app_offers_due(g->app);

    if (due < 0 || due >= g->tick_at)
        return;
    g->tick_at = due;
    loop_timer_set(g->tick, due);
}

static void on_offer(void *arg, const struct offer *o, const struct event *ev, const char *relay) {
    struct engine *g = arg;

    app_on_offer(g->app, o, ev, relay);
    offers_news(g);
}

static void on_again(void *arg, const uint8_t id[static 32], const char *relay) {
    struct engine *g = arg;

    app_on_offer_again(g->app, id, relay);
}

static void on_beat(void *arg, const struct heartbeat *h) {
    struct engine *g = arg;

    app_on_beat(g->app, h);
    offers_news(g);
}

static void on_relays(void *arg) {
    touch(arg);
}

static void on_settled(void *arg) {
    struct engine *g = arg;

    app_on_settled(g->app);
    touch(g);
}

static void leave_now(void *arg) {
    struct engine *g = arg;

    loop_quit(g->loop);
}

static void show_verdict(const struct running *r, const struct session_event *ev) {
    struct app_verdict view;
    struct facts facts;

    present_verdict(r->session, ev->verdict, &facts, &view);
    view.took_us = ev->done;
    app_on_verdict(r->engine->app, r->job, &view);
}

static bool all_closed(const struct engine *g) {
    const struct running *r = g->running;

    while (r && r->closed)
        r = r->next;
    return !r;
}

static void on_session(void *arg, const struct session_event *ev) {
    struct running *r = arg;
    struct engine *g = r->engine;

    clock_now(g);
    if (ev->type == SE_VERDICT)
        show_verdict(r, ev);
    else
        app_on_session(g->app, r->job, ev);
    r->closed |= ev->type == SE_CLOSED;
    if (g->leaving && all_closed(g))
        loop_quit(g->loop);
    touch(g);
}

/* --- sessions --- */

static void running_free(struct running *r) {
    session_free(r->session);
    free(r);
}

/* Frees those that are forgotten and have said their last word. */
static void reap(struct engine *g) {
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

static struct running *running_of(const struct engine *g, unsigned job) {
    struct running *r = g->running;

    while (r && r->job != job)
        r = r->next;
    return r;
}

/* The session of a job that the model knows; the model asks of no other. */
struct session *engine_session(const void *engine, unsigned job, struct err *e) {
    const struct engine *g = engine;
    const struct running *r = job ? running_of(g, job) : NULL;

    if (!r)
        err_set(e, "no-job", "there is no such job");
    return r ? r->session : NULL;
}

/* --- what the model asks --- */

static bool ask_pinned(void *arg, const uint8_t digest[static 32]) {
    const struct engine *g = arg;
    const struct pins *p = &g->trust.pins;

    for (size_t i = 0; i < p->n_digests; i++)
        if (!memcmp(p->digest[i], digest, 32))
            return true;
    return false;
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

static int room(const struct engine *g, struct err *e) {
    return app_jobs_full(g->app)
               ? err_set(e, "too-many", "%d jobs are running: end one first", APP_JOBS)
               : 0;
}

/* Takes over op. */
static int launch(struct engine *g, const struct offer *o, struct opening *op, struct err *e) {
    struct session_conf c = job_conf(g);
    struct running *r = running_new(g);

    c.max_msat = o->price_msat;
    c.opening = op;
    r->session = session_new(&c, o, on_session, r, e);
    return running_add(r);
}

/* --- a remote signer --- */

static void errand_over(void *arg) {
    struct engine *g = arg;

    errand_free(g->errand);
    g->errand = NULL;
    touch(g);
}

static void on_waits(void *arg, int64_t until, const char *visit) {
    struct engine *g = arg;

    app_on_waits(g->app, until, visit);
    touch(g);
}

static void on_met(void *arg, const uint8_t user[static 32]) {
    struct engine *g = arg;

    app_on_met(g->app, user);
    errand_over(g);
}

static void on_unsigned(void *arg, const struct err *why) {
    struct engine *g = arg;

    app_on_unsigned(g->app, why);
    errand_over(g);
}

static void on_introduced(void *arg, struct opening *op, const struct offer *o) {
    struct engine *g = arg;
    struct err e;

    clock_now(g);
    app_on_signed(g->app);
    if (launch(g, o, op, &e) != 0)
        app_say(g->app, ROLE_BAD, "%s", e.text);
    errand_over(g);
}

static const struct errand_handler ERRAND = {on_waits, on_met, on_introduced, on_unsigned};

static int ask_meet(void *arg, const struct signer_url *at, const struct keypair *client,
                    struct err *e) {
    struct engine *g = arg;

    errand_over(g);
    g->errand = errand_meet(g->net, at, client, &ERRAND, g, e);
    return g->errand ? 0 : -1;
}

static int ask_start(void *arg, const struct offer *o, struct err *e) {
    struct engine *g = arg;
    struct opening *op;

    if (room(g, e))
        return -1;
    if (!errand_wanted(g->identities))
        return opening_by(g->identities, o, &op, e) ? -1 : launch(g, o, op, e);
    errand_over(g);
    g->errand = errand_introduce(g->net, g->identities, o, &ERRAND, g, e);
    return g->errand ? 0 : -1;
}

static int ask_resume(void *arg, struct view text, struct err *e) {
    struct engine *g = arg;
    struct session_conf c = job_conf(g);
    struct running *r;

    if (room(g, e))
        return -1;
    r = running_new(g);
    r->session = session_resume(&c, text, on_session, r, e);
    if (running_add(r))
        return -1;
    app_job_note(g->app, app_job_of(g->app, r->job), ROLE_WARN,
                 "Picked up again after this program ended. What was said before is not here.");
    return 0;
}

static struct verdict *ask_judge(void *arg, const struct bundle *b, int64_t at, struct err *e) {
    struct engine *g = arg;

    return bundle_verify(b, &g->trust, g->conf->policy, at, NULL, e);
}

/* The session itself goes when it has closed: its last words may still be on their way. */
static void ask_forget(void *arg, unsigned job) {
    struct engine *g = arg;
    struct running *r = running_of(g, job);

    if (r)
        r->job = 0;
    touch(g); /* the next frame reaps */
}

static void ask_quit(void *arg, bool at_once) {
    struct engine *g = arg;
    size_t alive = 0;

    app_on_signed(g->app);
    errand_over(g); /* nothing begins any more */
    for (struct running *r = g->running; r; r = r->next) {
        alive += !session_state_final(session_state(r->session));
        session_end(r->session);
    }
    if (all_closed(g)) {
        loop_quit(g->loop);
        return;
    }
    g->leaving = true;
    loop_timer_set(g->leave, loop_now() + (at_once || alive == 0 ? LEAVE_AT_ONCE_MS : LEAVE_MS));
    app_say(g->app, ROLE_WARN,
            alive > 1 ? "leaving as soon as the guests have signed their receipts"
                      : "leaving as soon as the guest has signed its receipt");
}

/* --- settings that changed --- */

static void on_tried(void *arg, const char *url, int64_t ms, const struct err *why) {
    struct engine *g = arg;

    app_on_tried(g->app, url, ms, why ? why->text : NULL);
    touch(g);
}

static void ask_probe(void *arg, const char *relay) {
    struct engine *g = arg;
    struct err e;

    if (probes_try(g->probes, relay, &e) != 0)
        app_on_tried(g->app, relay, -1, e.text);
}

static int look_at_relays(struct engine *g, struct err *e) {
    static const struct browse_handler BROWSE = {.offer = on_offer,
                                                 .again = on_again,
                                                 .beat = on_beat,
                                                 .relays = on_relays,
                                                 .settled = on_settled};
    const struct conf_list *relay = &g->conf->set->relay;
    const char *const *v = (const char *const *)relay->v;

    if (g->browse)
        return browse_set_relays(g->browse, v, relay->n, e);
    if (relay->n == 0)
        return 0;
    g->browse = browse_new(g->net, v, relay->n, g->policy.profile == POLICY_DEMO, &BROWSE, g, e);
    return g->browse ? 0 : -1;
}

/* The profile demo is of the whole run: simulated offers are on the shelf already. */
static int take_policy(struct engine *g, struct err *e) {
    struct policy next;
    struct option_policy facts;

    if (g->policy.profile == POLICY_DEMO)
        return 0;
    if (settings_policy(g->conf->set->policy, false, &next, e) != 0)
        return -1;
    g->policy = next;
    option_facts_policy(&g->policy, &g->trust, &facts);
    app_on_option_policy(g->app, &facts);
    return 0;
}

static int take_folder(struct engine *g, struct err *e) {
    const char *out = g->conf->set->out;
    cleanup_free char *folder = realpath(out ? out : ".", NULL);

    if (!folder)
        return err_set(e, "bad-config", "there is no folder %s", out ? out : ".");
    app_on_folder(g->app, folder);
    return 0;
}

static int take_terminal(struct engine *g, struct err *e) {
    struct tui_options o = settings_terminal(g->conf->set);

    (void)e;
    app_on_display(g->app, o.ascii, g->conf->set->blur);
    if (g->tui)
        tui_set(g->tui, &o);
    return 0;
}

static int take_bindings(struct engine *g, struct err *e) {
    return settings_bind(g->conf->set, e);
}

/* Settings that count at once; the others are read where they are needed. */
static const struct {
    const char *key;
    int (*take)(struct engine *g, struct err *e);
} TAKEN[] = {
    {"relay", look_at_relays}, {"policy", take_policy},   {"out", take_folder},
    {"bind", take_bindings},   {"theme", take_terminal},  {"symbols", take_terminal},
    {"mouse", take_terminal},  {"redraw", take_terminal}, {"blur", take_terminal},
};

static void ask_setting(void *arg, const char *key) {
    struct engine *g = arg;
    struct err e;

    for (size_t i = 0; i < COUNT(TAKEN); i++)
        if (!strcmp(TAKEN[i].key, key) && TAKEN[i].take(g, &e) != 0)
            app_say(g->app, ROLE_BAD, "%s", e.text);
}

static void ask_redraw(void *arg) {
    struct engine *g = arg;

    if (g->tui)
        tui_redraw(g->tui);
}

static void ask_suspend(void *arg) {
    struct engine *g = arg;

    if (g->tui)
        tui_suspend(g->tui);
    else
        plain_run_suspend(g->plain);
}

static void ask_tell(void *arg, const char *words, bool away) {
    struct engine *g = arg;
    const struct settings *set = g->conf->set;
    cleanup_buf struct buf clean = {0}, bytes = {0};

    notify_bytes(away ? notify_here((enum notify)set->notify) : NOTIFY_OFF, set->bell == BELL_ON,
                 text_safe(view_str(words), TEXT_LINE, NOTIFY_WORDS_MAX, &clean), &bytes);
    if (g->tui)
        tui_write(g->tui, buf_view(&bytes));
    else if (set->bell == BELL_ON)
        plain_run_bell(g->plain);
}

static int ask_write(void *arg, const char *path, struct view data, struct err *e) {
    (void)arg;
    return file_write(path, data, 0600, false, e);
}

static int ask_copy(void *arg, struct view text, struct err *e) {
    struct engine *g = arg;

    cleanup_buf struct buf bytes = {0};

    if (!g->tui)
        return err_set(e, "no-clipboard", "without screens nothing is copied to the clipboard");
    if (clipboard_bytes(text, &bytes, e) != 0)
        return -1;
    tui_write(g->tui, buf_view(&bytes));
    return 0;
}

static int lend(struct engine *g, struct err *e) {
    if (!g->tui)
        return plain_run_lend(g->plain, e);
    tui_lend(g->tui);
    return 0;
}

static void reclaim(struct engine *g) {
    if (g->tui)
        tui_reclaim(g->tui);
    else
        plain_run_reclaim(g->plain);
}

static void on_edited(void *arg, struct view text, const struct err *e) {
    struct engine *g = arg;

    reclaim(g);
    clock_now(g);
    app_on_edited(g->app, text, e);
    editor_free(g->editor);
    g->editor = NULL;
    touch(g);
}

static int ask_edit(void *arg, struct view draft, struct err *e) {
    struct engine *g = arg;

    if (lend(g, e) != 0)
        return -1;
    g->editor = editor_start(g->loop, g->conf->set->draft_dir, draft, on_edited, g, e);
    if (g->editor)
        return 0;
    reclaim(g);
    return -1;
}

static const struct app_port PORT = {
    .pinned = ask_pinned,
    .start = ask_start,
    .resume = ask_resume,
    .confirm = engine_confirm,
    .accept = engine_accept,
    .refuse = engine_refuse,
    .ask = engine_text,
    .attach = engine_attach,
    .cancel = engine_cancel,
    .route = engine_route,
    .save = engine_save,
    .end = engine_end,
    .judge = ask_judge,
    .forget = ask_forget,
    .quit = ask_quit,
    .setting = ask_setting,
    .probe = ask_probe,
    .meet = ask_meet,
    .unask = errand_over,
    .redraw = ask_redraw,
    .suspend = ask_suspend,
    .tell = ask_tell,
    .write = ask_write,
    .copy = ask_copy,
    .edit = ask_edit,
};

/* --- the terminal --- */

static void on_key(void *arg, uint32_t key) {
    struct engine *g = arg;

    clock_now(g);
    app_key(g->app, key);
    touch(g);
}

static void on_paste(void *arg, struct view text, bool cut) {
    struct engine *g = arg;

    clock_now(g);
    app_paste(g->app, text, cut);
    touch(g);
}

static void on_resize(void *arg, int rows, int cols) {
    struct engine *g = arg;

    app_resize(g->app, rows, cols);
}

static void on_focus(void *arg, bool here) {
    struct engine *g = arg;

    app_on_focus(g->app, here);
    touch(g);
}

/* When the screen will be out of date by itself: seconds that count, a list held back, the minute.
 */
static int64_t next_tick(const struct engine *g) {
    int64_t now = loop_now(), due = app_offers_due(g->app);

    if (app_receipts_busy(g->app))
        return now;
    if (due >= 0)
        return due;
    if (g->errand || app_jobs_alive(g->app) > 0 || g->app->screen == SCR_SETTINGS)
        return now + TICK_MS;
    return now + MINUTE_MS - (unix_now() % 60) * 1000;
}

static void tell_options(struct engine *g) {
    struct option_relay relay[OPTION_RELAYS];

    if (g->app->screen == SCR_SETTINGS)
        app_on_option_relays(g->app, relay, option_facts_relays(g->conf->set, g->browse, relay));
}

static void on_draw(void *arg) {
    struct engine *g = arg;

    clock_now(g);
    reap(g);
    if (g->browse)
        app_on_relays(g->app, browse_relays_up(g->browse));
    tell_options(g);
    app_prepare(g->app);
    if (g->tui)
        scr_draw(g->app);
    else if (g->plain)
        plain_run_tell(g->plain);
    g->tick_at = next_tick(g);
    loop_timer_set(g->tick, g->tick_at);
}

static void on_tick(void *arg) {
    touch(arg);
}

static void on_leave(void *arg) {
    ask_quit(arg, true);
}

/* --- start and end --- */

static int start_net(struct engine *g, struct err *e) {
    g->policy = *g->conf->policy;
    g->loop = loop_new(e);
    g->net = g->loop ? ws_net_new(g->loop, e) : NULL;
    g->http = g->net ? http_new(g->loop, e) : NULL;
    if (!g->http || trust_load(&g->trust, g->policy.profile == POLICY_DEMO, e) != 0)
        return -1;
    g->tick = loop_timer_add(g->loop, -1, on_tick, g);
    g->leave = loop_timer_add(g->loop, -1, leave_now, g);
    g->probes = probes_new(g->net, on_tried, g);
    return look_at_relays(g, e);
}

static int start_app(struct engine *g, struct err *e) {
    const struct settings *set = g->conf->set;
    cleanup_free char *proven = conf_path(CONF_STATE, "history", e);
    cleanup_free char *marks = proven ? conf_path(CONF_STATE, "sellers", e) : NULL;
    cleanup_free char *known = proven ? conf_path(CONF_STATE, "verdicts", e) : NULL;
    cleanup_free char *config = known ? conf_path(CONF_CONFIG, "cdvm.conf", e) : NULL;
    cleanup_free char *state = config ? conf_path(CONF_STATE, NULL, e) : NULL;
    cleanup_free char *folder = realpath(set->out ? set->out : ".", NULL);
    cleanup_free char *bundles = state ? conf_path(CONF_DATA, "receipts", e) : NULL;
    const char *unlocked = secret_lock_warning();
    struct option_policy facts;
    struct app_conf c = {
        .port = &PORT,
        .port_arg = g,
        .policy = g->policy.name,
        .policy_given = g->conf->policy_given,
        .simulated = g->policy.profile == POLICY_DEMO,
        .ascii = g->conf->tui.ascii,
        .blur = set->blur,
        .proven = proven,
        .unix_now = unix_now(),
        .known = known,
        .rules = &g->policy,
        .history_days = (unsigned)set->history_days,
        .marks = marks,
        .folder = folder,
        .bundles = bundles,
        .relays = set->relay.n,
        .set = g->conf->set,
        .config = config,
        .state = state,
        .params = g->conf->params,
        .n_params = g->conf->n_params,
    };

    if (!bundles || !(c.identities = g->identities = identities_open(NULL, e)) ||
        !(c.resume = g->resume = resume_open(NULL, e)))
        return -1;
    mkdir(bundles, 0700); /* there already, mostly; what fails is said when something is saved */
    if (!folder)
        return err_set(e, "bad-config", "there is no folder %s", set->out);
    g->app = app_new(&c);
    option_facts_policy(&g->policy, &g->trust, &facts);
    app_on_option_policy(g->app, &facts);
    if (unlocked)
        app_say(g->app, ROLE_WARN, "%s", unlocked);
    else if (identities_trouble(g->identities))
        app_say(g->app, ROLE_WARN, "%s", identities_trouble(g->identities));
    return 0;
}

static void stop(struct engine *g) {
    editor_free(g->editor);
    tui_stop(g->tui);
    plain_run_stop(g->plain);
    g->tui = NULL;
    g->plain = NULL;
    errand_free(g->errand);
    app_free(g->app);
    for (struct running *r = g->running, *next; r; r = next) {
        next = r->next;
        running_free(r);
    }
    probes_free(g->probes);
    browse_free(g->browse);
    identities_free(g->identities);
    resume_free(g->resume);
    trust_free(&g->trust);
    http_free(g->http);
    loop_timer_del(g->tick);
    loop_timer_del(g->leave);
    ws_net_free(g->net);
    loop_free(g->loop);
}

/* Somebody new: no cdvm.conf, and no relay given for this run. */
static bool is_first(const struct engine *g) {
    const char *file = g->app->conf.config;

    return g->conf->set->relay.n == 0 && access(file, F_OK) != 0 && errno == ENOENT;
}

/* In lines, a program that was started by a script too, nothing is asked beforehand. */
static void begin(struct engine *g) {
    char words[64];

    if (g->tui) {
        tui_words(words);
        app_on_terminal(g->app, words);
    }
    if (g->tui && is_first(g))
        app_first_start(g->app);
    else
        app_resume_look(g->app);
}

static int start_terminal(struct engine *g, struct err *e) {
    static const struct tui_handler TERMINAL = {on_key,   on_paste, on_resize,
                                                on_focus, on_draw,  on_leave};
    const struct engine_conf *c = g->conf;

    clock_now(g);
    if (c->set->plain || plain_run_needed())
        g->plain = plain_run_start(g->loop, c->tui.ascii, g->app, &TERMINAL, g, e);
    else
        g->tui = tui_start(g->loop, &c->tui, &TERMINAL, g, e);
    return g->tui || g->plain ? 0 : -1;
}

int engine_run(const struct engine_conf *c, struct err *e) {
    struct engine g = {.conf = c};
    int rc = -1;

    if (start_net(&g, e) == 0 && start_app(&g, e) == 0)
        rc = start_terminal(&g, e);
    if (rc == 0) {
        begin(&g);
        loop_run(g.loop);
    }
    stop(&g);
    return rc;
}
