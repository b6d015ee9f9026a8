#include "tui/engine_priv.h"

#include "tui/errand.h"

void engine_unask(void *arg) {
    struct engine *g = arg;

    errand_free(g->errand);
    g->errand = NULL;
    engine_touch(g);
}

static void on_waits(void *arg, int64_t until, const char *visit) {
    struct engine *g = arg;

    app_on_waits(g->app, until, visit);
    engine_touch(g);
}

static void on_met(void *arg, const uint8_t user[static 32]) {
    struct engine *g = arg;

    app_on_met(g->app, user);
    engine_unask(g);
}

static void on_unsigned(void *arg, const struct err *why) {
    struct engine *g = arg;

    app_on_unsigned(g->app, why);
    engine_unask(g);
}

static void on_introduced(void *arg, struct opening *op, const struct offer *o) {
    struct engine *g = arg;
    struct err e;

    engine_clock(g);
    app_on_signed(g->app);
    if (engine_launch(g, o, op, &e) != 0)
        app_say(g->app, ROLE_BAD, "%s", e.text);
    engine_unask(g);
}

static const struct errand_handler ERRAND = {on_waits, on_met, on_introduced, on_unsigned};

int engine_meet(void *arg, const struct signer_url *at, const struct keypair *client,
                struct err *e) {
    struct engine *g = arg;

    engine_unask(g);
    g->errand = errand_meet(g->net, at, client, &ERRAND, g, e);
    return g->errand ? 0 : -1;
}

int engine_start(void *arg, const struct offer *o, struct err *e) {
    struct engine *g = arg;
    struct opening *op;

    if (engine_room(g, e))
        return -1;
    if (!errand_wanted(g->identities))
        return opening_by(g->identities, o, &op, e) ? -1 : engine_launch(g, o, op, e);
    engine_unask(g);
    g->errand = errand_introduce(g->net, g->identities, o, &ERRAND, g, e);
    return g->errand ? 0 : -1;
}
