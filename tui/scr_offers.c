/* Offers: what sellers claim beside what this machine has verified; one offer in full. */
#include "tui/scr.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/nip19.h"

struct cell {
    char text[80];
    enum role role;
};

static void cell_proven(const struct app *a, const struct shelf_row *r, struct cell *c) {
    struct scr_state look = scr_proof(r->proof.state);
    char age[16] = "-";

    if (r->proof.state == PROOF_NEVER && r->simulated)
        look = scr_proof(PROOF_SIMULATED);
    if (r->proof.state != PROOF_NEVER)
        scr_age(a->unix_now - r->proof.when, age);
    snprintf(c->text, sizeof c->text, "%s %s", look.symbol, age);
    c->role = look.role;
}

static void cell_task(const struct app *a, const struct shelf_row *r, struct cell *c) {
    (void)a;
    snprintf(c->text, sizeof c->text, "%s", r->task);
}

static void cell_what(const struct app *a, const struct shelf_row *r, struct cell *c) {
    (void)a;
    snprintf(c->text, sizeof c->text, "%s", r->what);
}

static void cell_claims(const struct app *a, const struct shelf_row *r, struct cell *c) {
    (void)a;
    snprintf(c->text, sizeof c->text, "%s", r->claims);
    if (r->simulated)
        c->role = ROLE_SIM;
}

static void cell_price(const struct app *a, const struct shelf_row *r, struct cell *c) {
    (void)a;
    snprintf(c->text, sizeof c->text, "%s", r->price);
}

static void cell_seen(const struct app *a, const struct shelf_row *r, struct cell *c) {
    char age[16] = "-";

    if (r->seen)
        scr_age(a->unix_now - r->seen, age);
    snprintf(c->text, sizeof c->text, "%s", r->alive ? age : "away");
    c->role = r->alive ? c->role : ROLE_DIM;
}

static void cell_provider(const struct app *a, const struct shelf_row *r, struct cell *c) {
    (void)a;
    snprintf(c->text, sizeof c->text, "%s", *r->provider ? r->provider : "?");
}

static void cell_key(const struct app *a, const struct shelf_row *r, struct cell *c) {
    (void)a;
    snprintf(c->text, sizeof c->text, "%02x%02x", r->pubkey[0], r->pubkey[1]);
}

/* Widths under 80 columns, under 100, and from there on; 0 = not shown. A name never goes without
 * its key. */
static const struct column {
    const char *title;
    int width[3];
    void (*fill)(const struct app *a, const struct shelf_row *r, struct cell *c);
} COLUMNS[] = {
    {"PROVEN", {9, 9, 10}, cell_proven},       {"TASK", {0, 7, 11}, cell_task},
    {"MODEL / TOOL", {17, 18, 20}, cell_what}, {"CLAIMS", {16, 17, 18}, cell_claims},
    {"PRICE", {12, 12, 14}, cell_price},       {"SEEN", {0, 0, 7}, cell_seen},
    {"PROVIDER", {0, 11, 15}, cell_provider},  {"KEY", {4, 4, 4}, cell_key},
};

static int column_width(const struct app *a, size_t i) {
    return COLUMNS[i].width[a->cols < 80 ? 0 : a->cols < 100 ? 1 : 2];
}

static void draw_titles(const struct app *a, int y) {
    int x = 1;

    for (size_t i = 0; i < COUNT(COLUMNS); i++) {
        int w = column_width(a, i);

        if (w)
            draw_fmt(y, x, w, ROLE_TITLE, "%s", COLUMNS[i].title);
        x += w;
    }
}

static void draw_offer(const struct app *a, const struct shelf_row *r, int y, bool cursor) {
    int x = 1;

    if (cursor)
        draw_text(y, 0, 1, ROLE_ACCENT, safe_lit(">"));
    for (size_t i = 0; i < COUNT(COLUMNS); i++) {
        struct cell c = {.role = r->alive ? ROLE_TEXT : ROLE_DIM};
        int w = column_width(a, i);

        COLUMNS[i].fill(a, r, &c);
        if (w)
            draw_fmt(y, x, i + 1 < COUNT(COLUMNS) ? w - 1 : w, c.role, "%s", c.text);
        x += w;
    }
    if (cursor)
        draw_look(y, 0, a->cols, ROLE_CURSOR);
}

static struct scr_cursor draw_filter(const struct app *a, int y) {
    cleanup_buf struct buf words = {0};
    int x = 1;

    edit_text(a->filter, &words);
    if (a->filtering || words.n > 0) {
        x += draw_text(y, x, 8, ROLE_ACCENT, safe_lit("filter: "));
        x += draw_fmt(y, x, 30, ROLE_TEXT, "%s", words.n ? (char *)words.p : "");
    }
    draw_right(y, a->cols - 1, a->cols - x - 2, ROLE_DIM, "%zu offer%s, %zu shown   sort: %s",
               shelf_count(a->shelf), shelf_count(a->shelf) == 1 ? "" : "s", shelf_shown(a->shelf),
               shelf_sort_name(a->sort));
    return a->filtering ? (struct scr_cursor){y, x} : (struct scr_cursor){-1, 0};
}

static void draw_lines(const char *const *line, size_t n, int y, int w) {
    for (size_t i = 0; i < n; i++)
        draw_fmt(y + (int)i, 2, w - 4, ROLE_TEXT, "%s", line[i]);
}

/* Nothing to show: say why, and what to type. */
static void draw_nothing(const struct app *a, int y) {
    static const char *const NO_RELAY[] = {"No relay is configured: nowhere to look for offers.",
                                           "",
                                           "Without hardware and without money: leave (q) and type",
                                           "    make demo",
                                           "It starts a relay, a provider and a SIMULATED guest.",
                                           "",
                                           "Or name a relay:  cdvm --relay wss://relay.example",
                                           "Or keep one in    ~/.config/cdvm/cdvm.conf:",
                                           "    relay = wss://relay.example"};
    static const char *const DOWN[] = {"No relay answers yet.", "",
                                       "Offers come as soon as one does."};
    static const char *const NONE[] = {"No offers on these relays.", "",
                                       "Simulated offers are shown with --policy demo only."};
    static const char *const FILTERED[] = {"No offer holds those words.", "", "Esc in / clears."};

    if (a->conf.relays == 0)
        draw_lines(NO_RELAY, COUNT(NO_RELAY), y, a->cols);
    else if (shelf_count(a->shelf) > 0)
        draw_lines(FILTERED, COUNT(FILTERED), y, a->cols);
    else if (a->relays_up == 0)
        draw_lines(DOWN, COUNT(DOWN), y, a->cols);
    else if (a->settled)
        draw_lines(NONE, a->conf.simulated ? 1 : COUNT(NONE), y, a->cols);
    else
        draw_text(y, 2, a->cols - 4, ROLE_TEXT, safe_lit("Asking the relays..."));
}

static void draw_pane(const struct app *a, const struct shelf_row *r, int y, int h) {
    static const char *const LEGEND[] = {
        "PROVEN is what THIS machine verified in an earlier job, and when.",
        "CLAIMS is the seller's own text and proves nothing.",
        "[+] passed  [!] warnings  [x] failed  [ ] never tried  [S] simulated"};
    char key[20], age[16];

    draw_rule(y, 0, a->cols, RULE_THIN);
    npub_short(r->pubkey, key);
    scr_age(a->unix_now - r->created_at, age);
    draw_fmt(y + 1, 1, a->cols - 2, ROLE_TEXT, "%s  %s  %s: %u free  offer %s old",
             *r->provider ? r->provider : "?", key, r->alive ? "there" : "away", r->free_slots,
             age);
    if (h > 2)
        draw_fmt(y + 2, 1, a->cols - 2, ROLE_TEXT, "%s", r->runs);
    for (int i = 0; i < (int)COUNT(LEGEND) && 3 + i < h; i++)
        draw_fmt(y + 3 + i, 1, a->cols - 2, ROLE_DIM, "%s", LEGEND[i]);
}

struct scr_cursor scr_offers_draw(const struct app *a, const struct scr_sizes *s) {
    const struct list *l = &a->offers;
    int y = s->body.y;
    struct scr_cursor at = draw_filter(a, y);
    const struct shelf_row *r;

    if (shelf_shown(a->shelf) == 0) {
        draw_nothing(a, y + 2);
        return at;
    }
    draw_titles(a, y + 1);
    for (int i = 0; i < s->offers && (r = shelf_at(a->shelf, l->top + (size_t)i)); i++)
        draw_offer(a, r, y + 2 + i, l->top + (size_t)i == l->cur);
    r = shelf_at(a->shelf, l->cur);
    if (r)
        draw_pane(a, r, y + s->body.h - s->pane, s->pane);
    return at;
}

/* --- one offer --- */

static void fill_limits(const struct offer *o, struct pager *p) {
    cleanup_buf struct buf b = {0};

    for (size_t i = 0; i < o->n_limits; i++)
        buf_fmt(&b, "%s%s %" PRIu64, i ? "   " : "", o->limits[i].name, o->limits[i].value);
    pager_line(p, ROLE_TEXT, "Limits     %s", b.n ? (char *)b.p : "none stated");
}

static void fill_model(const struct offer *o, struct pager *p) {
    struct model m;
    char words[160];

    model_of_offer(o, &m);
    model_words(&m, words, sizeof words);
    if (model_named(&m))
        pager_line(p, ROLE_TEXT, "Model      %s   root %.16s..", words, o->model);
    else
        pager_line(p, ROLE_TEXT, "Model      none");
    if (m.owner[0])
        pager_line(p, ROLE_TEXT, "Sealed     by %s: neither seller nor customer sees the weights",
                   m.owner);
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

static void fill_claims(const struct app *a, const struct offer *o, struct pager *p) {
    char claims[32], price[32], key[20], age[16];

    shelf_claims(o, claims, sizeof claims);
    shelf_price(o, price, sizeof price);
    npub_short(o->pubkey, key);
    scr_age(a->unix_now - o->created_at, age);
    pager_line(p, ROLE_TITLE, "%s", o->name);
    pager_line(p, ROLE_TEXT, "Provider   %s   %s", *o->provider_name ? o->provider_name : "?", key);
    pager_line(p, ROLE_TEXT, "Price      %s", price);
    pager_gap(p);
    pager_line(p, ROLE_TITLE, "CLAIMS   the seller's text, nothing of it verified");
    pager_line(p, ROLE_TEXT, "Says       \"%s\"", o->about);
    pager_line(p, offer_simulated(o) ? ROLE_SIM : ROLE_TEXT, "Privacy    %s (%s)", claims,
               o->privacy);
    pager_line(p, ROLE_TEXT, "Machine    %u vcpu %s, %u MiB, %u GPU %s", o->vcpus, o->vcpu_type,
               o->memory_mib, o->gpu_count, o->gpu_count ? o->gpu_arch : "");
    pager_line(p, ROLE_TEXT, "Workload   %s   root %.16s..", o->workload_name, o->workload);
    fill_model(o, p);
    fill_limits(o, p);
    pager_line(p, ROLE_DIM, "Offer      kind %u, d=%s, published %s ago", o->job_kind, o->d, age);
    pager_gap(p);
}

static void fill_required(const struct app *a, const struct offer *o, struct pager *p) {
    pager_line(p, ROLE_TITLE, "REQUIRED   before anything of yours leaves (policy %s)",
               a->conf.policy);
    if (offer_simulated(o))
        pager_line(p, ROLE_SIM,
                   "A report of this machine's own simulator: it proves no secrecy at all.");
    else
        pager_line(p, ROLE_TEXT,
                   "A report signed by an AMD chip under a root pinned in this program.");
    pager_line(p, ROLE_TEXT, "The launch digest recomputed here from the release the offer names.");
    pager_line(p, ROLE_TEXT, "Debug off, migration off, firmware at or above the floor.");
    if (o->gpu_count)
        pager_line(p, ROLE_TEXT, "%u GPU reports, signed by NVIDIA, confidential mode on.",
                   o->gpu_count);
    pager_line(p, ROLE_TEXT,
               "The chat key, made inside the guest for this job and bound to the report.");
    pager_gap(p);
}

static void fill_proven(const struct app *a, const struct offer *o, struct pager *p) {
    struct proof proof = proven_get(a->proven, o->pubkey);
    struct scr_state look = scr_proof(proof.state);
    char age[16];

    scr_age(a->unix_now - proof.when, age);
    pager_line(p, ROLE_TITLE, "PROVEN     by this machine, earlier");
    if (proof.state == PROOF_NEVER)
        pager_line(p, ROLE_DIM, "Nothing: you have had no guest of this provider.");
    else
        pager_line(p, look.role, "%s %s, %s ago, for another guest: a new one is checked anew.",
                   look.symbol, look.word, age);
}

void scr_offer_fill(const struct app *a, struct pager *p) {
    const struct offer *o = a->offer;

    if (pager_rows(p) > 0 || !o)
        return;
    if (a->raw) {
        pager_line(p, ROLE_TITLE, "The event as it came");
        pager_add(p, "", ROLE_TEXT, false, view_str(o->json));
    } else {
        fill_claims(a, o, p);
        fill_params(a, p);
        fill_required(a, o, p);
        fill_proven(a, o, p);
    }
    pager_move(p, LIST_TOP);
}
