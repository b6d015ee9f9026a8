/* One offer as the list shows it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dvm.h"
#include "core/enc.h"
#include "core/name.h"
#include "tui/model.h"
#include "tui/shelf_priv.h"
#include "tui/stow.h"

void shelf_claims(const struct offer *o, char *out, size_t n) {
    if (!strcmp(o->privacy, "sev-snp+gpu-cc") && o->gpu_count > 1)
        snprintf(out, n, "SNP + %ux %.10s CC", o->gpu_count, o->gpu_arch);
    else if (!strcmp(o->privacy, "sev-snp+gpu-cc"))
        snprintf(out, n, "SNP + %.10s CC", o->gpu_arch);
    else if (!strcmp(o->privacy, "sev-snp"))
        snprintf(out, n, "%s", o->gpu_count ? "SNP, GPU open" : "SNP, no GPU");
    else
        snprintf(out, n, "%s", offer_simulated(o) ? "SIMULATED" : "(none)");
}

void shelf_price(const struct offer *o, char *out, size_t n) {
    const char *unit = strcmp(o->price_unit, "minute") ? "job" : "min";
    uint64_t sat = o->price_msat / 1000;

    if (o->price_msat == 0)
        snprintf(out, n, "free");
    else if (sat < 1000 && o->price_msat % 1000)
        snprintf(out, n, "%g sat/%s", (double)o->price_msat / 1000, unit);
    else
        snprintf(out, n, "%" PRIu64 " sat/%s", sat, unit);
}

void shelf_runs(const struct offer *o, char *out, size_t n) {
    struct model m;
    char model[160] = "";

    model_of_offer(o, &m);
    if (model_named(&m))
        model_words(&m, model, sizeof model);
    snprintf(out, n, "%s%s%s; %u vcpu, %u MiB; job kind %u", o->workload_name,
             *model    ? " with "
             : m.chats ? " without a model"
                       : "",
             model, o->vcpus, o->memory_mib, o->job_kind);
}

/* --- the allocation --- */

enum part {
    PART_D,
    PART_TASK,
    PART_WHAT,
    PART_CLAIMS,
    PART_PROVIDER,
    PART_PRICE,
    PART_NAME,
    PART_RUNS,
    PARTS
};

struct parts {
    char task[16], what[64], claims[32], price[32], runs[240];
    const char *text[PARTS];
};

static void parts_of(const struct offer *o, struct parts *p) {
    bool model = *o->model_name && strcmp(o->model_name, "none");

    text_clip(p->task, sizeof p->task, o->job_kind == KIND_JOB_CHAT ? "chat" : o->workload_name);
    text_clip(p->what, sizeof p->what, model ? o->model_name : o->workload_name);
    shelf_claims(o, p->claims, sizeof p->claims);
    shelf_price(o, p->price, sizeof p->price);
    shelf_runs(o, p->runs, sizeof p->runs);
    p->text[PART_D] = o->d;
    p->text[PART_TASK] = p->task;
    p->text[PART_WHAT] = p->what;
    p->text[PART_CLAIMS] = p->claims;
    p->text[PART_PROVIDER] = o->provider_name;
    p->text[PART_PRICE] = p->price;
    p->text[PART_NAME] = o->name;
    p->text[PART_RUNS] = p->runs;
}

uint64_t shelf_hash(struct view v, uint64_t salt) {
    uint64_t h = salt ^ UINT64_C(0xcbf29ce484222325) ^ v.n, word;

    for (size_t i = 0; i < v.n; i += sizeof word) {
        size_t n = v.n - i < sizeof word ? v.n - i : sizeof word;

        word = 0;
        memcpy(&word, v.p + i, n);
        h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return h ^ h >> 32;
}

uint64_t shelf_look(const char *name, uint64_t salt) {
    char look[NAME_LOOK];

    name_look(view_str(name), look);
    return *look ? shelf_hash(view_str(look), salt) | 1 : 0;
}

static void row_fill(struct shelf_row *r, const struct offer *o, const char *const text[PARTS]) {
    *r = (struct shelf_row){.price_msat = o->price_msat,
                            .created_at = o->created_at,
                            .expiration = o->expiration,
                            .simulated = offer_simulated(o),
                            .d = text[PART_D],
                            .task = text[PART_TASK],
                            .what = text[PART_WHAT],
                            .claims = text[PART_CLAIMS],
                            .provider = text[PART_PROVIDER],
                            .price = text[PART_PRICE],
                            .name = text[PART_NAME],
                            .runs = text[PART_RUNS]};
    memcpy(r->pubkey, o->pubkey, 32);
    memcpy(r->id, o->id, 32);
    r->flags = (uint8_t)(name_flags(view_str(r->provider)) | name_flags(view_str(r->what)));
}

struct kept *kept_new(const struct offer *o, const struct event *ev, uint64_t salt) {
    cleanup_buf struct buf event = {0};
    const char *text[PARTS];
    struct parts p;
    struct kept *k;
    size_t n = sizeof *k;
    char *at;

    parts_of(o, &p);
    stow_event(ev, &event);
    n += event.n;
    for (size_t i = 0; i < PARTS; i++)
        n += strlen(p.text[i]) + 1;
    k = mem_new(n);
    at = k->text;
    for (size_t i = 0; i < PARTS; i++) {
        text[i] = at;
        at = stpcpy(at, p.text[i]) + 1;
    }
    row_fill(&k->row, o, text);
    k->event = view_of(memcpy(at, event.p, event.n), event.n);
    k->bytes = n;
    k->look = shelf_look(k->row.provider, salt);
    return k;
}

struct offer *shelf_offer(const struct shelf_row *r, struct err *e) {
    const struct kept *k = (const struct kept *)r; /* the row is its first member */
    struct event *ev = stow_open(k->event);
    struct offer *o = offer_parse(ev, e);

    event_free(ev);
    return o;
}
