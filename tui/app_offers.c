/* The list of offers, and one in full. */
#include <string.h>

#include "core/enc.h"
#include "tui/app.h"

#define VIEW_MS 250 /* what comes in is shown at most this often */

/* --- what comes in --- */

void app_on_offer(struct app *a, const struct offer *o, const struct event *ev, const char *relay) {
    if (offer_simulated(o) && !a->conf.simulated)
        return;
    a->shelf_news |= shelf_put(a->shelf, o, ev, relay);
}

void app_on_offer_again(struct app *a, const uint8_t id[static 32], const char *relay) {
    shelf_again(a->shelf, id, relay);
}

void app_on_beat(struct app *a, const struct heartbeat *h) {
    a->shelf_news |= shelf_beat(a->shelf, h);
}

/* --- the list --- */

static void view_now(struct app *a) {
    cleanup_buf struct buf words = {0};
    struct shelf_ask ask = {.by = a->sort,
                            .muted = a->show_muted,
                            .proven = a->proven,
                            .marks = a->marks,
                            .now = a->unix_now};

    buf_str(&words, "");
    edit_text(a->filter, &words);
    ask.filter = (char *)words.p;
    proven_tidy(a->proven, a->unix_now);
    shelf_view(a->shelf, &ask);
    a->shelf_changed = a->shelf_news = false;
    a->viewed_at = a->now;
}

/* What a cursor stands on, while the list under it is made anew. */
struct stand {
    uint8_t key[32];
    char d[64];
};

static bool stands_on(const struct stand *s, const struct shelf_row *r) {
    return !memcmp(s->key, r->pubkey, 32) && !strcmp(s->d, r->d);
}

static void stand_of(const struct shelf_row *r, struct stand *s) {
    memcpy(s->key, r->pubkey, 32);
    text_clip(s->d, sizeof s->d, r->d);
}

int64_t app_offers_due(const struct app *a) {
    if (a->shelf_changed || shelf_stale(a->shelf))
        return a->now;
    return a->shelf_news && a->screen == SCR_OFFERS ? a->viewed_at + VIEW_MS : -1;
}

void app_offers_view(struct app *a, bool now) {
    struct list *l = &a->offers;
    const struct shelf_row *at = shelf_at(a->shelf, l->cur);
    bool had = at != NULL && l->cur > 0; /* on the first line it stays there */
    int64_t due = app_offers_due(a);
    struct stand s;

    if (!now && (due < 0 || due > a->now))
        return;
    if (had)
        stand_of(at, &s);
    view_now(a);
    l->n = shelf_shown(a->shelf);
    for (size_t i = 0; had && i < l->n; i++)
        if (stands_on(&s, shelf_at(a->shelf, i))) {
            list_to(l, i);
            return;
        }
}

void app_offers_filter(struct app *a) {
    a->filtering = true;
}

void app_offers_filter_end(struct app *a, bool keep) {
    a->filtering = false;
    if (!keep)
        edit_do(a->filter, EDIT_CLEAR);
    a->shelf_changed = true;
}

void app_offers_escape(struct app *a) {
    app_offers_filter_end(a, false);
}

static void step(struct app *a, size_t by) {
    if (edit_len(a->filter) == 0)
        app_say(a, ROLE_DIM, "/ filters as you type; then n and N go from one to the next");
    else if (a->offers.n > 0)
        list_to(&a->offers, (a->offers.cur + by) % a->offers.n);
}

void app_offers_next(struct app *a) {
    step(a, 1);
}

void app_offers_prev(struct app *a) {
    step(a, a->offers.n - (a->offers.n > 0));
}

static void sort_by(struct app *a, enum shelf_sort by) {
    a->sort = by;
    a->shelf_changed = true;
    app_say(a, ROLE_DIM, "sorted by %s", shelf_sort_name(by));
}

void app_offers_sort(struct app *a) {
    sort_by(a, (a->sort + 1) % SORT_COUNT);
}

void app_offers_sort_back(struct app *a) {
    sort_by(a, (a->sort + SORT_COUNT - 1) % SORT_COUNT);
}

void app_offers_muted(struct app *a) {
    a->show_muted = !a->show_muted;
    a->shelf_changed = true;
    app_say(a, ROLE_DIM,
            a->show_muted ? "muted sellers are shown: m brings one back"
                          : "muted sellers are hidden");
}

/* --- one offer --- */

const struct shelf_row *app_offer_row(const struct app *a) {
    const struct shelf_row *r;

    for (size_t i = 0; a->offer && (r = shelf_at(a->shelf, i)); i++)
        if (!memcmp(r->pubkey, a->offer->pubkey, 32) && !strcmp(r->d, a->offer->d))
            return r;
    return NULL;
}

int app_open_offer(struct app *a, const struct shelf_row *row, struct err *e) {
    struct offer *o = shelf_offer(row, e);

    if (!o)
        return -1;
    offer_free(a->offer);
    a->offer = o;
    a->raw = false;
    pager_clear(a->offer_page);
    return 0;
}

void app_offers_enter(struct app *a) {
    const struct shelf_row *row = shelf_at(a->shelf, a->offers.cur);
    struct err e;

    if (!row)
        return;
    if (app_open_offer(a, row, &e) != 0)
        app_say(a, ROLE_BAD, "%s", e.text);
    else
        app_go(a, SCR_OFFER);
}

void app_offers_raw(struct app *a) {
    a->raw = !a->raw;
    pager_clear(a->offer_page);
}

/* --- marks --- */

struct seller {
    uint8_t key[32];
    char name[64];
};

/* Of the offer in full, or of the one under the cursor. */
static bool seller_of(const struct app *a, struct seller *out) {
    const struct shelf_row *row = shelf_at(a->shelf, a->offers.cur);
    bool full = a->screen == SCR_OFFER && a->offer;

    if (!full && !row)
        return false;
    memcpy(out->key, full ? a->offer->pubkey : row->pubkey, 32);
    text_clip(out->name, sizeof out->name, full ? a->offer->provider_name : row->provider);
    return true;
}

/* Sets the mark, or takes it away again. */
static void toggle(struct app *a, enum mark mark, const char *done, const char *undone) {
    struct seller s;
    enum mark to;
    char key[20];
    struct err e;

    if (!seller_of(a, &s))
        return;
    to = marks_get(a->marks, s.key) == mark ? MARK_NONE : mark;
    if (marks_set(a->marks, s.key, to, s.name, a->unix_now, &e) != 0) {
        app_say(a, ROLE_BAD, "%s", e.text);
        return;
    }
    npub_short(s.key, key);
    app_say(a, ROLE_TEXT, "%s (%s) %s", *s.name ? s.name : "?", key, to == mark ? done : undone);
    a->shelf_changed = true;
    pager_clear(a->offer_page);
}

void app_offers_favourite(struct app *a) {
    toggle(a, MARK_FAVOURITE, "is a favourite", "is no favourite any more");
}

void app_offers_mute(struct app *a) {
    toggle(a, MARK_MUTED, "is muted: M shows the muted ones", "is shown again");
}

/* --- history --- */

void app_ask_forget_seller(struct app *a) {
    size_t n = a->offer ? proven_jobs(a->proven, a->offer->pubkey) : 0;
    char key[20];

    if (n == 0 && (!a->offer || known_of_provider(a->known, a->offer->pubkey) == 0)) {
        app_say(a, ROLE_DIM, "nothing is kept of this provider");
        return;
    }
    npub_short(a->offer->pubkey, key);
    prompt_ask(&a->prompt, THEN_FORGET_SELLER, "Forget?", NULL);
    buf_fmt(
        &a->prompt.body,
        "What was verified in %zu earlier %s with %s (%s), and when, goes from this machine, and "
        "what you accepted of it for later. Saved receipts stay.",
        n, n == 1 ? "job" : "jobs", *a->offer->provider_name ? a->offer->provider_name : "?", key);
}

void app_offers_forget(struct app *a) {
    struct err e;

    if (!a->offer)
        return;
    if (app_history_forget(a, a->offer->pubkey, &e) != 0)
        app_say(a, ROLE_BAD, "%s", e.text);
    else
        app_say(a, ROLE_TEXT, "forgotten");
    a->shelf_changed = true;
    pager_clear(a->offer_page);
}
