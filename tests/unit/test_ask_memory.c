/* What `cdvm ask` keeps and knows: a session that says what a saved bundle says. */
#include "tui/session.h"

static const struct offer *the_offer(const struct session *s);
static void the_bundle(const struct session *s, struct buf *out);
#define session_offer the_offer
#define session_bundle the_bundle
#include "tui/ask_memory.c"

#include "tests/unit/unit.h"
#include "tests/unit/saved.h"

#define DAYS 90

static struct offer offer = {.provider_name = "local sim", .price_msat = 1500};
static char dir[64];
static struct saved_world w;
static struct verdict *verdict;
static const struct check warn = {
    .id = "snp.tcb.floor", .state = CHECK_WARN, .got = "bl 1", .required = true};

static const struct offer *the_offer(const struct session *s) {
    (void)s;
    return &offer;
}

static void the_bundle(const struct session *s, struct buf *out) {
    struct err e;

    (void)s;
    assert_int_equal(file_read(SAVED_FIRST, BUNDLE_MAX, out, &e), 0);
}

static int set_up(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/cdvm-ask-memory.XXXXXX");
    assert_non_null(mkdtemp(dir));
    setenv("XDG_STATE_HOME", dir, 1);
    saved_open(&w, SAVED_FIRST);
    verdict = saved_verify(&w, w.then);
    memcpy(offer.pubkey, w.bundle.offer->f.pubkey, 32);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    verdict_free(verdict);
    saved_close(&w);
    return remove_tree(dir);
}

static struct ask_memory *opened(unsigned days) {
    struct err note, e;
    struct ask_memory *m = ask_memory_new(days, &note, &e);

    assert_non_null(m);
    assert_string_equal(note.code, "");
    return m;
}

static void happens(struct ask_memory *m, enum session_event_type type, enum session_state s) {
    struct session_event ev = {.type = type, .state = s, .verdict = verdict};
    struct err e;

    assert_int_equal(ask_memory_event(m, NULL, &ev, &e), 0);
}

static void a_job(unsigned days, bool accepted) {
    struct ask_memory *m = opened(days);

    happens(m, SE_STATE, SESSION_REQUESTED);
    happens(m, SE_VERDICT, SESSION_VERIFYING);
    if (accepted)
        happens(m, SE_STATE, SESSION_ACCEPTED);
    happens(m, SE_CLOSED, SESSION_ENDED);
    ask_memory_free(m);
}

static void the_screen_knows_it_too(void **state) {
    const struct proven_job *j;
    struct ask_memory *m;
    struct facts like = {0};

    (void)state;
    a_job(DAYS, true);
    m = opened(DAYS);
    j = proven_job(m->proven, offer.pubkey, 0);
    assert_non_null(j);
    assert_int_equal(j->proof.state, PROOF_SIMULATED);
    assert_int_equal(strlen(j->digest), 96);
    assert_string_equal(j->name, "local sim");
    assert_true(j->msat == 1500 && j->seconds == 0 && j->boot_ms >= 0);
    assert_int_equal(proven_jobs(m->proven, offer.pubkey), 1);
    memcpy(like.provider, offer.pubkey, 32);
    assert_non_null(known_last(m->known, &like));
    ask_memory_free(m);
}

static void of_one_refused_the_verdict_alone_is_kept(void **state) {
    struct ask_memory *m;
    struct facts like = {0};

    (void)state;
    a_job(DAYS, false);
    m = opened(DAYS);
    memcpy(like.provider, offer.pubkey, 32);
    assert_int_equal(proven_jobs(m->proven, offer.pubkey), 1);
    assert_null(known_last(m->known, &like));
    ask_memory_free(m);
}

static void no_days_keep_nothing(void **state) {
    struct ask_memory *m;

    (void)state;
    a_job(0, true);
    m = opened(DAYS);
    assert_int_equal(proven_jobs(m->proven, offer.pubkey), 0);
    ask_memory_free(m);
}

/* What was remembered on the screen holds here: of this value, once a verdict says which machine it
 * is, and never of one that is simulated. */
static void what_was_accepted_for_later_counts(void **state) {
    struct ask_memory *m = opened(DAYS);
    struct check other = warn;
    struct facts real;
    struct err e;

    (void)state;
    happens(m, SE_VERDICT, SESSION_VERIFYING);
    real = m->facts;
    real.simulated = false;
    assert_int_equal(known_accept(m->known, &real, &warn, &e), 0);
    ask_memory_free(m);
    m = opened(DAYS);
    assert_int_equal(ask_memory_accepted(m, &warn), 0); /* of nobody yet */
    happens(m, SE_VERDICT, SESSION_VERIFYING);
    assert_int_equal(ask_memory_accepted(m, &warn), 0); /* simulated */
    m->facts = real;
    assert_int_equal(ask_memory_accepted(m, &warn), real.when);
    other.got = "bl 0";
    assert_int_equal(ask_memory_accepted(m, &other), 0);
    ask_memory_free(m);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(the_screen_knows_it_too),
        T(of_one_refused_the_verdict_alone_is_kept),
        T(no_days_keep_nothing),
        T(what_was_accepted_for_later_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
