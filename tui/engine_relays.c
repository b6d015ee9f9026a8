#include "tui/engine_priv.h"

#include "core/probe.h"

/* --- offers --- */

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
    engine_touch(arg);
}

static void on_settled(void *arg) {
    struct engine *g = arg;

    app_on_settled(g->app);
    engine_touch(g);
}

int engine_look(struct engine *g, struct err *e) {
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

/* --- a relay tried on its own --- */

void engine_tried(void *arg, const char *url, int64_t ms, const struct err *why) {
    struct engine *g = arg;

    app_on_tried(g->app, url, ms, why ? why->text : NULL);
    engine_touch(g);
}

void engine_probe(void *arg, const char *relay) {
    struct engine *g = arg;
    struct err e;

    if (probes_try(g->probes, relay, &e) != 0)
        app_on_tried(g->app, relay, -1, e.text);
}
