/* One offer in full: who, for how much, what will be required of the guest, what was before. */
#include "tui/scr.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "attest/checks.h"
#include "core/enc.h"
#include "core/nip19.h"

#define JOBS_SHOWN 12
#define NPUB_LINE 8 /* groups of four in a line */

/* "npub1 qqqs zz5w ...": groups of four. */
static void npub_groups(const uint8_t key[static 32], struct buf *out) {
    struct nip19 n = {.type = NIP19_NPUB};
    cleanup_buf struct buf npub = {0};

    memcpy(n.id, key, 32);
    if (nip19_encode(&n, &npub, NULL) != 0)
        return;
    buf_add(out, npub.p, 5);
    for (size_t i = 5; i < npub.n; i++) {
        if (i == 5 + 4 * NPUB_LINE) /* two lines of half of it each */
            buf_str(out, "\n                ");
        if ((i - 5) % 4 == 0)
            buf_str(out, " ");
        buf_add(out, npub.p + i, 1);
    }
}

static void fill_provider(const struct app *a, const struct offer *o, struct pager *p) {
    const struct shelf_row *r = app_offer_row(a);
    struct scr_key mark = scr_key(o->pubkey);
    cleanup_buf struct buf npub = {0};
    enum mark m = marks_get(a->marks, o->pubkey);
    char doubt[160];

    buf_str(&npub, "           ");
    npub_groups(o->pubkey, &npub);
    pager_line(p, ROLE_TEXT, "Provider   %s   %s%s", *o->provider_name ? o->provider_name : "?",
               mark.text,
               m == MARK_FAVOURITE ? "   favourite"
               : m == MARK_MUTED   ? "   muted"
                                   : "");
    pager_add(p, "", ROLE_TEXT, true, buf_view(&npub));
    if (!r || !scr_doubtful(r))
        return;
    scr_doubt(r, doubt, sizeof doubt);
    pager_line(p, ROLE_WARN, "         ! %s", doubt);
}

/* In words where the name is one of ours; a seller may state others. */
static void limit_words(const char *name, uint64_t value, struct buf *out) {
    char text[16];

    if (!strcmp(name, "file"))
        scr_bytes(value, text);
    else
        scr_age(value < INT64_MAX ? (int64_t)value : INT64_MAX, text);
    if (!strcmp(name, "accept"))
        buf_fmt(out, "decide within %s", text);
    else if (!strcmp(name, "lease"))
        buf_fmt(out, "the guest lives %s", text);
    else if (!strcmp(name, "file"))
        buf_fmt(out, "files up to %s", text);
    else
        buf_fmt(out, "%s %" PRIu64, name, value);
}

static void fill_limits(const struct offer *o, struct pager *p) {
    cleanup_buf struct buf b = {0};

    for (size_t i = 0; i < o->n_limits; i++) {
        buf_str(&b, i ? "   " : "");
        limit_words(o->limits[i].name, o->limits[i].value, &b);
    }
    pager_line(p, ROLE_TEXT, "Limits     %s", b.n ? (char *)b.p : "none stated");
}

static void fill_price(const struct offer *o, struct pager *p) {
    char price[32];
    uint64_t minutes = offer_limit(o, "minutes", 0);

    shelf_price(o, price, sizeof price);
    if (o->price_msat > 0 && !strcmp(o->price_unit, "minute") && minutes > 0 &&
        minutes < UINT64_MAX / 1000 && o->price_msat < UINT64_MAX / minutes)
        pager_line(p, ROLE_TEXT, "Price      %s   this job: at most %" PRIu64 " sat", price,
                   (o->price_msat * minutes + 999) / 1000);
    else
        pager_line(p, ROLE_TEXT, "Price      %s", price);
}

static void fill_model(const struct offer *o, struct pager *p) {
    struct model m;
    char words[160];

    model_of_offer(o, &m);
    model_words(&m, words, sizeof words);
    pager_line(p, ROLE_TEXT, "Model      %s", model_named(&m) ? words : "none");
    if (m.owner[0])
        pager_line(p, ROLE_TEXT, "Sealed     by %s: neither seller nor customer sees the weights",
                   m.owner);
}

static void fill_boot(const struct app *a, const struct offer *o, struct pager *p) {
    int64_t ms = proven_boot_ms(a->proven, o->pubkey);
    size_t n = proven_jobs(a->proven, o->pubkey);
    char took[16];

    if (ms < 0) {
        pager_line(p, ROLE_DIM, "Boot       not known: you have had no guest of this provider");
        return;
    }
    scr_elapsed(ms, took);
    pager_line(p, ROLE_TEXT, "Boot       usually %s (median of your %zu job%s)", took, n,
               n == 1 ? "" : "s");
}

static void fill_claims(const struct app *a, const struct offer *o, struct pager *p) {
    char claims[32];

    shelf_claims(o, claims, sizeof claims);
    pager_line(p, ROLE_TITLE, "%s   kind %u", o->name, o->job_kind);
    pager_gap(p);
    fill_provider(a, o, p);
    pager_line(p, ROLE_TEXT, "Says       \"%s\"   [unverified]", o->about);
    pager_line(p, offer_simulated(o) ? ROLE_SIM : ROLE_TEXT, "Claims     %s (%s)   [unverified]",
               claims, o->privacy);
    fill_price(o, p);
    fill_model(o, p);
    fill_limits(o, p);
    fill_boot(a, o, p);
    pager_gap(p);
}

static void fill_params(const struct app *a, struct pager *p) {
    for (size_t i = 0; i < a->n_params; i++)
        pager_line(p, ROLE_TEXT, "%s %s = %s", i ? "          " : "Parameter ", a->params[i].key,
                   a->params[i].value);
    if (a->n_params > 0) {
        pager_line(p, ROLE_WARN, "           the provider can read these");
        pager_gap(p);
    }
}

/* --- what will be required --- */

enum when { ALWAYS, WITH_MODEL, WITH_GPU };

/* The checks that a person asks about, in their words; the policy says what each means. */
static const struct {
    enum check_id id;
    enum when when;
    const char *words;
} WANTED[] = {
    {CK_SNP_CHAIN_ROOT, ALWAYS,
     "report signed by an AMD chip, under a root pinned in this program"},
    {CK_SNP_CRL, ALWAYS, "none of its keys on AMD's list of revoked ones"},
    {CK_SNP_TCB_FLOOR, ALWAYS, "firmware and microcode at or above the floor"},
    {CK_SNP_MEASUREMENT, ALWAYS, "launch digest as recomputed here from the release"},
    {CK_RELEASE_ENDORSED, ALWAYS, "release pinned by you, or vouched for by those you pinned"},
    {CK_SNP_POLICY_DEBUG, ALWAYS, "debugging off"},
    {CK_SNP_POLICY_MIGRATE, ALWAYS, "migration off"},
    {CK_SNP_POLICY_SMT, ALWAYS, "no sibling threads (SMT)"},
    {CK_GUEST_ACPI, ALWAYS, "no code of the host in the guest's kernel"},
    {CK_GPU_COUNT, WITH_GPU, "as many GPUs as offered"},
    {CK_GPU_SIGNATURE, WITH_GPU, "each GPU in confidential mode, its report signed by NVIDIA"},
    {CK_WORKLOAD_VOLUME, ALWAYS, "workload as offered, by the hash of its volume"},
    {CK_WORKLOAD_ENDORSED, ALWAYS, "workload pinned or vouched for"},
    {CK_MODEL_VOLUME, WITH_MODEL, "model as offered, by the hash of its volume"},
    {CK_MODEL_ENDORSED, WITH_MODEL, "model pinned or vouched for"},
    {CK_BIND_GUEST_KEY, ALWAYS, "chat key made inside the guest and bound to the report"},
    {CK_BIND_NONCE, ALWAYS, "fresh: made for your nonce and your job"},
    {CK_CHIP_ENDORSED, ALWAYS, "somebody you trust vouches for the machine's place"},
};

/* Under a policy: as a word, and as a role. */
static const struct {
    const char *word;
    enum role role;
} NEED[] = {
    [REQ_NOTE] = {"noted", ROLE_DIM},         [REQ_ADVISE] = {"else asks", ROLE_TEXT},
    [REQ_OPTIONAL] = {"if known", ROLE_TEXT}, [REQ_REQUIRED] = {"required", ROLE_TEXT},
    [REQ_MUST] = {"required", ROLE_TEXT},
};

static bool applies(enum when w, const struct offer *o) {
    if (w == WITH_GPU)
        return o->gpu_count > 0;
    return w == ALWAYS || strcmp(o->model, "none") != 0;
}

static struct policy rules_of(const struct app *a) {
    enum policy_profile profile = POLICY_STRICT;
    struct policy p;

    if (a->conf.rules)
        return *a->conf.rules;
    (void)policy_profile_named(a->conf.policy, &profile);
    policy_preset(&p, profile);
    return p;
}

static void fill_required(const struct app *a, const struct offer *o, struct pager *p) {
    struct policy rules = rules_of(a);

    pager_line(p, ROLE_TITLE, "WHAT WILL BE REQUIRED BEFORE ANYTHING OF YOURS LEAVES   policy: %s",
               a->conf.policy);
    if (offer_simulated(o))
        pager_line(p, ROLE_SIM,
                   "SIMULATED: the root is this machine's own simulator; nothing will be secret.");
    for (size_t i = 0; i < COUNT(WANTED); i++) {
        enum requirement need = check_need(&rules, WANTED[i].id);

        if (applies(WANTED[i].when, o))
            pager_line(p, NEED[need].role, "- %-9s  %s", NEED[need].word, WANTED[i].words);
    }
    pager_line(p, ROLE_DIM,
               "\"else asks\": a warning, which you would have to accept by a typed word");
    pager_gap(p);
}

/* --- the offer's own fields --- */

static void line_hex(struct pager *p, const char *name, const char *hex, const char *more) {
    pager_line(p, ROLE_TEXT, "  %-10s %.8s..%s%s", name, hex, hex + 60, more);
}

static void line_volume(struct pager *p, const char *name, const char *label, const char *ref) {
    const char *colon = strchr(ref, ':');

    if (!colon)
        pager_line(p, ROLE_TEXT, "  %-10s %s", name, ref);
    else
        pager_line(p, ROLE_TEXT, "  %-10s %s   root %.8s..%.4s   %s blocks", name, label, ref,
                   colon - 4, colon + 1);
}

static unsigned relays_of(const struct app *a) {
    const struct shelf_row *r = app_offer_row(a);

    return r ? (unsigned)__builtin_popcount(r->relays) : 0;
}

static void fill_fields(const struct app *a, const struct offer *o, struct pager *p) {
    char age[16], hex[65];
    bool pinned = a->conf.port->pinned(a->conf.port_arg, o->release);

    scr_age(a->unix_now - o->created_at, age);
    hex_encode(view_of(o->release, 32), hex);
    pager_line(p, ROLE_TITLE, "OFFER RAW FIELDS   r shows the signed event");
    pager_line(p, ROLE_TEXT, "  d=%s   k=%u   published %s ago, on %u of %zu relays", o->d,
               o->job_kind, age, relays_of(a), a->conf.relays);
    line_hex(p, "release", hex, pinned ? "   pinned by you" : "   not pinned by you");
    line_volume(p, "workload", o->workload_name, o->workload);
    line_volume(p, "model", o->model_name, o->model);
    pager_line(p, ROLE_TEXT, "  %-10s %u x %s, features 0x%" PRIx64 ", %u MiB", "vm", o->vcpus,
               o->vcpu_type, o->guest_features, o->memory_mib);
    if (o->gpu_count)
        pager_line(p, ROLE_TEXT, "  %-10s %u x %s", "gpu", o->gpu_count, o->gpu_arch);
    if (strcmp(o->broker, "none") != 0)
        line_hex(p, "broker", o->broker, "");
    pager_line(p, ROLE_TEXT, "  %-10s %" PRIu64 " msat per %s", "price", o->price_msat,
               o->price_unit);
    for (size_t i = 0; i < o->n_relays; i++)
        pager_line(p, ROLE_TEXT, "  %-10s %s", "relay", o->relays[i]);
    for (size_t i = 0; i < o->n_blossom; i++)
        pager_line(p, ROLE_TEXT, "  %-10s %s", "blossom", o->blossom[i]);
    pager_gap(p);
}

/* --- before --- */

static void fill_job(const struct app *a, const struct proven_job *j, const char *newest,
                     struct pager *p) {
    struct scr_state look = scr_proof(j->proof.state);
    char age[16], took[32] = "-", boot[16] = "-";

    scr_age(a->unix_now - j->proof.when, age);
    if (j->seconds >= 0)
        snprintf(took, sizeof took, "%" PRId64 " min", (j->seconds + 59) / 60);
    if (j->boot_ms >= 0)
        scr_elapsed(j->boot_ms, boot);
    pager_line(p, look.role, "  %5s   %-11s   %7s   boot %-9s %s", age, look.word, took, boot,
               !*j->digest                  ? "launch digest not known"
               : !strcmp(j->digest, newest) ? "same launch digest"
                                            : "another launch digest");
}

static void fill_earlier(const struct app *a, const struct offer *o, struct pager *p) {
    size_t n = proven_jobs(a->proven, o->pubkey);
    const struct proven_job *j = proven_job(a->proven, o->pubkey, 0);

    pager_line(p, ROLE_TITLE, "EARLIER SESSIONS WITH THIS PROVIDER   proven by this machine");
    if (!j) {
        pager_line(p, ROLE_DIM, "  None.");
        return;
    }
    if (*j->digest)
        pager_line(p, ROLE_TEXT, "  newest launch digest %.8s..%s", j->digest, j->digest + 92);
    for (size_t i = 0; i < n && i < JOBS_SHOWN; i++)
        fill_job(a, proven_job(a->proven, o->pubkey, i), j->digest, p);
    if (n > JOBS_SHOWN)
        pager_line(p, ROLE_DIM, "  and %zu older ones", n - JOBS_SHOWN);
    pager_line(p, ROLE_DIM,
               "  Of other guests: a new one is checked anew. Kept %u days, without content; D "
               "forgets them.",
               a->conf.history_days);
}

void scr_offer_fill(const struct app *a, struct pager *p) {
    const struct offer *o = a->offer;

    if (pager_rows(p) > 0 || !o)
        return;
    if (a->raw) {
        pager_line(p, ROLE_TITLE, "The event as it was signed; r shows it in words");
        pager_add(p, "", ROLE_TEXT, false, view_str(o->json));
    } else {
        fill_claims(a, o, p);
        fill_params(a, p);
        fill_required(a, o, p);
        fill_fields(a, o, p);
        fill_earlier(a, o, p);
    }
    pager_move(p, LIST_TOP);
}
