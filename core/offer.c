#include "offer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dvm.h"
#include "enc.h"
#include "json.h"
#include "release.h"

#define BAD "bad-offer"
#define GPUS_OFFERED_MAX 16
#define VCPUS_OFFERED_MAX 512
#define ACCEPT_SECONDS 600
#define ACCEPT_SECONDS_MAX 86400

bool volume_ref_parse(const char *s, bool none_ok, uint8_t root[static 32], uint64_t *blocks) {
    struct volume v;

    memset(root, 0, 32);
    *blocks = 0;
    if (none_ok && !strcmp(s, "none"))
        return true;
    if (!volume_parse(s, &v))
        return false;
    memcpy(root, v.root, 32);
    *blocks = v.blocks;
    return true;
}

/* A word that is safe everywhere: in an argument, a path, a line on the screen. */
static bool word_copy(char *dst, size_t cap, const char *s) {
    size_t n =
        s ? strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+/") : 0;

    if (n == 0 || n >= cap || s[n] != '\0')
        return false;
    memcpy(dst, s, n + 1);
    return true;
}

static const char *value(const struct tag *t, size_t i) {
    return i < t->n ? t->v[i] : "";
}

static int bad(const struct tag *t, struct err *e) {
    return err_set(e, BAD, "tag %s is malformed", t->v[0]);
}

static int take_d(const struct tag *t, struct offer *o, struct err *e) {
    return word_copy(o->d, sizeof o->d, value(t, 1)) ? 0 : bad(t, e);
}

static int take_k(const struct tag *t, struct offer *o, struct err *e) {
    uint64_t k;

    if (!decimal_parse(value(t, 1), &k) || (k != KIND_JOB_CHAT && k != KIND_JOB_TOOL))
        return bad(t, e);
    o->job_kind = (uint32_t)k;
    return 0;
}

static int take_cdvm(const struct tag *t, struct offer *o, struct err *e) {
    (void)o;
    return strcmp(value(t, 1), "1") == 0 ? 0 : bad(t, e);
}

static int take_privacy(const struct tag *t, struct offer *o, struct err *e) {
    static const char *const known[] = {"sev-snp+gpu-cc", "sev-snp", "sim", "none"};

    for (size_t i = 0; i < COUNT(known); i++)
        if (!strcmp(known[i], value(t, 1)))
            return word_copy(o->privacy, sizeof o->privacy, known[i]) ? 0 : bad(t, e);
    return bad(t, e);
}

static int take_release(const struct tag *t, struct offer *o, struct err *e) {
    return hex_decode_str(value(t, 1), o->release, 32) ? 0 : bad(t, e);
}

static bool take_ref(const char *s, bool none_ok, char out[static VOLUME_REF_MAX]) {
    uint8_t root[32];
    uint64_t blocks;

    if (!volume_ref_parse(s, none_ok, root, &blocks))
        return false;
    memcpy(out, s, strlen(s) + 1); /* at most 77 bytes by its grammar */
    return true;
}

static int take_workload(const struct tag *t, struct offer *o, struct err *e) {
    text_clip(o->workload_name, sizeof o->workload_name, value(t, 1));
    return take_ref(value(t, 2), false, o->workload) ? 0 : bad(t, e);
}

static int take_model(const struct tag *t, struct offer *o, struct err *e) {
    text_clip(o->model_name, sizeof o->model_name, value(t, 1));
    if (!take_ref(value(t, 2), true, o->model))
        return bad(t, e);
    return t->n < 4 || decimal_parse(t->v[3], &o->model_bytes) ? 0 : bad(t, e);
}

static int take_broker(const struct tag *t, struct offer *o, struct err *e) {
    uint8_t key[32];

    if (strcmp(value(t, 1), "none") != 0 && !hex_decode_str(value(t, 1), key, 32))
        return bad(t, e);
    memcpy(o->broker, t->v[1], strlen(t->v[1]) + 1);
    return 0;
}

static int take_vm(const struct tag *t, struct offer *o, struct err *e) {
    uint64_t vcpus, memory;

    if (!decimal_parse(value(t, 1), &vcpus) || vcpus < 1 || vcpus > VCPUS_OFFERED_MAX ||
        !word_copy(o->vcpu_type, sizeof o->vcpu_type, value(t, 2)) ||
        !decimal_parse(value(t, 3), &o->guest_features) || !decimal_parse(value(t, 4), &memory) ||
        memory < 1 || memory > UINT32_MAX)
        return bad(t, e);
    o->vcpus = (uint32_t)vcpus;
    o->memory_mib = (uint32_t)memory;
    return 0;
}

static int take_gpu(const struct tag *t, struct offer *o, struct err *e) {
    uint64_t n;

    if (!decimal_parse(value(t, 1), &n) || n < 1 || n > GPUS_OFFERED_MAX ||
        !word_copy(o->gpu_arch, sizeof o->gpu_arch, value(t, 2)))
        return bad(t, e);
    o->gpu_count = (uint32_t)n;
    return 0;
}

static int take_price(const struct tag *t, struct offer *o, struct err *e) {
    const char *unit = value(t, 2);

    if (!decimal_parse(value(t, 1), &o->price_msat) ||
        (strcmp(unit, "job") != 0 && strcmp(unit, "minute") != 0))
        return bad(t, e);
    return word_copy(o->price_unit, sizeof o->price_unit, unit) ? 0 : bad(t, e);
}

static int take_limit(const struct tag *t, struct offer *o, struct err *e) {
    struct offer_limit *l = &o->limits[o->n_limits];

    if (o->n_limits == COUNT(o->limits) || !word_copy(l->name, sizeof l->name, value(t, 1)) ||
        !decimal_parse(value(t, 2), &l->value))
        return bad(t, e);
    o->n_limits++;
    return 0;
}

static int take_relay(const struct tag *t, struct offer *o, struct err *e) {
    if (o->n_relays == COUNT(o->relays) || !url_form_ok(value(t, 1), "ws"))
        return bad(t, e);
    memcpy(o->relays[o->n_relays++], t->v[1], strlen(t->v[1]) + 1);
    return 0;
}

static int take_blossom(const struct tag *t, struct offer *o, struct err *e) {
    if (o->n_blossom == COUNT(o->blossom) || !url_form_ok(value(t, 1), "http"))
        return bad(t, e);
    memcpy(o->blossom[o->n_blossom++], t->v[1], strlen(t->v[1]) + 1);
    return 0;
}

static int take_expiration(const struct tag *t, struct offer *o, struct err *e) {
    uint64_t at;

    if (!decimal_parse(value(t, 1), &at))
        return bad(t, e);
    o->expiration = (int64_t)at;
    return 0;
}

/* The tags of an offer: how many of each there must and may be. */
static const struct {
    const char *name;
    size_t min, max;
    int (*take)(const struct tag *t, struct offer *o, struct err *e);
} offer_tags[] = {
    {"d", 1, 1, take_d},
    {"k", 1, 1, take_k},
    {"cdvm", 1, 1, take_cdvm},
    {"privacy", 1, 1, take_privacy},
    {"release", 1, 1, take_release},
    {"workload", 1, 1, take_workload},
    {"model", 1, 1, take_model},
    {"broker", 0, 1, take_broker},
    {"vm", 1, 1, take_vm},
    {"gpu", 0, 1, take_gpu},
    {"price", 1, 1, take_price},
    {"limit", 0, 16, take_limit},
    {"relay", 1, 8, take_relay},
    {"blossom", 0, 4, take_blossom},
    {"expiration", 0, 1, take_expiration},
};

static int take_tags(const struct fields *f, size_t row, struct offer *o, struct err *e) {
    const char *name = offer_tags[row].name;
    const struct tag *t;
    size_t n;

    for (n = 0; (t = fields_find(f, name, n)); n++) {
        if (n == offer_tags[row].max)
            return err_set(e, BAD, "tag %s is given more than %zu times", name, n);
        if (offer_tags[row].take(t, o, e))
            return -1;
    }
    return n >= offer_tags[row].min ? 0 : err_set(e, BAD, "tag %s is missing", name);
}

/* Handler information is decoration and loosely typed in the wild: what cannot be read is left out.
 */
static void take_words(const struct fields *f, struct offer *o) {
    static const struct {
        const char *key;
        size_t at, cap;
    } words[] = {
        {"name", offsetof(struct offer, name), sizeof o->name},
        {"about", offsetof(struct offer, about), sizeof o->about},
        {"provider", offsetof(struct offer, provider_name), sizeof o->provider_name},
    };
    cJSON *info = json_parse(view_of(f->content, f->content_len), EVENT_MAX, NULL);

    for (size_t i = 0; i < COUNT(words); i++) {
        const char *s = info ? json_opt(info, words[i].key) : NULL;

        if (s)
            text_clip((char *)o + words[i].at, words[i].cap, s);
    }
    cJSON_Delete(info);
    if (!o->name[0])
        text_clip(o->name, sizeof o->name, o->d);
}

struct offer *offer_parse(const struct event *ev, struct err *e) {
    struct offer *o = mem_new(sizeof *o);
    struct buf json = {0};

    memcpy(o->id, ev->f.id, 32);
    memcpy(o->pubkey, ev->f.pubkey, 32);
    o->created_at = ev->f.created_at;
    memcpy(o->broker, "none", 5);
    if (ev->f.kind != KIND_OFFER) {
        err_set(e, BAD, "kind %u is no offer", ev->f.kind);
        goto fail;
    }
    for (size_t i = 0; i < COUNT(offer_tags); i++)
        if (take_tags(&ev->f, i, o, e)) {
            err_wrap(e, "offer");
            goto fail;
        }
    take_words(&ev->f, o);
    event_json(ev, &json);
    o->json = buf_take(&json);
    return o;
fail:
    offer_free(o);
    return NULL;
}

void offer_free(struct offer *o) {
    if (!o)
        return;
    free(o->json);
    free(o);
}

uint64_t offer_limit(const struct offer *o, const char *name, uint64_t otherwise) {
    for (size_t i = 0; i < o->n_limits; i++)
        if (!strcmp(o->limits[i].name, name))
            return o->limits[i].value;
    return otherwise;
}

int64_t offer_accept_ms(const struct offer *o) {
    uint64_t s = offer_limit(o, "accept", ACCEPT_SECONDS);

    return (int64_t)(s < ACCEPT_SECONDS_MAX ? s : ACCEPT_SECONDS_MAX) * 1000;
}

bool offer_simulated(const struct offer *o) {
    return strcmp(o->privacy, "sim") == 0;
}

/* --- making --- */

struct number {
    char s[24];
};
static struct number number(uint64_t v) {
    struct number n;

    snprintf(n.s, sizeof n.s, "%llu", (unsigned long long)v);
    return n;
}

static void write_info(const struct offer *o, struct buf *out) {
    struct jw w = jw_new(out);

    jw_obj(&w);
    jw_kstr(&w, "name", o->name);
    jw_kstr(&w, "about", o->about);
    jw_kstr(&w, "provider", o->provider_name);
    jw_kbool(&w, "encryptionSupported", true);
    jw_key(&w, "nip90Params");
    jw_obj(&w);
    jw_end_obj(&w);
    jw_end_obj(&w);
}

static void add_machine(struct fields *f, const struct offer *o) {
    char release[65];

    hex_encode(view_of(o->release, 32), release);
    fields_add(f, "release", release);
    fields_add(f, "workload", o->workload_name, o->workload);
    fields_add(f, "model", o->model_name, o->model, number(o->model_bytes).s);
    fields_add(f, "broker", o->broker[0] ? o->broker : "none");
    fields_add(f, "vm", number(o->vcpus).s, o->vcpu_type, number(o->guest_features).s,
               number(o->memory_mib).s);
    if (o->gpu_count)
        fields_add(f, "gpu", number(o->gpu_count).s, o->gpu_arch);
}

static void add_terms(struct fields *f, const struct offer *o) {
    fields_add(f, "price", number(o->price_msat).s, o->price_unit[0] ? o->price_unit : "job");
    for (size_t i = 0; i < o->n_limits; i++)
        fields_add(f, "limit", o->limits[i].name, number(o->limits[i].value).s);
    for (size_t i = 0; i < o->n_relays; i++)
        fields_add(f, "relay", o->relays[i]);
    for (size_t i = 0; i < o->n_blossom; i++)
        fields_add(f, "blossom", o->blossom[i]);
    if (o->expiration > 0)
        fields_add(f, "expiration", number((uint64_t)o->expiration).s);
}

struct event *offer_make(const struct offer *o, const struct keypair *p, int64_t now) {
    cleanup_buf struct buf info = {0};
    struct fields f;

    write_info(o, &info);
    f = fields_new(KIND_OFFER, now, buf_view(&info));
    fields_add(&f, "d", o->d);
    fields_add(&f, "k", number(o->job_kind).s);
    fields_add(&f, "cdvm", "1");
    fields_add(&f, "privacy", o->privacy);
    add_machine(&f, o);
    add_terms(&f, o);
    return event_sign(&f, p);
}

struct event *heartbeat_make(const struct heartbeat *h, const struct keypair *p, int64_t now) {
    struct fields f = fields_new(KIND_HEARTBEAT, now, (struct view){0});

    fields_add(&f, "cdvm", "1");
    fields_add(&f, "slots", number(h->free_slots).s);
    fields_add(&f, "queue", number(h->queue).s);
    fields_add(&f, "expiration", number((uint64_t)h->expiration).s);
    return event_sign(&f, p);
}

static bool count_get(const struct fields *f, const char *name, uint64_t max, uint64_t *out) {
    const char *s = fields_get(f, name, 1);

    return s && decimal_parse(s, out) && *out <= max;
}

int heartbeat_parse(const struct event *ev, struct heartbeat *out, struct err *e) {
    uint64_t slots, queue, expiration;

    *out = (struct heartbeat){.created_at = ev->f.created_at};
    memcpy(out->pubkey, ev->f.pubkey, 32);
    if (ev->f.kind != KIND_HEARTBEAT || !count_get(&ev->f, "slots", UINT32_MAX, &slots) ||
        !count_get(&ev->f, "queue", UINT32_MAX, &queue) ||
        !count_get(&ev->f, "expiration", INT64_MAX, &expiration))
        return err_set(e, BAD, "a heartbeat without slots, queue or expiration");
    out->free_slots = (uint32_t)slots;
    out->queue = (uint32_t)queue;
    out->expiration = (int64_t)expiration;
    return 0;
}
