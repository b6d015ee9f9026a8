/* Offers: what sellers claim beside what this machine has verified. */
#include "tui/scr.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/hash.h"
#include "core/name.h"
#include "core/nip19.h"
#include "tui/scr_columns.h"

/* --- keys and names --- */

struct scr_key scr_key(const uint8_t key[static 32]) {
    static const char MARKS[] = "=%&@~^$:;+#<";
    uint8_t digest[32];
    struct scr_key k;

    sha256(view_of(key, 32), digest);
    k.role = ROLE_KEY_FIRST + digest[0] % ROLE_KEYS;
    snprintf(k.text, sizeof k.text, "%c%02x%02x", MARKS[digest[1] % (sizeof MARKS - 1)], key[0],
             key[1]);
    return k;
}

bool scr_doubtful(const struct shelf_row *r) {
    return r->flags != 0 || r->twin != TWIN_NONE;
}

void scr_doubt(const struct shelf_row *r, char *out, size_t n) {
    struct view name = view_str(*r->provider ? r->provider : r->what);
    char words[80], key[20];

    if (!(name_flags(name) & r->flags))
        name = view_str(r->what);
    if (r->twin != TWIN_NONE) {
        npub_short(r->twin_key, key);
        snprintf(out, n, "this name looks like that of %s, which has another key: %s",
                 shelf_twin_word(r->twin), key);
    } else if (r->flags & NAME_MIXED) {
        name_scripts_words(name, words, sizeof words);
        snprintf(out, n, "a name that mixes letters: %s", words);
    } else if (r->flags & NAME_DISGUISE) {
        name_scripts_words(name, words, sizeof words);
        snprintf(out, n, "a name that looks Latin in other letters%s%s", *words ? ": " : "", words);
    } else {
        snprintf(out, n, "a name with invisible or broken characters");
    }
}

/* --- columns --- */

static void cell_mark(const struct app *a, const void *row, struct scr_cell *c) {
    const struct shelf_row *r = row;

    (void)a;
    if (scr_doubtful(r))
        c->role = ROLE_WARN;
    snprintf(c->text, sizeof c->text, "%s",
             scr_doubtful(r)             ? "!"
             : r->mark == MARK_MUTED     ? "m"
             : r->mark == MARK_FAVOURITE ? "*"
                                         : "");
}

static void cell_proven(const struct app *a, const void *row, struct scr_cell *c) {
    const struct shelf_row *r = row;
    struct scr_state look = scr_proof(r->proof.state);
    char age[16] = "-";

    if (r->proof.state == PROOF_NEVER && r->simulated)
        look = scr_proof(PROOF_SIMULATED);
    if (r->proof.state != PROOF_NEVER)
        scr_age(a->unix_now - r->proof.when, age);
    snprintf(c->text, sizeof c->text, "%s %s", look.symbol, age);
    c->role = look.role;
}

static void cell_task(const struct app *a, const void *row, struct scr_cell *c) {
    const struct shelf_row *r = row;

    (void)a;
    snprintf(c->text, sizeof c->text, "%s", r->task);
}

static void cell_what(const struct app *a, const void *row, struct scr_cell *c) {
    const struct shelf_row *r = row;

    (void)a;
    snprintf(c->text, sizeof c->text, "%s", r->what);
}

static void cell_claims(const struct app *a, const void *row, struct scr_cell *c) {
    const struct shelf_row *r = row;

    (void)a;
    snprintf(c->text, sizeof c->text, "%s", r->claims);
    if (r->simulated)
        c->role = ROLE_SIM;
}

static void cell_price(const struct app *a, const void *row, struct scr_cell *c) {
    const struct shelf_row *r = row;

    (void)a;
    snprintf(c->text, sizeof c->text, "%s", r->price);
}

static void cell_seen(const struct app *a, const void *row, struct scr_cell *c) {
    const struct shelf_row *r = row;
    char age[16] = "-";

    if (r->seen)
        scr_age(a->unix_now - r->seen, age);
    snprintf(c->text, sizeof c->text, "%s", r->alive ? age : "away");
    c->role = r->alive ? c->role : ROLE_DIM;
}

static void cell_provider(const struct app *a, const void *row, struct scr_cell *c) {
    const struct shelf_row *r = row;

    (void)a;
    snprintf(c->text, sizeof c->text, "%s", *r->provider ? r->provider : "?");
    if (scr_doubtful(r))
        c->role = ROLE_WARN;
}

static void cell_key(const struct app *a, const void *row, struct scr_cell *c) {
    const struct shelf_row *r = row;
    struct scr_key k = scr_key(r->pubkey);

    (void)a;
    snprintf(c->text, sizeof c->text, "%s", k.text);
    c->role = k.role;
}

/* A name never goes without its key. */
static const struct scr_column COLUMNS[] = {
    {"", {1, 1, 1, 1}, cell_mark},
    {"PROVEN", {9, 9, 10, 10}, cell_proven},
    {"TASK", {0, 6, 11, 12}, cell_task},
    {"MODEL / TOOL", {16, 14, 20, 30}, cell_what},
    {"CLAIMS", {16, 16, 18, 18}, cell_claims},
    {"PRICE", {12, 12, 12, 12}, cell_price},
    {"SEEN", {0, 6, 7, 7}, cell_seen},
    {"PROVIDER", {0, 10, 14, 23}, cell_provider},
    {"KEY", {5, 5, 6, 6}, cell_key},
};

/* --- above the list --- */

static struct scr_cursor draw_filter(const struct app *a, int y) {
    cleanup_buf struct buf words = {0}, right = {0};
    int x = 1;

    edit_text(a->filter, &words);
    if (a->filtering || words.n > 0) {
        x += draw_text(y, x, 8, ROLE_ACCENT, safe_lit("filter: "));
        x +=
            draw_fmt(y, x, a->cols < 80 ? 14 : 30, ROLE_TEXT, "%s", words.n ? (char *)words.p : "");
    }
    if (a->cols < 80)
        buf_fmt(&right, "%zu of %zu", shelf_shown(a->shelf), shelf_count(a->shelf));
    else
        buf_fmt(&right, "%zu offer%s, %zu shown", shelf_count(a->shelf),
                shelf_count(a->shelf) == 1 ? "" : "s", shelf_shown(a->shelf));
    if (shelf_muted(a->shelf) > 0)
        buf_fmt(&right, ", %zu muted", shelf_muted(a->shelf));
    buf_fmt(&right, "   sort: %s", shelf_sort_name(a->sort));
    draw_right(y, a->cols - 1, a->cols - x - 2, ROLE_DIM, "%s", (char *)right.p);
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
    static const char *const FILTERED[] = {"No offer holds those words.", "",
                                           "Esc shows everything again."};
    static const char *const MUTED[] = {"All that is here is muted.", "", "M shows it."};

    if (a->conf.relays == 0)
        draw_lines(NO_RELAY, COUNT(NO_RELAY), y, a->cols);
    else if (shelf_muted(a->shelf) > 0)
        draw_lines(MUTED, COUNT(MUTED), y, a->cols);
    else if (shelf_count(a->shelf) > 0)
        draw_lines(FILTERED, COUNT(FILTERED), y, a->cols);
    else if (a->relays_up == 0)
        draw_lines(DOWN, COUNT(DOWN), y, a->cols);
    else if (a->settled)
        draw_lines(NONE, a->conf.simulated ? 1 : COUNT(NONE), y, a->cols);
    else
        draw_text(y, 2, a->cols - 4, ROLE_TEXT, safe_lit("Asking the relays..."));
}

/* --- below the list: as many lines as there is room for, the weightiest first --- */

struct pane {
    int y, end, w;
};

__attribute__((format(printf, 3, 4))) static void pane_line(struct pane *p, enum role role,
                                                            const char *fmt, ...) {
    char text[300];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (p->y < p->end)
        draw_fmt(p->y++, 1, p->w - 2, role, "%s", text);
}

static void pane_seller(const struct app *a, const struct shelf_row *r, struct pane *p) {
    static const char *const MARK[] = {
        [MARK_NONE] = "", [MARK_FAVOURITE] = "favourite, ", [MARK_MUTED] = "muted, "};
    char key[20], age[16], slots[40] = "away";

    npub_short(r->pubkey, key);
    scr_age(a->unix_now - r->created_at, age);
    if (r->alive)
        snprintf(slots, sizeof slots, "%u free, %u waiting", r->free_slots, r->queue);
    pane_line(p, ROLE_TEXT, "%s  %s  %s%s  offer %s old", *r->provider ? r->provider : "?", key,
              MARK[r->mark], slots, age);
}

static void pane_dropped(const struct app *a, struct pane *p) {
    const char *relay;
    uint64_t n = shelf_dropped(a->shelf, &relay);

    if (n > 0)
        pane_line(p, ROLE_WARN, "%" PRIu64 " offers not kept: %s sends more than there is room for",
                  n, relay);
}

static void pane_earlier(const struct app *a, const struct shelf_row *r, struct pane *p) {
    size_t n = proven_jobs(a->proven, r->pubkey);
    const struct proven_job *j = proven_job(a->proven, r->pubkey, 0);
    int64_t boot = proven_boot_ms(a->proven, r->pubkey);
    struct scr_state look = scr_proof(r->proof.state);
    char age[16], took[40] = "";

    if (!j) {
        pane_line(p, ROLE_DIM, "You have had no guest of this provider.");
        return;
    }
    scr_age(a->unix_now - j->proof.when, age);
    if (boot >= 0)
        snprintf(took, sizeof took, "  boots in %" PRId64 " s", (boot + 500) / 1000);
    pane_line(p, look.role, "%zu earlier job%s, last %s ago: %s %s%s%s%.4s%s%s", n,
              n == 1 ? "" : "s", age, look.symbol, look.word, took, *j->digest ? "  digest " : "",
              j->digest, *j->digest ? ".." : "", *j->digest ? j->digest + 92 : "");
}

static void draw_pane(const struct app *a, const struct shelf_row *r, int y, int h) {
    struct pane p = {y + 1, y + h, a->cols};
    char doubt[160];

    draw_rule(y, 0, a->cols, RULE_THIN);
    pane_seller(a, r, &p);
    if (scr_doubtful(r)) {
        scr_doubt(r, doubt, sizeof doubt);
        pane_line(&p, ROLE_WARN, "! %s", doubt);
    }
    pane_dropped(a, &p);
    pane_earlier(a, r, &p);
    pane_line(&p, ROLE_TEXT, "%s", r->runs);
    pane_line(&p, ROLE_DIM,
              "CLAIMS is the seller's own text and proves nothing. PROVEN is what THIS");
    pane_line(&p, ROLE_DIM,
              "machine verified of an earlier guest of the seller. A new one is checked anew.");
    pane_line(&p, ROLE_DIM, "[+] passed  [!] warnings  [x] failed  [ ] never tried  [S] simulator");
    pane_line(&p, ROLE_DIM, "* favourite  m muted  ! look at the name twice");
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
    scr_columns_titles(a, COLUMNS, COUNT(COLUMNS), y + 1);
    for (int i = 0; i < s->offers && (r = shelf_at(a->shelf, l->top + (size_t)i)); i++)
        scr_columns_row(a, COLUMNS, COUNT(COLUMNS), y + 2 + i, r,
                        r->alive && r->mark != MARK_MUTED ? ROLE_TEXT : ROLE_DIM,
                        l->top + (size_t)i == l->cur);
    r = shelf_at(a->shelf, l->cur);
    if (r)
        draw_pane(a, r, y + s->body.h - s->pane, s->pane);
    return at;
}
