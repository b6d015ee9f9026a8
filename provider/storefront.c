/* What the provider publishes: offers, manifests, inbox relays, heartbeat. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/offer.h"
#include "endorsing.h"
#include "provider_priv.h"

#define OFFER_LIFE_S (24 * 3600)
#define MANIFEST_LIFE_S (30 * 24 * 3600)
#define BEAT_S 120
#define BEAT_LIFE_S 300
#define BEAT_SOON_MS 500 /* changes in quick succession are one heartbeat */

static void add_limit(struct offer *o, const char *name, uint64_t value) {
    snprintf(o->limits[o->n_limits].name, sizeof o->limits[0].name, "%s", name);
    o->limits[o->n_limits++].value = value;
}

/* The largest file a workload takes, where its job.json says so. */
static void add_file_limit(struct offer *o, const struct manifest *m) {
    for (size_t i = 0; i < m->n_limits; i++)
        if (!strcmp(m->limits[i].name, "in_mib"))
            add_limit(o, "file", m->limits[i].value << 20);
}

static void add_places(const struct provider *p, struct offer *o) {
    for (size_t i = 0; i < p->n_relays; i++)
        text_clip(o->relays[o->n_relays++], sizeof o->relays[0], p->relays[i]);
    for (size_t i = 0; i < p->n_blossom; i++)
        text_clip(o->blossom[o->n_blossom++], sizeof o->blossom[0], p->blossom[i]);
}

/* Data blocks, which the customer pays memory for; the hash tree behind them adds less than 1 %. */
static void add_model(struct offer *o, const struct image_volume *v) {
    text_clip(o->model_name, sizeof o->model_name, v ? v->manifest->name : "none");
    text_clip(o->model, sizeof o->model, "none");
    if (v) {
        volume_text(&v->volume, o->model);
        o->model_bytes = v->volume.blocks * 4096;
    }
}

static const char *privacy_of(const struct provider *p, const struct image_offer *sold) {
    if (!provider_is_snp(p))
        return p->conf->backend;
    return sold->gpus ? "sev-snp+gpu-cc" : "sev-snp";
}

static struct offer describe(const struct provider *p, const struct image_offer *sold) {
    const struct image_volume *v = sold->work;
    struct offer o = {.job_kind = sold->job_kind,
                      .vcpus = sold->vcpus ? sold->vcpus : p->env.vcpus,
                      .memory_mib = sold->memory_mib ? sold->memory_mib : p->env.memory_mib,
                      .guest_features = p->env.features};

    text_clip(o.d, sizeof o.d, sold->d);
    text_clip(o.name, sizeof o.name, sold->name ? sold->name : v->manifest->name);
    text_clip(o.about, sizeof o.about, sold->about ? sold->about : p->conf->about);
    text_clip(o.provider_name, sizeof o.provider_name, p->conf->name);
    text_clip(o.privacy, sizeof o.privacy, privacy_of(p, sold));
    o.gpu_count = sold->gpus;
    text_clip(o.gpu_arch, sizeof o.gpu_arch, sold->gpus ? gpu_pool_arch(p->gpus) : "");
    text_clip(o.workload_name, sizeof o.workload_name, v->manifest->name);
    volume_text(&v->volume, o.workload);
    add_model(&o, sold->model);
    text_clip(o.broker, sizeof o.broker, sold->broker);
    text_clip(o.vcpu_type, sizeof o.vcpu_type, p->conf->vcpu_type);
    text_clip(o.price_unit, sizeof o.price_unit, "job");
    memcpy(o.release, p->image->digest, 32);
    add_limit(&o, "accept", p->conf->accept);
    add_limit(&o, "lease", p->conf->lease * 60);
    add_file_limit(&o, v->manifest);
    add_places(p, &o);
    return o;
}

/* The id that the offer would have at time 0 without expiration: equal terms, equal digest. */
static void terms_of(const struct provider *p, const struct offer *o, uint8_t out[static 32]) {
    struct event *ev = offer_make(o, p->key, 0);

    memcpy(out, ev->f.id, 32);
    event_free(ev);
}

/* A replaced event must be older than its successor: of two in one second relays keep the one with
 * the lower id, whichever that is (NIP-01). */
static int64_t after(int64_t last) {
    int64_t now = unix_now();

    return now > last ? now : last + 1;
}

/* A standing offer keeps its id over restarts, so that requests that name it stay good. Otherwise
 * NULL, and `at` is when the new one is dated. */
static struct event *standing_offer(struct provider *p, const char *d,
                                    const uint8_t terms[static 32], int64_t *at) {
    uint8_t had[32];
    cleanup_free char *json = ledger_offer_newest(p->ledger, d, had);
    struct event *ev = json ? event_parse(view_str(json), NULL) : NULL;

    *at = after(ev ? ev->f.created_at : 0);
    if (ev && !memcmp(had, terms, 32) && ev->f.created_at + OFFER_LIFE_S / 2 > unix_now())
        return ev;
    event_free(ev);
    return NULL;
}

static int publish_offer(struct provider *p, const struct image_offer *sold, struct err *e) {
    struct offer o = describe(p, sold);
    uint8_t terms[32];
    struct event *ev;
    int64_t at;

    terms_of(p, &o, terms);
    ev = standing_offer(p, o.d, terms, &at);
    if (!ev) {
        o.expiration = at + OFFER_LIFE_S;
        ev = offer_make(&o, p->key, at);
        if (ledger_offer_put(p->ledger, ev, o.d, terms, e) < 0) {
            event_free(ev);
            return -1;
        }
    }
    tell_public(p->tell, ev);
    return 0;
}

/* An endorsement by the provider itself: it carries the manifest's bytes to customers, and counts
 * for nothing unless they pinned this provider (cdvm-protocol(7), "Public events"). */
static void publish_manifest(struct provider *p, const struct endorsed *what) {
    int64_t now = unix_now();

    tell_public(p->tell, endorsement_make(what, what->seq, now, now + MANIFEST_LIFE_S, p->key));
}

static void publish_manifests(struct provider *p) {
    struct endorsed what = endorsed_release(p->image);

    publish_manifest(p, &what);
    for (size_t i = 0; i < p->image->n_volumes; i++) {
        what = endorsed_volume(&p->image->volume[i]);
        publish_manifest(p, &what);
    }
}

static void publish_inbox(struct provider *p) {
    struct fields f = fields_new(KIND_DM_RELAYS, unix_now(), view_str(""));

    for (size_t i = 0; i < p->n_relays; i++)
        fields_add(&f, "relay", p->relays[i]);
    tell_public(p->tell, event_sign(&f, p->key));
}

static void on_heartbeat(void *arg) {
    struct provider *p = arg;
    int64_t now = after(p->beat_at);
    struct heartbeat h = {.created_at = now,
                          .expiration = now + BEAT_LIFE_S,
                          .free_slots = (uint32_t)provider_slots_free(p),
                          .queue = (uint32_t)provider_queued(p)};

    p->beat_at = now;
    tell_public(p->tell, heartbeat_make(&h, p->key, now));
    loop_timer_set(p->heartbeat, loop_now() + BEAT_S * 1000);
}

void storefront_changed(struct provider *p) {
    if (!p->stopping)
        loop_timer_set(p->heartbeat, loop_now() + BEAT_SOON_MS);
}

/* An offer whose GPUs are all in quarantine is not renewed, and fades. */
static bool is_for_sale(const struct provider *p, const struct image_offer *sold) {
    return !sold->gpus || gpu_pool_count(p->gpus).good > 0;
}

static void on_offers(void *arg) {
    struct provider *p = arg;
    struct err e;

    for (size_t i = 0; i < p->image->n_offers; i++)
        if (is_for_sale(p, &p->image->offer[i]) && publish_offer(p, &p->image->offer[i], &e) < 0)
            console_error(p->out, "an offer was not renewed: %s", e.text);
    loop_timer_set(p->offers, loop_now() + (int64_t)OFFER_LIFE_S / 4 * 1000);
}

int storefront_open(struct provider *p, struct err *e) {
    struct loop *l = ws_loop(p->net);

    p->heartbeat = loop_timer_add(l, loop_now(), on_heartbeat, p);
    p->offers = loop_timer_add(l, loop_now() + (int64_t)OFFER_LIFE_S / 4 * 1000, on_offers, p);
    publish_inbox(p);
    publish_manifests(p);
    for (size_t i = 0; i < p->image->n_offers; i++)
        if (is_for_sale(p, &p->image->offer[i]) && publish_offer(p, &p->image->offer[i], e) < 0)
            return -1;
    return 0;
}

static const struct image_offer *offer_named(const struct image *m, const char *d) {
    for (size_t i = 0; i < m->n_offers; i++)
        if (!strcmp(m->offer[i].d, d))
            return &m->offer[i];
    return NULL;
}

const struct image_offer *storefront_find(struct provider *p, const struct job_request *q,
                                          struct err *e) {
    uint8_t named[32], now[32];
    char d[64];
    const struct image_offer *sold = NULL;
    struct offer o;

    if (ledger_offer_find(p->ledger, q->offer, d, named))
        sold = offer_named(p->image, d);
    if (!sold) {
        err_set(e, "unknown-offer", "this provider has no such offer: look at its offers again");
        return NULL;
    }
    o = describe(p, sold);
    terms_of(p, &o, now);
    if (memcmp(named, now, 32)) {
        err_set(e, "price-changed", "the offer has changed since: look at the new one");
        return NULL;
    }
    if (q->kind != o.job_kind) {
        err_set(e, "bad-request", "the offer is for jobs of kind %u, the request has kind %u",
                o.job_kind, q->kind);
        return NULL;
    }
    return sold;
}
