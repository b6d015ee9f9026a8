#include "tui/shelf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/dvm.h"
#include "tui/model.h"

struct shelf {
    struct shelf_row *row;
    size_t n, cap;
    size_t *view;
    size_t n_view;
};

struct shelf *shelf_new(void) {
    return mem_new(sizeof(struct shelf));
}

void shelf_free(struct shelf *s) {
    if (!s)
        return;
    free(s->row);
    free(s->view);
    free(s);
}

void shelf_clear(struct shelf *s) {
    s->n = s->n_view = 0;
}

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

static void row_fill(struct shelf_row *r, const struct offer *o) {
    bool model = *o->model_name && strcmp(o->model_name, "none");

    *r = (struct shelf_row){.price_msat = o->price_msat, .created_at = o->created_at};
    memcpy(r->pubkey, o->pubkey, 32);
    memcpy(r->id, o->id, 32);
    text_clip(r->d, sizeof r->d, o->d);
    text_clip(r->task, sizeof r->task, o->job_kind == KIND_JOB_CHAT ? "chat" : o->workload_name);
    text_clip(r->what, sizeof r->what, model ? o->model_name : o->workload_name);
    text_clip(r->provider, sizeof r->provider, o->provider_name);
    shelf_claims(o, r->claims, sizeof r->claims);
    shelf_runs(o, r->runs, sizeof r->runs);
    shelf_price(o, r->price, sizeof r->price);
    r->simulated = offer_simulated(o);
}

void shelf_put(struct shelf *s, const struct offer *o, bool alive, uint32_t free_slots,
               int64_t seen) {
    struct shelf_row *r;

    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 32;
        s->row = mem_grow(s->row, s->cap * sizeof *s->row);
    }
    r = &s->row[s->n++];
    row_fill(r, o);
    r->alive = alive;
    r->free_slots = free_slots;
    r->seen = seen;
}

static bool holds(const char *text, const char *word, size_t n) {
    for (; *text; text++)
        if (!strncasecmp(text, word, n))
            return true;
    return false;
}

static bool row_holds(const struct shelf_row *r, const char *word, size_t n) {
    return holds(r->task, word, n) || holds(r->what, word, n) || holds(r->claims, word, n) ||
           holds(r->provider, word, n) || holds(r->d, word, n) || holds(r->price, word, n);
}

static bool row_matches(const struct shelf_row *r, const char *filter) {
    size_t n;

    for (const char *w = filter; *(w += strspn(w, " ")); w += n) {
        n = strcspn(w, " ");
        if (!row_holds(r, w, n))
            return false;
    }
    return true;
}

/* PASS first, then warnings, then what was never tried; failures last. */
static unsigned proof_rank(enum proof_state s) {
    static const unsigned RANK[] = {
        [PROOF_PASS] = 0,  [PROOF_WARN] = 1,        [PROOF_SIMULATED] = 2,
        [PROOF_NEVER] = 3, [PROOF_NOT_CHECKED] = 4, [PROOF_FAIL] = 5};

    return RANK[s];
}

struct order {
    const struct shelf_row *row;
    enum shelf_sort by;
};

static int by_number(uint64_t a, uint64_t b) {
    return (a > b) - (a < b);
}

static int compare(const void *pa, const void *pb, void *arg) {
    const struct order *o = arg;
    const struct shelf_row *a = &o->row[*(const size_t *)pa], *b = &o->row[*(const size_t *)pb];
    int c = by_number(b->alive, a->alive);

    if (c == 0 && o->by == SORT_PROVEN)
        c = by_number(proof_rank(a->proof.state), proof_rank(b->proof.state));
    else if (c == 0 && o->by == SORT_NAME)
        c = strcasecmp(a->what, b->what);
    else if (c == 0 && o->by == SORT_AGE)
        c = by_number((uint64_t)b->created_at, (uint64_t)a->created_at);
    if (c == 0)
        c = by_number(a->price_msat, b->price_msat);
    return c ? c : memcmp(a->id, b->id, 32);
}

void shelf_view(struct shelf *s, const char *filter, enum shelf_sort by,
                const struct proven *proven) {
    struct order order = {s->row, by};

    s->view = mem_grow(s->view, (s->n + 1) * sizeof *s->view);
    s->n_view = 0;
    for (size_t i = 0; i < s->n; i++) {
        s->row[i].proof = proven_get(proven, s->row[i].pubkey);
        if (row_matches(&s->row[i], filter))
            s->view[s->n_view++] = i;
    }
    if (s->n_view > 1)
        qsort_r(s->view, s->n_view, sizeof *s->view, compare, &order);
}

size_t shelf_count(const struct shelf *s) {
    return s->n;
}

size_t shelf_shown(const struct shelf *s) {
    return s->n_view;
}

const struct shelf_row *shelf_at(const struct shelf *s, size_t i) {
    return i < s->n_view ? &s->row[s->view[i]] : NULL;
}

const char *shelf_sort_name(enum shelf_sort by) {
    static const char *const NAME[SORT_COUNT] = {
        [SORT_PROVEN] = "proven", [SORT_PRICE] = "price", [SORT_NAME] = "name", [SORT_AGE] = "age"};

    return NAME[by];
}
