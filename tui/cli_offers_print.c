/* The list of offers as a table or as JSON; one offer as its page. */
#include "cli_offers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/enc.h"
#include "core/json.h"
#include "scr.h"
#include "table.h"

#define PAGE_WIDTH 96

static void cell(struct table *t, const char *text) {
    table_cell(t, view_str(text));
}

static void proven_cell(const struct app *a, const struct shelf_row *r, struct table *t) {
    bool never = r->proof.state == PROOF_NEVER;
    struct scr_state look = scr_proof(never && r->simulated ? PROOF_SIMULATED : r->proof.state);
    char age[16] = "-", text[32];

    if (!never)
        scr_age(a->unix_now - r->proof.when, age);
    snprintf(text, sizeof text, "%s %s", look.symbol, age);
    cell(t, text);
}

static void row(const struct app *a, const struct shelf_row *r, struct table *t) {
    char key[20], seen[16] = "away", slots[16] = "-";

    npub_short(r->pubkey, key);
    if (r->alive) {
        scr_age(a->unix_now - r->seen, seen);
        snprintf(slots, sizeof slots, "%u", r->free_slots);
    }
    cell(t, scr_doubtful(r)             ? "!"
            : r->mark == MARK_FAVOURITE ? "*"
            : r->mark == MARK_MUTED     ? "m"
                                        : "");
    proven_cell(a, r, t);
    cell(t, r->d);
    cell(t, r->task);
    cell(t, r->what);
    cell(t, r->claims);
    cell(t, r->price);
    cell(t, seen);
    cell(t, slots);
    cell(t, *r->provider ? r->provider : "?");
    cell(t, key);
}

static void print_table(const struct app *a) {
    static const char *const TITLES[] = {"",       "PROVEN", "OFFER", "TASK", "MODEL / TOOL",
                                         "CLAIMS", "PRICE",  "SEEN",  "FREE", "PROVIDER",
                                         "KEY"};
    struct table *t = table_new(COUNT(TITLES));
    cleanup_buf struct buf text = {0};
    const struct shelf_row *r;

    for (size_t i = 0; i < COUNT(TITLES); i++)
        cell(t, TITLES[i]);
    for (size_t i = 0; (r = shelf_at(a->shelf, i)); i++)
        row(a, r, t);
    table_text(t, false, &text);
    printf("%s\n", text.n ? (const char *)text.p : "");
    table_free(t);
}

/* Beside the list, so that what reads standard output need not pass over it. */
static void print_notes(const struct app *a) {
    const struct shelf_row *r;
    const char *relay;
    uint64_t dropped = shelf_dropped(a->shelf, &relay);
    char doubt[160], key[20];

    for (size_t i = 0; (r = shelf_at(a->shelf, i)); i++) {
        if (!scr_doubtful(r))
            continue;
        npub_short(r->pubkey, key);
        scr_doubt(r, doubt, sizeof doubt);
        fprintf(stderr, "! %s (%s): %s\n", *r->provider ? r->provider : "?", key, doubt);
    }
    fprintf(stderr, "%zu of %zu offers", shelf_shown(a->shelf), shelf_count(a->shelf));
    if (shelf_muted(a->shelf))
        fprintf(stderr, ", %zu muted", shelf_muted(a->shelf));
    if (dropped)
        fprintf(stderr, ", %" PRIu64 " not kept: %s sends more than there is room for", dropped,
                relay);
    fprintf(stderr, "\n");
}

/* --- JSON --- */

static void json_proven(const struct app *a, const struct shelf_row *r, struct jw *w) {
    int64_t boot = proven_boot_ms(a->proven, r->pubkey);

    jw_key(w, "proven");
    jw_obj(w);
    jw_kstr(w, "state", proof_word(r->proof.state));
    if (r->proof.state != PROOF_NEVER)
        jw_kint(w, "when", r->proof.when);
    jw_kint(w, "jobs", (int64_t)proven_jobs(a->proven, r->pubkey));
    if (boot >= 0)
        jw_kint(w, "boot_ms", boot);
    jw_end_obj(w);
}

static void json_standing(const struct shelf_row *r, struct jw *w) {
    static const char *const MARK[] = {
        [MARK_NONE] = "none", [MARK_FAVOURITE] = "favourite", [MARK_MUTED] = "muted"};
    char doubt[160] = "";

    if (scr_doubtful(r))
        scr_doubt(r, doubt, sizeof doubt);
    jw_kstr(w, "mark", MARK[r->mark]);
    jw_kstr(w, "doubt", doubt);
    if (r->twin != TWIN_NONE)
        jw_khex(w, "looks_like", view_of(r->twin_key, 32));
    jw_kbool(w, "alive", r->alive);
    jw_kint(w, "seen", r->seen);
    jw_kint(w, "free", r->free_slots);
    jw_kint(w, "queue", r->queue);
    jw_kint(w, "relays", __builtin_popcount(r->relays));
}

static void json_machine(const struct offer *o, struct jw *w) {
    jw_kint(w, "vcpus", o->vcpus);
    jw_kstr(w, "vcpu_type", o->vcpu_type);
    jw_kint(w, "memory_mib", o->memory_mib);
    jw_kint(w, "gpus", o->gpu_count);
    jw_kstr(w, "gpu", o->gpu_arch);
    jw_key(w, "limits");
    jw_obj(w);
    for (size_t i = 0; i < o->n_limits; i++)
        jw_kint(w, o->limits[i].name, (int64_t)o->limits[i].value);
    jw_end_obj(w);
}

static void json_list(struct jw *w, const char *name, const char *first, size_t stride, size_t n) {
    jw_key(w, name);
    jw_arr(w);
    for (size_t i = 0; i < n; i++)
        jw_str(w, first + i * stride);
    jw_end_arr(w);
}

static void json_claims(const struct offer *o, struct jw *w) {
    jw_kstr(w, "d", o->d);
    jw_kstr(w, "name", o->name);
    jw_kstr(w, "about", o->about);
    jw_khex(w, "id", view_of(o->id, 32));
    jw_khex(w, "provider", view_of(o->pubkey, 32));
    jw_kstr(w, "provider_name", o->provider_name);
    jw_kint(w, "created_at", o->created_at);
    jw_kint(w, "expiration", o->expiration);
    jw_kint(w, "kind", o->job_kind);
    jw_kstr(w, "claims", o->privacy);
    jw_kstr(w, "workload", o->workload_name);
    jw_kstr(w, "workload_volume", o->workload);
    jw_kstr(w, "model", o->model_name);
    jw_kstr(w, "model_volume", o->model);
    jw_kint(w, "model_bytes", (int64_t)o->model_bytes);
    jw_kstr(w, "broker", o->broker);
    jw_khex(w, "release", view_of(o->release, 32));
    jw_kint(w, "price_msat", (int64_t)o->price_msat);
    jw_kstr(w, "price_unit", o->price_unit);
    json_machine(o, w);
    json_list(w, "relay_urls", o->relays[0], sizeof o->relays[0], o->n_relays);
    json_list(w, "blossom_urls", o->blossom[0], sizeof o->blossom[0], o->n_blossom);
}

/* event: whether the signed event goes in as well. */
static void print_json(const struct app *a, const struct shelf_row *r, const struct offer *o,
                       bool event) {
    cleanup_buf struct buf b = {0};
    struct jw w = jw_new(&b);

    jw_obj(&w);
    json_claims(o, &w);
    json_proven(a, r, &w);
    json_standing(r, &w);
    if (event)
        jw_kstr(&w, "event", o->json);
    jw_end_obj(&w);
    printf("%s\n", (const char *)b.p);
}

static void print_all_json(const struct app *a) {
    const struct shelf_row *r;

    for (size_t i = 0; (r = shelf_at(a->shelf, i)); i++) {
        struct offer *o = shelf_offer(r, NULL);

        if (o)
            print_json(a, r, o, false);
        offer_free(o);
    }
}

void offers_list(const struct offers *x) {
    if (x->json)
        print_all_json(x->app);
    else
        print_table(x->app);
    print_notes(x->app);
}

/* --- one --- */

int offers_show(struct offers *x, struct err *e) {
    const struct shelf_row *r = shelf_find(x->app->shelf, x->show, x->app->unix_now, e);
    struct pager_row line;

    if (!r || app_open_offer(x->app, r, e) != 0)
        return -1;
    if (x->json) {
        print_json(x->app, r, x->app->offer, true);
        return 0;
    }
    scr_offer_fill(x->app, x->app->offer_page);
    pager_resize(x->app->offer_page, PAGE_WIDTH, 1, 0);
    for (size_t i = 0; pager_row(x->app->offer_page, i, &line); i++)
        printf("%.*s\n", (int)line.text.n, line.text.s);
    return 0;
}
