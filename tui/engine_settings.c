#include "tui/engine_priv.h"

#include <stdlib.h>
#include <string.h>

#include "tui/option_facts.h"

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
    {"relay", engine_look},   {"policy", take_policy},   {"out", take_folder},
    {"bind", take_bindings},  {"theme", take_terminal},  {"symbols", take_terminal},
    {"mouse", take_terminal}, {"redraw", take_terminal}, {"blur", take_terminal},
};

void engine_setting(void *arg, const char *key) {
    struct engine *g = arg;
    struct err e;

    for (size_t i = 0; i < COUNT(TAKEN); i++)
        if (!strcmp(TAKEN[i].key, key) && TAKEN[i].take(g, &e) != 0)
            app_say(g->app, ROLE_BAD, "%s", e.text);
}
