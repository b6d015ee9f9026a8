/* The first start: what its keys do. */
#include "tui/app.h"

#include <string.h>

#include "tui/path.h"

const struct first_title first_titles[FIRST_STEPS] = {
    [FIRST_WHO] = {"Who are you to the sellers?",
                   {{"A new key for every job", "nothing to keep, jobs unlinkable"},
                    {"A key kept here, under a passphrase", "sellers can recognise you"},
                    {"A remote signer", "the key never enters this machine"}}},
    [FIRST_RELAYS] = {"Where to look for offers", {{0}}},
    [FIRST_STRICT] = {"How strict?",
                      {{"standard", "failures block, warnings ask"},
                       {"strict", "anything not proven blocks"},
                       {"look only", "browse and verify, never send"}}},
    [FIRST_KEEP] = {"What stays on this disk?",
                    {{"your choices above, in cdvm.conf", "nothing else, unless you ask"},
                     {"nothing", "they count for this run; you are asked again"}}},
};

/* Open to everybody when this was written. Nothing is asked of them before they are switched on. */
static const char *const SUGGESTED[] = {"wss://relay.damus.io", "wss://nos.lol",
                                        "wss://relay.primal.net"};

void app_first_start(struct app *a) {
    const struct conf_key *relay = settings_key("relay");

    for (size_t i = 0; i < COUNT(SUGGESTED); i++)
        settings_suggest(a->conf.set, relay, SUGGESTED[i]);
    a->screen = SCR_FIRST;
}

static size_t rows_of(struct app *a, enum first_step step) {
    size_t n = 0;

    if (step == FIRST_RELAYS) /* and the row that adds one */
        return settings_known(a->conf.set, settings_key("relay"))->n + 1;
    while (first_titles[step].choice[n].label)
        n++;
    return n;
}

void app_first_move(struct app *a, enum list_move m) {
    struct first *f = &a->first;
    struct list l = {.n = rows_of(a, f->step), .height = 8};

    list_to(&l, f->cur);
    list_move(&l, m);
    f->cur = l.cur;
}

void app_first_fill(struct app *a, size_t height) {
    struct first *f = &a->first;
    struct list l = {.top = f->top, .cur = f->cur};

    list_resize(&l, rows_of(a, f->step), height);
    f->top = l.top;
    f->cur = l.cur;
}

/* --- choosing --- */

static const char *relay_at(struct app *a, size_t i) {
    const struct conf_list *known = settings_known(a->conf.set, settings_key("relay"));

    return i < known->n ? known->v[i] : NULL;
}

static void choose_relay(struct app *a) {
    const struct conf_key *key = settings_key("relay");
    const char *url = relay_at(a, a->first.cur);

    if (!url) {
        app_settings_ask(a, key);
        return;
    }
    settings_toggle(a->conf.set, key, url);
    app_setting_changed(a, key);
    if (settings_in_use(a->conf.set, key, url))
        app_try_relay(a, url);
}

void app_first_choose(struct app *a) {
    struct first *f = &a->first;

    if (f->simulator)
        f->simulator = false;
    else if (f->step == FIRST_RELAYS)
        choose_relay(a);
    else
        f->chosen[f->step] = (unsigned)f->cur;
}

void app_first_try(struct app *a) {
    const char *url = a->first.step == FIRST_RELAYS ? relay_at(a, a->first.cur) : NULL;

    if (url)
        app_try_relay(a, url);
}

void app_first_simulator(struct app *a) {
    a->first.simulator = !a->first.simulator;
}

/* --- from step to step --- */

static void step_to(struct app *a, enum first_step step) {
    struct first *f = &a->first;

    f->step = step;
    f->cur = step == FIRST_RELAYS ? 0 : f->chosen[step];
    f->top = 0;
}

static bool fits(const struct identity *id, bool remote) {
    return (id->signer != NULL) == remote;
}

static const struct identity *first_that_fits(const struct identities *l, bool remote) {
    for (size_t i = 0; l && i < identities_count(l); i++)
        if (fits(identities_at(l, i), remote))
            return identities_at(l, i);
    return NULL;
}

/* Who wants to be known must be there first, and chosen; nobody is, who does not want it. */
static bool who_is_known(struct app *a) {
    bool remote = a->first.chosen[FIRST_WHO] == WHO_REMOTE;
    const struct identity *now = app_identity(a), *there;

    if (a->first.chosen[FIRST_WHO] == WHO_ONE_TIME) {
        if (now)
            app_identity_choose(a, NULL);
        return true;
    }
    if (now && fits(now, remote))
        return true;
    if ((there = first_that_fits(a->conf.identities, remote)))
        app_identity_choose(a, there->name);
    else if (remote)
        app_identity_remote(a);
    else
        app_identity_make(a);
    return app_identity(a) && fits(app_identity(a), remote);
}

static void put(struct app *a, const char *name, const char *value) {
    const struct conf_key *key = settings_key(name);
    struct err e;

    if (settings_put(a->conf.set, key, view_str(value), &e) == 0)
        app_setting_changed(a, key);
    else
        app_say(a, ROLE_BAD, "%s", e.text);
}

static void take_strictness(struct app *a) {
    unsigned chosen = a->first.chosen[FIRST_STRICT];

    put(a, "policy", chosen == STRICT_STRICT ? "strict" : "standard");
    if ((chosen == STRICT_LOOK) != a->conf.set->look_only)
        put(a, "look-only", chosen == STRICT_LOOK ? "yes" : "no");
}

static void finish(struct app *a) {
    bool write = a->first.chosen[FIRST_KEEP] == KEEP_WRITE;
    cleanup_free char *file = path_shown(a->conf.config);
    struct err e;

    take_strictness(a);
    if (write && settings_save(a->conf.set, a->conf.config, &e) != 0) {
        app_say(a, ROLE_BAD, "%s", e.text);
        return;
    }
    a->screen = SCR_OFFERS;
    if (write)
        app_say(a, ROLE_OK, "written: %s; 6 shows and changes it", file);
    else
        app_say(a, ROLE_TEXT, "nothing was written: these choices are for this run");
}

void app_first_next(struct app *a) {
    struct first *f = &a->first;

    if (f->simulator) {
        f->simulator = false;
        return;
    }
    if (f->step == FIRST_RELAYS && !relay_at(a, f->cur) && a->conf.set->relay.n == 0) {
        choose_relay(a); /* the row that adds one, and none is there yet */
        return;
    }
    if (f->step != FIRST_RELAYS)
        f->chosen[f->step] = (unsigned)f->cur;
    if (f->step == FIRST_WHO && !who_is_known(a))
        return;
    if (f->step == FIRST_KEEP)
        finish(a);
    else
        step_to(a, f->step + 1);
}

void app_first_back(struct app *a) {
    if (a->first.simulator)
        a->first.simulator = false;
    else if (a->first.step > 0)
        step_to(a, a->first.step - 1);
}

/* Nothing was written, so the questions come again at the next start. */
void app_first_skip(struct app *a) {
    if (a->first.simulator) {
        a->first.simulator = false;
        return;
    }
    a->screen = SCR_OFFERS;
    app_say(a, ROLE_TEXT, "nothing was written; you are asked again at the next start");
}
