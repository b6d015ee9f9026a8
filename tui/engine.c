#include "tui/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/enc.h"
#include "core/secret.h"
#include "tui/app.h"
#include "tui/draw.h"
#include "tui/scr.h"

#define TICK_MS 1000          /* while something on the screen counts seconds */
#define MINUTE_MS 60000       /* otherwise: the clock in the corner */
#define LEAVE_MS 10000        /* for receipt and teardown */
#define LEAVE_AT_ONCE_MS 1000 /* for the bytes of `end` to go out */
#define OFFERS_MS 250         /* the list is made anew at most this often */

struct engine {
    const struct engine_conf *conf;
    struct loop *loop;
    struct ws_net *net;
    struct http *http;
    struct browse *browse; /* NULL without relays */
    struct trust trust;
    struct session *session; /* NULL before the first job */
    struct app *app;
    struct tui *tui;
    struct loop_timer *tick, *leave;
    bool leaving, offers_stale;
    int64_t offers_at;
};

/* --- what happens --- */

static void touch(struct engine *g) {
    if (g->tui)
        tui_dirty(g->tui);
}

static void clock_now(struct engine *g) {
    app_clock(g->app, loop_now(), unix_now());
}

static void on_browse(void *arg) {
    struct engine *g = arg;

    g->offers_stale = true;
    touch(g);
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

static struct app_verdict verdict_view(const struct verdict *v) {
    struct app_verdict out = {.top = verdict_tree(v), .state = verdict_state(v)};
    const uint8_t *guest = verdict_guest(v);
    size_t n;

    out.simulated = verdict_simulated(v);
    out.allows = verdict_allows(v);
    out.has_guest = guest != NULL;
    if (guest)
        memcpy(out.guest, guest, 32);
    text_clip(out.policy, sizeof out.policy, verdict_policy(v));
    text_clip(out.product, sizeof out.product, verdict_product(v));
    out.as_of = verdict_as_of(v);
    n = verdict_open(v, out.open, APP_OPEN);
    out.n_open = n < APP_OPEN ? n : APP_OPEN;
    return out;
}

static void show_verdict(struct engine *g, const struct verdict *v) {
    struct app_verdict view = verdict_view(v);

    app_on_verdict(g->app, &view);
}

static void on_session(void *arg, const struct session_event *ev) {
    struct engine *g = arg;

    clock_now(g);
    if (ev->type == SE_VERDICT)
        show_verdict(g, ev->verdict);
    else
        app_on_session(g->app, ev);
    if (g->leaving && ev->type == SE_CLOSED)
        loop_quit(g->loop);
    touch(g);
}

/* --- what the model asks --- */

static const struct offer *ask_offer(void *arg, const struct shelf_row *row, struct err *e) {
    struct engine *g = arg;
    struct listing l;
    char hex[65], word[sizeof hex + 1 + sizeof row->d];

    hex_encode(view_of(row->pubkey, 32), hex);
    snprintf(word, sizeof word, "%s:%s", hex, row->d);
    return browse_find(g->browse, word, &l, e) == 0 ? l.offer : NULL;
}

static int ask_start(void *arg, const struct offer *o, struct err *e) {
    struct engine *g = arg;
    const struct settings *set = g->conf->set;
    struct session_conf c = {
        .net = g->net,
        .http = g->http,
        .browse = g->browse,
        .relays = (const char *const *)set->relay.v,
        .n_relays = set->relay.n < JOB_RELAYS_MAX ? set->relay.n : JOB_RELAYS_MAX,
        .blossom = (const char *const *)set->blossom.v,
        .n_blossom = set->blossom.n,
        .policy = g->conf->policy,
        .trust = &g->trust,
        .params = g->app->params,
        .n_params = g->app->n_params,
        .max_msat = o->price_msat,
    };

    app_job_forget(g->app); /* it borrows from the verdict of the session that goes */
    session_free(g->session);
    g->session = session_new(&c, o, on_session, g, e);
    if (!g->session)
        return -1;
    app_on_started(g->app, o, session_request(g->session)->id);
    return 0;
}

static int ask_confirm(void *arg, const char *id, struct err *e) {
    struct engine *g = arg;

    return session_confirm(g->session, id, e);
}

static int ask_accept(void *arg, bool simulated_ok, struct err *e) {
    struct engine *g = arg;

    return session_accept(g->session, simulated_ok, e);
}

static void ask_refuse(void *arg) {
    struct engine *g = arg;

    session_refuse(g->session);
}

static int ask_text(void *arg, struct view text, uint8_t id[static 32], struct err *e) {
    struct engine *g = arg;

    return session_ask(g->session, text, id, e);
}

static int ask_attach(void *arg, const char *path, const char *mime, uint8_t xid[static 16],
                      struct err *e) {
    struct engine *g = arg;

    return session_attach(g->session, path, mime, xid, e);
}

static int ask_cancel(void *arg, const uint8_t id[static 32], struct err *e) {
    struct engine *g = arg;

    return session_cancel(g->session, id, e);
}

static int ask_route(void *arg, uint64_t size, const char **server, struct err *e) {
    struct engine *g = arg;

    return session_route(g->session, size, server, e);
}

static int ask_save(void *arg, const char *path, struct err *e) {
    struct engine *g = arg;

    return session_bundle_save(g->session, path, e);
}

static void ask_end(void *arg) {
    struct engine *g = arg;

    session_end(g->session);
}

static void ask_quit(void *arg, bool at_once) {
    struct engine *g = arg;

    if (!g->session || session_state_final(session_state(g->session))) {
        loop_quit(g->loop);
        return;
    }
    g->leaving = true;
    loop_timer_set(g->leave, loop_now() + (at_once ? LEAVE_AT_ONCE_MS : LEAVE_MS));
    app_say(g->app, ROLE_WARN, "leaving as soon as the guest has signed its receipt");
    session_end(g->session);
}

static void ask_redraw(void *arg) {
    struct engine *g = arg;

    tui_redraw(g->tui);
}

static void ask_suspend(void *arg) {
    struct engine *g = arg;

    tui_suspend(g->tui);
}

static void ask_bell(void *arg) {
    struct engine *g = arg;

    tui_bell(g->tui);
}

static const struct app_port PORT = {ask_offer, ask_start,  ask_confirm, ask_accept,  ask_refuse,
                                     ask_text,  ask_attach, ask_cancel,  ask_route,   ask_save,
                                     ask_end,   ask_quit,   ask_redraw,  ask_suspend, ask_bell};

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

static void refresh_offers(struct engine *g) {
    if (!g->offers_stale || loop_now() - g->offers_at < OFFERS_MS)
        return;
    g->offers_stale = false;
    g->offers_at = loop_now();
    app_on_offers_clear(g->app);
    for (size_t i = 0; i < browse_count(g->browse); i++) {
        struct listing l = browse_at(g->browse, i);

        app_on_offer(g->app, &l);
    }
}

/* When the screen will be out of date by itself: seconds that count, a list held back, the minute.
 */
static int64_t next_tick(const struct engine *g) {
    int64_t now = loop_now();

    if (g->offers_stale)
        return g->offers_at + OFFERS_MS;
    if (app_job_alive(g->app))
        return now + TICK_MS;
    return now + MINUTE_MS - (unix_now() % 60) * 1000;
}

static void on_draw(void *arg) {
    struct engine *g = arg;

    clock_now(g);
    refresh_offers(g);
    if (g->browse)
        app_on_relays(g->app, browse_relays_up(g->browse));
    app_prepare(g->app);
    scr_draw(g->app);
    loop_timer_set(g->tick, next_tick(g));
}

static void on_tick(void *arg) {
    touch(arg);
}

static void on_leave(void *arg) {
    ask_quit(arg, true);
}

/* --- start and end --- */

static int start_net(struct engine *g, struct err *e) {
    static const struct browse_handler BROWSE = {on_browse, on_settled};
    const struct conf_list *relay = &g->conf->set->relay;
    bool simulated = g->conf->policy->profile == POLICY_DEMO;

    g->loop = loop_new(e);
    g->net = g->loop ? ws_net_new(g->loop, e) : NULL;
    g->http = g->net ? http_new(g->loop, e) : NULL;
    if (!g->http || trust_load(&g->trust, simulated, e) != 0)
        return -1;
    g->tick = loop_timer_add(g->loop, -1, on_tick, g);
    g->leave = loop_timer_add(g->loop, -1, leave_now, g);
    if (relay->n == 0)
        return 0;
    g->browse =
        browse_new(g->net, (const char *const *)relay->v, relay->n, simulated, &BROWSE, g, e);
    return g->browse ? 0 : -1;
}

static int start_app(struct engine *g, struct err *e) {
    const struct settings *set = g->conf->set;
    cleanup_free char *proven = conf_path(CONF_STATE, "proven", e);
    cleanup_free char *folder = realpath(set->out ? set->out : ".", NULL);
    cleanup_free char *bundles = proven ? conf_path(CONF_DATA, "receipts", e) : NULL;
    const char *unlocked = secret_lock_warning();
    struct app_conf c = {
        .port = &PORT,
        .port_arg = g,
        .policy = g->conf->policy->name,
        .simulated = g->conf->policy->profile == POLICY_DEMO,
        .ascii = g->conf->tui.ascii,
        .proven = proven,
        .folder = folder,
        .bundles = bundles,
        .relays = set->relay.n,
        .params = g->conf->params,
        .n_params = g->conf->n_params,
    };

    if (!bundles)
        return -1;
    mkdir(bundles, 0700); /* there already, mostly; what fails is said when something is saved */
    if (!folder)
        return err_set(e, "bad-config", "there is no folder %s", set->out);
    g->app = app_new(&c);
    if (unlocked)
        app_say(g->app, ROLE_WARN, "%s", unlocked);
    return 0;
}

static void stop(struct engine *g) {
    tui_stop(g->tui);
    app_free(g->app);
    session_free(g->session);
    browse_free(g->browse);
    trust_free(&g->trust);
    http_free(g->http);
    loop_timer_del(g->tick);
    loop_timer_del(g->leave);
    ws_net_free(g->net);
    loop_free(g->loop);
}

int engine_run(const struct engine_conf *c, struct err *e) {
    static const struct tui_handler TERMINAL = {on_key, on_paste, on_resize, on_draw, on_leave};
    struct engine g = {.conf = c};
    int rc = -1;

    if (start_net(&g, e) == 0 && start_app(&g, e) == 0) {
        clock_now(&g);
        g.tui = tui_start(g.loop, &c->tui, &TERMINAL, &g, e);
        rc = g.tui ? 0 : -1;
    }
    if (rc == 0)
        loop_run(g.loop);
    stop(&g);
    return rc;
}
