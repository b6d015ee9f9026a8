#include "tui/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/probe.h"
#include "core/secret.h"
#include "tui/editor.h"
#include "tui/engine_priv.h"
#include "tui/errand.h"
#include "tui/option_facts.h"
#include "tui/plain_run.h"
#include "tui/verify_bundle.h"

#define LEAVE_MS 10000        /* for receipt and teardown */
#define LEAVE_AT_ONCE_MS 1000 /* for the bytes of `end` to go out */

static bool ask_pinned(void *arg, const uint8_t digest[static 32]) {
    const struct engine *g = arg;
    const struct pins *p = &g->trust.pins;

    for (size_t i = 0; i < p->n_digests; i++)
        if (!memcmp(p->digest[i], digest, 32))
            return true;
    return false;
}

static struct verdict *ask_judge(void *arg, const struct bundle *b, int64_t at, struct err *e) {
    struct engine *g = arg;

    return bundle_verify(b, &g->trust, g->conf->policy, at, NULL, e);
}

static int ask_write(void *arg, const char *path, struct view data, struct err *e) {
    (void)arg;
    return file_write(path, data, 0600, false, e);
}

static void leave_now(void *arg) {
    struct engine *g = arg;

    loop_quit(g->loop);
}

void engine_quit(void *arg, bool at_once) {
    struct engine *g = arg;
    size_t alive = 0;

    app_on_signed(g->app);
    engine_unask(g); /* nothing begins any more */
    for (struct running *r = g->running; r; r = r->next) {
        alive += !session_state_final(session_state(r->session));
        session_end(r->session);
    }
    if (engine_all_closed(g)) {
        loop_quit(g->loop);
        return;
    }
    g->leaving = true;
    loop_timer_set(g->leave, loop_now() + (at_once || alive == 0 ? LEAVE_AT_ONCE_MS : LEAVE_MS));
    app_say(g->app, ROLE_WARN,
            alive > 1 ? "leaving as soon as the guests have signed their receipts"
                      : "leaving as soon as the guest has signed its receipt");
}

static const struct app_port PORT = {
    .pinned = ask_pinned,
    .start = engine_start,
    .resume = engine_resume,
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
    .forget = engine_forget,
    .quit = engine_quit,
    .setting = engine_setting,
    .probe = engine_probe,
    .meet = engine_meet,
    .unask = engine_unask,
    .redraw = engine_redraw,
    .suspend = engine_suspend,
    .tell = engine_tell,
    .write = ask_write,
    .copy = engine_copy,
    .edit = engine_edit,
};

/* --- start and end --- */

static void on_tick(void *arg) {
    engine_touch(arg);
}

static int start_net(struct engine *g, struct err *e) {
    g->policy = *g->conf->policy;
    g->loop = loop_new(e);
    g->net = g->loop ? ws_net_new(g->loop, e) : NULL;
    g->http = g->net ? http_new(g->loop, e) : NULL;
    if (!g->http || trust_load(&g->trust, g->policy.profile == POLICY_DEMO, e) != 0)
        return -1;
    g->tick = loop_timer_add(g->loop, -1, on_tick, g);
    g->leave = loop_timer_add(g->loop, -1, leave_now, g);
    g->probes = probes_new(g->net, engine_tried, g);
    return engine_look(g, e);
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
    engine_free_jobs(g);
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

int engine_run(const struct engine_conf *c, struct err *e) {
    struct engine g = {.conf = c};
    int rc = -1;

    if (start_net(&g, e) == 0 && start_app(&g, e) == 0)
        rc = engine_terminal(&g, e);
    if (rc == 0) {
        begin(&g);
        loop_run(g.loop);
    }
    stop(&g);
    return rc;
}
