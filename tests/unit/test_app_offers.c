#include "tui/app_offers.c"

#include "tests/unit/tui_world.h"
#include "tui/scr.h"

static void keyed(struct app *a, const char *s, uint32_t key) {
    press(a, s, key);
    app_prepare(a);
}

/* The model or tool under the cursor. */
static const char *at(const struct app *a) {
    return shelf_at(a->shelf, a->offers.cur)->provider;
}

static struct app *opened(void) {
    struct app *a = app_with_offers();

    app_prepare(a);
    return a;
}

static void filters_as_one_types(void **st) {
    struct app *a = opened();
    const char *first;

    (void)st;
    keyed(a, "n", 0);
    assert_non_null(strstr(a->status, "/ filters"));
    keyed(a, "/ll", 0);
    assert_int_equal(shelf_shown(a->shelf), 3); /* before Enter */
    keyed(a, "ama", K_ENTER);
    assert_int_equal(a->filtering, false);
    first = at(a);
    keyed(a, "n", 0);
    assert_string_not_equal(at(a), first);
    keyed(a, "nn", 0);
    assert_string_equal(at(a), first); /* round */
    keyed(a, "N", 0);
    assert_int_equal(a->offers.cur, 2);
    keyed(a, "", K_ESC);
    assert_int_equal(shelf_shown(a->shelf), 8);
    keyed(a, "/nothing", K_ENTER);
    keyed(a, "nNfm", K_ENTER); /* of nothing */
    assert_int_equal(a->screen, SCR_OFFERS);
    app_done(a);
}

static void favourites_and_muted(void **st) {
    struct app *a = opened();

    (void)st;
    keyed(a, "G", 0);
    assert_string_equal(at(a), "hobbynode");
    keyed(a, "m", 0);
    assert_non_null(strstr(a->status, "muted"));
    assert_int_equal(shelf_shown(a->shelf), 7);
    keyed(a, "M", 0);
    assert_int_equal(shelf_shown(a->shelf), 8);
    keyed(a, "Gm", 0);
    keyed(a, "M", 0);
    assert_int_equal(shelf_shown(a->shelf), 8);
    keyed(a, "g", 0);
    keyed(a, "jjf", 0); /* local sim, the third */
    keyed(a, "g", 0);
    assert_string_equal(at(a), "local sim");
    keyed(a, "", K_ENTER);
    keyed(a, "f", 0); /* from its page too */
    assert_int_equal(marks_count(a->marks), 0);
    app_done(a);
}

static void sorts_both_ways(void **st) {
    struct app *a = opened();

    (void)st;
    for (unsigned i = 1; i <= SORT_COUNT; i++) {
        keyed(a, "s", 0);
        assert_int_equal(a->sort, i % SORT_COUNT);
        assert_non_null(strstr(a->status, shelf_sort_name(a->sort)));
    }
    keyed(a, "S", 0);
    assert_int_equal(a->sort, SORT_COUNT - 1);
    app_done(a);
}

/* What comes in is shown soon, not at once; what the person asks for at once. */
static void news_wait_a_little(void **st) {
    struct app *a = opened();
    int64_t due;

    (void)st;
    assert_int_equal(app_offers_due(a), -1);
    put_offer(a, offer_of(20, "new", "newcomer", "none", "", 1), true, 1);
    due = app_offers_due(a);
    assert_int_equal(due, a->now + VIEW_MS);
    app_prepare(a);
    assert_int_equal(shelf_shown(a->shelf), 8);
    app_key(a, K_DOWN); /* means what is seen */
    assert_int_equal(shelf_shown(a->shelf), 8);
    later(a, VIEW_MS);
    app_prepare(a);
    assert_int_equal(shelf_shown(a->shelf), 9);
    put_offer(a, offer_of(21, "newer", "another", "none", "", 1), true, 1);
    keyed(a, "s", 0);
    assert_int_equal(shelf_shown(a->shelf), 10);
    put_offer(a, offer_of(22, "newest", "third", "none", "", 1), true, 1);
    keyed(a, "", K_ENTER);
    assert_int_equal(app_offers_due(a), -1); /* the list is not on the screen */
    app_done(a);
}

static bool page_says(const struct app *a, const char *words) {
    struct pager_row row;

    for (size_t i = 0; pager_row(a->offer_page, i, &row); i++)
        if (memmem(row.text.s, row.text.n, words, strlen(words)))
            return true;
    return false;
}

static void a_page_says_what_will_be_required(void **st) {
    struct app *a = opened();

    (void)st;
    app_resize(a, 40, 100);
    keyed(a, "", K_ENTER);
    assert_true(page_says(a, "policy: demo"));
    assert_true(page_says(a, "each GPU in confidential mode"));
    assert_true(page_says(a, "median of your 2 jobs"));
    assert_true(page_says(a, "on 2 of 5 relays"));
    assert_true(page_says(a, "pinned by you"));
    keyed(a, "r", 0);
    assert_true(page_says(a, "\"sig\""));
    keyed(a, "r", 0);
    assert_true(page_says(a, "EARLIER SESSIONS"));
    app_done(a);
}

static void history_goes_when_asked(void **st) {
    struct app *a = opened();

    (void)st;
    keyed(a, "", K_ENTER);
    keyed(a, "D", 0);
    assert_true(a->prompt.open);
    keyed(a, "", K_ENTER); /* the default is no */
    assert_int_equal(proven_jobs(a->proven, a->offer->pubkey), 2);
    keyed(a, "Dy", 0);
    assert_int_equal(proven_jobs(a->proven, a->offer->pubkey), 0);
    assert_true(page_says(a, "None."));
    keyed(a, "D", 0);
    assert_false(a->prompt.open);
    app_done(a);
}

/* A job leaves a line: verdict at once, its length at the end. */
static void a_job_is_remembered(void **st) {
    struct app *a = app_ready();
    const struct proven_job *j = proven_job(a->proven, a->job->provider, 0);

    (void)st;
    assert_non_null(j);
    assert_int_equal(j->proof.state, PROOF_SIMULATED);
    assert_int_equal(j->seconds, -1);
    assert_true(j->boot_ms > 14000);
    assert_string_equal(j->name, "local sim");
    later(a, 60000);
    state(a, SESSION_ENDED);
    j = proven_job(a->proven, a->job->provider, 0);
    assert_int_equal(proven_jobs(a->proven, a->job->provider), 1);
    assert_true(j->seconds >= 60);
    app_done(a);
}

static int tear_down(void **st) {
    (void)st;
    buf_free(&world.log);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_as_one_types),
        cmocka_unit_test(favourites_and_muted),
        cmocka_unit_test(sorts_both_ways),
        cmocka_unit_test(news_wait_a_little),
        cmocka_unit_test(a_page_says_what_will_be_required),
        cmocka_unit_test(history_goes_when_asked),
        cmocka_unit_test(a_job_is_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}
